//! A key pair that signs: made, or read from PKCS#8 (RFC 5958). The secrets are not printed, and what is
//! held of them outside the crypto library is wiped.

use std::fmt;
use std::ops::Deref;

use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding,
    RsaKeyPair, RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::dnskey::Dnskey;
use super::private_key::{ED25519_OCTETS, ed25519_pkcs8};

//------------ KeyPair -------------------------------------------------------

/// A key pair of a zone.
pub struct KeyPair {
    /// The public half.
    dnskey: Dnskey,
    /// Its tag.
    tag: u16,
    /// The private half.
    secret: Secret,
    /// Where random numbers come from.
    random: SystemRandom,
}

/// The private half by kind.
enum Secret {
    /// Of an elliptic curve with ECDSA.
    Ecdsa(EcdsaKeyPair),
    /// Of Ed25519.
    Ed25519(Ed25519KeyPair),
    /// Of RSA, and how it pads.
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
}

impl KeyPair {
    /// Makes a new key pair, and the document to keep it in.
    pub fn generate(algorithm: Algorithm, flags: u16) -> Result<(Self, Pkcs8), KeyError> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => {
                let made = EcdsaKeyPair::generate_pkcs8(curve(algorithm), &random);
                Pkcs8::new(made.map_err(|_| KeyError::NoRandom)?.as_ref().to_vec())
            }
            Algorithm::Ed25519 => {
                let mut seed = Zeroizing::new([0; ED25519_OCTETS]);
                random.fill(&mut *seed).map_err(|_| KeyError::NoRandom)?;
                ed25519_pkcs8(&*seed)
            }
            Algorithm::RsaSha256 | Algorithm::RsaSha512 => {
                return Err(KeyError::NoGeneration(algorithm));
            }
        };
        Ok((Self::from_pkcs8(algorithm, flags, &pkcs8)?, pkcs8))
    }

    /// Reads a private key. A document that holds the public half too is refused if they do not fit.
    pub fn from_pkcs8(algorithm: Algorithm, flags: u16, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let unusable = |why: &dyn fmt::Display| KeyError::Unusable(algorithm, why.to_string());
        let (secret, public) = match algorithm {
            Algorithm::EcdsaP256Sha256 | Algorithm::EcdsaP384Sha384 => {
                let pair = EcdsaKeyPair::from_pkcs8(curve(algorithm), pkcs8, &random);
                let pair = pair.map_err(|why| unusable(&why))?;
                // The point without the octet that says it is not compressed (RFC 6605 §4).
                let point = signature::KeyPair::public_key(&pair).as_ref();
                let public = point.strip_prefix(&[4]).unwrap_or(point).into();
                (Secret::Ecdsa(pair), public)
            }
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8);
                let pair = pair.map_err(|why| unusable(&why))?;
                let public = signature::KeyPair::public_key(&pair).as_ref().into();
                (Secret::Ed25519(pair), public)
            }
            Algorithm::RsaSha256 | Algorithm::RsaSha512 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|why| unusable(&why))?;
                let public = rsa_public(&pair).into();
                (Secret::Rsa(pair, padding(algorithm)), public)
            }
        };
        let dnskey = Dnskey { flags, algorithm, public };
        Ok(Self { tag: dnskey.tag(), dnskey, secret, random })
    }

    /// The public half.
    pub fn dnskey(&self) -> &Dnskey {
        &self.dnskey
    }

    /// The tag of the public half.
    pub fn tag(&self) -> u16 {
        self.tag
    }

    /// Signs octets; the signature is as RRSIG wants it.
    pub fn sign(&self, data: &[u8]) -> Result<Signature, KeyError> {
        let failed = |_| KeyError::Signing(self.tag);
        Ok(match &self.secret {
            Secret::Ecdsa(pair) => {
                Signature(Octets::Curve(pair.sign(&self.random, data).map_err(failed)?))
            }
            Secret::Ed25519(pair) => Signature(Octets::Curve(pair.sign(data))),
            Secret::Rsa(pair, padding) => {
                let mut octets = vec![0; pair.public().modulus_len()];
                pair.sign(*padding, &self.random, data, &mut octets).map_err(failed)?;
                Signature(Octets::Rsa(octets.into()))
            }
        })
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({} {} flags {})", self.dnskey.algorithm, self.tag, self.dnskey.flags)
    }
}

/// The curve of an ECDSA algorithm.
fn curve(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::EcdsaP384Sha384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}

/// How an RSA algorithm pads.
fn padding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::RsaSha512 => &RSA_PKCS1_SHA512,
        _ => &RSA_PKCS1_SHA256,
    }
}

/// An RSA public key as a DNSKEY holds it (RFC 3110 §2): length of the exponent, exponent, modulus.
fn rsa_public(pair: &RsaKeyPair) -> Vec<u8> {
    let RsaPublicKeyComponents { e, n } = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    // An exponent of a key that signs has at most 33 bits.
    [&[e.len() as u8], &*e, &*n].concat()
}

//------------ Pkcs8, Signature ----------------------------------------------

/// A private key as a PKCS#8 document in DER; wiped when it is dropped, never printed.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    /// Takes a document; it is not looked at.
    pub fn new(der: Vec<u8>) -> Self {
        Self(Zeroizing::new(der))
    }
}

impl From<Zeroizing<Vec<u8>>> for Pkcs8 {
    fn from(der: Zeroizing<Vec<u8>>) -> Self {
        Self(der)
    }
}

impl Deref for Pkcs8 {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(…)")
    }
}

/// A signature, as an RRSIG holds it.
pub struct Signature(Octets);

/// The octets of a signature.
enum Octets {
    /// Of fixed length, held in place.
    Curve(signature::Signature),
    /// As long as the key.
    Rsa(Box<[u8]>),
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match &self.0 {
            Octets::Curve(signature) => signature.as_ref(),
            Octets::Rsa(octets) => octets,
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", crate::digest::hex(self.as_ref()))
    }
}

//------------ KeyError ------------------------------------------------------

/// Why a key pair could not be made, read or used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// RSA keys are imported only.
    #[error(
        "{0} keys are not made here: make one with \"dnssec-keygen -a {0} -b 2048 ZONE\" and import \
         it, or let the policy say algorithm = \"ecdsap256sha256\""
    )]
    NoGeneration(Algorithm),
    /// The document is not such a key.
    #[error("it is no usable {0} private key: {1}{hint}", hint = hint(*.0))]
    Unusable(Algorithm, String),
    /// An ECDSA private key without its public half.
    #[error("its public half is not known: give the DNSKEY record, too")]
    NoPublic,
    /// The private half belongs to another DNSKEY.
    #[error("the private key does not belong to the DNSKEY with tag {0}")]
    Mismatch(u16),
    /// No random numbers.
    #[error("the system gives no random numbers")]
    NoRandom,
    /// The library refused to sign.
    #[error(
        "the key with tag {0} does not sign: its private half is damaged, or the system gives no random numbers"
    )]
    Signing(u16),
}

/// What keys of an algorithm have to be like, where that is a question.
fn hint(algorithm: Algorithm) -> &'static str {
    if algorithm.is_rsa() {
        "; it must have 2048, 3072 or 4096 bits, and an exponent of 65537 or more"
    } else {
        ""
    }
}
