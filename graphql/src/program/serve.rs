//! `tongban serve`: the engine behind GraphQL, until it is asked to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use tongban_connectors::callback;
use tongban_core::port::Store as _;
use tongban_core::viewer::{Role, Viewer};
use tongban_engine::clock::{RealLawfulClock, SystemClock};
use tongban_engine::store::SledStore;
use tongban_engine::{Engine, Publishing};

use crate::auth::{Authority, Expected, KeySet};
use crate::server;

use super::args::ServeArguments;
use super::assemble::{self, Papers, Time, Wires};
use super::config::{Config, Identity};
use super::error::{Both, ProgramError, shown};
use super::storage::Storage;
use super::upkeep::control::{self, Kept};
use super::watch::{self, Change, Watch};
use super::{folder, import, output, seal, signal, token};

/// Serves until ctrl-c or SIGTERM, then finishes turns and leaves calls in the outbox.
pub(crate) async fn run(arguments: ServeArguments) -> Result<(), ProgramError> {
    if arguments.dev && !arguments.listen.ip().is_loopback() {
        return Err(ProgramError::NotLoopback(arguments.listen));
    }
    let mut config = arguments.config.as_deref().map(Config::read).transpose()?.unwrap_or_default();
    if !arguments.dev && config.identity.is_none() {
        return Err(ProgramError::NoIdentity);
    }
    let scripts = arguments.scripts.as_deref().or(config.scripts.as_deref());
    let host = Arc::new(assemble::scripts(scripts)?);
    let watch = if arguments.watch {
        let folder = scripts.ok_or(ProgramError::NothingToWatch)?;
        Some(Watch::new(Arc::clone(&host), folder))
    } else {
        None
    };
    let storage = Storage::configured(&config, &arguments.data).await?;
    import::bind(&mut config, &arguments.data).await?;
    let wires = Wires::configured(&config)?;
    let listener = listen(arguments.listen).await?;
    let store = folder::open(&arguments.data)?;
    let seal = seal::choose(config.seal.as_ref(), &arguments)?;
    let (authority, time) = if arguments.dev {
        let identity = token::open(&arguments.data)?;
        (Authority::dev(&identity, Arc::new(SystemClock)), movable(&store))
    } else {
        folder::must_be_real_time(&arguments.data, &store)?;
        (authority(config.identity.as_ref())?, Time::Real)
    };
    let kept = Kept::of(Arc::clone(&store), &storage, &arguments.data)?;
    let papers = Papers { blobs: kept.blobs.clone(), seal };
    let standing = folder::standing(&arguments.data).await?;
    let publishing = config.publishing(arguments.dev);
    let lives = (time, standing, publishing);
    let engine = assemble::engine(store, papers, host, &wires, lives).await?;
    // Open until the server ends.
    let _door = control::open(kept).await?;
    let stop = signal::stop();
    announce(&listener, &arguments.data)?;
    tell_nothing_active(&engine, publishing);
    let served = serve(engine, authority, wires, (listener, stop));
    let Some(watch) = watch else { return served.await };
    let tell = |change: &Change| output::tell(&watch::told(change));
    tokio::select! {
        served = served => served,
        never = watch.run(Arc::new(SystemClock), tell) => match never {},
    }
}

/// Listens on an address.
pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ProgramError> {
    TcpListener::bind(address).await.map_err(|source| {
        if source.kind() == std::io::ErrorKind::AddrInUse {
            return ProgramError::PortInUse(address);
        }
        ProgramError::CannotListen { address, source }
    })
}

/// Returns the address that a listener got.
pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr, ProgramError> {
    listener.local_addr().map_err(|source| ProgramError::InputOutput {
        what: "socket".to_owned(),
        detail: Both::of(&source),
    })
}

/// A development folder goes on with the lawful time that it remembers.
fn movable(store: &SledStore) -> Time {
    let offset = store.identity().clock_offset;
    Time::Movable(Arc::new(RealLawfulClock::new(Arc::new(SystemClock), offset)))
}

fn authority(identity: Option<&Identity>) -> Result<Authority, ProgramError> {
    let identity = identity.ok_or(ProgramError::NoIdentity)?;
    let keys = KeySet::open(&identity.jwks_file)
        .map_err(|error| ProgramError::Identity(Both::of(&error)))?;
    let expected =
        Expected { issuer: identity.issuer.clone(), audience: identity.audience.clone() };
    Ok(Authority::new(keys, expected, Arc::new(SystemClock)))
}

/// Tells programs on standard output, and people on standard error, where the server is.
fn announce(listener: &TcpListener, data: &Path) -> Result<(), ProgramError> {
    let url = format!("http://{}/graphql", address_of(listener)?);
    output::data(&serde_json::json!({ "url": url, "data": shown(data) }).to_string());
    output::tell(&format!("通办已启动 / Tongban serves {url}"));
    Ok(())
}

/// A first start offers nothing: what applicants meet is set going by people, or by a setting.
fn tell_nothing_active(engine: &Engine, publishing: Publishing) {
    let anybody = Viewer::new("tongban serve", Role::Integrator);
    if publishing == Publishing::Approved && engine.services(&anybody).is_empty() {
        output::tell(
            "尚无启用的服务版本:由一人 tongban scripts publish,另一人启用;或在配置文件中写 publishing = \"loaded\"\n\
             no version of a service is active: one person publishes (tongban scripts publish), another activates; \
             or say publishing = \"loaded\" in the configuration file",
        );
    }
}

async fn serve(
    engine: Engine,
    authority: Authority,
    wires: Wires,
    (listener, stop): (TcpListener, impl Future<Output = ()> + Send + 'static),
) -> Result<(), ProgramError> {
    let routes = callback::router(engine.inbox(), wires.callbacks);
    let options = server::Options::new(authority).with_routes(routes);
    let served = server::serve(engine.clone(), options, listener, stop).await;
    engine.shutdown().await;
    served.map_err(|error| ProgramError::InputOutput {
        what: "HTTP".to_owned(),
        detail: Both::of(&error),
    })
}
