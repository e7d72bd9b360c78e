//! Asks primaries for a zone: its serial first, then what changed, or all of it.
//!
//! Primaries are asked in the order of the settings, beginning with the one that sent NOTIFY, each at all
//! its addresses, until one has what is wanted. Whatever a primary sends, the zone that is served stays
//! until a whole transfer was checked and published.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::timer::Failure;
use crate::dns_client::{Stream, Transport, exchange, fresh_id};
use crate::fleet::flight::{Connections, silence};
use crate::fleet::handle::Inner;
use crate::fleet::message;
use crate::fleet::rules::Remote;
use crate::fleet::teller::now_ms;
use crate::lock::lock;
use crate::publish::{Outcome, PublishError, ReloadReport, TransferIn};
use crate::text::with_causes;
use crate::transfer::{Incoming, Received, TransferFault, Wanted};
use crate::tsig::{Key, sign_query};
use crate::wire::{Class, Name, Rtype, is_ahead};

/// Time limits of a question for the serial, one for each attempt over UDP.
const ASKED: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(2_000)];
/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long each message of a transfer may take, the first too, for which the primary may have to read a
/// journal.
const MESSAGE_MAX: Duration = Duration::from_secs(30);
/// How long a transfer may take in all.
const TRANSFER_MAX: Duration = Duration::from_secs(3_600);
/// How long an address that did not answer is left alone by zones that only time drives.
const SILENCE: Duration = Duration::from_secs(10);

//------------ Puller --------------------------------------------------------

/// What all zones share that are pulled.
#[derive(Default)]
pub(super) struct Puller {
    /// How TLS is spoken.
    connections: Connections,
    /// Addresses that did not answer, and when.
    silent: Mutex<HashMap<SocketAddr, Instant>>,
}

/// One try for a zone.
#[derive(Clone, Debug)]
pub(super) struct Try {
    /// The zone.
    pub(super) zone: Name,
    /// The primary to begin with, by its name: the one that sent NOTIFY, or the one that answered last.
    pub(super) first: Option<String>,
    /// Whether somebody asks for the whole zone, whatever its serial.
    pub(super) force: bool,
    /// Whether NOTIFY or a person asks for it, and not only time.
    pub(super) is_urgent: bool,
}

/// What a try came to.
#[derive(Debug)]
pub(super) struct Pulled {
    /// The primary that answered.
    pub(super) primary: String,
    /// What was published; none if the primary has what we have.
    pub(super) report: Option<ReloadReport>,
}

/// Why a try came to nothing: how it failed, and each primary's reason.
pub(super) type NotPulled = (Failure, String);

/// Why one address did not have what is wanted.
struct Why {
    /// How it failed.
    failure: Failure,
    /// The reason.
    text: String,
    /// Whether the address did not answer at all.
    is_silent: bool,
}

impl Why {
    /// Nothing that could be used was heard.
    fn unheard(text: impl Into<String>) -> Self {
        Self { failure: Failure::Unheard, text: text.into(), is_silent: false }
    }

    /// Nothing was heard.
    fn silent(error: &io::Error) -> Self {
        Self { is_silent: true, ..Self::unheard(silence(error)) }
    }
}

impl Puller {
    /// Tries to bring a zone up to its primaries.
    pub(super) fn pull(&self, fleet: &Inner, wanted: &Try) -> Result<Pulled, NotPulled> {
        let rules = fleet.rules.load();
        let mut primaries: Vec<Arc<Remote>> =
            rules.of(&wanted.zone).map(|rules| rules.primaries.clone()).unwrap_or_default();
        let first = |remote: &Arc<Remote>| Some(&remote.name) != wanted.first.as_ref();
        primaries.sort_by_key(first);
        let (mut failure, mut reasons) = (Failure::Unheard, Vec::new());
        for remote in &primaries {
            for address in &remote.addresses {
                let asked = Asked { puller: self, fleet, remote, address: *address, wanted };
                match asked.pull() {
                    Ok(report) => return Ok(Pulled { primary: remote.name.clone(), report }),
                    Err(why) => {
                        if why.failure == Failure::Refused {
                            failure = why.failure;
                        }
                        reasons.push(format!("{} {address}: {}", remote.name, why.text));
                    }
                }
            }
        }
        if reasons.is_empty() {
            reasons.push("the settings name no primary that can be reached".to_owned());
        }
        Err((failure, reasons.join("; ")))
    }

    /// Whether an address did not answer a moment ago.
    fn is_silent(&self, address: SocketAddr) -> bool {
        lock(&self.silent).get(&address).is_some_and(|since| since.elapsed() < SILENCE)
    }

    /// Notes whether an address answered.
    fn note(&self, address: SocketAddr, is_silent: bool) {
        let mut silent = lock(&self.silent);
        silent.retain(|_, since| since.elapsed() < SILENCE);
        if is_silent {
            silent.insert(address, Instant::now());
        } else {
            silent.remove(&address);
        }
    }
}

//------------ Asked ---------------------------------------------------------

/// One address that is asked for a zone.
struct Asked<'a> {
    /// What is shared.
    puller: &'a Puller,
    /// Zones, keys.
    fleet: &'a Inner,
    /// The primary.
    remote: &'a Remote,
    /// Its address.
    address: SocketAddr,
    /// What is wanted.
    wanted: &'a Try,
}

impl Asked<'_> {
    /// Asks for the serial, and transfers what is newer.
    fn pull(&self) -> Result<Option<ReloadReport>, Why> {
        if !self.wanted.is_urgent && self.puller.is_silent(self.address) {
            return Err(Why::unheard("it did not answer a moment ago"));
        }
        let pulled = self.serial().and_then(|is_newer| {
            if is_newer { self.transfer() } else { self.refreshed().map(|()| None) }
        });
        self.puller.note(self.address, pulled.as_ref().is_err_and(|why| why.is_silent));
        pulled
    }

    /// Whether the primary has something newer. Without a version of ours, or if the whole zone is wanted
    /// anyway, nobody needs to be asked.
    fn serial(&self) -> Result<bool, Why> {
        let Some(ours) = self.ours().filter(|_| !self.wanted.force) else { return Ok(true) };
        let response = self.ask(message::look(fresh_id(), &self.wanted.zone))?;
        let serial = message::serial(&response).map_err(Why::unheard)?;
        self.compare(serial, ours)
    }

    /// Whether a primary's serial is newer than ours; one that is older is no use.
    fn compare(&self, serial: u32, ours: u32) -> Result<bool, Why> {
        if serial == ours || is_ahead(serial, ours) {
            return Ok(serial != ours);
        }
        let zone = &self.wanted.zone;
        Err(Why::unheard(format!(
            "its serial {serial} is behind {ours}, which is served; if it is meant: \
             gapura zone retransfer {zone}"
        )))
    }

    /// The serial that is live.
    fn ours(&self) -> Option<u32> {
        self.fleet.publisher.secondary_zone(&self.wanted.zone)?.soa.map(|soa| soa.serial)
    }

    /// The primary has what we have.
    fn refreshed(&self) -> Result<(), Why> {
        self.fleet.publisher.refreshed(&self.wanted.zone).map_err(|error| failed(&error))
    }

    //--- Transfer

    /// Transfers what changed, or the whole zone where that cannot be had or does not fit.
    fn transfer(&self) -> Result<Option<ReloadReport>, Why> {
        if let Some(ours) = self.ours().filter(|_| !self.wanted.force) {
            match self.received(Wanted::Since(ours)) {
                Ok(received) => {
                    if let Taken::Done(report) = self.take(received)? {
                        return Ok(report);
                    }
                }
                Err(Broken::Transfer(fault)) if fault.is_about_changes() => {
                    tracing::info!(zone = %self.wanted.zone, primary = %self.remote.name, %fault,
                        "no changes can be had: the whole zone is transferred");
                }
                Err(broken) => return Err(broken.why()),
            }
        }
        let received = self.received(Wanted::Whole).map_err(Broken::why)?;
        match self.take(received)? {
            Taken::Done(report) => Ok(report),
            Taken::Misfit => Err(Why::unheard("the zone changed meanwhile")),
        }
    }

    /// Publishes what came.
    fn take(&self, received: Received) -> Result<Taken, Why> {
        if let (Received::Current { serial }, Some(ours)) = (&received, self.ours()) {
            // Never newer: that would be the beginning of a transfer.
            self.compare(*serial, ours)?;
            self.refreshed()?;
            return Ok(Taken::Done(None));
        }
        let Try { zone, force, .. } = self.wanted;
        let (primary, kind) = (self.remote.name.as_str(), received.word());
        let transfer = TransferIn { zone, received, primary, force: *force };
        let report = match self.fleet.publisher.take_transfer(transfer) {
            Ok(report) => report,
            Err(PublishError::Apply(why)) if kind == "ixfr" => {
                tracing::warn!(%zone, primary, %why,
                    "the changes do not fit the version that is served: the whole zone is transferred");
                return Ok(Taken::Misfit);
            }
            Err(error) => return Err(failed(&error)),
        };
        match report.outcome {
            Outcome::Refused { .. } => {
                let first = report.first_error().unwrap_or_default();
                let text = format!("the transfer is refused: {first}");
                Err(Why { failure: Failure::Refused, text, is_silent: false })
            }
            Outcome::Unchanged { .. } => {
                self.refreshed()?;
                Ok(Taken::Done(None))
            }
            _ => Ok(Taken::Done(Some(report))),
        }
    }

    /// A whole transfer over a connection of its own.
    fn received(&self, wanted: Wanted) -> Result<Received, Broken> {
        let since = match wanted {
            Wanted::Since(serial) => Some(serial),
            Wanted::Whole => None,
        };
        let id = fresh_id();
        let mut query = question(&self.wanted.zone, wanted.rtype(), since);
        query[..2].copy_from_slice(&id.to_be_bytes());
        let key = self.key().map_err(Broken::Silent)?;
        let expected = key.map(|key| sign_query(&key, &mut query, seconds()));
        let mut verifier = expected.map(|expected| expected.into_stream());
        let until = Instant::now() + TRANSFER_MAX;
        let mut stream = self.connect()?;
        stream.send(&query, MESSAGE_MAX)?;
        let mut incoming = Incoming::new(&self.wanted.zone, id, wanted);
        loop {
            if Instant::now() > until {
                return Err(Broken::Silent(Why::unheard("the transfer takes too long")));
            }
            let message = stream.receive(MESSAGE_MAX)?;
            let is_whole = match &mut verifier {
                None => incoming.take(&message)?,
                Some(verifier) => {
                    let bare = verifier.verify(&message, seconds());
                    let bare =
                        bare.map_err(|fault| Broken::Silent(Why::unheard(fault.to_string())))?;
                    incoming.take(&bare)?
                }
            };
            if is_whole {
                break;
            }
        }
        // A message without a signature is believed only if a later one has a good one.
        if verifier.is_some_and(|verifier| !verifier.is_complete()) {
            let text = "the last message of the transfer is not signed";
            return Err(Broken::Silent(Why::unheard(text)));
        }
        Ok(incoming.finish()?)
    }

    //--- Messages

    /// Connects, over TLS if the remote wants it.
    fn connect(&self) -> Result<Stream, Broken> {
        let tls = self.remote.tls.as_ref().map(|tls| self.puller.connections.tls(tls));
        let tls = tls.transpose().map_err(|text| Broken::Silent(Why::unheard(text)))?;
        Ok(Stream::connect(self.address, tls.as_ref(), CONNECT_MAX)?)
    }

    /// Asks one question, signed if the remote has a key, over UDP first unless it wants TLS.
    fn ask(&self, mut query: Vec<u8>) -> Result<Vec<u8>, Why> {
        let expected = self.key()?.map(|key| sign_query(&key, &mut query, seconds()));
        let response = match &self.remote.tls {
            Some(tls) => {
                let tls = self.puller.connections.tls(tls).map_err(Why::unheard)?;
                tls.exchange(self.address, &query, CONNECT_MAX)
            }
            None => self.over_udp_or_tcp(&query),
        };
        let response = response.map_err(|error| Why::silent(&error))?;
        let Some(expected) = expected else { return Ok(response) };
        expected.verify(&response, seconds()).map_err(|fault| Why::unheard(fault.to_string()))
    }

    /// Asks over UDP, and over TCP what is cut or lost.
    fn over_udp_or_tcp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        for patience in ASKED {
            match exchange(self.address, query, Transport::Udp, patience) {
                Ok(response) if !message::is_cut(&response) => return Ok(response),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
                // Nobody listens there: a connection would not get further.
                Err(error) => return Err(error),
            }
        }
        exchange(self.address, query, Transport::Tcp, CONNECT_MAX)
    }

    /// The key that we sign with, if the remote has one.
    fn key(&self) -> Result<Option<Arc<Key>>, Why> {
        let Some(name) = &self.remote.key else { return Ok(None) };
        let key = self.fleet.keys.load().get(name.as_ref()).cloned();
        key.map(Some).ok_or_else(|| Why::unheard(format!("there is no key {name} any more")))
    }
}

/// What came of a transfer that came.
enum Taken {
    /// It was published, or what it brings is served already.
    Done(Option<ReloadReport>),
    /// Its changes do not fit what is served.
    Misfit,
}

/// Why a transfer did not come.
enum Broken {
    /// It came, and is none.
    Transfer(TransferFault),
    /// It did not come.
    Silent(Why),
}

impl Broken {
    /// The reason.
    fn why(self) -> Why {
        match self {
            Self::Silent(why) => why,
            Self::Transfer(TransferFault::Rcode(rcode)) => {
                Why::unheard(format!("it answered {rcode} for the transfer"))
            }
            Self::Transfer(fault) => {
                Why { failure: Failure::Refused, ..Why::unheard(fault.to_string()) }
            }
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            let text = "it ended the connection before the transfer was whole";
            return Self::Silent(Why::unheard(text));
        }
        Self::Silent(Why::silent(&error))
    }
}

impl From<TransferFault> for Broken {
    fn from(fault: TransferFault) -> Self {
        Self::Transfer(fault)
    }
}

/// A publisher that did not take what came, for no fault of its content.
fn failed(error: &PublishError) -> Why {
    Why::unheard(with_causes(error))
}

/// Seconds since 1970.
fn seconds() -> u64 {
    now_ms().unsigned_abs() / 1000
}

/// A query for a zone, with a new identifier; for IXFR with our version in the authority section (RFC 1995
/// §3), of which only the serial counts.
fn question(zone: &Name, rtype: Rtype, since: Option<u32>) -> Vec<u8> {
    let mut message = Vec::with_capacity(64 + zone.as_ref().wire().len());
    let numbers = |message: &mut Vec<u8>, all: &[u16]| {
        all.iter().for_each(|number| message.extend_from_slice(&number.to_be_bytes()));
    };
    numbers(&mut message, &[fresh_id(), 0, 1, 0, u16::from(since.is_some()), 0]);
    message.extend_from_slice(zone.as_ref().wire());
    numbers(&mut message, &[rtype.0, Class::IN.0]);
    if let Some(serial) = since {
        // Owner: a pointer to the question. Names: the root. Timers: nobody looks at them.
        message.extend_from_slice(&[0xc0, 0x0c]);
        numbers(&mut message, &[Rtype::SOA.0, Class::IN.0, 0, 0, 22]);
        message.extend_from_slice(&[0, 0]);
        message.extend_from_slice(&serial.to_be_bytes());
        message.extend_from_slice(&[0; 16]);
    }
    message
}
