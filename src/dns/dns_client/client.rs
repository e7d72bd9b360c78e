//! The client: identifiers, cookies, repetition.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use super::query;
use super::socket::{Transport, exchange_behind};
use crate::lock::lock;
use crate::wire::header::{FLAG_AA, FLAG_RD};
use crate::wire::{Name, Opcode, ProxyHeader, Rcode, Response, ResponseError, Rtype};

/// Octets of the client's half of a cookie (RFC 7873 §4).
const OWN_OCTETS: usize = 8;
/// Octets of the server's half.
const THEIRS_OCTETS: std::ops::RangeInclusive<usize> = 8..=32;

//------------ Reply ---------------------------------------------------------

/// A response as it came.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// How it came.
    pub transport: Transport,
}

impl Reply {
    /// The message, read.
    pub fn read(&self) -> Result<Response<'_>, ResponseError> {
        Response::read(&self.bytes)
    }
}

//------------ Client --------------------------------------------------------

/// What the messages of a client are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    /// Questions about what the server has itself.
    Query,
    /// Questions for which it looks elsewhere.
    Recursive,
    /// News.
    Notify,
}

/// Asks questions and remembers the cookies of the servers it asked.
#[derive(Debug)]
pub struct Client {
    /// Our half of the cookie.
    own: [u8; OWN_OCTETS],
    /// Each server's half, as it came last.
    learned: Mutex<BTreeMap<SocketAddr, Vec<u8>>>,
    /// What its messages are.
    kind: Kind,
    /// Servers that want to know whom we speak for: ourselves.
    introduced: Mutex<BTreeSet<SocketAddr>>,
}

impl Default for Client {
    fn default() -> Self {
        let mut own = [0; OWN_OCTETS];
        // Without random numbers the cookie can be guessed, and rate limits apply to us as to others.
        let _ = SystemRandom::new().fill(&mut own);
        Self { own, learned: Mutex::default(), kind: Kind::Query, introduced: Mutex::default() }
    }
}

impl Client {
    /// A client that asks servers to look elsewhere (RD, RFC 1035 §4.1.1).
    pub fn recursive() -> Self {
        Self { kind: Kind::Recursive, ..Self::default() }
    }

    /// A client that does not ask but tells: NOTIFY (RFC 1996, RFC 9859 §4.2), without EDNS, which not every
    /// receiver expects there. Whatever response comes is the answer, also one that is cut.
    pub fn notifier() -> Self {
        Self { kind: Kind::Notify, ..Self::default() }
    }

    /// Speaks to these servers, and no others, with a PROXY header that says that we speak for ourselves.
    pub fn introduce_to(&self, servers: impl Iterator<Item = SocketAddr>) {
        *lock(&self.introduced) = servers.collect();
    }

    /// Asks one question over one transport. Each of `tries` is the time limit of one attempt; a
    /// lost packet costs one of them. The error is the last attempt's.
    pub fn ask(
        &self,
        server: SocketAddr,
        transport: Transport,
        name: &Name,
        rtype: Rtype,
        tries: &[Duration],
    ) -> io::Result<Reply> {
        let mut last = io::Error::from(io::ErrorKind::TimedOut);
        for timeout in tries {
            let query = self.query(server, name, rtype);
            match exchange_behind(server, self.front(server), &query, transport, *timeout) {
                Ok(bytes) if self.learn(server, &bytes) => last = wants_cookie(),
                Ok(bytes) => return Ok(Reply { bytes, transport }),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Asks over UDP, and over TCP if the response was cut or lost.
    pub fn ask_either(
        &self,
        server: SocketAddr,
        name: &Name,
        rtype: Rtype,
        timeout: Duration,
    ) -> io::Result<Reply> {
        let ask = |transport| self.ask(server, transport, name, rtype, &[timeout]);
        match ask(Transport::Udp) {
            Ok(reply) if reply.read().is_ok_and(|response| !response.is_truncated()) => Ok(reply),
            _ => ask(Transport::Tcp),
        }
    }

    /// What comes before a query to a server.
    pub(super) fn front(&self, server: SocketAddr) -> &'static [u8] {
        let is_introduced = lock(&self.introduced).contains(&server);
        if is_introduced { &ProxyHeader::LOCAL } else { &[] }
    }

    /// A question to a server, with a new identifier.
    pub(super) fn query(&self, server: SocketAddr, name: &Name, rtype: Rtype) -> Vec<u8> {
        let flags = match self.kind {
            Kind::Query => 0,
            Kind::Recursive => FLAG_RD,
            Kind::Notify => {
                let flags = u16::from(Opcode::NOTIFY.0) << 11 | FLAG_AA;
                return query::question(fresh_id(), flags, name.as_ref(), rtype, [0; 2]);
            }
        };
        query::write(fresh_id(), flags, name.as_ref(), rtype, &self.cookie(server))
    }

    /// Whether a response has to come again over TCP.
    pub(super) fn is_cut(&self, reply: &Reply) -> bool {
        self.kind != Kind::Notify && reply.read().is_ok_and(|response| response.is_truncated())
    }

    /// Both halves of the cookie for a server, as far as they are known.
    fn cookie(&self, server: SocketAddr) -> Vec<u8> {
        let learned = lock(&self.learned);
        let theirs = learned.get(&server).map(Vec::as_slice).unwrap_or_default();
        [&self.own, theirs].concat()
    }

    /// Remembers the server's half of the cookie. Returns whether the server wants the question
    /// again with it (BADCOOKIE, RFC 7873 §5.3).
    pub(super) fn learn(&self, server: SocketAddr, bytes: &[u8]) -> bool {
        let Ok(response) = Response::read(bytes) else { return false };
        let cookie = response.edns.and_then(|edns| edns.cookie);
        let halves = cookie.and_then(|cookie| cookie.split_at_checked(OWN_OCTETS));
        let theirs = halves
            .filter(|(own, theirs)| *own == &self.own[..] && THEIRS_OCTETS.contains(&theirs.len()));
        let Some((_, theirs)) = theirs else { return false };
        let mut learned = lock(&self.learned);
        let before = learned.insert(server, theirs.to_vec());
        response.rcode == Rcode::BADCOOKIE && before.as_deref() != Some(theirs)
    }
}

/// A server wants the question again with its cookie.
pub(super) fn wants_cookie() -> io::Error {
    io::Error::other("the server asks for its new cookie")
}

/// An identifier of a query.
pub fn fresh_id() -> u16 {
    let mut id = [0; 2];
    // Without random numbers it is 0: the socket is connected, so only its peer can answer.
    let _ = SystemRandom::new().fill(&mut id);
    u16::from_be_bytes(id)
}
