//! What a count looks like, and which folders it refuses.

use std::collections::BTreeMap;

use expect_test::expect;
use tongban_core::figures::{
    Bucket, CardSums, Exemption, Figures, Kept, Month, Span, Sums, Used, Waiting,
};
use tongban_core::id::CommitNo;
use tongban_core::organisation::card_rules::CardLevel;

use super::*;

fn sums() -> Sums {
    let mut sums = Sums {
        cases: 12,
        filed: 12,
        accepted: 11,
        promised: Kept { ended: 9, on_time: 8 },
        used: Used { matters: 9, days: 25, promised_days: 45 },
        corrections: 3,
        case_corrections: 6,
        suspended_now: 1,
        ..Sums::default()
    };
    sums.ended.insert("granted", 9);
    let red = (CardLevel::Red, "natural-resources.head".to_owned());
    sums.cards.insert(red, CardSums { raised: 1, ..CardSums::default() });
    sums
}

fn sample() -> Counted {
    let at = Moment::parse("2026-03-31T23:59:59+08:00").unwrap();
    let mut figures = Figures::default();
    let bucket = Bucket {
        region: RegionCode::new("420302"),
        department: DepartmentCode::new("natural-resources"),
        service: ServiceCode::new("construction-start"),
        month: Month::of(at),
    };
    figures.rows.insert(bucket, sums());
    let waiting = Waiting { matters: 2, days: 9, longest: 6 };
    figures.waiting.insert(("department", "natural-resources.approver".to_owned()), waiting);
    let span = Span { from: None, until: at };
    Counted { figures, stuck: Vec::new(), cases: 12, revision: CommitNo(90), span }
}

#[test]
fn figures_stand_under_each_other_in_both_languages() {
    expect![[r"
        统计 — 至 2026-03-31T23:59:59+08:00,读取办件 12 个,修订号 90
        figures from — until 2026-03-31T23:59:59+08:00, 12 cases read at revision 90

        办件提交                     12           cases submitted
        事项受理                     11           matters accepted
        其中视为受理                 0            of these by silence
        事项办结                     9            matters ended
        承诺时限内                   88.8% (8/9)  ended within the promise
        法定时限内                   —            ended within the law's limit
        平均工作日                   2.78         working days used, average
        平均承诺                     5.00         working days promised, average
        每办件补正                   0.50         corrections for each case
        每事项补正                   0.25         corrections for each matter
        正在中止                     1            suspended now
        中止工作日                   0            working days suspended
        实际减免率                   —            materials exempted
        设计减免率                   —            exempted by design
        红牌 natural-resources.head  1            red cards

        部门 department    受理 accepted  办结 ended  按时 on time  补正  中止
        natural-resources  11             9           88.8% (8/9)   3     1

        等谁 waiting for                       事项 matters  最长工作日 longest
        department natural-resources.approver  2             6"]]
    .assert_eq(&shown::text(&sample()));
    let json = shown::json(&sample());
    assert_eq!(json["rows"][0]["month"], "2026-03");
    assert_eq!(json["total"]["promised"]["onTime"], 8);
    assert_eq!(json["total"]["caseCorrections"], 6);
}

#[test]
fn materials_that_nobody_handed_in_are_shown_by_the_way_they_came_and_with_what_failed() {
    let mut sample = sample();
    let sums = sample.figures.rows.values_mut().next().unwrap();
    sums.exemption = Exemption {
        pairs: 40,
        handed_in: 24,
        open: 2,
        by_cause: BTreeMap::from([("license", 8), ("result", 5), ("data", 1)]),
        fallbacks: BTreeMap::from([("unavailable", 3), ("no_record", 1)]),
        design_pairs: 42,
        design_handed_in: 21,
    };
    let text = shown::text(&sample);
    let about = ["减免", "免提交", "改为上传"];
    let lines: Vec<&str> =
        text.lines().filter(|line| about.iter().any(|word| line.contains(word))).collect();
    expect![[r"
        实际减免率                   35.0% (14/40)  materials exempted
        设计减免率                   50.0% (21/42)  exempted by design
        免提交 data                  1              exempted by data
        免提交 license               8              exempted by license
        免提交 result                5              exempted by result
        改为上传 no_record           1              uploaded after all: no_record
        改为上传 unavailable         3              uploaded after all: unavailable"]]
    .assert_eq(&lines.join("\n"));
    let total = shown::json(&sample)["total"]["exemption"].clone();
    assert_eq!(
        total,
        serde_json::json!({
            "required": 40, "handedIn": 24, "open": 2,
            "byCause": { "data": 1, "license": 8, "result": 5 },
            "fallbacks": { "no_record": 1, "unavailable": 3 },
            "designRequired": 42, "designHandedIn": 21,
        })
    );
}

fn arguments(data: &std::path::Path) -> FiguresArguments {
    FiguresArguments {
        data: data.to_owned(),
        region: "420300".to_owned(),
        from: None,
        until: None,
        department: None,
        service: None,
        format: Format::Json,
    }
}

#[tokio::test]
async fn a_folder_in_use_or_missing_is_refused_and_an_empty_one_has_nothing() {
    let home = tempfile::tempdir().unwrap();
    let missing = counted(&arguments(&home.path().join("none"))).await;
    assert!(matches!(missing, Err(ProgramError::InputOutput { .. })));
    let data = home.path().join("data");
    let server = folder::open(&{
        std::fs::create_dir(&data).unwrap();
        data.clone()
    });
    let busy = counted(&arguments(&data)).await;
    assert!(matches!(busy, Err(ProgramError::FolderInUse(_))));
    drop(server);
    let nothing = counted(&arguments(&data)).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((nothing.cases, nothing.figures), (0, Figures::default()));
}
