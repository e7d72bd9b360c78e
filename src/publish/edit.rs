//! Edits on their way through the door: looked at before, made live, taken back.

use std::collections::BTreeMap;

use super::commit::Step;
use super::draft::{Candidate, Draft, Ground};
use super::publisher::{Inner, ZoneState, lock};
use super::{Cause, Change, Edit, PublishError, Publisher, RrsetEdit};
use crate::store::{StoreError, Tx};
use crate::wire::{Name, Record, Rtype};
use crate::zone::{Delta, Zone};

impl Publisher {
    /// What an edit would do, without doing it.
    pub fn preview(&self, zone: &Name, edit: &Edit) -> Result<Candidate, PublishError> {
        let slot = self.0.slot(zone)?;
        let state = lock(&slot.state);
        let live = state.zone.as_ref().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let draft = self.0.draft(&state, live, edit, None)?;
        Ok(Candidate::new(live, edit, draft))
    }

    /// Makes an edit live under a new serial. `rows` writes the caller's rows in the same
    /// transaction as the journal entry. When this returns `Ok` the change is durable and served.
    ///
    /// If the records are served already, `rows` and who asked for them are still written, but no
    /// serial is used: the change then has the same serial before and after and no delta.
    pub fn publish(
        &self,
        zone: &Name,
        edit: Edit,
        cause: Cause,
        who: &str,
        rows: impl FnOnce(&Tx<'_>, &Change) -> Result<(), StoreError>,
    ) -> Result<Change, PublishError> {
        let slot = self.0.slot(zone)?;
        let mut state = lock(&slot.state);
        self.0.must_be_ours(&state)?;
        let live = state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let draft = self.0.draft(&state, &live, &edit, cause.request())?;
        let errors = draft.errors();
        if !errors.is_empty() {
            return Err(PublishError::Refused { zone: zone.clone(), findings: errors });
        }
        let step = self.0.step(&state, &live, draft, cause, who)?;
        self.0.commit_and_confirm(&slot, &mut state, step, rows)
    }

    /// Takes a change back: the content before it under a higher serial. For a change that is no
    /// longer the newest of its zone, only what it did is undone.
    pub fn revert(
        &self,
        change: &Change,
        reason: &str,
        who: &str,
        rows: impl FnOnce(&Tx<'_>, &Change) -> Result<(), StoreError>,
    ) -> Result<Change, PublishError> {
        let slot = self.0.slot(&change.zone)?;
        let mut state = lock(&slot.state);
        self.0.must_be_ours(&state)?;
        let live =
            state.zone.clone().ok_or_else(|| PublishError::NotLoaded(change.zone.clone()))?;
        let cause = Cause::Unconfirmed { serial: change.to, reason: reason.to_owned() };
        let edit = inverse_edit(&live, change);
        let draft = self.0.draft(&state, &live, &edit, None)?;
        let step = self.0.step(&state, &live, draft, cause, who)?;
        self.0.commit(&slot, &mut state, step, rows)
    }
}

/// What puts the RRsets that a change touched back to what they were before it.
fn inverse_edit(live: &Zone, change: &Change) -> Edit {
    let mut sets = BTreeMap::<(Name, Rtype), (u32, Vec<Box<[u8]>>)>::new();
    // The serial is never taken back, and a ZONEMD would not hold any more.
    let is_content = |record: &&Record| ![Rtype::SOA, Rtype::ZONEMD].contains(&record.rtype);
    let touched = change.delta.removed.iter().chain(&change.delta.added);
    for record in touched.filter(is_content) {
        let key = (record.owner.clone(), record.rtype);
        sets.entry(key).or_insert_with(|| {
            let set = live.rrset(record.owner.as_ref(), record.rtype);
            let ttl = set.map_or(record.ttl, |set| set.ttl());
            let rdatas = set.into_iter().flat_map(|set| set.rdatas()).map(Into::into);
            (ttl, rdatas.collect())
        });
    }
    for record in &change.delta.added {
        if let Some((_, rdatas)) = sets.get_mut(&(record.owner.clone(), record.rtype)) {
            rdatas.retain(|rdata| *rdata != record.rdata);
        }
    }
    for record in &change.delta.removed {
        if let Some((ttl, rdatas)) = sets.get_mut(&(record.owner.clone(), record.rtype)) {
            *ttl = record.ttl;
            if !rdatas.contains(&record.rdata) {
                rdatas.push(record.rdata.clone());
            }
        }
    }
    let set = sets.into_iter().map(|((owner, rtype), (ttl, rdatas))| RrsetEdit {
        owner,
        rtype,
        ttl,
        rdatas,
    });
    Edit { set: set.collect() }
}

//------------ Drafts and steps ----------------------------------------------

impl Inner {
    /// The draft of an edit on what is served.
    fn draft(
        &self,
        state: &ZoneState,
        live: &Zone,
        edit: &Edit,
        request: Option<&str>,
    ) -> Result<Draft, PublishError> {
        let ground = Ground {
            live,
            overlay: &state.overlay,
            source: &state.source,
            now_ms: (self.options.now_ms)(),
        };
        ground.draft(edit, request)
    }

    /// A draft as a step with a serial; without one if nothing that is served changes.
    fn step(
        &self,
        state: &ZoneState,
        live: &Zone,
        draft: Draft,
        cause: Cause,
        who: &str,
    ) -> Result<Step, PublishError> {
        let at_ms = (self.options.now_ms)();
        let zone = state.source.apex.clone();
        let row = state.row.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let after = draft.after.unwrap_or_else(|| live.clone());
        let mut step = Step {
            change: Change {
                zone,
                from: Some(live.serial()),
                to: live.serial(),
                delta: Delta::default(),
                cause,
                who: who.to_owned(),
                at_ms,
            },
            next: after,
            rows: draft.rows,
            row,
            holds: None,
        };
        if !draft.delta.is_empty() {
            step.renumber(live, draft.delta, state.source.serial)?;
        }
        Ok(step)
    }
}
