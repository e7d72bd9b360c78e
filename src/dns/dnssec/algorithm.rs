//! The algorithms that zones are signed with here. RFC 8624 §3.1 wants no others for signing; more are
//! verified (`super::verify`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An algorithm of keys and signatures (IANA "DNS Security Algorithm Numbers").
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// RSA with SHA-256 (RFC 5702), with imported keys only.
    RsaSha256,
    /// RSA with SHA-512 (RFC 5702), with imported keys only.
    RsaSha512,
    /// ECDSA on P-256 with SHA-256 (RFC 6605).
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384 (RFC 6605).
    EcdsaP384Sha384,
    /// Ed25519 (RFC 8080).
    Ed25519,
}

impl Algorithm {
    /// All of them, by number.
    pub const ALL: [Self; 5] = [
        Self::RsaSha256,
        Self::RsaSha512,
        Self::EcdsaP256Sha256,
        Self::EcdsaP384Sha384,
        Self::Ed25519,
    ];

    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::RsaSha256 => 8,
            Self::RsaSha512 => 10,
            Self::EcdsaP256Sha256 => 13,
            Self::EcdsaP384Sha384 => 14,
            Self::Ed25519 => 15,
        }
    }

    /// The algorithm of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }

    /// Whether key pairs are generated here: those of RSA are only imported.
    pub fn can_generate(self) -> bool {
        !self.is_rsa()
    }

    /// Whether it is one of RSA.
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha512)
    }

    /// The word for it in settings, files and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::RsaSha256 => "rsasha256",
            Self::RsaSha512 => "rsasha512",
            Self::EcdsaP256Sha256 => "ecdsap256sha256",
            Self::EcdsaP384Sha384 => "ecdsap384sha384",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads the word in any case.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let is_it = |it: &Self| it.word().eq_ignore_ascii_case(text);
        Self::ALL.into_iter().find(is_it).ok_or(UnknownAlgorithm)
    }
}

/// The word is none of an algorithm that zones are signed with here.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "use ecdsap256sha256, ecdsap384sha384 or ed25519; rsasha256 and rsasha512 with imported keys"
)]
pub struct UnknownAlgorithm;
