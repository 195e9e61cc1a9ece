//! Taking the members of a map that a rehearsal gives, each known by name.

use std::collections::BTreeMap;

use rhai::{Dynamic, Map};
use tongban_core::value::Value;

use crate::convert::from_script;
use crate::diagnose::Trouble;

/// The members of a map.
pub(crate) struct Given {
    what: &'static str,
    members: BTreeMap<String, Value>,
}

impl Given {
    pub(crate) fn new(what: &'static str, map: Map) -> Result<Self, Trouble> {
        match from_script(&Dynamic::from_map(map), what)? {
            Value::Map(members) => Ok(Self { what, members }),
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Decimal(_)
            | Value::Text(_)
            | Value::List(_)) => {
                Ok(Self { what, members: BTreeMap::from([(String::new(), other)]) })
            }
        }
    }

    /// Takes a member, whatever it is.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| *value != Value::Null)
    }

    /// Returns a copy of a member that is still to be taken.
    pub(crate) fn peek(&self, name: &str) -> Option<Value> {
        self.members.get(name).cloned()
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Trouble> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(name, ("文字", "a text"), &other)),
        }
    }

    /// Takes a text that must be there.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String, Trouble> {
        let what = self.what;
        self.text(name)?.ok_or_else(|| {
            Trouble::new("WORD", format!("{what} 缺少 {name}"), format!("{what} lacks {name}"))
        })
    }

    /// Takes a list.
    pub(crate) fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Trouble> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::List(items)) => Ok(Some(items)),
            Some(other) => Err(self.wrong(name, ("列表", "a list"), &other)),
        }
    }

    /// Takes a map.
    pub(crate) fn map(&mut self, name: &str) -> Result<Option<BTreeMap<String, Value>>, Trouble> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Map(members)) => Ok(Some(members)),
            Some(other) => Err(self.wrong(name, ("映射", "a map"), &other)),
        }
    }

    /// Refuses members that nobody took.
    pub(crate) fn end(self, known: &[&str]) -> Result<(), Trouble> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(Trouble::new(
                "WORD",
                format!("{} 没有成员 {name}", self.what),
                format!("{} has no member {name}", self.what),
            )
            .advise_nearest(name, known.iter().copied())),
        }
    }

    fn wrong(&self, name: &str, (zh, en): (&str, &str), got: &Value) -> Trouble {
        Trouble::new(
            "WORD",
            format!("{} 的 {name} 应为{zh},而不是 {got}", self.what),
            format!("{name} of {} must be {en}, not {got}", self.what),
        )
    }
}
