//! Records of another decoder, for tests that compare it with ours.

use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};

use super::{Name, Rtype};

/// Owner, type, TTL and canonical RDATA of a record as hickory-proto decoded it.
pub(crate) fn of_hickory(record: &hickory_proto::rr::Record) -> (Name, Rtype, u32, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_canonical_form(true);
    record.data.emit(&mut encoder).unwrap();
    let (owner, _) = Name::from_wire(&record.name.to_bytes().unwrap()).unwrap();
    (owner, Rtype(u16::from(record.record_type())), record.ttl, bytes)
}
