//! `tongban scripts upgrade-report`: what a new version would do to the live cases of a folder
//! that no server is using. Nothing is written and nobody is asked.

mod shown;

use std::path::Path;
use std::sync::Arc;

use tongban_core::definition::Closure;
use tongban_core::digest::Digest;
use tongban_core::id::{RegionCode, ServiceCode};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Script as _, Store as _};
use tongban_engine::store::SledStore;
use tongban_engine::upgrade::{Tally, Trial, Upgrade, live_cases, try_case};
use tongban_scripts::Host;

use super::args::{Format, UpgradeArguments};
use super::case::{host_with, on_script_thread, standing_of};
use super::error::{Both, ProgramError, shown as place};
use super::{check, folder, output};

/// Cases between two words about the progress.
const TOLD_EVERY: u64 = 500;

/// A report as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) tally: Tally,
    /// The cases that do not simply pass.
    pub(super) cases: Vec<Upgrade>,
}

/// Reports; a case that diverges is a failure.
pub(crate) async fn run(arguments: &UpgradeArguments) -> Result<(), ProgramError> {
    if !arguments.data.is_dir() {
        return Err(ProgramError::InputOutput {
            what: place(&arguments.data),
            detail: Both::new("没有这个数据文件夹", "there is no such data folder"),
        });
    }
    let store = folder::open(&arguments.data)?;
    let closures =
        store.closures().await.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    let host = Arc::new(host_with(&closures)?);
    let service = ServiceCode::new(&arguments.service);
    let closure = candidate(&host, &service, &arguments.to)?;
    let report = report(arguments, store, (host, Arc::clone(&closure))).await?;
    let text = match arguments.format {
        Format::Text => shown::text(&closure, &report),
        Format::Json => format!("{:#}", shown::json(&closure, &report)),
    };
    output::data(text.trim_end());
    match report.tally.diverges {
        0 => Ok(()),
        cases => Err(ProgramError::Diverges { cases }),
    }
}

/// Returns the version that is named: a folder of scripts, or the beginning of a digest.
fn candidate(host: &Host, service: &ServiceCode, to: &str) -> Result<Arc<Closure>, ProgramError> {
    let unknown = |zh: &str, en: &str| ProgramError::VersionUnknown {
        what: to.to_owned(),
        detail: Both::new(zh, en),
    };
    let path = Path::new(to);
    if path.is_dir() {
        let new = Host::open(path).map_err(|error| check::refused(path, &error))?;
        let closure = new
            .active(service)
            .ok_or_else(|| unknown("该文件夹中没有这个服务", "the folder holds no such service"))?;
        let sources = new.sources(&closure.digest).unwrap_or_default();
        host.adopt(&closure.digest, &sources)
            .map_err(|fault| ProgramError::Engine(Both::of(&fault)))?;
        return Ok(closure);
    }
    let wanted = to.strip_prefix("sha-256:").unwrap_or(to);
    let known = host.known();
    let mut fitting = known.iter().filter(|closure| {
        closure.service.code == *service && hex(&closure.digest).starts_with(wanted)
    });
    match (fitting.next(), fitting.next()) {
        (Some(only), None) if !wanted.is_empty() => Ok(Arc::clone(only)),
        (Some(_), _) => Err(unknown("摘要不够长,有多个版本符合", "several versions begin so")),
        (None, _) => Err(unknown(
            "既不是文件夹,也不是已知版本的摘要",
            "it is neither a folder nor a known digest",
        )),
    }
}

fn hex(digest: &Digest) -> String {
    digest.to_string().trim_start_matches("sha-256:").to_owned()
}

async fn report(
    arguments: &UpgradeArguments,
    store: Arc<SledStore>,
    (host, closure): (Arc<Host>, Arc<Closure>),
) -> Result<Report, ProgramError> {
    let standing = standing_of(Some(&arguments.data)).await?;
    let (service, region) =
        (ServiceCode::new(&arguments.service), RegionCode::new(&arguments.region));
    let tokio = tokio::runtime::Handle::current();
    let walk = move || {
        let secret = store.identity().secret;
        let trial =
            Trial { script: &*host, closure: &closure, standing: &standing, secret: &secret };
        let mut report = Report::default();
        let mut after = None;
        loop {
            let page = live_cases(&*store, &service, &region, (PAGE_MAX, after));
            let page = tokio.block_on(page).map_err(|error| Both::of(&error))?;
            for case in &page.items {
                let stored = tokio.block_on(store.load(case.case));
                let Some(stored) = stored.map_err(|error| Both::of(&error))? else { continue };
                report.add(try_case(trial, &stored).map_err(|error| Both::of(&error))?);
            }
            after = page.next;
            if after.is_none() {
                return Ok(report);
            }
        }
    };
    // A runtime's own thread may not wait for a thread of ours.
    let walked = tokio::task::spawn_blocking(move || on_script_thread(walk)).await;
    let walked: Result<Report, Both> =
        walked.map_err(|error| ProgramError::Engine(Both::of(&error.to_string())))??;
    walked.map_err(ProgramError::Engine)
}

impl Report {
    /// Counts a case, keeps it when there is something to say about it, tells the progress.
    fn add(&mut self, upgrade: Upgrade) {
        let outcome = upgrade.verdict.outcome();
        self.tally.add(outcome);
        if outcome != tongban_core::dry_run::Outcome::Passes {
            self.cases.push(upgrade);
        }
        let cases = self.tally.cases();
        if cases.is_multiple_of(TOLD_EVERY) {
            output::tell(&format!("已重放 {cases} 个办件 / {cases} cases replayed"));
        }
    }
}
