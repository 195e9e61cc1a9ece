//! An older backup is restored while the agencies remember more. Goal: the engine derives the
//! lost calls again under their old ids, asks before it sends, every call keeps one effect, and
//! every case ends complete. Method: a backup of the running program, more work until every case
//! is done, SIGKILL, the older backup restored into a new folder, the same people again.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use tongban_connectors::SandboxAgency;
use tongban_connectors::sandbox::LedgerEvent;

use super::people::{Office, Window, do_tasks, file};
use super::{PATIENCE, PROGRAM, agency, configuration, serve, tokens};

const CASES: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_backup_restored_with_calls_in_flight_asks_before_it_sends() {
    let told = tokio::time::timeout(PATIENCE, story()).await;
    told.expect("the cases are stuck");
}

async fn story() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("backup"));
    let agency = agency().await;
    let config = folder.path().join("tongban.toml");
    std::fs::write(&config, configuration(&agency)).unwrap();
    let server = serve(&data, &config, &agency);
    let (address, addresses) = watch::channel(server.url().to_owned());
    let window = Arc::new(Window::new(addresses));
    let tokens = tokens(&data);
    for number in 0..CASES {
        file(&window, &tokens.applicant, number).await;
    }
    do_tasks(&window, &tokens.clerk).await;
    // Some calls are over, some are under way, most are still to come.
    agency.ledger().until(|ledger| !ledger.effects().is_empty()).await;
    run(&["backup", "--data", path(&data), "--to", path(&backup)]);
    run(&["backup", "verify", path(&backup)]);
    let mut office = Office::open(&window, &tokens, CASES);
    office.finish().await;
    address.send_replace(String::new());
    server.kill();
    run(&["store", "check", "--data", path(&data)]);
    let before = agency.ledger().events().len();
    let effects = agency.ledger().effects().len();

    let restored = folder.path().join("restored");
    run(&["restore", "--from", path(&backup), "--data", path(&restored)]);
    run(&["store", "check", "--data", path(&restored)]);
    let server = serve(&restored, &config, &agency);
    address.send_replace(server.url().to_owned());
    let mut office = Office::open(&window, &tokens, CASES);
    office.finish().await;
    must_have_asked_first(&agency, before);
    assert_eq!(agency.ledger().double_effects(), []);
    assert_eq!(agency.ledger().effects().len(), effects, "nothing took effect a second time");
    address.send_replace(String::new());
    server.kill();
    run(&["store", "check", "--data", path(&restored)]);
    agency.shutdown().await;
}

/// After the restore nothing is sent that was not asked about, but what replaces a fenced call.
fn must_have_asked_first(agency: &SandboxAgency, before: usize) {
    let events = agency.ledger().events();
    let (earlier, later) = events.split_at(before);
    let known =
        |call| earlier.iter().any(|event| matches!(event, LedgerEvent::First(id) if *id == call));
    let mut asked = Vec::new();
    for event in later {
        match event {
            LedgerEvent::Queried(call) | LedgerEvent::Fenced(call) => asked.push(*call),
            LedgerEvent::Repeated(call) | LedgerEvent::Refused(call, _) => {
                assert!(asked.contains(call), "{call} was sent before it was asked about");
            }
            LedgerEvent::First(call) => assert!(!known(*call), "{call} took effect again"),
            LedgerEvent::CallbackSent(..) | LedgerEvent::CallbackAnswered(..) => {}
        }
    }
    assert!(!asked.is_empty(), "nothing was asked about");
}

fn run(arguments: &[&str]) {
    let ended = PROGRAM.run(arguments);
    assert_eq!(ended.code, Some(0), "{arguments:?}: {}{}", ended.stdout, ended.stderr);
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
