//! Asking the sources of a material, in order, before the applicant is: electronic licenses and
//! shared data. A source that fails gives way to the next one at once, and the cause is kept.

use std::sync::Arc;

use crate::agency::ReplyBody;
use crate::case::{CallState, FoldError};
use crate::command::{Answer, Refusal};
use crate::definition::{MaterialDef, MatterDef, Source};
use crate::digest::Digest;
use crate::entry::{Body, Consent, Origin, Requested};
use crate::id::MatterNo;
use crate::material::{Attempt, Cause, Found, MaterialFound};
use crate::prefill::PREFILL_RUN;
use crate::request::{Ask, RequestKey};
use crate::time::Moment;
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::accept::person;
use super::{Effect, Turn};

/// Operation that fetches an electronic license (电子证照调用).
pub(super) const LICENSE_OPERATION: &str = "e-license.fetch";

fn name_of(source: &Source) -> String {
    match source {
        Source::ResultOf(matter) => format!("result:{matter}"),
        Source::License(license) => format!("license:{license}"),
        Source::Data(resource) => format!("data:{resource}"),
        Source::Upload(_) => "upload".to_owned(),
        Source::Commitment => "commitment".to_owned(),
    }
}

impl Turn<'_> {
    /// Asks for what is not here and may come by itself.
    pub(super) fn ask_sources(
        &mut self,
        no: MatterNo,
        definition: &MatterDef,
    ) -> Result<(), FoldError> {
        for material in &definition.materials {
            let missing = self
                .case
                .matter(no)
                .and_then(|matter| matter.requirement(&material.code))
                .is_some_and(|known| {
                    matches!(known.how, Found::Missing | Found::Owed { from: None })
                });
            if missing {
                self.ask_next(no, material)?;
            }
        }
        Ok(())
    }

    /// Asks the next source that was not tried yet; when none is left the applicant is asked.
    fn ask_next(&mut self, no: MatterNo, material: &MaterialDef) -> Result<(), FoldError> {
        if !self.case.matter(no).is_some_and(crate::case::Matter::is_open) {
            return Ok(());
        }
        for source in &material.sources {
            let name = name_of(source);
            let allowed = source.authorised_as().is_some_and(|of| self.has_consent(no, of));
            let tried = self
                .case
                .matter(no)
                .and_then(|matter| matter.requirement(&material.code))
                .is_some_and(|known| {
                    let lacked = |past: &Attempt| allowed && past.cause == Cause::NoConsent;
                    let mut past = known.attempts.iter();
                    past.any(|(_, past)| past.source == name && !lacked(past))
                });
            let Some((operation, input)) = self.question(no, source).filter(|_| !tried) else {
                continue;
            };
            if !allowed {
                self.tried(no, &material.code, (name, Cause::NoConsent))?;
                continue;
            }
            if self.ask_source(no, material, &operation, input)? {
                return Ok(());
            }
            self.tried(no, &material.code, (name, Cause::NotConnected))?;
        }
        let asked = self
            .case
            .matter(no)
            .and_then(|matter| matter.requirement(&material.code))
            .is_some_and(|known| matches!(known.how, Found::Asked { .. }));
        if asked {
            let part = self.closure.part(no).map(|(part, _)| part);
            let tolerated = part.is_some_and(|part| part.tolerates.contains(&material.code));
            let how = if tolerated { Found::Owed { from: None } } else { Found::Missing };
            self.met(no, &material.code, how)?;
        }
        Ok(())
    }

    /// Returns the operation and input by which a source is asked; the purpose goes with it.
    fn question(&self, no: MatterNo, source: &Source) -> Option<(String, Value)> {
        let matter = self.case.matter(no)?;
        let holder = Value::from(self.case.started.applicant.id.as_str());
        let purpose = Value::from(matter.planned.code.as_str());
        match source {
            Source::License(license) => Some((
                LICENSE_OPERATION.to_owned(),
                Value::of([
                    ("type", license.as_str().into()),
                    ("holder", holder),
                    ("purpose", purpose),
                ]),
            )),
            Source::Data(resource) => {
                Some((resource.clone(), Value::of([("holder", holder), ("purpose", purpose)])))
            }
            Source::ResultOf(_) | Source::Upload(_) | Source::Commitment => None,
        }
    }

    /// Tells whether the holder has authorised this license or data resource to be asked for this
    /// matter.
    pub(super) fn has_consent(&self, no: MatterNo, license: &str) -> bool {
        let purpose = self.case.matter(no).map(|matter| matter.planned.code.as_str());
        self.case.consents.iter().any(|consent| {
            consent.license == license
                && consent.holder == self.case.started.applicant.id
                && (consent.purpose == "*" || Some(consent.purpose.as_str()) == purpose)
        })
    }

    /// Places the call; `false` when no connector is bound. The engine's own requests on a
    /// matter are those of run 0, which no script has.
    fn ask_source(
        &mut self,
        no: MatterNo,
        material: &MaterialDef,
        operation: &str,
        input: Value,
    ) -> Result<bool, FoldError> {
        let Some(key) = self.ask_as_source(no, 0, (operation, input))? else {
            return Ok(false);
        };
        self.met(no, &material.code, Found::Asked { request: key })?;
        Ok(true)
    }

    /// Asks a source under a run of the engine's own, for a material or for the form; `None` when
    /// no connector is bound.
    pub(super) fn ask_as_source(
        &mut self,
        no: MatterNo,
        run: u16,
        (operation, input): (&str, Value),
    ) -> Result<Option<RequestKey>, FoldError> {
        let ordinal = self.case.matter(no).map_or(0, |matter| {
            let keys = matter.run.requests.iter().map(|request| &request.made.key);
            let own = keys.filter(|key| key.run == run && key.is_of_a_source());
            u32::try_from(own.count()).unwrap_or(u32::MAX)
        });
        let key = RequestKey { run, generation: 0, scope: Vec::new(), ordinal };
        let ask = Ask::Call { operation: operation.to_owned(), place: None, input };
        let Some(call) = self.place_call(no, &key, &ask) else {
            return Ok(None);
        };
        let id = call.id;
        let digest = crate::replay::fingerprint(self.context.secret, &ask);
        let seen = self.case.head;
        let made =
            Requested { key: key.clone(), seen, digest, ask, call: Some(call), adopts: None };
        self.push(no, Origin::Engine, Body::Requested(Arc::new(made)))?;
        self.effects.push(Effect::Send(id));
        Ok(Some(key))
    }

    fn met(&mut self, no: MatterNo, code: &str, how: Found) -> Result<(), FoldError> {
        let found = MaterialFound { code: code.to_owned(), how };
        self.push(no, Origin::Engine, Body::MaterialMet(Arc::new(found)))?;
        Ok(())
    }

    /// The result of `from` has come: the materials of `no` that it is are met by it.
    pub(super) fn meet_owed(&mut self, no: MatterNo, from: MatterNo) -> Result<(), FoldError> {
        let result = self.case.matter(from).and_then(|matter| matter.result.as_ref());
        let Some(number) = result.map(|result| result.number.clone()) else {
            return Ok(());
        };
        let how = Found::Owed { from: Some(from) };
        let known = self.case.matter(no).into_iter().flat_map(|matter| &matter.requirements);
        let owed = known.filter(|known| known.how == how);
        let codes: Vec<String> = owed.map(|known| known.code.clone()).collect();
        for code in codes {
            self.met(no, &code, Found::ResultOf { matter: from, number: number.clone() })?;
        }
        Ok(())
    }

    fn tried(&mut self, no: MatterNo, code: &str, what: (String, Cause)) -> Result<(), FoldError> {
        let (source, cause) = what;
        let attempt = Attempt { material: code.to_owned(), source, cause };
        self.push(no, Origin::Engine, Body::MaterialTried(Arc::new(attempt)))?;
        Ok(())
    }

    /// Finds the material that a request of the engine asked for, and the source it asked.
    fn asked_for(&self, no: MatterNo, key: &RequestKey) -> Option<(MaterialDef, Source)> {
        let matter = self.case.matter(no)?;
        let waits = |how: &Found| matches!(how, Found::Asked { request } if request == key);
        let known = matter.requirements.iter().find(|known| waits(&known.how))?;
        let Ask::Call { operation, input, .. } = &matter.run.request(key)?.made.ask else {
            return None;
        };
        let definition = self.definition(no)?;
        let material = definition.materials.iter().find(|own| own.code == known.code)?.clone();
        let asked = |source: &&Source| match source {
            Source::License(license) => {
                operation == LICENSE_OPERATION
                    && input.get("type").and_then(Value::as_text) == Some(license)
            }
            Source::Data(resource) => operation == resource,
            Source::ResultOf(_) | Source::Upload(_) | Source::Commitment => false,
        };
        let source = material.sources.iter().find(asked)?.clone();
        Some((material, source))
    }

    /// Takes in what a source answered.
    pub(super) fn source_answered(
        &mut self,
        call: &CallState,
        body: &ReplyBody,
    ) -> Result<(), FoldError> {
        let no = call.matter;
        if call.request.run == PREFILL_RUN {
            return self.prefilled(call, body);
        }
        if !call.request.is_of_a_source() {
            return Ok(());
        }
        let Some((material, source)) = self.asked_for(no, &call.request) else {
            return Ok(());
        };
        let cause = match body {
            ReplyBody::Completed { output, .. } => self.read_output(output),
            ReplyBody::Otherwise(_) | ReplyBody::Accepted { .. } | ReplyBody::Act(_) => {
                Cause::Refused
            }
        };
        self.tried(no, &material.code, (name_of(&source), cause))?;
        if let (Cause::Found, ReplyBody::Completed { output, .. }) = (cause, body) {
            let digest = self.context.secret.keyed(b"material", &output.canonical());
            let number = output.get("number").and_then(Value::as_text).unwrap_or_default();
            let how = found_at(source, number, digest);
            self.met(no, &material.code, how)?;
        } else {
            self.ask_next(no, &material)?;
        }
        self.source_settled(no)
    }

    /// A source could not be reached: the next one, or the applicant, is asked at once.
    pub(super) fn source_failed(&mut self, call: &CallState) -> Result<(), FoldError> {
        let no = call.matter;
        if call.request.run == PREFILL_RUN {
            return self.prefill_failed(call);
        }
        self.push(no, Origin::Engine, Body::CallAbandoned { call: call.made.id })?;
        let Some((material, source)) = self.asked_for(no, &call.request) else {
            return Ok(());
        };
        self.tried(no, &material.code, (name_of(&source), Cause::Unavailable))?;
        self.ask_next(no, &material)?;
        self.source_settled(no)
    }

    fn source_settled(&mut self, no: MatterNo) -> Result<(), FoldError> {
        if self.is_received(no) { self.intake_again(no) } else { Ok(()) }
    }

    /// Reads what a source said of the holder's record: one that is there, valid and his.
    fn read_output(&self, output: &Value) -> Cause {
        let text = |name: &str| output.get(name).and_then(Value::as_text);
        match text("status").unwrap_or("found") {
            "found" => {}
            "ambiguous" => return Cause::Ambiguous,
            "refused" => return Cause::Refused,
            "unavailable" => return Cause::Unavailable,
            _ => return Cause::NoRecord,
        }
        self.read_record(output, &self.case.started.applicant.id)
    }

    /// Reads whether a record is the holder's, and valid today.
    pub(super) fn read_record(&self, output: &Value, holder: &str) -> Cause {
        let text = |name: &str| output.get(name).and_then(Value::as_text);
        let other = text("holder").is_some_and(|other| other != holder);
        let today = self.context.now.date();
        let expired = text("valid_until")
            .and_then(|date| date.parse::<jiff::civil::Date>().ok())
            .is_some_and(|until| Moment::end_of(until).date() < today);
        if other || expired { Cause::Mismatch } else { Cause::Found }
    }

    /// Keeps the holder's authorisation, and asks anew where its lack had stopped the asking.
    pub(super) fn consent(&mut self, by: &Viewer, consent: &Consent) -> Result<Answer, FoldError> {
        let own = by.role == Role::WindowClerk
            || (by.role == Role::Applicant && by.party.as_ref() == Some(&consent.holder));
        if !own || consent.text_version.trim().is_empty() {
            return Ok(Answer::Refused(Refusal::new(
                "NOT_PERMITTED",
                "用证用数授权须由持证人本人(或窗口代录)作出,并注明授权书版本",
                "the holder authorises the use of his licenses and data, under a version of the text",
            )));
        }
        let body = Body::Consented(Arc::new(consent.clone()));
        self.push(MatterNo::COORDINATOR, person(by), body)?;
        let waiting: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|matter| matter.filed.is_some() && matter.law.stage.is_before_acceptance())
            .map(|matter| matter.no)
            .collect();
        for no in waiting {
            if let Some(definition) = self.definition(no) {
                self.ask_sources(no, &definition)?;
            }
        }
        Ok(Answer::Done)
    }
}

fn found_at(source: Source, number: &str, digest: Digest) -> Found {
    match source {
        Source::License(_) => Found::License { number: number.to_owned(), digest },
        Source::Data(resource) => Found::Data { resource, digest },
        Source::ResultOf(_) | Source::Upload(_) | Source::Commitment => Found::Missing,
    }
}
