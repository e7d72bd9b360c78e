//! What a zone is to be signed with, and why that can fail.

use std::sync::Arc;

use super::strip::is_of_keys;
use super::verify::Unsound;
use crate::dnssec::{Denial, Dnskey, KeyError, KeyPair};
use crate::wire::{Name, Rtype};
use crate::zone::{ApplyError, Soa};

//------------ Plan ----------------------------------------------------------

/// How a zone is signed at one time.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The keys that are published.
    pub keys: Vec<Dnskey>,
    /// What signs DNSKEY, CDS and CDNSKEY.
    pub key_signers: Vec<Arc<KeyPair>>,
    /// What signs everything else.
    pub zone_signers: Vec<Arc<KeyPair>>,
    /// RDATA of the CDS records.
    pub cds: Vec<Box<[u8]>>,
    /// RDATA of the CDNSKEY records.
    pub cdnskeys: Vec<Box<[u8]>>,
    /// The TTL of DNSKEY, CDS and CDNSKEY. Where the content has such records itself, theirs holds.
    pub dnskey_ttl: u32,
    /// How it is proved that something does not exist.
    pub denial: Denial,
    /// Whether a ZONEMD record is made.
    pub zonemd: bool,
    /// How long a signature is valid, in seconds.
    pub lifetime_s: u32,
    /// With how much left it is made anew.
    pub refresh_s: u32,
}

impl Plan {
    /// What signs the RRsets of a type, at the apex or elsewhere.
    pub(super) fn signers(&self, is_apex: bool, rtype: Rtype) -> &[Arc<KeyPair>] {
        if is_apex && is_of_keys(rtype) { &self.key_signers } else { &self.zone_signers }
    }

    /// Refuses a plan that would leave something without a signature.
    pub(super) fn check(&self) -> Result<(), SignError> {
        if self.key_signers.is_empty() || self.zone_signers.is_empty() || self.keys.is_empty() {
            return Err(SignError::NoKeys);
        }
        if self.refresh_s >= self.lifetime_s {
            return Err(SignError::Times {
                lifetime_s: self.lifetime_s,
                refresh_s: self.refresh_s,
            });
        }
        Ok(())
    }
}

/// The TTL of NSEC and NSEC3 records (RFC 9077 §3).
pub(super) fn chain_ttl(soa: &Soa) -> u32 {
    soa.ttl.min(soa.minimum)
}

//------------ SignError -----------------------------------------------------

/// Why a zone could not be signed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignError {
    /// No key to publish, or none to sign with.
    #[error("there is no key to sign with: see \"gapura key list\"")]
    NoKeys,
    /// Signatures would be due the moment they are made.
    #[error(
        "signatures that are made anew with {refresh_s} s left cannot last only {lifetime_s} s: raise \
         the lifetime of the signing policy"
    )]
    Times {
        /// How long a signature lasts.
        lifetime_s: u32,
        /// With how much left it is made anew.
        refresh_s: u32,
    },
    /// An RRset that validators cannot verify.
    #[error(
        "{0} {1} has so many records that validators cannot verify a signature over them: take some out"
    )]
    TooLarge(Name, Rtype),
    /// A key does not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signed version would be none.
    #[error(transparent)]
    Zone(#[from] ApplyError),
    /// The signed version does not stand the self-check.
    #[error("what was signed does not verify and is not served: {0}")]
    Unsound(#[from] Unsound),
}
