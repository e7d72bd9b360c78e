//! How records lie in a blob: for the journal, the promoted RRsets and the full copies of zones.
//!
//! ```text
//! version 1 · { owner, uncompressed · type u16 · class u16 · TTL u32 · RDLENGTH u16 · RDATA } …
//! ```
//!
//! Numbers are big-endian, as on the wire; RDATA is uncompressed.

use super::StoreError;
use crate::wire::{Class, Name, NameRef, Record, RecordRef, Rtype};

/// The first octet of each blob.
const VERSION: u8 = 1;

/// Puts records in a blob.
pub fn encode<'a>(records: impl IntoIterator<Item = RecordRef<'a>>) -> Vec<u8> {
    let mut out = vec![VERSION];
    for record in records {
        push(&mut out, record);
    }
    out
}

/// Starts a blob that is filled by [`push`].
pub fn start() -> Vec<u8> {
    vec![VERSION]
}

/// Appends one record to a blob.
pub fn push(out: &mut Vec<u8>, record: RecordRef<'_>) {
    out.extend_from_slice(record.owner.wire());
    out.extend_from_slice(&record.rtype.0.to_be_bytes());
    out.extend_from_slice(&record.class.0.to_be_bytes());
    out.extend_from_slice(&record.ttl.to_be_bytes());
    // RDATA has at most 65,535 octets: it came from a message or was checked by the parser.
    out.extend_from_slice(&(record.rdata.len() as u16).to_be_bytes());
    out.extend_from_slice(record.rdata);
}

/// Hands each record of a blob to `sink`.
pub fn decode(blob: &[u8], mut sink: impl FnMut(RecordRef<'_>)) -> Result<(), StoreError> {
    let Some((&VERSION, mut rest)) = blob.split_first() else {
        return Err(StoreError::Corrupt("records of an unknown version".to_owned()));
    };
    while !rest.is_empty() {
        let (record, after) = split_first(rest)
            .ok_or_else(|| StoreError::Corrupt("records that are cut short".to_owned()))?;
        sink(record);
        rest = after;
    }
    Ok(())
}

/// The records of a blob, owned.
pub fn decode_all(blob: &[u8]) -> Result<Vec<Record>, StoreError> {
    let mut records = Vec::new();
    decode(blob, |record| records.push(record.to_record()))?;
    Ok(records)
}

/// Takes one record off the front.
fn split_first(bytes: &[u8]) -> Option<(RecordRef<'_>, &[u8])> {
    let (owner, used) = NameRef::from_wire(bytes).ok()?;
    let (head, rest) = bytes[used..].split_first_chunk::<10>()?;
    let word = |at: usize| u16::from_be_bytes([head[at], head[at + 1]]);
    let ttl = u32::from_be_bytes([head[4], head[5], head[6], head[7]]);
    let (rdata, rest) = rest.split_at_checked(usize::from(word(8)))?;
    let record = RecordRef { owner, rtype: Rtype(word(0)), class: Class(word(2)), ttl, rdata };
    Some((record, rest))
}

//------------ StoredRrset ---------------------------------------------------

/// An RRset as a value of its own: TTL and RDATA in the order given.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredRrset {
    /// Time to live in seconds.
    pub ttl: u32,
    /// The RDATA of each record; none means that the RRset is taken out.
    pub rdatas: Vec<Box<[u8]>>,
}

impl StoredRrset {
    /// As a blob. Without records the TTL is not kept; it means nothing then.
    pub(super) fn to_blob(&self, owner: &Name, rtype: Rtype) -> Vec<u8> {
        encode(self.rdatas.iter().map(|rdata| RecordRef {
            owner: owner.as_ref(),
            rtype,
            class: Class::IN,
            ttl: self.ttl,
            rdata,
        }))
    }

    /// Back from a blob.
    pub(super) fn from_blob(blob: &[u8]) -> Result<Self, StoreError> {
        let mut set = Self { ttl: 0, rdatas: Vec::new() };
        decode(blob, |record| {
            set.ttl = record.ttl;
            set.rdatas.push(record.rdata.into());
        })?;
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_damage_is_an_error() {
        let record = Record {
            owner: "Www.example.".parse().unwrap(),
            rtype: Rtype::A,
            class: Class::IN,
            ttl: 300,
            rdata: Box::new([192, 0, 2, 1]),
        };
        let blob = encode([record.as_ref(), record.as_ref()]);
        assert_eq!(decode_all(&blob).unwrap(), [record.clone(), record]);
        assert!(decode_all(&blob[..blob.len() - 1]).is_err());
        assert!(decode_all(&[]).is_err());
        assert!(decode_all(&[9]).is_err());
    }
}
