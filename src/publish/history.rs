//! Versions of a zone: who made which and why, what differs between two, one as it was, and an earlier
//! one published again.
//!
//! Earlier versions are reached from the live one by walking the journal backwards; nothing but the
//! changes themselves is kept for it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::commit::Step;
use super::decide::soa_differs;
use super::draft::merge_into;
use super::publisher::{Inner, ZoneState, lock};
use super::{Cause, Change, PublishError, Publisher};
use crate::master::Severity;
use crate::store::StoreError;
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::records::decode_all;
use crate::wire::{Name, Record, Rtype};
use crate::zone::{Delta, Zone};

//------------ Version -------------------------------------------------------

/// One line of a zone's history.
#[derive(Clone, Debug, Serialize)]
pub struct Version {
    /// The serial before; none for a first load.
    pub from: Option<u32>,
    /// The serial after.
    pub to: u32,
    /// Records removed, the SOA record not counted.
    pub removed: u64,
    /// Records added, the SOA record not counted.
    pub added: u64,
    /// What made it.
    pub cause: Cause,
    /// Who made it.
    pub who: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Version {
    /// The version of a journal row.
    fn of(row: JournalRow) -> Result<Self, StoreError> {
        let cause = serde_json::from_str(&row.cause)
            .map_err(|error| StoreError::Corrupt(format!("a cause in the journal: {error}")))?;
        Ok(Self {
            from: row.from,
            to: row.to,
            removed: row.removed_count,
            added: row.added_count,
            cause,
            who: row.who,
            at_ms: row.at_ms,
        })
    }
}

//------------ Questions -----------------------------------------------------

impl Publisher {
    /// The versions of a zone, newest first.
    pub fn history(&self, zone: &Name, limit: usize) -> Result<Vec<Version>, PublishError> {
        let rows = self.0.store.read(|reader| reader.journal(zone, limit))?;
        Ok(rows.into_iter().map(Version::of).collect::<Result<_, _>>()?)
    }

    /// What differs between two versions, SOA records included.
    pub fn diff(&self, zone: &Name, from: u32, to: u32) -> Result<Delta, PublishError> {
        let older = self.show(zone, from)?;
        Ok(older.diff(&self.show(zone, to)?))
    }

    /// The zone as it was at a serial.
    pub fn show(&self, zone: &Name, serial: u32) -> Result<Zone, PublishError> {
        let slot = self.0.slot(zone)?;
        let (live, seq) = {
            let state = lock(&slot.state);
            let live = state.zone.clone();
            (live.ok_or_else(|| PublishError::NotLoaded(zone.clone()))?, state.seq)
        };
        if live.serial() == serial {
            return Ok(live);
        }
        let past = self.0.past(zone, serial, seq)?;
        Ok(live.apply(&past.backwards)?)
    }

    /// The changes behind `serial`, oldest first, as incremental transfers need them; `None` if the
    /// journal does not reach back to it.
    pub fn changes_since(
        &self,
        zone: &Name,
        serial: u32,
    ) -> Result<Option<Vec<Delta>>, PublishError> {
        let slot = self.0.slot(zone)?;
        let (live, seq) = {
            let state = lock(&slot.state);
            (state.serial(), state.seq)
        };
        if live == Some(serial) {
            return Ok(Some(Vec::new()));
        }
        match self.0.past(zone, serial, seq) {
            Ok(past) => Ok(Some(past.changes.into_iter().map(|(_, delta)| delta).collect())),
            Err(PublishError::NoVersion { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The way back from the live version to an earlier one.
struct Past {
    /// The changes behind the earlier version, oldest first.
    changes: Vec<(Cause, Delta)>,
    /// What leads from the live version to the earlier one in one step.
    backwards: Delta,
}

impl Inner {
    /// Walks the journal back from place `newest` to `serial`.
    fn past(&self, zone: &Name, serial: u32, newest: i64) -> Result<Past, PublishError> {
        let no_version = |oldest| PublishError::NoVersion { zone: zone.clone(), serial, oldest };
        let mut rows: Vec<(JournalRow, Option<DeltaBlobs>)> = Vec::new();
        let start = self.store.read(|reader| {
            let Some(at) = reader.journal_at(zone, serial)? else { return Ok(None) };
            reader.journal_after(zone, at.seq, |row, blobs| {
                if row.seq <= newest {
                    rows.push((row, blobs));
                }
                Ok(())
            })?;
            Ok::<_, StoreError>(Some(at))
        })?;
        // The version before the oldest change that is kept can be reached too.
        if start.is_none() {
            let oldest = self.oldest(zone, &mut rows, newest)?;
            if oldest.from != Some(serial) {
                return Err(no_version(Some(oldest.to)));
            }
        }
        let mut past = Past { changes: Vec::new(), backwards: Delta::default() };
        for (row, blobs) in rows {
            let Some(blobs) = blobs else { return Err(no_version(Some(row.to))) };
            let delta =
                Delta { removed: decode_all(&blobs.removed)?, added: decode_all(&blobs.added)? };
            past.changes.push((Version::of(row)?.cause, delta));
        }
        for (_, delta) in past.changes.iter().rev() {
            let back = Delta { removed: delta.added.clone(), added: delta.removed.clone() };
            merge_into(&mut past.backwards, back);
        }
        Ok(past)
    }

    /// Reads the whole journal of a zone and returns its oldest row.
    fn oldest(
        &self,
        zone: &Name,
        rows: &mut Vec<(JournalRow, Option<DeltaBlobs>)>,
        newest: i64,
    ) -> Result<JournalRow, PublishError> {
        self.store.read(|reader| {
            reader.journal_after(zone, 0, |row, blobs| {
                if row.seq <= newest {
                    rows.push((row, blobs));
                }
                Ok(())
            })
        })?;
        let oldest = rows.first().map(|(row, _)| row.clone());
        oldest.ok_or_else(|| PublishError::NotLoaded(zone.clone()))
    }
}

//------------ Rollback ------------------------------------------------------

impl Publisher {
    /// Publishes what the file said at an earlier version, as a new change under a higher serial.
    /// What requests put up stays: it goes back by request. The file on disk is then not loaded
    /// again until its bytes change or somebody forces it. A version that is no other than the live
    /// one makes no change.
    pub fn rollback(&self, zone: &Name, serial: u32, who: &str) -> Result<Change, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut state = lock(&slot.state);
        self.0.must_be_ours(&state)?;
        let live = state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        if live.is_signed() {
            return Err(PublishError::Presigned(zone.clone()));
        }
        let past = self.0.past(zone, serial, state.seq)?;
        let step = self.0.rollback_step(&state, &live, past, serial, who)?;
        self.0.commit_and_confirm(&slot, &mut state, step, |_, _| Ok(()))
    }
}

impl Inner {
    /// The step that a rollback is.
    fn rollback_step(
        &self,
        state: &ZoneState,
        live: &Zone,
        past: Past,
        serial: u32,
        who: &str,
    ) -> Result<Step, PublishError> {
        let zone = &state.source.apex;
        let own = |cause: &Cause| matches!(cause, Cause::Request { .. } | Cause::Own { .. });
        let promoted: BTreeSet<(Name, Rtype)> = past
            .changes
            .iter()
            .filter(|(cause, _)| own(cause))
            .flat_map(|(_, delta)| delta.removed.iter().chain(&delta.added))
            .map(|record| (record.owner.clone(), record.rtype))
            .collect();
        let stays = |record: &Record| {
            let key = (record.owner.clone(), record.rtype);
            promoted.contains(&key) || state.overlay.get(&key.0, key.1).is_some()
        };
        let mut content = past.backwards;
        let soa: Vec<Record> =
            content.added.iter().filter(|record| record.rtype == Rtype::SOA).cloned().collect();
        for records in [&mut content.removed, &mut content.added] {
            records.retain(|record| {
                ![Rtype::SOA, Rtype::ZONEMD].contains(&record.rtype) && !stays(record)
            });
        }
        let is_same = content.is_empty();
        content.removed.extend(super::draft::zonemd(live));
        let row = state.row.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let mut next = live.apply(&content)?;
        if let Some(soa) = soa.into_iter().next() {
            let own = super::draft::soa_record(&next, next.serial());
            next = next.apply(&Delta { removed: own.into_iter().collect(), added: vec![soa] })?;
        }
        if is_same && !soa_differs(live, &next) {
            return Err(PublishError::NoEffect(zone.clone()));
        }
        let owners: Vec<Name> = content
            .removed
            .iter()
            .chain(&content.added)
            .map(|record| record.owner.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let level = super::judge::level(&state.source);
        let known = crate::check::around(live, &owners);
        let errors: Vec<_> = crate::check::around(&next, &owners)
            .into_iter()
            .filter(|fault| !known.contains(fault))
            .map(|fault| fault.finding(&level, None))
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        if !errors.is_empty() {
            return Err(PublishError::Refused { zone: zone.clone(), findings: errors });
        }
        let mut step = Step {
            next,
            change: Change {
                zone: zone.clone(),
                from: Some(live.serial()),
                to: live.serial(),
                delta: Delta::default(),
                cause: Cause::Rollback { to_serial: serial },
                who: who.to_owned(),
                at_ms: (self.options.now_ms)(),
            },
            rows: Vec::new(),
            row,
            holds: Some(true),
        };
        step.row.held_hash = step.row.file_hash.clone();
        step.renumber(live, content, state.source.serial)?;
        Ok(step)
    }
}
