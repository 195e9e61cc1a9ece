//! How core's types are written in JSON.
//!
//! Core's own serde form is the one on disk; on the wire identifiers, moments, digests and codes
//! are texts, and decimals are strings, which no reader rounds.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tongban_core::agency::{Ack, Effect, FaultClass};
use tongban_core::digest::Digest;
use tongban_core::id::CallId;
use tongban_core::time::Moment;
use tongban_core::value::Value;

/// A type that stands as a text on the wire.
pub trait WireText: Sized {
    /// What it is, for messages about a text that is none.
    const WANTED: &'static str;

    /// Writes it.
    fn to_wire(&self) -> String;

    /// Reads it.
    fn from_wire(text: &str) -> Option<Self>;
}

/// A value of core in its form on the wire.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Text<T>(pub T);

impl<T: WireText> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_wire())
    }
}

impl<'de, T: WireText> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        T::from_wire(&text)
            .map(Self)
            .ok_or_else(|| D::Error::custom(format_args!("expected {}", T::WANTED)))
    }
}

impl WireText for CallId {
    const WANTED: &'static str = "a call id (a UUID)";

    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl WireText for Moment {
    const WANTED: &'static str = "a time after RFC 3339 with an offset";

    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(text: &str) -> Option<Self> {
        Self::parse(text)
    }
}

impl WireText for Digest {
    const WANTED: &'static str = "a digest such as sha-256:<64 hexadecimal digits>";

    fn to_wire(&self) -> String {
        self.to_string()
    }

    fn from_wire(text: &str) -> Option<Self> {
        Self::from_hex(text.strip_prefix("sha-256:")?)
    }
}

impl WireText for FaultClass {
    const WANTED: &'static str = "a fault class";

    fn to_wire(&self) -> String {
        self.code().to_owned()
    }

    fn from_wire(text: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, code)| *code == text).map(|(class, _)| *class)
    }
}

/// Every effect with its code on the wire.
const EFFECTS: [(Effect, &str); 3] =
    [(Effect::None, "none"), (Effect::Applied, "applied"), (Effect::Unknown, "unknown")];

impl WireText for Effect {
    const WANTED: &'static str = "an effect: none, applied or unknown";

    fn to_wire(&self) -> String {
        let mut all = EFFECTS.iter();
        let found = all.find(|(effect, _)| effect == self);
        found.map_or("unknown", |(_, code)| code).to_owned()
    }

    fn from_wire(text: &str) -> Option<Self> {
        let mut all = EFFECTS.iter();
        all.find(|(_, code)| *code == text).map(|(effect, _)| *effect)
    }
}

/// Every acknowledgement.
const ACKS: [Ack; 5] =
    [Ack::Stored, Ack::Duplicate, Ack::Superseded, Ack::TerminalConflict, Ack::UnknownCall];

impl WireText for Ack {
    const WANTED: &'static str = "a result of an acknowledgement";

    fn to_wire(&self) -> String {
        self.code().to_owned()
    }

    fn from_wire(text: &str) -> Option<Self> {
        ACKS.into_iter().find(|ack| ack.code() == text)
    }
}

/// Data of a case as JSON: members in the order of their names, decimals as strings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Json(pub Value);

impl Json {
    /// Tells whether there is nothing to write.
    pub fn is_null(&self) -> bool {
        self.0 == Value::Null
    }
}

/// Writes a value without the detour over `serde_json::Map`, whose order depends on features of
/// other packages.
struct JsonRef<'a>(&'a Value);

impl Serialize for JsonRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(whole) => serializer.serialize_i64(*whole),
            Value::Decimal(number) => serializer.collect_str(number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => serializer.collect_seq(items.iter().map(JsonRef)),
            Value::Map(members) => {
                serializer.collect_map(members.iter().map(|(name, item)| (name, JsonRef(item))))
            }
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        JsonRef(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = serde_json::Value::deserialize(deserializer)?;
        Value::from_json(&json).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_as_strings_and_members_in_order() {
        let json = Json(Value::of([
            ("b", Value::Decimal("26840.50".parse().unwrap())),
            ("a", Value::List(vec![Value::Int(1), Value::Null])),
        ]));
        assert_eq!(serde_json::to_string(&json).unwrap(), r#"{"a":[1,null],"b":"26840.50"}"#);
    }

    #[test]
    fn every_code_reads_back() {
        for (class, _) in FaultClass::ALL {
            assert_eq!(FaultClass::from_wire(&class.to_wire()), Some(class));
        }
        for (effect, code) in EFFECTS {
            assert_eq!(effect.to_wire(), code);
            assert_eq!(Effect::from_wire(code), Some(effect));
        }
        for ack in ACKS {
            assert_eq!(Ack::from_wire(&ack.to_wire()), Some(ack));
        }
        assert_eq!(Digest::from_wire("md5:00"), None);
        assert_eq!(Moment::from_wire("yesterday"), None);
    }
}
