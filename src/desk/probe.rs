//! The probe: does a target answer, and can a stranger claim it (docs/procedure.md, "Check sheet").
//!
//! It runs before an act, never inside its transaction. Its own limits: public addresses only,
//! looked at again when it connects; ports 25, 53, 80; 5 seconds and 64 KiB a target; redirects are
//! not followed; one probe at a time and at most 16 targets each.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::dns_client::{Client, Transport};
use crate::queue::{ParsedApplication, Probe, Targets};
use crate::wire::{Name, Rtype};

/// For one target.
const TIME: Duration = Duration::from_secs(5);
/// To open a connection.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// Octets read from one target.
const OCTETS_MAX: u64 = 64 * 1024;
/// Targets of one probe.
const TARGETS_MAX: usize = 16;
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

/// Probes one request at a time; clones share the turn.
#[derive(Clone)]
pub(super) struct Prober {
    /// `probe.enabled`.
    enabled: bool,
    /// What counts as public: the rules about targets without their exceptions.
    rules: Arc<Targets>,
    /// Held while a probe runs.
    turn: Arc<Mutex<()>>,
}

impl Prober {
    /// A prober.
    pub(super) fn new(enabled: bool) -> Self {
        let rules = Targets { allow: Vec::new(), ..Targets::default() };
        Self { enabled, rules: Arc::new(rules), turn: Arc::default() }
    }

    /// Whether an application has anything to be probed.
    pub(super) fn applies(&self, application: &ParsedApplication) -> bool {
        self.enabled && application.kind.brings_records() && !self.targets(application).is_empty()
    }

    /// Probes what an application points at.
    pub(super) fn run(&self, application: &ParsedApplication, now_ms: i64) -> Probe {
        if !self.applies(application) {
            return Probe::Off;
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut claimable, mut down) = (Vec::new(), Vec::new());
        let host = application.place().name.to_string().trim_end_matches('.').to_owned();
        for target in self.targets(application) {
            match probe(&target, &host, &self.rules) {
                Found::Up => {}
                Found::Claimable => claimable.push(target.text()),
                Found::Down => down.push(target.text()),
            }
        }
        Probe::Done { at: now_ms, claimable, down }
    }

    /// The targets of an application that are public.
    fn targets(&self, application: &ParsedApplication) -> Vec<Target> {
        let mut targets = Vec::new();
        let place = application.place();
        for record in application.rrs() {
            for address in record.addresses() {
                if self.rules.special(address).is_none() {
                    targets.push(Target::Address(address));
                }
            }
            let ours = |name: &Name| name.as_ref().is_at_or_below(place.zone.as_ref());
            for name in record.targets().into_iter().filter(|name| !ours(name)) {
                let name = name.to_string();
                targets.push(match record.rtype() {
                    Rtype::NS => Target::Server { name, zone: place.name.to_string() },
                    Rtype::MX => Target::Mail(name),
                    _ => Target::Name(name),
                });
            }
        }
        targets.truncate(TARGETS_MAX);
        targets
    }
}

//------------ Target --------------------------------------------------------

/// Something a record points at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A or AAAA.
    Address(IpAddr),
    /// CNAME, SRV, HTTPS.
    Name(String),
    /// MX.
    Mail(String),
    /// NS, and the zone it should be authoritative for.
    Server {
        /// The name server.
        name: String,
        /// The zone.
        zone: String,
    },
}

impl Target {
    /// As the check sheet shows it.
    fn text(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(name) | Self::Mail(name) | Self::Server { name, .. } => name.clone(),
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
}

/// Probes one target on behalf of `host`.
pub(super) fn probe(target: &Target, host: &str, rules: &Targets) -> Found {
    let deadline = Instant::now() + TIME;
    let (name, port) = match target {
        Target::Address(address) => return web(&[*address], host, deadline),
        Target::Name(name) => (name, 80),
        Target::Mail(name) => (name, 25),
        Target::Server { name, .. } => (name, 53),
    };
    let addresses: Vec<IpAddr> = resolve(name, port, deadline)
        .into_iter()
        .filter(|address| rules.special(*address).is_none())
        .collect();
    match target {
        _ if addresses.is_empty() => Found::Down,
        Target::Mail(_) => up(addresses.iter().any(|a| connect(*a, port, deadline).is_some())),
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

/// Resolves a name by the system's resolver, which knows no deadline of its own.
fn resolve(name: &str, port: u16, deadline: Instant) -> Vec<IpAddr> {
    let (sender, receiver) = mpsc::channel();
    let host = name.trim_end_matches('.').to_owned();
    let asked = std::thread::Builder::new().name("probe".to_owned()).spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs();
        let found: Vec<IpAddr> = found.into_iter().flatten().map(|socket| socket.ip()).collect();
        // Nobody listens any more when it took too long.
        drop(sender.send(found));
    });
    if asked.is_err() {
        return Vec::new();
    }
    receiver.recv_timeout(left(deadline)).unwrap_or_default()
}

/// The time left, at least a moment.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}

/// Connects to an address that was found public a moment ago; the address itself is used, so that
/// no second look-up can lead elsewhere.
fn connect(address: IpAddr, port: u16, deadline: Instant) -> Option<TcpStream> {
    let wait = left(deadline).min(CONNECT_TIME);
    let stream = TcpStream::connect_timeout(&SocketAddr::new(address, port), wait).ok()?;
    stream.set_read_timeout(Some(left(deadline))).ok()?;
    stream.set_write_timeout(Some(left(deadline))).ok()?;
    Some(stream)
}

/// Asks a web server for this very host.
fn web(addresses: &[IpAddr], host: &str, deadline: Instant) -> Found {
    for address in addresses {
        let Some(mut stream) = connect(*address, 80, deadline) else { continue };
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
        return match NO_SUCH_SITE.iter().any(|mark| text.contains(mark)) {
            true => Found::Claimable,
            false => Found::Up,
        };
    }
    Found::Down
}

/// Reads until the end, the limit or the deadline.
fn read_until(
    stream: &mut TcpStream,
    page: &mut Vec<u8>,
    deadline: Instant,
) -> std::io::Result<()> {
    let mut limited = stream.take(OCTETS_MAX);
    let mut chunk = [0; 4096];
    while Instant::now() < deadline {
        match limited.read(&mut chunk)? {
            0 => break,
            length => page.extend_from_slice(&chunk[..length]),
        }
    }
    Ok(())
}

/// Whether a name server answers for a zone with authority (RFC 1035 §4.1.1, AA).
fn is_authoritative(address: IpAddr, zone: &str, deadline: Instant) -> bool {
    let Ok(name) = zone.parse::<Name>() else { return false };
    let (server, wait) = (SocketAddr::new(address, 53), left(deadline).min(CONNECT_TIME));
    let reply = Client::default().ask(server, Transport::Udp, &name, Rtype::SOA, &[wait]);
    reply.is_ok_and(|reply| reply.read().is_ok_and(|response| response.is_authoritative()))
}

#[cfg(test)]
mod tests;
