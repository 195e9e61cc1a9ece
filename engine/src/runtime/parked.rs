//! Messages of agencies about calls that a restored store does not know.
//!
//! What happened between a backup and its restore is lost here, not at the agencies: they go on
//! and report. Such a message is parked durably and acknowledged as stored, because nobody would
//! send it a second time. When the case comes to ask the same again, its call has the same id and
//! the message is handed in; what no case ever asks for stays in a list for a person. A store
//! that was never restored refuses what it does not know.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tongban_core::agency::{Ack, AgencyReply};
use tongban_core::command::Command;
use tongban_core::id::{CallId, CaseId};
use tongban_core::limits::PARKED_REPLIES_MAX;
use tongban_core::port::{ParkedPlace, ParkedReply, StoreError};

use super::Runtime;
use super::effects::{deliver, give};
use super::turn::CommittedCall;
use crate::error::EngineError;

/// What is parked; the store holds the same.
#[derive(Default)]
pub(crate) struct Parked {
    /// The messages. Never held across a wait.
    replies: Mutex<BTreeMap<ParkedPlace, ParkedReply>>,
}

/// What came of handing in parked messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Handed {
    /// One of them ended the call.
    End,
    /// The call goes on.
    GoesOn,
}

impl Parked {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ParkedPlace, ParkedReply>> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what the store holds.
    pub(crate) fn fill(&self, replies: Vec<ParkedReply>) {
        self.lock().extend(replies.into_iter().map(|parked| (parked.place(), parked)));
    }

    /// Returns everything that is parked, by call and number.
    pub(crate) fn all(&self) -> Vec<ParkedReply> {
        self.lock().values().cloned().collect()
    }

    /// Returns the message at a place.
    pub(crate) fn at(&self, place: &ParkedPlace) -> Option<ParkedReply> {
        self.lock().get(place).cloned()
    }

    fn of(&self, call: CallId) -> Vec<ParkedReply> {
        let replies = self.lock();
        let from = (call, 0, String::new());
        let later = replies.range(from..).take_while(|((of, ..), _)| *of == call);
        later.map(|(_, parked)| parked.clone()).collect()
    }
}

/// Parks a message about an unknown call, if the store was restored; refuses it otherwise.
pub(super) async fn park(
    runtime: &Arc<Runtime>,
    connector: String,
    reply: AgencyReply,
) -> Result<Ack, EngineError> {
    if runtime.identity.restored.is_none() {
        return Ok(Ack::UnknownCall);
    }
    let parked = ParkedReply { connector, reply, at: runtime.lawful.now() };
    let place = parked.place();
    {
        let replies = runtime.parked.lock();
        if let Some(known) = replies.get(&place) {
            let same = known.reply.digest == parked.reply.digest;
            return Ok(if same { Ack::Duplicate } else { Ack::TerminalConflict });
        }
        if replies.len() >= PARKED_REPLIES_MAX {
            return Err(EngineError::Busy);
        }
    }
    runtime.store.park(parked.clone()).await?;
    runtime.parked.lock().insert(place.clone(), parked.clone());
    tracing::warn!(
        call.id = %parked.reply.call,
        connector.name = parked.connector,
        "a message about a call that this restored store does not know was parked"
    );
    // The call may have been derived anew while the message was being parked.
    let ParkedReply { connector, reply, .. } = parked;
    if let Some(case) = runtime.case_of_call(reply.call, &connector).await? {
        let ack = give(runtime, case, connector, reply).await?;
        unpark(runtime, place).await?;
        return Ok(ack);
    }
    Ok(Ack::Stored)
}

/// Puts what is parked about a call before its case.
pub(super) async fn hand_in(runtime: &Arc<Runtime>, effect: &CommittedCall) -> Handed {
    let mut handed = Handed::GoesOn;
    for parked in runtime.parked.of(effect.call.id) {
        if parked.connector != effect.connector {
            continue;
        }
        let place = parked.place();
        let ParkedReply { connector, reply, .. } = parked;
        if reply.body.is_terminal() {
            handed = Handed::End;
        }
        deliver(runtime, effect.case, Command::Reply { connector, reply }).await;
        if let Err(error) = unpark(runtime, place).await {
            // It is in the log; handing it in once more changes nothing.
            tracing::warn!(call.id = %effect.call.id, error.code = error.code(), "a parked message stays parked");
        }
    }
    handed
}

/// Hands a parked message to a call that a person has named. It stays in the list.
pub(crate) async fn deliver_by_hand(
    runtime: &Arc<Runtime>,
    parked: ParkedReply,
    to: (CaseId, CallId),
) -> Result<Ack, EngineError> {
    let (case, call) = to;
    let ParkedReply { connector, reply, .. } = parked;
    give(runtime, case, connector, AgencyReply { call, ..reply }).await
}

/// Drops a parked message that a person has settled.
pub(crate) async fn unpark(runtime: &Arc<Runtime>, place: ParkedPlace) -> Result<(), StoreError> {
    runtime.store.unpark(place.clone()).await?;
    runtime.parked.lock().remove(&place);
    Ok(())
}
