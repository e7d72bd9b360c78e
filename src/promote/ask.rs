//! Questions to our own sockets, read by a decoder that is not our own.
//!
//! The read-back must not share a fault with what it checks: the response is decoded by
//! hickory-proto, and each RDATA is compared in its canonical form.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use hickory_proto::op::Message;
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::answer::Transport;
use crate::wire::{Name, Rtype, rdata};

/// Sends a message and gives the response; `run` hands in the one of `serve`.
pub type AskFn =
    Arc<dyn Fn(SocketAddr, &[u8], Transport, Duration) -> io::Result<Vec<u8>> + Send + Sync>;

/// How long a question may take, try by try: a lost packet must not cost a second, and a machine
/// under load must not have a good change taken back.
const TIMEOUTS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(1_000),
    Duration::from_millis(2_000),
    Duration::from_millis(4_000),
];

//------------ Asked ---------------------------------------------------------

/// One question and its answer, as kept in the proof.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asked {
    /// Who was asked.
    pub server: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// The name and type asked for.
    pub question: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The response code's name; empty when nothing came.
    pub rcode: String,
    /// The answer section, one line a record.
    pub answer: Vec<String>,
    /// SHA-256 of the whole response, in hexadecimal.
    pub sha256: String,
    /// Why nothing came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A response as far as the read-back looks at it.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    /// What is kept.
    pub(super) asked: Asked,
    /// Whether the response was cut short.
    pub(super) truncated: bool,
    /// Owner, type and canonical RDATA of the answer section.
    pub(super) answer: Vec<(Name, Rtype, Vec<u8>)>,
    /// The same of the authority section, where referrals are.
    pub(super) authority: Vec<(Name, Rtype, Vec<u8>)>,
}

//------------ Asker ---------------------------------------------------------

/// Knows our own sockets and how to ask them; clones share it.
#[derive(Clone)]
pub struct Asker {
    /// Sends a message.
    ask: AskFn,
    /// Where we listen.
    servers: Arc<RwLock<Vec<SocketAddr>>>,
}

impl Asker {
    /// An asker that knows no socket yet.
    pub fn new(ask: AskFn) -> Self {
        Self { ask, servers: Arc::default() }
    }

    /// Where we listen; told once the sockets are bound.
    pub fn set_servers(&self, servers: Vec<SocketAddr>) {
        *self.servers.write().unwrap_or_else(PoisonError::into_inner) = servers;
    }

    /// Every socket to be asked.
    pub fn servers(&self) -> Vec<SocketAddr> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One question over UDP, as a person would ask it.
    pub fn look(&self, server: SocketAddr, name: &Name, rtype: Rtype) -> Asked {
        self.ask(server, Transport::Udp, name, rtype, 0).asked
    }

    /// Asks one question; silence is asked again.
    pub(super) fn ask(
        &self,
        server: SocketAddr,
        transport: Transport,
        name: &Name,
        rtype: Rtype,
        now_ms: i64,
    ) -> Read {
        let mut read = Read {
            asked: Asked {
                server: server.to_string(),
                transport: if transport == Transport::Udp { "udp" } else { "tcp" }.to_owned(),
                question: format!("{name} {rtype}"),
                at: rfc3339(now_ms),
                ..Asked::default()
            },
            ..Read::default()
        };
        let mut last = String::new();
        for timeout in TIMEOUTS {
            match (self.ask)(server, &query(name, rtype), transport, timeout) {
                Ok(response) => {
                    decode(&response, &mut read);
                    return read;
                }
                Err(error) => last = error.to_string(),
            }
        }
        read.asked.error = Some(last);
        read
    }
}

/// A time as RFC 3339 in UTC.
pub(super) fn rfc3339(ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// A query without recursion; EDNS and cookie are the client's.
fn query(name: &Name, rtype: Rtype) -> Vec<u8> {
    let mut id = [0; 2];
    // Without random numbers the identifier is 0: the socket is connected and our own.
    let _ = SystemRandom::new().fill(&mut id);
    let mut message = Vec::with_capacity(64);
    message.extend_from_slice(&id);
    message.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(name.wire());
    message.extend_from_slice(&rtype.0.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    message
}

/// Reads a response with the other decoder.
fn decode(response: &[u8], read: &mut Read) {
    read.asked.sha256 = HEXLOWER.encode(&Sha256::digest(response));
    let message = match Message::from_vec(response) {
        Ok(message) => message,
        Err(error) => {
            read.asked.error = Some(format!("the response cannot be decoded: {error}"));
            return;
        }
    };
    read.truncated = message.metadata.truncation;
    read.asked.rcode = rcode_name(u16::from(message.metadata.response_code));
    for (section, records) in
        [(&mut read.answer, &message.answers), (&mut read.authority, &message.authorities)]
    {
        for record in records {
            let Some(item) = canonical(record) else {
                read.asked.error = Some(format!("a record cannot be read: {record}"));
                continue;
            };
            section.push(item);
        }
    }
    let lines = message.answers.iter().zip(&read.answer).map(|(record, (owner, rtype, data))| {
        format!("{owner} {} IN {rtype} {}", record.ttl, rdata::to_text(*rtype, data))
    });
    read.asked.answer = lines.collect();
}

/// Owner, type and canonical RDATA of a decoded record.
fn canonical(record: &hickory_proto::rr::Record) -> Option<(Name, Rtype, Vec<u8>)> {
    let rtype = Rtype(u16::from(record.record_type()));
    let owner = record.name.to_bytes().ok()?;
    let (owner, _) = Name::from_wire(&owner).ok()?;
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_canonical_form(true);
    record.data.emit(&mut encoder).ok()?;
    Some((owner, rtype, bytes))
}

/// The name of a response code (RFC 6895 §2.3).
fn rcode_name(code: u16) -> String {
    let names =
        ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET"];
    let known = names.get(usize::from(code)).map(|name| (*name).to_owned());
    known.unwrap_or_else(|| format!("RCODE{code}"))
}

/// Whether two RDATA are the same; names inside do not mind case, text does.
pub(super) fn same_rdata(rtype: Rtype, a: &[u8], b: &[u8]) -> bool {
    let b = rdata::canonical(rtype, b);
    *a == *b || (rtype != Rtype::TXT && a.eq_ignore_ascii_case(&b))
}
