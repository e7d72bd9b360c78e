//! Whether the database can be worked on: nothing of it is damaged, and it is the one it should be.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::engine::Link;
use super::{Engine, Store, StoreError, sqlite};
use crate::wire::Name;

impl Store {
    /// Sees that all tables are there, and reads a file's pages for at most `limit`: a start must not
    /// wait for a file of gigabytes, whose damage shows when the page is read.
    pub fn check(&self, limit: Duration) -> Result<(), StoreError> {
        self.read(|reader| {
            #[cfg(feature = "approval")]
            if let Some(table) = reader.missing_table()? {
                return Err(StoreError::Damaged(format!("the table {table} is not there")));
            }
            match reader.0 {
                Link::Sqlite(connection) => sqlite::check(connection, limit),
                // Its pages are the server's business.
                #[cfg(feature = "postgres")]
                Link::Postgres(_) => Ok(()),
            }
        })
    }

    /// What keeps us from writing, as far as is known: another program, the server. Nobody is waited for.
    pub fn locked_out(&self) -> Option<StoreError> {
        match &self.0.engine {
            Engine::Sqlite(database) => database.locked_out(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.locked_out(),
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

    /// Leaves one file that a copy takes whole, at the end of a run.
    pub fn fold_log(&self) -> Result<(), StoreError> {
        match &self.0.engine {
            Engine::Sqlite(database) => database.fold_log(),
            #[cfg(feature = "postgres")]
            Engine::Postgres(_) => Ok(()),
        }
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
