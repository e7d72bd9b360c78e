//! An RRset as it lies in a node, and how it is copied into a response.
//!
//! ```text
//! RRset    type u16 · records u16 · signatures u16 · marks u16 · octets of records u16 · of signatures u16
//!          records …  signatures …
//! record   C0 0C · type · class · TTL · RDLENGTH · RDATA              as on the wire, RDATA uncompressed
//! ```
//!
//! An RRset without names to compress goes out as one copy when its owner is the QNAME at offset 12.
//! In NS, CNAME, PTR and MX the name ends the RDATA, so compressing it means to leave away the
//! apex at its end and to put a pointer to the apex inside the QNAME there; such a record starts with
//! `C0 0D`. SOA has two names and one record in a zone; it is taken apart when it is written.

use crate::wire::{Class, NameRef, RecordRef, Rtype};

/// Octets of an RRset before its records.
pub(super) const HEAD_OCTETS: usize = 12;
/// Octets of a record before its RDATA: owner pointer, type, class, TTL, RDLENGTH.
pub(super) const RECORD_HEAD_OCTETS: usize = 12;
/// The owner pointer of a stored record: the QNAME right behind the header.
pub(super) const OWNER_QNAME: [u8; 2] = [0xc0, 0x0c];
/// The same, and the RDATA ends with a name at or below the apex that may be compressed.
pub(super) const OWNER_QNAME_TAIL: [u8; 2] = [0xc0, 0x0d];
/// The last octet of a message that a pointer can reach.
const POINTER_MAX: usize = 0x3fff;
/// Mark: some record starts with `OWNER_QNAME_TAIL`.
pub(super) const MARK_TAIL: u16 = 1;
/// Mark: some record names a host at or below the apex (NS, MX, SRV, SVCB, HTTPS).
pub(super) const MARK_TARGET: u16 = 2;
/// Mark: the first name of the SOA record is at or below the apex.
pub(super) const MARK_MNAME: u16 = 4;
/// Mark: the second name of the SOA record is at or below the apex.
pub(super) const MARK_RNAME: u16 = 8;

//------------ Owner, ApexPointer --------------------------------------------

/// The owner name of the records to write.
#[derive(Clone, Copy, Debug)]
pub enum Owner<'a> {
    /// It stands in the message at this offset (12 is the QNAME).
    At(u16),
    /// It is written out with the first record; the others point there.
    Spelled(NameRef<'a>),
}

/// Where the apex of the zone stands in the message: at the end of the QNAME.
#[derive(Clone, Copy, Debug)]
pub struct ApexPointer {
    /// Offset of the apex in the message.
    at: u16,
    /// Octets of the apex name; 0 when there is nothing to gain (the root).
    octets: u8,
}

impl ApexPointer {
    /// The apex is the end of the QNAME, which stands at `qname_at`.
    pub fn inside(qname_at: u16, qname: NameRef<'_>, apex: NameRef<'_>) -> Self {
        let octets = apex.wire().len() as u8;
        // Both lengths are at most 255, and the QNAME ends with the apex.
        let above = qname.wire().len().saturating_sub(usize::from(octets)) as u16;
        Self { at: qname_at + above, octets: if apex.is_root() { 0 } else { octets } }
    }

    /// The apex as the owner of records.
    pub fn owner(self) -> Owner<'static> {
        Owner::At(self.at)
    }

    /// The octets to put in the place of the apex.
    fn pointer(self) -> [u8; 2] {
        (0xc000 | self.at).to_be_bytes()
    }

    /// Writes a name that is at or below the apex, compressed. Returns the end, or `None` if full.
    pub fn write_name(self, out: &mut [u8], at: usize, name: NameRef<'_>) -> Option<usize> {
        let wire = name.wire();
        match wire.len().checked_sub(usize::from(self.octets)).filter(|_| self.octets > 0) {
            Some(labels) => {
                put(out, at, &wire[..labels])?;
                put(out, at + labels, &self.pointer())
            }
            None => put(out, at, wire),
        }
    }
}

//------------ RrsetRef ------------------------------------------------------

/// The records of one owner, class and type, with the signatures that cover them.
#[derive(Clone, Copy)]
pub struct RrsetRef<'a> {
    /// The type.
    rtype: Rtype,
    /// How many records.
    count: u16,
    /// How many signatures.
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

    /// How many records.
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

    /// The records, then the signatures.
    pub fn records(self, owner: NameRef<'a>) -> impl Iterator<Item = RecordRef<'a>> {
        Block(self.records).chain(Block(self.signatures)).map(move |record| RecordRef {
            owner,
            rtype: Rtype(u16::from_be_bytes([record[2], record[3]])),
            class: Class(u16::from_be_bytes([record[4], record[5]])),
            ttl: u32::from_be_bytes([record[6], record[7], record[8], record[9]]),
            rdata: &record[RECORD_HEAD_OCTETS..],
        })
    }

    /// Writes all records at `at`. Returns where they end, or `None` if they do not fit; then the
    /// octets behind `at` are of no meaning.
    pub fn write(
        self,
        out: &mut [u8],
        at: usize,
        owner: Owner<'_>,
        apex: ApexPointer,
    ) -> Option<usize> {
        if self.rtype == Rtype::SOA {
            return self.write_soa(out, at, owner, apex, u32::MAX);
        }
        if self.marks & MARK_TAIL == 0 {
            return write_block(self.records, out, at, owner, apex, u32::MAX);
        }
        let (mut end, mut owner) = (at, owner);
        for record in Block(self.records) {
            let start = end;
            end = write_owner(out, end, owner, apex)?;
            let tail = record[1] == OWNER_QNAME_TAIL[1] && apex.octets > 0;
            if tail {
                let cut = record.len() - usize::from(apex.octets);
                let octets = (cut + 2 - RECORD_HEAD_OCTETS) as u16;
                end = put(out, end, &record[2..RECORD_HEAD_OCTETS - 2])?;
                end = put(out, end, &octets.to_be_bytes())?;
                end = put(out, end, &record[RECORD_HEAD_OCTETS..cut])?;
                end = put(out, end, &apex.pointer())?;
            } else {
                end = put(out, end, &record[2..])?;
            }
            owner = later_owner(owner, start);
        }
        Some(end)
    }

    /// Writes all signatures at `at`, with a TTL of at most `ttl_max`. Returns as [`Self::write`].
    pub fn write_signatures(
        self,
        out: &mut [u8],
        at: usize,
        owner: Owner<'_>,
        apex: ApexPointer,
        ttl_max: u32,
    ) -> Option<usize> {
        write_block(self.signatures, out, at, owner, apex, ttl_max)
    }

    /// Writes the SOA record with both of its names compressed and a TTL of at most `ttl_max`.
    pub fn write_soa(
        self,
        out: &mut [u8],
        at: usize,
        owner: Owner<'_>,
        apex: ApexPointer,
        ttl_max: u32,
    ) -> Option<usize> {
        let record = self.records;
        let head = write_owner(out, at, owner, apex)?;
        let rdata_at = put(out, head, &record[2..RECORD_HEAD_OCTETS])?;
        put(out, head + 4, &self.ttl().min(ttl_max).to_be_bytes())?;
        let mut rest = &record[RECORD_HEAD_OCTETS..];
        let mut end = rdata_at;
        for mark in [MARK_MNAME, MARK_RNAME] {
            let (name, used) = NameRef::from_wire(rest).ok()?;
            end = match self.marks & mark != 0 {
                true => apex.write_name(out, end, name)?,
                false => put(out, end, name.wire())?,
            };
            rest = &rest[used..];
        }
        end = put(out, end, rest)?;
        put(out, rdata_at - 2, &((end - rdata_at) as u16).to_be_bytes())?;
        Some(end)
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

/// Copies records without names to compress.
fn write_block(
    block: &[u8],
    out: &mut [u8],
    at: usize,
    owner: Owner<'_>,
    apex: ApexPointer,
    ttl_max: u32,
) -> Option<usize> {
    if ttl_max == u32::MAX && matches!(owner, Owner::At(12)) {
        return put(out, at, block);
    }
    let (mut end, mut owner) = (at, owner);
    for record in Block(block) {
        let start = end;
        let head = write_owner(out, end, owner, apex)?;
        end = put(out, head, &record[2..])?;
        let ttl = u32::from_be_bytes([record[6], record[7], record[8], record[9]]);
        put(out, head + 4, &ttl.min(ttl_max).to_be_bytes())?;
        owner = later_owner(owner, start);
    }
    Some(end)
}

/// Writes an owner name.
fn write_owner(out: &mut [u8], at: usize, owner: Owner<'_>, apex: ApexPointer) -> Option<usize> {
    match owner {
        Owner::At(offset) => put(out, at, &(0xc000 | offset).to_be_bytes()),
        Owner::Spelled(name) => apex.write_name(out, at, name),
    }
}

/// The owner of the records after the one at `start`: a pointer to its owner, if one can reach.
fn later_owner(owner: Owner<'_>, start: usize) -> Owner<'_> {
    match owner {
        // The root itself is shorter than a pointer to it.
        Owner::Spelled(name) if start <= POINTER_MAX && !name.is_root() => Owner::At(start as u16),
        other => other,
    }
}

/// Copies octets into the message. Returns the end, or `None` if they do not fit.
#[inline]
fn put(out: &mut [u8], at: usize, bytes: &[u8]) -> Option<usize> {
    let end = at + bytes.len();
    out.get_mut(at..end)?.copy_from_slice(bytes);
    Some(end)
}

/// The host that a record names: where additional-section processing looks.
fn target(rtype: Rtype, rdata: &[u8]) -> Option<NameRef<'_>> {
    let at = match rtype {
        Rtype::NS => 0,
        Rtype::MX | Rtype::SVCB | Rtype::HTTPS => 2,
        Rtype::SRV => 6,
        _ => return None,
    };
    NameRef::from_wire(rdata.get(at..)?).ok().map(|(name, _)| name)
}

//------------ Block, Rrsets -------------------------------------------------

/// Walks over stored records.
#[derive(Clone)]
struct Block<'a>(&'a [u8]);

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
