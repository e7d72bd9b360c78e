//! Erased data leaves the file, too: no free page, no slack in a page and no write-ahead log keeps it.
//!
//! The file's `user_version` says whether it is clean. An erasure sets it back in its own
//! transaction, so that a scrub that failed is made up for by the next one, also after a restart. A
//! file made before scrubbing existed counts as not clean.

use super::sql::{sql, statements};
use super::{Store, StoreError, Tx};
use crate::lock::lock;

/// The `user_version` of a file in which erased data may lie.
const UNCLEAN: i64 = 0;
/// The `user_version` of a file in which none lies.
const CLEAN: i64 = 1;

statements! {
    REWRITE_FILE = sql("VACUUM");
    EMPTY_LOG = sql("PRAGMA wal_checkpoint(TRUNCATE)");
}

impl Tx<'_> {
    /// Notes that this transaction erases data for good: [`Store::scrub`] is due.
    pub fn note_erasure(&self) -> Result<(), StoreError> {
        Ok(self.0.0.pragma_update(None, "user_version", UNCLEAN)?)
    }
}

impl Store {
    /// Clears erased data from the file, if there may be any. Writers wait meanwhile.
    ///
    /// `secure_delete` alone is not enough: copies of a row that was moved between pages stay in
    /// the pages' slack, and old pages stay in the write-ahead log.
    pub fn scrub(&self) -> Result<(), StoreError> {
        let connection = lock(&self.0.writer);
        let failed = |error: rusqlite::Error| StoreError::Scrub(error.to_string());
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if version == CLEAN {
            return Ok(());
        }
        // The file cannot be rewritten inside a transaction.
        let writer = Tx(self.reader(&connection));
        writer.run(REWRITE_FILE, [])?;
        self.0.guard.get().inspect(|guard| guard.rewritten());
        let (busy, _): (bool, i64) = writer.only(EMPTY_LOG, [])?;
        if busy {
            return Err(StoreError::Scrub("a reader keeps the write-ahead log in use".to_owned()));
        }
        connection.pragma_update(None, "user_version", CLEAN).map_err(failed)
    }
}
