//! Evidence (approval.md §6, §7): what happened, in an order nobody can change unseen.
//!
//! ```text
//! event n   = fields, hash(n) = SHA-256(hash(n-1) ‖ canonical bytes of the fields)
//! checkpoint = Ed25519 over (sequence, head, time, key id); the key lies outside the database
//! anchor     = a checkpoint as a TXT record in the zone itself, so every secondary is a witness
//! ```
//! Personal data never enters the chain: it holds `SHA-256(tag ‖ field ‖ salt ‖ value)`, and salt
//! and value lie encrypted in a table of their own, from which they can be erased.

mod chain;
mod error;
mod export;
mod notary;
mod tables;
mod vault;
mod verify;

pub use chain::{NewEvent, append, append_sealed};
pub use error::AuditError;
pub use export::{Export, export, export_line};
pub use notary::{ANCHOR_LABEL, Anchor, Notary};
pub(crate) use vault::random;
pub use vault::{Sealed, Vault};
pub use verify::{Fault, Report, verify, verify_own};

pub use crate::store::events::{AuditKey, Checkpoint, Event};
