//! Makes pages: from nodes one after the other, or from another page in which one node differs.

use bytes::{Bytes, BytesMut};

use super::Page;
use super::edit::shared_octets;
use super::page::{HEAD_OCTETS, PLACE_OCTETS, SLOT_OCTETS, fingerprint, window};
use crate::memory;
use crate::wire::NameRef;
use crate::zone::key;
use crate::zone::node::NodeRef;

//------------ PageWriter ----------------------------------------------------

/// Makes pages; its memory serves for many.
pub(super) struct PageWriter {
    /// Octets of the apex name.
    apex_octets: usize,
    /// Where each node starts in `body`, and the fingerprint of its name.
    starts: Vec<(usize, u16)>,
    /// The nodes.
    pub(super) body: Vec<u8>,
    /// What stands before the nodes in a page.
    head: Vec<u8>,
    /// Where it goes.
    slab: Slab,
}

impl PageWriter {
    /// A writer for a zone whose apex has that many octets.
    pub(super) fn new(apex_octets: usize) -> Self {
        Self {
            apex_octets,
            starts: Vec::new(),
            body: Vec::new(),
            head: Vec::new(),
            slab: Slab::default(),
        }
    }

    /// A writer of so many pages, about, that it pays to keep them together.
    pub(super) fn of_many(apex_octets: usize) -> Self {
        Self { slab: Slab::large(), ..Self::new(apex_octets) }
    }

    /// Begins the next node, which the caller appends to `body`.
    pub(super) fn begin(&mut self, owner: NameRef<'_>) {
        self.starts.push((self.body.len(), fingerprint(key::hash(owner))));
    }

    /// Adds a node.
    pub(super) fn add(&mut self, node: NodeRef<'_>) {
        self.begin(node.owner());
        self.body.extend_from_slice(node.bytes());
    }

    /// The page of the nodes so far, at least one; the writer is empty again.
    pub(super) fn finish(&mut self) -> Page {
        let count = self.starts.len();
        let shared = match count {
            1 => 0,
            _ => key::with(self.owner(count - 1), self.apex_octets, |last| {
                key::with(self.owner(0), self.apex_octets, |first| shared_octets(first, last))
            }),
        };
        let (nodes_at, slots) = head(&mut self.head, count, shared as u16);
        for (start, print) in &self.starts {
            enter(&mut self.head, slots, *print, nodes_at + start);
        }
        for at in 0..count {
            let window = key::with(self.owner(at), self.apex_octets, |key| window(key, shared));
            place(&mut self.head, window, nodes_at + self.starts[at].0);
        }
        let page = Page { bytes: self.slab.take(&self.head, &self.body), slots: slots as u16 };
        self.body.clear();
        self.starts.clear();
        page
    }

    /// The owner of a node.
    fn owner(&self, at: usize) -> NameRef<'_> {
        NodeRef::first_of(&self.body[self.starts[at].0..]).unwrap_or(NodeRef::NONE).owner()
    }
}

/// Begins a page. Returns where its nodes will start, and the slots of its table.
fn head(whole: &mut Vec<u8>, count: usize, shared: u16) -> (usize, usize) {
    let slots = match count {
        1 => 1,
        _ => (count + count / 3).next_power_of_two(),
    };
    whole.clear();
    // `bulk` and `edit` keep pages of more than one node far below 65,536 octets.
    whole.extend_from_slice(&(count as u16).to_le_bytes());
    whole.extend_from_slice(&shared.to_le_bytes());
    whole.resize(HEAD_OCTETS + SLOT_OCTETS * slots, 0);
    (HEAD_OCTETS + SLOT_OCTETS * slots + PLACE_OCTETS * count, slots)
}

/// Enters a node into the table, which has an empty slot.
fn enter(whole: &mut [u8], slots: usize, print: u16, start: usize) {
    let mut slot = usize::from(print) & (slots - 1);
    while whole[HEAD_OCTETS + SLOT_OCTETS * slot + 2..][..2] != [0, 0] {
        slot = (slot + 1) & (slots - 1);
    }
    let at = HEAD_OCTETS + SLOT_OCTETS * slot;
    whole[at..at + 2].copy_from_slice(&print.to_le_bytes());
    whole[at + 2..at + 4].copy_from_slice(&(start as u16).to_le_bytes());
}

/// Appends a node's place in the order.
fn place(whole: &mut Vec<u8>, window: u32, start: usize) {
    whole.extend_from_slice(&window.to_le_bytes());
    whole.extend_from_slice(&(start as u16).to_le_bytes());
}

//------------ Slab ----------------------------------------------------------

/// Octets of a run of pages. All of it is freed with the last of them.
const SLAB_OCTETS: usize = 16 << 20;

/// Where the octets of pages go: each for itself, or many behind each other in memory that is asked for at once.
#[derive(Default)]
struct Slab {
    /// What is left of the memory at hand.
    room: BytesMut,
    /// Whether to get more.
    is_large: bool,
}

impl Slab {
    /// Memory for many pages.
    fn large() -> Self {
        Self { room: BytesMut::new(), is_large: true }
    }

    /// Takes the octets of a page in: its head and its nodes.
    fn take(&mut self, head: &[u8], nodes: &[u8]) -> Bytes {
        let octets = head.len() + nodes.len();
        if self.room.capacity() < octets {
            let more = if self.is_large { SLAB_OCTETS.max(octets) } else { octets };
            self.room = BytesMut::with_capacity(more);
            memory::in_large_pages(self.room.spare_capacity_mut());
        }
        self.room.extend_from_slice(head);
        self.room.extend_from_slice(nodes);
        self.room.split().freeze()
    }
}

//------------ Changed pages -------------------------------------------------

impl Page {
    /// The page with a node in the place where `position` found its key, or would have; without a node,
    /// the one there is taken away. The names of the other nodes are not read. `None` if they
    /// must be, since the new key does not share what all others share; never for the last node.
    pub(super) fn changed(
        &self,
        position: Result<usize, usize>,
        node: Option<(NodeRef<'_>, &[u8])>,
        apex_octets: usize,
    ) -> Option<Self> {
        let (Ok(at) | Err(at)) = position;
        let shared = self.number(2);
        let first = self.first()?;
        if self.count() == 1 {
            return None;
        }
        let is_shared = |key: &[u8]| {
            key::with(first.owner(), apex_octets, |first| {
                shared_octets(first, key) >= usize::from(shared)
            })
        };
        if node.is_some_and(|(_, key)| !is_shared(key)) {
            return None;
        }
        let (old_nodes_at, start) = (self.place(self.count()), self.start(at));
        let end = if position.is_ok() { self.start(at + 1) } else { start };
        let new = node.map_or(&[][..], |(node, _)| node.bytes());
        let count = self.count() + usize::from(node.is_some()) - usize::from(position.is_ok());
        let mut whole = Vec::with_capacity(self.octets() + new.len() + 1024);
        let (nodes_at, slots) = head(&mut whole, count, shared);
        // Nodes behind the place move by what the new node is longer or shorter.
        let moved = |old: usize| {
            let there = old - old_nodes_at + nodes_at;
            if old < end { there } else { there + new.len() - (end - start) }
        };
        for slot in 0..usize::from(self.slots) {
            let slot_at = HEAD_OCTETS + SLOT_OCTETS * slot;
            let old = usize::from(self.number(slot_at + 2));
            let is_gone = position.is_ok() && old == start;
            if old != 0 && !is_gone {
                enter(&mut whole, slots, self.number(slot_at), moved(old));
            }
        }
        let new_start = start - old_nodes_at + nodes_at;
        if let Some((node, _)) = node {
            enter(&mut whole, slots, fingerprint(key::hash(node.owner())), new_start);
        }
        for old in 0..=self.count() {
            if let Some((_, key)) = node.filter(|_| old == at) {
                place(&mut whole, window(key, usize::from(shared)), new_start);
            }
            if old < self.count() && !(position.is_ok() && old == at) {
                let from = self.place(old);
                let window = u32::from(self.number(from + 2)) << 16 | u32::from(self.number(from));
                place(&mut whole, window, moved(self.start(old)));
            }
        }
        whole.extend_from_slice(&self.bytes[old_nodes_at..start]);
        whole.extend_from_slice(new);
        whole.extend_from_slice(&self.bytes[end..]);
        Some(Self { bytes: whole.into(), slots: slots as u16 })
    }

    /// Where the node at a position starts; behind the last, where the page ends.
    fn start(&self, at: usize) -> usize {
        if at < self.count() { usize::from(self.start_of(at)) } else { self.octets() }
    }
}
