//! The program's two streams: data goes to standard output, everything else to standard error.
//!
//! Nothing else in the program writes to either, but for the live lanes of the demo. A reader
//! that has gone away (`| head`) is no failure.

use std::io::{self, Write as _};

use super::error::{Both, ProgramError};
use super::exit::Exit;

/// Writes data, with a line end after it.
pub(crate) fn data(text: &str) {
    let mut out = io::stdout().lock();
    // A closed pipe means that the reader has seen enough.
    drop(writeln!(out, "{text}").and_then(|()| out.flush()));
}

/// Tells the person who started the program something.
pub(crate) fn tell(text: &str) {
    let mut err = io::stderr().lock();
    drop(writeln!(err, "{text}").and_then(|()| err.flush()));
}

/// Shows a failure, code, what, where and what to do, and returns how the program ends.
pub(crate) fn fail(error: &ProgramError) -> Exit {
    tell(&failure(error));
    error.exit()
}

fn failure(error: &ProgramError) -> String {
    let Both { zh, en } = Both::of(error);
    let (do_zh, do_en) = error.advice();
    let code = error.code();
    format!("错误 {code}:{zh}\nerror {code}: {en}\n  → {do_zh}\n  → {do_en}")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_failure_is_shown_in_both_languages_with_advice() {
        let error = ProgramError::PortInUse(([127, 0, 0, 1], 7400).into());
        expect![[r"
            错误 PORT_IN_USE:127.0.0.1:7400 已被其他程序占用
            error PORT_IN_USE: 127.0.0.1:7400 is in use by another program
              → 请用 --listen 换一个端口(端口 0 由系统选择),或先停止占用它的程序
              → choose another port with --listen (port 0 lets the system choose), or stop the other program"]]
        .assert_eq(&failure(&error));
        assert_eq!(error.exit(), Exit::Unavailable);
    }
}
