//! A received message, read once from front to back (RFC 1035 §4.1, RFC 6891, RFC 8945).
//!
//! Total over any bytes and linear in their number: names of records are stepped over, never
//! followed, so pointers cannot cost more than two octets each. What could be read before a fault
//! is kept, because even a FORMERR repeats the question and carries an OPT.

use super::edns::Edns;
use super::header::{HEADER_OCTETS, Header};
use super::{Class, NAME_OCTETS_MAX, NameRef, Opcode, Rtype};

//------------ Query ---------------------------------------------------------

/// A query as it was received.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The header.
    pub header: Header,
    /// The first question, if one could be read.
    pub question: Option<Question<'a>>,
    /// The OPT record, if there is one at the root.
    pub edns: Option<Edns<'a>>,
    /// Where the TSIG record starts, if it is the last one; it is not read here.
    pub tsig: Option<usize>,
    /// The serial of the first SOA in the authority section (IXFR, RFC 1995 §3).
    pub authority_serial: Option<u32>,
    /// The serial of the first SOA in the answer section (NOTIFY, RFC 1996 §3.7).
    pub answer_serial: Option<u32>,
    /// Whether the message is not what its opcode demands; the reaction is FORMERR.
    pub malformed: bool,
}

/// One entry of the question section (RFC 1035 §4.1.2).
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The name, in the sender's case.
    pub name: NameRef<'a>,
    /// The type asked for.
    pub rtype: Rtype,
    /// The class asked for.
    pub class: Class,
}

impl Question<'_> {
    /// Octets of the question on the wire.
    pub fn octets(&self) -> usize {
        self.name.wire().len() + 4
    }
}

impl<'a> Query<'a> {
    /// Reads a message. `None` means silence: shorter than a header, or a response (QR=1), which is
    /// never answered, malformed or not.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        Header::of_query(bytes).map(|header| Self::with_header(header, bytes))
    }

    /// Reads the rest of a message whose header is read. Apart from [`Self::read`] because that one
    /// copies what it returns, which `answer` does not want for each query.
    #[inline]
    pub(crate) fn with_header(header: Header, bytes: &'a [u8]) -> Self {
        let mut query = Self {
            header,
            question: None,
            edns: None,
            tsig: None,
            authority_serial: None,
            answer_serial: None,
            malformed: false,
        };
        query.malformed = query.read_body(bytes).is_none();
        query
    }

    /// Reads all sections; `None` at the first fault.
    fn read_body(&mut self, bytes: &'a [u8]) -> Option<()> {
        let mut at = HEADER_OCTETS;
        if self.header.questions > 0 {
            let (question, used) = read_question(&bytes[at..])?;
            self.question = Some(question);
            at += used;
        }
        // RFC 9619: more than one question is FORMERR; so is none but for a cookie-only query,
        // which only the caller can judge.
        if self.header.questions > 1 {
            // What follows is read all the same, to find the OPT.
            for _ in 1..self.header.questions {
                at += read_question(bytes.get(at..)?)?.1;
            }
        }
        if self.header.answers | self.header.authorities != 0 {
            at = self.read_sections(bytes, at)?;
        }
        for left in (0..self.header.additionals).rev() {
            let record = RawRecord::read(bytes, at)?;
            self.note_additional(bytes, &record, at, left == 0)?;
            at = record.end;
        }
        (at == bytes.len() && self.header.questions <= 1).then_some(())
    }

    /// Steps over the answer and authority sections, noting the SOA of a NOTIFY or an IXFR.
    fn read_sections(&mut self, bytes: &'a [u8], mut at: usize) -> Option<usize> {
        for _ in 0..self.header.answers {
            let record = RawRecord::read(bytes, at)?;
            at = record.end;
            if record.rtype == Rtype::SOA && self.answer_serial.is_none() {
                self.answer_serial = soa_serial(bytes, &record);
            }
            record.is_ordinary(self.header.opcode()).then_some(())?;
        }
        for _ in 0..self.header.authorities {
            let record = RawRecord::read(bytes, at)?;
            at = record.end;
            if record.rtype == Rtype::SOA && self.authority_serial.is_none() {
                self.authority_serial = soa_serial(bytes, &record);
            }
            record.is_ordinary(self.header.opcode()).then_some(())?;
        }
        Some(at)
    }

    /// Notes OPT and TSIG; `None` for two OPTs, an OPT that is not at the root, one that does not
    /// read, or a TSIG that is not the last record.
    fn note_additional(
        &mut self,
        bytes: &'a [u8],
        record: &RawRecord,
        at: usize,
        last: bool,
    ) -> Option<()> {
        match record.rtype {
            Rtype::OPT => {
                if self.edns.is_some() || bytes[at] != 0 {
                    return None;
                }
                let rdata = &bytes[record.rdata..record.end];
                let (edns, whole) = Edns::read(record.class, record.ttl, rdata);
                self.edns = Some(edns);
                whole
            }
            Rtype::TSIG => {
                self.tsig = Some(at);
                last.then_some(())
            }
            _ => Some(()),
        }
    }
}

/// Reads one question; names in questions cannot be compressed, since no name precedes them.
fn read_question(bytes: &[u8]) -> Option<(Question<'_>, usize)> {
    let (name, used) = NameRef::from_wire(bytes).ok()?;
    let tail = bytes[used..].first_chunk::<4>()?;
    let rtype = Rtype(u16::from_be_bytes([tail[0], tail[1]]));
    let class = Class(u16::from_be_bytes([tail[2], tail[3]]));
    Some((Question { name, rtype, class }, used + 4))
}

//------------ RawRecord -----------------------------------------------------

/// The offsets of a record's parts in a message; names in it are not read.
#[derive(Clone, Copy, Debug)]
struct RawRecord {
    /// The type.
    rtype: Rtype,
    /// The class, or OPT's payload size.
    class: u16,
    /// The TTL, or OPT's version and flags.
    ttl: u32,
    /// Offset of the RDATA.
    rdata: usize,
    /// Offset after the record.
    end: usize,
}

impl RawRecord {
    /// Reads the record at `at`.
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let fixed = skip_name(bytes, at)?;
        let b = bytes.get(fixed..)?.first_chunk::<10>()?;
        let rdata = fixed + 10;
        let end = rdata + usize::from(u16::from_be_bytes([b[8], b[9]]));
        (end <= bytes.len()).then_some(Self {
            rtype: Rtype(u16::from_be_bytes([b[0], b[1]])),
            class: u16::from_be_bytes([b[2], b[3]]),
            ttl: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
            rdata,
            end,
        })
    }

    /// Whether the record may be outside the additional section. OPT and TSIG may not; an UPDATE
    /// has its own meanings for the other meta types.
    fn is_ordinary(&self, opcode: Opcode) -> bool {
        opcode == Opcode::UPDATE || !matches!(self.rtype, Rtype::OPT | Rtype::TSIG)
    }
}

/// The offset after the name at `at`. A pointer ends a name and must point to before it, behind the
/// header; what it points to is not followed.
fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    let start = at;
    loop {
        let length = *bytes.get(at)?;
        match length >> 6 {
            0 => {
                at += 1 + usize::from(length);
                if at - start > NAME_OCTETS_MAX {
                    return None;
                }
                if length == 0 {
                    return Some(at);
                }
            }
            3 => {
                let low = *bytes.get(at + 1)?;
                let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                return (HEADER_OCTETS..start).contains(&target).then_some(at + 2);
            }
            _ => return None,
        }
    }
}

/// The serial of an SOA record, whose two names may be compressed.
fn soa_serial(bytes: &[u8], record: &RawRecord) -> Option<u32> {
    let after_mname = skip_name(bytes, record.rdata)?;
    let numbers = skip_name(bytes, after_mname)?;
    let serial = bytes.get(numbers..record.end)?.first_chunk::<4>()?;
    Some(u32::from_be_bytes(*serial))
}

#[cfg(test)]
mod tests;
