//! What differs between two versions of a zone, and a version made from another by its differences.

use std::cmp::Ordering;

use super::apex::Apex;
use super::builder::{BuildFault, BuildFaultKind};
use super::compile::Compiler;
use super::contents::{Contents, Counts, Zone};
use super::encode::{self, Entry};
use super::node::{self, Flags, NodeRef};
use super::trie::Nodes;
use crate::wire::{Class, Name, NameRef, Record, RecordRef, Rtype};

//------------ Delta ---------------------------------------------------------

/// The records that one version has and the other has not; the SOA record is among both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delta {
    /// Records of the older version only.
    pub removed: Vec<Record>,
    /// Records of the newer version only.
    pub added: Vec<Record>,
}

impl Delta {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

//--- Difference

impl Zone {
    /// What changes from this version to `newer`, in canonical order.
    pub fn diff(&self, newer: &Self) -> Delta {
        self.diff_within(newer, usize::MAX).unwrap_or_default()
    }

    /// The same, but `None` if more than `max` records differ: then nothing is collected.
    pub fn diff_within(&self, newer: &Self, max: usize) -> Option<Delta> {
        let mut delta = Delta::default();
        let mut see = |gone: Option<NodeRef<'_>>, come: Option<NodeRef<'_>>| {
            add_difference(gone, come, &mut delta);
            (delta.removed.len() + delta.added.len() <= max).then_some(())
        };
        if !self.is_same(newer) {
            walk(self.nodes(), newer.nodes(), &mut see)?;
            walk(self.nsec3_nodes(), newer.nsec3_nodes(), &mut see)?;
        }
        Some(delta)
    }

    /// The names whose records differ in `newer`, as they are here and there; in canonical order.
    pub fn changed_nodes<'a>(&'a self, newer: &'a Self) -> Vec<NodePair<'a>> {
        changed(self.nodes(), newer.nodes())
    }

    /// The same of the owners of NSEC3 records.
    pub fn changed_nsec3_nodes<'a>(&'a self, newer: &'a Self) -> Vec<NodePair<'a>> {
        changed(self.nsec3_nodes(), newer.nsec3_nodes())
    }
}

/// The names that differ in two walks.
fn changed<'a>(old: Nodes<'a>, new: Nodes<'a>) -> Vec<NodePair<'a>> {
    let mut pairs = Vec::new();
    let mut see = |gone, come| {
        pairs.push((gone, come));
        Some(())
    };
    // It sees all, so it is not stopped.
    let _ = walk(old, new, &mut see);
    pairs
}

/// A name in an older and a newer version; none where it is not.
pub type NodePair<'a> = (Option<NodeRef<'a>>, Option<NodeRef<'a>>);

/// What differs between a name and itself in another version.
fn add_difference(gone: Option<NodeRef<'_>>, come: Option<NodeRef<'_>>, delta: &mut Delta) {
    if let (Some(old), Some(new)) = (gone, come) {
        return node_diff(old, new, delta);
    }
    let records = |node: Option<NodeRef<'_>>| -> Vec<Record> {
        node.iter().flat_map(|node| node.records()).map(RecordRef::to_record).collect()
    };
    delta.removed.extend(records(gone));
    delta.added.extend(records(come));
}

/// Walks over two versions side by side, past what they share, and shows names that differ until `see` says
/// `None`.
fn walk<'a>(
    mut old: Nodes<'a>,
    mut new: Nodes<'a>,
    see: &mut impl FnMut(Option<NodeRef<'a>>, Option<NodeRef<'a>>) -> Option<()>,
) -> Option<()> {
    old.skip_shared(&mut new);
    let (mut gone, mut come) = (old.next(), new.next());
    loop {
        let order = match (gone, come) {
            (None, None) => return Some(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) if a.content() == b.content() => Ordering::Equal,
            (Some(a), Some(b)) => {
                let order = a.owner().cmp(&b.owner());
                if order.is_eq() {
                    see(gone, come)?;
                }
                order
            }
        };
        match order {
            Ordering::Less => see(gone, None)?,
            Ordering::Greater => see(None, come)?,
            Ordering::Equal => old.skip_shared(&mut new),
        }
        if order.is_le() {
            gone = old.next();
        }
        if order.is_ge() {
            come = new.next();
        }
    }
}

/// What differs at one name. Letter case of the owner is no difference.
fn node_diff(old: NodeRef<'_>, new: NodeRef<'_>, delta: &mut Delta) {
    let key = |record: &RecordRef<'_>| {
        let entry = Entry::new(record.rtype, record.ttl, record.rdata);
        (entry.set, entry.is_signature, record.rdata.to_vec(), record.ttl)
    };
    let sorted = |node: NodeRef<'_>| {
        let mut keys: Vec<_> = node.records().map(|record| key(&record)).collect();
        keys.sort_unstable();
        keys
    };
    let (before, after) = (sorted(old), sorted(new));
    let gone = old.records().filter(|record| after.binary_search(&key(record)).is_err());
    delta.removed.extend(gone.map(RecordRef::to_record));
    let come = new.records().filter(|record| before.binary_search(&key(record)).is_err());
    delta.added.extend(come.map(RecordRef::to_record));
}

//--- Application

impl Zone {
    /// The version with the removed records taken away and the added ones put in. This version stays
    /// as it is; the new one shares with it all that did not change.
    pub fn apply(&self, delta: &Delta) -> Result<Self, ApplyError> {
        let contents = Contents { content: None, ..self.contents().clone() };
        let mut edit = Edit { apex: self.apex(), contents };
        let mut changes: Vec<(bool, &Record)> = Vec::new();
        changes.extend(delta.removed.iter().map(|record| (false, record)));
        changes.extend(delta.added.iter().map(|record| (true, record)));
        let is_hashed = |record: &Record| {
            Entry::new(record.rtype, record.ttl, &record.rdata).set == Rtype::NSEC3
        };
        changes.sort_by(|a, b| {
            is_hashed(a.1).cmp(&is_hashed(b.1)).then_with(|| a.1.owner.cmp(&b.1.owner))
        });
        let same = |a: &(bool, &Record), b: &(bool, &Record)| {
            is_hashed(a.1) == is_hashed(b.1) && a.1.owner == b.1.owner
        };
        for group in changes.chunk_by(same) {
            edit.name(group, is_hashed(group[0].1))?;
        }
        edit.finish()
    }
}

/// A version in the making.
struct Edit<'a> {
    /// The apex.
    apex: NameRef<'a>,
    /// What was reached.
    contents: Contents,
}

impl Edit<'_> {
    /// Changes the records of one name.
    fn name(&mut self, changes: &[(bool, &Record)], hashed: bool) -> Result<(), ApplyError> {
        let owner = changes[0].1.owner.as_ref();
        if !owner.is_at_or_below(self.apex) {
            return Err(ApplyError::OutOfZone(owner.to_name()));
        }
        let tree = if hashed { &self.contents.hashed } else { &self.contents.names };
        let old = tree.find(owner).exact().map(|node| node.bytes().to_vec());
        let old = old.as_deref().map(NodeRef::new);
        let mut entries: Vec<Entry<'_>> =
            old.iter().flat_map(|node| node.all_rrsets()).flat_map(encode::entries).collect();
        for (is_added, record) in changes {
            alter(&mut entries, record, *is_added)?;
        }
        let old_counts = old.map_or_else(Counts::default, counts_of);
        let spelled = old.map_or(owner, NodeRef::owner);
        let mut compiler = Compiler::new(self.apex);
        let mut bytes = Vec::new();
        if hashed {
            compiler.node(&mut bytes, spelled, &mut entries, |_, _| Flags::default());
            refuse_faults(&compiler)?;
            if entries.is_empty() {
                self.contents.hashed.remove(owner);
            } else {
                self.contents.hashed.put(NodeRef::new(&bytes));
            }
        } else {
            let old_flags = old.map(NodeRef::flags);
            let above = self.make_parent(owner);
            let flags = compiler.node(&mut bytes, spelled, &mut entries, |ns, dname| {
                Flags::below(above, ns, dname)
                    .with_wildcard_child(old.is_some_and(NodeRef::has_wildcard_child))
            });
            refuse_faults(&compiler)?;
            self.contents.names.put(NodeRef::new(&bytes));
            if old_flags.is_some_and(|old| old.passed_on() != flags.passed_on()) {
                self.pass_on(owner);
            }
            if old.is_none() && owner.is_wildcard() {
                self.set_wildcard_child(owner, true);
            }
            if entries.is_empty() {
                self.prune(owner);
            }
        }
        let new_counts = compiler.counts;
        let counts = &mut self.contents.counts;
        counts.records = counts.records + new_counts.records - old_counts.records;
        counts.rrsets = counts.rrsets + new_counts.rrsets - old_counts.rrsets;
        counts.names = counts.names + new_counts.names - old_counts.names;
        Ok(())
    }

    /// Makes sure that the ancestors of a name exist. Returns the flags of its parent.
    fn make_parent(&mut self, name: NameRef<'_>) -> Option<Flags> {
        if name == self.apex {
            return None;
        }
        let parent = name.parent()?;
        if let Some(node) = self.contents.names.find(parent).exact() {
            return Some(node.flags());
        }
        let flags = Flags::below(self.make_parent(parent), false, false);
        let mut bytes = Vec::new();
        node::open(&mut bytes, flags, parent);
        self.contents.names.put(NodeRef::new(&bytes));
        if parent.is_wildcard() {
            self.set_wildcard_child(parent, true);
        }
        Some(flags)
    }

    /// Takes a name without records away if nothing is below it, and so its ancestors.
    fn prune(&mut self, name: NameRef<'_>) {
        let mut name = name;
        while name != self.apex {
            let names = &self.contents.names;
            let Some(node) = names.find(name).exact() else { return };
            let has_below =
                names.iter_after(name).next().is_some_and(|next| next.owner().is_at_or_below(name));
            if !node.is_empty_non_terminal() || has_below {
                return;
            }
            self.contents.names.remove(name);
            if name.is_wildcard() {
                self.set_wildcard_child(name, false);
            }
            let Some(parent) = name.parent() else { return };
            name = parent;
        }
    }

    /// Records at the parent of a wildcard whether it exists.
    fn set_wildcard_child(&mut self, wildcard: NameRef<'_>, exists: bool) {
        let parent = wildcard.parent().and_then(|name| self.contents.names.find(name).exact());
        let bytes = parent.map(|n| node::with_flags(n, n.flags().with_wildcard_child(exists)));
        if let Some(bytes) = bytes {
            self.contents.names.put(NodeRef::new(&bytes));
        }
    }

    /// Updates the flags of all names below a node that became or ceased to be a cut or DNAME.
    fn pass_on(&mut self, top: NameRef<'_>) {
        let names = &self.contents.names;
        let Some(node) = names.find(top).exact() else { return };
        let mut path = vec![(top.label_count(), node.flags())];
        let mut changed = Vec::new();
        for node in names.iter_after(top).take_while(|node| node.owner().is_at_or_below(top)) {
            let labels = node.owner().label_count();
            path.retain(|(above, _)| *above < labels);
            let above = path.last().map(|(_, flags)| *flags);
            let has = |rtype| node.rrset(rtype).is_some();
            let flags = Flags::below(above, has(Rtype::NS), has(Rtype::DNAME))
                .with_wildcard_child(node.has_wildcard_child());
            if flags != node.flags() {
                changed.push(node::with_flags(node, flags));
            }
            path.push((labels, flags));
        }
        changed.iter().for_each(|bytes| self.contents.names.put(NodeRef::new(bytes)));
    }

    /// Reads again what the zone keeps of its apex.
    fn finish(mut self) -> Result<Zone, ApplyError> {
        let apex = self.contents.names.first().ok_or(ApplyError::Soa)?;
        if apex.rrset(Rtype::SOA).is_none_or(|set| set.count() != 1) {
            return Err(ApplyError::Soa);
        }
        let facts = Apex::read(self.contents.apex.as_ref(), apex).ok_or(ApplyError::Soa)?;
        self.contents.facts = facts;
        Ok(Zone::new(self.contents))
    }
}

/// Takes one record out of the entries of its name, or puts it in.
fn alter<'a>(
    entries: &mut Vec<Entry<'a>>,
    record: &'a Record,
    is_added: bool,
) -> Result<(), ApplyError> {
    let entry = Entry::new(record.rtype, record.ttl, &record.rdata);
    let at = entries.iter().position(|other| other.order(&entry).is_eq());
    let error = |wrap: fn(Name, Rtype) -> ApplyError| wrap(record.owner.clone(), record.rtype);
    if record.class != Class::IN || record.rtype.is_meta() {
        return Err(error(ApplyError::NoZoneData));
    }
    match at {
        Some(_) if is_added => return Err(error(ApplyError::Present)),
        None if is_added => entries.push(entry),
        Some(at) if entries[at].ttl == entry.ttl => drop(entries.swap_remove(at)),
        _ => return Err(error(ApplyError::Absent)),
    }
    Ok(())
}

/// What is made of a version is exact: what is tolerated in a zone file is an error here.
pub(super) fn refuse_faults(compiler: &Compiler<'_>) -> Result<(), ApplyError> {
    let Some(BuildFault { owner, rtype, kind }) = compiler.faults.first().cloned() else {
        return Ok(());
    };
    Err(match kind {
        BuildFaultKind::TooLarge => ApplyError::TooLarge(owner, rtype),
        BuildFaultKind::TtlDiffers => ApplyError::TtlDiffers(owner, rtype),
        _ => ApplyError::Present(owner, rtype),
    })
}

/// What a node adds to the counts of its zone.
fn counts_of(node: NodeRef<'_>) -> Counts {
    let rrsets = node.all_rrsets().count();
    Counts { records: node.records().count(), rrsets, names: usize::from(rrsets > 0) }
}

//------------ ApplyError ----------------------------------------------------

/// Why a delta does not fit a version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ApplyError {
    /// The owner is not at or below the apex.
    #[error("{0} is outside the zone")]
    OutOfZone(Name),
    /// The class is not IN, or the type cannot be in a zone.
    #[error("{0} {1}: not data of a zone")]
    NoZoneData(Name, Rtype),
    /// A record to remove is not there, or not with this TTL.
    #[error("{0} {1}: the record to remove is not there")]
    Absent(Name, Rtype),
    /// A record to add is there already.
    #[error("{0} {1}: the record to add is there already")]
    Present(Name, Rtype),
    /// The records of an RRset would have different TTLs.
    #[error("{0} {1}: the TTLs of the RRset would differ")]
    TtlDiffers(Name, Rtype),
    /// The RRset would not fit into a message of 64 KiB.
    #[error("{0} {1}: the RRset would not fit into a message of 64 KiB")]
    TooLarge(Name, Rtype),
    /// Names of 32 letters below the apex, which NSEC3 has, would be longer than a name can be.
    #[error("{0} is too long for NSEC3: a hashed name below it has more than 255 octets")]
    NoRoomForHashes(Name),
    /// There would not be exactly one SOA record.
    #[error("there would not be exactly one SOA record at the apex")]
    Soa,
}
