//! Every table whole: both directions, and what has no code.

use std::collections::BTreeSet;

use super::*;
use crate::card::Card;
use crate::case::{Case, Task};
use crate::definition::{MaterialDef, MatterDef};
use crate::document::Service;
use crate::entry::{Arrival, Entry, Party, PlannedMatter};
use crate::law::{self, Act, ActKind, Ending, Law, Stage};
use crate::material::{Handed, Requirement};
use crate::organisation::directory::Office;
use crate::request::Decision;
use crate::time::Moment;

/// Codes of every stage that a matter can be in, and of the one that a later act makes of it.
fn stages() -> Vec<&'static str> {
    use Stage::{Accepted, Correcting, Ended, Filed, ForwardedUp, Planned, Received, Returned};
    let open = [Planned, Filed, Returned, Received, Correcting, Stage::ACCEPTED, ForwardedUp];
    let ends = [
        Ending::Granted,
        Ending::GrantedTolerant,
        Ending::Denied,
        Ending::NotAccepted,
        Ending::NotFiled,
        Ending::Withdrawn,
        Ending::Terminated,
    ];
    let stages: Vec<Stage> = open.into_iter().chain(ends.map(Ended)).collect();
    for stage in &stages {
        // A new stage does not compile here; it belongs into the lists above.
        match stage {
            Planned
            | Filed
            | Returned
            | Received
            | Correcting
            | Accepted { .. }
            | ForwardedUp
            | Ended(
                Ending::Granted
                | Ending::GrantedTolerant
                | Ending::Denied
                | Ending::NotAccepted
                | Ending::NotFiled
                | Ending::Withdrawn
                | Ending::Terminated,
            ) => {}
        }
    }
    stages.iter().map(Stage::code).chain(["revoked"]).collect()
}

fn acts() -> Vec<&'static str> {
    ActKind::ALL.map(|(_, code, _)| code).to_vec()
}

/// Tells whether both hold the same, in whatever order.
#[track_caller]
fn assert_all_named(mut named: Vec<&str>, mut known: Vec<&str>) {
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known);
}

#[test]
fn the_construction_table_has_its_fifteen_numbers_once() {
    for code in 1..=15u8 {
        let state = read_construction(&code.to_string()).known().unwrap();
        assert_eq!(state.code, code);
        assert!(stages().contains(&state.stage), "{}", state.stage);
        assert!(state.acts.iter().all(|act| acts().contains(act)), "{:?}", state.acts);
    }
}

#[test]
fn stages_map_to_construction_numbers() {
    let expected = [
        ("planned", None),
        ("filed", None),
        ("returned", None),
        ("received", Some(1)),
        ("correction_pending", Some(6)),
        ("accepted", Some(8)),
        ("granted", Some(11)),
        ("granted_tolerant", Some(12)),
        ("denied", Some(13)),
        ("not_accepted", Some(5)),
        ("not_filed", None),
        ("withdrawn", Some(14)),
        ("terminated", None),
        ("forwarded_up", None),
        ("revoked", Some(15)),
    ];
    assert_all_named(expected.map(|(stage, _)| stage).to_vec(), stages());
    for (stage, code) in expected {
        assert_eq!(construction_state(stage, Suspension::Running, None), code, "{stage}");
    }
    assert_eq!(construction_state("no such stage", Suspension::Running, None), None);
}

#[test]
fn circumstances_and_suspension_choose_between_numbers() {
    use Suspension::{Running, Suspended};
    let table = [
        ("accepted", Running, Some(When::ByWindow), 3),
        ("accepted", Suspended, None, 9),
        ("accepted", Suspended, Some(When::ByWindow), 9),
        ("not_accepted", Running, Some(When::ByWindow), 4),
        ("withdrawn", Running, Some(When::BeforeAcceptance), 2),
        ("granted", Suspended, None, 11),
        ("granted", Running, Some(When::LicenseMade), 11),
    ];
    for (stage, suspension, when, code) in table {
        let got = construction_state(stage, suspension, when);
        assert_eq!(got, Some(code), "{stage} {suspension:?} {when:?}");
    }
}

#[test]
fn acts_map_to_construction_numbers() {
    let expected = [
        ("receive", Some(1)),
        ("return", None),
        ("resubmit", None),
        ("accept", Some(8)),
        ("deem_accept", Some(8)),
        ("not_accept", Some(5)),
        ("ask_correction", Some(6)),
        ("supply_correction", Some(7)),
        ("suspend", Some(9)),
        ("resume", Some(10)),
        ("extend", None),
        ("forward_up", None),
        ("grant", Some(11)),
        ("grant_tolerant", Some(12)),
        ("deny", Some(13)),
        ("withdraw", Some(14)),
        ("terminate", None),
        ("revoke", Some(15)),
        ("make_license", None),
        ("deliver", None),
        ("not_file", None),
        ("rebut_acceptance", None),
        ("serve_correction", None),
    ];
    assert_all_named(expected.map(|(act, _)| act).to_vec(), acts());
    for (act, code) in expected {
        assert_eq!(construction_act(act, None), code, "{act}");
    }
    assert_eq!(construction_act("accept", Some(When::ByWindow)), Some(3));
    assert_eq!(construction_act("deem_accept", Some(When::ByWindow)), Some(8));
    assert_eq!(construction_act("not_accept", Some(When::ByWindow)), Some(4));
    assert_eq!(construction_act("withdraw", Some(When::BeforeAcceptance)), Some(2));
}

#[test]
fn every_construction_number_reads_back_to_what_is_reported_with_it() {
    for code in 1..=15u8 {
        let state = read_construction(&code.to_string()).known().unwrap();
        for act in &state.acts {
            assert_eq!(construction_act(act, state.when), Some(code), "{act}");
        }
        if state.names == Names::State {
            let got = construction_state(state.stage, state.suspension, state.when);
            assert_eq!(got, Some(code), "{}", state.stage);
        }
    }
    let unknown = read_construction("16");
    assert_eq!(unknown, Reading::Unknown("16".into()));
    assert!(!read_construction("受理").is_known());
}

#[test]
fn ends_map_to_the_provinces_closing_results() {
    let table = [
        ("granted", None, Some("6")),
        ("granted", Some(When::LicenseMade), Some("0")),
        ("granted_tolerant", Some(When::LicenseMade), Some("0")),
        ("granted_tolerant", None, Some("6")),
        ("denied", None, Some("6")),
        ("denied", Some(When::LicenseMade), Some("6")),
        ("returned", None, Some("1")),
        ("terminated", None, Some("2")),
        ("terminated", Some(When::CorrectionTimedOut), Some("5")),
        ("forwarded_up", None, Some("4")),
        ("not_accepted", None, None),
        ("withdrawn", None, None),
        ("accepted", None, None),
    ];
    for (stage, when, code) in table {
        assert_eq!(closing_result(stage, when), code, "{stage} {when:?}");
    }
    for code in ["0", "1", "2", "3", "4", "5", "6"] {
        let entry = read_closing_result(code).known().unwrap();
        assert!(entry.ours.iter().all(|stage| stages().contains(stage)), "{:?}", entry.ours);
        for stage in &entry.ours {
            assert_eq!(closing_result(stage, entry.when), Some(code));
        }
    }
    assert_eq!(read_closing_result("7"), Reading::Unknown("7".into()));
}

#[test]
fn inner_steps_pre_acceptance_and_units_map_both_ways() {
    for (step, code) in [("handling", "1"), ("review", "2"), ("approval", "3")] {
        assert_eq!(approval_step(step), Some(code));
        assert_eq!(read_approval_step(code).known().unwrap().ours, [step]);
    }
    let states = [("accepted", "1"), ("not_accepted", "2"), ("correction_pending", "3")];
    for (stage, code) in states {
        assert_eq!(preaccept_state(stage), Some(code));
        assert_eq!(read_preaccept_state(code).known().unwrap().ours, [stage]);
    }
    for (unit, code) in [("working_days", "G"), ("calendar_days", "Z")] {
        assert_eq!(limit_unit(unit), Some(code));
        assert_eq!(read_limit_unit(code).known().unwrap().ours, [unit]);
    }
    assert!(!read_approval_step("4").is_known());
    assert_eq!(preaccept_state("granted"), None);
    assert_eq!(limit_unit("hours"), None);
}

#[test]
fn the_tables_of_the_standard_are_complete() {
    let sizes = CodeTable::ALL.map(|table| (table.name(), table.entries().len()));
    let expected = [
        ("matter_type", 12),
        ("exercise_level", 7),
        ("implementer_nature", 4),
        ("service_target", 6),
        ("application_channel", 5),
        ("case_type", 3),
        ("special_procedure_kind", 2),
        ("satisfaction", 5),
        ("step_action", 3),
        ("step_state", 2),
        ("certificate_type", 126),
        ("holder_code_type", 2),
        ("material_source", 3),
        ("material_necessity", 3),
        ("material_form", 3),
    ];
    assert_eq!(sizes, expected);
    let rows = include_str!("../../data/codes/tables.csv").lines().count() - 1;
    assert_eq!(rows, expected.iter().map(|(_, size)| size).sum::<usize>());
}

#[test]
fn keys_and_codes_of_a_table_are_unique_and_map_both_ways() {
    for table in CodeTable::ALL {
        for entry in table.entries() {
            assert_eq!(table.read(entry.code), Reading::Known(*entry), "{}", table.name());
            if !entry.key.is_empty() {
                assert_eq!(table.code_of(entry.key), Some(entry.code), "{}", table.name());
            }
        }
        assert_eq!(table.read("~"), Reading::Unknown("~".into()));
        assert_eq!(table.code_of(""), None);
        assert_eq!(CodeTable::named(table.name()), Some(table));
    }
}

#[test]
fn codes_that_people_know_are_there() {
    assert_eq!(MATTER_TYPE.read("01").label(), Some("行政许可"));
    assert_eq!(MATTER_TYPE.code_of("public_service"), Some("20"));
    assert_eq!(CERTIFICATE_TYPE.read("111").label(), Some("身份证"));
    assert_eq!(CERTIFICATE_TYPE.read("553").label(), Some("外国人永久居留证"));
    assert_eq!(HOLDER_CODE_TYPE.code_of("credit_code"), Some("001"));
    assert_eq!(APPLICATION_CHANNEL.code_of("window"), Some("1"));
    assert_eq!(SATISFACTION.read("5").label(), Some("非常不满意"));
}

#[test]
fn every_line_of_the_case_fields_is_read() {
    let lines = include_str!("../../data/codes/case-fields.csv").lines().count() - 1;
    assert_eq!(case_fields().len(), lines);
    let mut names = BTreeSet::new();
    for field in case_fields() {
        assert!(names.insert((field.group, field.field)), "{} {}", field.group, field.field);
        assert!(!field.label.is_empty());
    }
}

/// Names what fills a field, and compiles only while the model has it.
macro_rules! holder {
    ($name:literal, $item:path) => {{
        let _ = $item;
        $name
    }};
    ($name:literal, $of:ty, $($member:ident).+) => {{
        let _: fn(&$of) = |of| {
            let _ = &of.$($member).+;
        };
        $name
    }};
}

#[test]
fn what_fills_a_field_is_there() {
    let holders = BTreeSet::from([
        holder!("act.detail", Act, detail),
        holder!("act.document_no", Act, document_no),
        holder!("act.effective_at", Act, effective_at),
        holder!("act.ground", Act, ground),
        holder!("arrival.channel", Arrival, channel),
        holder!("card.answers", Card, answers),
        holder!("card.at", Card, raised.at),
        holder!("card.clock", Card, raised.clock),
        holder!("card.level", Card, raised.level),
        holder!("card.no", Card, no),
        holder!("card.rule", Card, raised.rule),
        holder!("card.to", Card, raised.to),
        holder!("case.form", Case::form),
        holder!("case.number", Case, started.number),
        holder!("case.region", Case, started.region),
        holder!("case.submitted", Case, submitted),
        holder!("clock.due", Law::due),
        holder!("decision.granted", Decision, granted),
        holder!("decision.opinion", Decision, opinion),
        holder!("entry.origin", Entry, origin),
        holder!("entry.recorded_at", Entry, recorded_at),
        holder!("handed.digest", Handed, given.digest),
        holder!("material.name", MaterialDef, name),
        holder!("matter.fees", MatterDef, fees),
        holder!("matter.gives", MatterDef, gives),
        holder!("matter.name", PlannedMatter, name),
        holder!("matter.place", Case::place_of),
        holder!("office.credit_code", Office, credit_code),
        holder!("office.name", Office, name),
        holder!("party.id", Party, id),
        holder!("party.name", Party, name),
        holder!("requirement.changed", Requirement, changed),
        holder!("requirement.how", Requirement, how),
        holder!("service.at", Service, at),
        holder!("service.how", Service, how),
        holder!("suspension.from", law::Suspension, from),
        holder!("suspension.ground", law::Suspension, ground),
        holder!("suspension.until", law::Suspension, until),
        holder!("task.assignee", Task, assignee),
        holder!("task.end", Task, end),
        holder!("task.opened_at", Task, opened_at),
        holder!("task.title", Task, opened.title),
    ]);
    let named = case_fields().iter().map(|field| field.filled_by);
    let named: BTreeSet<&str> = named.filter(|name| !name.is_empty()).collect();
    assert_eq!(named, holders);
}

#[test]
fn the_groups_are_those_of_the_standard() {
    let mut groups: Vec<&str> = case_fields().iter().map(|field| field.group).collect();
    groups.dedup();
    let expected = [
        "application",
        "material",
        "acceptance",
        "step",
        "special_procedure",
        "completion",
        "rating",
        "consultation",
        "complaint",
        "supervision",
        "payment",
        "logistics",
    ];
    assert_eq!(groups, expected);
}

#[track_caller]
fn field(group: &str, name: &str) -> CaseField {
    let found = case_fields().iter().find(|field| field.group == group && field.field == name);
    *found.unwrap()
}

#[test]
fn values_fit_the_forms_of_the_standard() {
    let table: [(&str, &str, &[&str], &[&str]); 7] = [
        ("application", "case_no", &["420300202603020000014"], &["", &"1".repeat(51)]),
        ("application", "project_code", &["2604-420302-04-01-123456"], &[&"1".repeat(25)]),
        ("application", "region", &["420300", "420302001"], &["420302001002", "4203A1", ""]),
        ("application", "applicant_certificate_type", &["111"], &["000", "身份证"]),
        ("acceptance", "office_code", &["1142030000DEM00156"], &["1142030000DEM0015"]),
        ("payment", "amount", &["12345.60", "0"], &["1.234", "12345678901234567", ".5", "-1"]),
        ("logistics", "sent", &["20260302"], &["20260231", "2026-03-02"]),
    ];
    for (group, name, good, bad) in table {
        let form = field(group, name).form;
        assert!(good.iter().all(|value| form.fits(value)), "{name}");
        assert!(!bad.iter().any(|value| form.fits(value)), "{name}");
    }
}

#[test]
fn compact_times_are_written_and_read_in_beijing() {
    let at = Moment::parse("2026-03-02T09:05:07+08:00").unwrap();
    assert_eq!(compact_time(at), "20260302T090507");
    assert_eq!(read_compact_time("20260302T090507"), Some(at));
    assert!(field("acceptance", "time").form.fits("20260302T090507"));
    for text in ["20260302090507", "20260302T250000", "20260231T000000", "2026030 T090507", ""] {
        assert_eq!(read_compact_time(text), None, "{text}");
    }
}
