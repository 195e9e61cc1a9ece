//! From the engine's errors to what a client sees: the only mapping.
//!
//! A *refusal* is an answer of the domain. It becomes a typed member of a payload's `errors` (a
//! union per mutation) and never an entry of the response's `errors`. A *fault* is a failure of
//! the request or of this program; it becomes `errors[].extensions.code`. What the engine, a
//! store or a script said about itself stays in the log: an `INTERNAL` fault shows nothing but a
//! request id, which the transport adds. Resolvers return [`Fault`], and only [`EngineError`]
//! turns into one, so that `?` cannot carry foreign text out.

mod members;

use std::sync::Arc;

use async_graphql::{Enum, ErrorExtensionValues};
use tongban_core::command::Refusal;
use tongban_core::port::StoreError;
use tongban_engine::EngineError;

use crate::view::{Lang, Task, in_lang};

pub(crate) use self::members::*;

/// Code of a fault that shows only its request id.
pub(crate) const INTERNAL: &str = "INTERNAL";

/// A failed field.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    code: &'static str,
    message: String,
    /// What a client goes on with.
    extensions: Vec<(&'static str, String)>,
    /// For the log of the transport only.
    source: Option<Arc<EngineError>>,
}

impl Fault {
    /// Builds a fault whose text is ours, Chinese first.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), extensions: Vec::new(), source: None }
    }

    /// Says that there is nothing of this id, or nothing that the viewer may see.
    pub(crate) fn not_found(what: &'static str) -> Self {
        Self::new("NOT_FOUND", what)
    }
}

impl From<EngineError> for Fault {
    fn from(error: EngineError) -> Self {
        let code = code_of(&error);
        if code != INTERNAL {
            let message = error.to_string();
            return Self { extensions: extensions_of(error), ..Self::new(code, message) };
        }
        let message = "内部错误,请凭请求编号联系管理员 / internal error, ask the operator with the request id";
        Self { source: Some(Arc::new(error)), ..Self::new(code, message) }
    }
}

/// A cursor that is not good any more comes back with the revision of a snapshot, and with the
/// cursor after it where there is one.
fn extensions_of(error: EngineError) -> Vec<(&'static str, String)> {
    let EngineError::ResyncRequired { revision, cursor } = error else { return Vec::new() };
    let cursor = cursor.map(|cursor| ("cursor", cursor));
    [("revision", revision.0.to_string())].into_iter().chain(cursor).collect()
}

/// Returns the code of a fault. What is not named, and whatever is added later, is internal.
fn code_of(error: &EngineError) -> &'static str {
    use EngineError as E;
    match error {
        E::Refused(refusal) if refusal.code == "NOT_PERMITTED" => "FORBIDDEN",
        E::Refused(_) | E::KeyReused | E::Clock(_) | E::Store(StoreError::NotIndexed(_)) => {
            "BAD_REQUEST"
        }
        E::ResyncRequired { .. } => "RESYNC_REQUIRED",
        E::Busy | E::Stopped => "UNAVAILABLE",
        E::ClosureMissing(_) | E::Script(_) | E::Store(_) | E::Log(_) | _ => INTERNAL,
    }
}

impl From<Fault> for async_graphql::Error {
    fn from(fault: Fault) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", fault.code);
        for (name, value) in fault.extensions {
            extensions.set(name, value);
        }
        let source = fault.source.map(|source| source as Arc<dyn std::any::Any + Send + Sync>);
        Self { message: fault.message, source, extensions: Some(extensions) }
    }
}

/// 业务错误代码。枚举会增加,客户端须容忍未知值。 / Codes of refusals. The enum grows; accept values you do not know.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub(crate) enum UserErrorCode {
    /// 对象已被他人修改,请刷新后重试 / Someone changed it meanwhile; look again
    VersionConflict,
    /// 无权进行此操作 / Not permitted to this viewer
    NotPermitted,
    /// 没有该对象,或无权查看 / There is none, or it is not for this viewer
    NotFound,
    /// 当前状态下不允许 / Not in this state
    WrongState,
    /// 输入内容有误 / The input is wrong
    InvalidInput,
    /// 材料不齐 / Materials are missing
    MaterialsIncomplete,
    /// 幂等键已用于其他内容 / The idempotency key was used with other input
    IdempotencyKeyReused,
    /// 没有该一件事服务 / There is no such service
    UnknownService,
    /// 该地区未开通 / Not offered at this place
    ServiceNotOffered,
    /// 待办已结束 / The task is over
    TaskClosed,
    /// 待办已被他人认领 / Someone else has taken the task
    TaskTaken,
    /// 法定时间无法调整 / Lawful time cannot be moved
    ClockNotMovable,
}

/// A refusal, with the code under which clients know it.
#[derive(Clone, Debug)]
pub(crate) struct Denied {
    pub(crate) code: UserErrorCode,
    refusal: Refusal,
    /// The task as it is now, for a conflict.
    current: Option<Box<Task>>,
}

/// Why a mutation went no further: refused, or failed.
#[derive(Clone, Debug)]
pub(crate) enum Stop {
    /// The domain's answer.
    Denied(Box<Denied>),
    /// A fault.
    Fault(Fault),
}

/// The refusals of the engine by their codes. What is not listed is a matter of state.
const CODES: [(&str, UserErrorCode); 50] = [
    ("VERSION_CONFLICT", UserErrorCode::VersionConflict),
    ("NOT_PERMITTED", UserErrorCode::NotPermitted),
    ("CASE_NOT_FOUND", UserErrorCode::NotFound),
    ("TASK_NOT_FOUND", UserErrorCode::NotFound),
    ("MATTER_NOT_FOUND", UserErrorCode::NotFound),
    ("CARD_NOT_FOUND", UserErrorCode::NotFound),
    ("DOCUMENT_NOT_FOUND", UserErrorCode::NotFound),
    ("INVALID_INPUT", UserErrorCode::InvalidInput),
    ("INVALID_FIELD", UserErrorCode::InvalidInput),
    ("UNKNOWN_FIELD", UserErrorCode::InvalidInput),
    ("UNKNOWN_MATERIAL", UserErrorCode::InvalidInput),
    ("FIELDS_MISSING", UserErrorCode::InvalidInput),
    ("PARTY_INCOMPLETE", UserErrorCode::InvalidInput),
    ("REASONS_MISSING", UserErrorCode::InvalidInput),
    ("GROUND_UNKNOWN", UserErrorCode::InvalidInput),
    ("EVIDENCE_MISSING", UserErrorCode::InvalidInput),
    ("EFFECTIVE_IN_FUTURE", UserErrorCode::InvalidInput),
    ("EFFECTIVE_TOO_EARLY", UserErrorCode::InvalidInput),
    ("PERIOD_PASSED", UserErrorCode::InvalidInput),
    ("NOT_A_HOLDER", UserErrorCode::InvalidInput),
    ("ESCALATION_OUTSIDE", UserErrorCode::InvalidInput),
    ("LIST_MISSING", UserErrorCode::InvalidInput),
    ("PROOF_MISSING", UserErrorCode::InvalidInput),
    ("EXTENSION_MISSING", UserErrorCode::InvalidInput),
    ("EXPECTED_MISSING", UserErrorCode::InvalidInput),
    ("EXTENSION_TOO_LONG", UserErrorCode::InvalidInput),
    ("FILE_NOT_FOUND", UserErrorCode::InvalidInput),
    ("FILE_TYPE_NOT_ACCEPTED", UserErrorCode::InvalidInput),
    ("NO_COMMITMENT", UserErrorCode::InvalidInput),
    ("NOT_VOIDABLE", UserErrorCode::InvalidInput),
    ("MATERIALS_INCOMPLETE", UserErrorCode::MaterialsIncomplete),
    ("IDEMPOTENCY_KEY_REUSED", UserErrorCode::IdempotencyKeyReused),
    ("UNKNOWN_SERVICE", UserErrorCode::UnknownService),
    ("SERVICE_NOT_OFFERED_HERE", UserErrorCode::ServiceNotOffered),
    ("TASK_CLOSED", UserErrorCode::TaskClosed),
    ("TASK_TAKEN", UserErrorCode::TaskTaken),
    ("CLOCK_NOT_MOVABLE", UserErrorCode::ClockNotMovable),
    ("VERSION_NOT_FOUND", UserErrorCode::NotFound),
    ("REASON_MISSING", UserErrorCode::InvalidInput),
    ("NO_PLACE", UserErrorCode::InvalidInput),
    ("SECOND_PERSON_NEEDED", UserErrorCode::NotPermitted),
    ("INCIDENT_NOT_FOUND", UserErrorCode::NotFound),
    ("CLOSURE_NOT_FOUND", UserErrorCode::NotFound),
    ("WAY_NOT_OFFERED", UserErrorCode::InvalidInput),
    ("NOTHING_TO_RESTART", UserErrorCode::InvalidInput),
    ("NO_CALL", UserErrorCode::InvalidInput),
    ("REPLY_NOT_FOUND", UserErrorCode::NotFound),
    ("COUNT_DIFFERS", UserErrorCode::InvalidInput),
    ("VALUE_TOO_LARGE", UserErrorCode::InvalidInput),
    ("MESSAGE_TOO_LARGE", UserErrorCode::InvalidInput),
];

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        let known = CODES.iter().find(|(code, _)| *code == refusal.code);
        let code = known.map_or(UserErrorCode::WrongState, |(_, code)| *code);
        Self { code, refusal, current: None }
    }
}

impl Denied {
    /// Says that a part of the input cannot be read.
    pub(crate) fn invalid(path: &str, zh: &str, en: &str) -> Self {
        Refusal::new("INVALID_INPUT", zh, en).at([path]).into()
    }

    /// Puts the task as it is now beside the refusal.
    pub(crate) fn beside(self, current: Option<Task>) -> Self {
        Self { current: current.map(Box::new), ..self }
    }

    fn text(&self, lang: Option<Lang>) -> String {
        in_lang(lang, &self.refusal.zh, &self.refusal.en).to_owned()
    }
}

impl From<Denied> for Stop {
    fn from(denied: Denied) -> Self {
        Self::Denied(Box::new(denied))
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        if let EngineError::Refused(refusal) = error {
            return Denied::from(refusal).into();
        }
        if !matches!(error, EngineError::KeyReused | EngineError::Clock(_)) {
            return Self::Fault(error.into());
        }
        let text = error.to_string();
        let (zh, en) = text.split_once(" / ").unwrap_or((&text, &text));
        Denied::from(Refusal::new(error.code(), zh, en)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_about_itself_stays_inside() {
        let damaged = StoreError::Damaged { what: "/var/lib/secret.db".to_owned() };
        let error: async_graphql::Error = Fault::from(EngineError::Store(damaged)).into();
        assert!(!error.message.contains("secret"), "{}", error.message);
        let code = error.extensions.unwrap().get("code").cloned();
        assert_eq!(code, Some(INTERNAL.into()));
    }

    fn denied(error: EngineError) -> Denied {
        match Stop::from(error) {
            Stop::Denied(denied) => *denied,
            Stop::Fault(fault) => panic!("a fault: {fault:?}"),
        }
    }

    #[test]
    fn a_refusal_is_an_answer_and_keeps_its_words() {
        let refusal = Refusal::new("TASK_TAKEN", "已被认领", "taken").at(["taskId"]);
        let taken = denied(refusal.into());
        assert_eq!(taken.code, UserErrorCode::TaskTaken);
        assert_eq!(taken.text(None), "已被认领");
        let reused = denied(EngineError::KeyReused);
        assert_eq!(reused.code, UserErrorCode::IdempotencyKeyReused);
        assert!(!reused.text(Some(Lang::En)).contains('键'));
    }

    #[test]
    fn an_unlisted_refusal_is_a_matter_of_state() {
        let denied = Denied::from(Refusal::new("CASE_ENDED", "已办结", "ended"));
        assert_eq!(denied.code, UserErrorCode::WrongState);
    }
}
