//! Records on their way into a node, and how an RRset is laid down for `rrset` to read.

use std::cmp::Ordering;

use super::rrset::{self, HEAD_OCTETS, MARK_TARGET, OWNER_QNAME, RECORD_HEAD_OCTETS, RrsetRef};
use crate::wire::{Class, NameRef, Rtype, rdata};

//------------ Entry ---------------------------------------------------------

/// A record of one owner, on its way into a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Entry<'a> {
    /// The type; of an RRSIG the type it covers.
    pub(super) set: Rtype,
    /// Whether it is an RRSIG.
    pub(super) is_signature: bool,
    /// TTL in seconds.
    pub(super) ttl: u32,
    /// RDATA, uncompressed.
    pub(super) rdata: &'a [u8],
}

impl<'a> Entry<'a> {
    /// The entry of a record.
    pub(super) fn new(rtype: Rtype, ttl: u32, rdata: &'a [u8]) -> Self {
        match rdata {
            // RFC 4034 §3.1: the type covered comes first.
            [high, low, ..] if rtype == Rtype::RRSIG => {
                let set = Rtype(u16::from_be_bytes([*high, *low]));
                Self { set, is_signature: true, ttl, rdata }
            }
            _ => Self { set: rtype, is_signature: false, ttl, rdata },
        }
    }

    /// The type of the record.
    pub(super) fn rtype(&self) -> Rtype {
        if self.is_signature { Rtype::RRSIG } else { self.set }
    }

    /// The order of the entries of a node: RRsets, records before signatures, RDATA as DNSSEC orders
    /// them (RFC 4034 §6.3). Equal are records that differ in their TTL at most, or in letter case in
    /// names of the old types.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let kinds = (self.set, self.is_signature).cmp(&(other.set, other.is_signature));
        kinds.then_with(|| {
            if self.rdata == other.rdata {
                return Ordering::Equal;
            }
            let rtype = self.rtype();
            rdata::canonical(rtype, self.rdata).cmp(&rdata::canonical(rtype, other.rdata))
        })
    }
}

/// The entries of an RRset that is stored.
pub(super) fn entries<'a>(set: RrsetRef<'a>) -> impl Iterator<Item = Entry<'a>> {
    let records = set.records(NameRef::from_checked(&[0]));
    records.map(|record| Entry::new(record.rtype, record.ttl, record.rdata))
}

//------------ Encoding ------------------------------------------------------

/// The RRset does not fit into a message of 64 KiB, or its signatures do not.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge;

/// Octets of a response around the RRset: header, QTYPE and QCLASS, and an OPT with all its options.
const RESPONSE_OCTETS: usize = 12 + 4 + 512;

/// Appends an RRset: `entries` are sorted, without duplicates, all of one type and TTL.
pub(super) fn encode(
    out: &mut Vec<u8>,
    entries: &[Entry<'_>],
    owner: NameRef<'_>,
    apex: NameRef<'_>,
) -> Result<(), TooLarge> {
    let count = entries.iter().filter(|entry| !entry.is_signature).count();
    let octets = |entries: &[Entry<'_>]| -> usize {
        entries.iter().map(|entry| RECORD_HEAD_OCTETS + entry.rdata.len()).sum()
    };
    let records = octets(&entries[..count]);
    let around = RESPONSE_OCTETS + owner.wire().len();
    let record_octets = u16::try_from(records + around).map_err(|_| TooLarge)? - around as u16;
    let signature_octets = u16::try_from(octets(&entries[count..])).map_err(|_| TooLarge)?;
    let start = out.len();
    let words = [
        entries[0].set.0,
        count as u16, // Every record has at least 12 octets, so the counts fit if the octets do.
        (entries.len() - count) as u16,
        0,
        record_octets,
        signature_octets,
    ];
    let mut head = [0; HEAD_OCTETS];
    for (to, word) in head.as_chunks_mut::<2>().0.iter_mut().zip(words) {
        *to = word.to_le_bytes();
    }
    out.extend_from_slice(&head);
    let mut marks = 0;
    for entry in entries {
        let mut head = [0; RECORD_HEAD_OCTETS];
        head[..2].copy_from_slice(&OWNER_QNAME);
        head[2..4].copy_from_slice(&entry.rtype().0.to_be_bytes());
        head[4..6].copy_from_slice(&Class::IN.0.to_be_bytes());
        head[6..10].copy_from_slice(&entry.ttl.to_be_bytes());
        head[10..].copy_from_slice(&(entry.rdata.len() as u16).to_be_bytes());
        out.extend_from_slice(&head);
        out.extend_from_slice(entry.rdata);
        if !entry.is_signature && has_target_inside(entry.set, entry.rdata, apex) {
            marks |= MARK_TARGET;
        }
    }
    out[start + 6..start + 8].copy_from_slice(&marks.to_le_bytes());
    Ok(())
}

/// Whether a record names a host at or below the apex.
fn has_target_inside(rtype: Rtype, rdata: &[u8], apex: NameRef<'_>) -> bool {
    rrset::target(rtype, rdata).is_some_and(|host| {
        // The target `.` means the owner itself, which is in the zone (RFC 9460 §2.5).
        let itself = host.is_root() && matches!(rtype, Rtype::SVCB | Rtype::HTTPS);
        itself || host.is_at_or_below(apex)
    })
}
