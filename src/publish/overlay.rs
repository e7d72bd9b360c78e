//! What requests put up, kept beside the operator's file and merged with it RRset by RRset.
//!
//! Each entry says what is to be served (`rrset`, empty: nothing) and what the file had there when it
//! was last merged (`base`). A new file is merged so:
//!
//! ```text
//! entry wants     file has            result
//! records         nothing             served; "absent from the file"
//! records         the same records    agreed; the entry keeps who asked for them
//! records         what base says      masked: the entry is served, the file's RRset is not
//! records         anything else       clash: refused, naming the request
//! nothing         nothing             over (kept while a wildcard would answer for the name)
//! nothing         what base says      masked: nothing is served
//! nothing         anything else       clash; but over if base was nothing: the file wins
//! ```
//!
//! A name that was taken out and that a wildcard covers gets a TXT record in its place, so that the
//! wildcard does not answer for it.

use std::collections::{BTreeMap, BTreeSet};

use crate::master::{Finding, Severity};
use crate::store::promoted::PromotedRow;
use crate::store::records::StoredRrset;
use crate::wire::{Class, Name, Record, Rtype};
use crate::zone::{ApplyError, Delta, RrsetRef, Zone};

/// RDATA of the TXT record that stands where a wildcard must not answer.
const GUARD_RDATA: &[u8] = b"\x24gapura: this name has been taken out";

//------------ Overlay -------------------------------------------------------

/// The promoted RRsets and masks of one zone.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay(BTreeMap<(Name, Rtype), PromotedRow>);

/// A row to write or to take away, together with the change it belongs to.
#[derive(Clone, Debug)]
pub(super) enum RowEdit {
    /// Writes the row.
    Put(PromotedRow),
    /// Takes the row of this owner and type away.
    Delete(Name, Rtype),
}

impl Overlay {
    /// The overlay of stored rows.
    pub(super) fn new(rows: Vec<PromotedRow>) -> Self {
        Self(rows.into_iter().map(|row| ((row.owner.clone(), row.rtype), row)).collect())
    }

    /// All entries in canonical order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &PromotedRow> {
        self.0.values()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entry of an owner and type.
    pub(super) fn get(&self, owner: &Name, rtype: Rtype) -> Option<&PromotedRow> {
        // The key owns its name; entries are few and this is no path of queries.
        self.0.get(&(owner.clone(), rtype))
    }

    /// Carries out what was committed.
    pub(super) fn carry_out(&mut self, edits: &[RowEdit]) {
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
    pub(super) fn inverse(&self, edits: &[RowEdit]) -> Vec<RowEdit> {
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
    pub(super) fn absent_from_file(&self) -> impl Iterator<Item = &PromotedRow> {
        self.rows().filter(|row| row.base.is_none() && !row.rrset.rdatas.is_empty())
    }

    /// RRsets of the file that are not served as the file has them.
    pub(super) fn masks(&self) -> impl Iterator<Item = &PromotedRow> {
        self.rows()
            .filter(|row| row.base.as_ref().is_some_and(|base| !same_records(base, &row.rrset)))
    }

    /// What the file has at an owner and type, told from what is served.
    pub(super) fn in_file(&self, live: &Zone, owner: &Name, rtype: Rtype) -> Option<StoredRrset> {
        match self.get(owner, rtype) {
            Some(row) => row.base.clone(),
            None => live.rrset(owner.as_ref(), rtype).filter(|set| !is_guard(*set)).map(stored),
        }
    }

    /// Whether something was taken out at a name.
    pub(super) fn takes_out_at(&self, name: &Name) -> bool {
        self.0
            .range((name.clone(), Rtype(0))..=(name.clone(), Rtype(u16::MAX)))
            .any(|(_, row)| row.rrset.rdatas.is_empty())
    }

    /// Names at which something was taken out.
    pub(super) fn taken_out(&self) -> impl Iterator<Item = &Name> {
        self.rows().filter(|row| row.rrset.rdatas.is_empty()).map(|row| &row.owner)
    }
}

//------------ Merge ---------------------------------------------------------

/// A file and the overlay as one zone.
pub(super) struct Merged {
    /// The zone, with the serial of the file.
    pub(super) zone: Zone,
    /// Entries that changed by it.
    pub(super) edits: Vec<RowEdit>,
    /// Clashes, each naming its request.
    pub(super) clashes: Vec<Finding>,
}

impl Overlay {
    /// Merges the overlay into a zone as its file has it.
    pub(super) fn merge(&self, file: &Zone) -> Result<Merged, ApplyError> {
        let mut delta = Delta::default();
        let (mut edits, mut clashes) = (Vec::new(), Vec::new());
        for row in self.rows() {
            let found = file.rrset(row.owner.as_ref(), row.rtype);
            let stands = found.map(stored);
            let wants = !row.rrset.rdatas.is_empty();
            let same_as = |other: Option<&StoredRrset>| match (&stands, other) {
                (Some(a), Some(b)) => same_records(a, b),
                (None, None) => true,
                _ => false,
            };
            let agreed = wants && same_as(Some(&row.rrset));
            let replace = match &stands {
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
            if row.base != stands {
                edits.push(RowEdit::Put(PromotedRow { base: stands, ..row.clone() }));
            }
            if replace {
                delta.removed.extend(found.into_iter().flat_map(|set| records(&row.owner, set)));
                delta.added.extend(records_of(row));
            }
        }
        let mut zone = if delta.is_empty() { file.clone() } else { file.apply(&delta)? };
        zone = with_guards(&zone, self.taken_out())?;
        clashes.extend(self.hidden(&zone));
        self.drop_idle(&zone, &mut edits);
        Ok(Merged { zone, edits, clashes })
    }

    /// Promoted records that the file puts out of sight or makes impossible.
    fn hidden(&self, merged: &Zone) -> Vec<Finding> {
        let mut found = Vec::new();
        for row in self.rows().filter(|row| !row.rrset.rdatas.is_empty()) {
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
            let why = if node.is_below_cut() && !glue {
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

    /// Takes away entries that say nothing any more: taken out here and not in the file either.
    fn drop_idle(&self, merged: &Zone, edits: &mut Vec<RowEdit>) {
        let mut now = self.clone();
        now.carry_out(edits);
        let idle = |row: &&PromotedRow| {
            row.base.is_none()
                && row.rrset.rdatas.is_empty()
                && merged.rrset(row.owner.as_ref(), Rtype::TXT).is_none_or(|set| !is_guard(set))
        };
        let dropped: Vec<_> =
            now.rows().filter(idle).map(|row| (row.owner.clone(), row.rtype)).collect();
        edits.retain(|edit| match edit {
            RowEdit::Put(row) => {
                !dropped.iter().any(|(owner, rtype)| *owner == row.owner && *rtype == row.rtype)
            }
            RowEdit::Delete(..) => true,
        });
        edits.extend(dropped.into_iter().map(|(owner, rtype)| RowEdit::Delete(owner, rtype)));
    }
}

/// The file changed an RRset that an entry stands over.
fn clash(row: &PromotedRow) -> Finding {
    let what = if row.rrset.rdatas.is_empty() { "was taken out by" } else { "was promoted by" };
    let message = format!("{} {} {what} it, and the file now has other data", row.owner, row.rtype);
    finding(row, message)
}

/// A clash as a finding that names the request.
fn finding(row: &PromotedRow, message: String) -> Finding {
    let request = row.request.as_deref().unwrap_or("(none)");
    Finding {
        rule: "promoted-clash",
        severity: Severity::Error,
        place: None,
        message: format!("request {request}: {message}"),
        hint: Some(
            "take the RRset out of the file, or let the request be changed or removed first"
                .to_owned(),
        ),
    }
}

//------------ Guards under wildcards ----------------------------------------

/// The zone with the TXT record that belongs to each of `names`, and without it where it no longer does.
pub(super) fn with_guards<'a>(
    zone: &Zone,
    names: impl Iterator<Item = &'a Name>,
) -> Result<Zone, ApplyError> {
    let delta = guard_delta(zone, names);
    if delta.is_empty() { Ok(zone.clone()) } else { zone.apply(&delta) }
}

/// What guards come and go at `names`.
pub(super) fn guard_delta<'a>(zone: &Zone, names: impl Iterator<Item = &'a Name>) -> Delta {
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

/// The TXT record that stands at a name so that a wildcard does not.
fn guard(owner: &Name, ttl: u32) -> Record {
    Record {
        owner: owner.clone(),
        rtype: Rtype::TXT,
        class: Class::IN,
        ttl,
        rdata: GUARD_RDATA.into(),
    }
}

/// Whether an RRset is a guard.
pub(super) fn is_guard(set: RrsetRef<'_>) -> bool {
    set.rtype() == Rtype::TXT && set.count() == 1 && set.first() == GUARD_RDATA
}

//------------ RRsets --------------------------------------------------------

/// An RRset as a value of its own.
pub(super) fn stored(set: RrsetRef<'_>) -> StoredRrset {
    StoredRrset { ttl: set.ttl(), rdatas: set.rdatas().map(Into::into).collect() }
}

/// Whether two RRsets have the same records; their order and TTL are no difference.
pub(super) fn same_records(a: &StoredRrset, b: &StoredRrset) -> bool {
    let set = |rrset: &StoredRrset| rrset.rdatas.iter().cloned().collect::<BTreeSet<_>>();
    a.rdatas.len() == b.rdatas.len() && set(a) == set(b)
}

/// The records of an RRset.
pub(super) fn records(owner: &Name, set: RrsetRef<'_>) -> Vec<Record> {
    set.records(owner.as_ref()).map(|record| record.to_record()).collect()
}

/// The records an entry wants served.
pub(super) fn records_of(row: &PromotedRow) -> impl Iterator<Item = Record> + '_ {
    row.rrset.rdatas.iter().map(|rdata| Record {
        owner: row.owner.clone(),
        rtype: row.rtype,
        class: Class::IN,
        ttl: row.rrset.ttl,
        rdata: rdata.clone(),
    })
}
