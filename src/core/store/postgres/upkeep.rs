//! Erased data leaves the tables, too: they are rewritten without the rows that are gone.
//!
//! An erasure notes in its own transaction that this is due. What the server keeps besides (its write-ahead log, its
//! backups, its standbys) is its administrator's business.

use super::Database;
use super::session::{LONG_MAX, STATEMENT_TIMEOUT, Turn, failed};
use crate::lock::lock;
use crate::store::StoreError;
use crate::store::guarded::LASTING;

impl Turn<'_> {
    /// Notes that this transaction erases data for good.
    pub(in crate::store) fn note_erasure(&self) -> Result<(), StoreError> {
        self.run("UPDATE upkeep SET unclean = 1", &[]).map(drop)
    }
}

impl Database {
    /// Rewrites the tables in which erased data may lie, if there may be any.
    pub(in crate::store) fn scrub(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        let session = self.session(&mut writer)?;
        let unclean: i64 = session.value("SELECT unclean FROM upkeep", &[]).map_err(failed)?;
        if unclean == 0 {
            return Ok(());
        }
        let text = "SELECT string_agg(quote_ident(relname), ', ' ORDER BY relname) FROM pg_class \
            WHERE relnamespace = to_regnamespace(current_schema()) AND relkind = 'r' \
            AND relname <> ALL ($1)";
        let lasting: Vec<&str> = LASTING.to_vec();
        let tables: String = session.value(text, &[&lasting]).map_err(failed)?;
        // One by one: a table cannot be rewritten inside a transaction, which several statements together are.
        let scrubbed = session
            .batch("SET statement_timeout = 0")
            .and_then(|()| session.batch_within(LONG_MAX, &format!("VACUUM (FULL) {tables}")))
            .and_then(|()| session.batch("UPDATE upkeep SET unclean = 0"));
        let again = session.batch(STATEMENT_TIMEOUT);
        scrubbed.and(again).map_err(|fault| StoreError::Scrub(fault.to_string()))
    }
}
