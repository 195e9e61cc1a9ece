//! Versions of services: publishing them, letting them be used, and what they would do to the
//! cases that live on others.

use std::collections::BTreeMap;
use std::sync::Arc;

use tongban_core::command::Refusal;
use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::{IdempotencyRecord, Page};
use tongban_core::publication::{Asked, Publication, Step, Version, may_publish};
use tongban_core::viewer::Viewer;

use super::{Engine, outermost};
use crate::api::{IdempotencyKey, PageRequest};
use crate::error::EngineError;
use crate::upgrade::{Trial, Upgrade, live_cases, try_case};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// A step that is asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MoveVersion {
    /// The service.
    pub service: ServiceCode,
    /// The version.
    pub closure: Digest,
    /// What is to happen to it.
    pub step: Step,
    /// Why.
    pub reason: String,
}

/// A version that was moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MovedVersion {
    /// The version as it is now.
    pub version: Version,
    /// Whether an earlier call with the same key moved it.
    pub replayed: bool,
}

impl Engine {
    /// Publishes scripts as drafts, one version for each service among them: the files are
    /// compiled and checked, and kept with the store. No case begins on a draft. Returns the
    /// services with their versions; publishing the same scripts again changes nothing.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the viewer may not, [`EngineError::Script`] when the scripts
    /// have mistakes; nothing is published then.
    pub async fn publish_scripts(
        &self,
        viewer: &Viewer,
        files: BTreeMap<String, String>,
        reason: String,
    ) -> Result<Vec<(ServiceCode, Version)>, EngineError> {
        let taken = self
            .runtime
            .aside(move |runtime| runtime.scripts.take_in(&files).map_err(EngineError::Script));
        let mut published = Vec::new();
        for closure in taken.await? {
            published.push(self.publish_closure(viewer, &closure, &reason).await?);
        }
        Ok(published)
    }

    /// Publishes as a draft what the program has loaded of a service.
    ///
    /// # Errors
    /// As [`Engine::publish_scripts`].
    pub async fn publish_loaded(
        &self,
        viewer: &Viewer,
        service: &ServiceCode,
        reason: String,
    ) -> Result<Version, EngineError> {
        let loaded =
            self.runtime.scripts.active(service).ok_or_else(|| unknown_service(service))?;
        let (_, version) = self.publish_closure(viewer, &loaded, &reason).await?;
        Ok(version)
    }

    async fn publish_closure(
        &self,
        viewer: &Viewer,
        closure: &Closure,
        reason: &str,
    ) -> Result<(ServiceCode, Version), EngineError> {
        if !may_publish(viewer, &closure.service.lead) {
            return Err(not_permitted());
        }
        self.runtime.keep_closure(closure.digest).await?;
        let service = closure.service.code.clone();
        let moved = MoveVersion {
            service: service.clone(),
            closure: closure.digest,
            step: Step::Drafted,
            reason: reason.to_owned(),
        };
        Ok((service, self.step(viewer, moved, None).await?))
    }

    /// Moves a version: to pilot places, to every place, or out of use. Running cases stay on the
    /// version that they are pinned to. A repetition changes nothing, whatever others have moved
    /// since, and answers with the version as it is.
    ///
    /// # Errors
    /// [`EngineError::Refused`] when the viewer may not, when he published it himself and a second
    /// person is needed, and for a step that the version cannot take.
    pub async fn move_version(
        &self,
        viewer: &Viewer,
        moved: MoveVersion,
        key: IdempotencyKey,
    ) -> Result<MovedVersion, EngineError> {
        let MoveVersion { service, closure, step, reason } = &moved;
        let asked = (service, closure, step, reason);
        let record = self.record(viewer, "moveVersion", &key, &asked);
        let own = |own: &Publication| own.step == *step && own.by == viewer.subject;
        let taken = |known: &[String]| {
            let kept = self.runtime.offer.shelf(service).version(closure).cloned();
            let kept = kept.filter(|version| was_taken(version, known.first(), own));
            kept.map(|version| MovedVersion { version, replayed: true })
        };
        if let Some(done) = self.known(&record).await?.and_then(|known| taken(&known)) {
            return Ok(done);
        }
        match self.step(viewer, moved.clone(), Some(record.clone())).await {
            Ok(version) => Ok(MovedVersion { version, replayed: false }),
            Err(error) => {
                let known = self.keep_refusal(&record, error.clone()).await?;
                taken(&known).ok_or(error)
            }
        }
    }

    /// Judges a step and takes it; what remembers it names the number of its record, none when
    /// nothing was to be done.
    async fn step(
        &self,
        viewer: &Viewer,
        moved: MoveVersion,
        remembered: Option<IdempotencyRecord>,
    ) -> Result<Version, EngineError> {
        let MoveVersion { service, closure, step, reason } = moved;
        let known = self.runtime.scripts.closure(&closure);
        let known = known.filter(|known| known.service.code == service);
        let known = known.ok_or_else(|| unknown_version(&closure))?;
        let reason: String = reason.trim().chars().take(REASON_CHARS_MAX).collect();
        let offer = &self.runtime.offer;
        let _writing = offer.writing.lock().await;
        let known_versions = offer.shelf(&service);
        let lead = &known.service.lead;
        let asked = Asked { by: viewer, lead, closure: &closure, step: &step, reason: &reason };
        let is_due = known_versions.judge(&asked)?;
        if let Some(remembered) = remembered {
            let no = is_due.then(|| known_versions.next_no().to_string());
            self.remember(remembered, no.into_iter().collect()).await?;
        }
        if is_due {
            let record = Publication {
                service: service.clone(),
                no: known_versions.next_no(),
                closure,
                step,
                by: viewer.subject.clone(),
                role: viewer.role.code().to_owned(),
                reason,
                at: self.runtime.lawful.now(),
            };
            self.runtime.store.keep_publication(record.clone()).await?;
            offer.take_in(record)?;
        }
        let version = offer.shelf(&service).version(&closure).cloned();
        version.ok_or_else(|| unknown_version(&closure).into())
    }

    /// Returns the versions of a service with who did what to them, oldest first.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless the viewer may publish versions of it.
    pub fn versions(
        &self,
        viewer: &Viewer,
        service: &ServiceCode,
    ) -> Result<Vec<Version>, EngineError> {
        let known_versions = self.runtime.offer.shelf(service);
        let scripts = &self.runtime.scripts;
        let any =
            known_versions.versions().iter().find_map(|version| scripts.closure(&version.closure));
        let any = any.or_else(|| scripts.active(service));
        let any = any.ok_or_else(|| unknown_service(service))?;
        if !may_publish(viewer, &any.service.lead) {
            return Err(not_permitted());
        }
        Ok(known_versions.versions().to_vec())
    }

    /// Returns what a version would do to the live cases of its service within the viewer's
    /// region, page by page: the cursor of a page goes on after it. Each case is tried by itself
    /// between other work; nothing is written.
    ///
    /// # Errors
    /// [`EngineError::Refused`] unless the viewer may publish the service and the region is his.
    pub async fn upgrade_report(
        &self,
        viewer: &Viewer,
        (service, closure): (&ServiceCode, &Digest),
        region: Option<&RegionCode>,
        page: PageRequest,
    ) -> Result<Page<Upgrade>, EngineError> {
        let candidate = self.candidate(viewer, service, closure)?;
        let region = reported(viewer, region)?;
        let PageRequest { first, after } = page;
        let store = &self.runtime.store;
        let found = live_cases(&**store, service, &region, (first, after)).await?;
        let mut items = Vec::new();
        for case in &found.items {
            let Some(stored) = store.load(case.case).await? else { continue };
            let standing = self.runtime.standing.now();
            let closure = Arc::clone(&candidate);
            let tried = self.runtime.aside(move |runtime| {
                let script = runtime.scripts.as_ref();
                let secret = &runtime.case_secret(stored.case);
                let trial = Trial { script, closure: &closure, standing: &standing, secret };
                Ok(try_case(trial, &stored)?)
            });
            items.push(tried.await?);
        }
        Ok(Page { items, next: found.next })
    }

    fn candidate(
        &self,
        viewer: &Viewer,
        service: &ServiceCode,
        closure: &Digest,
    ) -> Result<Arc<Closure>, EngineError> {
        let known = self.runtime.scripts.closure(closure);
        let known = known.filter(|known| known.service.code == *service);
        let known = known.ok_or_else(|| unknown_version(closure))?;
        if !may_publish(viewer, &known.service.lead) {
            return Err(not_permitted());
        }
        Ok(known)
    }
}

/// Tells whether a step that is remembered was taken: between both, the process may have died.
fn was_taken(
    version: &Version,
    remembered: Option<&String>,
    own: impl Fn(&Publication) -> bool,
) -> bool {
    let Some(no) = remembered else { return true };
    version.steps.iter().any(|kept| own(kept) && no.parse().is_ok_and(|no: u32| kept.no >= no))
}

/// A report is about one region of the viewer's.
fn reported(viewer: &Viewer, asked: Option<&RegionCode>) -> Result<RegionCode, Refusal> {
    let own = outermost(viewer);
    let region = match asked {
        Some(region) => viewer.covers(region).then(|| region.clone()),
        None => own.first().cloned(),
    };
    region.ok_or_else(|| {
        Refusal::new(
            "NOT_PERMITTED",
            "只能查看本人负责地区的在途办件",
            "one sees the live cases of one's own regions",
        )
        .at(["region"])
    })
}

fn not_permitted() -> EngineError {
    Refusal::new(
        "NOT_PERMITTED",
        "服务版本由集成人员或牵头部门负责人管理",
        "integrators and the head of the leading department manage the versions of a service",
    )
    .into()
}

fn unknown_service(service: &ServiceCode) -> Refusal {
    Refusal::new(
        "UNKNOWN_SERVICE",
        format!("没有一件事 {service}"),
        format!("there is no service {service}"),
    )
    .at(["service"])
}

fn unknown_version(closure: &Digest) -> Refusal {
    Refusal::new(
        "VERSION_NOT_FOUND",
        format!("没有版本 {closure},请先发布"),
        format!("there is no version {closure}; publish it first"),
    )
    .at(["version"])
}
