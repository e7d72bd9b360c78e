//! Sockets and the edge: packets in, [`answer`](crate::answer), packets out.
//!
//! [`start`] binds every listener and runs the workers. Each transport takes messages off its sockets
//! in its own way (`udp` in batches, `stream` for TCP and TLS, `quic` through hickory-server) and gives
//! each to a responder: engine, rate limit, counters, query log.

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

mod ask;

pub use acl::{Acl, Network};
pub use ask::{Client, ask};
pub use limit::RateLimit;
pub use listen::ListenError;
pub use query_log::{ClientDetail, Filter, QueryLogOptions};
pub use start::{CookieSetting, Listening, Options, Running, Secured, StartError, start};
pub use stream::StreamLimits;
pub use tls::CertificateError;

#[cfg(test)]
mod tests;
