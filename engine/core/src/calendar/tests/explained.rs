//! What a count looks like day by day.

use expect_test::{Expect, expect};

use super::*;

fn shown(explained: &Explanation) -> String {
    let lines = explained.days.iter().map(|day| {
        let sign = if day.counted { '+' } else { ' ' };
        let span = if day.date < day.last { format!("..{}", day.last) } else { String::new() };
        let mark = if day.provisional { " ?" } else { "" };
        format!("{}{span} {sign} {} {} / {}{mark}\n", day.date, day.total, day.zh, day.en)
    });
    lines.collect()
}

fn explain(since: &str, budget: &str, suspensions: &[&str]) -> Explanation {
    let calendar = Calendar::national();
    calendar.explain(at(since), period(budget), 0, &stood(suspensions), at("2026-03-31"))
}

#[track_caller]
fn check(since: &str, budget: &str, suspensions: &[&str], expected: &Expect) {
    expected.assert_eq(&shown(&explain(since, budget, suspensions)));
}

#[test]
fn the_spring_festival_is_shown_day_by_day() {
    check(
        "2026-02-12",
        "5 working days",
        &[],
        &expect![[r#"
        2026-02-12   0 发生日,不计入 / day of the event, never counted
        2026-02-13 + 1 工作日 / working day
        2026-02-14 + 2 调休上班(春节) / make-up workday (春节)
        2026-02-15   2 春节放假 / holiday (春节)
        2026-02-16   2 春节放假 / holiday (春节)
        2026-02-17   2 春节放假 / holiday (春节)
        2026-02-18   2 春节放假 / holiday (春节)
        2026-02-19   2 春节放假 / holiday (春节)
        2026-02-20   2 春节放假 / holiday (春节)
        2026-02-21   2 春节放假 / holiday (春节)
        2026-02-22   2 春节放假 / holiday (春节)
        2026-02-23   2 春节放假 / holiday (春节)
        2026-02-24 + 3 工作日 / working day
        2026-02-25 + 4 工作日 / working day
        2026-02-26 + 5 工作日 / working day
    "#]],
    );
}

#[test]
fn a_suspended_day_says_which_suspension_froze_it() {
    let hearing = ["2026-03-05..2026-03-09", "2026-03-06..2026-03-06"];
    check(
        "2026-03-02",
        "5 working days",
        &hearing,
        &expect![[r#"
        2026-03-02   0 发生日,不计入 / day of the event, never counted
        2026-03-03 + 1 工作日 / working day
        2026-03-04 + 2 工作日 / working day
        2026-03-05   2 第 1 次中止,冻结 1 个工作日 / suspension 1, 1 working day frozen
        2026-03-06   2 第 1 次中止,冻结 1 个工作日 / suspension 1, 1 working day frozen
        2026-03-07   2 第 1 次中止,本非工作日 / suspension 1, no working day anyway
        2026-03-08   2 第 1 次中止,本非工作日 / suspension 1, no working day anyway
        2026-03-09   2 第 1 次中止,冻结 1 个工作日 / suspension 1, 1 working day frozen
        2026-03-10 + 3 工作日 / working day
        2026-03-11 + 4 工作日 / working day
        2026-03-12 + 5 工作日 / working day
    "#]],
    );
}

#[test]
fn days_past_the_end_are_marked() {
    check(
        "2026-12-30",
        "3 working days",
        &[],
        &expect![[r#"
        2026-12-30   0 发生日,不计入 / day of the event, never counted
        2026-12-31 + 1 工作日 / working day
        2027-01-01 + 2 工作日;暂定:放假安排未载入 / working day; provisional: no holiday notice loaded ?
        2027-01-02   2 周末;暂定:放假安排未载入 / weekend; provisional: no holiday notice loaded ?
        2027-01-03   2 周末;暂定:放假安排未载入 / weekend; provisional: no holiday notice loaded ?
        2027-01-04 + 3 工作日;暂定:放假安排未载入 / working day; provisional: no holiday notice loaded ?
    "#]],
    );
}

#[test]
fn hours_are_shown_in_parts_of_days() {
    let hearing = ["2026-03-02T22:00:00+08:00..2026-03-04T01:30:00+08:00"];
    check(
        "2026-03-02T20:00:00+08:00",
        "4 hours",
        &hearing,
        &expect![[r#"
        2026-03-02 + 7200000 计入 2 小时 / 2 h counted
        2026-03-02   7200000 第 1 次中止,冻结 2 小时 / suspension 1, 2 h frozen
        2026-03-03   7200000 第 1 次中止,冻结 24 小时 / suspension 1, 24 h frozen
        2026-03-04   7200000 第 1 次中止,冻结 1 小时 30 分 / suspension 1, 1 h 30 min frozen
        2026-03-04 + 14400000 计入 2 小时 / 2 h counted
    "#]],
    );
}

#[test]
fn months_are_shown_as_the_days_they_have() {
    let explained = explain("2026-01-31", "1 month", &["2026-02-02..2026-02-03"]);
    assert_eq!(explained.days.iter().filter(|day| day.counted).count(), 28);
    assert_eq!(explained.days.last().unwrap().date.to_string(), "2026-03-02");
}

#[test]
fn long_lists_share_lines_between_days_of_one_kind() {
    let ages = ["2026-03-04..2029-03-04"];
    check(
        "2026-03-02",
        "3 working days",
        &ages,
        &expect![[r#"
        2026-03-02   0 发生日,不计入 / day of the event, never counted
        2026-03-03 + 1 工作日 / working day
        2026-03-04..2029-03-04   1 第 1 次中止,冻结 775 个工作日;暂定:放假安排未载入 / suspension 1, 775 working days frozen; provisional: no holiday notice loaded ?
        2029-03-05..2029-03-06 + 3 工作日;暂定:放假安排未载入 / working day; provisional: no holiday notice loaded ?
    "#]],
    );
    assert!(explain("2026-03-02", "3 working days", &ages).is_merged());
    assert!(!explain("2026-03-02", "3 working days", &[]).is_merged());
    let decades = explain("2024-03-02", "10000 working days", &[]);
    assert!(decades.days.len() < 4_300, "{}", decades.days.len());
    let counted: i64 = decades.days.iter().filter(|day| day.counted).map(|day| day.amount).sum();
    assert_eq!(counted, 10_000);
}

#[test]
fn holidays_name_their_notice() {
    let explained = explain("2026-09-30", "1 working day", &[]);
    let day = &explained.days[1];
    assert_eq!(day.why, Why::Holiday { name: "国庆节".to_owned() });
    assert_eq!(day.source, "国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)");
    let last = explained.days.last().unwrap();
    assert!(last.source.starts_with("全国 cn@"), "{}", last.source);
}
