//! Whether the files of an open database are still there: SQLite would go on writing into one that was removed, and into
//! one that was cut short.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::files;
use crate::lock::lock;
use crate::store::StoreError;

/// What tells whether the files are still there.
///
/// Both files may become shorter: the write-ahead log by any checkpoint, ours or a backup's, the database by
/// a `VACUUM`. A database that was cut short is one that is smaller than its own header says.
pub(in crate::store) struct Presence {
    /// The database and its write-ahead log, as they were last seen.
    files: [(PathBuf, Mutex<Option<Seen>>); 2],
    /// The database. It stays open: closing it would drop the locks that SQLite holds on it in this process
    /// (<https://sqlite.org/howtocorrupt.html>, section 2.2).
    database: Option<File>,
}

/// A file as it was seen.
#[derive(Clone, Copy)]
struct Seen {
    /// Device and inode.
    identity: (u64, u64),
    /// Its size.
    octets: u64,
}

impl Presence {
    /// Of the database at a path; one in memory has no file.
    pub(in crate::store) fn of(path: &Path) -> Self {
        let log = PathBuf::from(format!("{}-wal", path.display()));
        let seen = |path: PathBuf| {
            let now = Mutex::new(Seen::now(&path));
            (path, now)
        };
        let files = [path.to_owned(), log].map(seen);
        Self { files, database: files::open(path).ok() }
    }

    /// Fails if one of them is gone or is another, or if the database was cut short.
    pub(in crate::store) fn check(&self) -> Result<(), StoreError> {
        for (path, seen) in &self.files {
            // In this order: somebody else may make it grow between the two.
            let mut seen = lock(seen);
            let now = Seen::now(path);
            let is_log = path == &self.files[1].0;
            let fits = match (*seen, now) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(old), Some(now)) => {
                    let is_shorter = now.octets < old.octets;
                    old.identity == now.identity
                        && (is_log || !is_shorter || self.is_whole(now.octets))
                }
            };
            if !fits {
                let source = std::io::Error::from_raw_os_error(libc::ESTALE);
                return Err(StoreError::Gone { path: path.clone(), source });
            }
            *seen = now;
        }
        Ok(())
    }

    /// Whether the database, of this size, has all pages that its header counts: the page size is at octet 16,
    /// the count at 28 (<https://sqlite.org/fileformat2.html>). A checkpoint writes the header before it cuts.
    fn is_whole(&self, octets: u64) -> bool {
        let mut header = [0; 32];
        let read = self.database.as_ref().map(|file| file.read_exact_at(&mut header, 0));
        if !matches!(read, Some(Ok(()))) {
            return false;
        }
        let page = match u16::from_be_bytes([header[16], header[17]]) {
            1 => 65_536,
            page => u64::from(page),
        };
        let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
        pages > 0 && octets >= page * u64::from(pages)
    }
}

impl Seen {
    /// A file as it is now.
    fn now(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self { identity: (found.dev(), found.ino()), octets: found.len() })
    }
}
