//! Lets the operator's file override what updates added at a name.
//!
//! What a request published is released by an officer instead, see `desk`.

use std::collections::BTreeSet;

use super::edit_check;
use super::net::Net;
use crate::publish::door::{self, Held, Next, Proposal};
use crate::publish::state::overlay::{records, records_of};
use crate::publish::state::{Cause, Change, PublishError, Publisher, RowEdit};
use crate::publish::state::{RrsetEdit, ZoneState};
use crate::store::promoted::PromotedRow;
use crate::store::records::StoredRrset;
use crate::wire::{Name, Rtype};
use crate::zone::{Delta, Zone};

impl Publisher {
    /// Takes what updates put up at a name out, all of it or one type, and serves what the file says there:
    /// as it is on disk, or as it was accepted last if it cannot be read. Nothing to take out is no effect.
    pub fn adopt(
        &self,
        zone: &Name,
        (owner, rtype): (&Name, Option<Rtype>),
        who: &str,
    ) -> Result<Change, PublishError> {
        let in_file = self.in_file(zone, owner).ok();
        let slot = self.0.slot(zone)?;
        let mut held = Held::new(&slot);
        let live = held.state.zone.clone().ok_or_else(|| PublishError::NotLoaded(zone.clone()))?;
        let rows = of_updates(&held.state, owner, rtype);
        if rows.is_empty() {
            return Err(PublishError::NoEffect(zone.clone()));
        }
        // What the file has as it is served already is no change.
        let mut net = Net::default();
        rows.iter().for_each(|row| net.add(&to_file(&live, row, in_file.as_deref())));
        let delta = net.into_delta();
        let after = live.apply(&delta)?;
        let touched = BTreeSet::from([owner]);
        let findings = edit_check::check_effect(&held.state.source, &live, &after, &touched);
        let is_same = delta.is_empty();
        let next = if is_same { Next::Same } else { Next::Edited { zone: after, content: delta } };
        let (cause, at_ms) =
            (Cause::Own { purpose: "adoption".to_owned() }, (self.0.options.now_ms)());
        let overlay = rows.iter().map(|row| RowEdit::Delete(row.owner.clone(), row.rtype));
        let proposal = Proposal {
            overlay: overlay.collect(),
            findings,
            ..Proposal::new(Some(live), next, cause, who, at_ms)
        };
        Ok(door::publish_one(&self.0, &mut held, proposal)?.change)
    }
}

/// What updates put up at a name.
fn of_updates(state: &ZoneState, owner: &Name, rtype: Option<Rtype>) -> Vec<PromotedRow> {
    let rows = state.overlay.rows().filter(|row| row.owner == *owner && row.origin.key().is_some());
    rows.filter(|row| rtype.is_none_or(|rtype| row.rtype == rtype)).cloned().collect()
}

/// What leads from an entry to what the file has in its place.
fn to_file(live: &Zone, row: &PromotedRow, in_file: Option<&[RrsetEdit]>) -> Delta {
    let base = match in_file {
        Some(sets) => sets
            .iter()
            .find(|set| set.rtype == row.rtype)
            .map(|set| StoredRrset { ttl: set.ttl, rdatas: set.rdatas.clone() }),
        None => row.base.clone(),
    };
    let served = live.rrset(row.owner.as_ref(), row.rtype);
    let removed = served.into_iter().flat_map(|set| records(&row.owner, set)).collect();
    let wanted = base.map(|rrset| PromotedRow { rrset, ..row.clone() });
    Delta { removed, added: wanted.iter().flat_map(records_of).collect() }
}
