//! The times of the signatures of a zone that was signed elsewhere: when they end, and when those become
//! valid that are not (RFC 4034 §3.1.5). Times are in seconds modulo 2³², so only their order counts.

use std::collections::BTreeSet;

use super::key::Key;
use crate::dnssec::{Rrsig, Span};
use crate::wire::Rtype;
use crate::wire::has_reached;
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Lists of signatures that are waited for; a zone whose signatures all differ has more.
const WAITED_MAX: usize = 1000;

//------------ Ending --------------------------------------------------------

/// Which signatures of a zone are the first to end. Of each RRset the one that lasts longest counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ending {
    /// The one that ends first.
    pub first: Span,
    /// The one of which a quarter is left first.
    pub soonest: Span,
    /// When the newest of them begins.
    pub newest: u32,
}

/// When the signatures of a zone end; none if it has none.
pub fn ending(zone: &Zone) -> Option<Ending> {
    if !zone.is_signed() {
        return None;
    }
    let later = |a: Span, b: Span| if has_reached(a.until, b.until) { a } else { b };
    let keys = keys(zone);
    let longest = sets(zone).filter_map(|set| spans(&keys, set).reduce(later));
    longest.fold(None, |found: Option<Ending>, span| {
        let Some(Ending { first, soonest, newest }) = found else {
            return Some(Ending { first: span, soonest: span, newest: span.from });
        };
        let ends_before = has_reached(first.until, span.until);
        let warns_before = has_reached(soonest.last_quarter(), span.last_quarter());
        Some(Ending {
            first: if ends_before { span } else { first },
            soonest: if warns_before { span } else { soonest },
            newest: if has_reached(newest, span.from) { newest } else { span.from },
        })
    })
}

//------------ Waiting -------------------------------------------------------

/// The signatures of RRsets that have none that is valid now: once each list has one that is, time no
/// longer stands against the zone.
pub fn waiting(zone: &Zone, now: u32) -> Vec<Vec<Span>> {
    let (keys, mut lists) = (keys(zone), BTreeSet::new());
    for set in sets(zone) {
        let mut list: Vec<Span> = spans(&keys, set).collect();
        if !list.is_empty() && !list.iter().any(|span| span.contains(now)) {
            list.sort_unstable();
            lists.insert(list);
        }
        if lists.len() >= WAITED_MAX {
            break;
        }
    }
    lists.into_iter().collect()
}

/// The keys of a zone: tag and algorithm.
fn keys(zone: &Zone) -> BTreeSet<(u16, u8)> {
    let keys = zone.apex_node().rrset(Rtype::DNSKEY).into_iter().flat_map(RrsetRef::rdatas);
    keys.filter_map(Key::new).map(|key| (key.tag, key.algorithm)).collect()
}

/// The times of the signatures over an RRset by keys of the zone.
fn spans<'a>(
    keys: &'a BTreeSet<(u16, u8)>,
    set: RrsetRef<'a>,
) -> impl Iterator<Item = Span> + use<'a> {
    let signatures = set.signatures().filter_map(Rrsig::new);
    signatures.filter(|one| keys.contains(&(one.key_tag, one.algorithm))).map(|one| one.span)
}

/// The RRsets that are signed: not NS and glue at a cut, which are the child's.
fn sets(zone: &Zone) -> impl Iterator<Item = RrsetRef<'_>> {
    zone.nodes().chain(zone.nsec3_nodes()).flat_map(|node: NodeRef<'_>| {
        node.rrsets().filter(move |set: &RrsetRef<'_>| node.is_signed_here(set.rtype()))
    })
}
