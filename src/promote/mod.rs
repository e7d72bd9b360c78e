//! Where road 3 joins road 2: an approved request becomes a change of a zone (approval.md §2.5).
//!
//! ```text
//! candidate ─► ask "before" ─► ┌ one transaction ──────────────────────┐ ─► swap ─► read back ─► settle
//!  (hash as     (proof)        │ journal, promoted RRsets, event,      │          (UDP and TCP,  (proof, Live,
//!   approved)                  │ request, promotion id, live record    │           every family)  notice)
//!                              └───────────────────────────────────────┘
//! ```
//! A crash before the transaction changes nothing; after it, start-up serves the change and
//! [`Promoter::recover`] goes on from the read-back. A read-back that fails rolls forward: the
//! inverse under a higher serial. The room also keeps the [`Ledger`], the sealed rows of the queue
//! that this room and `desk` write.

mod drift;
mod error;
mod plan;
mod probe;
mod promoter;
mod rrsets;
mod settle;

pub use drift::Drift;
pub use error::ActError;
pub use plan::{Plan, Proof};
pub use probe::{Prober, probe};
pub use promoter::{Draft, Promoter, anchor_edit};
pub use rrsets::{edit_of, edit_out, rrsets, served_records};
pub use settle::records_before;
