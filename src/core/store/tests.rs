//! The room's own tests: statements against the tables, one writer, migrations, a full disk.

#[cfg(feature = "approval")]
mod guarding;
mod migrating;
#[cfg(all(feature = "approval", feature = "postgres"))]
mod moving;
#[cfg(feature = "approval")]
mod rows;
#[cfg(feature = "postgres")]
pub(super) mod server;
mod statements;
mod zones;

use std::sync::atomic::{AtomicUsize, Ordering};

use std::fs::OpenOptions;

use rusqlite::Connection;

use super::testing::writer;
use super::*;

/// A database in a directory of its own.
fn store() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open(dir.path()).unwrap(), dir)
}

/// The same in a file, wherever else tests run.
fn file() -> (Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (Store::open_file(dir.path()).unwrap(), dir)
}

/// Keeps a zone whose live serial counts something.
fn count(tx: &Tx<'_>, step: u32) -> Result<u32, StoreError> {
    let name = "example.".parse().unwrap();
    let serial = tx.zone(&name)?.map_or(0, |zone| zone.serial) + step;
    tx.put_zone(&name, &zones::zone(serial))?;
    Ok(serial)
}

/// What [`count`] has counted to.
fn counted(store: &Store) -> u32 {
    let read = |reader: &Reader<'_>| reader.zone(&"example.".parse().unwrap());
    store.read::<_, StoreError>(read).unwrap().map_or(0, |zone| zone.serial)
}

#[test]
fn an_error_or_a_panic_keeps_nothing_and_the_next_write_goes_on() {
    let (store, _dir) = store();
    store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap();
    let failed = store.write::<(), StoreError>(|tx| {
        count(tx, 10)?;
        Err(StoreError::Corrupt("given up".to_owned()))
    });
    assert!(matches!(failed, Err(StoreError::Corrupt(why)) if why == "given up"));
    assert_eq!(counted(&store), 1);
    let writer = store.clone();
    let panicked = std::thread::spawn(move || {
        writer.write::<(), StoreError>(|tx| {
            count(tx, 100)?;
            panic!("in the middle of a transaction")
        })
    });
    assert!(panicked.join().is_err());
    assert_eq!(counted(&store), 1);
    assert_eq!(store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap(), 2);
}

#[test]
fn writers_take_turns_and_readers_see_a_whole_state_without_waiting() {
    let (store, _dir) = store();
    let inside = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let written = store.write::<_, StoreError>(|tx| {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two writers at once");
                        count(tx, 1)?;
                        // An odd number is never committed.
                        let half = counted(&store);
                        assert_eq!(half % 2, 0, "a reader saw half a transaction");
                        let done = count(tx, 1);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        done
                    });
                    written.unwrap();
                }
            });
        }
    });
    assert_eq!(counted(&store), 80);
}

#[test]
fn one_reading_sees_one_state() {
    let (store, _dir) = store();
    store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap();
    let seen = store.read::<_, StoreError>(|reader| {
        let serial = |reader: &Reader<'_>| -> Result<_, StoreError> {
            Ok(reader.zone(&"example.".parse().unwrap())?.map(|zone| zone.serial))
        };
        let before = serial(reader)?;
        store.write::<_, StoreError>(|tx| count(tx, 1))?;
        Ok((before, serial(reader)?))
    });
    assert_eq!(seen.unwrap(), (Some(1), Some(1)));
    assert_eq!(counted(&store), 2);
}

#[test]
fn a_full_disk_undoes_the_change_and_room_lets_the_next_through() {
    let (store, _dir) = file();
    store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap();
    let limit = |pages: &str| {
        let writer = writer(&store);
        let pages: i64 = match pages {
            "now" => writer.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap(),
            _ => i64::from(u32::MAX - 1),
        };
        writer.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    };
    limit("now");
    let failed = store.write::<_, StoreError>(|tx| {
        count(tx, 1)?;
        for piece in 0..64 {
            tx.add_copy_piece(&"example.".parse().unwrap(), 1, piece, &[7; 65_536])?;
        }
        Ok(())
    });
    let is_full = match failed.unwrap_err() {
        StoreError::Statement(fault) | StoreError::Commit(fault) => fault.is_disk_full(),
        other => panic!("{other}"),
    };
    assert!(is_full);
    assert_eq!(counted(&store), 1);
    limit("none");
    assert_eq!(store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap(), 2);
}

#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (store, dir) = file();
    store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[test]
fn a_checkpoint_or_a_vacuum_of_somebody_else_is_no_theft_and_a_cut_is() {
    let (store, dir) = file();
    let apex = "example.".parse().unwrap();
    store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap();
    store
        .write::<_, StoreError>(|tx| {
            (0..64).try_for_each(|piece| tx.add_copy_piece(&apex, 1, piece, &[7; 65_536]))
        })
        .unwrap();
    let path = Store::path(dir.path());
    let other = Connection::open(&path).unwrap();
    let emptied = || {
        let done =
            other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        assert_eq!(done.unwrap(), 0);
    };
    emptied();
    assert_eq!(counted(&store), 1, "a backup that empties the write-ahead log");
    let large = path.metadata().unwrap().len();
    store.write::<_, StoreError>(|tx| tx.drop_copies_but(&apex, 2)).unwrap();
    other.execute_batch("VACUUM").unwrap();
    emptied();
    assert!(path.metadata().unwrap().len() < large / 2);
    assert_eq!(store.write::<_, StoreError>(|tx| count(tx, 1)).unwrap(), 2);
    emptied();
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(path.metadata().unwrap().len() / 2).unwrap();
    // Closing it would drop the locks of the others in this process.
    std::mem::forget(file);
    let failed = store.write::<_, StoreError>(|tx| count(tx, 1));
    assert!(matches!(failed, Err(StoreError::Gone { .. })), "{failed:?}");
}
