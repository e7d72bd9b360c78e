//! DS, CDS and CDNSKEY as data: what a parent holds of a key, and what a zone asks it to hold (RFC 4034 §5,
//! RFC 4509, 6605, 7344, 8078).

use ring::digest;

use super::dnskey::key_tag;
use crate::wire::{NameRef, Rtype, rdata};

/// The CDS that asks the parent to remove all DS (RFC 8078 §4).
pub const CDS_DELETE: [u8; 5] = [0; 5];
/// The CDNSKEY that asks the parent to remove all DS (RFC 8078 §4).
pub const CDNSKEY_DELETE: [u8; 5] = [0, 0, 3, 0, 0];

/// The digests that DS are made with; SHA-1 is only verified (RFC 8624 §3.3).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DigestType {
    /// SHA-256 (RFC 4509).
    Sha256,
    /// SHA-384 (RFC 6605).
    Sha384,
}

impl DigestType {
    /// The number on the wire (IANA "DS RR Type Digest Algorithms").
    pub fn number(self) -> u8 {
        match self {
            Self::Sha256 => 2,
            Self::Sha384 => 4,
        }
    }

    /// The hash of it.
    fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
        }
    }
}

/// The RDATA of the DS of a DNSKEY; of its CDS, too.
pub fn ds(owner: NameRef<'_>, dnskey: &[u8], kind: DigestType) -> Box<[u8]> {
    let [high, low] = key_tag(dnskey).to_be_bytes();
    let algorithm = dnskey.get(3).copied().unwrap_or_default();
    let digest = digest_with(kind.hash(), owner, dnskey);
    [&[high, low, algorithm, kind.number()], digest.as_ref()].concat().into()
}

/// The digest of a DNSKEY by the number of its kind (RFC 4034 §5.1.4); none if the kind is unknown.
pub fn key_digest(owner: NameRef<'_>, dnskey: &[u8], kind: u8) -> Option<Box<[u8]>> {
    let hash = match kind {
        1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        2 => &digest::SHA256,
        4 => &digest::SHA384,
        _ => return None,
    };
    Some(digest_with(hash, owner, dnskey).as_ref().into())
}

/// The hash over owner and key.
fn digest_with(
    hash: &'static digest::Algorithm,
    owner: NameRef<'_>,
    dnskey: &[u8],
) -> digest::Digest {
    let mut context = digest::Context::new(hash);
    context.update(&owner.wire().to_ascii_lowercase());
    context.update(dnskey);
    context.finish()
}

/// A DS as the line that a parent's zone or a registry's form takes.
pub fn ds_line(owner: NameRef<'_>, ttl: u32, ds: &[u8]) -> String {
    format!("{owner} {ttl} IN DS {}", rdata::to_text(Rtype::DS, ds))
}
