//! The ledger: the sealed rows of the queue, and the one writer of what the procedure did.
//!
//! `promote` and `desk` read requests, live records and notices through a [`Ledger`], and write a
//! step of the procedure with [`Ledger::apply`] and its sisters. A body is sealed because it names
//! persons; so is what a paper says. Everything runs inside the caller's transaction; no rule of the procedure is decided
//! here.

mod apply;
mod checkpoint;
mod erasure;
mod erasures;
mod error;
mod outbox;
mod owners;
mod papers;
mod persons;
mod recipients;
mod restored;
mod rows;
mod targets;

pub use apply::NewRequest;
pub use erasure::ErasedRows;
pub use erasures::{ERASURES, Erasures};
pub use error::LedgerError;
pub use owners::NameOwner;
pub use papers::{House, KeptPaper, NewPaper, grouped, read_code};
pub use restored::{AfterRestore, Leftover, Restored};
pub use rows::{Clock, Ledger, Stored};
pub use targets::{watch_of, with_watch};

#[cfg(test)]
mod tests;
