//! What happened to a matter in law: corrections, suspensions, a revocation.

use async_graphql::SimpleObject;
use tongban_core::case::Matter;
use tongban_core::law::{self, CORRECTION_GROUND, ClockKind, SUSPENSION_GROUNDS, Stage};
use tongban_engine::CaseView;

use super::DateTime;
use super::clock::Period;

/// 一轮补正 / A round of correction
#[derive(SimpleObject)]
pub(crate) struct Correction {
    /// 需补正的材料代码;未列出的不得更换 / Codes of the materials to correct; those not named stay closed
    materials: Vec<String>,
    /// 需更正的表单字段 / Names of the form's fields to correct
    fields: Vec<String>,
    /// 问题说明 / What is wrong
    text: String,
    /// 是否仍待申请人补正 / Whether the applicant has yet to supply
    open: bool,
    /// 是否在受理之后提出 / Whether it was asked after the acceptance
    after_acceptance: bool,
    /// 申请人的补正期限 / The applicant's period
    limit: Period,
    /// 告知时间 / When it was asked
    asked_at: DateTime,
    /// 送达时间;期限自此起算 / When the notice reached the applicant; his period runs from here
    served_at: Option<DateTime>,
    /// 补正到期时间;送达前或已补正为空 / When it is due; null before service and once it was supplied
    due_at: Option<DateTime>,
    /// 补正时间 / When it was supplied
    supplied_at: Option<DateTime>,
}

/// Returns the rounds of correction of a matter, in order.
pub(crate) fn corrections(view: &CaseView, matter: &Matter) -> Vec<Correction> {
    let last = matter.law.corrections.len();
    let rounds = (1..).zip(&matter.law.corrections);
    rounds
        .map(|(no, round)| {
            let running = matter.law.running(ClockKind::Correction);
            let own = running.filter(|_| no == last && round.is_open());
            correction(round, matter, own.map(|clock| view.due(matter, clock).at.into()))
        })
        .collect()
}

fn correction(round: &law::Correction, matter: &Matter, due_at: Option<DateTime>) -> Correction {
    let limit = round.list.limit.unwrap_or(matter.law.rules.correction.limit);
    Correction {
        materials: round.list.materials.clone(),
        fields: round.list.fields.clone(),
        text: round.list.text.clone(),
        open: round.is_open(),
        after_acceptance: round.after_acceptance,
        limit: Period::declared(limit),
        asked_at: round.asked_at.into(),
        served_at: round.served_at.map(DateTime),
        due_at,
        supplied_at: round.supplied_at.map(DateTime),
    }
}

/// 一次计时中止 / An interval in which the clocks stood still
#[derive(SimpleObject)]
pub(crate) struct Suspension {
    /// 事由代码 / Code of the ground
    ground: String,
    /// 事由名称 / Name of the ground, in Chinese
    ground_name: String,
    /// 预计时长 / How long it was expected to take
    expected: Option<Period>,
    /// 起 / From
    from: DateTime,
    /// 止;进行中为空 / Until; null while it goes on
    until: Option<DateTime>,
}

/// Returns the ledger of suspensions of a matter, in order.
pub(crate) fn suspensions(matter: &Matter) -> Vec<Suspension> {
    let ledger = matter.law.suspensions().iter();
    ledger
        .map(|stood| Suspension {
            ground: stood.ground.clone(),
            ground_name: ground_name(matter, &stood.ground),
            expected: stood.expected.map(Period::declared),
            from: stood.from.into(),
            until: stood.until.map(DateTime),
        })
        .collect()
}

/// Names a ground: the law's, the matter's own, or that of a correction.
fn ground_name(matter: &Matter, code: &str) -> String {
    let by_law = SUSPENSION_GROUNDS.iter().find(|(known, _)| *known == code);
    let own = matter.law.rules.suspensions.iter().find(|ground| ground.code == code);
    match (by_law, own) {
        (Some((_, name)), _) => (*name).to_owned(),
        (None, Some(ground)) => ground.name.clone(),
        (None, None) if code == CORRECTION_GROUND => "补正".to_owned(),
        (None, None) => code.to_owned(),
    }
}

/// 撤销:事后作出的行为,原决定留在记录中 / A revocation: a later act; the record keeps the decision
#[derive(SimpleObject)]
pub(crate) struct Revocation {
    /// 生效时间 / When it took effect
    at: DateTime,
    /// 理由 / Why
    ground: String,
    /// 撤销决定书文号 / Number of the revoking decision
    document_no: Option<String>,
}

/// Returns the revocation of a matter's decision.
pub(crate) fn revocation(matter: &Matter) -> Option<Revocation> {
    let revoked = matter.law.revoked.as_ref()?;
    Some(Revocation {
        at: revoked.at.into(),
        ground: revoked.ground.clone(),
        document_no: Some(revoked.document_no.clone()).filter(|number| !number.is_empty()),
    })
}

/// Returns by how much the limit of the law was extended.
pub(crate) fn extension(matter: &Matter) -> Option<Period> {
    let clock = matter.law.clocks().iter().rev().find(|clock| clock.more > 0)?;
    let by = tongban_core::time::Period { amount: clock.more, unit: clock.budget.unit };
    Some(Period::declared(by))
}

/// Tells whether the law accepted the matter in place of a silent office.
pub(crate) fn is_deemed_accepted(matter: &Matter) -> bool {
    matter.law.stage == Stage::Accepted { deemed: true }
}

/// Returns when the review of the lower office ended and the matter went up.
pub(crate) fn forwarded_at(matter: &Matter) -> Option<DateTime> {
    matter.law.forwarded.map(DateTime)
}
