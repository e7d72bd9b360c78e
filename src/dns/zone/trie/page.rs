//! A leaf of the trie: the nodes of consecutive names in one allocation.
//!
//! ```text
//! page    nodes u16 · octets that all their keys share u16
//!         a table of slots: fingerprint of a name u16 · where its node starts u16; 0 for an empty slot
//!         in canonical order, for each node: four octets of its key behind what all share u32 · start u16
//!         nodes
//! ```
//!
//! A name that exists is found through the table: of a page that is not in the processor's caches,
//! one line of the table and the node itself are read. Order needs a binary search, in which the four
//! octets spare most looks at nodes. Numbers are little-endian. `page_writer.rs` makes pages.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::wire::NameRef;
use crate::zone::key;
use crate::zone::node::NodeRef;

/// Octets before the table.
pub(super) const HEAD_OCTETS: usize = 4;
/// Octets of a slot of the table.
pub(super) const SLOT_OCTETS: usize = 4;
/// Octets of a place in the order.
pub(super) const PLACE_OCTETS: usize = 6;

//------------ Page ----------------------------------------------------------

/// Nodes in canonical order, at least one.
#[derive(Clone)]
pub(super) struct Page {
    /// The octets.
    pub(super) bytes: Arc<[u8]>,
    /// Slots of the table, a power of two; kept here so that a look into the table is the first one.
    pub(super) slots: u16,
}

impl Page {
    /// The number of nodes.
    pub(super) fn count(&self) -> usize {
        usize::from(self.number(0))
    }

    /// How many octets the page has.
    pub(super) fn octets(&self) -> usize {
        self.bytes.len()
    }

    /// Whether both are the same page in memory.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    /// The node at a position.
    pub(super) fn node(&self, at: usize) -> Option<NodeRef<'_>> {
        (at < self.count()).then(|| self.node_from(self.number(self.place(at) + 4)))?
    }

    /// The first node.
    pub(super) fn first(&self) -> Option<NodeRef<'_>> {
        self.node(0)
    }

    /// The last node.
    pub(super) fn last(&self) -> Option<NodeRef<'_>> {
        self.node(self.count() - 1)
    }

    /// All nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        (0..self.count()).filter_map(|at| self.node(at))
    }

    /// The node of a name, given the name's hash.
    #[inline]
    pub(super) fn find(&self, name: NameRef<'_>, hash: u64) -> Option<NodeRef<'_>> {
        let print = fingerprint(hash);
        let mut slot = usize::from(print);
        for _ in 0..self.slots {
            slot &= usize::from(self.slots) - 1;
            let at = HEAD_OCTETS + SLOT_OCTETS * slot;
            let start = self.number(at + 2);
            if start == 0 {
                return None;
            }
            if self.number(at) == print {
                let node = self.node_from(start).filter(|node| node.owner() == name);
                if node.is_some() {
                    return node;
                }
            }
            slot += 1;
        }
        None
    }

    /// Where the node with a key is, or would be.
    pub(super) fn position(&self, key: &[u8], apex_octets: usize) -> Result<usize, usize> {
        let shared = usize::from(self.number(2));
        if shared > 0 {
            // What all keys share may be more than what led to this page.
            let Some(first) = self.first() else { return Err(0) };
            let octets = key.len().min(shared);
            match key::with(first.owner(), apex_octets, |first| key[..octets].cmp(&first[..octets]))
            {
                Ordering::Less => return Err(0),
                Ordering::Greater => return Err(self.count()),
                Ordering::Equal if octets < shared => return Err(0),
                Ordering::Equal => {}
            }
        }
        let window = window(key, shared);
        let (mut low, mut high) = (0, self.count());
        while low < high {
            let middle = (low + high) / 2;
            let place = self.place(middle);
            let other = u32::from(self.number(place + 2)) << 16 | u32::from(self.number(place));
            let order = other.cmp(&window).then_with(|| match self.node(middle) {
                Some(node) => key::with(node.owner(), apex_octets, |other| other.cmp(key)),
                None => Ordering::Equal,
            });
            match order {
                Ordering::Less => low = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// The node that starts there.
    #[inline]
    fn node_from(&self, start: u16) -> Option<NodeRef<'_>> {
        NodeRef::first_of(self.bytes.get(usize::from(start)..)?)
    }

    /// Where the place of a node in the order is.
    pub(super) fn place(&self, at: usize) -> usize {
        HEAD_OCTETS + SLOT_OCTETS * usize::from(self.slots) + PLACE_OCTETS * at
    }

    /// The number that is there; 0 past the end.
    #[inline]
    pub(super) fn number(&self, at: usize) -> u16 {
        self.bytes.get(at..at + 2).map_or(0, |octets| u16::from_le_bytes([octets[0], octets[1]]))
    }
}

/// The octets of a hash that a page keeps; their low bits say where in the table to begin.
#[inline]
pub(super) fn fingerprint(hash: u64) -> u16 {
    (hash >> 48) as u16
}

/// Four octets of a key, as a number that compares like them.
pub(super) fn window(key: &[u8], at: usize) -> u32 {
    let rest = key.get(at..).unwrap_or_default();
    let mut window = [0; 4];
    let octets = rest.len().min(4);
    window[..octets].copy_from_slice(&rest[..octets]);
    u32::from_be_bytes(window)
}
