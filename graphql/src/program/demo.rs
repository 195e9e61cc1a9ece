//! `tongban demo`: one case of eight permits, live, with nothing simulated but the departments.
//!
//! Store, engine, connectors, HTTP servers and API are the real ones; the departments are
//! sandbox agencies behind real HTTP, and lawful time is moved forward between decisions. What
//! files and finishes the case (`driver`) knows the API only. `plan` holds who does what, `live`
//! and `summary` what a person sees.

mod agencies;
mod client;
mod documents;
mod driver;
mod live;
mod plan;
mod snapshot;
mod summary;
mod text;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tongban_connectors::callback;
use tongban_core::calendar::Calendar;
use tongban_core::id::CommitNo;
use tongban_core::port::{LawfulClock, Store as _, WireClock as _};
use tongban_core::time::Moment;
use tongban_engine::clock::{RealLawfulClock, SystemClock};
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_engine::{Engine, Publishing};

use self::agencies::Agencies;
use self::client::Client;
use self::driver::{Course, Driver};
use self::plan::Plan;
use self::summary::Summary;
use super::args::{DemoArguments, Format};
use super::assemble::{self, Papers, Time, Wires};
use super::error::{Both, ProgramError, shown};
use super::storage::Storage;
use super::{folder, output, serve, signal, token};
use crate::auth::{Authority, DevIdentity};
use crate::server;

/// Lawful time at which the first case of a folder is filed: a Monday.
const BEGIN: &str = "2026-03-02T09:00:00+08:00";
/// Milliseconds after midnight at which offices open.
const OFFICE_HOURS_MILLIS: i64 = 9 * 3_600 * 1_000;
/// Milliseconds of real time after which a run is given up.
const DEADLINE_MILLIS: u64 = 120_000;
/// Seconds for which the demo's people are signed in.
const TOKEN_SECONDS: u32 = 3_600;

/// Runs the demo.
pub(crate) async fn run(arguments: DemoArguments) -> Result<(), ProgramError> {
    if !arguments.listen.ip().is_loopback() {
        return Err(ProgramError::NotLoopback(arguments.listen));
    }
    let listener = serve::listen(arguments.listen).await?;
    let house = House::open(&arguments, listener).await?;
    let outcome = house.run(&arguments).await;
    house.close().await;
    outcome
}

/// Everything that runs during the demo.
struct House {
    plan: Plan,
    data: PathBuf,
    url: String,
    engine: Engine,
    identity: DevIdentity,
    agencies: Agencies,
    stop: watch::Sender<bool>,
    /// The task that serves the API.
    serving: JoinSet<()>,
}

impl House {
    async fn open(arguments: &DemoArguments, listener: TcpListener) -> Result<Self, ProgramError> {
        let plan = Plan::shipped();
        let address = serve::address_of(&listener)?;
        let data = arguments.data.clone().unwrap_or_else(new_folder);
        output::tell(&format!("数据文件夹 / data folder: {}", data.display()));
        let store = folder::open(&data)?;
        let identity = token::open(&data)?;
        let clock = begin(&data, &store).await?;
        let lawful: Arc<dyn LawfulClock> = Arc::clone(&clock) as _;
        let callback_url = format!("http://{address}/cxp/1/callback");
        let agencies = Agencies::start(&plan, &callback_url, lawful).await?;
        let wires = agencies.wires()?;
        let host = assemble::scripts(None)?;
        let seal = Some(folder::trial_seal(&data)?);
        let papers = Papers { blobs: Storage::of(&data).await?.blobs()?, seal };
        let organisation = Arc::new(plan::organisation());
        let standing = Standing { organisation, ..Standing::default() };
        let lives = (Time::Movable(clock), standing, Publishing::AsLoaded);
        let engine = assemble::engine(store, papers, host, &wires, lives).await?;
        let stop = watch::Sender::new(false);
        let serving = serve_api(&engine, &identity, wires, (listener, stop.subscribe()));
        let url = url_of(address);
        Ok(Self { plan, data, url, engine, identity, agencies, stop, serving })
    }

    /// Runs the case, shows what came of it, and serves on unless that was all that was wanted.
    async fn run(&self, arguments: &DemoArguments) -> Result<(), ProgramError> {
        let began = SystemClock.now();
        let mut stop = pin!(signal::stop());
        let course = tokio::select! {
            course = self.drive() => course?,
            () = &mut stop => return Err(interrupted()),
        };
        let summary = Summary {
            plan: &self.plan,
            course: &course,
            traffic: self.agencies.traffic(),
            wall_millis: SystemClock.now().since(began),
            data: shown(&self.data),
        };
        match arguments.format {
            Format::Text => output::data(&summary.text()),
            Format::Json => output::data(&format!("{:#}", summary.json())),
        }
        if !course.last.is_granted() {
            return Err(not_granted(&course));
        }
        if !arguments.exit {
            self.invite();
            stop.await;
        }
        Ok(())
    }

    /// Files the case and finishes it, within the deadline.
    async fn drive(&self) -> Result<Course, ProgramError> {
        let mut driver =
            Driver::file(&self.plan, self.people()?).await.map_err(ProgramError::DemoUnfinished)?;
        let finished = tokio::select! {
            finished = driver.finish() => Some(finished),
            () = SystemClock.wait_millis(DEADLINE_MILLIS) => None,
        };
        let outcome = finished.unwrap_or_else(|| Err(too_late(&driver)));
        outcome.map_err(ProgramError::DemoUnfinished)
    }

    /// Gives everyone of the plan a token of his own.
    fn people(&self) -> Result<BTreeMap<String, Client>, ProgramError> {
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
        let mut people = BTreeMap::new();
        for name in self.plan.people.keys() {
            let viewer = self.plan.viewer(name).ok_or_else(|| {
                ProgramError::DemoUnfinished(Both::of(&format!(
                    "{name} 没有角色 / {name} has no role"
                )))
            })?;
            let token = token::issue(&self.identity, &viewer, TOKEN_SECONDS)?;
            people.insert(name.clone(), Client::new(&http, &self.url, token));
        }
        Ok(people)
    }

    /// Says where the server is and how to ask it.
    fn invite(&self) {
        let data = self.data.display();
        output::tell(&format!(
            "\n服务继续运行,Ctrl-C 结束 / still serving, ctrl-c ends it: {}\n\
             令牌 / a token: tongban token --dev --data {data} --role supervisor --region 420300",
            self.url
        ));
    }

    async fn close(self) {
        self.stop.send_replace(true);
        let mut serving = self.serving;
        while serving.join_next().await.is_some() {}
        self.engine.shutdown().await;
        self.agencies.stop().await;
    }
}

fn url_of(address: SocketAddr) -> String {
    format!("http://{address}/graphql")
}

fn serve_api(
    engine: &Engine,
    identity: &DevIdentity,
    wires: Wires,
    door: (TcpListener, watch::Receiver<bool>),
) -> JoinSet<()> {
    let (listener, mut stop) = door;
    let routes = callback::router(engine.inbox(), wires.callbacks);
    let authority = Authority::dev(identity, Arc::new(SystemClock));
    let options = server::Options::new(authority).with_routes(routes);
    let engine = engine.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let stopped = async move {
            // The house drops its sender only when it is gone, which is a stop as well.
            drop(stop.wait_for(|stop| *stop).await);
        };
        if let Err(error) = server::serve(engine, options, listener, stopped).await {
            tracing::error!("the API stopped: {error}");
        }
    });
    serving
}

fn new_folder() -> PathBuf {
    let name = format!("tongban-demo-{}-{}", SystemClock.now().millis(), std::process::id());
    std::env::temp_dir().join(name)
}

/// Sets lawful time: to the demo's begin in a new folder, else to the next morning on which
/// offices open. The store remembers it before anybody sees it.
async fn begin(data: &Path, store: &SledStore) -> Result<Arc<RealLawfulClock>, ProgramError> {
    let known = store.identity().clock_offset;
    let is_new = store.revision() == CommitNo::default();
    if known == 0 && !is_new {
        return Err(ProgramError::RealTime(shown(data)));
    }
    let wire = SystemClock.now();
    let first = Moment::parse(BEGIN).expect("a test reads the begin");
    let begin = if is_new { first } else { next_morning(wire.plus_millis(known)).max(first) };
    let offset = begin.since(wire);
    store.keep_clock_offset(offset).await.map_err(|error| ProgramError::InputOutput {
        what: shown(data),
        detail: Both::of(&error),
    })?;
    Ok(Arc::new(RealLawfulClock::new(Arc::new(SystemClock), offset)))
}

/// Returns the first opening of offices after `now`.
fn next_morning(now: Moment) -> Moment {
    let calendar = Calendar::national();
    let mut date = now.date();
    loop {
        let morning = Moment::start_of(date).plus_millis(OFFICE_HOURS_MILLIS);
        if morning > now && calendar.is_working(date) {
            return morning;
        }
        match date.tomorrow() {
            Ok(next) => date = next,
            Err(_) => return now,
        }
    }
}

fn interrupted() -> ProgramError {
    ProgramError::DemoUnfinished(Both::new("运行被中断", "it was interrupted"))
}

fn too_late(driver: &Driver<'_>) -> Both {
    let seconds = DEADLINE_MILLIS / 1_000;
    let open = driver.seen().matters.iter().find(|lane| !lane.is_over());
    let Both { zh, en } = open.map_or_else(Both::default, driver::stuck);
    Both::new(
        format!("{seconds} 秒内没有办完,{zh}"),
        format!("it was not finished within {seconds} s; {en}"),
    )
}

fn not_granted(course: &Course) -> ProgramError {
    let case = &course.last;
    let mut others = case.matters.iter();
    let lane = others.find(|lane| lane.progress() != snapshot::Progress::Granted);
    let Both { zh, en } = lane.map_or_else(Both::default, driver::stuck);
    ProgramError::DemoUnfinished(Both::new(
        format!("办件 {} {}:{zh}", case.number, case.state_label),
        format!("case {} is {}; {en}", case.number, case.state),
    ))
}

#[cfg(test)]
mod tests {
    use tongban_core::entry::Party;
    use tongban_core::id::{RegionCode, ServiceCode};
    use tongban_core::start::StartCase;
    use tongban_engine::IdempotencyKey;

    use super::*;

    fn at(text: &str) -> Moment {
        Moment::parse(text).unwrap()
    }

    #[test]
    fn the_demo_begins_on_a_working_morning() {
        let begin = at(BEGIN);
        assert_eq!(next_morning(begin.plus_millis(-1)), begin);
    }

    #[test]
    fn a_second_case_begins_on_the_next_morning_that_offices_open() {
        assert_eq!(next_morning(at("2026-03-02T11:45:00+08:00")), at("2026-03-03T09:00:00+08:00"));
        assert_eq!(next_morning(at("2026-03-06T11:45:00+08:00")), at("2026-03-09T09:00:00+08:00"));
    }

    #[test]
    fn every_run_without_a_folder_gets_its_own() {
        assert!(new_folder().starts_with(std::env::temp_dir()));
    }

    #[tokio::test]
    async fn a_folder_in_real_use_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder::open(folder.path()).unwrap();
        let plan = Plan::shipped();
        let builder = Engine::builder().store(Arc::clone(&store) as _);
        let host = assemble::scripts(None).unwrap();
        let engine = builder.scripts(Arc::new(host)).start().await.unwrap();
        let party = Party { id: plan.applicant.id.clone(), name: plan.applicant.name.clone() };
        let (service, region) = (ServiceCode::new(&plan.service), RegionCode::new(&plan.region));
        let case = StartCase::new(service, region, party);
        let applicant = plan.viewer("applicant").unwrap();
        let key = IdempotencyKey("1".to_owned());
        engine.start_case(&applicant, case, key).await.unwrap();
        engine.shutdown().await;
        let refused = begin(folder.path(), &store).await.err().unwrap();
        assert_eq!(refused.code(), "FOLDER_REAL_TIME");
        assert_eq!(store.identity().clock_offset, 0);
    }
}
