//! Data between a script and the journal: exact in both directions, or a trouble that says where.
//!
//! Whole numbers stay `i64`, decimals stay decimals, maps keep the order of their names. What has
//! no meaning outside a run (a function, a handle) is refused.

use rhai::{Array, Dynamic, ImmutableString, Map};
use rust_decimal::Decimal;
use tongban_core::limits;
use tongban_core::value::Value;

use crate::api::outcome::{DecisionView, Output};
use crate::diagnose::Trouble;

/// Turns data into what a script sees.
pub(crate) fn to_script(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => Dynamic::from_bool(*truth),
        Value::Int(whole) => Dynamic::from_int(*whole),
        Value::Decimal(number) => Dynamic::from_decimal(*number),
        Value::Text(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        Value::List(items) => Dynamic::from_array(items.iter().map(to_script).collect::<Array>()),
        Value::Map(members) => Dynamic::from_map(
            members
                .iter()
                .map(|(name, item)| (name.as_str().into(), to_script(item)))
                .collect::<Map>(),
        ),
    }
}

/// Turns what a script gives into data. `what` names it in the trouble.
pub(crate) fn from_script(given: &Dynamic, what: &str) -> Result<Value, Trouble> {
    let mut left = limits::VALUE_BYTES_MAX / 8;
    let value = read(given, what, limits::VALUE_DEPTH_MAX, &mut left)?;
    value.check().map_err(|error| {
        let text = error.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Trouble::new("VALUE", format!("{what}：{zh}"), format!("{what}: {en}"))
    })
}

/// `left` counts values, so that a structure that shares its parts cannot unfold without end.
fn read(given: &Dynamic, what: &str, levels: usize, left: &mut usize) -> Result<Value, Trouble> {
    let too_large = || {
        Trouble::new(
            "VALUE",
            format!("{what} 过大或嵌套过深"),
            format!("{what} is too large or too deeply nested"),
        )
    };
    let inner = levels.checked_sub(1).ok_or_else(too_large)?;
    *left = left.checked_sub(1).ok_or_else(too_large)?;
    if let Some(items) = given.read_lock::<Array>() {
        let items = items.iter().enumerate();
        return items
            .map(|(index, item)| read(item, &format!("{what}[{index}]"), inner, left))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    if let Some(members) = given.read_lock::<Map>() {
        return members
            .iter()
            .map(|(name, item)| {
                let item = read(item, &format!("{what}.{name}"), inner, left)?;
                Ok((name.to_string(), item))
            })
            .collect::<Result<_, Trouble>>()
            .map(Value::Map);
    }
    scalar(given).ok_or_else(|| {
        Trouble::new(
            "VALUE",
            format!("{what} 不能作为数据（{}）", given.type_name()),
            format!("{what} cannot be used as data ({})", given.type_name()),
        )
        .advise(
            "只能传文字、数字、true/false、列表、映射，以及 ask、decide 的结果；句柄请先 wait。",
            "only text, numbers, true/false, lists, maps and what ask or decide returned can be passed; wait for a handle first.",
        )
    })
}

fn scalar(given: &Dynamic) -> Option<Value> {
    if given.is_unit() {
        return Some(Value::Null);
    }
    if let Some(text) = given.read_lock::<ImmutableString>() {
        return Some(Value::text(text.as_str()));
    }
    if let Some(number) = given.read_lock::<Decimal>() {
        return Some(Value::Decimal(*number));
    }
    if let Some(output) = given.read_lock::<Output>() {
        return Some(output.as_data());
    }
    if let Some(decision) = given.read_lock::<DecisionView>() {
        return Some(decision.as_data());
    }
    let letter = || given.as_char().ok().map(Value::text);
    let truth = || given.as_bool().ok().map(Value::Bool);
    given.as_int().ok().map(Value::Int).or_else(truth).or_else(letter)
}
