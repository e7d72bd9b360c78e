//! A received response, read once from front to back: header, question, the three sections, EDNS.
//!
//! Total over any bytes. Names are decompressed and each RDATA is checked against its type, so a
//! record of a [`Response`] is as good as one of a zone. A record takes at least eleven octets of
//! the message and grows to at most a few hundred by its names, so memory is bounded too. Reading
//! stops at the first fault: half a response proves nothing. RFC 1035 §4.1, RFC 6891.

use super::edns::Edns;
use super::header::{FLAG_AA, FLAG_TC};
use super::{
    Class, HEADER_OCTETS, Header, Name, NameError, Rcode, Record, Rtype, rdata, read_name,
};

//------------ Response ------------------------------------------------------

/// A response as it was received.
#[derive(Clone, Debug)]
pub struct Response<'a> {
    /// The header.
    pub header: Header,
    /// The response code, with the high bits of an OPT record (RFC 6891 §6.1.3).
    pub rcode: Rcode,
    /// The question it repeats; an error or a later message of a transfer may have none.
    pub question: Option<(Name, Rtype, Class)>,
    /// The answer section.
    pub answer: Vec<Record>,
    /// The authority section.
    pub authority: Vec<Record>,
    /// The additional section without its OPT record.
    pub additional: Vec<Record>,
    /// What the OPT record says, if there is one.
    pub edns: Option<Edns<'a>>,
}

impl<'a> Response<'a> {
    /// Reads a message.
    pub fn read(message: &'a [u8]) -> Result<Self, ResponseError> {
        let header = Header::read(message).ok_or(ResponseError::Short)?;
        if !header.is_response() {
            return Err(ResponseError::Query);
        }
        let mut reader = Reader { message, at: HEADER_OCTETS, edns: None, rcode_high: 0 };
        let question = match header.questions {
            0 => None,
            1 => Some(reader.question()?),
            _ => return Err(ResponseError::Questions),
        };
        let answer = reader.section("answer", header.answers)?;
        let authority = reader.section("authority", header.authorities)?;
        let additional = reader.section("additional", header.additionals)?;
        if reader.at != message.len() {
            return Err(ResponseError::Trailing);
        }
        let rcode = Rcode(u16::from(reader.rcode_high) << 4 | header.flags & 0x0f);
        Ok(Self { header, rcode, question, answer, authority, additional, edns: reader.edns })
    }

    /// Whether the server says that it is authoritative (AA).
    pub fn is_authoritative(&self) -> bool {
        self.header.flags & FLAG_AA != 0
    }

    /// Whether the response was cut to fit (TC).
    pub fn is_truncated(&self) -> bool {
        self.header.flags & FLAG_TC != 0
    }

    /// The serial of the first SOA record in the answer section.
    pub fn serial(&self) -> Option<u32> {
        self.answer.iter().find_map(Record::serial)
    }
}

//------------ Reader --------------------------------------------------------

/// Where reading is, and what it noted on the way.
struct Reader<'a> {
    /// The message.
    message: &'a [u8],
    /// The next octet.
    at: usize,
    /// The OPT record.
    edns: Option<Edns<'a>>,
    /// The upper eight bits of the response code.
    rcode_high: u8,
}

impl<'a> Reader<'a> {
    /// Reads the one question.
    fn question(&mut self) -> Result<(Name, Rtype, Class), ResponseError> {
        let name = self.name().map_err(|_| ResponseError::Question)?;
        let tail = self.take(4).ok_or(ResponseError::Question)?;
        let number = |at: usize| u16::from_be_bytes([tail[at], tail[at + 1]]);
        Ok((name, Rtype(number(0)), Class(number(2))))
    }

    /// Reads the records of a section.
    fn section(&mut self, name: &'static str, count: u16) -> Result<Vec<Record>, ResponseError> {
        let mut records = Vec::new();
        for index in 0..count {
            match self.record() {
                Ok(record) => records.extend(record),
                Err(fault) => return Err(ResponseError::Record { section: name, index, fault }),
            }
        }
        Ok(records)
    }

    /// Reads one record; none if it is the OPT record, which is noted instead.
    fn record(&mut self) -> Result<Option<Record>, RecordFault> {
        let owner = self.name()?;
        let fixed = self.take(10).ok_or(RecordFault::Cut)?;
        let number = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
        let (rtype, class) = (Rtype(number(0)), number(2));
        let ttl = u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
        let start = self.at;
        let raw = self.take(usize::from(number(8))).ok_or(RecordFault::Cut)?;
        if rtype != Rtype::OPT {
            let rdata = rdata::expand(rtype, self.message, start, self.at)?.into_boxed_slice();
            return Ok(Some(Record { owner, rtype, class: Class(class), ttl, rdata }));
        }
        let (edns, whole) = Edns::read(class, ttl, raw);
        if self.edns.is_some() || !owner.as_ref().is_root() || whole.is_none() {
            return Err(RecordFault::Opt);
        }
        (self.edns, self.rcode_high) = (Some(edns), (ttl >> 24) as u8);
        Ok(None)
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

//------------ ResponseError -------------------------------------------------

/// Why bytes are no response.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ResponseError {
    /// Fewer octets than a header has.
    #[error("the message is shorter than a header")]
    Short,
    /// QR is clear.
    #[error("the message is a query")]
    Query,
    /// More than one question.
    #[error("the message has more than one question")]
    Questions,
    /// The question cannot be read.
    #[error("the question cannot be read")]
    Question,
    /// A record cannot be read.
    #[error("record {index} of the {section} section: {fault}")]
    Record {
        /// The section.
        section: &'static str,
        /// Its place in the section, from 0.
        index: u16,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// Octets behind the last record.
    #[error("the message has octets behind its last record")]
    Trailing,
}

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

#[cfg(test)]
mod tests;
