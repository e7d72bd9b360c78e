//! One run of the daemon, from settings to exit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::host::Host;
#[cfg(feature = "approval")]
use super::host::Office;
use super::options::{self, OptionError};
#[cfg(feature = "approval")]
use super::queue::Road3;
use super::ready::Ready;
use super::signals::{Asked, Signals};
use super::stand_in::Database;
use super::{StateDir, StateDirError};
use crate::answer::Transport;
use crate::config::{Loaded, Settings};
use crate::control;
use crate::metrics::{self, NameServer, Registry};
use crate::publish::{PublishError, Publisher};
use crate::serve::{self, Running, StartError};
use crate::store::StoreError;

/// Threads for pages, control socket and metrics; the name server has its own.
const BUILDING_THREADS: usize = 2;
/// How long what is in flight may take at a stop.
const STOP_SECONDS_MAX: u64 = 10;

//------------ RunError ------------------------------------------------------

/// Why the daemon did not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The state directory cannot be used.
    #[error(transparent)]
    StateDir(#[from] StateDirError),
    /// The database cannot be used.
    #[error("the database cannot be used")]
    Store(#[from] StoreError),
    /// A setting cannot be meant.
    #[error("settings: {0}")]
    Options(#[from] OptionError),
    /// Zones cannot be opened.
    #[error("the zones cannot be opened")]
    Publish(#[from] PublishError),
    /// A listener of the name server cannot be started.
    #[error(transparent)]
    Listen(#[from] StartError),
    /// Another listener, a thread or a signal cannot be had.
    #[error("{what}")]
    System {
        /// What was tried, and what to do.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// Road 3 cannot be opened.
    #[cfg(feature = "approval")]
    #[error("the queue cannot be opened")]
    Queue(#[source] anyhow::Error),
}

/// A step of the system with words for its failure.
pub(super) fn system<T>(what: impl Into<String>, result: io::Result<T>) -> Result<T, RunError> {
    result.map_err(|source| RunError::System { what: what.into(), source })
}

//------------ serve ---------------------------------------------------------

/// Runs the daemon until it is told to stop. `tell` gets the facts once everything is ready.
pub fn serve(loaded: Loaded, tell: impl FnOnce(&Ready)) -> Result<(), RunError> {
    let settings = &loaded.settings;
    let state_dir = StateDir::take(&settings.server.state_dir)?;
    let sources = options::sources(settings)?;
    let database = Database::open(&sources, &options::publish(settings))?;
    // What came of each zone is in the log; a zone that is refused does not stop the others. Road 3
    // works on the same database.
    let store = database.store.clone();
    let (publisher, _) = Publisher::open(store, sources, options::publish(settings))?;
    let building = system(
        "cannot start the threads of pages and commands",
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(BUILDING_THREADS)
            .thread_name("building")
            .enable_all()
            .build(),
    )?;
    // Before the first answer goes out: who sees one and gives a command waits for its turn.
    let control = bind_control(&building, state_dir.path())?;
    let running = Arc::new(serve::start(options::serve(settings)?, publisher.shared())?);
    publisher.sockets().set(addresses(&running, &[Transport::Udp]));
    let watcher = publisher.watch();

    let (stop, stopped) = watch::channel(false);
    let mut signals = building.block_on(async { system("signals", Signals::listen()) })?;
    #[cfg(feature = "approval")]
    let road_3 = match database.reason {
        None => Some(Road3::open(settings, &database.store, &publisher)?),
        Some(_) => None,
    };
    #[cfg(feature = "approval")]
    if let Some(road_3) = &road_3 {
        road_3.note_settings(&loaded.path)?;
        road_3.note_working_time()?;
    }
    let host = Arc::new(Host {
        settings_path: loaded.path.clone(),
        publisher: publisher.clone(),
        running: Arc::clone(&running),
        stand_in: database.reason.clone(),
        #[cfg(feature = "approval")]
        office: road_3.as_ref().map(|road_3| Office {
            people: road_3.people(),
            desk: road_3.desk(),
            store: database.store.clone(),
            state_dir: state_dir.path().to_owned(),
        }),
    });
    let control = start_control(&building, control, &host);
    let metrics = start_metrics(&building, settings, &running, &publisher)?;
    #[cfg(feature = "approval")]
    let web = match &road_3 {
        Some(road_3) => {
            road_3.start_clockwork(&building, settings, &stopped)?;
            Some(road_3.start_web(&building, settings, stopped.clone())?)
        }
        None => None,
    };
    #[cfg(not(feature = "approval"))]
    let web: Option<(String, Option<String>)> = None;

    let (web, first_link) = web.map_or((None, None), |(url, link)| (Some(url), link));
    tell(&Ready {
        dns: addresses(&running, &[Transport::Udp]),
        encrypted: encrypted(&running),
        zones: publisher.status(),
        web,
        metrics,
        state_dir: state_dir.path().display().to_string(),
        first_link,
        warnings: running.warnings().iter().cloned().chain(database.reason.clone()).collect(),
    });
    tracing::info!(pid = std::process::id(), "ready");
    wait(&building, &mut signals, &host);

    // Told twice, a person means now.
    building.spawn(async move {
        if signals.next().await == Asked::Stop {
            std::process::exit(130);
        }
    });
    tracing::info!("stopping");
    // Nobody listening any more is as good.
    let _ = stop.send(true);
    drop(stopped);
    control.abort();
    drop(host);
    drop(watcher);
    building.shutdown_timeout(Duration::from_secs(STOP_SECONDS_MAX));
    publisher.flush();
    drop(running);
    tracing::info!("stopped");
    Ok(())
}

/// Does what signals ask for until one asks to stop.
fn wait(building: &Runtime, signals: &mut Signals, host: &Arc<Host>) {
    building.block_on(async {
        loop {
            match signals.next().await {
                Asked::Stop => return,
                Asked::Reopen => host.reopen_logs(),
                Asked::Reload => {
                    let host = Arc::clone(host);
                    // The result is in the log; signals go on meanwhile.
                    drop(tokio::task::spawn_blocking(move || host.reload_by_signal()));
                }
            }
        }
    });
}

//------------ Listeners -----------------------------------------------------

/// The addresses of some transports, in the order of the settings.
pub(super) fn addresses(running: &Running, transports: &[Transport]) -> Vec<SocketAddr> {
    let listening = running.addresses().iter();
    listening.filter(|one| transports.contains(&one.transport)).map(|one| one.address).collect()
}

/// The encrypted listeners, for people.
fn encrypted(running: &Running) -> Vec<(String, SocketAddr)> {
    let name = |transport| match transport {
        Transport::Tls => Some("tls"),
        Transport::Quic => Some("quic"),
        Transport::Udp | Transport::Tcp => None,
    };
    let listening = running.addresses().iter();
    listening.filter_map(|one| Some((name(one.transport)?.to_owned(), one.address))).collect()
}

/// The control socket; commands wait in it until it is started.
fn bind_control(
    building: &Runtime,
    state_dir: &std::path::Path,
) -> Result<control::Server, RunError> {
    let what = format!("cannot open the control socket in {}", state_dir.display());
    building.block_on(async { system(what, control::Server::bind(state_dir)) })
}

/// Starts to answer commands.
fn start_control(
    building: &Runtime,
    server: control::Server,
    host: &Arc<Host>,
) -> tokio::task::JoinHandle<()> {
    let host = Arc::clone(host);
    building.spawn(server.run(Arc::new(move |command, session| host.command(command, session))))
}

/// The metrics listener, if the settings want one.
fn start_metrics(
    building: &Runtime,
    settings: &Settings,
    running: &Arc<Running>,
    publisher: &Publisher,
) -> Result<Option<SocketAddr>, RunError> {
    let Some(metrics) = &settings.metrics else { return Ok(None) };
    let mut registry = Registry::default();
    let lanes = Arc::downgrade(running);
    registry.register_collector(Box::new(NameServer::new(move || {
        lanes.upgrade().map(|running| running.counters()).unwrap_or_default()
    })));
    registry.register_collector(Box::new(metrics::Zones::new(publisher.clone())));
    let publisher = publisher.clone();
    let ready = Arc::new(move || {
        let missing: Vec<String> = publisher
            .status()
            .into_iter()
            .filter(|zone| zone.serial.is_none() && zone.refusal.is_none())
            .map(|zone| zone.zone.to_string())
            .collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("not loaded: {}", missing.join(" "))) }
    });
    let address = metrics.listen;
    let what = format!("cannot listen on {address} for metrics: choose another metrics.listen");
    let listener =
        building.block_on(async { system(what, tokio::net::TcpListener::bind(address).await) })?;
    let bound = system("metrics", listener.local_addr())?;
    building.spawn(metrics::serve(listener, Arc::new(registry), ready));
    Ok(Some(bound))
}
