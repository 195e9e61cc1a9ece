//! The members of a map that a script gives: each is taken by its name, and a strange one is
//! refused with the nearest that is known.

use rhai::{Array, Dynamic, Map};
use tongban_core::time::Period;

use crate::api::time::period;
use crate::diagnose::Trouble;
use crate::suspend::Thrown;

/// Takes the members of a declaration one by one.
pub(crate) struct Members {
    code: &'static str,
    what: &'static str,
    map: Map,
}

impl Members {
    /// Takes the members of `map`; a trouble with them has `code`, and names them members of `what`.
    pub(crate) fn new(code: &'static str, what: &'static str, map: Map) -> Self {
        Self { code, what, map }
    }

    /// Puts a member back.
    pub(crate) fn put(&mut self, name: &str, member: Dynamic) {
        self.map.insert(name.into(), member);
    }

    /// Takes a member of this type.
    pub(crate) fn take<T: Clone + Send + Sync + 'static>(
        &mut self,
        name: &str,
        zh: &str,
        en: &str,
    ) -> Result<Option<T>, Thrown> {
        let Some(given) = self.map.remove(name).filter(|given| !given.is_unit()) else {
            return Ok(None);
        };
        let kind = given.type_name();
        given.try_cast::<T>().map(Some).ok_or_else(|| {
            Trouble::new(
                self.code,
                format!("{} 的 {name} 应为{zh}，而不是 {kind}", self.what),
                format!("{name} of {} must be {en}, not {kind}", self.what),
            )
            .thrown()
        })
    }

    /// Takes a text.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Thrown> {
        let text: Option<rhai::ImmutableString> = self.take(name, "文字", "a text")?;
        Ok(text.map(|text| text.to_string()))
    }

    /// Takes a text that must be there.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String, Thrown> {
        let (code, what) = (self.code, self.what);
        let text = self.text(name)?.filter(|text| !text.trim().is_empty());
        text.ok_or_else(|| {
            Trouble::new(code, format!("{what} 缺少 {name}"), format!("{what} lacks {name}"))
                .thrown()
        })
    }

    /// Takes a list of items of this type.
    pub(crate) fn list<T: Clone + Send + Sync + 'static>(
        &mut self,
        name: &str,
        zh: &str,
        en: &str,
    ) -> Result<Vec<T>, Thrown> {
        let (code, what) = (self.code, self.what);
        let list: Array = self.take(name, "列表", "a list")?.unwrap_or_default();
        list.into_iter()
            .map(|item| {
                let kind = item.type_name();
                item.try_cast::<T>().ok_or_else(|| {
                    Trouble::new(
                        code,
                        format!("{what} 的 {name} 只能含 {zh}，而不是 {kind}"),
                        format!("{name} of {what} holds {en}, not {kind}"),
                    )
                    .thrown()
                })
            })
            .collect()
    }

    /// Takes a text that is one of the known codes.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &str,
        known: &[(&'static str, T)],
    ) -> Result<Option<T>, Thrown> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let found = known.iter().find(|(code, _)| *code == text);
        found.map(|(_, value)| Some(*value)).ok_or_else(|| {
            Trouble::new(
                self.code,
                format!("{} 的 {name} 不能是 {text}", self.what),
                format!("{name} of {} cannot be {text}", self.what),
            )
            .advise_nearest(&text, known.iter().map(|(code, _)| *code))
            .thrown()
        })
    }

    /// Refuses members that nobody took.
    pub(crate) fn end(self, known: &[&str]) -> Result<(), Thrown> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(Trouble::new(
                self.code,
                format!("{} 没有成员 {name}", self.what),
                format!("{} has no member {name}", self.what),
            )
            .advise_nearest(name, known.iter().copied())
            .thrown()),
        }
    }

    /// Takes a period such as "5 working days".
    pub(crate) fn period(&mut self, name: &str) -> Result<Option<Period>, Thrown> {
        self.text(name)?.as_deref().map(period).transpose()
    }

    /// Takes the name of a rule, which may not be blank.
    pub(crate) fn basis(&mut self, name: &str) -> Result<Option<String>, Thrown> {
        let given = self.text(name)?;
        if let Some(text) = &given
            && text.trim().is_empty()
        {
            return Err(basis_missing(
                &format!("{} 的 {name} ", self.what),
                &format!("{name} of {}", self.what),
            )
            .thrown());
        }
        Ok(given)
    }
}

/// Says that something needs the rule on which it rests.
pub(crate) fn basis_missing(zh: &str, en: &str) -> Trouble {
    Trouble::new(
        "BASIS_MISSING",
        format!("{zh}须写明依据（法规名称和条款）"),
        format!("{en} needs its basis: the rule and its article"),
    )
    .advise("例如 \"本事项实施办法第九条\"。", "write for example \"本事项实施办法第九条\".")
}
