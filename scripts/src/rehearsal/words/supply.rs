//! What the applicant, or a window for him, hands in: files, commitments, authorisations, fields.

use rhai::{Engine, Map, NativeCallContext};
use tongban_core::command::{Came, Command};
use tongban_core::digest::Digest;
use tongban_core::entry::Consent;
use tongban_core::material::{Form, MaterialGiven};

use crate::convert::from_script;
use crate::diagnose::Trouble;
use crate::rehearsal::current::{Current, with};
use crate::suspend::Thrown;

use super::people::{Person, give, viewer};

/// Version of the texts that a rehearsal's applicant agrees to when it names none.
const TEXT_VERSION: &str = "1";

pub(super) fn register(engine: &mut Engine) {
    engine
        .register_fn("gives", |context: NativeCallContext<'_>, person: &mut Person, code: &str| {
            with(&context, |current| {
                let version = current.scene.entries().len();
                hand_in(current, person, file(code, &format!("{code}-{version}.pdf")))
            })
        })
        .register_fn(
            "hands_in",
            |context: NativeCallContext<'_>, person: &mut Person, code: &str, name: &str| {
                with(&context, |current| hand_in(current, person, file(code, name)))
            },
        )
        .register_fn(
            "commits",
            |context: NativeCallContext<'_>, person: &mut Person, code: &str| {
                commit(&context, person, code, TEXT_VERSION)
            },
        )
        .register_fn(
            "commits",
            |context: NativeCallContext<'_>, person: &mut Person, code: &str, version: &str| {
                commit(&context, person, code, version)
            },
        )
        .register_fn(
            "consents",
            |context: NativeCallContext<'_>, person: &mut Person, license: &str| {
                consents(&context, person, license)
            },
        );
    engine
        .register_fn("prefills", |context: NativeCallContext<'_>, person: &mut Person| {
            prefills(&context, person, "")
        })
        .register_fn(
            "prefills",
            |context: NativeCallContext<'_>, person: &mut Person, why: &str| {
                prefills(&context, person, why)
            },
        );
    for word in ["amends", "corrects"] {
        engine
            .register_fn(
                word,
                |context: NativeCallContext<'_>, person: &mut Person, fields: Map| {
                    amend(&context, person, fields, "")
                },
            )
            .register_fn(
                word,
                |context: NativeCallContext<'_>, person: &mut Person, fields: Map, why: &str| {
                    amend(&context, person, fields, why)
                },
            );
    }
}

fn file(code: &str, name: &str) -> MaterialGiven {
    MaterialGiven::file(code, name, Digest::of(name.as_bytes()))
}

fn hand_in(current: &mut Current, person: &Person, given: MaterialGiven) -> Result<(), Trouble> {
    let by = viewer(current, person)?;
    give(current, person, Command::GiveMaterial { by, given, came: Came::default() })
}

fn commit(
    context: &NativeCallContext<'_>,
    person: &Person,
    code: &str,
    version: &str,
) -> Result<(), Thrown> {
    let form = Form::Commitment { text_version: version.to_owned() };
    let given = MaterialGiven { form, ..file(code, "告知承诺书.pdf") };
    with(context, |current| hand_in(current, person, given))
}

/// Authorises the use of a license, for the matter that is meant or for all of the case.
fn consents(context: &NativeCallContext<'_>, person: &Person, license: &str) -> Result<(), Thrown> {
    with(context, |current| {
        let consent = Consent {
            license: license.to_owned(),
            holder: current.case()?.started.applicant.id.clone(),
            purpose: person.matter().unwrap_or("*").to_owned(),
            text_version: TEXT_VERSION.to_owned(),
        };
        let by = viewer(current, person)?;
        give(current, person, Command::Consent { by, consent })
    })
}

/// Has the sources of the form asked for what is still open.
fn prefills(context: &NativeCallContext<'_>, person: &Person, why: &str) -> Result<(), Thrown> {
    with(context, |current| {
        let by = viewer(current, person)?;
        give(current, person, Command::Prefill { by, reason: why.to_owned() })
    })
}

fn amend(
    context: &NativeCallContext<'_>,
    person: &Person,
    fields: Map,
    reason: &str,
) -> Result<(), Thrown> {
    let fields = from_script(&fields.into(), "amends").map_err(Trouble::thrown)?;
    with(context, |current| {
        let by = viewer(current, person)?;
        let reason = reason.to_owned();
        let came = Came::default();
        give(current, person, Command::AmendForm { by, fields, reason, came, seen: None })
    })
}
