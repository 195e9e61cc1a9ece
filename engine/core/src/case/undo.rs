//! Folding the end of a compensation: what was undone counts no more.

use std::collections::BTreeSet;

use super::{Case, FoldError, Run};
use crate::entry::Entry;
use crate::request::{Ask, End, Request, RequestKey, RequestKind};

impl Case {
    /// Everything that was registered for undoing has been undone, or given up by a person.
    pub(super) fn fold_compensated(&mut self, entry: &Entry) -> Result<(), FoldError> {
        let run = &mut self.matter_mut(entry)?.run;
        if let Some(cancel) = &mut run.cancel {
            cancel.undone = true;
        }
        run.discard_undone();
        Ok(())
    }
}

impl Run {
    /// Returns what scripts registered for undoing, in the order of the log, each once. What was
    /// written down after a stop and never left has nothing to undo.
    pub(crate) fn registered(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter().filter(|request| {
            matches!(request.made.ask, Ask::Compensate { .. })
                && request.made.adopts.is_none()
                && request.settled.is_none()
        })
    }

    /// No later generation takes over a call that was undone, nor how it was: the call that comes
    /// next after its registration. One that a person gave up may still have its effect, and
    /// stays.
    fn discard_undone(&mut self) {
        let undone: BTreeSet<u32> = self
            .requests
            .iter()
            .filter(|request| {
                let end = request.settled.as_ref().map(|settled| &settled.end);
                matches!(end, Some(End::Completed(_)))
            })
            .filter_map(|request| request.made.key.undoes())
            .collect();
        let registered = (0_u32..).zip(self.registered());
        let registered = registered.filter(|(index, _)| undone.contains(index));
        let roots: BTreeSet<RequestKey> =
            registered.map(|(_, request)| request.made.key.clone()).collect();
        let mut last = None;
        let mut covers = false;
        let mut gone = Vec::new();
        for (index, request) in self.requests.iter().enumerate() {
            let key = &request.made.key;
            if key.run == 0 {
                continue;
            }
            covers &= last.replace((key.run, key.generation)) == Some((key.run, key.generation));
            let kind = request.made.ask.kind();
            if kind == RequestKind::Compensate {
                covers = roots.contains(self.root(key));
            }
            if covers && matches!(kind, RequestKind::Compensate | RequestKind::Call) {
                gone.push(index);
                covers = kind == RequestKind::Compensate;
            }
        }
        for index in gone {
            self.requests[index].discarded = true;
        }
    }
}
