//! Acts of the law: what someone wants to change in a matter's standing, and the answer.

use serde::{Deserialize, Serialize};

use crate::time::{Moment, Period};
use crate::value::Value;

/// The kinds of act that change a matter's standing in law.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ActKind {
    /// 收件: the papers are taken, nothing is decided.
    Receive,
    /// 受理: formal acceptance; the handling clocks start.
    Accept,
    /// 不予受理, on an enumerated ground.
    NotAccept,
    /// The inputs of a planned matter will never exist.
    NotFile,
    /// Start of a special procedure (听证、检验 …): the clocks stop.
    Suspend,
    /// End of a special procedure.
    Resume,
    /// 准予.
    Grant,
    /// 容缺通过: granted with materials still owed.
    GrantTolerant,
    /// 不予.
    Deny,
    /// 撤回, by the applicant.
    Withdraw,
    /// 终止, by the department.
    Terminate,
    /// 退回: given back before acceptance, with every reason at once.
    Return,
    /// 重新提交 after a return.
    Resubmit,
    /// 视为受理: the law accepts, because the office was silent (行政许可法 §32).
    DeemAccept,
    /// Proof of a timely notice: the deemed acceptance never was.
    RebutAcceptance,
    /// 补正告知: one complete list of what is missing.
    AskCorrection,
    /// The correction notice reached the applicant; his period runs from here.
    ServeCorrection,
    /// 补正: the applicant supplied what was listed.
    SupplyCorrection,
    /// 延期, by the head of the office.
    Extend,
    /// 转报: the first-instance review ends; a higher office decides.
    ForwardUp,
    /// 撤销 of a decision, by the authority; never rewrites what was.
    Revoke,
    /// 制证: the license was made.
    MakeLicense,
    /// 送达 of the decision and its license.
    Deliver,
}

impl ActKind {
    /// Every kind with its code and Chinese name.
    pub const ALL: [(Self, &'static str, &'static str); 23] = [
        (Self::Receive, "receive", "收件"),
        (Self::Accept, "accept", "受理"),
        (Self::NotAccept, "not_accept", "不予受理"),
        (Self::NotFile, "not_file", "不再提交"),
        (Self::Suspend, "suspend", "特别程序开始"),
        (Self::Resume, "resume", "特别程序结束"),
        (Self::Grant, "grant", "准予"),
        (Self::GrantTolerant, "grant_tolerant", "容缺准予"),
        (Self::Deny, "deny", "不予"),
        (Self::Withdraw, "withdraw", "撤回"),
        (Self::Terminate, "terminate", "终止"),
        (Self::Return, "return", "退回"),
        (Self::Resubmit, "resubmit", "重新提交"),
        (Self::DeemAccept, "deem_accept", "视为受理"),
        (Self::RebutAcceptance, "rebut_acceptance", "推翻视为受理"),
        (Self::AskCorrection, "ask_correction", "补正告知"),
        (Self::ServeCorrection, "serve_correction", "补正告知送达"),
        (Self::SupplyCorrection, "supply_correction", "补正"),
        (Self::Extend, "extend", "延期"),
        (Self::ForwardUp, "forward_up", "转报"),
        (Self::Revoke, "revoke", "撤销"),
        (Self::MakeLicense, "make_license", "制证"),
        (Self::Deliver, "deliver", "送达"),
    ];

    fn row(self) -> (&'static str, &'static str) {
        Self::ALL
            .iter()
            .find(|(kind, _, _)| *kind == self)
            .map_or(("", ""), |(_, code, name)| (code, name))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        self.row().0
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Finds a kind by its code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == code).map(|(kind, _, _)| *kind)
    }

    /// Tells whether the act goes against the applicant; a machine never does such an act,
    /// unless a rule that the matter cites allows it.
    pub fn is_adverse(self) -> bool {
        matches!(self, Self::NotAccept | Self::Deny | Self::Terminate | Self::Return | Self::Revoke)
    }

    /// Returns who may ask for the act of his own accord.
    pub fn actors(self) -> &'static [Actor] {
        use Actor as A;
        match self {
            Self::Receive => &[A::Engine, A::Window, A::Agency],
            Self::Accept | Self::NotAccept => &[A::Engine, A::Window, A::Department, A::Agency],
            Self::NotFile => &[A::Engine],
            Self::Suspend | Self::Resume | Self::RebutAcceptance => &[A::Department, A::Agency],
            Self::Grant | Self::GrantTolerant | Self::Deny => {
                &[A::Script, A::Department, A::Agency]
            }
            Self::Withdraw | Self::Resubmit => &[A::Applicant, A::Window],
            Self::Terminate => &[A::Department, A::Agency, A::Clock],
            Self::Return => &[A::Window, A::Department],
            Self::DeemAccept => &[A::Clock],
            Self::ForwardUp => &[A::Script, A::Department, A::Agency],
            Self::AskCorrection | Self::ServeCorrection => {
                &[A::Window, A::Department, A::Agency, A::Engine]
            }
            Self::SupplyCorrection => &[A::Applicant, A::Window, A::Agency],
            Self::Extend | Self::Revoke => &[A::Head, A::Agency],
            Self::MakeLicense | Self::Deliver => &[A::Window, A::Department, A::Agency, A::Engine],
        }
    }
}

/// Who stands behind an act.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Actor {
    /// The engine's own rules, never to anybody's harm.
    Engine,
    /// The lawful clock, by a rule that the act names.
    Clock,
    /// A matter's script.
    Script,
    /// The applicant or his agent.
    Applicant,
    /// A window clerk.
    Window,
    /// An officer of the deciding department.
    Department,
    /// The head of the deciding office.
    Head,
    /// The department's own system.
    Agency,
}

/// An act, as requested and, once answered, as recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Act {
    /// Which.
    pub kind: ActKind,
    /// When it takes effect; clocks count this, not the time of recording.
    pub effective_at: Moment,
    /// Ground, reason or opinion.
    pub ground: String,
    /// Number of the notice or decision, if it has one yet.
    pub document_no: String,
    /// What the law needs to know of it beside its kind.
    pub terms: Terms,
    /// What else goes with it: the license's fields, the department's own words.
    pub detail: Value,
}

impl Act {
    /// Builds an act without number, terms or detail.
    pub fn new(kind: ActKind, effective_at: Moment, ground: impl Into<String>) -> Self {
        Self {
            kind,
            effective_at,
            ground: ground.into(),
            document_no: String::new(),
            terms: Terms::None,
            detail: Value::Null,
        }
    }

    /// Adds terms.
    #[must_use]
    pub fn with(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }
}

/// What the law needs to know of an act beside its kind.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Terms {
    /// Nothing.
    None,
    /// Of [`ActKind::AskCorrection`] and [`ActKind::RebutAcceptance`]: the complete list.
    Correction(CorrectionList),
    /// Of [`ActKind::Suspend`]: how long it is expected to take, told to the applicant.
    Suspension {
        /// The expected length.
        expected: Option<Period>,
    },
    /// Of [`ActKind::Extend`].
    Extension {
        /// How much longer.
        by: Period,
        /// The head of the office who approved it.
        approved_by: String,
    },
    /// Of [`ActKind::Accept`] with materials still to come (容缺受理): each with its promise.
    Promises(Vec<Promised>),
    /// Of [`ActKind::Terminate`] by the clock: the rule that allows the automatic act.
    ByRule(String),
    /// Of [`ActKind::Receive`] of papers that had been returned though nothing was amiss with
    /// them: what is left of the office's days.
    Remaining {
        /// The days that are left.
        left: Period,
    },
}

/// A complete list of what an applicant must correct: told once (dossier 14.6).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct CorrectionList {
    /// Codes of the materials to correct; materials not named stay closed.
    pub materials: Vec<String>,
    /// Names of the form's fields to correct.
    pub fields: Vec<String>,
    /// What is wrong with each, for people.
    pub text: String,
    /// The applicant's period; the matter's own when none is given.
    pub limit: Option<Period>,
    /// When the notice reached the applicant, if it has.
    pub served_at: Option<Moment>,
}

impl CorrectionList {
    /// Tells whether the list names nothing.
    pub fn is_empty(&self) -> bool {
        self.materials.is_empty() && self.fields.is_empty()
    }
}

/// A material that the applicant promised to bring later.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Promised {
    /// Its code.
    pub material: String,
    /// Within which period from the acceptance.
    pub within: Period,
}

/// The law's answer to a requested act.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum ActAnswer {
    /// It holds.
    Done,
    /// It held before.
    Already,
    /// It does not hold.
    Refused {
        /// Stable code.
        code: String,
        /// The reason, Chinese first.
        reason: String,
    },
}

impl ActAnswer {
    pub(super) fn refused(code: &str, reason: impl Into<String>) -> Self {
        Self::Refused { code: code.to_owned(), reason: reason.into() }
    }
}
