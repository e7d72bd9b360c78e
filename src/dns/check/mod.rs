//! Semantic checks of a whole candidate zone, before anything is live: every fault at once.
//!
//! [`zone`] walks a compiled [`Zone`] and returns [`ZoneFault`]s: which rule, which
//! owner and type. Their places in a file are found afterwards and only if there are any
//! ([`Locator`], fed by reading the file once more), so a good zone of a million names keeps no
//! places in memory. [`around`] checks only the names that an edit can affect.
//!
//! `master` reports faults in a record's text or RDATA. Nothing here reads files, clocks or sockets.
//! RFC 1034, 2181, 4034, 4592, 5155, 6672, 8976, 9471.

mod rules;

mod build;
mod fault;
mod file;
mod key;
mod locate;

mod delegation;
mod denial;
mod names;
mod signed;
mod targets;
mod validity;
mod values;
mod zonemd;

pub use build::{Built, build};
pub use fault::{Level, Which, ZoneFault};
pub use file::{Checked, Signer, file, judged, places};
pub use locate::Locator;
pub use rules::{Line, ZoneRule, rules, rules_as_table};
pub use validity::{Ending, ending, waiting};
pub use zonemd::zonemd;

use std::collections::BTreeMap;

use fault::Faults;

use crate::threads;
use crate::wire::{Name, NameRef, RecordRef};
use crate::zone::{BuildFault, NodeRef, Nodes, RrsetRef, Zone};

/// Names from which on a zone is checked by all processors. Few in tests, so that small zones are.
const MANY_NAMES: usize = if cfg!(test) { 8 } else { 1 << 16 };
/// Parts of a zone for each thread, as some take longer than others.
const PARTS_PER_THREAD: usize = 8;

/// Checks a whole zone. `now` is in seconds since 1970; `built` is what building it has shown.
pub fn zone(zone: &Zone, built: &[BuildFault], now: u32) -> Vec<ZoneFault> {
    let mut faults = content_faults(zone, built);
    signed::zone(zone, now, &mut faults);
    signed::signals(zone, &mut faults);
    denial::owners(zone, &mut faults);
    denial::zone(zone, &mut faults);
    faults.into_vec()
}

/// Checks what gapura is going to sign: all but signatures and proofs, which it has not yet.
fn content(zone: &Zone, built: &[BuildFault]) -> Vec<ZoneFault> {
    content_faults(zone, built).into_vec()
}

/// The rules about every name, signed or not.
fn content_faults(zone: &Zone, built: &[BuildFault]) -> Faults {
    let mut faults = Faults::default();
    built.iter().for_each(|fault| faults.push(ZoneFault::from(fault)));
    let hosts =
        || each_part(zone, |nodes| delegation::hosts(nodes)).into_iter().flatten().collect();
    let glue = delegation::Hosts::new(&hosts);
    values::soa(zone, &mut faults);
    names::apex(zone, &mut faults);
    let found = each_part(zone, |nodes| {
        let mut faults = Faults::default();
        nodes.for_each(|node| node_faults(zone, node, &glue, &mut faults));
        faults
    });
    found.into_iter().for_each(|more| faults.append(more));
    faults
}

/// Looks at all names, those of a large zone in parts and by all processors. Returns what was seen, in order.
fn each_part<T: Send>(zone: &Zone, look: impl Fn(Nodes<'_>) -> T + Sync) -> Vec<T> {
    let threads = if zone.name_count() < MANY_NAMES { 1 } else { threads::processors() };
    let parts = if threads < 2 { 1 } else { threads * PARTS_PER_THREAD };
    let parts = zone.nodes_in_parts(parts);
    threads::each(threads, parts.len(), || (), |(), at| look(parts[at].clone()))
}

/// Checks the names `owners`, those below them where they cut or redirect, the cuts above and the apex.
/// The caller knows what points at them.
pub fn around(zone: &Zone, owners: &[Name]) -> Vec<ZoneFault> {
    let mut faults = Faults::default();
    names::apex(zone, &mut faults);
    let mut nodes: BTreeMap<NameRef<'_>, NodeRef<'_>> = BTreeMap::new();
    for owner in owners {
        let found = zone.lookup(owner.as_ref());
        let here = found.exact();
        let opens = here.is_some_and(|node| node.is_cut() || node.has_dname());
        let below = opens.then(|| zone.below(owner.as_ref())).into_iter().flatten();
        nodes.extend(here.into_iter().chain(found.cut()).chain(below).map(|n| (n.owner(), n)));
    }
    let hosts = || delegation::hosts(nodes.values().copied().chain([zone.apex_node()]));
    let glue = delegation::Hosts::new(&hosts);
    for node in nodes.values().copied() {
        node_faults(zone, node, &glue, &mut faults);
    }
    faults.into_vec()
}

/// All rules about one name.
fn node_faults(zone: &Zone, node: NodeRef<'_>, glue: &delegation::Hosts<'_>, faults: &mut Faults) {
    names::node(node, glue, faults);
    for set in node.rrsets() {
        values::rrset(zone, node, set, faults);
        targets::rrset(zone, node, set, faults);
        delegation::rrset(zone, node, set, faults);
    }
}

/// The records of an RRset without the signatures over it.
fn records<'a>(node: NodeRef<'a>, set: RrsetRef<'a>) -> impl Iterator<Item = RecordRef<'a>> {
    set.records(node.owner()).take(set.count())
}

#[cfg(test)]
mod tests;
