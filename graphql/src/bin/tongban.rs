//! The program `tongban`; everything it does is in [`tongban_graphql::program`].

use std::process::ExitCode;

fn main() -> ExitCode {
    tongban_graphql::program::main()
}
