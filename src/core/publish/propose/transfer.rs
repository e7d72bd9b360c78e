//! What a transfer means for the live zone: a zone or changes from a primary, checked and under its
//! serial.
//!
//! A secondary neither renumbers nor repairs: it serves what the primary serves. So only the rules that make
//! a zone servable at all can refuse it; all others are warnings.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::{Difference, Kind, soa_differs};
use crate::check::{self, Level, ZoneFault};
use crate::master::{Finding, Severity};
use crate::publish::door::{FileFate, Next, Numbering, Proposal, with_serial, without_soa};
use crate::publish::state::{
    Cause, Guard, Inner, Outcome, PublishError, ZoneSource, ZoneState, warning,
};
use crate::transfer::Received;
use crate::wire::{Name, RecordRef, is_ahead};
use crate::zone::{ApplyError, Delta, Zone};

//------------ TransferIn ----------------------------------------------------

/// A whole transfer, to be published.
pub struct TransferIn<'a> {
    /// The zone's apex.
    pub zone: &'a Name,
    /// What came.
    pub received: Received,
    /// The primary it came from, by its name in the settings.
    pub primary: &'a str,
    /// Whether it counts whatever its serial: somebody asked for it.
    pub force: bool,
}

/// Decides what a transfer means for what is live. An error is no fault of the transfer's content: changes
/// that do not apply, or a zone that is none of ours any more.
pub(crate) fn decide(
    inner: &Inner,
    state: &ZoneState,
    transfer: TransferIn<'_>,
) -> Result<(Kind, Vec<Finding>), PublishError> {
    let TransferIn { zone: apex, received, primary, force } = transfer;
    if !state.source.is_secondary() {
        return Err(PublishError::Primary(apex.clone()));
    }
    let live = state.zone.as_ref();
    let kind = received.word();
    let now_ms = (inner.options.now_ms)();
    let done = |outcome| Ok((Kind::Done(outcome), Vec::new()));
    let (zone, mut faults) = match received {
        Received::Current { serial } => return done(Outcome::Unchanged { serial }),
        Received::Whole { zone, faults } => {
            let seconds = u32::try_from(now_ms.div_euclid(1000)).unwrap_or(u32::MAX);
            let found = check::zone(&zone, &faults, seconds);
            (zone, found)
        }
        Received::Changes(deltas) => changed(live, apex, &deltas)?,
    };
    if let Some(live) = live.filter(|live| !is_ahead(zone.serial(), live.serial()))
        && !force
    {
        return done(Outcome::Unchanged { serial: live.serial() });
    }
    if !zone.zonemd().is_empty() {
        faults.extend(check::zonemd(&zone));
    }
    let mut findings: Vec<Finding> = judged(&state.source, &faults);
    if findings.iter().any(Finding::is_error) {
        let outcome = Outcome::Refused { serial: state.serial(), guard: Guard::Check };
        return Ok((Kind::Done(outcome), findings));
    }
    let serial = zone.serial();
    let signing = state.signing.as_ref();
    let zone = signing.map_or_else(|| Ok(zone.clone()), |signing| signing.strip(&zone))?;
    if live.is_some_and(|live| *live == zone) {
        return Ok((Kind::Done(Outcome::Unchanged { serial }), findings));
    }
    if let Some(live) = live.filter(|live| !is_ahead(serial, live.serial())) {
        let before = match live.serial() {
            same if same == serial => "another version with the same one".to_owned(),
            ahead => ahead.to_string(),
        };
        let message = format!(
            "{apex}: {primary} has serial {serial}, {before} was served: taken because somebody asked for \
             it; history begins anew"
        );
        findings.push(warning("serial-backwards", message));
    }
    let zone = zone.with_time_left(state.lease.left.clone());
    let cause = Cause::Transfer { primary: primary.to_owned(), transfer: kind.to_owned() };
    let next = next(live, zone)?;
    let proposal = Proposal {
        // What is signed here is made anew more often than the primary changes it.
        serial: if signing.is_some() { Numbering::Next } else { Numbering::Exactly(serial) },
        file: FileFate::Transferred,
        ..Proposal::new(live.cloned(), next, cause, "gapura", now_ms)
    };
    Ok((Kind::Propose(Box::new(proposal)), findings))
}

/// The version that changes lead to, and what is wrong where they touch it.
fn changed(
    live: Option<&Zone>,
    apex: &Name,
    deltas: &[Delta],
) -> Result<(Zone, Vec<ZoneFault>), PublishError> {
    let live = live.ok_or_else(|| PublishError::NotLoaded(apex.clone()))?;
    let mut zone = live.clone();
    for delta in deltas {
        zone = match zone.apply(delta) {
            Err(ApplyError::Present(..)) => zone.apply(&without_known(&zone, delta))?,
            applied => applied?,
        };
    }
    let records = deltas.iter().flat_map(|delta| delta.removed.iter().chain(&delta.added));
    let owners: BTreeSet<&Name> = records.map(|record| &record.owner).collect();
    let owners: Vec<Name> = owners.into_iter().cloned().collect();
    let faults = check::around(&zone, &owners);
    Ok((zone, faults))
}

/// A delta without what it adds and the zone has already: NSD sends the apex that way. What it removes must
/// be there all the same.
fn without_known(zone: &Zone, delta: &Delta) -> Delta {
    let key = |record: RecordRef<'_>| (record.rtype, record.ttl, record.rdata.to_vec());
    let goes: BTreeSet<_> =
        delta.removed.iter().map(|record| (&record.owner, key(record.as_ref()))).collect();
    let mut known: BTreeMap<&Name, BTreeSet<_>> = BTreeMap::new();
    let mut added = Vec::with_capacity(delta.added.len());
    for record in &delta.added {
        let here = known.entry(&record.owner).or_insert_with(|| {
            let node = zone.node(record.owner.as_ref());
            node.iter().flat_map(|node| node.records()).map(key).collect()
        });
        let own = key(record.as_ref());
        if !here.contains(&own) || goes.contains(&(&record.owner, own)) {
            added.push(record.clone());
        }
    }
    Delta { removed: delta.removed.clone(), added }
}

/// How the version that was transferred differs from the live one. One whose serial is not ahead leads
/// nowhere that a secondary of ours could follow.
fn next(live: Option<&Zone>, zone: Zone) -> Result<Next, PublishError> {
    let Some(live) = live.filter(|live| is_ahead(zone.serial(), live.serial())) else {
        return Ok(Next::Whole(zone));
    };
    let Difference::Small(delta) = Difference::between(live, &zone) else {
        return Ok(Next::Whole(zone));
    };
    let content = without_soa(delta);
    // A small difference shares all else with what is live.
    let count = content.removed.len() + content.added.len();
    let small = count * 4 < live.record_count() && !soa_differs(live, &zone);
    let zone = if small { with_serial(&live.apply(&content)?, zone.serial())? } else { zone };
    Ok(Next::Edited { zone, content })
}

/// Faults as findings: errors are those that no zone can be served with, and those that the settings raise.
fn judged(source: &ZoneSource, faults: &[ZoneFault]) -> Vec<Finding> {
    let level = Level { strict: false, errors: source.errors.clone() };
    let finding = |fault: &ZoneFault| {
        let finding = fault.finding(&level, None);
        let is_raised = level.errors.iter().any(|id| id == fault.rule.id());
        if is_raised || fault.rule.binds_transfers() {
            return finding;
        }
        Finding { severity: Severity::Warning, ..finding }
    };
    // Nobody caches a catalog: its members usually have no TTL (RFC 9432 §4).
    let counts = |fault: &&ZoneFault| !(source.consume && fault.rule.id() == "ttl-zero");
    faults.iter().filter(counts).map(finding).collect()
}
