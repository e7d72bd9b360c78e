//! Private keys as other programs write them, made into key pairs: PKCS#8 (RFC 5958), SEC 1 (RFC 5915),
//! PKCS#1 (RFC 8017 A.1.2), and the numbers themselves.
//!
//! Whatever the form was, what is kept is one: PKCS#8 version 1, for ECDSA with the public key.

use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::der::{
    BIT_STRING, FIELD_0, FIELD_1, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, Secret, number, take,
    value,
};
use super::dnskey::Dnskey;
use super::key_pair::{KeyError, KeyPair, Pkcs8};
use super::verify::verify;

/// The object rsaEncryption (RFC 8017).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
/// The object id-ecPublicKey (RFC 5480).
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// The object prime256v1 (RFC 5480).
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// The object secp384r1 (RFC 5480).
const P384: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];
/// The object id-Ed25519 (RFC 8410).
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
/// Octets of an Ed25519 private key.
pub(super) const ED25519_OCTETS: usize = 32;
/// What pairs sign to see that their halves fit.
const PROBE: &[u8] = b"gapura: do both halves fit?";

//------------ PrivateKey ----------------------------------------------------

/// A private key whose DNSKEY may not be known yet; wiped when it is dropped, never printed.
pub struct PrivateKey(Kind);

/// A private key by kind.
enum Kind {
    /// Of RSA, as PKCS#1.
    Rsa(Secret),
    /// Of an ECDSA algorithm: the number, and the public key where that was given, too.
    Ecdsa(Algorithm, Secret, Option<Box<[u8]>>),
    /// Of Ed25519.
    Ed25519(Secret),
}

impl PrivateKey {
    /// Reads PKCS#8; the error is in words.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, &'static str> {
        let broken = "it is no PKCS#8 document";
        let mut rest = der;
        let mut body = take(&mut rest, SEQUENCE).filter(|_| rest.is_empty()).ok_or(broken)?;
        take(&mut body, INTEGER).filter(|version| matches!(version, [0 | 1])).ok_or(broken)?;
        let mut kind = take(&mut body, SEQUENCE).ok_or(broken)?;
        let object = take(&mut kind, OBJECT).ok_or(broken)?;
        let mut key = take(&mut body, OCTET_STRING).ok_or(broken)?;
        match object {
            RSA => Self::from_pkcs1(key),
            ELLIPTIC => Self::from_curve(key, take(&mut kind, OBJECT)),
            ED25519 => {
                let seed = take(&mut key, OCTET_STRING).filter(|it| it.len() == ED25519_OCTETS);
                let seed = seed.ok_or("it is no Ed25519 key of 32 octets")?;
                Ok(Self(Kind::Ed25519(Zeroizing::new(seed.to_vec()))))
            }
            _ => Err("it is no key of RSA, ECDSA or Ed25519"),
        }
    }

    /// Reads the form of RSA alone.
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, &'static str> {
        let mut rest = der;
        take(&mut rest, SEQUENCE).filter(|_| rest.is_empty()).ok_or("it is no RSA private key")?;
        Ok(Self(Kind::Rsa(Zeroizing::new(der.to_vec()))))
    }

    /// Reads the form of elliptic curves alone.
    pub fn from_sec1(der: &[u8]) -> Result<Self, &'static str> {
        Self::from_curve(der, None)
    }

    /// Reads the form of elliptic curves; the curve was named outside, or is inside.
    fn from_curve(der: &[u8], outside: Option<&[u8]>) -> Result<Self, &'static str> {
        let broken = "it is no private key of an elliptic curve";
        let mut rest = der;
        let mut body = take(&mut rest, SEQUENCE).filter(|_| rest.is_empty()).ok_or(broken)?;
        take(&mut body, INTEGER).filter(|version| *version == [1]).ok_or(broken)?;
        let secret = take(&mut body, OCTET_STRING).ok_or(broken)?;
        let inside = take(&mut body, FIELD_0).and_then(|mut field| take(&mut field, OBJECT));
        let algorithm = match outside.or(inside) {
            Some(P256) => Algorithm::EcdsaP256Sha256,
            Some(P384) => Algorithm::EcdsaP384Sha384,
            _ => return Err("its curve is neither P-256 nor P-384"),
        };
        let bits = take(&mut body, FIELD_1).and_then(|mut field| take(&mut field, BIT_STRING));
        // No unused bits, and a point that is not compressed.
        let public = bits.and_then(|bits| bits.strip_prefix(&[0, 4])).map(Box::from);
        let secret = padded(algorithm, secret).ok_or(broken)?;
        Ok(Self(Kind::Ecdsa(algorithm, secret, public)))
    }

    /// A key from its numbers: those of RSA are modulus, public and private exponent, both primes, both
    /// exponents, coefficient; the others have one.
    pub fn from_numbers(algorithm: Algorithm, numbers: &[&[u8]]) -> Result<Self, &'static str> {
        let kind = match (algorithm, numbers) {
            (Algorithm::RsaSha256 | Algorithm::RsaSha512, &[n, e, d, p, q, dp, dq, inverse]) => {
                let all = [n, e, d, p, q, dp, dq, inverse].map(number);
                let [n, e, d, p, q, dp, dq, inverse] = &all;
                let version = number(&[]);
                Kind::Rsa(value(SEQUENCE, &[&version, n, e, d, p, q, dp, dq, inverse]))
            }
            (Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384, [secret]) => {
                let secret = padded(algorithm, secret).ok_or("the number is too large")?;
                Kind::Ecdsa(algorithm, secret, None)
            }
            (Algorithm::Ed25519, [seed]) if seed.len() == ED25519_OCTETS => {
                Kind::Ed25519(Zeroizing::new(seed.to_vec()))
            }
            _ => return Err("these are not the numbers of such a key"),
        };
        Ok(Self(kind))
    }

    /// Whether it can be a key of the algorithm.
    pub fn is_of(&self, algorithm: Algorithm) -> bool {
        match &self.0 {
            Kind::Rsa(_) => algorithm.is_rsa(),
            Kind::Ecdsa(own, ..) => *own == algorithm,
            Kind::Ed25519(_) => algorithm == Algorithm::Ed25519,
        }
    }

    /// Its algorithm, where the key alone tells it: RSA is used with several hashes.
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|it| !it.is_rsa() && self.is_of(*it))
    }

    /// The pair of this key and a DNSKEY, if they are its two halves.
    pub fn pair_with(&self, dnskey: &Dnskey) -> Result<(KeyPair, Pkcs8), KeyError> {
        let strange = KeyError::Mismatch(dnskey.tag());
        if !self.is_of(dnskey.algorithm) {
            return Err(strange);
        }
        let made = self.pair(dnskey.algorithm, dnskey.flags, Some(&dnskey.public));
        let (pair, pkcs8) = made.map_err(|error| match error {
            // What ECDSA says of halves that do not fit.
            KeyError::Unusable(_, why) if why == INCONSISTENT => strange.clone(),
            error => error,
        })?;
        (pair.dnskey() == dnskey).then_some((pair, pkcs8)).ok_or(strange)
    }

    /// The pair of this key alone. One of ECDSA must hold its public half.
    pub fn pair_alone(
        &self,
        algorithm: Algorithm,
        flags: u16,
    ) -> Result<(KeyPair, Pkcs8), KeyError> {
        if !self.is_of(algorithm) {
            return Err(KeyError::Unusable(algorithm, "it is a key of another kind".to_owned()));
        }
        self.pair(algorithm, flags, None)
    }

    /// Makes the pair; its halves are tried on each other.
    fn pair(
        &self,
        algorithm: Algorithm,
        flags: u16,
        public: Option<&[u8]>,
    ) -> Result<(KeyPair, Pkcs8), KeyError> {
        let pkcs8 = match &self.0 {
            Kind::Rsa(key) => {
                wrapped(&[&value(OBJECT, &[RSA]), &[5, 0]], &value(OCTET_STRING, &[key]))
            }
            Kind::Ed25519(seed) => ed25519_pkcs8(seed),
            Kind::Ecdsa(_, secret, own) => {
                let Some(public) = public.or(own.as_deref()) else {
                    return Err(KeyError::NoPublic);
                };
                let curve = if algorithm == Algorithm::EcdsaP256Sha256 { P256 } else { P384 };
                let kind = [value(OBJECT, &[ELLIPTIC]), value(OBJECT, &[curve])];
                let point = value(FIELD_1, &[&value(BIT_STRING, &[&[0, 4], public])]);
                let secret = value(OCTET_STRING, &[secret]);
                let key = value(SEQUENCE, &[&number(&[1]), &secret, &point]);
                wrapped(&[&kind[0], &kind[1]], &value(OCTET_STRING, &[&key]))
            }
        };
        let pair = KeyPair::from_pkcs8(algorithm, flags, &pkcs8)?;
        let signature = pair.sign(PROBE)?;
        if !verify(&pair.dnskey().rdata(), signature.as_ref(), PROBE) {
            return Err(KeyError::Signing(pair.tag()));
        }
        Ok((pair, pkcs8))
    }
}

/// What the crypto library says of halves that do not fit.
const INCONSISTENT: &str = "InconsistentComponents";

/// A private number of a curve, as long as the curve's are; none if it is too large.
fn padded(algorithm: Algorithm, secret: &[u8]) -> Option<Secret> {
    let octets = if algorithm == Algorithm::EcdsaP384Sha384 { 48 } else { 32 };
    let zeros = secret.iter().take_while(|octet| **octet == 0).count();
    let digits = &secret[zeros..];
    let mut out = Zeroizing::new(vec![0; octets]);
    out[octets.checked_sub(digits.len())?..].copy_from_slice(digits);
    Some(out)
}

/// An Ed25519 private key as a document. The form without the public key is the one that every tool reads.
pub(super) fn ed25519_pkcs8(seed: &[u8]) -> Pkcs8 {
    let key = value(OCTET_STRING, &[&value(OCTET_STRING, &[seed])]);
    wrapped(&[&value(OBJECT, &[ED25519])], &key)
}

/// A PKCS#8 document of version 1.
fn wrapped(kind: &[&[u8]], key: &[u8]) -> Pkcs8 {
    Pkcs8::from(value(SEQUENCE, &[&number(&[0]), &value(SEQUENCE, kind), key]))
}
