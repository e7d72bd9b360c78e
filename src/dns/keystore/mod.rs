//! Private keys as files: kept below `state/keys/ZONE/`, and read from what other programs keep.
//!
//! One key is one file in PKCS#8 PEM, which every tool reads, named after its DNSKEY: algorithm, tag and
//! SHA-256 of the RDATA. So a file that holds another key than it says is found at once. Beside them lies
//! a copy of the zone's key set, for a lost database.
//!
//! Which key is used for what and when one goes is not known here (`rollover`), nor is who may ask.

mod bind;
mod content;
mod import;
mod pem;
mod public;
mod text;

pub use content::{Content, Private, Public};
pub use import::{Given, ImportFault, Imported, import};
pub use text::KeyFileFault;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::dnssec::{self, Algorithm, Dnskey, KeyError, KeyPair, Pkcs8, PrivateKey};
use crate::files::{self, SecretError};
use crate::rollover::KeyId;
use crate::wire::Name;

/// The directory in the state directory.
const DIRECTORY: &str = "keys";
/// The copy of a zone's key set, beside its keys.
const KEY_SET: &str = "keyset.json";
/// How files of private keys end.
const ENDING: &str = ".pem";
/// Keys that are made, at most, until one has a tag of its own: one in some thousands has not.
const TRIES_MAX: usize = 64;
/// Octets a file of a private key may have: some times what the largest RSA key needs.
const KEY_OCTETS_MAX: usize = 64 << 10;
/// Octets the copy of a key set may have: some thousand keys.
const KEY_SET_OCTETS_MAX: usize = 4 << 20;
/// Directory entries that are looked at for keys of a zone.
const ENTRIES_MAX: usize = 10_000;

//------------ Keystore ------------------------------------------------------

/// The private keys of all zones.
#[derive(Clone, Debug)]
pub struct Keystore {
    /// The directory of all of them.
    directory: PathBuf,
}

impl Keystore {
    /// The one in a state directory, which exists.
    pub fn new(state_dir: &Path) -> Self {
        Self { directory: state_dir.join(DIRECTORY) }
    }

    /// The directory of a zone's keys.
    pub fn directory(&self, zone: &Name) -> PathBuf {
        self.directory.join(files::stem(zone))
    }

    /// Where a private key is, or should be.
    pub fn path(&self, zone: &Name, key: &Dnskey) -> PathBuf {
        self.directory(zone).join(file_name(key))
    }

    /// Writes a private key; it is on disk when this returns.
    pub fn store(&self, zone: &Name, pair: &KeyPair, pkcs8: &Pkcs8) -> Result<(), KeystoreError> {
        let path = self.path(zone, pair.dnskey());
        self.write(zone, &path, pem::text(pkcs8).as_bytes())
    }

    /// Reads the private key of a DNSKEY.
    pub fn load(&self, zone: &Name, key: &Dnskey) -> Result<KeyPair, KeystoreError> {
        let path = self.path(zone, key);
        let what = || format!("the private key {} of {zone} ({})", key.tag(), key.algorithm);
        let text = files::read_secret(&path, KEY_OCTETS_MAX).map_err(|error| match error {
            SecretError::Io(error) if error.kind() == ErrorKind::NotFound => {
                KeystoreError::Missing { what: what(), path: path.clone() }
            }
            why => KeystoreError::Read { path: path.clone(), why },
        })?;
        let read = pem::read(&text).map_err(|fault| fault.message);
        let pair = read.and_then(|key_of_file: PrivateKey| {
            key_of_file.pair_with(key).map_err(|error| error.to_string())
        });
        match pair {
            Ok((pair, _)) => Ok(pair),
            Err(why) => Err(KeystoreError::Damaged { what: what(), path, why }),
        }
    }

    /// Removes the file of a private key for good; one that is not there is gone already.
    pub fn remove(&self, zone: &Name, key: &Dnskey) -> Result<(), KeystoreError> {
        remove(self.path(zone, key))
    }

    /// Makes a key whose tag is none of `taken`; its file is on disk when this returns.
    pub fn generate(
        &self,
        zone: &Name,
        algorithm: Algorithm,
        flags: u16,
        taken: &[u16],
    ) -> Result<Dnskey, KeystoreError> {
        for _ in 0..TRIES_MAX {
            let (pair, pkcs8) = KeyPair::generate(algorithm, flags)?;
            if !taken.contains(&pair.tag()) {
                self.store(zone, &pair, &pkcs8)?;
                return Ok(pair.dnskey().clone());
            }
        }
        Err(KeystoreError::NoTag)
    }

    /// The DNSKEYs of the private keys that lie there for a zone, whatever uses them. One that cannot be used
    /// is an error: in its place nobody should make a new one, which the parent does not know.
    pub fn list(&self, zone: &Name) -> Result<Vec<Dnskey>, KeystoreError> {
        let directory = self.directory(zone);
        let entries = match fs::read_dir(&directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.and_then(|entries| entries.take(ENTRIES_MAX).collect()),
        };
        let entries: Vec<fs::DirEntry> =
            entries.map_err(|error| KeystoreError::Read { path: directory, why: error.into() })?;
        let files = entries.iter().map(fs::DirEntry::path);
        let keys =
            files.filter(|path| path.as_os_str().as_encoded_bytes().ends_with(ENDING.as_bytes()));
        let mut found: Vec<Dnskey> =
            keys.map(|path| public_half(&path)).collect::<Result<_, _>>()?;
        found.sort_unstable();
        Ok(found)
    }

    /// Writes the copy of a zone's key set, or removes it; that is on disk when this returns.
    pub fn write_key_set(&self, zone: &Name, json: Option<&str>) -> Result<(), KeystoreError> {
        let path = self.directory(zone).join(KEY_SET);
        match json {
            Some(json) => self.write(zone, &path, json.as_bytes()),
            None => remove(path),
        }
    }

    /// Reads the copy of a zone's key set; none if there is none.
    pub fn read_key_set(&self, zone: &Name) -> Result<Option<String>, KeystoreError> {
        let path = self.directory(zone).join(KEY_SET);
        match read_text(&path) {
            Ok(text) => Ok(Some(text)),
            Err(SecretError::Io(error)) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(why) => Err(KeystoreError::Read { path, why }),
        }
    }

    /// Writes a file of a zone, whose directories are made if they are missing.
    fn write(&self, zone: &Name, path: &Path, octets: &[u8]) -> Result<(), KeystoreError> {
        let written = [&self.directory, &self.directory(zone)]
            .into_iter()
            .try_for_each(|directory| make_directory(directory))
            .and_then(|()| files::write_private(path, octets));
        written.map_err(|why| KeystoreError::Write { path: path.to_owned(), why })
    }
}

/// Removes a file for good; one that is not there is gone already.
fn remove(path: PathBuf) -> Result<(), KeystoreError> {
    let removed = match fs::remove_file(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        removed => removed.and_then(|()| files::sync_directory(&path)),
    };
    removed.map_err(|why| KeystoreError::Write { path, why })
}

/// Reads a file that is no secret, as text.
fn read_text(path: &Path) -> Result<String, SecretError> {
    let mut octets = Vec::new();
    files::open(path)?.take(KEY_SET_OCTETS_MAX as u64 + 1).read_to_end(&mut octets)?;
    if octets.len() > KEY_SET_OCTETS_MAX {
        return Err(SecretError::Long(KEY_SET_OCTETS_MAX));
    }
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// Makes a directory that nobody else may look into, unless it is there.
fn make_directory(path: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| files::sync_directory(path)),
    }
}

/// What the file of a key is called.
fn file_name(key: &Dnskey) -> String {
    format!("{}{ENDING}", KeyId::of(key))
}

/// The DNSKEY of the private key in a file that is called after it.
fn public_half(path: &Path) -> Result<Dnskey, KeystoreError> {
    let text = files::read_secret(path, KEY_OCTETS_MAX)
        .map_err(|why| KeystoreError::Read { path: path.to_owned(), why })?;
    let name = path.file_stem().and_then(OsStr::to_str);
    let id = name.and_then(|name| name.parse::<KeyId>().ok());
    let dnskey = id.zip(pem::read(&text).ok()).and_then(|(id, key)| {
        [dnssec::KSK, dnssec::ZSK].into_iter().find_map(|flags| {
            let (pair, _) = key.pair_alone(id.algorithm, flags).ok()?;
            (KeyId::of(pair.dnskey()) == id).then(|| pair.dnskey().clone())
        })
    });
    dnskey.ok_or_else(|| KeystoreError::Strange(path.to_owned()))
}

//------------ KeystoreError -------------------------------------------------

/// Why a file of keys could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The file is not there.
    #[error("{what} is missing: restore {path} from the backup", path = path.display())]
    Missing {
        /// Which key.
        what: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{path} is not {what}: {why}; restore it from the backup", path = path.display())]
    Damaged {
        /// Which key it should be.
        what: String,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file is not called after the key in it.
    #[error(
        "{path} does not hold the private key that it is called after: restore it from the backup, or take it \
         away and give it to \"gapura key import\"",
        path = .0.display()
    )]
    Strange(PathBuf),
    /// No key was made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// All keys that were made have a tag that another one has.
    #[error("no key was made whose tag no other key of the zone has: try again")]
    NoTag,
    /// It cannot be read, or others may read it, too.
    #[error("{path}: {why}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why. It stands in the message, so it is no cause besides.
        why: SecretError,
    },
    /// It cannot be written or removed.
    #[error("{path}: cannot be written: {why}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said. It stands in the message, so it is no cause besides.
        why: io::Error,
    },
}

#[cfg(test)]
mod tests;
