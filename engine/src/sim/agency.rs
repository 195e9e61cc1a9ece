//! What the agencies of a scene were told to do.

use std::collections::{BTreeMap, VecDeque};

use tongban_core::rehearsal::Conduct;

/// The agencies of a scene, by operation.
#[derive(Clone, Debug, Default)]
pub(super) struct Agencies(BTreeMap<String, Plan>);

/// What comes next for the calls of one operation.
#[derive(Clone, Debug, Default)]
struct Plan {
    next: VecDeque<Conduct>,
    /// The last conduct was used once, so that what follows repeats it.
    repeats: bool,
}

impl Agencies {
    /// Replaces what an operation was told.
    pub(super) fn tell(&mut self, operation: &str, conducts: Vec<Conduct>) {
        let plan = Plan { next: conducts.into(), repeats: false };
        self.0.insert(operation.to_owned(), plan);
    }

    /// Returns what to do with the next call or attempt; `None` when nothing was told.
    pub(super) fn conduct(&mut self, operation: &str) -> Option<Conduct> {
        let plan = self.0.get_mut(operation)?;
        if plan.next.len() > 1 {
            return plan.next.pop_front();
        }
        plan.repeats = true;
        plan.next.front().cloned()
    }

    /// Tells whether an operation has something to do that it has not done before.
    pub(super) fn has_news(&self, operation: &str) -> bool {
        self.0.get(operation).is_some_and(|plan| !plan.repeats && !plan.next.is_empty())
    }
}
