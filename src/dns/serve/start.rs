//! Start and stop of all listeners.
//!
//! First every address is bound, so that a wrong one stops the start before anything runs; then the workers
//! start. A query log or a certificate that cannot be used keeps nothing else from its work.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

#[cfg(test)]
use crate::answer::CookieSecrets;
use crate::answer::{Identity, Transport};
use crate::lock::lock;
use crate::tsig::Keyring;
use crate::wire::Name;
use crate::zone::{ZoneSet, name_hash};

use super::acl::Acl;
use super::batch::system;
use super::caretaker::Caretaker;
use super::certificates::{CertificateReport, Certificates};
use super::cookie_secret;
use super::counters::{Lane, Register, Totals};
use super::dnstap::{Dnstap, DnstapOptions};
use super::errand::{Errands, Queue, Slots};
use super::inherited::{Inherited, Purpose};
use super::limit::{Limiter, RateLimit};
use super::listen::{self, ListenError, Sockets};
use super::log::LogState;
use super::operations::Operations;
use super::proxies::Proxies;
use super::query_log::{QueryLog, QueryLogOptions};
use super::quic::QuicServer;
use super::refusals::Refusals;
use super::responder::{Policy, Shared};
use super::samples::{Samples, Tap};
use super::stream::{StreamLimits, StreamListener, StreamServer};
use super::udp::UdpWorker;
use super::xdp::{Endpoints, Prepared, Xdp, XdpReport};

/// How long workers may take to look up from a wait, and connections to finish, where the sockets go on.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// How long they have for it before they are told again.
const NUDGE_REST: Duration = Duration::from_millis(1);

//------------ Options -------------------------------------------------------

/// The settings of all listeners.
#[derive(Clone, Debug)]
pub struct Options {
    /// Addresses for UDP and TCP. Port 0: any free port, the same for both.
    pub listen: Vec<SocketAddr>,
    /// Whether addresses may be listened on that this machine does not have yet.
    pub freebind: bool,
    /// UDP workers for each address; 0: one for each core.
    pub udp_workers: usize,
    /// The interfaces whose queries come over AF_XDP, once [`Running::start_xdp`] is called.
    pub xdp: Vec<String>,
    /// Stream threads; 0: one for each core.
    pub stream_workers: usize,
    /// What connections may take.
    pub streams: StreamLimits,
    /// DNS over TLS; `None`: off.
    pub tls: Option<Secured>,
    /// DNS over QUIC; `None`: off.
    pub quic: Option<Secured>,
    /// What the server says about itself; its cookie secrets come from the next field.
    pub identity: Identity,
    /// The secrets of cookies, newest first; none: one of our own, made at the start and rolled.
    pub cookie_secrets: Vec<[u8; 16]>,
    /// The clients that may query.
    pub allow_query: Acl,
    /// The rate limit; `None`: off.
    pub rate_limit: Option<RateLimit>,
    /// Who speaks for others, by a PROXY header.
    pub proxies: Proxies,
    /// The query log; `None`: off.
    pub query_log: Option<QueryLogOptions>,
    /// dnstap; `None`: off.
    pub dnstap: Option<DnstapOptions>,
    /// Whether a sample of the names asked for is kept for whoever collects it from the [`Tap`].
    pub samples: bool,
    /// The TSIG keys.
    pub keyring: Keyring,
    /// Performs transfers, NOTIFY and UPDATE; `None`: nobody does.
    pub operations: Option<Arc<dyn Operations>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            freebind: false,
            udp_workers: 0,
            xdp: Vec::new(),
            stream_workers: 0,
            streams: StreamLimits::default(),
            tls: None,
            quic: None,
            identity: Identity::default(),
            cookie_secrets: Vec::new(),
            allow_query: Acl::everybody(),
            rate_limit: None,
            proxies: Proxies::default(),
            query_log: None,
            dnstap: None,
            samples: false,
            keyring: Keyring::default(),
            operations: None,
        }
    }
}

/// An encrypted listener.
#[derive(Clone, Debug)]
pub struct Secured {
    /// Its addresses.
    pub listen: Vec<SocketAddr>,
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Who may have signed the certificates of clients, PEM; empty: no client is asked for one.
    pub client_ca: PathBuf,
}

//------------ StartError ----------------------------------------------------

/// Why the listeners did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),
    /// A thread or runtime cannot be made.
    #[error("cannot start the threads that answer")]
    Threads(#[source] io::Error),
}

impl StartError {
    /// Whether it may be over in a moment. Another program's port is never waited for: that program may be about to come back.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Listen(error) => !matches!(
                error.source.kind(),
                io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied
            ),
            Self::Tls(_) => false,
            Self::Threads(_) => true,
        }
    }
}

//------------ start ---------------------------------------------------------

/// Binds every listener, then starts to answer from `zones`.
pub fn start(options: Options, zones: Arc<ArcSwap<ZoneSet>>) -> Result<Running, StartError> {
    start_on(options, zones, &mut Inherited::default())
}

/// The same with sockets that were passed to us, where they fit.
pub fn start_on(
    options: Options,
    zones: Arc<ArcSwap<ZoneSet>>,
    passed: &mut Inherited,
) -> Result<Running, StartError> {
    let cpus = system::allowed_cpus().unwrap_or_default();
    let (udp_workers, stream_workers) = workers(&options, cpus.len());
    let lives_on = passed.lives_on();
    let mut bound = Bound::all(&options, (udp_workers, stream_workers), passed)?;
    let mut certificates = Certificates::default();
    let load = |certificates: &mut Certificates, transport, secured: &Secured| {
        certificates.load(transport, secured)
    };
    let tls = options.tls.as_ref().map(|tls| load(&mut certificates, Transport::Tls, tls));
    let tls = tls.map(|it| it.acceptor().map_err(StartError::Tls)).transpose()?;
    let quic = options.quic.as_ref().map(|quic| load(&mut certificates, Transport::Quic, quic));
    let shared = Arc::new(share(&options, zones)?);
    let groups = bound.stream_groups(tls.as_ref());
    let mut udp = Vec::new();
    for (index, socket) in bound.udp.into_iter().enumerate() {
        let cpu = (!cpus.is_empty()).then(|| cpus[index % cpus.len()]);
        let worker = UdpWorker::start(shared.clone(), socket, cpu);
        udp.push(worker.map_err(StartError::Threads)?);
    }
    let errands = Errands::start(&shared).map_err(StartError::Threads)?;
    let streams = StreamServer::start(&shared, groups, options.streams);
    let streams = streams.map_err(StartError::Threads)?;
    let quic = match quic {
        Some(certificate) if !bound.quic.is_empty() => {
            let server = QuicServer::start(shared.clone(), bound.quic, certificate);
            Some(server.map_err(StartError::Threads)?)
        }
        _ => None,
    };
    let caretaker =
        Caretaker::start(shared.clone(), certificates.clone()).map_err(StartError::Threads)?;
    let (listening, warnings, handles) = (bound.listening, bound.warnings, bound.handles);
    Ok(Running {
        listening,
        warnings,
        handles,
        lives_on: AtomicBool::new(lives_on),
        xdp_names: options.xdp,
        xdp_prepared: Mutex::new(passed.xdp.take()),
        xdp: Mutex::default(),
        udp,
        streams,
        quic,
        errands,
        _caretaker: caretaker,
        certificates,
        shared,
    })
}

/// Binds every listener that was not passed and answers nothing: for a process that may bind now and not later.
pub fn bind(options: &Options, passed: &mut Inherited) -> Result<(), StartError> {
    let cpus = system::allowed_cpus().unwrap_or_default();
    let bound = Bound::all(options, workers(options, cpus.len()), passed)?;
    for (purpose, socket) in bound.handles {
        // What was just bound can be listened on.
        let _ = passed.add(socket, Some(purpose));
    }
    Ok(())
}

/// Makes what AF_XDP needs rights for: for a process that has them now and not later. [`start_on`] takes it from
/// there. What fails is told by [`Running::start_xdp`].
pub fn prepare_xdp(options: &Options, passed: &mut Inherited) {
    if !options.xdp.is_empty() {
        let address = |wanted: &SocketAddr| passed.address(Purpose::Dns, *wanted);
        let listen: Vec<SocketAddr> = options.listen.iter().map(address).collect();
        passed.xdp = Some(Prepared::new(&options.xdp, &listen));
    }
}

/// How many workers of UDP for each address, and stream threads.
fn workers(options: &Options, cores: usize) -> (usize, usize) {
    let or_cores = |count: usize| if count == 0 { cores.max(1) } else { count };
    (or_cores(options.udp_workers), or_cores(options.stream_workers))
}

/// What all workers share.
fn share(options: &Options, zones: Arc<ArcSwap<ZoneSet>>) -> Result<Shared, StartError> {
    let mut identity = options.identity.clone();
    let given = cookie_secret::given(&options.cookie_secrets);
    let rolls_cookies = given.is_none();
    identity.cookies = given.or_else(cookie_secret::fresh);
    let log = options.query_log.clone().map(QueryLog::start).transpose();
    let dnstap = options.dnstap.clone().map(Dnstap::start).transpose();
    Ok(Shared {
        zones,
        policy: ArcSwap::from_pointee(Policy {
            identity: Arc::new(identity),
            allow_query: Arc::new(options.allow_query.clone()),
            limiter: options.rate_limit.as_ref().map(Limiter::new).map(Arc::new),
            keyring: Arc::new(options.keyring.clone()),
            rolls_cookies,
            proxies: options.proxies.clone(),
        }),
        log: log.map_err(StartError::Threads)?,
        dnstap: dnstap.map_err(StartError::Threads)?,
        counters: Register::default(),
        samples: options.samples.then(Samples::default),
        refusals: Refusals::default(),
        operations: options.operations.clone(),
        errands: Queue::default(),
        slots: Slots::default(),
        places: Arc::default(),
        restarts: AtomicU64::new(0),
    })
}

//------------ Bound ---------------------------------------------------------

/// All sockets, before anything runs.
#[derive(Default)]
struct Bound {
    /// Whether an address may be one that this machine does not have yet.
    free: bool,
    /// Where they listen.
    listening: Vec<Listening>,
    /// Addresses that could not be bound and do not matter here.
    warnings: Vec<String>,
    /// Sockets of UDP workers, address by address.
    udp: Vec<std::net::UdpSocket>,
    /// Listeners of stream threads: transport, thread, socket.
    tcp: Vec<(Transport, usize, std::net::TcpListener)>,
    /// Sockets for QUIC.
    quic: Vec<std::net::UdpSocket>,
    /// A second handle on each of them, for who comes after us.
    handles: Vec<(Purpose, OwnedFd)>,
}

impl Bound {
    /// Takes or binds all addresses of the settings.
    fn all(
        options: &Options,
        (udp, tcp): (usize, usize),
        passed: &mut Inherited,
    ) -> Result<Self, ListenError> {
        let mut bound = Self { free: options.freebind, ..Self::default() };
        for address in &options.listen {
            bound.open(Transport::Udp, *address, (udp, tcp), passed)?;
        }
        for address in options.tls.iter().flat_map(|tls| &tls.listen) {
            bound.open(Transport::Tls, *address, (0, tcp), passed)?;
        }
        for address in options.quic.iter().flat_map(|quic| &quic.listen) {
            bound.open(Transport::Quic, *address, (1, 0), passed)?;
        }
        Ok(bound)
    }

    /// Takes or binds one address: for UDP and TCP, or for an encrypted transport.
    fn open(
        &mut self,
        transport: Transport,
        address: SocketAddr,
        counts: (usize, usize),
        passed: &mut Inherited,
    ) -> Result<(), ListenError> {
        let purpose = match transport {
            Transport::Udp | Transport::Tcp => Purpose::Dns,
            Transport::Tls => Purpose::Tls,
            Transport::Quic => Purpose::Quic,
        };
        let Some(sockets) = self.sockets(purpose, address, counts, passed)? else {
            return Ok(());
        };
        self.keep(purpose, &sockets);
        let address = sockets.address;
        match transport {
            Transport::Tls => self.add_tcp(Transport::Tls, address, sockets.tcp),
            Transport::Quic => {
                self.listening.push(Listening { transport, address });
                self.quic.extend(sockets.udp);
            }
            Transport::Udp | Transport::Tcp => {
                self.listening.push(Listening { transport: Transport::Udp, address });
                self.udp.extend(sockets.udp);
                self.add_tcp(Transport::Tcp, address, sockets.tcp);
            }
        }
        Ok(())
    }

    /// Keeps a second handle on each socket. Without one it is bound anew by who comes after us.
    fn keep(&mut self, purpose: Purpose, sockets: &Sockets) {
        let udp = sockets.udp.iter().map(|it| it.as_fd().try_clone_to_owned());
        let tcp = sockets.tcp.iter().map(|it| it.as_fd().try_clone_to_owned());
        self.handles.extend(udp.chain(tcp).flatten().map(|handle| (purpose, handle)));
    }

    /// Adds listeners, one for each stream thread.
    fn add_tcp(
        &mut self,
        transport: Transport,
        address: SocketAddr,
        sockets: Vec<std::net::TcpListener>,
    ) {
        self.listening.push(Listening { transport, address });
        let sockets = sockets.into_iter().enumerate();
        self.tcp.extend(sockets.map(|(thread, socket)| (transport, thread, socket)));
    }

    /// Takes or binds; IPv6 on a machine that has none is a warning.
    fn sockets(
        &mut self,
        purpose: Purpose,
        address: SocketAddr,
        counts: (usize, usize),
        passed: &mut Inherited,
    ) -> Result<Option<Sockets>, ListenError> {
        match listen::open(purpose, address, counts, self.free, passed) {
            Ok(sockets) => Ok(Some(sockets)),
            Err(error) if error.is_missing_ipv6() => {
                let warning = format!("not listening on {address}: this machine has no IPv6");
                tracing::warn!("{warning}");
                self.warnings.push(warning);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The listeners of each stream thread.
    fn stream_groups(&mut self, tls: Option<&super::tls::Handshakes>) -> Vec<Vec<StreamListener>> {
        let mut groups: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for (transport, thread, socket) in self.tcp.drain(..) {
            let tls = tls.filter(|_| transport == Transport::Tls).cloned();
            groups.entry(thread).or_default().push(StreamListener { socket, tls });
        }
        groups.into_values().collect()
    }
}

//------------ Running -------------------------------------------------------

/// An address that is listened on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listening {
    /// How queries come in there.
    pub transport: Transport,
    /// The address, with its real port.
    pub address: SocketAddr,
}

/// All listeners, running. They stop when this is dropped.
pub struct Running {
    /// A second handle on each socket, for who comes after us.
    handles: Vec<(Purpose, OwnedFd)>,
    /// Whether the sockets go on when we stop, because another process has them, too.
    lives_on: AtomicBool,
    /// Where it listens.
    listening: Vec<Listening>,
    /// Addresses that could not be bound and do not matter here.
    warnings: Vec<String>,
    /// The interfaces of `server.xdp`.
    xdp_names: Vec<String>,
    /// What was made for them while this process had the rights.
    xdp_prepared: Mutex<Option<Prepared>>,
    /// Those that are attached.
    xdp: Mutex<Xdp>,
    /// UDP workers.
    udp: Vec<UdpWorker>,
    /// Stream threads.
    streams: StreamServer,
    /// QUIC.
    quic: Option<QuicServer>,
    /// Runs errands of UDP; after the workers, which hand them over.
    errands: Errands,
    /// Does what the time asks for.
    _caretaker: Caretaker,
    /// The certificates of encrypted transports.
    certificates: Certificates,
    /// What all share; last, because the log ends after those that write it.
    shared: Arc<Shared>,
}

impl Running {
    /// Where it listens, in the order of the settings.
    pub fn addresses(&self) -> &[Listening] {
        &self.listening
    }

    /// Addresses that could not be bound and do not matter here, as in the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Lets queries of the interfaces of `server.xdp` come over AF_XDP, now that sockets answer and nobody who answered
    /// before us holds the interfaces any more. What fails is logged and among [`Self::soon`].
    pub fn start_xdp(&self) {
        if self.xdp_names.is_empty() {
            return;
        }
        let mut endpoints = Endpoints::new();
        for (address, socket) in self.udp.iter().filter_map(|it| it.endpoint().ok()) {
            if endpoints.iter().all(|(known, _)| *known != address) {
                endpoints.push((address, socket));
            }
        }
        let prepare = || {
            let addresses: Vec<SocketAddr> =
                endpoints.iter().map(|(address, _)| *address).collect();
            Prepared::new(&self.xdp_names, &addresses)
        };
        let prepared = lock(&self.xdp_prepared).take().unwrap_or_else(prepare);
        *lock(&self.xdp) = Xdp::attach(prepared, &self.shared, &endpoints);
    }

    /// What is known of each interface of `server.xdp`.
    pub fn xdp(&self) -> Vec<XdpReport> {
        lock(&self.xdp).reports()
    }

    /// Every socket, for who comes after us.
    pub fn handles(&self) -> &[(Purpose, OwnedFd)] {
        &self.handles
    }

    /// From now on another process has the sockets, too: a stop leaves them as they are.
    pub fn share_sockets(&self) {
        self.lives_on.store(true, Ordering::Relaxed);
    }

    /// What was counted so far, by transport and address family.
    pub fn counters(&self) -> Vec<(Lane, Totals)> {
        self.shared.counters.totals()
    }

    /// Queries answered from each of these zones, and from those that there was no room to count.
    pub fn zone_queries<'n>(&self, zones: impl Iterator<Item = &'n Name>) -> (Vec<u64>, u64) {
        let counts = self.shared.counters.zone_queries();
        let of = |zone: Option<u64>| counts.get(&zone).copied().unwrap_or_default();
        (zones.map(|zone| of(Some(name_hash(zone.as_ref()).get()))).collect(), of(None))
    }

    /// Listeners that ended by themselves and were started again.
    pub fn restarts(&self) -> u64 {
        self.shared.restarts.load(Ordering::Relaxed)
    }

    /// Queries that each worker of a transport has answered.
    #[cfg(test)]
    pub(super) fn answered_by_each(&self, transport: Transport) -> Vec<u64> {
        self.shared.counters.of_each(transport).iter().map(|it| it.opcodes.iter().sum()).collect()
    }

    /// TCP and TLS connections open now.
    pub fn connections(&self) -> usize {
        self.streams.connections()
    }

    /// How the query log does; `None` without a log.
    pub fn query_log(&self) -> Option<LogState> {
        self.shared.log.as_ref().map(QueryLog::state)
    }

    /// How dnstap does; `None` without it.
    pub fn dnstap(&self) -> Option<LogState> {
        self.shared.dnstap.as_ref().map(Dnstap::state)
    }

    /// Opens the logs of queries again, after their files were moved away.
    pub fn reopen_logs(&self) {
        if let Some(log) = &self.shared.log {
            log.reopen();
        }
        if let Some(dnstap) = &self.shared.dnstap {
            dnstap.reopen();
        }
    }

    /// Waits until the logs of queries that are to be opened again are, so long at most; each by its name, with
    /// what is wrong with it.
    pub fn wait_for_logs(&self, longest: Duration) -> Vec<(&'static str, Option<String>)> {
        let until = Instant::now() + longest;
        let log = self.shared.log.as_ref().map(|log| log.wait_for_reopening(until));
        let dnstap = self.shared.dnstap.as_ref().map(|log| log.wait_for_reopening(until));
        log.into_iter().chain(dnstap).collect()
    }

    /// Changes what the server says about itself, from the next batch on. Cookie secrets and the size of UDP
    /// responses, for which buffers were made, stay.
    pub fn set_identity(&self, identity: Identity) {
        self.shared.change_identity(|old| {
            let (cookies, udp_size) = (old.cookies.clone(), old.udp_size);
            Identity { cookies, udp_size, ..identity.clone() }
        });
    }

    /// The cookie secrets in use; `None` without cookies.
    #[cfg(test)]
    pub(super) fn cookie_secrets(&self) -> Option<CookieSecrets> {
        self.shared.policy.load().identity.cookies.clone()
    }

    /// Uses these cookie secrets from the next batch on.
    #[cfg(test)]
    pub(super) fn use_cookie_secrets(&self, secrets: Option<&CookieSecrets>) {
        self.shared.change_identity(|old| Identity { cookies: secrets.cloned(), ..old.clone() });
    }

    /// What may be read of the workers for statistics.
    pub fn tap(&self) -> Tap {
        Tap::new(&self.shared)
    }

    /// Lets these clients query from the next batch on.
    pub fn set_allow_query(&self, acl: Acl) {
        let allow_query = Arc::new(acl);
        self.shared
            .policy
            .rcu(|old| Policy { allow_query: allow_query.clone(), ..Policy::clone(old) });
    }

    /// Knows these TSIG keys from the next batch on, also on connections that are open. Returns whether they
    /// are others than before.
    pub fn set_keyring(&self, keyring: Keyring) -> bool {
        let keyring = Arc::new(keyring);
        let set = |old: &Arc<Policy>| Policy { keyring: keyring.clone(), ..Policy::clone(old) };
        self.shared.policy.rcu(set).keyring != keyring
    }

    /// Makes cookies with the first of these secrets from the next batch on, and accepts those of all of them; none:
    /// with one of our own again.
    pub fn set_cookie_secrets(&self, secrets: &[[u8; 16]]) {
        let given = cookie_secret::given(secrets);
        let fresh = cookie_secret::fresh();
        self.shared.policy.rcu(|old| {
            let rolls_cookies = given.is_none();
            if rolls_cookies && old.rolls_cookies {
                return Policy::clone(old);
            }
            let cookies = given.clone().or_else(|| fresh.clone());
            let identity = Arc::new(Identity { cookies, ..Identity::clone(&old.identity) });
            Policy { identity, rolls_cookies, ..Policy::clone(old) }
        });
    }

    /// Takes these for proxies from the next batch and connection on.
    pub fn set_proxies(&self, proxies: &Proxies) {
        self.shared.policy.rcu(|old| Policy { proxies: proxies.clone(), ..Policy::clone(old) });
    }

    /// Limits responses like this from the next batch on; `None`: not at all. What clients had used of the
    /// limit before is forgotten.
    pub fn set_rate_limit(&self, limit: Option<&RateLimit>) {
        let limiter = limit.map(Limiter::new).map(Arc::new);
        self.shared.policy.rcu(|old| Policy { limiter: limiter.clone(), ..Policy::clone(old) });
    }

    /// Admits connections by these limits from now on.
    pub fn set_stream_limits(&self, limits: StreamLimits) {
        self.streams.set_limits(limits);
    }

    /// Logs queries like this from the next batch on, if there is a log.
    pub fn set_query_log(&self, options: QueryLogOptions) {
        if let Some(log) = &self.shared.log {
            log.configure(options);
        }
    }

    /// Sends dnstap like this from the next batch on, if it is on.
    pub fn set_dnstap(&self, options: DnstapOptions) {
        if let Some(dnstap) = &self.shared.dnstap {
            dnstap.configure(options);
        }
    }

    /// Loads certificates and keys again, each by itself; what fails stays as it was.
    pub fn reload_certificates(&self) -> Vec<CertificateReport> {
        self.certificates.reload()
    }

    /// Takes an encrypted transport's certificate from other files at the next loading.
    pub fn set_certificate_files(&self, transport: Transport, secured: &Secured) {
        self.certificates.set_files(transport, secured);
    }

    /// What is known of each certificate.
    pub fn certificates(&self) -> Vec<CertificateReport> {
        self.certificates.states()
    }

    /// What does not work now, though answers go out: an encrypted listener without a good certificate, a
    /// log that loses entries.
    pub fn faults(&self) -> Vec<String> {
        let log = self.shared.log.as_ref().and_then(QueryLog::complaint);
        let dnstap = self.shared.dnstap.as_ref().and_then(Dnstap::complaint);
        self.certificates.troubles().into_iter().chain(log).chain(dnstap).collect()
    }

    /// What works, but not as it should or not for long: an interface without AF_XDP, a certificate that ends.
    pub fn soon(&self) -> Vec<String> {
        let mut warnings = self.certificates.warnings();
        warnings.extend(lock(&self.xdp).troubles());
        warnings
    }

    /// Answers no more and leaves the sockets to another process. Returns when what was taken is answered.
    pub fn leave(&self) {
        self.share_sockets();
        self.leave_xdp();
        self.streams.request_stop();
        if let Some(quic) = &self.quic {
            quic.request_stop();
        }
        leave(&self.udp);
        let deadline = Instant::now() + LEAVE_MAX;
        while self.connections() > 0 && Instant::now() < deadline {
            std::thread::sleep(NUDGE_REST);
        }
    }

    /// Leaves queries to the sockets.
    pub(super) fn leave_xdp(&self) {
        drop(std::mem::take(&mut *lock(&self.xdp)));
    }

    /// Stops: accepts nothing new, finishes what is in flight within two seconds, flushes the log.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.leave_xdp();
        // All are asked to stop first, so that they stop in parallel; then each is joined as it drops.
        self.streams.request_stop();
        if let Some(quic) = &self.quic {
            quic.request_stop();
        }
        if *self.lives_on.get_mut() {
            leave(&self.udp);
            self.udp.iter_mut().for_each(UdpWorker::let_go);
        } else {
            self.udp.iter().for_each(UdpWorker::request_stop);
        }
        self.errands.request_stop();
    }
}

/// Lets workers finish their batches and leaves their sockets as they are, so that no query is lost that another
/// process will read. One that still waits when the time is over waits for a query that nobody sends.
fn leave(workers: &[UdpWorker]) {
    let deadline = Instant::now() + LEAVE_MAX;
    workers.iter().for_each(UdpWorker::request_leave);
    while workers.iter().any(|it| !it.has_left()) && Instant::now() < deadline {
        workers.iter().filter(|it| !it.has_left()).for_each(UdpWorker::nudge);
        std::thread::sleep(NUDGE_REST);
    }
}
