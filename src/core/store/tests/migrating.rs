//! An old file is brought up to date and keeps its rows; a step that was edited is refused.

use rusqlite::Connection;

use crate::store::{Reader, Store, StoreError};

/// The tables of a file, each with the text that made it.
fn tables(path: &std::path::Path) -> Vec<(String, String)> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'migration' ORDER BY name")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_file_of_the_first_step_gets_the_others_and_keeps_its_rows() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = old.path().join("gapura.db");
    // As the first build with a journal made it.
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../migrations/0010_zone.sql")).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;
             INSERT INTO zone VALUES ('example.', 7, 9, 7, 'h', NULL, 1, 0, '', NULL, 42);",
        )
        .unwrap();
    let checksum = super::super::migrations::checksum(include_str!("../migrations/0010_zone.sql"));
    connection.execute("INSERT INTO migration VALUES (10, $1)", [checksum]).unwrap();
    drop(connection);

    let store = Store::open_file(old.path()).unwrap();
    let read = |reader: &Reader<'_>| reader.zone(&"example.".parse().unwrap());
    let zone = store.read::<_, StoreError>(read).unwrap().unwrap();
    assert_eq!((zone.serial, zone.high_water, zone.changed_ms), (7, 9, 42));
    Store::open_file(new.path()).unwrap();
    assert_eq!(tables(&path), tables(&new.path().join("gapura.db")), "as in a new file");
}

#[test]
fn opening_again_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gapura.db");
    Store::open_file(dir.path()).unwrap();
    let before = tables(&path);
    Store::open_file(dir.path()).unwrap();
    assert_eq!(tables(&path), before);
}

#[test]
fn a_step_that_was_edited_or_fails_is_refused_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("gapura.db");
    Store::open_file(dir.path()).unwrap();
    let tamper = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    tamper("UPDATE migration SET checksum = 'other' WHERE number = 10");
    let step = |error: StoreError| match error {
        StoreError::Migrate { step, reason } => (step, reason),
        other => panic!("{other}"),
    };
    let (number, reason) = step(Store::open_file(dir.path()).err().unwrap());
    assert_eq!(number, 10);
    assert!(reason.contains("edited"), "{reason}");
    // A step whose tables are there already fails, and nothing of it is kept.
    tamper("DELETE FROM migration WHERE number = 10");
    let (number, reason) = step(Store::open_file(dir.path()).err().unwrap());
    assert_eq!(number, 10);
    assert!(reason.contains("already exists"), "{reason}");
    let kept: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM migration WHERE number = 10", [], |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 0);
}

#[test]
fn a_file_that_is_no_database_is_an_error_with_its_path() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("gapura.db"), "this is not a database, by its first octets")
        .unwrap();
    let error = Store::open_file(dir.path()).err().unwrap().to_string();
    assert!(error.contains("gapura.db"), "{error}");
}

#[test]
fn a_step_that_this_build_does_not_know_is_of_a_later_version_wherever_its_number_lies() {
    for number in [11, 99_999] {
        let dir = tempfile::tempdir().unwrap();
        Store::open_file(dir.path()).unwrap();
        let insert = format!("INSERT INTO migration VALUES ({number}, 'x')");
        Connection::open(dir.path().join("gapura.db")).unwrap().execute_batch(&insert).unwrap();
        let error = Store::open_file(dir.path()).err().unwrap();
        assert!(matches!(error, StoreError::Newer { step } if step == number), "{error}");
    }
}
