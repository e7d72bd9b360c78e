//! The ledger: the sealed rows of the queue and the notices of its events.
//!
//! `promote` and `desk` read and write requests, live records, events and notices through a
//! [`Ledger`]. A body is sealed because it names persons. Everything runs inside the caller's
//! transaction; no rule of the procedure is decided here.

mod error;
mod outbox;
mod rows;

pub use error::LedgerError;
pub use outbox::{Outgoing, Reader as NoticeReader};
pub use rows::{Clock, Ledger, Stored};
