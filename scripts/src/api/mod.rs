//! The functions that a script may call, one file per family.
//!
//! Durable functions go through [`crate::suspend::with`] to the journal's cursor. Nothing here
//! decides what is lawful or what has happened: the cursor and the legal fold do.

pub(crate) mod act;
pub(crate) mod ask;
pub(crate) mod decision;
pub(crate) mod declare;
pub(crate) mod field;
pub(crate) mod guard;
pub(crate) mod intake;
pub(crate) mod join;
pub(crate) mod mail;
pub(crate) mod matter_view;
pub(crate) mod members;
pub(crate) mod outcome;
pub(crate) mod partial;
pub(crate) mod patch;
pub(crate) mod procedure;
pub(crate) mod time;

use rhai::Engine;

/// The level from which on scripts may be patched.
pub(crate) const PATCHED_SINCE: u32 = 2;

/// The level from which on scripts receive messages and say how to undo.
pub(crate) const MAIL_SINCE: u32 = 2;

/// The level from which on scripts wait until a date.
pub(crate) const UNTIL_SINCE: u32 = 2;

/// The level from which on a service may compute its matters, and speak when one is denied.
pub(crate) const COMPUTED_SINCE: u32 = 2;

/// The oldest level of these functions, and that of services which name none.
pub(crate) const API_LEVEL_FIRST: u32 = 1;

/// The newest level of these functions; [`crate::levels`] lists what each brought. A closure is
/// pinned to its level, and older ones stay callable.
pub(crate) const API_LEVEL: u32 = 2;

/// Functions that ask for something durable: never inside a comparer or a predicate.
pub(crate) const DURABLE: [&str; 26] = [
    "start",
    "ask",
    "start_decide",
    "decide",
    "wait",
    "settle",
    "all",
    "all_settled",
    "race",
    "timeout",
    "timer",
    "sleep",
    "wait_until",
    "now",
    "today",
    "grant",
    "grant_tolerant",
    "deny",
    "forward_up",
    "terminate",
    "log",
    "patched",
    "deprecate_patch",
    "inbox",
    "receive",
    "compensate_with",
];

/// Registers every family, as it is at a level.
pub(crate) fn register(engine: &mut Engine, level: u32) {
    guard::register(engine);
    field::register(engine);
    declare::register(engine);
    procedure::register(engine);
    matter_view::register(engine);
    outcome::register(engine);
    ask::register(engine);
    decision::register(engine);
    join::register(engine);
    time::register(engine, level);
    if level >= MAIL_SINCE {
        mail::register(engine);
        ask::register_undo(engine);
    }
    act::register(engine);
    intake::register(engine);
    if level >= COMPUTED_SINCE {
        field::register_computed(engine);
        partial::register(engine);
    }
    if level >= PATCHED_SINCE {
        patch::register(engine);
    }
}
