//! The difference between an earlier serial and the live version, for secondaries (IXFR, RFC 1995).
//!
//! The journal is read up to the pinned version, whatever is published meanwhile, and condensed into one
//! change: what was added and removed again is not in it (RFC 1995 §5). If that is no smaller than the zone,
//! the zone is the better answer.

use super::net::Net;
use crate::publish::state::Publisher;
use crate::store::{Reader, StoreError};
use crate::wire::{Name, RecordRef, is_ahead};
use crate::zone::{Delta, Zone};

/// Octets of the journal that are read for one answer; beyond that the zone is sent whole.
const OCTETS_MAX: u64 = 32 << 20;

impl Publisher {
    /// The live version of a zone and what leads to it from `serial`: one change, or none where `serial` is
    /// the live one or ahead of it. `None` where the whole zone is the answer: the journal does not reach
    /// back to `serial`, the changes are no smaller than the zone, or the database does not answer.
    pub fn changes_since(&self, zone: &Name, serial: u32) -> Option<(Zone, Vec<Delta>)> {
        let live = self.zone(zone)?;
        if !is_ahead(live.serial(), serial) {
            return Some((live, Vec::new()));
        }
        let read = self.0.store.read(|reader| net_change(reader, zone, serial, live.serial()));
        let delta = read.unwrap_or_else(|error| {
            tracing::debug!(%zone, %error, "the journal cannot be read, so the whole zone is sent");
            None
        })?;
        is_smaller(&delta, &live).then(|| (live, vec![delta]))
    }
}

/// What the journal has between two serials, as one change; `None` if it does not lead from one to the
/// other.
fn net_change(
    reader: &Reader<'_>,
    zone: &Name,
    from: u32,
    to: u32,
) -> Result<Option<Delta>, StoreError> {
    // A serial that is there twice was used again by a database that was put back: the newest counts.
    let Some(last) = reader.journal_at(zone, to)? else { return Ok(None) };
    let Some(first) = reader.journal_from(zone, from, last.seq)? else { return Ok(None) };
    let octets = reader.journal_octets(zone, first.seq, last.seq)?;
    if octets > OCTETS_MAX {
        return Ok(None);
    }
    let (mut net, mut at) = (Net::default(), Some(from));
    reader.journal_between(zone, first.seq, last.seq, |row, blobs| {
        match blobs.filter(|_| at.is_some() && row.from == at) {
            Some(blobs) => {
                net.add_stored(&blobs)?;
                at = Some(row.to);
            }
            // A version that went live as a whole, or a gap.
            None => at = None,
        }
        Ok(())
    })?;
    Ok((at == Some(to)).then(|| net.into_delta()))
}

//------------ Size ----------------------------------------------------------

/// Whether a change takes fewer octets than the zone that it leads to. Looks at no more of the zone than that
/// takes.
fn is_smaller(delta: &Delta, zone: &Zone) -> bool {
    let of_delta: usize =
        delta.removed.iter().chain(&delta.added).map(|record| octets(record.as_ref())).sum();
    let mut of_zone = 0;
    zone.records().any(|record| {
        of_zone += octets(record);
        of_zone > of_delta
    })
}

/// Octets of a record on the wire, names not compressed.
fn octets(record: RecordRef<'_>) -> usize {
    record.owner.wire().len() + 10 + record.rdata.len()
}
