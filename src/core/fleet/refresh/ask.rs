//! Speaks with one address of a primary: the question for the serial, and a transfer.
//!
//! Signed where the remote has a key, over TLS where it wants it, and never for longer than it may take.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pull::{Puller, Try};
use super::why::{Broken, Why};
use crate::dns_client::{Stream, Tls, Transport, exchange, fresh_id, question};
use crate::fleet::handle::Inner;
use crate::fleet::link::Outgoing;
use crate::fleet::message;
use crate::fleet::rules::Remote;
use crate::fleet::teller::seconds;
use crate::transfer::{Incoming, Received, Wanted};
use crate::tsig::{Key, sign_query};
use crate::wire::{Class, Name, Rtype};

/// Time limits of a question for the serial, one for each attempt over UDP.
const ASKED: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(2_000)];
/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Octets a second that a transfer must bring on average, or it holds a thread for nothing.
const RATE_MIN: u64 = 1_024;

//------------ Limits --------------------------------------------------------

/// How long the transfers of one try may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Each message, the first too, for which the primary may have to read a journal. Where the whole zone may
    /// follow changes that stood still, they share it.
    pub(super) message: Duration,
    /// Before the rate of one is looked at.
    pub(super) start: Duration,
    /// All of them.
    pub(super) whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [message, start, whole] = [30, 60, 3_600].map(Duration::from_secs);
        Self { message, start, whole }
    }
}

impl Limits {
    /// Cuts a transfer that takes too long, as part of a try that takes `in_all`, or is too slow.
    fn judge(&self, in_all: Duration, elapsed: Duration, octets: u64) -> Result<(), Why> {
        if in_all > self.whole {
            return Err(Why::refused("the transfer takes too long"));
        }
        if elapsed > self.start && octets < elapsed.as_secs().saturating_mul(RATE_MIN) {
            let seconds = elapsed.as_secs();
            return Err(Why::refused(format!(
                "the transfer is too slow: {octets} octets in {seconds} s"
            )));
        }
        Ok(())
    }
}

//------------ Asked ---------------------------------------------------------

/// One address that is asked for a zone.
pub(super) struct Asked<'a> {
    /// What is shared.
    pub(super) puller: &'a Puller,
    /// Zones, keys.
    pub(super) fleet: &'a Inner,
    /// The primary.
    pub(super) remote: &'a Remote,
    /// Its address.
    pub(super) address: SocketAddr,
    /// What is wanted.
    pub(super) wanted: &'a Try,
    /// Since when.
    pub(super) began: Instant,
}

impl Asked<'_> {
    /// A whole transfer over a connection of its own; `patience` is for each of its messages.
    pub(super) fn received(&self, wanted: Wanted, patience: Duration) -> Result<Received, Broken> {
        let key = self.key().map_err(Broken::Anyway)?;
        let tls = self.tls().map_err(Broken::Anyway)?;
        let (zone, address) = (&self.wanted.zone, self.address);
        let (limits, began) = (&self.puller.limits, self.began);
        Transferring { zone, address, key, tls, limits, began }.received(wanted, patience)
    }

    //--- Messages

    /// TLS, if the remote wants it.
    fn tls(&self) -> Result<Option<Tls>, Why> {
        let tls = self.remote.tls.as_ref().map(|tls| self.puller.connections.tls(tls));
        tls.transpose().map_err(Why::unheard)
    }

    /// Asks for the SOA record.
    pub(super) fn look(&self) -> Result<Vec<u8>, Why> {
        let (tls, key) = (self.tls()?, self.key()?);
        look(self.address, tls.as_ref(), key.as_ref(), &self.wanted.zone)
    }

    /// The key that we sign with, if the remote has one.
    fn key(&self) -> Result<Option<Arc<Key>>, Why> {
        self.fleet.key_of(self.remote).map_err(Why::unheard)
    }
}

/// Asks for the SOA record of a zone, signed if there is a key: over TLS if that is spoken, else over UDP, and over
/// TCP if the response is cut, lost or not the last word.
pub(super) fn look(
    address: SocketAddr,
    tls: Option<&Tls>,
    key: Option<&Arc<Key>>,
    zone: &Name,
) -> Result<Vec<u8>, Why> {
    let mut query = message::look(fresh_id(), zone);
    let expected = key.map(|key| sign_query(key, &mut query, seconds()));
    let verified = |response: io::Result<Vec<u8>>| {
        let response = response.map_err(|error| Why::silent(&error))?;
        let Some(expected) = &expected else { return Ok(response) };
        expected.verify(&response, seconds()).map_err(|fault| Why::unheard(fault.to_string()))
    };
    if let Some(tls) = tls {
        return verified(tls.exchange(address, &query, CONNECT_MAX));
    }
    let over_tcp = || verified(exchange(address, &query, Transport::Tcp, CONNECT_MAX));
    for patience in ASKED {
        match exchange(address, &query, Transport::Udp, patience) {
            Ok(response) if message::is_cut(&response) => break,
            Ok(response) => {
                let first = verified(Ok(response));
                let is_final = message::is_final(Outgoing::Look, &first);
                return if is_final { first } else { over_tcp().or(first) };
            }
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
            // Nobody listens there: a connection would not get further.
            Err(error) => return Err(Why::silent(&error)),
        }
    }
    over_tcp()
}

//------------ Transferring --------------------------------------------------

/// A transfer from one server.
struct Transferring<'a> {
    /// The zone.
    zone: &'a Name,
    /// The server.
    address: SocketAddr,
    /// The key that we sign with and demand.
    key: Option<Arc<Key>>,
    /// TLS, if it is spoken.
    tls: Option<Tls>,
    /// How long it may take.
    limits: &'a Limits,
    /// Since when all of it goes on.
    began: Instant,
}

impl Transferring<'_> {
    /// All of it; `patience` is for each message.
    fn received(&self, wanted: Wanted, patience: Duration) -> Result<Received, Broken> {
        let since = match wanted {
            Wanted::Since(serial) => Some(serial),
            Wanted::Whole => None,
        };
        let id = fresh_id();
        let mut query = transfer_query(id, self.zone, wanted.rtype(), since);
        let expected = self.key.as_ref().map(|key| sign_query(key, &mut query, seconds()));
        let mut verifier = expected.map(|expected| expected.into_stream());
        let (began, mut octets) = (Instant::now(), 0);
        let stream = Stream::connect(self.address, self.tls.as_ref(), CONNECT_MAX);
        let mut stream = stream.map_err(|error| Broken::Anyway(Why::silent(&error)))?;
        stream.send(&query, patience).map_err(|error| Broken::ended(&error))?;
        let mut incoming = Incoming::new(self.zone, id, wanted);
        loop {
            let in_all = self.began.elapsed();
            self.limits.judge(in_all, began.elapsed(), octets).map_err(Broken::Anyway)?;
            let message = stream.receive(patience).map_err(|error| Broken::ended(&error))?;
            octets += message.len() as u64;
            let is_whole = match &mut verifier {
                None => incoming.take(&message)?,
                Some(verifier) => {
                    let bare = verifier.verify(&message, seconds());
                    let bare = bare.map_err(|fault| Broken::untrusted(fault.to_string()))?;
                    incoming.take(&bare)?
                }
            };
            if is_whole {
                break;
            }
        }
        // A message without a signature is believed only if a later one has a good one.
        if verifier.is_some_and(|verifier| !verifier.is_complete()) {
            return Err(Broken::untrusted("the last message of the transfer is not signed"));
        }
        Ok(incoming.finish()?)
    }
}

/// Transfers a zone whole from one server, without a daemon: for a command. The error is in words.
pub fn fetch(
    zone: &Name,
    address: SocketAddr,
    key: Option<Arc<Key>>,
    tls: Option<Tls>,
) -> Result<Received, String> {
    let limits = Limits::default();
    let transferring =
        Transferring { zone, address, key, tls, limits: &limits, began: Instant::now() };
    let received = transferring.received(Wanted::Whole, limits.message);
    received.map_err(|broken| broken.why().text)
}

/// The question for a transfer; for IXFR with our version in the authority section (RFC 1995 §3), of which only the
/// serial counts.
fn transfer_query(id: u16, zone: &Name, rtype: Rtype, since: Option<u32>) -> Vec<u8> {
    let mut message = question(id, 0, zone.as_ref(), rtype, [u16::from(since.is_some()), 0]);
    if let Some(serial) = since {
        // Owner: a pointer to the question. Names: the root. Timers: nobody looks at them.
        message.extend_from_slice(&[0xc0, 0x0c]);
        for number in [Rtype::SOA.0, Class::IN.0, 0, 0, 22] {
            message.extend_from_slice(&number.to_be_bytes());
        }
        message.extend_from_slice(&[0, 0]);
        message.extend_from_slice(&serial.to_be_bytes());
        message.extend_from_slice(&[0; 16]);
    }
    message
}
