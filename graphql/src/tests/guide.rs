//! The guide, as an applicant's page asks for it.

use serde_json::json;

use super::desk::{Desk, applicant};

const GUIDE: &str = "query($service: String!, $region: String!, $situation: JSON) {
    guide(serviceCode: $service, region: $region, situation: $situation) {
      serviceCode title version situation { name answer text(lang: EN) }
      matters { code department intake after { kind matter { code } } promisedLimit { amount unit }
        fees { name amount basis } }
      feeTotal skipped { code }
      materials { code supply text matter { title } sources { kind fileTypes } mayComeLater }
      bring { code names fileTypes matters { code } }
      form { field { name required } matters { code } }
      time { criticalPath { matter { code } limit { amount } } total workingDays check }
      exemption { required handedIn brought percent } warnings { code message(lang: EN) } } }";

#[tokio::test]
async fn a_guide_names_matters_materials_form_and_time() {
    let desk = Desk::open().await;
    let asked = json!({ "service": "shop-opening", "region": "420302" });
    let guide = desk.data(&applicant(), GUIDE, asked).await["guide"].clone();
    assert_eq!(guide["title"], "开店一件事", "{guide}");
    assert_eq!(guide["matters"][1]["after"][0]["matter"]["code"], "signboard");
    assert_eq!(guide["matters"][1]["after"][0]["kind"], "GRANTED");
    assert_eq!(guide["materials"][0]["supply"], "HAND_IN");
    assert_eq!(guide["bring"][0]["names"], json!(["效果图"]));
    assert_eq!(guide["form"][0]["field"]["name"], "shop");
    assert_eq!(guide["time"]["total"], "8个工作日");
    assert_eq!(guide["time"]["check"], "TOO_SHORT");
    assert_eq!(guide["warnings"][0]["code"], "PROMISE_SHORTER_THAN_PATH");
    assert_eq!(guide["exemption"]["percent"], 0);
}

#[tokio::test]
async fn a_guide_names_each_fee_with_its_rule_and_adds_them_up() {
    let desk = Desk::open().await;
    let asked = json!({ "service": "shop-opening", "region": "420302" });
    let guide = desk.data(&applicant(), GUIDE, asked).await["guide"].clone();
    let fees = json!([
        { "name": "工本费", "amount": "12", "basis": "示例收费标准一" },
        { "name": "勘验费", "amount": "80", "basis": "示例收费标准二" },
    ]);
    assert_eq!(guide["matters"][0]["fees"], fees, "{guide}");
    assert_eq!(guide["matters"][1]["fees"], json!([]), "nothing is claimed to be free");
    assert_eq!(guide["feeTotal"], "92");
    let declared =
        "{ service(code: \"shop-opening\") { matters { matter { fees { name amount basis } } } } }";
    let declared = desk.data(&applicant(), declared, json!({})).await["service"].clone();
    assert_eq!(declared["matters"][0]["matter"]["fees"], fees, "{declared}");
}

#[tokio::test]
async fn a_guide_for_nothing_is_refused_with_what_there_is() {
    let desk = Desk::open().await;
    for (service, region, situation, told) in [
        ("shop", "420300", json!({}), "shop-opening"),
        ("shop-opening", "110000", json!({}), "420300"),
        ("shop-opening", "420300", json!({ "q": true }), "no question q"),
        ("shop-opening", "420300", json!([1]), "must be an object"),
    ] {
        let asked = json!({ "service": service, "region": region, "situation": situation });
        let answer = desk.ask(&applicant(), GUIDE, asked).await;
        assert_eq!(answer["data"]["guide"], json!(null), "{answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        let message = answer["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(told), "{message}");
    }
}
