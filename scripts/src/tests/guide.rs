//! The guide of the shipped service, for several answers.

use tongban_core::guide::{Guide, PromiseCheck, guide};
use tongban_core::id::ServiceCode;
use tongban_core::port::Script as _;
use tongban_core::value::Value;

use crate::Host;

fn told(answers: &Value) -> Guide {
    let host = Host::shipped().unwrap_or_else(|error| panic!("{error}"));
    let closure = host.active(&ServiceCode::new("construction-start")).unwrap();
    let selected = host.select(&closure, answers).unwrap();
    guide(&closure, &selected, answers)
}

/// With an air-raid shelter; the waste is `carried`: `"away"`, or not at all.
fn answers(carried: &str) -> Value {
    Value::of([("basement", true.into()), ("waste", (carried == "away").into())])
}

fn brought(guide: &Guide) -> Vec<&str> {
    guide.bring.iter().map(|one| one.material.as_str()).collect()
}

#[test]
fn with_waste_all_eight_matters_and_four_own_materials() {
    let guide = told(&answers("away"));
    assert_eq!((guide.matters.len(), guide.skipped.len()), (8, 0));
    assert_eq!(
        brought(&guide),
        ["land-contract", "design-drawings", "construction-contract", "disposal-plan"]
    );
    let drawings = &guide.bring[1];
    assert_eq!(drawings.names, ["设计方案图纸", "消防设计文件"]);
    assert_eq!(drawings.matters.len(), 2, "one upload serves two matters");
    let exemption = &guide.exemption;
    assert_eq!((exemption.pairs, exemption.handed_in, exemption.percent), (16, 6, Some(62)));
    assert_eq!(exemption.by_cause["earlier_matter"], 8);
    assert_eq!(exemption.by_cause["data"], 1);
    assert_eq!(exemption.by_cause["license"], 1);
    assert_eq!(guide.fees, Some(550.into()), "what is declared is told before he files");
}

#[test]
fn without_waste_its_matter_material_and_fields_are_gone() {
    let guide = told(&answers("nowhere"));
    assert_eq!(guide.matters.len(), 7);
    assert_eq!(guide.skipped[0].code.as_str(), "waste-disposal");
    assert!(!brought(&guide).contains(&"disposal-plan"));
    let asked: Vec<&str> = guide.form.iter().map(|one| one.field.name.as_str()).collect();
    assert!(!asked.contains(&"waste_volume"), "{asked:?}");
    let parcel = guide.form.iter().find(|one| one.field.name == "parcel_no").unwrap();
    assert_eq!(parcel.matters.len(), 3, "asked once, used by three");
    assert_eq!((guide.exemption.pairs, guide.exemption.percent), (15, Some(66)));
}

#[test]
fn the_promise_of_one_day_is_shorter_than_five_promises_in_a_row() {
    let guide = told(&answers("away"));
    let path: Vec<&str> =
        guide.time.critical_path.iter().map(|one| one.matter.code.as_str()).collect();
    assert_eq!(
        path,
        [
            "investment-filing",
            "land-use-planning-permit",
            "engineering-planning-permit",
            "civil-air-defence-review",
            "construction-permit",
        ]
    );
    assert_eq!(guide.time.total.words().en, "5 working days");
    assert_eq!(guide.time.check, PromiseCheck::TooShort);
    let codes: Vec<&str> = guide.warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(codes, ["PROMISE_SHORTER_THAN_PATH"]);
}

#[test]
fn what_may_come_later_is_said() {
    let guide = told(&Value::Null);
    let later: Vec<(&str, &str)> = guide
        .requirements
        .iter()
        .filter(|one| one.may_come_later)
        .map(|one| (one.matter.code.as_str(), one.material.as_str()))
        .collect();
    assert_eq!(later, [("fire-design-review", "engineering-planning-permit")]);
    let open = guide.warnings.iter().filter(|warning| warning.code == "QUESTION_OPEN");
    assert_eq!(open.count(), 2);
}
