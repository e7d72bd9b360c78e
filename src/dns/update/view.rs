//! A zone as clients of UPDATE see it: without the records that gapura puts in for itself.

use crate::wire::{Name, Rtype};
use crate::zone::{RrsetRef, Zone};

/// A zone without some RRsets.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The zone.
    pub zone: &'a Zone,
    /// Whether an RRset is not one of the zone's own.
    pub hides: fn(RrsetRef<'_>) -> bool,
}

impl<'a> View<'a> {
    /// The RRsets of a name, in order of their types.
    pub(super) fn rrsets(&self, owner: &Name) -> impl Iterator<Item = RrsetRef<'a>> {
        let hides = self.hides;
        let node = self.zone.node(owner.as_ref());
        node.into_iter().flat_map(|node| node.rrsets()).filter(move |set| !hides(*set))
    }

    /// The RRset of a name and type.
    pub(super) fn rrset(&self, owner: &Name, rtype: Rtype) -> Option<RrsetRef<'a>> {
        self.zone.rrset(owner.as_ref(), rtype).filter(|set| !(self.hides)(*set))
    }
}
