//! The one kind of data that crosses script, journal and connector.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::limits;

/// A piece of data. Integers and decimals stay apart, and maps keep key order, so that the
/// canonical form and its digest are the same everywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// An exact decimal number.
    Decimal(#[serde(with = "decimal")] Decimal),
    /// Text.
    Text(String),
    /// Values in order.
    List(Vec<Value>),
    /// Values by name, in the order of the names.
    Map(BTreeMap<String, Value>),
}

/// Sixteen bytes: the number's own form needs a format that describes itself.
mod decimal {
    use rust_decimal::Decimal;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &Decimal, to: S) -> Result<S::Ok, S::Error> {
        Decimal::serialize(number).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Decimal, D::Error> {
        <[u8; 16]>::deserialize(from).map(Decimal::deserialize)
    }
}

/// A value that is too large or cannot be represented.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ValueError {
    /// Nested too deeply.
    #[error(
        "数据嵌套超过 {} 层 / value is nested deeper than {} levels",
        limits::VALUE_DEPTH_MAX,
        limits::VALUE_DEPTH_MAX
    )]
    TooDeep,
    /// Larger than the limit.
    #[error(
        "数据有 {size} 字节,上限 {} / value has {size} bytes, the limit is {}",
        limits::VALUE_BYTES_MAX,
        limits::VALUE_BYTES_MAX
    )]
    TooLarge {
        /// Its size in bytes, as [`Value::size`] counts.
        size: usize,
    },
    /// A number that no exact type holds.
    #[error("数字 {0} 无法精确表示 / number {0} has no exact representation")]
    Number(String),
}

impl Value {
    /// Returns the empty map.
    pub fn map() -> Self {
        Self::Map(BTreeMap::new())
    }

    /// Wraps a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Builds a map from pairs.
    pub fn of<const N: usize>(pairs: [(&str, Self); N]) -> Self {
        Self::Map(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Returns the member `name` of a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(name),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Decimal(_)
            | Self::Text(_)
            | Self::List(_) => None,
        }
    }

    /// Puts the members of `other` over this map's; what is no map becomes one.
    pub fn overlay(&mut self, other: &Self) {
        let Self::Map(members) = other else {
            return;
        };
        if !matches!(self, Self::Map(_)) {
            *self = Self::map();
        }
        if let Self::Map(own) = self {
            own.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
    }

    /// Returns the text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// Tells whether this is nothing, an empty text, list or map.
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Decimal(_) => false,
        }
    }

    /// Returns the approximate size in bytes: texts and names, and 8 for each value.
    pub fn size(&self) -> usize {
        let own = match self {
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Decimal(_) => 0,
            Self::Text(text) => text.len(),
            Self::List(items) => items.iter().map(Self::size).sum(),
            Self::Map(map) => map.iter().map(|(name, value)| name.len() + value.size()).sum(),
        };
        own + 8
    }

    fn depth_within(&self, levels: usize) -> bool {
        let Some(inner) = levels.checked_sub(1) else {
            return false;
        };
        match self {
            Self::List(items) => items.iter().all(|item| item.depth_within(inner)),
            Self::Map(map) => map.values().all(|item| item.depth_within(inner)),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Decimal(_) | Self::Text(_) => true,
        }
    }

    /// Checks the limits on depth and size; depth first, so that the size walk is bounded.
    pub fn check(self) -> Result<Self, ValueError> {
        if !self.depth_within(limits::VALUE_DEPTH_MAX) {
            return Err(ValueError::TooDeep);
        }
        let size = self.size();
        if size > limits::VALUE_BYTES_MAX {
            return Err(ValueError::TooLarge { size });
        }
        Ok(self)
    }

    /// Returns the canonical bytes of the value, the base of every digest.
    pub fn canonical(&self) -> Vec<u8> {
        postcard::to_stdvec(&CanonicalRef(self)).expect("a value has no unserialisable part")
    }

    /// Reads JSON. Whole numbers stay exact; a number with a fraction becomes the shortest decimal
    /// of its binary form, so that amounts of more than fifteen digits are sent as text.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, ValueError> {
        Self::read_json(json, limits::VALUE_DEPTH_MAX)?.check()
    }

    fn read_json(json: &serde_json::Value, levels: usize) -> Result<Self, ValueError> {
        let inner = levels.checked_sub(1).ok_or(ValueError::TooDeep)?;
        Ok(match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Bool(*truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Decimal(
                    Decimal::from_str_exact(&number.to_string())
                        .or_else(|_| Decimal::from_scientific(&number.to_string()))
                        .map_err(|_| ValueError::Number(number.to_string()))?,
                ),
            },
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(items) => Self::List(
                items.iter().map(|item| Self::read_json(item, inner)).collect::<Result<_, _>>()?,
            ),
            serde_json::Value::Object(members) => Self::Map(
                members
                    .iter()
                    .map(|(name, item)| Ok((name.clone(), Self::read_json(item, inner)?)))
                    .collect::<Result<_, ValueError>>()?,
            ),
        })
    }

    /// Returns the value as JSON. A decimal becomes a string, which no reader rounds.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(truth) => (*truth).into(),
            Self::Int(whole) => (*whole).into(),
            Self::Decimal(number) => number.to_string().into(),
            Self::Text(text) => text.clone().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => {
                map.iter().map(|(name, item)| (name.clone(), item.to_json())).collect()
            }
        }
    }
}

/// The canonical form: like the stored one, but a decimal without trailing zeros, so that 1.0
/// and 1.00 have one digest.
struct CanonicalRef<'a>(&'a Value);

impl Serialize for CanonicalRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Decimal(number) => Value::Decimal(number.normalize()).serialize(serializer),
            Value::List(items) => serializer.serialize_newtype_variant(
                "Value",
                5,
                "List",
                &items.iter().map(CanonicalRef).collect::<Vec<_>>(),
            ),
            Value::Map(map) => serializer.serialize_newtype_variant(
                "Value",
                6,
                "Map",
                &map.iter()
                    .map(|(name, item)| (name, CanonicalRef(item)))
                    .collect::<BTreeMap<_, _>>(),
            ),
            plain @ (Value::Null | Value::Bool(_) | Value::Int(_) | Value::Text(_)) => {
                plain.serialize(serializer)
            }
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(whole: i64) -> Self {
        Self::Int(whole)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn large_numbers_keep_every_digit() {
        let value = Value::from_json(&json!({"n": i64::MAX, "d": 0.1})).unwrap();
        assert_eq!(value.get("n"), Some(&Value::Int(i64::MAX)));
        assert_eq!(value.get("d"), Some(&Value::Decimal(Decimal::new(1, 1))));
        assert_eq!(value.to_json(), json!({"n": i64::MAX, "d": "0.1"}));
    }

    #[test]
    fn canonical_form_ignores_trailing_zeros_and_nothing_else() {
        let one = |text: &str| Value::List(vec![Value::Decimal(text.parse().unwrap())]);
        assert_eq!(one("1.0").canonical(), one("1.00").canonical());
        assert_ne!(one("1.0").canonical(), one("1.01").canonical());
        assert_ne!(Value::from("1").canonical(), Value::Int(1).canonical());
        let map = Value::of([("a", Value::Int(1)), ("b", Value::map())]);
        assert_eq!(map.canonical(), postcard::to_stdvec(&map).unwrap());
    }

    #[test]
    fn a_decimal_in_the_journal_reads_back() {
        let value = Value::Decimal("26840.50".parse().unwrap());
        let read: Value = crate::wire::decode(&crate::wire::encode(&value)).unwrap();
        assert_eq!(read, value);
        assert_eq!(read.to_string(), "\"26840.50\"");
    }

    #[test]
    fn depth_and_size_are_limited() {
        let mut json = json!(1);
        for _ in 0..=limits::VALUE_DEPTH_MAX {
            json = json!([json]);
        }
        assert_eq!(Value::from_json(&json), Err(ValueError::TooDeep));
        let large = json!("x".repeat(limits::VALUE_BYTES_MAX + 1));
        assert!(matches!(Value::from_json(&large), Err(ValueError::TooLarge { .. })));
    }
}
