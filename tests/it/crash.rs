//! The real program is killed with SIGKILL ten times while it works on twenty cases, and started
//! again on the same folder. Goal: all twenty end complete, and every agency has seen one effect
//! for each call id. Method: agencies outlive the program in this process; people repeat
//! their requests under the same idempotency keys until they are answered; the moments of the
//! kills are drawn in answers served, so that they fall anywhere in the work.

mod notices;
mod people;
mod points;
mod rebuilt;
mod restored;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tongban_connectors::{
    Behaviour, Catalogue, Ledger, Party, Proof, SandboxAgency, SandboxOptions,
};
use tongban_engine::clock::{RealLawfulClock, SystemClock};
use tongban_tests::{Server, Tongban};

use people::{Office, Window};

const CASES: usize = 20;
const KILLS: usize = 10;
const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
/// Longest that the story may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_cases_survive_ten_kills() {
    let told = tokio::time::timeout(PATIENCE, story()).await;
    told.expect("the cases are stuck");
}

#[test]
fn kill_loops_fall_into_calls_and_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let arguments = ["bench", "crash", "--loops", "4", "--format", "json", "--data", data];
    let ended = PROGRAM.run(&arguments);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(told["kills"], 4, "{told}");
    for wrong in ["lost", "doubled", "torn"] {
        assert_eq!(told[wrong], 0, "{told}");
    }
    let calls = told["calls"].as_u64().unwrap();
    let in_flight = told["killsInFlight"].as_u64().unwrap();
    assert!(calls > 0 && in_flight > 0, "no kill fell into a call: {told}");
    for span in ["recoveryMillis", "openingMillis"] {
        assert!(told[span]["p99"].as_u64() >= told[span]["p50"].as_u64(), "{told}");
    }
}

async fn story() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let agency = agency().await;
    let config = folder.path().join("tongban.toml");
    std::fs::write(&config, configuration(&agency)).unwrap();
    let mut server = serve(&data, &config, &agency);
    let (address, addresses) = watch::channel(server.url().to_owned());
    let window = Arc::new(Window::new(addresses));
    let tokens = tokens(&data);
    let mut office = Office::open(&window, &tokens, CASES);
    let mut dice = Dice::new();
    for _ in 0..KILLS {
        // Twenty cases need more than 220 answers, so that every kill falls into the work.
        let moment = window.served() + dice.between(4, 16);
        window.until_served(moment).await;
        address.send_replace(String::new());
        server.kill();
        server = serve(&data, &config, &agency);
        address.send_replace(server.url().to_owned());
    }
    assert!(window.served() < 220, "the last kill came too late: {}", window.served());
    office.finish().await;
    check(&window, &tokens, agency.ledger(), &dice).await;
    server.kill();
    let checked = PROGRAM.run(&["store", "check", "--data", data.to_str().unwrap()]);
    assert_eq!(checked.code, Some(0), "dice {}: {}{}", dice.seed, checked.stdout, checked.stderr);
    agency.shutdown().await;
}

async fn check(window: &Window, tokens: &Tokens, ledger: &Ledger, dice: &Dice) {
    let query = "query All { cases(first: 100) { nodes {
        number state matters { code state } } } }";
    let answer = window.ask(&tokens.supervisor, query, json!({})).await;
    let cases = answer["data"]["cases"]["nodes"].as_array().expect("the list is there").clone();
    assert_eq!(cases.len(), CASES, "dice {}", dice.seed);
    for case in &cases {
        assert_eq!(case["state"], "COMPLETED_ALL", "dice {}: {case}", dice.seed);
        assert_eq!(case["matters"].as_array().map(Vec::len), Some(8), "{case}");
    }
    assert_eq!(ledger.double_effects(), [], "dice {}", dice.seed);
    // Thirteen calls of a case go to agencies; each is one id with one effect.
    let effects = ledger.effects().len();
    assert_eq!(effects % CASES, 0, "every case asks the same: {effects} effects");
    assert!(effects >= CASES * 8, "{effects} effects");
}

pub(crate) async fn agency() -> SandboxAgency {
    let operations = include_str!("../../scripts/operations.json");
    let wire: Arc<SystemClock> = Arc::new(SystemClock);
    let options = SandboxOptions {
        party: Party::new("420300", "agencies"),
        operations: Catalogue::parse(operations).unwrap(),
        callback_url: None,
        behaviour: Behaviour::default(),
        proof: Proof::Unsigned,
        ledger: Arc::new(Ledger::default()),
        lawful: Arc::new(RealLawfulClock::new(Arc::clone(&wire) as Arc<_>, 0)),
        clock: wire,
    };
    SandboxAgency::start(options).await.unwrap()
}

pub(crate) fn configuration(agency: &SandboxAgency) -> String {
    let catalogue = Catalogue::parse(include_str!("../../scripts/operations.json")).unwrap();
    let head = format!(
        "party = \"420300/tongban\"\n\n\
         [connectors.agencies.cxp]\nbase_url = \"{}\"\nparty = \"420300/agencies\"\ntrust = \"unsigned\"\n\n\
         [connectors.waste.manual]\nrole = \"urban-management.clerk\"\ntitle = \"建筑垃圾处置核准\"\n",
        agency.base_url()
    );
    let bindings = catalogue.iter().map(|(operation, offer)| {
        let connector = if offer.carried_by.is_some() { "waste" } else { "agencies" };
        format!(
            "\n[[bindings]]\noperation = \"{operation}\"\nregion = \"420300\"\nconnector = \"{connector}\"\n"
        )
    });
    std::iter::once(head).chain(bindings).collect()
}

/// Starts the program on the folder and tells the agencies where it listens now.
fn serve(data: &Path, config: &Path, agency: &SandboxAgency) -> Server {
    let (data, config) = (data.to_str().unwrap(), config.to_str().unwrap());
    let server = PROGRAM.serve(&["--dev", "--data", data, "--config", config]);
    let callbacks = server.url().replace("/graphql", "/cxp/1/callback");
    agency.call_back_to(&callbacks).unwrap();
    server
}

/// Who takes part, by token.
struct Tokens {
    applicant: String,
    clerk: String,
    approver: String,
    supervisor: String,
}

fn tokens(data: &Path) -> Tokens {
    let token = |arguments: &[&str]| PROGRAM.token(data, arguments);
    Tokens {
        applicant: token(&["--role", "applicant", "--party", "91420302MA4DEM010M"]),
        clerk: token(&["--role", "window-clerk", "--region", "420302"]),
        approver: token(&[
            "--role",
            "approver",
            "--region",
            "420300",
            "--department",
            "natural-resources",
            "--department",
            "housing-construction",
            "--department",
            "civil-air-defence",
            "--department",
            "urban-management",
        ]),
        supervisor: token(&["--role", "supervisor", "--region", "420300"]),
    }
}

/// The application of the demo.
fn application(number: usize) -> Value {
    let plan: Value =
        serde_json::from_str(include_str!("../../graphql/demo/construction-start.json")).unwrap();
    let materials = plan["materials"].as_array().unwrap().iter().map(|material| {
        let digest = tongban_core::digest::Digest::of(material["code"].to_string().as_bytes());
        json!({ "code": material["code"], "fileName": material["fileName"], "sha256": digest.hex() })
    });
    json!({
        "serviceCode": plan["service"], "region": plan["region"], "applicant": plan["applicant"],
        "answers": plan["answers"], "form": plan["form"],
        "materials": materials.collect::<Vec<_>>(),
        "idempotencyKey": format!("start-{number}"),
    })
}

/// Draws the moments of the kills; its seed is named in every failure.
struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    fn new() -> Self {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).unwrap();
        let seed = u64::from_be_bytes(bytes) | 1;
        Self { seed, state: seed }
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        // Marsaglia's xorshift64.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        least + self.state % (most - least)
    }
}
