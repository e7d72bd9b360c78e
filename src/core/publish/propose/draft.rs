//! An edit as a candidate: what it changes in the zone as served, and its findings.
//!
//! Only the names of the edit are touched, and only what they can affect is checked, so the cost does not
//! depend on the size of the zone.

use std::collections::BTreeSet;

use super::edit_check;
use super::merge::guard_delta;
use super::net::Net;
use crate::master::Finding;
use crate::publish::state::{
    Edit, Overlay, PublishError, RowEdit, RrsetEdit, ZoneSource, left_out_zonemd, overlay, warning,
};
use crate::store::promoted::{Origin, PromotedRow};
use crate::store::records::StoredRrset;
use crate::wire::{Name, Rtype};
use crate::zone::{Delta, Zone};

//------------ Draft ---------------------------------------------------------

/// What an edit comes to, before it has a serial.
pub(crate) struct Draft {
    /// Records removed and added, without the SOA record.
    pub(crate) delta: Delta,
    /// The rows of the overlay that go with it.
    pub(crate) rows: Vec<RowEdit>,
    /// The zone after it, still with the old serial; `None` if the delta does not even apply.
    pub(crate) after: Option<Zone>,
    /// Errors and warnings that the edit brings.
    pub(crate) findings: Vec<Finding>,
}

/// What a draft is made from.
pub(crate) struct Ground<'a> {
    /// The zone as served.
    pub(crate) live: &'a Zone,
    /// What requests put up so far.
    pub(crate) overlay: &'a Overlay,
    /// How strictly the zone is checked.
    pub(crate) source: &'a ZoneSource,
    /// The time of the change.
    pub(crate) now_ms: i64,
}

impl Ground<'_> {
    /// Makes the draft of an edit; `origin` is whose its RRsets become.
    pub(crate) fn draft(&self, edit: &Edit, origin: &Origin) -> Result<Draft, PublishError> {
        let apex = self.live.apex().to_name();
        if self.live.is_signed() {
            return Err(PublishError::Presigned(apex));
        }
        let mut findings = edit_check::check_form(edit, self.live.apex());
        let mut draft =
            Draft { delta: Delta::default(), rows: Vec::new(), after: None, findings: Vec::new() };
        if findings.is_empty() {
            for set in &edit.set {
                self.add_rrset(set, origin, &mut draft);
            }
            let after = self.applied(edit, origin, &mut draft)?;
            self.drop_idle_rows(edit, &after, &mut draft);
            let touched: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
            findings = edit_check::check_effect(self.source, self.live, &after, &touched);
            findings.extend(edit_check::check_occluded(&after, &touched));
            findings.extend(self.taken_from_updates(origin, edit));
            let leaves_out = !self.source.makes_zonemd(&after) && !self.live.zonemd().is_empty();
            if !draft.delta.is_empty() && leaves_out {
                findings.push(left_out_zonemd());
            }
            draft.after = Some(after);
        }
        draft.findings = findings;
        Ok(draft)
    }

    /// Puts one RRset in the place of what is served.
    fn add_rrset(&self, set: &RrsetEdit, origin: &Origin, draft: &mut Draft) {
        let wanted = StoredRrset { ttl: set.ttl, rdatas: set.rdatas.clone() };
        let served = self.live.rrset(set.owner.as_ref(), set.rtype);
        let base = self.overlay.in_file(self.live, &set.owner, set.rtype);
        let known = self.overlay.get(&set.owner, set.rtype);
        // An act of an officer changes what a request put up; it stays that request's. What an update put up does
        // not stay the update's: a key does not undo what an officer did.
        let origin = match (origin, known) {
            (Origin::Unnamed, Some(known)) if known.origin.key().is_none() => &known.origin,
            _ => origin,
        };
        let row = PromotedRow {
            owner: set.owner.clone(),
            rtype: set.rtype,
            rrset: wanted.clone(),
            base,
            origin: origin.clone(),
            since_ms: self.now_ms,
        };
        // Where a wildcard would answer, a name that is not there is guarded, and the row keeps that.
        let covered = || self.live.lookup(set.owner.as_ref()).wildcard().is_some();
        let as_before = known.map_or_else(
            || {
                let guards = origin.key().is_none() && covered();
                wanted.rdatas.is_empty() && served.is_none() && !guards
            },
            |known| {
                // What a request asks for is the request's from then on.
                let is_taken = known.origin.key().is_some() && origin.key().is_none();
                known.rrset == wanted && known.base == row.base && !is_taken
            },
        );
        if as_before {
            return;
        }
        let current = served.map(overlay::stored);
        let same = current.as_ref().is_some_and(|current| {
            current.ttl == wanted.ttl && overlay::same_records(current, &wanted)
        });
        if !same {
            let removed = served.into_iter().flat_map(|found| overlay::records(&set.owner, found));
            draft.delta.removed.extend(removed);
            draft.delta.added.extend(overlay::records_of(&row));
        }
        // What an update leaves as the file has it is the file's.
        let is_over = origin.key().is_some()
            && row.base.as_ref().is_some_and(|base| {
                base.ttl == row.rrset.ttl && overlay::same_records(base, &row.rrset)
            });
        match (is_over, known) {
            (false, _) => draft.rows.push(RowEdit::Put(row)),
            (true, Some(_)) => draft.rows.push(RowEdit::Delete(row.owner, row.rtype)),
            (true, None) => {}
        }
    }

    /// What the people who approve an edit must know: that an update put up what it changes.
    fn taken_from_updates(&self, origin: &Origin, edit: &Edit) -> Vec<Finding> {
        if origin.key().is_some() {
            return Vec::new();
        }
        let taken = edit.set.iter().filter_map(|RrsetEdit { owner, rtype, .. }| {
            let key = self.overlay.get(owner, *rtype)?.origin.key()?;
            let message = format!("{owner} {rtype} was added by an update with the key {key}");
            Some(warning("held-by-update", message))
        });
        taken.collect()
    }

    /// The zone after the edit: its records, the guards under wildcards, no outdated ZONEMD.
    fn applied(
        &self,
        edit: &Edit,
        origin: &Origin,
        draft: &mut Draft,
    ) -> Result<Zone, PublishError> {
        // One of ours is renewed by the door, and is no part of what an approval is given for.
        if !draft.delta.is_empty() && !self.source.makes_zonemd(self.live) {
            draft.delta.removed.extend(self.live.zonemd());
        }
        let after = self.live.apply(&draft.delta)?;
        let mut names: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
        // What an update deletes is deleted, and then a wildcard answers for the name (RFC 2136).
        let goes = |set: &&RrsetEdit| set.rdatas.is_empty() && origin.key().is_none();
        let now_out: BTreeSet<&Name> = edit.set.iter().filter(goes).map(|set| &set.owner).collect();
        if names.iter().any(|name| name.as_ref().is_wildcard()) {
            names.extend(self.overlay.taken_out());
        }
        names.retain(|name| {
            now_out.contains(name)
                || self.overlay.takes_out_at(name)
                || after.rrset(name.as_ref(), Rtype::TXT).is_some_and(overlay::is_guard)
        });
        let guards = guard_delta(&after, names.into_iter());
        if guards.is_empty() {
            return Ok(after);
        }
        let guarded = after.apply(&guards)?;
        draft.delta = Net::of(&draft.delta, &guards);
        Ok(guarded)
    }

    /// Drops rows without effect, of the edit and of those there are at its names.
    fn drop_idle_rows(&self, edit: &Edit, after: &Zone, draft: &mut Draft) {
        let names: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
        let before = names.iter().flat_map(|name| self.overlay.at(name));
        let is_put = |row: &PromotedRow| {
            edit.set.iter().any(|set| set.owner == row.owner && set.rtype == row.rtype)
        };
        let idle = before.filter(|row| !is_put(row) && overlay::is_idle(row, after));
        draft.rows.extend(idle.map(|row| RowEdit::Delete(row.owner.clone(), row.rtype)));
        for edit in &mut draft.rows {
            let RowEdit::Put(row) = edit else { continue };
            if overlay::is_idle(row, after) {
                *edit = RowEdit::Delete(row.owner.clone(), row.rtype);
            }
        }
    }
}
