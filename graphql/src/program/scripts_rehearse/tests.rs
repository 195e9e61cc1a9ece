//! Rehearsals as the program plays them: the shipped ones, and bad ones with what is said of them.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;
use crate::program::args::Arguments;

const SERVICE: &str = r#"
service(#{ code: "s", name: "测试服务", lead: "hall", target: "person", regions: ["420300"],
    matters: [part("m")] });
"#;
const MATTER: &str = r#"
matter(#{ code: "m", name: "测试事项", department: "hall", regime: "licence", intake: "auto",
    limit: #{ promised: "3 working days" } });

fn handle(m) {
    let facts = ask("hall.look", #{});
    let opinion = decide("hall.approver", #{ title: "审查", facts: facts });
    if opinion.denied { return deny(opinion); }
    grant(opinion)
}
"#;

/// A script folder with one service, one matter and one rehearsal file.
struct Folder(TempDir);

impl Folder {
    fn new(rehearsals: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for below in ["services", "matters/hall"] {
            fs::create_dir_all(folder.path().join(below)).unwrap();
        }
        fs::write(folder.path().join("services/s.rhai"), SERVICE).unwrap();
        fs::write(folder.path().join("matters/hall/m.rhai"), MATTER).unwrap();
        let folder = Self(folder);
        fs::write(folder.file(), rehearsals).unwrap();
        folder
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("services/s.rehearsal.rhai")
    }

    fn arguments(&self) -> RehearseArguments {
        arguments(self.0.path())
    }
}

fn arguments(path: &Path) -> RehearseArguments {
    RehearseArguments {
        path: path.to_owned(),
        filter: None,
        update: false,
        operations: None,
        format: Format::Text,
    }
}

/// Plays a folder; what it took is left out of what it says.
fn said(arguments: &RehearseArguments) -> String {
    let mut summary = on_stage(arguments).unwrap();
    summary.millis = 0;
    for outcome in &mut summary.rehearsals {
        outcome.millis = 0;
    }
    text(&summary)
}

#[track_caller]
fn check(rehearsals: &str, expected: &Expect) {
    expected.assert_eq(&said(&Folder::new(rehearsals).arguments()));
}

#[test]
fn every_shipped_script_has_a_rehearsal_and_all_pass() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    let summary = on_stage(&arguments(&shipped)).unwrap();
    assert_eq!(summary.failed, 0, "\n{}", text(&summary));
    assert!(summary.passed >= 9, "{}", summary.passed);
    assert_eq!(summary.unrehearsed, Vec::<String>::new());
}

/// A matter that is decided at a date, whenever it was filed.
const DATED: &str = r#"
matter(#{ code: "m", name: "测试事项", department: "hall", regime: "licence", intake: "auto",
    limit: #{ promised: "20 working days" } });

fn handle(m) {
    wait_until("2026-03-09");
    let opinion = decide("hall.approver", #{ title: "审查", facts: #{ day: today() } });
    grant(opinion)
}
"#;

#[test]
fn a_script_waits_until_a_date_and_not_longer() {
    let folder = Folder::new(
        r#"
rehearse("到指定日期才审查", |r| {
    r.at("2026-03-02 09:00");
    r.file(#{ service: "s" });
    r.at("2026-03-08 23:59");
    r.expect("m", "accepted");
    r.at("2026-03-09 08:30");
    r.person("hall.approver").approves("同意");
    r.history(`
        2026-03-02 09:00 建立办件 420300202603020000014(测试服务)
        2026-03-02 09:00 申请已提交
        2026-03-02 09:00 测试事项:已送达部门
        2026-03-02 09:00 测试事项:收件
        2026-03-02 09:00 测试事项:拟制文书 通办收件〔2026〕420300202603020000014-01-01-W号
        2026-03-02 09:00 测试事项:受理
        2026-03-02 09:00 测试事项:拟制文书 通办受理〔2026〕420300202603020000014-01-02-H号
        2026-03-02 09:00 测试事项:发出请求 2026-03-09T00:00:00+08:00
        2026-03-09 00:00 测试事项:到时 2026-03-09T00:00:00+08:00
        2026-03-09 00:00 测试事项:发出请求 hall.approver
        2026-03-09 00:00 测试事项:待办“审查”→ hall.approver
        2026-03-09 08:30 测试事项:待办 11 办结:同意
        2026-03-09 08:30 测试事项:发出请求 grant
        2026-03-09 08:30 测试事项:准予 420300202603020000014-1
        2026-03-09 08:30 测试事项:拟制文书 通办准予〔2026〕420300202603020000014-01-03-0号
        2026-03-09 08:30 测试事项:脚本执行完毕
    `);
});

rehearse("日期已过,立即审查", |r| {
    r.at("2026-03-10 09:00");
    r.file(#{ service: "s" });
    r.person("hall.approver").approves("同意");
    r.expect("m", "granted");
});
"#,
    );
    fs::write(
        folder.0.path().join("services/s.rhai"),
        SERVICE.replace("regions", "api_level: 2, regions"),
    )
    .unwrap();
    fs::write(folder.0.path().join("matters/hall/m.rhai"), DATED).unwrap();
    let expected = expect![[r#"
        通过      0 ms  services/s.rehearsal.rhai:2  到指定日期才审查
        通过      0 ms  services/s.rehearsal.rhai:29  日期已过,立即审查
        2 个排练:2 个通过,0 个未通过,0 毫秒 / 2 rehearsals: 2 passed, 0 failed, 0 ms
        没有排练:matters/hall/m.rhai / no rehearsal: matters/hall/m.rhai"#]];
    expected.assert_eq(&said(&folder.arguments()));
}

/// A matter that a higher office decides, after the review of this one.
const REVIEWED: &str = r#"
matter(#{ code: "m", name: "测试事项", department: "hall", regime: "licence", intake: "auto",
    limit: #{ promised: "10 working days", first_review: "5 working days" } });

fn handle(m) {
    let review = decide("hall.approver", #{ title: "初审" });
    if review.denied { return deny(review); }
    forward_up(review);
    grant(ask("province.decide", #{ opinion: review.opinion }))
}
"#;

/// The same, decided in the department's own system.
const REVIEWED_ELSEWHERE: &str = r#"
matter(#{ code: "m", name: "测试事项", department: "hall", regime: "licence", intake: "auto",
    decides_in: "connector",
    limit: #{ promised: "10 working days", first_review: "5 working days" } });

fn handle(m) { ask("hall.review", #{}); }
"#;

const FORWARDED_BY_SCRIPT: &str = r#"
rehearse("脚本转报", |r| {
    r.agency("province.decide").completes(#{ number: "省准-1" }).after("3 working days");
    r.file(#{ service: "s" });
    r.expect_due("m", "forwarding", "2026-03-09");
    r.wait("2 working days");
    r.person("hall.approver").approves("初审通过,报省厅决定");
    r.expect("m", "forwarded_up");
    r.expect_due("m", "promised", "2026-03-16");
    r.expect_used("m", "forwarding", 2);
    r.expect_waiting("m", "agency");
    r.expect_call("province.decide", #{ opinion: "初审通过,报省厅决定" });
    r.wait("3 working days");
    r.expect_used("m", "forwarding", 2);
    r.expect_number("m", "省准-1");
    r.milestones(`
        2026-03-02 09:00 建立办件 420300202603020000014(测试服务)
        2026-03-02 09:00 申请已提交
        2026-03-02 09:00 测试事项:已送达部门
        2026-03-02 09:00 测试事项:收件
        2026-03-02 09:00 测试事项:受理
        2026-03-04 09:00 测试事项:转报
        2026-03-09 09:00 测试事项:准予 省准-1
    `);
    r.expect_document("m", "forwarding");
});
"#;

const FORWARDED_BY_HAND: &str = r#"
rehearse("工作人员转报", |r| {
    r.agency("province.decide").completes(#{ number: "省准-1" });
    r.file(#{ service: "s" });
    r.person("hall.approver").forwards_up("材料齐全,报省厅决定");
    r.expect("m", "forwarded_up");
    r.expect_document("m", "forwarding");
    r.person("hall.approver").forwards_up("再报一次");
    r.person("hall.approver").approves();
    r.expect("m", "granted");
    r.person("hall.approver").expecting("MATTER_ENDED").forwards_up("太晚");
});
"#;

const FORWARDED_ELSEWHERE: &str = r#"
rehearse("部门自有系统转报", |r| {
    r.agency("hall.review").reports("accepted")
        .reports("forwarded_up", #{ number: "示规转报〔2026〕5号" }).after("2 working days")
        .reports("decided", #{ ground: "granted", number: "省准-1" }).after("3 working days")
        .completes();
    r.file(#{ service: "s" });
    r.wait("2 working days");
    r.expect("m", "forwarded_up");
    r.expect_used("m", "forwarding", 2);
    r.wait("3 working days");
    r.expect_number("m", "省准-1");
    r.expect_case("completed_all");
});
"#;

#[test]
fn a_matter_is_sent_up_by_its_script_by_an_officer_and_by_its_departments_own_system() {
    let by_hand = REVIEWED.replace("    forward_up(review);\n", "");
    let stories = [
        (REVIEWED, FORWARDED_BY_SCRIPT),
        (by_hand.as_str(), FORWARDED_BY_HAND),
        (REVIEWED_ELSEWHERE, FORWARDED_ELSEWHERE),
    ];
    for (matter, rehearsal) in stories {
        let folder = Folder::new(rehearsal);
        fs::write(folder.0.path().join("matters/hall/m.rhai"), matter).unwrap();
        let summary = on_stage(&folder.arguments()).unwrap();
        assert_eq!((summary.passed, summary.failed), (1, 0), "\n{}", text(&summary));
    }
}

#[test]
fn a_history_that_differs_is_shown_line_by_line() {
    check(
        r#"
rehearse("同意", |r| {
    r.agency("hall.look").completes(#{ found: true });
    r.file(#{ service: "s" });
    r.wait("2 working days");
    r.person("hall.approver").approves();
    r.milestones(`
        2026-03-02 09:00 建立办件 420300202603020000014(测试服务)
        2026-03-02 09:00 申请已提交
        2026-03-02 09:00 测试事项:已送达部门
        2026-03-02 09:00 测试事项:收件
        2026-03-02 09:00 测试事项:受理
        2026-03-03 09:00 测试事项:准予 420300202603020000014-1
    `);
});
"#,
        &expect![[r#"
            未通过    0 ms  services/s.rehearsal.rhai:2  同意
                services/s.rehearsal.rhai:7:7 HISTORY_DIFFERS
                    |     r.milestones(`
                    |       ^
                    打印的经过与此处不同(- 为此处所写,+ 为实际)
                    the printed history differs (- is written here, + is what happened)
                    → 确认无误后用 --update 改写此处。
                    → when what happened is right, rewrite this with --update.
                差异 / difference:
                    …
                    2026-03-02 09:00 测试事项:收件
                    2026-03-02 09:00 测试事项:受理
                  - 2026-03-03 09:00 测试事项:准予 420300202603020000014-1
                  + 2026-03-04 09:00 测试事项:准予 420300202603020000014-1
            1 个排练:0 个通过,1 个未通过,0 毫秒 / 1 rehearsals: 0 passed, 1 failed, 0 ms
            没有排练:matters/hall/m.rhai / no rehearsal: matters/hall/m.rhai"#]],
    );
}

#[test]
fn who_is_still_waited_for_is_named() {
    check(
        r#"
rehearse("部门没有答复", |r| {
    r.file(#{ service: "s" });
    r.person("hall.approver").approves();
});
"#,
        &expect![[r#"
            未通过    0 ms  services/s.rehearsal.rhai:2  部门没有答复
                services/s.rehearsal.rhai:4:31 TASK_NOT_OPEN
                    |     r.person("hall.approver").approves();
                    |                               ^
                    hall.approver 现在没有待办
                    hall.approver has no task now
                    → 没有任何待办;部门的答复请用 r.agency(…) 或 r.agencies_answer() 说明,也可能要先用 r.wait(…) 让时间过去。
                    → no task is open at all; say what agencies answer by r.agency(…) or r.agencies_answer(), or let time pass by r.wait(…).
                至此的经过 / so far:
                  2026-03-02 09:00 建立办件 420300202603020000014(测试服务)
                  2026-03-02 09:00 申请已提交
                  2026-03-02 09:00 测试事项:已送达部门
                  2026-03-02 09:00 测试事项:收件
                  2026-03-02 09:00 测试事项:拟制文书 通办收件〔2026〕420300202603020000014-01-01-W号
                  2026-03-02 09:00 测试事项:受理
                  2026-03-02 09:00 测试事项:拟制文书 通办受理〔2026〕420300202603020000014-01-02-H号
                  2026-03-02 09:00 测试事项:发出请求 hall.look
                还在等待 / still waited for:
                  hall.look {}: 未答复 / no answer
            1 个排练:0 个通过,1 个未通过,0 毫秒 / 1 rehearsals: 0 passed, 1 failed, 0 ms
            没有排练:matters/hall/m.rhai / no rehearsal: matters/hall/m.rhai"#]],
    );
}

#[test]
fn an_incident_that_nobody_expected_fails_the_rehearsal() {
    let folder = Folder::new(
        r#"
rehearse("脚本出错", |r| {
    r.agency("hall.look").completes();
    r.file(#{ service: "s" });
    r.person("hall.approver").approves();
});
"#,
    );
    let wrong = MATTER.replace("grant(opinion)", "grant(opinion.paper)");
    fs::write(folder.0.path().join("matters/hall/m.rhai"), wrong).unwrap();
    let said = said(&folder.arguments());
    assert!(said.contains("UNEXPECTED_INCIDENT"), "{said}");
    assert!(said.contains("SCRIPT_FAILED matters/hall/m.rhai:9"), "{said}");
}

#[test]
fn update_rewrites_the_history_and_nothing_else() {
    let before = r#"// 历史
rehearse("同意", |r| {
    r.agencies_answer();
    r.file(#{ service: "s" });
    r.everyone_approves();   // all say yes
    r.milestones("旧");       // what the applicant is told
    r.expect("m", "denied");
});
"#;
    let folder = Folder::new(before);
    let update = RehearseArguments { update: true, ..folder.arguments() };
    let summary = on_stage(&update).unwrap();
    assert_eq!((summary.updated, summary.failed), (1, 1), "the expectation still fails");
    let after = fs::read_to_string(folder.file()).unwrap();
    expect![[r#"
        // 历史
        rehearse("同意", |r| {
            r.agencies_answer();
            r.file(#{ service: "s" });
            r.everyone_approves();   // all say yes
            r.milestones(`
                2026-03-02 09:00 建立办件 420300202603020000014(测试服务)
                2026-03-02 09:00 申请已提交
                2026-03-02 09:00 测试事项:已送达部门
                2026-03-02 09:00 测试事项:收件
                2026-03-02 09:00 测试事项:受理
                2026-03-02 09:00 测试事项:准予 420300202603020000014-1
            `);       // what the applicant is told
            r.expect("m", "denied");
        });
    "#]]
    .assert_eq(&after);
    let again = on_stage(&update).unwrap();
    assert_eq!(again.updated, 0);
    assert_eq!(fs::read_to_string(folder.file()).unwrap(), after);
}

#[test]
fn names_that_do_not_exist_are_found_before_anything_is_played() {
    let folder = Folder::new(r#"rehearse("x", |r| { r.agency("hall.look").complets(); });"#);
    let error = on_stage(&folder.arguments()).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("SCRIPTS_WRONG", super::super::Exit::Data));
}

#[test]
fn only_what_is_asked_for_is_played() {
    let folder = Folder::new(
        r#"
rehearse("甲", |r| { r.file(#{ service: "s" }); });
rehearse("乙", |r| { r.file(#{ service: "t" }); });
"#,
    );
    let filtered = RehearseArguments { filter: Some("甲".to_owned()), ..folder.arguments() };
    assert_eq!(on_stage(&filtered).unwrap().passed, 1);
    let one = RehearseArguments { path: folder.file(), ..folder.arguments() };
    assert_eq!(on_stage(&one).unwrap().rehearsals.len(), 2);
    let none = RehearseArguments { path: folder.0.path().join("matters"), ..folder.arguments() };
    assert_eq!(on_stage(&none).unwrap_err().code(), "NO_REHEARSAL");
}

#[test]
fn results_are_data_too() {
    let folder = Folder::new(
        r#"rehearse("甲", |r| { r.file(#{ service: "s" }); r.expect("m", "granted"); });"#,
    );
    let summary = on_stage(&folder.arguments()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&rendered(&summary, Format::Json)).unwrap();
    let failure = &json["rehearsals"][0]["failure"];
    assert_eq!(failure["expected"], "granted");
    assert_eq!(failure["got"], "accepted");
    assert_eq!(failure["finding"]["line"], 1);
    assert_eq!((&json["passed"], &json["failed"]), (&0.into(), &1.into()));
}

#[test]
fn scripts_rehearse_says_what_it_can_do() {
    let mut command = Arguments::command();
    command.build();
    for word in ["scripts", "rehearse"] {
        command = command.find_subcommand(word).expect("the subcommand exists").clone();
    }
    let text = command.term_width(100).render_long_help().to_string();
    // Which blanks end a line depends on how the dependencies were built together.
    let lines: String = text.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
    expect![[r#"
        排练:用虚拟时间和假想部门试办一件事。 / Play cases with given time and make-believe agencies

        Usage: tongban scripts rehearse [OPTIONS] <PATH>

        Arguments:
          <PATH>
                  脚本文件夹,或其中的文件夹或 *.rehearsal.rhai。 / Folder of scripts, or a folder or file in it

        Options:
              --filter <TEXT>
                  只排练名称含此文字的。 / Only rehearsals whose name holds this text

              --update
                  将打印的经过改写为实际的经过,不改其他。 / Rewrite printed histories to what happens, and nothing else

              --operations <FILE>
                  部门操作目录,默认与 scripts check 相同。 / Catalogue of operations; as for scripts check

              --format <FORMAT>
                  结果的格式。 / How the results are written

                  Possible values:
                  - text: 供人阅读 / for people
                  - json: 供程序读取 / for programs

                  [default: text]

          -h, --help
                  Print help (see a summary with '-h')

        示例 / Examples:
          tongban scripts rehearse ./scripts
          tongban scripts rehearse ./scripts/services/construction-start.rehearsal.rhai
          tongban scripts rehearse ./scripts --filter 撤回 --format json
          tongban scripts rehearse ./scripts --update    改写文件中打印的经过 / rewrite printed histories

        全部通过时退出码为 0,否则为 65。 / Exit code 0 when every one passes, 65 otherwise.
    "#]].assert_eq(&lines);
}
