//! Builds a trie in one pass over names that are sorted already.

use std::sync::Arc;

use super::edit::{PAGE_NODES_MAX, PAGE_OCTETS_MAX, shared_octets};
use super::page_writer::PageWriter;
use super::{Branch, Link, Page, Trie};
use crate::wire::NameRef;
use crate::zone::key::{self, Key};

//------------ Seed, Source --------------------------------------------------

/// One of the names to build from; a million of them count. Several seeds may have the same name.
#[derive(Clone, Copy)]
pub(in crate::zone) struct Seed {
    /// The start of the canonical key, as of [`key::window`].
    pub(in crate::zone) prefix: [u64; 2],
    /// Where the source keeps the rest, and above that, in eight bits, the depth.
    place: u64,
}

/// The bits of a seed's place that are not its depth.
const AT_BITS: u32 = 56;

impl Seed {
    /// A seed of a name with `depth` labels below the apex, kept at `at`.
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
    /// The name of a seed.
    fn owner(&self, seed: &Seed) -> NameRef<'_>;
    /// About how many octets the seed brings to its node.
    fn octets(&self, seed: &Seed) -> usize;
    /// Appends the node of the name that all these seeds have. Called in canonical order.
    fn write(&mut self, seeds: &[Seed], out: &mut Vec<u8>);
}

//------------ Planter -------------------------------------------------------

/// Builds a trie.
pub(in crate::zone) struct Planter<'a, S> {
    /// Where the nodes come from.
    source: &'a mut S,
    /// Makes the pages.
    writer: PageWriter,
    /// Octets of the apex name.
    apex_octets: usize,
}

impl<'a, S: Source> Planter<'a, S> {
    /// A planter for a zone whose apex has so many octets.
    pub(in crate::zone) fn new(source: &'a mut S, apex_octets: usize) -> Self {
        Self { source, writer: PageWriter::new(apex_octets), apex_octets }
    }

    /// The trie of seeds in canonical order.
    pub(in crate::zone) fn plant(mut self, seeds: &[Seed]) -> Trie {
        let root = (!seeds.is_empty()).then(|| self.link(seeds, 0));
        Trie { root, apex_octets: self.apex_octets }
    }

    /// The link of seeds, at least one, that share the first `at` octets of their keys.
    fn link(&mut self, seeds: &[Seed], at: usize) -> Link {
        let octets = || seeds.iter().map(|seed| self.source.octets(seed)).sum::<usize>();
        if seeds.len() <= PAGE_NODES_MAX && octets() <= PAGE_OCTETS_MAX {
            return Link::Page(self.page(seeds));
        }
        let (mut fork, at, own) = self.fork(seeds, at);
        let (own, mut rest) = seeds.split_at(own);
        if rest.is_empty() {
            return Link::Page(self.page(own));
        }
        if !own.is_empty() {
            fork.own = Some(self.page(own));
        }
        while let Some(first) = rest.first() {
            let octet = self.octet(first, at);
            let (group, after) =
                rest.split_at(rest.partition_point(|seed| self.octet(seed, at) <= octet));
            let link = self.link(group, at + 1);
            fork.add(octet, link);
            rest = after;
        }
        Link::Branch(Arc::new(fork))
    }

    /// A fork for seeds: what they share, where they differ, and how many seeds end just there.
    fn fork(&self, seeds: &[Seed], at: usize) -> (Branch, usize, usize) {
        let (first, last) = (self.key(&seeds[0]), self.key(&seeds[seeds.len() - 1]));
        let shared = at + shared_octets(&first.bytes()[at..], &last.bytes()[at..]);
        let owner = self.source.owner(&seeds[0]);
        let own = match first.bytes().len() == shared {
            true => seeds.partition_point(|seed| self.source.owner(seed) == owner),
            false => 0,
        };
        (Branch::new(&first.bytes()[at..shared]), shared, own)
    }

    /// A page of seeds.
    fn page(&mut self, seeds: &[Seed]) -> Page {
        let Self { source, writer, .. } = self;
        let mut rest = seeds;
        while let Some(first) = rest.first() {
            let owner = source.owner(first);
            let same = |seed: &&Seed| seed.prefix == first.prefix && source.owner(seed) == owner;
            let (group, after) = rest.split_at(1 + rest[1..].iter().take_while(same).count());
            writer.begin(owner);
            source.write(group, &mut writer.body);
            rest = after;
        }
        writer.finish()
    }

    /// The octet of a seed's key at a position.
    fn octet(&self, seed: &Seed, at: usize) -> u8 {
        match at {
            0..8 => (seed.prefix[0] >> (56 - 8 * at)) as u8,
            8..16 => (seed.prefix[1] >> (120 - 8 * at)) as u8,
            _ => key::with(self.source.owner(seed), self.apex_octets, |key| key[at]),
        }
    }

    /// The key of a seed.
    fn key(&self, seed: &Seed) -> Key {
        Key::new(self.source.owner(seed), self.apex_octets)
    }
}
