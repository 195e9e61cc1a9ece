//! `serve --dev --watch`: scripts that change are checked and, if clean, used for new cases.
//!
//! Every half second the times and sizes of the script files are looked at. A change is acted on
//! once two looks in a row agree, so that a file is not read while an editor writes it. Running
//! cases stay on the closure that they are pinned to; a mistake changes nothing and is told.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use tongban_core::port::WireClock;
use tongban_scripts::{Host, LoadError, ServiceChange};

/// How often the folder is looked at.
const EVERY_MILLIS: u64 = 500;
/// Hexadecimal digits of a version that are shown.
const VERSION_SHOWN: usize = 12;

/// What the file system says about the scripts: time and size by path.
type Stamp = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// Looks after a folder of scripts.
pub(crate) struct Watch {
    host: Arc<Host>,
    folder: PathBuf,
    /// What the last look saw.
    seen: Stamp,
    /// What the host was last given to read.
    read: Stamp,
    /// Whether that was refused.
    refused: bool,
}

/// What came of a change.
#[derive(Debug)]
pub(crate) enum Change {
    /// New cases use it.
    Activated(Vec<ServiceChange>),
    /// It has mistakes, and nothing changed.
    Refused(LoadError),
}

impl Watch {
    /// Begins with what the host has just loaded from the folder.
    pub(crate) fn new(host: Arc<Host>, folder: &Path) -> Self {
        let stamp = stamp_of(folder);
        Self { host, folder: folder.to_owned(), seen: stamp.clone(), read: stamp, refused: false }
    }

    /// Looks once. Returns what came of a change, if there was one and it has settled.
    pub(crate) fn look(&mut self) -> Option<Change> {
        let stamp = stamp_of(&self.folder);
        if stamp != self.seen {
            self.seen = stamp;
            return None;
        }
        if stamp == self.read {
            return None;
        }
        self.read = stamp;
        let was_refused = self.refused;
        match self.host.reload(&self.folder) {
            Ok(changes) => {
                self.refused = false;
                (was_refused || !changes.is_empty()).then_some(Change::Activated(changes))
            }
            Err(error) => {
                self.refused = true;
                Some(Change::Refused(error))
            }
        }
    }

    /// Looks for as long as the future is polled, and tells every change. Dropping it ends the
    /// watch; a look under way is finished on its own thread.
    pub(crate) async fn run(
        mut self,
        clock: Arc<dyn WireClock>,
        mut tell: impl FnMut(&Change),
    ) -> Infallible {
        loop {
            clock.wait_millis(EVERY_MILLIS).await;
            let looked = tokio::task::spawn_blocking(move || {
                let change = self.look();
                (self, change)
            });
            let (watch, change) = match looked.await {
                Ok(looked) => looked,
                Err(error) => {
                    tracing::error!("the watch of the scripts has ended: {error}");
                    return std::future::pending().await;
                }
            };
            self = watch;
            if let Some(change) = &change {
                tell(change);
            }
        }
    }
}

/// Says what came of a change, for the terminal.
pub(crate) fn told(change: &Change) -> String {
    match change {
        Change::Activated(changes) if changes.is_empty() => {
            "脚本已恢复为正在使用的版本 / the scripts are again the version in use".to_owned()
        }
        Change::Activated(changes) => {
            let lines: Vec<String> = changes.iter().map(line).collect();
            format!(
                "脚本已更新,仅用于新办件 / scripts changed, for new cases only:\n{}",
                lines.join("\n")
            )
        }
        Change::Refused(error) => format!(
            "{error}\n脚本未更新,继续使用原版本 / scripts not changed; the version before stays in use"
        ),
    }
}

fn line(change: &ServiceChange) -> String {
    let version = |digest: Option<tongban_core::digest::Digest>| {
        digest.map_or_else(|| "-".to_owned(), |digest| digest.hex()[..VERSION_SHOWN].to_owned())
    };
    format!("  {}: {} → {}", change.service, version(change.from), version(change.to))
}

/// Reads times and sizes. What cannot be read is left out: the reload then says what is wrong.
fn stamp_of(folder: &Path) -> Stamp {
    let mut stamp = Stamp::new();
    for part in ["services", "matters", "lib"] {
        add(&folder.join(part), &mut stamp);
    }
    stamp
}

fn add(folder: &Path, stamp: &mut Stamp) {
    let Ok(listing) = folder.read_dir() else { return };
    for path in listing.flatten().map(|item| item.path()) {
        if path.is_dir() {
            add(&path, stamp);
        } else if path.extension().is_some_and(|extension| extension == "rhai")
            && let Ok(facts) = path.metadata()
        {
            stamp.insert(path, (facts.modified().ok(), facts.len()));
        }
    }
}

#[cfg(test)]
mod tests;
