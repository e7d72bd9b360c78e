//! Checkpoints: the head of the chain, signed with a key outside the database.
//!
//! Ed25519 over `"gapura checkpoint 1", sequence, head, time, key id`, each with its length in
//! front. Due every 100 events, every hour with news, and before each promotion
//! ([`needs_checkpoint_before`]).
//!
//! # A new key
//!
//! ```text
//! new key on disk as audit.key-next
//!   ─► one transaction: checkpoint by the old key, event audit_key_rotated (old ─► new),
//!      the new key's row, signed by the old key, checkpoint by the new key over that event
//!   ─► audit.key-next becomes audit.key
//! ```
//! The key that the database names last signs, so a crash at any point leaves one key in force:
//! opening puts a waiting key in place, or removes one that never came into force.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use data_encoding::BASE64URL_NOPAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ED25519, ED25519_PUBLIC_KEY_LEN, Ed25519KeyPair, KeyPair, UnparsedPublicKey,
};

use super::AuditError;
use super::canonical::field;
use super::chain::{NewEvent, append, was_turned_back};
use super::key_files::read_or_make;
use crate::digest::{hex, sha256, unhex};
use crate::files::{self, AUDIT_KEY, NEXT_AUDIT_KEY};
use crate::lock::lock;
use crate::queue::Deed;
use crate::queue::time::is_recent;
use crate::store::events::{AuditKey, Checkpoint, Event};
use crate::store::{Reader, Store, StoreError, Tx};

/// Events after which a checkpoint is due.
const EVENTS_MAX: i64 = 100;
/// Milliseconds after which a checkpoint is due if there is news.
const WAIT_MAX_MS: i64 = 3_600_000;
/// The act of the event that records a new key; its states before and after are the ids of the keys.
pub(super) const KEY_ROTATED: Deed = Deed::AuditKeyRotated;

/// Whether the head is signed before this event, so that nobody can take away what led to a
/// promotion once its record went live. `promote` signs, and the verifier asks for the signature.
pub(super) fn needs_checkpoint_before(event: &Event) -> bool {
    event.act == Deed::Promote.as_str() && !was_turned_back(event)
}

//------------ Notary --------------------------------------------------------

/// Holds the signing keys; clones share them.
#[derive(Clone)]
pub struct Notary(Arc<Inner>);

/// What clones share.
struct Inner {
    /// The key file.
    path: PathBuf,
    /// The key in force and, during a rotation, the next one; the database says which one signs.
    keys: RwLock<Vec<Arc<Key>>>,
    /// Held during a rotation: the key file has place for one next key.
    rotating: Mutex<()>,
}

/// A signing key and its name.
struct Key {
    /// The pair.
    pair: Ed25519KeyPair,
    /// Its id.
    id: String,
}

impl Notary {
    /// Opens the key in the state directory, or makes the first one, and notes it in the database.
    pub fn open(state_dir: &Path, store: &Store, now_ms: i64) -> Result<Self, AuditError> {
        let path = state_dir.join(AUDIT_KEY);
        let known = store.read::<_, StoreError>(|reader| reader.audit_keys())?;
        finish_rotation(&path, known.last())?;
        if !known.is_empty() && !path.exists() {
            return Err(AuditError::LostKey { path });
        }
        let key = Key::from_pkcs8(&path, &read_or_make(&path, new_pkcs8)?)?;
        match known.last() {
            Some(last) if last.key_id == key.id => {}
            Some(last) => {
                return Err(AuditError::OtherKey {
                    path,
                    found: key.id,
                    known: last.key_id.clone(),
                });
            }
            None => {
                let row = key.row(now_ms, None, None);
                store.write::<_, StoreError>(|tx| tx.put_audit_key(&row))?;
            }
        }
        let keys = RwLock::new(vec![Arc::new(key)]);
        Ok(Self(Arc::new(Inner { path, keys, rotating: Mutex::new(()) })))
    }

    /// The public key of the key file, in hexadecimal, whatever the database says of it: for the
    /// verifier, which trusts nothing in there.
    pub fn public_key_in(state_dir: &Path) -> Result<String, AuditError> {
        let path = state_dir.join(AUDIT_KEY);
        let bytes = files::read(&path);
        let bytes = bytes.map_err(|source| AuditError::KeyFile { path: path.clone(), source })?;
        Ok(Key::from_pkcs8(&path, &bytes)?.public())
    }

    /// Sees that there is the key that a database says is in force, also where a rotation was interrupted.
    pub(super) fn see_that_it_has(state_dir: &Path, known: &AuditKey) -> Result<(), AuditError> {
        let id_in = |path: &Path| {
            let bytes = files::read(path);
            let bytes =
                bytes.map_err(|source| AuditError::KeyFile { path: path.to_owned(), source })?;
            Ok(Key::from_pkcs8(path, &bytes)?.id)
        };
        let (path, next) = (state_dir.join(AUDIT_KEY), state_dir.join(NEXT_AUDIT_KEY));
        if id_in(&next).is_ok_and(|found: String| found == known.key_id) {
            return Ok(());
        }
        match id_in(&path) {
            Ok(found) if found == known.key_id => Ok(()),
            Ok(found) => Err(AuditError::OtherKey { path, found, known: known.key_id.clone() }),
            Err(error) => Err(error),
        }
    }

    /// Whether a text is the public key of a notary, in hexadecimal.
    pub fn is_public_key(text: &str) -> bool {
        let bytes = unhex(&text.trim().to_lowercase());
        bytes.is_some_and(|bytes| bytes.len() == ED25519_PUBLIC_KEY_LEN)
    }

    /// The public key in use, in hexadecimal.
    pub fn public_key(&self) -> String {
        self.newest().public()
    }

    /// Signs the head if there is news, in the caller's transaction; returns the last checkpoint.
    pub fn checkpoint(&self, tx: &Tx<'_>, now_ms: i64) -> Result<Option<Checkpoint>, StoreError> {
        let last = tx.last_checkpoint()?;
        let Some((sequence, head)) = tx.chain_head()? else { return Ok(last) };
        if last.as_ref().is_some_and(|last| last.sequence >= sequence) {
            return Ok(last);
        }
        let row = self.in_force(tx)?.sign(sequence, head, now_ms);
        tx.put_checkpoint(&row)?;
        Ok(Some(row))
    }

    /// Signs the head if enough events or enough time have passed; called after writes and on a
    /// timer.
    pub fn checkpoint_if_due(&self, tx: &Tx<'_>, now_ms: i64) -> Result<(), StoreError> {
        let (sequence, at_ms) = match tx.last_checkpoint()? {
            Some(last) => (last.sequence, last.at_ms),
            // Before the first one the news is as old as the first event.
            None => (0, tx.events_after(0, 1)?.first().map_or(now_ms, |event| event.at_ms)),
        };
        let news = tx.chain_head()?.map_or(0, |(head, _)| head - sequence);
        let waited = !is_recent(at_ms, now_ms, WAIT_MAX_MS - 1);
        if news >= EVENTS_MAX || (news > 0 && waited) {
            self.checkpoint(tx, now_ms)?;
        }
        Ok(())
    }

    /// Puts a new key in force, by a person in a role; see the head of this file.
    pub fn rotate(
        &self,
        store: &Store,
        now_ms: i64,
        person: &str,
        role: &str,
    ) -> Result<AuditKey, AuditError> {
        let _one_at_a_time = lock(&self.0.rotating);
        let pkcs8 = new_pkcs8()?;
        let (old, new) = (self.newest(), Arc::new(Key::from_pkcs8(&self.0.path, &pkcs8)?));
        let next = next_path(&self.0.path);
        files::write_private(&next, &pkcs8)
            .map_err(|source| AuditError::KeyFile { path: next.clone(), source })?;
        let signature = old.pair.sign(&key_message(&new.public(), now_ms));
        let signature = BASE64URL_NOPAD.encode(signature.as_ref());
        let row = new.row(now_ms, Some(&old.id), Some(&signature));
        let rotated = NewEvent {
            before: Some(old.id.clone()),
            after: Some(new.id.clone()),
            ..NewEvent::new(now_ms, person, role, KEY_ROTATED, "chain:key")
        };
        self.keys_mut(|keys| keys.push(Arc::clone(&new)));
        let written = store.write::<_, StoreError>(|tx| {
            self.checkpoint(tx, now_ms)?;
            append(tx, rotated)?;
            tx.put_audit_key(&row)?;
            self.checkpoint(tx, now_ms).map(drop)
        });
        let gone = if written.is_ok() { &old.id } else { &new.id };
        self.keys_mut(|keys| keys.retain(|key| key.id != *gone));
        written?;
        finish_rotation(&self.0.path, Some(&row))?;
        Ok(row)
    }

    /// The row of any key, signed by this one; for tests of the verifier.
    #[cfg(test)]
    pub(super) fn vouch(&self, row: &AuditKey) -> AuditKey {
        let key = self.newest();
        let signature = key.pair.sign(&key_message(&row.public, row.at_ms));
        let signature = Some(BASE64URL_NOPAD.encode(signature.as_ref()));
        AuditKey { signed_by: Some(key.id.clone()), signature, ..row.clone() }
    }

    /// The key that the database names last.
    fn in_force(&self, tx: &Tx<'_>) -> Result<Arc<Key>, StoreError> {
        let named = tx.audit_keys()?.pop().map(|row| row.key_id);
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        let key = keys.iter().find(|key| Some(&key.id) == named.as_ref());
        let unknown = || StoreError::Corrupt(format!("table audit_key: the last is {named:?}"));
        key.cloned().ok_or_else(unknown)
    }

    /// The newest key at hand.
    fn newest(&self) -> Arc<Key> {
        let keys = self.0.keys.read().unwrap_or_else(PoisonError::into_inner);
        // There is one from the start, and the last is never removed.
        Arc::clone(&keys[keys.len() - 1])
    }

    /// Changes the keys at hand.
    fn keys_mut(&self, change: impl FnOnce(&mut Vec<Arc<Key>>)) {
        change(&mut self.0.keys.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Notary {
    /// Events that no checkpoint covers yet.
    pub fn unsigned_events(reader: &Reader<'_>) -> Result<i64, StoreError> {
        let signed = reader.last_checkpoint()?.map_or(0, |last| last.sequence);
        Ok(reader.chain_head()?.map_or(0, |(head, _)| head - signed))
    }
}

//------------ Key -----------------------------------------------------------

impl Key {
    /// Reads a key pair.
    fn from_pkcs8(path: &Path, bytes: &[u8]) -> Result<Self, AuditError> {
        let pair = Ed25519KeyPair::from_pkcs8(bytes)
            .map_err(|_| AuditError::BadKey { path: path.to_owned() })?;
        let id = key_id(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// The public key, in hexadecimal.
    fn public(&self) -> String {
        hex(self.pair.public_key().as_ref())
    }

    /// Its row in the database.
    fn row(&self, at_ms: i64, signed_by: Option<&str>, signature: Option<&str>) -> AuditKey {
        AuditKey {
            key_id: self.id.clone(),
            public: self.public(),
            at_ms,
            signed_by: signed_by.map(str::to_owned),
            signature: signature.map(str::to_owned),
        }
    }

    /// Signs a head.
    fn sign(&self, sequence: i64, head: String, at_ms: i64) -> Checkpoint {
        let message = checkpoint_message(sequence, &head, at_ms, &self.id);
        let signature = BASE64URL_NOPAD.encode(self.pair.sign(&message).as_ref());
        Checkpoint { sequence, head, at_ms, key_id: self.id.clone(), signature }
    }
}

/// A fresh key pair.
fn new_pkcs8() -> Result<Vec<u8>, AuditError> {
    let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
    Ok(pair.map_err(|_| AuditError::Random)?.as_ref().to_vec())
}

/// Where a new key waits until the database knows it.
fn next_path(path: &Path) -> PathBuf {
    path.with_file_name(NEXT_AUDIT_KEY)
}

/// Puts a waiting key in place if it is the one the database knows as the last.
fn finish_rotation(path: &Path, last: Option<&AuditKey>) -> Result<(), AuditError> {
    let next = next_path(path);
    let (Some(last), Ok(bytes)) = (last, std::fs::read(&next)) else { return Ok(()) };
    let failed = |source| AuditError::KeyFile { path: next.clone(), source };
    if Key::from_pkcs8(&next, &bytes).is_ok_and(|key| key.id == last.key_id) {
        std::fs::rename(&next, path).map_err(failed)
    } else {
        std::fs::remove_file(&next).map_err(failed)
    }
}

/// First 16 hexadecimal digits of SHA-256 over a public key.
pub(super) fn key_id(public: &[u8]) -> String {
    hex(&sha256(public)[..8])
}

/// What a checkpoint's signature covers.
fn checkpoint_message(sequence: i64, head: &str, at_ms: i64, key_id: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(160);
    field(&mut bytes, b"gapura checkpoint 1");
    field(&mut bytes, &sequence.to_be_bytes());
    field(&mut bytes, head.as_bytes());
    field(&mut bytes, &at_ms.to_be_bytes());
    field(&mut bytes, key_id.as_bytes());
    bytes
}

/// What the signature over a new key covers.
fn key_message(public: &str, at_ms: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    field(&mut bytes, b"gapura audit key 1");
    field(&mut bytes, public.as_bytes());
    field(&mut bytes, &at_ms.to_be_bytes());
    bytes
}

/// Whether a checkpoint was signed by this public key (hexadecimal).
pub(super) fn signed(row: &Checkpoint, public: &str) -> bool {
    let message = checkpoint_message(row.sequence, &row.head, row.at_ms, &row.key_id);
    verified(public, &message, &row.signature)
}

/// Whether a new key was signed by this public key (hexadecimal).
pub(super) fn vouched(row: &AuditKey, by: &str) -> bool {
    let signature = row.signature.as_deref().unwrap_or("");
    verified(by, &key_message(&row.public, row.at_ms), signature)
}

/// Checks an Ed25519 signature.
fn verified(public: &str, message: &[u8], signature: &str) -> bool {
    let public = unhex(public).unwrap_or_default();
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap_or_default();
    UnparsedPublicKey::new(&ED25519, public).verify(message, &signature).is_ok()
}
