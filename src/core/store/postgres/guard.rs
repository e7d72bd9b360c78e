//! The triggers of the row guard: they belong to the schema, and note what is touched in a table that only a session of
//! ours has. In anybody else's session they do nothing.
//!
//! A trigger notes the row before and after, column by column, as octets with the kind in front. The digests are made of
//! them in this process, where the key is.

use ring::hmac;

use super::Database;
use super::fault::Fault;
use super::session::{Session, Turn, failed};
use crate::digest::sha256_hex;
use crate::lock::lock;
use crate::store::engine::Link;
use crate::store::guard::{Change, Guard, digest};
use crate::store::guarded::TABLES;
use crate::store::sql::Sql;
use crate::store::value::Value;
use crate::store::{Reader, StoreError};

/// The table of what a transaction has touched. It is empty at the beginning of each.
const TOUCHED: &str = "CREATE TEMPORARY TABLE IF NOT EXISTS gapura_touched (
    n BIGINT GENERATED ALWAYS AS IDENTITY,
    tbl TEXT NOT NULL, key TEXT NOT NULL, was BYTEA[], now_is BYTEA[]
) ON COMMIT DELETE ROWS";

/// The condition under which a trigger notes something.
const OURS: &str = "IF to_regclass('pg_temp.gapura_touched') IS NOT NULL THEN";

//------------ Triggers ------------------------------------------------------

/// Lets a session note the rows that it touches.
pub(super) fn note_rows(session: &Session) -> Result<(), Fault> {
    session.batch(TOUCHED)
}

/// A column with its type.
type Column = (String, String);

/// The columns of a table, sorted by name; of one that somebody took out there are none.
fn columns(turn: &Turn<'_>, table: &str) -> Result<Vec<Column>, StoreError> {
    let text = "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute \
        WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped \
        ORDER BY attname COLLATE \"C\"";
    Reader::unguarded(Link::Postgres(turn)).all(Sql(text), [table])
}

/// The statements that make all functions and triggers.
fn triggers(turn: &Turn<'_>) -> Result<String, StoreError> {
    let mut text = format!(
        "CREATE OR REPLACE FUNCTION guard_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {OURS} \
         INSERT INTO pg_temp.gapura_touched (tbl, key) VALUES ('event', ''); END IF; RETURN NULL; END $$;\n\
         CREATE OR REPLACE TRIGGER guard_event AFTER INSERT ON event \
         FOR EACH ROW EXECUTE FUNCTION guard_event();\n"
    );
    for table in TABLES {
        let columns = columns(turn, table.name)?;
        let columns = columns.into_iter().filter(|(name, _)| !table.used.contains(&name.as_str()));
        let columns: Vec<Column> = columns.collect();
        if !columns.is_empty() {
            text.push_str(&triggers_of(table.name, table.key, &columns));
        }
    }
    Ok(text)
}

/// Those of one table. An update that leaves the guarded columns as they were says nothing.
fn triggers_of(table: &str, key: &[&str], columns: &[Column]) -> String {
    let key = |row: &str| {
        let parts: Vec<String> = key.iter().map(|part| format!("{row}.\"{part}\"")).collect();
        format!("({})::text", parts.join(" || ' ' || "))
    };
    let cells = |row: &str| {
        let cell = |(name, kind): &Column| match kind.as_str() {
            "bigint" => format!("'i'::bytea || int8send({row}.\"{name}\")"),
            "bytea" => format!("'b'::bytea || {row}.\"{name}\""),
            _ => format!("'t'::bytea || convert_to({row}.\"{name}\", 'UTF8')"),
        };
        format!("ARRAY[{}]", columns.iter().map(cell).collect::<Vec<_>>().join(", "))
    };
    let note = |key: String, was: &str, now: &str| {
        format!(
            "INSERT INTO pg_temp.gapura_touched (tbl, key, was, now_is) VALUES ('{table}', {key}, {was}, {now});"
        )
    };
    let differs: Vec<String> = columns
        .iter()
        .map(|(name, _)| format!("OLD.\"{name}\" IS DISTINCT FROM NEW.\"{name}\""))
        .collect();
    let (old, new) = (cells("OLD"), cells("NEW"));
    format!(
        "CREATE OR REPLACE FUNCTION guard_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {OURS} \
         IF TG_OP = 'INSERT' THEN {} ELSIF TG_OP = 'UPDATE' THEN {} ELSE {} END IF; \
         END IF; RETURN NULL; END $$;\n\
         CREATE OR REPLACE TRIGGER guard_row AFTER INSERT OR DELETE ON \"{table}\" \
         FOR EACH ROW EXECUTE FUNCTION guard_{table}();\n\
         CREATE OR REPLACE TRIGGER guard_update AFTER UPDATE ON \"{table}\" \
         FOR EACH ROW WHEN ({}) EXECUTE FUNCTION guard_{table}();\n",
        note(key("NEW"), "NULL", &new),
        note(key("NEW"), &old, &new),
        note(key("OLD"), &old, "NULL"),
        differs.join(" OR "),
    )
}

/// Makes the triggers as this build has them, and notes which they are.
pub(super) fn put_triggers(turn: &Turn<'_>) -> Result<(), StoreError> {
    let text = triggers(turn)?;
    let mark = sha256_hex(&text);
    turn.batch(&format!("{text} COMMENT ON FUNCTION guard_event() IS '{mark}'"))
}

/// Whether the triggers were made by a build that has the same.
pub(super) fn has_triggers(turn: &Turn<'_>) -> Result<bool, StoreError> {
    let text = "SELECT coalesce(obj_description(to_regproc('guard_event'), 'pg_proc'), '')";
    let mark: String = Reader::unguarded(Link::Postgres(turn)).only(Sql(text), [])?;
    Ok(mark == sha256_hex(triggers(turn)?))
}

//------------ Guard ---------------------------------------------------------

impl Database {
    /// Notes rows from now on, unless it is done already; hands the guard for them to `set`.
    pub(in crate::store) fn guard(
        &self,
        key: hmac::Key,
        set: impl FnOnce(Guard),
    ) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        if writer.is_guarded {
            return Ok(());
        }
        let session = self.session(&mut writer)?;
        note_rows(session).map_err(failed)?;
        let turn = session.begin_read(self).map_err(failed)?;
        let mut all = Vec::with_capacity(TABLES.len());
        for table in TABLES {
            all.push(columns(&turn, table.name)?.into_iter().map(|(name, _)| name).collect());
        }
        set(Guard::new(key, all, turn.schema_number()?));
        drop(turn);
        writer.is_guarded = true;
        Ok(())
    }
}

impl Turn<'_> {
    /// Takes in what was touched since the last time.
    pub(in crate::store) fn gather(&self, guard: &Guard) -> Result<(), StoreError> {
        let text =
            "SELECT n, tbl, key, was, now_is FROM pg_temp.gapura_touched WHERE n > $1 ORDER BY n";
        let rows = self.rows(text, &[Value::Integer(self.gathered.get())]).map_err(failed)?;
        for row in rows {
            self.gathered.set(row.try_get(0)?);
            let (table, key): (&str, String) = (row.try_get(1)?, row.try_get(2)?);
            let Some(at) = TABLES.iter().position(|it| it.name == table) else {
                guard.touched().is_new = true;
                continue;
            };
            let (was, now): (Option<Cells>, Option<Cells>) = (row.try_get(3)?, row.try_get(4)?);
            let digest = |cells: Cells| {
                let values = guard.columns[at].iter().zip(&cells);
                let values = values.map(|(name, cell)| (name.as_str(), value(cell.as_deref())));
                digest(&guard.key, table, values)
            };
            let change = Change { before: was.map(digest), after: now.map(digest) };
            guard.touched().touch(at, key, change);
        }
        Ok(())
    }
}

/// The columns of a row as a trigger notes them.
type Cells = Vec<Option<Vec<u8>>>;

/// A column as a trigger notes it.
fn value(cell: Option<&[u8]>) -> Value<'_> {
    match cell.and_then(<[u8]>::split_first) {
        None => Value::Null,
        Some((b'i', number)) => match number.try_into() {
            Ok(number) => Value::Integer(i64::from_be_bytes(number)),
            Err(_) => Value::Odd(number.into()),
        },
        Some((b't', text)) => match std::str::from_utf8(text) {
            Ok(text) => Value::Text(text.into()),
            Err(_) => Value::Odd(text.into()),
        },
        Some((_, octets)) => Value::Octets(octets.into()),
    }
}
