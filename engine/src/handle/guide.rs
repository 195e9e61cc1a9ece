//! What an applicant is told before he files.

use tongban_core::guide::Guide;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::value::Value;
use tongban_core::viewer::Viewer;

use super::Engine;
use crate::error::EngineError;
use crate::runtime::guide::Guiding;

impl Engine {
    /// Returns what a service needs and how long it takes in a situation (一次告知): the matters that
    /// the answers select, their materials, one form, and the time. Open questions count as no
    /// and are told. Declarations are public, and nothing is kept.
    ///
    /// # Errors
    /// [`EngineError::Refused`] for an unknown service, a place where it is not offered, and
    /// answers to no question or of the wrong kind.
    pub async fn guide(
        &self,
        _viewer: &Viewer,
        place: (ServiceCode, RegionCode),
        answers: Value,
    ) -> Result<Guide, EngineError> {
        let (service, region) = place;
        let (reply, told) = tokio::sync::oneshot::channel();
        self.runtime.desk.guide(Box::new(Guiding { service, region, answers, reply }))?;
        told.await.unwrap_or(Err(EngineError::Stopped))
    }
}
