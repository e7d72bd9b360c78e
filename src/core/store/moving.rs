//! All rows of one database, row by row, into another one that is new: from one engine to the other, or into the file of a
//! backup. Nothing is changed on the way: digests of rows, log and chain are as good there as here.

use super::engine::Link;
use super::value::Value;
use super::{Store, StoreError, migrations, sqlite};

/// Tables that others refer to: their rows go first.
const FIRST: &[&str] = &["zone", "person", "event", "request"];
/// Tables that every database makes for itself.
const OWN: &[&str] = &["migration", "upkeep", "publishing", "served_zone"];
/// Rows that go at once.
const ROWS_AT_ONCE: usize = 64;
/// Octets that go at once, and a row more.
const OCTETS_AT_ONCE: usize = 1 << 20;

/// A table with its columns.
pub(super) type Table = (String, Vec<String>);

impl Store {
    /// Takes all rows of another database over, as of one moment; returns their count. What is in the tables, which are
    /// new, goes. Both must be at the newest step.
    pub fn take_over(&self, other: &Self) -> Result<u64, StoreError> {
        other.read::<_, StoreError>(|reader| {
            if !migrations::is_up_to_date(reader.0)? {
                return Err(StoreError::Behind);
            }
            let tables = tables(reader.0)?;
            self.write::<_, StoreError>(|tx| {
                for (table, _) in tables.iter().rev() {
                    tx.0.0.run(&format!("DELETE FROM \"{table}\""), &[])?;
                }
                let taken = tables.iter().map(|table| take(reader.0, tx.0.0, table));
                taken.sum()
            })
        })
    }
}

/// The tables in the order in which they are filled.
pub(super) fn tables(link: Link<'_>) -> Result<Vec<Table>, StoreError> {
    let mut tables = match link {
        Link::Sqlite(connection) => sqlite::tables(connection)?,
        #[cfg(feature = "postgres")]
        Link::Postgres(turn) => turn.tables()?,
    };
    tables.retain(|(name, _)| !OWN.contains(&name.as_str()));
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(usize::MAX);
    tables.sort_by(|(one, _), (other, _)| (place(one), one).cmp(&(place(other), other)));
    Ok(tables)
}

/// Takes the rows of one table over; returns their count.
fn take(from: Link<'_>, to: Link<'_>, (table, columns): &Table) -> Result<u64, StoreError> {
    let list: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let list = list.join(", ");
    let put = |values: &mut Vec<Value<'static>>| -> Result<u64, StoreError> {
        if values.is_empty() {
            return Ok(0);
        }
        let rows = values.len() / columns.len();
        let row = |at: usize| {
            let first = at * columns.len() + 1;
            let places: Vec<String> =
                (first..first + columns.len()).map(|place| format!("${place}")).collect();
            format!("({})", places.join(", "))
        };
        let places: Vec<String> = (0..rows).map(row).collect();
        let text = format!("INSERT INTO \"{table}\" ({list}) VALUES {}", places.join(", "));
        to.run(&text, values)?;
        values.clear();
        Ok(rows as u64)
    };
    let (mut count, mut octets, mut values) = (0, 0, Vec::new());
    from.walk(&format!("SELECT {list} FROM \"{table}\""), &[], &mut |row| {
        for at in 0..columns.len() {
            let value = owned(row.value(at)?);
            octets += size(&value);
            values.push(value);
        }
        if values.len() >= ROWS_AT_ONCE * columns.len() || octets >= OCTETS_AT_ONCE {
            count += put(&mut values)?;
            octets = 0;
        }
        Ok(true)
    })?;
    Ok(count + put(&mut values)?)
}

/// A value with what it borrows.
fn owned(value: Value<'_>) -> Value<'static> {
    match value {
        Value::Null => Value::Null,
        Value::Integer(number) => Value::Integer(number),
        Value::Text(text) => Value::Text(text.into_owned().into()),
        Value::Octets(octets) => Value::Octets(octets.into_owned().into()),
        Value::Odd(octets) => Value::Odd(octets.into_owned().into()),
    }
}

/// The octets of a value.
fn size(value: &Value<'_>) -> usize {
    match value {
        Value::Null | Value::Integer(_) => 8,
        Value::Text(text) => text.len(),
        Value::Octets(octets) | Value::Odd(octets) => octets.len(),
    }
}
