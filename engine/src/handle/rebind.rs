//! Moving many live cases to another version of their scripts.
//!
//! The walk keeps nothing about how far it came: each case says for itself on which version it is,
//! so that a walk which was cut short is simply begun again. Each case is tried by itself, with
//! its own log, and moved in a turn of its own that tries it once more; one that diverges stays
//! as it is and is reported.

use std::sync::Arc;

use tongban_core::audit::AuditedAct;
use tongban_core::command::Refusal;
use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::dry_run::{Outcome, Verdict};
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::Page;
use tongban_core::viewer::{Role, Viewer};

use super::audit::must_say_why;
use super::{Engine, outermost};
use crate::api::{IdempotencyKey, PageRequest, Receipt};
use crate::error::EngineError;
use crate::upgrade::{Trial, live_cases, try_case};

/// Which cases are to be moved, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rebinding {
    /// Live cases of this service.
    pub service: ServiceCode,
    /// The version that they go on under.
    pub closure: Digest,
    /// Only cases of this region and all inside it; the viewer's first region by default.
    pub region: Option<RegionCode>,
    /// What becomes of cases that stand in an open decision.
    pub undecided: Undecided,
    /// How many live cases were seen; looked at when the walk begins.
    pub expected: u64,
    /// Why.
    pub reason: String,
}

/// What becomes of cases that stand in an open decision, for which a dry run proves only what
/// went before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Undecided {
    /// They stay on their version.
    Stay,
    /// They are moved.
    Move,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct ReboundOne {
    /// The case.
    pub case: CaseId,
    /// Its public number.
    pub number: String,
    /// The version that it was on.
    pub from: Digest,
    /// What the dry run said.
    pub verdict: Verdict,
    /// What became of it.
    pub outcome: Rebound,
}

/// What became of a case that was to be moved.
#[derive(Clone, Debug)]
pub enum Rebound {
    /// It was on that version already.
    Already,
    /// It was moved.
    Moved(Receipt),
    /// It stays as it is: it diverges, stands in a decision, or could not be tried.
    Stays,
    /// The turn refused it.
    Refused(Refusal),
}

impl Rebound {
    /// Returns the code.
    pub fn code(&self, verdict: &Verdict) -> &'static str {
        match self {
            Self::Already => "already",
            Self::Moved(_) => "rebound",
            Self::Stays => verdict.outcome().code(),
            Self::Refused(_) => "refused",
        }
    }
}

impl Engine {
    /// Moves the live cases of a page to another version; the cursor of a page goes on after it.
    /// A repetition, from the beginning or from any cursor, moves what is left and nothing twice.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless a system's admin or the head of the leading department
    /// asks for a region of his, when the version is not known, and with `COUNT_DIFFERS` when the
    /// live cases are more or fewer than were seen, before anything is done.
    pub async fn rebind_cases(
        &self,
        viewer: &Viewer,
        rebinding: &Rebinding,
        page: PageRequest,
        key: IdempotencyKey,
    ) -> Result<Page<ReboundOne>, EngineError> {
        let closure = self.rebindable(viewer, rebinding)?;
        let region = own_region(viewer, rebinding.region.as_ref())?;
        must_say_why(&rebinding.reason)?;
        if page.after.is_none() {
            self.begin_to_rebind(viewer, (rebinding, &region), &key).await?;
        }
        let store = &self.runtime.store;
        let live = live_cases(&**store, &rebinding.service, &region, (page.first, page.after));
        let found = live.await?;
        let mut items = Vec::with_capacity(found.items.len());
        for case in &found.items {
            let moved = self.rebind_one(viewer, case.case, (&closure, rebinding), &key).await?;
            items.extend(moved);
        }
        Ok(Page { items, next: found.next })
    }

    /// Looks whether the cases are as many as were seen, and writes down who moves them; both once
    /// for a key, since a walk that is begun again meets fewer of them.
    async fn begin_to_rebind(
        &self,
        viewer: &Viewer,
        (rebinding, region): (&Rebinding, &RegionCode),
        key: &IdempotencyKey,
    ) -> Result<(), EngineError> {
        let Rebinding { service, closure, undecided, expected, reason, region: _ } = rebinding;
        let moves_all = *undecided == Undecided::Move;
        let input = (service, closure, region, moves_all, expected, reason);
        let record = self.record(viewer, "rebindCases", key, &input);
        if self.known(&record).await?.is_some() {
            return Ok(());
        }
        if let Err(error) = self.must_be_as_many(rebinding, region).await {
            return self.keep_refusal(&record, error).await.map(drop);
        }
        let target = format!("{service} {region} {closure}");
        self.note(viewer, AuditedAct::CasesRebound, (target, reason)).await?;
        self.remember(record, Vec::new()).await?;
        Ok(())
    }

    async fn rebind_one(
        &self,
        viewer: &Viewer,
        case: CaseId,
        to: (&Arc<Closure>, &Rebinding),
        key: &IdempotencyKey,
    ) -> Result<Option<ReboundOne>, EngineError> {
        let (closure, rebinding) = to;
        let Some(stored) = self.runtime.store.load(case).await? else { return Ok(None) };
        let standing = self.runtime.standing.now();
        let candidate = Arc::clone(closure);
        let tried = self.runtime.aside(move |runtime| {
            let script = runtime.scripts.as_ref();
            let secret = &runtime.case_secret(stored.case);
            let trial = Trial { script, closure: &candidate, standing: &standing, secret };
            Ok(try_case(trial, &stored)?)
        });
        let tried = tried.await?;
        let moves = match tried.verdict.outcome() {
            Outcome::Passes => true,
            Outcome::Opaque => rebinding.undecided == Undecided::Move,
            Outcome::Unknown | Outcome::Diverges => false,
        };
        let outcome = if tried.from == closure.digest {
            Rebound::Already
        } else if moves {
            let own = IdempotencyKey(format!("{}#{case}", key.0));
            let to = (closure.digest, rebinding.reason.clone());
            match self.rebind_case(viewer, case, to, own).await {
                Ok(receipt) => Rebound::Moved(receipt),
                Err(EngineError::Refused(refusal)) => Rebound::Refused(refusal),
                Err(error) => return Err(error),
            }
        } else {
            Rebound::Stays
        };
        let (number, from, verdict) = (tried.number, tried.from, tried.verdict);
        Ok(Some(ReboundOne { case, number, from, verdict, outcome }))
    }

    fn rebindable(
        &self,
        viewer: &Viewer,
        rebinding: &Rebinding,
    ) -> Result<Arc<Closure>, EngineError> {
        let known = self.runtime.scripts.closure(&rebinding.closure);
        let known = known.filter(|known| known.service.code == rebinding.service);
        let Some(closure) = known else {
            return Err(Refusal::new(
                "CLOSURE_NOT_FOUND",
                format!("服务 {} 没有版本 {},请先发布", rebinding.service, rebinding.closure),
                format!(
                    "there is no version {} of {}; publish it first",
                    rebinding.closure, rebinding.service
                ),
            )
            .at(["version"])
            .into());
        };
        let lead = viewer.departments.contains(&closure.service.lead);
        match viewer.role {
            Role::SystemAdmin => Ok(closure),
            Role::OfficeHead if lead => Ok(closure),
            Role::OfficeHead
            | Role::Applicant
            | Role::WindowClerk
            | Role::Approver
            | Role::Integrator
            | Role::Supervisor => Err(Refusal::new(
                "NOT_PERMITTED",
                "换用版本由系统管理员或牵头部门负责人办理",
                "a system's admin or the head of the leading department moves cases",
            )
            .into()),
        }
    }

    async fn must_be_as_many(
        &self,
        rebinding: &Rebinding,
        region: &RegionCode,
    ) -> Result<(), EngineError> {
        let (mut found, mut after) = (0, None);
        loop {
            let store = &self.runtime.store;
            let page = live_cases(&**store, &rebinding.service, region, (PAGE_MAX, after)).await?;
            found += page.items.len() as u64;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        if found == rebinding.expected {
            return Ok(());
        }
        let expected = rebinding.expected;
        Err(Refusal::new(
            "COUNT_DIFFERS",
            format!("在途办件现有 {found} 个,而非 {expected} 个;请核对后重试"),
            format!("{found} live cases match, not {expected}; look again and repeat"),
        )
        .at(["expectedCount"])
        .into())
    }
}

fn own_region(viewer: &Viewer, asked: Option<&RegionCode>) -> Result<RegionCode, Refusal> {
    let region = match asked {
        Some(region) => viewer.covers(region).then(|| region.clone()),
        None => outermost(viewer).into_iter().next(),
    };
    region.ok_or_else(|| {
        Refusal::new(
            "NOT_PERMITTED",
            "只能办理本人负责地区的办件",
            "one moves the cases of one's own regions",
        )
        .at(["region"])
    })
}
