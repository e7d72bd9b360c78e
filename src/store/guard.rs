//! Guarded rows are logged as they are written, so that no edit of the file by other means goes unseen.
//!
//! ```text
//! INSERT, UPDATE, DELETE ─► triggers of our own connection ─► rows touched: digest before, digest after
//! before each event, and at the end of a transaction      ─► row_log: table, key, digest, running hash
//! at the end of a transaction                             ─► row_head: the ends of log and chain, keyed
//! ```
//! The triggers belong to the writing connection and not to the file: no statement of this room can
//! forget a row, and an edit with another tool leaves no entry. A row that is not as the log left it
//! when we change it is marked in its entry, so that our own change does not cover the edit up. So is a
//! schema that changed while we run: what was put in may have been taken out again.
//!
//! Digests are keyed (HMAC-SHA256, the key is outside the database), so that nobody can make one and
//! nobody can guess what an erased row held. What they mean is decided in `audit`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ring::hmac;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;

use super::guarded::TABLES;
use super::row_log::{Digest, RowHead};
use super::sql::{sql, statements};
use super::{Reader, Store, StoreError};
use crate::lock::lock;

/// What a row's digest starts with.
const ROW_TAG: &[u8] = b"gapura row 1";
/// What the head's code starts with.
const HEAD_TAG: &[u8] = b"gapura row head 1";

statements! {
    COLUMNS = sql("SELECT name FROM pragma_table_info($1) ORDER BY name");
    SCHEMA_VERSION = sql("PRAGMA main.schema_version");
}

//------------ Guard ---------------------------------------------------------

/// The key of a store, and the rows its open transaction has touched.
pub(super) struct Guard {
    /// Makes digests.
    pub(super) key: hmac::Key,
    /// The guarded columns of each table, sorted by name.
    pub(super) columns: Arc<Vec<Vec<String>>>,
    /// Shared with the function that the triggers call.
    touched: Arc<Mutex<Touched>>,
}

/// What the open transaction has touched and not yet logged.
#[derive(Default)]
pub(super) struct Touched {
    /// By table and key.
    pub(super) rows: BTreeMap<(usize, String), Change>,
    /// Whether head and log differ from what is committed.
    pub(super) is_new: bool,
    /// Whether the ends of log and chain were compared with the head.
    pub(super) is_compared: bool,
    /// The end of the log that the last event states.
    pub(super) stated: Option<i64>,
    /// The number of the schema as we know it; SQLite raises it with each change.
    schema: i64,
    /// The number in the open transaction.
    schema_now: i64,
    /// Whether a transaction is open; at the beginning of another one, it failed.
    is_open: bool,
}

/// A row before and after; none where there is none.
#[derive(Clone, Copy)]
pub(super) struct Change {
    /// Before the first touch.
    pub(super) before: Option<Digest>,
    /// After the last.
    pub(super) after: Option<Digest>,
}

impl Guard {
    /// Puts the triggers on the writing connection.
    fn install(connection: &Connection, key: hmac::Key) -> Result<Self, StoreError> {
        let reader = Reader(connection, None);
        let mut columns = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            let mut all: Vec<String> = reader.all(COLUMNS, [table.name])?;
            // A table that somebody took out has none.
            all.retain(|column| !table.used.contains(&column.as_str()));
            columns.push(all);
        }
        let touched = Touched { schema: reader.only(SCHEMA_VERSION, [])?, ..Touched::default() };
        let touched = Arc::new(Mutex::new(touched));
        let guard = Self { key, columns: Arc::new(columns), touched };
        let (key, columns) = (guard.key.clone(), Arc::clone(&guard.columns));
        let touched = Arc::clone(&guard.touched);
        connection.create_scalar_function(
            "gapura_touched",
            -1,
            FunctionFlags::SQLITE_UTF8,
            move |call| touch(call, &key, &columns, &mut lock(&touched)),
        )?;
        let touched = Arc::clone(&guard.touched);
        connection.create_scalar_function(
            "gapura_event",
            0,
            FunctionFlags::SQLITE_UTF8,
            move |_| {
                lock(&touched).is_new = true;
                Ok(0)
            },
        )?;
        let tables = guard.columns.iter().enumerate().filter(|(_, columns)| !columns.is_empty());
        let triggers: String = tables.map(|(at, columns)| triggers(at, columns)).collect();
        connection.execute_batch(&triggers)?;
        connection.execute_batch(
            "CREATE TEMP TRIGGER guard_event AFTER INSERT ON main.event \
             BEGIN SELECT gapura_event(); END;",
        )?;
        Ok(guard)
    }

    /// What the open transaction has touched.
    pub(super) fn touched(&self) -> MutexGuard<'_, Touched> {
        lock(&self.touched)
    }

    /// A transaction begins: whatever is left is of one that failed.
    pub(super) fn begin(&self) {
        let mut touched = self.touched();
        let stated = touched.stated.filter(|_| !touched.is_open);
        let (schema, schema_now) = (touched.schema, touched.schema);
        *touched = Touched { stated, schema, schema_now, is_open: true, ..Touched::default() };
    }

    /// The transaction is on disk.
    pub(super) fn committed(&self) {
        let mut touched = self.touched();
        (touched.schema, touched.is_open) = (touched.schema_now, false);
    }

    /// The file was rewritten by us, which raises the number of the schema by one. It is not read
    /// again: a change by somebody else just before would go unseen.
    pub(super) fn rewritten(&self) {
        self.touched().schema += 1;
    }

    /// Whether the schema, in the open transaction, is not the one we know: somebody changed it.
    pub(super) fn is_schema_moved(&self, reader: &Reader<'_>) -> Result<bool, StoreError> {
        let now = reader.only(SCHEMA_VERSION, [])?;
        let mut touched = self.touched();
        touched.schema_now = now;
        Ok(now != touched.schema)
    }

    /// The keyed code of a head.
    pub(super) fn mac(&self, head: &RowHead) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        let parts = [
            HEAD_TAG,
            &head.place.to_be_bytes(),
            &head.hash,
            &head.sequence.to_be_bytes(),
            head.event_hash.as_bytes(),
        ];
        parts.iter().for_each(|octets| part(&mut context, octets));
        context.sign().as_ref().to_vec()
    }
}

/// The triggers of one table. An update that leaves the guarded columns as they were says nothing.
fn triggers(at: usize, columns: &[String]) -> String {
    let table = &TABLES[at];
    let list = |row: &str| -> String {
        columns.iter().map(|column| format!(", {row}.\"{column}\"")).collect()
    };
    let key = |row: &str| {
        let parts: Vec<String> = table.key.iter().map(|part| format!("{row}.\"{part}\"")).collect();
        parts.join(" || ' ' || ")
    };
    let differs: Vec<String> =
        columns.iter().map(|column| format!("OLD.\"{column}\" IS NOT NEW.\"{column}\"")).collect();
    let (name, old, new) = (table.name, list("OLD"), list("NEW"));
    format!(
        "CREATE TEMP TRIGGER guard_{name}_insert AFTER INSERT ON main.\"{name}\" \
         BEGIN SELECT gapura_touched({at}, {}, 'insert'{new}); END;\n\
         CREATE TEMP TRIGGER guard_{name}_update AFTER UPDATE ON main.\"{name}\" WHEN {} \
         BEGIN SELECT gapura_touched({at}, {}, 'update'{old}{new}); END;\n\
         CREATE TEMP TRIGGER guard_{name}_delete AFTER DELETE ON main.\"{name}\" \
         BEGIN SELECT gapura_touched({at}, {}, 'delete'{old}); END;\n",
        key("NEW"),
        differs.join(" OR "),
        key("NEW"),
        key("OLD"),
    )
}

/// What the triggers call: table, key, what was done, the row before, the row after.
fn touch(
    call: &mut Context<'_>,
    key: &hmac::Key,
    columns: &[Vec<String>],
    touched: &mut Touched,
) -> rusqlite::Result<i64> {
    let at = usize::try_from(call.get::<i64>(0)?).unwrap_or(usize::MAX);
    let Some(columns) = columns.get(at) else { return Ok(0) };
    let row = |first: usize| {
        let cells = columns.iter().enumerate();
        let cells = cells.map(|(index, name)| (name.as_str(), call.get_raw(first + index)));
        digest(key, TABLES[at].name, cells)
    };
    let (before, after) = match call.get_raw(2).as_str().unwrap_or_default() {
        "insert" => (None, Some(row(3))),
        "delete" => (Some(row(3)), None),
        _ => (Some(row(3)), Some(row(3 + columns.len()))),
    };
    let change = touched
        .rows
        .entry((at, key_text(call.get_raw(1))))
        .or_insert(Change { before, after: None });
    change.after = after;
    Ok(0)
}

/// A key as text.
pub(super) fn key_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => String::new(),
    }
}

/// The digest of a row: its table, then name, type and value of each column that is not NULL, so that
/// a column added later changes no digest.
pub(super) fn digest<'v>(
    key: &hmac::Key,
    table: &str,
    cells: impl Iterator<Item = (&'v str, ValueRef<'v>)>,
) -> Digest {
    let mut context = hmac::Context::with_key(key);
    part(&mut context, ROW_TAG);
    part(&mut context, table.as_bytes());
    for (name, value) in cells {
        let (number, kind, octets): ([u8; 8], &[u8], Option<&[u8]>) = match value {
            ValueRef::Null => continue,
            ValueRef::Integer(number) => (number.to_be_bytes(), b"i", None),
            ValueRef::Real(number) => (number.to_be_bytes(), b"r", None),
            ValueRef::Text(octets) => ([0; 8], b"t", Some(octets)),
            ValueRef::Blob(octets) => ([0; 8], b"b", Some(octets)),
        };
        part(&mut context, name.as_bytes());
        part(&mut context, kind);
        part(&mut context, octets.unwrap_or(&number));
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.sign().as_ref());
    digest
}

/// Takes one part in, with its length in front.
fn part(context: &mut hmac::Context, octets: &[u8]) {
    context.update(&(octets.len() as u64).to_be_bytes());
    context.update(octets);
}

//------------ Store ---------------------------------------------------------

impl Store {
    /// Guards the rows from now on with a key that is kept outside the database. The first call counts.
    pub fn guard(&self, key: hmac::Key) -> Result<(), StoreError> {
        let writer = lock(&self.0.writer);
        if self.0.guard.get().is_none() {
            let guard = Guard::install(&writer, key)?;
            // Nobody else sets it while the writer is locked.
            let _first = self.0.guard.set(guard);
        }
        Ok(())
    }
}
