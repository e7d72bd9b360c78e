//! The register of live names beside the zones: what was promised at a name, what is served there, and
//! where the two differ.
//!
//! Nothing here decides or publishes anything. `promote` makes a request live and `desk` acts on live
//! records; both look here at what they start from.

mod anchor;
mod drift;
mod live;
mod rrsets;

pub use anchor::{anchor_edit, anchor_served};
pub use drift::{Drift, Looked};
pub use rrsets::{adopted, edit_out, is_of_zone, replacing, rrsets, served_records};

use crate::ledger::Ledger;
use crate::publish::Publisher;

/// The live records and the zones they are served in; clones share both.
#[derive(Clone)]
pub struct Register {
    /// The queue's rows.
    ledger: Ledger,
    /// The zones.
    publisher: Publisher,
}

impl Register {
    /// The register over these rooms.
    pub fn new(ledger: Ledger, publisher: Publisher) -> Self {
        Self { ledger, publisher }
    }

    /// The queue's rows.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The zones.
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }
}
