//! Erased data leaves the database, too.
//!
//! Each engine keeps by itself whether there may be some; an erasure notes it in its own transaction, so that a scrub
//! that failed is made up for by the next one, also after a restart.

use super::engine::Link;
use super::{Engine, Store, StoreError, Tx, sqlite};

impl Tx<'_> {
    /// Notes that this transaction erases data for good: [`Store::scrub`] is due.
    pub fn note_erasure(&self) -> Result<(), StoreError> {
        match self.0.0 {
            Link::Sqlite(connection) => sqlite::note_erasure(connection),
            #[cfg(feature = "postgres")]
            Link::Postgres(turn) => turn.note_erasure(),
        }
    }
}

impl Store {
    /// Clears erased data from the database, if there may be any. Writers wait meanwhile.
    pub fn scrub(&self) -> Result<(), StoreError> {
        let guard = self.0.guard.get();
        match &self.0.engine {
            Engine::Sqlite(database) => database.scrub(guard),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.scrub(),
        }
    }
}
