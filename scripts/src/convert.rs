//! Data between a script and the journal: exact in both directions, or a trouble that says where.
//!
//! Whole numbers stay `i64`, decimals stay decimals, maps keep the order of their names. What has
//! no meaning outside a run (a function, a handle) is refused.

use std::collections::BTreeMap;
use std::fmt;

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
    let value = read(given, &Place::Whole(what), limits::VALUE_DEPTH_MAX, &mut left)?;
    value.check().map_err(|error| {
        let text = error.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Trouble::new("VALUE", format!("{what}：{zh}"), format!("{what}: {en}"))
    })
}

/// Tells whether [`from_script`] would make exactly these members of a map, without making them:
/// a replay compares far more often than it builds.
pub(crate) fn same_members(members: &BTreeMap<String, Value>, given: &Map) -> bool {
    // Both are ordered by name.
    members.len() == given.len()
        && members
            .iter()
            .zip(given)
            .all(|((own, value), (name, item))| own.as_str() == name.as_str() && same(value, item))
}

fn same(value: &Value, given: &Dynamic) -> bool {
    match value {
        Value::Null => given.is_unit(),
        Value::Bool(truth) => given.as_bool() == Ok(*truth),
        Value::Int(whole) => given.as_int() == Ok(*whole),
        Value::List(items) => given.read_lock::<Array>().is_some_and(|given| {
            items.len() == given.len()
                && items.iter().zip(given.iter()).all(|(own, item)| same(own, item))
        }),
        Value::Map(members) => match given.read_lock::<Map>() {
            Some(given) => same_members(members, &given),
            None => scalar(given).as_ref() == Some(value),
        },
        Value::Text(text) => match given.read_lock::<ImmutableString>() {
            Some(given) => given.as_str() == text.as_str(),
            None => scalar(given).as_ref() == Some(value),
        },
        Value::Decimal(_) => scalar(given).as_ref() == Some(value),
    }
}

/// Where in what a script gave a value stands; written out only for a trouble.
enum Place<'a> {
    Whole(&'a str),
    Item(&'a Self, usize),
    Member(&'a Self, &'a str),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(what) => to.write_str(what),
            Self::Item(around, index) => write!(to, "{around}[{index}]"),
            Self::Member(around, name) => write!(to, "{around}.{name}"),
        }
    }
}

/// `left` counts values, so that a structure that shares its parts cannot unfold without end.
fn read(
    given: &Dynamic,
    what: &Place<'_>,
    levels: usize,
    left: &mut usize,
) -> Result<Value, Trouble> {
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
            .map(|(index, item)| read(item, &Place::Item(what, index), inner, left))
            .collect::<Result<_, _>>()
            .map(Value::List);
    }
    if let Some(members) = given.read_lock::<Map>() {
        return members
            .iter()
            .map(|(name, item)| {
                let item = read(item, &Place::Member(what, name), inner, left)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_without_being_made_compares_as_what_is_made() {
        let list = |items: &[Dynamic]| Dynamic::from_array(items.to_vec());
        let map = |name: &str, item: Dynamic| Dynamic::from_map(Map::from([(name.into(), item)]));
        let decimal = |text: &str| Dynamic::from_decimal(text.parse().unwrap());
        let given: Vec<Dynamic> = vec![
            Dynamic::UNIT,
            Dynamic::from_bool(true),
            Dynamic::from_int(1),
            decimal("1"),
            decimal("1.00"),
            Dynamic::from_char('1'),
            Dynamic::from(ImmutableString::from("1")),
            Dynamic::from(ImmutableString::from("")),
            list(&[]),
            list(&[Dynamic::from_int(1), Dynamic::UNIT]),
            list(&[Dynamic::from_int(1), Dynamic::UNIT]).into_shared(),
            map("a", Dynamic::from_int(1)),
            map("b", Dynamic::from_int(1)),
            map("a", list(&[map("a", Dynamic::from_char('x'))])),
            Dynamic::from_map(Map::new()),
        ];
        for one in &given {
            let made = from_script(one, "x").unwrap();
            for other in &given {
                let wanted = made == from_script(other, "x").unwrap();
                assert_eq!(same(&made, other), wanted, "{made:?} {other:?}");
            }
        }
    }
}
