//! Zone transfers as messages: AXFR (RFC 5936) and IXFR (RFC 1995), going out and coming in.
//!
//! Nothing here reads a socket, a clock or the database: what goes out is made from a zone and its
//! changes, what comes in is a message at a time.

mod incoming;
mod out;
mod page;

pub use incoming::{Incoming, Received, TransferFault, Wanted};
pub use out::{Envelope, Sending, TooLarge};

use crate::wire::{Record, Rtype};
use crate::zone::{Delta, Zone};

//------------ Outgoing ------------------------------------------------------

/// What a transfer sends.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// The whole zone (AXFR, and IXFR where there is nothing better).
    Whole(Zone),
    /// The changes that lead to the zone, oldest first, each with the SOA records of both its ends in
    /// front; [`Outgoing::since`] makes it.
    Changes {
        /// The zone as it is now.
        zone: Zone,
        /// The changes.
        deltas: Vec<Delta>,
    },
    /// The SOA record of the zone: the requester has what there is.
    Current(Zone),
}

impl Outgoing {
    /// The response to IXFR from the version that `deltas` start from: without any, the requester has what
    /// there is.
    pub fn since(zone: Zone, mut deltas: Vec<Delta>) -> Self {
        if deltas.is_empty() {
            return Self::Current(zone);
        }
        for delta in &mut deltas {
            [&mut delta.removed, &mut delta.added].into_iter().for_each(|part| soa_first(part));
        }
        Self::Changes { zone, deltas }
    }

    /// The version that it leads to.
    pub fn zone(&self) -> &Zone {
        let (Self::Whole(zone) | Self::Changes { zone, .. } | Self::Current(zone)) = self;
        zone
    }

    /// What it is, for logs and metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Whole(_) => "axfr",
            Self::Changes { .. } => "ixfr",
            Self::Current(_) => "current",
        }
    }
}

/// Puts the SOA record in front; the others keep their order.
fn soa_first(part: &mut [Record]) {
    if let Some(at) = part.iter().position(|record| record.rtype == Rtype::SOA) {
        part[..=at].rotate_right(1);
    }
}

#[cfg(test)]
mod tests;
