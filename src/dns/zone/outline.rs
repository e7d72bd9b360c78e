//! A zone made from the names of another: what signs a zone gives the records of each name anew.
//!
//! The names are known and in order, so nothing is collected and sorted, and the nodes are written once,
//! where they stay. They can be made in parts, each in a thread of its own if the caller has any:
//!
//! ```text
//! Outline ─► parts() ─► part(0), part(1) …  in any order ─► join ─► Tree ─► Zone::of_trees
//! ```

use super::apex::Apex;
use super::builder::BuildFault;
use super::compile::Compiler;
use super::contents::{Contents, Counts, Zone};
use super::delta::{ApplyError, refuse_faults};
use super::encode::Entry;
use super::key;
use super::node::{Flags, NodeRef};
use super::nsec3::{HASHED_LABEL_OCTETS, hashed_owner};
use super::trie::{BulkItem, BulkLoader, Cuttings, Owners, Source, Trie, Twig, cuttings};
use crate::wire::{NAME_OCTETS_MAX, NameRef, Rtype};

//------------ Sheet, Maker --------------------------------------------------

/// The records of one name that is being made.
#[derive(Debug, Default)]
pub struct Sheet {
    /// The RDATA of all records.
    bytes: Vec<u8>,
    /// Type, TTL and where the RDATA ends.
    records: Vec<(Rtype, u32, usize)>,
}

impl Sheet {
    /// Adds a record, in any order, each once.
    pub fn push(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        self.bytes.extend_from_slice(rdata);
        self.records.push((rtype, ttl, self.bytes.len()));
    }

    /// The records.
    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut start = 0;
        self.records.iter().map(move |(rtype, ttl, end)| {
            let rdata = &self.bytes[start..*end];
            start = *end;
            Entry::new(*rtype, *ttl, rdata)
        })
    }

    /// Takes all records off.
    fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }
}

/// Says what the names of an outline own.
pub trait Maker {
    /// Octets that the records of the name at a place will take, rather too many than too few; each has
    /// 12 beside its RDATA, and each RRset 12.
    fn octets(&self, at: usize) -> usize;
    /// Puts the records of the name at a place on the sheet.
    fn records(&mut self, at: usize, sheet: &mut Sheet);
}

//------------ Outline -------------------------------------------------------

/// The names of a zone to be made, or the hashed ones of its NSEC3 chain, in canonical order.
pub struct Outline<'a> {
    /// The apex.
    apex: NameRef<'a>,
    /// The names.
    owners: Names<'a>,
    /// The same for the trie.
    items: Vec<BulkItem>,
    /// Where they are cut.
    cuttings: Cuttings,
}

/// Where the names of an outline are.
enum Names<'a> {
    /// The nodes of another version, which have the flags of the new ones.
    Nodes(Vec<NodeRef<'a>>),
    /// Hashed names one behind the other, each of so many octets.
    Hashed(Vec<u8>, usize),
}

impl Names<'_> {
    /// The name at a place.
    fn owner(&self, at: usize) -> NameRef<'_> {
        match self {
            Self::Nodes(nodes) => nodes[at].owner(),
            Self::Hashed(bytes, octets) => {
                NameRef::from_checked(&bytes[at * octets..(at + 1) * octets])
            }
        }
    }
}

impl Owners for Names<'_> {
    fn owner(&self, item: &BulkItem) -> NameRef<'_> {
        self.owner(item.at())
    }
}

/// A part of what an outline becomes.
pub struct Part {
    /// The nodes.
    twig: Twig,
    /// How much they are.
    counts: Counts,
    /// What was wrong.
    faults: Vec<BuildFault>,
}

/// All that an outline became.
pub struct Tree {
    /// The nodes.
    trie: Trie,
    /// How much they are.
    counts: Counts,
}

impl<'a> Outline<'a> {
    /// The names of a zone, its hashed ones aside.
    pub fn of_names(zone: &'a Zone) -> Self {
        let apex_labels = usize::from(zone.apex_labels());
        let nodes: Vec<NodeRef<'a>> = zone.nodes().collect();
        Self::new(zone.apex(), Names::Nodes(nodes), |name| name.label_count() - apex_labels)
    }

    /// Hashed names: the hashes rise, none comes twice.
    pub fn of_hashes(
        apex: NameRef<'a>,
        hashes: impl ExactSizeIterator<Item = [u8; 20]>,
    ) -> Result<Self, ApplyError> {
        let octets = 1 + HASHED_LABEL_OCTETS + apex.wire().len();
        let mut bytes = Vec::with_capacity(octets * hashes.len());
        for hash in hashes {
            let mut room = [0; NAME_OCTETS_MAX];
            let owner = hashed_owner(&hash, apex, &mut room);
            let owner = owner.ok_or_else(|| ApplyError::NoRoomForHashes(apex.to_name()))?;
            bytes.extend_from_slice(owner.wire());
        }
        Ok(Self::new(apex, Names::Hashed(bytes, octets), |_| 1))
    }

    /// The outline of names.
    fn new(apex: NameRef<'a>, owners: Names<'a>, depth: impl Fn(NameRef<'_>) -> usize) -> Self {
        let count = match &owners {
            Names::Nodes(nodes) => nodes.len(),
            Names::Hashed(bytes, octets) => bytes.len() / octets,
        };
        let apex_octets = apex.wire().len();
        let item = |at| {
            let owner = owners.owner(at);
            let prefix = key::with(owner, apex_octets, |key| key::window(key, 0));
            BulkItem::new(prefix, depth(owner) as u8, at) // at most 127 labels
        };
        let items: Vec<BulkItem> = (0..count).map(item).collect();
        let cuttings = cuttings(&owners, apex_octets, &items, 0);
        Self { apex, owners, items, cuttings }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The node of the other version at a place; none of a hashed name.
    pub fn node(&self, at: usize) -> Option<NodeRef<'a>> {
        match &self.owners {
            Names::Nodes(nodes) => nodes.get(at).copied(),
            Names::Hashed(..) => None,
        }
    }

    /// The name at a place.
    pub fn owner(&self, at: usize) -> NameRef<'_> {
        self.owners.owner(at)
    }

    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.cuttings.parts.len()
    }

    /// Makes a part.
    pub fn part(&self, part: usize, maker: &mut impl Maker) -> Part {
        let mut source = self.source(maker);
        let mut loader = BulkLoader::new(&mut source, self.apex.wire().len());
        let twig = loader.twig(&self.items, &self.cuttings.parts[part]);
        let Compiler { counts, faults, .. } = source.compiler;
        Part { twig, counts, faults }
    }

    /// Puts all parts together, in the order of their numbers. Names between them are made now.
    pub fn join(&self, parts: Vec<Part>, maker: &mut impl Maker) -> Result<Tree, ApplyError> {
        let mut source = self.source(maker);
        let mut twigs = Vec::with_capacity(parts.len());
        for mut part in parts {
            source.compiler.counts += part.counts;
            source.compiler.faults.append(&mut part.faults);
            twigs.push(part.twig);
        }
        let loader = BulkLoader::new(&mut source, self.apex.wire().len());
        let trie = loader.join(&self.items, &self.cuttings, twigs);
        refuse_faults(&source.compiler)?;
        Ok(Tree { trie, counts: source.compiler.counts })
    }

    /// What writes the nodes.
    fn source<'o, M>(&'o self, maker: &'o mut M) -> Making<'o, 'a, M> {
        let compiler = Compiler::new(self.apex);
        Making { names: &self.owners, maker, compiler, sheet: Sheet::default() }
    }
}

//------------ Making --------------------------------------------------------

/// Writes the nodes of an outline.
struct Making<'o, 'a, M> {
    /// The names.
    names: &'o Names<'a>,
    /// Gives the records.
    maker: &'o mut M,
    /// Compiles a node.
    compiler: Compiler<'o>,
    /// The records of a name; kept for its memory.
    sheet: Sheet,
}

impl<M> Owners for Making<'_, '_, M> {
    fn owner(&self, item: &BulkItem) -> NameRef<'_> {
        self.names.owner(item.at())
    }
}

impl<M: Maker> Source for Making<'_, '_, M> {
    fn octets(&self, item: &BulkItem) -> usize {
        self.maker.octets(item.at())
    }

    fn write(&mut self, items: &[BulkItem], out: &mut Vec<u8>) {
        let at = items[0].at();
        self.sheet.clear();
        self.maker.records(at, &mut self.sheet);
        let mut entries: Vec<Entry<'_>> = self.sheet.entries().collect();
        let flags = match self.names {
            Names::Nodes(nodes) => nodes[at].flags(),
            Names::Hashed(..) => Flags::default(),
        };
        self.compiler.node(out, self.names.owner(at), &mut entries, |_, _| flags);
    }
}

//------------ Zone ----------------------------------------------------------

impl Zone {
    /// A zone of the names and hashed names that were made from those of `origin`.
    pub fn of_trees(origin: &Self, names: Tree, hashed: Option<Tree>) -> Result<Self, ApplyError> {
        let apex = origin.contents().apex.clone();
        let (hashed, more) = match hashed {
            Some(Tree { trie, counts }) => (trie, counts),
            None => (Trie::empty(apex.wire().len()), Counts::default()),
        };
        let node = names.trie.first().ok_or(ApplyError::Soa)?;
        let facts = Apex::read(apex.as_ref(), node).ok_or(ApplyError::Soa)?;
        let mut counts = names.counts;
        counts += more;
        let time_left = origin.contents().time_left.clone();
        let names = names.trie;
        let apex_hash = origin.contents().apex_hash;
        let (content, facts) = (None, facts);
        Ok(Self::new(Contents {
            names,
            hashed,
            facts,
            counts,
            apex,
            apex_hash,
            time_left,
            content,
        }))
    }
}
