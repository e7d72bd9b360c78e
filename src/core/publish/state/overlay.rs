//! What requests and updates published in a zone, kept beside the operator's file: promoted RRsets and
//! masks.
//!
//! `propose::merge` merges them with a file.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::promoted::PromotedRow;
use crate::store::records::StoredRrset;
use crate::wire::{Class, Name, Record, Rtype};
use crate::zone::{RrsetRef, Zone};

/// RDATA of the TXT record at a name for which a wildcard must not answer.
pub(crate) const GUARD_RDATA: &[u8] = b"\x24gapura: this name has been taken out";

//------------ Overlay -------------------------------------------------------

/// The promoted RRsets and masks of one zone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overlay(BTreeMap<(Name, Rtype), PromotedRow>);

/// A row to write or to take away, together with the change it belongs to.
#[derive(Clone, Debug)]
pub(crate) enum RowEdit {
    /// Writes the row.
    Put(PromotedRow),
    /// Takes the row of this owner and type away.
    Delete(Name, Rtype),
}

impl Overlay {
    /// The overlay of stored rows.
    pub(crate) fn new(rows: Vec<PromotedRow>) -> Self {
        Self(rows.into_iter().map(|row| ((row.owner.clone(), row.rtype), row)).collect())
    }

    /// All entries in canonical order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &PromotedRow> {
        self.0.values()
    }

    /// Entries that can be seen in the zone: those that only keep a name out of it, which the file does not have
    /// either, are no part of it.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &PromotedRow> {
        self.rows().filter(|row| !row.rrset.rdatas.is_empty() || row.base.is_some())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of an owner and type.
    pub(crate) fn get(&self, owner: &Name, rtype: Rtype) -> Option<&PromotedRow> {
        // The key owns its name; entries are few and this is no path of queries.
        self.0.get(&(owner.clone(), rtype))
    }

    /// Carries out what was committed.
    pub(crate) fn carry_out(&mut self, edits: &[RowEdit]) {
        for edit in edits {
            match edit {
                RowEdit::Put(row) => {
                    self.0.insert((row.owner.clone(), row.rtype), row.clone());
                }
                RowEdit::Delete(owner, rtype) => {
                    self.0.remove(&(owner.clone(), *rtype));
                }
            }
        }
    }

    /// What takes `edits` back again.
    pub(crate) fn inverse(&self, edits: &[RowEdit]) -> Vec<RowEdit> {
        let undo = |owner: &Name, rtype: Rtype| match self.get(owner, rtype) {
            Some(row) => RowEdit::Put(row.clone()),
            None => RowEdit::Delete(owner.clone(), rtype),
        };
        let inverse = edits.iter().map(|edit| match edit {
            RowEdit::Put(row) => undo(&row.owner, row.rtype),
            RowEdit::Delete(owner, rtype) => undo(owner, *rtype),
        });
        inverse.collect()
    }

    /// Promoted records that the file does not have.
    pub(crate) fn absent_from_file(&self) -> impl Iterator<Item = &PromotedRow> {
        self.rows().filter(|row| row.base.is_none() && !row.rrset.rdatas.is_empty())
    }

    /// RRsets of the file that are not served as the file has them.
    pub(crate) fn masks(&self) -> impl Iterator<Item = &PromotedRow> {
        self.rows()
            .filter(|row| row.base.as_ref().is_some_and(|base| !same_records(base, &row.rrset)))
    }

    /// What the file has at an owner and type, derived from what is served.
    pub(crate) fn in_file(&self, live: &Zone, owner: &Name, rtype: Rtype) -> Option<StoredRrset> {
        match self.get(owner, rtype) {
            Some(row) => row.base.clone(),
            None => live.rrset(owner.as_ref(), rtype).filter(|set| !is_guard(*set)).map(stored),
        }
    }

    /// The entries of a name.
    pub(crate) fn at(&self, name: &Name) -> impl Iterator<Item = &PromotedRow> {
        let all = (name.clone(), Rtype(0))..=(name.clone(), Rtype(u16::MAX));
        self.0.range(all).map(|(_, row)| row)
    }

    /// Whether something was taken out at a name, so that no wildcard may answer for it.
    pub(crate) fn takes_out_at(&self, name: &Name) -> bool {
        self.at(name).any(takes_out)
    }

    /// Names at which something was taken out, so that no wildcard may answer for them.
    pub(crate) fn taken_out(&self) -> impl Iterator<Item = &Name> {
        self.rows().filter(|row| takes_out(row)).map(|row| &row.owner)
    }

    /// The entry that keeps an update from changing an owner and type: what a request put up there, or
    /// gapura for itself, and anything at a name that a request took out.
    pub(crate) fn held(&self, owner: &Name, rtype: Rtype) -> Option<&PromotedRow> {
        self.at(owner).find(|row| {
            row.origin.key().is_none() && (row.rtype == rtype || row.rrset.rdatas.is_empty())
        })
    }
}

/// Whether an entry takes something out for good. An update that deletes does not: it may add again.
fn takes_out(row: &PromotedRow) -> bool {
    row.rrset.rdatas.is_empty() && row.origin.key().is_none()
}

/// Whether an entry has no effect, nor can get one: it takes out what the file does not have either, for an update,
/// or at a name that has other data. A name that officers took out as a whole stays out: a wildcard may come.
pub(crate) fn is_idle(row: &PromotedRow, zone: &Zone) -> bool {
    let is_out = || {
        let node = zone.node(row.owner.as_ref());
        node.is_none_or(|node| node.rrsets().all(is_guard))
    };
    row.rrset.rdatas.is_empty() && row.base.is_none() && (row.origin.key().is_some() || !is_out())
}

//------------ Guards under wildcards ----------------------------------------

/// Whether an RRset is a guard: the TXT record in place of a name that was taken out, which keeps a
/// wildcard from answering for it. The one definition.
pub fn is_guard(set: RrsetRef<'_>) -> bool {
    set.rtype() == Rtype::TXT && set.count() == 1 && set.first() == GUARD_RDATA
}

/// Whether all that a zone has at a name is a guard.
pub fn is_only_guard(zone: &Zone, owner: &Name) -> bool {
    let Some(node) = zone.node(owner.as_ref()) else { return false };
    let mut sets = node.rrsets();
    sets.next().is_some_and(is_guard) && sets.next().is_none()
}

//------------ RRsets --------------------------------------------------------

/// An RRset as a value of its own.
pub(crate) fn stored(set: RrsetRef<'_>) -> StoredRrset {
    StoredRrset { ttl: set.ttl(), rdatas: set.rdatas().map(Into::into).collect() }
}

/// Whether two RRsets have the same records; their order and TTL are no difference.
pub(crate) fn same_records(a: &StoredRrset, b: &StoredRrset) -> bool {
    let set = |rrset: &StoredRrset| rrset.rdatas.iter().cloned().collect::<BTreeSet<_>>();
    a.rdatas.len() == b.rdatas.len() && set(a) == set(b)
}

/// The records of an RRset.
pub(crate) fn records(owner: &Name, set: RrsetRef<'_>) -> Vec<Record> {
    set.records(owner.as_ref()).map(|record| record.to_record()).collect()
}

/// The records an entry wants served.
pub(crate) fn records_of(row: &PromotedRow) -> impl Iterator<Item = Record> + '_ {
    row.rrset.rdatas.iter().map(|rdata| Record {
        owner: row.owner.clone(),
        rtype: row.rtype,
        class: Class::IN,
        ttl: row.rrset.ttl,
        rdata: rdata.clone(),
    })
}
