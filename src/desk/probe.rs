//! The probe: does a target answer, and can a stranger claim it (docs/procedure.md, "Check sheet").
//!
//! ```text
//! disposisi, resubmit, approve ─► start ─► a thread for each target ─► result kept ─► waiting acts
//! ```
//! It runs before an act, never inside its transaction, on threads of its own: nobody who waits for
//! it holds a lock, and no request's probe waits for another's. Its own limits: public addresses only,
//! checked again on connecting; ports 25, 53, 80; `probe.seconds` for all targets of a request together,
//! 64 KiB each; redirects are not followed; at most 16 targets, and `probe.at_once` requests at once.

mod flight;
mod resolve;

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::dns_client::{Client, Transport};
use crate::queue::targets::Prefix;
use crate::queue::{ParsedApplication, ParsedRecord, Place, Probe, Targets};
use crate::wire::{Name, Rtype};

use flight::Flights;
pub use flight::ProbeUnderWay;

/// To open a connection.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// Octets read from one target.
const OCTETS_MAX: u64 = 64 * 1024;
/// Targets of one probe.
const TARGETS_MAX: usize = 16;
/// The stack of a probing thread, in octets.
const STACK: usize = 256 * 1024;
/// What hosters answer for a site nobody has set up: whoever sets it up owns the name.
const NO_SUCH_SITE: [&str; 12] = [
    "there isn't a github pages site here",
    "no such app",
    "no such bucket",
    "nosuchbucket",
    "project not found",
    "deployment_not_found",
    "404 web site not found",
    "site not found &middot; github pages",
    "not found - request id",
    "the specified bucket does not exist",
    "domain is not configured",
    "unknown domain",
];

//------------ Prober --------------------------------------------------------

/// Probes requests; clones share the probes under way.
#[derive(Clone)]
pub(super) struct Prober {
    /// `probe.enabled`.
    enabled: bool,
    /// For all targets of a request.
    time: Duration,
    /// What may be connected to: the rules about targets with the exceptions of `probe.allow`.
    rules: Arc<Targets>,
    /// What is being probed.
    flights: Flights,
    /// What targets pretend to be; for tests.
    #[cfg(test)]
    pretended: Arc<std::sync::Mutex<Option<Pretence>>>,
}

/// What a target pretends to be, by its text.
#[cfg(test)]
pub(super) type Pretence = Box<dyn Fn(&str) -> Found + Send>;

impl Prober {
    /// A prober with so much time for the targets of a request, for so many requests at once, that may
    /// connect to public addresses and those allowed.
    pub(super) fn new(enabled: bool, time: Duration, at_once: usize, allow: Vec<Prefix>) -> Self {
        let rules = Arc::new(Targets { allow, ..Targets::default() });
        Self {
            enabled,
            time,
            rules,
            flights: Flights::new(at_once),
            #[cfg(test)]
            pretended: Arc::default(),
        }
    }

    /// Whether targets are probed at all.
    pub(super) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether an application has anything to be probed.
    pub(super) fn applies(&self, application: &ParsedApplication) -> bool {
        self.enabled
            && application.kind.brings_records()
            && !self.of_application(application).is_empty()
    }

    /// Probes the targets of a name, on this thread, one name after another; what came of each.
    pub(super) fn look(&self, targets: &[Target], host: &str) -> Vec<Found> {
        #[cfg(test)]
        if let Some(pretend) = &*crate::lock::lock(&self.pretended) {
            return targets.iter().map(|target| pretend(&target.text())).collect();
        }
        probe_each(targets, host, &self.rules, self.time)
    }

    /// Whether a recursive server answers at all: for the root, which is always there.
    pub(super) fn resolves(&self) -> bool {
        #[cfg(test)]
        if let Some(pretend) = &*crate::lock::lock(&self.pretended) {
            return pretend(".") == Found::Up;
        }
        resolve::answers(Instant::now() + self.time)
    }

    /// Whether targets pretend to be something; for tests.
    #[cfg(test)]
    pub(super) fn is_pretending(&self) -> bool {
        crate::lock::lock(&self.pretended).is_some()
    }

    /// Targets pretend to be something from now on; for tests.
    #[cfg(test)]
    pub(super) fn pretend(&self, found: impl Fn(&str) -> Found + Send + 'static) {
        *crate::lock::lock(&self.pretended) = Some(Box::new(found));
    }

    /// Starts to probe what an application points at and hands the result to `keep`; a probe of the
    /// same `key` that is under way is joined instead. None if nothing is to be probed or there is no
    /// room for one more.
    pub(super) fn start(
        &self,
        key: (String, u32),
        application: &ParsedApplication,
        now_ms: i64,
        keep: impl FnOnce(Probe) + Send + 'static,
    ) -> Option<ProbeUnderWay> {
        if !self.applies(application) {
            return None;
        }
        let targets = self.of_application(application);
        let host = application.place().name.to_string().trim_end_matches('.').to_owned();
        let prober = self.clone();
        self.flights.start(key, move || keep(prober.probe(&targets, &host, now_ms)))
    }

    /// Probes all targets of a request.
    fn probe(&self, targets: &[Target], host: &str, now_ms: i64) -> Probe {
        let found = self.look(targets, host);
        let of = |wanted: &dyn Fn(Found) -> bool| {
            let those = targets.iter().zip(&found).filter(|(_, found)| wanted(**found));
            those.map(|(target, _)| target.text()).collect()
        };
        Probe::Done {
            at: now_ms,
            claimable: of(&|found| found == Found::Claimable),
            down: of(&|found| !matches!(found, Found::Up | Found::Claimable)),
        }
    }

    /// Holds a probe of `key` open until the sender of `held` is dropped; for tests of who waits for it.
    #[cfg(test)]
    pub(super) fn stall(&self, key: (String, u32), held: mpsc::Receiver<()>) {
        drop(self.flights.start(key, move || _ = held.recv()));
    }

    /// The targets of an application that may be probed.
    fn of_application(&self, application: &ParsedApplication) -> Vec<Target> {
        self.targets(application.place(), application.rrs())
    }

    /// The targets of records at a name that may be probed.
    pub(super) fn targets<'a>(
        &self,
        place: &Place,
        records: impl Iterator<Item = &'a ParsedRecord>,
    ) -> Vec<Target> {
        let mut targets = Vec::new();
        for record in records {
            for address in record.addresses() {
                if self.rules.special(address).is_none() {
                    targets.push(Target::Address(address));
                }
            }
            let ours = |name: &Name| name.as_ref().is_at_or_below(place.zone.as_ref());
            for name in record.targets().into_iter().filter(|name| !ours(name)) {
                targets.push(match record.rtype() {
                    Rtype::NS => Target::Server { name, zone: place.name.clone() },
                    Rtype::MX => Target::Mail(name),
                    _ => Target::Name(name),
                });
            }
        }
        targets.truncate(TARGETS_MAX);
        targets
    }
}

/// Probes targets side by side. One that has not answered by the deadline is down.
fn probe_each(targets: &[Target], host: &str, rules: &Arc<Targets>, time: Duration) -> Vec<Found> {
    let deadline = Instant::now() + time;
    let (sender, results) = mpsc::channel();
    for (at, target) in targets.iter().cloned().enumerate() {
        let (sender, host, rules) = (sender.clone(), host.to_owned(), Arc::clone(rules));
        let probing = std::thread::Builder::new().name("probe".to_owned()).stack_size(STACK);
        let probing = probing.spawn(move || {
            // Nobody listens any more when it took too long.
            let _ = sender.send((at, probe(&target, &host, &rules, deadline)));
        });
        if let Err(error) = probing {
            tracing::warn!(%error, "a target could not be probed");
        }
    }
    drop(sender);
    let mut found = vec![Found::Down; targets.len()];
    while let Ok((at, what)) = results.recv_timeout(left(deadline)) {
        found[at] = what;
    }
    found
}

//------------ Target --------------------------------------------------------

/// Something a record points at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, SRV, HTTPS.
    Name(Name),
    /// MX.
    Mail(Name),
    /// NS, and the zone it should be authoritative for.
    Server {
        /// The name server.
        name: Name,
        /// The zone.
        zone: Name,
    },
}

impl Target {
    /// As the check sheet shows it.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(name) | Self::Mail(name) | Self::Server { name, .. } => name.to_string(),
        }
    }
}

/// What came of one target.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Found {
    /// It answers.
    Up,
    /// It answers that nobody has set it up.
    Claimable,
    /// It does not answer.
    Down,
    /// It leads to addresses that are not probed.
    Private,
    /// Nobody could tell: no recursive server answers, or no way leads there from here.
    Unseen,
}

impl Found {
    /// The word for rows and views.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Claimable => "claimable",
            Self::Down => "down",
            Self::Private => "private",
            Self::Unseen => "unseen",
        }
    }
}

/// Probes one target on behalf of `host`.
pub(super) fn probe(target: &Target, host: &str, rules: &Targets, deadline: Instant) -> Found {
    let name = match target {
        Target::Address(address) => return web(&[*address], host, deadline),
        Target::Name(name) | Target::Mail(name) | Target::Server { name, .. } => name,
    };
    let Some(mut addresses) = resolve::addresses(name, deadline) else { return Found::Unseen };
    let is_there = !addresses.is_empty();
    addresses.retain(|address| rules.special(*address).is_none());
    match target {
        _ if addresses.is_empty() => {
            if is_there {
                Found::Private
            } else {
                Found::Down
            }
        }
        Target::Mail(_) => reached(&addresses, 25, deadline),
        Target::Server { zone, .. } => {
            up(addresses.iter().any(|address| is_authoritative(*address, zone, deadline)))
        }
        _ => web(&addresses, host, deadline),
    }
}

/// Up or down.
fn up(is_up: bool) -> Found {
    if is_up { Found::Up } else { Found::Down }
}

/// The time left, at least a moment.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Whether one of these addresses takes connections.
fn reached(addresses: &[IpAddr], port: u16, deadline: Instant) -> Found {
    let mut unseen = true;
    for address in addresses {
        match connect(*address, port, deadline) {
            Ok(_) => return Found::Up,
            Err(found) => unseen &= found == Found::Unseen,
        }
    }
    if unseen { Found::Unseen } else { Found::Down }
}

/// Connects to an address that was found public a moment ago; the address itself is used, so that
/// no second look-up can lead elsewhere.
fn connect(address: IpAddr, port: u16, deadline: Instant) -> Result<TcpStream, Found> {
    let wait = left(deadline).min(CONNECT_TIME);
    let failed = |error: std::io::Error| match error.kind() {
        // A machine without IPv6 cannot say that an address of that family is down.
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown => Found::Unseen,
        _ => Found::Down,
    };
    let stream =
        TcpStream::connect_timeout(&SocketAddr::new(address, port), wait).map_err(failed)?;
    stream.set_read_timeout(Some(left(deadline))).map_err(failed)?;
    stream.set_write_timeout(Some(left(deadline))).map_err(failed)?;
    Ok(stream)
}

/// Asks a web server for this very host.
fn web(addresses: &[IpAddr], host: &str, deadline: Instant) -> Found {
    for address in addresses {
        let Ok(mut stream) = connect(*address, 80, deadline) else { continue };
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gapura-probe\r\nConnection: close\r\n\r\n"
        );
        if stream.write_all(request.as_bytes()).is_err() {
            continue;
        }
        let mut page = Vec::new();
        // A server that keeps the connection open is cut off by the deadline: what came counts.
        drop(read_until(&mut stream, &mut page, deadline));
        if page.is_empty() {
            continue;
        }
        let text = String::from_utf8_lossy(&page).to_lowercase();
        let claimable = NO_SUCH_SITE.iter().any(|mark| text.contains(mark));
        return if claimable { Found::Claimable } else { Found::Up };
    }
    // A site may have nothing but HTTPS; that it takes connections is enough.
    reached(addresses, 443, deadline)
}

/// How long a page that has begun may keep silent before what came of it counts.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads until the end, the limit, a pause or the deadline.
fn read_until(
    stream: &mut TcpStream,
    page: &mut Vec<u8>,
    deadline: Instant,
) -> std::io::Result<()> {
    let mut chunk = [0; 4096];
    while Instant::now() < deadline && (page.len() as u64) < OCTETS_MAX {
        let wait = if page.is_empty() { left(deadline) } else { left(deadline).min(PAUSE) };
        stream.set_read_timeout(Some(wait))?;
        match stream.read(&mut chunk)? {
            0 => break,
            length => page.extend_from_slice(&chunk[..length]),
        }
    }
    Ok(())
}

/// Whether a name server answers for a zone with authority (RFC 1035 §4.1.1, AA).
fn is_authoritative(address: IpAddr, zone: &Name, deadline: Instant) -> bool {
    let (server, wait) = (SocketAddr::new(address, 53), left(deadline).min(CONNECT_TIME));
    let reply = Client::default().ask(server, Transport::Udp, zone, Rtype::SOA, &[wait]);
    reply.is_ok_and(|reply| reply.read().is_ok_and(|response| response.is_authoritative()))
}

#[cfg(test)]
mod tests;
