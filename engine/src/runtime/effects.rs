//! Carrying out effects: calls to agencies, with permits, deadlines, back-off and the fence.
//!
//! Only the engine retries. The same id is sent until its deadline, because an agency answers
//! the same id with the same answer; after it the engine only asks, and an agency that never saw
//! the id refuses it from then on (the fence), so that a new call is safe. A fault that cannot
//! get better becomes an incident for a person.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tongban_core::agency::{
    Ack, AgencyReply, BodyDigest, Call, CallContext, Effect, Fault, FaultClass, Invoked, Queried,
    ReplyBody,
};
use tongban_core::command::{Answer, Command};
use tongban_core::id::{CallId, CaseId};
use tongban_core::limits;
use tongban_core::port::{Connector, StoreError};
use tongban_core::turn::QUERY_MILLIS_DEFAULT;

use super::Runtime;
use super::parked::Handed;
use super::turn::{CommittedCall, CommittedEffect, Lineage, Step};
use super::{issue, parked};
use crate::crash::{self, Point};
use crate::error::EngineError;

/// Queries of a call past its deadline before a person must look.
const LATE_QUERIES_MAX: u32 = 10;

/// Starts what the effects say; each call has one carrier at a time.
pub(super) fn carry_out(runtime: &Arc<Runtime>, effects: Vec<CommittedEffect>) {
    for effect in effects {
        let effect = match effect {
            CommittedEffect::Call(call) => call,
            CommittedEffect::Issue(draft) => {
                issue::carry_out(runtime, draft);
                continue;
            }
        };
        let Some(carrying) = Carrying::begin(runtime, effect.call.id) else { continue };
        runtime.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = carrying.runtime.stopping.cancelled() => {}
                () = carry(&carrying.runtime, effect) => {}
            }
        });
    }
}

/// What to do with a call next.
enum Next {
    /// Send it, again.
    Send,
    /// Ask about it before it is sent.
    AskFirst(Lineage),
    /// Ask about it after a while.
    AskLater(u64),
    /// Ask about it: its deadline has passed.
    AskNow,
    /// Nothing more.
    Over,
}

async fn carry(runtime: &Arc<Runtime>, effect: Box<CommittedCall>) {
    let Some(connector) = runtime.connectors.get(&effect.connector).map(Arc::clone) else {
        let fault = Fault {
            class: FaultClass::Refused,
            effect: Effect::None,
            code: "connector_missing".to_owned(),
            retry_after: None,
            text: format!("没有名为 {0} 的连接器 / there is no connector {0}", effect.connector),
        };
        let failed = Command::CallFailed { call: effect.call.id, fault };
        deliver(runtime, effect.case, failed).await;
        return;
    };
    // What is parked under an id that was derived anew may answer something else: it waits until
    // the agency has compared.
    let anew = effect.step == Step::AskFirst(Lineage::DerivedAnew);
    if !anew && parked::hand_in(runtime, &effect).await == Handed::End {
        return;
    }
    let pause = QUERY_MILLIS_DEFAULT;
    let mut carrier = Carrier { runtime, connector, effect, attempt: 0, late: 0, pause };
    let mut next = match carrier.effect.step {
        Step::Send => Next::Send,
        Step::AskFirst(lineage) => Next::AskFirst(lineage),
        Step::Query { after_millis } => Next::AskLater(after_millis),
    };
    loop {
        next = match next {
            Next::Send => carrier.send().await,
            Next::AskFirst(lineage) => carrier.ask_first(lineage).await,
            Next::AskLater(millis) => carrier.ask_later(millis).await,
            Next::AskNow => carrier.ask_late().await,
            Next::Over => return,
        };
    }
}

/// Carries one call to its end.
struct Carrier<'a> {
    runtime: &'a Arc<Runtime>,
    connector: Arc<dyn Connector>,
    effect: Box<CommittedCall>,
    attempt: u32,
    late: u32,
    /// Milliseconds after which the agency wants to be asked.
    pause: u64,
}

impl Carrier<'_> {
    fn context(&self) -> CallContext {
        let patience = if self.effect.gives_way {
            limits::SOURCE_PATIENCE_MILLIS
        } else {
            limits::CALL_PATIENCE_MILLIS / 10
        };
        CallContext {
            deadline: self.runtime.wire.now().plus_millis(patience),
            attempt: self.attempt,
            purpose: self.effect.call.matter.to_string(),
            after_seq: None,
        }
    }

    async fn send(&mut self) -> Next {
        if self.runtime.wire.now() >= self.effect.call.deadline {
            return Next::AskNow;
        }
        if self.says_something_else() {
            return if self.effect.gives_way { self.fail(changed()).await } else { Next::AskNow };
        }
        self.attempt += 1;
        let context = self.context();
        let invoked = {
            let _permit = self.runtime.permit(&self.effect.connector).await;
            crash::pass(Point::BeforeSend);
            unbroken(async { self.connector.invoke(&self.effect.call, &context).await }).await
        };
        crash::pass(Point::AfterSend);
        match invoked {
            Ok(Invoked::Replied(reply)) => {
                match parked::hand_in(self.runtime, &self.effect).await {
                    Handed::End => Next::Over,
                    Handed::GoesOn => self.replied(reply).await,
                }
            }
            Ok(Invoked::AskPerson(task)) => {
                let command = Command::AskPerson { call: self.effect.call.id, task };
                match try_deliver(self.runtime, self.effect.case, command).await {
                    Ok(()) => Next::Over,
                    Err(why) => self.fail(unusable(why)).await,
                }
            }
            Err(fault) => self.after_fault(fault).await,
        }
    }

    /// Tells whether the call no longer renders to the body that the journal speaks of: settings
    /// of its connector have changed, or an update has dropped the encoding. It may have left as
    /// it was, so other bytes never go out under its id; the agency is asked, and what it never
    /// saw is called anew.
    fn says_something_else(&self) -> bool {
        let call = &self.effect.call;
        let Some(kept) = call.body else { return false };
        let says = body_of(self.connector.as_ref(), call, Some(kept.encoding));
        if says == Some(kept) {
            return false;
        }
        tracing::warn!(
            call.id = %call.id,
            connector.name = self.effect.connector,
            "a call would not say what it said: it is asked about, and never sent again"
        );
        true
    }

    /// Asks about a call that the agency may know from before the store was restored. What it
    /// never saw it refuses from here on, and a new call is made. What it knows under an id that
    /// was derived anew is sent again, so that the agency compares what it did with what is
    /// wanted now: the same input adopts its reply, another one is a conflict for a person.
    async fn ask_first(&mut self, lineage: Lineage) -> Next {
        self.attempt += 1;
        match self.query().await {
            Ok(Queried::Known(reply)) => match lineage {
                Lineage::Kept => self.replied(reply).await,
                Lineage::DerivedAnew => Next::Send,
            },
            Ok(Queried::UnknownFenced) => self.fenced().await,
            Ok(Queried::Forgotten) => self.fail(forgotten()).await,
            Err(fault) if self.effect.gives_way => self.fail(fault).await,
            Err(_) if self.runtime.wire.now() >= self.effect.call.deadline => Next::AskNow,
            Err(_) => {
                self.runtime.wire.wait_millis(back_off(self.attempt)).await;
                Next::AskFirst(lineage)
            }
        }
    }

    async fn after_fault(&mut self, fault: Fault) -> Next {
        tracing::debug!(
            call.id = %self.effect.call.id,
            connector.name = self.effect.connector,
            step.attempt = self.attempt,
            error.code = fault.code,
            "a call failed"
        );
        if self.effect.gives_way {
            return self.fail(fault).await;
        }
        match fault.class {
            FaultClass::Retryable | FaultClass::Unavailable | FaultClass::Unknown => {
                let wait = fault.retry_after.unwrap_or_else(|| back_off(self.attempt));
                let wait = wait.min(limits::CALL_BACKOFF_MILLIS_MAX);
                let over = self.runtime.carried.over(self.effect.call.id);
                tokio::select! {
                    biased;
                    // A callback has ended it: nothing is to be sent again.
                    () = over.notified() => Next::Over,
                    () = self.runtime.wire.wait_millis(wait) => Next::Send,
                }
            }
            FaultClass::Expired => Next::AskNow,
            FaultClass::Refused | FaultClass::ContractViolation | FaultClass::Conflict => {
                self.fail(fault).await
            }
        }
    }

    async fn fail(&mut self, fault: Fault) -> Next {
        let command = Command::CallFailed { call: self.effect.call.id, fault };
        deliver(self.runtime, self.effect.case, command).await;
        Next::Over
    }

    async fn replied(&mut self, reply: AgencyReply) -> Next {
        let terminal = reply.body.is_terminal();
        // An act in between changes nothing about when to ask.
        if let ReplyBody::Accepted { next_query_after, .. } = &reply.body {
            self.pause = next_query_after.unwrap_or(QUERY_MILLIS_DEFAULT);
        }
        let connector = self.effect.connector.clone();
        let command = Command::Reply { connector, reply };
        if let Err(why) = try_deliver(self.runtime, self.effect.case, command).await {
            return self.fail(unusable(why)).await;
        }
        crash::pass(Point::AfterReply);
        if terminal {
            return Next::Over;
        }
        Next::AskLater(self.pause)
    }

    /// Asks about a call that the agency works on, unless a callback has ended it meanwhile.
    async fn ask_later(&mut self, millis: u64) -> Next {
        self.pause = millis;
        let over = self.runtime.carried.over(self.effect.call.id);
        tokio::select! {
            biased;
            () = over.notified() => return Next::Over,
            () = self.runtime.wire.wait_millis(millis) => {}
        }
        if !self.runtime.is_call_open(self.effect.case, self.effect.call.id).await {
            return Next::Over;
        }
        match self.query().await {
            Ok(Queried::Known(reply)) => self.replied(reply).await,
            Ok(Queried::UnknownFenced) => self.fenced().await,
            Ok(Queried::Forgotten) => self.fail(forgotten()).await,
            Err(_) => Next::AskLater(millis.max(limits::CALL_BACKOFF_MILLIS_MAX)),
        }
    }

    /// Asks about a call whose deadline has passed; it must not be sent again.
    async fn ask_late(&mut self) -> Next {
        self.late += 1;
        match self.query().await {
            Ok(Queried::Known(reply)) => self.replied(reply).await,
            Ok(Queried::UnknownFenced) => self.fenced().await,
            Ok(Queried::Forgotten) => self.fail(forgotten()).await,
            Err(fault) if self.late >= LATE_QUERIES_MAX => self.fail(fault).await,
            Err(_) => {
                self.runtime.wire.wait_millis(back_off(self.late)).await;
                Next::AskNow
            }
        }
    }

    async fn query(&self) -> Result<Queried, Fault> {
        let mut context = self.context();
        context.after_seq = self.runtime.last_message(self.effect.case, self.effect.call.id).await;
        let _permit = self.runtime.permit(&self.effect.connector).await;
        unbroken(async { self.connector.query(&self.effect.call, &context).await }).await
    }

    async fn fenced(&mut self) -> Next {
        let command = Command::CallFenced { call: self.effect.call.id };
        deliver(self.runtime, self.effect.case, command).await;
        Next::Over
    }
}

/// A fault of the engine's own making, after which nobody knows what the agency has done.
fn unsettled(class: FaultClass, code: &str, text: impl Into<String>) -> Fault {
    let (code, text) = (code.to_owned(), text.into());
    Fault { class, effect: Effect::Unknown, code, retry_after: None, text }
}

fn changed() -> Fault {
    let text = "连接器设置已变,该调用的报文与先前不同,不再发送 / the connector's settings have changed, and this call would not say what it said: it is not sent again";
    unsettled(FaultClass::Refused, "body_changed", text)
}

fn forgotten() -> Fault {
    let text = "对方已不再保存该调用的结果 / the agency no longer keeps the reply";
    unsettled(FaultClass::Conflict, "forgotten", text)
}

/// Returns the milliseconds before attempt `attempt` + 1: doubled each time, up to the limit.
pub(super) fn back_off(attempt: u32) -> u64 {
    let doubled = limits::CALL_BACKOFF_MILLIS_MIN.saturating_mul(1 << attempt.min(16));
    doubled.min(limits::CALL_BACKOFF_MILLIS_MAX)
}

/// A reply that no log can hold: the agency has done something, and a person finds out what.
fn unusable(why: String) -> Fault {
    unsettled(FaultClass::ContractViolation, "reply_unusable", why)
}

/// Renders a call. A connector that panics over it says nothing of its bytes; so the call is made
/// without their digest, and one that has a digest is asked about before it is sent.
pub(super) fn body_of(
    connector: &dyn Connector,
    call: &Call,
    encoding: Option<u16>,
) -> Option<BodyDigest> {
    std::panic::catch_unwind(AssertUnwindSafe(|| connector.body_of(call, encoding))).unwrap_or_else(
        |_| {
            tracing::error!(call.id = %call.id, "a connector panicked over a call that it was to render");
            None
        },
    )
}

/// Carries an attempt out. A connector that panics leaves the outcome unknown, and nothing else.
async fn unbroken<T>(attempt: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    AssertUnwindSafe(attempt).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a connector panicked");
        let text = "连接器异常中止,结果不明 / the connector panicked; the outcome is unknown";
        Err(unsettled(FaultClass::Unknown, "connector_panicked", text))
    })
}

/// Puts a command of the engine's own before its case, until it is stored.
pub(super) async fn deliver(runtime: &Arc<Runtime>, case: CaseId, command: Command) {
    if let Err(why) = try_deliver(runtime, case, command).await {
        tracing::error!(case.id = %case, "a case does not take what it was told: {why}");
    }
}

/// Puts what an agency said before its case, until it is stored; fails when the case will never
/// take it, with the reason.
async fn try_deliver(runtime: &Arc<Runtime>, case: CaseId, command: Command) -> Result<(), String> {
    let mut attempt = 0;
    loop {
        let told = runtime.ask(case, command.clone(), None).await;
        match told.map(|told| told.answer) {
            Ok(Answer::Refused(refusal)) => return Err(refusal.to_string()),
            Ok(Answer::Done | Answer::Acked(_)) | Err(EngineError::Stopped) => return Ok(()),
            Err(EngineError::Store(error @ StoreError::TooLarge { .. })) => {
                return Err(error.to_string());
            }
            Err(error) => {
                tracing::debug!(case.id = %case, error.code = error.code(), "a reply waits to be stored");
                attempt += 1;
                runtime.wire.wait_millis(back_off(attempt)).await;
            }
        }
    }
}

/// Stores a reply that came by callback, and ends the wait of its carrier.
pub(super) async fn take_in(
    runtime: &Arc<Runtime>,
    connector: String,
    reply: AgencyReply,
) -> Result<Ack, EngineError> {
    let Some(case) = runtime.case_of_call(reply.call, &connector).await? else {
        return parked::park(runtime, connector, reply).await;
    };
    give(runtime, case, connector, reply).await
}

/// Puts a reply before the case of its call.
pub(super) async fn give(
    runtime: &Arc<Runtime>,
    case: CaseId,
    connector: String,
    reply: AgencyReply,
) -> Result<Ack, EngineError> {
    let (id, terminal) = (reply.call, reply.body.is_terminal());
    let command = Command::Reply { connector, reply };
    let told = runtime.ask(case, command, None).await?;
    crash::pass(Point::BeforeAck);
    let ack = match told.answer {
        Answer::Acked(ack) => ack,
        Answer::Done => Ack::Stored,
        Answer::Refused(refusal) => return Err(refusal.into()),
    };
    // A message that contradicts another ends nothing: its call goes on being asked about.
    if terminal && matches!(ack, Ack::Stored | Ack::Duplicate) {
        runtime.carried.finish(id);
    }
    Ok(ack)
}

/// A call that has a carrier for as long as this lives.
struct Carrying {
    runtime: Arc<Runtime>,
    call: CallId,
}

impl Carrying {
    /// Takes a call up, unless somebody has.
    fn begin(runtime: &Arc<Runtime>, call: CallId) -> Option<Self> {
        let is_new = runtime.carried.begin(call);
        is_new.then(|| Self { runtime: Arc::clone(runtime), call })
    }
}

impl Drop for Carrying {
    fn drop(&mut self) {
        self.runtime.carried.end(self.call);
    }
}

/// Calls that have a carrier.
#[derive(Default)]
pub(crate) struct Carried {
    /// The calls, each with what tells its carrier that it is over.
    calls: std::sync::Mutex<std::collections::HashMap<CallId, Arc<tokio::sync::Notify>>>,
}

impl Carried {
    fn lock(
        &self,
    ) -> std::sync::MutexGuard<'_, std::collections::HashMap<CallId, Arc<tokio::sync::Notify>>>
    {
        self.calls.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn begin(&self, id: CallId) -> bool {
        let mut calls = self.lock();
        if calls.contains_key(&id) {
            return false;
        }
        calls.insert(id, Arc::default());
        true
    }

    fn over(&self, id: CallId) -> Arc<tokio::sync::Notify> {
        self.lock().get(&id).map(Arc::clone).unwrap_or_default()
    }

    fn finish(&self, id: CallId) {
        if let Some(over) = self.lock().get(&id) {
            over.notify_one();
        }
    }

    fn end(&self, id: CallId) {
        self.lock().remove(&id);
    }

    /// Tells whether no call is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}
