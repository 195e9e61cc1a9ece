//! The guide of the shipped service, as it is printed.

use expect_test::{expect, expect_file};

use super::*;
use crate::program::args::SituationArguments;

fn situation(answers: Option<&str>) -> Result<Situation, ProgramError> {
    Situation::read(&SituationArguments {
        service: "construction-start".to_owned(),
        answers: answers.map(ToOwned::to_owned),
        path: None,
    })
}

fn guided(answers: &str) -> Guide {
    situation(Some(answers)).unwrap().guide().unwrap()
}

/// The text without the version, which changes with every script.
fn printed(guide: &Guide, lang: Language) -> String {
    Page::of(guide, lang).replace(&guide.version.hex()[..12], "VERSION")
}

#[test]
fn a_person_reads_everything_at_once() {
    let guide = guided(r#"{"basement": true, "waste": false}"#);
    expect_file!["construction-start.txt"].assert_eq(&printed(&guide, Language::Zh));
}

#[test]
fn the_same_in_english() {
    let guide = guided(r#"{"basement": false, "waste": true}"#);
    let text = printed(&guide, Language::En);
    for words in [
        "Start of construction · one-time notice",
        "Is building waste carried away? yes",
        "Matters (8)",
        "after Filing of an investment project, once it is granted",
        "critical path: Filing of an investment project(1 working day)",
        "62 %: the single matters demand 16, 6 are handed in (4 after merging)",
        "[PROMISE_SHORTER_THAN_PATH]",
    ] {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
}

#[test]
fn open_questions_are_asked_back_with_an_example() {
    let situation = situation(Some(r#"{"waste": true}"#)).unwrap();
    let open = situation.open();
    expect![[r#"
        还有问题需要回答 / these questions are open:
          basement: 是否修建防空地下室？ / Is an air-raid shelter built?
              → true(是)或 false(否) / true or false
        例如 / such as: --answers '{"basement":true,"waste":true}'"#]]
    .assert_eq(&asked_back(&open, situation.answers.as_ref().unwrap()));
}

#[test]
fn nothing_is_guessed() {
    let arguments = |service: &str, answers: Option<&str>| ExplainArguments {
        situation: SituationArguments {
            service: service.to_owned(),
            answers: answers.map(ToOwned::to_owned),
            path: None,
        },
        format: GuideFormat::Text,
        lang: Language::Zh,
    };
    for (service, answers, code) in [
        ("construction-start", None, "ANSWERS_MISSING"),
        ("construction-start", Some("{}"), "ANSWERS_MISSING"),
        ("construction-start", Some("{\"waste\": 1}"), "ANSWERS_WRONG"),
        ("construction-start", Some("{\"wasted\": true}"), "ANSWERS_WRONG"),
        ("construction-start", Some("{"), "ANSWERS_WRONG"),
        ("construction-start", Some("no-such-file.json"), "ANSWERS_WRONG"),
        ("construction-stop", None, "SERVICE_UNKNOWN"),
    ] {
        let refused = run(&arguments(service, answers)).unwrap_err();
        assert_eq!(refused.code(), code, "{service} {answers:?}");
    }
    let refused = run(&arguments("construction-stort", None)).unwrap_err();
    assert!(refused.advice().1.contains("construction-start"), "{:?}", refused.advice());
}

#[test]
fn the_sheet_says_what_the_guide_says() {
    let guide = guided(r#"{"basement": true, "waste": true}"#);
    let sheet = sheet(&guide, "420300");
    assert_eq!(sheet.total.to_hand_in, 4);
    assert_eq!(sheet.total.exempt, 10);
    assert_eq!(sheet.total.time, "5 working days".parse().ok());
    let fire = sheet.matters.iter().find(|matter| matter.code == "fire-design-review").unwrap();
    assert_eq!(fire.materials[1].way, GuideWay::MayFollow);
    let page = String::from_utf8(render_guide(&sheet)).unwrap();
    for words in ["开工审批一件事", "建筑工程施工许可证核发", "可容缺后补", "5个工作日"]
    {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn the_sheet_prints_each_fee_with_its_rule_and_claims_nothing_free() {
    let guide = guided(r#"{"basement": true, "waste": true}"#);
    let sheet = sheet(&guide, "420300");
    let page = String::from_utf8(render_guide(&sheet)).unwrap();
    for words in [
        "不动产登记费（非住宅） 550 元(国家发展改革委、财政部关于不动产登记收费标准等有关问题的通知)",
        "已列明的收费合计 550 元",
        "以主管部门公布的标准为准",
    ] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    assert!(!page.contains("不收费"), "what is not declared is not free");
}
