//! A file's way to the door: who asks for it, and what is told afterwards.
//!
//! The file is read, parsed and built without any lock. Under the zone's lock it is merged with what
//! requests put up and compared with what is live, and only the difference is applied.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::compile::{self, Pace, error};
use super::decide::{Kind, Prepared};
use super::keeper::Job;
use super::publisher::{Inner, Slot, ZoneState, lock};
use super::report::{Guard, Outcome, Refusal, ReloadReport};
use super::{Change, PublishError, Publisher, ZoneSource, manifest};
use crate::master::Finding;
use crate::wire::Name;
use crate::zone::{Delta, Zone};

/// Threads that load zones side by side.
const LOADERS: usize = 2;

//------------ Asking for it -------------------------------------------------

impl Publisher {
    /// Looks at a zone's file, or at all, and returns when each is live or refused. `force_by` names
    /// who wants it in spite of the shrink guard and of a rollback.
    pub fn reload(&self, zone: Option<&Name>, force_by: Option<&str>) -> Vec<ReloadReport> {
        let slots: Vec<Arc<Slot>> = match zone {
            Some(zone) => self.0.slot(zone).into_iter().collect(),
            None => lock(&self.0.slots).values().cloned().collect(),
        };
        self.0.reload_all(&slots, Pace::Patient, force_by)
    }

    /// What a reload of the file on disk would change, without doing it.
    pub fn diff_file(&self, zone: &Name) -> Result<FileDiff, PublishError> {
        let slot = self.0.slot(zone)?;
        let source = lock(&slot.state).source.clone();
        let prepare = |force| {
            let loaded = compile::load(&source, &self.0.options, Pace::Start);
            self.0.prepare(&lock(&slot.state), loaded, "diff", force)
        };
        let Prepared { mut kind, findings, .. } = prepare(false);
        let refused = matches!(kind, Kind::Done(Outcome::Refused { .. }));
        if refused || matches!(kind, Kind::Done(Outcome::Held { .. })) {
            // What stands behind the guards that can be overruled.
            kind = prepare(true).kind;
        }
        let (delta, serial) = match kind {
            Kind::Step(step) => {
                let serial = step.change.is_visible().then_some(step.change.to);
                (step.change.delta, serial)
            }
            Kind::Done(_) => (Delta::default(), None),
        };
        Ok(FileDiff { delta, serial, refused, findings })
    }
}

/// What a reload would do.
#[derive(Clone, Debug)]
pub struct FileDiff {
    /// Records removed and added; empty if nothing, or if no force helps the file.
    pub delta: Delta,
    /// The serial it would get; none if nothing would change.
    pub serial: Option<u32>,
    /// Whether a reload would refuse the file.
    pub refused: bool,
    /// Errors, warnings and notes.
    pub findings: Vec<Finding>,
}

impl Inner {
    /// Reloads zones, those of one manifest together, the others each for itself.
    pub(super) fn reload_all(
        &self,
        slots: &[Arc<Slot>],
        pace: Pace,
        force_by: Option<&str>,
    ) -> Vec<ReloadReport> {
        let groups = manifest::groups(self, slots);
        if let [only] = groups.as_slice() {
            return self.reload_group(only, pace, force_by);
        }
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut reports = Vec::new();
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                reports.extend(self.reload_group(group, pace, force_by));
            }
            reports
        };
        let mut reports: Vec<ReloadReport> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..LOADERS.min(groups.len())).map(|_| scope.spawn(work)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        });
        reports.sort_by(|a, b| a.zone.cmp(&b.zone));
        reports
    }

    /// Reloads what goes together: one zone, or the zones of a manifest.
    fn reload_group(
        &self,
        group: &manifest::Group,
        pace: Pace,
        force_by: Option<&str>,
    ) -> Vec<ReloadReport> {
        match group.slots.as_slice() {
            [slot] if group.manifest.is_none() => vec![self.reload_one(slot, pace, force_by)],
            _ => manifest::reload(self, group, pace, force_by),
        }
    }

    /// Reloads one zone. Who asks while another reload of it waits or runs gets the result of one
    /// that began after the question, and does not load again for it.
    fn reload_one(&self, slot: &Arc<Slot>, pace: Pace, force_by: Option<&str>) -> ReloadReport {
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst) + 1;
        let mut gate = lock(&slot.gate);
        if let (true, None, Some(report)) = (gate.covered >= ticket, force_by, &gate.report) {
            return report.clone();
        }
        gate.covered = self.tickets.load(Ordering::SeqCst);
        let report = self.load_and_commit(slot, pace, force_by);
        gate.report = Some(report.clone());
        report
    }

    /// Reads the file, then decides and commits under the zone's lock.
    fn load_and_commit(&self, slot: &Slot, pace: Pace, force_by: Option<&str>) -> ReloadReport {
        let began = Instant::now();
        let source = lock(&slot.state).source.clone();
        let loaded = compile::load(&source, &self.options, pace);
        let mut state = lock(&slot.state);
        if state.is_gone {
            return report(&source, Outcome::Removed, Vec::new(), began);
        }
        let prepared =
            self.prepare(&state, loaded, force_by.unwrap_or("gapura"), force_by.is_some());
        state.note(&prepared);
        let Prepared { kind, mut findings, leftover, .. } = prepared;
        let outcome = match kind {
            Kind::Done(outcome) => outcome,
            Kind::Step(step) => {
                match self.commit_and_confirm(slot, &mut state, *step, |_, _| Ok(())) {
                    Ok(change) => outcome_of(&change, state.zone.as_ref()),
                    Err(failed) => {
                        let (guard, finding) = failure(&failed);
                        findings.push(finding);
                        Outcome::Refused { serial: state.serial(), guard }
                    }
                }
            }
        };
        let report = report(&source, outcome, findings, began);
        state.conclude(&report, (self.options.now_ms)());
        self.keeper.send(Job::Free(leftover));
        report
    }
}

//------------ Reporting -----------------------------------------------------

impl ZoneState {
    /// Remembers how the files looked, accepted or not: they are not loaded again until they change.
    pub(super) fn note(&mut self, prepared: &Prepared) {
        self.seen = prepared.seen.clone();
        self.file_serial = prepared.file_serial.or(self.file_serial);
    }

    /// Remembers what came of it.
    pub(super) fn conclude(&mut self, report: &ReloadReport, at_ms: i64) {
        *self.reloads.entry(report.result()).or_default() += 1;
        let Outcome::Refused { guard, .. } = report.outcome else {
            self.refusal = None;
            self.from_store = false;
            self.is_held = matches!(report.outcome, Outcome::Held { .. });
            tracing::info!("{report}");
            return;
        };
        *self.reloads.entry(refused_by(guard)).or_default() += 1;
        if guard == Guard::Commit {
            // The file is fine: it is tried again by itself until the disk has room.
            self.seen.clear();
        }
        self.refusal = Some(Refusal { at_ms, guard, findings: report.findings.clone() });
        tracing::error!(guard = guard.word(), "{report}");
    }
}

/// The key of a refusal's counter.
fn refused_by(guard: Guard) -> &'static str {
    match guard {
        Guard::Missing => "refused:missing",
        Guard::Unsettled => "refused:unsettled",
        Guard::Incomplete => "refused:incomplete",
        Guard::Check => "refused:check",
        Guard::Shrink => "refused:shrink",
        Guard::Merge => "refused:merge",
        Guard::Manifest => "refused:manifest",
        Guard::Commit => "refused:commit",
        Guard::Unconfirmed => "refused:unconfirmed",
        Guard::Doubled => "refused:doubled",
    }
}

/// A report.
pub(super) fn report(
    source: &ZoneSource,
    outcome: Outcome,
    findings: Vec<Finding>,
    began: Instant,
) -> ReloadReport {
    let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    ReloadReport { zone: source.apex.clone(), file: source.file.clone(), outcome, findings, ms }
}

/// What a change that was committed is to the operator.
pub(super) fn outcome_of(change: &Change, zone: Option<&Zone>) -> Outcome {
    if !change.is_visible() {
        return Outcome::Unchanged { serial: change.to };
    }
    let all = zone.map_or(0, Zone::record_count);
    let (removed, added) = match (change.delta.is_empty(), change.from) {
        (true, None) => (0, all),
        // Replaced as a whole: nobody counted.
        (true, Some(_)) => (all, all),
        (false, _) => change.counts(),
    };
    Outcome::Live { from: change.from, to: change.to, removed, added }
}

/// A commit that failed, as a finding with its guard.
pub(super) fn failure(failed: &PublishError) -> (Guard, Finding) {
    let mut text = failed.to_string();
    let mut source = std::error::Error::source(failed);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    match failed {
        PublishError::NotConfirmed { .. } => {
            (Guard::Unconfirmed, error("not-confirmed", text, "the zone is as it was before"))
        }
        _ => {
            let hint = "check the free space and health of the disk, then reload";
            (Guard::Commit, error("commit-failed", text, hint))
        }
    }
}
