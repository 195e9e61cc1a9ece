//! The look-ups: never anybody outside of his time and place.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use serde_json::json;

use super::super::agreements::{NoAgreement, Route, RouteQuestion};
use super::super::directory::OfficeRef;
use super::super::{Organisation, Source, Standing};
use super::Set;
use crate::id::{DepartmentCode, MatterCode, RegionCode, RoleCode};
use crate::time::Moment;

const APPROVER: &str = "natural-resources.approver";

fn holders(organisation: &Organisation, region: &str, date: Date) -> Vec<String> {
    let (role, region) = (RoleCode::new(APPROVER), RegionCode::new(region));
    let holders = organisation.holders(&role, &region, date);
    holders.map(|person| person.subject.clone()).collect()
}

#[test]
fn a_citys_role_covers_its_districts_and_a_districts_itself() {
    let organisation = Set::whole().organisation();
    let day = date(2026, 5, 1);
    assert_eq!(holders(&organisation, "420302", day), ["one", "three"]);
    assert_eq!(holders(&organisation, "420303", day), ["one"]);
    assert_eq!(holders(&organisation, "420391", day), ["one"]);
    assert_eq!(holders(&organisation, "411300", day), [""; 0]);
}

#[test]
fn both_days_of_a_validity_count() {
    let organisation = Set::whole().organisation();
    assert_eq!(holders(&organisation, "420303", date(2025, 12, 31)), [""; 0]);
    assert_eq!(holders(&organisation, "420303", date(2026, 1, 1)), ["one"]);
    assert_eq!(holders(&organisation, "420303", date(2026, 12, 31)), ["one"]);
    assert_eq!(holders(&organisation, "420303", date(2027, 1, 1)), [""; 0]);
}

#[test]
fn a_stand_in_acts_within_his_days_only() {
    let organisation = Set::whole().organisation();
    let stands = |subject: &str, at: &str| {
        let at = Moment::parse(at).unwrap();
        organisation.may_stand_in(subject, "one", at).is_some()
    };
    assert!(!stands("two", "2026-03-01T23:59:59+08:00"));
    assert!(stands("two", "2026-03-02T00:00:00+08:00"));
    assert!(stands("two", "2026-03-06T23:59:59+08:00"));
    assert!(!stands("two", "2026-03-07T00:00:00+08:00"));
    assert!(!stands("three", "2026-03-03T09:00:00+08:00"));
}

#[test]
fn standing_says_by_what_right() {
    let organisation = Set::whole().organisation();
    let standing = |subject: &str, region: &str, day: &str| {
        let at = Moment::parse(&format!("{day}T09:00:00+08:00")).unwrap();
        let (role, region) = (RoleCode::new(APPROVER), RegionCode::new(region));
        organisation.standing(subject, &role, &region, at).map(|standing| match standing {
            Standing::Holds(hold) => hold.region.to_string(),
            Standing::StandsIn(stand_in) => format!("for {}", stand_in.absent),
        })
    };
    assert_eq!(standing("one", "420302", "2026-03-03").as_deref(), Some("420300"));
    assert_eq!(standing("two", "420302", "2026-03-03").as_deref(), Some("for one"));
    assert_eq!(standing("two", "420302", "2026-03-09"), None);
    assert_eq!(standing("two", "411300", "2026-03-03"), None);
    assert_eq!(standing("nobody", "420302", "2026-03-03"), None);
}

#[test]
fn the_closest_office_is_responsible() {
    let organisation = Set::whole().organisation();
    let office = |department: &str, region: &str| {
        let (department, region) = (DepartmentCode::new(department), RegionCode::new(region));
        organisation.office_of(&department, &region).map(|office| office.reference().to_string())
    };
    let city = Some("natural-resources@420300".to_owned());
    assert_eq!(office("natural-resources", "420302"), Some("natural-resources@420302".to_owned()));
    assert_eq!(office("natural-resources", "420303"), city);
    assert_eq!(office("natural-resources", "420000"), None);
    assert_eq!(office("fire", "420302"), None);
}

#[test]
fn the_closest_head_heads_an_office() {
    let organisation = Set::whole().organisation();
    let head = |place: &str, day| {
        let office = organisation.office(&OfficeRef::new("natural-resources", place)).unwrap();
        organisation.head_of(office, day).map(|person| person.subject.clone())
    };
    assert_eq!(head("420300", date(2026, 7, 1)).as_deref(), Some("two"));
    assert_eq!(head("420302", date(2026, 7, 1)).as_deref(), Some("three"));
    assert_eq!(head("420302", date(2026, 5, 1)).as_deref(), Some("two"));
    assert_eq!(head("420302", date(2025, 5, 1)), None);
}

fn route(organisation: &Organisation, from: &str, to: &str, day: Date) -> String {
    let (matter, from, to) =
        (MatterCode::new("household-move"), RegionCode::new(from), RegionCode::new(to));
    let question = RouteQuestion { matter: &matter, from: &from, to: &to, date: day };
    match organisation.agreements().route(question) {
        Route::Agreed { agreement, matter } => {
            assert_eq!(matter.matter.as_str(), "household-move");
            let plain = organisation.agreements().agreement_for(&matter.matter, &from, &to, day);
            assert_eq!(plain, Some(agreement));
            agreement.code.clone()
        }
        Route::NoAgreement(why) => why.code().to_owned(),
    }
}

#[test]
fn the_closest_agreement_in_force_carries_a_matter() {
    let organisation = Set::whole().organisation();
    let day = date(2026, 5, 1);
    assert_eq!(route(&organisation, "420302", "411300", day), "A-1");
    assert_eq!(route(&organisation, "420302", "411323", day), "A-1");
    assert_eq!(route(&organisation, "420302", "411326", day), "A-2");
    assert_eq!(route(&organisation, "411326", "420302", day), "A-2", "either way");
}

#[test]
fn that_no_agreement_carries_it_has_a_name() {
    let organisation = Set::whole().organisation();
    let day = date(2026, 5, 1);
    assert_eq!(route(&organisation, "420302", "610900", day), NoAgreement::NoSuchParties.code());
    assert_eq!(route(&organisation, "420302", "420303", day), NoAgreement::NoSuchParties.code());
    assert_eq!(route(&organisation, "420302", "411300", date(2025, 12, 31)), "not_in_force");
    assert_eq!(route(&organisation, "420302", "411300", date(2028, 12, 31)), "A-1");
    assert_eq!(route(&organisation, "420302", "411300", date(2029, 1, 1)), "not_in_force");
    let set = Set::whole().with("agreements.json", "/agreements/0/matters/0/matter", json!("b"));
    assert_eq!(route(&set.organisation(), "420302", "411300", day), "matter_not_agreed");
}

#[test]
fn the_version_names_every_document_and_follows_each() {
    let whole = Set::whole().organisation();
    let kinds: Vec<&str> =
        whole.version().split(' ').filter_map(|one| one.split(':').next()).collect();
    assert_eq!(
        kinds,
        [
            "organisation/420300",
            "bindings/420300",
            "agreements/420300",
            "calendar/shiyan-hall",
            "card-rules/420300"
        ]
    );
    let other = Set::whole().with("bindings.json", "/about", json!("Other.")).organisation();
    assert_ne!(whole.version(), other.version());
    assert_eq!(whole.version(), Set::whole().organisation().version());
    assert_eq!(Organisation::default().version(), "");
}

#[test]
fn several_documents_of_a_kind_add_up() {
    let first = super::agreements().to_string();
    let mut second = super::agreements();
    second["code"] = json!("others");
    for agreement in second["agreements"].as_array_mut().unwrap() {
        agreement["code"] = json!(format!("{}-b", agreement["code"].as_str().unwrap()));
        agreement["matters"][0]["matter"] = json!("birth");
    }
    let second = second.to_string();
    let sources = [("a", &first), ("b", &second)].map(|(label, text)| Source {
        label,
        kind: None,
        bytes: text.as_bytes(),
    });
    let organisation = Organisation::read(&sources).unwrap();
    assert_eq!(organisation.agreements().all().len(), 4);
}

#[test]
fn without_rules_of_its_own_the_shipped_ones_hold() {
    assert!(Organisation::default().card_rules().iter().any(|rule| rule.id == "promised-late"));
}

/// Some people with one role each, for days counted from the beginning of 2026.
fn crowd(holds: &[(usize, i64, i64)]) -> Organisation {
    const REGIONS: [&str; 4] = ["420000", "420300", "420302", "420303"];
    let day = |days: i64| {
        let span = jiff::Span::new().days(days);
        date(2026, 1, 1).checked_add(span).unwrap().to_string()
    };
    let people = holds.iter().enumerate().map(|(index, (region, from, length))| {
        json!({ "subject": format!("p{index}"), "name": "示例", "office": "natural-resources@420300",
                "holds": [{ "role": APPROVER, "region": REGIONS[region % 4],
                            "from": day(*from), "until": day(from + length) }] })
    });
    let stand_ins = holds.iter().enumerate().skip(1).map(|(index, (_, from, length))| {
        json!({ "for": format!("p{index}"), "by": "p0", "from": day(*from),
                "until": day(from + length / 2), "reason": "出差" })
    });
    let mut document = super::organisation();
    document["people"] = people.collect();
    document["standIns"] = stand_ins.collect();
    document["offices"][0].as_object_mut().unwrap().remove("calendar");
    let text = document.to_string();
    let source = Source { label: "crowd", kind: None, bytes: text.as_bytes() };
    Organisation::read(&[source]).unwrap_or_else(|findings| panic!("{findings}"))
}

proptest! {
    #[test]
    fn lookups_return_those_and_only_those_who_are_in_office(
        holds in prop::collection::vec((0_usize..4, 0_i64..60, 0_i64..40), 1..8),
        day in 0_i64..110,
        region in prop::sample::select(vec!["420000", "420300", "420302", "420303", "420600"]),
    ) {
        let organisation = crowd(&holds);
        let today = date(2026, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        let (role, region) = (RoleCode::new(APPROVER), RegionCode::new(region));
        let found: BTreeSet<&str> = organisation
            .holders(&role, &region, today)
            .map(|person| person.subject.as_str())
            .collect();
        for person in organisation.people() {
            let hold = &person.holds[0];
            let in_time = hold.from <= today && today <= hold.until.unwrap();
            let expected = in_time && hold.region.covers(&region);
            prop_assert_eq!(found.contains(person.subject.as_str()), expected);
            let at = Moment::end_of(today);
            if let Some(stand_in) = organisation.may_stand_in("p0", &person.subject, at) {
                prop_assert!(stand_in.from <= today && today <= stand_in.until);
                prop_assert_eq!(&stand_in.absent, &person.subject);
            }
        }
        let standing = organisation.standing("p0", &role, &region, Moment::start_of(today));
        if let Some(Standing::StandsIn(stand_in)) = standing {
            prop_assert!(found.contains(stand_in.absent.as_str()));
            prop_assert!(stand_in.is_valid_on(today));
        }
    }
}
