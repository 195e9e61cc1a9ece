//! What `id check` shows for right and wrong numbers, and how it ends.

use std::io::Cursor;

use clap::Parser as _;
use expect_test::{Expect, expect};

use super::*;
use crate::program::args::{Arguments, Command};

fn arguments(line: &str) -> CheckIdArguments {
    let words = ["tongban", "id", "check"].into_iter().chain(line.split(' '));
    let Command::Id(tools) = Arguments::try_parse_from(words).unwrap().command else {
        panic!("`id` was asked for");
    };
    let IdTool::Check(arguments) = tools.tool;
    arguments
}

#[track_caller]
fn show(line: &str, input: &str, exit: Exit, expected: &Expect) {
    let arguments = arguments(line);
    let verdict = check(&arguments, Cursor::new(input.to_owned())).unwrap();
    assert_eq!(exit_of(&verdict), exit);
    expected.assert_eq(&shown::rendered(&verdict, arguments.format));
}

#[test]
fn a_right_number_is_shown_in_its_parts() {
    show(
        "420302199001010015",
        "",
        Exit::Done,
        &expect![[r#"
            有效:公民身份号码 / valid: citizen identity number
              行政区划 / region: 420302 湖北省十堰市茅箭区
              出生日期 / birth date: 1990-01-01
              性别 / sex: 男 / male
        "#]],
    );
    show(
        "91420302MA4DEM010M",
        "",
        Exit::Done,
        &expect![[r#"
        有效:统一社会信用代码 / valid: unified social credit code
          登记管理部门 / registrar: 9 市场监管
          机构类别 / kind of body: 91 企业
          行政区划 / region: 420302 湖北省十堰市茅箭区
          组织机构代码 / organisation code: MA4DEM010
    "#]],
    );
}

#[test]
fn a_wrong_number_comes_with_its_reason() {
    show(
        "420302199001010016",
        "",
        Exit::Data,
        &expect![[r#"
        无效:公民身份号码 / not valid: citizen identity number
          原因:校验码为 '6',按前面各位计算应为 '5',至少有一位写错,请逐位核对
          reason: the check character is '6', the rest gives '5': at least one character is wrong; compare them one by one
    "#]],
    );
    show(
        "hello",
        "",
        Exit::Data,
        &expect![[r#"
        无效:未知类别 / not valid: unknown kind
          原因:看不出是哪一类号码,请核对,或指明类别(--kind)以得到具体原因
          reason: it has the form of no known kind; check it, or name the kind (--kind) to learn more
    "#]],
    );
}

#[test]
fn history_is_a_note_and_no_fault() {
    show(
        "420321 --kind region_code",
        "",
        Exit::Done,
        &expect![[r#"
            有效:行政区划代码 / valid: region code
              名称 / name: 湖北省十堰市郧县
              级别 / level: 县级 / county
              上级 / parent: 420300
              提示:区划代码 420321(郧县)已不再使用,现为 420304
              note: region code 420321 (郧县) is out of use; it is 420304 now
        "#]],
    );
}

#[test]
fn programs_read_json() {
    show(
        "420302199001010016 --format json",
        "",
        Exit::Data,
        &expect![[r#"
        {
          "kind": "citizen_id",
          "valid": false,
          "reason": "校验码为 '6',按前面各位计算应为 '5',至少有一位写错,请逐位核对 / the check character is '6', the rest gives '5': at least one character is wrong; compare them one by one",
          "reason_code": "CHECK_CHARACTER",
          "warnings": [],
          "warning_codes": [],
          "value": "420302199001010016",
          "parts": {}
        }"#]],
    );
    show(
        "420117002000 --format json",
        "",
        Exit::Done,
        &expect![[r#"
        {
          "kind": "region_code",
          "valid": true,
          "reason": null,
          "reason_code": null,
          "warnings": [
            "也可能是事项编码;可用 --kind matter_item_code 指明 / it may also be a matter item code; say so with --kind matter_item_code"
          ],
          "warning_codes": [
            "ambiguous"
          ],
          "value": "420117002000",
          "parts": {
            "level": "town",
            "name": "湖北省武汉市新洲区",
            "parent": "420117"
          }
        }"#]],
    );
}

#[test]
fn a_dash_reads_the_first_line_of_standard_input() {
    show(
        "- --format json",
        "\n  42030319851231002x \nnext\n",
        Exit::Done,
        &expect![[r#"
        {
          "kind": "citizen_id",
          "valid": true,
          "reason": null,
          "reason_code": null,
          "warnings": [],
          "warning_codes": [],
          "value": "42030319851231002X",
          "parts": {
            "birth_date": "1985-12-31",
            "region": "420303",
            "sex": "female"
          }
        }"#]],
    );
    show(
        "-",
        "",
        Exit::Data,
        &expect![[r#"
        无效:未知类别 / not valid: unknown kind
          原因:没有内容,请输入号码
          reason: there is nothing in it; give a number
    "#]],
    );
}

#[test]
fn endless_input_is_cut_and_bytes_that_are_no_text_are_no_number() {
    let endless = std::io::BufReader::new(std::io::repeat(b'4'));
    let verdict = check(&arguments("-"), endless).unwrap();
    assert!(!verdict.is_valid());
    let verdict = check(&arguments("-"), Cursor::new([0xff, 0xfe, b'\n'])).unwrap();
    assert!(!verdict.is_valid());
}

#[test]
fn local_regions_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("local.csv");
    let line = format!("4203A1 --kind region-code --regions {}", file.display());
    let missing = check(&arguments(&line), Cursor::new("")).unwrap_err();
    assert_eq!((missing.code(), missing.exit()), ("INPUT_OUTPUT", Exit::InputOutput));
    std::fs::write(&file, "code,name,level,parent\n4203A1,示例开发区,county,420300\n").unwrap();
    show(
        &line,
        "",
        Exit::Done,
        &expect![[r#"
            有效:行政区划代码 / valid: region code
              名称 / name: 湖北省十堰市示例开发区
              级别 / level: 县级 / county
              上级 / parent: 420300
        "#]],
    );
    std::fs::write(&file, "code,name,level,parent\n4203A1,示例开发区,county,999999\n").unwrap();
    let wrong = check(&arguments(&line), Cursor::new("")).unwrap_err();
    assert_eq!((wrong.code(), wrong.exit()), ("REGIONS_WRONG", Exit::Config));
}

#[test]
fn every_kind_can_be_named_in_both_spellings() {
    for (kind, code, ..) in tongban_core::identifier::Kind::ALL {
        for spelling in [code.to_owned(), code.replace('_', "-")] {
            let name = arguments(&format!("1 --kind {spelling}")).kind.unwrap();
            assert_eq!(tongban_core::identifier::Kind::from(name), kind);
        }
    }
}
