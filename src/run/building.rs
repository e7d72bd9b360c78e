//! Everything the daemon runs, in the order in which it starts and stops.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::daemon::{Event, Events};
use super::error::{RunError, system};
use super::herald::Herald;
use super::host::Host;
use super::node::Node;
use super::ready::Ready;
use super::road_3::Road3;
use super::stand_in::{Awaited, Database, Late};
use super::time::now_ms;
use super::timer::{TICK, every};
use super::{StateDir, options};
use crate::answer::Transport;
use crate::config::{Loaded, Settings};
use crate::control;
use crate::fleet::Fleet;
use crate::keystore::Keystore;
use crate::lock::lock;
use crate::master::Finding;
use crate::metrics;
use crate::publish::Watcher;
use crate::serve::{self, Inherited, Operations, Purpose, Running};
use crate::service::Notifier;
use crate::signer::Signer;
use crate::text::with_causes;

/// Threads for pages, control socket and metrics; the name server has its own.
const THREADS: usize = 2;
/// Between two looks at what secondary zones have left of their time, while the database is away.
const LOOK: Duration = Duration::from_secs(1);
/// How soon a start that lacked the database may be followed by another one: what fails each time is not tried without a
/// pause.
const AGAIN_AFTER: Duration = Duration::from_secs(3);
/// How long what is under way may take at a stop.
const UNDER_WAY_MAX: Duration = Duration::from_secs(10);
/// What of that is left for whoever waits on pages to be told that the outcome is not known.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long a stop waits for what was counted to be written.
const COUNTS_MAX: Duration = Duration::from_secs(5);

//------------ Building ------------------------------------------------------

/// A running daemon.
pub(super) struct Building {
    /// Runs pages, control socket, metrics and timers.
    runtime: Runtime,
    /// Asks timers to stop.
    stop: watch::Sender<bool>,
    /// Asks the pages to close, with how long what is under way may take.
    close: watch::Sender<Option<Duration>>,
    /// The control socket; none if it could not be bound.
    control: Option<JoinHandle<()>>,
    /// The pages; none where there are none.
    pages: Option<JoinHandle<()>>,
    /// Runs commands; holds the listeners and road 3.
    host: Arc<Host>,
    /// Watches the zone files; none while another node publishes.
    watcher: Option<Watcher>,
    /// The database.
    database: Database,
    /// Reports the daemon's state to the service manager.
    herald: Option<Herald>,
    /// The listeners of pages and metrics, to be passed to a successor.
    doors: Vec<(Purpose, OwnedFd)>,
    /// The lock on the state directory, released last.
    state_dir: StateDir,
}

/// What a daemon starts with.
pub(super) struct Start {
    /// Sockets that were passed to it.
    pub(super) inherited: Inherited,
    /// The service manager.
    pub(super) notifier: Notifier,
    /// What this process may do, in words.
    pub(super) rights: Vec<String>,
    /// This program and its arguments.
    pub(super) program: Option<(PathBuf, Vec<OsString>)>,
    /// Where commands send what ends the daemon.
    pub(super) events: Events,
    /// The database that a start before this one did not wait for.
    pub(super) late: Late,
}

impl Building {
    /// Starts everything, from settings that were judged. Calls `answering` once queries are answered and before anything
    /// could change a zone, with the reason if a stand-in replaces the database; an error from it ends the start.
    pub(super) fn start(
        loaded: &Loaded,
        start: Start,
        answering: impl FnOnce(Option<&str>) -> Result<(), RunError>,
    ) -> Result<(Self, Ready), RunError> {
        let settings = &loaded.settings;
        let Start { mut inherited, notifier, rights, program, events, late } = start;
        let state_dir = StateDir::take_as_it_is(&settings.server.state_dir)?;
        let sources = options::sources(settings)?;
        let publish = options::publish(settings)?;
        let serve = options::serve(settings)?;
        if inherited.lives_on() {
            // Report an address that cannot be bound before the database is migrated: a predecessor could not resume
            // on a newer schema.
            serve::bind(&serve, &mut inherited)?;
        }
        let (mut database, publisher) =
            Database::open(sources, &publish, state_dir.fault(), &late, inherited.lives_on())?;
        let runtime = system("cannot start the threads of pages and commands", runtime())?;
        // Bound before the first answer goes out: a command sent right after it waits in the socket.
        let control = bind_control(&runtime, &state_dir);
        let keys = serve.keyring.clone();
        let fleet = Fleet::new(publisher.clone(), options::fleet(settings)?, keys);
        let operations = Some(Arc::new(fleet.clone()) as Arc<dyn Operations>);
        let proxies = serve.proxies.clone();
        let options = serve::Options { operations, ..serve };
        let running = serve::start_on(options, publisher.shared(), &mut inherited)?;
        answering(database.reason.as_deref())?;
        // A predecessor has let go of the interfaces by now.
        running.start_xdp();
        let dns = addresses(&running, &[Transport::Udp]);
        // A freebind address that is not configured yet gives no answer that could confirm a change.
        let here = dns.iter().copied().filter(|address| serve::find_address(*address).is_ok());
        publisher.sockets().set(here.collect());
        publisher.sockets().set_proxied(|address| proxies.contains(address));
        let watcher = (!database.follows()).then(|| publisher.watch());
        let told = fleet.start();
        let node = Node::new(&database.store, &publish, settings);
        let road_3 = Road3::open(loaded, &state_dir, (&database, node.publisher()), &publisher);
        fleet.propose_to(road_3.proposals());
        let keystore = Keystore::new(state_dir.path());
        let is_idle = database.reason.is_some() || database.follows();
        let signer = Signer::new(publisher.clone(), keystore, now_ms, is_idle);
        let host = Arc::new(Host {
            settings_path: loaded.path.clone(),
            in_force: Mutex::new(settings.clone()),
            reloading: Mutex::default(),
            publisher: publisher.clone(),
            fleet,
            signer,
            running,
            rights,
            notifier,
            program,
            events,
            successor: Mutex::default(),
            stand_in: database.reason.clone(),
            node,
            road_3,
            off: Mutex::default(),
            state_dir: state_dir.path().to_owned(),
            journals: Mutex::default(),
        });
        let told = system("cannot start notifying secondaries", told);
        kept(&host, told);
        host.signer.start();
        // Answering queries must not wait for commands, pages or metrics.
        let control = kept(&host, control).map(|control| start_control(&runtime, control, &host));
        let mut doors = Vec::new();
        let door = settings.metrics.as_ref().map(|it| (Purpose::Metrics, it.listen));
        let door = door.map(|it| open_door(&runtime, it, &mut inherited, &mut doors));
        let listener = kept(&host, door.transpose()).flatten();
        let started = listener.map(|it| start_metrics(&runtime, it, &host)).transpose();
        let metrics = kept(&host, started).flatten();
        let (stop, stopped) = watch::channel(false);
        let (close, closed) = watch::channel(None);
        let (parts, tap) = ((&host.fleet, &host.signer), host.running.tap());
        let door =
            |address| open_door(&runtime, (Purpose::Pages, address), &mut inherited, &mut doors);
        let site = host.road_3.start((&runtime, door), settings, parts, tap, (&stopped, closed));
        let site = kept(&host, site).unwrap_or_default();
        let unused = inherited.unused();
        unused.iter().for_each(|it| tracing::warn!("{it}: it is closed"));
        let mut warnings: Vec<String> = host.running.warnings().to_vec();
        warnings.extend(unused);
        warnings.extend(options::warnings(loaded));
        warnings.extend(publisher.findings().iter().map(Finding::with_hint));
        // Only a build with the queue can report that it is closed.
        let closed = host.road_3.closed().map(|why| format!("the queue is closed: {why}"));
        warnings.extend(closed.or_else(|| host.stand_in.clone()));
        let zones = publisher.status();
        let health = host.health_of(&zones);
        warnings.extend(health.faults.into_iter().chain(health.warnings));
        let ready = Ready {
            dns,
            encrypted: encrypted(&host.running),
            zones,
            web: site.url,
            metrics,
            state_dir: state_dir.path().display().to_string(),
            first_link: site.first_link,
            warnings,
        };
        host.node.start((&runtime, &stopped), &host);
        let publisher = host.publisher.clone();
        drop(runtime.spawn(every(TICK, stopped.clone(), move |_| publisher.retry_list())));
        if database.reason.is_some() && database.follows() {
            // Nobody says what others heard of primaries.
            host.fleet.ask_primaries(true);
            let publisher = host.publisher.clone();
            let look = move |_| publisher.look_at_leases();
            drop(runtime.spawn(every(LOOK, stopped.clone(), look)));
        }
        if let Some(awaited) = database.awaited.take() {
            await_database(&runtime, awaited, &host, &stopped);
        }
        let herald = Herald::start(&host, ready.dns.clone());
        let building = Self {
            runtime,
            stop,
            close,
            control,
            pages: site.pages,
            host,
            watcher,
            database,
            herald,
            doors,
            state_dir,
        };
        Ok((building, ready))
    }

    /// Reads settings and zones again, in the background; the result is in the log.
    pub(super) fn reload(&self) {
        let host = Arc::clone(&self.host);
        drop(self.runtime.spawn_blocking(move || host.reload_by_signal()));
    }

    /// Opens the log files again.
    pub(super) fn reopen_logs(&self) {
        self.host.reopen_logs();
    }

    /// Reports that everything has started, and hands the sockets to the service manager if it keeps them.
    pub(super) fn announce(&self) {
        if self.host.notifier.stores() {
            for purpose in Purpose::ALL {
                let sockets: Vec<_> = self.sockets().filter(|it| it.0 == purpose).collect();
                let sockets: Vec<_> = sockets.into_iter().map(|(_, socket)| socket).collect();
                self.host.notifier.store(purpose.word(), &sockets);
            }
            // Packets that arrive while no daemon reads wait for the next start.
            self.host.running.share_sockets();
        }
        self.host.notifier.ready(&self.host.headline());
    }

    /// All listening sockets.
    fn sockets(&self) -> impl Iterator<Item = (Purpose, BorrowedFd<'_>)> {
        let handles = self.host.running.handles().iter().chain(&self.doors);
        handles.map(|(purpose, socket)| (*purpose, socket.as_fd()))
    }

    /// Stops everything, in the order that the documentation of [`super`] draws.
    pub(super) fn stop(self) {
        self.host.notifier.stopping();
        let (retired, state_dir, database) = self.retire(UNDER_WAY_MAX - LAST_WORDS);
        drop(retired.herald);
        keep_statistics(&retired.host);
        let publisher = retired.host.publisher.clone();
        // The last holder of the listeners: dropping it closes the DNS sockets.
        drop(retired.host);
        publisher.flush();
        drop(publisher);
        if let Err(error) = database.store.fold_log() {
            tracing::warn!(%error, "the database's write-ahead log stays beside it");
        }
        drop(database);
        drop(state_dir);
    }

    /// Stops everything but answering: all that could change a zone, and all that reports on one. Requests under way on
    /// pages may take so long, and so may writing what was counted.
    fn retire(self, pages_max: Duration) -> (Retired, StateDir, Database) {
        let begun = Instant::now();
        let Self {
            runtime,
            stop,
            close,
            control,
            pages,
            host,
            watcher,
            database,
            herald,
            doors,
            state_dir,
        } = self;
        // An error means that the receivers have ended already.
        let _ = stop.send(true);
        let _ = close.send(Some(pages_max));
        if let Some(control) = control {
            control.abort();
        }
        if let Some(pages) = pages {
            // A panic is in the log already, and what takes longer is cut off.
            let most = pages_max + LAST_WORDS;
            let _ = runtime.block_on(async { tokio::time::timeout(most, pages).await });
        }
        runtime.shutdown_timeout(UNDER_WAY_MAX.saturating_sub(begun.elapsed()));
        drop(watcher);
        host.signer.stop();
        host.fleet.stop();
        (Retired { host, doors, herald }, state_dir, database)
    }

    /// Releases database and state directory for another process, and keeps answering from memory.
    pub(super) fn leave(self) -> Retired {
        self.left(UNDER_WAY_MAX - LAST_WORDS)
    }

    /// The same for this process to start anew, which does not wait for answers: the node that was asked hangs, or this
    /// one has been replaced.
    pub(super) fn leave_soon(self) -> Retired {
        self.left(LAST_WORDS)
    }

    /// The same once requests under way on pages have taken so long.
    fn left(self, pages_max: Duration) -> Retired {
        let (retired, state_dir, database) = self.retire(pages_max);
        retired.host.road_3.keep_statistics();
        retired.host.publisher.flush();
        database.store.leave();
        drop(database);
        drop(state_dir);
        retired
    }
}

/// How the service manager hears of a daemon that could not take back its work.
const IDLE: &str = "queries are answered from memory, and everything else has stopped";

/// A daemon that only answers, and writes nothing.
pub(super) struct Retired {
    /// Holds the listeners.
    host: Arc<Host>,
    /// The listeners of pages and metrics.
    doors: Vec<(Purpose, OwnedFd)>,
    /// Keeps reporting to the service manager until the successor does.
    herald: Option<Herald>,
}

impl Retired {
    /// All listening sockets, with what each is for.
    pub(super) fn sockets(&self) -> impl Iterator<Item = (Purpose, BorrowedFd<'_>)> {
        let handles = self.host.running.handles().iter().chain(&self.doors);
        handles.map(|(purpose, socket)| (*purpose, socket.as_fd()))
    }

    /// The same sockets, for a daemon in this process.
    pub(super) fn inherited(&self) -> Inherited {
        let mut inherited = Inherited::shared();
        for (purpose, socket) in self.sockets() {
            let added = socket.try_clone_to_owned().map_err(|error| error.to_string());
            if let Err(why) = added.and_then(|socket| inherited.add(socket, Some(purpose))) {
                tracing::error!("a socket is lost: {why}");
            }
        }
        inherited
    }

    /// The settings that were in force.
    pub(super) fn settings(&self) -> Settings {
        lock(&self.host.in_force).clone()
    }

    /// The service manager.
    pub(super) fn notifier(&self) -> Notifier {
        self.host.notifier.clone()
    }

    /// Notes why it does nothing but answer.
    pub(super) fn note_idle(&self, why: &str) {
        let mut off = lock(&self.host.off);
        off.retain(|line| !line.starts_with(IDLE));
        off.push(format!("{IDLE}: {why}"));
    }

    /// Stops answering: the successor has the sockets. Queries already read are answered first.
    pub(super) fn end(self) {
        drop(self.herald);
        self.host.running.leave();
    }
}

/// Writes what was counted, if that takes no long time: a server that confirms no commit may not for days.
fn keep_statistics(host: &Arc<Host>) {
    let (done, kept) = std::sync::mpsc::channel();
    let of = Arc::clone(host);
    let keep = move || {
        of.road_3.keep_statistics();
        drop(of);
        // Nobody waits any more if it took too long.
        let _ = done.send(());
    };
    let keeps = std::thread::Builder::new().name("statistics".to_owned()).spawn(keep);
    if keeps.is_err() || kept.recv_timeout(COUNTS_MAX).is_err() {
        tracing::warn!(
            "the newest statistics of queries could not be written in time and are lost"
        );
    }
}

/// What was started; on an error `None`, and the failure is noted for `/readyz` and `ctl status`.
fn kept<T>(host: &Host, started: Result<T, RunError>) -> Option<T> {
    started.inspect_err(|error| host.note_off(&with_causes(error))).ok()
}

/// The runtime of everything but DNS.
fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("building").enable_all().build()
}

//------------ Listeners -----------------------------------------------------

/// The addresses of some transports, in the order of the settings.
fn addresses(running: &Running, transports: &[Transport]) -> Vec<SocketAddr> {
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

/// Binds the control socket; commands wait in its backlog until the server starts.
fn bind_control(runtime: &Runtime, state_dir: &StateDir) -> Result<control::Server, RunError> {
    let path = state_dir.path();
    let what = format!("cannot open the control socket in {}", path.display());
    runtime.block_on(async { system(what, control::Server::bind(path)) })
}

/// Starts to answer commands.
fn start_control(runtime: &Runtime, server: control::Server, host: &Arc<Host>) -> JoinHandle<()> {
    let host = Arc::clone(host);
    runtime.spawn(server.run(Arc::new(move |command, session| host.command(command, session))))
}

/// Takes the listener that was passed for an address, or binds one; keeps a second handle for a successor.
fn open_door(
    runtime: &Runtime,
    (purpose, address): (Purpose, SocketAddr),
    inherited: &mut Inherited,
    doors: &mut Vec<(Purpose, OwnedFd)>,
) -> Result<TcpListener, RunError> {
    let (what, key) = match purpose {
        Purpose::Metrics => ("metrics", "metrics.listen"),
        _ => ("pages", "web.listen"),
    };
    let what = format!("cannot listen on {address} for {what}: choose another {key}");
    let passed = inherited.listener(purpose, address);
    let listener = system(
        what,
        runtime.block_on(async {
            match passed {
                Some(listener) => TcpListener::from_std(listener?),
                None => TcpListener::bind(address).await,
            }
        }),
    )?;
    // Without a second handle the successor binds it again.
    doors.extend(listener.as_fd().try_clone_to_owned().ok().map(|handle| (purpose, handle)));
    Ok(listener)
}

/// Starts the metrics listener.
fn start_metrics(
    runtime: &Runtime,
    listener: TcpListener,
    host: &Arc<Host>,
) -> Result<SocketAddr, RunError> {
    // Weak, so that metrics do not keep the DNS sockets open at a stop.
    let (weak, started) = (Arc::downgrade(host), SystemTime::now());
    let figures =
        Arc::new(move || weak.upgrade().map(|host| host.figures(started)).unwrap_or_default());
    let weak = Arc::downgrade(host);
    let ready = Arc::new(move || match weak.upgrade() {
        Some(host) => host.health_of(&host.publisher.status()).answer(),
        None => Err("it is stopping\n".to_owned()),
    });
    let live = host.publisher.shared();
    let served = Arc::new(move || {
        let zones = live.load();
        zones.iter().next().is_none() || zones.iter().any(|entry| entry.zone().is_some())
    });
    let bound = system("metrics", listener.local_addr())?;
    runtime.spawn(metrics::serve(listener, figures, ready, served));
    Ok(bound)
}

/// Starts anew, by itself, as soon as the database can be worked on: until then a stand-in is in its place.
fn await_database(
    runtime: &Runtime,
    awaited: Awaited,
    host: &Arc<Host>,
    stopped: &watch::Receiver<bool>,
) {
    let (events, awaited, begun) = (host.events.clone(), Arc::new(awaited), Instant::now());
    drop(runtime.spawn(every(TICK, stopped.clone(), move |_| {
        if begun.elapsed() >= AGAIN_AFTER && awaited.has_come() {
            events.send(Event::Again);
        }
    })));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    #[test]
    fn after_a_stop_nothing_is_left_open() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().display();
        let zone = "$TTL 60\n@ SOA ns host 1 60 60 60 60\n@ NS ns\nns A 192.0.2.1\n";
        std::fs::write(directory.path().join("zone"), zone).unwrap();
        let settings = format!(
            "[server]\nlisten = [\"127.0.0.1:0\"]\nstate_dir = \"{root}/state\"\n\
             [web]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n\
             [[zone]]\nname = \"example.\"\nfile = \"{root}/zone\"\n"
        );
        let path = directory.path().join("gapura.toml");
        std::fs::write(&path, settings).unwrap();
        let loaded = load(&path).unwrap();
        let start = Start {
            inherited: Inherited::default(),
            notifier: Notifier::default(),
            rights: Vec::new(),
            program: None,
            events: Events::none(),
            late: Late::default(),
        };
        let (building, ready) = Building::start(&loaded, start, |_| Ok(())).unwrap();
        let metrics = ready.metrics.unwrap();
        let state = directory.path().join("state");
        assert!(control::call(&state, &control::Command::Status).is_ok());
        assert!(std::net::TcpStream::connect(ready.dns[0]).is_ok());
        assert!(StateDir::take(&state).is_err());
        building.stop();
        assert!(control::call(&state, &control::Command::Status).is_err());
        assert!(std::net::UdpSocket::bind(ready.dns[0]).is_ok(), "DNS over UDP");
        assert!(std::net::TcpStream::connect(ready.dns[0]).is_err(), "DNS over TCP");
        assert!(std::net::TcpStream::connect(metrics).is_err(), "metrics");
        assert!(StateDir::take(&state).is_ok(), "the state directory");
    }
}
