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

use super::compile::Pace;
use super::manifest;
use super::reload::{failure, outcome_of, reload_all, report};
use super::restore::begin;
use crate::publish::door::{self, Held, copy_is_due, swap};
use crate::publish::propose::{Kind, Prepared};
use crate::publish::state::{
    By, Change, Guard, Inner, Job, Options, Outcome, PublishError, Publisher, ReloadReport, Slot,
    ZoneSource, ZoneState, error, lock,
};
use crate::store::Store;
use crate::wire::Name;
use crate::zone::Entry;

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
        let marks = door::read_marks(&options.state_dir);
        let inner = Arc::new(Inner::new(store, options, marks));
        door::start(&inner);
        let publisher = Self(inner);
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
            reports.extend(reload_all(&self.0, &changed, Pace::Patient, &By::gapura()));
        }
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }

    /// What `ctl reload` and SIGHUP do: these are the zones from now on, and each file is looked at
    /// once.
    pub fn reload_sources(&self, sources: Vec<ZoneSource>, by: &By) -> Vec<ReloadReport> {
        let mut reports = self.set_sources(sources);
        let done: BTreeSet<Name> = reports.iter().map(|report| report.zone.clone()).collect();
        let rest: Vec<Arc<Slot>> = {
            let slots = lock(&self.0.slots);
            slots.values().filter(|slot| !done.contains(&slot.apex)).cloned().collect()
        };
        // A manifest may bring back a zone that is done; then its second report is no news.
        let again = reload_all(&self.0, &rest, Pace::Patient, by);
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
            swap(&self.0, std::slice::from_ref(&slot.apex), Vec::new());
            reports.push(report(&state.source, Outcome::Removed, Vec::new(), began));
        }
        reports
    }
}

impl ZoneState {
    /// Takes the settings of a zone. Returns whether they changed.
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
            swap(self, &[], vec![Entry::NotLoaded(slot.apex.clone())]);
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
    pub(super) began: Instant,
}

impl Inner {
    /// Loads zones that were not served before and commits them together.
    fn start_all(&self, slots: &[Arc<Slot>]) -> Vec<ReloadReport> {
        let (next, begun) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(slot) = slots.get(next.fetch_add(1, Ordering::Relaxed)) {
                let one = begin(self, slot);
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
        swap(self, &[], served);
        let mut known = lock(&self.slots);
        for slot in slots {
            known.insert(slot.apex.clone(), Arc::clone(slot));
        }
        drop(known);
        for slot in slots {
            let state = lock(&slot.state);
            // A crash may have come before they were written.
            if let Some(row) = &state.row {
                self.jobs.send(Job::Mark(slot.apex.clone(), row.high_water));
            }
            let derived = door::path(&self.options.state_dir, &slot.apex);
            if !state.overlay.is_empty() || derived.exists() {
                self.jobs.send(Job::Derived(slot.apex.clone()));
            }
            if copy_is_due(&state) {
                self.jobs.send(Job::Maintain(slot.apex.clone()));
            }
        }
        reports
    }

    /// Publishes what is proposed, in one transaction, and returns what is served besides.
    fn finish(&self, begun: Vec<Begun>) -> (Vec<ReloadReport>, Vec<Entry>) {
        let (mut reports, mut served) = (Vec::new(), Vec::new());
        let (mut waiting, mut proposals) = (Vec::new(), Vec::new());
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
                Kind::Propose(proposal) => {
                    proposals.push(*proposal);
                    waiting.push((Arc::clone(&one.slot), findings, one.began));
                }
            }
        }
        let mut held: Vec<Held<'_>> = waiting.iter().map(|(slot, ..)| Held::new(slot)).collect();
        let done = door::publish(self, &mut held, proposals);
        drop(held);
        let (mut changes, mut failed) = (BTreeMap::<Name, Change>::new(), None);
        match done {
            Ok(all) => {
                changes.extend(all.into_iter().map(|it| (it.change.zone.clone(), it.change)))
            }
            Err(error) => failed = Some(failure(&error.into())),
        }
        for (slot, mut findings, began) in waiting {
            let mut state = lock(&slot.state);
            let outcome = match changes.remove(&slot.apex) {
                Some(change) => outcome_of(&change, state.zone.as_ref()),
                None => {
                    findings.extend(failed.iter().map(|(_, finding)| finding.clone()));
                    Outcome::Refused {
                        serial: state.serial(),
                        guard: failed.as_ref().map_or(Guard::Commit, |(guard, _)| *guard),
                    }
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
}

/// The entry of a zone in the served set.
fn entry(slot: &Slot, state: &ZoneState) -> Entry {
    match &state.zone {
        Some(zone) => Entry::Loaded(zone.clone()),
        None => Entry::NotLoaded(slot.apex.clone()),
    }
}
