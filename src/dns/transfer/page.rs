//! One message of a transfer while it is written: records behind each other, names compressed.
//!
//! Owner names and the names in RDATA of the types of RFC 1035 (RFC 3597 §4 allows no others) point to
//! where the same octets already are, also in letter case (RFC 5936 §3.4). Where names are in the message is
//! kept in a small table by hash: one look for each label, never a search through the message. What the
//! table forgets is spelled again.

use crate::wire::{
    Class, Header, NAME_OCTETS_MAX, NameRef, POINTER_MAX, RecordRef, Rtype, Writer, rdata,
};

/// Names that the table remembers.
const NAMES: usize = 1 << TABLE_BITS;
/// The same as a power of two.
const TABLE_BITS: u32 = 10;
/// Octets of a stored record before its RDATA.
const STORED_HEAD_OCTETS: usize = 12;

//------------ Page ----------------------------------------------------------

/// A message under construction.
#[derive(Debug)]
pub(super) struct Page<'o> {
    /// Where it is written.
    writer: Writer<'o>,
    /// Where names start, by the hash of their first label and length; 0: none.
    names: [u16; NAMES],
    /// What follows the first label of the last owner, its octets, and where it is in the message.
    beside: [u8; NAME_OCTETS_MAX],
    beside_octets: u8,
    beside_at: u16,
    /// Records of the answer section.
    pub(super) records: u16,
    /// Entries of the question section.
    questions: u16,
}

impl<'o> Page<'o> {
    /// A message of at most `limit` octets with this question, or none. `None` if not even that fits.
    pub(super) fn new(out: &'o mut [u8], limit: usize, question: &[u8]) -> Option<Self> {
        let mut writer = Writer::new(out, limit)?;
        let at = writer.len();
        let fits = writer.put(question);
        let questions = u16::from(!question.is_empty());
        let mut page = Self {
            writer,
            names: [0; NAMES],
            beside: [0; NAME_OCTETS_MAX],
            beside_octets: 0,
            beside_at: 0,
            records: 0,
            questions,
        };
        if let Ok((name, _)) = NameRef::from_wire(question) {
            page.remember(name.wire(), at, name.wire().len() - 1);
        }
        fits.then_some(page)
    }

    /// Keeps room free behind the records; false if it is not there.
    pub(super) fn reserve(&mut self, octets: usize) -> bool {
        self.writer.reserve(octets)
    }

    /// Puts a record. `owner` is where its owner is in the message, if that is known, and is set when it
    /// is. False, and nothing put, if the record does not fit: then nothing may be put any more.
    pub(super) fn put(&mut self, record: RecordRef<'_>, owner: &mut Option<u16>) -> bool {
        let start = self.writer.len();
        let done = self.records < u16::MAX && self.put_parts(record, owner).is_some();
        if done {
            self.records += 1;
        } else {
            self.writer.rewind(start);
        }
        done
    }

    /// The same for a record as a zone stores it, whose first two octets stand for its owner.
    #[inline]
    pub(super) fn put_stored(
        &mut self,
        name: NameRef<'_>,
        stored: &[u8],
        owner: &mut Option<u16>,
    ) -> bool {
        let Some((head, rdata)) = stored.split_first_chunk::<STORED_HEAD_OCTETS>() else {
            return false;
        };
        let rtype = Rtype(u16::from_be_bytes([head[2], head[3]]));
        if rdata::compressible(rtype).is_some() || self.records == u16::MAX {
            let class = Class(u16::from_be_bytes([head[4], head[5]]));
            let ttl = u32::from_be_bytes([head[6], head[7], head[8], head[9]]);
            return self.put(RecordRef { owner: name, rtype, class, ttl, rdata }, owner);
        }
        let start = self.writer.len();
        let named = match *owner {
            Some(at) => self.writer.put_pointer(at),
            None => self.put_owner(name, owner),
        };
        let done = named && self.writer.put(&stored[2..]);
        if done {
            self.records += 1;
        } else {
            self.writer.rewind(start);
        }
        done
    }

    /// Writes the parts of a record; `None` where there is no room.
    fn put_parts(&mut self, record: RecordRef<'_>, owner: &mut Option<u16>) -> Option<()> {
        match *owner {
            Some(at) => self.writer.put_pointer(at).then_some(())?,
            None => self.put_owner(record.owner, owner).then_some(())?,
        }
        let RecordRef { rtype, class, ttl, rdata, .. } = record;
        let octets = u16::try_from(rdata.len()).ok()?;
        self.writer.put_fixed(rtype, class, ttl, octets).then_some(())?;
        let Some((fixed, names)) = rdata::compressible(rtype) else {
            return self.writer.put(rdata).then_some(());
        };
        let start = self.writer.len();
        let (head, mut rest) = rdata.split_at_checked(fixed)?;
        self.writer.put(head).then_some(())?;
        for _ in 0..names {
            let (name, used) = NameRef::from_wire(rest).ok()?;
            self.put_name(name)?;
            rest = &rest[used..];
        }
        self.writer.put(rest).then_some(())?;
        self.writer.patch_u16(start - 2, (self.writer.len() - start) as u16);
        Some(())
    }

    /// Writes an owner, which most often is beside the one before it: then its first label and a pointer to
    /// the rest are all.
    #[inline]
    fn put_owner(&mut self, name: NameRef<'_>, owner: &mut Option<u16>) -> bool {
        let (wire, start) = (name.wire(), self.writer.len());
        let label = 1 + usize::from(wire[0]);
        let (beside, at) = (&self.beside[..usize::from(self.beside_octets)], self.beside_at);
        if start <= POINTER_MAX && !beside.is_empty() && wire.get(label..) == Some(beside) {
            let put = self.writer.put(&wire[..label]) && self.writer.put_pointer(at);
            self.names[slot(wire)] = start as u16;
            *owner = Some(start as u16);
            return put;
        }
        let Some(at) = self.put_name(name) else { return false };
        *owner = at;
        let above = wire.get(label..).filter(|above| above.len() > 1);
        self.beside_octets = 0;
        if let Some(above) = above
            && let Some(at) = self.find(above)
        {
            self.beside[..above.len()].copy_from_slice(above);
            (self.beside_octets, self.beside_at) = (above.len() as u8, at);
        }
        true
    }

    /// Writes a name: the labels that are not in the message yet, then a pointer to those that are. Returns
    /// where others may point to for the whole of it, if they may.
    fn put_name(&mut self, name: NameRef<'_>) -> Option<Option<u16>> {
        let (wire, start) = (name.wire(), self.writer.len());
        let mut at = 0;
        while wire.len() - at > 1 {
            if let Some(offset) = self.find(&wire[at..]) {
                let put = self.writer.put(&wire[..at]) && self.writer.put_pointer(offset);
                self.remember(wire, start, at);
                let whole = if at == 0 { offset } else { start as u16 };
                return put.then_some((at == 0 || start <= POINTER_MAX).then_some(whole));
            }
            at += 1 + usize::from(wire[at]);
        }
        let put = self.writer.put(wire);
        self.remember(wire, start, at);
        // The root is shorter than a pointer to it.
        let is_target = start <= POINTER_MAX && wire.len() > 1;
        put.then_some(is_target.then_some(start as u16))
    }

    /// Where this name is in the message, if the table knows.
    fn find(&self, name: &[u8]) -> Option<u16> {
        let offset = self.names[slot(name)];
        (offset != 0 && is_at(self.writer.written(), usize::from(offset), name)).then_some(offset)
    }

    /// Notes the first `spelled` octets of a name that was written at `start`: each label begins a name.
    fn remember(&mut self, name: &[u8], start: usize, spelled: usize) {
        let mut at = 0;
        while at < spelled && start + at <= POINTER_MAX {
            self.names[slot(&name[at..])] = (start + at) as u16;
            at += 1 + usize::from(name[at]);
        }
    }

    /// Writes what was kept free for `opt`, and the header; returns the octets of the message.
    pub(super) fn finish(mut self, header: &Header, opt: &[u8]) -> usize {
        self.writer.release(opt.len());
        let additionals = u16::from(!opt.is_empty() && self.writer.put(opt));
        let counts = [self.questions, self.records, 0, additionals];
        self.writer.finish(header.id, header.flags, counts)
    }
}

/// The place of a name in the table: of the start and the end of its first label, and of its length, which
/// tell most names apart.
#[inline]
fn slot(name: &[u8]) -> usize {
    let label = 1 + usize::from(name[0]);
    let word = |from: usize| match name.get(from..).and_then(<[u8]>::first_chunk) {
        Some(octets) => u64::from_le_bytes(*octets),
        None => {
            name[from.min(name.len())..].iter().fold(0, |word, octet| word << 8 | u64::from(*octet))
        }
    };
    let end = word(label.saturating_sub(8));
    let hash = (word(0) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ end;
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - TABLE_BITS)) as usize
}

/// Whether exactly this name is at an offset of the message.
fn is_at(message: &[u8], mut offset: usize, mut name: &[u8]) -> bool {
    loop {
        let Some(&high) = message.get(offset) else { return false };
        if high >= 0xc0 {
            let Some(&low) = message.get(offset + 1) else { return false };
            let target = usize::from(u16::from_be_bytes([high & 0x3f, low]));
            // Pointers lead back only: this ends.
            if target >= offset {
                return false;
            }
            offset = target;
            continue;
        }
        let octets = 1 + usize::from(high);
        let (Some(label), Some(ours)) = (message.get(offset..offset + octets), name.get(..octets))
        else {
            return false;
        };
        if label != ours {
            return false;
        }
        if high == 0 {
            return true;
        }
        (offset, name) = (offset + octets, &name[octets..]);
    }
}
