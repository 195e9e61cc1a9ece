//! Guides of a small service, told for several situations.

use std::collections::BTreeMap;

use super::*;
use crate::definition::{Field, FieldKind, MaterialDef, ServiceDef, Source};
use crate::id::RegionCode;

fn field(name: &str, kind: FieldKind) -> Field {
    Field {
        name: name.to_owned(),
        label: format!("{name}?"),
        label_en: String::new(),
        kind,
        required: true,
        source: None,
    }
}

fn material(code: &str, sources: &[Source]) -> MaterialDef {
    MaterialDef { code: code.to_owned(), name: code.to_uppercase(), sources: sources.to_vec() }
}

fn upload(types: &[&str]) -> Source {
    Source::Upload(types.iter().map(|kind| (*kind).to_owned()).collect())
}

fn result_of(code: &str) -> Source {
    Source::ResultOf(MatterCode::new(code))
}

fn matter(code: &str, promised: &str, materials: Vec<MaterialDef>) -> MatterDef {
    MatterDef {
        code: MatterCode::new(code),
        name: format!("事项{code}"),
        name_en: String::new(),
        department: DepartmentCode::new("d"),
        regime: Regime::Licence,
        basis: String::new(),
        intake: Intake::Auto,
        decides_in: DecidesIn::Here,
        limits: Limits { statutory: None, promised: promised.parse().ok() },
        form: vec![field("name", FieldKind::Text { max: 5 })],
        materials,
        gives: None,
        procedure: crate::law::Procedure::default(),
        fees: Vec::new(),
        advises: false,
    }
}

/// A matter with what it comes after and what of it may come later.
type Row = (MatterDef, Vec<(&'static str, After)>, &'static [&'static str]);

fn closure(promise: &str, rows: Vec<Row>) -> Closure {
    let parts = rows.iter().map(|(matter, after, tolerates)| Part {
        after: after.iter().map(|(code, after)| (MatterCode::new(*code), *after)).collect(),
        tolerates: tolerates.iter().map(|code| (*code).to_owned()).collect(),
        ..Part::new(matter.code.clone())
    });
    let service = ServiceDef {
        code: ServiceCode::new("s"),
        name: "示例".to_owned(),
        name_en: "Sample".to_owned(),
        lead: DepartmentCode::new("d"),
        target: "person".to_owned(),
        regions: vec![RegionCode::new("420300")],
        promise: promise.parse().ok(),
        questions: vec![
            field("q", FieldKind::YesNo),
            field("c", FieldKind::Choice(vec!["a".to_owned(), "b".to_owned()])),
        ],
        parts: parts.collect(),
        computed: false,
        on_partial: false,
    };
    let matters: BTreeMap<_, _> =
        rows.into_iter().map(|(matter, _, _)| (matter.code.clone(), matter)).collect();
    Closure { digest: Digest::of(b"s"), api_level: 1, service, matters }
}

/// Three matters: b and c need the result of a; d may come without it.
fn sample() -> Closure {
    let of_a = material("of-a", &[result_of("a"), upload(&["pdf"])]);
    let own = |types: &[&str]| material("own", &[upload(types)]);
    closure(
        "2 working days",
        vec![
            (matter("a", "2 working days", vec![own(&["pdf", "dwg"])]), vec![], &[]),
            (matter("b", "1 working day", vec![of_a.clone()]), vec![("a", After::Granted)], &[]),
            (
                matter("c", "5 calendar days", vec![of_a, own(&["pdf"])]),
                vec![("a", After::Accepted)],
                &["of-a"],
            ),
        ],
    )
}

fn told(guide: &Guide) -> Vec<(&str, &str, &str)> {
    let pairs = guide.requirements.iter();
    pairs.map(|one| (one.matter.code.as_str(), one.material.as_str(), one.supply.code())).collect()
}

#[test]
fn a_material_is_told_per_matter_and_brought_once() {
    let guide = guide(&sample(), &[true; 3], &Value::map());
    assert_eq!(
        told(&guide),
        [
            ("a", "own", "hand_in"),
            ("b", "of-a", "earlier_matter"),
            ("c", "of-a", "earlier_matter"),
            ("c", "own", "hand_in"),
        ]
    );
    assert_eq!(guide.bring.len(), 1);
    let own = &guide.bring[0];
    assert_eq!(own.types, ["pdf"], "what both matters take");
    let matters: Vec<&str> = own.matters.iter().map(|matter| matter.code.as_str()).collect();
    assert_eq!(matters, ["a", "c"]);
    assert!(!own.may_come_later);
    assert!(guide.requirements[2].may_come_later);
    assert!(guide.requirements[2].supply_words().zh.ends_with("可容缺后补"));
}

#[test]
fn the_design_rate_counts_pairs_of_the_situation() {
    let exemption = |selected: &[bool]| guide(&sample(), selected, &Value::map()).exemption;
    let all = exemption(&[true; 3]);
    assert_eq!((all.pairs, all.handed_in, all.brought, all.percent), (4, 2, 1, Some(50)));
    assert_eq!(all.by_cause, BTreeMap::from([("earlier_matter", 2)]));
    let alone = exemption(&[false, true, false]);
    assert_eq!((alone.pairs, alone.handed_in, alone.percent), (1, 1, Some(0)));
    assert_eq!(exemption(&[false; 3]).percent, None);
}

#[test]
fn the_result_of_a_skipped_matter_is_handed_in() {
    let guide = guide(&sample(), &[false, true, false], &Value::map());
    assert_eq!(told(&guide), [("b", "of-a", "hand_in")]);
    assert_eq!(guide.bring[0].types, ["pdf"]);
    assert!(guide.matters[0].after.is_empty(), "a skipped matter passes through");
    assert_eq!(guide.skipped.len(), 2);
    assert_eq!(guide.matters[0].no, 2);
}

#[test]
fn a_field_is_asked_once_and_names_its_matters() {
    let guide = guide(&sample(), &[true, true, false], &Value::map());
    assert_eq!(guide.form.len(), 1);
    assert_eq!(guide.form[0].matters.len(), 2);
}

fn path(guide: &Guide) -> Vec<(&str, LimitBasis)> {
    let stretches = guide.time.critical_path.iter();
    stretches.map(|one| (one.matter.code.as_str(), one.basis)).collect()
}

#[test]
fn units_stay_apart_on_the_critical_path() {
    use LimitBasis::{Acceptance, Promised};

    // 5 calendar days beside an acceptance outweigh 3 working days.
    let both = guide(&sample(), &[true; 3], &Value::map());
    assert_eq!(path(&both), [("a", Acceptance), ("c", Promised)]);
    assert_eq!(both.time.total.words().zh, "5个自然日");
    let row = |code, limit, after| (matter(code, limit, vec![]), after, [].as_slice());
    let mixed = closure(
        "3 working days",
        vec![row("x", "2 working days", vec![]), row("y", "2 hours", vec![("x", After::Ended)])],
    );
    let mixed = guide(&mixed, &[true; 2], &Value::map()).time;
    assert!(mixed.total.is_mixed());
    assert_eq!(mixed.total.words().en, "2 working days and 2 hours");
    assert_eq!(mixed.check, PromiseCheck::Fits);
}

#[test]
fn a_promise_shorter_than_the_path_is_warned_of() {
    let situation = Value::of([("q", true.into()), ("c", "a".into())]);
    let short = guide(&sample(), &[true, true, false], &situation);
    assert_eq!(path(&short), [("a", LimitBasis::Promised), ("b", LimitBasis::Promised)]);
    assert_eq!(short.time.check, PromiseCheck::TooShort);
    assert_eq!(short.warnings.len(), 1);
    assert!(short.warnings[0].words.en.contains("2 working days, is shorter than"));
    let one = guide(&sample(), &[true, false, false], &situation);
    assert_eq!(one.time.check, PromiseCheck::Fits);
    assert_eq!(one.warnings, []);
}

#[test]
fn a_statutory_limit_counts_where_nothing_is_promised() {
    let mut lawful = matter("x", "", vec![]);
    lawful.limits.statutory = "20 working days".parse().ok();
    let none = matter("y", "", vec![]);
    let rows = vec![(lawful, vec![], [].as_slice()), (none, vec![("x", After::Granted)], &[])];
    let guide = guide(&closure("", rows), &[true; 2], &Value::map());
    assert_eq!(path(&guide), [("x", LimitBasis::Statutory), ("y", LimitBasis::Unknown)]);
    assert_eq!(guide.time.check, PromiseCheck::NoPromise);
    assert!(guide.warnings.iter().any(|warning| warning.code == "LIMIT_MISSING"));
}

#[test]
fn open_questions_are_asked_and_wrong_answers_refused() {
    let closure = sample();
    let open = |answers: &Value| {
        let open = answers::open(&closure, answers).into_iter();
        open.map(|question| question.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(open(&Value::Null), ["q", "c"]);
    assert_eq!(open(&Value::of([("q", false.into())])), ["c"]);
    let code = |answers: Value| answers::check(&closure, &answers).unwrap_err().code;
    assert_eq!(code(Value::of([("p", true.into())])), "UNKNOWN_FIELD");
    assert_eq!(code(Value::of([("q", "yes".into())])), "INVALID_FIELD");
    assert_eq!(code(Value::of([("c", "z".into())])), "INVALID_FIELD");
    assert_eq!(code(Value::Int(1)), "INVALID_INPUT");
    assert_eq!(answers::check(&closure, &Value::of([("c", "b".into())])), Ok(()));
    for question in &closure.service.questions {
        let example = Value::Map([(question.name.clone(), answers::example(question))].into());
        assert_eq!(answers::check(&closure, &example), Ok(()));
    }
}

#[test]
fn a_guide_is_written_with_stable_codes() {
    let guide = guide(&sample(), &[true; 3], &Value::of([("q", true.into())]));
    let json = serde_json::to_value(&guide).unwrap();
    assert_eq!(json["matters"][0]["intake"]["code"], "auto");
    assert_eq!(json["matters"][0]["limits"]["promised"], "2 working days");
    assert_eq!(json["matters"][1]["after"][0]["awaits"]["code"], "granted");
    assert_eq!(json["requirements"][1]["supply"]["by"], "earlier_matter");
    assert_eq!(json["requirements"][1]["sources"][0]["code"], "result_of");
    assert_eq!(json["form"][0]["field"]["maxLength"], 5);
    assert_eq!(json["situation"][0]["answer"], true);
    assert_eq!(json["situation"][1]["words"]["zh"], "未回答");
    assert_eq!(json["time"]["check"], "too_short");
    assert_eq!(json["version"].as_str().unwrap().len(), 64);
}

#[test]
fn fees_are_told_with_their_basis_and_added_up() {
    let mut closure = sample();
    let fee = |amount: &str| crate::definition::Fee {
        name: "登记费".to_owned(),
        amount: amount.parse().unwrap(),
        basis: "收费目录第三条".to_owned(),
    };
    let codes: Vec<MatterCode> = closure.matters.keys().cloned().collect();
    closure.matters.get_mut(&codes[0]).unwrap().fees = vec![fee("550"), fee("10.50")];
    let all = vec![true; closure.service.parts.len()];
    let told = guide(&closure, &all, &Value::map());
    assert_eq!(told.fees, Some("560.50".parse().unwrap()));
    let words = told.matters[0].fee_words();
    assert_eq!(words[0].zh, "登记费 550 元(收费目录第三条)");
    let json = serde_json::to_value(&told).unwrap();
    assert_eq!(json["fees"], "560.50");
    assert_eq!(json["matters"][0]["fees"][1]["amount"], "10.50");

    closure.matters.get_mut(&codes[0]).unwrap().fees.clear();
    assert_eq!(guide(&closure, &all, &Value::map()).fees, None, "nothing is claimed to be free");
}
