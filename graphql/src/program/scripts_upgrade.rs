//! `tongban scripts upgrade-report`: what a new version would do to the live cases of a folder.
//! Nothing is written and no agency is asked; a server that holds the folder does the work.

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
use tongban_engine::upkeep::Progress;
use tongban_scripts::Host;

use super::args::{Format, UpgradeArguments};
use super::case::{Secrets, host_with, on_script_thread, standing_of};
use super::error::{Both, ProgramError, shown as place};
use super::upkeep::control::{self, Wish};
use super::{check, folder, output, upkeep};

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
    folder::must_exist(&arguments.data)?;
    let mut told = told();
    let (text, diverges) = match folder::open(&arguments.data) {
        Ok(store) => reported(store, arguments, Box::new(told)).await?,
        Err(ProgramError::FolderInUse(_)) => {
            let mut progress = |done: Progress| told(done.cases);
            let wish = Wish::Upgrade(absolute(arguments)?);
            control::ask(&arguments.data, wish, &mut progress).await?.report()?
        }
        Err(error) => return Err(error),
    };
    output::data(text.trim_end());
    match diverges {
        0 => Ok(()),
        cases => Err(ProgramError::Diverges { cases }),
    }
}

/// A server has another working folder than whoever asks it.
fn absolute(arguments: &UpgradeArguments) -> Result<UpgradeArguments, ProgramError> {
    let path = Path::new(&arguments.to);
    if !path.is_dir() {
        return Ok(arguments.clone());
    }
    Ok(UpgradeArguments { to: place(upkeep::absolute(path)?), ..arguments.clone() })
}

/// Reports on a store that this process has open; returns the text and how many cases diverge.
pub(crate) async fn reported(
    store: Arc<SledStore>,
    arguments: &UpgradeArguments,
    told: Box<dyn FnMut(u64) + Send>,
) -> Result<(String, u64), ProgramError> {
    let closures =
        store.closures().await.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    let host = Arc::new(host_with(&closures)?);
    let service = ServiceCode::new(&arguments.service);
    let closure = candidate(&host, &service, &arguments.to)?;
    let report = report((arguments, told), store, (host, Arc::clone(&closure))).await?;
    let text = match arguments.format {
        Format::Text => shown::text(&closure, &report),
        Format::Json => format!("{:#}", shown::json(&closure, &report)),
    };
    Ok((text, report.tally.diverges))
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
    (arguments, mut told): (&UpgradeArguments, Box<dyn FnMut(u64) + Send>),
    store: Arc<SledStore>,
    (host, closure): (Arc<Host>, Arc<Closure>),
) -> Result<Report, ProgramError> {
    let standing = standing_of(Some(&arguments.data)).await?;
    let (service, region) =
        (ServiceCode::new(&arguments.service), RegionCode::new(&arguments.region));
    let secrets =
        Secrets::of(&store).await.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    let tokio = tokio::runtime::Handle::current();
    let walk = move || {
        let mut report = Report::default();
        let mut after = None;
        loop {
            let page = live_cases(&*store, &service, &region, (PAGE_MAX, after));
            let page = tokio.block_on(page).map_err(|error| Both::of(&error))?;
            for case in &page.items {
                let stored = tokio.block_on(store.load(case.case));
                let Some(stored) = stored.map_err(|error| Both::of(&error))? else { continue };
                let secret = &secrets.of_case(stored.case);
                let trial =
                    Trial { script: &*host, closure: &closure, standing: &standing, secret };
                report.add(try_case(trial, &stored).map_err(|error| Both::of(&error))?);
                told(report.tally.cases());
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
    /// Counts a case, and keeps it when there is something to say about it.
    fn add(&mut self, upgrade: Upgrade) {
        let outcome = upgrade.verdict.outcome();
        self.tally.add(outcome);
        if outcome != tongban_core::dry_run::Outcome::Passes {
            self.cases.push(upgrade);
        }
    }
}

/// Tells the progress now and then.
fn told() -> impl FnMut(u64) + Send + 'static {
    let mut told = 0;
    move |cases| {
        if cases >= told + TOLD_EVERY {
            told = cases;
            output::tell(&format!("已重放 {cases} 个办件 / {cases} cases replayed"));
        }
    }
}
