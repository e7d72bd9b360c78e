//! The backup file: one archive of everything gapura keeps, with a manifest, in which any damage is detected.
//!
//! ```text
//! member …  member …  manifest.json  SHA256       (a tar, POSIX.1-2017 "pax": `tar tvf` lists it)
//! └──────── hashed ───────────────┘     └─ the hash of all before it, in hexadecimal
//! ```
//! The manifest lists every member with its size and SHA-256. The end of the file is one fixed pattern around the hash
//! of everything before it, so no octet can change unnoticed, and a truncated file lacks that end.
//!
//! This room knows no database and no daemon: `run` decides which files belong together, and what a restore does besides
//! putting them back. The hash protects against damage, not against forgery: anyone who can write the file can change
//! it, as with the state directory itself.

mod archive;
mod contents;
mod manifest;
mod read;

pub use archive::{AddError, Writer};
pub use contents::{DATABASE, OPERATOR, Place, files_of, is_member};
pub use manifest::{Entry, FORMAT, MANIFEST, Manifest, NewestEvent};
pub use read::{check, unpack};

use std::io;
use std::path::{Path, PathBuf};

/// Members of one backup.
pub const MEMBERS_MAX: usize = 400_000;

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file of the state directory, or of the operator, cannot be read.
    #[error("cannot read {path}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file became shorter or longer while it was read.
    #[error("{path} was changed while it was read: make the backup again", path = .0.display())]
    Changed(PathBuf),
    /// The backup cannot be written.
    #[error("cannot write {path}; nothing of it is left", path = path.display())]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a complete backup.
    #[error(
        "{path} is no whole backup of gapura: {why}; take another one, nothing was done with it",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There are more files than a backup can hold.
    #[error(
        "the state directory has more than {MEMBERS_MAX} files: copy it with the daemon stopped"
    )]
    Many,
}

impl BackupError {
    /// A file cannot be read.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// A file cannot be written.
    pub fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }

    /// A file is not a complete backup.
    fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.into() }
    }
}

#[cfg(test)]
mod tests;
