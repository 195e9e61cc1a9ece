//! Recorded cases of every release: what was written once is read, folded and replayed for ever.
//!
//! `tests/corpus/<release>/<script>-<n>.bundle` is the n-th rehearsal of a shipped script as that
//! release played it, with the scripts that it is pinned to; the `.history` beside it says in
//! plain text where each script stood after every entry. A script, a host function or the fold
//! that goes another way is named with case and entry.
//!
//! `UPDATE_CORPUS=1` writes the files of the current release anew. Those of earlier releases are
//! what they were: whoever has to change one has broken running cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tongban_core::calendar::Calendar;
use tongban_core::case::Case;
use tongban_core::command::{Answer, Command};
use tongban_core::definition::Closure;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry};
use tongban_core::id::{MatterCode, Seq};
use tongban_core::limits::RUN_STACK_BYTES;
use tongban_core::port::Script as _;
use tongban_core::rehearsal::{Conduct, Scene, SceneError};
use tongban_core::request::Ask;
use tongban_core::start::StartCase;
use tongban_core::time::Moment;
use tongban_core::value::Value;
use tongban_engine::sim::{CaseScene, KEY};
use tongban_engine::standing::Standing;
use tongban_engine::travel::{CaseAt, ScriptStanding, Travel, case_at};
use tongban_engine::upkeep::{Bundle, CarriedCase, write};
use tongban_scripts::rehearsal::{Histories, Rehearsals};
use tongban_scripts::{Catalogue, Host};

/// Says that the files of the current release are to be written.
const UPDATE: &str = "UPDATE_CORPUS";
const BUNDLE: &str = "bundle";
const HISTORY: &str = "history";
/// Bytes of all files together: they are carried by everyone who has the sources.
const BYTES_MAX: u64 = 2 * 1024 * 1024;
/// When a rehearsal begins that does not say when.
const BEGIN: &str = "2026-03-02T09:00:00+08:00";

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn release() -> PathBuf {
    corpus().join(env!("CARGO_PKG_VERSION"))
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts")
}

/// Does something on a thread that holds a rehearsal and the runs that it plays.
fn on_stage<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let stage = std::thread::Builder::new().stack_size(2 * RUN_STACK_BYTES);
    stage.spawn(work).unwrap().join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn files_of(release: &Path, kind: &str) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(release) else { return Vec::new() };
    let files = files.map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|own| own == kind)).collect();
    files.sort();
    files
}

/// Returns the bundles of every release.
fn bundles() -> Vec<PathBuf> {
    let releases = fs::read_dir(corpus()).unwrap().map(|release| release.unwrap().path());
    releases.flat_map(|release| files_of(&release, BUNDLE)).collect()
}

/// A recorded case with the scripts that it is pinned to.
#[derive(Clone)]
struct Recorded {
    closures: Vec<(Digest, Vec<u8>)>,
    case: CarriedCase,
}

impl Recorded {
    fn read(path: &Path) -> Self {
        let bundle =
            Bundle::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut cases = bundle.cases().unwrap();
        let case = cases.next().unwrap().unwrap();
        assert!(cases.next().is_none(), "{}: one case in each", path.display());
        Self { closures: bundle.closures().to_vec(), case }
    }

    /// Builds a host that has nothing but what the bundle brings.
    fn host(&self) -> Host {
        let host = Host::shipped().unwrap();
        for (digest, sources) in &self.closures {
            host.adopt(digest, sources).unwrap();
        }
        host
    }

    /// Visits every entry, and returns what was seen, or the first entry after which a script
    /// goes another way.
    fn history(&self) -> Result<String, String> {
        let (host, standing, secret) = (self.host(), Standing::default(), self.case.secret());
        let travel = Travel { script: &host, standing: &standing, secret: &secret };
        let mut history = History::default();
        for entry in &self.case.entries {
            let Seq(no) = entry.seq;
            let at = case_at(travel, self.case.case, &self.case.entries, Some(entry.seq));
            let at = at.map_err(|error| format!("entry {no}: {error}"))?;
            history.visit(&at)?;
        }
        Ok(history.text)
    }
}

/// What is seen on the way through a log: only what no later release may see otherwise.
#[derive(Default)]
struct History {
    text: String,
    /// How each matter stood after the entry before.
    before: BTreeMap<MatterCode, String>,
}

impl History {
    fn visit(&mut self, at: &CaseAt) -> Result<(), String> {
        let Seq(no) = at.entry.seq;
        let kind = at.told.kind;
        writeln!(self.text, "{no:>4} {} {kind}", at.entry.recorded_at).unwrap();
        for matter in &at.matters {
            let mut stands = matter.stage.0.to_owned();
            if let Some(script) = &matter.script {
                if script.standing == ScriptStanding::Failed {
                    let fault = script.fault.as_ref().unwrap();
                    return Err(format!(
                        "entry {no} ({kind}), {} at {}:{}: {}\n  journal: {}\n  script:  {}",
                        matter.code,
                        fault.file,
                        fault.line,
                        fault.message,
                        fault.expected,
                        fault.got
                    ));
                }
                write!(stands, ", {}", script.standing.code()).unwrap();
                if let Some(frame) = script.frames.first() {
                    write!(stands, " at {}:{}", frame.file, frame.line).unwrap();
                }
                for awaited in &script.waits {
                    write!(stands, ", awaits {} {}", awaited.key, awaited.target).unwrap();
                }
            }
            let before = self.before.insert(matter.code.clone(), stands.clone());
            if before.as_ref() != Some(&stands) {
                writeln!(self.text, "       {}: {stands}", matter.code).unwrap();
            }
        }
        if at.entry.seq == at.last {
            writeln!(self.text, "     case: {}", at.state.code()).unwrap();
        }
        Ok(())
    }
}

/// A case that was played, with its log.
type Played = (Arc<Case>, Vec<Entry>);

/// A scene of which the log is kept when its rehearsal ends.
struct Recorder {
    scene: CaseScene,
    kept: Arc<Mutex<Option<Played>>>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let kept = self.scene.case().map(|case| (Arc::clone(case), self.scene.entries().to_vec()));
        *self.kept.lock().unwrap() = kept;
    }
}

impl Scene for Recorder {
    fn now(&self) -> Moment {
        self.scene.now()
    }

    fn calendar(&self) -> &Calendar {
        self.scene.calendar()
    }

    fn advance(&mut self, until: Moment) -> Result<(), SceneError> {
        self.scene.advance(until)
    }

    fn start(&mut self, closure: Arc<Closure>, input: StartCase) -> Result<(), SceneError> {
        self.scene.start(closure, input)
    }

    fn give(&mut self, command: Command) -> Result<Answer, SceneError> {
        self.scene.give(command)
    }

    fn instruct(&mut self, operation: &str, conducts: Vec<Conduct>) -> Result<(), SceneError> {
        self.scene.instruct(operation, conducts)
    }

    fn case(&self) -> Option<&Arc<Case>> {
        self.scene.case()
    }

    fn entries(&self) -> &[Entry] {
        self.scene.entries()
    }
}

/// Plays every rehearsal of the shipped scripts, each under the name of its files.
fn rehearsed() -> Vec<(String, Recorded)> {
    let rehearsals = Rehearsals::open(&scripts(), &Catalogue::shipped()).unwrap();
    let host = rehearsals.host();
    let begin = Moment::parse(BEGIN).unwrap();
    let mut played: BTreeMap<&str, usize> = BTreeMap::new();
    let mut recorded = Vec::new();
    for play in rehearsals.plays() {
        let kept = Arc::default();
        let scene = CaseScene::new(rehearsals.host(), Arc::new(Calendar::national()), begin);
        let scene = Recorder { scene, kept: Arc::clone(&kept) };
        let played_out = rehearsals.play(play, Box::new(scene), Histories::Compare);
        assert!(played_out.failure.is_none(), "{}: {:?}", play.name, played_out.failure);
        let Some((case, entries)) = kept.lock().unwrap().take() else { continue };
        let closures = BTreeSet::from([case.started.closure, case.closure()]).into_iter();
        let closures = closures.map(|digest| (digest, host.sources(&digest).unwrap())).collect();
        let secret = Secret::new(KEY).keyed(b"case", &case.id.0);
        let no = played.entry(&play.file).and_modify(|no| *no += 1).or_insert(1);
        let script = Path::new(&play.file).file_name().unwrap().to_str().unwrap();
        let name = format!("{}-{no}", script.trim_end_matches(".rehearsal.rhai"));
        recorded
            .push((name, Recorded { closures, case: CarriedCase::new(case.id, entries, secret) }));
    }
    recorded
}

/// Writes the files of the current release anew, when that is asked for.
fn update() {
    if std::env::var_os(UPDATE).is_none() {
        return;
    }
    for kind in [BUNDLE, HISTORY] {
        for file in files_of(&release(), kind) {
            fs::remove_file(file).unwrap();
        }
    }
    fs::create_dir_all(release()).unwrap();
    for (name, recorded) in rehearsed() {
        let path = release().join(name);
        let (bundle, history) = (path.with_extension(BUNDLE), path.with_extension(HISTORY));
        fs::write(&history, recorded.history().unwrap()).unwrap();
        write(recorded.closures, vec![recorded.case], &bundle).unwrap();
        // Whoever may read the sources may read what was rehearsed with them.
        fs::set_permissions(&bundle, fs::metadata(&history).unwrap().permissions()).unwrap();
    }
}

#[test]
fn every_recorded_case_of_every_release_goes_the_way_that_it_went() {
    on_stage(|| {
        update();
        let own = files_of(&release(), BUNDLE).len();
        assert!(own > 0, "{UPDATE}=1 records the cases of a new release");
        let mut bytes = 0;
        for path in bundles() {
            let history = Recorded::read(&path).history();
            let history = history.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let kept = path.with_extension(HISTORY);
            let known = fs::read_to_string(&kept).unwrap_or_default();
            let differs = history.lines().zip(known.lines()).find(|(one, other)| one != other);
            assert!(
                history == known,
                "{}: the case was seen otherwise; now and then: {differs:?}",
                kept.display()
            );
            bytes += fs::metadata(&path).unwrap().len() + known.len() as u64;
        }
        assert!(bytes < BYTES_MAX, "{bytes} bytes; record less");
    });
}

/// A recorded case that calls an agency with what another one answered.
fn example() -> Recorded {
    Recorded::read(&release().join("land-use-planning-permit-1.bundle"))
}

/// Returns where the last call lies in the log.
fn last_call(recorded: &Recorded) -> usize {
    let is_call = |entry: &Entry| {
        let Body::Requested(requested) = &entry.body else { return false };
        matches!(requested.ask, Ask::Call { .. })
    };
    recorded.case.entries.iter().rposition(is_call).unwrap()
}

#[test]
fn a_journal_that_was_tampered_with_is_told_by_its_entry() {
    on_stage(|| {
        let mut recorded = example();
        assert!(recorded.history().is_ok());
        let at = last_call(&recorded);
        let entry = &mut recorded.case.entries[at];
        let no = entry.seq;
        let Body::Requested(requested) = &entry.body else { unreachable!() };
        let mut requested = requested.as_ref().clone();
        let Ask::Call { input, .. } = &mut requested.ask else { unreachable!() };
        *input = Value::of([("parcel", Value::from("another"))]);
        entry.body = Body::Requested(Arc::new(requested));
        let told = recorded.history().unwrap_err();
        assert!(told.starts_with(&format!("entry {no} ")), "{told}");
        assert!(told.contains("land-use-planning-permit.rhai:"), "{told}");
    });
}

/// As if a host function, or a script under the same pin, gave another answer than it did.
#[test]
fn a_script_that_asks_for_something_else_than_it_did_is_told_by_its_entry() {
    on_stage(|| {
        let mut recorded = example();
        let operation = "natural-resources.parcel";
        let asked = recorded.case.entries.iter().find(|entry| {
            matches!(&entry.body, Body::Requested(requested) if requested.ask.target() == operation)
        });
        let no = asked.unwrap().seq;
        let (_, sources) = &mut recorded.closures[0];
        let changed = with_other_word(sources, operation, "natural-resources.barrel");
        let digest = Digest::of(&changed);
        recorded.closures = vec![(digest, changed)];
        let Body::CaseStarted(started) = &recorded.case.entries[0].body else { unreachable!() };
        let mut started = started.as_ref().clone();
        started.closure = digest;
        recorded.case.entries[0].body = Body::CaseStarted(Arc::new(started));
        let told = recorded.history().unwrap_err();
        assert!(told.starts_with(&format!("entry {no} ")), "{told}");
        assert!(told.contains(operation) && told.contains("barrel"), "{told}");
    });
}

/// Replaces a word by another one of the same length.
fn with_other_word(bytes: &[u8], word: &str, other: &str) -> Vec<u8> {
    assert_eq!(word.len(), other.len());
    let mut changed = bytes.to_vec();
    let mut at = 0;
    while let Some(found) =
        changed[at..].windows(word.len()).position(|part| part == word.as_bytes())
    {
        at += found + word.len();
        changed[at - word.len()..at].copy_from_slice(other.as_bytes());
    }
    assert!(at > 0, "the scripts do not say {word}");
    changed
}
