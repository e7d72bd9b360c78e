//! One RRSIG: read, made, and what it is computed over (RFC 4034 §3).

use super::key_pair::{KeyError, KeyPair};
use super::span::Span;
use crate::wire::{Class, NameRef, Rtype, rdata};

/// Octets of an RRSIG before the name of its signer.
const HEAD_OCTETS: usize = 18;

//------------ Rrsig ---------------------------------------------------------

/// The fields of an RRSIG.
#[derive(Clone, Copy, Debug)]
pub struct Rrsig<'a> {
    /// The whole RDATA.
    pub rdata: &'a [u8],
    /// The type that is signed.
    pub covered: Rtype,
    /// The DNSSEC algorithm.
    pub algorithm: u8,
    /// Labels of the owner, wildcard and root aside.
    pub labels: u8,
    /// The TTL that was signed.
    pub ttl: u32,
    /// From when until when it is valid.
    pub span: Span,
    /// The tag of the key.
    pub key_tag: u16,
    /// The zone that signs.
    pub signer: NameRef<'a>,
    /// The signature.
    pub signature: &'a [u8],
}

impl<'a> Rrsig<'a> {
    /// Reads RDATA.
    pub fn new(rdata: &'a [u8]) -> Option<Self> {
        let (head, rest) = rdata.split_first_chunk::<HEAD_OCTETS>()?;
        let (signer, used) = NameRef::from_wire(rest).ok()?;
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Some(Self {
            rdata,
            covered: Rtype(u16::from_be_bytes([head[0], head[1]])),
            algorithm: head[2],
            labels: head[3],
            ttl: word(4),
            span: Span { from: word(12), until: word(8) },
            key_tag: u16::from_be_bytes([head[16], head[17]]),
            signer,
            signature: &rest[used..],
        })
    }

    /// What was signed (RFC 4034 §3.1.8.1); `None` if the labels do not fit the owner, which is the one in
    /// the zone: of a wildcard with the asterisk.
    pub fn signed_data<'r>(
        &self,
        owner: NameRef<'_>,
        rdatas: impl IntoIterator<Item = &'r [u8]>,
    ) -> Option<Vec<u8>> {
        if labels(owner) != self.labels {
            return None;
        }
        let head = self.rdata.len() - self.signature.len();
        let mut data = self.rdata[..head].to_vec();
        data[HEAD_OCTETS..].make_ascii_lowercase();
        append_records(&mut data, owner, self.covered, self.ttl, rdatas);
        Some(data)
    }
}

/// Labels of an owner as an RRSIG counts them (RFC 4034 §3.1.3).
fn labels(owner: NameRef<'_>) -> u8 {
    // A name has at most 127 labels.
    (owner.label_count() - usize::from(owner.is_wildcard())) as u8
}

/// Appends the records of an RRset in canonical form and order, each with the TTL that is signed.
fn append_records<'r>(
    data: &mut Vec<u8>,
    owner: NameRef<'_>,
    rtype: Rtype,
    ttl: u32,
    rdatas: impl IntoIterator<Item = &'r [u8]>,
) {
    let owner = owner.wire().to_ascii_lowercase();
    let mut records: Vec<_> =
        rdatas.into_iter().map(|data| rdata::canonical(rtype, data)).collect();
    records.sort();
    for record in records {
        data.extend_from_slice(&owner);
        data.extend_from_slice(&rtype.0.to_be_bytes());
        data.extend_from_slice(&Class::IN.0.to_be_bytes());
        data.extend_from_slice(&ttl.to_be_bytes());
        // RDATA has at most 65,535 octets.
        data.extend_from_slice(&(record.len() as u16).to_be_bytes());
        data.extend_from_slice(&record);
    }
}

//------------ Making --------------------------------------------------------

impl KeyPair {
    /// Makes the RDATA of the RRSIG over an RRset. The owner is the one in the zone, of a wildcard with the
    /// asterisk; the records come in any order, each once.
    pub fn rrsig<'r>(
        &self,
        signer: NameRef<'_>,
        owner: NameRef<'_>,
        rtype: Rtype,
        ttl: u32,
        rdatas: impl IntoIterator<Item = &'r [u8]>,
        span: Span,
    ) -> Result<Box<[u8]>, KeyError> {
        let mut data = Vec::with_capacity(512);
        data.extend_from_slice(&rtype.0.to_be_bytes());
        data.extend_from_slice(&[self.dnskey().algorithm.number(), labels(owner)]);
        data.extend_from_slice(&ttl.to_be_bytes());
        data.extend_from_slice(&span.until.to_be_bytes());
        data.extend_from_slice(&span.from.to_be_bytes());
        data.extend_from_slice(&self.tag().to_be_bytes());
        // In lower case, as it is signed (RFC 6840 §5.1).
        data.extend(signer.wire().iter().map(u8::to_ascii_lowercase));
        let head = data.len();
        append_records(&mut data, owner, rtype, ttl, rdatas);
        let signature = self.sign(&data)?;
        Ok([&data[..head], signature.as_ref()].concat().into())
    }
}
