//! The effect of an edit, shown to the people who approve it.

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::master::Finding;
use crate::publish::state::Edit;
use crate::wire::{Name, Record, Rtype};
use crate::zone::{Delta, Zone};

/// Names below an edited one that a candidate lists.
const BELOW_MAX: usize = 1000;

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
    /// The surroundings of each edited name.
    pub surroundings: Vec<Surroundings>,
}

/// The surroundings of one edited name, in the zone as served.
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
    pub(crate) fn new(live: &Zone, edit: &Edit, draft: Draft) -> Self {
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
                        .filter(|record| ![Rtype::SOA, Rtype::ZONEMD].contains(&record.rtype))
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
        self.findings.iter().any(Finding::is_error)
    }

    /// SHA-256 in hexadecimal over all that an approval is given for: zone, records removed and
    /// added, existing records at the names, the cut or wildcard above, names below, findings. Not the
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
    format!(
        "{head} {owner} {} {} {}\n",
        record.ttl,
        record.rtype,
        crate::digest::hex(&record.rdata)
    )
}
