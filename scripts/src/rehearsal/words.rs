//! The words of a rehearsal, one file per family, on an engine that has no others.
//!
//! | words on `r` | what they do |
//! | --- | --- |
//! | `at`, `wait` | set or move time; what is due on the way happens |
//! | `file`, `draft`, `file_refused`; `file_matter`, `file_matter_refused`, `result` | apply to a service; to one matter by itself, whose earlier results are given |
//! | `agency("role.operation")` `.completes` `.rejects` `.needs_correction` `.needs_applicant` `.cancels` `.fails` `.reports` `.asks_person` `.keeps_silent` `.after`, each also as `.then_…`; `agencies_answer` | what agencies do with calls; the last stays |
//! | `person("department.role")` `.named` `.on` `.expecting`, then `.claims` `.releases` `.approves` `.accepts` `.completes` `.denies` `.does_not_accept` `.does` `.asks_correction` `.suspends` `.resumes` `.extends` `.terminates` `.revokes` `.forwards_up`; `everyone_approves` | what people do |
//! | `applicant()` `.submits` `.withdraws` `.gives` `.amends` `.does` | what the applicant does |
//! | `expect`, `expect_case`, `expect_number`, `expect_waiting`, `expect_due`, `expect_used`, `expect_calls`, `expect_call`, `expect_tasks`, `expect_incident` | compare |
//! | `history`, `milestones` | compare what was printed, all of it or what the applicant is told |
//!
//! No word decides anything: each becomes a command, an instruction to an agency, a move of time,
//! or a comparison. A new act of people is one function in `words/people.rs`.

mod acts;
mod agency;
mod expect;
mod file;
mod given;
mod people;
mod print;
mod time;

use std::cell::RefCell;

use rhai::{Engine, FnPtr, NativeCallContext, Position};

use crate::sandbox;
use crate::suspend::Thrown;

/// The host object `r`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct R;

/// A `rehearse(…)` as it was read: its name, its body and its place.
pub(crate) type Listed = (String, FnPtr, Position);

thread_local! {
    static LISTED: RefCell<Vec<Listed>> = const { RefCell::new(Vec::new()) };
}

/// Returns the engine that reads and plays rehearsals.
pub(crate) fn engine() -> Engine {
    let mut engine = sandbox::bare();
    engine.register_type_with_name::<R>("r");
    engine.register_fn("rehearse", |context: NativeCallContext<'_>, name: &str, body: FnPtr| {
        let listed = (name.to_owned(), body, context.call_position());
        LISTED.with_borrow_mut(|list| list.push(listed));
    });
    time::register(&mut engine);
    file::register(&mut engine);
    agency::register(&mut engine);
    people::register(&mut engine);
    expect::register(&mut engine);
    print::register(&mut engine);
    engine
}

/// Returns what `act` lists by `rehearse(…)`.
pub(crate) fn listed(act: impl FnOnce() -> Result<(), Thrown>) -> Result<Vec<Listed>, Thrown> {
    drop(LISTED.take());
    act()?;
    Ok(LISTED.take())
}
