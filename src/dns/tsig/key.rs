//! Keys, by name, and the algorithms they are used with.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::hmac;

use crate::wire::rdata::base64_octets;
use crate::wire::{Name, NameRef};

/// A signature is accepted from this many octets on, and from half of what the algorithm makes
/// (RFC 8945 §5.2.2.1).
const MAC_OCTETS_MIN: usize = 10;

//------------ Algorithm -----------------------------------------------------

/// How messages are signed (RFC 8945 §6).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Algorithm {
    /// HMAC with SHA-256, which every server knows.
    #[default]
    HmacSha256,
    /// HMAC with SHA-384.
    HmacSha384,
    /// HMAC with SHA-512.
    HmacSha512,
}

impl Algorithm {
    /// All of them, the usual one first.
    pub const ALL: [Self; 3] = [Self::HmacSha256, Self::HmacSha384, Self::HmacSha512];

    /// Its name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha256 => "hmac-sha256",
            Self::HmacSha384 => "hmac-sha384",
            Self::HmacSha512 => "hmac-sha512",
        }
    }

    /// Octets of its signatures, and of a good secret.
    pub fn octets(self) -> usize {
        match self {
            Self::HmacSha256 => 32,
            Self::HmacSha384 => 48,
            Self::HmacSha512 => 64,
        }
    }

    /// The shortest signature that is one at all.
    pub(super) fn octets_min(self) -> usize {
        MAC_OCTETS_MIN.max(self.octets() / 2)
    }

    /// Its name on the wire.
    pub(super) fn wire(self) -> &'static [u8] {
        match self {
            Self::HmacSha256 => b"\x0bhmac-sha256\0",
            Self::HmacSha384 => b"\x0bhmac-sha384\0",
            Self::HmacSha512 => b"\x0bhmac-sha512\0",
        }
    }

    /// The same, as a name.
    pub(super) fn name(self) -> Name {
        // It is well formed.
        Name::from_wire(self.wire()).map_or_else(|_| Name::root(), |(name, _)| name)
    }

    /// The same as `ring` has it.
    fn of_ring(self) -> hmac::Algorithm {
        match self {
            Self::HmacSha256 => hmac::HMAC_SHA256,
            Self::HmacSha384 => hmac::HMAC_SHA384,
            Self::HmacSha512 => hmac::HMAC_SHA512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Reads its name, in any case, with a final dot or without.
    fn from_str(text: &str) -> Result<Self, UnknownAlgorithm> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let found = Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text));
        found.ok_or(UnknownAlgorithm)
    }
}

/// The text names no algorithm that is known here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not one of hmac-sha256, hmac-sha384, hmac-sha512")]
pub struct UnknownAlgorithm;

//------------ Key -----------------------------------------------------------

/// A key: what both ends call it, and the secret they share.
pub struct Key {
    /// The name.
    name: Name,
    /// How it signs.
    algorithm: Algorithm,
    /// The secret, as `ring` wants it.
    secret: hmac::Key,
}

impl Key {
    /// A key of this name.
    pub fn new(name: &Name, algorithm: Algorithm, secret: &[u8]) -> Self {
        // Names are signed in lower case (RFC 8945 §4.3.3).
        let name = name.as_ref().to_lowercase();
        Self { name, algorithm, secret: hmac::Key::new(algorithm.of_ring(), secret) }
    }

    /// Its name, in lower case.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// A signature to begin.
    pub(super) fn begin(&self) -> hmac::Context {
        hmac::Context::with_key(&self.secret)
    }
}

impl PartialEq for Key {
    /// Whether both sign alike; the secret itself is not kept in a form to compare.
    fn eq(&self, other: &Self) -> bool {
        let tag = |key: &Self| hmac::sign(&key.secret, b"");
        (&self.name, self.algorithm) == (&other.name, other.algorithm)
            && tag(self).as_ref() == tag(other).as_ref()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} {})", self.name, self.algorithm)
    }
}

/// The octets of a key's secret in base64, as settings and files of ours and of other programs have it: a long one may
/// be broken into lines. None if it is no base64, or nothing.
pub fn secret_octets(text: &[u8]) -> Option<Vec<u8>> {
    let signs: Vec<u8> = text.iter().copied().filter(|it| !it.is_ascii_whitespace()).collect();
    base64_octets(&signs).filter(|octets| !octets.is_empty())
}

//------------ Keyring -------------------------------------------------------

/// All keys that this server knows, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keyring {
    /// The keys.
    keys: BTreeMap<Name, Arc<Key>>,
}

impl Keyring {
    /// A key by its name, in any case.
    pub fn get(&self, name: NameRef<'_>) -> Option<&Arc<Key>> {
        self.keys.get(&name.to_name())
    }
}

impl FromIterator<Key> for Keyring {
    /// Of two keys of one name the last stays.
    fn from_iter<T: IntoIterator<Item = Key>>(keys: T) -> Self {
        let keys = keys.into_iter().map(|key| (key.name.clone(), Arc::new(key)));
        Self { keys: keys.collect() }
    }
}
