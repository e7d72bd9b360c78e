//! Whether the database can be worked on: its pages hang together, and it is the one it should be.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{Store, StoreError, lock};
use crate::wire::Name;

impl Store {
    /// Reads all pages and compares tables with their indexes, for at most `limit`: a start must not
    /// wait for a file of gigabytes, whose damage shows when the page is read.
    pub fn check(&self, limit: Duration) -> Result<(), StoreError> {
        self.read(|reader| {
            let interrupt = reader.0.get_interrupt_handle();
            let (done, waiting) = channel::<()>();
            let found = std::thread::scope(|scope| {
                scope.spawn(move || {
                    if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                        interrupt.interrupt();
                    }
                });
                let row = reader.0.pragma_query_value(None, "quick_check", |row| row.get(0));
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
pub(super) struct Presence {
    /// The database and its write-ahead log, as they were last seen.
    files: [(PathBuf, Mutex<Option<Seen>>); 2],
    /// Whether we are cutting them short ourselves.
    shrinking: AtomicBool,
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
        Self { files, shrinking: AtomicBool::new(false) }
    }

    /// From now on the files may become shorter.
    #[cfg(feature = "approval")]
    pub(super) fn may_shrink(&self) {
        self.shrinking.store(true, Ordering::SeqCst);
    }

    /// From now on they grow only.
    #[cfg(feature = "approval")]
    pub(super) fn has_shrunk(&self) {
        for (path, seen) in &self.files {
            *lock(seen) = Seen::now(path);
        }
        self.shrinking.store(false, Ordering::SeqCst);
    }

    /// Fails if one of them is gone, is another, or is shorter than it was.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        for (path, seen) in &self.files {
            // In this order: somebody else may make it grow between the two.
            let mut seen = lock(seen);
            let now = Seen::now(path);
            let fits = match (*seen, now) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(old), Some(now)) => {
                    let grown = old.octets <= now.octets || self.shrinking.load(Ordering::SeqCst);
                    // Nobody cuts the database down to nothing but somebody else.
                    let is_left = now.octets > 0 || old.octets == 0 || path == &self.files[1].0;
                    old.identity == now.identity && grown && is_left
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
