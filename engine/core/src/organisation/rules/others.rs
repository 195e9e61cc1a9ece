//! Rules for bindings, card rules and calendars.

use std::collections::BTreeMap;

use super::{Place, Report, items};
use crate::calendar::{CalendarDocument, CalendarError, Calendars};
use crate::organisation::document::DocumentSet;
use crate::organisation::finding::Fault;

/// No operation is bound twice at one place: the same rule as the connectors' own.
pub(super) fn bindings(set: &DocumentSet, report: &mut Report<'_>) {
    let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (at, entry) in items(&set.bindings, "bindings", |one| one.bindings.as_slice()) {
        report.region(at.member("region"), &entry.region);
        let place = (entry.operation.as_str(), entry.region.prefix());
        match seen.get(&place) {
            Some(first) => {
                let fault = Fault::Binding {
                    operation: entry.operation.clone(),
                    region: entry.region.to_string(),
                    first: (*first).to_owned(),
                };
                report.add(at, fault);
            }
            None => drop(seen.insert(place, &entry.connector)),
        }
    }
}

/// Every card asks somebody who can exist.
pub(super) fn card_rules(set: &DocumentSet, report: &mut Report<'_>) {
    let roles: Vec<&str> = set
        .organisation
        .iter()
        .flat_map(|one| &one.document.roles)
        .map(|role| role.code.as_str())
        .collect();
    let mut ids = BTreeMap::new();
    for (at, rule) in items(&set.card_rules, "rules", |one| one.rules.as_slice()) {
        report.unique(&mut ids, rule.id.clone(), &at);
        let is_addressed =
            |role: &&str| role.split_once('.').is_some_and(|(_, end)| end == rule.to);
        if !roles.is_empty() && !roles.iter().any(is_addressed) {
            report.add(at.member("to"), Fault::Addressee(rule.to.clone()));
        }
        for (index, region) in rule.regions.iter().enumerate() {
            report.region(at.member("regions").member(index), region);
        }
    }
}

/// What calendars say is their own to check, each by itself and then together.
pub(super) fn calendars(set: &DocumentSet, report: &mut Report<'_>) {
    let mut wrong = false;
    for one in &set.calendars {
        if let Err(error) = one.document.check() {
            report.add(whole(&one.label), refused(&error));
            wrong = true;
        }
    }
    let documents: Vec<CalendarDocument> =
        set.calendars.iter().map(|one| one.document.clone()).collect();
    if let (false, Err(error), Some(last)) =
        (wrong, Calendars::of(&documents), set.calendars.last())
    {
        report.add(whole(&last.label), refused(&error));
    }
}

fn whole(document: &str) -> Place {
    Place { document: document.to_owned(), pointer: String::new() }
}

fn refused(error: &CalendarError) -> Fault {
    let text = error.to_string();
    let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
    Fault::CalendarRules { zh: zh.to_owned(), en: en.to_owned() }
}
