//! The row log: which tables are in it, and what is written.

use ring::hmac;

use super::{file, store, writer};
use crate::store::guarded::{OTHERS, TABLES};
use crate::store::people::SessionRow;
use crate::store::words::Stage;
use crate::store::{Reader, Store, StoreError, Tx};

/// Puts a store under a key.
fn guard(store: &Store) {
    store.guard(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])).unwrap();
}

/// Table, whether the row is there, and whether it was found edited, of every entry.
fn log(store: &Store) -> Vec<(String, bool, bool)> {
    let mut all = Vec::new();
    let read = store.read::<_, StoreError>(|reader| {
        reader.row_log(|row| all.push((row.table, row.digest.is_some(), row.found)))
    });
    read.unwrap();
    all
}

/// Keeps a web secret.
fn put(tx: &Tx<'_>) -> Result<(), StoreError> {
    tx.put_web_secret("form", b"x")
}

/// An entry of a web secret.
fn entry(is_there: bool, found: bool) -> (String, bool, bool) {
    ("web_secret".to_owned(), is_there, found)
}

#[test]
fn every_table_is_guarded_or_has_a_reason() {
    let (store, _dir) = file();
    let connection = writer(&store);
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        .unwrap();
    let there: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut known: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    known.extend(OTHERS.iter().map(|(name, _)| *name));
    known.sort_unstable();
    assert_eq!(there, known);
    for table in TABLES {
        let text = format!("SELECT {} FROM {}", table.key.join(", "), table.name);
        connection.prepare(&text).unwrap();
        for column in table.used {
            connection.prepare(&format!("SELECT {column} FROM {}", table.name)).unwrap();
        }
    }
}

#[test]
fn what_a_transaction_leaves_is_logged_and_what_it_undoes_is_not() {
    let (store, _dir) = store();
    store.write::<_, StoreError>(put).unwrap();
    assert_eq!(log(&store), [], "without a key there is no log");
    store.tamper("DELETE FROM web_secret");
    guard(&store);
    let failed = store.write::<(), StoreError>(|tx| {
        put(tx)?;
        Err(StoreError::Corrupt("given up".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(log(&store), []);
    store.write::<_, StoreError>(put).unwrap();
    // A statement that changes nothing.
    store.write::<_, StoreError>(put).unwrap();
    assert_eq!(log(&store), [entry(true, false)]);
    let head = store.read::<_, StoreError>(|reader| {
        Ok(reader.row_head()?.map(|head| (head.place, reader.is_genuine_head(&head))))
    });
    assert_eq!(head.unwrap(), Some((1, true)));
}

#[test]
fn a_row_that_was_edited_is_marked_when_we_write_it() {
    let (store, _dir) = store();
    guard(&store);
    store.write::<_, StoreError>(put).unwrap();
    store.tamper("DELETE FROM web_secret");
    store.write::<_, StoreError>(put).unwrap();
    assert_eq!(log(&store), [entry(true, false), entry(true, true)]);
    // The end of the log was cut off, and the head with it.
    store.tamper(
        "DELETE FROM row_log WHERE place = 2; DELETE FROM row_head; DELETE FROM web_secret;",
    );
    store.write::<_, StoreError>(put).unwrap();
    assert_eq!(log(&store)[1..], [("row_head".to_owned(), false, true), entry(true, true)]);
}

#[test]
fn a_trigger_in_the_file_does_not_fire_and_leaves_a_trace_when_taken_out_again() {
    let (store, _dir) = file();
    guard(&store);
    store.write::<_, StoreError>(put).unwrap();
    let trigger = "CREATE TRIGGER bantu AFTER INSERT ON web_secret \
        BEGIN UPDATE web_secret SET value = x'00'; END";
    let secret = |name: &str| {
        store.write::<_, StoreError>(|tx| tx.put_web_secret(name, b"x")).unwrap();
        store.read::<_, StoreError>(|reader| reader.web_secret(name)).unwrap()
    };
    store.tamper(trigger);
    assert_eq!(secret("other"), Some(b"x".to_vec()), "it did not fire");
    let moved = ("sqlite_schema".to_owned(), false, true);
    assert_eq!(log(&store), [entry(true, false), moved.clone(), entry(true, false)]);
    // It is said once for each change, and of one that nobody wrote under, too.
    secret("third");
    assert_eq!(log(&store).len(), 4);
    store.tamper(&format!("DROP TRIGGER bantu; {trigger}; DROP TRIGGER bantu;"));
    secret("fourth");
    assert_eq!(log(&store)[4..], [moved, entry(true, false)]);
}

#[test]
fn a_rewrite_of_the_file_by_us_is_no_change_of_its_schema_and_covers_none_up() {
    let (store, _dir) = file();
    guard(&store);
    let rewrite = |name: &str| {
        store.write::<_, StoreError>(|tx| tx.note_erasure()).unwrap();
        store.scrub().unwrap();
        store.write::<_, StoreError>(|tx| tx.put_web_secret(name, b"x")).unwrap();
    };
    rewrite("form");
    assert_eq!(log(&store), [entry(true, false)]);
    store.tamper("CREATE VIEW bantu AS SELECT 1; DROP VIEW bantu;");
    rewrite("other");
    assert_eq!(log(&store)[1..], [("sqlite_schema".to_owned(), false, true), entry(true, false)]);
    // A transaction that fails does not take the change for known.
    store.tamper("CREATE VIEW bantu AS SELECT 1");
    let failed = store.write::<(), StoreError>(|tx| {
        tx.put_web_secret("third", b"x")?;
        tx.log_rows()?;
        Err(StoreError::Corrupt("given up".to_owned()))
    });
    assert!(failed.is_err());
    rewrite("third");
    assert_eq!(log(&store)[3..], [("sqlite_schema".to_owned(), false, true), entry(true, false)]);
}

#[test]
fn nothing_but_the_tables_of_analyze_may_be_added() {
    let (store, _dir) = file();
    let added = || {
        let found = store.read::<_, StoreError>(|reader| reader.schema_differences()).unwrap();
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    store.tamper("ANALYZE");
    assert_eq!(added(), Vec::<String>::new());
    store.tamper(
        "PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('trigger', 'sqlite_stat9', \
         'notice', 0, 'CREATE TRIGGER sqlite_stat9 AFTER INSERT ON notice BEGIN SELECT 1; END')",
    );
    assert_eq!(added(), ["trigger sqlite_stat9"]);
}

#[test]
fn use_alone_is_no_entry() {
    let (store, _dir) = store();
    guard(&store);
    let session = SessionRow {
        token_hash: "h".to_owned(),
        person: "p-1".to_owned(),
        stage: Stage::Full,
        pending_secret: None,
        created_ms: 1,
        seen_ms: 2,
        proven_ms: 3,
    };
    store.tamper(
        "INSERT INTO person VALUES ('p-1', 'a', '', '', 'kasi', 'a', NULL, NULL, NULL, NULL, 0, 0, NULL, NULL)",
    );
    store.write::<_, StoreError>(|tx| tx.put_session(&session)).unwrap();
    store.write::<_, StoreError>(|tx| tx.seen_session("h", 9)).unwrap();
    assert_eq!(log(&store).len(), 1);
    let seen = |reader: &Reader<'_>| Ok(reader.session("h")?.map(|row| row.seen_ms));
    assert_eq!(store.read::<_, StoreError>(seen).unwrap(), Some(9));
    store.tamper("UPDATE session SET proven_ms = 9");
    assert_eq!(store.read::<_, StoreError>(seen).unwrap(), None, "not as it was written");
}

#[test]
fn no_step_after_the_log_changes_a_guarded_row() {
    for (number, sql) in crate::store::migrations::steps_after_log() {
        let sql = sql.to_lowercase();
        for table in TABLES {
            for change in ["update", "delete from", "insert into", "replace into"] {
                let found = sql.contains(&format!("{change} {} ", table.name));
                assert!(!found, "step {number} changes rows of {}: see migrations.rs", table.name);
            }
            let column = format!("alter table {} add column ", table.name);
            for added in sql.split(&column).skip(1) {
                let added = added.split(';').next().unwrap_or_default();
                let has_value = added.contains("default") || added.contains("not null");
                assert!(!has_value, "step {number} gives rows of {} a value: {added}", table.name);
            }
        }
    }
}

#[test]
fn rows_of_the_table_that_joined_later_are_taken_in_once() {
    let (store, _dir) = store();
    guard(&store);
    store.write(put).unwrap();
    let row = |id: &str| {
        format!(
            "INSERT INTO subject_request (id, kind, came_ms, due_ms) VALUES ('{id}', 'see', 1, 2)"
        )
    };
    // As a version before this left it: rows, and nothing of them in the log.
    store.tamper(&row("PDP-2026-0001"));
    let join = || store.write::<_, StoreError>(|tx| tx.log_joined_rows()).unwrap();
    let of_table = || log(&store).into_iter().filter(|(table, ..)| table == "subject_request");
    assert_eq!(join(), 1);
    let entry = |is_there| ("subject_request".to_owned(), is_there, false);
    assert_eq!(of_table().collect::<Vec<_>>(), [entry(false), entry(true)]);
    store.tamper(&row("PDP-2026-0002"));
    assert_eq!((join(), of_table().count()), (0, 2), "what is put there now is an edit");
}

#[test]
fn the_table_that_joined_later_is_taken_in_also_while_it_is_empty() {
    let (store, _dir) = store();
    guard(&store);
    let join = || store.write::<_, StoreError>(|tx| tx.log_joined_rows()).unwrap();
    assert_eq!(join(), 0);
    store.tamper(
        "INSERT INTO subject_request (id, kind, came_ms, due_ms) VALUES ('x', 'see', 1, 2)",
    );
    assert_eq!((join(), log(&store).len()), (0, 1));
}

#[cfg(feature = "postgres")]
#[test]
fn what_somebody_puts_into_the_schema_of_a_server_leaves_a_trace_under_our_writes() {
    let Some((store, _dir)) = super::server::store() else { return };
    guard(&store);
    store.write::<_, StoreError>(put).unwrap();
    let differences = || {
        let found = store.read::<_, StoreError>(|reader| reader.schema_differences()).unwrap();
        found.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(differences(), Vec::<String>::new());
    store.tamper(
        "CREATE FUNCTION bantu() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER bantu AFTER INSERT ON notice EXECUTE FUNCTION bantu()",
    );
    assert_eq!(differences(), ["function bantu()", "trigger notice bantu"]);
    store.write::<_, StoreError>(|tx| tx.put_web_secret("other", b"x")).unwrap();
    let moved = ("sqlite_schema".to_owned(), false, true);
    assert_eq!(log(&store), [entry(true, false), moved.clone(), entry(true, false)]);
    store.tamper("DROP FUNCTION bantu CASCADE");
    store.write::<_, StoreError>(|tx| tx.put_web_secret("third", b"x")).unwrap();
    assert_eq!(log(&store)[3..], [moved, entry(true, false)]);
    assert_eq!(differences(), Vec::<String>::new());
}

#[cfg(feature = "postgres")]
#[test]
fn erased_rows_leave_the_tables_of_a_server() {
    let Some((store, _dir)) = super::server::store() else { return };
    guard(&store);
    let write = |name: &str| {
        store.write::<_, StoreError>(|tx| {
            tx.put_web_secret(name, b"x")?;
            tx.note_erasure()
        })
    };
    write("form").unwrap();
    store.scrub().unwrap();
    store.scrub().unwrap();
    write("other").unwrap();
    assert_eq!(log(&store), [entry(true, false), entry(true, false)]);
}
