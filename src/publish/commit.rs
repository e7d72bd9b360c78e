//! The narrow place of the door: one transaction, one swap.
//!
//! Everything before is reading and thinking, everything after is telling. The serial is burned first,
//! so that whatever becomes of the transaction it is never given out again.

use std::sync::{Arc, MutexGuard};

use super::draft::soa_record;
use super::failpoint;
use super::keeper::Job;
use super::overlay::RowEdit;
use super::publisher::{Inner, Slot, ZoneState, lock};
use super::report::LastChange;
use super::serial::later;
use super::{Change, PublishError, SerialPolicy};
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::zones::ZoneRow;
use crate::store::{StoreError, Tx, records};
use crate::wire::{Name, Record};
use crate::zone::{ApplyError, Delta, Entry, Zone};

/// Zones up to this many records get their full copy with the first load's transaction.
const COPY_AT_ONCE_MAX: usize = 2_000;
/// After this many changes a fresh full copy is written.
const CHANGES_PER_COPY: u64 = 5_000;
/// Octets of changes after which a fresh full copy is written, whatever the zone's size.
const OCTETS_PER_COPY_MIN: u64 = 4 << 20;
/// After how many changes the journal's bounds are looked at.
pub(super) const CHANGES_PER_TRIM: i64 = 64;

//------------ Step ----------------------------------------------------------

/// A zone's next version and all that is written with it.
#[derive(Clone)]
pub(super) struct Step {
    /// The next version.
    pub(super) next: Zone,
    /// From which serial to which, by what and whom.
    pub(super) change: Change,
    /// Rows of the overlay that change with it.
    pub(super) rows: Vec<RowEdit>,
    /// What is kept of the zone from now on.
    pub(super) row: ZoneRow,
    /// Whether the file on disk counts as rolled back from now on; `None`: as before.
    pub(super) holds: Option<bool>,
}

impl Change {
    /// Whether anything that is served changed; otherwise only rows were written.
    pub fn is_visible(&self) -> bool {
        self.from != Some(self.to)
    }
}

impl Step {
    /// Gives the step the serial that the policy chooses. `content` is what differs from `live`
    /// without the SOA record.
    pub(super) fn renumber(
        &mut self,
        live: &Zone,
        content: Delta,
        policy: SerialPolicy,
    ) -> Result<(), ApplyError> {
        let serial = policy.next(live.serial(), self.row.high_water, self.change.at_ms);
        self.set_serial(live, content, serial)
    }

    /// Gives the step this serial.
    pub(super) fn set_serial(
        &mut self,
        live: &Zone,
        content: Delta,
        serial: u32,
    ) -> Result<(), ApplyError> {
        let before = soa_record(live, live.serial()).ok_or(ApplyError::Soa)?;
        self.next = with_serial(&self.next, serial)?;
        let after = soa_record(&self.next, serial).ok_or(ApplyError::Soa)?;
        let front = |record: Record, rest: Vec<Record>| {
            std::iter::once(record).chain(rest).collect::<Vec<_>>()
        };
        self.change.delta =
            Delta { removed: front(before, content.removed), added: front(after, content.added) };
        self.change.from = Some(live.serial());
        self.change.to = serial;
        self.row.serial = serial;
        Ok(())
    }

    /// Writes the step at place `seq` of the journal.
    fn write(&self, tx: &Tx<'_>, seq: i64, blobs: Option<&DeltaBlobs>) -> Result<(), StoreError> {
        let (zone, change) = (&self.change.zone, &self.change);
        tx.put_zone(zone, &self.row)?;
        for edit in &self.rows {
            match edit {
                RowEdit::Put(row) => tx.put_promoted(zone, row)?,
                RowEdit::Delete(owner, rtype) => tx.delete_promoted(zone, owner, *rtype)?,
            }
        }
        if !change.is_visible() {
            return Ok(());
        }
        let (removed, added) = match blobs {
            Some(_) => change.counts(),
            None => (0, self.next.record_count()),
        };
        let cause = serde_json::to_string(&change.cause)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let row = JournalRow {
            seq,
            from: change.from,
            to: change.to,
            removed_count: removed as u64,
            added_count: added as u64,
            cause,
            who: change.who.clone(),
            at_ms: change.at_ms,
        };
        tx.add_change(zone, &row, blobs)?;
        if self.row.copy_seq == Some(seq) {
            let copy = records::encode(self.next.records());
            tx.add_copy_piece(zone, seq, 0, &copy)?;
        }
        Ok(())
    }
}

/// A zone with another serial.
pub(super) fn with_serial(zone: &Zone, serial: u32) -> Result<Zone, ApplyError> {
    if zone.serial() == serial {
        return Ok(zone.clone());
    }
    let own = soa_record(zone, zone.serial()).ok_or(ApplyError::Soa)?;
    let new = soa_record(zone, serial).ok_or(ApplyError::Soa)?;
    zone.apply(&Delta { removed: vec![own], added: vec![new] })
}

//------------ Commit --------------------------------------------------------

/// A zone's step with its lock held.
pub(super) struct Locked<'a> {
    /// The zone's place.
    pub(super) slot: &'a Slot,
    /// Its state.
    pub(super) state: MutexGuard<'a, ZoneState>,
    /// What is to be done.
    pub(super) step: Step,
}

/// A step made ready for the transaction.
struct Ready {
    /// The place in the journal.
    seq: i64,
    /// The delta as it is written; none for a first load.
    blobs: Option<DeltaBlobs>,
}

impl Ready {
    /// Encodes the delta and decides on the place and the full copy; burns the serial.
    fn new(state: &mut ZoneState, step: &mut Step) -> Self {
        let change = &step.change;
        let seq = state.seq + i64::from(change.is_visible());
        state.burn(change.to);
        step.row.high_water = later(step.row.high_water, change.to);
        if change.is_visible() {
            step.row.changed_ms = change.at_ms;
        }
        let blobs = (!change.delta.is_empty()).then(|| DeltaBlobs {
            removed: records::encode(change.delta.removed.iter().map(Record::as_ref)),
            added: records::encode(change.delta.added.iter().map(Record::as_ref)),
        });
        if blobs.is_none() && change.is_visible() {
            // The chain begins anew here: an older copy leads nowhere.
            let small = step.next.record_count() <= COPY_AT_ONCE_MAX;
            step.row.copy_seq = small.then_some(seq);
        }
        Self { seq, blobs }
    }
}

impl Inner {
    /// Commits one step and makes it live.
    pub(super) fn commit(
        &self,
        slot: &Slot,
        state: &mut ZoneState,
        mut step: Step,
        rows: impl FnOnce(&Tx<'_>, &Change) -> Result<(), StoreError>,
    ) -> Result<Change, PublishError> {
        let ready = Ready::new(state, &mut step);
        let written = self.store.write(|tx| {
            failpoint::store_point("commit.begin")?;
            step.write(tx, ready.seq, ready.blobs.as_ref())?;
            failpoint::store_point("commit.rows")?;
            rows(tx, &step.change)?;
            failpoint::store_point("commit.end")
        });
        written.map_err(|source: StoreError| self.commit_failed(state, source))?;
        failpoint::point("swap.before");
        if step.change.is_visible() {
            self.swap(&[], vec![Entry::Loaded(step.next.clone())]);
        }
        failpoint::point("swap.after");
        Ok(self.settle(slot, state, step, ready))
    }

    /// Commits the steps of several zones in one transaction and makes them live in one swap.
    pub(super) fn commit_all(&self, mut steps: Vec<Locked<'_>>) -> Result<Vec<Change>, StoreError> {
        self.write_group(&mut steps)
    }

    /// The same, with the error of one zone among them.
    pub(super) fn commit_group(
        &self,
        steps: &mut [Locked<'_>],
    ) -> Result<Vec<Change>, PublishError> {
        self.write_group(steps).map_err(|source| {
            let first = steps.first().map(|one| (one.slot.apex.clone(), one.state.serial()));
            let (zone, serial) = first.unwrap_or_else(|| (Name::root(), None));
            PublishError::Commit { zone, serial: serial.unwrap_or_default(), source }
        })
    }

    /// One transaction, one swap.
    fn write_group(&self, steps: &mut [Locked<'_>]) -> Result<Vec<Change>, StoreError> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let ready: Vec<Ready> =
            steps.iter_mut().map(|one| Ready::new(&mut one.state, &mut one.step)).collect();
        self.store.write(|tx| {
            failpoint::store_point("commit.begin")?;
            for (one, ready) in steps.iter().zip(&ready) {
                one.step.write(tx, ready.seq, ready.blobs.as_ref())?;
            }
            failpoint::store_point("commit.end")
        })?;
        failpoint::point("swap.before");
        let visible = steps.iter().filter(|one| one.step.change.is_visible());
        self.swap(&[], visible.map(|one| Entry::Loaded(one.step.next.clone())).collect());
        failpoint::point("swap.after");
        let settled = steps
            .iter_mut()
            .zip(ready)
            .map(|(one, ready)| self.settle(one.slot, &mut one.state, one.step.clone(), ready));
        Ok(settled.collect())
    }

    /// The error of a commit that failed.
    fn commit_failed(&self, state: &ZoneState, source: StoreError) -> PublishError {
        let zone = state.source.apex.clone();
        PublishError::Commit { zone, serial: state.serial().unwrap_or_default(), source }
    }

    /// Puts zones in and takes zones out of what is served, in one step.
    pub(super) fn swap(&self, removed: &[Name], added: Vec<Entry>) {
        let old = {
            let _one_at_a_time = lock(&self.swap);
            let next = self.live.load().edit(removed, added);
            self.live.swap(Arc::new(next))
        };
        // A worker must not be the one to free it.
        self.keeper.send(Job::Drop(old));
    }

    /// Brings the state up to what is live now and tells who wants to know.
    fn settle(&self, slot: &Slot, state: &mut ZoneState, step: Step, ready: Ready) -> Change {
        let Step { next, change, rows, row, holds } = step;
        state.overlay.carry_out(&rows);
        state.row = Some(row);
        state.is_held = holds.unwrap_or(state.is_held);
        if !rows.is_empty() {
            self.keeper.send(Job::Derived(slot.apex.clone()));
        }
        if !change.is_visible() {
            return change;
        }
        state.zone = Some(next);
        state.seq = ready.seq;
        state.last_change = Some(LastChange::of(&change));
        *state.changes.entry(change.cause.kind()).or_default() += 1;
        if ready.blobs.is_none() {
            state.chain_from = ready.seq;
        }
        let octets = ready.blobs.map_or(0, |blobs| blobs.removed.len() + blobs.added.len());
        state.since_copy.0 += 1;
        state.since_copy.1 += octets as u64;
        if state.copy_is_due() || state.seq % CHANGES_PER_TRIM == 0 {
            self.keeper.send(Job::Maintain(slot.apex.clone()));
        }
        self.announce(&change);
        change
    }
}

impl ZoneState {
    /// Whether a fresh full copy is worth writing.
    pub(super) fn copy_is_due(&self) -> bool {
        let Some((row, zone)) = self.row.as_ref().zip(self.zone.as_ref()) else { return false };
        let (changes, octets) = self.since_copy;
        let bound = OCTETS_PER_COPY_MIN.max(zone.record_count() as u64 * 16);
        row.copy_seq.is_none() || changes > CHANGES_PER_COPY || octets > bound
    }
}
