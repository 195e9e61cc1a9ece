//! People who never give up: each repeats what it asks until it is answered.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use super::{Tokens, application};

/// A client of whatever server is up, counting its answers.
pub(super) struct Window {
    http: reqwest::Client,
    /// Where the server is; empty while it is down.
    address: Mutex<watch::Receiver<String>>,
    served: watch::Sender<u64>,
}

impl Window {
    pub(super) fn new(address: watch::Receiver<String>) -> Self {
        Self {
            http: reqwest::Client::new(),
            address: Mutex::new(address),
            served: watch::Sender::new(0),
        }
    }

    /// Returns how many answers came so far.
    pub(super) fn served(&self) -> u64 {
        *self.served.borrow()
    }

    /// Waits until so many answers have come.
    pub(super) async fn until_served(&self, count: u64) {
        let mut served = self.served.subscribe();
        served.wait_for(|served| *served >= count).await.unwrap();
    }

    /// Asks until there is an answer.
    pub(super) async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        loop {
            let mut address = self.address.lock().await.clone();
            let url = address.wait_for(|url| !url.is_empty()).await.unwrap().clone();
            let sent = self
                .http
                .post(&url)
                .bearer_auth(token)
                .header("content-type", "application/json")
                .body(body.clone())
                .send()
                .await;
            let answered = match sent {
                Ok(response) => response.bytes().await,
                Err(error) => Err(error),
            };
            match answered.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                Some(answer) => {
                    self.served.send_modify(|served| *served += 1);
                    return answer;
                }
                // The server went away in the middle: the same request again, once it is back.
                None => tokio::task::yield_now().await,
            }
        }
    }
}

/// Everyone at work.
pub(super) struct Office {
    work: JoinSet<()>,
    cases: usize,
    done: watch::Receiver<usize>,
}

impl Office {
    /// Lets applicants file and officers decide.
    pub(super) fn open(window: &Arc<Window>, tokens: &Tokens, cases: usize) -> Self {
        let mut work = JoinSet::new();
        let (finished, done) = watch::channel(0);
        for number in 0..cases {
            let (window, token) = (Arc::clone(window), tokens.applicant.clone());
            work.spawn(async move { file(&window, &token, number).await });
        }
        for token in [&tokens.clerk, &tokens.approver] {
            let (window, token) = (Arc::clone(window), token.clone());
            let done = done.clone();
            work.spawn(async move {
                while *done.borrow() < cases {
                    do_tasks(&window, &token).await;
                }
            });
        }
        let (window, token) = (Arc::clone(window), tokens.supervisor.clone());
        work.spawn(async move {
            while *finished.borrow() < cases {
                finished.send_replace(count_complete(&window, &token).await);
            }
        });
        Self { work, cases, done }
    }

    /// Waits until every case is complete and everyone has gone home.
    pub(super) async fn finish(&mut self) {
        let cases = self.cases;
        self.done.wait_for(|done| *done >= cases).await.unwrap();
        while let Some(person) = self.work.join_next().await {
            person.unwrap();
        }
    }
}

pub(super) async fn file(window: &Window, token: &str, number: usize) {
    let start = "mutation S($input: StartCaseInput!) { startCase(input: $input) {
        case { id } errors { ... on UserError { code message } } } }";
    let answer = window.ask(token, start, json!({ "input": application(number) })).await;
    let id = answer["data"]["startCase"]["case"]["id"].as_str();
    let id = id.unwrap_or_else(|| panic!("not started: {answer}")).to_owned();
    let submit = "mutation S($input: SubmitCaseInput!) { submitCase(input: $input) {
        revision errors { ... on UserError { code message } } } }";
    let input = json!({ "caseId": id, "idempotencyKey": format!("submit-{number}") });
    let answer = window.ask(token, submit, json!({ "input": input })).await;
    assert_eq!(answer["data"]["submitCase"]["errors"], json!([]), "{answer}");
}

pub(super) async fn do_tasks(window: &Window, token: &str) {
    let query = "query Q { queue(view: OPEN, first: 100) { nodes { id version kind } } }";
    let answer = window.ask(token, query, json!({})).await;
    let tasks = answer["data"]["queue"]["nodes"].as_array().cloned().unwrap_or_default();
    for task in tasks {
        let complete = "mutation C($input: CompleteTaskInput!) { completeTask(input: $input) {
            revision errors { ... on UserError { code message } } } }";
        let id = task["id"].as_str().unwrap();
        let fields = json!({ "number": format!("十城管渣字〔2026〕{}号", &id[id.len() - 8..]) });
        let input = json!({
            "taskId": id, "expectedVersion": task["version"], "granted": true, "opinion": "同意",
            "fields": if task["kind"] == "MANUAL" { fields } else { json!({}) },
            "idempotencyKey": format!("do-{id}"),
        });
        let answer = window.ask(token, complete, json!({ "input": input })).await;
        let errors = answer["data"]["completeTask"]["errors"].as_array();
        for error in errors.into_iter().flatten() {
            // An answer that was lost: the task is done and gone.
            assert_eq!(error["code"], "TASK_CLOSED", "{answer}");
        }
    }
}

pub(super) async fn count_complete(window: &Window, token: &str) -> usize {
    let query = "query All { cases(first: 100) { nodes { state } } }";
    let answer = window.ask(token, query, json!({})).await;
    let cases = answer["data"]["cases"]["nodes"].as_array().cloned().unwrap_or_default();
    cases.iter().filter(|case| case["state"] == "COMPLETED_ALL").count()
}
