//! The log of guarded rows, and the head that says where log and chain end.
//!
//! Append only: no statement here changes or deletes an entry. What is logged comes from
//! `guard`; what a log means is decided in `audit`.

use super::guard::{Change, Guard, digest, key_text};
use super::guarded::{JOINED, TABLES, place_of};
use super::sql::{Row, Sql, params, row, select, sql, statements, upsert};
use super::value::ToValue;
use super::{Reader, StoreError, Tx};
use crate::digest::sha256_of;

/// The digest of a row, and the running hash of the log.
pub type Digest = [u8; 32];

/// What an entry's hash starts with.
const ENTRY_TAG: &[u8] = b"gapura row log 1";
/// The table of the head.
const HEAD: &str = RowHead::TABLE;
/// SQLite's table of tables, indexes and triggers.
const SCHEMA: &str = "sqlite_schema";

//------------ Rows ----------------------------------------------------------

row! {
    /// One entry of the log: what a row was left as.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct LoggedRow = "row_log" {
        /// 1, 2, 3 … without a gap.
        [key] pub place: i64,
        /// The table.
        [fixed] pub table: String = "tbl",
        /// The row's key as text.
        [fixed] pub key: String,
        /// The digest of the row; none if it is gone.
        [fixed] pub digest: Option<Vec<u8>>,
        /// Whether the row was not as the log had left it when it was changed.
        [fixed] pub found: bool,
        /// SHA-256 over the hash before and the fields above.
        [fixed] pub hash: Vec<u8>,
    }
}

row! {
    /// Where log and chain end.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct RowHead = "row_head" {
        /// Always 1.
        [key] pub one: i64,
        /// The last place of the log; 0 if it is empty.
        pub place: i64,
        /// Its hash.
        pub hash: Vec<u8>,
        /// The last event; 0 if there is none.
        pub sequence: i64,
        /// Its hash.
        pub event_hash: String,
        /// Keyed code over the fields above.
        pub mac: Vec<u8>,
    }
}

/// How a row or a table differs from what gapura left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RowChange {
    /// It is another one.
    Altered,
    /// It is gone.
    Deleted,
    /// Nothing of the kind was there.
    Inserted,
    /// One of these, before gapura wrote the row again.
    Found,
}

statements! {
    ROW_LOG = select::<LoggedRow>("ORDER BY place");
    LOG_END = sql("SELECT place, hash FROM row_log ORDER BY place DESC LIMIT 1");
    LAST_DIGEST = sql("SELECT digest FROM row_log WHERE tbl = $1 AND key = $2 \
        ORDER BY place DESC LIMIT 1");
    PUT_ENTRY = sql("INSERT INTO row_log (place, tbl, key, digest, found, hash) \
        VALUES ($1, $2, $3, $4, $5, $6)");
    ROW_HEAD = select::<RowHead>("WHERE one = 1");
    PUT_HEAD = upsert::<RowHead>(&[]);
    IS_LOGGED = sql("SELECT EXISTS (SELECT 1 FROM row_log WHERE tbl = $1)");
    STATED = sql("SELECT EXISTS (SELECT 1 FROM event WHERE payload LIKE '%\"row_log\":%')");
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Logs what was touched so far. Returns the end of the log for an event to state, if no event has
    /// stated it.
    pub fn log_rows(&self) -> Result<Option<(i64, Digest)>, StoreError> {
        let Some(guard) = self.1 else { return Ok(None) };
        guard.gather(self)?;
        let (place, hash) = self.log_touched(guard)?;
        let mut touched = guard.touched();
        let is_news = touched.stated != Some(place);
        touched.stated = Some(place);
        Ok((is_news && place > 0).then_some((place, hash)))
    }

    /// Logs what was gathered so far. Returns the end of the log.
    fn log_touched(&self, guard: &Guard) -> Result<(i64, Digest), StoreError> {
        let mut end = self.log_end()?;
        if !std::mem::replace(&mut guard.touched().is_compared, true) {
            let ends = [(HEAD, self.is_sealed(end)?), (SCHEMA, !guard.is_schema_moved(self)?)];
            for (table, _) in ends.into_iter().filter(|(_, is_ours)| !is_ours) {
                end = self.put_entry(end, (table, "1"), None, true)?;
                guard.touched().is_new = true;
            }
        }
        let rows = std::mem::take(&mut guard.touched().rows);
        for ((at, key), Change { before, after }) in rows {
            let name = TABLES[at].name;
            let last: Option<Option<Vec<u8>>> = self.one(LAST_DIGEST, params![name, key])?;
            let found = last.flatten().as_deref() != before.as_ref().map(|digest| &digest[..]);
            if before == after && !found {
                continue;
            }
            let after = after.as_ref().map(|digest| &digest[..]);
            end = self.put_entry(end, (name, &key), after, found)?;
            guard.touched().is_new = true;
        }
        Ok(end)
    }

    /// Logs every guarded row as it is; returns their count. For a database from before there was a log.
    pub fn log_all_rows(&self) -> Result<usize, StoreError> {
        let Some(guard) = self.1 else { return Ok(0) };
        (0..TABLES.len()).map(|at| self.log_rows_of(guard, at)).sum()
    }

    /// Logs the rows of the table that joined the guarded ones later, as they are, if none of it was ever logged;
    /// returns their count. An entry about no row says in the log that this was done: rows that are put into the
    /// table by other means after that are found, also while it is empty.
    pub fn log_joined_rows(&self) -> Result<usize, StoreError> {
        let (Some(guard), Some(at)) = (self.1, place_of(JOINED)) else { return Ok(0) };
        // A log that somebody cut is not written over.
        let is_there = !guard.columns[at].is_empty() && self.is_sealed(self.log_end()?)?;
        if !is_there || self.has_joined_rows()? {
            return Ok(0);
        }
        guard.gather(self)?;
        let end = self.log_touched(guard)?;
        // All tables may just have been taken in.
        if self.has_joined_rows()? {
            return Ok(0);
        }
        self.put_entry(end, (JOINED, ""), None, false)?;
        guard.touched().is_new = true;
        self.log_rows_of(guard, at)
    }

    /// Logs the rows of a table as they are; returns their count.
    fn log_rows_of(&self, guard: &Guard, at: usize) -> Result<usize, StoreError> {
        let mut count = 0;
        self.guarded_rows(at, |key, digest| {
            let change = Change { before: None, after: Some(digest) };
            guard.touched().rows.insert((at, key), change);
            count += 1;
        })?;
        Ok(count)
    }

    /// Logs the rest of what was touched and puts the head under the key: the last thing before a commit.
    pub(super) fn seal_rows(&self) -> Result<(), StoreError> {
        let Some(guard) = self.1 else { return Ok(()) };
        guard.gather(self)?;
        {
            let touched = guard.touched();
            if touched.rows.is_empty() && !touched.is_new {
                return Ok(());
            }
        }
        // No event states what is logged now.
        let (place, hash) = self.log_touched(guard)?;
        if !guard.touched().is_new {
            return Ok(());
        }
        let (sequence, event_hash) = self.chain_head()?.unwrap_or_default();
        let hash = hash.to_vec();
        let mut head = RowHead { one: 1, place, hash, sequence, event_hash, mac: Vec::new() };
        head.mac = guard.mac(&head);
        self.put(PUT_HEAD, &head, &[])
    }

    /// Appends an entry; returns the new end of the log.
    fn put_entry(
        &self,
        (place, hash): (i64, Digest),
        (table, key): (&str, &str),
        digest: Option<&[u8]>,
        found: bool,
    ) -> Result<(i64, Digest), StoreError> {
        let place = place + 1;
        let hash = entry_hash(&hash, place, (table, key), digest, found);
        self.run(PUT_ENTRY, params![place, table, key, digest, found, hash])?;
        Ok((place, hash))
    }

    /// Whether log and chain end where the head says, as the last transaction left them. Without a head
    /// there is nothing to seal yet.
    fn is_sealed(&self, (place, hash): (i64, Digest)) -> Result<bool, StoreError> {
        let Some(head) = self.row_head()? else { return Ok(!self.has_row_log()?) };
        let (sequence, event_hash) = self.chain_head()?.unwrap_or_default();
        let ends = head.place == place
            && head.hash == hash
            && head.sequence == sequence
            && head.event_hash == event_hash;
        Ok(ends && self.is_genuine_head(&head))
    }

    /// The end of the log; place 0 if it is empty.
    fn log_end(&self) -> Result<(i64, Digest), StoreError> {
        let Some((place, hash)) = self.one::<(i64, Vec<u8>)>(LOG_END, [])? else {
            return Ok((0, [0; 32]));
        };
        // One that was tampered with goes on from zeros, which the verifier sees.
        Ok((place, hash.try_into().unwrap_or_default()))
    }
}

/// The running hash of the log after an entry.
fn entry_hash(
    before: &[u8],
    place: i64,
    (table, key): (&str, &str),
    digest: Option<&[u8]>,
    found: bool,
) -> Digest {
    let length = |octets: &[u8]| (octets.len() as u64).to_be_bytes();
    let (state, digest): (&[u8], &[u8]) = match digest {
        Some(digest) => (&[1, found as u8], digest),
        None => (&[0, found as u8], &[]),
    };
    let (table, key) = (table.as_bytes(), key.as_bytes());
    sha256_of(&[
        ENTRY_TAG,
        before,
        &place.to_be_bytes(),
        &length(table),
        table,
        &length(key),
        key,
        state,
        digest,
    ])
}

//------------ Reading -------------------------------------------------------

impl LoggedRow {
    /// Whether its hash follows from the one before.
    pub fn follows(&self, before: &[u8]) -> bool {
        let named = (self.table.as_str(), self.key.as_str());
        entry_hash(before, self.place, named, self.digest.as_deref(), self.found)[..] == self.hash
    }
}

impl Reader<'_> {
    /// Whether rows are guarded: the key is at hand.
    pub fn is_guarded(&self) -> bool {
        self.1.is_some()
    }

    /// Whether the rows of this database were ever logged, by log, head or chain.
    pub fn has_row_log(&self) -> Result<bool, StoreError> {
        let log = self.one::<(i64, Vec<u8>)>(LOG_END, [])?.is_some();
        Ok(log || self.row_head()?.is_some() || self.only::<bool>(STATED, [])?)
    }

    /// Whether rows of the table that joined later are in the log, or that it was looked for them.
    pub fn has_joined_rows(&self) -> Result<bool, StoreError> {
        self.only(IS_LOGGED, [JOINED])
    }

    /// Hands the entries of the log to `sink`, in order.
    pub fn row_log(&self, mut sink: impl FnMut(LoggedRow)) -> Result<(), StoreError> {
        self.each(ROW_LOG, [], |row| {
            sink(super::sql::FromRow::read(row, 0)?);
            Ok(true)
        })
    }

    /// Where log and chain end.
    pub fn row_head(&self) -> Result<Option<RowHead>, StoreError> {
        self.one(ROW_HEAD, [])
    }

    /// Whether a head was written by whoever has the key.
    pub fn is_genuine_head(&self, head: &RowHead) -> bool {
        self.1.is_some_and(|guard| guard.mac(head) == head.mac)
    }

    /// Names of the guarded tables.
    pub fn guarded_tables() -> impl Iterator<Item = &'static str> {
        TABLES.iter().map(|table| table.name)
    }

    /// Hands key and digest of every row of a guarded table to `sink`.
    pub fn guarded_rows_of(
        &self,
        table: &str,
        sink: impl FnMut(String, Digest),
    ) -> Result<(), StoreError> {
        place_of(table).map_or(Ok(()), |at| self.guarded_rows(at, sink))
    }

    /// The same, by the table's place in the list.
    fn guarded_rows(
        &self,
        at: usize,
        mut sink: impl FnMut(String, Digest),
    ) -> Result<(), StoreError> {
        let Some(guard) = self.1 else { return Ok(()) };
        let (table, columns) = (&TABLES[at], &guard.columns[at]);
        let key = table.key.iter().map(|part| format!("\"{part}\"")).collect::<Vec<_>>();
        let list: String = columns.iter().map(|column| format!(", \"{column}\"")).collect();
        let text = format!("SELECT {}{list} FROM \"{}\"", key.join(" || ' ' || "), table.name);
        self.each(Sql(&text), [], |row| {
            let mut cells = Vec::with_capacity(columns.len());
            for (index, name) in columns.iter().enumerate() {
                cells.push((name.as_str(), row.value(index + 1)?));
            }
            let digest = digest(&guard.key, table.name, cells.into_iter());
            sink(key_text(&row.value(0)?), digest);
            Ok(true)
        })
    }

    /// Whether a row that was read is as the log left it. Without a key every row is: there is nothing
    /// to compare with.
    pub(super) fn is_as_logged<R: Row>(&self, row: &R) -> Result<bool, StoreError> {
        let Some((guard, at)) = self.1.zip(place_of(R::TABLE)) else { return Ok(true) };
        let values = row.values();
        let value = |name: &str| {
            let at = R::COLUMNS.iter().position(|column| column.name == name)?;
            Some(values[at].value())
        };
        let cells = guard.columns[at].iter().filter_map(|name| Some((name.as_str(), value(name)?)));
        let digest = digest(&guard.key, R::TABLE, cells);
        let key: Vec<String> =
            TABLES[at].key.iter().filter_map(|name| Some(key_text(&value(name)?))).collect();
        let last: Option<Option<Vec<u8>>> =
            self.one(LAST_DIGEST, params![R::TABLE, key.join(" ")])?;
        Ok(last.flatten().is_some_and(|last| last == digest))
    }

    /// The row if it is as the log left it. Another one was put there by other means: it is as good as
    /// absent, and the log says so.
    pub(super) fn only_as_logged<R: Row>(&self, row: Option<R>) -> Result<Option<R>, StoreError> {
        let Some(row) = row else { return Ok(None) };
        if self.is_as_logged(&row)? {
            return Ok(Some(row));
        }
        tracing::error!(
            table = R::TABLE,
            "a row that was not written by gapura is not used; see gapura audit verify"
        );
        Ok(None)
    }
}
