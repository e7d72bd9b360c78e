//! Back from a signed zone to its content.

use crate::dnssec::{CDS_DELETE, key_digest};
use crate::wire::{RecordRef, Rtype};
use crate::zone::{ApplyError, BuildFaultKind, RrsetRef, Zone, ZoneBuilder};

/// Whether records of a type are only there to prove something: they are made, never given.
pub fn is_proof(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::NSEC3PARAM)
}

/// Whether a record of a signed zone is made by signing it, our keys and what speaks of them aside. ZONEMD speaks
/// of all that is served, so one that the content has is replaced.
pub(super) fn is_made(is_apex: bool, rtype: Rtype) -> bool {
    is_proof(rtype) || is_apex && rtype == Rtype::ZONEMD
}

/// The content of a signed zone: without proofs, ZONEMD, and the keys that `is_ours` says of DNSKEY RDATA, with
/// their CDS and CDNSKEY. The wish that the parent remove all DS is ours, too (RFC 8078 §4).
pub fn strip(served: &Zone, is_ours: impl Fn(&[u8]) -> bool) -> Result<Zone, ApplyError> {
    let apex = served.apex();
    let keys = served.rrset(apex, Rtype::DNSKEY).into_iter().flat_map(RrsetRef::rdatas);
    let keys: Vec<&[u8]> = keys.filter(|key| is_ours(key)).collect();
    let speaks_of = |cds: &[u8]| match cds {
        [_, _, _, kind, digest @ ..] => {
            let is_of = |key: &&[u8]| key_digest(apex, key, *kind).is_some_and(|it| *it == *digest);
            *cds == CDS_DELETE || keys.iter().any(is_of)
        }
        _ => false,
    };
    let is_content = |record: &RecordRef<'_>| match record.rtype {
        _ if record.owner != apex => !is_proof(record.rtype),
        Rtype::DNSKEY => !is_ours(record.rdata),
        Rtype::CDNSKEY => !is_ours(record.rdata) && record.rdata.get(3) != Some(&0),
        Rtype::CDS => !speaks_of(record.rdata),
        rtype => !is_made(true, rtype),
    };
    let mut builder = ZoneBuilder::new(&apex.to_name());
    served.records().filter(is_content).for_each(|record| builder.push(record));
    match builder.finish() {
        (Some(zone), _) => Ok(zone),
        (None, faults) if faults.iter().any(|fault| fault.kind == BuildFaultKind::TwoSoas) => {
            Err(ApplyError::Soa)
        }
        (None, _) => Err(ApplyError::Soa),
    }
}
