//! Speaks with one address of a primary: the question for the serial, and a transfer.
//!
//! Signed where the remote has a key, over TLS where it wants it, and never for longer than it may take.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::pull::{Puller, Try};
use super::why::{Broken, Why};
use crate::dns_client::{Stream, Transport, exchange, fresh_id};
use crate::fleet::handle::Inner;
use crate::fleet::message;
use crate::fleet::rules::Remote;
use crate::fleet::teller::now_ms;
use crate::transfer::{Incoming, Received, Wanted};
use crate::tsig::{Key, sign_query};
use crate::wire::{Class, Name, Rcode, Rtype};

/// Time limits of a question for the serial, one for each attempt over UDP.
const ASKED: [Duration; 2] = [Duration::from_millis(1_000), Duration::from_millis(2_000)];
/// How long a connection may take, its handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Octets a second that a transfer must bring on average, or it holds a thread for nothing.
const RATE_MIN: u64 = 1_024;

//------------ Limits --------------------------------------------------------

/// How long a transfer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Each of its messages, the first too, for which the primary may have to read a journal.
    pub(super) message: Duration,
    /// Before its rate is looked at.
    pub(super) start: Duration,
    /// In all.
    pub(super) whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [message, start, whole] = [30, 60, 3_600].map(Duration::from_secs);
        Self { message, start, whole }
    }
}

impl Limits {
    /// Cuts a transfer that takes too long or is too slow.
    fn judge(&self, elapsed: Duration, octets: u64) -> Result<(), Why> {
        if elapsed > self.whole {
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
}

impl Asked<'_> {
    /// A whole transfer over a connection of its own.
    pub(super) fn received(&self, wanted: Wanted) -> Result<Received, Broken> {
        let since = match wanted {
            Wanted::Since(serial) => Some(serial),
            Wanted::Whole => None,
        };
        let id = fresh_id();
        let mut query = question(&self.wanted.zone, wanted.rtype(), since);
        query[..2].copy_from_slice(&id.to_be_bytes());
        let key = self.key().map_err(Broken::Anyway)?;
        let expected = key.map(|key| sign_query(&key, &mut query, seconds()));
        let mut verifier = expected.map(|expected| expected.into_stream());
        let (limits, began, mut octets) = (&self.puller.limits, Instant::now(), 0);
        let mut stream = self.connect().map_err(Broken::Anyway)?;
        stream.send(&query, limits.message).map_err(|error| Broken::ended(&error))?;
        let mut incoming = Incoming::new(&self.wanted.zone, id, wanted);
        loop {
            limits.judge(began.elapsed(), octets).map_err(Broken::Anyway)?;
            let message = stream.receive(limits.message).map_err(|error| Broken::ended(&error))?;
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

    //--- Messages

    /// Connects, over TLS if the remote wants it.
    fn connect(&self) -> Result<Stream, Why> {
        let tls = self.remote.tls.as_ref().map(|tls| self.puller.connections.tls(tls));
        let tls = tls.transpose().map_err(Why::unheard)?;
        let stream = Stream::connect(self.address, tls.as_ref(), CONNECT_MAX);
        stream.map_err(|error| Why::silent(&error))
    }

    /// Asks one question, signed if the remote has a key, over UDP first unless it wants TLS.
    pub(super) fn ask(&self, mut query: Vec<u8>) -> Result<Vec<u8>, Why> {
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

    /// Asks over UDP, and over TCP what is cut, lost or refused: Knot answers for a catalog that it makes over
    /// connections only.
    fn over_udp_or_tcp(&self, query: &[u8]) -> io::Result<Vec<u8>> {
        for patience in ASKED {
            match exchange(self.address, query, Transport::Udp, patience) {
                Ok(response) if message::is_cut(&response) => break,
                Ok(response) if message::rcode(&response) == Ok(Rcode::REFUSED) => {
                    return exchange(self.address, query, Transport::Tcp, CONNECT_MAX)
                        .or(Ok(response));
                }
                Ok(response) => return Ok(response),
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
