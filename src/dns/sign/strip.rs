//! Back from a signed zone to its content.

use crate::dnssec::{CDNSKEY_DELETE, CDS_DELETE, key_digest};
use crate::wire::{NameRef, RecordRef, Rtype};
use crate::zone::{ApplyError, Zone, ZoneBuilder};

/// Whether records of a type are only there to prove something: they are made, never given.
pub fn is_proof(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::NSEC3 | Rtype::NSEC3PARAM)
}

/// Whether a record of a signed zone is made by signing it, our keys and what speaks of them aside. ZONEMD speaks
/// of all that is served, so one that the content has is replaced.
pub(super) fn is_made(is_apex: bool, rtype: Rtype) -> bool {
    is_proof(rtype) || is_apex && rtype == Rtype::ZONEMD
}

/// Whether records of a type, at the apex, are keys or speak of keys.
pub(super) fn is_of_keys(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::DNSKEY | Rtype::CDS | Rtype::CDNSKEY)
}

/// Whether a record of a signed zone is there because it is signed with `ours`, RDATA of DNSKEYs: a proof, the
/// ZONEMD, one of the keys, or a CDS or CDNSKEY that speaks of one. The wish that the parent remove all DS is ours,
/// too (RFC 8078 §4).
pub fn is_of_signing(apex: NameRef<'_>, ours: &[Box<[u8]>], record: RecordRef<'_>) -> bool {
    let (is_apex, rdata) = (record.owner == apex, record.rdata);
    let is_ours = || ours.iter().any(|key| **key == *rdata);
    match record.rtype {
        rtype if !is_apex || !is_of_keys(rtype) => is_made(is_apex, rtype),
        Rtype::DNSKEY => is_ours(),
        Rtype::CDNSKEY => is_ours() || *rdata == CDNSKEY_DELETE,
        _ => *rdata == CDS_DELETE || ours.iter().any(|key| speaks_of(rdata, apex, key)),
    }
}

/// Whether a CDS record speaks of a key.
fn speaks_of(cds: &[u8], apex: NameRef<'_>, key: &[u8]) -> bool {
    let [_, _, _, kind, digest @ ..] = cds else { return false };
    key_digest(apex, key, *kind).is_some_and(|own| *own == *digest)
}

/// The content of a zone that is signed with `ours`, RDATA of DNSKEYs. Keys of other signers stay (RFC 8901).
pub fn strip(served: &Zone, ours: &[Box<[u8]>]) -> Result<Zone, ApplyError> {
    let apex = served.apex();
    let can_be_made = |record: RecordRef<'_>| {
        is_of_keys(record.rtype) || is_made(record.owner == apex, record.rtype)
    };
    if !served.records().any(can_be_made) {
        return Ok(served.clone());
    }
    let mut builder = ZoneBuilder::new(&apex.to_name());
    let content = served.records().filter(|record| !is_of_signing(apex, ours, *record));
    content.for_each(|record| builder.push(record));
    builder.finish().0.ok_or(ApplyError::Soa)
}
