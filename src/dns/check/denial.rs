//! The chain that proves what does not exist: closed, over all names, with the types there are
//! (NSEC: RFC 4034 §4, NSEC3: RFC 5155 §7.1).

use std::collections::HashSet;

use super::fault::Faults;
use super::{ZoneFault, ZoneRule};
use crate::wire::{NameRef, Rtype, rdata};
use crate::zone::{NodeRef, Nsec3Params, RrsetRef, Zone, hash_of};

/// Hash rounds that a check may take; with more, only the ring itself is checked.
const ROUNDS_MAX: u64 = 20_000_000;

/// Looks at the chain of a signed zone.
pub(super) fn zone(zone: &Zone, faults: &mut Faults) {
    if !zone.is_signed() {
        return;
    }
    if zone.apex_node().rrset(Rtype::NSEC).is_some() {
        nsec(zone, faults);
    } else if let Some(params) = zone.nsec3_params() {
        nsec3(zone, params, faults);
    } else {
        let message = format!("{} is signed but has neither NSEC nor NSEC3PARAM", zone.apex());
        faults.push(ZoneFault::at(ZoneRule::NsecChain, zone.apex(), Rtype::SOA, message));
    }
}

/// Every owner of an NSEC3 is the hash of a name, right below the apex (RFC 5155 §3). Without signatures,
/// too.
pub(super) fn owners(zone: &Zone, faults: &mut Faults) {
    for node in zone.nsec3_nodes() {
        let owner = node.owner();
        if hash_of(owner).is_none() || owner.parent() != Some(zone.apex()) {
            let message =
                format!("{owner} NSEC3: the owner is no hash right below {}", zone.apex());
            faults.push(ZoneFault::at(ZoneRule::Nsec3Owner, owner, Rtype::NSEC3, message));
        }
    }
}

//------------ NSEC ----------------------------------------------------------

/// Every authoritative name has an NSEC that names the next one.
fn nsec(zone: &Zone, faults: &mut Faults) {
    let mut nodes = zone.nodes().filter(|node| node.is_in_nsec_chain()).peekable();
    while let Some(node) = nodes.next() {
        let owner = node.owner();
        let next = nodes.peek().map_or_else(|| zone.apex(), |next| next.owner());
        let mut tell = |rtype, message: String| {
            faults.push(ZoneFault::at(ZoneRule::NsecChain, owner, rtype, message));
        };
        let Some(set) = node.rrset(Rtype::NSEC) else {
            let rtype = node.rrsets().next().map_or(Rtype::NSEC, RrsetRef::rtype);
            tell(rtype, format!("{owner} has no NSEC record"));
            continue;
        };
        let Ok((said, used)) = NameRef::from_wire(set.first()) else { continue };
        if said != next {
            tell(Rtype::NSEC, format!("{owner} NSEC names {said} as the next, which is {next}"));
        } else if !rdata::types(&set.first()[used..]).eq(node.listed_types()) {
            tell(Rtype::NSEC, format!("{owner} NSEC lists other types than there are"));
        }
    }
}

//------------ NSEC3 ---------------------------------------------------------

/// The fields of NSEC3 RDATA that the chain is made of.
struct Link<'a> {
    /// The flags; 1 is opt-out.
    flags: u8,
    /// The hash of the next owner.
    next: &'a [u8],
    /// The type bitmap.
    bitmap: &'a [u8],
}

impl<'a> Link<'a> {
    /// The NSEC3 of a node that was made with the parameters.
    fn at(node: NodeRef<'a>, params: &Nsec3Params) -> Option<Self> {
        node.rrset(Rtype::NSEC3)?.rdatas().find_map(|rdata| {
            let [_, flags, high, low, octets, rest @ ..] = rdata else { return None };
            let (salt, rest) = rest.split_at_checked(usize::from(*octets))?;
            let (octets, rest) = rest.split_first()?;
            let (next, bitmap) = rest.split_at_checked(usize::from(*octets))?;
            let fits =
                u16::from_be_bytes([*high, *low]) == params.iterations && *salt == *params.salt;
            fits.then_some(Self { flags: *flags, next, bitmap })
        })
    }
}

/// The hashes form one ring, and every authoritative name has one.
fn nsec3(zone: &Zone, params: &Nsec3Params, faults: &mut Faults) {
    if params.iterations > 0 {
        let message = format!("NSEC3 uses {} extra iterations; use 0", params.iterations);
        faults.push(ZoneFault::at(
            ZoneRule::Nsec3Iterations,
            zone.apex(),
            Rtype::NSEC3PARAM,
            message,
        ));
    }
    let links = zone.nsec3_nodes();
    let links: Vec<(NodeRef<'_>, Link<'_>)> =
        links.filter_map(|node| Link::at(node, params).map(|link| (node, link))).collect();
    let mut text = String::new();
    for (at, (node, link)) in links.iter().enumerate() {
        let next = links[(at + 1) % links.len()].0.owner();
        text.clear();
        rdata::write_base32hex(link.next, &mut text);
        let label = next.labels().next().unwrap_or_default();
        if !label.eq_ignore_ascii_case(text.as_bytes()) {
            let owner = node.owner();
            let message = format!("{owner} NSEC3 names {text} as the next, which is {next}");
            faults.push(ZoneFault::at(ZoneRule::Nsec3Chain, owner, Rtype::NSEC3, message));
        }
    }
    let rounds = (u64::from(params.iterations) + 1).saturating_mul(zone.name_count() as u64);
    if rounds <= ROUNDS_MAX {
        let matched = hashed_names(zone, params, faults);
        // No two names have one hash: as many as there are links, and each link has its name.
        if matched < links.len() {
            strangers(zone, params, links.iter().map(|(node, _)| *node), faults);
        }
    }
}

/// The names that have to be in a chain of hashes or may be.
fn ours(zone: &Zone) -> impl Iterator<Item = NodeRef<'_>> {
    zone.nodes().filter(|node| node.is_in_nsec3_chain())
}

/// NSEC3 records of no name: a query for the name that was there gets no proof that it is gone.
fn strangers<'a>(
    zone: &'a Zone,
    params: &Nsec3Params,
    links: impl Iterator<Item = NodeRef<'a>>,
    faults: &mut Faults,
) {
    let found = ours(zone).filter_map(|node| zone.nsec3(&params.hash(node.owner())));
    let known: HashSet<NameRef<'_>> =
        found.filter(|found| found.matches).map(|found| found.node.owner()).collect();
    for owner in links.map(NodeRef::owner).filter(|owner| !known.contains(owner)) {
        let message = format!("{owner} NSEC3 stands for a name that is not there");
        faults.push(ZoneFault::at(ZoneRule::Nsec3Chain, owner, Rtype::NSEC3, message));
    }
}

/// Whether opt-out may leave a name out: an insecure delegation, or an empty non-terminal above nothing
/// else (RFC 5155 §7.1).
fn is_optional(zone: &Zone, node: NodeRef<'_>) -> bool {
    let is_insecure = |node: &NodeRef<'_>| node.is_cut() && node.rrset(Rtype::DS).is_none();
    let is_left = |node: NodeRef<'_>| {
        let is_occluded = node.is_below_cut() || node.is_below_dname();
        is_occluded || node.is_empty_non_terminal() || is_insecure(&node)
    };
    let is_empty = node.is_empty_non_terminal();
    is_insecure(&node) || is_empty && zone.below(node.owner()).all(is_left)
}

/// Every authoritative name has an NSEC3 record that lists its types. Returns how many have one.
fn hashed_names(zone: &Zone, params: &Nsec3Params, faults: &mut Faults) -> usize {
    let mut matched = 0;
    for node in ours(zone) {
        let owner = node.owner();
        let nearest = zone.nsec3(&params.hash(owner)).and_then(|found| {
            Some((found.matches, found.node.owner(), Link::at(found.node, params)?))
        });
        matched += usize::from(nearest.as_ref().is_some_and(|(matches, ..)| *matches));
        let (at, rtype, message) = match nearest {
            Some((true, _, link)) if rdata::types(link.bitmap).eq(node.listed_types()) => continue,
            Some((true, hashed, _)) => {
                let message = format!("the NSEC3 of {owner} lists other types than there are");
                (hashed, Rtype::NSEC3, message)
            }
            Some((false, _, link)) if link.flags & 1 == 1 && is_optional(zone, node) => continue,
            _ => match node.rrsets().next() {
                Some(set) => (owner, set.rtype(), format!("{owner} has no NSEC3 record")),
                None => {
                    let message = format!("the empty non-terminal {owner} has no NSEC3 record");
                    (zone.apex(), Rtype::NSEC3PARAM, message)
                }
            },
        };
        faults.push(ZoneFault::at(ZoneRule::Nsec3Chain, at, rtype, message));
    }
    matched
}
