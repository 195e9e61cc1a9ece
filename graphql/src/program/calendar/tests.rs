//! Help, what a count looks like, and what is kept of an import.

use std::path::Path;

use clap::{CommandFactory as _, Parser as _};
use expect_test::{Expect, expect};
use tempfile::TempDir;
use tongban_core::port::Store as _;
use tongban_engine::reference::References;

use super::*;
use crate::program::args::{Arguments, Command};
use crate::program::exit::Exit;

fn tool(line: &[&str]) -> Result<CalendarTool, clap::Error> {
    let words = ["tongban", "calendar"].iter().chain(line);
    let Command::Calendar(arguments) = Arguments::try_parse_from(words)?.command else {
        panic!("another command was read");
    };
    Ok(arguments.tool)
}

/// Parses `calendar due` with a fixed `--now`.
fn count(line: &[&str]) -> CountArguments {
    let now = ["--now", "2026-03-31"];
    let CalendarTool::Due(arguments) = tool(&[&["due"], line, &now].concat()).unwrap() else {
        panic!("another tool was read");
    };
    arguments
}

async fn question(line: &[&str]) -> Result<Question, ProgramError> {
    Question::of(&count(line)).await
}

async fn due_of(line: &[&str]) -> String {
    let question = question(line).await.unwrap();
    question.due().at.date().to_string()
}

async fn import(folder: &TempDir, file: &str, more: &[&str]) -> Result<(), ProgramError> {
    let (file, data) = (folder.path().join(file), folder.path().join("data"));
    let line = ["import", file.to_str().unwrap(), "--data", data.to_str().unwrap()];
    run(tool(&[&line, more].concat()).unwrap()).await
}

fn table(year: i16) -> String {
    format!(
        "date,kind,name\n{year}-01-01,holiday,元旦\n{year}-01-04,holiday,元旦\n{year}-05-01,holiday,劳动节\n{year}-10-01,holiday,国庆节\n"
    )
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

const HALL: &str = r#"{ "code": "shiyan-hall", "name": "十堰市政务服务大厅", "regions": ["420300"], "based_on": "cn",
    "working_weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
    "first_year": 2026, "last_year": 2026, "source": "大厅周六延时服务公告" }"#;

fn check_help(words: &[&str], expected: &Expect) {
    let mut command = Arguments::command();
    command.build();
    for word in words {
        command = command.find_subcommand(word).expect("the subcommand exists").clone();
    }
    let text = command.term_width(100).render_long_help().to_string();
    let lines = text.lines().map(|line| line.trim_end().to_owned() + "\n");
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn calendar_says_what_it_can_do() {
    check_help(
        &["calendar"],
        &expect![[r#"
        期限与日历。 / Limits and calendars

        Usage: tongban calendar <COMMAND>

        Commands:
          due      推算期限届满日。 / Tell when a limit ends
          explain  逐日说明期限如何推算。 / Show the count of a limit day by day
          import   校验并保存日历的新版本。 / Check a calendar and keep it as a new version
          help     Print this message or the help of the given subcommand(s)

        Options:
          -h, --help
                  Print help
    "#]],
    );
}

#[test]
fn calendar_due_says_what_it_can_do() {
    check_help(
        &["calendar", "due"],
        &expect![[r#"
            推算期限届满日。 / Tell when a limit ends

            Usage: tongban calendar due [OPTIONS] --from <DATE|TIME> --limit <LIMIT>

            Options:
                  --from <DATE|TIME>
                      起算事项发生的日期或时刻(RFC 3339),如受理日。 / Date or time of the event, such as the acceptance

                  --limit <LIMIT>
                      期限:working days、calendar days、months、hours、minutes。 / The limit, amount and unit

                  --extended <N>
                      经批准延长的数量,单位同期限。 / Approved extension, in the unit of the limit

                      [default: 0]

                  --suspended <FROM..UNTIL>
                      中止区间,可重复;未恢复的写 FROM..。 / A suspension, repeatable; FROM.. while it lasts

                  --now <DATE|TIME>
                      未结束的中止算到何时,默认此刻。 / When open suspensions are looked at; now by default

                  --region <CODE>
                      行政区划或大厅代码,按其日历推算,没有则用上级的、直至全国的。 / Region or centre; its calendar, else that of the region
                      around it, else the national one

                  --calendar <FILE>
                      另用一份日历文件(JSON 或 CSV)。 / A calendar file besides (JSON or CSV)

                  --data <DIR>
                      用数据文件夹中已导入的日历。 / Use the calendars imported into this data folder

                  --format <FORMAT>
                      结果的格式。 / How the result is written

                      Possible values:
                      - text: 供人阅读 / for people
                      - json: 供程序读取 / for programs

                      [default: text]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban calendar due --from 2026-02-12 --limit "5 working days" --region 420300
              tongban calendar due --from 2026-09-30 --limit "20 working days" --extended 10 --format json
              tongban calendar due --from 2026-03-02 --limit "5 working days" --suspended 2026-03-04..2026-03-06
              tongban calendar due --from 2026-03-02T22:30:00+08:00 --limit "4 hours"

            规则 / The rule:
              发生当日不计入;以日、月计的期限到最后一日 24:00(北京时间)为止。
              中止当日不消耗,从恢复的次一工作日继续;重叠的中止只算一次;未结束的中止算到 --now。
              The day of the event does not count; limits in days or months end with their last day at 24:00,
              Beijing time. The day of a suspension is not consumed, and counting goes on with the working day
              after the resumption. What suspensions share counts once; an open one counts up to --now.
              超出已载入年度的结果为暂定(provisional),并在标准错误输出警告。
              Outside the loaded years a result is provisional, with a warning on standard error.
        "#]],
    );
}

#[test]
fn calendar_explain_says_what_it_can_do() {
    check_help(
        &["calendar", "explain"],
        &expect![[r#"
            逐日说明期限如何推算。 / Show the count of a limit day by day

            Usage: tongban calendar explain [OPTIONS] --from <DATE|TIME> --limit <LIMIT>

            Options:
                  --from <DATE|TIME>
                      起算事项发生的日期或时刻(RFC 3339),如受理日。 / Date or time of the event, such as the acceptance

                  --limit <LIMIT>
                      期限:working days、calendar days、months、hours、minutes。 / The limit, amount and unit

                  --extended <N>
                      经批准延长的数量,单位同期限。 / Approved extension, in the unit of the limit

                      [default: 0]

                  --suspended <FROM..UNTIL>
                      中止区间,可重复;未恢复的写 FROM..。 / A suspension, repeatable; FROM.. while it lasts

                  --now <DATE|TIME>
                      未结束的中止算到何时,默认此刻。 / When open suspensions are looked at; now by default

                  --region <CODE>
                      行政区划或大厅代码,按其日历推算,没有则用上级的、直至全国的。 / Region or centre; its calendar, else that of the region
                      around it, else the national one

                  --calendar <FILE>
                      另用一份日历文件(JSON 或 CSV)。 / A calendar file besides (JSON or CSV)

                  --data <DIR>
                      用数据文件夹中已导入的日历。 / Use the calendars imported into this data folder

                  --format <FORMAT>
                      结果的格式。 / How the result is written

                      Possible values:
                      - text: 供人阅读 / for people
                      - json: 供程序读取 / for programs

                      [default: text]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban calendar explain --from 2026-02-12 --limit "5 working days" --region 420300
              tongban calendar explain --from 2026-02-10 --limit "5 working days" --extended 3
              tongban calendar explain --from 2026-09-30 --limit "20 working days" --format json

            跨度超过 400 天时,同类的相邻日期合并为一行。规则见 tongban calendar due --help。
            Past 400 days neighbouring days of one kind share a line. The rule: tongban calendar due --help.
        "#]],
    );
}

#[test]
fn calendar_import_says_what_it_can_do() {
    check_help(
        &["calendar", "import"],
        &expect![[r#"
            校验并保存日历的新版本。 / Check a calendar and keep it as a new version

            Usage: tongban calendar import [OPTIONS] --data <DIR> <FILE>

            Arguments:
              <FILE>
                      日历文件:JSON,或放假安排表 CSV。 / The calendar: JSON, or a holiday table as CSV

            Options:
                  --data <DIR>
                      数据文件夹,没有则新建。 / Data folder; created when it does not exist

                  --source <TEXT>
                      放假安排表所依据的通知。 / The notice that a CSV table is taken from

                  --dry-run
                      只校验,不保存。 / Check only, keep nothing

                  --format <FORMAT>
                      结果的格式。 / How the result is written

                      Possible values:
                      - text: 供人阅读 / for people
                      - json: 供程序读取 / for programs

                      [default: text]

              -h, --help
                      Print help (see a summary with '-h')

            示例 / Examples:
              tongban calendar import holidays-2027.csv --source "国务院办公厅关于2027年部分节假日安排的通知" --data ./data
              tongban calendar import hall.json --data ./data --dry-run

            放假安排表 / A holiday table (CSV, national; --source may stand for its last column):
              date,kind,name,source
              2027-01-01,holiday,元旦,国务院办公厅关于2027年部分节假日安排的通知
              …                                  每年至少有 1 月 1 日、5 月 1 日、10 月 1 日;补班写 workday

            本地日历 / A local calendar (JSON):
              { "code": "shiyan-hall", "name": "十堰市政务服务大厅", "regions": ["420300"], "based_on": "cn",
                "working_weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
                "first_year": 2026, "last_year": 2027, "source": "大厅周六延时服务公告",
                "days": [{ "date": "2026-03-07", "kind": "holiday", "name": "大厅检修" }] }

            新版本没有涉及的年度沿用前一版本;各版本都保留。数据有误时退出码为 65,什么也不保存。
            Years that the new version does not claim stay as they were; every version is kept.
            Wrong data: exit code 65, and nothing is kept.
        "#]],
    );
}

#[tokio::test]
async fn a_due_date_is_told_to_people_and_programs() {
    let line = ["--from", "2026-02-12", "--limit", "5 working days", "--region", "420300"];
    let question = question(&line).await.unwrap();
    let due = question.due();
    let version = question.calendar.version().to_owned();
    let masked = |text: String| text.replace(&version, "cn@VERSION");
    expect![[r#"
        2026-02-26 24:00  周四 Thursday
          期限 / limit      5 working days
          日历 / calendar   全国 cn@VERSION (2024–2026)"#]]
    .assert_eq(&masked(shown::due_text(&question, due)));
    expect![[r#"
        {
          "calendar": {
            "code": "cn",
            "firstYear": 2024,
            "lastYear": 2026,
            "name": "全国",
            "version": "cn@VERSION"
          },
          "due": "2026-02-26",
          "dueAt": "2026-02-26T23:59:59.999+08:00",
          "extended": 0,
          "from": "2026-02-12T00:00:00+08:00",
          "limit": "5 working days",
          "provisional": false,
          "suspended": [],
          "timeOfDay": "24:00"
        }"#]]
    .assert_eq(&masked(pretty(&shown::due_json(&question, due))));
}

#[tokio::test]
async fn a_count_is_shown_in_columns() {
    let line = [
        "--from",
        "2026-02-12",
        "--limit",
        "2 working days",
        "--suspended",
        "2026-02-13..2026-02-14",
    ];
    let question = question(&line).await.unwrap();
    let text = shown::explained_text(&question, &question.explanation());
    expect![[r#"
        日期 date   星期  计入  累计  原因 why                                                          依据 source
        2026-02-12  周四  -     0     发生日,不计入 / day of the event, never counted                   民法典第二百零一条
        2026-02-13  周五  -     0     第 1 次中止,冻结 1 个工作日 / suspension 1, 1 working day frozen  中止记录第 1 条
        2026-02-14  周六  -     0     第 1 次中止,冻结 1 个工作日 / suspension 1, 1 working day frozen  中止记录第 1 条
        2026-02-15  周日  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-16  周一  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-17  周二  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-18  周三  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-19  周四  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-20  周五  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-21  周六  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-22  周日  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-23  周一  -     0     春节放假 / holiday (春节)                                         国务院办公厅关于2026年部分节假日安排的通知(国办发明电〔2025〕7号)
        2026-02-24  周二  +1    1     工作日 / working day                                              全国 cn@VERSION
        2026-02-25  周三  +1    2     工作日 / working day                                              全国 cn@VERSION

        届满 / due: 2026-02-25 24:00  周三 Wednesday
          期限 / limit      2 working days
          日历 / calendar   全国 cn@VERSION (2024–2026)
          中止 / suspended  2026-02-13..2026-02-14"#]].assert_eq(&text.replace(question.calendar.version(), "cn@VERSION"));
}

#[tokio::test]
async fn a_count_of_hours_names_its_moments() {
    let hearing = "2026-03-02T23:00:00+08:00..2026-03-03T08:30:00+08:00";
    let line =
        ["--from", "2026-03-02T22:30:00+08:00", "--limit", "2 hours", "--suspended", hearing];
    let question = question(&line).await.unwrap();
    let text = shown::explained_text(&question, &question.explanation());
    expect![[r#"
        日期 date   星期  计入   累计  原因 why                                                         依据 source
        2026-03-02  周一  +0:30  0:30  计入 30 分 / 30 min counted                                      全国 cn@VERSION
        2026-03-02  周一  -      0:30  第 1 次中止,冻结 1 小时 / suspension 1, 1 h frozen               中止记录第 1 条
        2026-03-03  周二  -      0:30  第 1 次中止,冻结 8 小时 30 分 / suspension 1, 8 h 30 min frozen  中止记录第 1 条
        2026-03-03  周二  +1:30  2:00  计入 1 小时 30 分 / 1 h 30 min counted                           全国 cn@VERSION

        届满 / due: 2026-03-03 10:00  周二 Tuesday
          期限 / limit      2 hours
          日历 / calendar   全国 cn@VERSION (2024–2026)
          中止 / suspended  2026-03-02T23:00:00+08:00..2026-03-03T08:30:00+08:00"#]].assert_eq(&text.replace(question.calendar.version(), "cn@VERSION"));
    let json = shown::explained_json(&question, &question.explanation());
    assert_eq!(json["timeOfDay"], "10:00");
    assert_eq!(json["days"][1]["why"], "suspended");
    assert_eq!(json["days"][1]["suspension"], 1);
    assert_eq!(json["amountUnit"], "milliseconds");
}

#[tokio::test]
async fn extensions_and_open_suspensions_count() {
    let from = ["--from", "2026-03-25", "--limit", "5 working days"];
    assert_eq!(due_of(&from).await, "2026-04-01");
    assert_eq!(due_of(&[&from[..], &["--extended", "2"]].concat()).await, "2026-04-03");
    assert_eq!(due_of(&[&from[..], &["--suspended", "2026-03-26.."]].concat()).await, "2026-04-08");
}

#[tokio::test]
async fn past_the_end_a_result_is_provisional_and_warned_about() {
    let question = question(&["--from", "2026-12-30", "--limit", "5 working days"]).await.unwrap();
    let due = question.due();
    assert!(due.provisional);
    assert_eq!(shown::due_json(&question, due)["provisional"], true);
    assert!(shown::due_text(&question, due).contains("暂定 / provisional"));
    expect![[r#"
        警告:结果为暂定,全国 的放假安排只载入 2024–2026 年,之外按平常的工作日推算
        warning: provisional: cn knows holidays of 2024 to 2026 only, beyond them the plain week is counted
          → 放假通知公布后,用 tongban calendar import 导入新年度
          → once the holiday notice is out, load the year with tongban calendar import"#]].assert_eq(&provisional(&question.calendar));
}

#[tokio::test]
async fn hours_need_times() {
    let error = question(&["--from", "2026-03-02", "--limit", "2 hours"]).await.err().unwrap();
    assert_eq!((error.code(), error.exit()), ("CALENDAR_QUESTION", Exit::Usage));
}

#[test]
fn words_that_cannot_be_read_are_usage_errors() {
    let from = ["due", "--from", "2026-03-02", "--limit", "5 working days"];
    let wrong = [
        ["--from", "yesterday"],
        ["--from", "2026-02-30"],
        ["--from", "2026-03-02T09:00:00"],
        ["--limit", "5 days"],
        ["--region", "4203"],
        ["--suspended", "2026-03-02"],
        ["--suspended", "2026-03-02..2026-03-01"],
        ["--extended", "-1"],
        ["--extended", "10001"],
    ];
    for [flag, word] in wrong {
        let line = match from.iter().position(|other| *other == flag) {
            Some(at) => [&from[..=at], &[word], &from[at + 2..]].concat(),
            None => [&from[..], &[flag, word]].concat(),
        };
        let error = tool(&line).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{flag} {word}: {error}");
    }
    assert!(tool(&from).is_ok());
}

#[tokio::test]
async fn a_calendar_at_hand_is_used() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "hall.json", HALL);
    write(folder.path(), "2027.csv", &table(2027));
    let hall = folder.path().join("hall.json");
    let next = folder.path().join("2027.csv");
    let from = ["--from", "2026-03-12", "--limit", "2 working days"];
    let hall = ["--calendar", hall.to_str().unwrap()];
    let next = ["--calendar", next.to_str().unwrap()];
    assert_eq!(due_of(&from).await, "2026-03-16");
    assert_eq!(due_of(&[&from[..], &hall[..]].concat()).await, "2026-03-14");
    assert_eq!(due_of(&[&from[..], &hall, &["--region", "420302"]].concat()).await, "2026-03-14");
    assert_eq!(due_of(&[&from[..], &hall, &["--region", "420600"]].concat()).await, "2026-03-16");
    let late = ["--from", "2026-12-31", "--limit", "1 working day"];
    assert_eq!(due_of(&[&late[..], &next].concat()).await, "2027-01-05");
}

#[tokio::test]
async fn an_imported_calendar_is_kept_and_used() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "2027.csv", &table(2027));
    write(folder.path(), "2028.csv", &table(2028));
    write(folder.path(), "hall.json", HALL);
    let notice = ["--source", "通知"];
    import(&folder, "2027.csv", &notice).await.unwrap();
    import(&folder, "2028.csv", &notice).await.unwrap();
    import(&folder, "hall.json", &[]).await.unwrap();
    let data = folder.path().join("data");
    let place = ["--data", data.to_str().unwrap()];
    let late = ["--from", "2026-12-31", "--limit", "1 working day"];
    assert_eq!(due_of(&[&late[..], &place].concat()).await, "2027-01-05");
    let national = question(&[&late[..], &place].concat()).await.unwrap().calendar;
    assert_eq!((national.first_year(), national.last_year()), (2024, 2028));
    let from = ["--from", "2026-03-12", "--limit", "2 working days", "--region", "420303"];
    assert_eq!(due_of(&[&from[..], &place].concat()).await, "2026-03-14");
    let references = References::in_folder(&data).unwrap();
    assert_eq!(references.versions("calendar", "cn").await.unwrap().len(), 2);
    import(&folder, "2028.csv", &notice).await.unwrap();
    assert_eq!(references.versions("calendar", "cn").await.unwrap().len(), 2, "nothing new");
}

/// Who imported the same calendar again was told that it was kept, and the audit log that he had
/// replaced it.
#[tokio::test]
async fn the_same_calendar_again_replaces_nothing_and_is_not_audited_as_if_it_did() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "hall.json", HALL);
    write(folder.path(), "other.json", &HALL.replace("十堰市政务服务大厅", "十堰市政务服务中心"));
    let data = folder.path().join("data");
    let audited = async || {
        let store = crate::program::folder::open(&data).unwrap();
        let records = store.audited(0, 10).await.unwrap();
        records.into_iter().map(|record| record.deed.act.code()).collect::<Vec<_>>()
    };
    let references = References::in_folder(&data).unwrap();
    for (file, versions) in
        [("hall.json", 1), ("hall.json", 1), ("other.json", 2), ("hall.json", 3)]
    {
        import(&folder, file, &[]).await.unwrap();
        let kept = references.versions("calendar", "shiyan-hall").await.unwrap();
        assert_eq!(kept.len(), versions, "{file}");
        assert_eq!(audited().await, vec!["standing_replaced"; versions], "{file}");
    }
}

#[tokio::test]
async fn a_dry_run_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "hall.json", HALL);
    import(&folder, "hall.json", &["--dry-run", "--format", "json"]).await.unwrap();
    assert!(!folder.path().join("data").exists());
}

#[tokio::test]
async fn wrong_calendars_are_data_errors_and_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "2027.csv", &table(2027));
    write(folder.path(), "2029.csv", &table(2029).replace('\n', ",通知\n"));
    write(folder.path(), "half.csv", "date,kind,name,source\n2027-10-01,holiday,国庆节,通知\n");
    write(folder.path(), "loose.json", &HALL.replace("\"cn\"", "\"hubei\""));
    write(folder.path(), "torn.json", &HALL[..40]);
    let wrong = [
        ("2027.csv", "CALENDAR_WRONG"),
        ("2029.csv", "CALENDAR_GAP"),
        ("half.csv", "CALENDAR_WRONG"),
        ("loose.json", "CALENDAR_BASE"),
        ("torn.json", "CALENDAR_UNREADABLE"),
    ];
    for (file, code) in wrong {
        let error = import(&folder, file, &[]).await.unwrap_err();
        assert_eq!((error.code(), error.exit()), (code, Exit::Data), "{file}: {error}");
    }
    let error = import(&folder, "none.json", &[]).await.unwrap_err();
    assert_eq!(error.exit(), Exit::InputOutput);
    let references = References::in_folder(&folder.path().join("data")).unwrap();
    assert!(references.current("calendar").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let from = ["--from", "2026-03-12", "--limit", "2 working days", "--data", "no-such-folder"];
    let error = question(&from).await.err().unwrap();
    assert_eq!(error.exit(), Exit::InputOutput);
    assert!(error.to_string().contains("no-such-folder"));
}
