//! Commit: one transaction, then the files beside the database, then one swap.
//!
//! Serials are used up first: even if the transaction fails, they are never published again.

use std::sync::Arc;

use super::keeper::keep_now;
use super::number::Numbered;
use super::proposal::{Held, NotPublished, SigningFate};
use crate::lock::lock;
use crate::publish::failpoint;
use crate::publish::state::{
    Cause, Change, Inner, Job, LastChange, PublishError, RowEdit, ZoneState,
};
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::{StoreError, Tx, records};
use crate::wire::{Name, Record};
use crate::zone::Entry;

/// Zones up to this many records get their full copy with the first load's transaction.
const COPY_AT_ONCE_MAX: usize = 2_000;
/// After this many changes a fresh full copy is written.
const CHANGES_PER_COPY: u64 = 5_000;
/// Octets of changes after which a fresh full copy is written, whatever the zone's size.
const OCTETS_PER_COPY_MIN: u64 = 4 << 20;
/// After how many changes the journal's bounds are looked at.
const CHANGES_PER_TRIM: i64 = 64;

//------------ Commit --------------------------------------------------------

/// Writes steps in one transaction and makes them live in one swap, each for the zone that is held
/// at its place. `rows` writes the caller's rows of a step.
pub(super) fn commit<T, E: From<StoreError>>(
    inner: &Inner,
    held: &mut [Held<'_>],
    mut steps: Vec<Numbered>,
    mut rows: impl FnMut(&Tx<'_>, usize, &Change) -> Result<T, E>,
) -> Result<Vec<(Change, T)>, NotPublished<E>> {
    let pairs = held.iter_mut().zip(&mut steps);
    let ready: Vec<Ready> = pairs.map(|(held, step)| Ready::new(&mut held.state, step)).collect();
    let written = inner.store.write(|tx| {
        failpoint::store_point("commit.begin")?;
        for (step, ready) in steps.iter().zip(&ready) {
            write(step, tx, ready, inner.store.publisher_number())?;
        }
        failpoint::store_point("commit.rows")?;
        let mut outputs = Vec::with_capacity(steps.len());
        for (index, step) in steps.iter().enumerate() {
            outputs.push(rows(tx, index, &step.change).map_err(NotPublished::Rows)?);
        }
        failpoint::store_point("commit.end")?;
        Ok(outputs)
    });
    let outputs = written.map_err(|failed| match failed {
        NotPublished::Door(PublishError::Store(source)) => commit_failed(held, source).into(),
        other => other,
    })?;
    keep_now(inner, held, &steps);
    failpoint::point("swap.before");
    let visible: Vec<Entry> = steps
        .iter()
        .filter_map(|step| Some(Entry::Loaded(step.next.as_ref()?.served().clone())))
        .collect();
    if !visible.is_empty() {
        swap(inner, &[], visible);
    }
    failpoint::point("swap.after");
    let done = held.iter_mut().zip(steps).zip(ready).zip(outputs);
    Ok(done.map(|(((held, step), ready), out)| (go_live(inner, held, step, ready), out)).collect())
}

/// The error of a commit that failed; it names the first zone of a group.
fn commit_failed(held: &[Held<'_>], source: StoreError) -> PublishError {
    let first = held.first();
    PublishError::Commit {
        zone: first.map_or_else(Name::root, |held| held.slot.apex.clone()),
        serial: first.and_then(|held| held.state.serial()).unwrap_or_default(),
        source,
    }
}

/// A step made ready for the transaction.
struct Ready {
    /// The place in the journal.
    seq: i64,
    /// The delta as it is written; none for a version that goes live as a whole.
    blobs: Option<DeltaBlobs>,
}

impl Ready {
    /// Encodes the delta and decides on the place and the full copy; burns the serial.
    fn new(state: &mut ZoneState, step: &mut Numbered) -> Self {
        let change = &step.change;
        let seq = state.seq + i64::from(change.is_visible());
        state.burn(change.to);
        let blobs = (!change.delta.is_empty()).then(|| DeltaBlobs {
            removed: records::encode(change.delta.removed.iter().map(Record::as_ref)),
            added: records::encode(change.delta.added.iter().map(Record::as_ref)),
        });
        if blobs.is_none() && change.is_visible() {
            // The chain begins anew here: an older copy leads nowhere.
            let small = step.next.as_ref().map_or(0, |next| next.served().record_count())
                <= COPY_AT_ONCE_MAX;
            step.row.copy_seq = small.then_some(seq);
        }
        Self { seq, blobs }
    }
}

/// Writes a step at its place in the journal.
fn write(
    step: &Numbered,
    tx: &Tx<'_>,
    ready: &Ready,
    publisher: Option<i64>,
) -> Result<(), StoreError> {
    let (zone, change) = (&step.change.zone, &step.change);
    tx.put_zone(zone, &step.row)?;
    for edit in &step.overlay {
        match edit {
            RowEdit::Put(row) => tx.put_promoted(zone, row)?,
            RowEdit::Delete(owner, rtype) => tx.delete_promoted(zone, owner, *rtype)?,
        }
    }
    match &step.signing {
        SigningFate::Kept | SigningFate::Renewed(_) => {}
        // First signatures that were taken back.
        SigningFate::Ended(signing) if !signing.keys.is_unsigned() => tx.forget_signing(zone)?,
        // The keys of a zone that is not signed any more are not for another time.
        SigningFate::Replaced(signing) | SigningFate::Ended(signing) => {
            tx.put_signing(zone, &signing.row()?)?;
        }
    }
    let Some(next) = step.next.as_ref().filter(|_| change.is_visible()) else { return Ok(()) };
    let (removed, added) = match &ready.blobs {
        Some(_) => change.counts(),
        None => (0, next.served().record_count()),
    };
    let cause = serde_json::to_string(&change.cause)
        .map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let row = JournalRow {
        seq: ready.seq,
        from: change.from,
        to: change.to,
        removed_count: removed as u64,
        added_count: added as u64,
        cause,
        who: change.who.clone(),
        at_ms: change.at_ms,
        publisher,
    };
    tx.add_change(zone, &row, ready.blobs.as_ref())?;
    if step.row.copy_seq == Some(ready.seq) {
        let copy = records::encode(next.served().records());
        tx.add_copy_piece(zone, ready.seq, 0, &copy)?;
    }
    Ok(())
}

//------------ After the commit ----------------------------------------------

/// Puts zones in and takes zones out of what is served, in one step.
pub(crate) fn swap(inner: &Inner, removed: &[Name], added: Vec<Entry>) {
    let old = {
        let _one_at_a_time = lock(&inner.swap);
        let next = inner.live.load().edit(removed, added);
        inner.live.swap(Arc::new(next))
    };
    // A worker must not be the one to free it.
    inner.jobs.send(Job::Drop(old));
}

/// Brings the state up to what is live now, and announces the change.
fn go_live(inner: &Inner, held: &mut Held<'_>, step: Numbered, ready: Ready) -> Change {
    let Numbered { next, change, overlay, signing, row, is_held } = step;
    let state = &mut *held.state;
    state.overlay.carry_out(&overlay);
    // Once this node's own file is accepted, the zone is no longer that of another node's file.
    state.foreign_file.take_if(|foreign| row.file_node.as_ref() != Some(&foreign.node));
    state.row = Some(row);
    state.is_held = is_held;
    match signing {
        SigningFate::Kept | SigningFate::Renewed(_) => {}
        SigningFate::Replaced(signing) => state.signing = Some(*signing),
        SigningFate::Ended(_) => state.signing = None,
    }
    if !overlay.is_empty() {
        inner.jobs.send(Job::Derived(held.slot.apex.clone()));
    }
    let Some(next) = next.filter(|_| change.is_visible()) else { return change };
    state.signs_anew = false;
    match change.cause {
        // Which end first is known only from all of them.
        Cause::Signing { .. } => state.serve(next),
        _ => state.serve_change(next, change.at_ms),
    }
    state.seq = ready.seq;
    state.last_change = Some(LastChange::of(&change));
    *state.changes.entry(change.cause.kind()).or_default() += 1;
    if ready.blobs.is_none() {
        state.chain_from = ready.seq;
    }
    let octets = ready.blobs.map_or(0, |blobs| blobs.removed.len() + blobs.added.len());
    state.since_copy.0 += 1;
    state.since_copy.1 += octets as u64;
    if copy_is_due(state) || state.seq % CHANGES_PER_TRIM == 0 {
        inner.jobs.send(Job::Maintain(held.slot.apex.clone()));
    }
    inner.jobs.send(Job::Mark(change.zone.clone(), change.to));
    change
}

/// Whether a fresh full copy is worth writing.
pub(crate) fn copy_is_due(state: &ZoneState) -> bool {
    let Some((row, zone)) = state.row.as_ref().zip(state.served()) else { return false };
    let (changes, octets) = state.since_copy;
    let bound = OCTETS_PER_COPY_MIN.max(zone.record_count() as u64 * 16);
    row.copy_seq.is_none() || changes > CHANGES_PER_COPY || octets > bound
}
