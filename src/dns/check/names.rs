//! Rules about a name: which records may share it, and which names may hold which records.

use memchr::memchr;

use super::delegation::Hosts;
use super::fault::Faults;
use super::{Which, ZoneFault, ZoneRule};
use crate::wire::Rtype;
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Types of one name: an answer looks through them one by one. A hundred or so are in use on the Internet.
const TYPES_MAX: usize = 1_000;

/// The apex has name servers.
pub(super) fn apex(zone: &Zone, faults: &mut Faults) {
    if zone.apex_node().rrset(Rtype::NS).is_none() {
        let message = format!("{} has no NS records", zone.apex());
        faults.push(ZoneFault::at(ZoneRule::NoNs, zone.apex(), Rtype::SOA, message));
    }
}

/// What is at one name.
pub(super) fn node(node: NodeRef<'_>, glue: &Hosts<'_>, faults: &mut Faults) {
    let owner = node.owner();
    let mut tell =
        |rule, rtype, message: String| faults.push(ZoneFault::at(rule, owner, rtype, message));
    // A length octet is at most 63, and @ is 64.
    if memchr(b'@', owner.wire()).is_some()
        && let Some(set) = node.rrsets().next()
    {
        tell(
            ZoneRule::AtSign,
            set.rtype(),
            format!("{owner} has an @ in it, which is no part of a name"),
        );
    }
    if let Some(set) = node.rrsets().nth(TYPES_MAX) {
        tell(
            ZoneRule::TypesTooMany,
            set.rtype(),
            format!("{owner} has more than {TYPES_MAX} types"),
        );
    }
    if node.is_below_dname() {
        if let Some(set) = node.rrsets().next() {
            tell(ZoneRule::BelowDname, set.rtype(), format!("{owner} stands below a DNAME"));
        }
        return;
    }
    let is_glue =
        |set: &RrsetRef<'_>| matches!(set.rtype(), Rtype::A | Rtype::AAAA) && glue.contains(owner);
    if node.is_below_cut() {
        if let Some(set) = node.rrsets().find(|set| !is_glue(set)) {
            let message =
                format!("{owner} {} stands below a delegation and is no glue", set.rtype());
            tell(ZoneRule::Occluded, set.rtype(), message);
        }
        // It is never part of an answer, but other servers refuse the zone.
        alone(node, faults);
        return;
    }
    // Nearly all names have none of these types.
    let rare = |rtype| matches!(rtype, Rtype::CNAME | Rtype::DNAME | Rtype::NS | Rtype::DS);
    if !node.rrsets().any(|set| rare(set.rtype())) {
        return;
    }
    let has = |rtype| node.rrset(rtype).is_some();
    alone(node, faults);
    if has(Rtype::CNAME) {
        return;
    }
    let mut tell =
        |rule, rtype, message: String| faults.push(ZoneFault::at(rule, owner, rtype, message));
    if node.is_cut() {
        let beside = |set: &RrsetRef<'_>| {
            let served = [Rtype::NS, Rtype::DS, Rtype::NSEC, Rtype::DNAME].contains(&set.rtype());
            !served && !is_glue(set)
        };
        if let Some(set) = node.rrsets().find(beside) {
            let message = format!("{owner} {} stands at a delegation and is no glue", set.rtype());
            tell(ZoneRule::Occluded, set.rtype(), message);
        }
    }
    if has(Rtype::DNAME) && has(Rtype::NS) && !node.is_apex() {
        tell(ZoneRule::NsBesideDname, Rtype::DNAME, format!("{owner} has both NS and DNAME"));
    }
    if has(Rtype::DS) && !node.is_cut() {
        tell(
            ZoneRule::DsNotAtCut,
            Rtype::DS,
            format!("{owner} has a DS record and is no delegation"),
        );
    }
    for rtype in [Rtype::NS, Rtype::DNAME] {
        if owner.is_wildcard() && has(rtype) {
            tell(ZoneRule::WildcardNs, rtype, format!("{rtype} at the wildcard {owner}"));
        }
    }
}

/// What there can be only one of: a CNAME, with nothing beside it, and a DNAME.
fn alone(node: NodeRef<'_>, faults: &mut Faults) {
    let owner = node.owner();
    if node.rrset(Rtype::CNAME).is_some() {
        cname(node, faults);
    } else if let Some(set) = node.rrset(Rtype::DNAME).filter(|set| set.count() > 1) {
        let message = format!("{owner} has {} DNAME records", set.count());
        faults.push(
            ZoneFault::at(ZoneRule::TwoDnames, owner, Rtype::DNAME, message).which(Which::Second),
        );
    }
}

/// A name with a CNAME: nothing but DNSSEC beside it, and only one.
fn cname(node: NodeRef<'_>, faults: &mut Faults) {
    let owner = node.owner();
    for set in node.rrsets() {
        match set.rtype() {
            Rtype::CNAME if set.count() > 1 => {
                let message = format!("{owner} has {} CNAME records", set.count());
                let fault = ZoneFault::at(ZoneRule::TwoCnames, owner, Rtype::CNAME, message);
                faults.push(fault.which(Which::Second));
            }
            Rtype::CNAME | Rtype::NSEC | Rtype::KEY => {}
            other => {
                let message = format!("{owner} has a CNAME and also {other}");
                faults.push(ZoneFault::at(ZoneRule::CnameOtherData, owner, other, message));
            }
        }
    }
}
