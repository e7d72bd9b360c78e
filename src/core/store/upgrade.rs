//! The database as it was before its tables were brought up to date, for whoever has to go back to the version before.
//!
//! No step can be undone. So before the first one of an upgrade the database is copied to `before-upgrade-STEP.db`
//! beside it; without room for that no step is done. The newest two are kept.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::engine::Link;
use super::{Store, StoreError, copy, migrations};
use crate::files;

/// How the names of copies begin.
const BEFORE: &str = "before-upgrade-";
/// How they end.
const ENDING: &str = ".db";
/// The directory in which one is made.
const MAKING: &str = "before-upgrade.part";
/// Copies that are kept.
const COPIES_MAX: usize = 2;

impl Store {
    /// Keeps a copy of a database that lacks steps of this build; returns where. None where none is due.
    pub fn keep_before_upgrade(state_dir: &Path) -> Result<Option<PathBuf>, StoreError> {
        let path = Self::path(state_dir);
        if Self::is_absent(state_dir) {
            return Ok(None);
        }
        let step = {
            // What cannot be read at all is told by whoever opens it to work with it.
            let Ok(reader) = copy::open(&path) else { return Ok(None) };
            migrations::look(Link::Sqlite(&reader)).or_else(|error| match error {
                StoreError::Newer { .. } => Err(error),
                // There is no table of steps: it is new.
                _ => Ok(()),
            })?;
            if !migrations::lacks_some(Link::Sqlite(&reader)).unwrap_or_default() {
                return Ok(None);
            }
            migrations::newest(Link::Sqlite(&reader))?
        };
        let made = copied(state_dir, step);
        // What was begun is of no use.
        let _ = std::fs::remove_dir_all(state_dir.join(MAKING));
        match made {
            Ok(kept) => {
                drop_oldest(state_dir);
                Ok(Some(kept))
            }
            Err(source) => Err(StoreError::NoCopy { step, source: Box::new(source) }),
        }
    }

    /// Deletes copies that are older than so long.
    pub fn drop_before_upgrade(state_dir: &Path, age: Duration) {
        for (made, path) in copies(state_dir) {
            if age.is_zero() || made.elapsed().is_ok_and(|elapsed| elapsed >= age) {
                tracing::info!(path = %path.display(), "the database of before an upgrade is deleted");
                delete(&path);
            }
        }
    }
}

/// Makes the copy.
fn copied(state_dir: &Path, step: u32) -> Result<PathBuf, StoreError> {
    let making = state_dir.join(MAKING);
    let failed = |source| StoreError::Make { path: making.clone(), source };
    match std::fs::remove_dir_all(&making) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::fs::create_dir(&making).map_err(failed)?;
    Store::copy(state_dir, &making)?;
    let whole = Store::path(&making);
    let kept = state_dir.join(format!("{BEFORE}{step}{ENDING}"));
    let put = files::open(&whole).and_then(|file| file.sync_all());
    put.and_then(|()| std::fs::rename(&whole, &kept))
        .and_then(|()| files::sync_directory(&kept))
        .map_err(failed)?;
    Ok(kept)
}

/// The copies that are there, the newest first.
fn copies(state_dir: &Path) -> Vec<(SystemTime, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(state_dir) else { return Vec::new() };
    let mut found: Vec<(SystemTime, PathBuf)> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_str().is_some_and(|name| name.starts_with(BEFORE) && name.ends_with(ENDING))
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    found.sort_unstable_by(|one, other| other.cmp(one));
    found
}

/// Deletes the copies beyond those that are kept.
fn drop_oldest(state_dir: &Path) {
    copies(state_dir).iter().skip(COPIES_MAX).for_each(|(_, path)| delete(path));
}

/// Deletes a copy.
fn delete(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!(%error, path = %path.display(), "a copy of the database is not deleted");
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Makes the database one that lacks its newest step, as far as it says.
    fn age(state_dir: &Path) -> u32 {
        let file = Connection::open(Store::path(state_dir)).unwrap();
        file.execute(
            "DELETE FROM migration WHERE number = (SELECT max(number) FROM migration)",
            [],
        )
        .unwrap();
        migrations::newest(Link::Sqlite(&file)).unwrap()
    }

    #[test]
    fn before_an_upgrade_there_is_a_copy_and_of_them_no_more_than_two() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path();
        assert_eq!(Store::keep_before_upgrade(state).unwrap(), None, "nothing is there");
        drop(Store::open_file(state).unwrap());
        assert_eq!(Store::keep_before_upgrade(state).unwrap(), None, "nothing is lacking");
        for _ in 0..4 {
            let step = age(state);
            let kept = Store::keep_before_upgrade(state).unwrap().unwrap();
            assert!(kept.ends_with(format!("before-upgrade-{step}.db")), "{kept:?}");
            let copy = Connection::open(&kept).unwrap();
            assert_eq!(migrations::newest(Link::Sqlite(&copy)).unwrap(), step);
            assert!(copies(state).len() <= COPIES_MAX);
        }
        Store::drop_before_upgrade(state, Duration::from_secs(60));
        assert_eq!(copies(state).len(), COPIES_MAX, "they are young");
        Store::drop_before_upgrade(state, Duration::ZERO);
        assert_eq!(copies(state).len(), 0);
    }

    #[test]
    fn without_room_for_a_copy_no_table_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path();
        drop(Store::open_file(state).unwrap());
        let step = age(state);
        // Where a file is in the way, nobody makes a directory.
        std::fs::write(state.join(MAKING), "x").unwrap();
        let refused = Store::keep_before_upgrade(state).unwrap_err();
        assert!(matches!(refused, StoreError::NoCopy { step: at, .. } if at == step), "{refused}");
        assert!(refused.to_string().contains("make room"), "{refused}");
    }

    #[test]
    fn a_later_version_is_told_by_its_step() {
        let dir = tempfile::tempdir().unwrap();
        drop(Store::open_file(dir.path()).unwrap());
        let file = Connection::open(Store::path(dir.path())).unwrap();
        file.execute("INSERT INTO migration VALUES (9999, 'later')", []).unwrap();
        drop(file);
        let refused = Store::keep_before_upgrade(dir.path());
        assert!(matches!(refused, Err(StoreError::Newer { step: 9999 })));
    }
}
