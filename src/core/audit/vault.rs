//! Personal data at rest: sealed with ChaCha20-Poly1305, bound to the chain by salted commitments.
//!
//! The key is in the state directory, outside the database: a stolen database alone reveals no
//! name. There is no place for a NIK: free text is masked before it comes here (`queue::labels`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

use super::AuditError;
use super::canonical::field;
use super::key_files::{random, read_or_make};
use crate::digest::{hex, sha256_hex};
use crate::files::{self, PERSONAL_KEY};
use crate::store::{Store, StoreError};

/// Bytes of the key.
const KEY_LEN: usize = 32;
/// Bytes of a salt.
const SALT_LEN: usize = 32;
/// What a commitment starts with.
const TAG: &[u8] = b"gapura commitment 1";

//------------ Vault ---------------------------------------------------------

/// Seals and opens personal data; clones share the key.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

/// What clones share.
struct Inner {
    /// The key.
    key: LessSafeKey,
    /// The key of tags, derived from it.
    tags: hmac::Key,
    /// The key of the row log, derived from it.
    rows: hmac::Key,
    /// Where it came from.
    path: PathBuf,
}

/// A personal value on its way into the database.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The field's name, as in the event.
    pub field: String,
    /// SHA-256 over tag, field, salt and value, in hexadecimal.
    pub commitment: String,
    /// Salt and value, encrypted.
    pub blob: Vec<u8>,
}

impl Vault {
    /// Opens the vault that belongs to a database. Its key is made while there is no event yet: a new
    /// one opens nothing that an older one sealed.
    pub fn open_for(state_dir: &Path, store: &Store) -> Result<Self, AuditError> {
        let path = state_dir.join(PERSONAL_KEY);
        let head = store.read::<_, StoreError>(|reader| reader.chain_head())?;
        if head.is_some() && !path.exists() {
            return Err(AuditError::LostKey { path });
        }
        Self::open(state_dir)
    }

    /// Opens the vault of a state directory, and makes no key.
    pub fn inspect(state_dir: &Path) -> Result<Self, AuditError> {
        let path = state_dir.join(PERSONAL_KEY);
        match files::open(&path) {
            Ok(_) => Self::open(state_dir),
            Err(source) => Err(AuditError::KeyFile { path, source }),
        }
    }

    /// Opens the vault of a new state directory, making its key.
    pub fn open(state_dir: &Path) -> Result<Self, AuditError> {
        let path = state_dir.join(PERSONAL_KEY);
        let bytes = read_or_make(&path, || Ok(random::<KEY_LEN>()?.to_vec()))?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes)
            .map_err(|_| AuditError::BadKey { path: path.clone() })?;
        let whole = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let derive = |purpose: &[u8]| {
            hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&whole, purpose).as_ref())
        };
        let (tags, rows) = (derive(b"gapura tags 1"), derive(b"gapura rows 1"));
        Ok(Self(Arc::new(Inner { key: LessSafeKey::new(key), tags, rows, path })))
    }

    /// The key file.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// What the database knows the key by; it reveals nothing about the key.
    pub(super) fn mark(&self) -> Vec<u8> {
        hmac::sign(&self.0.tags, b"gapura key mark 1").as_ref().to_vec()
    }

    /// The key of the row log.
    pub(super) fn row_key(&self) -> hmac::Key {
        self.0.rows.clone()
    }

    /// Encrypts; `context` says what the value is, and must be the same to open it.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, AuditError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut sealed = plain.to_vec();
        let aad = Aad::from(context.as_bytes());
        let key = &self.0.key;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .map_err(|_| AuditError::Random)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Decrypts what [`Vault::seal`] returned for the same context.
    pub fn unseal(&self, context: &str, sealed: &[u8]) -> Result<Vec<u8>, AuditError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(AuditError::Sealed)?;
        let mut rest = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.0.key.open_in_place(nonce, Aad::from(context.as_bytes()), &mut rest);
        Ok(plain.map_err(|_| AuditError::Sealed)?.to_vec())
    }

    /// A keyed hash of a short secret, in hexadecimal: the form in which it is stored.
    pub fn tag(&self, purpose: &str, value: &str) -> String {
        let mut bytes = Vec::with_capacity(64);
        field(&mut bytes, purpose.as_bytes());
        field(&mut bytes, value.as_bytes());
        hex(hmac::sign(&self.0.tags, &bytes).as_ref())
    }

    /// Makes a commitment to a value, with a fresh salt.
    pub fn commit(&self, name: &str, value: &str) -> Result<Sealed, AuditError> {
        let salt = random::<SALT_LEN>()?;
        let commitment = commitment(name, &salt, value);
        let blob = self.seal(&context(name), &[&salt, value.as_bytes()].concat())?;
        Ok(Sealed { field: name.to_owned(), commitment, blob })
    }

    /// Opens a value and says whether it is the one committed to.
    pub fn open_commitment(
        &self,
        name: &str,
        commitment_hex: &str,
        blob: &[u8],
    ) -> Result<Option<String>, AuditError> {
        let plain = self.unseal(&context(name), blob)?;
        let (salt, value) = plain.split_first_chunk::<SALT_LEN>().ok_or(AuditError::Sealed)?;
        let value = String::from_utf8(value.to_vec()).map_err(|_| AuditError::Sealed)?;
        Ok((commitment(name, salt, &value) == commitment_hex).then_some(value))
    }
}

/// What a sealed commitment is sealed as.
fn context(name: &str) -> String {
    format!("commitment:{name}")
}

/// The commitment, in hexadecimal; each part with its length in front.
fn commitment(name: &str, salt: &[u8], value: &str) -> String {
    let mut bytes = Vec::with_capacity(128 + value.len());
    for part in [TAG, name.as_bytes(), salt, value.as_bytes()] {
        field(&mut bytes, part);
    }
    sha256_hex(&bytes)
}
