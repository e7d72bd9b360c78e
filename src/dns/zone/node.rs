//! A name of a zone and its records: one run of bytes, fixed when the zone is compiled.
//!
//! ```text
//! node    flags u8 · length of owner u8 · octets of RRsets u32 · owner, uncompressed, case kept
//!         RRsets by type
//! ```
//!
//! Our own numbers are little-endian, what goes on the wire is big-endian. The RRsets are laid out
//! in `rrset.rs`. The flags are first because they also depend on *other* names: two nodes with
//! the same bytes after the flags hold the same records.

use super::rrset::{self, RrsetRef, Rrsets};
use crate::wire::{NameRef, RecordRef, Rtype};

/// The apex of the zone.
const APEX: u8 = 1;
/// A zone cut: NS below the apex, itself not occluded.
const CUT: u8 = 1 << 1;
/// Below a zone cut: glue, or occluded.
const BELOW_CUT: u8 = 1 << 2;
/// Owns a DNAME that is not occluded.
const HAS_DNAME: u8 = 1 << 3;
/// Below a DNAME: occluded.
const BELOW_DNAME: u8 = 1 << 4;
/// The name `*` directly below exists.
const WILDCARD_CHILD: u8 = 1 << 5;

/// Octets before the owner name.
const HEAD_OCTETS: usize = 6;

//------------ Flags ---------------------------------------------------------

/// What a node is, beyond its records.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Flags(u8);

impl Flags {
    /// The flags of a node, given those of its parent (none for the apex) and what is there.
    pub(super) fn below(parent: Option<Self>, has_ns: bool, has_dname: bool) -> Self {
        match parent {
            Some(parent) => parent.of_child(has_ns, has_dname),
            None => Self(APEX | if has_dname { HAS_DNAME } else { 0 }),
        }
    }

    /// The flags of a node whose parent has the flags `self`, given what is at the node.
    fn of_child(self, has_ns: bool, has_dname: bool) -> Self {
        let mut bits = self.passed_on();
        if bits == 0 {
            bits = (u8::from(has_ns) * CUT) | (u8::from(has_dname) * HAS_DNAME);
        }
        Self(bits)
    }

    /// The bits that all names below get from a node with these flags.
    pub(super) fn passed_on(self) -> u8 {
        let mut bits = self.0 & (BELOW_CUT | BELOW_DNAME);
        if self.0 & CUT != 0 {
            bits |= BELOW_CUT;
        }
        if self.0 & HAS_DNAME != 0 {
            bits |= BELOW_DNAME;
        }
        bits
    }

    /// The same flags with the one for a wildcard child set or cleared.
    pub(super) fn with_wildcard_child(self, exists: bool) -> Self {
        Self(self.0 & !WILDCARD_CHILD | if exists { WILDCARD_CHILD } else { 0 })
    }

    /// Whether a name with these flags is below a cut or a DNAME.
    pub(super) fn is_occluded(self) -> bool {
        self.0 & (BELOW_CUT | BELOW_DNAME) != 0
    }

    /// Whether names below are answered from here and not from their own data.
    pub(super) fn stops(self) -> bool {
        self.0 & (CUT | HAS_DNAME) != 0
    }
}

//------------ NodeRef -------------------------------------------------------

/// A name that exists in a zone, with its RRsets (none at an empty non-terminal).
#[derive(Clone, Copy)]
pub struct NodeRef<'a>(&'a [u8]);

impl<'a> NodeRef<'a> {
    /// A node of the root without records.
    pub(super) const NONE: Self = Self(&[APEX, 1, 0, 0, 0, 0, 0]);

    /// The node whose bytes these are.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The node at the start of bytes that go on behind it.
    #[inline]
    pub(super) fn first_of(bytes: &'a [u8]) -> Option<Self> {
        let [_, owner, octets @ ..] = bytes.first_chunk::<HEAD_OCTETS>()?;
        let end = HEAD_OCTETS + usize::from(*owner) + u32::from_le_bytes(*octets) as usize;
        bytes.get(..end).map(Self)
    }

    /// The bytes that hold the owner and the records, without the flags.
    pub(super) fn content(self) -> &'a [u8] {
        &self.0[1..]
    }

    /// All bytes.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The flags.
    pub(super) fn flags(self) -> Flags {
        Flags(self.0[0])
    }

    /// The owner name, in the case of the zone file.
    pub fn owner(self) -> NameRef<'a> {
        NameRef::from_checked(&self.0[HEAD_OCTETS..self.owner_end()])
    }

    /// Whether this is the apex of the zone.
    pub fn is_apex(self) -> bool {
        self.0[0] & APEX != 0
    }

    /// Whether this is a zone cut that is not itself occluded: NS, and not the apex.
    pub fn is_cut(self) -> bool {
        self.0[0] & CUT != 0
    }

    /// Whether a zone cut is above: the records are glue, or occluded.
    pub fn is_below_cut(self) -> bool {
        self.0[0] & BELOW_CUT != 0
    }

    /// Whether a DNAME is here that is not itself occluded.
    pub fn has_dname(self) -> bool {
        self.0[0] & HAS_DNAME != 0
    }

    /// Whether a DNAME is above.
    pub fn is_below_dname(self) -> bool {
        self.0[0] & BELOW_DNAME != 0
    }

    /// Whether the name `*` directly below exists, with records or as an empty non-terminal.
    pub fn has_wildcard_child(self) -> bool {
        self.0[0] & WILDCARD_CHILD != 0
    }

    /// Whether a signed zone signs the RRset of a type here (RFC 4035 §2.2): not NS and glue at a cut, which
    /// are the child's, and nothing below a cut or DNAME.
    pub fn is_signed_here(self, rtype: Rtype) -> bool {
        let is_ours = !self.is_cut() || matches!(rtype, Rtype::DS | Rtype::NSEC);
        is_ours && !self.flags().is_occluded()
    }

    /// Whether the name has an NSEC3 record in a zone that has a chain of them: all but what a cut or DNAME hides,
    /// empty non-terminals too (RFC 5155 §7.1).
    pub fn is_in_nsec3_chain(self) -> bool {
        !self.flags().is_occluded()
    }

    /// Whether the name has an NSEC record in a zone that has a chain of them (RFC 4035 §2.3).
    pub fn is_in_nsec_chain(self) -> bool {
        self.is_in_nsec3_chain() && !self.is_empty_non_terminal()
    }

    /// The types that the NSEC or NSEC3 record of the name lists (RFC 4034 §4.1.2, 5155 §7.1): at a cut only what
    /// the parent is sure of.
    pub fn listed_types(self) -> Vec<u16> {
        let is_listed =
            |rtype: Rtype| !self.is_cut() || matches!(rtype, Rtype::NS | Rtype::DS | Rtype::NSEC);
        let mut types = Vec::new();
        for set in self.rrsets().filter(|set| is_listed(set.rtype())) {
            types.push(set.rtype().0);
            if set.signature_count() > 0 && !types.contains(&Rtype::RRSIG.0) {
                types.push(Rtype::RRSIG.0);
            }
        }
        types.sort_unstable();
        types
    }

    /// Whether the name exists only because names below it do.
    pub fn is_empty_non_terminal(self) -> bool {
        self.owner_end() == self.0.len()
    }

    /// The RRsets in order of their type numbers. RRSIGs are with the RRset that they cover.
    pub fn rrsets(self) -> impl Iterator<Item = RrsetRef<'a>> {
        self.all_rrsets().filter(|set| set.count() > 0)
    }

    /// Signatures over RRsets that do not exist, as RRsets without records.
    pub fn orphan_signatures(self) -> impl Iterator<Item = RrsetRef<'a>> {
        self.all_rrsets().filter(|set| set.count() == 0)
    }

    /// The RRset of a type. RRSIGs are not found here but with what they cover.
    pub fn rrset(self, rtype: Rtype) -> Option<RrsetRef<'a>> {
        rrset::find(&self.0[self.owner_end()..], rtype).filter(|set| set.count() > 0)
    }

    /// All records of the node, signatures behind what they cover.
    pub fn records(self) -> impl Iterator<Item = RecordRef<'a>> {
        let owner = self.owner();
        self.all_rrsets().flat_map(move |set| set.records(owner))
    }

    /// The same as they are stored: as on the wire, behind a pointer to the QNAME in the place of the owner,
    /// names in RDATA not compressed.
    pub fn stored(self) -> impl Iterator<Item = &'a [u8]> {
        self.all_rrsets().flat_map(|set| set.block().chain(set.signature_block()))
    }

    /// The RRsets and the signatures that cover nothing.
    pub(super) fn all_rrsets(self) -> Rrsets<'a> {
        Rrsets::new(&self.0[self.owner_end()..])
    }

    /// Where the owner name ends.
    fn owner_end(self) -> usize {
        HEAD_OCTETS + usize::from(self.0[1])
    }
}

impl std::fmt::Debug for NodeRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.owner())?;
        self.rrsets().try_for_each(|set| write!(f, " {}", set.rtype()))
    }
}

//------------ Encoding ------------------------------------------------------

/// Appends the head of a node. Its RRsets follow; then comes [`close`].
pub(super) fn open(out: &mut Vec<u8>, flags: Flags, owner: NameRef<'_>) {
    // A name has at most 255 octets.
    out.extend_from_slice(&[flags.0, owner.wire().len() as u8, 0, 0, 0, 0]);
    out.extend_from_slice(owner.wire());
}

/// Completes the node that starts at `start` and ends with `out`.
pub(super) fn close(out: &mut [u8], start: usize) {
    let owner_end = start + HEAD_OCTETS + usize::from(out[start + 1]);
    // Fewer than 65,536 RRsets of less than 128 KiB each; a larger zone does not fit in memory.
    let octets = (out.len() - owner_end) as u32;
    out[start + 2..start + HEAD_OCTETS].copy_from_slice(&octets.to_le_bytes());
}

/// The octets of a node with other flags.
pub(super) fn with_flags(node: NodeRef<'_>, flags: Flags) -> Vec<u8> {
    let mut bytes = node.0.to_vec();
    bytes[0] = flags.0;
    bytes
}
