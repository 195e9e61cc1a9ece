//! Random histories: what was raised turn by turn is what the log gives again for any day.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::story::*;
use crate::card::CardRaised;
use crate::command::Command;
use crate::entry::TaskKind;
use crate::schedule;
use crate::time::Moment;

#[derive(Clone, Copy, Debug)]
enum Step {
    Tick,
    Suspend,
    Resume,
    Correct,
    Supply,
    Extend,
    Decide,
    Accept,
    GiveTime,
}

fn step() -> impl Strategy<Value = (u16, bool, Step)> {
    let kind = prop_oneof![
        3 => Just(Step::Tick),
        2 => Just(Step::Suspend),
        2 => Just(Step::Resume),
        1 => Just(Step::Correct),
        1 => Just(Step::Supply),
        1 => Just(Step::Extend),
        1 => Just(Step::Decide),
        2 => Just(Step::Accept),
        1 => Just(Step::GiveTime),
    ];
    // Up to twelve days pass, to an odd second, and perhaps nobody looks at the clock.
    (1..17_280_u16, any::<bool>(), kind)
}

impl Story {
    /// Returns what a step asks, lawful or not.
    fn asked(&self, step: Step, now: Moment) -> Option<Command> {
        match step {
            Step::Tick => Some(Command::Tick),
            Step::Suspend => Some(suspend()),
            Step::Resume => Some(resume()),
            Step::Correct => Some(ask_correction(now)),
            Step::Supply => Some(supply()),
            Step::Extend => Some(extend("3 working days")),
            Step::Decide => self.completion(TaskKind::Decide, ""),
            Step::Accept => self.completion(TaskKind::Intake, ""),
            Step::GiveTime => self.completion(TaskKind::CorrectionMissed, "4 working days"),
        }
    }

    fn recorded(&self, until: Moment) -> Vec<CardRaised> {
        let known = self.entries.iter().take_while(|entry| entry.recorded_at <= until);
        sorted(known.filter_map(raised).cloned())
    }

    fn computed(&self, until: Moment) -> Vec<CardRaised> {
        let again = schedule::cards_on(self.case.id, &self.entries, self.reading(until)).unwrap();
        sorted(again.into_iter().map(|rung| rung.card))
    }
}

fn sorted(cards: impl Iterator<Item = CardRaised>) -> Vec<CardRaised> {
    let mut cards: Vec<CardRaised> = cards.collect();
    cards.sort_by_key(|card| (card.at, card.rule.clone(), card.since, card.about.clone()));
    cards
}

fn settings() -> impl Strategy<Value = Setting> {
    let promised = prop::sample::select(vec![
        "1 working day",
        "5 working days",
        "7 calendar days",
        "40 hours",
        "1 month",
    ]);
    let within = prop::sample::select(vec![None, Some("2 working days"), Some("5 hours")]);
    let review = prop::sample::select(vec![None, Some("6 working days")]);
    (promised, within, review).prop_map(|(promised, within, first_review)| Setting {
        promised,
        first_review,
        within,
        ..Setting::default()
    })
}

/// Plays steps, after each of which the log must give the recorded cards again.
fn check(setting: Setting, steps: Vec<(u16, bool, Step)>) -> Result<(), TestCaseError> {
    let mut story = Story::begin(setting, "2026-01-30T09:30:17");
    let mut now = moment("2026-01-30T09:30:17");
    let mut looked = Vec::new();
    for (minutes, looks, step) in steps {
        now = now.plus_millis(i64::from(minutes) * 60_000);
        if let Some(command) = story.asked(step, now) {
            let ticks = command == Command::Tick;
            story.take(now, &[command]);
            if looks || ticks {
                story.take(now, &[Command::Tick]);
                looked.push(now);
            }
        }
        let (recorded, computed) = (story.recorded(now), story.computed(now));
        prop_assert!(
            recorded.iter().all(|card| computed.contains(card)),
            "{recorded:#?}\n{computed:#?}"
        );
    }
    for day in looked {
        prop_assert_eq!(story.recorded(day), story.computed(day));
    }
    let keys: Vec<_> = story
        .case
        .cards
        .values()
        .map(|card| {
            let raised = &card.raised;
            (card.matter, raised.rule.clone(), raised.clock, raised.about.clone(), raised.since)
        })
        .collect();
    let once: BTreeSet<_> = keys.iter().cloned().collect();
    prop_assert_eq!(keys.len(), once.len(), "each rung once");
    Ok(())
}

#[test]
fn a_correction_period_renewed_twice_gives_no_earlier_card_twice() {
    let steps = vec![
        (8070, false, Step::Correct),
        (8833, false, Step::Extend),
        (16003, false, Step::Extend),
        (7673, false, Step::Extend),
        (7811, true, Step::Tick),
        (1, false, Step::GiveTime),
        (10079, false, Step::Tick),
        (1, true, Step::GiveTime),
    ];
    let setting = Setting { promised: "1 working day", ..Setting::default() };
    check(setting, steps).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_log_gives_the_recorded_cards_again(
        setting in settings(),
        steps in prop::collection::vec(step(), 1..14),
    ) {
        check(setting, steps)?;
    }
}
