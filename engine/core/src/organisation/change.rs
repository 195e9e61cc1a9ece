//! What a new version of a document changes: items added, removed, changed, by their names.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::kind::DocumentKind;

/// What changed in one list of a document.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Change {
    /// The list, such as `offices`.
    pub list: &'static str,
    /// Items that are new.
    pub added: Vec<String>,
    /// Items that are gone.
    pub removed: Vec<String>,
    /// Items that say something else.
    pub changed: Vec<String>,
}

impl Change {
    /// Tells whether nothing changed.
    pub fn is_none(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// A list with the members that name its items.
type List = (&'static str, &'static [&'static str]);

const fn lists(kind: DocumentKind) -> &'static [List] {
    match kind {
        DocumentKind::Organisation => &[
            ("regions", &["code"]),
            ("offices", &["code", "place"]),
            ("roles", &["code"]),
            ("people", &["subject"]),
            ("standIns", &["for", "by", "from"]),
        ],
        DocumentKind::Bindings => &[("bindings", &["operation", "region"])],
        DocumentKind::Agreements => &[("agreements", &["code"])],
        DocumentKind::Calendar => &[("days", &["date"])],
        DocumentKind::CardRules => &[("rules", &["id"])],
    }
}

/// Compares two versions of a document; both must be readable. Lists without changes are left
/// out. Without an earlier version everything is added.
pub fn changes(kind: DocumentKind, before: Option<&[u8]>, after: &[u8]) -> Vec<Change> {
    let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap_or_default();
    let (before, after) = (before.map(read).unwrap_or_default(), read(after));
    let compared = lists(kind).iter().map(|list| compare(*list, &before, &after));
    compared.filter(|change| !change.is_none()).collect()
}

fn compare(list: List, before: &Json, after: &Json) -> Change {
    let (old, new) = (by_name(list, before), by_name(list, after));
    let mut change = Change { list: list.0, ..Change::default() };
    for (name, item) in &new {
        match old.get(name) {
            None => change.added.push(name.clone()),
            Some(known) if known != item => change.changed.push(name.clone()),
            Some(_) => {}
        }
    }
    change.removed = old.into_keys().filter(|name| !new.contains_key(name)).collect();
    change
}

fn by_name((list, members): List, document: &Json) -> BTreeMap<String, &Map<String, Json>> {
    let items = document.get(list).and_then(Json::as_array).into_iter().flatten();
    items
        .filter_map(Json::as_object)
        .map(|item| {
            let parts = members.iter().filter_map(|member| item.get(*member)?.as_str());
            (parts.collect::<Vec<_>>().join("@"), item)
        })
        .collect()
}
