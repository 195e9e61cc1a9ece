//! Publishing the versions of a service: draft → pilot (by place) → active → retired.
//!
//! Every step is a record of who, why and when in one append-only log per service; what follows
//! from it is folded, never stored. Nobody alone puts a version before applicants: who sets one
//! going, at pilot places or everywhere, is not who published it (四眼). Running cases stay on the
//! version that they are pinned to, whatever happens to it.

use serde::{Deserialize, Serialize};

use crate::command::Refusal;
use crate::digest::Digest;
use crate::id::{DepartmentCode, RegionCode, ServiceCode};
use crate::time::Moment;
use crate::viewer::{Role, Viewer};

/// One step of a version, as the log of its service keeps it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// The service.
    pub service: ServiceCode,
    /// Its place in the log of the service, from 1.
    pub no: u32,
    /// The version: digest of the closure.
    pub closure: Digest,
    /// What happened to it.
    pub step: Step,
    /// Who: subject of the identity.
    pub by: String,
    /// Code of the role in which he acted.
    pub role: String,
    /// Why.
    pub reason: String,
    /// When, by lawful time.
    pub at: Moment,
}

/// What can happen to a version.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Step {
    /// It was published as a draft; no case begins on it.
    Drafted,
    /// Cases of these places begin on it.
    Piloted {
        /// The places; a city's code includes its districts.
        regions: Vec<RegionCode>,
    },
    /// Cases of every place begin on it, except where another one is piloted.
    Activated,
    /// No case begins on it any more.
    Retired,
}

/// Where a version stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Standing {
    /// Published, not in use.
    Draft,
    /// In use at these places.
    Pilot(Vec<RegionCode>),
    /// In use.
    Active,
    /// Not in use any more.
    Retired,
}

impl Standing {
    /// Returns the code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pilot(_) => "pilot",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// Returns the name in Chinese.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Draft => "草稿",
            Self::Pilot(_) => "试点",
            Self::Active => "启用",
            Self::Retired => "停用",
        }
    }
}

/// A version of a service with its history.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Digest of the closure.
    pub closure: Digest,
    /// Where it stands.
    pub standing: Standing,
    /// What happened to it by somebody's word, oldest first; the first is its publication.
    pub steps: Vec<Publication>,
}

impl Version {
    /// Returns who published it.
    pub fn author(&self) -> &str {
        self.steps.first().map_or("", |step| &step.by)
    }
}

/// The versions of one service, as its log makes them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shelf {
    /// In the order of their publication.
    versions: Vec<Version>,
    /// Number of the last record.
    last: u32,
}

/// A record that cannot follow the ones before it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "服务 {service} 的发布记录 {no} 无法接续 / record {no} of the versions of {service} does not follow"
)]
pub struct ShelfError {
    /// The service.
    pub service: ServiceCode,
    /// The record.
    pub no: u32,
}

impl Shelf {
    /// Folds the next record.
    ///
    /// # Errors
    /// [`ShelfError`] when it is not the next one, or speaks of a version that was never published.
    pub fn fold(&mut self, record: Publication) -> Result<(), ShelfError> {
        let error = || ShelfError { service: record.service.clone(), no: record.no };
        if record.no != self.last + 1 {
            return Err(error());
        }
        let known = self.versions.iter().position(|version| version.closure == record.closure);
        let at = match (known, &record.step) {
            (Some(at), _) => at,
            (None, Step::Drafted) => {
                let (closure, standing) = (record.closure, Standing::Draft);
                self.versions.push(Version { closure, standing, steps: Vec::new() });
                self.versions.len() - 1
            }
            (None, Step::Piloted { .. } | Step::Activated | Step::Retired) => return Err(error()),
        };
        self.last = record.no;
        if record.step == Step::Activated {
            self.replace_active();
        }
        let version = &mut self.versions[at];
        version.standing = match &record.step {
            Step::Drafted => Standing::Draft,
            Step::Piloted { regions } => Standing::Pilot(regions.clone()),
            Step::Activated => Standing::Active,
            Step::Retired => Standing::Retired,
        };
        version.steps.push(record);
        Ok(())
    }

    /// There is one active version at most: the next one takes its place.
    fn replace_active(&mut self) {
        for version in &mut self.versions {
            if version.standing == Standing::Active {
                version.standing = Standing::Retired;
            }
        }
    }

    /// Returns the number that the next record gets.
    pub fn next_no(&self) -> u32 {
        self.last + 1
    }

    /// Returns the versions, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// Returns a version.
    pub fn version(&self, closure: &Digest) -> Option<&Version> {
        self.versions.iter().find(|version| version.closure == *closure)
    }

    /// Returns the version on which a new case of a place begins: the newest that is piloted
    /// there, else the active one. The one place that decides it.
    pub fn chosen(&self, region: &RegionCode) -> Option<&Digest> {
        let newest = |version: &&Version| version.steps.last().map_or(0, |step| step.no);
        let piloted = self.versions.iter().filter(|version| match &version.standing {
            Standing::Pilot(regions) => regions.iter().any(|pilot| pilot.covers(region)),
            Standing::Draft | Standing::Active | Standing::Retired => false,
        });
        let chosen = piloted.max_by_key(newest).or_else(|| self.active());
        chosen.map(|version| &version.closure)
    }

    /// Returns the version that is in use where none is piloted.
    pub fn active(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.standing == Standing::Active)
    }

    /// Returns the version that people are told of: the active one, else the newest pilot.
    pub fn shown(&self) -> Option<&Digest> {
        let piloted = |version: &&Version| matches!(version.standing, Standing::Pilot(_));
        let shown = self.active().or_else(|| self.versions.iter().rev().find(piloted));
        shown.map(|version| &version.closure)
    }

    /// Judges a step that somebody asks for. `Ok(false)` when nothing would change.
    ///
    /// # Errors
    /// [`Refusal`] when the asker may not, the step is not one of this version, or a second
    /// person is needed.
    pub fn judge(&self, asked: &Asked<'_>) -> Result<bool, Refusal> {
        let Asked { by, lead, closure, step, reason } = asked;
        if !may_publish(by, lead) {
            return Err(not_permitted());
        }
        if reason.trim().is_empty() {
            return Err(Refusal::new("REASON_MISSING", "请说明原因", "say why").at(["reason"]));
        }
        let known = self.version(closure);
        match (known.map(|version| &version.standing), step) {
            (None, Step::Drafted) => Ok(true),
            (None, _) => Err(unknown_version(closure)),
            (Some(Standing::Pilot(regions)), Step::Piloted { regions: same })
                if regions == same =>
            {
                Ok(false)
            }
            (Some(_), Step::Drafted)
            | (Some(Standing::Active), Step::Activated)
            | (Some(Standing::Retired), Step::Retired) => Ok(false),
            (Some(Standing::Active), Step::Piloted { .. }) => Err(is_active()),
            (Some(_), Step::Piloted { regions }) if regions.is_empty() => Err(no_place()),
            (Some(_), Step::Piloted { .. } | Step::Activated) => {
                self.needs_second(by, closure).map(|()| true)
            }
            (Some(_), Step::Retired) => Ok(true),
        }
    }

    fn needs_second(&self, by: &Viewer, closure: &Digest) -> Result<(), Refusal> {
        let author = self.version(closure).map_or("", Version::author);
        if author != by.subject {
            return Ok(());
        }
        Err(Refusal::new(
            "SECOND_PERSON_NEEDED",
            "试点和启用须由发布人以外的另一人办理(四眼原则)",
            "another person than the one who published a version lets it be used",
        ))
    }
}

/// A step that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Who asks.
    pub by: &'a Viewer,
    /// The department that coordinates the service.
    pub lead: &'a DepartmentCode,
    /// The version.
    pub closure: &'a Digest,
    /// The step.
    pub step: &'a Step,
    /// Why.
    pub reason: &'a str,
}

/// Integrators publish; so does the head of the department that leads the service.
pub fn may_publish(viewer: &Viewer, lead: &DepartmentCode) -> bool {
    match viewer.role {
        Role::Integrator => true,
        Role::OfficeHead => viewer.departments.contains(lead),
        Role::Applicant
        | Role::WindowClerk
        | Role::Approver
        | Role::Supervisor
        | Role::SystemAdmin => false,
    }
}

fn not_permitted() -> Refusal {
    Refusal::new(
        "NOT_PERMITTED",
        "服务版本由集成人员或牵头部门负责人管理",
        "integrators and the head of the leading department manage the versions of a service",
    )
}

fn unknown_version(closure: &Digest) -> Refusal {
    Refusal::new(
        "VERSION_NOT_FOUND",
        format!("没有版本 {closure},请先发布"),
        format!("there is no version {closure}; publish it first"),
    )
    .at(["version"])
}

fn is_active() -> Refusal {
    Refusal::new(
        "WRONG_STATE",
        "该版本已启用,不能改为试点;请先启用另一版本",
        "this version is active and cannot become a pilot; activate another one first",
    )
}

fn no_place() -> Refusal {
    Refusal::new("NO_PLACE", "试点须指明地区", "a pilot names its places").at(["regions"])
}

#[cfg(test)]
mod tests;
