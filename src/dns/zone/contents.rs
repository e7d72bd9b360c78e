//! A zone as it is served: immutable, cheap to clone, looked up in one descent.

use std::num::NonZeroU64;
use std::ops::AddAssign;
use std::sync::Arc;

use super::apex::{Apex, NegativeSoa, Soa};
use super::node::NodeRef;
use super::rrset::RrsetRef;
use super::time_left::TimeLeft;
use super::trie::{Descent, Nodes, Trie};
use crate::memory::fetch;
use crate::wire::{NAME_OCTETS_MAX, Name, NameRef, RecordRef, Rtype};

/// A hash of a name, whatever the case of its letters. The same in every run of one build.
pub fn name_hash(name: NameRef<'_>) -> NonZeroU64 {
    NonZeroU64::new(super::key::hash(name)).unwrap_or(NonZeroU64::MIN)
}

//------------ Zone ----------------------------------------------------------

/// An immutable version of a zone. Clones share everything; a changed version shares all but the
/// paths to what changed.
#[derive(Clone)]
pub struct Zone(Arc<Contents>);

/// What a zone is made of.
#[derive(Clone)]
pub(super) struct Contents {
    /// The apex, in the case of the SOA's owner.
    pub(super) apex: Name,
    /// The hash of the apex.
    pub(super) apex_hash: NonZeroU64,
    /// All names but the hashed ones of NSEC3.
    pub(super) names: Trie,
    /// The owners of NSEC3 records. They do not exist as names (RFC 5155 §7.2.8).
    pub(super) hashed: Trie,
    /// What is at the apex.
    pub(super) facts: Apex,
    /// How much there is.
    pub(super) counts: Counts,
    /// For how long a secondary may serve it; none on a primary.
    pub(super) time_left: Option<TimeLeft>,
    /// What it was signed from; none of a version that gapura does not sign.
    pub(super) content: Option<Zone>,
}

/// How much there is in a zone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    /// Records, RRSIGs among them.
    pub(super) records: usize,
    /// RRsets; RRSIGs belong to the one they cover.
    pub(super) rrsets: usize,
    /// Names that own a record.
    pub(super) names: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.records += more.records;
        self.rrsets += more.rrsets;
        self.names += more.names;
    }
}

impl Zone {
    /// A zone of these contents.
    pub(super) fn new(contents: Contents) -> Self {
        Self(Arc::new(contents))
    }

    /// The contents.
    pub(super) fn contents(&self) -> &Contents {
        &self.0
    }

    /// Whether both are the very same version in memory.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The name of the zone.
    pub fn apex(&self) -> NameRef<'_> {
        self.0.apex.as_ref()
    }

    /// A hash of the zone's name, whatever the case of its letters: see [`name_hash`].
    pub fn apex_hash(&self) -> NonZeroU64 {
        self.0.apex_hash
    }

    /// Labels of the zone's name.
    pub fn apex_labels(&self) -> u8 {
        self.0.facts.labels
    }

    /// The serial of the SOA record.
    pub fn serial(&self) -> u32 {
        self.0.facts.soa.serial
    }

    /// The numbers of the SOA record.
    pub fn soa(&self) -> &Soa {
        &self.0.facts.soa
    }

    /// How long the version may still be served, in seconds: all of the SOA's EXPIRE on a primary (RFC 7314
    /// §3.2).
    pub fn seconds_left(&self) -> u32 {
        let all = self.soa().expire;
        self.0.time_left.as_ref().map_or(all, |left| left.seconds().min(all))
    }

    /// The same version on a secondary, where this time is left; versions made from it share it.
    pub fn with_time_left(&self, left: TimeLeft) -> Self {
        Self::new(Contents { time_left: Some(left), ..self.contents().clone() })
    }

    /// What files, requests and updates put into it: without the keys, proofs and signatures that gapura
    /// serves it with.
    pub fn content(&self) -> &Self {
        self.0.content.as_ref().unwrap_or(self)
    }

    /// The same version, signed from `content`. Versions made from it know nothing of that.
    pub fn with_content(&self, content: &Self) -> Self {
        Self::new(Contents { content: Some(content.clone()), ..self.contents().clone() })
    }

    /// The SOA record ready for negative responses; `None` where the apex is the root.
    pub fn negative_soa(&self) -> Option<&NegativeSoa> {
        self.0.facts.negative_soa.as_ref()
    }

    /// The number of records.
    pub fn record_count(&self) -> usize {
        self.0.counts.records
    }

    /// The number of RRsets.
    pub fn rrset_count(&self) -> usize {
        self.0.counts.rrsets
    }

    /// How many names own a record.
    pub fn name_count(&self) -> usize {
        self.0.counts.names
    }

    /// Whether the zone is signed: its SOA record has a signature.
    pub fn is_signed(&self) -> bool {
        self.0.facts.is_signed
    }

    /// The node of the apex.
    pub fn apex_node(&self) -> NodeRef<'_> {
        // No zone is made without an apex, and none is lost by an edit.
        self.0.names.first().unwrap_or(NodeRef::NONE)
    }

    /// Finds what answers a query for `qname`, which is at or below the apex.
    pub fn lookup<'a>(&'a self, qname: NameRef<'_>) -> Found<'a> {
        let spot = self.0.names.find(qname);
        let encloser = spot.exact().or_else(|| spot.encloser()).unwrap_or_else(|| self.apex_node());
        self.found(spot.exact(), encloser)
    }

    /// Finds what answers a query for the name of a node of the zone.
    pub fn at<'a>(&'a self, node: NodeRef<'a>) -> Found<'a> {
        self.found(Some(node), node)
    }

    /// What answers a query for a name that is that node, or whose closest encloser is it.
    fn found<'a>(&'a self, exact: Option<NodeRef<'a>>, encloser: NodeRef<'a>) -> Found<'a> {
        let (mut cut, mut dname) = (None, None);
        let flags = encloser.flags();
        if flags.is_occluded() {
            (cut, dname) = self.stop_above(encloser.owner());
        } else if encloser.is_cut() {
            cut = Some(encloser);
        } else if encloser.has_dname() && exact.is_none() {
            dname = Some(encloser);
        }
        Found { zone: self, exact, encloser, cut, dname }
    }

    /// Asks for what a look-up reads first.
    pub(super) fn fetch(&self) {
        fetch(&*self.0, size_of::<Contents>());
    }

    /// Asks for the octets of the apex.
    pub(super) fn fetch_apex(&self) {
        fetch(self.apex().wire(), 1);
    }

    /// The way to a name that is at or below the apex, one step after the other; none for a very long name.
    pub(super) fn descent(&self, name: NameRef<'_>) -> Option<Descent<'_>> {
        self.0.names.descent(name, self.is_signed())
    }

    /// The highest zone cut or DNAME above a name that is below one.
    fn stop_above(&self, name: NameRef<'_>) -> (Option<NodeRef<'_>>, Option<NodeRef<'_>>) {
        let apex_labels = usize::from(self.apex_labels());
        for labels in apex_labels..name.label_count() {
            let node = self.node(suffix(name, labels)).filter(|node| node.flags().stops());
            if let Some(node) = node {
                return if node.is_cut() { (Some(node), None) } else { (None, Some(node)) };
            }
        }
        (None, None)
    }

    /// The node of exactly this name.
    pub fn node(&self, name: NameRef<'_>) -> Option<NodeRef<'_>> {
        if !name.is_at_or_below(self.apex()) {
            return None;
        }
        self.0.names.find(name).exact()
    }

    /// The RRset of a name and type; for NSEC3 too, though its owners do not exist as names.
    pub fn rrset(&self, name: NameRef<'_>, rtype: Rtype) -> Option<RrsetRef<'_>> {
        if rtype == Rtype::NSEC3 {
            return self.nsec3_node(name)?.rrset(rtype);
        }
        self.node(name)?.rrset(rtype)
    }

    /// The node of a hashed owner name.
    pub(super) fn nsec3_node(&self, name: NameRef<'_>) -> Option<NodeRef<'_>> {
        name.is_at_or_below(self.apex()).then(|| self.0.hashed.find(name).exact())?
    }

    /// All names that exist, empty non-terminals too, in canonical order. Hashed owner names of
    /// NSEC3 are in [`Zone::nsec3_nodes`].
    pub fn nodes(&self) -> Nodes<'_> {
        self.0.names.iter()
    }

    /// The same in about so many walks or more, one behind the other: for as many threads.
    pub fn nodes_in_parts(&self, count: usize) -> Vec<Nodes<'_>> {
        self.0.names.parts(count)
    }

    /// The names after `name` in canonical order, whether it exists or not.
    pub fn nodes_after(&self, name: NameRef<'_>) -> Nodes<'_> {
        self.0.names.iter_after(name)
    }

    /// The owners of NSEC3 records in order of their hashes.
    pub fn nsec3_nodes(&self) -> Nodes<'_> {
        self.0.hashed.iter()
    }

    /// The owners of NSEC3 records after `name`, whether it exists or not.
    pub fn nsec3_nodes_after(&self, name: NameRef<'_>) -> Nodes<'_> {
        self.0.hashed.iter_after(name)
    }

    /// The names strictly below `name`, in canonical order.
    pub fn below<'a>(&'a self, name: NameRef<'_>) -> impl Iterator<Item = NodeRef<'a>> {
        let name = name.to_name();
        self.0
            .names
            .iter_after(name.as_ref())
            .take_while(move |node| node.owner().is_at_or_below(name.as_ref()))
    }

    /// All records: the SOA first, then in canonical order of owners, by type, each RRset followed
    /// by its signatures.
    pub fn records(&self) -> impl Iterator<Item = RecordRef<'_>> {
        let soa = self.apex_node().rrset(Rtype::SOA).into_iter();
        let soa = soa.flat_map(|set| set.records(self.apex()));
        let rest = merged(self.nodes(), self.nsec3_nodes()).flat_map(|node| {
            let is_first = move |set: &RrsetRef<'_>| node.is_apex() && set.rtype() == Rtype::SOA;
            let sets = node.all_rrsets().filter(move |set| !is_first(set));
            sets.flat_map(move |set| set.records(node.owner()))
        });
        soa.chain(rest)
    }

    /// Shows all records, in the same order, as long as `see` says true. For a whole zone: what walks is compiled here, where
    /// it is optimized, and not where it is called.
    pub fn each_record(&self, see: &mut dyn FnMut(RecordRef<'_>) -> bool) {
        for record in self.records() {
            if !see(record) {
                return;
            }
        }
    }

    /// The name before `name` in canonical order that exists and is authoritative data or a cut:
    /// where the NSEC record that covers `name` is. The apex has none before it.
    pub fn predecessor(&self, name: NameRef<'_>) -> Option<NodeRef<'_>> {
        self.authoritative_at_or_before(self.0.names.before(name)?)
    }

    /// Goes back from `node` past empty non-terminals and occluded names.
    fn authoritative_at_or_before<'a>(&'a self, mut node: NodeRef<'a>) -> Option<NodeRef<'a>> {
        loop {
            if node.flags().is_occluded() {
                // One step over all that is below the same cut.
                let (cut, dname) = self.stop_above(node.owner());
                node = cut.or(dname)?;
            }
            if !node.is_empty_non_terminal() {
                return Some(node);
            }
            node = self.0.names.before(node.owner())?;
        }
    }
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({} records)", self.apex(), self.serial(), self.record_count())
    }
}

/// Content is the same: the same records, TTLs and letter case.
impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        let pairs =
            |a: Nodes<'_>, b: Nodes<'_>| a.map(NodeRef::content).eq(b.map(NodeRef::content));
        self.is_same(other)
            || self.0.counts == other.0.counts
                && pairs(self.nodes(), other.nodes())
                && pairs(self.nsec3_nodes(), other.nsec3_nodes())
    }
}

impl Eq for Zone {}

/// The last `labels` labels of a name.
fn suffix(mut name: NameRef<'_>, labels: usize) -> NameRef<'_> {
    for _ in labels..name.label_count() {
        name = name.parent().unwrap_or(name);
    }
    name
}

/// Two walks in canonical order as one.
pub(super) fn merged<'a>(a: Nodes<'a>, b: Nodes<'a>) -> impl Iterator<Item = NodeRef<'a>> {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(left), Some(right)) if right.owner() < left.owner() => b.next(),
        (None, _) => b.next(),
        _ => a.next(),
    })
}

//------------ Found ---------------------------------------------------------

/// What one descent found for a QNAME.
#[derive(Clone, Copy)]
pub struct Found<'a> {
    /// Where.
    zone: &'a Zone,
    /// The node of the name.
    exact: Option<NodeRef<'a>>,
    /// The closest encloser, or the node of the name.
    encloser: NodeRef<'a>,
    /// The highest zone cut at or above the name.
    cut: Option<NodeRef<'a>>,
    /// The highest DNAME above the name.
    dname: Option<NodeRef<'a>>,
}

impl<'a> Found<'a> {
    /// The node of the name itself, if it exists (perhaps as an empty non-terminal, perhaps occluded).
    pub fn exact(&self) -> Option<NodeRef<'a>> {
        self.exact
    }

    /// The closest encloser (RFC 4592 §3.3.1): the longest existing ancestor, or the name itself if it
    /// exists.
    pub fn encloser(&self) -> NodeRef<'a> {
        self.encloser
    }

    /// The zone cut to refer to: the highest one at or above the name, apex aside. Above it nothing
    /// redirects.
    pub fn cut(&self) -> Option<NodeRef<'a>> {
        self.cut
    }

    /// The DNAME that redirects the name: the highest one strictly above it. There is no cut then.
    pub fn dname(&self) -> Option<NodeRef<'a>> {
        self.dname
    }

    /// The source of synthesis, `*.<closest encloser>`, if the name does not exist and it does
    /// (RFC 4592 §3.3.1).
    pub fn wildcard(&self) -> Option<NodeRef<'a>> {
        if self.exact.is_some() || !self.encloser.has_wildcard_child() {
            return None;
        }
        let mut room = [0; NAME_OCTETS_MAX];
        let source = self.encloser.owner().wildcard(&mut room)?;
        self.zone.contents().names.find(source).exact()
    }

    /// The next closer name (RFC 5155 §1.3): one label more of `qname` than the closest encloser has.
    pub fn next_closer<'q>(&self, qname: NameRef<'q>) -> NameRef<'q> {
        suffix(qname, self.encloser.owner().label_count() + 1)
    }
}
