//! Whether the database can be worked on: its pages hang together, and it is the one it should be.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{Store, StoreError};
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

    /// The database file of a state directory.
    pub fn path(state_dir: &Path) -> PathBuf {
        state_dir.join("gapura.db")
    }

    /// Whether the file is missing or holds nothing: what a full disk or a failed copy leaves.
    pub fn is_absent(state_dir: &Path) -> bool {
        std::fs::metadata(Self::path(state_dir)).map_or(true, |file| file.len() == 0)
    }
}

/// Whether SQLite stopped because the time was up.
fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}
