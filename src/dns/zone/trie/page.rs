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

use bytes::Bytes;

use crate::memory::fetch;
use crate::wire::NameRef;
use crate::zone::key;
use crate::zone::node::NodeRef;

/// Octets before the table.
pub(super) const HEAD_OCTETS: usize = 4;
/// Octets of a slot of the table.
pub(super) const SLOT_OCTETS: usize = 4;
/// Octets of a place in the order.
pub(super) const PLACE_OCTETS: usize = 6;

/// Octets of the first node in which its name is.
const FIRST_NODE_OCTETS: usize = 64;

//------------ Page ----------------------------------------------------------

/// Nodes in canonical order, at least one.
#[derive(Clone)]
pub(super) struct Page {
    /// The octets.
    pub(super) bytes: Bytes,
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
        std::ptr::eq(&*self.bytes, &*other.bytes)
    }

    /// The node at a position.
    pub(super) fn node(&self, at: usize) -> Option<NodeRef<'_>> {
        (at < self.count()).then(|| self.node_from(self.start_of(at)))?
    }

    /// Where the node at a position starts.
    pub(super) fn start_of(&self, at: usize) -> u16 {
        self.number(self.place(at) + 4)
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
        let mut starts = self.with_hash(hash);
        starts.find_map(|start| self.node_from(start).filter(|node| node.owner() == name))
    }

    /// Where the nodes start whose names have this hash, or as good as.
    #[inline]
    pub(super) fn with_hash(&self, hash: u64) -> impl Iterator<Item = u16> {
        let print = fingerprint(hash);
        let slots = (0..self.slots).map(move |step| self.slot(print.wrapping_add(step)));
        let taken = slots.map_while(|at| Some((at, self.number(at + 2))).filter(|it| it.1 != 0));
        taken.filter(move |(at, _)| self.number(*at) == print).map(|(_, start)| start)
    }

    /// Asks for the slot where a hash is looked for first.
    #[inline]
    pub(super) fn fetch_slot(&self, hash: u64) {
        if let Some(slot) = self.bytes.get(self.slot(fingerprint(hash))..) {
            fetch(slot, 1);
        }
    }

    /// Asks for the first octets of the node that starts there.
    #[inline]
    pub(super) fn fetch_node(&self, start: u16, octets: usize) {
        if let Some(node) = self.bytes.get(usize::from(start)..) {
            fetch(node, octets.min(node.len()));
        }
    }

    /// Asks for what a search in the order of nodes reads.
    pub(super) fn fetch_order(&self) {
        if let Some(places) = self.bytes.get(self.place(0)..self.place(self.count())) {
            // The first node is right behind.
            fetch(places, places.len() + FIRST_NODE_OCTETS);
        }
    }

    /// Where a slot is, by a number of which the low bits count.
    #[inline]
    fn slot(&self, number: u16) -> usize {
        HEAD_OCTETS + SLOT_OCTETS * usize::from(number & (self.slots - 1))
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
    pub(super) fn node_from(&self, start: u16) -> Option<NodeRef<'_>> {
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
