//! The seam between the statements of this room and the engines that run them.
//!
//! ```text
//! statements, rows ─► Reader, Tx ─► Link ─┬─► a connection of SQLite (`sqlite`)
//!                                         └─► a turn on a session of PostgreSQL (`postgres`)
//! ```
//! A statement is the same text for both. What only one engine has (a file, a server, how erased data is cleared) is in
//! that engine's files and is not seen above this one.

use super::StoreError;
#[cfg(feature = "postgres")]
use super::postgres;
use super::value::Value;

//------------ Link ----------------------------------------------------------

/// What runs statements, inside a transaction.
#[derive(Clone, Copy)]
pub(super) enum Link<'a> {
    /// A connection of SQLite.
    Sqlite(&'a rusqlite::Connection),
    /// A transaction on a session of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'a postgres::Turn<'a>),
}

/// Takes the rows of a question one by one, until it returns false.
pub(super) type Sink<'s> = &'s mut dyn FnMut(&Found<'_>) -> Result<bool, StoreError>;

impl Link<'_> {
    /// Hands the rows of a question to `sink`: few, and all of them are at hand before the first is handed over.
    pub(super) fn ask(
        &self,
        sql: &str,
        values: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => super::sqlite::ask(connection, sql, values, sink),
            #[cfg(feature = "postgres")]
            Self::Postgres(turn) => turn.ask(sql, values, sink),
        }
    }

    /// The same for many rows: they come a part at a time.
    pub(super) fn walk(
        &self,
        sql: &str,
        values: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<(), StoreError> {
        match self {
            // A step of SQLite is a row.
            Self::Sqlite(_) => self.ask(sql, values, sink),
            #[cfg(feature = "postgres")]
            Self::Postgres(turn) => turn.walk(sql, values, sink),
        }
    }

    /// Runs the statements of a step (`migrations`).
    pub(super) fn define(&self, step: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(step)?),
            #[cfg(feature = "postgres")]
            Self::Postgres(turn) => turn.define(step),
        }
    }

    /// Tells those who follow, once it is committed, that there is something new.
    pub(super) fn tell_followers(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres(turn) => turn.tell_followers(),
        }
    }

    /// Runs a statement; returns the count of rows it touched.
    pub(super) fn run(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(connection) => super::sqlite::run(connection, sql, values),
            #[cfg(feature = "postgres")]
            Self::Postgres(turn) => turn.run(sql, values),
        }
    }
}

//------------ Found ---------------------------------------------------------

/// A row of a result.
pub(super) struct Found<'r> {
    /// As the engine has it.
    pub(super) row: EngineRow<'r>,
    /// The question.
    pub(super) sql: &'r str,
}

/// A row as an engine has it.
pub(super) enum EngineRow<'r> {
    /// Of SQLite.
    Sqlite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'r tokio_postgres::Row),
}

impl Found<'_> {
    /// The value of a column.
    pub(super) fn value(&self, at: usize) -> Result<Value<'_>, StoreError> {
        match self.row {
            EngineRow::Sqlite(row) => Ok(Value::from(row.get_ref(at)?)),
            #[cfg(feature = "postgres")]
            EngineRow::Postgres(row) => Ok(row.try_get(at)?),
        }
    }

    /// The error of a value that does not read back: names table, row, column and value.
    pub(super) fn corrupt(&self, at: usize) -> StoreError {
        let column = match self.row {
            EngineRow::Sqlite(row) => row.as_ref().column_name(at).unwrap_or("?"),
            #[cfg(feature = "postgres")]
            EngineRow::Postgres(row) => row.columns().get(at).map_or("?", |column| column.name()),
        };
        let shown = |at| self.value(at).map_or_else(|_| "?".to_owned(), |it| it.to_string());
        let from = self.sql.split(" FROM ").nth(1);
        let table = from.and_then(|rest| rest.split_whitespace().next()).unwrap_or("?");
        StoreError::Corrupt(format!("table {table}, row {}: {column} is {}", shown(0), shown(at)))
    }
}

//------------ Fault ---------------------------------------------------------

/// What an engine says of a statement that failed.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] postgres::Fault),
}

impl Fault {
    /// Whether there is no room on the disk.
    pub(super) fn is_disk_full(&self) -> bool {
        match self {
            Self::Sqlite(error) => super::sqlite::is_disk_full(error),
            #[cfg(feature = "postgres")]
            Self::Postgres(fault) => fault.is_disk_full(),
        }
    }

    /// Whether a server may come back by itself.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(fault) => fault.is_unavailable(),
        }
    }

    /// Whether the database cannot be used at present, and nothing is wrong with what was asked for.
    pub(super) fn is_unavailable(&self) -> bool {
        match self {
            Self::Sqlite(error) => super::sqlite::is_unavailable(error),
            #[cfg(feature = "postgres")]
            Self::Postgres(fault) => fault.is_unavailable(),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Statement(error.into())
    }
}

#[cfg(feature = "postgres")]
impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Statement(postgres::Fault::from(error).into())
    }
}
