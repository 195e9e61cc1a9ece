//! Written notices: which act brings which, and how far each has come.

use std::sync::Arc;

use crate::agency::AgencyAct;
use crate::case::FoldError;
use crate::command::{Answer, Came, Refusal};
use crate::entry::{Body, DocumentDrafted, DocumentSealed, Origin};
use crate::id::MatterNo;
use crate::law::{Act, ActKind, CorrectionList, Terms};
use crate::value::Value;
use crate::viewer::{Role, Viewer};

use super::accept::person;
use super::{Effect, Turn};

/// Returns the code of the notice that an act brings (dossier 2.1).
fn notice_of(kind: ActKind) -> Option<&'static str> {
    match kind {
        ActKind::Receive => Some("receipt"),
        ActKind::Accept | ActKind::DeemAccept => Some("acceptance"),
        ActKind::NotAccept => Some("not_accepted"),
        ActKind::Return => Some("return_notice"),
        ActKind::AskCorrection | ActKind::RebutAcceptance => Some("correction_notice"),
        ActKind::Suspend => Some("special_procedure"),
        ActKind::Extend => Some("extension"),
        ActKind::ForwardUp => Some("forwarding"),
        ActKind::Grant | ActKind::GrantTolerant => Some("grant"),
        ActKind::Deny => Some("denial"),
        ActKind::Withdraw => Some("withdrawal_confirmation"),
        ActKind::Terminate => Some("termination"),
        ActKind::Revoke => Some("revocation"),
        ActKind::Deliver => Some("delivery_note"),
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
        _ => Terms::None,
    }
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
        let about = self.case.head;
        let running = self.case.documents.len() + 1;
        let number = format!("{}-{:02}-{running:03}", self.case.started.number, no.0);
        let drafted = DocumentDrafted { number: number.clone(), kind: kind.to_owned(), about };
        self.push(no, Origin::Engine, Body::DocumentDrafted(Arc::new(drafted)))?;
        self.effects.push(Effect::Issue(number));
        Ok(())
    }

    /// Keeps the seal of a notice, once.
    pub(super) fn document_sealed(&mut self, sealed: &DocumentSealed) -> Result<Answer, FoldError> {
        let known = self.case.documents.get(&sealed.number);
        if let Some(document) = known.filter(|document| document.sealed.is_none()) {
            let body = Body::DocumentSealed(Arc::new(sealed.clone()));
            self.push(document.matter, Origin::Engine, body)?;
        }
        Ok(Answer::Done)
    }

    /// Records how a notice reached its addressee. Service of a correction notice starts the
    /// applicant's period.
    pub(super) fn serve_document(
        &mut self,
        by: &Viewer,
        number: &str,
        how: (&str, &Came),
    ) -> Result<Answer, FoldError> {
        let (mode, came) = how;
        let at = match self.check_service(by, number, came) {
            Ok(at) => at,
            Err(refusal) => return Ok(Answer::Refused(refusal)),
        };
        let Some(document) = self.case.documents.get(number).cloned() else {
            return Ok(Answer::Done);
        };
        let body = Body::DocumentServed {
            number: number.to_owned(),
            how: mode.to_owned(),
            evidence: came.evidence.clone(),
        };
        self.push_at(document.matter, person(by), at, body)?;
        if document.drafted.kind == "correction_notice" {
            let mut serve = self.act_now(ActKind::ServeCorrection, "");
            serve.effective_at = at;
            self.request_act(document.matter, person(by), serve, None)?;
        }
        Ok(Answer::Done)
    }

    fn check_service(
        &self,
        by: &Viewer,
        number: &str,
        came: &Came,
    ) -> Result<crate::time::Moment, Refusal> {
        if !matches!(by.role, Role::WindowClerk | Role::Approver | Role::OfficeHead) {
            return Err(Refusal::new(
                "NOT_PERMITTED",
                "送达由工作人员登记",
                "staff record the service of a notice",
            ));
        }
        let Some(document) = self.case.documents.get(number) else {
            return Err(Refusal::new(
                "DOCUMENT_NOT_FOUND",
                format!("没有文书 {number}"),
                format!("there is no document {number}"),
            ));
        };
        if document.served.is_some() {
            return Err(Refusal::new(
                "SERVED_BEFORE",
                format!("文书 {number} 已送达"),
                format!("document {number} was served before"),
            ));
        }
        self.came_at(by, came)
    }
}
