//! Our own sockets, queried from outside like any client does.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::digest::sha256_hex;
use crate::dns_client::{Client, Reply, Transport, reachable};
use crate::wire::{Name, Rcode, Record, Rtype, rdata};

/// Time limits of a question, one for each attempt: a lost packet must not cost a second, and a
/// machine under load must not have a good change taken back.
const TRIES: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
    Duration::from_millis(4_000),
];

//------------ Observation ---------------------------------------------------

/// One question and its answer, as kept in the proof of a promotion.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Observation {
    /// The address that was asked.
    pub server: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// The name and type asked for.
    pub question: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The response code's name; empty when nothing came.
    pub rcode: String,
    /// The answer section, one line per record.
    pub answer: Vec<String>,
    /// SHA-256 of the whole response, in hexadecimal.
    pub sha256: String,
    /// Why nothing came, or why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[cfg(feature = "approval")]
impl Observation {
    /// When it was asked, epoch milliseconds; none if the text is no time.
    pub fn at_ms(&self) -> Option<i64> {
        let at = OffsetDateTime::parse(&self.at, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
    }
}

/// An answer as far as a confirmation looks at it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// How it was asked for.
    pub(super) transport: Transport,
    /// What is kept of it.
    pub(super) asked: Observation,
    /// Its content; none when nothing came that could be read.
    pub(super) content: Option<Content>,
}

/// The content of a response.
#[derive(Clone, Debug)]
pub(super) struct Content {
    /// The response code.
    pub(super) rcode: Rcode,
    /// Whether it was cut to fit.
    pub(super) truncated: bool,
    /// The answer section.
    pub(super) answer: Vec<Record>,
    /// The authority section, where referrals are.
    pub(super) authority: Vec<Record>,
    /// The serial of an SOA record in the answer.
    pub(super) serial: Option<u32>,
}

impl Answer {
    /// Reads a reply.
    fn new(mut asked: Observation, transport: Transport, reply: std::io::Result<Reply>) -> Self {
        let mut content = None;
        match &reply {
            Err(error) => asked.error = Some(error.to_string()),
            Ok(reply) => {
                reply.transport.as_str().clone_into(&mut asked.transport);
                asked.sha256 = sha256_hex(&reply.bytes);
                match reply.read() {
                    Err(error) => asked.error = Some(format!("cannot read the response: {error}")),
                    Ok(response) => {
                        asked.rcode = response.rcode.to_string();
                        asked.answer = response.answer.iter().map(line).collect();
                        content = Some(Content {
                            rcode: response.rcode,
                            truncated: response.is_truncated(),
                            serial: response.serial(),
                            answer: response.answer,
                            authority: response.authority,
                        });
                    }
                }
            }
        }
        Self { transport: reply.map_or(transport, |reply| reply.transport), asked, content }
    }
}

/// A record as master file text.
fn line(record: &Record) -> String {
    let data = rdata::to_text(record.rtype, &record.rdata);
    format!("{} {} IN {} {data}", record.owner, record.ttl, record.rtype)
}

/// A time as RFC 3339 in UTC.
fn rfc3339(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

//------------ Sockets -------------------------------------------------------

/// The addresses our name server listens on, and the client that asks them; clones share both.
#[derive(Clone, Debug, Default)]
pub struct Sockets(Arc<Shared>);

/// What the clones share.
#[derive(Debug, Default)]
struct Shared {
    /// Asks with cookies, so that our own rate limit does not stand in the way.
    client: Client,
    /// The addresses; none before the sockets are open.
    servers: RwLock<Vec<SocketAddr>>,
}

impl Sockets {
    /// Sets the addresses, once the sockets are open.
    pub fn set(&self, servers: Vec<SocketAddr>) {
        *self.0.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Says which addresses of this machine our sockets take for proxies: what comes from them needs a header.
    pub fn set_proxied(&self, is_proxy: impl Fn(IpAddr) -> bool) {
        let servers = self.servers().into_iter();
        // A socket of this machine is asked from its own address.
        self.0.client.introduce_to(servers.filter(|server| is_proxy(reachable(server.ip()))));
    }

    /// The addresses.
    pub fn servers(&self) -> Vec<SocketAddr> {
        self.0.servers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks one question over UDP, as a person would.
    pub fn look(&self, server: SocketAddr, name: &Name, rtype: Rtype, now_ms: i64) -> Observation {
        self.ask(server, Transport::Udp, name, rtype, now_ms).asked
    }

    /// Sees that one of our sockets answers, over UDP and over TCP, whatever it says.
    pub fn answers(&self, server: SocketAddr) -> std::io::Result<()> {
        let ask = |transport| {
            self.0.client.ask(server, transport, &Name::root(), Rtype::SOA, &TRIES).map(drop)
        };
        ask(Transport::Udp)?;
        ask(Transport::Tcp)
    }

    /// Asks one question over one transport, several times if need be.
    pub(super) fn ask(
        &self,
        server: SocketAddr,
        transport: Transport,
        name: &Name,
        rtype: Rtype,
        now_ms: i64,
    ) -> Answer {
        let asked = asked(server, transport, name, rtype, now_ms);
        Answer::new(asked, transport, self.0.client.ask(server, transport, name, rtype, &TRIES))
    }

    /// Asks over UDP, and over TCP if the response was cut or lost.
    pub(super) fn ask_either(
        &self,
        server: SocketAddr,
        name: &Name,
        rtype: Rtype,
        timeout: Duration,
        now_ms: i64,
    ) -> Answer {
        let asked = asked(server, Transport::Udp, name, rtype, now_ms);
        let reply = self.0.client.ask_either(server, name, rtype, timeout);
        Answer::new(asked, Transport::Udp, reply)
    }
}

/// A question that is about to be asked.
fn asked(
    server: SocketAddr,
    transport: Transport,
    name: &Name,
    rtype: Rtype,
    now_ms: i64,
) -> Observation {
    Observation {
        server: server.to_string(),
        transport: transport.as_str().to_owned(),
        question: format!("{name} {rtype}"),
        at: rfc3339(now_ms),
        ..Observation::default()
    }
}
