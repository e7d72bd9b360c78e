//! The live record of a name as it is.
//!
//! A name of the operator's file that nobody has requested has no row: its live record is made of what
//! is served, each time it is needed. The first act on it writes the row.

use super::{Register, served_records};
use crate::audit::{ANCHOR_LABEL, AuditError};
use crate::publish::is_only_guard;
use crate::queue::{LiveRecord, Place};
use crate::store::Reader;
use crate::wire::Name;
use crate::zone::{NodeRef, Zone};

impl Register {
    /// The live record of a name: what requests made of it, else what the operator's file says there.
    pub fn live(&self, reader: &Reader<'_>, place: &Place) -> Result<LiveRecord, AuditError> {
        let live = self.ledger.live(reader, place)?;
        if !live.follows_file() {
            return Ok(live);
        }
        let zone = self.publisher.content(&place.zone);
        let of_file = zone.and_then(|zone| live_in_file(&zone, &place.name));
        let of_file = of_file.map(|it| it.with_owner_of(&live));
        Ok(of_file.unwrap_or_else(|| LiveRecord::free(place.clone())))
    }

    /// Names of the operator's files that nobody has asked for, after one of them, zone by zone in
    /// canonical order.
    pub fn unrequested_after(
        &self,
        reader: &Reader<'_>,
        after: Option<&Name>,
        most: usize,
    ) -> Result<Vec<LiveRecord>, AuditError> {
        let mut found = Vec::new();
        let first = after.and_then(|name| self.publisher.zone_of(name));
        for apex in self.publisher.apexes() {
            if first.as_ref().is_some_and(|first| apex < *first) {
                continue;
            }
            let Some(zone) = self.publisher.content(&apex) else { continue };
            let after = after.filter(|_| first.as_ref() == Some(&apex)).unwrap_or(&apex);
            for node in zone.nodes_after(after.as_ref()).filter(is_in_file) {
                if found.len() >= most {
                    return Ok(found);
                }
                let name = node.owner().to_lowercase();
                let row = reader.live_record(&name.to_string())?;
                let asked = row.map(|row| self.ledger.open_live(&row)).transpose()?;
                if asked.as_ref().is_none_or(LiveRecord::follows_file) {
                    let of_file = live_in_file(&zone, &name);
                    found.extend(of_file.map(|it| match &asked {
                        Some(known) => it.with_owner_of(known),
                        None => it,
                    }));
                }
            }
        }
        Ok(found)
    }
}

/// A name as the file of its zone has it, if nothing else is known of it.
fn live_in_file(zone: &Zone, name: &Name) -> Option<LiveRecord> {
    zone.node(name.as_ref()).filter(is_in_file)?;
    let records = served_records(name, zone);
    let is_there = !records.is_empty() && !is_only_guard(zone, name);
    is_there.then(|| LiveRecord::of_file(Place::new(name, &zone.apex().to_name()), records))
}

/// Whether a node may be an office's: not the apex, nothing below a cut, nothing of gapura's own.
fn is_in_file(node: &NodeRef<'_>) -> bool {
    let own = |label: &[u8]| label.eq_ignore_ascii_case(ANCHOR_LABEL.as_bytes());
    !node.is_apex()
        && !node.is_below_cut()
        && !node.is_empty_non_terminal()
        && !node.owner().labels().next().is_some_and(own)
}
