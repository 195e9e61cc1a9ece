//! Written notices: which act brings which, and how far each has come.

use std::sync::Arc;

use crate::agency::AgencyAct;
use crate::case::FoldError;
use crate::command::{Answer, Came, Refusal};
use crate::document::{
    Attachment, DocumentKind, DocumentNo, DocumentRefusal, NumberError, NumberParts, Service,
    ServiceMode,
};
use crate::entry::{
    Body, CHANNEL_WINDOW, DocumentDrafted, DocumentSealed, DocumentServed, IncidentKind, Origin,
};
use crate::id::MatterNo;
use crate::law::{Act, ActKind, CorrectionList, Terms};
use crate::schedule;
use crate::time::{Moment, Period};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::accept::person;
use super::{Effect, Turn};

/// What a notice reaches when it is served to someone who filed online.
const ONLINE_SYSTEM: &str = "网上办事大厅";
/// The word in the numbers of an office that has registered none.
const NEUTRAL_WORD: &str = "通办";

/// How a notice was served, as a person records it.
#[derive(Clone, Copy)]
pub(super) struct Serving<'a> {
    /// How.
    pub(super) how: &'a ServiceMode,
    /// Files that prove it.
    pub(super) files: &'a [Attachment],
    /// When, if not now.
    pub(super) came: &'a Came,
}

/// Returns the kind of the notice that an act brings (dossier 2.1).
fn notice_of(kind: ActKind) -> Option<DocumentKind> {
    match kind {
        ActKind::Receive => Some(DocumentKind::Receipt),
        ActKind::Accept | ActKind::DeemAccept => Some(DocumentKind::Acceptance),
        ActKind::NotAccept => Some(DocumentKind::NotAccepted),
        ActKind::Return => Some(DocumentKind::ReturnNotice),
        ActKind::AskCorrection | ActKind::RebutAcceptance => Some(DocumentKind::CorrectionNotice),
        ActKind::Suspend => Some(DocumentKind::SpecialProcedure),
        ActKind::Extend => Some(DocumentKind::Extension),
        ActKind::ForwardUp => Some(DocumentKind::Forwarding),
        ActKind::Grant | ActKind::GrantTolerant => Some(DocumentKind::Grant),
        ActKind::Deny => Some(DocumentKind::Denial),
        ActKind::Withdraw => Some(DocumentKind::WithdrawalConfirmation),
        ActKind::Terminate => Some(DocumentKind::Termination),
        ActKind::Revoke => Some(DocumentKind::Revocation),
        ActKind::Deliver => Some(DocumentKind::DeliveryNote),
        ActKind::NotFile
        | ActKind::Resume
        | ActKind::Resubmit
        | ActKind::ServeCorrection
        | ActKind::SupplyCorrection
        | ActKind::MakeLicense => None,
    }
}

/// Reads the terms of an act that a department reports.
pub(super) fn reported_terms(kind: ActKind, reported: &AgencyAct) -> Terms {
    let texts = |name: &str| match reported.detail.get(name) {
        Some(Value::List(list)) => {
            list.iter().filter_map(Value::as_text).map(ToOwned::to_owned).collect()
        }
        Some(_) | None => Vec::new(),
    };
    let text = |name: &str| reported.detail.get(name).and_then(Value::as_text);
    match kind {
        ActKind::AskCorrection | ActKind::RebutAcceptance => Terms::Correction(CorrectionList {
            materials: texts("materials"),
            fields: texts("fields"),
            text: text("reason").unwrap_or_default().to_owned(),
            limit: text("limit").and_then(|limit| limit.parse().ok()),
            served_at: Some(reported.effective_at),
        }),
        ActKind::Suspend => Terms::Suspension {
            expected: text("expected").and_then(|expected| expected.parse().ok()),
        },
        ActKind::Extend => match text("by").and_then(|longer| longer.parse().ok()) {
            Some(by) => Terms::Extension { by, approved_by: reported.officer.clone() },
            None => Terms::None,
        },
        ActKind::Receive
        | ActKind::Accept
        | ActKind::NotAccept
        | ActKind::NotFile
        | ActKind::Resume
        | ActKind::Grant
        | ActKind::GrantTolerant
        | ActKind::Deny
        | ActKind::Withdraw
        | ActKind::Terminate
        | ActKind::Return
        | ActKind::Resubmit
        | ActKind::DeemAccept
        | ActKind::ServeCorrection
        | ActKind::SupplyCorrection
        | ActKind::ForwardUp
        | ActKind::Revoke
        | ActKind::MakeLicense
        | ActKind::Deliver => Terms::None,
    }
}

/// Returns the period of a reported act that is there and cannot be read: its name, and what it
/// says. An extension without one is refused by the law itself.
pub(super) fn unread_period(kind: ActKind, reported: &AgencyAct) -> Option<(&'static str, &Value)> {
    let name = match kind {
        ActKind::AskCorrection | ActKind::RebutAcceptance => "limit",
        ActKind::Suspend => "expected",
        ActKind::Receive
        | ActKind::Accept
        | ActKind::NotAccept
        | ActKind::NotFile
        | ActKind::Resume
        | ActKind::Grant
        | ActKind::GrantTolerant
        | ActKind::Deny
        | ActKind::Withdraw
        | ActKind::Terminate
        | ActKind::Return
        | ActKind::Resubmit
        | ActKind::DeemAccept
        | ActKind::ServeCorrection
        | ActKind::SupplyCorrection
        | ActKind::Extend
        | ActKind::ForwardUp
        | ActKind::Revoke
        | ActKind::MakeLicense
        | ActKind::Deliver => return None,
    };
    let said = reported.detail.get(name).filter(|said| !said.is_blank())?;
    let read = said.as_text().is_some_and(|text| text.parse::<Period>().is_ok());
    (!read).then_some((name, said))
}

impl Turn<'_> {
    /// Drafts the notice that an act brings. A department that decides in its own system issues
    /// its notices itself.
    pub(super) fn draft_notice(&mut self, no: MatterNo, act: &Act) -> Result<(), FoldError> {
        let Some(kind) = notice_of(act.kind) else {
            return Ok(());
        };
        let elsewhere = !act.document_no.is_empty()
            && !matches!(act.kind, ActKind::Grant | ActKind::GrantTolerant);
        let connector = self
            .case
            .matter(no)
            .and_then(|matter| matter.filed.as_ref())
            .is_some_and(|filed| filed.decides_in == crate::definition::DecidesIn::Connector);
        if elsewhere || connector {
            return Ok(());
        }
        let drafted = match self.number(no, kind) {
            Ok(number) => DocumentDrafted { number, about: self.case.head },
            Err(error) => return self.raise_once(no, &error.to_string()),
        };
        let number = drafted.number.clone();
        self.push(no, Origin::Engine, Body::DocumentDrafted(Arc::new(drafted)))?;
        self.effects.push(Effect::Issue(number));
        Ok(())
    }

    /// Derives the number of the next notice. An office without a usable word gets the neutral
    /// one, so that no notice waits for a register to be filled in.
    fn number(&self, no: MatterNo, kind: DocumentKind) -> Result<DocumentNo, NumberError> {
        let started = &self.case.started;
        let organisation = self.context.organisation;
        let department = self.case.matter(no).map(|matter| &matter.planned.department);
        let department = department.unwrap_or(&started.lead);
        let office = organisation.office_of(department, self.case.place_of(no));
        let word = office.and_then(|office| office.word.as_deref()).unwrap_or(NEUTRAL_WORD);
        let running = self.case.documents.len() + 1;
        let parts = NumberParts {
            office_word: word,
            kind,
            year: self.context.now.date().year(),
            case_number: &started.number,
            matter: no,
            running: u16::try_from(running).unwrap_or_default(),
        };
        let neutral = NumberParts { office_word: NEUTRAL_WORD, ..parts };
        DocumentNo::derive(&parts).or_else(|_| DocumentNo::derive(&neutral))
    }

    /// Keeps the seal of a notice, once. Whoever filed online has it with that: his filing there
    /// is his consent to be served there. What goes against him a person serves, who sees to it
    /// that it reaches him and how.
    pub(super) fn document_sealed(&mut self, sealed: &DocumentSealed) -> Result<Answer, FoldError> {
        let now = self.context.now;
        let Some(document) = self.case.documents.get(&sealed.number.to_string()).cloned() else {
            return Ok(Answer::Refused(unknown(&sealed.number.to_string())));
        };
        if let Err(refusal) = document.state.seal(now, sealed.seal.clone(), sealed.digest) {
            return Ok(Answer::Refused(refused(&refusal)));
        }
        let body = Body::DocumentSealed(Arc::new(sealed.clone()));
        self.push(document.matter, Origin::Engine, body)?;
        if self.is_online() && !document.kind().is_adverse() {
            let how =
                ServiceMode::Electronic { system: ONLINE_SYSTEM.to_owned(), arrived_at: Some(now) };
            let service = Service { at: now, how, evidence: Vec::new() };
            let served =
                DocumentServed { number: sealed.number.clone(), service, evidence: String::new() };
            let body = Body::DocumentServed(Arc::new(served));
            self.push(document.matter, Origin::Engine, body)?;
            self.count_services(&Origin::Engine)?;
        }
        Ok(Answer::Done)
    }

    /// Tells whether the case was filed online, so that what is sent there arrives there.
    pub(super) fn is_online(&self) -> bool {
        self.case.started.arrival.channel != CHANNEL_WINDOW
    }

    /// Raises, once, that a notice cannot be made or sealed; it stays a draft.
    pub(super) fn document_failed(
        &mut self,
        number: &DocumentNo,
        why: &str,
    ) -> Result<Answer, FoldError> {
        let document = self.case.documents.get(&number.to_string());
        let draft = document.filter(|document| document.sealed().is_none());
        if let Some(matter) = draft.map(|draft| draft.matter) {
            self.raise_once(matter, why)?;
        }
        Ok(Answer::Done)
    }

    fn raise_once(&mut self, no: MatterNo, why: &str) -> Result<(), FoldError> {
        let kind = IncidentKind::NoticeNotIssued;
        let mut known = self.case.incidents.values();
        if known.any(|state| {
            state.is_open() && state.incident.kind == kind && state.incident.message == why
        }) {
            return Ok(());
        }
        self.raise(no, kind, why).map(|_| ())
    }

    /// Records how a notice reached its addressee. Service of a correction notice starts the
    /// applicant's period.
    pub(super) fn serve_document(
        &mut self,
        by: &Viewer,
        number: &str,
        serving: &Serving<'_>,
    ) -> Result<Answer, FoldError> {
        let (matter, served) = match self.check_service(by, number, serving) {
            Ok(checked) => checked,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let at = served.service.at;
        let body = Body::DocumentServed(Arc::new(served));
        self.push_at(matter, person(by), at, body)?;
        self.count_services(&person(by))?;
        Ok(Answer::Done)
    }

    /// Starts the applicant's period for each correction whose notice counts as served by now.
    pub(super) fn count_services(&mut self, origin: &Origin) -> Result<(), FoldError> {
        let now = self.context.now;
        let served: Vec<(Moment, MatterNo)> =
            schedule::services(&self.case, self.reading()).collect();
        for (at, no) in served.into_iter().filter(|(at, _)| *at <= now) {
            let mut serve = self.act_now(ActKind::ServeCorrection, "");
            serve.effective_at = at;
            self.request_act(no, origin.clone(), serve, None)?;
        }
        Ok(())
    }

    fn check_service(
        &self,
        by: &Viewer,
        number: &str,
        serving: &Serving<'_>,
    ) -> Result<(MatterNo, DocumentServed), Refusal> {
        if !matches!(by.role, Role::WindowClerk | Role::Approver | Role::OfficeHead) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "送达由工作人员登记",
                "staff record the service of a notice",
            ));
        }
        let document = self.case.documents.get(number).ok_or_else(|| unknown(number))?;
        let Serving { how, files, came } = *serving;
        let at = self.came_at(by, came)?;
        if how.received_at().is_some_and(|received| received > self.context.now) {
            return Err(Refusal::new(
                "EFFECTIVE_IN_FUTURE",
                "签收或到达时间不能晚于现在",
                "it cannot have arrived in the future",
            )
            .at(["how"]));
        }
        let service = Service { at, how: how.clone(), evidence: files.to_vec() };
        let recorded = document.state.record_service(service.clone());
        recorded.map_err(|refusal| refused(&refusal))?;
        let number = document.number().clone();
        let served = DocumentServed { number, service, evidence: came.evidence.clone() };
        Ok((document.matter, served))
    }
}

fn unknown(number: &str) -> Refusal {
    Refusal::new(
        "DOCUMENT_NOT_FOUND",
        format!("没有文书 {number}"),
        format!("there is no document {number}"),
    )
}

fn refused(refusal: &DocumentRefusal) -> Refusal {
    let text = refusal.to_string();
    let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
    Refusal::new(refusal.code(), zh, en)
}
