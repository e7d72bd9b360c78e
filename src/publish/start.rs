//! Start-up, and zones that come and go while the daemon runs.
//!
//! ```text
//! file as last accepted     file + promoted records, under the serial of the database; nothing is written
//! file changed meanwhile    the version of the database is restored, then the file is a reload like any other
//! file refused, rolled back the version of the database is served, and status says so
//! zone never seen           first load
//! ```
//!
//! All zones are committed in one transaction; they are read and checked over two threads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::commit::{Locked, Step, with_serial};
use super::compile::{self, Loaded, Pace, error};
use super::decide::{Kind, Prepared};
use super::draft::zonemd;
use super::keeper::Job;
use super::overlay::Overlay;
use super::publisher::{Inner, Slot, ZoneState, lock};
use super::reload::{failure, outcome_of, report};
use super::report::{Guard, LastChange, Outcome, ReloadReport};
use super::serial::is_ahead;
use super::{Cause, Change, Options, PublishError, Publisher, ZoneSource, judge, manifest};
use crate::master::Severity;
use crate::store::records::{decode, decode_all};
use crate::store::{Store, StoreError};
use crate::wire::Name;
use crate::zone::{Delta, Entry, Zone, ZoneBuilder};

/// Threads that load zones side by side.
const LOADERS: usize = 2;

//------------ Open and change sources ---------------------------------------

impl Publisher {
    /// Loads all zones; what is refused is in the reports, and served from the database if it can be.
    pub fn open(
        store: Store,
        sources: Vec<ZoneSource>,
        options: Options,
    ) -> Result<(Self, Vec<ReloadReport>), PublishError> {
        let publisher = Self(Inner::new(store, options));
        let reports = publisher.set_sources(sources);
        Ok((publisher, reports))
    }

    /// Makes these the zones that are served: adds, removes and, where a file's path or the checks
    /// changed, loads again. The reports are of the zones that this concerned.
    pub fn set_sources(&self, sources: Vec<ZoneSource>) -> Vec<ReloadReport> {
        let began = Instant::now();
        let mut wanted: BTreeMap<Name, Vec<ZoneSource>> = BTreeMap::new();
        for source in sources {
            wanted.entry(source.apex.clone()).or_default().push(source);
        }
        let mut reports = self.remove_all_but(&wanted, began);
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for (apex, mut sources) in wanted {
            let doubled = sources.len() > 1;
            let Some(source) = sources.pop() else { continue };
            let known = lock(&self.0.slots).get(&apex).cloned();
            let slot = known.clone().unwrap_or_else(|| Arc::new(Slot::new(source.clone())));
            if doubled {
                reports.push(self.0.refuse_doubled(&slot, &source, &sources, began));
            } else if known.is_none() {
                new.push(slot);
                continue;
            } else if lock(&slot.state).take_source(source) {
                changed.push(Arc::clone(&slot));
            }
            lock(&self.0.slots).entry(apex).or_insert(slot);
        }
        reports.extend(self.0.start_all(&new));
        if !changed.is_empty() {
            reports.extend(self.0.reload_all(&changed, Pace::Patient, None));
        }
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }

    /// What `ctl reload` and SIGHUP do: these are the zones from now on, and each file is looked at
    /// once.
    pub fn reload_sources(
        &self,
        sources: Vec<ZoneSource>,
        force_by: Option<&str>,
    ) -> Vec<ReloadReport> {
        let mut reports = self.set_sources(sources);
        let done: BTreeSet<Name> = reports.iter().map(|report| report.zone.clone()).collect();
        let rest: Vec<Arc<Slot>> = {
            let slots = lock(&self.0.slots);
            slots.values().filter(|slot| !done.contains(&slot.apex)).cloned().collect()
        };
        // A manifest may bring back a zone that is done; then its second report is no news.
        let again = self.0.reload_all(&rest, Pace::Patient, force_by);
        reports.extend(again.into_iter().filter(|report| !done.contains(&report.zone)));
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }

    /// Takes out the zones that are not wanted any more.
    fn remove_all_but(
        &self,
        wanted: &BTreeMap<Name, Vec<ZoneSource>>,
        began: Instant,
    ) -> Vec<ReloadReport> {
        let gone: Vec<Arc<Slot>> = {
            let mut slots = lock(&self.0.slots);
            let gone: Vec<Name> =
                slots.keys().filter(|apex| !wanted.contains_key(apex)).cloned().collect();
            gone.iter().filter_map(|apex| slots.remove(apex)).collect()
        };
        let mut reports = Vec::new();
        for slot in &gone {
            // Whoever holds the lock finishes first; whoever waits for it finds the zone gone.
            let mut state = lock(&slot.state);
            state.is_gone = true;
            self.0.swap(std::slice::from_ref(&slot.apex), Vec::new());
            reports.push(report(&state.source, Outcome::Removed, Vec::new(), began));
        }
        reports
    }
}

impl ZoneState {
    /// Takes the settings of a zone; whether they are other ones than before.
    fn take_source(&mut self, source: ZoneSource) -> bool {
        let was_doubled = self.doubled.take().is_some();
        let before = std::mem::replace(&mut self.source, source);
        was_doubled || before != self.source
    }
}

impl Inner {
    /// Refuses a zone that two files claim. What was served before stays.
    fn refuse_doubled(
        &self,
        slot: &Slot,
        source: &ZoneSource,
        others: &[ZoneSource],
        began: Instant,
    ) -> ReloadReport {
        let mut state = lock(&slot.state);
        let files: Vec<String> =
            others.iter().chain([source]).map(|source| source.file.display().to_string()).collect();
        let message = format!("{} is claimed by {}", slot.apex, files.join(" and "));
        let finding = error("zone-doubled", message, "keep one [[zone]] for each name");
        state.doubled = Some(finding.clone());
        let serial = state.serial();
        let outcome = Outcome::Refused { serial, guard: Guard::Doubled };
        let report = report(source, outcome, vec![finding], began);
        state.conclude(&report, (self.options.now_ms)());
        if serial.is_none() {
            self.swap(&[], vec![Entry::NotLoaded(slot.apex.clone())]);
        }
        report
    }
}

//------------ Starting zones ------------------------------------------------

/// A zone that was looked at and is not committed yet.
pub(super) struct Begun {
    /// The zone.
    pub(super) slot: Arc<Slot>,
    /// What is to be done.
    pub(super) prepared: Prepared,
    /// When it began.
    began: Instant,
}

impl Inner {
    /// Loads zones that were not served before and commits them together.
    fn start_all(&self, slots: &[Arc<Slot>]) -> Vec<ReloadReport> {
        let (next, begun) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = self.begin(slot);
                lock(&begun).push(one);
            }
        };
        match slots.len() {
            0 => return Vec::new(),
            1 => work(),
            _ => std::thread::scope(|scope| {
                (0..LOADERS).for_each(|_| drop(scope.spawn(work)));
            }),
        }
        let mut begun = begun.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        manifest::hold_up(&mut begun, self.options.file_octets_max);
        let (reports, served) = self.finish(begun);
        self.swap(&[], served);
        let mut known = lock(&self.slots);
        for slot in slots {
            known.insert(slot.apex.clone(), Arc::clone(slot));
        }
        drop(known);
        for slot in slots.iter().filter(|slot| lock(&slot.state).copy_is_due()) {
            self.keeper.send(Job::Maintain(slot.apex.clone()));
        }
        reports
    }

    /// Commits what has to be, and says what is served without a commit.
    fn finish(&self, begun: Vec<Begun>) -> (Vec<ReloadReport>, Vec<Entry>) {
        let (mut reports, mut served) = (Vec::new(), Vec::new());
        let (mut waiting, mut slots, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for one in begun {
            let mut state = lock(&one.slot.state);
            state.note(&one.prepared);
            let Prepared { kind, findings, .. } = one.prepared;
            match kind {
                Kind::Done(outcome) => {
                    let report = report(&state.source, outcome, findings, one.began);
                    state.conclude(&report, (self.options.now_ms)());
                    state.from_store = !report.is_ok() && state.zone.is_some();
                    served.push(entry(&one.slot, &state));
                    reports.push(report);
                }
                Kind::Step(step) => {
                    slots.push(Arc::clone(&one.slot));
                    steps.push(*step);
                    waiting.push((Arc::clone(&one.slot), findings, one.began));
                }
            }
        }
        let locked = slots.iter().zip(steps);
        let locked = locked.map(|(slot, step)| Locked { slot, state: lock(&slot.state), step });
        let mut changes: BTreeMap<Name, Change> = BTreeMap::new();
        let mut failed = None;
        match self.commit_all(locked.collect()) {
            Ok(made) => {
                changes.extend(made.into_iter().map(|change| (change.zone.clone(), change)));
            }
            Err(source) => failed = Some(source),
        }
        let failed = failed
            .map(|source| failure(&PublishError::Commit { zone: Name::root(), serial: 0, source }));
        for (slot, mut findings, began) in waiting {
            let mut state = lock(&slot.state);
            let outcome = match changes.remove(&slot.apex) {
                Some(change) => outcome_of(&change, state.zone.as_ref()),
                None => {
                    findings.extend(failed.iter().map(|(_, finding)| finding.clone()));
                    Outcome::Refused { serial: state.serial(), guard: Guard::Commit }
                }
            };
            let report = report(&state.source, outcome, findings, began);
            state.conclude(&report, (self.options.now_ms)());
            state.from_store = !report.is_ok() && state.zone.is_some();
            served.push(entry(&slot, &state));
            reports.push(report);
        }
        (reports, served)
    }

    /// Finds out what is to be done about one zone.
    fn begin(&self, slot: &Arc<Slot>) -> Begun {
        let began = Instant::now();
        let mut state = lock(&slot.state);
        let loaded = compile::load(&state.source, &self.options, Pace::Start);
        let prepared = match self.remember(&mut state) {
            Ok(()) => self.begin_known(&mut state, loaded),
            Err(failed) => Prepared::failed(&failed),
        };
        drop(state);
        Begun { slot: Arc::clone(slot), prepared, began }
    }

    /// Reads what the database keeps of a zone, except for its records.
    fn remember(&self, state: &mut ZoneState) -> Result<(), StoreError> {
        let apex = state.source.apex.clone();
        let (row, promoted, end) = self.store.read(|reader| {
            let row = reader.zone(&apex)?;
            if row.is_none() {
                return Ok((None, Vec::new(), None));
            }
            Ok::<_, StoreError>((row, reader.promoted(&apex)?, reader.journal_end(&apex)?))
        })?;
        state.row = row;
        state.overlay = Overlay::new(promoted);
        if let Some(end) = end {
            state.seq = end.seq;
            let cause = serde_json::from_str(&end.cause);
            state.last_change = cause.ok().map(|cause: Cause| LastChange {
                serial: end.to,
                cause,
                who: end.who,
                at_ms: end.at_ms,
            });
        }
        // A database restored from a backup may be behind what was published.
        let mark = lock(&self.marks).get(&apex).copied();
        if let (Some(row), Some(mark)) = (&mut state.row, mark) {
            row.high_water = super::serial::later(row.high_water, mark);
        }
        Ok(())
    }

    /// A zone whose row was read.
    fn begin_known(
        &self,
        state: &mut ZoneState,
        loaded: Result<Loaded, Box<compile::Unread>>,
    ) -> Prepared {
        if let (Some(row), Ok(loaded)) = (state.row.clone(), &loaded) {
            let accepted = row.file_hash.as_deref() == Some(loaded.hash.as_str());
            let held = row.held_hash.as_deref() == Some(loaded.hash.as_str());
            if accepted && !held {
                state.zone = self.resumed(state, loaded, row.serial);
            }
        }
        if state.row.is_some() && state.zone.is_none() {
            state.zone = self.restored(state).unwrap_or_else(|failed| {
                tracing::error!(zone = %state.source.apex, error = %failed,
                    "the copy in the database cannot be read");
                None
            });
        }
        let mut prepared = self.prepare(state, loaded, "gapura", false);
        self.catch_up(state, &mut prepared);
        prepared
    }

    /// The last accepted file merged with what requests put up, under the serial of the database;
    /// `None` if today's checks refuse it.
    fn resumed(&self, state: &ZoneState, loaded: &Loaded, serial: u32) -> Option<Zone> {
        let file = loaded.zone.as_ref().filter(|_| loaded.guard.is_none())?;
        let merged = state.overlay.merge(file).ok().filter(|merged| merged.clashes.is_empty())?;
        let (overlay, now_ms) = (&state.overlay, (self.options.now_ms)());
        let findings = judge::whole(&state.source, loaded, overlay, file, &merged.zone, now_ms);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return None;
        }
        let mut zone = merged.zone;
        if !state.overlay.is_empty() || file.serial() != serial {
            let removed = zonemd(&zone);
            if !removed.is_empty() {
                zone = zone.apply(&Delta { removed, added: Vec::new() }).ok()?;
            }
        }
        with_serial(&zone, serial).ok()
    }

    /// The version that the database holds: the full copy and the changes behind it.
    fn restored(&self, state: &ZoneState) -> Result<Option<Zone>, StoreError> {
        let Some(row) = &state.row else { return Ok(None) };
        let Some(copy_seq) = row.copy_seq else { return Ok(None) };
        let apex = &state.source.apex;
        let mut builder = ZoneBuilder::new(apex);
        let mut deltas = Vec::new();
        self.store.read(|reader| {
            reader.zone_copy(apex, copy_seq, |blob| decode(blob, |record| builder.push(record)))?;
            reader.journal_after(apex, copy_seq, |_, blobs| {
                let blobs = blobs.ok_or_else(|| {
                    StoreError::Corrupt(format!("{apex}: a change behind the copy has no delta"))
                })?;
                deltas.push(Delta {
                    removed: decode_all(&blobs.removed)?,
                    added: decode_all(&blobs.added)?,
                });
                Ok(())
            })
        })?;
        let Some(mut zone) = builder.finish().0 else { return Ok(None) };
        for delta in &deltas {
            zone = zone.apply(delta).map_err(|failed| StoreError::Corrupt(failed.to_string()))?;
        }
        match zone.serial() == row.serial {
            true => Ok(Some(zone)),
            false => Err(StoreError::Corrupt(format!(
                "{apex}: the copy does not lead to the live serial"
            ))),
        }
    }

    /// Raises the serial of a zone whose database is behind what was published before.
    fn catch_up(&self, state: &ZoneState, prepared: &mut Prepared) {
        let (Some(zone), Some(row)) = (&state.zone, &state.row) else { return };
        let mark = lock(&self.marks).get(&state.source.apex).copied();
        let behind = mark.is_some_and(|mark| is_ahead(mark, zone.serial()));
        let changes = matches!(&prepared.kind, Kind::Step(step) if step.change.is_visible());
        if !behind || changes {
            return;
        }
        let at_ms = (self.options.now_ms)();
        let mut step = Step {
            next: zone.clone(),
            change: Change {
                zone: state.source.apex.clone(),
                from: Some(zone.serial()),
                to: zone.serial(),
                delta: Delta::default(),
                cause: Cause::Own { purpose: "serial after a restored database".to_owned() },
                who: "gapura".to_owned(),
                at_ms,
            },
            rows: Vec::new(),
            row: row.clone(),
            holds: None,
        };
        if step.renumber(zone, Delta::default(), state.source.serial).is_ok() {
            prepared.kind = Kind::Step(Box::new(step));
        }
    }
}

/// How a zone stands among those served.
fn entry(slot: &Slot, state: &ZoneState) -> Entry {
    match &state.zone {
        Some(zone) => Entry::Loaded(zone.clone()),
        None => Entry::NotLoaded(slot.apex.clone()),
    }
}
