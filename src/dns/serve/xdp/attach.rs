//! Programs attached to interfaces, and their workers.
//!
//! ```text
//! attach  program on the interface (passes everything) ─► sockets bound ─► workers ─► sockets in the map
//! leave   sockets out of the map ─► program off ─► what was taken is answered ─► workers end
//! ```
//!
//! A queue that the process before ours, killed a moment ago, still has is tried again for two seconds.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::batch::Terms;
use super::bpf::{self, Mode};
use super::interface::{Watch, holder};
use super::prepare::{Prepared, Ready};
use super::socket::statistics;
use super::worker::Worker;
use crate::serve::batch::system;
use crate::serve::responder::Shared;

/// How long an interface may be another's.
pub(super) const BUSY_MAX: Duration = Duration::from_secs(2);
/// How long until it is tried again.
const BUSY_REST: Duration = Duration::from_millis(20);

/// The addresses that are listened on, each with a socket for responses that come later.
pub(crate) type Endpoints = Vec<(SocketAddr, Arc<UdpSocket>)>;

//------------ Xdp -----------------------------------------------------------

/// Interfaces whose queries come over AF_XDP; they leave when this is dropped.
#[derive(Default)]
pub(crate) struct Xdp {
    /// Each interface of the settings.
    interfaces: Vec<(String, Result<Attached, String>)>,
}

impl Xdp {
    /// Attaches what was prepared. What fails is logged.
    pub(crate) fn attach(prepared: Prepared, shared: &Arc<Shared>, endpoints: &Endpoints) -> Self {
        let until = Instant::now() + BUSY_MAX;
        let attach = |(name, ready): (String, Result<Ready, String>)| {
            let attached = ready.and_then(|ready| Attached::new(ready, shared, endpoints, until));
            match &attached {
                Ok(it) => tracing::info!(
                    event = "xdp_attached", interface = name, mode = it.mode.word(),
                    zero_copy = it.is_zero_copy, queues = it.workers.len(), addresses = ?it.targets,
                    "queries come over AF_XDP"
                ),
                Err(why) => tracing::warn!(
                    event = "xdp_failed",
                    interface = name,
                    why,
                    "no AF_XDP: sockets answer"
                ),
            }
            (name, attached)
        };
        Self { interfaces: prepared.interfaces.into_iter().map(attach).collect() }
    }

    /// Interfaces without it, each with the reason.
    pub(crate) fn troubles(&self) -> Vec<String> {
        let failed = |(name, attached): &(String, Result<Attached, String>)| {
            let why = match attached {
                Ok(attached) => attached.watch.trouble()?,
                Err(why) => why.clone(),
            };
            Some(format!("server.xdp: {name}: {why}: sockets answer"))
        };
        self.interfaces.iter().filter_map(failed).collect()
    }

    /// What is known of each interface.
    pub(crate) fn reports(&self) -> Vec<XdpReport> {
        let report = |(name, attached): &(String, Result<Attached, String>)| {
            let counted = attached.as_ref().map(Attached::report).unwrap_or_default();
            XdpReport { interface: name.clone(), ..counted }
        };
        self.interfaces.iter().map(report).collect()
    }
}

/// What is known of an interface of `server.xdp`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct XdpReport {
    /// Its name.
    pub interface: String,
    /// How its program is attached, `"native"` or `"generic"`; `None`: sockets answer.
    pub mode: Option<&'static str>,
    /// Whether its frames are not copied.
    pub zero_copy: bool,
    /// Queries.
    pub received: u64,
    /// Responses.
    pub sent: u64,
    /// Frames with a wrong checksum or an impossible source.
    pub invalid: u64,
    /// Frames that the kernel dropped because workers were too slow.
    pub dropped: u64,
}

//------------ Attached ------------------------------------------------------

/// A program on an interface, and who reads what it redirects.
struct Attached {
    /// Whether its interface is still there.
    watch: Watch,
    /// How the program is attached.
    mode: Mode,
    /// Whether frames are not copied.
    is_zero_copy: bool,
    /// The addresses that it compares with.
    targets: Vec<SocketAddr>,
    /// The sockets of the queues.
    map: OwnedFd,
    /// Holds the program on the interface.
    link: Option<OwnedFd>,
    /// One for each queue.
    workers: Vec<Worker>,
}

impl Attached {
    /// Attaches the program to an interface and starts its workers, or says in words why not.
    fn new(
        ready: Ready,
        shared: &Arc<Shared>,
        endpoints: &Endpoints,
        until: Instant,
    ) -> Result<Self, String> {
        let Ready { interface, targets, program, map, sockets } = ready;
        let watch = Watch::new(&interface);
        let watch = watch.map_err(|error| format!("it cannot be watched: {error}"))?;
        // Of the addresses that are listened on, those that queries can come to over this interface.
        let is_used = |at| targets.iter().any(|target| listener(endpoints, *target) == Some(at));
        let used = (0..).zip(endpoints).filter(|(at, _)| is_used(*at)).map(|(_, it)| it.clone());
        let used: Endpoints = used.collect();
        if used.is_empty() {
            return Err("no socket listens at an address that it could be asked at".to_owned());
        }
        let (link, mode) = link(&program, interface.index, until).map_err(|error| {
            if is_busy(&error) {
                return holder(&interface.name);
            }
            format!("its driver and the kernel take no program: {error}")
        })?;
        let listened = |target: &SocketAddr| Some((*target, listener(&used, *target)?));
        let terms = Terms {
            interface: interface.index,
            mtu: interface.mtu,
            response_octets: usize::from(shared.policy.load().identity.udp_size),
            targets: targets.iter().filter_map(listened).collect(),
            own: targets.iter().map(SocketAddr::ip).chain(interface.addresses).collect(),
        };
        let cpus = system::allowed_cpus().unwrap_or_default();
        let (link, workers) = (Some(link), Vec::new());
        let mut attached = Self { watch, mode, is_zero_copy: true, targets, map, link, workers };
        for (queue, socket) in (0..).zip(sockets) {
            let copy = mode == Mode::Generic;
            again(until, || socket.bind(interface.index, queue, copy))
                .map_err(|error| format!("its queue {queue} cannot be read: {error}"))?;
            attached.is_zero_copy &= socket.is_zero_copy();
            let cpu = cpus.get(queue as usize % cpus.len().max(1)).copied();
            let started = Worker::start(socket, terms.clone(), shared, &used, cpu)
                .and_then(|worker| bpf::put(&attached.map, queue, &worker.socket).map(|()| worker));
            let failed = |error: io::Error| format!("its queue {queue} gets no worker: {error}");
            attached.workers.push(started.map_err(failed)?);
        }
        Ok(attached)
    }

    /// What is known of it, but for its name.
    fn report(&self) -> XdpReport {
        let mode = self.watch.trouble().is_none().then_some(self.mode.word());
        let zero_copy = mode.is_some() && self.is_zero_copy;
        let mut report = XdpReport { mode, zero_copy, ..XdpReport::default() };
        for worker in &self.workers {
            let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
            report.received += read(&worker.tally.received);
            report.sent += read(&worker.tally.sent);
            report.invalid += read(&worker.tally.invalid);
            if let Some(counted) = statistics(&worker.socket) {
                let full = counted.rx_ring_full.unwrap_or_default();
                report.dropped += counted.rx_dropped + full;
            }
        }
        report
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // From here on the kernel gets every frame, and its sockets the queries. What fails here is done by the next
        // line.
        for (queue, _) in (0..).zip(&self.workers) {
            let _ = bpf::remove(&self.map, queue);
        }
        self.link = None;
        self.workers.iter_mut().for_each(Worker::request_leave);
        self.workers.clear();
    }
}

/// Which endpoint answers at an address: its own, or one that listens on all.
fn listener(endpoints: &Endpoints, target: SocketAddr) -> Option<usize> {
    let is_own = |(address, _): &(SocketAddr, _)| {
        (address.ip(), address.port()) == (target.ip(), target.port())
    };
    let is_any = |(address, _): &(SocketAddr, _)| {
        address.ip().is_unspecified()
            && (address.is_ipv4(), address.port()) == (target.is_ipv4(), target.port())
    };
    let own = endpoints.iter().position(is_own);
    own.or_else(|| endpoints.iter().position(is_any))
}

/// Attaches a program: by the driver, or else by the kernel.
pub(super) fn link(
    program: &OwnedFd,
    interface: u32,
    until: Instant,
) -> io::Result<(OwnedFd, Mode)> {
    let attach = |mode| again(until, || bpf::attach(program, interface, mode));
    match attach(Mode::Native) {
        Ok(link) => Ok((link, Mode::Native)),
        Err(error) if is_busy(&error) => Err(error),
        Err(error) => {
            tracing::debug!(interface, %error, "the driver takes no program");
            attach(Mode::Generic).map(|link| (link, Mode::Generic))
        }
    }
}

/// Tries until it is no other's any more.
fn again<T>(until: Instant, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match work() {
            Err(error) if is_busy(&error) && Instant::now() < until => {
                std::thread::sleep(BUSY_REST);
            }
            result => return result,
        }
    }
}

/// Whether something belongs to another.
fn is_busy(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EEXIST))
}
