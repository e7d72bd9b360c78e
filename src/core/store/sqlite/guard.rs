//! The triggers of the row guard: temporary, on the writing connection, calling functions of ours.

use std::sync::Arc;

use ring::hmac;
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};

use crate::lock::lock;
use crate::store::StoreError;
use crate::store::guard::{Change, Guard, Touched, digest, key_text};
use crate::store::guarded::TABLES;

/// Puts the triggers on the writing connection.
pub(in crate::store) fn install(
    connection: &Connection,
    key: hmac::Key,
) -> Result<Guard, StoreError> {
    let columns = TABLES.iter().map(|table| columns(connection, table.name));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    let guard = Guard::new(key, columns, schema_number(connection)?);
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

/// The number of the schema; SQLite raises it with each change.
pub(in crate::store) fn schema_number(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, "schema_version", |row| row.get(0))?)
}

/// The columns of a table, sorted by name; of one that somebody took out there are none.
fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, StoreError> {
    let text = "SELECT name FROM pragma_table_info($1) ORDER BY name";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
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
        let cells = cells.map(|(index, name)| (name.as_str(), call.get_raw(first + index).into()));
        digest(key, TABLES[at].name, cells)
    };
    let (before, after) = match call.get_raw(2).as_str().unwrap_or_default() {
        "insert" => (None, Some(row(3))),
        "delete" => (Some(row(3)), None),
        _ => (Some(row(3)), Some(row(3 + columns.len()))),
    };
    touched.touch(at, key_text(&call.get_raw(1).into()), Change { before, after });
    Ok(0)
}
