//! Where road 3 joins road 2: an approved request becomes a change of a zone (docs/procedure.md,
//! "Promotion").
//!
//! ```text
//! preview ─► ask "before" ─► ┌ publish ────────────────────────────────────────────────┐ ─► keep proof
//! (hash as   (proof)       │ one transaction: journal, promoted RRsets, request,      │    (proof, Live,
//!  approved)               │ events, promotion ─► swap ─► our own sockets answer it   │     notices)
//!                          └──────────── if not: inverse and failure, one transaction ┘
//! ```
//!
//! [`Promoter::promote`] reads in this order. A crash before the transaction changes nothing; after
//! it, start-up serves the change and [`Promoter::recover`] goes on from the read-back with the plan
//! that the transaction holds. A promotion is finished once, by whoever holds the lock of the turn.

mod error;
mod live;
mod outcome;
mod plan;
mod preview;
mod promoter;
mod proof;
mod rows;

pub use error::PromotionError;
pub use outcome::records_before;
pub use plan::Plan;
pub use preview::Preview;
pub use promoter::Promoter;
pub use proof::{Proof, Reached};

#[cfg(test)]
mod tests;
