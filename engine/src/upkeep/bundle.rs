//! Carrying cases from one store to another: one file that says what it is.
//!
//! ```text
//! head · closures · for each case: its log, secret and mutations, then its files in parts · end
//! ```
//!
//! Digests in a log and the ids of calls are keyed by the case's secret, which follows from its
//! store; so the secret travels with the case, and the target keeps it. The end names what came
//! before it, so that a file that was cut short is noticed. A bundle is as secret as a store.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tongban_core::case::Case;
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{Body, Entry};
use tongban_core::files::{Named, named};
use tongban_core::id::{CaseId, Seq};
use tongban_core::limits::PAGE_MAX;
use tongban_core::port::{Commit, Foreign, IdempotencyRecord, KeptClosure, Stored, Upkeep};
use tongban_core::wire;

use super::check::Progress;
use super::error::{CarryError, READ, WRITE};
use super::restore::{Owed, Target, read_model_of};
use crate::blob::Blobs;
use crate::folder;

/// The first line of every bundle.
const HEAD: &[u8] = b"tongban-bundle 1\n";
/// What every version of the line begins with.
const KIND: &[u8] = b"tongban-bundle ";
/// Bytes of one part of a file.
const PART_BYTES: usize = 1024 * 1024;
/// No record is larger; a length beyond it is damage.
const RECORD_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// Mutations of one step of the walk.
const STEP: usize = 1_000;

/// Which cases are carried.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Which {
    /// Every case of the store.
    All,
    /// These.
    Cases(Vec<CaseId>),
}

/// What a bundle holds, or what came of importing it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Carried {
    /// Cases.
    pub cases: u64,
    /// Entries of their logs.
    pub entries: u64,
    /// Files.
    pub files: u64,
    /// Cases that the target had already, with the same history.
    pub known: u64,
}

/// A case as a bundle carries it, without its files.
#[derive(Clone)]
pub struct CarriedCase {
    /// The case.
    pub case: CaseId,
    /// Its log.
    pub entries: Vec<Entry>,
    secret: Digest,
}

impl CarriedCase {
    /// Puts a case together. By `secret` the digests of its journal and the ids of its calls are
    /// keyed.
    pub fn new(case: CaseId, entries: Vec<Entry>, secret: Digest) -> Self {
        Self { case, entries, secret }
    }

    /// Returns the case's own secret.
    pub fn secret(&self) -> Secret {
        Secret::new(self.secret.0)
    }

    /// Returns the public number of the case.
    pub fn number(&self) -> Option<&str> {
        let Body::CaseStarted(started) = &self.entries.first()?.body else { return None };
        Some(&started.number)
    }
}

impl fmt::Debug for CarriedCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CarriedCase").field("case", &self.case).finish_non_exhaustive()
    }
}

/// A bundle that is whole, to be looked at where no store is.
#[derive(Clone, Debug)]
pub struct Bundle {
    path: PathBuf,
    closures: Vec<KeptClosure>,
}

impl Bundle {
    /// Reads a bundle from end to end and makes sure that it is whole.
    ///
    /// # Errors
    /// [`CarryError::NotOurs`] for another file, [`CarryError::Damaged`] for one that is not what
    /// was written.
    pub fn open(path: &Path) -> Result<Self, CarryError> {
        let (closures, _) = verify(path)?;
        Ok(Self { path: path.to_owned(), closures })
    }

    /// Returns the scripts that its cases are pinned to.
    pub fn closures(&self) -> &[KeptClosure] {
        &self.closures
    }

    /// Reads its cases, one after the other.
    ///
    /// # Errors
    /// [`CarryError`] when it cannot be read any more.
    pub fn cases(
        &self,
    ) -> Result<impl Iterator<Item = Result<CarriedCase, CarryError>> + use<>, CarryError> {
        let path = self.path.clone();
        let records = records(&path)?;
        Ok(records.filter_map(move |record| match record {
            Ok(Record::Case(travelling)) => {
                let Travelling { case, entries, secret, mutations: _ } = *travelling;
                Some(Ok(CarriedCase { case, entries, secret }))
            }
            Ok(Record::Closure(_) | Record::File(..) | Record::End(_)) => None,
            Err(error) => Some(Err(CarryError::at(READ, &path)(error))),
        }))
    }
}

/// One record of a bundle.
#[derive(Debug, Serialize, Deserialize)]
enum Record {
    Closure(KeptClosure),
    Case(Box<Travelling>),
    /// A part of a file of the newest case; an empty one ends it.
    File(Digest, Vec<u8>),
    End(Carried),
}

/// A case on its way.
#[derive(Debug, Serialize, Deserialize)]
struct Travelling {
    case: CaseId,
    entries: Vec<Entry>,
    /// The case's own secret.
    secret: Digest,
    /// What its mutations left; they answer in a store with the same key only.
    mutations: Vec<IdempotencyRecord>,
}

/// Writes cases into one file, which must not exist: all of them with every closure of the store,
/// some with those that they are or were pinned to.
///
/// # Errors
/// [`CarryError`]; the file is removed then.
pub async fn export(
    (store, blobs): (&dyn Upkeep, Option<&Blobs>),
    which: &Which,
    to: &Path,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Carried, CarryError> {
    let foreign = store.foreign().await?.into_iter();
    let foreign = foreign.map(|foreign| (foreign.case, foreign.secret)).collect();
    let mut writing = Writing { store, blobs, foreign, output: Output::create(to)? };
    let written = writing.all(which, progress).await;
    if written.is_err() {
        writing.output.remove();
    }
    written
}

/// Writes cases that come from no store, such as rehearsed ones, into one file, which must not
/// exist. They bring neither files nor mutations.
///
/// # Errors
/// [`CarryError`]; the file is removed then.
pub fn write(
    closures: Vec<KeptClosure>,
    cases: Vec<CarriedCase>,
    to: &Path,
) -> Result<Carried, CarryError> {
    let mut output = Output::create(to)?;
    let written = output.put_all(closures, cases);
    if written.is_err() {
        output.remove();
    }
    written
}

struct Writing<'a> {
    store: &'a dyn Upkeep,
    blobs: Option<&'a Blobs>,
    /// Secrets of cases that came from elsewhere themselves.
    foreign: BTreeMap<CaseId, Digest>,
    output: Output,
}

/// The file that is written, and what is in it by now.
struct Output {
    path: PathBuf,
    file: BufWriter<File>,
    carried: Carried,
}

impl Output {
    fn create(to: &Path) -> Result<Self, CarryError> {
        if to.exists() {
            return Err(CarryError::Exists(to.display().to_string()));
        }
        let file = folder::create_private(to).map_err(CarryError::at(WRITE, to))?;
        let mut file = BufWriter::new(file);
        file.write_all(HEAD).map_err(CarryError::at(WRITE, to))?;
        Ok(Self { path: to.to_owned(), file, carried: Carried::default() })
    }

    fn put_all(
        &mut self,
        closures: Vec<KeptClosure>,
        cases: Vec<CarriedCase>,
    ) -> Result<Carried, CarryError> {
        for closure in closures {
            self.put(&Record::Closure(closure))?;
        }
        for CarriedCase { case, entries, secret } in cases {
            self.case(Travelling { case, entries, secret, mutations: Vec::new() })?;
        }
        self.end()
    }

    fn case(&mut self, travelling: Travelling) -> Result<(), CarryError> {
        self.carried.cases += 1;
        self.carried.entries += travelling.entries.len() as u64;
        self.put(&Record::Case(Box::new(travelling)))
    }

    fn put(&mut self, record: &Record) -> Result<(), CarryError> {
        let bytes = wire::encode(record);
        let too_large = |_| io::Error::new(io::ErrorKind::InvalidInput, "a record is too large");
        let len = u32::try_from(bytes.len()).map_err(too_large);
        let written = len.and_then(|len| {
            self.file.write_all(&len.to_be_bytes())?;
            self.file.write_all(&bytes)
        });
        written.map_err(CarryError::at(WRITE, &self.path))
    }

    /// Ends the file; it is on the device when this returns.
    fn end(&mut self) -> Result<Carried, CarryError> {
        self.put(&Record::End(self.carried))?;
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(CarryError::at(WRITE, &self.path))?;
        Ok(self.carried)
    }

    fn remove(&self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!(%error, "an unfinished bundle stays");
        }
    }
}

impl Writing<'_> {
    async fn all(
        &mut self,
        which: &Which,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Carried, CarryError> {
        let mut closures = self.store.closures().await?;
        if let Which::Cases(cases) = which {
            let pinned = self.pinned(cases).await?;
            closures.retain(|(digest, _)| pinned.contains(digest));
        }
        for closure in closures {
            self.output.put(&Record::Closure(closure))?;
        }
        match which {
            Which::Cases(cases) => {
                for case in cases {
                    let stored = self.load(*case).await?;
                    self.case(stored).await?;
                }
            }
            Which::All => self.walk(progress).await?,
        }
        self.output.end()
    }

    async fn load(&self, case: CaseId) -> Result<Stored, CarryError> {
        self.store.load(case).await?.ok_or(CarryError::NoSuchCase(case))
    }

    /// Returns the closures that cases are or were pinned to.
    async fn pinned(&self, cases: &[CaseId]) -> Result<BTreeSet<Digest>, CarryError> {
        let mut pinned = BTreeSet::new();
        for case in cases {
            let stored = self.load(*case).await?;
            for entry in &stored.entries {
                if let Body::CaseStarted(started) = &entry.body {
                    pinned.insert(started.closure);
                } else if let Body::CaseRebound(rebound) = &entry.body {
                    pinned.insert(rebound.closure);
                }
            }
        }
        Ok(pinned)
    }

    async fn walk(
        &mut self,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<(), CarryError> {
        let mut after = None;
        loop {
            let page = self.store.cases(after, PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(*last);
            for case in page {
                if let Some(stored) = self.store.load(case).await? {
                    self.case(stored).await?;
                }
            }
            progress(Progress { cases: self.output.carried.cases, differences: 0 });
        }
    }

    async fn case(&mut self, stored: Stored) -> Result<(), CarryError> {
        let Stored { case, entries, .. } = stored;
        let files = named(&entries);
        let derived = || self.store.identity().secret.keyed(b"case", &case.0);
        let secret = self.foreign.get(&case).copied().unwrap_or_else(derived);
        let mutations = self.mutations(case).await?;
        self.output.case(Travelling { case, entries, secret, mutations })?;
        let Some(blobs) = self.blobs else { return Ok(()) };
        for (digest, sure) in files {
            self.file(blobs, (case, digest), sure).await?;
        }
        Ok(())
    }

    async fn mutations(&self, case: CaseId) -> Result<Vec<IdempotencyRecord>, CarryError> {
        let mut own = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.mutations(after, STEP).await?;
            let Some((_, last)) = page.last() else { return Ok(own) };
            after = Some(last.key);
            let records = page.into_iter().map(|(_, record)| record);
            own.extend(records.filter(|record| record.result.case() == Some(case)));
        }
    }

    async fn file(
        &mut self,
        blobs: &Blobs,
        (case, digest): (CaseId, Digest),
        sure: Named,
    ) -> Result<(), CarryError> {
        let Some(mut reader) = blobs.get(case, digest).await? else {
            return match sure {
                Named::ByDigest => Ok(()),
                Named::Kept => Err(CarryError::Damaged {
                    path: case.to_string(),
                    what: format!("file {digest} is missing"),
                }),
            };
        };
        let mut part = Vec::new();
        while let Some(chunk) = reader.stream.next().await {
            part.extend_from_slice(&chunk?);
            if part.len() >= PART_BYTES {
                self.output.put(&Record::File(digest, std::mem::take(&mut part)))?;
            }
        }
        if !part.is_empty() {
            self.output.put(&Record::File(digest, part))?;
        }
        self.output.carried.files += 1;
        self.output.put(&Record::File(digest, Vec::new()))
    }
}

/// Puts the cases of a bundle into another store. A case that the store has already with the same
/// history is passed by, so that an import which was cut short is simply begun again.
///
/// # Errors
/// [`CarryError::OtherHistory`] for a case that the store has otherwise, and all else that stops
/// it; the cases before it are in the store then.
pub async fn import(
    from: &Path,
    target: Target<'_>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Carried, CarryError> {
    verify(from)?;
    let mut importing = Importing { from, target, carried: Carried::default(), waiting: None };
    for record in records(from)? {
        match record.map_err(CarryError::at(READ, from))? {
            Record::Closure((digest, sources)) => {
                target.store.keep_closure(digest, sources).await?;
            }
            Record::Case(travelling) => {
                importing.settle().await?;
                importing.begin(*travelling).await?;
                progress(Progress { cases: importing.carried.cases, differences: 0 });
            }
            Record::File(digest, part) => importing.file(digest, part).await?,
            Record::End(_) => importing.settle().await?,
        }
    }
    Ok(importing.carried)
}

struct Importing<'a> {
    from: &'a Path,
    target: Target<'a>,
    carried: Carried,
    /// The newest case, which waits for its files, and the file under way.
    waiting: Option<(Travelling, Vec<u8>)>,
}

impl Importing<'_> {
    async fn begin(&mut self, travelling: Travelling) -> Result<(), CarryError> {
        let case = travelling.case;
        match self.target.store.load(case).await? {
            None => self.waiting = Some((travelling, Vec::new())),
            Some(known) if known.entries == travelling.entries => self.carried.known += 1,
            Some(_) => return Err(CarryError::OtherHistory(case)),
        }
        Ok(())
    }

    async fn file(&mut self, digest: Digest, part: Vec<u8>) -> Result<(), CarryError> {
        // The files of a case that is known already are there already.
        let Some((travelling, bytes)) = &mut self.waiting else { return Ok(()) };
        if !part.is_empty() {
            bytes.extend(part);
            return Ok(());
        }
        let bytes = std::mem::take(bytes);
        if Digest::of(&bytes) != digest {
            let what = format!("file {digest} has other bytes");
            return Err(CarryError::Damaged { path: self.from.display().to_string(), what });
        }
        self.target.blobs.put_page(travelling.case, bytes).await?;
        self.carried.files += 1;
        Ok(())
    }

    /// Commits the case whose files have come: one commit for the whole of its log.
    async fn settle(&mut self) -> Result<(), CarryError> {
        let Some((travelling, _)) = self.waiting.take() else { return Ok(()) };
        let Travelling { case: id, entries, secret, mutations } = travelling;
        let case = Case::from_entries(id, &entries)?;
        let (summary, rows) = read_model_of(&case, Owed::Perhaps, self.target);
        let store = self.target.store;
        self.carried.cases += 1;
        self.carried.entries += entries.len() as u64;
        // The secret first: without it nobody could go on with the case.
        store.keep_foreign(Foreign { case: id, secret, head: case.head }).await?;
        let mut fresh = Vec::new();
        for record in mutations {
            if store.remembered(record.key).await?.is_none() {
                fresh.push(record);
            }
        }
        let commit = Commit {
            case: id,
            expected: Seq(0),
            epoch: store.identity().epoch,
            at: case.updated_at,
            entries,
            summary,
            rows_gone: Vec::new(),
            rows_new: rows,
            idempotency: fresh,
        };
        store.append(commit).await?;
        Ok(())
    }
}

/// Reads a bundle from end to end and makes sure that it is whole.
fn verify(from: &Path) -> Result<(Vec<KeptClosure>, Carried), CarryError> {
    let damaged = |what: &str| CarryError::Damaged {
        path: from.display().to_string(),
        what: what.to_owned(),
    };
    let mut found = Carried::default();
    let mut seen = BTreeSet::new();
    let mut end = None;
    let mut closures = Vec::new();
    for record in records(from)? {
        if end.is_some() {
            return Err(damaged("something follows its end"));
        }
        match record.map_err(CarryError::at(READ, from))? {
            Record::Closure(closure) => closures.push(closure),
            Record::Case(travelling) => {
                Case::from_entries(travelling.case, &travelling.entries)?;
                if !seen.insert(travelling.case) {
                    return Err(damaged("a case is in it twice"));
                }
                found.cases += 1;
                found.entries += travelling.entries.len() as u64;
            }
            Record::File(_, part) => found.files += u64::from(part.is_empty()),
            Record::End(told) => end = Some(told),
        }
    }
    match end {
        Some(told) if told == found => Ok((closures, found)),
        Some(_) => Err(damaged("it holds other than it counts")),
        None => Err(damaged("it was cut short")),
    }
}

fn records(from: &Path) -> Result<Records, CarryError> {
    let file = File::open(from).map_err(CarryError::at(READ, from))?;
    let mut input = BufReader::new(file);
    let mut head = [0; HEAD.len()];
    let not_ours = |_| CarryError::NotOurs(from.display().to_string());
    input.read_exact(&mut head).map_err(not_ours)?;
    if head == HEAD {
        return Ok(Records { input });
    }
    let path = from.display().to_string();
    match head.strip_prefix(KIND).and_then(|version| version.first()) {
        Some(digit @ b'2'..=b'9') => {
            Err(CarryError::Newer { path, found: u32::from(digit - b'0') })
        }
        Some(_) | None => Err(CarryError::NotOurs(path)),
    }
}

struct Records {
    input: BufReader<File>,
}

impl Records {
    fn next_record(&mut self) -> io::Result<Option<Record>> {
        let mut len = [0; 4];
        match self.input.read(&mut len)? {
            0 => return Ok(None),
            some => self.input.read_exact(&mut len[some..])?,
        }
        let damaged = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
        let len = usize::try_from(u32::from_be_bytes(len)).unwrap_or(usize::MAX);
        if len > RECORD_BYTES_MAX {
            return Err(damaged("a record has an impossible length".to_owned()));
        }
        let mut bytes = vec![0; len];
        self.input.read_exact(&mut bytes)?;
        wire::decode(&bytes).map(Some).map_err(|error| damaged(error.to_string()))
    }
}

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_record().transpose()
    }
}
