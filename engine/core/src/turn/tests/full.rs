//! What comes in such numbers that one turn cannot hold it: it is heard and evaluated by the next
//! ones, in order, with nothing lost and nobody's script stopped for it.

use super::*;
use crate::way_out::{Handling, Message};

fn visit(text: &str) -> Message {
    Message { channel: "visit".to_owned(), body: text.into(), handling: Handling::Required }
}

fn sends(matter: u16, text: &str) -> Command {
    Command::SendMessage { by: clerk(), matter: MatterNo(matter), message: visit(text) }
}

/// Receives visits for ever, and asks two agencies about each.
fn asks_about_every_visit() -> Handler {
    Box::new(|replay| {
        loop {
            let handle = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
            let Arrived::Message(message) = replay.wait(handle)? else { unreachable!() };
            let text = message.body.as_text().unwrap().to_owned();
            replay.request(call(&format!("agency.{text}")))?;
            replay.request(call(&format!("archive.{text}")))?;
        }
    })
}

/// Asks many agencies at once and waits for all of them.
fn asks_many(many: usize) -> Handler {
    Box::new(move |replay| {
        let asked: Result<Vec<Handle>, Stop> =
            (0..many).map(|no| replay.request(call(&format!("agency.n{no}")))).collect();
        let all = replay.join(Join::All(Members::List(asked?)))?;
        replay.wait(all)?;
        Ok(RunEnd::Finished)
    })
}

/// A script that read a long mailbox was taken for one that never comes to rest.
#[test]
fn a_full_mailbox_is_read_to_its_end_in_one_turn() {
    let mut story = one(Box::new(|replay| {
        let first = replay.request(call("agency.first"))?;
        replay.wait(first)?;
        for _ in 0..limits::MAILBOX_MAX {
            let handle = replay.request(Ask::Receive { channel: "visit".to_owned() })?;
            replay.wait(handle)?;
        }
        Ok(RunEnd::Finished)
    }));
    for no in 0..limits::MAILBOX_MAX {
        story.take(&[sends(1, &no.to_string())]);
    }
    let matter = |story: &Story| story.case.matter(MatterNo(1)).unwrap().unread().count();
    assert_eq!(matter(&story), limits::MAILBOX_MAX);
    story.completes(1);
    assert_eq!((matter(&story), story.incidents()), (0, vec!["STALLED"]), "it ends undecided");
}

/// So many messages at once used to stop the scripts that read them, each with an incident.
#[test]
fn more_messages_than_a_turn_holds_are_heard_by_the_next_ones_in_order() {
    let codes = ["a", "b", "c", "d"];
    let parts = codes.map(|code| part(code, &[])).into();
    let matters = codes.map(|code| (matter(code), asks_about_every_visit())).into();
    let mut story = Story::begin(parts, matters);
    let each = limits::CASE_INBOX_MAX / codes.len();
    let texts: Vec<String> = (0..each).map(|no| format!("v{no}")).collect();
    let all = texts.iter().flat_map(|text| (1..=4).map(move |no| sends(no, text)));
    let mut left: Vec<Command> = std::iter::once(Command::Tick).chain(all).collect();
    let mut turns = 0;
    while !left.is_empty() {
        let before = story.entries.len();
        story.take(&left);
        assert!(story.entries.len() - before <= limits::TURN_ENTRIES_MAX / 2);
        if turns == 0 {
            assert_eq!(story.unheard[0], 0, "time is heard last, in the last turn");
        }
        assert_eq!(story.answers.len() + story.unheard.len(), left.len());
        assert!(story.answers.iter().all(|answer| *answer == Answer::Done));
        left = story.unheard.iter().map(|place| left[*place].clone()).collect();
        turns += 1;
    }
    assert!(turns > 4, "{turns} turns");
    assert_eq!(story.incidents(), Vec::<&str>::new());
    for no in 1..=4 {
        let matter = story.case.matter(MatterNo(no)).unwrap();
        let asked = matter.run.requests.iter().map(|request| request.made.ask.target());
        let asked = asked.filter_map(|ask| Some(ask.strip_prefix("agency.")?.to_owned()));
        assert_eq!(asked.collect::<Vec<_>>(), texts, "none lost, none twice, in order");
    }
}

/// All of them used to be evaluated in one turn, however long it became.
#[test]
fn matters_that_a_full_turn_has_not_come_to_are_evaluated_by_the_next_one() {
    let (matters, calls) = (120, 40);
    let codes: Vec<String> = (0..matters).map(|no| format!("m{no}")).collect();
    let parts = codes.iter().map(|code| part(code, &[])).collect();
    let handlers = codes.iter().map(|code| (matter(code), asks_many(calls)));
    let mut story = Story::begin(parts, handlers.collect());
    let held = limits::TURN_ENTRIES_MAX + 2 * calls;
    assert!(story.unfinished && story.entries.len() < held, "{}", story.entries.len());
    assert!(story.case.open_calls().count() < matters * calls);
    story.take(&[Command::Wake]);
    assert!(!story.unfinished);
    assert_eq!(story.incidents(), Vec::<&str>::new());
    assert_eq!(story.case.open_calls().count(), matters * calls, "each call is made once");
}

/// When its last matter made a turn too long, the turn passed for finished: what followed from it
/// waited until something else happened to the case.
#[test]
fn a_turn_that_its_last_matter_made_too_long_goes_on_in_the_next_one() {
    // The last one asks more than one matter brings, so that some number of them hits the limit.
    let (calls, last) = (40, 80);
    let mut too_long = 0;
    for matters in 80..100 {
        let codes: Vec<String> = (0..matters).map(|no| format!("m{no}")).collect();
        let parts = codes.iter().map(|code| part(code, &[])).collect();
        let asks = |no| asks_many(if no + 1 == matters { last } else { calls });
        let handlers = codes.iter().enumerate().map(|(no, code)| (matter(code), asks(no)));
        let mut story = Story::begin(parts, handlers.collect());
        let made = |story: &Story| story.case.open_calls().count();
        let whole = (matters - 1) * calls + last;
        let all = made(&story) == whole;
        too_long += usize::from(all && story.unfinished);
        assert!(all || story.unfinished, "{matters} matters");
        if story.unfinished {
            story.take(&[Command::Wake]);
        }
        assert!(!story.unfinished);
        assert_eq!(story.incidents(), Vec::<&str>::new());
        assert_eq!(made(&story), whole, "each call is made once");
    }
    assert!(too_long > 0, "the last matter made at least one of the turns too long");
}
