//! Versions as a conversation: who may do what, and on which version a case of a place begins.

use super::*;

fn integrator(subject: &str) -> Viewer {
    Viewer::new(subject, Role::Integrator)
}

fn version(no: u8) -> Digest {
    Digest([no; 32])
}

/// A service whose versions are moved by words.
#[derive(Default)]
struct Desk(Shelf);

impl Desk {
    fn ask(&mut self, by: &Viewer, closure: Digest, step: Step) -> Result<bool, String> {
        let lead = DepartmentCode::new("housing-construction");
        let asked =
            Asked { by, lead: &lead, closure: &closure, step: &step, reason: "按计划上线" };
        let moves = self.0.judge(&asked).map_err(|refusal| refusal.code)?;
        if moves {
            let record = Publication {
                service: ServiceCode::new("construction-start"),
                no: self.0.next_no(),
                closure,
                step,
                by: by.subject.clone(),
                role: by.role.code().to_owned(),
                reason: "按计划上线".to_owned(),
                at: Moment::from_millis(0),
            };
            self.0.fold(record).unwrap();
        }
        Ok(moves)
    }

    fn chosen(&self, region: &str) -> Option<Digest> {
        self.0.chosen(&RegionCode::new(region)).copied()
    }
}

fn pilot(regions: &[&str]) -> Step {
    Step::Piloted { regions: regions.iter().map(|region| RegionCode::new(*region)).collect() }
}

#[test]
fn a_version_goes_from_draft_by_pilot_to_active_and_is_replaced() {
    let (one, other) = (integrator("wang"), integrator("li"));
    let mut desk = Desk::default();
    assert_eq!(desk.ask(&one, version(1), Step::Drafted), Ok(true));
    assert_eq!(desk.chosen("420302"), None, "no case begins on a draft");
    desk.ask(&other, version(1), Step::Activated).unwrap();
    assert_eq!(desk.chosen("420302"), Some(version(1)));
    desk.ask(&one, version(2), Step::Drafted).unwrap();
    desk.ask(&other, version(2), pilot(&["420302"])).unwrap();
    assert_eq!(desk.chosen("420302"), Some(version(2)), "the pilot place");
    assert_eq!(desk.chosen("420303"), Some(version(1)), "every other place");
    desk.ask(&other, version(2), Step::Activated).unwrap();
    assert_eq!(desk.chosen("420303"), Some(version(2)));
    assert_eq!(desk.0.version(&version(1)).unwrap().standing, Standing::Retired);
    desk.ask(&one, version(2), Step::Retired).unwrap();
    assert_eq!(desk.chosen("420302"), None, "nothing is in use");
}

#[test]
fn a_city_as_pilot_includes_its_districts_and_the_newest_pilot_wins() {
    let (one, other) = (integrator("wang"), integrator("li"));
    let mut desk = Desk::default();
    for no in [1, 2] {
        desk.ask(&one, version(no), Step::Drafted).unwrap();
    }
    desk.ask(&other, version(2), pilot(&["420300"])).unwrap();
    assert_eq!(desk.chosen("420302"), Some(version(2)));
    assert_eq!(desk.chosen("420100"), None);
    desk.ask(&other, version(1), pilot(&["420302"])).unwrap();
    assert_eq!(desk.chosen("420302"), Some(version(1)));
    assert_eq!(desk.chosen("420303"), Some(version(2)));
}

#[test]
fn who_published_a_version_does_not_let_it_be_used() {
    let one = integrator("wang");
    let mut desk = Desk::default();
    desk.ask(&one, version(1), Step::Drafted).unwrap();
    let refused = Err("SECOND_PERSON_NEEDED".to_owned());
    assert_eq!(desk.ask(&one, version(1), Step::Activated), refused);
    assert_eq!(desk.ask(&one, version(1), pilot(&["420302"])), refused);
    // Publishing it once more does not make another one the author.
    assert_eq!(desk.ask(&integrator("li"), version(1), Step::Drafted), Ok(false));
    assert_eq!(desk.ask(&one, version(1), Step::Activated), refused);
    assert_eq!(desk.ask(&integrator("li"), version(1), Step::Activated), Ok(true));
}

#[test]
fn only_integrators_and_the_leading_head_move_versions() {
    let mut desk = Desk::default();
    let head = |department: &str| Viewer::new("h", Role::OfficeHead).of(department);
    let refused = Err("NOT_PERMITTED".to_owned());
    for (role, _) in Role::ALL {
        let stranger = Viewer::new("x", role).of("fire").within("420000");
        let asked = desk.ask(&stranger, version(9), Step::Drafted);
        let may = matches!(role, Role::Integrator);
        assert_eq!(asked.is_ok(), may, "{role:?}");
        if !may {
            assert_eq!(asked, refused);
        }
    }
    desk.ask(&integrator("wang"), version(1), Step::Drafted).unwrap();
    assert_eq!(desk.ask(&head("fire"), version(1), Step::Activated), refused);
    assert_eq!(desk.ask(&head("housing-construction"), version(1), Step::Activated), Ok(true));
}

#[test]
fn a_retired_version_can_come_back_and_repeating_a_step_changes_nothing() {
    let (one, other) = (integrator("wang"), integrator("li"));
    let mut desk = Desk::default();
    for no in [1, 2] {
        desk.ask(&one, version(no), Step::Drafted).unwrap();
        desk.ask(&other, version(no), Step::Activated).unwrap();
    }
    assert_eq!(desk.ask(&other, version(2), Step::Activated), Ok(false));
    assert_eq!(desk.ask(&other, version(1), Step::Activated), Ok(true), "back to the old one");
    assert_eq!(desk.chosen("420302"), Some(version(1)));
    assert_eq!(desk.ask(&other, version(1), pilot(&["420302"])), Err("WRONG_STATE".to_owned()));
    assert_eq!(desk.ask(&other, version(2), pilot(&[])), Err("NO_PLACE".to_owned()));
    assert_eq!(desk.ask(&other, version(7), Step::Activated), Err("VERSION_NOT_FOUND".to_owned()));
}

#[test]
fn a_record_that_does_not_follow_is_refused() {
    let record = |no, step| Publication {
        service: ServiceCode::new("s"),
        no,
        closure: version(1),
        step,
        by: "wang".to_owned(),
        role: "integrator".to_owned(),
        reason: "x".to_owned(),
        at: Moment::from_millis(0),
    };
    let mut shelf = Shelf::default();
    assert!(shelf.fold(record(2, Step::Drafted)).is_err());
    assert!(shelf.fold(record(1, Step::Activated)).is_err());
    assert!(shelf.fold(record(1, Step::Drafted)).is_ok());
    assert!(shelf.fold(record(1, Step::Retired)).is_err());
}
