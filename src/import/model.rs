//! The result: tables of gapura's settings, and notes on what has no counterpart in them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::tsig::Algorithm;
use crate::wire::Name;

//------------ Imported ------------------------------------------------------

/// The tables.
#[derive(Debug, Default)]
pub struct Imported {
    /// `[[key]]`
    pub keys: Vec<Key>,
    /// `[[remote]]`
    pub remotes: Vec<Remote>,
    /// `[[signing]]`
    pub signings: Vec<Signing>,
    /// `[[zone]]`
    pub zones: Vec<Zone>,
    /// Notes on what is in no table, in the order of the files.
    pub notes: Vec<Note>,
}

/// A TSIG key.
#[derive(Clone, Eq, PartialEq)]
pub struct Key {
    /// Its name, in lower case.
    pub name: Name,
    /// How it signs.
    pub algorithm: Algorithm,
    /// The secret, in base64.
    pub secret: String,
}

impl fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Another name server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remote {
    /// The name by which zones mean it.
    pub name: String,
    /// Its addresses, as the settings write them.
    pub addresses: Vec<String>,
    /// The key it signs with.
    pub key: Option<Name>,
    /// Its TLS parameters.
    pub tls: Option<Tls>,
}

/// TLS parameters for a server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tls {
    /// The name in its certificate.
    pub name: String,
    /// Who may have signed it; empty = the system's authorities.
    pub ca: PathBuf,
    /// Our certificate; empty = none.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// A policy by which zones are signed. What is `None` stays at gapura's default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Signing {
    /// Its name.
    pub name: String,
    /// The algorithm of keys.
    pub algorithm: Option<String>,
    /// Whether one key signs the keys and another one the rest.
    pub is_split: bool,
    /// Whether it uses NSEC3.
    pub is_nsec3: bool,
    /// Numbers, by the names of the settings.
    pub numbers: BTreeMap<&'static str, u64>,
    /// Switches, by the names of the settings.
    pub switches: BTreeMap<&'static str, bool>,
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// The apex, in lower case.
    pub name: Name,
    /// Where its content is.
    pub content: Content,
    /// Names of remotes that may transfer it.
    pub transfer: Vec<String>,
    /// Names of remotes that are notified of changes.
    pub notify: Vec<String>,
    /// Who may change it by UPDATE.
    pub updates: Vec<Update>,
    /// How serials are chosen, where it is not by adding one.
    pub serial: Option<&'static str>,
    /// Whether each version gets a ZONEMD record.
    pub zonemd: bool,
    /// The catalog zone that lists it.
    pub catalog: Option<Name>,
    /// The policy by which the old server signs it.
    pub signing: Option<String>,
    /// Whether the old server answered only some clients: its table is then commented out.
    pub is_for_some: bool,
    /// Where it stood.
    pub place: Place,
    /// Its notes.
    pub notes: Vec<Note>,
}

/// Where a zone's content is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// A master file.
    File {
        /// The file.
        path: PathBuf,
        /// Where the paths of `$INCLUDE` begin.
        base: PathBuf,
    },
    /// Remotes that it is transferred from.
    Primaries {
        /// Their names.
        remotes: Vec<String>,
        /// Whether it is a catalog zone whose members are served.
        consume: bool,
    },
    /// A catalog zone that is made of the zones which name it.
    Catalog,
}

/// A permission to change a zone by UPDATE.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update {
    /// The key.
    pub key: Name,
    /// The names, as `zone.update` has them.
    pub names: Vec<String>,
    /// The types; empty = all that may be.
    pub types: Vec<String>,
}

//------------ Note ----------------------------------------------------------

/// Something that is in no table, or that a person must look at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Note {
    /// Where it stood.
    pub place: Place,
    /// What it is.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// A line of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: u32,
}

impl Place {
    /// The first line of a file.
    pub(super) fn start(file: &Path) -> Self {
        Self { file: file.into(), line: 1 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}
