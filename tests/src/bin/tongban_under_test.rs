//! The program that process tests start: the same `main` as `tongban`, built with the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    tongban_graphql::program::main()
}
