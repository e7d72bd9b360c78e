//! Asks a name server a question and returns its response: most often our own sockets, to confirm a
//! change and to prove a promotion; for a probe or a look at a parent zone, a stranger's name
//! server or the system's recursive ones.
//!
//! A small blocking client. Every call has a time limit; what is lost is asked for again, what was
//! cut over UDP can be asked for over TCP, and cookies (RFC 7873) keep our own rate limit from
//! treating us as a forger. [`Stream`] is a connection for more than one message, as a transfer needs
//! it, over TCP or [`Tls`]. Many servers are asked at once by [`Client::ask_all`]. Responses are read by [`wire::Response`](crate::wire::Response). The
//! room knows no zone and decides nothing.

mod client;
mod gather;
mod ours;
mod query;
mod socket;
mod stream;
mod system;
#[cfg(test)]
pub(crate) mod testing;
mod tls;

pub use client::{Client, Reply, fresh_id};
pub use gather::Asked;
pub use ours::Ours;
pub use query::question;
pub use socket::{Transport, answers, exchange, reachable, silence};
pub use stream::{Stream, Timed};
pub use system::{address, recursive_servers};
pub use tls::{Tls, TlsError, roots, shake_hands};

#[cfg(test)]
mod tests;
