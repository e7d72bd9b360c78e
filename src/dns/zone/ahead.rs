//! Looks for many names at once, ahead of the look-ups that answer: what those read is then in the processor's caches.
//!
//! A look-up among a million names waits for memory again and again, each time for what tells it where to look next.
//! Here all names of a batch take a step each, in turn, so that they wait together. Few names stay in the caches
//! anyway, and looking for them twice only costs time ([`ZoneSet::is_large`]).

use std::array::from_fn;

use super::contents::Zone;
use super::node::NodeRef;
use super::set::ZoneSet;
use super::trie::{Descent, Spotted};
use crate::wire::NameRef;

/// Names that are looked for at once.
pub const AHEAD_MAX: usize = 64;

/// Looks for names; what is found of each is at its place. Names behind [`AHEAD_MAX`] are left out.
pub fn look_ahead<'z, 'q>(
    zones: &'z ZoneSet,
    names: impl Iterator<Item = Option<NameRef<'q>>>,
) -> [Option<Near<'z>>; AHEAD_MAX] {
    let mut of = [None; AHEAD_MAX];
    of.iter_mut().zip(names).for_each(|(to, name)| *to = name);
    let found = zones_of(zones, &of);
    let mut descents: [Option<Descent<'z>>; AHEAD_MAX] =
        from_fn(|at| found[at].zip(of[at]).and_then(|(zone, name)| zone.descent(name)));
    while descents.iter_mut().flatten().fold(false, |going, one| one.step() | going) {}
    from_fn(|at| {
        let node = descents[at].as_ref().and_then(Descent::spotted)?;
        found[at].map(|zone| Near { zone, node })
    })
}

/// The zones of names.
fn zones_of<'z>(
    zones: &'z ZoneSet,
    names: &[Option<NameRef<'_>>; AHEAD_MAX],
) -> [Option<&'z Zone>; AHEAD_MAX] {
    let are_many = zones.is_of_many();
    if are_many {
        names.iter().flatten().for_each(|name| zones.fetch(*name));
    }
    let guessed: [_; AHEAD_MAX] = from_fn(|at| zones.guess(names[at]?));
    if are_many {
        guessed.iter().flatten().for_each(|(zone, _)| zone.fetch());
        guessed.iter().flatten().for_each(|(zone, _)| zone.fetch_apex());
    }
    // Another zone with the same hash is none of the name's: that is left to the look-up.
    guessed.map(|it| it.filter(|(zone, apex)| zone.apex() == *apex).map(|(zone, _)| zone))
}

//------------ Near ----------------------------------------------------------

/// What was found ahead of a look-up: most likely the node of the name.
#[derive(Clone, Copy)]
pub struct Near<'z> {
    /// The zone.
    zone: &'z Zone,
    /// Where in it the node would be.
    node: Spotted<'z>,
}

impl<'z> Near<'z> {
    /// The zone and the node of a name, if it is what was looked for and exists.
    pub fn of(self, name: NameRef<'_>) -> Option<(&'z Zone, NodeRef<'z>)> {
        let node = self.node.node().filter(|node| node.owner() == name)?;
        Some((self.zone, node))
    }
}
