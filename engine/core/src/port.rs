//! The ports: what core names and others implement. Signatures only, no bodies that wait.

mod mutation;
mod upkeep;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::agency::{Ack, AgencyReply, BodyDigest, Call, CallContext, Fault, Invoked, Queried};
use crate::audit::Audited;
use crate::definition::{Closure, Part};
use crate::digest::Digest;
use crate::entry::Entry;
use crate::error::ErrorClass;
use crate::id::{CaseId, CommitNo, Epoch, Generation, MatterCode, RegionCode, Seq, ServiceCode};
use crate::partial::Partial;
use crate::publication::Publication;
use crate::replay::Replay;
use crate::request::{NewRequest, RequestKey};
use crate::summary::{CaseSummary, IndexRow, Search};
use crate::time::{Moment, Period};
use crate::value::Value;

pub use self::mutation::{IdempotencyRecord, MutationEnd};
pub use self::upkeep::{
    Declared, FiledRow, Foreign, KeptMutation, Mend, ParkedPlace, ParkedReply, Planted, Restored,
    Upkeep,
};

/// A boxed future, so that ports stay object-safe.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

// ---- time -------------------------------------------------------------------------------------

/// What the law counts: virtual in demo, rehearsal and simulator.
pub trait LawfulClock: Send + Sync {
    /// Returns the lawful time.
    fn now(&self) -> Moment;
    /// Waits until the lawful time is `until` or later. Dropping the future stops the wait.
    fn wait_until(&self, until: Moment) -> Later<'_, ()>;
}

/// Tokens, deadlines of calls, back-off: always real time outside the simulator.
pub trait WireClock: Send + Sync {
    /// Returns the real time.
    fn now(&self) -> Moment;
    /// Waits for so many milliseconds. Dropping the future stops the wait.
    fn wait_millis(&self, millis: u64) -> Later<'_, ()>;
}

// ---- scripts ----------------------------------------------------------------------------------

/// The script host. Calls are synchronous, bounded by limits, and pure but for [`Replay`].
pub trait Script: Send + Sync {
    /// Returns the closures that new cases may use, by service code.
    fn services(&self) -> Vec<Arc<Closure>>;

    /// Returns the closure of a service for new cases.
    fn active(&self, service: &ServiceCode) -> Option<Arc<Closure>>;

    /// Returns a closure by digest, active or adopted.
    fn closure(&self, digest: &Digest) -> Option<Arc<Closure>>;

    /// Returns the sources of a closure as one blob, to be kept with the cases that are pinned
    /// to it.
    fn sources(&self, digest: &Digest) -> Option<Vec<u8>>;

    /// Takes back sources that [`Script::sources`] gave, perhaps to an older program. Their
    /// digest must come out the same.
    fn adopt(&self, digest: &Digest, sources: &[u8]) -> Result<(), ScriptFault>;

    /// Compiles and checks script files, by their paths, and makes their closures known. None of
    /// them is active; the host that takes none says so.
    fn take_in(&self, files: &BTreeMap<String, String>) -> Result<Vec<Arc<Closure>>, ScriptFault> {
        let _: &BTreeMap<String, String> = files;
        Err(ScriptFault::new(
            ScriptFaultKind::Script,
            "本宿主不接收脚本文件 / this host takes no script files",
        ))
    }

    /// Evaluates the `when` predicates of a service for these answers: for each part, whether it
    /// is in. Pure, with limits.
    fn select(&self, closure: &Closure, answers: &Value) -> Result<Vec<bool>, ScriptFault>;

    /// Computes the set of matters of a service for these answers; `None` for a service whose
    /// matters are listed. Pure, with limits.
    fn compute(
        &self,
        closure: &Closure,
        answers: &Value,
    ) -> Result<Option<Vec<Part>>, ScriptFault> {
        let _: (&Closure, &Value) = (closure, answers);
        Ok(None)
    }

    /// Evaluates the service's `on_partial` on what has become of a case. Pure, with limits.
    fn on_partial(&self, closure: &Closure, facts: &Value) -> Result<Partial, ScriptFault> {
        let _: (&Closure, &Value) = (closure, facts);
        Ok(Partial::GoOn)
    }

    /// Evaluates one function of a matter's script from the start against the journal.
    /// `Replay` keeps what was asked; the verdict follows its latch, not what the script said.
    fn run(&self, job: &RunJob<'_>, replay: Replay) -> RunOutput;

    /// Evaluates as [`Script::run`] does, only to be looked at: where the script stands, what its
    /// variables hold, how much of the journal it consumed. Slower than a run.
    fn look(&self, job: &RunJob<'_>, replay: Replay) -> Look;
}

/// What an evaluation came to, for people who want to know why.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// The verdict.
    pub end: RunEnd,
    /// What would be newly asked; nothing of it counts.
    pub asked: Vec<NewRequest>,
    /// Requests that nothing waits for any more, each with the entry by which that came.
    pub released: Vec<(RequestKey, Seq)>,
    /// Calls that were lost and have completed since, whose outcome no wait took.
    pub unheard: Vec<RequestKey>,
    /// The newest entry that was consumed.
    pub seen: Seq,
    /// The open requests that the run waits for.
    pub waits: Vec<RequestKey>,
    /// The request of the journal at which the script went another way.
    pub differs_at: Option<RequestKey>,
    /// The request that would have come next; none when the cursor was lost.
    pub next: Option<RequestKey>,
    /// Where the script stands, the innermost function first; empty when that is not known.
    pub frames: Vec<Frame>,
}

/// One function of a script that stands in the middle of its work.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Name of the function.
    pub function: String,
    /// File, relative to the script folder.
    pub file: String,
    /// Line, from 1; 0 when none is known.
    pub line: u32,
    /// Column in characters, from 1; 0 when none is known.
    pub column: u32,
    /// The line itself.
    pub excerpt: String,
    /// Its variables and what they hold, in the order of their making.
    pub variables: Vec<(String, Value)>,
}

/// One evaluation of a matter's script.
#[derive(Clone, Copy, Debug)]
pub struct RunJob<'a> {
    /// The case's closure.
    pub closure: &'a Closure,
    /// The matter.
    pub matter: &'a MatterCode,
    /// Which function.
    pub function: RunFunction,
}

/// The functions of a matter's script that the engine calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RunFunction {
    /// `fn handle(m)`, once the matter is accepted (or filed, when another system decides).
    Handle,
    /// `fn intake(m)`, once the matter is received: what it advises those who accept.
    Intake,
}

/// What an evaluation came to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutput {
    /// The verdict.
    pub end: RunEnd,
    /// The new requests that count, in the order of asking.
    pub asked: Vec<NewRequest>,
    /// Requests that nothing waits for any more, each with the entry by which that came.
    pub released: Vec<(RequestKey, Seq)>,
    /// Calls that were lost and have completed since, whose outcome no wait took.
    pub unheard: Vec<RequestKey>,
    /// Where in its journal the evaluation ended: the request at which it went another way, or
    /// else the one that would have come next, and the newest entry that it consumed.
    pub stood: Option<(RequestKey, Seq)>,
}

impl Look {
    /// Builds what there is to say of an evaluation that failed with its cursor.
    pub fn failed(fault: ScriptFault) -> Self {
        Self {
            end: RunEnd::Failed(fault),
            asked: Vec::new(),
            released: Vec::new(),
            unheard: Vec::new(),
            seen: Seq::default(),
            waits: Vec::new(),
            differs_at: None,
            next: None,
            frames: Vec::new(),
        }
    }
}

impl From<Look> for RunOutput {
    fn from(look: Look) -> Self {
        let stood = look.differs_at.or(look.next).map(|request| (request, look.seen));
        let Look { end, asked, released, unheard, .. } = look;
        Self { end, asked, released, unheard, stood }
    }
}

impl RunOutput {
    /// Builds the output of an evaluation of which only the verdict counts.
    pub fn of(end: RunEnd) -> Self {
        Self { end, asked: Vec::new(), released: Vec::new(), unheard: Vec::new(), stood: None }
    }
}

/// How an evaluation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// `handle` returned.
    Finished,
    /// `intake` returned its advice.
    Recommended(crate::recommend::Recommendation),
    /// It waits for something that is not in the journal yet.
    Suspended,
    /// A typed outcome reached the end uncaught; its request is named.
    Uncaught(RequestKey),
    /// It failed; none of what it newly asked counts.
    Failed(ScriptFault),
}

/// A failure of a script, or of the host.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ScriptFault {
    /// What kind.
    pub kind: ScriptFaultKind,
    /// What happened and what to do, Chinese first.
    pub message: String,
    /// What the journal holds, for a mismatch.
    pub expected: String,
    /// What the script asked, for a mismatch.
    pub got: String,
    /// File, relative to the script folder.
    pub file: String,
    /// Line, from 1; 0 when none is known.
    pub line: u32,
    /// Column in characters, from 1; 0 when none is known.
    pub column: u32,
}

/// Kinds of script failure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScriptFaultKind {
    /// The script is wrong.
    Script,
    /// It asked for something else than the journal holds.
    Mismatch,
    /// It passed a limit.
    Limit,
    /// The machine failed it (wall-clock guard, no thread): tried again, never journaled.
    Infrastructure,
}

impl ScriptFault {
    /// Builds a fault without a place.
    pub fn new(kind: ScriptFaultKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            expected: String::new(),
            got: String::new(),
            file: String::new(),
            line: 0,
            column: 0,
        }
    }
}

// ---- agencies ---------------------------------------------------------------------------------

/// A connector to one or more agencies. It never retries by itself; only the engine does.
pub trait Connector: Send + Sync {
    /// Sends a call. Safe to repeat with the same `call.id`: the same answer comes back.
    fn invoke<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Invoked, Fault>>;

    /// Asks by the caller's id; works even if no reply was ever received. An agency that never
    /// saw the id refuses it from then on.
    fn query<'a>(
        &'a self,
        call: &'a Call,
        context: &'a CallContext,
    ) -> Later<'a, Result<Queried, Fault>>;

    /// Returns the digest of the body that `call` renders to: by `encoding`, or by the newest one
    /// where none is named. Pure: no clock, no attempt, nothing but the call and the connector's
    /// own settings goes in. `None` for a connector that sends no bytes, and for an encoding that
    /// it does not know any more.
    fn body_of(&self, call: &Call, encoding: Option<u16>) -> Option<BodyDigest> {
        let _: (&Call, Option<u16>) = (call, encoding);
        None
    }
}

/// Where replies of agencies arrive. Answers only after the durable commit.
pub trait Inbox: Send + Sync {
    /// Stores a reply that came through `connector`.
    fn deliver(&self, connector: String, reply: AgencyReply) -> Later<'_, Result<Ack, InboxError>>;
}

/// A reply that could not be stored; the agency tries again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("回执未能保存,请稍后重发 / the reply was not stored, send it again later: {0}")]
pub struct InboxError(pub String);

/// Tells which connector carries an operation.
pub trait Wiring: Send + Sync {
    /// Returns the connector for `role.operation` at `region`, or `None` when nothing is bound.
    fn connector_for(&self, operation: &str, region: &RegionCode) -> Option<String>;

    /// Returns within which lawful time the agency is to answer, if a limit is agreed.
    fn reply_within(&self, operation: &str, region: &RegionCode) -> Option<Period> {
        let _: (&str, &RegionCode) = (operation, region);
        None
    }

    /// Returns the digest of the body that `connector` would send for `call`; see
    /// [`Connector::body_of`].
    fn body_of(&self, connector: &str, call: &Call) -> Option<BodyDigest> {
        let _: (&str, &Call) = (connector, call);
        None
    }
}

// ---- store ------------------------------------------------------------------------------------

/// What one commit writes, all or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The case.
    pub case: CaseId,
    /// Head that the case must have; `Seq(0)` creates it and demands that it does not exist.
    pub expected: Seq,
    /// Epoch of the owner that makes the commit.
    pub epoch: Epoch,
    /// Lawful time of the commit.
    pub at: Moment,
    /// New entries, numbered from `expected` on without a gap.
    pub entries: Vec<Entry>,
    /// The read model after them.
    pub summary: CaseSummary,
    /// Index rows that are no longer true.
    pub rows_gone: Vec<IndexRow>,
    /// Index rows that became true. A [`IndexRow::Number`] of another case is a conflict.
    pub rows_new: Vec<IndexRow>,
    /// Idempotency records; an existing one with the same key refuses the whole commit.
    pub idempotency: Vec<IdempotencyRecord>,
}

/// A commit that is on disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Committed {
    /// Its number, total over the store.
    pub no: CommitNo,
}

/// A case as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// The case.
    pub case: CaseId,
    /// Every entry, in order.
    pub entries: Vec<Entry>,
    /// The first entry of each commit that wrote some, in order: event ids are (commit, index).
    pub commits: Vec<(CommitNo, Seq)>,
    /// The read model as it was written last; the index rows of the case follow from it.
    pub summary: CaseSummary,
    /// Number of the commit that wrote the last of them.
    pub revision: CommitNo,
}

/// A place in the event feed: after this commit, and after so many of its entries.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct FeedCursor {
    /// Commit last seen.
    pub commit: CommitNo,
    /// Entries of it that were seen; `u32::MAX` for all.
    pub index: u32,
}

/// One commit in the feed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FeedItem {
    /// The commit.
    pub commit: CommitNo,
    /// Its case.
    pub case: CaseId,
    /// First entry it wrote.
    pub first: Seq,
    /// Last entry it wrote.
    pub last: Seq,
}

/// A stretch of the event feed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Feed {
    /// The commits after the cursor, oldest first; empty when there is none.
    Items(Vec<FeedItem>),
    /// The cursor is older than what is kept; begin anew from a snapshot at this revision.
    ResyncRequired(CommitNo),
}

/// The digest of a closure and its sources.
pub type KeptClosure = (Digest, Vec<u8>);

/// One page of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The hits, in the order of the index.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Vec<u8>>,
}

/// Durable storage: a handful of atomic units of our domain, no rules inside.
pub trait Store: Send + Sync {
    /// Appends to one case, if its head is `commit.expected`.
    ///
    /// After it returns `Ok`, everything in the commit survives a crash and a power cut and is
    /// seen by every later read. After an error nothing of it is stored, except for
    /// [`StoreError::Uncertain`]. Of two commits with the same `expected`, one wins.
    fn append(&self, commit: Commit) -> Later<'_, Result<Committed, StoreError>>;

    /// Returns a case, or `None` when there is none.
    fn load(&self, case: CaseId) -> Later<'_, Result<Option<Stored>, StoreError>>;

    /// Returns the cases created in this millisecond, for finding the case of a call id.
    fn created_at(&self, at: Moment) -> Later<'_, Result<Vec<CaseId>, StoreError>>;

    /// Returns cases whose [`IndexRow::Timer`] is due at `until` or before, earliest first.
    fn due(&self, until: Moment, most: usize) -> Later<'_, Result<Vec<CaseId>, StoreError>>;

    /// Returns the earliest due time in the store.
    fn next_due(&self) -> Later<'_, Result<Option<Moment>, StoreError>>;

    /// Returns cases with an [`IndexRow::Outbox`], after `after` in id order: their calls are to
    /// be sent again when the store is opened.
    fn outbox(
        &self,
        after: Option<CaseId>,
        most: usize,
    ) -> Later<'_, Result<Vec<CaseId>, StoreError>>;

    /// Returns the case with this public number.
    fn by_number(&self, number: String) -> Later<'_, Result<Option<CaseId>, StoreError>>;

    /// Returns the largest public number that begins with `prefix`.
    fn last_number(&self, prefix: String) -> Later<'_, Result<Option<String>, StoreError>>;

    /// Returns summaries along one index family, within a scan budget.
    fn search(&self, search: Search) -> Later<'_, Result<Page<CaseSummary>, StoreError>>;

    /// Returns the commits after `cursor`, oldest first.
    fn feed(&self, cursor: FeedCursor, most: usize) -> Later<'_, Result<Feed, StoreError>>;

    /// Returns the number of the newest commit.
    fn revision(&self) -> CommitNo;

    /// Returns the record of an earlier mutation under this key.
    fn remembered(&self, key: Digest) -> Later<'_, Result<Option<IdempotencyRecord>, StoreError>>;

    /// Keeps the memory of a mutation that commits to no case; returns after it is durable. A key
    /// that is there already is [`StoreError::Remembered`], with the record of the first.
    fn remember(&self, record: IdempotencyRecord) -> Later<'_, Result<(), StoreError>>;

    /// Drops feed items and idempotency records that are older than `now` allows; returns how
    /// many. Safe to call at any time, by one caller.
    fn forget(&self, now: Moment) -> Later<'_, Result<u64, StoreError>>;

    /// Keeps the sources of a closure; returns after they are durable. Twice is once.
    fn keep_closure(&self, digest: Digest, sources: Vec<u8>) -> Later<'_, Result<(), StoreError>>;

    /// Returns every kept closure.
    fn closures(&self) -> Later<'_, Result<Vec<KeptClosure>, StoreError>>;

    /// Returns the cases that came from other stores, in id order.
    fn foreign(&self) -> Later<'_, Result<Vec<Foreign>, StoreError>>;

    /// Keeps a step of a version of a service; returns after it is durable. A number that the log
    /// of the service has already is [`StoreError::NumberTaken`].
    fn keep_publication(&self, kept: Publication) -> Later<'_, Result<(), StoreError>>;

    /// Returns every kept step, by service and number.
    fn publications(&self) -> Later<'_, Result<Vec<Publication>, StoreError>>;

    /// Keeps a record of the audit log; returns after it is durable. A number that the log has
    /// already is [`StoreError::NumberTaken`].
    fn keep_audited(&self, kept: Audited) -> Later<'_, Result<(), StoreError>>;

    /// Returns records of the audit log after number `after`, oldest first.
    fn audited(&self, after: u64, most: usize) -> Later<'_, Result<Vec<Audited>, StoreError>>;

    /// Returns the newest record of the audit log.
    fn last_audited(&self) -> Later<'_, Result<Option<Audited>, StoreError>>;

    /// Parks a message about a call that the store does not know; returns after it is durable.
    /// Twice is once.
    fn park(&self, parked: ParkedReply) -> Later<'_, Result<(), StoreError>>;

    /// Returns every parked message, by call and number.
    fn parked(&self) -> Later<'_, Result<Vec<ParkedReply>, StoreError>>;

    /// Drops a parked message, once its case has it or a person has settled it.
    fn unpark(&self, place: ParkedPlace) -> Later<'_, Result<(), StoreError>>;

    /// Returns the facts about this store that the engine needs before anything else.
    fn identity(&self) -> StoreIdentity;

    /// Keeps how far the lawful clock is ahead of the wire clock, in milliseconds.
    fn keep_clock_offset(&self, millis: i64) -> Later<'_, Result<(), StoreError>>;
}

/// Facts about a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoreIdentity {
    /// Kind, such as `sled`.
    pub kind: &'static str,
    /// Random key of this store, from which the secrets of its cases are derived.
    pub secret: crate::digest::Secret,
    /// Epoch that this opening holds; it rises with every opening.
    pub epoch: Epoch,
    /// How far the lawful clock is ahead of the wire clock, in milliseconds.
    pub clock_offset: i64,
    /// Which life of the store this is.
    pub generation: Generation,
    /// Where it comes from, if it was restored from a backup.
    pub restored: Option<Restored>,
}

/// A failure of a store.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Someone else moved the case.
    #[error(
        "办件 {case} 的日志位置是 {found:?},不是 {expected:?} / head of {case} is {found:?}, not {expected:?}"
    )]
    Conflict {
        /// The case.
        case: CaseId,
        /// What the commit expected.
        expected: Seq,
        /// What the store holds; `None` when the case does not exist.
        found: Option<Seq>,
    },
    /// A mutation with this idempotency key was committed before.
    #[error("该请求已经处理过 / this mutation was committed before")]
    Remembered(IdempotencyRecord),
    /// The public number is taken.
    #[error("办件编号 {0} 已被占用 / case number {0} is taken")]
    NumberTaken(String),
    /// The commit comes from an owner that has been replaced.
    #[error(
        "本节点的任期 {ours:?} 已被 {current:?} 取代 / epoch {ours:?} was replaced by {current:?}"
    )]
    Fenced {
        /// Epoch of the commit.
        ours: Epoch,
        /// Epoch in force.
        current: Epoch,
    },
    /// A search without a fitting index, or past the scan budget.
    #[error("该查询没有索引支持,请缩小范围:{0} / not indexed, narrow the search: {0}")]
    NotIndexed(String),
    /// A commit or record larger than the limits.
    #[error("记录过大:{what} {bytes} 字节 / record too large: {what} has {bytes} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// Its size.
        bytes: usize,
    },
    /// Stored bytes that cannot be read.
    #[error("存储内容损坏:{what} / stored data is damaged: {what}")]
    Damaged {
        /// Where and how.
        what: String,
    },
    /// The device failed; nothing was stored.
    #[error("存储不可用:{0} / the store is unavailable: {0}")]
    Unavailable(String),
    /// The device failed while writing; whether the commit is stored shows after a reload.
    #[error("写入结果未知,请重新读取:{0} / the outcome of the write is unknown, reload: {0}")]
    Uncertain(String),
}

impl StoreError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "STORE_CONFLICT",
            Self::Remembered(_) => "STORE_REMEMBERED",
            Self::NumberTaken(_) => "STORE_NUMBER_TAKEN",
            Self::Fenced { .. } => "STORE_FENCED",
            Self::NotIndexed(_) => "STORE_NOT_INDEXED",
            Self::TooLarge { .. } => "STORE_TOO_LARGE",
            Self::Damaged { .. } => "STORE_DAMAGED",
            Self::Unavailable(_) => "STORE_UNAVAILABLE",
            Self::Uncertain(_) => "STORE_UNCERTAIN",
        }
    }

    /// Returns the class.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Conflict { .. } | Self::Remembered(_) | Self::NumberTaken(_) => {
                ErrorClass::Conflict
            }
            Self::NotIndexed(_) | Self::TooLarge { .. } => ErrorClass::Invalid,
            Self::Fenced { .. } | Self::Damaged { .. } => ErrorClass::Permanent,
            Self::Unavailable(_) | Self::Uncertain(_) => ErrorClass::Transient,
        }
    }
}
