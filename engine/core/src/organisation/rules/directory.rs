//! Rules for offices, roles, people and stand-ins.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Place, Report, items, overlap};
use crate::calendar::NATIONAL_CODE;
use crate::id::RoleCode;
use crate::organisation::directory::{
    Duty, Hold, Office, OfficeRef, Person, RoleDefinition, StandIn,
};
use crate::organisation::document::DocumentSet;
use crate::organisation::finding::Fault;

pub(super) fn check(set: &DocumentSet, report: &mut Report<'_>) {
    let directory = Directory::of(set);
    local_regions(set, report);
    offices(set, &directory, report);
    roles(set, &directory, report);
    people(set, &directory, report);
    stand_ins(set, &directory, report);
}

/// The documents by name; of a name that is used twice, the first.
struct Directory<'a> {
    offices: BTreeMap<OfficeRef, &'a Office>,
    roles: BTreeMap<&'a RoleCode, &'a RoleDefinition>,
    people: BTreeMap<&'a str, &'a Person>,
    stand_ins: BTreeMap<&'a str, Vec<&'a StandIn>>,
    calendars: BTreeSet<&'a str>,
}

impl<'a> Directory<'a> {
    fn of(set: &'a DocumentSet) -> Self {
        let mut directory = Self {
            offices: BTreeMap::new(),
            roles: BTreeMap::new(),
            people: BTreeMap::new(),
            stand_ins: BTreeMap::new(),
            calendars: BTreeSet::from([NATIONAL_CODE]),
        };
        for document in set.organisation.iter().map(|one| &one.document) {
            for office in &document.offices {
                directory.offices.entry(office.reference()).or_insert(office);
            }
            for role in &document.roles {
                directory.roles.entry(&role.code).or_insert(role);
            }
            for person in &document.people {
                directory.people.entry(&person.subject).or_insert(person);
            }
            for stand_in in &document.stand_ins {
                directory.stand_ins.entry(&stand_in.absent).or_default().push(stand_in);
            }
        }
        directory.calendars.extend(set.calendars.iter().map(|one| one.document.code.as_str()));
        directory
    }

    /// Lists what of the administrators' duties a hold gives.
    fn administers(&self, hold: &Hold) -> impl Iterator<Item = Duty> + use<'a> {
        let role = self.roles.get(&hold.role).copied();
        let duties = role.into_iter().flat_map(|role| role.may.iter().copied());
        duties.filter(|duty| duty.is_administrators())
    }

    fn stand_in_on(&self, absent: &str, date: Date) -> Option<&'a StandIn> {
        let list = self.stand_ins.get(absent)?;
        list.iter().copied().find(|one| one.is_valid_on(date))
    }
}

fn local_regions(set: &DocumentSet, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (at, region) in items(&set.organisation, "regions", |one| one.regions.as_slice()) {
        report.unique(&mut seen, region.code.to_string(), &at);
        report.region(at.member("parent"), &region.parent);
        if !region.parent.covers(&region.code) || region.parent == region.code {
            let (code, parent) = (region.code.to_string(), region.parent.to_string());
            report.add(at.member("code"), Fault::LocalRegion { code, parent });
        }
    }
}

fn offices(set: &DocumentSet, directory: &Directory<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (at, office) in items(&set.organisation, "offices", |one| one.offices.as_slice()) {
        report.unique(&mut seen, office.reference().to_string(), &at);
        report.region(at.member("place"), &office.place);
        report.credit_code(at.member("creditCode"), &office.credit_code);
        if let Some(code) = &office.calendar
            && !directory.calendars.contains(code.as_str())
        {
            report.add(at.member("calendar"), Fault::Calendar(code.clone()));
        }
        if let Some(parent) = &office.parent {
            if !directory.offices.contains_key(parent) {
                report.add(at.member("parent"), Fault::Office(parent.to_string()));
            } else if is_above_itself(directory, office) {
                let fault = Fault::OfficeCycle(office.reference().to_string());
                report.add(at.member("parent"), fault);
            }
        }
    }
}

fn is_above_itself(directory: &Directory<'_>, office: &Office) -> bool {
    let own = office.reference();
    let mut above = office.parent.clone();
    for _ in 0..directory.offices.len() {
        match above {
            Some(parent) if parent == own => return true,
            Some(parent) => {
                above = directory.offices.get(&parent).and_then(|office| office.parent.clone());
            }
            None => return false,
        }
    }
    false
}

fn roles(set: &DocumentSet, directory: &Directory<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (at, role) in items(&set.organisation, "roles", |one| one.roles.as_slice()) {
        report.unique(&mut seen, role.code.to_string(), &at);
        let department = role.code.department();
        if !directory.offices.keys().any(|office| office.code == department) {
            let (role, department) = (role.code.to_string(), department.to_string());
            report.add(at.member("code"), Fault::RoleWithoutOffice { role, department });
        }
        let mut administers = role.may.iter().filter(|duty| duty.is_administrators());
        if let (Some(first), Some(second)) = (administers.next(), administers.next()) {
            report.add(at.member("may"), administrators(role.code.as_str(), *first, *second));
        }
    }
}

fn administrators(subject: &str, first: Duty, second: Duty) -> Fault {
    Fault::Administrators {
        subject: subject.to_owned(),
        first: first.code().to_owned(),
        second: second.code().to_owned(),
    }
}

fn people(set: &DocumentSet, directory: &Directory<'_>, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (at, person) in items(&set.organisation, "people", |one| one.people.as_slice()) {
        report.unique(&mut seen, person.subject.clone(), &at);
        if !directory.offices.contains_key(&person.office) {
            report.add(at.member("office"), Fault::Office(person.office.to_string()));
        }
        for (index, hold) in person.holds.iter().enumerate() {
            let at = at.member("holds").member(index);
            if !directory.roles.contains_key(&hold.role) {
                report.add(at.member("role"), Fault::Role(hold.role.to_string()));
            }
            report.region(at.member("region"), &hold.region);
            report.period(&at, hold.from, hold.until);
            let before = person.holds[..index].iter();
            let together = before.filter(|other| overlap(span(other), span(hold)));
            if let Some((first, second)) = clash(directory, together, hold) {
                report.add(at.member("role"), administrators(&person.subject, first, second));
            }
        }
    }
}

fn span(hold: &Hold) -> (Date, Option<Date>) {
    (hold.from, hold.until)
}

/// Finds two different administrators' duties, one of `others` and one of `hold`.
fn clash<'h>(
    directory: &Directory<'_>,
    mut others: impl Iterator<Item = &'h Hold>,
    hold: &Hold,
) -> Option<(Duty, Duty)> {
    others.find_map(|other| {
        let mut pairs = directory
            .administers(other)
            .flat_map(|first| directory.administers(hold).map(move |second| (first, second)));
        pairs.find(|(first, second)| first != second)
    })
}

fn stand_ins(set: &DocumentSet, directory: &Directory<'_>, report: &mut Report<'_>) {
    let mut seen: BTreeMap<&str, Vec<&StandIn>> = BTreeMap::new();
    for (at, one) in items(&set.organisation, "standIns", |one| one.stand_ins.as_slice()) {
        for (member, subject) in [("for", &one.absent), ("by", &one.by)] {
            if !directory.people.contains_key(subject.as_str()) {
                report.add(at.member(member), Fault::Person(subject.clone()));
            }
        }
        report.period(&at, one.from, Some(one.until));
        if one.absent == one.by {
            report.add(at.member("by"), Fault::StandInForOneself(one.by.clone()));
            continue;
        }
        let before = seen.entry(&one.absent).or_default();
        let span = |one: &StandIn| (one.from, Some(one.until));
        if let Some(other) = before.iter().find(|other| overlap(span(other), span(one))) {
            let (absent, first) = (one.absent.clone(), other.by.clone());
            report.add(at.clone(), Fault::StandInOverlap { absent, first });
        }
        before.push(one);
        stand_in_administrators(directory, &at, one, report);
        if let Some(chain) = cycle(directory, one) {
            report.add(at, Fault::StandInCycle(chain));
        }
    }
}

/// Whoever stands in has both people's duties for that time.
fn stand_in_administrators(
    directory: &Directory<'_>,
    at: &Place,
    one: &StandIn,
    report: &mut Report<'_>,
) {
    let holds = |subject: &str| {
        let person = directory.people.get(subject).copied();
        let holds = person.into_iter().flat_map(|person| &person.holds);
        holds.filter(|hold| overlap(span(hold), (one.from, Some(one.until))))
    };
    let found = holds(&one.by).find_map(|own| clash(directory, holds(&one.absent), own));
    if let Some((first, second)) = found {
        report.add(at.member("by"), administrators(&one.by, first, second));
    }
}

/// Follows who stands in for whom on the first day of `one`, and returns the chain if it comes
/// back. A cycle has a latest beginning, so looking at each first day finds every cycle.
fn cycle(directory: &Directory<'_>, one: &StandIn) -> Option<String> {
    let mut chain = vec![one.absent.as_str()];
    let mut by = one.by.as_str();
    while by != one.absent {
        if chain.contains(&by) {
            return None;
        }
        chain.push(by);
        by = &directory.stand_in_on(by, one.from)?.by;
    }
    chain.push(by);
    Some(chain.join(" ← "))
}
