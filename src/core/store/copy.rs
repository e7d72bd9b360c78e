//! A consistent copy of the database, also while a daemon writes it: for backups.
//!
//! SQLite's `VACUUM INTO` reads one snapshot, as any reader does: writers do not wait for it. What it writes has no
//! free pages, so nothing that was erased comes along, and is built anew row by row: damage does not.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::engine::Link;
use super::sql::{sql, statements};
use super::{Reader, Store, StoreError, Tx, inspect, migrations, sqlite};

statements! {
    COPY = sql("VACUUM INTO $1");
}

impl Store {
    /// Copies the database of a state directory into that of another, in which there is none, and sees that the copy is
    /// sound. The tables stay at the step at which they are.
    pub fn copy(state_dir: &Path, into: &Path) -> Result<(), StoreError> {
        let (path, target) = (Self::path(state_dir), Self::path(into));
        sqlite::make_private(&target)?;
        let opened = |source| StoreError::open(&path, source);
        let reader = match open(&path) {
            Ok(reader) => reader,
            // On a read-only disk, with nothing beside the file that it lacks.
            Err(_) if inspect::is_folded(&path) => inspect::connect(&path).map_err(opened)?,
            Err(error) => return Err(opened(error)),
        };
        migrations::look(Link::Sqlite(&reader))?;
        let copied = Tx(Reader::unguarded(Link::Sqlite(&reader)));
        let copied = copied.run(COPY, [target.display().to_string()]);
        copied.map_err(|error| match error {
            StoreError::Statement(source) => StoreError::Copy(source),
            error => error,
        })?;
        let copy = inspect::connect(&target).map_err(|source| StoreError::open(&target, source))?;
        let found: String = copy.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
    }

    /// The newest step that a database has had; 0 before the first.
    pub fn step(&self) -> Result<u32, StoreError> {
        self.read(|reader| migrations::newest(reader.0))
    }

    /// The newest step that this build knows.
    pub fn newest_step() -> u32 {
        migrations::NEWEST
    }
}

/// Opens the database to read it, together with what stands in its write-ahead log.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(sqlite::BUSY)?;
    // The files stay as they are, also where no daemon runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // The first statement shows whether it is one.
    connection.pragma_query_value(None, "schema_version", |_| Ok(()))?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_the_state_of_one_moment_whatever_is_written_meanwhile() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let store = Store::open_file(one.path()).unwrap();
        Store::copy(one.path(), other.path()).unwrap();
        let copy = Store::inspect(other.path()).unwrap().unwrap();
        assert_eq!(copy.step().unwrap(), store.step().unwrap());
        // The second copy does not write over the first.
        assert!(matches!(Store::copy(one.path(), other.path()), Err(StoreError::Copy(_))));
        assert!(copy.check(std::time::Duration::from_secs(5)).is_ok());
    }

    #[test]
    fn a_damaged_database_gives_no_copy() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(Store::open_file(one.path()).unwrap());
        let mut octets = std::fs::read(Store::path(one.path())).unwrap();
        let rest = octets.len() / 3;
        octets[4_096..rest].fill(0x5a);
        std::fs::write(Store::path(one.path()), octets).unwrap();
        assert!(Store::copy(one.path(), other.path()).is_err());
    }
}
