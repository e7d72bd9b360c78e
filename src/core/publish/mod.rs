//! The only way to change live data: a file edit, an approved request and a rollback are all a
//! change from one serial to the next.
//!
//! ```text
//! source   files: read, compiled, watched, reloaded; startup
//!    │
//! propose  what a file, an edit or a rollback means for what is live: a proposal
//!    │
//! door     check ─► number ─► commit ─► swap ─► confirm ─► notify, or revert
//! ```
//!
//! A floor uses only those below it. Beneath them are `state`, which all floors share, and `confirm`, which
//! queries our own sockets. Before the commit nothing changes for anybody; after it the next start serves the
//! change, so a crash at any point leaves the state before or after it. The operator's file is never written.
//! What requests and updates publish is kept beside it and merged with it, RRset by RRset.
//!
//! To add a cause of change, add its variant to [`Cause`], whose exhaustive matches then require its meaning,
//! and publish an [`EditProposal`] with it, or make another kind of proposal in `propose`.
//!
//! Everything here uses plain threads and locks: one lock per zone orders its changes; readers of the served
//! zones take none.

mod confirm;
mod door;
mod propose;
mod source;
mod state;

pub use confirm::{Confirmation, Expectation, Observation, Refuted, SerialExpected, Sockets};
pub use door::{NoRows, NotPublished, Published, Rows, RowsFn};
pub use propose::{
    Candidate, EditProposal, Floor, KeysError, NotDecided, SigningState, Surroundings, TransferIn,
    Version, imported_keys, kept_keys, kept_set,
};
pub use source::{
    Early, FileDiff, Progress, SecondaryZone, Watcher, doubled, is_ignored, manifest_faults,
    sources_in,
};
pub use state::failpoint;
pub use state::{
    By, Cause, Change, Durations, Edit, Guard, LastChange, Listing, Options, Outcome, PublishError,
    Publisher, Refusal, ReloadReport, RrsetEdit, Secondaries, Secondary, SerialPolicy, Sources,
    Strictness, TIME_BOUNDS, Times, ZoneSource, ZoneStatus, is_guard, is_only_guard, now_ms,
    unanswered,
};

#[cfg(test)]
mod tests;
