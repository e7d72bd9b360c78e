//! What tests do to a database, in this room and in those above: what somebody with its file could do, a full disk, and
//! every store on a server.

use rusqlite::Connection;

use super::*;
use crate::lock::lock;

#[cfg(feature = "postgres")]
pub(super) mod server;

impl Store {
    /// Does to the database what somebody with its file could do; for tests of what is found out then.
    pub fn tamper(&self, sql: &str) {
        match &self.0.engine {
            Engine::Sqlite(database) => {
                let file = Connection::open(&database.path);
                file.and_then(|file| file.execute_batch(sql)).expect("tampering");
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.tamper(sql),
        }
    }

    /// Lets the file grow no further, as on a full disk.
    pub fn fill_up(&self) {
        let writer = writer(self);
        writer.pragma_update(None, "max_page_count", 1).expect("a pragma");
    }
}

/// The connection that writes a file.
pub(super) fn writer(store: &Store) -> std::sync::MutexGuard<'_, Connection> {
    match &store.0.engine {
        Engine::Sqlite(database) => lock(&database.writer),
        #[cfg(feature = "postgres")]
        Engine::Postgres(_) => panic!("a test of files"),
    }
}
