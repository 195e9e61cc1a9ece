//! A service of one matter of the tax office, beside those of every desk: its scripts, a desk that
//! offers it, with an agency behind `tax.*` where a test brings one, and cases of it.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tongban_connectors::{Binding, Bindings};
use tongban_core::digest::Digest;
use tongban_core::id::RegionCode;
use tongban_core::port::Connector;
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::ManualClock;

use super::desk::{Desk, Mode, PARTY, START, SUBMIT, applicant, builder, scripts};

pub(super) const SERVICE: &str = r#"
service(#{
    code: "tax-clearance", name: "清税一件事", lead: "tax", api_level: 2,
    target: "enterprise", regions: ["420300"], promise: "20 working days",
    matters: [ part("clearance") ],
});
"#;
const MATTER_HEAD: &str = r#"
matter(#{
    code: "clearance", name: "清税证明", department: "tax", intake: "auto",
    limit: #{ statutory: "20 working days", promised: "10 working days" },
    form: [], materials: [],
});
"#;

/// Returns the matter's script with these functions.
pub(super) fn matter(functions: &str) -> String {
    format!("{MATTER_HEAD}{functions}")
}

/// An agency that is bound to every operation of the tax office.
pub(super) struct Agency {
    pub(super) connector: Arc<dyn Connector>,
    /// Within which time it agreed to answer.
    pub(super) reply_within: Option<&'static str>,
}

impl Agency {
    /// An agency that agreed to nothing.
    pub(super) fn of(connector: Arc<dyn Connector>) -> Self {
        Self { connector, reply_within: None }
    }
}

/// Opens a desk that offers the service too, with this script of its matter.
pub(super) async fn desk(matter: &str, agency: Option<Agency>) -> Desk {
    let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
    let wire = Arc::new(ManualClock::new(nine));
    let scripts = with_tax(scripts(), matter);
    let mut engine = builder(&scripts, &wire);
    if let Some(Agency { connector, reply_within }) = agency {
        let bound = Binding {
            operation: "tax.*".to_owned(),
            region: RegionCode::new("420300"),
            connector: "tax".to_owned(),
            reply_within: reply_within.map(|within| within.parse().unwrap()),
        };
        let wiring = Arc::new(Bindings::new(vec![bound]).unwrap());
        engine = engine.wiring(wiring).connector("tax", connector);
    }
    Desk::over(engine.start().await.unwrap(), scripts, (wire, Mode::Production)).await
}

fn with_tax(scripts: TempDir, matter: &str) -> TempDir {
    fs::write(scripts.path().join("services/tax-clearance.rhai"), SERVICE).unwrap();
    fs::create_dir(scripts.path().join("matters/tax")).unwrap();
    fs::write(scripts.path().join("matters/tax/clearance.rhai"), matter).unwrap();
    scripts
}

pub(super) fn integrator() -> Viewer {
    Viewer::new("wang", Role::Integrator).within("420300")
}

pub(super) fn officer() -> Viewer {
    Viewer::new("tax-1", Role::Approver).within("420300").of("tax")
}

pub(super) fn head() -> Viewer {
    Viewer::new("tax-head", Role::OfficeHead).within("420300").of("tax")
}

impl Desk {
    /// Starts and submits a case of the service, and returns its id.
    pub(super) async fn clearance(&self, key: &str) -> String {
        let input = json!({ "serviceCode": "tax-clearance", "region": "420302", "form": {},
            "applicant": { "id": PARTY, "name": "十堰示例商贸有限公司" }, "idempotencyKey": key });
        let started = self.data(&applicant(), START, json!({ "input": input })).await;
        let case = started["startCase"]["case"]["id"].as_str().expect("a case").to_owned();
        let input = json!({ "caseId": case, "idempotencyKey": format!("{key}-submit") });
        let done = self.data(&applicant(), SUBMIT, json!({ "input": input })).await;
        assert_eq!(done["submitCase"]["errors"], json!([]), "{done}");
        case
    }

    /// Publishes the service with another script of its matter, and returns that version.
    pub(super) async fn publish(&self, matter: &str) -> String {
        let files = json!([{ "path": "services/tax-clearance.rhai", "text": SERVICE },
            { "path": "matters/tax/clearance.rhai", "text": matter }]);
        let key = Digest::of(matter.as_bytes()).hex();
        let input = json!({ "files": files, "reason": "更正", "idempotencyKey": key });
        let document = "mutation($input: PublishScriptsInput!) { publishScripts(input: $input) {
            versions { version } errors { __typename ... on UserError { message } } } }";
        let done = self.data(&integrator(), document, json!({ "input": input })).await;
        let version = done["publishScripts"]["versions"][0]["version"].as_str();
        version.unwrap_or_else(|| panic!("{done}")).to_owned()
    }
}
