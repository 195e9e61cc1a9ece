//! The program that process tests start: the same `main` as `tongban`, built with the tests, and
//! able to die at a named moment (`TONGBAN_CRASH_AT=after-flush:7`).

use std::process::ExitCode;

use tongban_engine::crash::{self, Point};

fn main() -> ExitCode {
    if let Ok(wish) = std::env::var("TONGBAN_CRASH_AT") {
        let (point, nth) = wish.split_once(':').expect("a moment and a number");
        let point = Point::from_code(point).expect("a moment that there is");
        crash::arm(point, nth.parse().expect("a number"));
    }
    tongban_graphql::program::main()
}
