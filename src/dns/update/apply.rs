//! Prerequisites judged and instructions carried out on a version of a zone (RFC 2136 §3.2, §3.4.2).
//!
//! The instructions work one after the other on copies of the RRsets they touch. What is the same
//! afterwards as before is no change: an update that has no effect makes no RRset, let alone an empty one.

use std::collections::BTreeMap;

use super::message::{Instruction, Prerequisite, Update};
use super::view::View;
use crate::wire::{Class, Name, Rcode, Record, Rtype, has_reached, rdata};
use crate::zone::RrsetRef;

/// Octets of a WKS record that are its address and protocol (RFC 1035 §3.4.2).
const WKS_KEY_OCTETS: usize = 5;

//------------ Rrset ---------------------------------------------------------

/// An RRset as it is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rrset {
    /// The owner.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
    /// The TTL.
    pub ttl: u32,
    /// RDATA, uncompressed; none: there is to be no such RRset.
    pub rdatas: Vec<Box<[u8]>>,
}

/// A prerequisite that does not hold.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a prerequisite about {owner} {} does not hold", rtype.map_or_else(String::new, |it| it.to_string()))]
pub struct Unmet {
    /// The response code that says so (RFC 2136 §2.2).
    pub rcode: Rcode,
    /// The name it is about.
    pub owner: Name,
    /// The type it is about; none: any.
    pub rtype: Option<Rtype>,
}

impl Update {
    /// The RRsets that differ from the view once everything is done, in canonical order.
    pub fn apply(&self, view: &View<'_>) -> Result<Vec<Rrset>, Unmet> {
        for prerequisite in &self.prerequisites {
            if let Some(rcode) = prerequisite.fails(view) {
                let (owner, rtype) = (prerequisite.owner().clone(), prerequisite.rtype());
                return Err(Unmet { rcode, owner, rtype });
            }
        }
        let mut work = Work { view, names: BTreeMap::new() };
        for instruction in &self.instructions {
            work.carry_out(instruction);
        }
        Ok(work.changed())
    }
}

//------------ Prerequisites -------------------------------------------------

impl Prerequisite {
    /// The response code, if the prerequisite does not hold (RFC 2136 §3.2.5).
    fn fails(&self, view: &View<'_>) -> Option<Rcode> {
        let in_use = |owner| view.rrsets(owner).next().is_some();
        let (holds, rcode) = match self {
            Self::NameInUse(owner) => (in_use(owner), Rcode::NXDOMAIN),
            Self::NameNotInUse(owner) => (!in_use(owner), Rcode::YXDOMAIN),
            Self::RrsetExists(owner, rtype) => {
                (view.rrset(owner, *rtype).is_some(), Rcode::NXRRSET)
            }
            Self::RrsetAbsent(owner, rtype) => {
                (view.rrset(owner, *rtype).is_none(), Rcode::YXRRSET)
            }
            Self::RrsetIs(owner, rtype, rdatas) => {
                let found = view.rrset(owner, *rtype).map(Set::of);
                let wanted = Set::new(*rtype, 0, rdatas.iter().map(|rdata| &**rdata));
                (found.is_some_and(|found| found.same_records(&wanted)), Rcode::NXRRSET)
            }
        };
        (!holds).then_some(rcode)
    }
}

//------------ Set -----------------------------------------------------------

/// The records of an RRset while it is worked on.
#[derive(Clone, Debug, Default)]
struct Set {
    /// The TTL.
    ttl: u32,
    /// RDATA by its canonical form: names in it are compared without regard to case (RFC 2136 §1.1.2).
    records: BTreeMap<Vec<u8>, Box<[u8]>>,
}

impl Set {
    /// An RRset of these records.
    fn new<'a>(rtype: Rtype, ttl: u32, rdatas: impl Iterator<Item = &'a [u8]>) -> Self {
        let records = rdatas.map(|data| (rdata::canonical(rtype, data).into_owned(), data.into()));
        Self { ttl, records: records.collect() }
    }

    /// An RRset of a zone.
    fn of(set: RrsetRef<'_>) -> Self {
        Self::new(set.rtype(), set.ttl(), set.rdatas())
    }

    /// Whether both have the same records.
    fn same_records(&self, other: &Self) -> bool {
        self.records.keys().eq(other.records.keys())
    }

    /// Puts a record in (RFC 2136 §3.4.2.2). Of a type that a name has one of, it replaces the other one.
    fn add(&mut self, rtype: Rtype, ttl: u32, data: &[u8]) {
        self.ttl = ttl;
        match rtype {
            Rtype::CNAME | Rtype::DNAME | Rtype::SOA => self.records.clear(),
            Rtype::WKS => {
                let key = data.get(..WKS_KEY_OCTETS);
                self.records.retain(|_, old| old.get(..WKS_KEY_OCTETS) != key);
            }
            _ => {}
        }
        let key = rdata::canonical(rtype, data).into_owned();
        self.records.entry(key).or_insert_with(|| data.into());
    }
}

//------------ Work ----------------------------------------------------------

/// The names that instructions touched so far.
struct Work<'a> {
    /// The zone before.
    view: &'a View<'a>,
    /// The RRsets of each name; one that is gone has no records.
    names: BTreeMap<Name, BTreeMap<Rtype, Set>>,
}

impl Work<'_> {
    /// Carries one instruction out.
    fn carry_out(&mut self, instruction: &Instruction) {
        let owner = instruction.owner();
        let is_apex = owner.as_ref() == self.view.zone.apex();
        let view = self.view;
        let sets = self
            .names
            .entry(owner.clone())
            .or_insert_with(|| view.rrsets(owner).map(|set| (set.rtype(), Set::of(set))).collect());
        let is_there = |sets: &BTreeMap<Rtype, Set>, rtype: Rtype| {
            sets.get(&rtype).is_some_and(|set| !set.records.is_empty())
        };
        match instruction {
            Instruction::Add { rtype, ttl, rdata, .. } => {
                let others = sets.iter().any(|(of, set)| of != rtype && !set.records.is_empty());
                let is_barred = match *rtype {
                    Rtype::CNAME => others,
                    _ => is_there(sets, Rtype::CNAME),
                };
                let is_old =
                    *rtype == Rtype::SOA && !(is_apex && rises(view.zone.serial(), owner, rdata));
                if !is_barred && !is_old {
                    sets.entry(*rtype).or_default().add(*rtype, *ttl, rdata);
                }
            }
            // The apex keeps its SOA and NS records (RFC 2136 §3.4.2.3).
            Instruction::DeleteRrset(_, rtype) if is_apex && is_essential(*rtype) => {}
            Instruction::DeleteRrset(_, rtype) => clear(sets, |of| of == *rtype),
            Instruction::DeleteName(_) => clear(sets, |of| !(is_apex && is_essential(of))),
            Instruction::DeleteRecord(_, Rtype::SOA, _) => {}
            Instruction::DeleteRecord(_, rtype, rdata) => {
                let Some(set) = sets.get_mut(rtype) else { return };
                // The last name server of the zone stays (RFC 2136 §3.4.2.4).
                if !(is_apex && *rtype == Rtype::NS && set.records.len() == 1) {
                    set.records.remove(&*rdata::canonical(*rtype, rdata));
                }
            }
        }
    }

    /// The RRsets that are not as they were.
    fn changed(self) -> Vec<Rrset> {
        let mut changed = Vec::new();
        for (owner, sets) in self.names {
            for (rtype, set) in sets {
                let before = self.view.rrset(&owner, rtype).map(Set::of);
                let is_same = match &before {
                    Some(before) => before.same_records(&set) && before.ttl == set.ttl,
                    None => set.records.is_empty(),
                };
                if !is_same {
                    let rdatas: Vec<Box<[u8]>> = set.records.into_values().collect();
                    let ttl = if rdatas.is_empty() { 0 } else { set.ttl };
                    changed.push(Rrset { owner: owner.clone(), rtype, ttl, rdatas });
                }
            }
        }
        changed
    }
}

/// Takes the records out of the RRsets of some types.
fn clear(sets: &mut BTreeMap<Rtype, Set>, goes: impl Fn(Rtype) -> bool) {
    for (_, set) in sets.iter_mut().filter(|(rtype, _)| goes(**rtype)) {
        set.records.clear();
    }
}

/// Whether the apex must have records of a type.
pub(super) fn is_essential(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::SOA | Rtype::NS)
}

/// Whether the serial of SOA data is not behind another one (RFC 1982).
fn rises(serial: u32, owner: &Name, soa: &[u8]) -> bool {
    let (owner, rtype, class) = (owner.clone(), Rtype::SOA, Class::IN);
    let new = Record { owner, rtype, class, ttl: 0, rdata: soa.into() }.serial();
    new.is_some_and(|new| has_reached(new, serial))
}
