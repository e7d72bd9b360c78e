//! The live record of a name, and what a promotion makes of it.
//!
//! A name of the operator's file that nobody has asked for has no row: its live record is made of what
//! is served, whenever somebody asks for it. The first act on it writes the row.

use super::Promoter;
use super::rrsets::served_records;
use crate::audit::{ANCHOR_LABEL, AuditError};
use crate::publish::is_only_guard;
use crate::queue::live::{LiveResult, Promise};
use crate::queue::{Kind, LiveRecord, ParsedRecord, Place, Request, Rules, Signature, Stage};
use crate::store::Reader;
use crate::wire::Name;
use crate::zone::{NodeRef, Zone};

//------------ As it is ------------------------------------------------------

impl Promoter {
    /// The live record of a name: what requests made of it, else what the operator's file says there.
    pub fn live(&self, reader: &Reader<'_>, place: &Place) -> Result<LiveRecord, AuditError> {
        let live = self.ledger.live(reader, place)?;
        if !live.follows_file() {
            return Ok(live);
        }
        let zone = self.publisher.zone(&place.zone);
        let of_file = zone.and_then(|zone| live_in_file(&zone, &place.name));
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
            let Some(zone) = self.publisher.zone(&apex) else { continue };
            let after = after.filter(|_| first.as_ref() == Some(&apex)).unwrap_or(&apex);
            for node in zone.nodes_after(after.as_ref()).filter(is_in_file) {
                if found.len() >= most {
                    return Ok(found);
                }
                let name = node.owner().to_lowercase();
                let row = reader.live_record(&name.to_string())?;
                let asked = row.map(|row| self.ledger.open_live(&row)).transpose()?;
                if asked.is_none_or(|live| live.follows_file()) {
                    found.extend(live_in_file(&zone, &name));
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

//------------ After a promotion ---------------------------------------------

/// The live record before a promotion of `request` is settled. A name that nobody had asked for is what
/// was served there, `before`.
pub(super) fn live_before(
    live: LiveRecord,
    request: &Request,
    before: &[ParsedRecord],
) -> LiveRecord {
    let application = request.application();
    if application.kind == Kind::New || !live.follows_file() {
        return live;
    }
    LiveRecord::of_file(application.place().clone(), before.to_vec())
}

/// The step of the live record that goes with a promotion; `before` are the records that were served
/// until then.
pub(super) fn live_after(
    mut live: LiveRecord,
    request: &Request,
    before: Vec<ParsedRecord>,
    now: i64,
    rules: &Rules,
) -> LiveResult {
    let application = request.application();
    let by = signer(request, now);
    match application.kind {
        Kind::New | Kind::Change => {
            let promise = Promise {
                office: application.office.clone(),
                class: application.class,
                region: application.region.clone(),
                records: application.rrs().cloned().collect(),
                ends: application.ends_at(),
            };
            live.go_live(request.number(), promise, &by)
        }
        Kind::Suspend if application.lift => live.lift(request.number(), &by),
        Kind::Suspend => {
            // What is put back one day is what is served today, whatever the file said before.
            live.records = before;
            live.suspend(&application.purpose, &by)
        }
        Kind::Remove => live.remove(request.number(), &by, rules),
    }
}

/// Who promoted, at this time.
fn signer(request: &Request, now: i64) -> Signature {
    let promoting = match request.stage() {
        Stage::Verified(stage) => stage.promoting.as_ref(),
        Stage::Live(stage) => Some(&stage.promoting),
        _ => None,
    };
    match promoting {
        Some(promoting) => Signature { at: now, ..promoting.by.clone() },
        None => Signature::system(now),
    }
}
