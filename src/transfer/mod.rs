//! Zone transfers as messages: AXFR (RFC 5936) and IXFR (RFC 1995), going out and coming in.
//!
//! Nothing here reads a socket, a clock or the database: what goes out is made from a zone and its
//! changes, what comes in is a message at a time.

mod incoming;
mod out;
mod page;

pub use incoming::{Incoming, Received, TransferFault, Wanted};
pub use out::{Envelope, Sending, TooLarge};

use crate::wire::{Record, RecordRef, Rtype};
use crate::zone::{Delta, Zone};

//------------ Outgoing ------------------------------------------------------

/// What a transfer sends.
#[derive(Clone, Debug)]
pub enum Outgoing {
    /// The whole zone (AXFR, and IXFR where there is nothing better).
    Whole(Zone),
    /// The changes that lead to the zone, oldest first, each with the SOA records of both its ends.
    Changes {
        /// The zone as it is now.
        zone: Zone,
        /// The changes.
        deltas: Vec<Delta>,
    },
    /// The SOA record: the requester has what there is.
    Current(Record),
}

impl Outgoing {
    /// The response to IXFR from the version that `deltas` start from: without any, the requester has what
    /// there is.
    pub fn since(zone: Zone, deltas: Vec<Delta>) -> Self {
        match soa(&zone).filter(|_| deltas.is_empty()) {
            Some(soa) => Self::Current(soa.to_record()),
            None => Self::Changes { zone, deltas },
        }
    }

    /// The serial that it leads to; none of a SOA that is not one.
    pub fn serial(&self) -> Option<u32> {
        match self {
            Self::Whole(zone) | Self::Changes { zone, .. } => Some(zone.serial()),
            Self::Current(record) => record.serial(),
        }
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

/// The SOA record of a zone, which every zone has.
fn soa(zone: &Zone) -> Option<RecordRef<'_>> {
    zone.apex_node().rrset(Rtype::SOA)?.records(zone.apex()).next()
}

#[cfg(test)]
mod tests;
