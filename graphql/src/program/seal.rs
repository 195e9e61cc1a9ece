//! Who seals notices: nobody, the trial seal of a data folder, or a service over HTTP.

use std::path::Path;
use std::sync::Arc;

use tongban_connectors::{HttpSeal, SealKeys, SealOptions};
use tongban_core::document::Seal;
use tongban_engine::clock::SystemClock;

use super::args::ServeArguments;
use super::assemble::wrong;
use super::config::{self, SealService};
use super::error::{Both, ProgramError, shown};
use super::folder;
use super::secret::{self, Named};

/// The place of the service in the configuration.
const PLACE: &str = "seal.http";

/// Returns the seal that a server was told to use, if any.
pub(crate) fn choose(
    told: Option<&config::Seal>,
    arguments: &ServeArguments,
) -> Result<Option<Arc<dyn Seal>>, ProgramError> {
    match told {
        Some(config::Seal::Http(service)) => over_http(service).map(Some),
        Some(config::Seal::Trial) | None if arguments.dev => {
            folder::trial_seal(&arguments.data).map(Some)
        }
        Some(config::Seal::Trial) => Err(wrong(
            "seal",
            Both::new(
                "试用印章没有法律效力,只能与 --dev 一起使用",
                "the trial seal binds nobody; it goes with --dev only",
            ),
        )),
        Some(config::Seal::None) | None => Ok(None),
    }
}

fn over_http(service: &SealService) -> Result<Arc<dyn Seal>, ProgramError> {
    if service.base_url.starts_with("http://") && !service.allow_http {
        return Err(wrong(
            PLACE,
            Both::new(
                "地址是 http://,口令会以明文传送;确需如此须写 allow_http = true",
                "the address is http://, so the secret would travel in the clear; if it must, say allow_http = true",
            ),
        ));
    }
    let named = Named { env: service.secret_env.as_deref(), file: service.secret_file.as_deref() };
    let options = SealOptions {
        base_url: service.base_url.clone(),
        secret: secret::read(PLACE, named)?,
        keys: keys(&service.keys_file)?,
        clock: Arc::new(SystemClock),
    };
    let seal = HttpSeal::new(options).map_err(|error| wrong(PLACE, Both::of(&error)))?;
    Ok(Arc::new(seal))
}

fn keys(file: &Path) -> Result<SealKeys, ProgramError> {
    let text = std::fs::read(file)
        .map_err(|source| ProgramError::ConfigUnreadable { path: shown(file), source })?;
    SealKeys::from_json(&text).map_err(|error| wrong(&shown(file), Both::of(&error)))
}
