//! Versions of a service as those who answer for it see and move them, and what one would do to
//! the cases that are under way.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tongban_core::time::Moment;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::Publishing;
use tongban_engine::clock::ManualClock;

use super::desk::{
    Desk, Mode, START, applicant, approver, builder, clerk, colleague, head, matter_id, scripts,
    start_input, supervisor,
};
use super::tax::{self, integrator};

const HANDLE: &str = r#"fn handle(m) {
    let seen = receive("visit");
    let opinion = decide("tax.approver", #{ title: "清税审查" });
    if opinion.denied { return deny(opinion); }
    receive("collected");
    grant(opinion)
}
"#;
const PUBLISH: &str = "mutation($input: PublishScriptsInput!) { publishScripts(input: $input) {
    versions { version standing author regions steps { no step by role reason } }
    errors { __typename ... on UserError { code path message(lang: EN) } } } }";
const MOVED: &str = "version { version standing standingName regions author
    steps { no step by role reason } }";
const REPORT: &str = "query($version: String!, $region: String, $first: Int!, $after: String) {
    upgradeReport(serviceCode: \"tax-clearance\", version: $version, region: $region, first: $first,
      after: $after) {
        nodes { caseId number from outcome
          matters { matter outcome provenUpTo asks request expected got message file line } }
        pageInfo { hasNextPage endCursor } } }";

/// A desk where only approved versions are used.
async fn strict() -> Desk {
    let nine = Moment::parse("2026-03-02T09:00:00+08:00").unwrap();
    let wire = Arc::new(ManualClock::new(nine));
    let scripts = scripts();
    let engine = builder(&scripts, &wire).publishing(Publishing::Approved).start().await.unwrap();
    Desk::over(engine, scripts, (wire, Mode::Production)).await
}

impl Desk {
    async fn move_version(&self, who: &Viewer, input: &Json) -> Json {
        let document = format!(
            "mutation($input: MoveVersionInput!) {{ moveVersion(input: $input) {{ {MOVED} replayed
               errors {{ __typename ... on UserError {{ code path message(lang: EN) }}
                 ... on WrongState {{ rule }} }} }} }}"
        );
        self.data(who, &document, json!({ "input": input })).await["moveVersion"].clone()
    }

    /// Moves a version as somebody who may not, or to where it cannot go; returns the refusal.
    async fn not_moved(&self, who: &Viewer, input: &Json) -> Json {
        let moved = self.move_version(who, input).await;
        assert_eq!(moved["version"], Json::Null, "{moved}");
        assert_eq!(moved["errors"].as_array().map(Vec::len), Some(1), "{moved}");
        moved["errors"][0].clone()
    }

    /// Starts a case at a place, and returns the refusal, null when it was started.
    async fn not_started(&self, region: &str, key: &str) -> Json {
        let mut input = start_input(key);
        input["region"] = json!(region);
        let document =
            START.replace("... on UserError", "... on WrongState { rule } ... on UserError");
        let started = self.data(&applicant(), &document, json!({ "input": input })).await;
        started["startCase"]["errors"][0].clone()
    }

    async fn visited(&self, case: &str) {
        let message = json!({ "caseMatterId": matter_id(case, 1), "channel": "visit",
            "body": { "seen": true }, "idempotencyKey": format!("{case}-visit") });
        let sent = self.mutate(&clerk(), "sendMessage", (message, "case { id }")).await;
        assert_eq!(sent["errors"], json!([]), "{sent}");
    }

    async fn reported(&self, who: &Viewer, version: &str, first: u32) -> (Vec<Json>, u32) {
        let (mut nodes, mut pages, mut after) = (Vec::new(), 0, Json::Null);
        loop {
            let asked = json!({ "version": version, "first": first, "after": after });
            let page = self.data(who, REPORT, asked).await["upgradeReport"].clone();
            nodes.extend(page["nodes"].as_array().unwrap().clone());
            pages += 1;
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                return (nodes, pages);
            }
        }
    }
}

/// Opens a desk at which one person has published a draft, and returns the version.
async fn drafted() -> (Desk, Json) {
    let desk = strict().await;
    let loaded = desk.not_started("420302", "a").await;
    assert_eq!(loaded["code"], "UNKNOWN_SERVICE", "nobody has published it: {loaded}");
    let input =
        json!({ "serviceCode": "shop-opening", "reason": "首次上线", "idempotencyKey": "p" });
    let published = desk.data(&integrator(), PUBLISH, json!({ "input": input })).await;
    let version = published["publishScripts"]["versions"][0].clone();
    assert_eq!((&version["standing"], &version["author"]), (&json!("draft"), &json!("wang")));
    let draft = desk.not_started("420302", "b").await;
    assert_eq!(draft["rule"], "NO_ACTIVE_VERSION", "{draft}");
    (desk, version["version"].clone())
}

/// Asks for a move of a version.
fn moving(version: &Json, (to, regions): (&str, Json), key: &str) -> Json {
    json!({ "serviceCode": "shop-opening", "version": version, "to": to, "regions": regions,
        "reason": "按计划上线", "idempotencyKey": key })
}

#[tokio::test]
async fn a_version_is_moved_by_a_second_person_of_the_leading_department_and_by_nobody_else() {
    let (desk, digest) = drafted().await;
    let to = |to: &str, regions: Json, key: &str| moving(&digest, (to, regions), key);
    let strangers = [
        applicant(),
        clerk(),
        approver(),
        colleague(),
        supervisor(),
        tax::head(),
        Viewer::new("admin-1", Role::SystemAdmin).within("420300"),
    ];
    for who in strangers {
        for wanted in ["PILOT", "ACTIVE", "RETIRED"] {
            let refused = desk.not_moved(&who, &to(wanted, json!(["420302"]), "stranger")).await;
            assert_eq!(refused["code"], "NOT_PERMITTED", "{who:?} {wanted}: {refused}");
        }
    }
    for wanted in ["PILOT", "ACTIVE"] {
        let alone = desk.not_moved(&integrator(), &to(wanted, json!(["420302"]), "alone")).await;
        assert_eq!(alone["code"], "NOT_PERMITTED", "{alone}");
        assert!(alone["message"].as_str().unwrap().contains("another person"), "{alone}");
    }
    let mut silent = to("ACTIVE", json!(null), "silent");
    silent["reason"] = json!(" ");
    let mut blank = to("ACTIVE", json!(null), " ");
    blank["reason"] = json!("x");
    let mut unread = to("ACTIVE", json!(null), "unread");
    unread["version"] = json!("v1");
    let mut unknown = to("ACTIVE", json!(null), "unknown");
    unknown["version"] = json!("0".repeat(64));
    let mut foreign = to("ACTIVE", json!(null), "foreign");
    foreign["serviceCode"] = json!("tax-clearance");
    for (input, code, path) in [
        (silent, "INVALID_INPUT", "reason"),
        (blank, "INVALID_INPUT", "idempotencyKey"),
        (unread, "INVALID_INPUT", "version"),
        (unknown, "NOT_FOUND", "version"),
        (foreign, "NOT_FOUND", "version"),
        (to("PILOT", json!([]), "nowhere"), "INVALID_INPUT", "regions"),
    ] {
        let refused = desk.not_moved(&head(), &input).await;
        assert_eq!((&refused["code"], &refused["path"]), (&json!(code), &json!([path])), "{input}");
    }
    assert_eq!(desk.not_started("420302", "c").await["rule"], "NO_ACTIVE_VERSION");
}

#[tokio::test]
async fn a_version_goes_to_a_pilot_place_then_everywhere_and_out_of_use() {
    let (desk, digest) = drafted().await;
    let to = |to: &str, regions: Json, key: &str| moving(&digest, (to, regions), key);
    let piloted = desk.move_version(&head(), &to("PILOT", json!(["420302"]), "pilot")).await;
    assert_eq!(piloted["errors"], json!([]), "{piloted}");
    let version = &piloted["version"];
    assert_eq!((&version["standing"], &version["regions"]), (&json!("pilot"), &json!(["420302"])));
    assert_eq!(
        version["steps"],
        json!([
            { "no": 1, "step": "drafted", "by": "wang", "role": "integrator", "reason": "首次上线" },
            { "no": 2, "step": "piloted", "by": "head-1", "role": "office_head", "reason": "按计划上线" }
        ])
    );
    assert_eq!(desk.not_started("420302", "c").await, Json::Null, "the pilot place");
    let elsewhere = desk.not_started("420303", "d").await;
    assert_eq!(elsewhere["rule"], "NO_ACTIVE_VERSION", "{elsewhere}");
    let active = desk.move_version(&head(), &to("ACTIVE", json!(null), "active")).await;
    assert_eq!(active["version"]["standing"], "active", "{active}");
    assert_eq!(active["version"]["regions"], json!([]));
    assert_eq!(desk.not_started("420303", "e").await, Json::Null, "every place");
    let late = desk.move_version(&head(), &to("PILOT", json!(["420302"]), "pilot")).await;
    assert_eq!((&late["replayed"], &late["errors"]), (&json!(true), &json!([])), "{late}");
    assert_eq!(late["version"]["standing"], "active", "a repetition moves nothing back");
    let reused = desk.not_moved(&head(), &to("RETIRED", json!(null), "pilot")).await;
    assert_eq!(reused["code"], "IDEMPOTENCY_KEY_REUSED", "{reused}");
    let back = desk.not_moved(&head(), &to("PILOT", json!(["420302"]), "back")).await;
    assert_eq!((&back["code"], &back["rule"]), (&json!("WRONG_STATE"), &json!("WRONG_STATE")));
    let retired = desk.move_version(&integrator(), &to("RETIRED", json!(null), "retired")).await;
    assert_eq!(retired["version"]["standing"], "retired", "{retired}");
    assert_eq!(desk.not_started("420302", "f").await["rule"], "NO_ACTIVE_VERSION");

    let listed =
        "{ serviceVersions(serviceCode: \"shop-opening\") { version standing steps { by } } }";
    let seen = desk.data(&head(), listed, json!({})).await["serviceVersions"].clone();
    assert_eq!((&seen[0]["version"], &seen[0]["standing"]), (&digest, &json!("retired")));
    assert_eq!(seen[0]["steps"].as_array().map(Vec::len), Some(4), "{seen}");
    let hidden = desk.ask(&applicant(), listed, json!({})).await;
    assert_eq!(hidden["errors"][0]["extensions"]["code"], "FORBIDDEN", "{hidden}");
}

#[tokio::test]
async fn an_upgrade_report_shows_which_live_cases_pass_diverge_or_stand_in_a_decision() {
    let desk = tax::desk(&tax::matter(HANDLE), None).await;
    let officer = tax::officer();
    let decided = desk.clearance("decided").await;
    desk.visited(&decided).await;
    desk.complete(&officer, "DECIDE").await;
    let deciding = desk.clearance("deciding").await;
    desk.visited(&deciding).await;
    let early = desk.clearance("early").await;
    let fetched = tax::matter(HANDLE).replace("\"collected\"", "\"fetched\"");
    let new = desk.publish(&fetched).await;

    let (nodes, pages) = desk.reported(&tax::head(), &new, 2).await;
    assert_eq!((nodes.len(), pages), (3, 2), "{nodes:?}");
    let of = |case: &str| {
        let one = nodes.iter().find(|one| one["caseId"] == case);
        let one = one.unwrap_or_else(|| panic!("{case} in {nodes:?}"));
        assert_ne!(one["from"], json!(new), "the version that it is pinned to");
        (one["outcome"].clone(), one["matters"][0].clone())
    };
    let (outcome, matter) = of(&early);
    assert_eq!((&outcome, &matter["outcome"]), (&json!("passes"), &json!("passes")), "{matter}");
    assert!(matter["provenUpTo"].is_u64() && matter["request"].is_null(), "{matter}");
    let (outcome, matter) = of(&deciding);
    assert_eq!((&outcome, &matter["matter"]), (&json!("opaque"), &json!("clearance")));
    assert!(matter["provenUpTo"].is_u64() && matter["got"].is_null(), "{matter}");
    let (outcome, matter) = of(&decided);
    assert_eq!((&outcome, &matter["request"]), (&json!("diverges"), &json!("1.0#2")), "{matter}");
    let said = |name: &str| matter[name].as_str().unwrap().to_owned();
    assert!(said("expected").contains("collected") && said("got").contains("fetched"), "{matter}");
    assert_eq!(
        (&matter["file"], &matter["line"]),
        (&json!("matters/tax/clearance.rhai"), &json!(11))
    );
    let (again, _) = desk.reported(&integrator(), &new, 50).await;
    assert_eq!(again, nodes, "nothing was written by asking");

    let elsewhere = json!({ "version": new, "region": "420303", "first": 10 });
    let elsewhere = desk.data(&tax::head(), REPORT, elsewhere).await;
    assert_eq!(elsewhere["upgradeReport"]["nodes"], json!([]), "no case was filed there");
    let refused = async |who: &Viewer, asked: Json| {
        let answer = desk.ask(who, REPORT, asked).await;
        answer["errors"][0]["extensions"]["code"].clone()
    };
    for who in [applicant(), clerk(), officer.clone(), supervisor(), head()] {
        let asked = json!({ "version": new, "first": 10 });
        assert_eq!(refused(&who, asked).await, "FORBIDDEN", "{who:?}");
    }
    let abroad = json!({ "version": new, "region": "420600", "first": 10 });
    assert_eq!(refused(&tax::head(), abroad).await, "FORBIDDEN");
    for (version, first) in [("0".repeat(64), 10), ("v2".to_owned(), 10), (new.clone(), 0)] {
        let asked = json!({ "version": version, "first": first });
        assert_eq!(refused(&tax::head(), asked).await, "BAD_REQUEST", "{version} {first}");
    }
}
