//! Figures of told stories: what is counted, in which month, and that shards add up.

use super::count::count_pair;
use super::*;
use crate::card::{CardAnswerKind, CardLevel};
use crate::command::Command;
use crate::digest::Digest;
use crate::entry::TaskKind;
use crate::id::{MatterNo, Seq};
use crate::material::{Attempt, Cause, Found, Requirement};
use crate::schedule::tests::story::*;
use crate::viewer::{Role, Viewer};
use crate::waiting::WaitingParty;

fn count(story: &Story, from: Option<&str>, until: &str) -> CaseFigures {
    let until = moment(until);
    let basis = Basis {
        reading: story.reading(until),
        span: Span { from: from.map(moment), until },
        closure: None,
    };
    let counted = CaseFigures::of_log(story.case.id, &story.entries, &basis).unwrap();
    counted.expect("the case existed by then")
}

fn total(story: &Story, until: &str) -> Sums {
    let mut figures = Figures::default();
    figures.add_case(&count(story, None, until), |_| true);
    figures.total()
}

/// Accepted on the 2nd, stopped from the 5th to the 11th, granted on the 18th: late.
fn late() -> Story {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.does("2026-03-05", suspend()).does("2026-03-11", resume());
    story.tick("2026-03-17T00:00:00");
    let decide = story.completion(TaskKind::Decide, "").unwrap();
    story.does("2026-03-18", decide);
    story
}

#[test]
fn a_matter_is_measured_against_promise_and_law_without_its_suspension() {
    let sums = total(&late(), "2026-03-31");
    assert_eq!((sums.cases, sums.filed, sums.accepted, sums.completed()), (1, 1, 1, 1));
    assert_eq!(sums.ended, BTreeMap::from([("granted", 1)]));
    // Two days before the hearing and five after it; five were promised, twenty are the law.
    assert_eq!(sums.used, Used { matters: 1, days: 7, promised_days: 5 });
    assert_eq!(sums.promised, Kept { ended: 1, on_time: 0 });
    assert_eq!(sums.statutory, Kept { ended: 1, on_time: 1 });
    assert_eq!(sums.promised.rate().permille(), Some(0));
    // Thursday to Wednesday.
    assert_eq!((sums.suspensions, sums.suspended_days, sums.suspended_now), (1, 5, 0));
}

#[test]
fn a_past_day_is_told_as_it_was_known_then() {
    let story = late();
    let sums = total(&story, "2026-03-06");
    assert_eq!((sums.accepted, sums.completed(), sums.suspended_now), (1, 0, 1));
    assert_eq!(sums.suspended_days, 2);
    let stuck = count(&story, None, "2026-03-06").stuck;
    assert_eq!(stuck.len(), 1);
    assert_eq!((stuck[0].party, stuck[0].days), (WaitingParty::Department, 1));
    assert_eq!(count(&story, None, "2026-03-31").stuck, [], "an ended matter waits for nobody");
    let basis = Basis {
        reading: story.reading(moment("2026-01-01")),
        span: Span { from: None, until: moment("2026-01-01") },
        closure: None,
    };
    assert_eq!(CaseFigures::of_log(story.case.id, &story.entries, &basis), Ok(None));
}

#[test]
fn a_span_counts_what_took_effect_in_it() {
    let story = late();
    let counted = count(&story, Some("2026-03-10"), "2026-03-31");
    let sums = counted.rows.values().fold(Sums::default(), |mut all, sums| {
        all.add(sums);
        all
    });
    assert_eq!((sums.cases, sums.accepted, sums.suspensions), (0, 0, 0));
    assert_eq!((sums.completed(), sums.promised.ended), (1, 1));
}

#[test]
fn cards_are_counted_for_their_office_until_an_appeal_lifts_them() {
    let mut story = Story::accepted(Setting::default(), "2026-03-02");
    story.tick("2026-03-10T00:00:00");
    let key = (CardLevel::Red, "natural-resources.head".to_owned());
    let raised = total(&story, "2026-03-31").cards;
    assert_eq!(raised[&key], CardSums { raised: 1, answered: 0, lifted: 0 });
    let card = *story.case.cards.keys().last().unwrap();
    let says = |by: Viewer, kind| Command::AnswerCard { by, card, kind, text: "停电".to_owned() };
    story.does("2026-03-10", says(head(), CardAnswerKind::Appeal));
    assert_eq!(total(&story, "2026-03-31").cards[&key].answered, 1);
    let supervisor = Viewer::new("s", Role::Supervisor).within("420300");
    story.does("2026-03-11", says(supervisor, CardAnswerKind::AppealUpheld));
    let lifted = total(&story, "2026-03-31").cards;
    assert_eq!(lifted[&key], CardSums { raised: 0, answered: 0, lifted: 1 });
}

#[test]
fn corrections_and_silence_are_counted() {
    let mut story = Story::begin(Setting::default(), "2026-03-02");
    story.does("2026-03-03", ask_correction(moment("2026-03-03"))).does("2026-03-04", supply());
    story.tick("2026-03-12T00:00:00");
    let sums = total(&story, "2026-03-31");
    assert_eq!((sums.corrections, sums.accepted, sums.deemed), (1, 1, 1));
    assert_eq!(sums.corrections_per_matter().hundredths(), Some(100));
}

#[test]
fn corrections_of_a_case_belong_to_its_month_and_its_lead_whoever_asks_and_whenever() {
    let mut asked = Story::begin(Setting::default(), "2026-02-27");
    asked.does("2026-03-02", ask_correction(moment("2026-03-02")));
    let spared = Story::begin(Setting::default(), "2026-02-27");
    let figures = |from, until| {
        let mut figures = Figures::default();
        for story in [&asked, &spared] {
            figures.add_case(&count(story, from, until), |_| true);
        }
        figures
    };
    let whole = figures(None, "2026-03-31");
    assert_eq!(whole.total().corrections_per_case(), Share { part: 1, whole: 2 });
    assert_eq!(whole.total().corrections_per_case().hundredths(), Some(50));
    let months = whole.by(|bucket| bucket.month.to_string());
    let each = |month: &str| (months[month].corrections, months[month].corrections_per_case());
    assert_eq!(each("2026-02"), (0, Share { part: 1, whole: 2 }));
    assert_eq!(each("2026-03"), (1, Share { part: 0, whole: 0 }));
    let departments = whole.by(|bucket| bucket.department.as_str().to_owned());
    assert_eq!(departments["housing-construction"].corrections_per_case().permille(), Some(500));
    assert_eq!(departments["natural-resources"].corrections_per_case().permille(), None);
    assert_eq!(departments["natural-resources"].corrections_per_matter().permille(), Some(500));
    assert_eq!(figures(None, "2026-03-31"), whole, "the log alone says it");
    let before = figures(None, "2026-03-01").total();
    assert_eq!(before.corrections_per_case(), Share { part: 0, whole: 2 }, "as it was known then");
    let march = figures(Some("2026-03-01"), "2026-03-31").total();
    assert_eq!((march.corrections, march.cases, march.case_corrections), (1, 0, 0));
}

#[test]
fn the_lead_department_counts_the_case_and_each_department_its_matters() {
    let story = late();
    let mut own = Figures::default();
    own.add_case(&count(&story, None, "2026-03-31"), |department| {
        department.as_str() == "natural-resources"
    });
    assert_eq!((own.total().cases, own.total().filed), (0, 1));
}

#[test]
fn shards_add_up_and_months_stay_apart() {
    let march = Story::accepted(Setting::default(), "2026-03-02");
    let april = Story::accepted(Setting::default(), "2026-04-01");
    let (march, april) = (count(&march, None, "2026-04-30"), count(&april, None, "2026-04-30"));
    let figures = |cases: &[&CaseFigures]| {
        let mut figures = Figures::default();
        for case in cases {
            figures.add_case(case, |_| true);
        }
        figures
    };
    let whole = figures(&[&march, &april]);
    let mut shards = figures(&[&april]);
    shards.add(&figures(&[&march]));
    assert_eq!(shards, whole);
    let months = whole.by(|bucket| bucket.month.to_string());
    let accepted: Vec<_> =
        months.iter().map(|(month, sums)| (month.as_str(), sums.accepted)).collect();
    assert_eq!(accepted, [("2026-03", 1), ("2026-04", 1)]);
    let waiting = &whole.waiting[&("department", "natural-resources.approver".to_owned())];
    assert_eq!((waiting.matters, waiting.longest), (2, 42));
}

fn pair(how: Found) -> Requirement {
    Requirement {
        code: "title".to_owned(),
        how,
        before: Vec::new(),
        attempts: Vec::new(),
        changed: (Seq(1), moment("2026-03-02")),
    }
}

#[test]
fn an_upload_after_a_failed_call_is_no_exemption_and_keeps_its_cause() {
    let given = || Found::Given { digest: Digest([1; 32]) };
    let license = || Found::License { number: "L-1".to_owned(), digest: Digest([2; 32]) };
    let tried = |how, cause| {
        let attempt =
            Attempt { material: "title".to_owned(), source: "license:x".to_owned(), cause };
        Requirement { attempts: vec![(Seq(4), attempt)], ..pair(how) }
    };
    let mut sums = Sums::default();
    let earlier = Found::ResultOf { matter: MatterNo(1), number: "R-1".to_owned() };
    let pairs = [
        tried(license(), Cause::Found),
        pair(earlier),
        tried(given(), Cause::Unavailable),
        tried(Found::Missing, Cause::NoRecord),
        pair(given()),
        // He had brought the paper before the license was found.
        Requirement { before: vec![(Seq(5), given())], ..pair(license()) },
    ];
    for pair in &pairs {
        count_pair(&mut sums, pair);
    }
    let exemption = &sums.exemption;
    assert_eq!((exemption.pairs, exemption.handed_in, exemption.open), (6, 3, 1));
    assert_eq!(exemption.by_cause, BTreeMap::from([("license", 1), ("result", 1)]));
    assert_eq!(exemption.fallbacks, BTreeMap::from([("no_record", 1), ("unavailable", 1)]));
    assert_eq!(exemption.actual().permille(), Some(333));
    assert_eq!(exemption.design().permille(), None);
}
