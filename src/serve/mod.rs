//! Sockets and the edge: packets in, [`answer`](crate::answer), packets out.
//!
//! [`start`] binds every listener and runs the workers. Each transport takes messages off its sockets
//! in its own way (`udp` in batches, `stream` for TCP and TLS, `quic` through hickory-server) and gives
//! each to a responder: engine, rate limit, counters, query log.
//!
//! # Decision: hickory carries QUIC, its catalog and stores answer nothing
//!
//! hickory-server brings an engine of its own: a `Catalog` over zone stores. It is not ours, because
//! it answers wrongly and not fast enough. What version 0.26.3 does was seen by asking its `Catalog`
//! over an `InMemoryZoneHandler` such questions as `tests/answer/scenarios` holds the right answers to:
//!
//! | asked | hickory's answer | right |
//! |---|---|---|
//! | `a.w TXT`, with `*.w TXT` and `a.w A` | the wildcard's TXT | NODATA: the name exists |
//! | `ent.w A`, with `*.w A` and `b.ent.w A` | the wildcard's A | NODATA: an empty non-terminal |
//! | `q.ent.w A`, `x.a.w A`, the same zone | the wildcard's A | NXDOMAIN: the closest encloser has none |
//! | `www.cut A`, with `cut NS ns.cut` | AA, no glue | AA clear, glue in additional |
//! | `cut NS` | an answer with AA, the NS twice | a referral |
//! | `alias A`, its target missing | NOERROR without SOA | NXDOMAIN with SOA |
//! | a missing name, MINIMUM 60, SOA TTL 3600 | SOA with TTL 3600 | TTL 60 |
//! | `ns A` in class CH | the data of class IN | REFUSED |
//!
//! Read in its source: no DNAME, no cookies and no extended errors; the UDP limit is the client's word
//! (`Catalog`, `MessageResponse::encode`); a negative answer walks over all names of the zone (the
//! `keys().any(..)` of `InMemoryZoneHandler::lookup`), so a random name costs more the larger the zone;
//! two lines are logged at level info for each query; nothing reloads a zone.
//!
//! Speed, in replies a second on one core over a veth pair, 600 names, 400,000 offered from the other
//! core (measured 2026-11-25): a bare socket that echoes 376,000, gapura 353,000, NSD 308,000,
//! hickory-dns 0.26.3 13,000, at 154 µs of processor time a reply where gapura takes 2.8. From there no
//! way leads past NSD.
//!
//! So hickory-server keeps QUIC connections (`quic`, off by default, over our engine), and hickory-proto
//! is a second opinion: a decoder that is not ours, for tests and for the read-back of a promotion.

mod start;

mod listen;
mod responder;

//--- Transports
mod quic;
mod stream;
mod tls;
mod udp;

#[allow(unsafe_code)] // The one module that may: system calls without a safe wrapper.
pub mod batch;

//--- Edge
pub mod acl;
pub mod cookie_secret;
pub mod counters;
pub mod limit;
pub mod query_log;

pub use acl::{Acl, Network};
pub use limit::RateLimit;
pub use listen::ListenError;
pub use query_log::{ClientDetail, Filter, QueryLogOptions};
pub use start::{CookieSetting, Listening, Options, Running, Secured, StartError, start};
pub use stream::StreamLimits;
#[cfg(any(test, fuzzing))]
pub use stream::framing::Framing;
pub use tls::CertificateError;

#[cfg(test)]
mod tests;
