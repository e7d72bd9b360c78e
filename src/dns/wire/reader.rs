//! The parts of a received message, one after the other: the question, then records.
//!
//! Names are decompressed; RDATA is checked against its type only where it is wanted, since an UPDATE has
//! records without any (RFC 2136 §2.4, §2.5). Total over any bytes, linear in their number.

use std::ops::Range;

use super::edns::Edns;
use super::{Class, HEADER_OCTETS, Name, NameError, Rtype, rdata, read_name};

//------------ Reader --------------------------------------------------------

/// Reads a message behind its header.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The message.
    message: &'a [u8],
    /// The next octet.
    at: usize,
}

/// A record without its RDATA.
#[derive(Clone, Debug)]
pub struct RecordHead {
    /// The owner name.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
    /// The class; of an OPT record, the size of UDP messages.
    pub class: Class,
    /// The TTL; of an OPT record, version and flags.
    pub ttl: u32,
    /// Where in the message its RDATA is.
    pub at: Range<usize>,
}

impl<'a> Reader<'a> {
    /// A reader of a whole message, whose header is read already.
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, at: HEADER_OCTETS }
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.message.len()
    }

    /// Reads a question; none if it cannot be read.
    pub fn question(&mut self) -> Option<(Name, Rtype, Class)> {
        let name = self.name().ok()?;
        let [t0, t1, c0, c1] = *self.take(4)?.first_chunk()?;
        Some((name, Rtype(u16::from_be_bytes([t0, t1])), Class(u16::from_be_bytes([c0, c1]))))
    }

    /// Reads a record up to its RDATA, and steps over that.
    pub fn head(&mut self) -> Result<RecordHead, RecordFault> {
        let owner = self.name()?;
        let fixed: [u8; 10] =
            *self.take(10).and_then(|fixed| fixed.first_chunk()).ok_or(RecordFault::Cut)?;
        let number = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let start = self.at;
        self.take(usize::from(number(8))).ok_or(RecordFault::Cut)?;
        Ok(RecordHead {
            owner,
            rtype: Rtype(number(0)),
            class: Class(number(2)),
            ttl: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
            at: start..self.at,
        })
    }

    /// The RDATA of a record, uncompressed and valid for its type.
    pub fn rdata(&self, head: &RecordHead) -> Result<Box<[u8]>, RecordFault> {
        let expanded = rdata::expand(head.rtype, self.message, head.at.start, head.at.end)?;
        Ok(expanded.into_boxed_slice())
    }

    /// What an OPT record says; none if it is not at the root or does not read.
    pub fn opt(&self, head: &RecordHead) -> Option<Edns<'a>> {
        let raw = self.message.get(head.at.clone())?;
        let (edns, whole) = Edns::read(head.class.0, head.ttl, raw);
        (head.owner.as_ref().is_root() && whole.is_some()).then_some(edns)
    }

    /// Reads a name.
    fn name(&mut self) -> Result<Name, NameError> {
        let (name, behind) = read_name(self.message, self.at)?;
        self.at = behind;
        Ok(name)
    }

    /// The next octets, as many as asked for or none.
    fn take(&mut self, octets: usize) -> Option<&'a [u8]> {
        let taken = self.message.get(self.at..self.at + octets)?;
        self.at += octets;
        Some(taken)
    }
}

//------------ RecordFault ---------------------------------------------------

/// Why octets are no record.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordFault {
    /// The message ends inside the record.
    #[error("the message ends inside it")]
    Cut,
    /// The owner is no name.
    #[error("its owner is bad: {0}")]
    Owner(#[from] NameError),
    /// The RDATA does not fit its type.
    #[error(transparent)]
    Rdata(#[from] rdata::RdataError),
    /// A second OPT record, one that is not at the root, or one with options past its end.
    #[error("its OPT record is bad or one too many")]
    Opt,
}
