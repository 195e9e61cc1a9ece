use tongban_core::agency::ReplyBody;
use tongban_core::port::InboxError;

use super::*;
use crate::cxp::http_client;
use crate::sandbox::fixture::{self, Town};

fn accepted() -> String {
    let call = fixture::call(1).id;
    format!(
        r#"{{"cxp":"1.0","kind":"reply","call_id":"{call}","seq":2,"from":{{"region":"420300","system":"natural-resources"}},"to":{{"region":"420300","system":"engine"}},"at":"2026-03-02T09:00:00+08:00","status":"accepted"}}"#
    )
}

async fn send(town: &Town, body: String) -> (u16, Vec<u8>) {
    let http = http_client().unwrap();
    let request = http.post(town.callback_url.as_str()).body(body);
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (status, response.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn each_answer_of_the_inbox_has_its_status() {
    let table = [
        (Ack::Stored, 200),
        (Ack::Duplicate, 200),
        (Ack::Superseded, 200),
        (Ack::TerminalConflict, 409),
        (Ack::UnknownCall, 404),
    ];
    let town = Town::answering("", table.map(|(ack, _)| Ok(ack))).await;
    for (ack, status) in table {
        let (got, bytes) = send(&town, accepted()).await;
        assert_eq!(got, status);
        let message = AckMessage::from_bytes(&bytes).unwrap();
        assert_eq!(message.result.0, ack);
        assert_eq!(message.seq, 2);
    }
    let taken = town.inbox.taken.borrow().clone();
    assert_eq!(taken.len(), table.len());
    assert_eq!(taken[0].0, "natural-resources");
    assert_eq!(taken[0].1.digest, Digest::of(accepted().as_bytes()));
    assert!(matches!(taken[0].1.body, ReplyBody::Accepted { .. }));
}

#[tokio::test]
async fn what_is_not_for_us_never_reaches_the_inbox() {
    let town = Town::with("").await;
    let table = [
        (accepted().replace("natural-resources", "stranger"), 403, "unknown_sender"),
        (accepted().replace("\"from\"", "\"by\""), 403, "no_sender"),
        (accepted().replace("\"engine\"", "\"other\""), 400, "wrong_receiver"),
        (accepted().replace("\"reply\"", "\"fault\""), 400, "wrong_kind"),
        (accepted().replace("\"seq\":2,", ""), 400, "malformed"),
        ("<html>".to_owned(), 400, "not_cxp"),
        (" ".repeat(limits::MESSAGE_BYTES_MAX + 1), 413, "body_not_readable"),
    ];
    for (body, status, code) in table {
        let (got, bytes) = send(&town, body).await;
        let fault = FaultMessage::from_bytes(&bytes).unwrap();
        assert_eq!((got, fault.code.as_str()), (status, code));
    }
    assert_eq!(town.inbox.replies(), []);
}

#[tokio::test]
async fn a_reply_that_could_not_be_stored_is_asked_for_again() {
    let town = Town::answering("", [Err(InboxError("the disk is full".to_owned()))]).await;
    let (status, bytes) = send(&town, accepted()).await;
    assert_eq!(status, 503);
    let fault = FaultMessage::from_bytes(&bytes).unwrap();
    assert_eq!(fault.class.0, FaultClass::Retryable);
    assert_eq!(fault.retry_after_ms, Some(limits::INBOX_RETRY_MILLIS));
    assert!(!fault.public_text.contains("disk"), "the inside stays inside");
}
