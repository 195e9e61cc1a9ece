//! The words of a rehearsal, one file per family, on an engine that has no others.
//!
//! | words on `r` | what they do |
//! | --- | --- |
//! | `at`, `wait` | set or move time; what is due on the way happens |
//! | `file`, `draft`, `file_refused`; `file_matter`, `file_matter_refused`, `result` | apply to a service; to one matter by itself, whose earlier results are given |
//! | `agency("role.operation")` `.completes` `.rejects` `.needs_correction` `.needs_applicant` `.cancels` `.fails` `.reports` `.asks_person` `.keeps_silent` `.after`, each also as `.then_…`; `agencies_answer` | what agencies do with calls; the last stays |
//! | `person("department.role")` `.named` `.on` `.expecting`, then `.claims` `.releases` `.approves` `.accepts` `.completes` `.denies` `.does_not_accept` `.does` `.asks_correction` `.suspends` `.resumes` `.extends` `.terminates` `.revokes` `.forwards_up`; `everyone_approves` | what people do |
//! | `window()` `officer("matter")` `head("matter")` | the same people, by what they are to the case |
//! | `applicant()` `.submits` `.withdraws` `.gives` `.hands_in` `.commits` `.consents` `.prefills` `.amends` `.corrects` `.does` | what the applicant does |
//! | `expect_card`, `expect_document`, `expect_material`, `expect_source`, `expect_suspended` | compare what the law brought |
//! | `expect`, `expect_case`, `expect_number`, `expect_waiting`, `expect_advice`, `expect_field`, `expect_due`, `expect_used`, `expect_calls`, `expect_call`, `expect_tasks`, `expect_incident` | compare |
//! | `history`, `milestones` | compare what was printed, all of it or what the applicant is told |
//!
//! No word decides anything: each becomes a command, an instruction to an agency, a move of time,
//! or a comparison. A new act of people is one function in `words/people.rs`.

mod acts;
mod agency;
mod expect;
mod file;
mod given;
mod lawful;
mod people;
mod print;
mod supply;
mod time;

use std::cell::RefCell;

use rhai::{Engine, FnPtr, NativeCallContext, Position};
use tongban_core::id::MatterNo;

use crate::diagnose::Trouble;
use crate::rehearsal::current::Current;
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
    lawful::register(&mut engine);
    supply::register(&mut engine);
    print::register(&mut engine);
    engine
}

/// Returns what `act` lists by `rehearse(…)`.
pub(crate) fn listed(act: impl FnOnce() -> Result<(), Thrown>) -> Result<Vec<Listed>, Thrown> {
    drop(LISTED.take());
    act()?;
    Ok(LISTED.take())
}

/// Finds the matter that is meant: the named one, or the only one there is.
pub(crate) fn meant(current: &Current, on: Option<&str>) -> Result<MatterNo, Trouble> {
    let case = current.case()?;
    let known = || {
        let own = case.matters.iter().filter(|matter| matter.is_included());
        own.filter(|matter| !current.hidden.contains(&matter.no))
    };
    let codes = || known().map(|matter| matter.planned.code.as_str());
    let found = match on {
        Some(code) => known().find(|matter| matter.planned.code.as_str() == code),
        None => known().next().filter(|_| known().count() == 1),
    };
    found.map(|matter| matter.no).ok_or_else(|| {
        let name = on.unwrap_or_default();
        Trouble::new(
            "WHICH_MATTER",
            format!("请用 .on(\"事项编码\") 指明事项;没有事项“{name}”"),
            format!("say which matter by .on(\"code\"); there is no matter “{name}”"),
        )
        .advise_nearest(name, codes())
    })
}
