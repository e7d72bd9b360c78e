//! The answer engine: RFC 1034 §4.3.2 and its successors, from a query's bytes to a response's.
//!
//! [`respond`] is total: every byte string gets a response or a deliberate silence. It does no I/O,
//! reads no clock, takes no lock and allocates nothing; the time, the peer and the limits are
//! parameters. What it learned on the way stays in [`Scratch`] for the query log, the metrics and the rate
//! limit.

mod respond;

mod additional;
mod chain;
mod chaos;
mod lookup;
mod proof;

mod options;
mod put;
mod reply;

mod cookie;
mod peer;
mod scratch;
mod siphash;

pub use cookie::{CookieResult, CookieSecrets};
pub use peer::{
    Access, DropReason, Ede, Facts, Identity, Outcome, Peer, ResponseKind, Signature, Transfer,
    Transport, Verdict,
};
pub use reply::octets_max;
pub use respond::{conclude, frame, refuse, respond, respond_near};
pub use scratch::Scratch;
