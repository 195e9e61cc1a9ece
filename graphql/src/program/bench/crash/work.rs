//! The side that is killed: an engine on a folder whose applicants never stop, or one that only
//! brings calls to their end.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tongban_connectors::callback;
use tongban_core::entry::Party as Applicant;
use tongban_core::id::{CaseId, RegionCode, ServiceCode};
use tongban_core::port::WireClock as _;
use tongban_core::start::StartCase;
use tongban_core::value::Value;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::SystemClock;
use tongban_engine::standing::Standing;
use tongban_engine::store::SledStore;
use tongban_engine::{Engine, EngineError, IdempotencyKey, Publishing};

use super::super::args::CrashWorkArguments;
use super::{calls, failed, random};
use crate::program::assemble::{self, Papers, Time, Wires};
use crate::program::error::{Both, ProgramError};
use crate::program::storage::Storage;
use crate::program::{folder, output, serve};

/// Applicants at work at once.
const APPLICANTS: u32 = 16;
/// Milliseconds between two looks at what is still under way.
const LOOK_MILLIS: u64 = 20;

const PLAN: &str = include_str!("../../../../demo/construction-start.json");

/// Works until it is killed; where it is to finish, until no call is under way.
pub(crate) async fn run(arguments: &CrashWorkArguments) -> Result<(), ProgramError> {
    let data = &arguments.data;
    let store = folder::open(data)?;
    let wires = calls::wires(&arguments.agencies)?;
    let listener = serve::listen(([127, 0, 0, 1], 0).into()).await?;
    let address = serve::address_of(&listener)?;
    let engine = engine(Arc::clone(&store), data, &wires).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(take_callbacks(listener, engine.clone(), wires));
    output::data(&format!("http://{address}/cxp/1/callback"));
    if arguments.finish {
        while calls::any_under_way(&store).await? {
            SystemClock.wait_millis(LOOK_MILLIS).await;
        }
        engine.shutdown().await;
        return Ok(());
    }
    for _ in 0..APPLICANTS {
        let engine = engine.clone();
        tasks.spawn(async move { file_for_ever(&engine).await });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| failed(data, &error))??;
    }
    Ok(())
}

async fn engine(store: Arc<SledStore>, data: &Path, wires: &Wires) -> Result<Engine, ProgramError> {
    let papers = Papers { blobs: Storage::of(data).await?.blobs()?, seal: None };
    let scripts = assemble::scripts(None)?;
    let lives = (Time::Real, Standing::default(), Publishing::AsLoaded);
    assemble::engine(store, papers, scripts, wires, lives).await
}

async fn take_callbacks(
    listener: TcpListener,
    engine: Engine,
    wires: Wires,
) -> Result<(), ProgramError> {
    let routes = callback::router(engine.inbox(), wires.callbacks);
    let served = axum::serve(listener, routes).await;
    served.map_err(|error| ProgramError::Engine(Both::of(&error)))
}

/// Files one application after the other, each when the agencies have answered the one before.
async fn file_for_ever(engine: &Engine) -> Result<(), ProgramError> {
    let application = application();
    let applicant = Viewer::new("bench", Role::Applicant).for_party(&application.applicant.id);
    loop {
        let key = || random().map(|random| IdempotencyKey(format!("bench-{random}")));
        let input = application.clone();
        let begun =
            engine.start_case(&applicant, input, key()?).await.map_err(|error| refused(&error))?;
        output::data(&format!("started {}", begun.case));
        let submitted = engine.submit_case(&applicant, begun.case, key()?).await;
        output::data(&format!("submitted {}", submitted.map_err(|error| refused(&error))?.case));
        until_answered(engine, &applicant, begun.case).await?;
    }
}

async fn until_answered(
    engine: &Engine,
    viewer: &Viewer,
    case: CaseId,
) -> Result<(), ProgramError> {
    let mut commits = engine.watch_case(case);
    loop {
        commits.borrow_and_update();
        let view = engine.case(viewer, case).await.map_err(|error| refused(&error))?;
        if view.is_none_or(|view| !view.case().calls.values().any(|call| calls::is_under_way(call)))
        {
            return Ok(());
        }
        commits.changed().await.map_err(|error| ProgramError::Engine(Both::of(&error)))?;
    }
}

fn refused(error: &EngineError) -> ProgramError {
    ProgramError::Engine(Both::of(error))
}

/// The application of the demo.
fn application() -> StartCase {
    let plan: Json = serde_json::from_str(PLAN).expect("the demo's plan is read by its own tests");
    let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
    let value = |json: &Json| Value::from_json(json).unwrap_or_default();
    let applicant =
        Applicant { id: text(&plan["applicant"]["id"]), name: text(&plan["applicant"]["name"]) };
    let service = ServiceCode::new(text(&plan["service"]));
    let materials = plan["materials"].as_array().into_iter().flatten().map(|material| {
        let (code, file) = (text(&material["code"]), text(&material["fileName"]));
        let digest = tongban_core::digest::Digest::of(file.as_bytes());
        tongban_core::material::MaterialGiven::file(&code, &file, digest)
    });
    StartCase {
        answers: value(&plan["answers"]),
        form: value(&plan["form"]),
        materials: materials.collect(),
        ..StartCase::new(service, RegionCode::new(text(&plan["region"])), applicant)
    }
}
