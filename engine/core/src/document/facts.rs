//! From a case to the facts of one of its documents.
//!
//! Facts are read from the case as it stood when the document was drafted, so that making it
//! again after a crash gives the same page. What the log does not say stays out; whether a
//! document may go out without it is for [`super::content_for`] to judge.

use crate::case::{Case, Document, Matter};
use crate::definition::{Closure, MatterDef};
use crate::digest::Secret;
use crate::entry::{Body, Entry, Origin};
use crate::identifier::Regions;
use crate::law::{
    Act, ActKind, ClockKind, CorrectionList, NOT_ACCEPT_GROUNDS, SUSPENSION_GROUNDS, Terms,
};
use crate::material::{Found, Requirement};
use crate::organisation::directory::{Office, OfficeRef};
use crate::schedule::Reading;
use crate::time::Period;
use crate::value::Value;
use crate::viewer::Role;

use super::content::{
    ConcernedDocument, DocumentDetail, DocumentFacts, DocumentSubject, Ground, IssuingOffice,
    MaterialLine, MaterialStatus, MatterLine, MissingLine, Officer, PromisedEnd, Remedies,
    ResultLine,
};
use super::kind::DocumentKind;

/// Characters of a query code: none of them is taken for another one on paper.
const QUERY_ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters that a query code has.
const QUERY_CHARS: usize = 8;

/// What the facts of a document are read from.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The case as it stood when the document was drafted.
    pub case: &'a Case,
    /// The closure that the case is pinned to, for the names of things.
    pub closure: &'a Closure,
    /// The entry that the document tells of.
    pub about: &'a Entry,
    /// Calendars and organisation; `now` is when the document was drafted.
    pub reading: Reading<'a>,
    /// The case's secret.
    pub secret: &'a Secret,
}

/// Returns the facts of a document, or `None` if its entry records no act of a matter.
pub fn document_facts(document: &Document, told: &Told<'_>) -> Option<DocumentFacts> {
    let matter = told.case.matter(document.matter)?;
    let Body::Acted { act, .. } = &told.about.body else { return None };
    let (_, definition) = told.closure.part(document.matter)?;
    let teller = Teller { told, document, matter, definition, act };
    Some(DocumentFacts { subject: teller.subject(), detail: teller.detail() })
}

/// Returns the short secret with which an applicant looks his case up.
pub fn query_code(case: &Case, secret: &Secret) -> String {
    let hash = secret.keyed(b"query-code", &case.id.0);
    let letters = hash.0.iter().take(QUERY_CHARS);
    letters.map(|byte| char::from(QUERY_ALPHABET[usize::from(byte % 32)])).collect()
}

/// Tells the facts of one document.
struct Teller<'a> {
    told: &'a Told<'a>,
    document: &'a Document,
    matter: &'a Matter,
    definition: &'a MatterDef,
    act: &'a Act,
}

impl Teller<'_> {
    fn subject(&self) -> DocumentSubject {
        let started = &self.told.case.started;
        let number = self.document.number();
        DocumentSubject {
            case_number: started.number.clone(),
            service_name: started.service_name.clone(),
            matter: MatterLine {
                no: self.matter.no,
                code: self.matter.planned.code.clone(),
                name: self.matter.planned.name.clone(),
            },
            regime: self.matter.law.rules.regime,
            office: self.issuing_office(),
            recipient: started.applicant.clone(),
            agent: started.agent.clone(),
            region: started.region.clone(),
            region_name: region_name(started.region.as_str()),
            running: number.running(),
            made_at: self.document.drafted_at(),
            effective_at: self.act.effective_at,
        }
    }

    fn office(&self) -> Option<&Office> {
        let region = self.told.case.place_of(self.matter.no);
        self.told.reading.organisation.office_of(&self.matter.planned.department, region)
    }

    /// The word is the one that the number was given with; a register that changed since does
    /// not change a number that is out.
    fn issuing_office(&self) -> IssuingOffice {
        let office = self.office();
        IssuingOffice {
            name: office.map(|office| office.name.clone()).unwrap_or_default(),
            word: self.document.number().office_word().to_owned(),
            address: office.and_then(|office| office.hall.clone()).unwrap_or_default(),
            phone: office.and_then(|office| office.phones.first().cloned()).unwrap_or_default(),
        }
    }

    fn detail(&self) -> DocumentDetail {
        let list = self.correction();
        let (limit, promised_end) = self.limit();
        DocumentDetail {
            basis: self.basis(),
            ground: self.ground(),
            reasons: self.reasons(),
            limit,
            promised_end,
            expected: self.expected(),
            materials: self.matter.requirements.iter().map(|one| self.material(one)).collect(),
            missing: list.map(|list| self.missing(list)).unwrap_or_default(),
            correction_limit: list
                .map(|list| list.limit.unwrap_or(self.matter.law.rules.correction.limit)),
            correction_round: self.round(),
            facts: Vec::new(),
            remedies: self.remedies(),
            officer: self.officer(),
            query_code: Some(query_code(self.told.case, self.told.secret)),
            result: self.result(),
            forwarded_to: self.forwarded_to(),
            concerns: self.concerns(),
            attachments: Vec::new(),
        }
    }

    /// The matter's own rule, and that of the act's ground where it has one.
    fn basis(&self) -> Vec<String> {
        let own = Some(self.definition.basis.clone());
        let of_ground = match &self.act.terms {
            Terms::ByRule(rule) => Some(rule.clone()),
            Terms::None
            | Terms::Correction(_)
            | Terms::Suspension { .. }
            | Terms::Extension { .. }
            | Terms::Promises(_)
            | Terms::Remaining { .. } => {
                let rules = &self.matter.law.rules.suspensions;
                let suspends = self.act.kind == ActKind::Suspend;
                let own = rules.iter().find(|rule| suspends && rule.code == self.act.ground);
                own.map(|rule| rule.basis.clone())
            }
        };
        own.into_iter().chain(of_ground).filter(|rule| !rule.trim().is_empty()).collect()
    }

    fn ground(&self) -> Option<Ground> {
        let code = self.act.ground.as_str();
        let listed = |table: &[(&str, &str)]| {
            let row = table.iter().find(|(known, _)| *known == code);
            row.map(|(_, text)| (*text).to_owned())
        };
        let text = match self.document.kind() {
            DocumentKind::NotAccepted => listed(&NOT_ACCEPT_GROUNDS),
            DocumentKind::SpecialProcedure => listed(&SUSPENSION_GROUNDS).or_else(|| {
                let own = &self.matter.law.rules.suspensions;
                own.iter().find(|ground| ground.code == code).map(|ground| ground.name.clone())
            }),
            DocumentKind::Receipt
            | DocumentKind::CorrectionNotice
            | DocumentKind::Acceptance
            | DocumentKind::Extension
            | DocumentKind::Grant
            | DocumentKind::Denial
            | DocumentKind::Forwarding
            | DocumentKind::WithdrawalConfirmation
            | DocumentKind::Termination
            | DocumentKind::Revocation
            | DocumentKind::DeliveryNote
            | DocumentKind::ReturnNotice => None,
        };
        text.map(|text| Ground { code: code.to_owned(), text })
    }

    /// A ground from a list says by itself why; beside it an officer may have given his reasons.
    fn reasons(&self) -> String {
        let said = self.text("reason");
        match (said, self.ground()) {
            (Some(said), _) => said.to_owned(),
            (None, Some(ground)) => ground.text,
            (None, None) => self.act.ground.clone(),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        let text = self.act.detail.get(name).and_then(Value::as_text);
        text.filter(|text| !text.trim().is_empty())
    }

    /// Returns the limit that binds the office, and the day on which it ends: the promise, or
    /// what the law says where nothing was promised.
    fn limit(&self) -> (Option<Period>, Option<PromisedEnd>) {
        let law = &self.matter.law;
        let running =
            law.running(ClockKind::Promised).or_else(|| law.running(ClockKind::Statutory));
        let Some(clock) = running else { return (None, None) };
        let Reading { now, .. } = self.told.reading;
        let calendar = self.told.reading.calendar(self.told.case, self.matter.no);
        let due = law.due(clock, calendar, now);
        let limit = match &self.act.terms {
            Terms::Extension { by, .. } => *by,
            Terms::None
            | Terms::Correction(_)
            | Terms::Suspension { .. }
            | Terms::Promises(_)
            | Terms::ByRule(_)
            | Terms::Remaining { .. } => clock.budget,
        };
        (Some(limit), Some(PromisedEnd { at: due.at, provisional: due.provisional }))
    }

    fn expected(&self) -> Option<Period> {
        if let Terms::Suspension { expected } = &self.act.terms { *expected } else { None }
    }

    fn correction(&self) -> Option<&CorrectionList> {
        if let Terms::Correction(list) = &self.act.terms { Some(list) } else { None }
    }

    fn round(&self) -> Option<u16> {
        self.correction()?;
        u16::try_from(self.matter.law.corrections.len()).ok().filter(|round| *round > 0)
    }

    fn material_name(&self, code: &str) -> String {
        let mut known = self.definition.materials.iter();
        known.find(|known| known.code == code).map_or(code, |known| &known.name).to_owned()
    }

    fn material(&self, requirement: &Requirement) -> MaterialLine {
        let (status, note) = match &requirement.how {
            Found::ResultOf { number, .. } => (MaterialStatus::Produced, number.clone()),
            Found::Given { .. } => (MaterialStatus::Given, String::new()),
            Found::Owed { from: Some(_) } => {
                (MaterialStatus::Owed, "由本件其他事项产生".to_owned())
            }
            Found::Owed { from: None } => (MaterialStatus::Owed, String::new()),
            Found::Missing | Found::Asked { .. } => (MaterialStatus::Missing, String::new()),
            Found::License { number, .. } => (MaterialStatus::Exempt, number.clone()),
            Found::Data { .. } => (MaterialStatus::Exempt, String::new()),
            Found::Committed { .. } => (MaterialStatus::Commitment, String::new()),
        };
        let name = self.material_name(&requirement.code);
        MaterialLine { code: requirement.code.clone(), name, status, note }
    }

    /// Lists materials, then fields of the form, each with what is wrong.
    fn missing(&self, list: &CorrectionList) -> Vec<MissingLine> {
        let line = |material: String, name: String, wanted: &str| MissingLine {
            material,
            name,
            defect: list.text.clone(),
            wanted: wanted.to_owned(),
        };
        let materials = list
            .materials
            .iter()
            .map(|code| line(code.clone(), self.material_name(code), "请补充或者更换后重新提交"));
        let fields = list.fields.iter().map(|name| {
            let mut known = self.definition.form.iter();
            let label = known.find(|field| field.name == *name).map_or(name, |field| &field.label);
            line(format!("form.{name}"), format!("申请表：{label}"), "请更正后重新提交")
        });
        materials.chain(fields).collect()
    }

    fn remedies(&self) -> Option<Remedies> {
        let office = self.office()?;
        Some(Remedies::general(office.review_body.clone()?, office.court.clone()?))
    }

    /// Only people whom the organisation knows stand on paper, by the name that it gives them.
    fn officer(&self) -> Option<Officer> {
        let Origin::Person { subject, role } = &self.told.about.origin else { return None };
        let person = self.told.reading.organisation.person(subject)?;
        let post = Role::parse(role).map(post).unwrap_or_default();
        Some(Officer { name: person.name.clone(), post: post.to_owned() })
    }

    fn result(&self) -> Option<ResultLine> {
        let name = self.text("name").unwrap_or(&self.matter.planned.name);
        let number = &self.act.document_no;
        (!number.is_empty()).then(|| ResultLine {
            name: name.to_owned(),
            number: number.clone(),
            valid_until: self.text("valid_until").unwrap_or_default().to_owned(),
        })
    }

    /// The office that decides: the one that the act names, or the one above.
    fn forwarded_to(&self) -> Option<String> {
        if let Some(named) = self.text("to") {
            return Some(named.to_owned());
        }
        let above: &OfficeRef = self.office()?.parent.as_ref()?;
        Some(self.told.reading.organisation.office(above)?.name.clone())
    }

    /// Returns the decisions of the matter so far; those of an office that writes them elsewhere
    /// by the number that it gave.
    fn concerns(&self) -> Vec<ConcernedDocument> {
        let decides = |kind| matches!(kind, DocumentKind::Grant | DocumentKind::Denial);
        let own = self.told.case.documents_of(self.matter.no);
        let mut own: Vec<&Document> = own.filter(|document| decides(document.kind())).collect();
        own.sort_by_key(|document| document.at);
        let mut all: Vec<ConcernedDocument> = own
            .into_iter()
            .map(|document| ConcernedDocument {
                name: document.kind().name().to_owned(),
                number: document.number().to_string(),
            })
            .collect();
        if let Some(result) = self.matter.result.as_ref().filter(|result| !result.number.is_empty())
        {
            let name = self.matter.planned.name.clone();
            all.push(ConcernedDocument { name, number: result.number.clone() });
        }
        all
    }
}

/// Returns what a role is called on paper.
fn post(role: Role) -> &'static str {
    match role {
        Role::WindowClerk => "窗口受理人",
        Role::Approver => "审批人",
        Role::OfficeHead => "负责人",
        Role::Applicant | Role::Integrator | Role::Supervisor | Role::SystemAdmin => "",
    }
}

/// Returns the name of a place; its code where the national table does not know it.
fn region_name(code: &str) -> String {
    let regions = Regions::national();
    regions.find(code).map_or_else(|_| code.to_owned(), |region| regions.full_name(&region))
}

#[cfg(test)]
mod tests;
