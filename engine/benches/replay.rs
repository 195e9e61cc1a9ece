//! Journal entries per second that one core replays, and what a folded case takes in memory.
//!
//! `cargo bench -p tongban-engine --bench replay`. The matter asks its calls one after the other,
//! so every replay compares each request with its fingerprint and `seen`. *replay* is the cursor
//! alone, as each turn of a case at work pays it; *load* folds the log first, as a case does that
//! comes back from the store. Each figure is the median of the rounds, with the slowest and the
//! fastest beside it and the ratio to the bar, 500,000 entries a second. The disk's sync latency in the
//! same run stands at the end: replay never waits for it, so it says only what machine it was.
#![expect(clippy::print_stdout, reason = "printing is what a bench is for")]

mod measure;

use std::sync::Arc;
use std::time::Duration;

use tongban_core::agency::{AgencyReply, DocumentRef, ReplyBody};
use tongban_core::calendar::Calendar;
use tongban_core::case::Case;
use tongban_core::definition::{DecidesIn, Intake, Limits, Regime};
use tongban_core::digest::{Digest, Secret};
use tongban_core::entry::{
    Arrival, Body, CallMade, CaseStarted, Entry, MatterFiled, Origin, Party, PlannedMatter,
    Requested,
};
use tongban_core::id::{
    CallId, CaseId, DepartmentCode, MatterCode, MatterNo, RegionCode, Seq, ServiceCode,
};
use tongban_core::law::{Act, ActAnswer, ActKind, Rules};
use tongban_core::port::{RunEnd, RunOutput};
use tongban_core::replay::{Replay, Stop};
use tongban_core::request::Ask;
use tongban_core::time::Moment;
use tongban_core::value::Value;

use measure::{Disk, Spread, now};

/// Requests of the matter, one after the other.
const REQUESTS: u32 = 500;
const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(200);
/// Entries a second on one core that are asked for.
const BAR: f64 = 500_000.0;
/// Cases that are folded and held, for their memory.
const HELD: usize = 2_000;
/// Requests of each of them.
const HELD_REQUESTS: u32 = 10;

fn main() {
    // Under `cargo test --benches` a bench only has to prove that it runs.
    let tested = !std::env::args().any(|argument| argument == "--bench");
    let (requests, rounds, held) = if tested { (20, 1, 10) } else { (REQUESTS, ROUNDS, HELD) };
    let folder = tempfile::tempdir().expect("there is room for a file");
    let mut disk = Disk::under(folder.path()).expect("the disk works");
    let log = written(requests);
    let case = Arc::new(folded(&log));
    println!("a matter of {requests} calls in a row, {} entries", log.len());
    let calendar = Arc::new(Calendar::national());
    print(rounds, "replay", log.len(), || {
        let output = evaluate(Arc::clone(&case), &calendar, requests);
        assert!(output.asked.is_empty() && output.end == RunEnd::Finished);
    });
    print(rounds, "load", log.len(), || {
        let output = evaluate(Arc::new(folded(&log)), &calendar, requests);
        assert!(output.asked.is_empty() && output.end == RunEnd::Finished);
    });
    let log = written(HELD_REQUESTS);
    let before = resident_kib();
    let cases: Vec<Case> = (0..held).map(|_| folded(&log)).collect();
    let grown = resident_kib().saturating_sub(before) * 1024 / cases.len() as u64;
    println!("a folded case of {} entries in memory: {grown} bytes", log.len());
    disk.probe().expect("the disk works");
    println!("{disk}");
}

/// Times `work` over the rounds and prints entries per second.
fn print(rounds: usize, what: &str, entries: usize, mut work: impl FnMut()) {
    let entries = f64::from(u32::try_from(entries).expect("a log is short"));
    let rates = (0..rounds).map(|_| {
        let begun = now();
        let mut times = 0;
        while begun.elapsed() < ROUND {
            work();
            times += 1;
        }
        f64::from(times) * entries / begun.elapsed().as_secs_f64()
    });
    let rates = Spread::of(rates.collect());
    let ratio = rates.median() / BAR;
    println!("{what:<7} {rates} entries/s/core   bar {BAR:.0}, ratio {ratio:.2}");
}

/// The script: every call waits for the one before it.
fn evaluate(case: Arc<Case>, calendar: &Arc<Calendar>, requests: u32) -> RunOutput {
    let mut replay = Replay::new(case, MatterNo(1), Secret::new([1; 32]), Arc::clone(calendar));
    let said = match asks(&mut replay, requests) {
        Ok(()) => RunEnd::Finished,
        Err(Stop) => RunEnd::Suspended,
    };
    replay.conclude(said)
}

fn asks(replay: &mut Replay, requests: u32) -> Result<(), Stop> {
    for no in 0..requests {
        let input = Value::of([
            ("no", Value::Int(i64::from(no))),
            ("parcel", "420302-2026-001".into()),
            ("applicant", "91420302MA4DEM010M".into()),
        ]);
        let operation = "natural-resources.parcel".to_owned();
        let handle = replay.request(Ask::Call { operation, place: None, input })?;
        replay.wait(handle)?;
    }
    Ok(())
}

fn folded(log: &[Entry]) -> Case {
    let id = CaseId::new(Moment::from_millis(1_772_413_200_000), [7; 10]);
    Case::from_entries(id, log).expect("it was written by the same rules")
}

/// Writes the log of a matter that has asked everything and got every answer.
fn written(requests: u32) -> Vec<Entry> {
    let mut log = Log { entries: Vec::new(), clock: Moment::from_millis(1_772_413_200_000) };
    log.begin();
    let calendar = Arc::new(Calendar::national());
    loop {
        let mut output = evaluate(Arc::new(folded(&log.entries)), &calendar, requests);
        let Some(made) = output.asked.pop() else {
            return log.entries;
        };
        let mut id = [0; 16];
        id[12..].copy_from_slice(&made.key.ordinal.to_be_bytes());
        let call = CallMade {
            id: CallId(id),
            generation: 0,
            connector: "agency".to_owned(),
            region: RegionCode::new("420302"),
            issued_at: log.clock,
            deadline: log.clock,
            reply_within: None,
            body: None,
        };
        log.push(Body::Requested(Arc::new(Requested {
            key: made.key,
            seen: made.seen,
            digest: made.digest,
            ask: made.ask,
            call: Some(call),
            adopts: made.adopts,
        })));
        let digest = Digest::of(&id);
        let number = format!("P-{}", log.entries.len());
        let document = DocumentRef { role: "permit".to_owned(), number, digest };
        let output = Value::of([("area", Value::Int(26_840)), ("use", "居住".into())]);
        let body = ReplyBody::Completed { output, documents: vec![document] };
        let at = log.clock;
        log.push(Body::CallReplied(Arc::new(AgencyReply {
            call: CallId(id),
            seq: 1,
            digest,
            at,
            body,
        })));
    }
}

struct Log {
    entries: Vec<Entry>,
    clock: Moment,
}

impl Log {
    fn push(&mut self, body: Body) {
        self.push_for(MatterNo(1), body);
    }

    fn push_for(&mut self, matter: MatterNo, body: Body) {
        self.clock = self.clock.plus_millis(1_000);
        let seq = Seq(u32::try_from(self.entries.len()).expect("a log is short") + 1);
        let (recorded_at, effective_at) = (self.clock, self.clock);
        let origin = Origin::Engine;
        self.entries.push(Entry { seq, matter, recorded_at, effective_at, origin, body });
    }

    fn begin(&mut self) {
        let started = CaseStarted {
            number: "420300202603020000019".to_owned(),
            service: ServiceCode::new("s"),
            service_name: "测试服务".to_owned(),
            closure: Digest([1; 32]),
            api_level: 1,
            region: RegionCode::new("420302"),
            lead: DepartmentCode::new("natural-resources"),
            promise: None,
            applicant: Party { id: "91420302MA4DEM010M".to_owned(), name: "示例".to_owned() },
            agent: None,
            answers: Value::map(),
            form: Value::map(),
            provenance: Vec::new(),
            materials: Vec::new(),
            consents: Vec::new(),
            arrival: Arrival::default(),
            matters: vec![PlannedMatter {
                code: MatterCode::new("m"),
                name: "事项".to_owned(),
                department: DepartmentCode::new("natural-resources"),
                skipped: false,
                after: Vec::new(),
                computed: None,
            }],
        };
        self.push_for(MatterNo::COORDINATOR, Body::CaseStarted(Arc::new(started)));
        self.push_for(MatterNo::COORDINATOR, Body::CaseSubmitted);
        self.push(Body::MatterFiled(Arc::new(MatterFiled {
            rules: Rules::of(Regime::Licence, Limits::default()),
            intake: Intake::Auto,
            decides_in: DecidesIn::Here,
            calendar: "cn".to_owned(),
            materials: Vec::new(),
        })));
        for kind in [ActKind::Receive, ActKind::Accept] {
            let act = Act::new(kind, self.clock, "");
            self.push(Body::Acted { act, answer: ActAnswer::Done, request: None });
        }
    }
}

/// Returns the process's resident memory in KiB; 0 where the system does not tell.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
