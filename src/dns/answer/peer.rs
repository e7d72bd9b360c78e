//! What goes into `respond` and what comes out: the client, the server, the verdict and its facts.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;

use crate::wire::{Class, Name, NameRef, Opcode, Rcode, Rtype};

use super::cookie::{CookieResult, CookieSecrets};

//------------ Access --------------------------------------------------------

/// Decides which clients may query which names.
pub trait Access: std::fmt::Debug {
    /// Whether this client may query this name.
    fn allows(&self, client: IpAddr, name: NameRef<'_>) -> bool;
}

/// The same for every client and name.
impl Access for bool {
    fn allows(&self, _: IpAddr, _: NameRef<'_>) -> bool {
        *self
    }
}

//------------ Peer ----------------------------------------------------------

/// The sender of a query, as the socket knows it.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// The source address.
    pub address: IpAddr,
    /// The source port.
    pub port: u16,
    /// Our own address that the query came to, if the socket knows it: a query whose source is that
    /// address is a loop.
    pub local: Option<SocketAddr>,
    /// How the query came.
    pub transport: Transport,
    /// The access list, consulted once per query; a client that is not allowed gets REFUSED with EDE 18.
    pub access: &'a dyn Access,
    /// Whether the address is over its rate, so that a bad cookie is answered with BADCOOKIE.
    pub limited: bool,
    /// Now, in seconds since 1970, modulo 2³² (cookies).
    pub now_seconds: u32,
    /// The idle timeout of this connection in units of 100 ms, for RFC 7828; streams only.
    pub keepalive: Option<u16>,
}

impl Peer<'_> {
    /// A peer that may query any name, with nothing special about it.
    pub fn new(address: SocketAddr, transport: Transport, now_seconds: u32) -> Self {
        Self {
            address: address.ip(),
            port: address.port(),
            local: None,
            transport,
            access: &true,
            limited: false,
            now_seconds,
            keepalive: None,
        }
    }

    /// Whether no reply may go to this source: port 0, no address, broadcast, multicast, ourselves.
    #[inline]
    pub(crate) fn is_unanswerable(&self) -> bool {
        let bad_address = match self.address {
            IpAddr::V4(v4) => v4.is_unspecified() || v4.is_broadcast() || v4.is_multicast(),
            IpAddr::V6(v6) => v6.is_unspecified() || v6.is_multicast(),
        };
        let ourselves =
            self.local.is_some_and(|us| us.port() == self.port && us.ip() == self.address);
        self.port == 0 || bad_address || ourselves
    }
}

/// How a query came.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Transport {
    /// Datagrams: the size is limited, the address may be spoofed.
    Udp,
    /// DNS over TCP (RFC 7766).
    Tcp,
    /// DNS over TLS (RFC 7858).
    Tls,
    /// DNS over QUIC (RFC 9250).
    Quic,
}

impl Transport {
    /// Whether others cannot read along, so that padding is of use.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Self::Tls | Self::Quic)
    }
}

//------------ Identity ------------------------------------------------------

/// What this server says about itself, and its limits.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The largest UDP response, also announced in OPT (RFC 9715: 1232 unless there is a reason).
    pub udp_size: u16,
    /// The payload of NSID (RFC 5001); empty answers nothing. At most 128 octets are used.
    pub nsid: Vec<u8>,
    /// The text of `version.bind` and `version.server` in class CH; `None` hides it.
    pub version: Option<String>,
    /// The text of `hostname.bind` and `id.server` in class CH (RFC 4892); `None` hides it.
    pub hostname: Option<String>,
    /// The secrets of DNS cookies; `None` turns them off.
    pub cookies: Option<CookieSecrets>,
    /// The agent domain of error reporting (RFC 9567); `None` or the root reports nowhere.
    pub report_agent: Option<Name>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            udp_size: 1232,
            nsid: Vec::new(),
            version: None,
            hostname: None,
            cookies: None,
            report_agent: None,
        }
    }
}

//------------ Verdict -------------------------------------------------------

/// What the socket has to do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Send that many octets of `out`.
    Reply(usize),
    /// Send nothing; [`Facts::dropped`] holds the reason.
    Drop,
    /// The message is signed: verify that, and ask again without its TSIG record, which starts there.
    Signed {
        /// The offset of the TSIG record.
        at: usize,
    },
    /// A zone transfer; the zone's name is [`Scratch::qname`](super::Scratch::qname).
    Transfer(Transfer),
    /// A NOTIFY (RFC 1996); its zone is the QNAME, its hint the serial it may carry.
    Notify {
        /// The serial of the SOA in the answer section, a hint only.
        serial: Option<u32>,
    },
    /// An UPDATE (RFC 2136); its zone is the QNAME.
    Update,
}

/// Which transfer is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transfer {
    /// The whole zone (RFC 5936).
    Full,
    /// What changed since a serial (RFC 1995).
    Since(u32),
}

//------------ Outcome -------------------------------------------------------

/// What came of an operation outside the engine.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'t> {
    /// The response code.
    pub rcode: Rcode,
    /// The extended code.
    pub ede: Option<Ede>,
    /// The text of the extended code, in the place of its usual one; empty: that one.
    pub text: &'t str,
    /// Whether AA is set.
    pub authoritative: bool,
}

//------------ Facts ---------------------------------------------------------

/// What is known of the last query and its response: for the query log, metrics and rate limit.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The operation code.
    pub opcode: Opcode,
    /// The type asked for; 0 if there was no question.
    pub qtype: Rtype,
    /// The class asked for.
    pub qclass: Class,
    /// The header's flags as received.
    pub query_flags: u16,
    /// The UDP size of the query's OPT; `None` without EDNS.
    pub edns_size: Option<u16>,
    /// Whether the query's DO bit was set.
    pub dnssec_ok: bool,
    /// The result of checking the cookie.
    pub cookie: CookieResult,
    /// Whether the message was signed; the engine knows no keys, so whoever verified it notes that here.
    pub signature: Signature,
    /// The whole response code.
    pub rcode: Rcode,
    /// The extended error, if one was sent or would have been with EDNS.
    pub ede: Option<Ede>,
    /// Whether AA was set.
    pub authoritative: bool,
    /// Whether TC was set.
    pub truncated: bool,
    /// Whether any part of the answer came from a wildcard.
    pub wildcard: bool,
    /// Whether a signed zone answered and signatures and proofs were asked for: what it says comes with them.
    pub proofs: bool,
    /// The serial of the zone version that answered.
    pub serial: Option<u32>,
    /// What kind of response it was.
    pub kind: ResponseKind,
    /// Why nothing was sent, if nothing was.
    pub dropped: Option<DropReason>,
    /// Octets of the apex's name, which ends the QNAME; 0 if no zone answered.
    pub(crate) apex_octets: u8,
    /// The hash of the apex's name; none if no zone answered.
    pub(crate) apex_hash: Option<NonZeroU64>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            opcode: Opcode::QUERY,
            qtype: Rtype(0),
            qclass: Class(0),
            query_flags: 0,
            edns_size: None,
            dnssec_ok: false,
            cookie: CookieResult::None,
            signature: Signature::None,
            rcode: Rcode::NOERROR,
            ede: None,
            authoritative: false,
            truncated: false,
            wildcard: false,
            proofs: false,
            serial: None,
            kind: ResponseKind::Error,
            dropped: None,
            apex_octets: 0,
            apex_hash: None,
        }
    }
}

/// How the signature of a message was judged (TSIG, RFC 8945).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Signature {
    /// It has none, or nobody has judged it yet.
    #[default]
    None,
    /// It is good: whoever sent it has the key.
    Good,
    /// It is not good.
    Bad,
}

/// The kind of a response, for rate limits and metrics.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ResponseKind {
    /// Data of the type asked for, or an alias.
    Positive,
    /// The name exists, the type does not.
    Nodata,
    /// The name does not exist.
    Nxdomain,
    /// Another server is asked for.
    Referral,
    /// REFUSED, FORMERR, NOTIMP and their like.
    Error,
}

/// Why a packet got silence.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DropReason {
    /// Shorter than a header, or QR=1: never answered.
    NotAQuery,
    /// No reply may go to its source.
    Source,
    /// The caller's buffer does not hold even a header and the question.
    Buffer,
}

//------------ Ede -----------------------------------------------------------

/// An extended DNS error (RFC 8914) with the text that goes with it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ede {
    /// The INFO-CODE.
    pub code: u16,
    /// The EXTRA-TEXT: short, in English, with no other name's data.
    pub text: &'static str,
}

impl Ede {
    /// 0, Other: there is too much to do at the moment.
    pub const BUSY: Self = Self { code: 0, text: "too busy, ask again" };
    /// 0, Other: what went wrong has no code.
    pub const OTHER: Self = Self { code: 0, text: "failed" };
    /// 14, Not Ready: the zone is configured and not loaded.
    pub const NOT_READY: Self = Self { code: 14, text: "zone not loaded" };
    /// 18, Prohibited: the access list refuses the client.
    pub const PROHIBITED: Self = Self { code: 18, text: "not allowed" };
    /// 20, Not Authoritative: the name is in none of our zones.
    pub const NOT_AUTHORITATIVE: Self = Self { code: 20, text: "not authoritative" };
    /// 21, Not Supported: the class or the operation is not offered here.
    pub const NOT_SUPPORTED: Self = Self { code: 21, text: "not supported" };
    /// 24, Invalid Data: the zone's data has run out of its time.
    pub const INVALID_DATA: Self = Self { code: 24, text: "zone data expired" };
}

/// The suffix of `name` that has `octets` octets.
pub(crate) fn suffix(name: &[u8], octets: usize) -> Option<NameRef<'_>> {
    let start = name.len().checked_sub(octets)?;
    NameRef::from_wire(&name[start..]).ok().map(|(name, _)| name)
}
