//! The names a query passes through: the QNAME, then the target of each CNAME or DNAME.

use super::put::Owner;
use crate::wire::{NAME_OCTETS_MAX, NameRef, POINTER_MAX};

/// Longest chain of CNAMEs and DNAMEs that is followed; NSD's cap.
pub(crate) const CHAIN_MAX: usize = 18;

//------------ Chain ---------------------------------------------------------

/// The names of one query's chain. Kept between queries, so that none allocates.
pub(crate) struct Chain {
    /// The names, one after the other in places of the same size.
    names: [[u8; NAME_OCTETS_MAX]; CHAIN_MAX + 1],
    /// Octets of each name.
    octets: [u8; CHAIN_MAX + 1],
    /// Where each name is in the message; 0 where no pointer can reach.
    offsets: [u16; CHAIN_MAX + 1],
    /// Octets of the DNAME owner at the end of each name that was redirected by one; else 0.
    redirected: [u8; CHAIN_MAX + 1],
    /// The number of names.
    count: usize,
}

impl Chain {
    /// An empty chain.
    pub(crate) fn new() -> Self {
        Self {
            names: [[0; NAME_OCTETS_MAX]; CHAIN_MAX + 1],
            octets: [0; CHAIN_MAX + 1],
            offsets: [0; CHAIN_MAX + 1],
            redirected: [0; CHAIN_MAX + 1],
            count: 0,
        }
    }

    /// Forgets all names.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// The name at `index`, the first if there is none.
    pub(crate) fn name(&self, index: usize) -> NameRef<'_> {
        let index = index.min(CHAIN_MAX);
        NameRef::from_checked(&self.names[index][..usize::from(self.octets[index])])
    }

    /// The first name; `None` if there is none.
    pub(crate) fn first(&self) -> Option<NameRef<'_>> {
        (self.count > 0).then(|| self.name(0))
    }

    /// The index of the last name.
    pub(crate) fn last(&self) -> usize {
        self.count.saturating_sub(1)
    }

    /// The name at `index` as the owner of records.
    pub(crate) fn owner(&self, index: usize) -> Owner<'_> {
        match self.offsets[index.min(CHAIN_MAX)] {
            0 => Owner::Spelled(self.name(index)),
            offset => Owner::At(offset),
        }
    }

    /// Whether another name finds a place.
    pub(crate) fn is_full(&self) -> bool {
        self.count > CHAIN_MAX
    }

    /// Adds a name that is at `offset` of the message. The caller has seen that it finds a place.
    pub(crate) fn push(&mut self, name: NameRef<'_>, offset: usize) {
        let wire = name.wire();
        let place = self.count.min(CHAIN_MAX);
        self.names[place][..wire.len()].copy_from_slice(wire);
        self.octets[place] = wire.len() as u8;
        self.offsets[place] = if offset <= POINTER_MAX { offset as u16 } else { 0 };
        self.redirected[place] = 0;
        self.count = place + 1;
    }

    /// Notes that the last name is redirected by the DNAME at `owner`. Returns whether an earlier
    /// name was so too, and the DNAME is in the answer already.
    pub(crate) fn note_redirect(&mut self, owner: NameRef<'_>) -> bool {
        let octets = owner.wire().len();
        self.redirected[self.last()] = octets as u8;
        (0..self.last()).any(|index| {
            let name = self.name(index).wire();
            usize::from(self.redirected[index]) == octets
                && name[name.len() - octets..].eq_ignore_ascii_case(owner.wire())
        })
    }

    /// Whether `name` is already part of the chain: a loop.
    pub(crate) fn holds(&self, name: NameRef<'_>) -> bool {
        (0..self.count).any(|index| self.name(index) == name)
    }

    /// Puts into `room` the last name with `owner` at its end replaced by `target` (RFC 6672 §2.2).
    /// `None` if the result is longer than 255 octets.
    pub(crate) fn substitute<'r>(
        &self,
        owner: NameRef<'_>,
        target: NameRef<'_>,
        room: &'r mut [u8; NAME_OCTETS_MAX],
    ) -> Option<NameRef<'r>> {
        let name = self.name(self.last()).wire();
        let prefix = &name[..name.len().checked_sub(owner.wire().len())?];
        let octets = prefix.len() + target.wire().len();
        let place = room.get_mut(..octets)?;
        place[..prefix.len()].copy_from_slice(prefix);
        place[prefix.len()..].copy_from_slice(target.wire());
        Some(NameRef::from_checked(&room[..octets]))
    }
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..self.count).map(|index| self.name(index))).finish()
    }
}
