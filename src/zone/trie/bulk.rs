//! Builds a trie in one pass over names that are sorted already.

use std::sync::Arc;

use super::edit::{PAGE_NODES_MAX, PAGE_OCTETS_MAX, shared_octets};
use super::page_writer::PageWriter;
use super::{Branch, Link, Page, Trie};
use crate::wire::NameRef;
use crate::zone::key::{self, Key};

//------------ BulkItem, Source --------------------------------------------------

/// One of the names to build from; a million of them count. Several items may be of the same name.
#[derive(Clone, Copy)]
pub(in crate::zone) struct BulkItem {
    /// The start of the canonical key, as of [`key::window`].
    pub(in crate::zone) prefix: [u64; 2],
    /// Where the source keeps the rest, and above that, in eight bits, the depth.
    place: u64,
}

/// The bits of an item's place that are not its depth.
const AT_BITS: u32 = 56;

impl BulkItem {
    /// An item for a name with `depth` labels below the apex, kept at `at`.
    pub(in crate::zone) fn new(prefix: [u64; 2], depth: u8, at: usize) -> Self {
        Self { prefix, place: u64::from(depth) << AT_BITS | at as u64 }
    }

    /// How many labels the name has below the apex.
    pub(in crate::zone) fn depth(&self) -> usize {
        (self.place >> AT_BITS) as usize
    }

    /// Where the source keeps the rest.
    pub(in crate::zone) fn at(&self) -> usize {
        (self.place & ((1 << AT_BITS) - 1)) as usize
    }
}

/// Where the nodes come from.
pub(in crate::zone) trait Source {
    /// The name of an item.
    fn owner(&self, item: &BulkItem) -> NameRef<'_>;
    /// Estimated octets of the node.
    fn octets(&self, item: &BulkItem) -> usize;
    /// Appends the node of the name that all these items have. Called in canonical order.
    fn write(&mut self, items: &[BulkItem], out: &mut Vec<u8>);
}

//------------ BulkLoader -------------------------------------------------------

/// Builds a trie.
pub(in crate::zone) struct BulkLoader<'a, S> {
    /// Where the nodes come from.
    source: &'a mut S,
    /// Makes the pages.
    writer: PageWriter,
    /// Octets of the apex name.
    apex_octets: usize,
}

impl<'a, S: Source> BulkLoader<'a, S> {
    /// A loader for a zone whose apex has that many octets.
    pub(in crate::zone) fn new(source: &'a mut S, apex_octets: usize) -> Self {
        Self { source, writer: PageWriter::new(apex_octets), apex_octets }
    }

    /// The trie of items in canonical order.
    pub(in crate::zone) fn load(mut self, items: &[BulkItem]) -> Trie {
        let root = (!items.is_empty()).then(|| self.link(items, 0));
        Trie { root, apex_octets: self.apex_octets }
    }

    /// The link of items, at least one, that share the first `at` octets of their keys.
    fn link(&mut self, items: &[BulkItem], at: usize) -> Link {
        let octets = || items.iter().map(|item| self.source.octets(item)).sum::<usize>();
        if items.len() <= PAGE_NODES_MAX && octets() <= PAGE_OCTETS_MAX {
            return Link::Page(self.page(items));
        }
        let (mut fork, at, own) = self.fork(items, at);
        let (own, mut rest) = items.split_at(own);
        if rest.is_empty() {
            return Link::Page(self.page(own));
        }
        if !own.is_empty() {
            fork.own = Some(self.page(own));
        }
        while let Some(first) = rest.first() {
            let octet = self.octet(first, at);
            let (group, after) =
                rest.split_at(rest.partition_point(|item| self.octet(item, at) <= octet));
            let link = self.link(group, at + 1);
            fork.add(octet, link);
            rest = after;
        }
        Link::Branch(Arc::new(fork))
    }

    /// A fork for items: what they share, where they differ, and how many items end just there.
    fn fork(&self, items: &[BulkItem], at: usize) -> (Branch, usize, usize) {
        let (first, last) = (self.key(&items[0]), self.key(&items[items.len() - 1]));
        let shared = at + shared_octets(&first.bytes()[at..], &last.bytes()[at..]);
        let owner = self.source.owner(&items[0]);
        let own = if first.bytes().len() == shared {
            items.partition_point(|item| self.source.owner(item) == owner)
        } else {
            0
        };
        (Branch::new(&first.bytes()[at..shared]), shared, own)
    }

    /// A page of items.
    fn page(&mut self, items: &[BulkItem]) -> Page {
        let Self { source, writer, .. } = self;
        let mut rest = items;
        while let Some(first) = rest.first() {
            let owner = source.owner(first);
            let same =
                |item: &&BulkItem| item.prefix == first.prefix && source.owner(item) == owner;
            let (group, after) = rest.split_at(1 + rest[1..].iter().take_while(same).count());
            writer.begin(owner);
            source.write(group, &mut writer.body);
            rest = after;
        }
        writer.finish()
    }

    /// The octet of an item's key at a position.
    fn octet(&self, item: &BulkItem, at: usize) -> u8 {
        match at {
            0..8 => (item.prefix[0] >> (56 - 8 * at)) as u8,
            8..16 => (item.prefix[1] >> (120 - 8 * at)) as u8,
            _ => key::with(self.source.owner(item), self.apex_octets, |key| key[at]),
        }
    }

    /// The key of an item.
    fn key(&self, item: &BulkItem) -> Key {
        Key::new(self.source.owner(item), self.apex_octets)
    }
}
