//! `patched(id)`: how a script is changed while cases run on it.
//!
//! A change that would ask for something else goes behind `if patched("id")`. A run that was
//! past this place before the change had been made finds no marker in its journal and goes on as
//! before; one that comes here for the first time takes the changed way and records a marker, so
//! that it takes it again in every replay. The answer for one id stays the same within a run.
//!
//! When no journal without the marker is left, `deprecate_patch(id)` takes the place of the
//! condition: it accepts journals with the marker and without, and marks its own as deprecated.
//! Those replay even when the line is gone at last.

use crate::request::Ask;

use super::{Replay, Stop};

impl Replay {
    /// Tells whether a run takes the changed way of a script.
    pub fn patched(&mut self, id: &str) -> Result<bool, Stop> {
        self.running()?;
        if let Some(known) = self.patches.get(id) {
            return Ok(*known);
        }
        let taken = self.mark(Ask::Patch { id: id.to_owned(), deprecated: false })?;
        self.patches.insert(id.to_owned(), taken);
        Ok(taken)
    }

    /// Keeps accepting the marker of a patch whose old way is gone from the script.
    pub fn deprecate_patch(&mut self, id: &str) -> Result<(), Stop> {
        self.running()?;
        if self.patches.contains_key(id) {
            return Ok(());
        }
        self.mark(Ask::Patch { id: id.to_owned(), deprecated: true })?;
        self.patches.insert(id.to_owned(), true);
        Ok(())
    }

    /// Looks for the marker at this place, or makes it when the run was never past it. `false`
    /// for a journal that was made before the patch: it has no place for a marker.
    fn mark(&mut self, ask: Ask) -> Result<bool, Stop> {
        self.skip_deprecated(&ask);
        let here = self.recorded(&self.next_key());
        let was_past = here.is_some_and(|index| !self.asked_at(index, &ask));
        if was_past && !self.is_marked(&ask) {
            return Ok(false);
        }
        self.request(ask)?;
        Ok(true)
    }

    /// Passes over deprecated markers of which the script no longer speaks.
    pub(super) fn skip_deprecated(&mut self, asking: &Ask) {
        while let Some(index) = self.recorded(&self.next_key()) {
            let made = &self.matter().run.requests[index].made;
            let gone = matches!(made.ask, Ask::Patch { deprecated: true, .. });
            if !gone || made.ask.asks_the_same(asking) {
                return;
            }
            self.ordinal += 1;
        }
    }

    fn asked_at(&self, index: usize, ask: &Ask) -> bool {
        self.matter().run.requests[index].made.ask.asks_the_same(ask)
    }

    /// Tells whether this generation has the marker at another place: the script moved it.
    fn is_marked(&self, ask: &Ask) -> bool {
        let run = &self.matter().run;
        run.requests.iter().any(|request| {
            request.made.key.generation == run.generation && request.made.ask.asks_the_same(ask)
        })
    }
}
