//! One message to a secondary and its response: over UDP, over TCP where that is cut, lost or of no use, over TLS
//! where the remote wants it; signed if it has a key.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;

use super::link::Outgoing;
use super::links::{Flight, Landing};
use super::message;
use super::rules::RemoteTls;
use super::teller::seconds;
use crate::dns_client::{Tls, Transport, answers, exchange, silence};
use crate::lock::lock;
use crate::text::with_causes;
use crate::tsig::{Expected, Key, sign_query};

/// Octets of a response over UDP that was not invited to be larger, and room for a TSIG that goes beyond.
const DATAGRAM_OCTETS_MAX: usize = 4_096;
/// The shortest time for a connection: its handshakes take some of it.
const CONNECTION_MIN: Duration = Duration::from_secs(2);
/// How long certificates are used before their files are read again.
const TLS_AGE_MAX: Duration = Duration::from_secs(600);

//------------ Parcel --------------------------------------------------------

/// A message ready to go.
#[derive(Clone)]
pub(super) struct Parcel {
    /// Whose it is and where it goes.
    pub(super) flight: Flight,
    /// The message.
    message: Vec<u8>,
    /// The serial that a NOTIFY tells.
    serial: u32,
    /// What the response must agree with; none: it is not signed.
    expected: Option<Expected>,
}

impl Parcel {
    /// Signs a message, if there is a key for it. `serial` is what a NOTIFY tells.
    pub(super) fn new(
        flight: Flight,
        mut message: Vec<u8>,
        serial: u32,
        key: Option<&Arc<Key>>,
        seconds: u64,
    ) -> Self {
        let expected = key.map(|key| sign_query(key, &mut message, seconds));
        Self { flight, message, serial, expected }
    }

    /// Sends it and waits for what comes of it.
    pub(super) async fn fly(self, connections: Arc<Connections>) -> Landing {
        match self.exchange(&connections).await {
            Ok(response) => self.read(&response),
            Err(why) => Landing::Failed(why),
        }
    }

    /// The response, verified.
    async fn exchange(&self, connections: &Arc<Connections>) -> Result<Vec<u8>, String> {
        if self.flight.remote.tls.is_some() {
            return self.over_connection(connections).await;
        }
        match self.over_udp().await {
            Ok(response) if !message::is_cut(&response) => {
                let first = self.verified(&response);
                if message::is_final(self.flight.outgoing, &first) {
                    return first;
                }
                self.over_connection(connections).await.or(first)
            }
            // Nobody listens there: a connection would not get further.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Err("nothing listens there".to_owned())
            }
            Ok(_) => self.over_connection(connections).await,
            Err(_) => self.over_connection(connections).await,
        }
    }

    /// Asks over UDP and passes over datagrams that are no answer.
    async fn over_udp(&self) -> io::Result<Vec<u8>> {
        let any: IpAddr = match self.flight.address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(self.flight.address).await?;
        socket.send(&self.message).await?;
        let answer = async {
            let mut response = vec![0; DATAGRAM_OCTETS_MAX];
            loop {
                let octets = socket.recv(&mut response).await?;
                if answers(&response[..octets], &self.message) {
                    response.truncate(octets);
                    return Ok(response);
                }
            }
        };
        let late = |_| Err(io::ErrorKind::TimedOut.into());
        tokio::time::timeout(self.flight.patience, answer).await.unwrap_or_else(late)
    }

    /// Asks over TCP or TLS, on one of the few threads for that.
    async fn over_connection(&self, connections: &Arc<Connections>) -> Result<Vec<u8>, String> {
        let (parcel, connections) = (self.clone(), Arc::clone(connections));
        let asked = tokio::task::spawn_blocking(move || {
            let Flight { address, remote, patience, .. } = &parcel.flight;
            let patience = (*patience).max(CONNECTION_MIN);
            let response = match &remote.tls {
                Some(tls) => {
                    let tls = connections.tls(tls)?;
                    tls.exchange(*address, &parcel.message, patience)
                }
                None => exchange(*address, &parcel.message, Transport::Tcp, patience),
            };
            parcel.verified(&response.map_err(|error| silence(&error))?)
        });
        // A panic inside is in the log already.
        asked.await.unwrap_or_else(|_| Err("it was not asked".to_owned()))
    }

    /// The response without its signature, if it has the one it must have.
    fn verified(&self, response: &[u8]) -> Result<Vec<u8>, String> {
        match &self.expected {
            Some(expected) => {
                expected.verify(response, seconds()).map_err(|fault| fault.to_string())
            }
            None => Ok(response.to_vec()),
        }
    }

    /// What the response says.
    fn read(&self, response: &[u8]) -> Landing {
        match self.flight.outgoing {
            Outgoing::Look => Landing::Looked(message::serial(response, &self.flight.zone)),
            Outgoing::Notify => match message::rcode(response) {
                Ok(rcode) => Landing::Told(self.serial, rcode),
                Err(why) => Landing::Failed(why),
            },
        }
    }
}

//------------ Connections ---------------------------------------------------

/// How TLS is spoken to each remote, kept for a while.
#[derive(Default)]
pub(super) struct Connections {
    /// By the name and files of the settings.
    tls: Mutex<HashMap<String, (Instant, Tls)>>,
}

impl Connections {
    /// How TLS is spoken to a remote.
    pub(super) fn tls(&self, remote: &RemoteTls) -> Result<Tls, String> {
        let key = format!("{remote:?}");
        let mut kept = lock(&self.tls);
        kept.retain(|_, (since, _)| since.elapsed() < TLS_AGE_MAX);
        if let Some((_, tls)) = kept.get(&key) {
            return Ok(tls.clone());
        }
        let none = Path::new("");
        let (cert, private) = remote
            .certificate
            .as_ref()
            .map_or((none, none), |(cert, private)| (cert.as_path(), private.as_path()));
        let ca = remote.ca.as_deref().unwrap_or(none);
        let tls =
            Tls::load(&remote.name, ca, cert, private).map_err(|error| with_causes(&error))?;
        kept.insert(key, (Instant::now(), tls.clone()));
        Ok(tls)
    }
}
