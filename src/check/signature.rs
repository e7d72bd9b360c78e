//! One RRSIG and the keys that can have made it (RFC 4034 §2, §3; RFC 8624 for the algorithms).

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::span::Span;
use crate::wire::{Class, NameRef, rdata};
use crate::zone::RrsetRef;

/// Octets of an RRSIG before the name of its signer.
const HEAD_OCTETS: usize = 18;
/// Bits of RSA keys whose signatures can be computed.
const RSA_BITS: std::ops::RangeInclusive<usize> = 1024..=8192;

//------------ Rrsig ---------------------------------------------------------

/// The fields of an RRSIG.
#[derive(Clone, Copy)]
pub(super) struct Rrsig<'a> {
    /// The whole RDATA.
    pub(super) rdata: &'a [u8],
    /// The DNSSEC algorithm.
    pub(super) algorithm: u8,
    /// Labels of the owner, wildcard and root aside.
    labels: u8,
    /// The TTL that was signed.
    ttl: u32,
    /// When it ends, in seconds modulo 2³².
    expiration: u32,
    /// When it starts, likewise.
    inception: u32,
    /// The tag of the key.
    pub(super) key_tag: u16,
    /// The zone that signs.
    pub(super) signer: NameRef<'a>,
    /// The signature.
    signature: &'a [u8],
}

impl<'a> Rrsig<'a> {
    /// Reads RDATA.
    pub(super) fn new(rdata: &'a [u8]) -> Option<Self> {
        let (head, rest) = rdata.split_first_chunk::<HEAD_OCTETS>()?;
        let (signer, used) = NameRef::from_wire(rest).ok()?;
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        Some(Self {
            rdata,
            algorithm: head[2],
            labels: head[3],
            ttl: word(4),
            expiration: word(8),
            inception: word(12),
            key_tag: u16::from_be_bytes([head[16], head[17]]),
            signer,
            signature: &rest[used..],
        })
    }

    /// From when until when it is valid.
    pub(super) fn span(&self) -> Span {
        Span { from: self.inception, until: self.expiration }
    }

    /// Seconds from now to its end, negative when it has ended (RFC 1982 arithmetic).
    pub(super) fn seconds_left(&self, now: u32) -> i32 {
        self.span().seconds_left(now)
    }

    /// Whether the time is between start and end.
    pub(super) fn is_current(&self, now: u32) -> bool {
        self.span().contains(now)
    }

    /// What was signed (RFC 4034 §3.1.8.1); `None` if the labels do not fit the owner.
    fn signed_data(&self, owner: NameRef<'_>, set: RrsetRef<'_>) -> Option<Vec<u8>> {
        let head = self.rdata.len() - self.signature.len();
        let mut data = self.rdata[..head].to_vec();
        data[HEAD_OCTETS..].make_ascii_lowercase();
        let owner = self.signed_owner(owner)?;
        let mut records: Vec<_> =
            set.rdatas().map(|data| rdata::canonical(set.rtype(), data)).collect();
        records.sort();
        for record in records {
            data.extend_from_slice(&owner);
            data.extend_from_slice(&set.rtype().0.to_be_bytes());
            data.extend_from_slice(&Class::IN.0.to_be_bytes());
            data.extend_from_slice(&self.ttl.to_be_bytes());
            // RDATA has at most 65,535 octets.
            data.extend_from_slice(&(record.len() as u16).to_be_bytes());
            data.extend_from_slice(&record);
        }
        Some(data)
    }

    /// The owner in lower case; of a wildcard with the asterisk, as it is in the zone.
    fn signed_owner(&self, owner: NameRef<'_>) -> Option<Vec<u8>> {
        let labels = owner.label_count() - usize::from(owner.is_wildcard());
        (labels == usize::from(self.labels)).then(|| owner.wire().to_ascii_lowercase())
    }
}

//------------ Key -----------------------------------------------------------

/// A DNSKEY of the zone.
pub(super) struct Key<'a> {
    /// The whole RDATA.
    pub(super) rdata: &'a [u8],
    /// The DNSSEC algorithm.
    pub(super) algorithm: u8,
    /// Its tag (RFC 4034 appendix B).
    pub(super) tag: u16,
    /// The public key as the algorithm writes it.
    public: &'a [u8],
}

impl<'a> Key<'a> {
    /// Reads RDATA; only zone keys sign zones (RFC 4034 §2.1.1).
    pub(super) fn new(rdata: &'a [u8]) -> Option<Self> {
        let [flags, _, 3, algorithm, public @ ..] = rdata else { return None };
        let sum = rdata.iter().enumerate().fold(0u32, |sum, (at, octet)| {
            sum.wrapping_add(u32::from(*octet) << if at % 2 == 0 { 8 } else { 0 })
        });
        let tag = (sum.wrapping_add(sum >> 16 & 0xffff) & 0xffff) as u16;
        (flags & 1 == 1).then_some(Self { rdata, algorithm: *algorithm, tag, public })
    }

    /// Whether the key made the signature; one of an algorithm that cannot be verified here counts as
    /// made.
    pub(super) fn has_made(
        &self,
        signature: &Rrsig<'_>,
        owner: NameRef<'_>,
        set: RrsetRef<'_>,
    ) -> bool {
        let Some(data) = signature.signed_data(owner, set) else { return false };
        let bytes = signature.signature;
        match self.algorithm {
            5 | 7 => self.rsa(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, &data, bytes),
            8 => self.rsa(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &data, bytes),
            10 => self.rsa(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, &data, bytes),
            13 => self.curve(&ECDSA_P256_SHA256_FIXED, &[4], &data, bytes),
            14 => self.curve(&ECDSA_P384_SHA384_FIXED, &[4], &data, bytes),
            15 => self.curve(&ED25519, &[], &data, bytes),
            _ => true,
        }
    }

    /// Exponent and modulus of an RSA key (RFC 3110 §2): length of the exponent, exponent, modulus.
    fn rsa_numbers(&self) -> Option<(&'a [u8], &'a [u8])> {
        let (length, rest) = match self.public {
            [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            [length, rest @ ..] => (usize::from(*length), rest),
            [] => return None,
        };
        rest.split_at_checked(length)
    }

    /// The size in bits of an RSA key whose signatures are not computed here: RFC 3110 §3 allows 512 and
    /// more, RFC 5702 §2 for the newer algorithms 1,024 and more, nobody makes them of over 8,192.
    pub(super) fn unusual_bits(&self) -> Option<usize> {
        let (_, modulus) =
            self.rsa_numbers().filter(|_| matches!(self.algorithm, 5 | 7 | 8 | 10))?;
        let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
        let first = modulus.get(zeros)?;
        let bits = (modulus.len() - zeros) * 8 - first.leading_zeros() as usize;
        Some(bits).filter(|bits| !RSA_BITS.contains(bits))
    }

    /// Verifies with RSA.
    fn rsa(&self, parameters: &'static RsaParameters, data: &[u8], signature: &[u8]) -> bool {
        let Some((e, n)) = self.rsa_numbers() else { return false };
        self.unusual_bits().is_some()
            || RsaPublicKeyComponents { n, e }.verify(parameters, data, signature).is_ok()
    }

    /// Verifies with an elliptic curve; `prefix` says how the point is written.
    fn curve(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        prefix: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> bool {
        let public = [prefix, self.public].concat();
        UnparsedPublicKey::new(algorithm, public).verify(data, signature).is_ok()
    }
}
