//! Reloads files: reads each, gets a proposal for it, publishes that, and reports.
//!
//! The file is read, parsed and built without any lock. Under the zone's lock it is merged with promoted
//! records and compared with the live version, and only the difference is applied.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::compile::{self, Pace};
use super::manifest;
use super::restore::recall;
use super::secondary;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::{self, Held, swap};
use crate::publish::propose::{Kind, Loaded, Prepared, Unread, prepare};
use crate::publish::state::{
    By, Change, Guard, Inner, Job, Outcome, PublishError, Publisher, Refusal, ReloadReport, Slot,
    ZoneSource, ZoneState, error,
};
use crate::text::with_causes;
use crate::threads::each;
use crate::wire::Name;
use crate::zone::{Delta, Entry, Zone};

/// Threads that load zones side by side.
const LOADERS: usize = 2;

//------------ Asking for it -------------------------------------------------

impl Publisher {
    /// Looks at a zone's file, or at all, and returns when each is live or refused.
    pub fn reload(&self, zone: Option<&Name>, by: &By) -> Vec<ReloadReport> {
        let slots: Vec<Arc<Slot>> = match zone {
            Some(zone) => self.0.slot(zone).into_iter().collect(),
            None => self.0.all_slots(),
        };
        reload_all(&self.0, &slots, Pace::Patient, by)
    }

    /// What a reload of the file on disk would change, without doing it.
    pub fn diff_file(&self, zone: &Name) -> Result<FileDiff, PublishError> {
        let slot = self.0.slot(zone)?;
        let source = lock(&slot.state).source.clone();
        if source.is_secondary() {
            return Err(PublishError::Secondary(zone.clone()));
        }
        let decide = |force| {
            let loaded = compile::load(&source, &self.0.options, Pace::Start);
            let by = By { who: "diff".to_owned(), force };
            let state = lock(&slot.state);
            let Prepared { kind, findings, .. } = prepare(&self.0, &state, loaded, &by);
            let step = match &kind {
                Kind::Propose(proposal) => Some(door::number(&self.0, &state, proposal)?.change),
                Kind::Done(_) => None,
            };
            Ok::<_, PublishError>((kind, findings, step))
        };
        let (kind, findings, mut change) = decide(false)?;
        let refused = matches!(kind, Kind::Done(Outcome::Refused { .. }));
        if refused || matches!(kind, Kind::Done(Outcome::Held { .. })) {
            // Shows what a forced reload would do.
            change = decide(true)?.2;
        }
        let serial = change.as_ref().filter(|change| change.is_visible()).map(|change| change.to);
        let delta = change.map_or_else(Delta::default, |change| change.delta);
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

//------------ Doing it ------------------------------------------------------

/// Reloads zones, those of one manifest together, the others each for itself.
pub(super) fn reload_all(
    inner: &Inner,
    slots: &[Arc<Slot>],
    pace: Pace,
    by: &By,
) -> Vec<ReloadReport> {
    let (slots, gone) = inner.settle(slots, by);
    let groups = manifest::groups(inner, &slots);
    if let ([only], true) = (groups.as_slice(), gone.is_empty()) {
        return reload_group(inner, only, pace, by);
    }
    // A panic is ours: a zone without a report would look as if nothing had been asked for.
    let loaders = LOADERS.min(groups.len());
    let work = |(): &mut (), at: usize| reload_group(inner, &groups[at], pace, by);
    let reports = each(loaders, groups.len(), || (), work);
    let mut reports: Vec<ReloadReport> = reports.into_iter().flatten().collect();
    reports.extend(gone);
    reports.sort_by(|a, b| a.zone.cmp(&b.zone));
    reports
}

/// Reloads what goes together: one zone, or the zones of a manifest.
fn reload_group(inner: &Inner, group: &manifest::Group, pace: Pace, by: &By) -> Vec<ReloadReport> {
    match group.slots.as_slice() {
        [slot] if group.manifest.is_none() => vec![reload_one(inner, slot, pace, by)],
        _ => manifest::reload(inner, group, pace, by),
    }
}

/// Reloads one zone. Concurrent reloads are coalesced: a caller that waited while another reload ran
/// gets the result of one that began after its own call, and does not load again.
fn reload_one(inner: &Inner, slot: &Arc<Slot>, pace: Pace, by: &By) -> ReloadReport {
    let ticket = inner.tickets.fetch_add(1, Ordering::SeqCst) + 1;
    let mut gate = lock(&slot.gate);
    if let (true, false, Some(report)) = (gate.covered >= ticket, by.force, &gate.report) {
        return report.clone();
    }
    gate.covered = inner.tickets.load(Ordering::SeqCst);
    let report = load_and_publish(inner, slot, pace, by);
    gate.report = Some(report.clone());
    report
}

/// Reads the file, then decides and publishes under the zone's lock.
fn load_and_publish(inner: &Inner, slot: &Slot, pace: Pace, by: &By) -> ReloadReport {
    let began = Instant::now();
    let source = lock(&slot.state).source.clone();
    if source.is_secondary() {
        let report = secondary::reload(inner, slot, began);
        if source.consume {
            inner.consume(&source.apex, by);
        }
        return report;
    }
    let loaded = compile::load(&source, &inner.options, pace);
    let mut held = Held::new(slot);
    if held.state.is_gone {
        return report(&source, Outcome::Removed, Vec::new(), began);
    }
    let prepared = decide(inner, &mut held, loaded, by);
    held.state.note(&prepared, (inner.options.now_ms)());
    let Prepared { kind, mut findings, leftover, .. } = prepared;
    let outcome = match kind {
        Kind::Done(outcome) => outcome,
        Kind::Propose(proposal) => match door::publish_one(inner, &mut held, *proposal) {
            Ok(published) => outcome_of(&published.change, held.state.zone.as_ref()),
            Err(failed) => {
                let (guard, finding) = failure(&failed.into());
                findings.push(finding);
                Outcome::Refused { serial: held.state.serial(), guard }
            }
        },
    };
    let report = report(&source, outcome, findings, began);
    inner.stopwatch.reloaded(began);
    held.state.conclude(&report, (inner.options.now_ms)());
    inner.jobs.send(Job::Free(leftover));
    report
}

/// Decides what a file means. What the database keeps of a zone and could not be read when it was started
/// is read first, and served.
pub(super) fn decide(
    inner: &Inner,
    held: &mut Held<'_>,
    loaded: Result<Loaded, Box<Unread>>,
    by: &By,
) -> Prepared {
    if !held.state.is_recalled {
        if let Err(failed) = recall(inner, &mut held.state, loaded.as_ref().ok()) {
            return Prepared::failed(&failed);
        }
        let found = held.state.served().cloned().map(Entry::Loaded);
        swap(inner, &[], found.into_iter().collect());
    }
    prepare(inner, &held.state, loaded, by)
}

//------------ Reporting -----------------------------------------------------

impl ZoneState {
    /// Remembers how the files looked, accepted or not: they are not loaded again until they change.
    pub(super) fn note(&mut self, prepared: &Prepared, now_ms: i64) {
        let outcome = match &prepared.kind {
            Kind::Done(outcome) => Some(outcome),
            Kind::Propose(_) => None,
        };
        self.note_waiting(outcome, &prepared.findings, prepared.leftover.as_ref(), now_ms);
        self.seen = prepared.seen.clone();
        self.lack = prepared.lack;
        self.file_serial = prepared.file_serial.or(self.file_serial);
    }

    /// Remembers what came of it.
    pub(super) fn conclude(&mut self, report: &ReloadReport, at_ms: i64) {
        let refused_by = report.guard().map_or("", Guard::word);
        *self.reloads.entry((report.result(), refused_by)).or_default() += 1;
        let Outcome::Refused { guard, .. } = report.outcome else {
            self.refusal = None;
            self.from_store = false;
            // A change says itself what becomes of the file.
            if !matches!(report.outcome, Outcome::Live { .. }) {
                self.is_held = matches!(report.outcome, Outcome::Held { .. });
            }
            report.note();
            return;
        };
        if matches!(guard, Guard::Commit | Guard::Signing) {
            // The file is fine: it is tried again by itself until the disk has room, and keys and clock are right.
            self.seen.clear();
        }
        self.refusal = Some(Refusal { at_ms, guard, findings: report.findings.clone() });
        report.note();
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
    let text = with_causes(failed);
    match failed {
        PublishError::NotConfirmed { .. } => {
            (Guard::Unconfirmed, error("not-confirmed", text, "the zone is as it was before"))
        }
        PublishError::Sign { .. }
        | PublishError::Unsound { .. }
        | PublishError::KeyMissing { .. }
        | PublishError::Clock { .. } => {
            (Guard::Signing, error("not-signed", text, "see docs/signing.md"))
        }
        _ => {
            let hint = "check the free space and health of the disk, then reload";
            (Guard::Commit, error("commit-failed", text, hint))
        }
    }
}
