//! An RRset as stored in a node, and how it is copied into a response.
//!
//! ```text
//! RRset    type u16 · records u16 · signatures u16 · marks u16 · octets of records u16 · of signatures u16
//!          records …  signatures …
//! record   C0 0C · type · class · TTL · RDLENGTH · RDATA              as on the wire, RDATA uncompressed
//! ```
//!
//! An RRset without names to compress goes out as one copy when its owner is the QNAME at offset 12.

use crate::wire::{Class, NameRef, RecordRef, Rtype};

/// Octets of an RRset before its records.
pub(super) const HEAD_OCTETS: usize = 12;
/// Octets of a record before its RDATA: owner pointer, type, class, TTL, RDLENGTH.
pub(super) const RECORD_HEAD_OCTETS: usize = 12;
/// The owner pointer of a stored record: the QNAME right behind the header.
pub(super) const OWNER_QNAME: [u8; 2] = [0xc0, 0x0c];
/// Mark: some record names a host at or below the apex (NS, MX, SRV, SVCB, HTTPS).
pub(super) const MARK_TARGET: u16 = 1;

//------------ RrsetRef ------------------------------------------------------

/// The records of one owner, class and type, with the signatures that cover them.
#[derive(Clone, Copy)]
pub struct RrsetRef<'a> {
    /// The type.
    rtype: Rtype,
    /// The number of records.
    count: u16,
    /// The number of signatures.
    signature_count: u16,
    /// What may be compressed and looked up.
    marks: u16,
    /// The records.
    records: &'a [u8],
    /// The signatures.
    signatures: &'a [u8],
}

impl<'a> RrsetRef<'a> {
    /// Takes the first RRset off `bytes`.
    pub(super) fn split_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<HEAD_OCTETS>()?;
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (records, rest) = rest.split_at_checked(usize::from(word(8)))?;
        let (signatures, rest) = rest.split_at_checked(usize::from(word(10)))?;
        let set = Self {
            rtype: Rtype(word(0)),
            count: word(2),
            signature_count: word(4),
            marks: word(6),
            records,
            signatures,
        };
        Some((set, rest))
    }

    /// The type.
    pub fn rtype(self) -> Rtype {
        self.rtype
    }

    /// The number of records.
    pub fn count(self) -> usize {
        usize::from(self.count)
    }

    /// The TTL of the records; of the signatures where there are no records.
    pub fn ttl(self) -> u32 {
        let block = if self.count > 0 { self.records } else { self.signatures };
        block.get(6..10).map_or(0, |ttl| u32::from_be_bytes([ttl[0], ttl[1], ttl[2], ttl[3]]))
    }

    /// The RDATA of each record, uncompressed, in canonical order.
    pub fn rdatas(self) -> impl Iterator<Item = &'a [u8]> {
        Block(self.records).map(|record| &record[RECORD_HEAD_OCTETS..])
    }

    /// The RDATA of the first record; empty where there are only signatures.
    pub fn first(self) -> &'a [u8] {
        Block(self.records).next().map_or(&[], |record| &record[RECORD_HEAD_OCTETS..])
    }

    /// How many RRSIGs cover the RRset.
    pub fn signature_count(self) -> usize {
        usize::from(self.signature_count)
    }

    /// The RDATA of each RRSIG that covers the RRset.
    pub fn signatures(self) -> impl Iterator<Item = &'a [u8]> {
        Block(self.signatures).map(|record| &record[RECORD_HEAD_OCTETS..])
    }

    /// Whether some record names a host at or below the apex, so that additional data may exist.
    pub fn has_target_in_zone(self) -> bool {
        self.marks & MARK_TARGET != 0
    }

    /// The hosts that NS, MX, SRV, SVCB or HTTPS records name, in the zone or not.
    pub fn targets(self) -> impl Iterator<Item = NameRef<'a>> {
        self.rdatas().filter_map(move |rdata| target(self.rtype, rdata))
    }

    /// The target of each SVCB or HTTPS record, and whether the record is an alias (RFC 9460 §2.4.1).
    pub fn service_targets(self) -> impl Iterator<Item = (bool, NameRef<'a>)> {
        let is_alias = |rdata: &[u8]| rdata.starts_with(&[0, 0]);
        self.rdatas().filter_map(move |rdata| Some((is_alias(rdata), target(self.rtype, rdata)?)))
    }

    /// Where in its RDATA a record names a host; `None` for types that name none.
    pub fn target_at(self) -> Option<usize> {
        target_at(self.rtype)
    }

    /// The records, then the signatures.
    pub fn records(self, owner: NameRef<'a>) -> impl Iterator<Item = RecordRef<'a>> {
        self.block().records(owner).chain(self.signature_block().records(owner))
    }

    /// All records as they are stored.
    #[inline]
    pub fn block(self) -> Block<'a> {
        Block(self.records)
    }

    /// The signatures as they are stored.
    #[inline]
    pub fn signature_block(self) -> Block<'a> {
        Block(self.signatures)
    }
}

impl std::fmt::Debug for RrsetRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ×{}", self.ttl(), self.rtype, self.count)
    }
}

/// Content is the same: type, TTL, records and signatures.
impl PartialEq for RrsetRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.rtype == other.rtype
            && self.records == other.records
            && self.signatures == other.signatures
    }
}

impl Eq for RrsetRef<'_> {}

/// The host that a record names: where additional-section processing looks.
pub(super) fn target(rtype: Rtype, rdata: &[u8]) -> Option<NameRef<'_>> {
    let name = rdata.get(target_at(rtype)?..)?;
    NameRef::from_wire(name).ok().map(|(name, _)| name)
}

/// Where in its RDATA a record of a type names a host.
fn target_at(rtype: Rtype) -> Option<usize> {
    match rtype {
        Rtype::NS => Some(0),
        Rtype::MX | Rtype::SVCB | Rtype::HTTPS => Some(2),
        Rtype::SRV => Some(6),
        _ => None,
    }
}

//------------ Block, Rrsets -------------------------------------------------

/// Stored records of one RRset.
#[derive(Clone)]
pub struct Block<'a>(&'a [u8]);

impl<'a> Block<'a> {
    /// The records as they go out if their owner is the QNAME at offset 12: each starts with a pointer
    /// there, and names in RDATA are not compressed.
    #[inline]
    pub fn octets(self) -> &'a [u8] {
        self.0
    }

    /// The records one by one.
    pub fn records(self, owner: NameRef<'a>) -> impl Iterator<Item = RecordRef<'a>> {
        self.map(move |record| RecordRef {
            owner,
            rtype: Rtype(u16::from_be_bytes([record[2], record[3]])),
            class: Class(u16::from_be_bytes([record[4], record[5]])),
            ttl: u32::from_be_bytes([record[6], record[7], record[8], record[9]]),
            rdata: &record[RECORD_HEAD_OCTETS..],
        })
    }
}

impl<'a> Iterator for Block<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let length = self.0.get(RECORD_HEAD_OCTETS - 2..RECORD_HEAD_OCTETS)?;
        let octets = RECORD_HEAD_OCTETS + usize::from(u16::from_be_bytes([length[0], length[1]]));
        let (record, rest) = self.0.split_at_checked(octets)?;
        self.0 = rest;
        Some(record)
    }
}

/// Walks over the RRsets of a node.
#[derive(Clone)]
pub(super) struct Rrsets<'a>(&'a [u8]);

impl<'a> Rrsets<'a> {
    /// Over the RRsets that lie in `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }
}

impl<'a> Iterator for Rrsets<'a> {
    type Item = RrsetRef<'a>;

    fn next(&mut self) -> Option<RrsetRef<'a>> {
        let (set, rest) = RrsetRef::split_first(self.0)?;
        self.0 = rest;
        Some(set)
    }
}

/// The RRset of a type in bytes that hold RRsets in order of type, read no further than needed.
#[inline]
pub(super) fn find(mut bytes: &[u8], rtype: Rtype) -> Option<RrsetRef<'_>> {
    loop {
        let head = bytes.first_chunk::<HEAD_OCTETS>()?;
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        if word(0) >= rtype.0 {
            return RrsetRef::split_first(bytes).map(|(set, _)| set).filter(|_| word(0) == rtype.0);
        }
        bytes = bytes.get(HEAD_OCTETS + usize::from(word(8)) + usize::from(word(10))..)?;
    }
}
