//! What agencies said about calls that a restored store does not know: a list for a person.

use tongban_core::agency::{Ack, ReplyBody};
use tongban_core::audit::AuditedAct;
use tongban_core::command::Refusal;
use tongban_core::id::{CallId, CaseId};
use tongban_core::port::{ParkedPlace, ParkedReply};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};

use super::Engine;
use super::audit::must_say_why;
use crate::api::{IdempotencyKey, Receipt};
use crate::error::EngineError;
use crate::runtime::parked;

/// A parked message, without what it says about people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ParkedView {
    /// The call that it is about; its id tells when the case was started.
    pub call: CallId,
    /// Number of the message.
    pub seq: u32,
    /// The connector that it came through.
    pub connector: String,
    /// When it came, by the lawful clock.
    pub at: Moment,
    /// What it is: `accepted`, `act`, `completed` or the kind of another outcome.
    pub kind: String,
}

impl Engine {
    /// Returns what agencies reported about calls that this store does not know, because they
    /// were made between a backup and its restore. Each is handed in once its case asks again.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an integrator, a supervisor or an admin asks.
    pub fn parked_replies(&self, viewer: &Viewer) -> Result<Vec<ParkedView>, EngineError> {
        if !matches!(viewer.role, Role::Integrator | Role::Supervisor | Role::SystemAdmin) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "只有集成人员、督查人员或系统管理员可以查看未匹配的回执",
                "only integrators, supervisors and admins see replies that match no call",
            )
            .into());
        }
        let parked = self.runtime.parked.all().into_iter();
        Ok(parked
            .map(|parked| ParkedView {
                call: parked.reply.call,
                seq: parked.reply.seq,
                kind: kind(&parked.reply.body).to_owned(),
                connector: parked.connector,
                at: parked.at,
            })
            .collect())
    }

    /// Hands a parked reply to an open call of the same connector, by the word of a person who
    /// has made sure that it answers that call. The audit log keeps who and why; the case's log
    /// keeps the reply as the agency's own. A repetition answers the same: what it came to is
    /// remembered only after the call has taken the reply or not, and what a crash left in between
    /// is done by it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an admin who covers the case asks, with a reason; when
    /// there is no such reply; and when the call is not open or is another connector's.
    pub async fn deliver_parked(
        &self,
        viewer: &Viewer,
        place: ParkedPlace,
        (to, reason): (CallId, &str),
        key: IdempotencyKey,
    ) -> Result<Receipt, EngineError> {
        let input = (&place, to, reason);
        let end = self.record(viewer, "deliverParkedReply", &key, &input);
        if let Some(receipt) = self.replayed(&end).await? {
            // A crash may have come between the end and this.
            if self.runtime.parked.at(&place).is_some() {
                parked::unpark(&self.runtime, place).await?;
            }
            return Ok(receipt);
        }
        let begun = self.record(viewer, "deliverParkedReply#begun", &key, &input);
        let parked = self.settling_parked(viewer, &place, reason)?;
        let case = match self.replayed(&begun).await? {
            Some(begun) => begun.case,
            None => match self.open_call_of(viewer, &parked, to).await {
                Ok(case) => {
                    let target = format!("{} {} {} → {to}", place.2, place.0, place.1);
                    self.note(viewer, AuditedAct::ReplyDelivered, (target, reason)).await?;
                    self.remember(begun, vec![case.to_string()]).await?;
                    case
                }
                Err(error) => return self.replay(&self.keep_refusal(&end, error).await?),
            },
        };
        match parked::deliver_by_hand(&self.runtime, parked, (case, to)).await? {
            Ack::Stored | Ack::Duplicate => {
                self.remember(end, vec![case.to_string()]).await?;
                parked::unpark(&self.runtime, place).await?;
                Ok(Receipt { case, revision: self.runtime.store.revision(), replayed: false })
            }
            Ack::Superseded | Ack::TerminalConflict | Ack::UnknownCall => {
                self.replay(&self.keep_refusal(&end, not_taken().into()).await?)
            }
        }
    }

    /// Returns the case of an open call that a parked reply may be handed to.
    async fn open_call_of(
        &self,
        viewer: &Viewer,
        parked: &ParkedReply,
        to: CallId,
    ) -> Result<CaseId, EngineError> {
        let case = self.runtime.case_of_call(to, &parked.connector).await?;
        let found = match case {
            Some(case) => self.case(viewer, case).await?,
            None => None,
        };
        let open =
            found.filter(|view| view.case().calls.get(&to).is_some_and(|call| call.is_open()));
        let open = open.ok_or_else(|| {
            Refusal::new(
                "CALL_NOT_OPEN",
                format!("连接器 {} 没有编号为 {to} 的未结调用", parked.connector),
                format!("{} has no open call {to}", parked.connector),
            )
            .at(["toCallId"])
        })?;
        Ok(open.case().id)
    }

    /// Puts a parked reply aside for good; the audit log keeps who and why. Tells whether an
    /// earlier call with the same key did it.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless an admin asks, with a reason, and when there is no such
    /// reply.
    pub async fn dismiss_parked(
        &self,
        viewer: &Viewer,
        place: ParkedPlace,
        reason: &str,
        key: IdempotencyKey,
    ) -> Result<bool, EngineError> {
        let record = self.record(viewer, "dismissParkedReply", &key, &(&place, reason));
        let known = self.known(&record).await?.is_some();
        if known && self.runtime.parked.at(&place).is_none() {
            return Ok(true);
        }
        self.settling_parked(viewer, &place, reason)?;
        let target = format!("{} {} {}", place.2, place.0, place.1);
        self.note(viewer, AuditedAct::ReplyDismissed, (target, reason)).await?;
        self.remember(record, Vec::new()).await?;
        parked::unpark(&self.runtime, place).await?;
        Ok(known)
    }

    fn settling_parked(
        &self,
        viewer: &Viewer,
        place: &ParkedPlace,
        reason: &str,
    ) -> Result<ParkedReply, EngineError> {
        if viewer.role != Role::SystemAdmin {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "未匹配的回执由系统管理员处理",
                "a system's admin settles replies that match no call",
            )
            .into());
        }
        must_say_why(reason)?;
        self.runtime.parked.at(place).ok_or_else(|| {
            Refusal::new("REPLY_NOT_FOUND", "没有这份未匹配的回执", "there is no such parked reply")
                .into()
        })
    }
}

fn not_taken() -> Refusal {
    Refusal::new(
        "REPLY_NOT_TAKEN",
        "该调用已有更新或不同的回执,未并入;回执仍留在列表中",
        "the call has a later or another reply; this one stays in the list",
    )
}

fn kind(body: &ReplyBody) -> &'static str {
    match body {
        ReplyBody::Accepted { .. } => "accepted",
        ReplyBody::Act(_) => "act",
        ReplyBody::Completed { .. } => "completed",
        ReplyBody::Otherwise(outcome) => outcome.kind.code(),
    }
}
