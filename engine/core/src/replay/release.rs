//! Losers: what is no longer waited for once a combinator has ended.
//!
//! A request below a combinator is *held* along every path that leads to it, and a path ends with
//! the first combinator on it that ends. What has not arrived when its last path ended is
//! released then: a timer or a question counts as cancelled from that entry on, whatever comes
//! later, and a call goes on as an obligation of the case. So a loser is a function of entry
//! order, like the combinator itself, and never of how entries were batched into turns.
//!
//! A combinator that was built and not waited for yet holds its members too: whoever wants to go
//! on waiting after a time-out builds a second combinator over the same handle first.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arrival, Arrived, Handle, Join, Node, Replay};
use crate::id::Seq;
use crate::port::RunEnd;
use crate::request::{End, Outcome, RequestKey, RequestKind};
use crate::time::Moment;

/// What the cursor keeps about who waits for what.
#[derive(Default)]
pub(super) struct Losers {
    /// One for each node.
    marks: Vec<Mark>,
    /// How many of them are combinators.
    pub(super) joins: usize,
    /// Requests that lost, by node.
    lost: BTreeMap<usize, Lost>,
    /// Calls among them that a later wait took after all.
    heard: BTreeSet<usize>,
    /// Messages that a wait gave to the script, by the request that received them.
    read: BTreeSet<usize>,
    /// What the run stopped at.
    pub(super) waits_for: Option<Handle>,
}

/// How a node stands to others.
#[derive(Clone, Copy, Default)]
struct Mark {
    /// A combinator has it as a member.
    inner: bool,
    /// It was waited for and has ended.
    over: bool,
    /// It, or a combinator inside it, may end before its members do though none fails.
    selects: bool,
}

#[derive(Clone, Copy)]
struct Lost {
    /// The entry that ended the last path to it, and its time.
    since: (Seq, Moment),
    kind: RequestKind,
}

/// When a node ended, as far as combinators care.
#[derive(Clone, Copy)]
struct Ended {
    at: (Seq, Moment),
    failed: bool,
}

/// Until when a request is waited for.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Held {
    Until((Seq, Moment)),
    Still,
}

impl Losers {
    /// Returns an account with room for so many nodes.
    pub(super) fn with_room(nodes: usize) -> Self {
        Self { marks: Vec::with_capacity(nodes), ..Self::default() }
    }

    /// Takes note of a new node.
    pub(super) fn add(&mut self, node: &Node) {
        let mut selects = false;
        if let Node::Join(join) = node {
            self.joins += 1;
            selects = matches!(join, Join::Race(_) | Join::Timeout { .. });
            for member in join.handles() {
                if let Some(mark) = self.marks.get_mut(member.index()) {
                    mark.inner = true;
                    selects |= mark.selects;
                }
            }
        }
        self.marks.push(Mark { selects, ..Mark::default() });
    }

    /// Returns since when a timer or question counts as cancelled, if it lost.
    pub(super) fn cancelled(&self, node: usize) -> Option<(Seq, Moment)> {
        let lost = self.lost.get(&node).filter(|lost| lost.kind != RequestKind::Call);
        lost.map(|lost| lost.since)
    }
}

impl Replay {
    /// Takes note that the wait for `handle` has ended: what it leaves behind is released.
    pub(super) fn let_go(&mut self, handle: Handle, arrival: &Arrival) {
        let root = handle.index();
        self.take_note_of_heard(root, arrival.seq);
        self.take_note_of_read(root, arrival.seq);
        if !matches!(self.nodes.get(root), Some(Node::Join(_))) {
            return;
        }
        self.losers.marks[root].over = true;
        if self.losers.marks[root].selects || has_failed(&arrival.what) {
            let lost = self.losers_below(root, arrival.seq);
            self.losers.lost.extend(lost);
        }
    }

    /// A call that lost may still be waited for; then its outcome is nobody else's to handle.
    fn take_note_of_heard(&mut self, root: usize, horizon: Seq) {
        if self.losers.lost.is_empty() {
            return;
        }
        let below = self.below(root);
        let heard = self.losers.lost.keys().copied().filter(|node| below.contains(node));
        let heard: Vec<usize> = heard
            .filter(|node| self.settled(*node).is_some_and(|(at, _)| at.0 <= horizon))
            .collect();
        self.losers.heard.extend(heard);
    }

    /// A message was read once the wait over its request has ended with it.
    fn take_note_of_read(&mut self, root: usize, horizon: Seq) {
        let received = |node: &usize| match self.settled(*node) {
            Some((at, End::Received(_))) => at.0 <= horizon && !self.losers.lost.contains_key(node),
            Some(_) | None => false,
        };
        let read: Vec<usize> = match self.nodes.get(root) {
            Some(Node::Join(_)) => self.below(root).into_iter().filter(received).collect(),
            Some(Node::Journal(_) | Node::Adopted(..) | Node::Fresh(_)) | None => {
                Some(root).filter(received).into_iter().collect()
            }
        };
        self.losers.read.extend(read);
    }

    /// Returns what is below a node, itself included.
    fn below(&self, root: usize) -> BTreeSet<usize> {
        let mut below = BTreeSet::new();
        let mut next = vec![root];
        while let Some(node) = next.pop() {
            if below.insert(node)
                && let Some(Node::Join(join)) = self.nodes.get(node)
            {
                next.extend(join.handles().map(Handle::index));
            }
        }
        below
    }

    /// Finds the requests below `root` that had not arrived when they were no longer held. Only
    /// what was known by `horizon` counts.
    fn losers_below(&self, root: usize, horizon: Seq) -> BTreeMap<usize, Lost> {
        let ends = self.ends();
        let end = |node: usize| match ends[node] {
            Some(ended) if ended.at.0 <= horizon => Held::Until(ended.at),
            Some(_) | None => Held::Still,
        };
        let mut held: Vec<Option<Held>> = vec![None; self.nodes.len()];
        // Members are older than their combinator, so one walk backwards sees every path.
        for (node, what) in self.nodes.iter().enumerate().rev() {
            let Node::Join(join) = what else {
                continue;
            };
            let mark = self.losers.marks[node];
            if node == root || !(mark.inner || mark.over) {
                held[node] = Some(end(node));
            }
            let Some(reach) = held[node] else {
                continue;
            };
            for member in join.handles().map(Handle::index) {
                let path = match self.nodes[member] {
                    Node::Join(_) => reach.min(end(member)),
                    Node::Journal(_) | Node::Adopted(..) | Node::Fresh(_) => reach,
                };
                held[member] = held[member].max(Some(path));
            }
        }
        let requests =
            self.below(root).into_iter().filter(|node| !self.losers.lost.contains_key(node));
        requests
            .filter_map(|node| {
                let kind = self.kind_of(node)?;
                let Some(Held::Until(since)) = held[node] else {
                    return None;
                };
                let late = ends[node].is_none_or(|ended| ended.at.0 > since.0);
                late.then_some((node, Lost { since, kind }))
            })
            .collect()
    }

    /// Returns when each node ended, without its value.
    fn ends(&self) -> Vec<Option<Ended>> {
        let mut ends = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let ended = match node {
                Node::Join(join) => self.join_ended(join, &ends),
                Node::Journal(_) | Node::Adopted(..) | Node::Fresh(_) => self.leaf_ended(index),
            };
            ends.push(ended);
        }
        ends
    }

    fn leaf_ended(&self, node: usize) -> Option<Ended> {
        if let Some(at) = self.losers.cancelled(node) {
            return Some(Ended { at, failed: true });
        }
        let (at, end) = self.settled(node)?;
        Some(Ended { at, failed: matches!(end, End::Otherwise(_)) })
    }

    fn join_ended(&self, join: &Join, known: &[Option<Ended>]) -> Option<Ended> {
        let of = |handle: Handle| known.get(handle.index()).copied().flatten();
        let members = || join.handles().map(of);
        let first = |ends: &mut dyn Iterator<Item = Ended>| ends.min_by_key(|ended| ended.at.0);
        let last = || {
            let nothing = Ended { at: (self.seen, self.seen_at), failed: false };
            let ends = members().collect::<Option<Vec<_>>>()?;
            let last = ends.into_iter().max_by_key(|ended| ended.at.0).unwrap_or(nothing);
            Some(Ended { failed: false, ..last })
        };
        match join {
            Join::All(_) => {
                let failed = first(&mut members().flatten().filter(|ended| ended.failed));
                failed.or_else(last)
            }
            Join::AllSettled(_) => last(),
            Join::Race(_) => first(&mut members().flatten()),
            Join::Timeout { handle, timer } => match (of(*handle), of(*timer)) {
                (Some(ended), None) => Some(ended),
                (Some(ended), Some(late)) if ended.at.0 < late.at.0 => Some(ended),
                (_, late) => late.map(|late| Ended { failed: true, ..late }),
            },
        }
    }

    /// Returns how the journal says that a request ended.
    fn settled(&self, node: usize) -> Option<((Seq, Moment), &End)> {
        let (Node::Journal(index) | Node::Adopted(index, _)) = self.nodes.get(node)? else {
            return None;
        };
        let settled = self.matter().run.requests[*index].settled.as_ref()?;
        Some(((settled.seq, settled.at), &settled.end))
    }

    fn kind_of(&self, node: usize) -> Option<RequestKind> {
        match self.nodes.get(node)? {
            Node::Journal(index) | Node::Adopted(index, _) => {
                Some(self.matter().run.requests[*index].made.ask.kind())
            }
            Node::Fresh(key) => {
                let mut fresh = self.fresh.iter();
                fresh.find(|request| request.key == *key).map(|request| request.ask.kind())
            }
            Node::Join(_) => None,
        }
    }

    /// Returns what the engine is to let go of, and the calls whose completion nobody took.
    pub(super) fn left_behind(&self, end: &RunEnd) -> (Vec<(RequestKey, Seq)>, Vec<RequestKey>) {
        let mut lost = self.losers.lost.clone();
        let mut awaited = BTreeSet::new();
        if let Some(handle) = self.losers.waits_for {
            let root = handle.index();
            // A combinator inside the one that is waited for may have ended already.
            if matches!(self.nodes.get(root), Some(Node::Join(_))) {
                lost.extend(self.losers_below(root, Seq(u32::MAX)));
            }
            awaited = self.below(root);
        }
        if *end == RunEnd::Finished {
            lost.extend(self.never_waited_for());
        }
        let is_lost_call = |node: &usize, lost: &Lost| {
            lost.kind == RequestKind::Call && !self.losers.heard.contains(node)
        };
        let released = lost
            .iter()
            .filter(|(node, lost)| lost.kind != RequestKind::Call || !awaited.contains(node))
            .filter_map(|(node, lost)| Some((self.open_key(*node)?, lost.since.0)))
            .collect();
        let unheard = lost
            .iter()
            .filter(|(node, lost)| is_lost_call(node, lost) && !awaited.contains(node))
            .filter(|(node, _)| matches!(self.settled(**node), Some((_, End::Completed(_)))))
            .filter_map(|(node, _)| self.key(*node).cloned())
            .collect();
        (released, unheard)
    }

    /// A timer or question that a finished script never waited for is nobody's any more.
    fn never_waited_for(&self) -> impl Iterator<Item = (usize, Lost)> + '_ {
        let since = (self.seen, self.seen_at);
        (0..self.nodes.len()).filter_map(move |node| {
            let kind = self.kind_of(node)?;
            let forgotten =
                matches!(kind, RequestKind::Timer | RequestKind::Decide | RequestKind::Receive)
                    && !self.losers.lost.contains_key(&node);
            forgotten.then_some((node, Lost { since, kind }))
        })
    }

    fn key(&self, node: usize) -> Option<&RequestKey> {
        match self.nodes.get(node)? {
            Node::Journal(index) => Some(&self.matter().run.requests[*index].made.key),
            Node::Adopted(_, key) | Node::Fresh(key) => Some(key),
            Node::Join(_) => None,
        }
    }

    /// Returns the key of a request that has neither ended nor been released before.
    fn open_key(&self, node: usize) -> Option<RequestKey> {
        let key = self.key(node)?;
        let (Node::Journal(index) | Node::Adopted(index, _)) = &self.nodes[node] else {
            return Some(key.clone());
        };
        let request = &self.matter().run.requests[*index];
        let released = || {
            let call = request.call.and_then(|call| self.case.calls.get(&call));
            request.made.ask.kind() == RequestKind::Call
                && call.is_none_or(|call| call.released.is_some())
        };
        // A message that no wait gave to the script goes back.
        let open = match request.settled.as_ref().map(|settled| &settled.end) {
            None => true,
            Some(End::Received(_)) => !self.losers.read.contains(&node),
            Some(
                End::Completed(_)
                | End::Otherwise(_)
                | End::Decided(_)
                | End::Fired
                | End::Answered(_),
            ) => false,
        };
        (open && !released()).then(|| key.clone())
    }
}

/// Returns the outcome of a timer or question that nobody waits for any more.
pub(crate) fn no_longer_waited_for() -> Outcome {
    Outcome::cancelled("已不再等待 / no longer waited for")
}

/// Tells whether something failed, perhaps among members that settled.
fn has_failed(arrived: &Arrived) -> bool {
    match arrived {
        Arrived::Thrown { .. } => true,
        Arrived::Settled(inner) => has_failed(inner),
        Arrived::List(items) => items.iter().any(has_failed),
        Arrived::Map(items) => items.iter().any(|(_, item)| has_failed(item)),
        Arrived::Output { .. }
        | Arrived::Decision { .. }
        | Arrived::Fired
        | Arrived::Answer(_)
        | Arrived::Message(_) => false,
    }
}
