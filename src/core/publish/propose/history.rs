//! Versions of a zone: who made each and why, the difference between two, and the content of one.
//!
//! Earlier versions are reconstructed from the live one by walking the journal backwards; only the changes
//! themselves are stored.

use serde::Serialize;

use super::net::Net;
use crate::lock::lock;
use crate::publish::state::{Cause, Inner, PublishError, Publisher};
use crate::store::StoreError;
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::records::decode_all;
use crate::wire::Name;
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

    /// Octets that the journal of a zone takes.
    pub fn journal_octets(&self, zone: &Name) -> Result<u64, PublishError> {
        Ok(self.0.store.read(|reader| reader.journal_size(zone))?.1)
    }

    /// The same without those that renewed signatures and changed nothing else.
    pub fn history_of_content(
        &self,
        zone: &Name,
        limit: usize,
    ) -> Result<Vec<Version>, PublishError> {
        let renewal = serde_json::to_string(&Cause::renewal())
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let rows = self.0.store.read(|reader| reader.journal_without(zone, &renewal, limit))?;
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
            let live = state.served().cloned();
            (live.ok_or_else(|| PublishError::NotLoaded(zone.clone()))?, state.seq)
        };
        if live.serial() == serial {
            return Ok(live);
        }
        let past = past(&self.0, zone, serial, seq)?;
        Ok(live.apply(&past.backwards)?)
    }
}

/// The way back from the live version to an earlier one.
pub(super) struct Past {
    /// The changes behind the earlier version, oldest first.
    pub(super) changes: Vec<(Cause, Delta)>,
    /// What leads from the live version to the earlier one in one step.
    pub(super) backwards: Delta,
}

/// Walks the journal back from place `newest` to `serial`.
pub(super) fn past(
    inner: &Inner,
    zone: &Name,
    serial: u32,
    newest: i64,
) -> Result<Past, PublishError> {
    let no_version = |oldest| PublishError::NoVersion { zone: zone.clone(), serial, oldest };
    let mut rows: Vec<(JournalRow, Option<DeltaBlobs>)> = Vec::new();
    let start = inner.store.read(|reader| {
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
        let oldest = oldest(inner, zone, &mut rows, newest)?;
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
    let mut net = Net::default();
    past.changes.iter().rev().for_each(|(_, delta)| net.add_backwards(delta));
    past.backwards = net.into_delta();
    Ok(past)
}

/// Reads the whole journal of a zone and returns its oldest row.
fn oldest(
    inner: &Inner,
    zone: &Name,
    rows: &mut Vec<(JournalRow, Option<DeltaBlobs>)>,
    newest: i64,
) -> Result<JournalRow, PublishError> {
    inner.store.read(|reader| {
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
