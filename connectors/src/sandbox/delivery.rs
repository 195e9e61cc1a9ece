//! Deliveries of a sandbox agency: later messages, in order, each until it is acknowledged.
//!
//! One delivery per call. A message is made when its turn comes, so that its legal time is right,
//! and the next one waits until it is acknowledged, because the engine ignores a lower message
//! after a higher. After a bounded number of attempts the messages rest; a repeated invoke or a
//! new server takes them up again, and a query finds them meanwhile.

use std::sync::Arc;

use tongban_core::agency::Ack;
use tongban_core::id::CallId;

use super::agency::Agency;
use super::ledger::Stored;
use crate::cxp::message::{AckMessage, Message as _};
use crate::limits;

/// Delivers what a call still owes its caller.
pub(super) async fn deliver(agency: Arc<Agency>, call: CallId) {
    while agency.ledger.has_work(call) {
        let Some(stored) = agency.ledger.call(call) else {
            return;
        };
        let work = stored.inject.work_ms.unwrap_or(agency.behaviour.work_ms);
        if work > 0 {
            agency.clock.wait_millis(work).await;
        }
        let make = |call: &_, planned: &_, seq| agency.author.later(call, planned, seq);
        let Some(message) = agency.ledger.next_message(call, make) else {
            return;
        };
        if !until_acknowledged(&agency, call, &message).await {
            tracing::warn!("an engine took no callback; its messages wait for a query");
            agency.ledger.rest(call);
            return;
        }
        for _ in 0..stored.inject.duplicate_callback {
            attempt(&agency, call, &message).await;
        }
    }
    agency.ledger.rest(call);
}

async fn until_acknowledged(agency: &Agency, call: CallId, message: &Stored) -> bool {
    let mut pause = limits::DELIVERY_BACKOFF_MILLIS_MIN;
    for _ in 0..limits::DELIVERY_ATTEMPTS_MAX {
        if attempt(agency, call, message).await {
            return true;
        }
        agency.clock.wait_millis(pause).await;
        pause = (pause * 2).min(limits::DELIVERY_BACKOFF_MILLIS_MAX);
    }
    false
}

/// Sends a message once; tells whether the engine gave an answer that ends its delivery.
async fn attempt(agency: &Agency, call: CallId, message: &Stored) -> bool {
    agency.ledger.sent(call, message.seq);
    let ack = tokio::select! {
        biased;
        ack = post(agency, call, message) => ack,
        () = agency.clock.wait_millis(limits::DELIVERY_ANSWER_MILLIS) => None,
    };
    agency.ledger.answered(call, message.seq, ack);
    ack.is_some()
}

async fn post(agency: &Agency, call: CallId, message: &Stored) -> Option<Ack> {
    let url = agency.callback_url()?;
    let request = agency
        .http
        .post(url)
        .header("content-type", "application/json")
        .body(message.bytes.clone());
    let response = request.send().await.ok()?;
    let bytes = response.bytes().await.ok()?;
    let ack = AckMessage::from_bytes(&bytes).ok()?;
    (ack.call_id.0 == call && ack.seq == message.seq).then_some(ack.result.0)
}
