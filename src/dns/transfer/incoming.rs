//! A transfer coming in: messages one at a time, in the end a zone or the changes that lead to one.
//!
//! ```text
//! AXFR   SOA new · records … · SOA new                              (RFC 5936 §2.2)
//! IXFR   SOA new                                                    up to date (RFC 1995 §4)
//!        SOA new · [SOA old · removed … · SOA next · added …] … · SOA new
//!        SOA new · records … · SOA new                              answered in the form of AXFR
//! ```
//!
//! Total over any octets, and bounded. A transfer counts only with its closing SOA record; one record
//! that cannot be, and there is none. Whether its content may be served is for others to say, and so is
//! who sent it: signatures are verified before a message gets here.

use crate::wire::header::FLAG_TC;
use crate::wire::{
    Class, Header, Name, Opcode, Rcode, Record, Response, ResponseError, Rtype, is_ahead,
    received_ttl,
};
use crate::zone::{BuildFault, Delta, Zone, ZoneBuilder};

/// Octets that records of a transfer may have, decompressed: as a zone file may.
const OCTETS_MAX: usize = 1 << 30;
/// Octets of a record besides owner and RDATA.
const RECORD_OCTETS: usize = 10;
/// Octets that changes may take in memory; for more the whole zone is better.
const CHANGES_OCTETS_MAX: usize = 128 << 20;
/// Octets that a record of a change takes in memory besides owner and RDATA: itself, its place in a list,
/// two allocations.
const HELD_OCTETS: usize = 2 * size_of::<Record>() + 32;

//------------ Wanted --------------------------------------------------------

/// What was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// The whole zone (AXFR).
    Whole,
    /// What changed since a serial (IXFR).
    Since(u32),
}

impl Wanted {
    /// The type of the question.
    pub fn rtype(self) -> Rtype {
        match self {
            Self::Whole => Rtype::AXFR,
            Self::Since(_) => Rtype::IXFR,
        }
    }
}

//------------ Received ------------------------------------------------------

/// What a whole transfer brought.
#[derive(Clone, Debug)]
pub enum Received {
    /// The server has nothing newer than was asked from; this is its serial.
    Current {
        /// The serial.
        serial: u32,
    },
    /// A whole zone.
    Whole {
        /// The zone.
        zone: Zone,
        /// What building it has shown, for the checks.
        faults: Vec<BuildFault>,
    },
    /// The changes from the version that was named, oldest first, each with the SOA records of both its
    /// ends.
    Changes(Vec<Delta>),
}

impl Received {
    /// The word in logs and metrics: what came, not what was asked for.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Current { .. } => "current",
            Self::Whole { .. } => "axfr",
            Self::Changes(_) => "ixfr",
        }
    }
}

//------------ Incoming ------------------------------------------------------

/// A transfer coming in.
pub struct Incoming {
    /// The zone.
    apex: Name,
    /// The identifier of the query.
    id: u16,
    /// What was asked for.
    wanted: Wanted,
    /// How far it is.
    stage: Stage,
    /// Octets that may still come.
    octets_left: usize,
    /// Octets that changes may still take.
    changes_left: usize,
}

/// How far a transfer is.
enum Stage {
    /// No record came.
    Start,
    /// One SOA record came; the next record tells which form it is.
    Opened(Record),
    /// The records of a whole zone.
    Whole(Record, Box<ZoneBuilder>),
    /// Changes; the last one is not whole yet.
    Changes(Changes),
    /// The closing SOA record came.
    Done(Outcome),
}

/// Changes coming in.
struct Changes {
    /// The SOA record at both ends of the transfer.
    newest: Record,
    /// The changes that are whole.
    done: Vec<Delta>,
    /// The change that is coming.
    now: Delta,
    /// Whether its second SOA record came: what follows is added.
    is_adding: bool,
}

/// What came, before a zone is built of it.
enum Outcome {
    /// Nothing newer.
    Current(u32),
    /// The records of a whole zone.
    Whole(Box<ZoneBuilder>),
    /// Changes.
    Changes(Vec<Delta>),
}

impl Incoming {
    /// A transfer of which nothing came yet; `id` is the identifier of its query.
    pub fn new(apex: &Name, id: u16, wanted: Wanted) -> Self {
        let (octets_left, changes_left) = (OCTETS_MAX, CHANGES_OCTETS_MAX);
        Self { apex: apex.clone(), id, wanted, stage: Stage::Start, octets_left, changes_left }
    }

    /// Takes the next message, without its TSIG. Returns whether the transfer is whole.
    pub fn take(&mut self, message: &[u8]) -> Result<bool, TransferFault> {
        let response = Response::read(message)?;
        self.head(&response)?;
        if response.answer.is_empty() {
            return Err(TransferFault::Empty);
        }
        for record in response.answer {
            self.record(record)?;
        }
        // A lone SOA record that is no newer says all there is to say (RFC 1995 §4); a newer one is the
        // beginning of what the next message goes on with.
        if let (Stage::Opened(soa), Wanted::Since(ours)) = (&self.stage, self.wanted) {
            let serial = serial(soa)?;
            if serial == ours || !is_ahead(serial, ours) {
                self.stage = Stage::Done(Outcome::Current(serial));
            }
        }
        Ok(matches!(self.stage, Stage::Done(_)))
    }

    /// What the transfer came to. Without its closing SOA record it is a fault.
    pub fn finish(self) -> Result<Received, TransferFault> {
        match self.stage {
            Stage::Done(Outcome::Current(serial)) => Ok(Received::Current { serial }),
            Stage::Done(Outcome::Changes(deltas)) => Ok(Received::Changes(deltas)),
            Stage::Done(Outcome::Whole(builder)) => {
                let (zone, faults) = builder.finish();
                let zone = zone.ok_or(TransferFault::NoZone)?;
                Ok(Received::Whole { zone, faults })
            }
            _ => Err(TransferFault::Cut),
        }
    }

    /// Judges header and question (RFC 5936 §2.2.1 and §2.2.2).
    fn head(&self, response: &Response<'_>) -> Result<(), TransferFault> {
        let Header { id, flags, .. } = response.header;
        if id != self.id || response.header.opcode() != Opcode::QUERY {
            return Err(TransferFault::OtherQuery);
        }
        if response.rcode != Rcode::NOERROR {
            return Err(TransferFault::Rcode(response.rcode));
        }
        if flags & FLAG_TC != 0 {
            return Err(TransferFault::Truncated);
        }
        match &response.question {
            Some((name, rtype, class)) => {
                let same =
                    *name == self.apex && *rtype == self.wanted.rtype() && *class == Class::IN;
                if same { Ok(()) } else { Err(TransferFault::OtherQuery) }
            }
            None => Ok(()),
        }
    }

    /// Takes one record.
    fn record(&mut self, mut record: Record) -> Result<(), TransferFault> {
        let at = |wrap: fn(Name, Rtype) -> TransferFault, record: &Record| {
            wrap(record.owner.clone(), record.rtype)
        };
        if record.class != Class::IN || record.rtype.is_meta() {
            return Err(at(TransferFault::NoZoneData, &record));
        }
        if !record.owner.as_ref().is_at_or_below(self.apex.as_ref()) {
            return Err(at(TransferFault::OutOfZone, &record));
        }
        if record.rtype == Rtype::SOA && record.owner != self.apex {
            return Err(at(TransferFault::SoaBelowApex, &record));
        }
        record.ttl = received_ttl(record.ttl);
        let octets = record.owner.as_ref().wire().len() + record.rdata.len() + RECORD_OCTETS;
        self.octets_left = self.octets_left.checked_sub(octets).ok_or(TransferFault::TooLarge)?;
        if matches!(self.stage, Stage::Changes(_)) {
            let left = self.changes_left.checked_sub(octets + HELD_OCTETS);
            self.changes_left = left.ok_or(TransferFault::TooManyChanges)?;
        }
        let stage = std::mem::replace(&mut self.stage, Stage::Start);
        self.stage = self.next(stage, record)?;
        Ok(())
    }

    /// The stage after one more record.
    fn next(&self, stage: Stage, record: Record) -> Result<Stage, TransferFault> {
        let is_soa = record.rtype == Rtype::SOA;
        match stage {
            Stage::Start if is_soa => Ok(Stage::Opened(record)),
            Stage::Start => Err(TransferFault::NoSoaFirst),
            Stage::Opened(soa) => self.second(soa, record),
            Stage::Whole(soa, builder) if is_soa => {
                if !soa.is_same_soa(&record) {
                    return Err(TransferFault::SoaInTheMiddle);
                }
                Ok(Stage::Done(Outcome::Whole(builder)))
            }
            Stage::Whole(soa, mut builder) => {
                builder.push(record.as_ref());
                Ok(Stage::Whole(soa, builder))
            }
            Stage::Changes(changes) => changes.next(record),
            Stage::Done(_) => Err(TransferFault::BehindTheEnd),
        }
    }

    /// The second record tells which form the transfer has.
    fn second(&self, soa: Record, record: Record) -> Result<Stage, TransferFault> {
        if record.rtype == Rtype::SOA && !soa.is_same_soa(&record) {
            return match self.wanted {
                Wanted::Whole => Err(TransferFault::SoaInTheMiddle),
                Wanted::Since(ours) if serial(&record)? == ours => {
                    let now = Delta { removed: vec![record], added: Vec::new() };
                    let (done, is_adding) = (Vec::new(), false);
                    Ok(Stage::Changes(Changes { newest: soa, done, now, is_adding }))
                }
                Wanted::Since(_) => Err(TransferFault::Chain),
            };
        }
        let mut builder = Box::new(ZoneBuilder::new(&self.apex));
        builder.push(soa.as_ref());
        self.next(Stage::Whole(soa, builder), record)
    }
}

impl Changes {
    /// The stage after one more record.
    fn next(mut self, record: Record) -> Result<Stage, TransferFault> {
        match (record.rtype == Rtype::SOA, self.is_adding) {
            (false, false) => self.now.removed.push(record),
            (false, true) => self.now.added.push(record),
            (true, false) => {
                // Serials rise, and none passes the newest: a chain that goes back has no end.
                let (next, newest) = (serial(&record)?, serial(&self.newest)?);
                let from = self.now.removed.first().map(serial).transpose()?;
                let rises = from.is_some_and(|from| is_ahead(next, from));
                if !rises || is_ahead(next, newest) {
                    return Err(TransferFault::Chain);
                }
                self.now.added.push(record);
                self.is_adding = true;
            }
            (true, true) => {
                // A chain: each change begins where the one before it ends, and the last ends where the
                // transfer said it would.
                let reached = self.now.added.first().map(serial).transpose()?;
                if reached != Some(serial(&record)?) {
                    return Err(TransferFault::Chain);
                }
                self.done.push(std::mem::take(&mut self.now));
                if self.newest.is_same_soa(&record) {
                    return Ok(Stage::Done(Outcome::Changes(self.done)));
                }
                self.now.removed.push(record);
                self.is_adding = false;
            }
        }
        Ok(Stage::Changes(self))
    }
}

/// The serial of an SOA record, whose RDATA was checked when the message was read.
fn serial(soa: &Record) -> Result<u32, TransferFault> {
    soa.serial().ok_or(TransferFault::NoZone)
}

//------------ TransferFault -------------------------------------------------

/// Why messages are no transfer. Nothing of what came is used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransferFault {
    /// A message cannot be read.
    #[error("a message of the transfer cannot be read: {0}")]
    Message(#[from] ResponseError),
    /// Identifier, opcode or question are not those of the query.
    #[error("a message does not belong to the query for the transfer")]
    OtherQuery,
    /// The server refuses, or cannot.
    #[error("the server answered {0}")]
    Rcode(Rcode),
    /// TC is set: there is no such thing as half a message of a transfer.
    #[error("a message of the transfer was cut (TC)")]
    Truncated,
    /// A message without a record.
    #[error("a message of the transfer has no record")]
    Empty,
    /// The first record is no SOA record.
    #[error("the transfer does not begin with the SOA record")]
    NoSoaFirst,
    /// Another SOA record before the closing one.
    #[error("the transfer has another SOA record before its end")]
    SoaInTheMiddle,
    /// An SOA record elsewhere than at the apex.
    #[error("{0} {1}: an SOA record is at the apex only")]
    SoaBelowApex(Name, Rtype),
    /// The class is not IN, or the type cannot be in a zone.
    #[error("{0} {1}: not data of a zone")]
    NoZoneData(Name, Rtype),
    /// The owner is not at or below the apex.
    #[error("{0} {1}: outside the zone")]
    OutOfZone(Name, Rtype),
    /// The changes do not follow each other from the serial that was asked from.
    #[error("the changes do not form a chain from the serial that was asked from")]
    Chain,
    /// Records behind the closing SOA record.
    #[error("the transfer goes on behind its closing SOA record")]
    BehindTheEnd,
    /// More octets than a zone may have.
    #[error("the transfer has more than {OCTETS_MAX} octets of records")]
    TooLarge,
    /// More changes than is sensible to keep at once.
    #[error("the changes take more than {CHANGES_OCTETS_MAX} octets: the whole zone is better")]
    TooManyChanges,
    /// It ended without its closing SOA record.
    #[error("the transfer ended before its closing SOA record")]
    Cut,
    /// The records make no zone.
    #[error("the records make no zone")]
    NoZone,
}

#[cfg(test)]
mod tests;
