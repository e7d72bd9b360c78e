//! The keeper: a thread for follow-up work that a change does not wait for. It frees old versions,
//! writes the file of serials, the derived files and full copies, and trims the journal.
//!
//! It collects jobs for a moment first, so that a burst is written once.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::commit::copy_is_due;
use super::copying::{Due, copy_later, copy_now, keep_keys};
use super::derived;
use super::marks::{marks_path, raise_mark, write_marks};
use super::note::Note;
use super::number::Numbered;
use super::proposal::{Held, SigningFate};
use super::served;
use crate::lock::lock;
use crate::memory;
use crate::publish::failpoint;
use crate::publish::state::{Inner, Job, PublishError, Slot};
use crate::store::{StoreError, records};
use crate::wire::Name;
use crate::zone::{Zone, ZoneSet};

/// How long jobs are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// How often memory that was freed goes back to the system at most: that takes a while, in which others wait to allocate.
const GIVE_BACK_REST: Duration = Duration::from_secs(10);
/// Octets of one piece of a full copy.
const COPY_PIECE_OCTETS: usize = 1 << 20;

//------------ The thread ----------------------------------------------------

/// Starts the thread that does the jobs of a publisher. It ends with the publisher.
pub(crate) fn start(inner: &Arc<Inner>) {
    let Some(receiver) = inner.jobs.take_receiver() else { return };
    let weak = Arc::downgrade(inner);
    let run = move || run(&receiver, &weak);
    if let Err(error) = std::thread::Builder::new().name("keeper".to_owned()).spawn(run) {
        tracing::error!(%error, "no thread for derived files and copies");
    }
}

/// Jobs gathered over a moment.
#[derive(Default)]
struct Batch {
    /// Whether some serial changed.
    has_marks: bool,
    /// Zones whose derived file is to be written.
    derived: BTreeSet<Name>,
    /// Zones whose copy is to be written.
    copies: BTreeSet<Name>,
    /// Whether a primary was heard.
    has_refreshes: bool,
    /// Zones to be maintained.
    maintain: BTreeSet<Name>,
    /// Whether a whole zone was freed.
    has_freed: bool,
    /// Senders that wait for the batch.
    waiting: Vec<Sender<()>>,
}

/// The thread.
fn run(receiver: &Receiver<Job>, weak: &Weak<Inner>) {
    let (mut old, mut due): (Vec<Arc<ZoneSet>>, Due) = (Vec::new(), Due::default());
    let (mut has_freed, mut given_back) = (false, None::<Instant>);
    loop {
        let wait = if old.is_empty() { Duration::from_secs(3600) } else { GATHER };
        let wait = due.wait().map_or(wait, |first| first.min(wait));
        let wait = if has_freed { wait.min(GIVE_BACK_REST) } else { wait };
        let first = match receiver.recv_timeout(wait) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let mut batch = Batch::default();
        let until = Instant::now() + GATHER;
        let mut next = first;
        while let Some(job) = next.take() {
            batch.add(job, weak, &mut old);
            if !batch.waiting.is_empty() {
                break;
            }
            next = receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
        }
        // What nobody else holds is freed here, by this thread.
        let before = old.len();
        old.retain(|set| Arc::strong_count(set) > 1);
        has_freed |= batch.has_freed || old.len() < before;
        let Some(inner) = weak.upgrade() else { return };
        batch.carry_out(&inner, &mut due);
        due.work(&inner);
        if has_freed && given_back.is_none_or(|at| at.elapsed() >= GIVE_BACK_REST) {
            if inner.live.load().is_large() {
                memory::give_back();
            }
            (has_freed, given_back) = (false, Some(Instant::now()));
        }
    }
}

impl Batch {
    /// Adds a job.
    fn add(&mut self, job: Job, weak: &Weak<Inner>, old: &mut Vec<Arc<ZoneSet>>) {
        match job {
            Job::Drop(set) => old.push(set),
            Job::Free(zone) => self.has_freed |= zone.is_some(),
            Job::Mark(zone, serial) => {
                if let Some(inner) = weak.upgrade() {
                    raise_mark(&inner, zone, serial);
                    self.has_marks = true;
                }
            }
            Job::Derived(zone) => drop(self.derived.insert(zone)),
            Job::Copy(zone) => drop(self.copies.insert(zone)),
            Job::Refreshes => self.has_refreshes = true,
            Job::Maintain(zone) => drop(self.maintain.insert(zone)),
            Job::Flush(sender) => self.waiting.push(sender),
        }
    }

    /// Does all of it. What fails is logged and done again with the next change.
    fn carry_out(self, inner: &Arc<Inner>, due: &mut Due) {
        if self.has_marks {
            inner.note_kept(&marks_path(&inner.options.state_dir), write_marks(inner));
        }
        for zone in self.derived {
            let Ok(slot) = inner.slot(&zone) else { continue };
            let state = lock(&slot.state);
            let written = derived::write(inner, &zone, state.serial(), &state.overlay);
            inner.note_kept(&derived::path(&inner.options.state_dir, &zone), written);
        }
        for zone in self.maintain {
            if let Err(error) = inner.maintain(&zone) {
                tracing::error!(%zone, %error, "the zone's copy in the database is outdated");
            }
        }
        self.copies.into_iter().for_each(|zone| due.add(inner, zone));
        if self.has_refreshes {
            due.add_refreshes();
        }
        if !self.waiting.is_empty() {
            due.finish(inner);
        }
        for sender in self.waiting {
            let _gone = sender.send(());
        }
    }
}

/// Writes what keeps a change outside of the database, before it is served and anybody is told: the copy
/// of the zone, and for a promoted name the derived file and the serial. What fails is logged and tried
/// again: the database has it.
///
/// Of a group of zones, as at a start or after an edit of many files, only those wait for the disk in which
/// a promoted name or a mask changes: the others are in their files, and the keeper writes their copies.
pub(super) fn keep_now(inner: &Inner, held: &mut [Held<'_>], steps: &[Numbered]) {
    let is_alone = steps.len() == 1;
    let mut serials_wait = false;
    for (held, step) in held.iter_mut().zip(steps) {
        raise_mark(inner, held.slot.apex.clone(), step.change.to);
        serials_wait |= keep_one(inner, held, step, is_alone);
    }
    if serials_wait {
        inner.note_kept(&marks_path(&inner.options.state_dir), write_marks(inner));
    }
}

/// Writes what keeps one step. Returns whether its serial must be on disk, too: the copy does not tell
/// it.
fn keep_one(inner: &Inner, held: &mut Held<'_>, step: &Numbered, is_alone: bool) -> bool {
    let (zone, change, state) = (held.slot.apex.clone(), &step.change, &mut *held.state);
    let is_promoted = !step.overlay.is_empty();
    let state_dir = &inner.options.state_dir;
    let mut promoted = Cow::Borrowed(&state.overlay);
    if is_promoted {
        promoted.to_mut().carry_out(&step.overlay);
    }
    let rolled_back = step.row.held_hash.as_ref();
    let note = || Note::of(&promoted, rolled_back);
    let was_rolled_back = state.row.as_ref().and_then(|row| row.held_hash.as_ref());
    let is_noted = is_promoted || rolled_back != was_rolled_back;
    let is_first = state.zone.is_none();
    let copied = &mut state.copied;
    match step.next.as_ref().filter(|_| change.is_visible()) {
        Some(next) if !is_first && (is_alone || is_noted) => {
            let served = next.served();
            let written = copy_now(inner, copied, change, served, (&note, is_noted));
            inner.note_kept(&served::path(state_dir, &zone), written);
        }
        Some(_) => copy_later(inner, copied, &zone),
        // The records are the same, but the copy says what belongs to them.
        None if is_noted => copy_later(inner, copied, &zone),
        None => (),
    }
    copied.lacks_keys |= !matches!(step.signing, SigningFate::Kept | SigningFate::Renewed(_));
    if !keep_keys(inner, &zone, copied) {
        inner.jobs.send(Job::Copy(zone.clone()));
    }
    if is_promoted {
        let written = derived::write(inner, &zone, Some(change.to), &promoted);
        inner.note_kept(&derived::path(state_dir, &zone), written);
    }
    is_promoted || state.copied.serial != Some(change.to)
}

//------------ Copies and the journal's bounds -------------------------------

impl Inner {
    /// Writes a fresh full copy if one is due, and drops what the journal's bounds do not allow.
    fn maintain(&self, zone: &Name) -> Result<(), PublishError> {
        let Ok(slot) = self.slot(zone) else { return Ok(()) };
        let (live, seq, due) = {
            let state = lock(&slot.state);
            (state.served().cloned(), state.seq, copy_is_due(&state))
        };
        let Some(live) = live else { return Ok(()) };
        let (changes, octets) = self.store.read(|reader| reader.journal_size(zone))?;
        let over =
            changes > self.options.journal_changes_max || octets > self.options.journal_octets_max;
        if due || over {
            self.write_copy(zone, &live, seq)?;
            if !self.use_copy(&slot, seq)? {
                // Another zone altogether went live meanwhile; the copy of that one is asked for.
                return Ok(());
            }
            self.store.write(|tx| tx.drop_copies_but(zone, seq))?;
        }
        if over {
            self.trim(zone, seq, changes, octets)?;
        }
        Ok(())
    }

    /// Makes the finished copy at `seq` the one that counts, unless no delta leads on from it any more.
    /// Returns whether it counts. The zone's lock is held: a commit writes the whole row and would undo
    /// what it does not know of.
    pub(crate) fn use_copy(&self, slot: &Slot, seq: i64) -> Result<bool, StoreError> {
        let mut state = lock(&slot.state);
        if seq < state.chain_from {
            return Ok(false);
        }
        failpoint::store_point("copy.use")?;
        self.store.write(|tx| tx.use_copy(&slot.apex, seq))?;
        if let Some(row) = &mut state.row {
            row.copy_seq = Some(seq);
        }
        state.since_copy = ((state.seq - seq).unsigned_abs(), 0);
        Ok(true)
    }

    /// Writes the full copy of a version in pieces; it counts once it is there in full.
    fn write_copy(&self, name: &Name, zone: &Zone, seq: i64) -> Result<(), StoreError> {
        let mut piece = 0;
        let mut blob = records::start();
        let mut flush = |blob: &mut Vec<u8>| -> Result<(), StoreError> {
            let full = std::mem::replace(blob, records::start());
            failpoint::store_point("copy.piece")?;
            self.store.write(|tx| tx.add_copy_piece(name, seq, piece, &full))?;
            piece += 1;
            Ok(())
        };
        let mut flushed = Ok(());
        zone.each_record(&mut |record| {
            records::push(&mut blob, record);
            if blob.len() >= COPY_PIECE_OCTETS {
                flushed = flush(&mut blob);
            }
            flushed.is_ok()
        });
        flushed?;
        flush(&mut blob)
    }

    /// Drops changes from the front until the journal is within three quarters of its bounds.
    fn trim(&self, zone: &Name, newest: i64, changes: u64, octets: u64) -> Result<(), StoreError> {
        let allowed = |bound: u64| bound / 4 * 3;
        let too_many = changes.saturating_sub(allowed(self.options.journal_changes_max));
        let too_large = octets.saturating_sub(allowed(self.options.journal_octets_max));
        let (mut dropped, mut freed, mut upto) = (0u64, 0u64, 0i64);
        self.store.read(|reader| {
            reader.journal_sizes(zone, |seq, size| {
                let go_on = (dropped < too_many || freed < too_large) && seq < newest;
                if go_on {
                    (dropped, freed, upto) = (dropped + 1, freed + size, seq);
                }
                go_on
            })
        })?;
        self.store.write(|tx| tx.drop_changes(zone, upto))
    }
}
