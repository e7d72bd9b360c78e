//! Merges a zone file with what requests and updates published, RRset by RRset.
//!
//! Each entry of the overlay says what is to be served (`rrset`, empty: nothing) and what the file had
//! there when it was last merged (`base`):
//!
//! ```text
//! entry wants     file has            result
//! records         nothing             served; "absent from the file"
//! records         the same records    agreed; the entry records who requested them
//! records         what base says      masked: the entry is served, the file's RRset is not
//! records         anything else       clash: refused, naming the request
//! nothing         nothing             over if something else is at the name, or it is an update's; else kept
//! nothing         what base says      masked: nothing is served
//! nothing         anything else       clash; but over if base was nothing: the file wins
//! ```
//!
//! A name that a request took out and that a wildcard covers gets a TXT record, so that the wildcard does not
//! answer for it. What an update deletes is deleted, and the wildcard then answers.

use std::collections::BTreeSet;

use crate::master::{Finding, Severity};
use crate::publish::state::overlay::{
    GUARD_RDATA, is_guard, is_idle, records, records_of, same_records, stored,
};
use crate::publish::state::{Overlay, RowEdit};
use crate::store::promoted::{Origin, PromotedRow};
use crate::store::records::StoredRrset;
use crate::wire::{Class, Name, Record, Rtype};
use crate::zone::{ApplyError, Delta, Zone};

//------------ Merge ---------------------------------------------------------

/// A file and the overlay as one zone.
pub(crate) struct Merged {
    /// The zone, with the serial of the file.
    pub(crate) zone: Zone,
    /// Entries that changed by it.
    pub(crate) edits: Vec<RowEdit>,
    /// Clashes, each naming its request.
    pub(crate) clashes: Vec<Finding>,
}

/// Merges the overlay into a zone as its file has it.
pub(crate) fn merge(overlay: &Overlay, file: &Zone) -> Result<Merged, ApplyError> {
    let mut delta = Delta::default();
    let (mut edits, mut clashes) = (Vec::new(), Vec::new());
    for row in overlay.rows() {
        let found = file.rrset(row.owner.as_ref(), row.rtype);
        let in_file = found.map(stored);
        let wants = !row.rrset.rdatas.is_empty();
        let same_as = |other: Option<&StoredRrset>| match (&in_file, other) {
            (Some(a), Some(b)) => same_records(a, b),
            (None, None) => true,
            _ => false,
        };
        let agreed = wants && same_as(Some(&row.rrset));
        let replace = match &in_file {
            None => true,
            Some(_) if agreed => false,
            Some(_) if same_as(row.base.as_ref()) => true,
            Some(_) if !wants && row.base.is_none() => {
                edits.push(RowEdit::Delete(row.owner.clone(), row.rtype));
                continue;
            }
            Some(_) => {
                clashes.push(clash(row));
                continue;
            }
        };
        if row.base != in_file {
            edits.push(RowEdit::Put(PromotedRow { base: in_file, ..row.clone() }));
        }
        if replace {
            delta.removed.extend(found.into_iter().flat_map(|set| records(&row.owner, set)));
            delta.added.extend(records_of(row));
        }
    }
    let mut zone = if delta.is_empty() { file.clone() } else { file.apply(&delta)? };
    zone = with_guards(&zone, overlay.taken_out())?;
    clashes.extend(hidden(overlay, &zone));
    drop_idle(overlay, &zone, &mut edits);
    Ok(Merged { zone, edits, clashes })
}

/// Promoted records that the file puts out of sight or makes impossible.
fn hidden(overlay: &Overlay, merged: &Zone) -> Vec<Finding> {
    let mut found = Vec::new();
    for row in overlay.rows().filter(|row| !row.rrset.rdatas.is_empty()) {
        let Some(node) = merged.node(row.owner.as_ref()) else { continue };
        let cut = merged.lookup(row.owner.as_ref()).cut().map(|cut| cut.owner().to_name());
        // Glue and the delegation it belongs to may come by one request.
        let glue = matches!(row.rtype, Rtype::A | Rtype::AAAA)
            && cut
                .as_ref()
                .and_then(|cut| merged.rrset(cut.as_ref(), Rtype::NS))
                .is_some_and(|set| set.targets().any(|target| target == row.owner.as_ref()));
        let others = node.rrsets().any(|set| set.rtype() != row.rtype);
        let cname_beside = match row.rtype {
            Rtype::CNAME => others,
            _ => node.rrset(Rtype::CNAME).is_some(),
        };
        // A cut that was promoted or updated is no matter of the file, which must go on being accepted.
        let is_own_cut = cut.as_ref().is_some_and(|cut| {
            overlay.get(cut, Rtype::NS).is_some_and(|row| !row.rrset.rdatas.is_empty())
        });
        let why = if node.is_below_cut() && !glue && !is_own_cut {
            "is below a zone cut that the file makes"
        } else if node.is_below_dname() {
            "is below a DNAME of the file"
        } else if cname_beside {
            "and the file have a CNAME and other data at one name"
        } else {
            continue;
        };
        found.push(finding(row, format!("{} {} {why}", row.owner, row.rtype)));
    }
    found
}

/// Drops entries that have no effect any more.
fn drop_idle(overlay: &Overlay, merged: &Zone, edits: &mut Vec<RowEdit>) {
    let mut now = overlay.clone();
    now.carry_out(edits);
    let idle = now.rows().filter(|row| is_idle(row, merged));
    let dropped: Vec<_> = idle.map(|row| (row.owner.clone(), row.rtype)).collect();
    edits.retain(|edit| match edit {
        RowEdit::Put(row) => {
            !dropped.iter().any(|(owner, rtype)| *owner == row.owner && *rtype == row.rtype)
        }
        RowEdit::Delete(..) => true,
    });
    edits.extend(dropped.into_iter().map(|(owner, rtype)| RowEdit::Delete(owner, rtype)));
}

/// The file changed an RRset that an entry masks or replaces.
fn clash(row: &PromotedRow) -> Finding {
    let what = match (row.rrset.rdatas.is_empty(), &row.origin) {
        (true, _) => "was taken out by",
        (false, Origin::Update(_)) => "was added by",
        (false, _) => "was promoted by",
    };
    let message = format!("{} {} {what} it, and the file now has other data", row.owner, row.rtype);
    finding(row, message)
}

/// A clash as a finding that names the request or the key.
fn finding(row: &PromotedRow, message: String) -> Finding {
    let hint = match row.origin {
        Origin::Update(_) => {
            "take the RRset out of the file, or let the file win (`gapura zone adopt ORIGIN NAME`)"
        }
        Origin::Request(_) | Origin::Unnamed => {
            "take the RRset out of the file, let the request be changed or removed first, or let an officer accept what the file says (`gapura request adopt NAME --reason …`)"
        }
    };
    Finding {
        rule: "promoted-clash",
        severity: Severity::Error,
        place: None,
        message: format!("{}: {message}", row.origin),
        hint: Some(hint.to_owned()),
    }
}

//------------ Guards under wildcards -----------------------------------------

/// The zone with the TXT record that belongs to each of `names`, and without it where it no longer does.
pub(crate) fn with_guards<'a>(
    zone: &Zone,
    names: impl Iterator<Item = &'a Name>,
) -> Result<Zone, ApplyError> {
    let delta = guard_delta(zone, names);
    if delta.is_empty() { Ok(zone.clone()) } else { zone.apply(&delta) }
}

/// What guards come and go at `names`.
pub(crate) fn guard_delta<'a>(zone: &Zone, names: impl Iterator<Item = &'a Name>) -> Delta {
    let mut delta = Delta::default();
    for name in names.collect::<BTreeSet<_>>() {
        let found = zone.lookup(name.as_ref());
        let Some(node) = found.exact() else {
            if found.wildcard().is_some() && found.cut().is_none() && found.dname().is_none() {
                delta.added.push(guard(name, zone.soa().minimum));
            }
            continue;
        };
        let Some(set) = node.rrset(Rtype::TXT).filter(|set| is_guard(*set)) else { continue };
        let alone = node.rrsets().count() == 1;
        let gone = Delta { removed: records(name, set), added: Vec::new() };
        let needed = alone
            && zone.apply(&gone).is_ok_and(|bare| bare.lookup(name.as_ref()).wildcard().is_some());
        if !needed {
            delta.removed.extend(gone.removed);
        }
    }
    delta
}

/// The TXT record that keeps a wildcard from answering for a name.
fn guard(owner: &Name, ttl: u32) -> Record {
    Record {
        owner: owner.clone(),
        rtype: Rtype::TXT,
        class: Class::IN,
        ttl,
        rdata: GUARD_RDATA.into(),
    }
}
