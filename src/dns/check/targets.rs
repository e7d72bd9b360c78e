//! Rules about where records point.

use super::fault::Faults;
use super::{ZoneFault, ZoneRule, records};
use crate::wire::{Name, NameRef, RecordRef, Rtype, rdata};
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Aliases that are followed: more than a resolver follows.
const ALIASES_MAX: usize = 16;

/// The targets of CNAME, MX, SRV, SVCB, HTTPS and NS.
pub(super) fn rrset(zone: &Zone, node: NodeRef<'_>, set: RrsetRef<'_>, faults: &mut Faults) {
    let rtype = set.rtype();
    let is_alias = matches!(rtype, Rtype::CNAME | Rtype::DNAME | Rtype::PTR);
    let is_host = matches!(rtype, Rtype::MX | Rtype::SRV | Rtype::SVCB | Rtype::HTTPS);
    let has_target = is_alias || is_host || rtype == Rtype::NS;
    if !has_target || node.is_below_cut() || node.is_below_dname() {
        return;
    }
    for record in records(node, set) {
        let target = rdata::names(rtype, record.rdata).next().map(|(_, name)| name);
        let Some(target) = target.filter(|target| !target.is_root()) else { continue };
        if looks_like_address(target) {
            let owner = record.owner;
            let message = format!("{owner} {rtype} names {target}, which looks like an address");
            faults.push(ZoneFault::of(record, ZoneRule::TargetIsAddress, message));
        } else if can_lead_back(record) && leads_back(zone, record, target) {
            let message = format!("{} {rtype} leads back to its own name", record.owner);
            faults.push(ZoneFault::of(record, ZoneRule::AliasLoop, message));
        } else if is_host && target.is_at_or_below(zone.apex()) {
            host(zone, record, target, faults);
        } else if rtype == Rtype::CNAME
            && target.is_at_or_below(zone.apex())
            && !exists(zone, target)
        {
            let message = format!("{} is an alias of {target}, which does not exist", record.owner);
            faults.push(ZoneFault::of(record, ZoneRule::CnameTargetMissing, message));
        }
    }
}

/// Whether a record is an alias: CNAME, DNAME, or SVCB and HTTPS of priority 0 (RFC 9460 §2.4.2).
fn can_lead_back(record: RecordRef<'_>) -> bool {
    match record.rtype {
        Rtype::CNAME | Rtype::DNAME => true,
        Rtype::SVCB | Rtype::HTTPS => record.rdata.starts_with(&[0, 0]),
        _ => false,
    }
}

/// Whether an alias ends where it began, after some steps in this zone.
fn leads_back(zone: &Zone, record: RecordRef<'_>, target: NameRef<'_>) -> bool {
    let mut name = target.to_name();
    for _ in 0..ALIASES_MAX {
        if !name.as_ref().is_at_or_below(zone.apex()) {
            return false;
        }
        let is_back = match record.rtype {
            // All names below it are redirected, so it is enough to end among them.
            Rtype::DNAME => name.as_ref().is_at_or_below(record.owner),
            _ => name.as_ref() == record.owner,
        };
        if is_back {
            return true;
        }
        let next = match record.rtype {
            Rtype::CNAME => next_alias(zone, name.as_ref()),
            Rtype::DNAME => redirected(zone, name.as_ref(), true),
            rtype => next_service(zone, name.as_ref(), rtype),
        };
        let Some(next) = next else { return false };
        name = next;
    }
    false
}

/// Where a CNAME at this name, or a DNAME above it, leads.
fn next_alias(zone: &Zone, name: NameRef<'_>) -> Option<Name> {
    let found = zone.lookup(name);
    if found.dname().is_some() {
        return redirected(zone, name, false);
    }
    let node = found.exact().or_else(|| found.wildcard())?;
    let target = node.rrset(Rtype::CNAME)?.first();
    rdata::names(Rtype::CNAME, target).next().map(|(_, name)| name.to_name())
}

/// Where a DNAME above a name, or at it if `itself`, leads the name or those below it.
fn redirected(zone: &Zone, name: NameRef<'_>, itself: bool) -> Option<Name> {
    let found = zone.lookup(name);
    let own = found.exact().filter(|node| itself && node.has_dname());
    let node = found.dname().or(own)?;
    let (_, target) = rdata::names(Rtype::DNAME, node.rrset(Rtype::DNAME)?.first()).next()?;
    let prefix = name.wire().len().checked_sub(node.owner().wire().len())?;
    let wire = [&name.wire()[..prefix], target.wire()].concat();
    Name::from_wire(&wire).ok().map(|(name, _)| name)
}

/// Where an alias of SVCB or HTTPS at this name leads.
fn next_service(zone: &Zone, name: NameRef<'_>, rtype: Rtype) -> Option<Name> {
    let found = zone.lookup(name);
    let node = found.exact().or_else(|| found.wildcard())?;
    let mut targets = node.rrset(rtype)?.service_targets();
    targets.find(|(is_alias, _)| *is_alias).map(|(_, target)| target.to_name())
}

/// A host exists and is no alias.
fn host(zone: &Zone, record: RecordRef<'_>, host: NameRef<'_>, faults: &mut Faults) {
    let (owner, rtype) = (record.owner, record.rtype);
    let found = zone.lookup(host);
    if found.cut().is_some() || found.dname().is_some() {
        return;
    }
    let (rule, message) = match found.exact().or_else(|| found.wildcard()) {
        None => {
            (ZoneRule::TargetMissing, format!("{owner} {rtype} names {host}, which does not exist"))
        }
        Some(node) if node.rrset(Rtype::CNAME).is_some() => {
            (ZoneRule::TargetCname, format!("{owner} {rtype} names {host}, which is a CNAME"))
        }
        Some(_) => return,
    };
    faults.push(ZoneFault::of(record, rule, message));
}

/// Whether a name in the zone answers: it exists, a wildcard does, or another server is responsible.
fn exists(zone: &Zone, name: NameRef<'_>) -> bool {
    let found = zone.lookup(name);
    found.exact().is_some()
        || found.cut().is_some()
        || found.dname().is_some()
        || found.wildcard().is_some()
}

/// Whether the first four labels are numbers as in an IPv4 address. Names of reverse zones begin so too
/// and are left alone.
fn looks_like_address(name: NameRef<'_>) -> bool {
    let number = |label: &[u8]| {
        label.len() <= 3
            && label.iter().all(u8::is_ascii_digit)
            && label.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')) <= 255
    };
    let mut labels = name.labels();
    let numbers = labels.by_ref().take(4).filter(|label| number(label)).count() == 4;
    numbers && !name.labels().any(|label| label.eq_ignore_ascii_case(b"arpa"))
}
