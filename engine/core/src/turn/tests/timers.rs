//! Timers of scripts: when they fire, what their entry holds, and what a script sees of it.

use super::*;

/// Waits two hours, and one more beside a call; tells an agency what time it was then.
fn waits() -> Handler {
    Box::new(|replay| {
        let first = replay.timer("2 hours".parse().unwrap())?;
        or_end!(get(replay, first));
        let now = replay.now()?;
        let input = Value::of([("at", now.to_string().into())]);
        let told = Ask::Call { operation: "agency.note".to_owned(), place: None, input };
        let told = replay.request(told)?;
        let second = replay.timer("1 hours".parse().unwrap())?;
        or_end!(get(replay, second));
        or_end!(get(replay, told));
        Ok(RunEnd::Finished)
    })
}

impl Story {
    /// Lets the clock be looked at, at a moment.
    fn tick_at(&mut self, at: Moment) -> &mut Self {
        // A turn is taken a minute after the one before.
        self.now = at.plus_millis(-60_000);
        self.take(&[Command::Tick])
    }

    /// Returns every firing in the log: the entry and the due time that it carries.
    fn fired(&self) -> Vec<(&Entry, Moment)> {
        let entries = self.entries.iter();
        let fired = entries.filter_map(|entry| {
            let Body::TimerFired { due, .. } = &entry.body else { return None };
            Some((entry, *due))
        });
        fired.collect()
    }

    fn timer_due(&self) -> Moment {
        crate::schedule::timers(&self.case).next().expect("a timer is set").0
    }
}

#[test]
fn a_timer_fires_once_not_early_and_its_entry_carries_the_time_that_it_was_due() {
    let mut story = one(waits());
    let due = story.timer_due();
    story.tick_at(due.plus_millis(-1));
    assert_eq!(story.fired(), [], "not before");
    let late = due.plus_millis(5 * 3_600_000);
    story.tick_at(late);
    let fired: Vec<_> =
        story.fired().iter().map(|(entry, due)| (entry.recorded_at, *due)).collect();
    assert_eq!(fired, [(late, due)], "recorded when somebody looked, due when it was");
    let call = story.open_call(1);
    let request = story.case.matters[0].run.request(&call.request).expect("it was asked");
    let Ask::Call { input, .. } = &request.made.ask else { panic!("{request:?}") };
    assert_eq!(input.get("at"), Some(&due.to_string().into()), "the script sees the due time");

    let second = story.timer_due();
    assert_eq!(second, due.plus_millis(3_600_000), "counted from there");
    story.tick_at(late.plus_millis(60_000));
    for later in 1..4 {
        story.tick_at(late.plus_millis(later * 3_600_000));
    }
    let fired: Vec<Moment> = story.fired().iter().map(|(_, due)| *due).collect();
    assert_eq!(fired, [due, second], "each once, however often somebody looks");
    assert_eq!(crate::schedule::timers(&story.case).count(), 0);
}
