//! One message of a transfer while it is written: records behind each other, names compressed.
//!
//! Owner names and the names in RDATA of the types of RFC 1035 (RFC 3597 §4 allows no others) point to
//! where the same octets already are, also in letter case (RFC 5936 §3.4). Where names are in the message is
//! kept in a small table by hash: one look for each label, never a search through the message. What the
//! table forgets is spelled again.

use crate::wire::{Header, NameRef, POINTER_MAX, RecordRef, Writer, rdata};

/// Names that the table remembers.
const NAMES: usize = 1 << TABLE_BITS;
/// The same as a power of two.
const TABLE_BITS: u32 = 10;

//------------ Page ----------------------------------------------------------

/// A message under construction.
#[derive(Debug)]
pub(super) struct Page<'o> {
    /// Where it is written.
    writer: Writer<'o>,
    /// Where names start, by the hash of their first label and length; 0: none.
    names: [u16; NAMES],
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
        let mut page = Self { writer, names: [0; NAMES], records: 0, questions };
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

    /// Writes the parts of a record; `None` where there is no room.
    fn put_parts(&mut self, record: RecordRef<'_>, owner: &mut Option<u16>) -> Option<()> {
        match *owner {
            Some(at) => self.writer.put_pointer(at).then_some(())?,
            None => *owner = self.put_name(record.owner)?,
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

/// The place of a name in the table: of its first label and its length, which tell most names apart.
fn slot(name: &[u8]) -> usize {
    let label = &name[..name.len().min(1 + usize::from(name[0]))];
    let mut hash = name.len() as u64;
    for octets in label.chunks(8) {
        let mut word = [0; 8];
        word[..octets.len()].copy_from_slice(octets);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (hash >> (u64::BITS - TABLE_BITS)) as usize
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
