//! What a schema cannot say: that names lead somewhere and periods make sense.
//!
//! Every rule adds what it finds to one [`Report`] and goes on. Nothing here changes a document.

mod agreements;
mod directory;
mod others;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::document::{DocumentSet, Labelled};
use super::finding::{Fault, Finding};
use crate::id::RegionCode;
use crate::identifier::{CreditCode, Regions};

/// Checks a set of documents that can be read.
pub(super) fn check(set: &DocumentSet) -> Vec<Finding> {
    let local = set.organisation.iter().flat_map(|one| &one.document.regions);
    let mut report = Report {
        regions: Regions::national(),
        local: local.map(|region| region.code.as_str()).collect(),
        findings: Vec::new(),
    };
    directory::check(set, &mut report);
    agreements::check(set, &mut report);
    others::bindings(set, &mut report);
    others::card_rules(set, &mut report);
    others::calendars(set, &mut report);
    report.findings
}

/// A place in a document.
#[derive(Clone, Debug)]
struct Place {
    document: String,
    pointer: String,
}

impl Place {
    /// Returns the place of a member of this one.
    fn member(&self, name: impl std::fmt::Display) -> Self {
        Self { document: self.document.clone(), pointer: format!("{}/{name}", self.pointer) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}", self.document, self.pointer)
    }
}

/// Lists the items of a member of several documents, each with its place.
fn items<'a, D, T: 'a>(
    documents: &'a [Labelled<D>],
    member: &'static str,
    list: impl Fn(&'a D) -> &'a [T] + 'a,
) -> impl Iterator<Item = (Place, &'a T)> + 'a {
    documents.iter().flat_map(move |one| {
        list(&one.document).iter().enumerate().map(move |(index, item)| {
            let pointer = format!("/{member}/{index}");
            (Place { document: one.label.clone(), pointer }, item)
        })
    })
}

/// What the rules know and find.
struct Report<'a> {
    regions: Regions,
    local: BTreeSet<&'a str>,
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, at: Place, fault: Fault) {
        self.findings.push(Finding { document: at.document, pointer: at.pointer, fault });
    }

    fn knows(&self, region: &RegionCode) -> bool {
        self.local.contains(region.as_str()) || self.regions.find(region.as_str()).is_ok()
    }

    fn region(&mut self, at: Place, region: &RegionCode) {
        if !self.knows(region) {
            self.add(at, Fault::Region(region.as_str().to_owned()));
        }
    }

    fn credit_code(&mut self, at: Place, code: &str) {
        if let Err(error) = CreditCode::parse(code) {
            let (zh, en) = (error.flaw.chinese(), error.flaw.english());
            self.add(at, Fault::CreditCode { code: code.to_owned(), zh, en });
        }
    }

    fn period(&mut self, at: &Place, from: Date, until: Option<Date>) {
        if let Some(until) = until.filter(|until| from > *until) {
            let fault = Fault::Period { from: from.to_string(), until: until.to_string() };
            self.add(at.member("until"), fault);
        }
    }

    /// Keeps the first place of each code, and tells of every other.
    fn unique(&mut self, seen: &mut BTreeMap<String, Place>, code: String, at: &Place) {
        if let Some(first) = seen.get(&code) {
            let first = first.to_string();
            self.add(at.clone(), Fault::Duplicate { code, first });
        } else {
            seen.insert(code, at.clone());
        }
    }
}

/// Tells whether two periods share a day; an open one has no end.
fn overlap(one: (Date, Option<Date>), other: (Date, Option<Date>)) -> bool {
    let ends_before =
        |period: (Date, Option<Date>), from: Date| period.1.is_some_and(|until| until < from);
    !ends_before(one, other.0) && !ends_before(other, one.0)
}
