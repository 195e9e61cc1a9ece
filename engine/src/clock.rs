//! The clock adapter: the only place that reads system time or waits for it.
//!
//! [`SystemClock`] is the real time of the wire. [`RealLawfulClock`] is what the law counts: the
//! wire's time moved forward by an offset, which a demonstration may jump and a folder remembers.
//! [`ManualClock`] is both at once for tests and never touches real time: it stands still until
//! someone moves it. Nothing here decides anything; waits end early only by being dropped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tongban_core::port::{Later, LawfulClock, WireClock};
use tongban_core::time::Moment;

/// The system's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl WireClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this adapter is where time enters")]
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "this adapter is where waiting is done")]
    fn wait_millis(&self, millis: u64) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(millis)))
    }
}

/// Lawful time as wire time plus an offset that only grows.
///
/// Clones of one `Arc` share the offset; a jump is seen by every reader at once and ends the
/// waits that it makes due.
pub struct RealLawfulClock {
    wire: Arc<dyn WireClock>,
    offset: watch::Sender<i64>,
}

impl RealLawfulClock {
    /// Builds the clock with the offset that the store remembers.
    pub fn new(wire: Arc<dyn WireClock>, offset_millis: i64) -> Self {
        Self { wire, offset: watch::Sender::new(offset_millis) }
    }

    /// Returns how far lawful time is ahead of wire time, in milliseconds.
    pub fn offset(&self) -> i64 {
        *self.offset.borrow()
    }

    /// Moves lawful time forward and returns the offset after it. The caller makes sure that no
    /// call is in flight and keeps the offset in the store first.
    pub fn jump(&self, millis: u64) -> i64 {
        let step = i64::try_from(millis).unwrap_or(i64::MAX);
        self.offset.send_modify(|offset| *offset = offset.saturating_add(step));
        self.offset()
    }
}

impl LawfulClock for RealLawfulClock {
    fn now(&self) -> Moment {
        self.wire.now().plus_millis(self.offset())
    }

    fn wait_until(&self, until: Moment) -> Later<'_, ()> {
        Box::pin(async move {
            let mut jumps = self.offset.subscribe();
            loop {
                let offset = *jumps.borrow_and_update();
                let now = self.wire.now().plus_millis(offset);
                let Ok(left) = u64::try_from(until.since(now)) else {
                    return;
                };
                if left == 0 {
                    return;
                }
                tokio::select! {
                    biased;
                    () = self.wire.wait_millis(left) => {}
                    changed = jumps.changed() => changed.expect("the clock owns the sender"),
                }
            }
        })
    }
}

/// A clock for tests: it moves only by hand, and tells who waits for it.
///
/// It is a [`LawfulClock`] and a [`WireClock`] with one time for both.
pub struct ManualClock {
    now: watch::Sender<Moment>,
    /// Until when each waiter sleeps; the number tells equal moments apart.
    sleepers: watch::Sender<BTreeSet<(Moment, u64)>>,
    next_sleeper: AtomicU64,
}

impl ManualClock {
    /// Builds a clock that stands at `now`.
    pub fn new(now: Moment) -> Self {
        Self {
            now: watch::Sender::new(now),
            sleepers: watch::Sender::default(),
            next_sleeper: AtomicU64::new(0),
        }
    }

    /// Returns the time.
    pub fn now(&self) -> Moment {
        *self.now.borrow()
    }

    /// Moves the time forward and wakes whoever is due.
    pub fn advance(&self, millis: u64) {
        let step = i64::try_from(millis).unwrap_or(i64::MAX);
        self.now.send_modify(|now| *now = now.plus_millis(step));
    }

    /// Moves the time to `until`, unless it is later already.
    pub fn advance_to(&self, until: Moment) {
        self.now.send_modify(|now| *now = until.max(*now));
    }

    /// Returns the earliest moment that someone waits for.
    pub fn next_wake(&self) -> Option<Moment> {
        self.sleepers.borrow().first().map(|(until, _)| *until)
    }

    /// Waits until at least so many sleep on this clock.
    pub async fn sleepers_reach(&self, count: usize) {
        let mut changes = self.sleepers.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        drop(changes.wait_for(|sleepers| sleepers.len() >= count).await);
    }

    async fn sleep_until(&self, until: Moment) {
        let mut times = self.now.subscribe();
        if *times.borrow() >= until {
            return;
        }
        let no = self.next_sleeper.fetch_add(1, Ordering::Relaxed);
        let _sleeper = Sleeper::lie_down(self, (until, no));
        times.wait_for(|now| *now >= until).await.expect("the clock owns the sender");
    }
}

impl LawfulClock for ManualClock {
    fn now(&self) -> Moment {
        Self::now(self)
    }

    fn wait_until(&self, until: Moment) -> Later<'_, ()> {
        Box::pin(self.sleep_until(until))
    }
}

impl WireClock for ManualClock {
    fn now(&self) -> Moment {
        Self::now(self)
    }

    fn wait_millis(&self, millis: u64) -> Later<'_, ()> {
        let step = i64::try_from(millis).unwrap_or(i64::MAX);
        Box::pin(self.sleep_until(self.now().plus_millis(step)))
    }
}

/// Stands in the list of sleepers for as long as the wait lasts.
struct Sleeper<'a> {
    clock: &'a ManualClock,
    place: (Moment, u64),
}

impl<'a> Sleeper<'a> {
    fn lie_down(clock: &'a ManualClock, place: (Moment, u64)) -> Self {
        clock.sleepers.send_modify(|sleepers| {
            sleepers.insert(place);
        });
        Self { clock, place }
    }
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.send_modify(|sleepers| {
            sleepers.remove(&self.place);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nine() -> Moment {
        Moment::parse("2026-03-02T09:00:00+08:00").unwrap()
    }

    #[tokio::test]
    async fn a_manual_clock_stands_still_until_it_is_moved() {
        let clock = ManualClock::new(nine());
        let sleeping = async {
            clock.wait_millis(500).await;
            clock.now()
        };
        let moving = async {
            clock.sleepers_reach(1).await;
            assert_eq!(clock.next_wake(), Some(nine().plus_millis(500)));
            clock.advance(499);
            assert_eq!(clock.next_wake(), Some(nine().plus_millis(500)));
            clock.advance(1);
        };
        let (woken, ()) = tokio::join!(sleeping, moving);
        assert_eq!(woken, nine().plus_millis(500));
        assert_eq!(clock.next_wake(), None);
    }

    #[tokio::test]
    async fn a_dropped_wait_is_forgotten() {
        let clock = ManualClock::new(nine());
        tokio::select! {
            () = clock.wait_until(nine().plus_millis(1)) => panic!("nobody moved the clock"),
            () = clock.sleepers_reach(1) => {}
        }
        assert_eq!(clock.next_wake(), None);
    }

    #[tokio::test]
    async fn a_jump_of_lawful_time_wakes_who_waits_for_it() {
        let wire = Arc::new(ManualClock::new(nine()));
        let lawful = RealLawfulClock::new(wire.clone(), 0);
        let due = nine().plus_millis(86_400_000);
        let jumping = async {
            wire.sleepers_reach(1).await;
            assert_eq!(lawful.jump(86_400_000), 86_400_000);
        };
        tokio::join!(lawful.wait_until(due), jumping);
        assert_eq!(lawful.now(), due);
        assert_eq!(wire.now(), nine(), "the wire's time does not jump");
    }

    #[tokio::test]
    async fn lawful_time_goes_on_with_the_wire() {
        let wire = Arc::new(ManualClock::new(nine()));
        let lawful = RealLawfulClock::new(wire.clone(), 1_000);
        let moving = async {
            wire.sleepers_reach(1).await;
            wire.advance(250);
        };
        tokio::join!(lawful.wait_until(nine().plus_millis(1_250)), moving);
        assert_eq!(lawful.offset(), 1_000);
    }

    #[test]
    fn the_system_clock_is_past_the_year_in_which_this_was_written() {
        assert!(SystemClock.now() > Moment::parse("2026-01-01T00:00:00+08:00").unwrap());
    }
}
