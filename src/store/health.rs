//! Whether the database can be worked on: its pages hang together, and it is the one it should be.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::{Store, StoreError};
use crate::files;
use crate::lock::lock;
use crate::wire::Name;

impl Store {
    /// Reads all pages and compares tables with their indexes, for at most `limit`: a start must not
    /// wait for a file of gigabytes, whose damage shows when the page is read.
    pub fn check(&self, limit: Duration) -> Result<(), StoreError> {
        self.read(|reader| {
            let interrupt = reader.0.get_interrupt_handle();
            let (done, waiting) = channel::<()>();
            let found = std::thread::scope(|scope| {
                let watch = std::thread::Builder::new().spawn_scoped(scope, move || {
                    if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                        interrupt.interrupt();
                    }
                });
                // What nobody could end is not begun.
                let ok = || Ok("ok".to_owned());
                let check = |_| reader.0.pragma_query_value(None, "quick_check", |row| row.get(0));
                let row = watch.map_or_else(|_| ok(), check);
                drop(done);
                row
            });
            #[cfg(feature = "approval")]
            if let Some(table) = reader.missing_table()? {
                return Err(StoreError::Damaged(format!("the table {table} is not there")));
            }
            match found {
                Ok(ok) if ok == "ok" => Ok(()),
                Ok(fault) => Err(StoreError::Damaged(fault)),
                Err(error) if is_interrupt(&error) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }

    /// Why a write could not begin; whether another program keeps us from it is noted.
    pub(super) fn not_begun(&self, source: rusqlite::Error) -> StoreError {
        if source.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) {
            return StoreError::Begin(source);
        }
        self.0.is_locked_out.store(true, Ordering::Relaxed);
        StoreError::Locked { path: self.0.path.clone(), source }
    }

    /// That another program keeps us from writing, if it does still. Nobody is waited for.
    pub fn locked_out(&self) -> Option<StoreError> {
        if !self.0.is_locked_out.load(Ordering::Relaxed) {
            return None;
        }
        // Who holds the connection finds out, too.
        let writer = self.0.writer.try_lock().ok();
        let begun = writer.map(|mut connection| -> rusqlite::Result<()> {
            connection.busy_timeout(Duration::ZERO)?;
            let immediate = TransactionBehavior::Immediate;
            let begun = connection.transaction_with_behavior(immediate).map(drop);
            connection.busy_timeout(super::BUSY)?;
            begun
        });
        match begun {
            Some(Ok(())) => {
                self.0.is_locked_out.store(false, Ordering::Relaxed);
                None
            }
            Some(Err(source)) => Some(self.not_begun(source)),
            None => {
                let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                Some(self.not_begun(rusqlite::Error::SqliteFailure(busy, None)))
            }
        }
    }

    /// Whether it holds the row of any of these zones.
    pub fn knows_any<'a>(
        &self,
        mut zones: impl Iterator<Item = &'a Name>,
    ) -> Result<bool, StoreError> {
        self.read(|reader| {
            zones.try_fold(false, |known, apex| Ok(known || reader.zone(apex)?.is_some()))
        })
    }

    /// Folds the write-ahead log into the file, at the end of a run: what is left is one file that a copy
    /// takes whole.
    pub fn fold_log(&self) -> Result<(), StoreError> {
        // The row says what a reader kept from being folded; then the next start does it.
        lock(&self.0.writer).pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        Ok(())
    }

    /// The database file of a state directory.
    pub fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("gapura.db")
    }

    /// Whether the file is missing or holds nothing: what a full disk or a failed copy leaves.
    pub fn is_absent(state_dir: &Path) -> bool {
        std::fs::metadata(Self::path(state_dir)).map_or(true, |file| file.len() == 0)
    }
}

//------------ Presence ------------------------------------------------------

/// What tells whether the files of an open database are still there: SQLite would go on writing into one
/// that was removed, and into one that was cut short.
///
/// Both files may become shorter: the write-ahead log by any checkpoint, ours or a backup's, the database by
/// a `VACUUM`. A database that was cut short is one that is smaller than its own header says.
pub(super) struct Presence {
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
    pub(super) fn of(path: &Path) -> Self {
        let log = PathBuf::from(format!("{}-wal", path.display()));
        let seen = |path: PathBuf| {
            let now = Mutex::new(Seen::now(&path));
            (path, now)
        };
        let files = [path.to_owned(), log].map(seen);
        Self { files, database: files::open(path).ok() }
    }

    /// Fails if one of them is gone or is another, or if the database was cut short.
    pub(super) fn check(&self) -> Result<(), StoreError> {
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

/// Whether SQLite stopped because the time was up.
fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}
