//! An edit as a candidate: what it changes in the zone as served, and what is found wrong with it.
//!
//! Only the names of the edit are touched and only what they can affect is checked, so the size of
//! the zone does not matter.

use std::collections::BTreeSet;

use super::edit_check;
use super::overlay::{self, Overlay, RowEdit};
use super::{Edit, PublishError, RrsetEdit, ZoneSource};
use crate::master::{Finding, Severity};
use crate::store::promoted::PromotedRow;
use crate::store::records::StoredRrset;
use crate::wire::{Class, Name, NameRef, Record, Rtype};
use crate::zone::{Delta, Zone};

/// Names below an edited one that a candidate lists.
const BELOW_MAX: usize = 1000;

//------------ Draft ---------------------------------------------------------

/// What an edit comes to, before it has a serial.
pub(super) struct Draft {
    /// Records removed and added, without the SOA record.
    pub(super) delta: Delta,
    /// The rows of the overlay that go with it.
    pub(super) rows: Vec<RowEdit>,
    /// The zone after it, still with the old serial; `None` if the delta does not even apply.
    pub(super) after: Option<Zone>,
    /// Errors and warnings that the edit brings.
    pub(super) findings: Vec<Finding>,
}

impl Draft {
    /// Whether the edit may not go live.
    pub(super) fn errors(&self) -> Vec<Finding> {
        let errors = self.findings.iter().filter(|finding| finding.severity == Severity::Error);
        errors.cloned().collect()
    }
}

/// What a draft is made from.
pub(super) struct Ground<'a> {
    /// The zone as served.
    pub(super) live: &'a Zone,
    /// What requests put up so far.
    pub(super) overlay: &'a Overlay,
    /// How strictly the zone is checked.
    pub(super) source: &'a ZoneSource,
    /// The time of the change.
    pub(super) now_ms: i64,
}

impl Ground<'_> {
    /// Makes the draft of an edit that belongs to `request`.
    pub(super) fn draft(&self, edit: &Edit, request: Option<&str>) -> Result<Draft, PublishError> {
        let apex = self.live.apex().to_name();
        if self.live.is_signed() {
            return Err(PublishError::Presigned(apex));
        }
        let mut findings = edit_check::check_form(edit, self.live.apex());
        let mut draft =
            Draft { delta: Delta::default(), rows: Vec::new(), after: None, findings: Vec::new() };
        if findings.is_empty() {
            for set in &edit.set {
                self.add_rrset(set, request, &mut draft);
            }
            let after = self.applied(edit, &mut draft)?;
            self.settle_rows(&after, &mut draft);
            let touched: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
            findings = edit_check::check_effect(self.source, self.live, &after, &touched);
            draft.after = Some(after);
        }
        draft.findings = findings;
        Ok(draft)
    }

    /// Puts one RRset in the place of what is served.
    fn add_rrset(&self, set: &RrsetEdit, request: Option<&str>, draft: &mut Draft) {
        let wanted = StoredRrset { ttl: set.ttl, rdatas: set.rdatas.clone() };
        let served = self.live.rrset(set.owner.as_ref(), set.rtype);
        let base = self.overlay.in_file(self.live, &set.owner, set.rtype);
        let row = PromotedRow {
            owner: set.owner.clone(),
            rtype: set.rtype,
            rrset: wanted.clone(),
            base,
            request: request.map(str::to_owned),
            since_ms: self.now_ms,
        };
        let known = self.overlay.get(&set.owner, set.rtype);
        let as_before = known.map_or_else(
            || wanted.rdatas.is_empty() && served.is_none(),
            |known| known.rrset == wanted && known.base == row.base,
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
        draft.rows.push(RowEdit::Put(row));
    }

    /// The zone after the edit: its records, the guards under wildcards, no outdated ZONEMD.
    fn applied(&self, edit: &Edit, draft: &mut Draft) -> Result<Zone, PublishError> {
        if !draft.delta.is_empty() {
            draft.delta.removed.extend(zonemd(self.live));
        }
        let after = self.live.apply(&draft.delta)?;
        let mut names: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
        let now_out: BTreeSet<&Name> =
            edit.set.iter().filter(|set| set.rdatas.is_empty()).map(|set| &set.owner).collect();
        if names.iter().any(|name| name.as_ref().is_wildcard()) {
            names.extend(self.overlay.taken_out());
        }
        names.retain(|name| {
            now_out.contains(name)
                || self.overlay.takes_out_at(name)
                || after.rrset(name.as_ref(), Rtype::TXT).is_some_and(overlay::is_guard)
        });
        let guards = overlay::guard_delta(&after, names.into_iter());
        if guards.is_empty() {
            return Ok(after);
        }
        let guarded = after.apply(&guards)?;
        merge_into(&mut draft.delta, guards);
        Ok(guarded)
    }

    /// Drops rows that say nothing: taken out, not in the file, and no wildcard that would answer.
    fn settle_rows(&self, after: &Zone, draft: &mut Draft) {
        for edit in &mut draft.rows {
            let RowEdit::Put(row) = edit else { continue };
            let guarded =
                after.rrset(row.owner.as_ref(), Rtype::TXT).is_some_and(overlay::is_guard);
            if row.rrset.rdatas.is_empty() && row.base.is_none() && !guarded {
                *edit = RowEdit::Delete(row.owner.clone(), row.rtype);
            }
        }
    }
}

/// Adds a second step to a delta; what the one brings and the other takes cancels out.
pub(super) fn merge_into(delta: &mut Delta, then: Delta) {
    for record in then.removed {
        match delta.added.iter().position(|added| *added == record) {
            Some(at) => drop(delta.added.remove(at)),
            None => delta.removed.push(record),
        }
    }
    for record in then.added {
        match delta.removed.iter().position(|removed| *removed == record) {
            Some(at) => drop(delta.removed.remove(at)),
            None => delta.added.push(record),
        }
    }
}

/// The ZONEMD records of the apex: they hold for the file as it came, not for a zone that was changed.
pub(super) fn zonemd(zone: &Zone) -> Vec<Record> {
    let set = zone.rrset(zone.apex(), Rtype::ZONEMD);
    set.into_iter().flat_map(|set| overlay::records(&zone.apex().to_name(), set)).collect()
}

//------------ SOA -----------------------------------------------------------

/// The SOA record of a zone, with this serial.
pub(super) fn soa_record(zone: &Zone, serial: u32) -> Option<Record> {
    let set = zone.rrset(zone.apex(), Rtype::SOA)?;
    let mut rdata: Box<[u8]> = set.first().into();
    let (_, mname) = NameRef::from_wire(&rdata).ok()?;
    let (_, rname) = NameRef::from_wire(&rdata[mname..]).ok()?;
    let at = mname + rname;
    rdata.get_mut(at..at + 4)?.copy_from_slice(&serial.to_be_bytes());
    let owner = zone.apex().to_name();
    Some(Record { owner, rtype: Rtype::SOA, class: Class::IN, ttl: set.ttl(), rdata })
}

//------------ Candidate -----------------------------------------------------

/// What an edit would do, for the people who approve it.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The apex.
    pub zone: Name,
    /// The serial that was live when this was made.
    pub serial: u32,
    /// Records removed and added, without the SOA record.
    pub delta: Delta,
    /// Errors and warnings that the edit brings.
    pub findings: Vec<Finding>,
    /// What stands around each edited name.
    pub surroundings: Vec<Surroundings>,
}

/// What stands around one name of an edit, in the zone as served.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The name.
    pub owner: Name,
    /// The records at the name.
    pub existing: Vec<Record>,
    /// The zone cut at or above it, apex aside.
    pub cut: Option<Name>,
    /// The wildcard that answers for it now.
    pub wildcard: Option<Name>,
    /// Names below it, the first thousand.
    pub below: Vec<Name>,
}

impl Candidate {
    /// The candidate of a draft.
    pub(super) fn new(live: &Zone, edit: &Edit, draft: Draft) -> Self {
        let owners: BTreeSet<&Name> = edit.set.iter().map(|set| &set.owner).collect();
        let surroundings = owners
            .into_iter()
            .filter(|owner| owner.as_ref().is_at_or_below(live.apex()))
            .map(|owner| {
                let found = live.lookup(owner.as_ref());
                let below = live.below(owner.as_ref()).take(BELOW_MAX);
                Surroundings {
                    owner: owner.clone(),
                    existing: found
                        .exact()
                        .into_iter()
                        .flat_map(|node| node.records())
                        .filter(|record| record.rtype != Rtype::SOA)
                        .map(|record| record.to_record())
                        .collect(),
                    cut: found.cut().map(|node| node.owner().to_name()),
                    wildcard: found.wildcard().map(|node| node.owner().to_name()),
                    below: below.map(|node| node.owner().to_name()).collect(),
                }
            })
            .collect();
        Self {
            zone: live.apex().to_name(),
            serial: live.serial(),
            delta: draft.delta,
            findings: draft.findings,
            surroundings,
        }
    }

    /// Whether it may not go live.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// SHA-256 in hexadecimal over all that an approval is given for: zone, records removed and
    /// added, what stands at the names, the cut or wildcard above, names below, findings. Not the
    /// serial: other changes of the zone do not move it.
    pub fn hash(&self) -> String {
        let mut text = format!("gapura candidate 1\nzone {}\n", self.zone.as_ref().to_lowercase());
        let lines = |text: &mut String, head: &str, records: &[Record]| {
            let mut lines: Vec<_> = records.iter().map(|record| line(head, record)).collect();
            lines.sort_unstable();
            lines.iter().for_each(|line| text.push_str(line));
        };
        lines(&mut text, "-", &self.delta.removed);
        lines(&mut text, "+", &self.delta.added);
        for around in &self.surroundings {
            text.push_str(&format!("at {}\n", around.owner.as_ref().to_lowercase()));
            lines(&mut text, "=", &around.existing);
            for name in around.cut.iter() {
                text.push_str(&format!("cut {}\n", name.as_ref().to_lowercase()));
            }
            for name in around.wildcard.iter() {
                text.push_str(&format!("wildcard {}\n", name.as_ref().to_lowercase()));
            }
            for name in &around.below {
                text.push_str(&format!("below {}\n", name.as_ref().to_lowercase()));
            }
        }
        for finding in &self.findings {
            text.push_str(&format!("{} {} {}\n", finding.severity, finding.rule, finding.message));
        }
        crate::digest::sha256_hex(text)
    }
}

/// One record as a line of the hash's text; RDATA in hexadecimal, so that no text form matters.
fn line(head: &str, record: &Record) -> String {
    let owner = record.owner.as_ref().to_lowercase();
    format!("{head} {owner} {} {} {}\n", record.ttl, record.rtype, super::hex(&record.rdata))
}
