//! A session with the server, and one transaction on it: how statements run.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, IsolationLevel, Row, Statement, Transaction};

use super::fault::Fault;
use super::wait::within;
use super::{Database, dialect};
use crate::lock::lock;
use crate::store::StoreError;
use crate::store::engine::{EngineRow, Found, Sink};
use crate::store::value::Value;

/// How long a statement may take; the server ends it a little earlier.
const STATEMENT_MAX: Duration = Duration::from_secs(35);
/// How long the answer to a commit is waited for: what became of it is asked for then, while whoever acts waits still.
const COMMIT_MAX: Duration = Duration::from_secs(25);
/// How long a session is waited for that should be idle.
pub(super) const ALIVE_MAX: Duration = Duration::from_secs(5);
/// How long what rewrites or defines tables may take.
pub(super) const LONG_MAX: Duration = Duration::from_secs(3600);
/// Rows of a long result that come at once.
const ROWS_AT_ONCE: i32 = 64;
/// Prepared statements that are kept; filters make ever new ones.
const STATEMENTS_MAX: usize = 512;

/// What every session is set to. A machine that is gone is noticed within seconds, and its locks are free; a function or
/// table in another schema is never meant; text is compared by octets
/// whatever the server's locale is; a commit is on disk before it is told.
///
/// Only transactions behind the lock of writers wait for a standby (`schema::lock_writers`). A session that did so itself
/// could not be ended while the standby is away: at its end its temporary table is dropped, and that is a commit, too.
const SETTINGS: &str = "SET client_min_messages = warning; SET standard_conforming_strings = on; \
    SET lock_timeout = '10s'; SET tcp_keepalives_idle = 4; SET tcp_keepalives_interval = 2; \
    SET tcp_keepalives_count = 2; SET tcp_user_timeout = 8000; \
    SET client_connection_check_interval = 2000; SET application_name = 'gapura'; \
    SET idle_in_transaction_session_timeout = '60s'; SET bytea_output = hex; \
    SELECT set_config('gapura.synchronous_commit', CASE WHEN now_is IN ('off', 'local') THEN 'on' \
    ELSE now_is END, false) FROM current_setting('synchronous_commit') AS now_is; \
    SET synchronous_commit = local";

/// When the server ends a statement.
pub(super) const STATEMENT_TIMEOUT: &str = "SET statement_timeout = '30s'";

/// A session.
pub(super) struct Session {
    /// Speaks with the server.
    pub(super) client: Client,
    /// Prepared statements by their text.
    statements: Statements,
}

/// Prepared statements by their text.
type Statements = Mutex<HashMap<Arc<str>, Statement>>;

impl Session {
    /// Over a new connection.
    pub(super) fn new(client: Client, schema: &str) -> Result<Self, Fault> {
        let session = Self { client, statements: Mutex::default() };
        session.batch(&format!(
            "{SETTINGS}; {STATEMENT_TIMEOUT}; SET search_path = {schema}, pg_temp"
        ))?;
        Ok(session)
    }

    /// Runs statements outside a transaction.
    pub(super) fn batch(&self, text: &str) -> Result<(), Fault> {
        self.batch_within(STATEMENT_MAX, text)
    }

    /// The same, waited for so long.
    pub(super) fn batch_within(&self, limit: Duration, text: &str) -> Result<(), Fault> {
        waited(limit, self.client.batch_execute(text))
    }

    /// One value, outside a transaction of ours.
    pub(super) fn value<T>(&self, text: &str, values: &[&(dyn ToSql + Sync)]) -> Result<T, Fault>
    where
        T: for<'r> tokio_postgres::types::FromSql<'r>,
    {
        let row = waited(STATEMENT_MAX, self.client.query_one(text, values))?;
        Ok(row.try_get(0)?)
    }

    /// Whether the connection has ended, as far as is known.
    pub(super) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Whether the server answers within so long.
    pub(super) fn is_alive(&self, limit: Duration) -> bool {
        waited(limit, self.client.batch_execute("")).is_ok()
    }

    /// Begins a transaction that sees one state and writes nothing.
    pub(super) fn begin_read<'a>(&'a mut self, on: &'a Database) -> Result<Turn<'a>, Fault> {
        let begun = self.client.build_transaction().read_only(true);
        let begun = begun.isolation_level(IsolationLevel::RepeatableRead).start();
        Ok(Turn::new(on, waited(STATEMENT_MAX, begun)?, &self.statements))
    }

    /// Begins a transaction that writes. It sees what was committed before each of its statements: with the lock of the
    /// writer, which comes first, that is what was there when it got the lock, and its own.
    pub(super) fn begin_write<'a>(&'a mut self, on: &'a Database) -> Result<Turn<'a>, Fault> {
        let begun = self.client.build_transaction();
        let begun = begun.isolation_level(IsolationLevel::ReadCommitted).start();
        Ok(Turn::new(on, waited(STATEMENT_MAX, begun)?, &self.statements))
    }
}

/// A transaction; undone unless it is committed.
pub(in crate::store) struct Turn<'a> {
    /// On which database.
    pub(super) database: &'a Database,
    /// The transaction.
    transaction: Transaction<'a>,
    /// Prepared statements of the session.
    statements: &'a Statements,
    /// How far the touched rows were taken in (`guard`).
    pub(super) gathered: Cell<i64>,
    /// Whether those who follow are told when it is committed.
    pub(super) is_told: Cell<bool>,
}

impl<'a> Turn<'a> {
    /// Over a transaction.
    fn new(
        database: &'a Database,
        transaction: Transaction<'a>,
        statements: &'a Statements,
    ) -> Self {
        let (gathered, is_told) = (Cell::new(0), Cell::new(false));
        Self { database, transaction, statements, gathered, is_told }
    }

    /// Commits it.
    pub(super) fn commit(self) -> Result<(), Fault> {
        waited(COMMIT_MAX, self.transaction.commit())
    }

    /// The statement of a text.
    fn prepared(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = lock(self.statements).get(sql) {
            return Ok(known.clone());
        }
        let statement = waited(STATEMENT_MAX, self.transaction.prepare(sql))?;
        let mut known = lock(self.statements);
        if known.len() >= STATEMENTS_MAX {
            known.clear();
        }
        known.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    /// How many parameters a statement has.
    #[cfg(test)]
    pub(super) fn parameter_count(&self, sql: &str) -> Result<usize, Fault> {
        Ok(self.prepared(sql)?.params().len())
    }

    /// The rows of a question.
    pub(super) fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let statement = self.prepared(sql)?;
        waited(STATEMENT_MAX, self.transaction.query(&statement, &parameters(values)))
    }

    /// Hands the rows of a question to `sink`, once all of them are here.
    pub(in crate::store) fn ask(
        &self,
        sql: &str,
        values: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<(), StoreError> {
        hand_over(&self.rows(sql, values).map_err(failed)?, sql, sink).map(drop)
    }

    /// Hands the rows of a question to `sink`, some at a time.
    pub(in crate::store) fn walk(
        &self,
        sql: &str,
        values: &[Value<'_>],
        sink: Sink<'_>,
    ) -> Result<(), StoreError> {
        let statement = self.prepared(sql).map_err(failed)?;
        let parameters = parameters(values);
        let bound = self.transaction.bind(&statement, &parameters);
        let portal = waited(STATEMENT_MAX, bound).map_err(failed)?;
        loop {
            let part = self.transaction.query_portal(&portal, ROWS_AT_ONCE);
            let rows = waited(STATEMENT_MAX, part).map_err(failed)?;
            let is_last = rows.len() < ROWS_AT_ONCE.unsigned_abs() as usize;
            if !hand_over(&rows, sql, sink)? || is_last {
                return Ok(());
            }
        }
    }

    /// Runs a statement; returns the count of rows it touched.
    pub(in crate::store) fn run(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<usize, StoreError> {
        let statement = self.prepared(sql).map_err(failed)?;
        let parameters = parameters(values);
        let run = self.transaction.execute(&statement, &parameters);
        let count = waited(STATEMENT_MAX, run).inspect_err(|fault| self.database.note(fault));
        let count = count.map_err(failed)?;
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }

    /// Runs the statements of a step.
    pub(in crate::store) fn define(&self, step: &str) -> Result<(), StoreError> {
        self.batch(&dialect::translated(step))
    }

    /// Runs statements that are written for PostgreSQL.
    pub(super) fn batch(&self, text: &str) -> Result<(), StoreError> {
        waited(LONG_MAX, self.transaction.batch_execute(text)).map_err(failed)
    }
}

/// Values as the driver takes them.
fn parameters<'v>(values: &'v [Value<'v>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// Hands rows to `sink` until it returns false; returns what it returned last.
fn hand_over(rows: &[Row], sql: &str, sink: Sink<'_>) -> Result<bool, StoreError> {
    for row in rows {
        if !sink(&Found { row: EngineRow::Postgres(row), sql })? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A fault as the error of a statement.
pub(super) fn failed(fault: Fault) -> StoreError {
    StoreError::Statement(fault.into())
}

/// What an answer of the server comes to.
pub(super) fn waited<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Fault> {
    Ok(within(limit, answer).ok_or(Fault::Silent(limit))??)
}
