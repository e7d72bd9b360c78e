//! Zone transfers as messages: AXFR (RFC 5936) and IXFR (RFC 1995), going out and coming in.
//!
//! Nothing here reads a socket, a clock or the database: what goes out is made from a zone and its
//! changes, what comes in is a message at a time.

mod incoming;

pub use incoming::{Incoming, Received, TransferFault, Wanted};

use crate::wire::Record;
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
