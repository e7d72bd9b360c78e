//! RRsets into sections: whole or not at all, signatures with them, names by known offsets.
//!
//! Types without names to compress are one copy. In NS, CNAME, PTR, MX and SOA (the types of RFC
//! 1035; RFC 3597 §4 allows no others) the name points to where its bytes already are.

use crate::wire::{Class, NameRef, POINTER_MAX, Rtype};
use crate::zone::{Block, RrsetRef, Zone};

use super::reply::{QNAME_OFFSET, Reply, Section};

/// Targets of one RRset that are looked up for the additional section.
pub(crate) const TARGETS_MAX: usize = 64;

//------------ Owner ---------------------------------------------------------

/// The owner name of the records to write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    /// It is in the message at this offset.
    At(u16),
    /// It is written out with the first record; the others point there.
    Spelled(NameRef<'a>),
}

//------------ Targets -------------------------------------------------------

/// Where in the message the hosts are that an RRset names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Targets {
    /// The offsets, in the order of [`RrsetRef::targets`]; 0 where no pointer can reach.
    offsets: [u16; TARGETS_MAX],
    /// How many there are.
    count: usize,
}

impl Targets {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { offsets: [0; TARGETS_MAX], count: 0 }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// Notes the next one.
    fn push(&mut self, offset: usize) {
        if let Some(place) = self.offsets.get_mut(self.count) {
            *place = if offset <= POINTER_MAX { offset as u16 } else { 0 };
            self.count += 1;
        }
    }

    /// The owner of the addresses of the target at `index`; `None` past the cap.
    pub(crate) fn owner<'a>(&self, index: usize, name: NameRef<'a>) -> Option<Owner<'a>> {
        match self.offsets[..self.count].get(index)? {
            0 => Some(Owner::Spelled(name)),
            offset => Some(Owner::At(*offset)),
        }
    }
}

//------------ Putting -------------------------------------------------------

/// How an RRset is to be put.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Put<'a> {
    /// The owner of its records.
    pub(crate) owner: Owner<'a>,
    /// The section.
    pub(crate) section: Section,
    /// The largest TTL it may have.
    pub(crate) ttl_max: u32,
    /// Whether its signatures go with it.
    pub(crate) signatures: bool,
}

impl<'a> Put<'a> {
    /// With the TTL of the zone and without signatures.
    pub(crate) fn new(section: Section, owner: Owner<'a>) -> Self {
        Self { owner, section, ttl_max: u32::MAX, signatures: false }
    }

    /// With its signatures, if `signatures`.
    pub(crate) fn signed(self, signatures: bool) -> Self {
        Self { signatures, ..self }
    }
}

impl<'m> Reply<'m, '_> {
    /// Puts a whole RRset; false, and nothing put, if it does not fit.
    #[inline]
    pub(crate) fn put_rrset(
        &mut self,
        set: RrsetRef<'m>,
        put: Put<'_>,
        targets: Option<&mut Targets>,
    ) -> bool {
        let mark = self.writer.len();
        let done = self.put_records(set, put, targets)
            && (!put.signatures || self.put_signatures(set, put, mark));
        let signatures = if put.signatures { set.signature_count() } else { 0 };
        self.settle(mark, done, put.section, set.count() + signatures)
    }

    /// Puts only the signatures of an RRset (QTYPE RRSIG).
    pub(crate) fn put_only_signatures(&mut self, set: RrsetRef<'m>, put: Put<'_>) -> bool {
        let mark = self.writer.len();
        let done = self.put_block(set.signature_block(), put);
        self.settle(mark, done, put.section, set.signature_count())
    }

    /// Counts the records written since `mark` if they are done, else takes them back.
    #[inline]
    fn settle(&mut self, mark: usize, done: bool, section: Section, records: usize) -> bool {
        if done {
            self.counts[section as usize] += records as u16;
        } else {
            self.rewind(mark);
        }
        done
    }

    /// Puts the SOA of a negative response, its TTL cut to MINIMUM (RFC 2308 §3).
    pub(crate) fn put_negative_soa(&mut self, zone: &'m Zone, signatures: bool) -> bool {
        // Ready where the QNAME ends as the zone writes its name; 0x20 queries go the long way.
        if !signatures
            && let Some(soa) = zone.negative_soa()
            && let Some(at) = self.apex_in_qname(zone)
        {
            let mark = self.writer.len();
            let done = soa.put(&mut self.writer, at);
            return self.settle(mark, done, Section::Authority, 1);
        }
        let apex = zone.apex_node();
        let Some(set) = apex.rrset(Rtype::SOA) else {
            return true;
        };
        let put = Put::new(Section::Authority, Owner::Spelled(apex.owner())).signed(signatures);
        self.put_rrset(set, Put { ttl_max: zone.soa().negative_ttl(), ..put }, None)
    }

    /// Where the QNAME ends with the apex, byte for byte.
    fn apex_in_qname(&self, zone: &Zone) -> Option<u16> {
        let above = self.qname().wire().strip_suffix(zone.apex().wire())?;
        Some(QNAME_OFFSET + above.len() as u16) // a name has at most 255 octets
    }

    /// Writes the records.
    #[inline]
    fn put_records(
        &mut self,
        set: RrsetRef<'m>,
        put: Put<'_>,
        targets: Option<&mut Targets>,
    ) -> bool {
        match set.rtype() {
            Rtype::NS | Rtype::CNAME | Rtype::PTR => self.put_named(set, put, 0, targets),
            Rtype::MX => self.put_named(set, put, 2, targets),
            Rtype::SOA => self.put_soa(set, put),
            _ if targets.is_none() => self.put_block(set.block(), put),
            _ => self.put_each(set.block(), put, targets.zip(set.target_at())),
        }
    }

    /// Writes the signatures of the RRset whose records start at `start`.
    fn put_signatures(&mut self, set: RrsetRef<'m>, put: Put<'_>, start: usize) -> bool {
        let owner = later_owner(put.owner, start);
        self.put_block(set.signature_block(), Put { owner, ..put })
    }

    /// Writes stored records as they are but for owner and TTL.
    #[inline]
    fn put_block(&mut self, block: Block<'_>, put: Put<'_>) -> bool {
        if matches!(put.owner, Owner::At(QNAME_OFFSET)) && put.ttl_max == u32::MAX {
            return self.writer.put(block.octets());
        }
        self.put_each(block, put, None)
    }

    /// The same, record by record, noting where the hosts are that they name.
    fn put_each(
        &mut self,
        block: Block<'_>,
        put: Put<'_>,
        mut targets: Option<(&mut Targets, usize)>,
    ) -> bool {
        let mut owner = put.owner;
        for record in block.records(NameRef::ROOT) {
            let (start, octets) = (self.writer.len(), record.rdata.len() as u16);
            let ttl = record.ttl.min(put.ttl_max);
            let written = self.put_owner(owner)
                && self.writer.put_fixed(record.rtype, record.class, ttl, octets)
                && self.writer.put(record.rdata);
            if !written {
                return false;
            }
            owner = later_owner(owner, start);
            if let Some((targets, at)) = &mut targets {
                targets.push(self.writer.len() - record.rdata.len() + *at);
            }
        }
        true
    }

    /// Writes an owner name.
    #[inline]
    fn put_owner(&mut self, owner: Owner<'_>) -> bool {
        match owner {
            Owner::At(offset) => self.writer.put_pointer(offset),
            Owner::Spelled(name) => self.put_owner_name(name.wire()),
        }
    }

    /// Writes the head of a record: owner, type, class, TTL, and room for RDLENGTH.
    fn put_head(&mut self, set: RrsetRef<'_>, put: Put<'_>, owner: Owner<'_>) -> bool {
        let ttl = set.ttl().min(put.ttl_max);
        self.put_owner(owner) && self.writer.put_fixed(set.rtype(), Class::IN, ttl, 0)
    }

    /// Writes records whose RDATA is `fixed` octets and then a name that may be compressed.
    fn put_named(
        &mut self,
        set: RrsetRef<'m>,
        put: Put<'_>,
        fixed: usize,
        mut targets: Option<&mut Targets>,
    ) -> bool {
        let mut owner = put.owner;
        for rdata in set.rdatas() {
            let start = self.writer.len();
            if !self.put_head(set, put, owner) {
                return false;
            }
            owner = later_owner(owner, start);
            let rdata_at = self.writer.len();
            let (head, name) = rdata.split_at(fixed.min(rdata.len()));
            if !(self.writer.put(head) && self.put_rdata_name(name)) {
                return false;
            }
            self.writer.patch_u16(rdata_at - 2, (self.writer.len() - rdata_at) as u16);
            if let Some(targets) = targets.as_deref_mut() {
                targets.push(rdata_at + fixed);
            }
        }
        true
    }

    /// Writes a SOA: two names and twenty octets of numbers.
    fn put_soa(&mut self, set: RrsetRef<'m>, put: Put<'_>) -> bool {
        for rdata in set.rdatas() {
            if !self.put_head(set, put, put.owner) {
                return false;
            }
            let rdata_at = self.writer.len();
            let mut rest = rdata;
            for _ in 0..2 {
                let Ok((name, used)) = NameRef::from_wire(rest) else {
                    return false;
                };
                if !self.put_rdata_name(name.wire()) {
                    return false;
                }
                rest = &rest[used..];
            }
            if !self.writer.put(rest) {
                return false;
            }
            self.writer.patch_u16(rdata_at - 2, (self.writer.len() - rdata_at) as u16);
        }
        true
    }

    /// Puts the CNAME that a DNAME makes (RFC 6672 §3.1); it has no signature. Returns where its
    /// target is.
    pub(crate) fn put_synthesised_cname(
        &mut self,
        owner: Owner<'_>,
        ttl: u32,
        target: &[u8],
    ) -> Option<usize> {
        let mark = self.writer.len();
        let headed =
            self.put_owner(owner) && self.writer.put_fixed(Rtype::CNAME, Class::IN, ttl, 0);
        let rdata_at = self.writer.len();
        let done = headed && self.put_rdata_name(target);
        if done {
            self.writer.patch_u16(rdata_at - 2, (self.writer.len() - rdata_at) as u16);
        }
        self.settle(mark, done, Section::Answer, 1).then_some(rdata_at)
    }
}

/// The owner of the records after the one at `start`.
fn later_owner(owner: Owner<'_>, start: usize) -> Owner<'_> {
    match owner {
        // The root itself is shorter than a pointer to it.
        Owner::Spelled(name) if start <= POINTER_MAX && !name.is_root() => Owner::At(start as u16),
        owner => owner,
    }
}
