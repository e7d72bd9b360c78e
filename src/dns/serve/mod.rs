//! Sockets and the edge: packets in, [`answer`](crate::answer), packets out.
//!
//! [`start`] binds every listener and runs the workers. Each transport takes messages off its sockets
//! in its own way (`udp` in batches, with `xdp` beside it, `stream` for TCP and TLS, `quic` through hickory-server) and passes
//! each to a responder: engine, rate limit, counters, query log. Why hickory carries QUIC and answers
//! nothing: `docs/adr/0001-hickory.md`.

mod start;

mod errand;
mod inherited;
mod listen;
mod operations;
mod responder;
mod unusual;

//--- Transports
#[cfg_attr(not(feature = "quic"), path = "no_quic.rs")]
mod quic;
mod stream;
mod tls;
mod udp;
mod validity;

#[allow(unsafe_code)] // System calls without a safe wrapper.
pub mod batch;
mod xdp;

//--- Edge
pub mod acl;
mod caretaker;
mod certificates;
mod client_ca;
mod cookie_secret;
pub mod counters;
mod files;
pub mod limit;
mod places;
mod proxies;
mod refusals;
mod zone_counts;

//--- What is noted of queries
mod dnstap;
mod lane;
mod log;
pub mod query_log;
mod samples;

pub use acl::{Acl, Network};
pub use certificates::CertificateReport;
pub use client_ca::{ClientIdentity, look_at_client_ca};
pub use dnstap::{DnstapOptions, Target as DnstapTarget};
pub use files::pages as places_for_pages;
pub use inherited::{Inherited, Purpose};
pub use limit::RateLimit;
pub use listen::{ListenError, find_address};
pub use log::kept::Keep;
pub use log::{ClientDetail, Filter, LogState};
pub use operations::{Operations, Refusal, Requester, Transferred};
pub use proxies::Proxies;
pub use query_log::{LineFormat, QueryLogOptions};
pub use samples::{Sample, Tap};
pub use start::{
    Listening, Options, Running, Secured, StartError, bind, prepare_xdp, start, start_on,
};
pub use stream::StreamLimits;
#[cfg(any(test, fuzzing))]
pub use stream::framing::Framing;
pub use tls::{CertificateError, CertificateState, Loading, certificate_validity};
pub use validity::{Trouble, Validity};
#[cfg(any(test, feature = "floor"))]
pub use xdp::XdpFloor;
pub use xdp::{XdpReport, look_at_interface};

#[cfg(test)]
mod tests;
