//! Whether a zone is complete and unchanged, by the digest that came with it (RFC 8976 section 4).

use super::{ZoneFault, ZoneRule, records};
use crate::wire::Rtype;
use crate::zone::Zone;

/// Compares the ZONEMD records at the apex, if there are any, with the zone as it was read. Records
/// merged later are none of the maker's business, so this is asked before they are.
pub fn zonemd(zone: &Zone) -> Vec<ZoneFault> {
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
            faults.push(ZoneFault::of(record, ZoneRule::ZonemdTwice, message));
        }
        kinds.push((*scheme, *hash));
        let Some(digest) = zone.digest(*scheme, *hash) else {
            let message = format!("ZONEMD of scheme {scheme} and hash {hash}");
            faults.push(ZoneFault::of(record, ZoneRule::ZonemdScheme, message));
            continue;
        };
        known = true;
        let serial = u32::from_be_bytes([*s0, *s1, *s2, *s3]);
        matched |= serial == zone.serial() && *digest == *expected;
    }
    if known && !matched {
        let message = "the ZONEMD digest or serial is not that of the zone".to_owned();
        faults.push(ZoneFault::at(ZoneRule::ZonemdWrong, zone.apex(), Rtype::ZONEMD, message));
    }
    faults
}
