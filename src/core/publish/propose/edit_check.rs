//! Checks an edit by the rules of `check`, but only where it can have an effect: at the edited names,
//! below a cut or DNAME that it adds, and at names that point to a removed address.

use std::collections::BTreeSet;

use super::judge;
use crate::check::{self, ZoneFault};
use crate::master::{Finding, Severity};
use crate::publish::state::{Edit, ZoneSource};
use crate::wire::{Name, NameRef, Rtype, TTL_MAX, rdata};
use crate::zone::{NodeRef, Zone};

/// Octets an edited RRset may have, so that it fits into a message with its question.
const RRSET_OCTETS_MAX: usize = 65_000;
/// Octets of a record besides owner and RDATA.
const RECORD_OCTETS: usize = 12;

//------------ Form ----------------------------------------------------------

/// Faults of the edit by itself, whatever the zone holds.
pub(crate) fn check_form(edit: &Edit, apex: NameRef<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for set in &edit.set {
        let at = format!("{} {}", set.owner, set.rtype);
        let mut error = |rule, message| found.push(fault(rule, message));
        if !seen.insert((&set.owner, set.rtype)) {
            error("edit-twice", format!("{at}: the RRset is in the edit twice"));
        }
        if !set.owner.as_ref().is_at_or_below(apex) {
            error("out-of-zone", format!("{at}: the name is not in the zone {apex}"));
        }
        if is_reserved(set.rtype) {
            error("edit-type", format!("{at}: edits cannot contain records of this type"));
        }
        if set.ttl > TTL_MAX {
            error("bad-ttl", format!("{at}: a TTL is at most {TTL_MAX} seconds"));
        }
        if set.rdatas.iter().collect::<BTreeSet<_>>().len() != set.rdatas.len() {
            error("duplicate-record", format!("{at}: a record is in the RRset twice"));
        }
        let octets: usize = set.rdatas.iter().map(|rdata| rdata.len() + RECORD_OCTETS).sum();
        if octets > RRSET_OCTETS_MAX {
            error("rrset-too-large", format!("{at}: the RRset does not fit into a message"));
        }
        for data in &set.rdatas {
            if let Err(why) = rdata::check(set.rtype, data) {
                error("bad-rdata", format!("{at}: {why}"));
            }
        }
    }
    found
}

/// Types that are the server's own or no data at all.
fn is_reserved(rtype: Rtype) -> bool {
    let own =
        [Rtype::SOA, Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM, Rtype::ZONEMD];
    rtype.is_meta() || own.contains(&rtype)
}

/// An error without a place: an edit is in no file.
fn fault(rule: &'static str, message: String) -> Finding {
    Finding { rule, severity: Severity::Error, place: None, message, hint: None }
}

//------------ Effect --------------------------------------------------------

/// Findings that the zone has after a change at `touched` and had not before.
pub(crate) fn check_effect(
    source: &ZoneSource,
    before: &Zone,
    after: &Zone,
    touched: &BTreeSet<&Name>,
) -> Vec<Finding> {
    let mut owners: Vec<Name> = touched.iter().map(|name| (*name).clone()).collect();
    owners.extend(pointing_at_lost_hosts(before, after, touched));
    let known = check::around(before, &owners);
    let brought = check::around(after, &owners).into_iter().filter(|one| !known.contains(one));
    let level = judge::level(source);
    brought.map(|one: ZoneFault| one.finding(&level, None)).collect()
}

/// Names of an edit at which nothing is ever answered. A zone file may have such records, with a
/// warning; a promise may not.
pub(crate) fn check_occluded(after: &Zone, touched: &BTreeSet<&Name>) -> Vec<Finding> {
    let hidden = touched.iter().filter_map(|owner| {
        let cut = hidden_by(after, owner)?;
        let message =
            format!("{owner}: below the zone cut {cut} and no glue, so it is never answered");
        Some(fault("edit-occluded", message))
    });
    hidden.collect()
}

/// The cut that makes records at a name invisible, if they are no glue for it.
fn hidden_by(zone: &Zone, owner: &Name) -> Option<Name> {
    let found = zone.lookup(owner.as_ref());
    let node = found.exact().filter(|node| !node.is_empty_non_terminal())?;
    let cut = found.cut().filter(|cut| cut.owner() != node.owner())?;
    let mut hosts = cut.rrset(Rtype::NS)?.targets();
    (!hosts.any(|host| host == owner.as_ref())).then(|| cut.owner().to_name())
}

/// Owners of records that point at a name whose last address goes. Only taking out addresses makes a
/// walk over the whole zone necessary.
fn pointing_at_lost_hosts(before: &Zone, after: &Zone, touched: &BTreeSet<&Name>) -> Vec<Name> {
    let has = |zone: &Zone, name: &Name| zone.node(name.as_ref()).is_some_and(has_address);
    let lost: BTreeSet<&Name> =
        touched.iter().copied().filter(|name| has(before, name) && !has(after, name)).collect();
    if lost.is_empty() {
        return Vec::new();
    }
    let points = |node: &NodeRef<'_>| {
        node.rrsets().any(|set| {
            let alias = (set.rtype() == Rtype::CNAME)
                .then(|| NameRef::from_wire(set.first()).ok())
                .flatten()
                .map(|(name, _)| name);
            set.targets().chain(alias).any(|host| lost.iter().any(|name| name.as_ref() == host))
        })
    };
    after.nodes().filter(points).map(|node| node.owner().to_name()).collect()
}

/// Whether a node has an address.
fn has_address(node: NodeRef<'_>) -> bool {
    node.rrset(Rtype::A).is_some() || node.rrset(Rtype::AAAA).is_some()
}
