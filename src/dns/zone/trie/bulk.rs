//! Builds a trie in one pass over names that are sorted already; or in parts that are built apart, which is
//! for nodes that take long to make.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::edit::{PAGE_NODES_MAX, PAGE_OCTETS_MAX, shared_octets};
use super::page_writer::PageWriter;
use super::{Branch, Link, Page, Trie};
use crate::wire::NameRef;
use crate::zone::key::{self, Key};

//------------ BulkItem, Source ------------------------------------------------

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

    /// The item with the rest kept so much further on.
    pub(in crate::zone) fn moved(&self, by: usize) -> Self {
        Self { place: self.place + by as u64, ..*self }
    }

    /// Where the source keeps the rest.
    pub(in crate::zone) fn at(&self) -> usize {
        (self.place & ((1 << AT_BITS) - 1)) as usize
    }
}

/// Knows the names of items.
pub(in crate::zone) trait Owners {
    /// The name of an item.
    fn owner(&self, item: &BulkItem) -> NameRef<'_>;
}

/// Where the nodes come from.
pub(in crate::zone) trait Source: Owners {
    /// Asks for what is read of an item soon, if that is anywhere in memory.
    fn fetch(&self, _: &BulkItem) {}
    /// Estimated octets of the node, rather too many than too few.
    fn octets(&self, item: &BulkItem) -> usize;
    /// Appends the node of the name that all these items have. Called in canonical order.
    fn write(&mut self, items: &[BulkItem], out: &mut Vec<u8>);
}

impl<S: Owners> Owners for &mut S {
    fn owner(&self, item: &BulkItem) -> NameRef<'_> {
        (**self).owner(item)
    }
}

impl<S: Source> Source for &mut S {
    fn fetch(&self, item: &BulkItem) {
        (**self).fetch(item);
    }

    fn octets(&self, item: &BulkItem) -> usize {
        (**self).octets(item)
    }

    fn write(&mut self, items: &[BulkItem], out: &mut Vec<u8>) {
        (**self).write(items, out);
    }
}

//------------ BulkLoader -------------------------------------------------------

/// Builds a trie, or a part of one.
pub(in crate::zone) struct BulkLoader<S> {
    /// Where the nodes come from.
    pub(in crate::zone) source: S,
    /// Makes the pages.
    writer: PageWriter,
    /// Octets of the apex name.
    apex_octets: usize,
    /// The parts that were built apart, in order.
    done: VecDeque<Link>,
    /// Items up to which there is one of these.
    most: usize,
}

/// Items cut where the trie forks anyway, so that each part can be built apart.
pub(in crate::zone) struct Cuttings {
    /// The parts, in order.
    pub(in crate::zone) parts: Vec<Cutting>,
    /// Items up to which there is one part.
    most: usize,
}

/// Some consecutive items, and how many octets of their keys they share at least.
#[derive(Clone, Debug)]
pub(in crate::zone) struct Cutting {
    /// Which items.
    pub(in crate::zone) items: Range<usize>,
    /// How many octets led to them.
    at: usize,
}

/// What was built of a cutting.
pub(in crate::zone) struct Twig(Link);

/// Items up to which there is one cutting at least. Few in tests, so that small zones have many.
pub(in crate::zone) const CUTTING_ITEMS: usize = if cfg!(test) { 6 } else { 512 };

/// Items from which on the pages are kept together. Few in tests, so that some are.
pub(in crate::zone) const MANY_ITEMS: usize = if cfg!(test) { 12 } else { 64 * 1024 };

impl<S: Source> BulkLoader<S> {
    /// A loader for a zone whose apex has that many octets.
    pub(in crate::zone) fn new(source: S, apex_octets: usize) -> Self {
        let (writer, done) = (PageWriter::new(apex_octets), VecDeque::new());
        Self { source, writer, apex_octets, done, most: 0 }
    }

    /// A loader for many parts of a zone, whose pages are kept together.
    pub(in crate::zone) fn of_many(source: S, apex_octets: usize) -> Self {
        Self { writer: PageWriter::of_many(apex_octets), ..Self::new(source, apex_octets) }
    }

    /// The trie of items in canonical order.
    pub(in crate::zone) fn load(mut self, items: &[BulkItem]) -> Trie {
        if items.len() > MANY_ITEMS && self.done.is_empty() {
            self.writer = PageWriter::of_many(self.apex_octets);
        }
        let root = (!items.is_empty()).then(|| self.link(items, 0));
        Trie { root, apex_octets: self.apex_octets }
    }

    /// Builds one cutting of the items.
    pub(in crate::zone) fn twig(&mut self, items: &[BulkItem], cutting: &Cutting) -> Twig {
        Twig(self.link(&items[cutting.items.clone()], cutting.at))
    }

    /// The trie of items of which all cuttings were built, by other loaders.
    pub(in crate::zone) fn join(
        mut self,
        items: &[BulkItem],
        cuttings: &Cuttings,
        twigs: impl IntoIterator<Item = Twig>,
    ) -> Trie {
        self.done = twigs.into_iter().map(|Twig(link)| link).collect();
        self.most = cuttings.most;
        self.load(items)
    }

    /// The link of items, at least one, that share the first `at` octets of their keys.
    fn link(&mut self, items: &[BulkItem], at: usize) -> Link {
        if items.len() <= self.most
            && let Some(link) = self.done.pop_front()
        {
            return link;
        }
        let octets = || {
            items.iter().for_each(|item| self.source.fetch(item));
            items.iter().map(|item| self.source.octets(item)).sum::<usize>()
        };
        if items.len() <= PAGE_NODES_MAX && octets() <= PAGE_OCTETS_MAX {
            return Link::Page(self.page(items));
        }
        let (mut fork, at, own) = fork(&self.source, self.apex_octets, items, at);
        let (own, rest) = items.split_at(own);
        if rest.is_empty() {
            return Link::Page(self.page(own));
        }
        if !own.is_empty() {
            fork.own = Some(self.page(own));
        }
        let mut start = 0;
        while let Some((octet, group)) = group(&self.source, self.apex_octets, &rest[start..], at) {
            let link = self.link(&rest[start..start + group], at + 1);
            fork.add(octet, link);
            start += group;
        }
        Link::Branch(Arc::new(fork))
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
}

//------------ Forks -----------------------------------------------------------

/// Cuts items in canonical order into parts of at most `most`, or [`CUTTING_ITEMS`] if that is more. Names at which the
/// trie forks are in none.
pub(in crate::zone) fn cuttings(
    source: &impl Owners,
    apex_octets: usize,
    items: &[BulkItem],
    most: usize,
) -> Cuttings {
    let most = most.max(CUTTING_ITEMS);
    let mut parts = Vec::new();
    let mut todo = vec![Cutting { items: 0..items.len(), at: 0 }];
    while let Some(part) = todo.pop() {
        let here = &items[part.items.clone()];
        if here.len() <= most {
            parts.extend((!here.is_empty()).then_some(part));
            continue;
        }
        let (_, at, own) = fork(source, apex_octets, here, part.at);
        let mut start = own;
        while let Some((_, group)) = group(source, apex_octets, &here[start..], at) {
            let first = part.items.start + start;
            todo.push(Cutting { items: first..first + group, at: at + 1 });
            start += group;
        }
    }
    parts.sort_unstable_by_key(|cutting| cutting.items.start);
    Cuttings { parts, most }
}

/// A fork for items: what they share, where they differ, and how many items end just there.
fn fork(
    source: &impl Owners,
    apex_octets: usize,
    items: &[BulkItem],
    at: usize,
) -> (Branch, usize, usize) {
    let key = |item: &BulkItem| Key::new(source.owner(item), apex_octets);
    let (first, last) = (key(&items[0]), key(&items[items.len() - 1]));
    let shared = at + shared_octets(&first.bytes()[at..], &last.bytes()[at..]);
    let owner = source.owner(&items[0]);
    let own = if first.bytes().len() == shared {
        items.partition_point(|item| source.owner(item) == owner)
    } else {
        0
    };
    (Branch::new(&first.bytes()[at..shared]), shared, own)
}

/// The octet that the first of some items has at a position of its key, and how many share it.
fn group(
    source: &impl Owners,
    apex_octets: usize,
    items: &[BulkItem],
    at: usize,
) -> Option<(u8, usize)> {
    let octet = |item: &BulkItem| match at {
        0..8 => (item.prefix[0] >> (56 - 8 * at)) as u8,
        8..16 => (item.prefix[1] >> (120 - 8 * at)) as u8,
        _ => key::with(source.owner(item), apex_octets, |key| key[at]),
    };
    let first = octet(items.first()?);
    Some((first, items.partition_point(|item| octet(item) <= first)))
}
