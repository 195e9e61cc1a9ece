//! Seals that come with the engine: none at all, and one for trial.
//!
//! An engine that was given no seal service seals nothing: [`NoSeal`] answers every request with
//! a refusal. [`DevSeal`] must be asked for by name, draws a key of its own on first use, and
//! marks every record 试用印章, so that nothing it sealed can pass for an office's document.

use tongban_core::digest::Digest;
use tongban_core::document::{Seal, SealFault, SealRecord, SealRequest};
use tongban_core::port::Later;

#[cfg(feature = "dev-seal")]
mod dev;

#[cfg(feature = "dev-seal")]
pub use dev::{DevSeal, DevSealError};

/// Holds no seal of any office.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSeal;

impl Seal for NoSeal {
    fn seal(&self, request: SealRequest) -> Later<'_, Result<SealRecord, SealFault>> {
        Box::pin(async move { Err(SealFault::NotHeld { office: request.office }) })
    }

    fn verify(&self, record: &SealRecord, _: &Digest) -> Result<(), SealFault> {
        Err(SealFault::UnknownKey {
            key_id: record.key_id.clone(),
            algorithm: record.algorithm.clone(),
        })
    }
}
