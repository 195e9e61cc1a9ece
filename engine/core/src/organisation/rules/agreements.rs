//! Rules for agreements.

use std::collections::BTreeMap;

use super::{Place, Report, items, overlap};
use crate::organisation::agreements::Agreement;
use crate::organisation::document::DocumentSet;
use crate::organisation::finding::Fault;

pub(super) fn check(set: &DocumentSet, report: &mut Report<'_>) {
    let mut codes = BTreeMap::new();
    let mut before: Vec<&Agreement> = Vec::new();
    for (at, agreement) in items(&set.agreements, "agreements", |one| one.agreements.as_slice()) {
        report.unique(&mut codes, agreement.code.clone(), &at);
        report.period(&at, agreement.from, agreement.until);
        parties(&at, agreement, report);
        matters(&at, agreement, report);
        overlaps(&at, agreement, &before, report);
        before.push(agreement);
    }
}

fn parties(at: &Place, agreement: &Agreement, report: &mut Report<'_>) {
    for (index, party) in agreement.parties.iter().enumerate() {
        let at = at.member("parties").member(index);
        report.region(at.member("region"), &party.region);
        report.credit_code(at.member("creditCode"), &party.credit_code);
        let same = |other: &&_| same_place(&party.region, other);
        if agreement.parties[..index].iter().map(|other| &other.region).any(|other| same(&other)) {
            report.add(at.member("region"), Fault::SameParty(party.region.to_string()));
        }
    }
}

fn same_place(one: &crate::id::RegionCode, other: &crate::id::RegionCode) -> bool {
    one.prefix() == other.prefix()
}

fn matters(at: &Place, agreement: &Agreement, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    for (index, agreed) in agreement.matters.iter().enumerate() {
        let at = at.member("matters").member(index);
        report.unique(&mut seen, agreed.matter.to_string(), &at);
        for party in &agreement.parties {
            let mut codes = agreed.implementations.iter();
            if !codes.any(|one| one.region == party.region) {
                let (matter, region) = (agreed.matter.to_string(), party.region.to_string());
                report.add(at.member("implementations"), Fault::Implementation { matter, region });
            }
        }
        let mut places = BTreeMap::new();
        for (index, implementation) in agreed.implementations.iter().enumerate() {
            let at = at.member("implementations").member(index);
            report.unique(&mut places, implementation.region.to_string(), &at);
            if !agreement.parties.iter().any(|party| party.region == implementation.region) {
                let region = implementation.region.to_string();
                report.add(at.member("region"), Fault::NoParty(region));
            }
        }
    }
}

/// Two agreements of the same two places never speak of one matter on one day, so that which of
/// them carries a case never depends on their order.
fn overlaps(at: &Place, agreement: &Agreement, before: &[&Agreement], report: &mut Report<'_>) {
    let span = |one: &Agreement| (one.from, one.until);
    let rivals = before.iter().filter(|other| {
        overlap(span(agreement), span(other)) && shared_parties(agreement, other) >= 2
    });
    for other in rivals {
        for (index, agreed) in agreement.matters.iter().enumerate() {
            if other.matter(&agreed.matter).is_some() {
                let (matter, first) = (agreed.matter.to_string(), other.code.clone());
                let at = at.member("matters").member(index);
                report.add(at, Fault::AgreementOverlap { matter, first });
            }
        }
    }
}

fn shared_parties(one: &Agreement, other: &Agreement) -> usize {
    let parties = one.parties.iter();
    let is_shared = |region| other.parties.iter().any(|party| same_place(&party.region, region));
    parties.filter(|party| is_shared(&party.region)).count()
}
