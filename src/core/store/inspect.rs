//! A look at the database of a stopped daemon, for `gapura check`: nothing is made, locked or written, neither in the
//! file nor beside it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::engine::Link;
use super::sqlite::Database;
use super::{Engine, Store, StoreError, migrations};

impl Store {
    /// Opens the database to look at it, and sees that it is none of a later version. None while its
    /// write-ahead log holds something: a daemon runs, or crashed, and the file alone is not all of it.
    pub fn inspect(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = Self::path(state_dir);
        if !is_folded(&path) {
            return Ok(None);
        }
        let open = || connect(&path).map_err(|source| StoreError::open(&path, source));
        let reader = open()?;
        migrations::look(Link::Sqlite(&reader))?;
        let database = Database::looked_at(path.clone(), open()?, reader);
        Ok(Some(Self::on(Engine::Sqlite(database))))
    }
}

/// Whether nothing stands in the write-ahead log of a database: the file is all of it.
pub(super) fn is_folded(path: &Path) -> bool {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    !std::fs::metadata(log).is_ok_and(|found| found.len() > 0)
}

/// Opens a file that nobody writes.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri(path), flags)
}

/// The file as a URI that says that nobody writes it (<https://sqlite.org/uri.html>).
fn uri(path: &Path) -> String {
    let escaped = path.display().to_string().replace('%', "%25").replace('?', "%3f");
    format!("file:{}?immutable=1", escaped.replace('#', "%23"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_makes_nothing_and_knows_a_later_version() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("a?b#c%d");
        std::fs::create_dir(&state).unwrap();
        assert!(matches!(Store::inspect(&state), Err(StoreError::Open { .. })));
        drop(Store::open_file(&state).unwrap());
        let names = || std::fs::read_dir(&state).unwrap().count();
        let before = names();
        assert!(Store::inspect(&state).unwrap().is_some());
        assert_eq!(names(), before);
        // Any step that this build does not know is one of another version.
        for number in [9999, 11] {
            let file = Connection::open(Store::path(&state)).unwrap();
            file.execute("DELETE FROM migration WHERE checksum = 'later'", []).unwrap();
            file.execute("INSERT INTO migration VALUES (?1, 'later')", [number]).unwrap();
            drop(file);
            assert!(matches!(Store::inspect(&state), Err(StoreError::Newer { .. })), "{number}");
            assert!(matches!(Store::open_file(&state), Err(StoreError::Newer { .. })), "{number}");
        }
    }
}
