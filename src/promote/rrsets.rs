//! What a request asks for as an edit of the zone, and what a zone holds as records of a request.

use std::collections::BTreeMap;

use crate::publish::{Edit, RrsetEdit};
use crate::queue::{
    Fault, Kind, LiveRecord, ParsedApplication, ParsedRecord, RequestedRecord, Rule,
};
use crate::wire::{Name, Rtype, rdata};
use crate::zone::Zone;

/// Types at a name that belong to the zone and not to the request.
const OWN_TYPES: [Rtype; 6] =
    [Rtype::SOA, Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM, Rtype::ZONEMD];

/// The edit a request asks for, on the zone as served. `live` is the name's live record.
pub fn edit_of(
    application: &ParsedApplication,
    live: Option<&LiveRecord>,
    zone: &Zone,
) -> Result<Edit, Vec<Fault>> {
    let owner = &application.place().name;
    let wanted = match application.kind {
        Kind::New | Kind::Change => grouped(owner, application.rrs()),
        Kind::Suspend if application.lift => {
            rrsets(owner, live.map(|live| live.records.as_slice()).unwrap_or_default())?
        }
        Kind::Suspend | Kind::Remove => BTreeMap::new(),
    };
    Ok(match application.kind {
        Kind::New => Edit { set: wanted.into_values().collect() },
        Kind::Change | Kind::Suspend | Kind::Remove => replacing(owner, wanted, zone),
    })
}

/// The edit that takes everything out that is served at a name.
pub fn edit_out(owner: &Name, zone: &Zone) -> Edit {
    replacing(owner, BTreeMap::new(), zone)
}

/// The edit that puts these RRsets at a name, and takes out every other that is served there.
fn replacing(owner: &Name, mut wanted: BTreeMap<Rtype, RrsetEdit>, zone: &Zone) -> Edit {
    for rtype in served_types(owner, zone) {
        wanted.entry(rtype).or_insert_with(|| RrsetEdit {
            owner: owner.clone(),
            rtype,
            ttl: 0,
            rdatas: Vec::new(),
        });
    }
    Edit { set: wanted.into_values().collect() }
}

/// The RRsets that records make at a name; the first TTL counts for all of a type.
fn grouped<'a>(
    owner: &Name,
    records: impl Iterator<Item = &'a ParsedRecord>,
) -> BTreeMap<Rtype, RrsetEdit> {
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
    sets
}

/// The RRsets that records make at a name, one each type; the first TTL counts for all of a type.
pub fn request_rrsets(
    name: &str,
    records: &[RequestedRecord],
) -> Result<Vec<RrsetEdit>, Vec<Fault>> {
    Ok(rrsets(&owner(name)?, records)?.into_values().collect())
}

/// The owner name, or the fault that it is none.
fn owner(name: &str) -> Result<Name, Vec<Fault>> {
    name.parse().map_err(|_| vec![Fault::new("name", Rule::NameEmpty, name)])
}

/// Groups records by type and reads their text.
fn rrsets(
    owner: &Name,
    records: &[RequestedRecord],
) -> Result<BTreeMap<Rtype, RrsetEdit>, Vec<Fault>> {
    let mut sets: BTreeMap<Rtype, RrsetEdit> = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let field = format!("records.{index}.data");
        let Ok(rtype) = record.rtype.parse::<Rtype>() else {
            faults.push(Fault::new(format!("records.{index}.type"), Rule::BadData, &record.rtype));
            continue;
        };
        let root = Name::root();
        let rdata = match rdata::parse(rtype, record.data.as_bytes(), root.as_ref()) {
            Ok(rdata) => rdata.into_boxed_slice(),
            Err(error) => {
                faults.push(Fault::new(field, Rule::BadData, error.to_string()));
                continue;
            }
        };
        let set = sets.entry(rtype).or_insert_with(|| RrsetEdit {
            owner: owner.clone(),
            rtype,
            ttl: record.ttl,
            rdatas: Vec::new(),
        });
        if !set.rdatas.contains(&rdata) {
            set.rdatas.push(rdata);
        }
    }
    if faults.is_empty() { Ok(sets) } else { Err(faults) }
}

/// The types that stand at a name and may be taken out.
fn served_types(owner: &Name, zone: &Zone) -> Vec<Rtype> {
    let node = zone.node(owner.as_ref());
    let types = node.into_iter().flat_map(|node| node.rrsets()).map(|set| set.rtype());
    types.filter(|rtype| !OWN_TYPES.contains(rtype)).collect()
}

/// What stands at a name, as records of a request.
pub fn requested_records(owner: &Name, zone: &Zone) -> Vec<RequestedRecord> {
    let Some(node) = zone.node(owner.as_ref()) else { return Vec::new() };
    let mut records = Vec::new();
    for set in node.rrsets().filter(|set| !OWN_TYPES.contains(&set.rtype())) {
        records.extend(set.rdatas().map(|data| RequestedRecord {
            rtype: set.rtype().to_string(),
            data: rdata::to_text(set.rtype(), data),
            ttl: set.ttl(),
        }));
    }
    records
}
