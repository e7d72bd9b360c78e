//! A resource record, owned and borrowed. RDATA is uncompressed wire form.

use super::{Class, Name, NameRef, Rtype};

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

impl Record {
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
