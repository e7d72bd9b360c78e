//! Makes proposals: what a file, an edit or a rollback means for the live zone.
//!
//! Nothing is written here. Each cause of change ends in a [`Proposal`](super::door::Proposal) that `door`
//! publishes or refuses.

mod adopt;
mod candidate;
mod changes;
mod decide;
mod draft;
mod edit;
mod edit_check;
mod file_serial;
mod floor;
mod guards;
mod history;
mod judge;
mod loaded;
mod merge;
mod net;
mod rollback;
mod signing;
mod transfer;

pub use candidate::{Candidate, Surroundings};
pub use edit::{EditProposal, NotDecided};
pub use floor::Floor;
pub use history::Version;
pub use signing::{KeysError, SigningState, imported_keys, kept_keys, kept_set};
pub use transfer::TransferIn;

pub(super) use decide::{Kind, Prepared, prepare};
pub(super) use floor::renumbered;
#[cfg(test)]
pub(super) use guards::counted;
pub(super) use judge::{Subject, whole};
pub(super) use loaded::{Loaded, Unread};
pub(super) use merge::merge;
pub(super) use transfer::decide as decide_transfer;
