//! What is on offer: on which version of its service a new case of a place begins.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tongban_core::command::Refusal;
use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::port::{Script, StoreError};
use tongban_core::publication::{Publication, Shelf};

use crate::builder::Publishing;
use crate::error::EngineError;

/// The published versions, and whether they decide.
pub(crate) struct Offer {
    publishing: Publishing,
    /// By service; replaced record by record after each is durable.
    shelves: RwLock<BTreeMap<ServiceCode, Shelf>>,
    /// Held from judging a step until its record is durable, so that none comes in between.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

impl Offer {
    /// Offers nothing yet.
    pub(crate) fn new(publishing: Publishing) -> Self {
        Self { publishing, shelves: RwLock::default(), writing: tokio::sync::Mutex::default() }
    }

    /// Takes in a record that is durable.
    pub(crate) fn take_in(&self, record: Publication) -> Result<(), StoreError> {
        let mut shelves = self.shelves.write().unwrap_or_else(PoisonError::into_inner);
        let versions = shelves.entry(record.service.clone()).or_default();
        versions.fold(record).map_err(|error| StoreError::Damaged { what: error.to_string() })
    }

    /// Returns the versions of a service.
    pub(crate) fn shelf(&self, service: &ServiceCode) -> Shelf {
        let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
        shelves.get(service).cloned().unwrap_or_default()
    }

    /// Returns the closure for a new case of a service at a place.
    pub(crate) fn closure(
        &self,
        script: &dyn Script,
        (service, region): (&ServiceCode, &RegionCode),
    ) -> Result<Arc<Closure>, EngineError> {
        match self.publishing {
            Publishing::AsLoaded => {
                script.active(service).ok_or_else(|| self.unknown(script, service))
            }
            Publishing::Approved => {
                let versions = self.shelf(service);
                if versions.versions().is_empty() {
                    return Err(self.unknown(script, service));
                }
                let chosen = versions.chosen(region).ok_or_else(|| not_active(service, region))?;
                let missing = || EngineError::ClosureMissing(chosen.to_string());
                script.closure(chosen).ok_or_else(missing)
            }
        }
    }

    /// Returns the services that are shown to everybody.
    pub(crate) fn services(&self, script: &dyn Script) -> Vec<Arc<Closure>> {
        match self.publishing {
            Publishing::AsLoaded => script.services(),
            Publishing::Approved => {
                let shelves = self.shelves.read().unwrap_or_else(PoisonError::into_inner);
                let shown: Vec<Digest> =
                    shelves.values().filter_map(Shelf::shown).copied().collect();
                shown.iter().filter_map(|digest| script.closure(digest)).collect()
            }
        }
    }

    fn unknown(&self, script: &dyn Script, service: &ServiceCode) -> EngineError {
        let known = self.services(script);
        let known: Vec<&str> = known.iter().map(|closure| closure.service.code.as_str()).collect();
        let known = known.join(", ");
        Refusal::new(
            "UNKNOWN_SERVICE",
            format!("没有一件事 {service},现有:{known}"),
            format!("there is no service {service}; there are: {known}"),
        )
        .at(["service"])
        .into()
    }
}

fn not_active(service: &ServiceCode, region: &RegionCode) -> EngineError {
    Refusal::new(
        "NO_ACTIVE_VERSION",
        format!("服务 {service} 在 {region} 没有启用的版本,请另一人启用后再办理"),
        format!("no version of {service} is active at {region}; a second person must activate one"),
    )
    .at(["service"])
    .into()
}
