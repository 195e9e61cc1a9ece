//! From bytes to a set of documents: the kind, the schema, the types.
//!
//! A document of a calendar is the calendars' own and carries no `kind`; it is known by its
//! years, or by what the importer says.

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::agreements::AgreementsDocument;
use super::bindings::BindingsDocument;
use super::card_rules::CardRulesDocument;
use super::directory::OrganisationDocument;
use super::finding::{Fault, Finding};
use super::kind::DocumentKind;
use super::schema;
use crate::calendar::CalendarDocument;
use crate::digest::Digest;

/// A document as it came.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// How findings name it: its file, or its kind and code.
    pub label: &'a str,
    /// What it is, where whoever brings it knows; else its `kind` says so.
    pub kind: Option<DocumentKind>,
    /// The JSON.
    pub bytes: &'a [u8],
}

/// What a document says about itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// What it is.
    pub kind: DocumentKind,
    /// Which one of its kind.
    pub code: String,
}

/// A document with its label.
#[derive(Clone, Debug)]
pub(super) struct Labelled<D> {
    pub(super) label: String,
    pub(super) document: D,
}

/// The documents of a set that can be read.
#[derive(Clone, Debug, Default)]
pub(super) struct DocumentSet {
    pub(super) organisation: Vec<Labelled<OrganisationDocument>>,
    pub(super) bindings: Vec<Labelled<BindingsDocument>>,
    pub(super) agreements: Vec<Labelled<AgreementsDocument>>,
    pub(super) calendars: Vec<Labelled<CalendarDocument>>,
    pub(super) card_rules: Vec<Labelled<CardRulesDocument>>,
    /// Kind, code and digest of each document.
    pub(super) versions: Vec<(Identity, Digest)>,
}

/// Reads what a document says about itself.
pub(super) fn identity(source: &Source<'_>) -> Result<(Identity, Json), Box<Finding>> {
    let finding = |pointer: &str, fault| {
        let (document, pointer) = (source.label.to_owned(), pointer.to_owned());
        Box::new(Finding { document, pointer, fault })
    };
    let json: Json = serde_json::from_slice(source.bytes).map_err(|error| {
        finding("", Fault::NotJson { line: error.line(), column: error.column() })
    })?;
    let said = json.get("kind").and_then(Json::as_str);
    let kind = match (said.and_then(DocumentKind::parse), source.kind) {
        (Some(said), Some(wanted)) if said != wanted => {
            let fault = Fault::OtherKind { got: said.to_string(), wanted: wanted.code() };
            return Err(finding("/kind", fault));
        }
        (Some(kind), _) | (None, Some(kind)) => kind,
        (None, None) if said.is_none() && json.get("first_year").is_some() => {
            DocumentKind::Calendar
        }
        (None, None) => return Err(finding("/kind", Fault::NoKind)),
    };
    let code = json.get("code").and_then(Json::as_str).unwrap_or_default().to_owned();
    Ok((Identity { kind, code }, json))
}

impl DocumentSet {
    /// Reads every source; what is wrong with any of them is in the second part.
    pub(super) fn read(sources: &[Source<'_>]) -> (Self, Vec<Finding>) {
        let mut set = Self::default();
        let mut findings = Vec::new();
        for source in sources {
            match identity(source) {
                Ok((identity, json)) => findings.extend(set.add(source, identity, json)),
                Err(finding) => findings.push(*finding),
            }
        }
        (set, findings)
    }

    fn add(&mut self, source: &Source<'_>, identity: Identity, json: Json) -> Vec<Finding> {
        let label = source.label;
        let faults = schema::check(identity.kind, &json);
        if !faults.is_empty() {
            let named = |(pointer, fault)| Finding { document: label.to_owned(), pointer, fault };
            return faults.into_iter().map(named).collect();
        }
        let added = match identity.kind {
            DocumentKind::Organisation => push(&mut self.organisation, label, json),
            DocumentKind::Bindings => push(&mut self.bindings, label, json),
            DocumentKind::Agreements => push(&mut self.agreements, label, json),
            DocumentKind::Calendar => push(&mut self.calendars, label, json),
            DocumentKind::CardRules => push(&mut self.card_rules, label, json),
        };
        self.versions.push((identity, Digest::of(source.bytes)));
        added.err().into_iter().map(|finding| *finding).collect()
    }
}

fn push<D: DeserializeOwned>(
    list: &mut Vec<Labelled<D>>,
    label: &str,
    json: Json,
) -> Result<(), Box<Finding>> {
    let document = serde_json::from_value(json).map_err(|error| {
        let fault = Fault::Unreadable(error.to_string());
        Box::new(Finding { document: label.to_owned(), pointer: String::new(), fault })
    })?;
    list.push(Labelled { label: label.to_owned(), document });
    Ok(())
}
