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
pub(crate) mod join;
pub(crate) mod matter_view;
pub(crate) mod members;
pub(crate) mod outcome;
pub(crate) mod procedure;
pub(crate) mod time;

use rhai::Engine;

/// Level of these functions. A closure is pinned to it; older levels stay callable.
pub(crate) const API_LEVEL: u32 = 1;

/// Functions that ask for something durable: never inside a comparer or a predicate.
pub(crate) const DURABLE: [&str; 20] = [
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
    "now",
    "today",
    "grant",
    "grant_tolerant",
    "deny",
    "forward_up",
    "terminate",
    "log",
];

/// Registers every family.
pub(crate) fn register(engine: &mut Engine) {
    guard::register(engine);
    field::register(engine);
    declare::register(engine);
    procedure::register(engine);
    matter_view::register(engine);
    outcome::register(engine);
    ask::register(engine);
    decision::register(engine);
    join::register(engine);
    time::register(engine);
    act::register(engine);
}
