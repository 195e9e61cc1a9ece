//! Exit codes: what a script that starts the program may rely on.
//!
//! 0 and 2 as everywhere, 64 to 78 as `sysexits.h` names them, 1 for a bug alone.

/// How the program ends.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done; also an orderly end after a signal.
    Done = 0,
    /// A bug: a panic, or an answer that cannot be.
    Bug = 1,
    /// The command line is wrong.
    Usage = 2,
    /// `EX_DATAERR`: scripts or stored data are wrong.
    Data = 65,
    /// `EX_UNAVAILABLE`: something needed is not to be had, such as a port in use.
    Unavailable = 69,
    /// `EX_SOFTWARE`: the demo's case did not end as it should.
    Unfinished = 70,
    /// `EX_CANTCREAT`: a file or folder cannot be created.
    CannotCreate = 73,
    /// `EX_IOERR`: reading or writing failed.
    InputOutput = 74,
    /// `EX_TEMPFAIL`: try again later, such as a data folder that another process holds.
    TryLater = 75,
    /// `EX_CONFIG`: the configuration is wrong or not sufficient.
    Config = 78,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
