//! Rehearsals lie beside scripts and are no part of them.

use std::collections::BTreeMap;

use tongban_core::port::Script as _;

use crate::host::Host;
use crate::sources::{Kind, Sources, kind_of};

#[test]
fn a_rehearsal_is_never_loaded_and_never_part_of_a_closure() {
    let shipped = Sources::shipped();
    let count = shipped.of_kind(Kind::Rehearsal).count();
    assert_eq!(count, 11, "one beside each service and one beside each matter");
    let mut bare: BTreeMap<String, String> = shipped.0.clone();
    bare.retain(|path, _| kind_of(path) != Some(Kind::Rehearsal));
    let digests = |sources: &Sources| -> Vec<_> {
        let host = Host::of(sources).unwrap();
        host.services().iter().map(|closure| closure.digest).collect()
    };
    assert_eq!(digests(&shipped), digests(&Sources(bare)));
}

#[test]
fn only_files_beside_scripts_are_rehearsals() {
    assert_eq!(kind_of("lib/x.rehearsal.rhai"), Some(Kind::Rehearsal));
    assert_eq!(kind_of("overlays/x.rehearsal.rhai"), None);
    assert_eq!(kind_of("matters/d/x.rhai"), Some(Kind::Matter));
}
