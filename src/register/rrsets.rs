//! Live records as edits of a zone, and what a zone holds as records of a request.

use std::collections::BTreeMap;

use crate::publish::{Edit, RrsetEdit};
use crate::queue::{LiveRecord, ParsedRecord};
use crate::wire::{Name, Rtype};
use crate::zone::Zone;

/// Types at a name that belong to the zone and not to the request.
const OWN_TYPES: [Rtype; 6] =
    [Rtype::SOA, Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM, Rtype::ZONEMD];

/// Whether records of a type belong to the zone and not to whoever owns the name.
pub fn is_of_zone(rtype: Rtype) -> bool {
    OWN_TYPES.contains(&rtype)
}

/// The edit that takes everything out that is served at a name.
pub fn edit_out(owner: &Name, zone: &Zone) -> Edit {
    replacing(Vec::new(), owner, zone)
}

/// The edit that puts these RRsets at a name, and takes out every other that is served there.
pub fn replacing(mut set: Vec<RrsetEdit>, owner: &Name, zone: &Zone) -> Edit {
    for rtype in served_types(owner, zone) {
        if !set.iter().any(|wanted| wanted.rtype == rtype) {
            set.push(RrsetEdit { owner: owner.clone(), rtype, ttl: 0, rdatas: Vec::new() });
        }
    }
    set.sort_by_key(|wanted| wanted.rtype);
    Edit { set }
}

/// What the operator's file says about a name, in the place of what was promised: the edit, and the
/// records promised from then on. None if the file says nothing else about it.
pub fn adopted(live: &LiveRecord, in_file: Vec<RrsetEdit>) -> Option<(Edit, Vec<ParsedRecord>)> {
    let promised = rrsets(&live.name, live.records.iter());
    let in_file: Vec<RrsetEdit> =
        in_file.into_iter().filter(|set| !OWN_TYPES.contains(&set.rtype)).collect();
    // A CNAME is alone at its name: one that comes or goes replaces everything.
    let alone = |sets: &[RrsetEdit]| sets.iter().any(|set| set.rtype == Rtype::CNAME);
    let replaces = !in_file.is_empty() && alone(&in_file) != alone(&promised);
    let (mut set, mut kept) = (Vec::new(), Vec::new());
    for old in promised {
        match in_file.iter().find(|new| new.rtype == old.rtype) {
            Some(new) if same_rdatas(new, &old) => kept.push(old),
            Some(new) => set.push(new.clone()),
            None if replaces => set.push(RrsetEdit { rdatas: Vec::new(), ..old }),
            None => kept.push(old),
        }
    }
    if replaces {
        let is_new = |new: &&RrsetEdit| !set.iter().any(|old| old.rtype == new.rtype);
        let more: Vec<RrsetEdit> = in_file.iter().filter(is_new).cloned().collect();
        set.extend(more);
    }
    if set.is_empty() {
        return None;
    }
    set.sort_by_key(|one| one.rtype);
    let records = set.iter().chain(&kept).flat_map(|one| {
        one.rdatas.iter().map(|data| ParsedRecord::served(one.rtype, one.ttl, data))
    });
    let records = records.collect();
    Some((Edit { set }, records))
}

/// Whether two RRsets have the same records, in whatever order.
fn same_rdatas(a: &RrsetEdit, b: &RrsetEdit) -> bool {
    a.rdatas.len() == b.rdatas.len() && a.rdatas.iter().all(|data| b.rdatas.contains(data))
}

/// The RRsets that records make at a name, in the order of their types; the first TTL counts for
/// all of a type.
pub fn rrsets<'a>(owner: &Name, records: impl Iterator<Item = &'a ParsedRecord>) -> Vec<RrsetEdit> {
    let mut sets: BTreeMap<Rtype, RrsetEdit> = BTreeMap::new();
    for record in records {
        let set = sets.entry(record.rtype()).or_insert_with(|| RrsetEdit {
            owner: owner.clone(),
            rtype: record.rtype(),
            ttl: record.ttl(),
            rdatas: Vec::new(),
        });
        if !set.rdatas.iter().any(|rdata| **rdata == *record.rdata()) {
            set.rdatas.push(record.rdata().into());
        }
    }
    sets.into_values().collect()
}

/// The types served at a name that may be taken out.
fn served_types(owner: &Name, zone: &Zone) -> Vec<Rtype> {
    let node = zone.node(owner.as_ref());
    let types = node.into_iter().flat_map(|node| node.rrsets()).map(|set| set.rtype());
    types.filter(|rtype| !OWN_TYPES.contains(rtype)).collect()
}

/// What is served at a name, as records of a request.
pub fn served_records(owner: &Name, zone: &Zone) -> Vec<ParsedRecord> {
    let node = zone.node(owner.as_ref());
    let sets = node.into_iter().flat_map(|node| node.rrsets());
    let sets = sets.filter(|set| !OWN_TYPES.contains(&set.rtype()));
    sets.flat_map(|set| set.rdatas().map(move |data| (set.rtype(), set.ttl(), data)))
        .map(|(rtype, ttl, data)| ParsedRecord::served(rtype, ttl, data))
        .collect()
}
