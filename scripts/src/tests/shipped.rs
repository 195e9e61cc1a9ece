//! The shipped service and matters.

use tongban_core::definition::DecidesIn;
use tongban_core::id::ServiceCode;
use tongban_core::port::Script as _;
use tongban_core::value::Value;

use crate::{Catalogue, Host, check};

fn shipped() -> Host {
    Host::shipped().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn eight_matters_are_shipped_and_five_are_decided_here() {
    let closure = shipped().active(&ServiceCode::new("construction-start")).unwrap();
    assert_eq!(closure.service.parts.len(), 8);
    assert_eq!(closure.matters.len(), 8);
    let decided = |place| {
        let matters = closure.matters.values();
        matters.filter(|matter| matter.decides_in == place).count()
    };
    assert_eq!(decided(DecidesIn::Here), 5);
    assert_eq!(decided(DecidesIn::Connector), 2);
    assert_eq!(decided(DecidesIn::Manual), 1);
}

#[test]
fn answers_select_matters() {
    let host = shipped();
    let closure = host.active(&ServiceCode::new("construction-start")).unwrap();
    let with = |waste: bool| {
        let answers = Value::of([("basement", true.into()), ("waste", waste.into())]);
        host.select(&closure, &answers).unwrap()
    };
    assert_eq!(with(true), [true; 8]);
    assert_eq!(with(false).iter().filter(|part| **part).count(), 7);
    let open = host.select(&closure, &Value::map()).unwrap();
    assert!(!open[7], "a question left open counts as no");
}

#[test]
fn sources_come_back_under_the_same_digest_and_no_other() {
    let host = shipped();
    let closure = host.active(&ServiceCode::new("construction-start")).unwrap();
    let blob = host.sources(&closure.digest).unwrap();
    let other = crate::testing::Desk::handling("()");
    other.host().adopt(&closure.digest, &blob).unwrap();
    let adopted = other.host().closure(&closure.digest).unwrap();
    assert_eq!(*adopted, *closure);
    assert_eq!(other.host().sources(&closure.digest).unwrap(), blob);
    assert_eq!(other.host().services().len(), 1, "adopting activates nothing");

    let mut changed = blob;
    let last = changed.len() - 1;
    changed[last] ^= 1;
    let third = crate::testing::Desk::handling("()");
    let fault = third.host().adopt(&closure.digest, &changed).unwrap_err();
    assert!(fault.message.contains("digest"), "{fault}");
    assert!(third.host().closure(&closure.digest).is_none());
}

#[test]
fn the_shipped_scripts_call_only_what_the_catalogue_offers() {
    let report = check(env!("CARGO_MANIFEST_DIR"), Some(&Catalogue::shipped())).unwrap();
    assert!(report.findings.is_empty(), "not even a warning: {report}");
    assert_eq!((report.services, report.matters), (2, 9));
}
