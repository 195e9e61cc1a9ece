//! The program `tongban`; everything it does is in [`tongban_graphql::program`].

use std::process::ExitCode;

/// Cases are many small values made and dropped by several threads; see the bench `case_path`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tongban_graphql::program::main()
}
