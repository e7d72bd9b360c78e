//! Guarded rows are logged as they are written, so that no edit of the file by other means goes unseen.
//!
//! ```text
//! INSERT, UPDATE, DELETE ─► triggers of our own session   ─► rows touched: digest before, digest after
//! before each event, and at the end of a transaction      ─► row_log: table, key, digest, running hash
//! at the end of a transaction                             ─► row_head: the ends of log and chain, keyed
//! ```
//! The triggers act in our own session only: no statement of this room can
//! forget a row, and an edit with another tool leaves no entry. A row that is not as the log left it
//! when we change it is marked in its entry, so that our own change does not cover the edit up. So is a
//! schema that changed while we run: what was put in may have been taken out again.
//!
//! Digests are keyed (HMAC-SHA256, the key is outside the database), so that nobody can make one and
//! nobody can guess what an erased row held. What they mean is decided in `audit`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use ring::hmac;

use super::engine::Link;
use super::guarded::TABLES;
use super::row_log::{Digest, RowHead};
use super::value::Value;
use super::{Engine, Reader, Store, StoreError, sqlite};
use crate::lock::lock;

/// What a row's digest starts with.
const ROW_TAG: &[u8] = b"gapura row 1";
/// What the head's code starts with.
const HEAD_TAG: &[u8] = b"gapura row head 1";

//------------ Guard ---------------------------------------------------------

/// The key of a store, and the rows its open transaction has touched.
pub(super) struct Guard {
    /// Makes digests.
    pub(super) key: hmac::Key,
    /// The guarded columns of each table, sorted by name.
    pub(super) columns: Arc<Vec<Vec<String>>>,
    /// Shared with the function that the triggers call.
    pub(super) touched: Arc<Mutex<Touched>>,
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
    /// With all columns of each table, sorted by name, and the number of the schema.
    pub(super) fn new(key: hmac::Key, mut columns: Vec<Vec<String>>, schema: i64) -> Self {
        for (table, all) in TABLES.iter().zip(&mut columns) {
            all.retain(|column| !table.used.contains(&column.as_str()));
        }
        let touched = Touched { schema, ..Touched::default() };
        Self { key, columns: Arc::new(columns), touched: Arc::new(Mutex::new(touched)) }
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

    /// Takes in what the triggers have noted elsewhere.
    pub(super) fn gather(&self, reader: &Reader<'_>) -> Result<(), StoreError> {
        match reader.0 {
            // They have told us.
            Link::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Link::Postgres(turn) => turn.gather(self),
        }
    }

    /// Whether the schema, in the open transaction, is not the one we know: somebody changed it.
    pub(super) fn is_schema_moved(&self, reader: &Reader<'_>) -> Result<bool, StoreError> {
        let now = match reader.0 {
            Link::Sqlite(connection) => sqlite::schema_number(connection)?,
            #[cfg(feature = "postgres")]
            Link::Postgres(turn) => turn.schema_number()?,
        };
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

impl Touched {
    /// Takes in that a row was touched.
    pub(super) fn touch(&mut self, at: usize, key: String, change: Change) {
        let known = self.rows.entry((at, key)).or_insert(change);
        known.after = change.after;
    }
}

/// A key as text.
pub(super) fn key_text(value: &Value<'_>) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => text.clone().into_owned(),
        Value::Odd(octets) => String::from_utf8_lossy(octets).into_owned(),
        Value::Null | Value::Octets(_) => String::new(),
    }
}

/// The digest of a row: its table, then name, type and value of each column that is not NULL, so that
/// a column added later changes no digest.
pub(super) fn digest<'v>(
    key: &hmac::Key,
    table: &str,
    cells: impl Iterator<Item = (&'v str, Value<'v>)>,
) -> Digest {
    let mut context = hmac::Context::with_key(key);
    part(&mut context, ROW_TAG);
    part(&mut context, table.as_bytes());
    for (name, value) in cells {
        let number;
        let (kind, octets): (&[u8], &[u8]) = match &value {
            Value::Null => continue,
            Value::Integer(it) => {
                number = it.to_be_bytes();
                (b"i", &number)
            }
            Value::Text(text) => (b"t", text.as_bytes()),
            Value::Octets(octets) => (b"b", octets),
            Value::Odd(octets) => (b"?", octets),
        };
        part(&mut context, name.as_bytes());
        part(&mut context, kind);
        part(&mut context, octets);
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
        let set = |guard: Guard| {
            // Nobody else sets it while the writer is locked.
            let _first = self.0.guard.set(guard);
        };
        match &self.0.engine {
            Engine::Sqlite(database) => {
                let writer = lock(&database.writer);
                if self.0.guard.get().is_none() {
                    set(sqlite::install(&writer, key)?);
                }
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.guard(key, set)?,
        }
        Ok(())
    }
}
