//! Classes and codes that every public error carries.

/// What to do about an error; retries are decided from this and from nothing else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ErrorClass {
    /// The request is wrong; the same one will fail again.
    Invalid,
    /// Someone else was first; look again and decide anew.
    Conflict,
    /// It may go better later.
    Transient,
    /// It will not go better by itself; a person must act.
    Permanent,
}
