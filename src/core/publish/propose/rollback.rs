//! Rollback: publishes an earlier version again.

use std::collections::BTreeSet;

use super::decide::soa_differs;
use super::edit_check;
use super::history::{Past, past};
use crate::publish::door::{self, FileFate, Held, Next, Proposal, soa_record};
use crate::publish::state::{Cause, Change, PublishError, Publisher, ZoneState};
use crate::wire::{Name, Record, Rtype};
use crate::zone::{ApplyError, Delta, Zone};

impl Publisher {
    /// Publishes what the file said at an earlier version, as a new change under a higher serial.
    /// What requests put up stays: it goes back by request. The file on disk is then not loaded
    /// again until its bytes change or somebody forces it. A version that is no other than the live
    /// one makes no change.
    pub fn rollback(&self, zone: &Name, serial: u32, who: &str) -> Result<Change, PublishError> {
        self.rollback_of(zone, None, serial, who)
    }

    /// The same for somebody who saw what it would change in `live`: it is refused if that is not live any
    /// more.
    pub fn rollback_of(
        &self,
        zone: &Name,
        live: Option<u32>,
        serial: u32,
        who: &str,
    ) -> Result<Change, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        if live.is_some_and(|live| held.state.serial() != Some(live)) {
            return Err(PublishError::Moved(zone.clone()));
        }
        let proposal = self.to_version(&held, serial, who)?;
        Ok(door::publish_one(&self.0, &mut held, proposal)?.change)
    }

    /// What [`Publisher::rollback`] would change, without doing it.
    pub fn preview_rollback(&self, zone: &Name, serial: u32) -> Result<Change, PublishError> {
        let slot = self.0.slot(zone)?;
        let held = Held::new(&slot);
        let proposal = self.to_version(&held, serial, "preview")?;
        Ok(door::number(&self.0, &held.state, &proposal)?.change)
    }

    /// The proposal of a rollback.
    fn to_version(
        &self,
        held: &Held<'_>,
        serial: u32,
        who: &str,
    ) -> Result<Proposal, PublishError> {
        let zone = &held.slot.apex;
        held.state.source.must_be_edited_here()?;
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        if live.is_signed() {
            return Err(PublishError::Presigned(zone.clone()));
        }
        let past = past(&self.0, zone, serial, held.state.seq)?;
        let (next, content) = earlier(&held.state, &live, past)?
            .ok_or_else(|| PublishError::NoEffect(zone.clone()))?;
        let changed = content.removed.iter().chain(&content.added);
        let touched: BTreeSet<&Name> = changed.map(|record| &record.owner).collect();
        let findings = edit_check::check_effect(&held.state.source, &live, &next, &touched);
        let (cause, at_ms) = (Cause::Rollback { to_serial: serial }, (self.0.options.now_ms)());
        let next = Next::Edited { zone: next, content };
        Ok(Proposal {
            file: FileFate::Held,
            findings,
            ..Proposal::new(Some(live), next, cause, who, at_ms)
        })
    }
}

/// The earlier version with what requests put up since, and how it differs from the live one; none
/// if it does not.
fn earlier(
    state: &ZoneState,
    live: &Zone,
    past: Past,
) -> Result<Option<(Zone, Delta)>, ApplyError> {
    let promoted = promoted_since(&past);
    let stays = |record: &Record| {
        let key = (record.owner.clone(), record.rtype);
        promoted.contains(&key) || state.overlay.get(&key.0, key.1).is_some()
    };
    let mut content = past.backwards;
    let is_soa = |record: &&Record| record.rtype == Rtype::SOA;
    let soa: Option<Record> = content.added.iter().find(is_soa).cloned();
    let made = state.signing.as_ref().map(|signing| signing.makes(live.apex()));
    let is_ours = |record: &Record| {
        [Rtype::SOA, Rtype::ZONEMD].contains(&record.rtype)
            || made.as_ref().is_some_and(|makes| makes(record))
    };
    for records in [&mut content.removed, &mut content.added] {
        records.retain(|record| !is_ours(record) && !stays(record));
    }
    let is_same = content.is_empty();
    content.removed.extend(live.zonemd());
    let mut next = live.apply(&content)?;
    if let Some(soa) = soa {
        let own = soa_record(&next, next.serial());
        next = next.apply(&Delta { removed: own.into_iter().collect(), added: vec![soa] })?;
    }
    Ok((!is_same || soa_differs(live, &next)).then_some((next, content)))
}

/// The RRsets that requests, or gapura for itself, changed since.
fn promoted_since(past: &Past) -> BTreeSet<(Name, Rtype)> {
    past.changes
        .iter()
        .filter(|(cause, _)| cause.meaning().is_beside_file)
        .flat_map(|(_, delta)| delta.removed.iter().chain(&delta.added))
        .map(|record| (record.owner.clone(), record.rtype))
        .collect()
}
