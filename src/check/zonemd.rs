//! The digest of a whole zone (RFC 8976): whether the zone is complete and unchanged.

use ring::digest::{Context, SHA384, SHA512};

use super::{Fault, Rule, records};
use crate::wire::{Class, Rtype, rdata};
use crate::zone::{NodeRef, Zone};

/// The one scheme: every record in canonical order.
const SCHEME_SIMPLE: u8 = 1;

/// Compares the ZONEMD records at the apex, if there are any, with the zone as it was read. Records
/// merged later are none of the maker's business, so this is asked before they are.
pub fn zonemd(zone: &Zone) -> Vec<Fault> {
    let apex = zone.apex_node();
    let Some(set) = apex.rrset(Rtype::ZONEMD) else { return Vec::new() };
    let mut faults = Vec::new();
    let (mut known, mut matched) = (false, false);
    let mut kinds = Vec::new();
    for record in records(apex, set) {
        let [s0, s1, s2, s3, scheme, hash, expected @ ..] = record.rdata else { continue };
        if kinds.contains(&(*scheme, *hash)) {
            let message =
                format!("there is more than one ZONEMD of scheme {scheme} and hash {hash}");
            faults.push(Fault::of(record, Rule::ZonemdTwice, message));
        }
        kinds.push((*scheme, *hash));
        let context = match (*scheme, *hash) {
            (SCHEME_SIMPLE, 1) => Context::new(&SHA384),
            (SCHEME_SIMPLE, 2) => Context::new(&SHA512),
            _ => {
                let message = format!("ZONEMD of scheme {scheme} and hash {hash}");
                faults.push(Fault::of(record, Rule::ZonemdScheme, message));
                continue;
            }
        };
        known = true;
        let serial = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
        matched |= serial == zone.serial() && digest(zone, context) == expected;
    }
    if known && !matched {
        let message = "the ZONEMD digest or serial is not that of the zone".to_owned();
        faults.push(Fault::at(Rule::ZonemdWrong, zone.apex(), Rtype::ZONEMD, message));
    }
    faults
}

/// The digest over all records but ZONEMD at the apex and its signatures.
fn digest(zone: &Zone, mut context: Context) -> Vec<u8> {
    let mut nodes: Vec<NodeRef<'_>> = zone.nodes().chain(zone.nsec3_nodes()).collect();
    nodes.sort_by(|a, b| a.owner().cmp(&b.owner()));
    for node in nodes {
        let owner = node.owner().to_lowercase();
        let mut records: Vec<_> = node
            .records()
            .filter(|record| !(node.is_apex() && is_zonemd(record.rtype, record.rdata)))
            .map(|record| {
                (record.rtype.0, rdata::canonical(record.rtype, record.rdata), record.ttl)
            })
            .collect();
        records.sort();
        records.dedup();
        for (rtype, rdata, ttl) in records {
            context.update(owner.wire());
            context.update(&rtype.to_be_bytes());
            context.update(&Class::IN.0.to_be_bytes());
            context.update(&ttl.to_be_bytes());
            // RDATA of a record in a zone has at most 65,535 octets.
            context.update(&(rdata.len() as u16).to_be_bytes());
            context.update(&rdata);
        }
    }
    context.finish().as_ref().to_vec()
}

/// Whether a record is ZONEMD or signs it.
fn is_zonemd(rtype: Rtype, rdata: &[u8]) -> bool {
    rtype == Rtype::ZONEMD
        || rtype == Rtype::RRSIG && rdata.starts_with(&Rtype::ZONEMD.0.to_be_bytes())
}
