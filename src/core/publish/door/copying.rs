//! Decides when the copy of a zone is written: before a change is served, or by the keeper.
//!
//! A small zone is written in full with each change; for a large one the change is appended. The keeper
//! writes first versions and complete replacements, folds changes in, and repairs the copy after a start. The
//! copy never loses content: a stand-in database writes nothing, and if the database is older than the copy,
//! the copy is kept under another name.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::marks::write_marks;
use super::note::Note;
use super::refreshes::{refreshes_path, write_refreshes};
use super::{derived, served};
use crate::keystore::Keystore;
use crate::lock::lock;
use crate::publish::state::{Change, Copied, Inner, Job, PublishError};
use crate::store::StoreError;
use crate::text::with_causes;
use crate::wire::Name;
use crate::zone::Zone;

/// Zones of up to this many records are written whole with each change.
const WHOLE_MAX: usize = 2_000;
/// The shortest time between two foldings of a zone.
const REST_MIN: Duration = Duration::from_secs(1);
/// Folding takes one part in this many of the time.
const REST_PARTS: u32 = 100;
/// How often refreshes are written at most: each of many zones has its own time.
const REFRESHES_REST: Duration = Duration::from_secs(10);
/// When what failed is tried again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a stop writes copies; the next start mends what is left.
const STOP_MAX: Duration = Duration::from_secs(5);

/// Brings the copy of a zone that is served up to a change that is committed and not served yet. The
/// zone's lock is held. `note` makes the note, which costs a hash; `is_noted` is whether it differs from
/// the one before.
pub(super) fn copy_now(
    inner: &Inner,
    copied: &mut Copied,
    change: &Change,
    next: &Zone,
    (note, is_noted): (&dyn Fn() -> Note, bool),
) -> Result<(), PublishError> {
    if inner.options.is_stand_in {
        return Ok(());
    }
    let state_dir = &inner.options.state_dir;
    let follows = change.from.filter(|from| copied.serial == Some(*from));
    let small = next.record_count() <= WHOLE_MAX;
    let written = match follows {
        Some(from) if !small && !change.delta.is_empty() => {
            let note = is_noted.then(note);
            served::append(state_dir, change, from, note.as_ref())
                .map(|octets| copied.octets += octets)
        }
        _ if small || !change.delta.is_empty() => {
            copied.writes += 1;
            copied.octets = 0;
            served::draft(state_dir, next, &note(), "tmp").and_then(|draft| draft.put(None))
        }
        // Large and new: what is in it is in the operator's file, too.
        _ => {
            copy_later(inner, copied, &change.zone);
            return Ok(());
        }
    };
    copied.serial = written.is_ok().then_some(change.to);
    if written.is_err() || copied.octets > 0 {
        inner.jobs.send(Job::Copy(change.zone.clone()));
    }
    let path = served::path(state_dir, &change.zone);
    written.map_err(|source| PublishError::Write { path, source })
}

/// Leaves the copy to the keeper, whatever of it is being written now.
pub(super) fn copy_later(inner: &Inner, copied: &mut Copied, zone: &Name) {
    copied.serial = None;
    copied.writes += 1;
    inner.jobs.send(Job::Copy(zone.clone()));
}

//------------ Copies that are due -------------------------------------------

/// What the keeper is to write, and when.
#[derive(Default)]
pub(super) struct Due {
    /// The zones whose copy it is.
    copies: BTreeMap<Name, Instant>,
    /// When the refreshes are due, and when they were written last.
    refreshes: (Option<Instant>, Option<Instant>),
}

impl Due {
    /// A zone's copy is not as it should be.
    pub(super) fn add(&mut self, inner: &Inner, zone: Name) {
        let rest = inner.slot(&zone).map_or(Duration::ZERO, |slot| {
            let state = lock(&slot.state);
            if state.copied.serial.is_some() { state.copied.rest } else { Duration::ZERO }
        });
        self.copies.entry(zone).or_insert_with(|| Instant::now() + rest);
    }

    /// Primaries were heard.
    pub(super) fn add_refreshes(&mut self) {
        let (due, written) = &mut self.refreshes;
        due.get_or_insert_with(|| written.map_or_else(Instant::now, |at| at + REFRESHES_REST));
    }

    /// How long until the first of them, if there is one.
    pub(super) fn wait(&self) -> Option<Duration> {
        let first = self.copies.values().chain(&self.refreshes.0).min()?;
        Some(first.saturating_duration_since(Instant::now()))
    }

    /// Writes one that is due.
    pub(super) fn work(&mut self, inner: &Inner) {
        let now = Instant::now();
        let next = self.copies.iter().find(|(_, at)| **at <= now).map(|(zone, _)| zone.clone());
        if let Some(zone) = next {
            self.write(inner, zone);
        }
        if self.refreshes.0.is_some_and(|at| at <= now) {
            self.write_refreshes(inner);
        }
    }

    /// Writes all, for a stop.
    pub(super) fn finish(&mut self, inner: &Inner) {
        let until = Instant::now() + STOP_MAX;
        if self.refreshes.0.is_some() {
            self.write_refreshes(inner);
        }
        for zone in self.copies.keys().cloned().collect::<Vec<_>>() {
            if Instant::now() < until {
                self.write(inner, zone);
            }
        }
    }

    /// Writes when primaries were heard; what fails is tried again.
    fn write_refreshes(&mut self, inner: &Inner) {
        let path = refreshes_path(&inner.options.state_dir);
        let is_kept = inner.note_kept(&path, write_refreshes(inner));
        let now = Instant::now();
        self.refreshes = ((!is_kept).then(|| now + RETRY), Some(now));
    }

    /// Writes a copy; what fails is tried again.
    fn write(&mut self, inner: &Inner, zone: Name) {
        self.copies.remove(&zone);
        // Another daemon writes them now.
        if inner.store.is_left() {
            return;
        }
        let path = served::path(&inner.options.state_dir, &zone);
        let slot = inner.slot(&zone).ok();
        let are_keys_kept =
            slot.is_none_or(|slot| keep_keys(inner, &zone, &mut lock(&slot.state).copied));
        if !inner.note_kept(&path, write_copy(inner, &zone)) || !are_keys_kept {
            self.copies.insert(zone, Instant::now() + RETRY);
        }
    }
}

/// Writes what the database has of a zone's keys beside their files, unless it is there: should the database be
/// lost, a key that the parent names must not be forgotten. False if that failed; it is to be tried again.
pub(super) fn keep_keys(inner: &Inner, zone: &Name, copied: &mut Copied) -> bool {
    if inner.options.is_stand_in || !copied.lacks_keys {
        return true;
    }
    let keystore = Keystore::new(&inner.options.state_dir);
    let written = inner.store.read(|reader| reader.signing(zone)).and_then(|row| {
        row.map(|row| serde_json::to_string(&row))
            .transpose()
            .map_err(|error| StoreError::Corrupt(error.to_string()))
    });
    let written = written.map_err(PublishError::from).and_then(|text| {
        let written = keystore.write_key_set(zone, text.as_deref());
        written.map_err(|error| PublishError::KeysUnkept(with_causes(&error)))
    });
    copied.lacks_keys = !inner.note_kept(&keystore.directory(zone), written);
    !copied.lacks_keys
}

/// Writes the copy of a zone anew, unless it is as it should be. Others change the zone meanwhile.
fn write_copy(inner: &Inner, zone: &Name) -> Result<(), PublishError> {
    let state_dir = &inner.options.state_dir;
    let failed = |source| PublishError::Write { path: served::path(state_dir, zone), source };
    let Ok(slot) = inner.slot(zone) else { return Ok(()) };
    let (live, note, octets, writes, known) = {
        let state = lock(&slot.state);
        let copied = &state.copied;
        let Some(live) = state.served().cloned() else { return Ok(()) };
        if inner.options.is_stand_in || copied.serial.is_some() && copied.octets == 0 {
            return Ok(());
        }
        let rolled_back = state.row.as_ref().and_then(|row| row.held_hash.as_ref());
        let note = Note::of(&state.overlay, rolled_back);
        (live, note, copied.octets, copied.writes, copied.serial)
    };
    let began = Instant::now();
    let is_same = known.is_none() && served::is_exactly(state_dir, &live, &note);
    let draft = (!is_same).then(|| served::draft(state_dir, &live, &note, "fold"));
    let draft = draft.transpose().map_err(failed)?;
    let mut state = lock(&slot.state);
    let is_live = state.serial() == Some(live.serial());
    let copied = &mut state.copied;
    if copied.writes != writes || known.is_none() && !is_live {
        if let Some(draft) = draft {
            draft.discard();
        }
        if copied.serial.is_none() {
            inner.jobs.send(Job::Copy(zone.clone()));
        }
        return Ok(());
    }
    // All changes are in it if nobody knows where they begin.
    let folded = known.map(|_| octets);
    draft.map_or(Ok(()), |draft| draft.put(folded)).map_err(failed)?;
    copied.writes += 1;
    copied.octets -= octets;
    copied.serial = copied.serial.or_else(|| Some(live.serial()));
    copied.rest = REST_MIN.max(began.elapsed() * REST_PARTS);
    if copied.octets > 0 {
        inner.jobs.send(Job::Copy(zone.clone()));
    }
    Ok(())
}

/// Keeps what is beside a database that is older than it: from then on the copies tell of the database,
/// and whoever restored it may want to look up what it lacks. The serials are written first.
pub(crate) fn put_aside(inner: &Inner, zone: &Name, serial: u32) {
    let state_dir = &inner.options.state_dir;
    let paths = [
        served::path(state_dir, zone),
        served::changes_path(state_dir, zone),
        derived::path(state_dir, zone),
    ];
    let kept = write_marks(inner).and_then(|()| {
        let there = paths.iter().filter(|path| path.exists());
        let renamed = there.map(|path| {
            let aside = format!("{}.{serial}", path.display());
            let failed = |source| PublishError::Write { path: path.clone(), source };
            std::fs::rename(path, aside).map_err(failed)
        });
        renamed.collect()
    });
    match kept {
        Ok(()) => tracing::error!(%zone, serial, copy = %paths[0].display(),
            "the database is older than the last served version: the copy of that version is kept under its serial"),
        Err(error) => tracing::error!(%zone, serial, %error,
            "the database is older than the last served version, and the copy of that version cannot be kept"),
    }
}
