//! The guards of a file that depend on the zone as served: complete, and not shrunk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::decide::{Case, Refused};
use crate::master::{Finding, Included, last_line};
use crate::publish::state::{Guard, Outcome, error, warning};
use crate::wire::{Name, Rtype};
use crate::zone::{Delta, NodeRef, Zone};

/// The shrink guard applies when more than this share of the RRsets would disappear, in percent …
const SHRINK_PERCENT: usize = 30;
/// … and more than this many.
const SHRINK_RRSETS: usize = 10;

//------------ Known and complete --------------------------------------------

impl Case<'_> {
    /// The same bytes as what is live, or as what was rolled back: nothing to do.
    pub(super) fn known_bytes(&self, findings: &mut Vec<Finding>) -> Option<Outcome> {
        let row = self.state.row.as_ref()?;
        let serial = self.state.serial()?;
        if self.by.force {
            return None;
        }
        let foreign = self.state.foreign_file.as_ref();
        if let Some(foreign) = foreign.filter(|foreign| foreign.hash == self.loaded.hash) {
            findings.push(foreign.finding(&self.state.source.apex));
            return Some(Outcome::Held { serial, node: Some(foreign.node.clone()) });
        }
        if row.held_hash.as_deref() == Some(self.loaded.hash.as_str()) {
            let message = format!(
                "the file on disk was rolled back; it is loaded when its bytes change, or by \
                 gapura ctl reload {} --force",
                self.state.source.apex
            );
            findings.push(warning("file-rolled-back", message));
            return Some(Outcome::Held { serial, node: None });
        }
        let same = row.file_hash.as_deref() == Some(self.loaded.hash.as_str());
        same.then_some(Outcome::Unchanged { serial })
    }

    /// Newline, marker and ZONEMD, and that none of them was lost.
    pub(super) fn complete(&self, findings: &mut Vec<Finding>) -> Result<(), Refused> {
        if self.loaded.guard == Some(Guard::Incomplete) {
            return Err(Guard::Incomplete);
        }
        let Some(row) = self.state.row.as_ref().filter(|_| !self.by.force) else {
            return Ok(());
        };
        let load = format!("gapura ctl reload {} --force", self.state.source.apex);
        let hint = &format!("put it back, or load the file without it: {load}");
        let before = findings.len();
        if row.marker && !self.loaded.marker {
            let message =
                "the last line is no longer \"; gapura: end of zone\": the file may be truncated";
            let file = &self.state.source.file;
            let place = Some(last_line(file, &self.loaded.bytes));
            findings.push(Finding { place, ..error("marker-lost", message.to_owned(), hint) });
        }
        // Without a zone its ZONEMD cannot be missed.
        if row.zonemd && !self.loaded.zonemd && self.loaded.zone.is_some() {
            let message = "the zone no longer has a ZONEMD record: the file may be truncated";
            findings.push(error("zonemd-lost", message.to_owned(), hint));
        }
        let marked: BTreeSet<&str> = self.loaded.marked_includes.lines().collect();
        for include in row.marked_includes.lines() {
            let still_included = self.loaded.included.contains(&PathBuf::from(include));
            if still_included && !marked.contains(include) {
                let message =
                    format!("the include {include} lost its end marker: it may be truncated");
                let found = |one: &&Included| one.path == Path::new(include);
                let place = self.loaded.parsed.included.iter().find(found);
                let place = place.map(|one| last_line(&one.shown, &one.bytes));
                findings.push(Finding { place, ..error("marker-lost", message, hint) });
            }
        }
        if findings.len() > before { Err(Guard::Incomplete) } else { Ok(()) }
    }
}

//------------ Not shrunk -----------------------------------------------------

impl Case<'_> {
    /// The shrink guard.
    pub(super) fn shrink(
        &self,
        live: &Zone,
        file: &Zone,
        content: &Delta,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        let counts = counted(live, file);
        let removed = content.removed.iter().filter(|record| counts(record.rtype));
        let gone: BTreeSet<(&Name, Rtype)> =
            removed.map(|record| (&record.owner, record.rtype)).collect();
        let come: BTreeSet<(&Name, Rtype)> =
            content.added.iter().map(|record| (&record.owner, record.rtype)).collect();
        let vanished = gone.difference(&come).count();
        // RRsets of which some records stay have not vanished.
        let vanished = vanished.saturating_sub(self.still_there(live, content, &gone, &come));
        self.shrinks(vanished, live, file, findings)
    }

    /// Judges how many RRsets would vanish.
    pub(super) fn shrinks(
        &self,
        vanished: usize,
        live: &Zone,
        file: &Zone,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Refused> {
        if vanished <= SHRINK_RRSETS {
            return Ok(());
        }
        let counts = counted(live, file);
        let all = if stays_signed(live, file) {
            live.nodes().flat_map(NodeRef::rrsets).filter(|set| counts(set.rtype())).count()
        } else {
            live.rrset_count()
        };
        if vanished * 100 <= all * SHRINK_PERCENT {
            return Ok(());
        }
        let message = format!("{vanished} of {all} RRsets would disappear");
        if self.by.force {
            findings.push(warning("zone-shrinks", format!("{message}; forced by {}", self.by.who)));
            return Ok(());
        }
        let apex = &self.state.source.apex;
        let hint = format!("if this is intended, load it: gapura ctl reload {apex} --force");
        findings.push(error("zone-shrinks", message, &hint));
        Err(Guard::Shrink)
    }

    /// RRsets that lose some records only.
    fn still_there(
        &self,
        live: &Zone,
        content: &Delta,
        gone: &BTreeSet<(&Name, Rtype)>,
        come: &BTreeSet<(&Name, Rtype)>,
    ) -> usize {
        let mut counts = BTreeMap::new();
        for record in &content.removed {
            *counts.entry((&record.owner, record.rtype)).or_insert(0usize) += 1;
        }
        let partly = |key: &&(&Name, Rtype)| {
            let had = live.rrset(key.0.as_ref(), key.1).map_or(0, |set| set.count());
            counts.get(*key).is_some_and(|lost| *lost < had)
        };
        gone.difference(come).filter(partly).count()
    }
}

/// Which types the shrink guard counts: signatures and proofs of a zone that stays signed are the
/// signer's, and a new salt or another kind of chain replaces them all.
pub(in crate::publish) fn counted(live: &Zone, file: &Zone) -> impl Fn(Rtype) -> bool + use<> {
    let stays_signed = stays_signed(live, file);
    move |rtype| !(stays_signed && [Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3].contains(&rtype))
}

/// Whether a zone is signed and stays so.
fn stays_signed(live: &Zone, file: &Zone) -> bool {
    live.is_signed() && file.is_signed()
}
