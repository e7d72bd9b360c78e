//! From the runs of a builder to the trie: node by node in canonical order, those of a large zone by all processors.
//!
//! ```text
//! runs ─► sorted ─┬─(few)──────────────────────────────► trie
//!                 └─(many)─► cuttings, side by side ─► joined
//! ```

use std::collections::HashSet;

use super::compile::Compiler;
use super::encode::Entry;
use super::key;
use super::node::Flags;
use super::stage::{RUN_HEAD_OCTETS, Runs, Stage, owner_of, record_octets, records_of};
use super::trie::{BulkItem, BulkLoader, MANY_ITEMS, Owners, Source, Trie, cuttings};
use crate::memory;
use crate::threads::{each, free_beside, processors};
use crate::wire::{NameRef, Rtype};

/// Cuttings for each thread, as some take longer than others.
const CUTTINGS_PER_THREAD: usize = 8;

/// Octets of the run of a name with an address or two.
const USUAL_OCTETS: usize = 128;

/// The trie of all names that exist.
pub(super) fn load_names(
    mut stage: Stage,
    compiler: &mut Compiler<'_>,
    wildcard_parents: &HashSet<u64>,
) -> Trie {
    stage.sort(compiler.apex);
    stage.add_missing(compiler.apex);
    let trie = load(&stage, compiler, Some(wildcard_parents));
    if stage.items.len() > MANY_ITEMS {
        free_beside(stage);
    }
    trie
}

/// The trie of the hashed names.
pub(super) fn load_hashed(mut stage: Stage, compiler: &mut Compiler<'_>) -> Trie {
    stage.sort(compiler.apex);
    load(&stage, compiler, None)
}

/// The trie of sorted runs.
fn load(
    stage: &Stage,
    compiler: &mut Compiler<'_>,
    wildcard_parents: Option<&HashSet<u64>>,
) -> Trie {
    let Stage { runs, items, .. } = stage;
    let (apex, apex_octets) = (compiler.apex, compiler.apex.wire().len());
    let nodes = || Nodes::new(runs, apex, wildcard_parents);
    let mut own = nodes();
    let threads = if items.len() > MANY_ITEMS { processors() } else { 1 };
    let trie = if threads < 2 {
        BulkLoader::new(&mut own, apex_octets).load(items)
    } else {
        let most = items.len() / (threads * CUTTINGS_PER_THREAD);
        let cuttings = cuttings(&own, apex_octets, items, most);
        let begin = || BulkLoader::of_many(nodes(), apex_octets);
        let made = each(threads, cuttings.parts.len(), begin, |loader, part| {
            let cutting = &cuttings.parts[part];
            loader.source.go_to(items, cutting.items.start);
            let twig = loader.twig(items, cutting);
            (twig, std::mem::replace(&mut loader.source.compiler, Compiler::new(apex)))
        });
        let (twigs, compilers): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        compilers.into_iter().for_each(|part| compiler.append(part));
        BulkLoader::new(&mut own, apex_octets).join(items, &cuttings, twigs)
    };
    compiler.append(own.compiler);
    trie
}

//------------ Nodes ---------------------------------------------------------

/// Writes the nodes of a trie from runs.
struct Nodes<'a, 'b> {
    /// The runs.
    runs: &'a Runs,
    /// Compiles a node.
    compiler: Compiler<'b>,
    /// Hashes of the names that have a wildcard child; `None` for the NSEC3 chain, where there is no
    /// above and below.
    wildcard_parents: Option<&'a HashSet<u64>>,
    /// The flags of the last node and its ancestors, from the apex down.
    path: Vec<Flags>,
    /// The records of a node; kept for its memory.
    entries: Vec<Entry<'a>>,
}

impl<'a, 'b> Nodes<'a, 'b> {
    /// None written yet.
    fn new(runs: &'a Runs, apex: NameRef<'b>, wildcard_parents: Option<&'a HashSet<u64>>) -> Self {
        let (path, entries) = (Vec::new(), Vec::new());
        Self { runs, compiler: Compiler::new(apex), wildcard_parents, path, entries }
    }

    /// Makes ready for the items from `start` on, whose ancestors before it somebody else writes.
    fn go_to(&mut self, items: &[BulkItem], start: usize) {
        self.path.clear();
        let Some(first) = items.get(start).filter(|_| self.wildcard_parents.is_some()) else {
            return;
        };
        let (owner, depth) = (owner_of(self.runs.from(first.at())), first.depth());
        let ancestors = std::iter::successors(owner.parent(), |name| name.parent()).take(depth);
        let ancestors: Vec<NameRef<'_>> = ancestors.collect();
        for ancestor in ancestors.into_iter().rev() {
            let (mut has_ns, mut has_dname) = (false, false);
            for item in self.items_of(&items[..start], ancestor) {
                for entry in records_of(self.runs.from(item.at())).filter(|it| !it.is_signature) {
                    has_ns |= entry.set == Rtype::NS;
                    has_dname |= entry.set == Rtype::DNAME;
                }
            }
            self.path.push(Flags::below(self.path.last().copied(), has_ns, has_dname));
        }
    }

    /// The items of a name among sorted ones.
    fn items_of<'i>(
        &self,
        items: &'i [BulkItem],
        name: NameRef<'_>,
    ) -> impl Iterator<Item = &'i BulkItem> {
        let apex_octets = self.compiler.apex.wire().len();
        let start = key::with(name, apex_octets, |wanted| {
            items.partition_point(|item| {
                key::with(self.owner(item), apex_octets, |key| key < wanted)
            })
        });
        items[start..].iter().take_while(move |item| self.owner(item) == name)
    }
}

impl Owners for Nodes<'_, '_> {
    fn owner(&self, item: &BulkItem) -> NameRef<'_> {
        owner_of(self.runs.from(item.at()))
    }
}

impl Source for Nodes<'_, '_> {
    fn fetch(&self, item: &BulkItem) {
        memory::fetch(self.runs.from(item.at()), USUAL_OCTETS);
    }

    fn octets(&self, item: &BulkItem) -> usize {
        let run = self.runs.from(item.at());
        RUN_HEAD_OCTETS + usize::from(run[4]) + record_octets(run)
    }

    fn write(&mut self, items: &[BulkItem], out: &mut Vec<u8>) {
        let owner = owner_of(self.runs.from(items[0].at()));
        self.entries.clear();
        for item in items {
            self.entries.extend(records_of(self.runs.from(item.at())));
        }
        let Some(wildcard_parents) = self.wildcard_parents else {
            self.compiler.node(out, owner, &mut self.entries, |_, _| Flags::default());
            return;
        };
        // All ancestors have been written, so the last one a level above is the parent.
        self.path.truncate(items[0].depth());
        let above = self.path.last().copied();
        let wildcard = !wildcard_parents.is_empty() && wildcard_parents.contains(&key::hash(owner));
        let flags = self.compiler.node(out, owner, &mut self.entries, |ns, dname| {
            Flags::below(above, ns, dname).with_wildcard_child(wildcard)
        });
        self.path.push(flags);
    }
}
