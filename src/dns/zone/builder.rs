//! Builds a zone in bulk, from records in any order.
//!
//! Records are copied into one run of bytes as they come. At the end the names are sorted once and
//! compiled in canonical order, so that what a name inherits (a cut above) and what it implies (empty
//! non-terminals) is known when it is written.

use std::collections::HashSet;

use super::apex::Apex;
use super::compile::Compiler;
use super::contents::{Contents, Zone, name_hash};
use super::encode::Entry;
use super::key;
use super::load::{load_hashed, load_names};
use super::stage::{Depth, Stage};
use super::trie::Trie;
use crate::wire::{Class, Name, NameRef, RecordRef, Rtype};

//------------ ZoneBuilder ---------------------------------------------------

/// Collects the records of a zone.
pub struct ZoneBuilder {
    /// The apex.
    apex: Name,
    /// All records but those of the NSEC3 chain.
    names: Stage,
    /// The NSEC3 records and what signs them.
    hashed: Stage,
    /// Hashes of the names that have a wildcard child. Two names with one hash would cost the other a
    /// look-up in vain.
    wildcard_parents: HashSet<u64>,
    /// What was wrong so far.
    faults: Vec<BuildFault>,
}

impl ZoneBuilder {
    /// A builder without records.
    pub fn new(apex: &Name) -> Self {
        Self {
            apex: apex.clone(),
            names: Stage::default(),
            hashed: Stage::default(),
            wildcard_parents: HashSet::new(),
            faults: Vec::new(),
        }
    }

    /// A builder with room for the records of a text of so many octets.
    pub fn with_room(apex: &Name, text_octets: usize) -> Self {
        Self { names: Stage::with_room(text_octets), ..Self::new(apex) }
    }

    /// Adds a record; one that cannot be in the zone becomes a fault.
    pub fn push(&mut self, record: RecordRef<'_>) {
        let kind = if record.class != Class::IN {
            BuildFaultKind::WrongClass
        } else if record.rtype.is_meta() {
            BuildFaultKind::MetaType
        } else {
            match Depth::of(record.owner, self.apex.as_ref()) {
                None => BuildFaultKind::OutOfZone,
                Some(depth) if record.rtype == Rtype::SOA && depth.labels > 0 => {
                    BuildFaultKind::SoaBelowApex
                }
                Some(depth) => return self.keep(record, depth),
            }
        };
        let owner = record.owner.to_name();
        self.faults.push(BuildFault { owner, rtype: record.rtype, kind });
    }

    /// Sorts the records so far, which [`Self::join`] and [`Self::finish`] then need not do; for a thread that has
    /// nothing else to do. No record may be added afterwards.
    pub fn sort(&mut self) {
        self.names.presort();
        self.hashed.presort();
    }

    /// A builder with the records of several, in their order.
    pub fn join(apex: &Name, parts: impl Iterator<Item = Self>) -> Self {
        let mut joined = Self::new(apex);
        for part in parts {
            joined.names.append(part.names);
            joined.hashed.append(part.hashed);
            joined.wildcard_parents.extend(part.wildcard_parents);
            joined.faults.extend(part.faults);
        }
        joined
    }

    /// Compiles the zone. There is none without a SOA record; other faults leave out what is at fault.
    pub fn finish(self) -> (Option<Zone>, Vec<BuildFault>) {
        let Self { apex, names, hashed, wildcard_parents, faults } = self;
        let mut compiler = Compiler::new(apex.as_ref());
        compiler.faults = faults;
        let names = load_names(names, &mut compiler, &wildcard_parents);
        let hashed = load_hashed(hashed, &mut compiler);
        let Compiler { mut faults, counts, .. } = compiler;
        let facts = read_apex(&names, apex.as_ref(), &mut faults);
        let zone = facts.map(|facts| {
            Zone::new(Contents {
                names,
                hashed,
                facts,
                counts,
                apex_hash: name_hash(apex.as_ref()),
                apex: apex.clone(),
                time_left: None,
                content: None,
            })
        });
        (zone, faults)
    }

    /// Keeps a record that is in the zone.
    fn keep(&mut self, record: RecordRef<'_>, depth: Depth) {
        let set = Entry::new(record.rtype, record.ttl, record.rdata).set;
        let stage = if set == Rtype::NSEC3 { &mut self.hashed } else { &mut self.names };
        let is_new = stage.push(record, depth, self.apex.as_ref());
        if !depth.has_wildcard || !is_new || set == Rtype::NSEC3 {
            return;
        }
        let mut name = record.owner;
        for _ in 0..depth.labels {
            let Some(parent) = name.parent() else { return };
            if name.is_wildcard() {
                self.wildcard_parents.insert(key::hash(parent));
            }
            name = parent;
        }
    }
}

/// What is at the apex, first of all the one SOA record.
fn read_apex(names: &Trie, apex: NameRef<'_>, faults: &mut Vec<BuildFault>) -> Option<Apex> {
    let mut fault =
        |kind| faults.push(BuildFault { owner: apex.to_name(), rtype: Rtype::SOA, kind });
    let node = names.find(apex).exact();
    if node.and_then(|node| node.rrset(Rtype::SOA)).is_some_and(|set| set.count() > 1) {
        fault(BuildFaultKind::TwoSoas);
    }
    let facts = node.and_then(|node| Apex::read(apex, node));
    if facts.is_none() {
        fault(BuildFaultKind::NoSoa);
    }
    facts
}

//------------ BuildFault ----------------------------------------------------

/// A fault that only building shows; `check` finds all others and their places.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BuildFault {
    /// The owner of the record.
    pub owner: Name,
    /// The type of the record.
    pub rtype: Rtype,
    /// What is wrong.
    pub kind: BuildFaultKind,
}

/// The fault of a record or RRset, and how it is handled.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum BuildFaultKind {
    /// The record was there already; kept once.
    #[error("the record is given twice")]
    Duplicate,
    /// The TTLs in an RRset differ; the lowest is used (RFC 2181 §5.2).
    #[error("the TTLs of the RRset differ")]
    TtlDiffers,
    /// The owner is not at or below the apex; left out.
    #[error("the owner is outside the zone")]
    OutOfZone,
    /// The class is not IN; left out.
    #[error("the class is not that of the zone")]
    WrongClass,
    /// The type cannot be in a zone; left out.
    #[error("the type cannot be in a zone")]
    MetaType,
    /// There is no SOA record at the apex, and so no zone.
    #[error("there is no SOA record at the apex")]
    NoSoa,
    /// There is more than one SOA record at the apex.
    #[error("there is more than one SOA record")]
    TwoSoas,
    /// A SOA record below the apex; left out.
    #[error("the SOA record is not at the apex")]
    SoaBelowApex,
    /// The RRset, or its signatures, do not fit into a message of 64 KiB; left out.
    #[error("the RRset does not fit into a message of 64 KiB")]
    TooLarge,
}
