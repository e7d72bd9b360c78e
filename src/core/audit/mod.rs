//! The audit chain: what happened, in an order nobody can change unseen (docs/procedure.md).
//!
//! ```text
//! event n   = fields, hash(n) = SHA-256(hash(n-1) ‖ canonical bytes of the fields)
//! checkpoint = Ed25519 over (sequence, head, time, key id); the key is kept outside the database
//! anchor     = a checkpoint as a TXT record in the zone itself, so every secondary is a witness
//! ```
//! Rows of the other tables are bound to the chain by the row log (`rows`).
//!
//! Personal data never enters the chain: it holds `SHA-256(tag ‖ field ‖ salt ‖ value)`, and salt
//! and value are kept encrypted in a table of their own, from which they can be erased.

mod anchor;
mod canonical;
mod chain;
mod error;
mod export;
mod key_files;
mod keys;
mod letters;
mod notary;
mod report;
mod rows;
mod tables;
mod vault;
mod verify;

pub use anchor::{ANCHOR_LABEL, Anchor};
pub use chain::{NewEvent, PROOF, ROW_LOG, append, append_sealed, was_turned_back};
pub use error::AuditError;
pub use export::{Export, Part, export_line, export_part, note_export};
pub use key_files::has_keys;
pub use key_files::random;
pub use letters::{PAPER_FILE, check_letters, check_papers};
pub use notary::Notary;
pub use report::{AuditFault, Compared, FaultKind, Report};
pub use rows::{guard, inspect_keys, inspect_vault, open_guarded};
pub use vault::{Sealed, Vault};
pub use verify::{verify, verify_own};

pub use crate::store::events::{AuditKey, Checkpoint, Event};
pub use crate::store::row_log::RowChange;

#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)] // Helpers of tests.
pub mod testing;
#[cfg(test)]
mod tests;
