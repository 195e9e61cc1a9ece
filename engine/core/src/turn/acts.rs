//! Acts of the law inside a turn: who asks, what it rests on, what follows from it.

use std::sync::Arc;

use crate::agency::{AgencyAct, ReplyBody};
use crate::case::{Asked, CallState, FoldError, Task};
use crate::definition::DecidesIn;
use crate::entry::{Body, CallMade, CallRenewed, IncidentKind, Origin, TaskKind, TaskOpened};
use crate::id::{CallId, MatterNo, RegionCode, RoleCode, Seq};
use crate::law::{Act, ActAnswer, ActKind, Ending, Stage};
use crate::limits;
use crate::request::{Ask, End, Evidence, RequestKey};
use crate::time::Period;
use crate::value::Value;

use super::{Effect, Turn};

fn refused(code: &str, reason: impl Into<String>) -> ActAnswer {
    ActAnswer::Refused { code: code.to_owned(), reason: reason.into() }
}

/// An act as a script asked for it.
#[derive(Clone, Copy)]
pub(super) struct AskedAct<'a> {
    /// Which.
    pub(super) kind: ActKind,
    /// What it rests on.
    pub(super) evidence: Option<&'a Evidence>,
    /// What goes with it.
    pub(super) detail: &'a Value,
    /// What the script had consumed when it asked.
    pub(super) seen: Seq,
}

/// A call is an obligation to its end, also one that a person carries out, and so is what became
/// of it; a tolerant grant leaves a promise to be kept.
fn outlives(kind: TaskKind, ending: Ending) -> bool {
    let about_a_call = matches!(
        kind,
        TaskKind::Manual | TaskKind::AgencyLate | TaskKind::LateReply | TaskKind::Obligation
    );
    about_a_call || (kind == TaskKind::PromiseMissed && ending == Ending::GrantedTolerant)
}

fn has_documents(reply: &crate::agency::AgencyReply) -> bool {
    match &reply.body {
        ReplyBody::Completed { documents, .. } => !documents.is_empty(),
        ReplyBody::Accepted { .. } | ReplyBody::Act(_) | ReplyBody::Otherwise(_) => false,
    }
}

/// Who carries a call.
pub(super) struct Carried {
    /// The connector.
    pub(super) connector: String,
    /// Place of the agency.
    pub(super) region: RegionCode,
    /// Within which lawful time it is to answer, if a limit is agreed.
    pub(super) reply_within: Option<Period>,
}

impl Turn<'_> {
    /// Asks the legal fold for an act and records its answer, whatever it is. What follows from
    /// an ending happens in the same batch.
    pub(super) fn request_act(
        &mut self,
        no: MatterNo,
        origin: Origin,
        act: Act,
        request: Option<RequestKey>,
    ) -> Result<(), FoldError> {
        self.hear_silence(no, act.effective_at)?;
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let before = matter.law.ending();
        let accepts = matches!(act.kind, ActKind::Accept | ActKind::DeemAccept);
        let early = if accepts { matter.early.clone() } else { Vec::new() };
        let answer = matter.law.judge(&act, self.calendar(no));
        let effective_at = act.effective_at;
        let done = (answer == ActAnswer::Done).then(|| act.clone());
        let holds = done.is_some();
        self.push_at(no, origin, effective_at, Body::Acted { act, answer, request })?;
        if let Some(act) = done {
            self.acted(no, &act)?;
        }
        let after = self.case.matter(no).and_then(|matter| matter.law.ending());
        if let (None, Some(ending)) = (before, after) {
            self.ended(no, ending)?;
        }
        if holds { self.hear_early(&early) } else { Ok(()) }
    }

    /// Judges the acts that overtook the acceptance, whoever accepted in the end, in the order in
    /// which they took effect: they may have overtaken each other too.
    fn hear_early(&mut self, early: &[Arc<crate::agency::AgencyReply>]) -> Result<(), FoldError> {
        let mut acts: Vec<(&AgencyAct, CallId)> = early
            .iter()
            .filter_map(|reply| match &reply.body {
                ReplyBody::Act(act) => Some((act, reply.call)),
                ReplyBody::Accepted { .. }
                | ReplyBody::Completed { .. }
                | ReplyBody::Otherwise(_) => None,
            })
            .collect();
        acts.sort_by_key(|(act, _)| act.effective_at);
        for (act, call) in acts {
            let call = self.case.calls.get(&call).cloned();
            // What nobody knows was raised when it came.
            let known = |call: &Arc<CallState>| self.reported_kind(call.matter, act).is_some();
            if let Some(call) = call.filter(known) {
                let origin = Origin::Agency { connector: call.made.connector.clone() };
                self.agency_act(&call, origin, act)?;
            }
        }
        Ok(())
    }

    /// A matter has ended: its tasks lose their purpose, its result becomes an input of those
    /// that are still owed it.
    fn ended(&mut self, no: MatterNo, ending: Ending) -> Result<(), FoldError> {
        let tasks: Vec<_> = self
            .case
            .open_tasks()
            .filter(|task| task.matter == no && !outlives(task.opened.kind, ending))
            .map(|task| task.no)
            .collect();
        for task in tasks {
            self.push(no, Origin::Engine, Body::TaskDropped { task })?;
        }
        self.settle_failed(no)?;
        let granted = ending.is_grant();
        self.settle_by_itself(
            |incident, matter| {
                let stopped = incident.kind.stops_script() && !granted;
                matter == no && (stopped || incident.kind == IncidentKind::Stalled)
            },
            "事项已办结 / the matter has ended",
        )?;
        self.raise_unread(no)?;
        if !granted {
            return self.undo_after(no, ending);
        }
        let waiting: Vec<MatterNo> = self
            .case
            .matters
            .iter()
            .filter(|other| other.is_open() && other.filed.is_some())
            .filter(|other| other.is_owed_result_of(no))
            .map(|other| other.no)
            .collect();
        for other in waiting {
            self.give_input(other, no)?;
            self.meet_owed(other, no)?;
        }
        Ok(())
    }

    /// Writes the result of `from` as an input of `to`, once.
    pub(super) fn give_input(&mut self, to: MatterNo, from: MatterNo) -> Result<(), FoldError> {
        let known = self
            .case
            .matter(to)
            .is_some_and(|matter| matter.inputs.iter().any(|input| input.from == from));
        let result = self.case.matter(from).and_then(|matter| matter.result.as_ref());
        let Some(result) = result.filter(|_| !known) else {
            return Ok(());
        };
        let bytes = [result.number.as_bytes(), &result.fields.canonical()].concat();
        let digest = self.context.secret.keyed(b"input", &bytes);
        let version = result.version;
        self.push(to, Origin::Engine, Body::InputArrived { from, version, digest })?;
        Ok(())
    }

    /// Carries out an act that a script asked for.
    pub(super) fn script_act(
        &mut self,
        no: MatterNo,
        key: RequestKey,
        asked: &AskedAct<'_>,
    ) -> Result<(), FoldError> {
        let AskedAct { kind, evidence, detail, seen: _ } = *asked;
        let proposed = kind == ActKind::Terminate
            || (kind == ActKind::Deny && !self.is_officers_no(no, evidence));
        if proposed {
            return self.propose_end(no, key, (kind, detail));
        }
        let mut act = self.act_now(kind, "");
        act.ground = self.ground_of(no, evidence, detail);
        if let Some(answer) =
            self.refuse_after_stop(no).or_else(|| self.refuse_script_act(no, asked))
        {
            let body = Body::Acted { act, answer, request: Some(key) };
            self.push(no, Origin::Script, body)?;
            return Ok(());
        }
        if matches!(kind, ActKind::Grant | ActKind::GrantTolerant) {
            act.document_no = self.number_for(no, detail);
            act.detail = detail.clone();
        }
        self.request_act(no, Origin::Script, act, Some(key))
    }

    /// A script that was told to stop decides nothing; nothing closes over a message that must be
    /// handled.
    fn refuse_after_stop(&self, no: MatterNo) -> Option<ActAnswer> {
        let matter = self.case.matter(no)?;
        if matter.run.cancel.is_some() {
            return Some(refused(
                "CANCELLED",
                "执行已被要求停止,不能再作出决定 / the script was told to stop; it decides nothing",
            ));
        }
        matter.has_unhandled_mail().then(|| {
            refused(
                super::mail::MESSAGE_UNREAD,
                "有须处理的消息未读,请先 receive / a message must be handled first; receive it",
            )
        })
    }

    /// Returns the act that an officer's task proposes: a denial, unless its script asked for a
    /// termination.
    pub(super) fn proposed_end(&self, task: &Task) -> ActKind {
        let asked = task
            .opened
            .request
            .as_ref()
            .and_then(|key| self.case.matter(task.matter)?.run.request(key))
            .map(|request| &request.made.ask);
        match asked {
            Some(Ask::Act { act: ActKind::Terminate, .. }) => ActKind::Terminate,
            Some(
                Ask::Act { .. }
                | Ask::Call { .. }
                | Ask::Decide { .. }
                | Ask::Timer { .. }
                | Ask::Receive { .. }
                | Ask::Compensate { .. }
                | Ask::Patch { .. },
            )
            | None => ActKind::Deny,
        }
    }

    fn settled_end(&self, no: MatterNo, key: &RequestKey) -> Option<&End> {
        let request = self.case.matter(no)?.run.request(key)?;
        request.settled.as_ref().map(|settled| &settled.end)
    }

    fn is_officers_no(&self, no: MatterNo, evidence: Option<&Evidence>) -> bool {
        let end = match evidence {
            Some(Evidence::Decision(key)) => self.settled_end(no, key),
            Some(Evidence::Call(_)) | None => None,
        };
        matches!(end, Some(End::Decided(decision)) if !decision.granted)
    }

    fn ground_of(&self, no: MatterNo, evidence: Option<&Evidence>, detail: &Value) -> String {
        let said = detail.get("reason").and_then(Value::as_text).unwrap_or_default();
        let decided = match evidence.and_then(|evidence| self.settled_end(no, evidence.key())) {
            Some(End::Decided(decision)) => decision.opinion.as_str(),
            Some(
                End::Completed(_)
                | End::Otherwise(_)
                | End::Fired
                | End::Answered(_)
                | End::Received(_),
            )
            | None => "",
        };
        if said.is_empty() { decided.to_owned() } else { said.to_owned() }
    }

    /// A script grants, tolerantly or fully, or passes on an officer's denial. A grant takes only
    /// a granting decision or the documents of a completed call of the same matter, and says
    /// truly whether materials were owed at what the script had consumed.
    fn refuse_script_act(&self, no: MatterNo, asked: &AskedAct<'_>) -> Option<ActAnswer> {
        let AskedAct { kind, evidence, detail: _, seen } = *asked;
        match kind {
            ActKind::Grant | ActKind::GrantTolerant => {}
            ActKind::Deny | ActKind::ForwardUp => return None,
            ActKind::Receive
            | ActKind::Accept
            | ActKind::NotAccept
            | ActKind::NotFile
            | ActKind::Suspend
            | ActKind::Resume
            | ActKind::Withdraw
            | ActKind::Terminate
            | ActKind::Return
            | ActKind::Resubmit
            | ActKind::DeemAccept
            | ActKind::RebutAcceptance
            | ActKind::AskCorrection
            | ActKind::ServeCorrection
            | ActKind::SupplyCorrection
            | ActKind::Extend
            | ActKind::Revoke
            | ActKind::MakeLicense
            | ActKind::Deliver => {
                return Some(refused(
                    "NOT_A_SCRIPTS_ACT",
                    format!("脚本不能{} / a script cannot {}", kind.name(), kind.code()),
                ));
            }
        }
        let end = evidence.and_then(|evidence| self.settled_end(no, evidence.key()));
        let holds = match end {
            // An opinion that silence gave is nobody's decision.
            Some(End::Decided(decision)) => decision.granted && !decision.officer.is_empty(),
            Some(End::Completed(reply)) => has_documents(reply),
            Some(End::Otherwise(_) | End::Fired | End::Answered(_) | End::Received(_)) | None => {
                false
            }
        };
        if !holds {
            return Some(refused(
                "EVIDENCE_MISSING",
                "准予须以同意的决定或已完成调用出具的文书为依据 / a grant rests on a granting decision or on the documents of a completed call",
            ));
        }
        let owed = self.case.matter(no).is_some_and(|matter| !matter.owed(seen).is_empty());
        match (kind, owed) {
            (ActKind::Grant, true) => Some(refused(
                "MATERIALS_OWED",
                "仍有容缺材料未补,只能容缺准予 / materials are still owed; only grant_tolerant is possible",
            )),
            (ActKind::GrantTolerant, false) => Some(refused(
                "NOTHING_OWED",
                "没有容缺材料,应直接准予 / no material is owed; use grant",
            )),
            (_, _) => None,
        }
    }

    /// Returns the number of the license: the agency's, or one made from the case's.
    fn number_for(&self, no: MatterNo, detail: &Value) -> String {
        let given = detail.get("number").and_then(Value::as_text).unwrap_or_default();
        if given.is_empty() {
            return format!("{}-{no}", self.case.started.number);
        }
        given.to_owned()
    }

    /// No adverse act by machine: an officer is asked.
    fn propose_end(
        &mut self,
        no: MatterNo,
        key: RequestKey,
        what: (ActKind, &Value),
    ) -> Result<(), FoldError> {
        let (act, detail) = what;
        let label = if act == ActKind::Deny { "不予决定" } else { act.name() };
        let Some(matter) = self.case.matter(no) else {
            return Ok(());
        };
        let opened = TaskOpened {
            kind: TaskKind::ConfirmDenial,
            role: RoleCode::new(format!("{}.approver", matter.planned.department)),
            region: self.case.place_of(no).clone(),
            title: format!("确认{label}:{}", matter.planned.name),
            facts: detail.clone(),
            request: Some(key),
            call: None,
            before: None,
        };
        self.push(no, Origin::Engine, Body::TaskOpened(Arc::new(opened)))?;
        Ok(())
    }

    /// Feeds an act that a department reports into the legal fold. An unlawful one is recorded
    /// and raised, never applied silently.
    pub(super) fn agency_act(
        &mut self,
        call: &CallState,
        origin: Origin,
        reported: &AgencyAct,
    ) -> Result<(), FoldError> {
        let no = call.matter;
        let kind = self.reported_kind(no, reported);
        let Some(kind) = kind else {
            let text = format!(
                "部门报告了未知的行为 {}/{} / the department reported an unknown act {}/{}",
                reported.act, reported.ground, reported.act, reported.ground
            );
            return self.raise_for_call(call, IncidentKind::UnlawfulAct, &text);
        };
        let reason = reported.detail.get("reason").and_then(Value::as_text).unwrap_or_default();
        let words = kind == ActKind::Deny || reported.ground.trim().is_empty();
        let ground = if words { reason } else { reported.ground.as_str() };
        let act = Act {
            kind,
            effective_at: reported.effective_at,
            ground: ground.to_owned(),
            document_no: reported.document_no.clone(),
            terms: super::notice::reported_terms(kind, reported),
            detail: reported.detail.clone(),
        };
        if self.is_early(no, kind) {
            return Ok(());
        }
        if let Some((code, text)) = self.refuse_report(call, &act) {
            let answer = refused(code, text);
            self.push(no, origin, Body::Acted { act, answer, request: None })?;
            return self.raise_for_call(call, IncidentKind::UnlawfulAct, text);
        }
        let unknown = kind == ActKind::Resume
            && self.case.matter(no).is_some_and(|matter| matter.law.suspensions().is_empty());
        self.request_act(no, origin, act, None)?;
        if unknown {
            let text = "特别程序的结束先于开始到达,请核实起止 / the end of a special procedure came before its begin; check both";
            return self.raise_for_call(call, IncidentKind::UnlawfulAct, text);
        }
        self.raise_if_refused(call)?;
        let Some((name, said)) = super::notice::unread_period(kind, reported) else {
            return Ok(());
        };
        let text = format!(
            "部门报告的 {name}“{said}”无法读取,按事项自身规定计 / {name} {said} of the department's act cannot be read; the matter's own rule counts"
        );
        self.raise_for_call(call, IncidentKind::UnlawfulAct, &text)
    }

    /// Returns the act that a department's report means. A correction notice that comes after
    /// the law had accepted in place of the department proves, by its date, that it had not been
    /// silent.
    fn reported_kind(&self, no: MatterNo, reported: &AgencyAct) -> Option<ActKind> {
        match (reported.act.as_str(), reported.ground.as_str()) {
            ("decided", "granted") => Some(ActKind::Grant),
            ("decided", "granted_tolerant") => Some(ActKind::GrantTolerant),
            ("decided", "denied") => Some(ActKind::Deny),
            ("accepted", _) => Some(ActKind::Accept),
            ("not_accepted", _) => Some(ActKind::NotAccept),
            ("suspended", _) => Some(ActKind::Suspend),
            ("resumed", _) => Some(ActKind::Resume),
            ("extended", _) => Some(ActKind::Extend),
            ("forwarded_up", _) => Some(ActKind::ForwardUp),
            ("terminated", _) => Some(ActKind::Terminate),
            ("revoked", _) => Some(ActKind::Revoke),
            ("license_made", _) => Some(ActKind::MakeLicense),
            // Of a notice that asks for a correction, or of the decision.
            ("served", _) => {
                let correcting = self.case.matter(no).and_then(|matter| matter.law.correction());
                let own = correcting.map(|_| ActKind::ServeCorrection);
                Some(own.unwrap_or(ActKind::Deliver))
            }
            ("delivered", _) => Some(ActKind::Deliver),
            ("correction_supplied", _) => Some(ActKind::SupplyCorrection),
            ("correction", _) => {
                let stage = self.case.matter(no).map(|matter| &matter.law.stage);
                let deemed = stage == Some(&Stage::Accepted { deemed: true });
                let rebuts = deemed && !reported.document_no.is_empty();
                Some(if rebuts { ActKind::RebutAcceptance } else { ActKind::AskCorrection })
            }
            (_, _) => None,
        }
    }

    /// An act that comes before the acceptance it builds on waits for it: messages overtake each
    /// other.
    fn is_early(&self, no: MatterNo, kind: ActKind) -> bool {
        let waits = !matches!(
            kind,
            ActKind::Accept
                | ActKind::NotAccept
                | ActKind::AskCorrection
                | ActKind::ServeCorrection
                | ActKind::SupplyCorrection
                | ActKind::Terminate
        );
        waits && self.case.matter(no).is_some_and(|matter| matter.law.stage.is_before_acceptance())
    }

    /// Refuses reports that no standing of the matter could make lawful.
    fn refuse_report(&self, call: &CallState, act: &Act) -> Option<(&'static str, &'static str)> {
        let filed = self.case.matter(call.matter)?.filed.as_ref();
        if call.request.is_of_a_source() {
            return Some((
                "NOT_THE_DEPARTMENT",
                "材料来源不能决定事项 / a source of a material does not act on the matter",
            ));
        }
        if filed.is_none_or(|filed| filed.decides_in != DecidesIn::Connector) {
            return Some((
                "DECIDES_HERE",
                "该事项不在部门自有系统中办理 / this matter is not decided in the department's own system",
            ));
        }
        let latest = self.context.now.plus_millis(limits::AGENCY_CLOCK_SKEW_MILLIS);
        (act.effective_at > latest).then_some((
            "EFFECTIVE_IN_FUTURE",
            "行为的生效时间在未来 / the act takes effect in the future",
        ))
    }

    fn raise_if_refused(&mut self, call: &CallState) -> Result<(), FoldError> {
        let no = call.matter;
        let last = self.entries.iter().rev().find(|entry| entry.matter == no);
        if let Some(Body::Acted { answer: ActAnswer::Refused { code, reason }, .. }) =
            last.map(|entry| &entry.body)
        {
            let text = format!("部门报告的行为不成立({code}):{reason}");
            return self.raise_for_call(call, IncidentKind::UnlawfulAct, &text);
        }
        Ok(())
    }

    /// Replaces a call by a new generation of it.
    pub(super) fn renew(&mut self, call: &CallState, origin: Origin) -> Result<(), FoldError> {
        let request = self.case.matter(call.matter).and_then(|own| own.run.request(&call.request));
        let Some(Ask::Call { operation, input, place: _ }) = request.map(|own| &own.made.ask)
        else {
            return Ok(());
        };
        let CallMade { connector, region, reply_within, generation, .. } = call.made.clone();
        let made = self.call_made(
            (call.matter, &call.request, generation + 1),
            Carried { connector, region, reply_within },
            Asked { operation, input, amends: call.amends },
        );
        let id = made.id;
        let renewed = CallRenewed { request: call.request.clone(), old: call.made.id, call: made };
        self.push(call.matter, origin, Body::CallRenewed(Arc::new(renewed)))?;
        self.effects.push(Effect::Send(id));
        Ok(())
    }

    /// Derives a call: its id from (case, matter, run, generation, scope, ordinal, call
    /// generation), its times from the wire clock, and the digest of the body that it renders to.
    pub(super) fn call_made(
        &self,
        (no, key, generation): (MatterNo, &RequestKey, u16),
        carried: Carried,
        asked: Asked<'_>,
    ) -> CallMade {
        let path = crate::wire::encode(&(self.case.id, no, key, generation));
        let Carried { connector, region, reply_within } = carried;
        let mut made = CallMade {
            id: CallId::derive(self.case.id.created_at(), self.context.secret, &path),
            generation,
            connector,
            region,
            issued_at: self.context.wire_now,
            deadline: self.context.wire_now.plus_millis(limits::CALL_PATIENCE_MILLIS),
            reply_within,
            body: None,
        };
        let call = self.case.call_of(no, &made, asked, self.context.secret);
        made.body = call.and_then(|call| self.context.wiring.body_of(&made.connector, &call));
        made
    }
}
