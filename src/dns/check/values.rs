//! Rules about values: TTLs, timers, sizes, owners that are not host names, unknown tags.

use super::fault::Faults;
use super::{ZoneFault, ZoneRule, records};
use crate::wire::{NameRef, Rtype, rdata};
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Records an RRset may have without a word (cf. CVE-2024-1737).
const RRSET_RECORDS: usize = 100;
/// Seconds of a day and of a week.
const DAY: u32 = 86_400;
const WEEK: u32 = 7 * DAY;
/// Tags of CAA records that are registered.
const CAA_TAGS: [&str; 7] =
    ["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];

/// The numbers of the SOA record.
pub(super) fn soa(zone: &Zone, faults: &mut Faults) {
    let (soa, apex) = (zone.soa(), zone.apex());
    let mut tell =
        |rule, message: String| faults.push(ZoneFault::at(rule, apex, Rtype::SOA, message));
    if soa.retry >= soa.refresh {
        let message = format!("retry ({}) is not below refresh ({})", soa.retry, soa.refresh);
        tell(ZoneRule::SoaTimers, message);
    } else if u64::from(soa.expire) < u64::from(soa.refresh) + u64::from(soa.retry) {
        tell(
            ZoneRule::SoaTimers,
            format!("expire ({}) is below refresh and retry together", soa.expire),
        );
    } else if soa.expire < WEEK {
        tell(ZoneRule::SoaTimers, format!("expire ({}) is below a week", soa.expire));
    }
    let rdata = zone.apex_node().rrset(Rtype::SOA).map_or(&[][..], RrsetRef::first);
    let rname = rdata::names(Rtype::SOA, rdata).nth(1).map(|(_, name)| name);
    if let Some(rname) = rname.filter(|name| name.wire().contains(&b'@')) {
        let message = format!("the SOA's RNAME is {rname}: a mail address with an @ in it");
        tell(ZoneRule::AtSign, message);
    }
    if soa.minimum > DAY {
        tell(ZoneRule::MinimumLong, format!("the SOA's MINIMUM is {} seconds", soa.minimum));
    }
}

/// Size, TTL, owner and tags of an RRset.
pub(super) fn rrset(zone: &Zone, node: NodeRef<'_>, set: RrsetRef<'_>, faults: &mut Faults) {
    let (owner, rtype, ttl) = (node.owner(), set.rtype(), set.ttl());
    let mut tell = |rule, message: String| faults.push(ZoneFault::at(rule, owner, rtype, message));
    if set.count() > RRSET_RECORDS {
        tell(ZoneRule::RrsetLarge, format!("{owner} {rtype} has {} records", set.count()));
    }
    // Signers write NSEC3PARAM, which no resolver queries, with a TTL of 0.
    if ttl == 0 && rtype != Rtype::NSEC3PARAM {
        tell(ZoneRule::TtlZero, format!("{owner} {rtype} has a TTL of 0"));
    } else if ttl > WEEK {
        tell(ZoneRule::TtlLong, format!("{owner} {rtype} has a TTL of {ttl} seconds"));
    }
    match rtype {
        Rtype::A | Rtype::AAAA | Rtype::MX if !is_host_name(zone.apex(), owner) => {
            tell(
                ZoneRule::OwnerNotHost,
                format!("{owner} has {rtype} records and is no host name"),
            );
        }
        Rtype::SPF => tell(ZoneRule::SpfType, format!("{owner} has records of type SPF")),
        Rtype::CAA => {
            for record in records(node, set) {
                let tag = caa_tag(record.rdata).unwrap_or_default();
                if !is_known(tag) {
                    let tag = String::from_utf8_lossy(tag);
                    let message = format!("{owner} has a CAA record with the tag \"{tag}\"");
                    faults.push(ZoneFault::of(record, ZoneRule::CaaTag, message));
                }
            }
        }
        _ => {}
    }
}

/// The tag of a CAA record.
fn caa_tag(rdata: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*rdata.get(1)?);
    rdata.get(2..2 + length)
}

/// Whether a CAA tag is registered.
fn is_known(tag: &[u8]) -> bool {
    CAA_TAGS.iter().any(|known| tag.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether every label below the apex has letters, digits and inner hyphens only; a wildcard is left
/// alone. Every name of a large zone comes here.
fn is_host_name(apex: NameRef<'_>, name: NameRef<'_>) -> bool {
    let mut rest = &name.wire()[..name.wire().len().saturating_sub(apex.wire().len())];
    if name.is_wildcard() {
        rest = rest.get(2..).unwrap_or_default();
    }
    while let [length, after @ ..] = rest {
        let (label, after) = after.split_at(usize::from(*length).min(after.len()));
        let is_fine = label.first() != Some(&b'-')
            && label.last() != Some(&b'-')
            && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        if !is_fine {
            return false;
        }
        rest = after;
    }
    true
}
