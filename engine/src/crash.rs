//! Named moments at which a test lets the process die (feature `crash-points`).
//!
//! Each is a place where the outcome of a commit, an effect or a reply would differ if something
//! were done in the wrong order. A test program arms one of them (`arm`); when the process passes
//! it for the n-th time it aborts, as SIGKILL would end it: no destructor runs, nothing is
//! flushed. Without the feature a point is nothing at all.

/// A moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Point {
    /// A batch is gathered; nothing of it is in sled.
    BeforeBatch,
    /// Sled has the batch in memory.
    AfterBatch,
    /// The system has the bytes, the device may not.
    AfterFlush,
    /// The device has the bytes; nobody has been told.
    AfterSync,
    /// The mark is written; nobody has been told.
    AfterMark,
    /// The engine knows that its turn is stored; no effect has begun.
    BeforeEffects,
    /// The effects have begun; who asked has not been told.
    BeforeTold,
    /// A call is about to leave.
    BeforeSend,
    /// An agency has answered; the answer is not stored.
    AfterSend,
    /// The answer is stored; its carrier has not gone on.
    AfterReply,
    /// A message that came by callback is stored; the agency has not been told.
    BeforeAck,
    /// A notice's page is kept; no entry names it.
    AfterPage,
    /// A notice is sealed; the seal is not recorded.
    AfterSeal,
}

impl Point {
    /// Every moment with its code.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::BeforeBatch, "before-batch"),
        (Self::AfterBatch, "after-batch"),
        (Self::AfterFlush, "after-flush"),
        (Self::AfterSync, "after-sync"),
        (Self::AfterMark, "after-mark"),
        (Self::BeforeEffects, "before-effects"),
        (Self::BeforeTold, "before-told"),
        (Self::BeforeSend, "before-send"),
        (Self::AfterSend, "after-send"),
        (Self::AfterReply, "after-reply"),
        (Self::BeforeAck, "before-ack"),
        (Self::AfterPage, "after-page"),
        (Self::AfterSeal, "after-seal"),
    ];

    /// Reads a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == code).map(|(point, _)| *point)
    }
}

#[cfg(feature = "crash-points")]
mod armed {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Point;

    /// Passings of each point that are left before the process dies; 0 where it is not armed.
    static LEFT: [AtomicU64; Point::ALL.len()] = [const { AtomicU64::new(0) }; Point::ALL.len()];

    /// Has the process die when it passes `point` for the `nth` time, counted from 1.
    pub fn arm(point: Point, nth: u64) {
        LEFT[point as usize].store(nth, Ordering::SeqCst);
    }

    pub(crate) fn pass(point: Point) {
        let less = |left: u64| left.checked_sub(1);
        if LEFT[point as usize].fetch_update(Ordering::SeqCst, Ordering::SeqCst, less) == Ok(1) {
            std::process::abort();
        }
    }
}

#[cfg(feature = "crash-points")]
pub use self::armed::arm;
#[cfg(feature = "crash-points")]
pub(crate) use self::armed::pass;

/// Passes a moment.
#[cfg(not(feature = "crash-points"))]
pub(crate) fn pass(_point: Point) {}
