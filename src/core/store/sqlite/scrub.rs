//! Erased data leaves the file, too: no free page, no slack in a page and no write-ahead log keeps it.
//!
//! The file's `user_version` says whether it is clean. A file made before scrubbing existed counts as not clean.

use rusqlite::Connection;

use super::Database;
use crate::lock::lock;
use crate::store::StoreError;
use crate::store::guard::Guard;

/// The `user_version` of a file in which erased data may lie.
const UNCLEAN: i64 = 0;
/// The `user_version` of a file in which none lies.
const CLEAN: i64 = 1;

/// Notes that the open transaction erases data for good.
pub(in crate::store) fn note_erasure(connection: &Connection) -> Result<(), StoreError> {
    Ok(connection.pragma_update(None, "user_version", UNCLEAN)?)
}

impl Database {
    /// Clears erased data from the file, if there may be any.
    ///
    /// `secure_delete` alone is not enough: copies of a row that was moved between pages stay in
    /// the pages' slack, and old pages stay in the write-ahead log.
    pub(in crate::store) fn scrub(&self, guard: Option<&Guard>) -> Result<(), StoreError> {
        let connection = lock(&self.writer);
        let failed = |error: rusqlite::Error| StoreError::Scrub(error.to_string());
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if version == CLEAN {
            return Ok(());
        }
        // The file cannot be rewritten inside a transaction.
        connection.execute_batch("VACUUM")?;
        guard.inspect(|guard| guard.rewritten());
        let checkpoint = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
        let is_busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], checkpoint)?;
        if is_busy {
            return Err(StoreError::Scrub("a reader keeps the write-ahead log in use".to_owned()));
        }
        connection.pragma_update(None, "user_version", CLEAN).map_err(failed)
    }
}
