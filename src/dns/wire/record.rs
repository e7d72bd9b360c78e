//! A resource record, owned and borrowed. RDATA is uncompressed wire form.

use super::{Class, Name, NameRef, Rtype};

/// The longest TTL (RFC 2181 §8).
pub const TTL_MAX: u32 = (1 << 31) - 1;

/// A TTL as it came in a message: with its highest bit set it is zero (RFC 2181 §8).
pub fn received_ttl(ttl: u32) -> u32 {
    if ttl > TTL_MAX { 0 } else { ttl }
}

/// An owned resource record (RFC 1035 §3.2.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// The owner name.
    pub owner: Name,
    /// The type.
    pub rtype: Rtype,
    /// The class, IN for all data gapura serves.
    pub class: Class,
    /// Time to live in seconds, at most 2³¹−1 (RFC 2181 §8).
    pub ttl: u32,
    /// RDATA in uncompressed wire form.
    pub rdata: Box<[u8]>,
}

/// Octets of the five numbers that end the RDATA of an SOA record.
const SOA_NUMBERS_OCTETS: usize = 20;

impl Record {
    /// The serial of an SOA record; none of another, or of one whose RDATA is too short.
    pub fn serial(&self) -> Option<u32> {
        let (_, numbers) = self.soa_parts()?;
        numbers.first_chunk().map(|serial| u32::from_be_bytes(*serial))
    }

    /// Whether two SOA records say the same; case of letters and TTL aside.
    pub fn is_same_soa(&self, other: &Self) -> bool {
        let pair = self.soa_parts().zip(other.soa_parts());
        pair.is_some_and(|((names, numbers), (other_names, other_numbers))| {
            numbers == other_numbers && names.eq_ignore_ascii_case(other_names)
        })
    }

    /// The names and the numbers of an SOA record (RFC 1035 §3.3.13).
    fn soa_parts(&self) -> Option<(&[u8], &[u8])> {
        let at = self.rdata.len().checked_sub(SOA_NUMBERS_OCTETS)?;
        (self.rtype == Rtype::SOA).then(|| self.rdata.split_at(at))
    }

    /// The record as a borrowed view.
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            owner: self.owner.as_ref(),
            rtype: self.rtype,
            class: self.class,
            ttl: self.ttl,
            rdata: &self.rdata,
        }
    }
}

/// A borrowed resource record; a master file's million of them are never copied one by one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordRef<'a> {
    /// The owner name.
    pub owner: NameRef<'a>,
    /// The type.
    pub rtype: Rtype,
    /// The class.
    pub class: Class,
    /// Time to live in seconds.
    pub ttl: u32,
    /// RDATA in uncompressed wire form.
    pub rdata: &'a [u8],
}

impl RecordRef<'_> {
    /// An owned copy.
    pub fn to_record(self) -> Record {
        Record {
            owner: self.owner.to_name(),
            rtype: self.rtype,
            class: self.class,
            ttl: self.ttl,
            rdata: self.rdata.into(),
        }
    }
}
