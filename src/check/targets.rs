//! Rules about where records point.

use super::fault::Faults;
use super::{Fault, Rule, records};
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
            faults.push(Fault::of(record, Rule::TargetIsAddress, message));
        } else if leads_back(zone, record, target) {
            let message = format!("{} {rtype} leads back to its own name", record.owner);
            faults.push(Fault::of(record, Rule::AliasLoop, message));
        } else if is_host && target.is_at_or_below(zone.apex()) {
            host(zone, record, target, faults);
        } else if rtype == Rtype::CNAME
            && target.is_at_or_below(zone.apex())
            && !exists(zone, target)
        {
            let message = format!("{} is an alias of {target}, which does not exist", record.owner);
            faults.push(Fault::of(record, Rule::CnameTargetMissing, message));
        }
    }
}

/// Whether an alias ends where it began: a CNAME after some steps in this zone, a DNAME below itself.
fn leads_back(zone: &Zone, record: RecordRef<'_>, target: NameRef<'_>) -> bool {
    match record.rtype {
        Rtype::DNAME => target.is_at_or_below(record.owner),
        Rtype::CNAME => {
            let mut name = target.to_name();
            for _ in 0..ALIASES_MAX {
                if name.as_ref() == record.owner {
                    return true;
                }
                let Some(next) = next_alias(zone, name.as_ref()) else { return false };
                name = next;
            }
            false
        }
        _ => false,
    }
}

/// Where a CNAME at this name leads.
fn next_alias(zone: &Zone, name: NameRef<'_>) -> Option<Name> {
    let found = zone.lookup(name);
    let node = found.exact().or_else(|| found.wildcard())?;
    let target = node.rrset(Rtype::CNAME)?.first();
    rdata::names(Rtype::CNAME, target).next().map(|(_, name)| name.to_name())
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
            (Rule::TargetMissing, format!("{owner} {rtype} names {host}, which does not exist"))
        }
        Some(node) if node.rrset(Rtype::CNAME).is_some() => {
            (Rule::TargetCname, format!("{owner} {rtype} names {host}, which is a CNAME"))
        }
        Some(_) => return,
    };
    faults.push(Fault::of(record, rule, message));
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
