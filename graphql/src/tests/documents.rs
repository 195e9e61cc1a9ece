//! Notices over HTTP: who reads which page of one, and what its service starts.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tongban_core::digest::Digest;
use tongban_core::document::{Seal, SealFault, SealRecord, SealRequest};
use tongban_core::port::Later;
use tongban_core::viewer::Viewer;
use tongban_engine::document::DevSeal;

use super::desk::{Desk, PARTY, START, SUBMIT, applicant, clerk, matter_id, start_input};
use super::upload::{Answer, insiders, strangers};

/// A seal service that answers only once it is opened.
struct Gate {
    seal: DevSeal,
    open: Semaphore,
    _folder: TempDir,
}

impl Gate {
    fn shut() -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let seal = DevSeal::create_or_open(folder.path()).unwrap();
        Arc::new(Self { seal, open: Semaphore::new(0), _folder: folder })
    }

    fn open(&self) {
        self.open.add_permits(100);
    }
}

impl Seal for Gate {
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>> {
        Box::pin(async move {
            self.open.acquire().await.unwrap().forget();
            self.seal.seal(request).await
        })
    }

    fn verify(&self, record: &SealRecord, digest: &Digest) -> Result<(), SealFault> {
        self.seal.verify(record, digest)
    }
}

const DOCUMENTS: &str = "query($id: ID!) { case(by: { id: $id }) {
    documents { number kind state url sha256 isTrial effectiveAt } } }";

impl Desk {
    /// Files a case at the window, on paper, and returns its id.
    async fn at_the_window(&self) -> String {
        let mut input = start_input("window");
        input["arrival"] = json!({ "channel": "WINDOW" });
        let started = self.data(&clerk(), START, json!({ "input": input })).await;
        let case = started["startCase"]["case"]["id"].as_str().expect("a case").to_owned();
        let input = json!({ "caseId": case, "idempotencyKey": "submit" });
        let submitted = self.data(&clerk(), SUBMIT, json!({ "input": input })).await;
        assert_eq!(submitted["submitCase"]["errors"], json!([]));
        case
    }

    /// Returns the documents of a case that someone sees.
    async fn documents(&self, who: &Viewer, case: &str) -> Vec<Json> {
        let shown = self.data(who, DOCUMENTS, json!({ "id": case })).await;
        shown["case"]["documents"].as_array().unwrap().clone()
    }

    async fn get(&self, who: &Viewer, path: &str) -> Answer {
        self.read(who, "GET", path).await
    }

    /// Asks for a correction of a case's first matter, and returns the number of its notice.
    async fn correction(&self, case: &str) -> String {
        let input = json!({ "matterId": matter_id(case, 1), "materials": [], "fields": ["shop"],
            "text": "店名有误", "limit": { "amount": 10, "unit": "WORKING_DAYS" },
            "idempotencyKey": "ask" });
        self.act(&clerk(), "askCorrection", input).await;
        let all = self.documents(&clerk(), case).await;
        let notice = all.iter().find(|document| document["kind"] == "CORRECTION_NOTICE");
        notice.unwrap_or_else(|| panic!("no notice in {all:?}"))["number"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Waits until every document of a case is sealed, and returns them.
    async fn sealed(&self, case: &str) -> Vec<Json> {
        let none_is_drafted = |case: &Json| {
            let documents = case["documents"].as_array().unwrap();
            documents.iter().all(|document| document["state"] != "DRAFT")
        };
        self.until(case, ("... on Case { documents { state } }", none_is_drafted)).await;
        self.documents(&clerk(), case).await
    }

    /// Records the service of a notice and returns the first matter.
    async fn serve(&self, case: &str, number: &str, how: Json) -> Json {
        let key = how.to_string();
        let input = json!({ "caseId": case, "number": number, "how": how, "idempotencyKey": key });
        let select = "case { matters { clocks { kind startedAt dueAt }
            corrections { open servedAt dueAt } } documents { number state servedBy effectiveAt } }";
        let done = self.mutate(&clerk(), "serveDocument", (input, select)).await;
        assert_eq!(done["errors"], json!([]), "{done}");
        let mut matter = done["case"]["matters"][0].clone();
        let documents = done["case"]["documents"].as_array().unwrap();
        let served = documents.iter().find(|document| document["number"] == number);
        matter["document"] = served.cloned().unwrap_or_default();
        matter
    }
}

fn url(document: &Json) -> &str {
    document["url"].as_str().unwrap()
}

fn page(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

fn correction_clock(matter: &Json) -> Json {
    let clocks = matter["clocks"].as_array().unwrap();
    clocks.iter().find(|clock| clock["kind"] == "CORRECTION").cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_draft_is_read_by_the_offices_and_never_by_its_applicant() {
    let desk = Desk::sealing(Gate::shut()).await;
    let case = desk.at_the_window().await;
    let receipt = desk.documents(&clerk(), &case).await[0].clone();
    assert_eq!((&receipt["kind"], &receipt["state"]), (&json!("RECEIPT"), &json!("DRAFT")));
    assert_eq!(desk.documents(&applicant(), &case).await, [json!(null); 0]);
    for viewer in &insiders()[1..] {
        let shown = desk.get(viewer, url(&receipt)).await;
        assert_eq!(shown.status, 200, "{viewer:?}: {}", page(&shown));
        assert!(page(&shown).contains("草稿"), "{viewer:?}");
        let print = desk.get(viewer, &format!("{}?print", url(&receipt))).await;
        assert_eq!(print.status, 404, "a draft has no bytes that bind: {viewer:?}");
    }
    let hidden = desk.get(&applicant(), url(&receipt)).await.reply();
    assert_eq!((hidden.status, hidden.code().as_str()), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_sealed_notice_is_read_by_who_sees_the_case_and_printed_byte_for_byte() {
    let gate = Gate::shut();
    gate.open();
    let desk = Desk::sealing(gate).await;
    let case = desk.at_the_window().await;
    let receipt = desk.sealed(&case).await[0].clone();
    assert_eq!((&receipt["state"], &receipt["isTrial"]), (&json!("SEALED"), &json!(true)));
    for viewer in insiders() {
        let shown = desk.get(&viewer, url(&receipt)).await;
        assert_eq!(shown.status, 200, "{viewer:?}: {}", page(&shown));
        let number = receipt["number"].as_str().unwrap();
        for words in ["收件凭证", number, "试用印章", "验证通过", "914203********010M"]
        {
            assert!(page(&shown).contains(words), "{words} is not in {}", page(&shown));
        }
        assert!(!page(&shown).contains(PARTY), "the identifier stands there in full");
        let print = desk.get(&viewer, &format!("{}?print", url(&receipt))).await;
        assert_eq!(json!(Digest::of(&print.body).hex()), receipt["sha256"], "{viewer:?}");
        assert!(!page(&print).contains(PARTY), "the identifier is printed in full");
    }
}

#[tokio::test]
async fn a_page_says_what_it_is_and_may_do_nothing() {
    let gate = Gate::shut();
    gate.open();
    let desk = Desk::sealing(gate).await;
    let case = desk.at_the_window().await;
    let receipt = desk.sealed(&case).await[0].clone();
    for path in [url(&receipt).to_owned(), format!("{}?print", url(&receipt))] {
        let shown = desk.get(&applicant(), &path).await;
        for line in [
            "content-type: text/html; charset=utf-8",
            "content-security-policy: default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "cache-control: no-store",
            "x-content-type-options: nosniff",
        ] {
            assert!(shown.head.contains(line), "{line} is not in {}", shown.head);
        }
        assert!(!page(&shown).contains("<script"), "a page runs nothing");
        let head = desk.read(&applicant(), "HEAD", &path).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
    }
    let other = desk.get(&applicant(), &format!("{}?download", url(&receipt))).await.reply();
    assert_eq!((other.status, other.code().as_str()), (400, "BAD_REQUEST"));
    let put = desk.read(&applicant(), "DELETE", url(&receipt)).await.reply();
    assert_eq!((put.status, put.code().as_str()), (405, "METHOD_NOT_ALLOWED"));
}

#[tokio::test]
async fn strangers_cannot_tell_a_notice_from_one_that_never_was() {
    let gate = Gate::shut();
    gate.open();
    let desk = Desk::sealing(gate).await;
    let case = desk.at_the_window().await;
    let receipt = desk.sealed(&case).await[0].clone();
    let never = desk.get(&clerk(), &format!("/document/{case}/%E6%97%A0")).await.reply();
    assert_eq!((never.status, never.code().as_str()), (404, "NOT_FOUND"));
    for viewer in strangers() {
        for path in [url(&receipt).to_owned(), format!("{}?print", url(&receipt))] {
            let refused = desk.get(&viewer, &path).await.reply();
            assert_eq!((refused.status, &refused.body), (404, &never.body), "{viewer:?}");
        }
    }
    let nowhere = url(&receipt).replace("case_0", "case_1");
    for path in [nowhere.as_str(), "/document/x/y", "/document/x/%FF"] {
        let refused = desk.get(&clerk(), path).await.reply();
        assert_eq!((refused.status, &refused.body), (404, &never.body), "{path}");
    }
    let head = format!("GET {} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", url(&receipt));
    let refused = desk.exchange(&head, b"").await.reply();
    assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHENTICATED"));
}

#[tokio::test]
async fn the_applicants_period_runs_from_the_day_on_which_a_clerk_hands_the_notice_over() {
    let gate = Gate::shut();
    let desk = Desk::sealing(gate.clone()).await;
    let case = desk.at_the_window().await;
    let number = desk.correction(&case).await;
    let window = json!({ "window": { "signedBy": "示例甲" } });
    let input = json!({ "caseId": case, "number": number, "how": window, "idempotencyKey": "d" });
    let early = desk.refused(&clerk(), "serveDocument", input).await;
    assert_eq!(early["rule"], "DOCUMENT_NOT_SEALED", "a draft binds nobody: {early}");
    gate.open();
    desk.sealed(&case).await;
    let select = "... on CaseMatter { corrections { open servedAt dueAt } }";
    let asked = desk.until(&matter_id(&case, 1), (select, |_| true)).await;
    let waits = json!({ "open": true, "servedAt": null, "dueAt": null });
    assert_eq!(asked["corrections"][0], waits, "no period runs before the service");

    desk.advance("2026-03-04T10:00:00+08:00").await;
    let served = desk.serve(&case, &number, window).await;
    let round = &served["corrections"][0];
    assert!(round["servedAt"].as_str().unwrap().starts_with("2026-03-04T10:00:00"), "{served}");
    assert_eq!(round["dueAt"], "2026-03-18T23:59:59.999+08:00", "ten working days: {served}");
    let clock = correction_clock(&served);
    assert_eq!((&clock["startedAt"], &clock["dueAt"]), (&round["servedAt"], &round["dueAt"]));
    let document = &served["document"];
    assert_eq!((&document["state"], &document["servedBy"]), (&json!("SERVED"), &json!("WINDOW")));
    assert_eq!(document["effectiveAt"], round["servedAt"]);
}

#[tokio::test]
async fn a_letter_starts_the_period_when_it_is_signed_for_and_not_when_it_is_posted() {
    let gate = Gate::shut();
    gate.open();
    let desk = Desk::sealing(gate).await;
    let case = desk.at_the_window().await;
    let number = desk.correction(&case).await;
    desk.sealed(&case).await;
    let posted = json!({ "post": { "waybill": "EA123456789CN" } });
    let posted = desk.serve(&case, &number, posted).await;
    assert_eq!(posted["corrections"][0]["servedAt"], json!(null), "it is on its way");
    assert_eq!(posted["document"]["effectiveAt"], json!(null));
    assert_eq!(correction_clock(&posted), json!(null));

    desk.advance("2026-03-06T09:00:00+08:00").await;
    let signed = "2026-03-05T15:00:00+08:00";
    let letter = json!({ "post": { "waybill": "EA123456789CN", "signedAt": signed } });
    let served = desk.serve(&case, &number, letter).await;
    assert_eq!(served["corrections"][0]["servedAt"], signed, "{served}");
    assert_eq!(correction_clock(&served)["dueAt"], "2026-03-19T23:59:59.999+08:00", "{served}");
    let signed =
        json!({ "post": { "waybill": "EA123456789CN", "signedAt": "2026-03-06T08:00:00+08:00" } });
    let input =
        json!({ "caseId": case, "number": number, "how": signed, "idempotencyKey": "again" });
    let again = desk.refused(&clerk(), "serveDocument", input).await;
    assert_eq!(again["rule"], "DOCUMENT_ALREADY_SERVED", "{again}");
}
