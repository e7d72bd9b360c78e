//! A DNSKEY of a zone that was signed elsewhere, and the signatures it can have made.

use crate::dnssec::{self, Rrsig};
use crate::wire::NameRef;
use crate::zone::RrsetRef;

/// A DNSKEY of the zone.
pub(super) struct Key<'a> {
    /// The whole RDATA.
    pub(super) rdata: &'a [u8],
    /// The DNSSEC algorithm.
    pub(super) algorithm: u8,
    /// Its tag.
    pub(super) tag: u16,
}

impl<'a> Key<'a> {
    /// Reads RDATA; only zone keys sign zones (RFC 4034 §2.1.1).
    pub(super) fn new(rdata: &'a [u8]) -> Option<Self> {
        let [high, low, 3, algorithm, ..] = rdata else { return None };
        let is_zone_key = u16::from_be_bytes([*high, *low]) & dnssec::ZONE != 0;
        let tag = dnssec::key_tag(rdata);
        is_zone_key.then_some(Self { rdata, algorithm: *algorithm, tag })
    }

    /// Whether the key made the signature; one that cannot be computed here counts as made.
    pub(super) fn has_made(
        &self,
        signature: &Rrsig<'_>,
        owner: NameRef<'_>,
        set: RrsetRef<'_>,
    ) -> bool {
        let Some(data) = signature.signed_data(owner, set.rdatas()) else {
            return false;
        };
        !dnssec::verifies(self.rdata) || dnssec::verify(self.rdata, signature.signature, &data)
    }

    /// The size in bits of an RSA key whose signatures are not computed here.
    pub(super) fn unverifiable_bits(&self) -> Option<usize> {
        dnssec::unverifiable_bits(self.rdata)
    }
}
