//! The real program dies at every named moment of a commit, a call, a reply and a notice, twice at
//! each: the first time that it passes it and again in the middle of the work. Goal: whoever
//! repeats what he asked is served, every case ends complete, every call has one effect, every
//! notice is sealed and served once, and what is stored beside the logs is what the logs say. Method: the program of these tests carries the
//! moments of `tongban_engine::crash`; each run is armed with one of them and dies by itself
//! while the work of the runs before it goes on.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tongban_connectors::SandboxAgency;
use tongban_engine::crash::Point;
use tongban_tests::Server;

use super::notices::{self, Over};
use super::people::{Window, do_tasks, file};
use super::rebuilt;
use super::{PATIENCE, PROGRAM, Tokens, agency, configuration, tokens};

/// Passings at which the process dies.
const PASSINGS: [u64; 2] = [1, 7];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_at_any_moment_of_a_commit_loses_and_doubles_nothing() {
    let told = tokio::time::timeout(PATIENCE, story()).await;
    told.expect("the cases are stuck");
}

async fn story() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let agency = agency().await;
    let config = folder.path().join("tongban.toml");
    let (sealing, said) = notices::open_offices(folder.path(), &data).await;
    std::fs::write(&config, configuration(&agency) + said.as_str()).unwrap();
    super::serve(&data, &config, &agency).kill();
    let tokens = Arc::new(tokens(&data));
    let plan: Vec<(&str, u64)> = plan().collect();
    let (address, addresses) = watch::channel(String::new());
    let window = Arc::new(Window::new(addresses));
    let mut staff = Staff::at_work(&window, &tokens, plan.len());
    let mut unreached = Vec::new();
    for (number, (moment, nth)) in plan.iter().enumerate() {
        staff.file(&window, &tokens, number);
        let armed = format!("{moment}:{nth}");
        let Some(server) = serve_armed((&data, &config), &agency, &armed) else {
            // It died while it opened the folder.
            continue;
        };
        address.send_replace(server.url().to_owned());
        let process = server.id();
        let mut death = tokio::task::spawn_blocking(move || server.wait());
        tokio::select! {
            died = &mut death => drop(died.unwrap()),
            () = staff.until_done(number + 1) => {
                unreached.push(armed);
                tongban_tests::kill(process);
                let status = death.await.unwrap();
                assert!(!status.success(), "{status}");
            }
        }
        address.send_replace(String::new());
    }
    assert_eq!(unreached, Vec::<String>::new(), "these moments were never passed");
    let server = super::serve(&data, &config, &agency);
    address.send_replace(server.url().to_owned());
    staff.finish(plan.len()).await;
    check(&window, &tokens, &agency, plan.len()).await;
    let shown = rebuilt::shown(&window, &tokens).await;
    address.send_replace(String::new());
    server.kill();
    let checked = PROGRAM.run(&["store", "check", "--data", data.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "{}{}", checked.stdout, checked.stderr);
    notices::check(&data, &sealing, plan.len()).await;
    rebuilt::damage_and_rebuild(&data).await;
    let server = super::serve(&data, &config, &agency);
    address.send_replace(server.url().to_owned());
    assert_eq!(rebuilt::shown(&window, &tokens).await, shown, "the rebuilt store answers alike");
    server.kill();
    agency.shutdown().await;
}

fn plan() -> impl Iterator<Item = (&'static str, u64)> {
    Point::ALL.into_iter().flat_map(|(_, code)| PASSINGS.map(|nth| (code, nth)))
}

fn serve_armed(
    (data, config): (&Path, &Path),
    agency: &SandboxAgency,
    armed: &str,
) -> Option<Server> {
    let (data, config) = (data.to_str().unwrap(), config.to_str().unwrap());
    let arguments = ["--dev", "--data", data, "--config", config];
    let server = PROGRAM.try_serve(&arguments, &[("TONGBAN_CRASH_AT", armed)]).ok()?;
    let callbacks = server.url().replace("/graphql", "/cxp/1/callback");
    agency.call_back_to(&callbacks).unwrap();
    Some(server)
}

async fn check(window: &Window, tokens: &Tokens, agency: &SandboxAgency, cases: usize) {
    let query = "query All { cases(first: 100) { nodes { number state } } }";
    let answer = window.ask(&tokens.supervisor, query, json!({})).await;
    let found = answer["data"]["cases"]["nodes"].as_array().expect("the list is there").clone();
    assert_eq!(found.len(), cases);
    for case in &found {
        assert_eq!(case["state"], "COMPLETED_ALL", "{case}");
    }
    assert_eq!(agency.ledger().double_effects(), []);
}

/// Those who take part, for as long as there are cases.
struct Staff {
    work: JoinSet<()>,
    done: watch::Receiver<usize>,
}

impl Staff {
    fn at_work(window: &Arc<Window>, tokens: &Arc<Tokens>, cases: usize) -> Self {
        let mut work = JoinSet::new();
        let (finished, done) = watch::channel(0);
        for token in [&tokens.clerk, &tokens.approver] {
            let (window, token, done) = (Arc::clone(window), token.clone(), done.clone());
            work.spawn(async move {
                while *done.borrow() < cases {
                    do_tasks(&window, &token).await;
                }
            });
        }
        let (window, token) = (Arc::clone(window), tokens.supervisor.clone());
        work.spawn(async move {
            let mut over = Over::default();
            while *finished.borrow() < cases {
                finished.send_replace(over.count(&window, &token).await);
            }
        });
        Self { work, done }
    }

    fn file(&mut self, window: &Arc<Window>, tokens: &Arc<Tokens>, number: usize) {
        let (window, token) = (Arc::clone(window), tokens.applicant.clone());
        self.work.spawn(async move { file(&window, &token, number).await });
    }

    async fn until_done(&self, cases: usize) {
        let mut done = self.done.clone();
        done.wait_for(|done| *done >= cases).await.unwrap();
    }

    async fn finish(&mut self, cases: usize) {
        self.until_done(cases).await;
        while let Some(person) = self.work.join_next().await {
            person.unwrap();
        }
    }
}
