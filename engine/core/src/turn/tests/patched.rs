//! Scripts that are changed while their cases run: what a journal from before sees, what a fresh
//! run sees, and how a patch goes away again.

use super::*;

const ID: &str = "ask-fire";

/// Asks for a parcel, then (as patched) for the word of the fire office, then for the permit.
fn changed(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let parcel = replay.request(call("agency.parcel"))?;
    replay.wait(parcel)?;
    if replay.patched(ID)? {
        let fire = replay.request(call("agency.fire"))?;
        replay.wait(fire)?;
    }
    issued(replay)
}

/// The same before the change.
fn before(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let parcel = replay.request(call("agency.parcel"))?;
    replay.wait(parcel)?;
    issued(replay)
}

/// The same when nobody needs the old way any more.
fn deprecated(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let parcel = replay.request(call("agency.parcel"))?;
    replay.wait(parcel)?;
    replay.deprecate_patch(ID)?;
    gone_after_parcel(replay)
}

/// The same when the patch is no longer spoken of.
fn gone(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let parcel = replay.request(call("agency.parcel"))?;
    replay.wait(parcel)?;
    gone_after_parcel(replay)
}

fn gone_after_parcel(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let fire = replay.request(call("agency.fire"))?;
    replay.wait(fire)?;
    issued(replay)
}

fn issued(replay: &mut Replay) -> Result<RunEnd, Stop> {
    let permit = replay.request(call("agency.issue"))?;
    replay.wait(permit)?;
    Ok(RunEnd::Finished)
}

/// Tells whether every replay asked for what the journal holds. A script that returns without an
/// act leaves a matter that nothing can wake, which is another incident.
fn replayed(story: &Story) -> bool {
    !story.incidents().contains(&"REPLAY_MISMATCH")
}

fn asked(story: &Story) -> Vec<String> {
    let requests = story.case.matters[0].run.requests.iter();
    requests.map(|request| request.made.ask.target()).collect()
}

impl Story {
    /// Puts another script in the place of the one that the case runs on.
    fn change(&mut self, body: fn(&mut Replay) -> Result<RunEnd, Stop>) -> &mut Self {
        self.scripts.bodies.insert(MatterCode::new("a"), Box::new(body));
        self
    }
}

fn under(body: fn(&mut Replay) -> Result<RunEnd, Stop>) -> Story {
    Story::begin(vec![part("a", &[])], vec![(matter("a"), Box::new(body) as Handler)])
}

#[test]
fn a_fresh_run_takes_the_changed_way_and_records_it() {
    let mut story = under(changed);
    story.completes(1);
    assert_eq!(asked(&story), ["agency.parcel", ID, "agency.fire"]);
    story.completes(1).completes(1);
    assert_eq!(asked(&story), ["agency.parcel", ID, "agency.fire", "agency.issue"]);
    assert!(story.case.matters[0].run.finished);
    assert!(replayed(&story));
}

#[test]
fn a_journal_from_before_the_patch_goes_on_as_before() {
    let mut story = under(before);
    story.completes(1);
    assert_eq!(asked(&story), ["agency.parcel", "agency.issue"]);
    story.change(changed).completes(1);
    assert_eq!(asked(&story), ["agency.parcel", "agency.issue"], "no marker is recorded");
    assert!(story.case.matters[0].run.finished);
    assert!(replayed(&story));
}

#[test]
fn a_run_that_had_not_come_to_the_place_takes_the_changed_way() {
    let mut story = under(before);
    story.change(changed).completes(1);
    assert_eq!(asked(&story), ["agency.parcel", ID, "agency.fire"]);
    assert!(replayed(&story));
}

#[test]
fn the_answer_for_a_patch_stays_the_same_within_a_run() {
    fn twice(replay: &mut Replay) -> Result<RunEnd, Stop> {
        let first = replay.patched(ID)?;
        let parcel = replay.request(call("agency.parcel"))?;
        replay.wait(parcel)?;
        assert_eq!(replay.patched(ID)?, first);
        issued(replay)
    }
    let mut old = under(before);
    old.change(twice).completes(1).completes(1);
    assert_eq!(asked(&old), ["agency.parcel", "agency.issue"]);
    let mut fresh = under(twice);
    fresh.completes(1).completes(1);
    assert_eq!(asked(&fresh), [ID, "agency.parcel", "agency.issue"]);
    assert!(replayed(&old) && replayed(&fresh));
}

#[test]
fn a_patch_that_is_dropped_too_early_is_a_mismatch() {
    let mut story = under(changed);
    story.completes(1).change(gone).completes(1);
    assert_eq!(story.incidents(), ["REPLAY_MISMATCH"]);
    let incident = &story.case.incidents.values().next().unwrap().incident;
    assert!(incident.expected.contains(ID) && incident.got.contains("agency.fire"));
}

#[test]
fn a_patch_that_moved_is_a_mismatch() {
    fn moved(replay: &mut Replay) -> Result<RunEnd, Stop> {
        replay.patched(ID)?;
        before(replay)
    }
    let mut story = under(changed);
    story.completes(1).change(moved).completes(1);
    assert_eq!(story.incidents(), ["REPLAY_MISMATCH"]);
}

#[test]
fn a_deprecated_patch_accepts_journals_with_and_without_the_marker() {
    let mut with = under(changed);
    with.completes(1).change(deprecated).completes(1).completes(1);
    assert_eq!(asked(&with), ["agency.parcel", ID, "agency.fire", "agency.issue"]);
    let mut without = under(gone);
    without.completes(1).change(deprecated).completes(1).completes(1);
    assert_eq!(asked(&without), ["agency.parcel", "agency.fire", "agency.issue"]);
    assert!(replayed(&with) && replayed(&without));
    assert!(with.case.matters[0].run.finished && without.case.matters[0].run.finished);
}

#[test]
fn the_marker_of_a_deprecated_patch_may_outlive_its_line() {
    let mut story = under(deprecated);
    story.completes(1);
    assert_eq!(asked(&story), ["agency.parcel", ID, "agency.fire"]);
    story.change(gone).completes(1);
    assert_eq!(asked(&story), ["agency.parcel", ID, "agency.fire", "agency.issue"]);
    story.change(changed).completes(1);
    assert!(replayed(&story), "and the script before it still reads the journal");
    assert!(story.case.matters[0].run.finished);
}

#[test]
fn a_marker_at_the_end_of_a_journal_may_outlive_its_line() {
    fn marks(replay: &mut Replay) -> Result<RunEnd, Stop> {
        let parcel = replay.request(call("agency.parcel"))?;
        replay.deprecate_patch(ID)?;
        replay.wait(parcel)?;
        Ok(RunEnd::Finished)
    }
    fn forgets(replay: &mut Replay) -> Result<RunEnd, Stop> {
        let parcel = replay.request(call("agency.parcel"))?;
        replay.wait(parcel)?;
        Ok(RunEnd::Finished)
    }
    let mut story = under(marks);
    assert_eq!(asked(&story), ["agency.parcel", ID]);
    story.change(forgets).completes(1);
    assert!(replayed(&story));
    assert!(story.case.matters[0].run.finished);
}
