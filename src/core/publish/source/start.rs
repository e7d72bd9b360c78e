//! Startup of zones: all zones of the settings, or those added while the daemon runs.
//!
//! ```text
//! file as last accepted     file + promoted records, with the serial of the database; nothing is written
//! file changed meanwhile    the version of the database is restored, then the file is reloaded like any other
//! file refused, rolled back the version of the database is served, and status says so
//! zone never seen           first load
//! ```
//!
//! All zones are committed in one transaction; two threads read and check them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::early::Early;
use super::manifest;
use super::reload::{failure, outcome_of, report};
use super::restore::begin;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::door::{self, Held, Proposal, copy_is_due, swap};
use crate::publish::propose::{Kind, Prepared};
use crate::publish::state::{Change, Guard, Inner, Job, Outcome, ReloadReport, Slot, ZoneState};
use crate::threads::each;
use crate::wire::Name;
use crate::zone::Entry;

/// Threads that load zones side by side.
const LOADERS: usize = 2;

//------------ Starting zones ------------------------------------------------

/// A zone that was looked at and is not committed yet.
pub(super) struct Begun {
    /// The zone.
    pub(super) slot: Arc<Slot>,
    /// What is to be done.
    pub(super) prepared: Prepared,
    /// Why its file is refused although something is to be published: a higher serial.
    pub(super) refused: Option<Guard>,
    /// When it began.
    pub(super) began: Instant,
}

impl Inner {
    /// Loads zones that were not served before, one of which may be loading early, and commits them together.
    pub(super) fn start_all(&self, slots: &[Arc<Slot>], early: &Early) -> Vec<ReloadReport> {
        if slots.is_empty() {
            return Vec::new();
        }
        let loaders = LOADERS.min(slots.len());
        let mut begun = each(loaders, slots.len(), || (), |(), at| begin(self, &slots[at], early));
        // What left the settings and is not in the database was never served.
        begun.retain(|one| !lock(&one.slot.state).is_unknown_and_left());
        let slots: Vec<Arc<Slot>> = begun.iter().map(|one| Arc::clone(&one.slot)).collect();
        manifest::hold_up(&mut begun, self.options.file_octets_max);
        let (reports, served) = self.finish(begun);
        swap(self, &[], served);
        let mut known = lock(&self.slots);
        for slot in &slots {
            known.insert(slot.apex.clone(), Arc::clone(slot));
        }
        drop(known);
        for slot in &slots {
            let state = lock(&slot.state);
            // A crash may have come before they were written.
            if let Some(row) = &state.row {
                self.jobs.send(Job::Mark(slot.apex.clone(), row.high_water));
            }
            let derived = door::path(&self.options.state_dir, &slot.apex);
            if !state.overlay.is_empty() || derived.exists() {
                self.jobs.send(Job::Derived(slot.apex.clone()));
            }
            if state.zone.is_some() {
                self.jobs.send(Job::Copy(slot.apex.clone()));
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
            state.note(&one.prepared, (self.options.now_ms)());
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
                    waiting.push((Arc::clone(&one.slot), findings, one.refused, one.began));
                }
            }
        }
        let (mut changes, failures) = self.publish_begun(&waiting, proposals);
        for (slot, mut findings, refused, began) in waiting {
            let mut state = lock(&slot.state);
            let outcome = match changes.remove(&slot.apex) {
                Some(change) => match refused {
                    Some(guard) => Outcome::Refused { serial: state.serial(), guard },
                    None => outcome_of(&change, state.zone.as_ref()),
                },
                None => {
                    let failed = failures.get(&slot.apex);
                    findings.extend(failed.map(|(_, finding)| finding.clone()));
                    let guard = failed.map_or(Guard::Commit, |(guard, _)| *guard);
                    Outcome::Refused { serial: state.serial(), guard }
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

/// A zone whose proposal is published: its place, findings, why its file is refused all the same, since when.
type Waiting = (Arc<Slot>, Vec<Finding>, Option<Guard>, Instant);
/// What became of proposals: changes, and failures.
type Done = (BTreeMap<Name, Change>, BTreeMap<Name, (Guard, Finding)>);

impl Inner {
    /// Publishes what is proposed: in one transaction, but for zones that are signed. What keeps one of those
    /// from being signed must not keep others from being served.
    fn publish_begun(&self, waiting: &[Waiting], proposals: Vec<Proposal>) -> Done {
        let mut done = Done::default();
        let all = waiting.iter().zip(proposals).map(|((slot, ..), proposal)| (slot, proposal));
        let is_signed = |slot: &Slot| lock(&slot.state).signing.is_some();
        let (signed, together): (Vec<_>, Vec<_>) = all.partition(|(slot, _)| is_signed(slot));
        self.publish_together(together, &mut done);
        signed.into_iter().for_each(|one| self.publish_together(vec![one], &mut done));
        done
    }

    /// Publishes proposals in one transaction.
    fn publish_together(&self, group: Vec<(&Arc<Slot>, Proposal)>, done: &mut Done) {
        let (slots, proposals): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let mut held: Vec<Held<'_>> = slots.iter().map(|slot| Held::new(slot)).collect();
        match door::publish(self, &mut held, proposals) {
            Ok(all) => {
                done.0.extend(all.into_iter().map(|it| (it.change.zone.clone(), it.change)));
            }
            Err(error) => {
                let failed = failure(&error.into());
                done.1.extend(slots.iter().map(|slot| (slot.apex.clone(), failed.clone())));
            }
        }
    }
}

/// The entry of a zone in the served set.
fn entry(slot: &Slot, state: &ZoneState) -> Entry {
    match state.served() {
        Some(_) if state.lease.is_expired => Entry::Expired(slot.apex.clone()),
        Some(zone) => Entry::Loaded(zone.clone()),
        None => Entry::NotLoaded(slot.apex.clone()),
    }
}
