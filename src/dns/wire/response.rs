//! A received response, read once from front to back: header, question, the three sections, EDNS.
//!
//! Total over any bytes. Names are decompressed and each RDATA is checked against its type, so a
//! record of a [`Response`] is as good as one of a zone. A record takes at least eleven octets of
//! the message and grows to at most a few hundred by its names, so memory is bounded too. Reading
//! stops at the first fault: half a response proves nothing. RFC 1035 §4.1, RFC 6891.

use super::edns::Edns;
use super::header::{FLAG_AA, FLAG_TC};
use super::reader::{Reader, RecordFault, RecordHead};
use super::{Class, Header, Name, Rcode, Record, Rtype};

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
        let mut sections = Sections { reader: Reader::new(message), edns: None, rcode_high: 0 };
        let question = match header.questions {
            0 => None,
            1 => Some(sections.reader.question().ok_or(ResponseError::Question)?),
            _ => return Err(ResponseError::Questions),
        };
        let answer = sections.section("answer", header.answers)?;
        let authority = sections.section("authority", header.authorities)?;
        let additional = sections.section("additional", header.additionals)?;
        if !sections.reader.is_at_end() {
            return Err(ResponseError::Trailing);
        }
        let rcode = Rcode(u16::from(sections.rcode_high) << 4 | header.flags & 0x0f);
        Ok(Self { header, rcode, question, answer, authority, additional, edns: sections.edns })
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

//------------ Sections ------------------------------------------------------

/// Where reading is, and what it noted on the way.
struct Sections<'a> {
    /// The rest of the message.
    reader: Reader<'a>,
    /// The OPT record.
    edns: Option<Edns<'a>>,
    /// The upper eight bits of the response code.
    rcode_high: u8,
}

impl<'a> Sections<'a> {
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
        let head = self.reader.head()?;
        if head.rtype != Rtype::OPT {
            let rdata = self.reader.rdata(&head)?;
            let RecordHead { owner, rtype, class, ttl, .. } = head;
            return Ok(Some(Record { owner, rtype, class, ttl, rdata }));
        }
        let edns = self.reader.opt(&head).filter(|_| self.edns.is_none());
        self.edns = Some(edns.ok_or(RecordFault::Opt)?);
        self.rcode_high = (head.ttl >> 24) as u8;
        Ok(None)
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

#[cfg(test)]
mod tests;
