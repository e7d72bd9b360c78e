//! The twelve octets every message starts with (RFC 1035 §4.1.1, RFC 4035 §3).
//!
//! Reading only; a response's header is written by [`Writer`](super::Writer) from these parts.

use super::Opcode;

/// Octets of the header.
pub const HEADER_OCTETS: usize = 12;

/// The QR bit: set in responses.
pub const FLAG_QR: u16 = 0x8000;
/// The AA bit: the answer is authoritative.
pub const FLAG_AA: u16 = 0x0400;
/// The TC bit: the message was cut.
pub const FLAG_TC: u16 = 0x0200;
/// The RD bit: recursion desired, copied into the response.
pub const FLAG_RD: u16 = 0x0100;

//------------ Header --------------------------------------------------------

/// A message's header as it was received.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Header {
    /// The identifier, copied into the response.
    pub id: u16,
    /// QR, opcode, AA, TC, RD, RA, Z, AD, CD and the low four bits of the response code.
    pub flags: u16,
    /// Entries of the question section.
    pub questions: u16,
    /// Records of the answer section.
    pub answers: u16,
    /// Records of the authority section.
    pub authorities: u16,
    /// Records of the additional section.
    pub additionals: u16,
}

impl Header {
    /// Reads the header; `None` if there are fewer than twelve octets.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let b = bytes.first_chunk::<HEADER_OCTETS>()?;
        Some(Self {
            id: u16::from_be_bytes([b[0], b[1]]),
            flags: u16::from_be_bytes([b[2], b[3]]),
            questions: u16::from_be_bytes([b[4], b[5]]),
            answers: u16::from_be_bytes([b[6], b[7]]),
            authorities: u16::from_be_bytes([b[8], b[9]]),
            additionals: u16::from_be_bytes([b[10], b[11]]),
        })
    }

    /// Reads the header of a query; `None` also for a response.
    #[inline]
    pub fn of_query(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).filter(|header| !header.is_response())
    }

    /// Whether the QR bit is set.
    pub fn is_response(self) -> bool {
        self.flags & FLAG_QR != 0
    }

    /// The operation code.
    pub fn opcode(self) -> Opcode {
        Opcode((self.flags >> 11) as u8 & 0x0f)
    }

    /// The flags of a response to this query: QR set, opcode and RD copied, all else clear.
    pub fn response_flags(self) -> u16 {
        FLAG_QR | self.flags & (0x7800 | FLAG_RD)
    }
}
