//! Fields of a form: what each kind takes, and what is said, in Chinese and in English, of what it
//! does not take.

use std::fmt::Write as _;

use rust_decimal::Decimal;

use super::*;

fn field(name: &str, label: &str, kind: FieldKind) -> Field {
    Field {
        name: name.to_owned(),
        label: label.to_owned(),
        kind,
        required: true,
        source: None,
        label_en: String::new(),
    }
}

fn shop() -> Field {
    field("shop", "店名", FieldKind::Text { max: 4 })
}

fn area() -> Field {
    let bounds =
        FieldKind::Number { above: Some(Decimal::ZERO), at_most: Some(Decimal::new(1_005, 1)) };
    field("area", "面积", bounds)
}

fn opens() -> Field {
    field("opens", "开业日期", FieldKind::Date)
}

fn basement() -> Field {
    field("basement", "有无地下室", FieldKind::YesNo)
}

fn premises() -> Field {
    let choices = ["自有", "租赁"].map(str::to_owned).to_vec();
    field("premises", "场所来源", FieldKind::Choice(choices))
}

fn route() -> Field {
    let of = Box::new(FieldKind::Text { max: 6 });
    field("route", "途经地", FieldKind::List { of, max: 2 })
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn list(values: &[&str]) -> Value {
    Value::List(values.iter().map(|value| text(value)).collect())
}

#[test]
fn each_kind_of_field_takes_what_it_asks_for() {
    for (field, value) in [
        (shop(), text("示例书店")),
        (area(), Value::Int(1)),
        (area(), Value::Int(100)),
        (area(), Value::Decimal(Decimal::new(1, 9))),
        (area(), Value::Decimal(Decimal::new(1_005, 1))),
        (opens(), text("2026-02-28")),
        (opens(), text("2028-02-29")),
        (basement(), Value::Bool(true)),
        (basement(), Value::Bool(false)),
        (premises(), text("自有")),
        (premises(), text("租赁")),
        (route(), list(&[])),
        (route(), list(&["示例一县", "示例二县"])),
    ] {
        assert_eq!(check_value(&field, &value), Ok(()), "{} takes {value}", field.name);
    }
}

#[test]
fn what_a_field_does_not_take_is_said_in_chinese_and_in_english() {
    let wrong = [
        (shop(), text("示例书店二")),
        (shop(), Value::Int(7)),
        (area(), Value::Int(0)),
        (area(), Value::Decimal(Decimal::new(-1, 2))),
        (area(), Value::Decimal(Decimal::new(10_051, 2))),
        (area(), text("100")),
        (opens(), text("2026-02-29")),
        (opens(), text("2026年3月2日")),
        (opens(), Value::Int(20_260_302)),
        (basement(), text("是")),
        (basement(), Value::Int(1)),
        (premises(), text("借用")),
        (premises(), Value::Bool(true)),
        (route(), list(&["一", "二", "三"])),
        (route(), list(&["一", "一"])),
        (route(), list(&["示例一二三四县"])),
        (route(), text("示例一县")),
    ];
    let mut said = String::new();
    for (field, value) in wrong {
        let refusal = check_value(&field, &value).unwrap_err();
        assert_eq!(refusal.code, "INVALID_FIELD", "{}", field.name);
        assert!(refusal.zh.contains(&field.label), "{}", refusal.zh);
        assert!(refusal.en.starts_with(&field.name), "{}", refusal.en);
        writeln!(said, "{value}: {refusal}").unwrap();
    }
    expect_test::expect![[r#"
        "示例书店二": “店名”最多 4 个字 / shop takes at most 4 characters
        7: “店名”须为文字 / shop must be text
        0: “面积”须大于 0 / area must be above 0
        "-0.01": “面积”须大于 0 / area must be above 0
        "100.51": “面积”不得大于 100.5 / area must be at most 100.5
        "100": “面积”须为数字 / area must be a number
        "2026-02-29": “开业日期”须为日期 YYYY-MM-DD / opens must be a date YYYY-MM-DD
        "2026年3月2日": “开业日期”须为日期 YYYY-MM-DD / opens must be a date YYYY-MM-DD
        20260302: “开业日期”须为日期 YYYY-MM-DD / opens must be a date YYYY-MM-DD
        "是": “有无地下室”须为是或否 / basement must be true or false
        1: “有无地下室”须为是或否 / basement must be true or false
        "借用": “场所来源”须为其中之一:自有、租赁 / premises must be one of 自有, 租赁
        true: “场所来源”须为所列选项之一 / premises must be one of the choices
        ["一","二","三"]: “途经地”最多 2 项 / route takes at most 2 values
        ["一","一"]: “途经地”每项只能出现一次 / route takes each value once
        ["示例一二三四县"]: “途经地”最多 6 个字 / route takes at most 6 characters
        "示例一县": “途经地”须为列表 / route must be a list
    "#]]
    .assert_eq(&said);
}

/// A date with a time, or written without hyphens, was kept as it came and met no comparison.
#[test]
fn a_date_has_one_form_only() {
    for date in ["20260302", "2026-03-02T10:00:00", "2026-03-02 10:00", "+002026-03-02", "2026-3-2"]
    {
        let refusal = check_value(&opens(), &text(date)).unwrap_err();
        assert_eq!(
            (refusal.zh.as_str(), refusal.en.as_str()),
            ("“开业日期”须为日期 YYYY-MM-DD", "opens must be a date YYYY-MM-DD"),
            "{date}"
        );
    }
}

#[test]
fn a_form_says_where_it_is_wrong_what_it_lacks_and_what_it_does_not_have() {
    let fields = [shop(), area()];
    let check = |data: &Value, completeness| {
        let refusal = check_fields(&fields, data, "form", completeness).unwrap_err();
        format!("{} {}: {refusal}", refusal.code, refusal.path.join("."))
    };
    let whole = Value::of([("shop", text("示例")), ("area", Value::Int(1))]);
    assert_eq!(check_fields(&fields, &whole, "form", Completeness::Submitted), Ok(()));
    let blank = Value::of([("shop", text(" "))]);
    assert_eq!(check_fields(&fields, &blank, "form", Completeness::Draft), Ok(()));
    let lines = [
        check(&Value::of([("area", Value::Int(0))]), Completeness::Draft),
        check(&Value::of([("aera", Value::Int(1))]), Completeness::Draft),
        check(&blank, Completeness::Submitted),
        check(&list(&["示例"]), Completeness::Draft),
    ];
    expect_test::expect![[r#"
        INVALID_FIELD form.area: “面积”须大于 0 / area must be above 0
        UNKNOWN_FIELD form.aera: 没有字段 aera,相近的有:area, shop / there is no field aera; near it are: area, shop
        FIELDS_MISSING form.shop: 还需填写:店名、面积 / these fields are missing: shop, area
        INVALID_INPUT form: 应为对象 / must be an object"#]].assert_eq(&lines.join("\n"));
}
