//! Filling a form over the real program: agencies over HTTP bring what they know, before the
//! application is submitted; one that is down leaves its fields open.

use serde_json::{Value, json};
use tongban_connectors::sandbox::Availability;
use tongban_tests::{Server, Tongban};

use crate::crash::{agency, configuration};

const PROGRAM: Tongban = Tongban(env!("CARGO_BIN_EXE_tongban-under-test"));
const ENTERPRISE: &str = "91420302MA4DEM010M";
const CONTRACTOR: &str = "91420302MA4DEM020N";

const START: &str = "mutation($input: StartCaseInput!) {
    startCase(input: $input) { case { id } errors { __typename } } }";
const PREFILL: &str = "mutation($input: PrefillFormInput!) {
    prefillForm(input: $input) {
        case { formVersion form { field value source sourcedAt sourceDigest sourcedUnder { by purpose textVersion }
            earlier { value source } } formSources { fields source cause authority { by } } }
        errors { __typename } } }";

const AMEND: &str = "mutation($input: AmendFormInput!) {
    amendForm(input: $input) {
        case { form { field value source sourcedAt earlier { value source } } }
        errors { __typename } } }";

/// Starts a draft that names the contractor by his code only, and authorises both resources.
fn draft(server: &Server, token: &str, key: &str) -> Value {
    let consents = ["market-regulation.enterprise", "housing-construction.contractor"]
        .map(|license| json!({ "license": license, "textVersion": "1" }));
    let input = json!({
        "serviceCode": "construction-start", "region": "420302",
        "applicant": { "id": ENTERPRISE, "name": "示例公司" },
        "answers": { "basement": true, "waste": false },
        "form": { "contractor_uscc": CONTRACTOR },
        "consents": consents, "idempotencyKey": key,
    });
    let started = server.ask(token, START, &json!({ "input": input }));
    assert_eq!(started["data"]["startCase"]["errors"], json!([]), "{started}");
    started["data"]["startCase"]["case"]["id"].clone()
}

fn prefill(server: &Server, token: &str, case: &Value) -> Value {
    let input = json!({ "caseId": case, "idempotencyKey": format!("prefill-{case}") });
    let done = server.ask(token, PREFILL, &json!({ "input": input }));
    assert_eq!(done["data"]["prefillForm"]["errors"], json!([]), "{done}");
    done["data"]["prefillForm"]["case"].clone()
}

/// What a register said may be wrong: the applicant's own word then counts, and the register's
/// stays on record.
fn corrects_by_hand((server, token): (&Server, &str), case: &Value, version: &Value) {
    let input = json!({
        "caseId": case, "expectedVersion": version, "fields": { "enterprise_name": "十堰测试置业集团有限公司" },
        "idempotencyKey": "amend",
    });
    let done = server.ask(token, AMEND, &json!({ "input": input }));
    let case = &done["data"]["amendForm"]["case"];
    let got = field(case, "enterprise_name").unwrap_or_else(|| panic!("{done}"));
    assert_eq!((&got["source"], &got["sourcedAt"]), (&json!("applicant"), &Value::Null));
    let before = json!([{
        "value": "十堰测试置业有限公司", "source": "market-regulation.enterprise"
    }]);
    assert_eq!(got["earlier"], before);
}

fn field<'a>(case: &'a Value, name: &str) -> Option<&'a Value> {
    case["form"].as_array()?.iter().find(|value| value["field"] == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_filled_by_two_registers_and_one_that_is_down_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let config = folder.path().join("tongban.toml");
    let agency = agency().await;
    std::fs::write(&config, configuration(&agency)).unwrap();
    let paths = [data.to_str().unwrap(), config.to_str().unwrap()];
    let server = PROGRAM.serve(&["--dev", "--data", paths[0], "--config", paths[1]]);
    let token = PROGRAM.token(&data, &["--role", "applicant", "--party", ENTERPRISE]);

    let case = draft(&server, &token, "one");
    let filled = prefill(&server, &token, &case);
    for (name, value, source) in [
        ("enterprise_name", "十堰测试置业有限公司", "market-regulation.enterprise"),
        ("contractor_name", "十堰测试建设有限公司", "housing-construction.contractor"),
    ] {
        let got = field(&filled, name).unwrap_or_else(|| panic!("{name} is open: {filled}"));
        assert_eq!((&got["value"], &got["source"]), (&json!(value), &json!(source)));
        assert!(got["sourcedAt"].is_string() && got["sourceDigest"].is_string(), "{got}");
        assert_eq!(got["sourcedUnder"]["by"], json!(ENTERPRISE), "{got}");
        assert_eq!(got["sourcedUnder"]["textVersion"], json!("1"), "{got}");
    }
    corrects_by_hand((&server, &token), &case, &filled["formVersion"]);
    let typed = field(&filled, "contractor_uscc").unwrap();
    assert_eq!((&typed["source"], &typed["sourcedAt"]), (&json!("typed"), &Value::Null));

    agency.set_availability(Availability::Down);
    let case = draft(&server, &token, "two");
    let open = prefill(&server, &token, &case);
    assert_eq!(field(&open, "enterprise_name"), None);
    let sources = open["formSources"].as_array().unwrap();
    assert_eq!(sources.len(), 2, "{open}");
    assert!(sources.iter().all(|source| source["cause"] == "UNAVAILABLE"), "{open}");
    drop(server);
    agency.shutdown().await;
}
