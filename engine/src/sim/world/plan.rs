//! What goes wrong in one world: each seed turns on a random few of the faults (swarm testing),
//! so that worlds differ in kind and not only in luck.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::dice::Dice;

/// How often each fault strikes, in a thousand chances; 0 is never.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// The process ends between two steps.
    pub(super) crash: u32,
    /// Another process takes the store over, while this one goes on.
    pub(super) takeover: u32,
    /// A commit fails, nothing stored.
    pub(super) store_unavailable: u32,
    /// A commit fails, stored or not.
    pub(super) store_uncertain: u32,
    /// A read fails.
    pub(super) store_unreadable: u32,
    /// The machine stops a script, through no fault of its own.
    pub(super) script_stopped: u32,
    /// A request to an agency is lost on the way.
    pub(super) request_lost: u32,
    /// It arrives twice, the second time much later.
    pub(super) request_doubled: u32,
    /// The agency's answer is lost on the way back.
    pub(super) reply_lost: u32,
    /// The agency cannot be reached, or asks to come back later.
    pub(super) agency_down: u32,
    /// A callback is never sent; only a query brings it.
    pub(super) callback_lost: u32,
    /// A callback is sent once more, later.
    pub(super) callback_doubled: u32,
    /// An agency tells two different ends of one call.
    pub(super) contradiction: u32,
    /// An agency says no more of a call than that it has it, for very long.
    pub(super) dawdling: u32,
    /// A person sends the same mutation twice at once.
    pub(super) person_doubles: u32,
    /// A person acts on what he saw a while ago.
    pub(super) person_stale: u32,
    /// A later version of every service comes into use; steps, not chances.
    pub(super) release: u32,
    /// Somebody steers scripts, moves pins or takes ways out.
    pub(super) meddling: u32,
    /// Time passes while something could go on: a slow machine.
    pub(super) slow: u32,
}

impl Faults {
    /// Draws which faults a world has, and how often.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let mut some = |often: u32| if dice.chance(450) { often } else { 0 };
        Self {
            crash: some(3),
            takeover: some(2),
            store_unavailable: some(60),
            store_uncertain: some(40),
            store_unreadable: some(30),
            script_stopped: some(80),
            request_lost: some(200),
            request_doubled: some(200),
            reply_lost: some(250),
            agency_down: some(250),
            callback_lost: some(300),
            callback_doubled: some(300),
            contradiction: some(40),
            dawdling: some(60),
            person_doubles: some(250),
            person_stale: some(200),
            release: some(4),
            meddling: some(700),
            slow: some(30),
        }
    }
}

/// The faults while they last, with dice of their own.
pub(super) struct Weather {
    faults: Faults,
    calm: AtomicBool,
    dice: Mutex<Dice>,
}

impl Weather {
    /// Begins with these faults.
    pub(super) fn new(faults: Faults, dice: Dice) -> Arc<Self> {
        Arc::new(Self { faults, calm: AtomicBool::new(false), dice: Mutex::new(dice) })
    }

    /// Ends every fault.
    pub(super) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Begins the faults again.
    #[cfg(test)]
    pub(super) fn storm(&self) {
        self.calm.store(false, Ordering::Relaxed);
    }

    /// Tells whether the faults have ended.
    pub(super) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    /// Tells whether a fault strikes now.
    pub(super) fn strikes(&self, which: impl Fn(&Faults) -> u32) -> bool {
        let often = which(&self.faults);
        !self.is_calm() && often > 0 && self.with(|dice| dice.chance(often))
    }

    /// Tells whether the world has a fault at all.
    pub(super) fn has(&self, which: impl Fn(&Faults) -> u32) -> bool {
        which(&self.faults) > 0
    }

    /// Throws a coin.
    pub(super) fn flip(&self) -> bool {
        self.with(|dice| dice.chance(500))
    }

    /// Throws the dice.
    pub(super) fn with<T>(&self, throw: impl FnOnce(&mut Dice) -> T) -> T {
        throw(&mut self.dice.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
