//! Verifies signatures with a DNSKEY. SHA-1 is among the algorithms: zones signed elsewhere may still use it.

use std::ops::RangeInclusive;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519,
    RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
    RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey, VerificationAlgorithm,
};

/// Bits of RSA keys whose signatures can be computed.
const RSA_BITS: RangeInclusive<usize> = 1024..=8192;

/// How an algorithm verifies.
enum Method {
    /// With RSA.
    Rsa(&'static RsaParameters),
    /// On a curve; the prefix says how the point is written.
    Curve(&'static dyn VerificationAlgorithm, &'static [u8]),
}

/// How the algorithm of a number verifies, if it can be done here.
fn method(algorithm: u8) -> Option<Method> {
    Some(match algorithm {
        5 | 7 => Method::Rsa(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY),
        8 => Method::Rsa(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
        10 => Method::Rsa(&RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        13 => Method::Curve(&ECDSA_P256_SHA256_FIXED, &[4]),
        14 => Method::Curve(&ECDSA_P384_SHA384_FIXED, &[4]),
        15 => Method::Curve(&ED25519, &[]),
        _ => return None,
    })
}

/// Whether a signature over `data` was made with the key of this DNSKEY RDATA. What cannot be computed
/// here ([`verifies`]) was not.
pub fn verify(dnskey: &[u8], signature: &[u8], data: &[u8]) -> bool {
    let [_, _, 3, algorithm, public @ ..] = dnskey else { return false };
    match method(*algorithm) {
        Some(Method::Rsa(parameters)) => rsa_numbers(public).is_some_and(|(e, n)| {
            RsaPublicKeyComponents { n, e }.verify(parameters, data, signature).is_ok()
        }),
        Some(Method::Curve(algorithm, prefix)) => {
            let public = [prefix, public].concat();
            UnparsedPublicKey::new(algorithm, public).verify(data, signature).is_ok()
        }
        None => false,
    }
}

/// Whether signatures of this key can be computed here: its algorithm and size are known.
pub fn verifies(dnskey: &[u8]) -> bool {
    let is_known = dnskey.get(3).is_some_and(|algorithm| method(*algorithm).is_some());
    is_known && unverifiable_bits(dnskey).is_none()
}

/// The size in bits of an RSA key whose signatures are not computed here: RFC 3110 §3 allows 512 and
/// more, RFC 5702 §2 for the newer algorithms 1,024 and more, nobody makes them of over 8,192.
pub fn unverifiable_bits(dnskey: &[u8]) -> Option<usize> {
    let [_, _, _, algorithm, public @ ..] = dnskey else { return None };
    let Some(Method::Rsa(_)) = method(*algorithm) else { return None };
    let (_, modulus) = rsa_numbers(public)?;
    let zeros = modulus.iter().take_while(|octet| **octet == 0).count();
    let first = modulus.get(zeros)?;
    let bits = (modulus.len() - zeros) * 8 - first.leading_zeros() as usize;
    Some(bits).filter(|bits| !RSA_BITS.contains(bits))
}

/// Exponent and modulus of an RSA key (RFC 3110 §2): length of the exponent, exponent, modulus.
fn rsa_numbers(public: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match public {
        [0, high, low, rest @ ..] => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        [length, rest @ ..] => (usize::from(*length), rest),
        [] => return None,
    };
    rest.split_at_checked(length)
}
