//! Whether the file can be worked on: its pages hang together, and nobody keeps us from writing it.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::Database;
use crate::lock::lock;
use crate::store::StoreError;

/// Reads all pages and compares tables with their indexes, for at most `limit`.
pub(in crate::store) fn check(connection: &Connection, limit: Duration) -> Result<(), StoreError> {
    let interrupt = connection.get_interrupt_handle();
    let (done, waiting) = channel::<()>();
    let found = std::thread::scope(|scope| {
        let watch = std::thread::Builder::new().spawn_scoped(scope, move || {
            if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                interrupt.interrupt();
            }
        });
        // What nobody could end is not begun.
        let ok = || Ok("ok".to_owned());
        let check = |_| connection.pragma_query_value(None, "quick_check", |row| row.get(0));
        let row = watch.map_or_else(|_| ok(), check);
        drop(done);
        row
    });
    match found {
        Ok(ok) if ok == "ok" => Ok(()),
        Ok(fault) => Err(StoreError::Damaged(fault)),
        Err(error) if is_interrupt(&error) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

impl Database {
    /// Why a write could not begin; whether another program keeps us from it is noted.
    pub(super) fn not_begun(&self, source: rusqlite::Error) -> StoreError {
        if source.sqlite_error_code() != Some(rusqlite::ErrorCode::DatabaseBusy) {
            return StoreError::Begin(source.into());
        }
        self.is_locked_out.store(true, Ordering::Relaxed);
        StoreError::Locked { path: self.path.clone(), source: source.into() }
    }

    /// That another program keeps us from writing, if it does still. Nobody is waited for.
    pub(in crate::store) fn locked_out(&self) -> Option<StoreError> {
        if !self.is_locked_out.load(Ordering::Relaxed) {
            return None;
        }
        // Who holds the connection finds out, too.
        let writer = self.writer.try_lock().ok();
        let begun = writer.map(|mut connection| -> rusqlite::Result<()> {
            connection.busy_timeout(Duration::ZERO)?;
            let immediate = TransactionBehavior::Immediate;
            let begun = connection.transaction_with_behavior(immediate).map(drop);
            connection.busy_timeout(super::BUSY)?;
            begun
        });
        match begun {
            Some(Ok(())) => {
                self.is_locked_out.store(false, Ordering::Relaxed);
                None
            }
            Some(Err(source)) => Some(self.not_begun(source)),
            None => {
                let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
                Some(self.not_begun(rusqlite::Error::SqliteFailure(busy, None)))
            }
        }
    }

    /// Folds the write-ahead log into the file: what is left is one file that a copy takes whole.
    pub(in crate::store) fn fold_log(&self) -> Result<(), StoreError> {
        // The row says what a reader kept from being folded; then the next start does it.
        lock(&self.writer).pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
        Ok(())
    }
}

/// Whether SQLite stopped because the time was up.
fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted)
}
