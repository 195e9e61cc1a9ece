//! Figures, as a supervisor's page asks for them.

use serde_json::json;
use tongban_core::viewer::{Role, Viewer};

use super::desk::{Desk, applicant, approver, clerk};

const FIGURES: &str = "query($input: FiguresInput!) {
    figures(input: $input) { revision casesRead until
      total { cases filed accepted completed endings { code count }
        promisedOnTime { part whole permille } averageDays averagePromisedDays
        corrections correctionsPerMatter correctionsPerCase suspendedNow cards { level office raised }
        exemption { required handedIn actual { part permille } design { whole permille } fallbacks { code } } }
      groups(by: DEPARTMENT) { key sums { cases filed accepted } } }
    stuck(input: $input) { parties { party who matters longest }
      matters(first: 10) { number title department party who days text(lang: EN) } } }";

fn supervisor() -> Viewer {
    Viewer::new("s", Role::Supervisor).within("420300")
}

#[tokio::test]
async fn a_supervisor_sees_what_was_done_and_who_is_waited_for() {
    let desk = Desk::open().await;
    desk.submitted().await;
    desk.complete(&clerk(), "INTAKE").await;
    desk.complete(&approver(), "DECIDE").await;
    let asked = json!({ "input": { "region": "420300" } });
    let answer = desk.data(&supervisor(), FIGURES, asked.clone()).await;
    let total = &answer["figures"]["total"];
    assert_eq!(answer["figures"]["casesRead"], 1, "{answer}");
    assert_eq!((&total["cases"], &total["filed"]), (&json!(1), &json!(2)), "{answer}");
    assert_eq!(total["endings"], json!([{ "code": "granted", "count": 1 }]));
    assert_eq!(total["promisedOnTime"], json!({ "part": 1, "whole": 1, "permille": 1000 }));
    assert_eq!(total["averageDays"], "0.00");
    assert_eq!((&total["corrections"], &total["correctionsPerCase"]), (&json!(0), &json!("0.00")));
    assert_eq!(total["averagePromisedDays"], "5.00");
    assert_eq!(total["exemption"]["handedIn"], 1);
    assert_eq!(total["exemption"]["design"], json!({ "whole": 1, "permille": 0 }));
    let groups = answer["figures"]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["key"], "transport");
    assert_eq!(answer["stuck"]["parties"][0]["party"], "window", "{answer}");
    assert_eq!(answer["stuck"]["matters"][0]["title"], "占道");
    let again = desk.data(&supervisor(), FIGURES, asked).await;
    assert_eq!(again["figures"], answer["figures"], "the same at the same revision");
}

#[tokio::test]
async fn figures_are_for_those_who_supervise_and_for_an_office_about_itself() {
    let desk = Desk::open().await;
    desk.submitted().await;
    let own = desk.data(&approver(), FIGURES, json!({ "input": {} })).await;
    let groups = own["figures"]["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["key"] == "urban-management"), "{own}");
    let elsewhere = Viewer::new("s", Role::Supervisor).within("420600");
    let nothing = desk.data(&elsewhere, FIGURES, json!({ "input": {} })).await;
    assert_eq!(nothing["figures"]["casesRead"], 0);
    for (viewer, input) in [
        (applicant(), json!({})),
        (clerk(), json!({})),
        (elsewhere, json!({ "region": "420300" })),
        (approver(), json!({ "department": "transport" })),
    ] {
        let answer = desk.ask(&viewer, FIGURES, json!({ "input": input })).await;
        assert_eq!(answer["data"], json!({ "figures": null, "stuck": null }), "{answer}");
        let code = answer["errors"][0]["extensions"]["code"].as_str().unwrap();
        assert!(["NOT_PERMITTED", "FORBIDDEN"].contains(&code), "{answer}");
    }
}
