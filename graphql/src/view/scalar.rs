//! Scalars: time with its offset, revisions, free JSON.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use tongban_core::id::CommitNo;
use tongban_core::time::Moment;

/// A moment on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct DateTime(pub(crate) Moment);

/// 日期时间,RFC 3339,总带时区,输出为北京时间 / Date and time after RFC 3339, always with an offset; Beijing time on output
#[Scalar]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Moment::parse(text).map(Self).ok_or_else(|| {
            InputValueError::custom(
                "须为 RFC 3339 日期时间 / must be a date and time after RFC 3339",
            )
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl From<Moment> for DateTime {
    fn from(moment: Moment) -> Self {
        Self(moment)
    }
}

/// A day on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Date(pub(crate) jiff::civil::Date);

/// 日期,YYYY-MM-DD,北京时间 / A date, YYYY-MM-DD, in Beijing
#[Scalar]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        text.parse()
            .map(Self)
            .map_err(|_| InputValueError::custom("须为日期 YYYY-MM-DD / must be a date YYYY-MM-DD"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A commit number on the wire: text, because clients keep only 53 bits of a number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Revision(pub(crate) CommitNo);

/// 全局修订号,只增不减的整数,以字符串表示 / Global revision: a whole number that only grows, as a string
#[Scalar]
impl ScalarType for Revision {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let number = text.parse().ok();
        number.map(|number| Self(CommitNo(number))).ok_or_else(|| {
            InputValueError::custom("须为整数字符串 / must be a whole number as a string")
        })
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.0.to_string())
    }
}

/// Free JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json(pub(crate) serde_json::Value);

/// 任意 JSON 值 / Any JSON value
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        let json = value.into_json();
        json.map(Self).map_err(|_| InputValueError::custom("须为 JSON / must be JSON"))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

impl From<&tongban_core::value::Value> for Json {
    fn from(value: &tongban_core::value::Value) -> Self {
        Self(value.to_json())
    }
}
