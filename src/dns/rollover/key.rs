//! A key of a zone as the machine sees it: what it is called, what it is for, since when it is published.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::{hex, sha256, unhex};
use crate::dnssec::{Algorithm, Dnskey};

//------------ KeyId ---------------------------------------------------------

/// What a key is called: algorithm, tag, and the SHA-256 of its DNSKEY RDATA. As text `13+00042+9f86…`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeyId {
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Its tag; unique among the keys of a zone.
    pub tag: u16,
    /// The hash of its RDATA.
    pub fingerprint: [u8; 32],
}

impl KeyId {
    /// The id of a public key.
    pub fn of(dnskey: &Dnskey) -> Self {
        let fingerprint = sha256(dnskey.rdata());
        Self { algorithm: dnskey.algorithm, tag: dnskey.tag(), fingerprint }
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:05}+{}", self.algorithm.number(), self.tag, hex(&self.fingerprint))
    }
}

impl FromStr for KeyId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let mut parts = text.splitn(3, '+');
        let (Some(number), Some(tag), Some(digits)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NotAnId);
        };
        let algorithm = number.parse().ok().and_then(Algorithm::from_number).ok_or(NotAnId)?;
        let fingerprint = unhex(digits).and_then(|octets| octets.try_into().ok()).ok_or(NotAnId)?;
        let id = Self { algorithm, tag: tag.parse().map_err(|_| NotAnId)?, fingerprint };
        // One key has one text.
        (id.to_string() == text).then_some(id).ok_or(NotAnId)
    }
}

/// A text is not the id of a key.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is not a key: write it as `gapura key list` shows it")]
pub struct NotAnId;

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

//------------ Key -----------------------------------------------------------

/// What a key is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It signs everything.
    Csk,
    /// It signs the keys, and the parent's DS names it.
    Ksk,
    /// It signs all but the keys.
    Zsk,
}

impl Role {
    /// The word for it in commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csk => "csk",
            Self::Ksk => "ksk",
            Self::Zsk => "zsk",
        }
    }

    /// The flags of its DNSKEY.
    pub fn flags(self) -> u16 {
        match self {
            Self::Csk | Self::Ksk => crate::dnssec::KSK,
            Self::Zsk => crate::dnssec::ZSK,
        }
    }
}

/// A key of a zone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Key {
    /// What it is called.
    pub id: KeyId,
    /// What it is for.
    pub role: Role,
    /// The public key.
    #[serde(serialize_with = "write_dnskey", deserialize_with = "read_dnskey", rename = "rdata")]
    pub dnskey: Dnskey,
    /// When it came into the set.
    pub since: u64,
    /// Since when it is in the DNSKEY RRset; none = it is not.
    #[serde(default)]
    pub published: Option<u64>,
    /// Since when it is of no use any more; none = it is.
    #[serde(default)]
    pub removed: Option<u64>,
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Not used any more; its files are kept for a while.
    Removed,
    /// It signs, but is not published yet: resolvers get its signatures first.
    Presigning,
    /// It is published, until every resolver has it.
    Published,
    /// Another key is in its place; it stays until caches have run out of what hangs on it.
    Retiring,
    /// Every resolver has it, and the parent is to name it.
    Ready,
    /// It is in use.
    Active,
}

impl KeyState {
    /// The word for it in tables and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Presigning => "presigning",
            Self::Published => "published",
            Self::Retiring => "retiring",
            Self::Ready => "ready",
            Self::Active => "active",
        }
    }
}

/// A DNSKEY as its RDATA in hexadecimal.
fn write_dnskey<S: Serializer>(dnskey: &Dnskey, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&hex(&dnskey.rdata()))
}

/// Reads a DNSKEY from its RDATA in hexadecimal.
fn read_dnskey<'de, D: Deserializer<'de>>(from: D) -> Result<Dnskey, D::Error> {
    let octets = unhex(&String::deserialize(from)?);
    let dnskey = octets.and_then(|octets| Dnskey::from_rdata(&octets));
    dnskey.ok_or_else(|| de::Error::custom("this is not the RDATA of a DNSKEY"))
}
