//! The only door to live data: a file edit, an approved request and a rollback are all a change from
//! one serial to the next.
//!
//! ```text
//! candidate ─► check ─► difference ─► durable commit ─► swap ─► confirm ─► announce ─► acknowledge
//!                                     (one transaction) (one pointer)  (ask our own socket)
//! ```
//!
//! Before the commit nothing changes for anybody; after it the change is what start-up serves, so a
//! crash at any point leaves the state before or after it. The operator's file is never written.
//! What requests put up is kept beside it and merged with it, RRset by RRset.
//!
//! Everything here is plain threads and locks: one lock a zone orders its changes, readers of the
//! served zones take none.

mod change;
mod commit;
mod compile;
mod confirm;
mod decide;
mod derived;
mod door;
mod draft;
mod edit;
mod edit_check;
mod error;
pub(crate) mod failpoint;
mod history;
mod judge;
mod keeper;
mod manifest;
mod overlay;
mod publisher;
mod read;
mod reload;
mod report;
mod serial;
mod source;
mod stand_in;
mod start;
mod watch;

pub use change::{Cause, Change, Edit, RrsetEdit};
pub use door::{Asked, Confirmation, Expectation, Refuted, SerialExpected, Sockets};
pub use draft::{Candidate, Surroundings};
pub use error::PublishError;
pub use history::Version;
pub use publisher::Publisher;
pub use reload::FileDiff;
pub use report::{Guard, LastChange, Outcome, Refusal, ReloadReport, ZoneStatus};
pub use serial::SerialPolicy;
pub use source::{Options, Strictness, ZoneSource, is_ignored, sources_in};
pub use watch::Watcher;

use crate::digest::hex;

#[cfg(test)]
mod tests;
