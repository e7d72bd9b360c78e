//! What can go wrong with keys, signatures and exports.

use std::path::PathBuf;

use crate::store::StoreError;

/// A variant per step.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database could not be read to its end while it was verified.
    #[error(
        "the database could not be used while it was verified, so nothing is said of it ({0}): verify it again"
    )]
    Interrupted(String),
    /// A key file cannot be read or written.
    #[error("cannot use the key file {path}", path = path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key file holds no key.
    #[error("the key file {path} holds no usable key: restore it from the backup", path = path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
    },
    /// The key file is not the one the database knows.
    #[error(
        "the key in {path} ({found}) is not the one the database was written with ({known}): \
         restore the key file that belongs to this database", path = path.display()
    )]
    OtherKey {
        /// The file.
        path: PathBuf,
        /// The key id in the file.
        found: String,
        /// The key id in the database.
        known: String,
    },
    /// A key file that was there is gone.
    #[error(
        "{path} is missing, and the database was written with it: put it back from the backup of the \
         state directory", path = path.display()
    )]
    LostKey {
        /// The file.
        path: PathBuf,
    },
    /// The system has no random numbers, or a key cannot be made.
    #[error("the operating system supplies no random numbers")]
    Random,
    /// A sealed value cannot be opened with the key at hand.
    #[error(
        "a sealed value cannot be opened: the key file is not the one it was sealed with, or the value was changed"
    )]
    Sealed,
    /// A line of an export cannot be read.
    #[error("line {line} of the export cannot be read: {reason}")]
    Export {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An anchor cannot be read.
    #[error("the anchor cannot be read: {0}")]
    Anchor(String),
}

impl AuditError {
    /// Whether a key is the reason: lost, unreadable, or another one.
    pub fn is_of_key(&self) -> bool {
        matches!(
            self,
            Self::KeyFile { .. }
                | Self::BadKey { .. }
                | Self::OtherKey { .. }
                | Self::LostKey { .. }
        )
    }
}
