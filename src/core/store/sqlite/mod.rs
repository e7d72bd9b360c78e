//! The engine SQLite: one file, `gapura.db` in the state directory, with its write-ahead log beside it.
//!
//! One connection writes, in `BEGIN IMMEDIATE` transactions that are on disk once they are committed
//! (`synchronous = FULL`). Readers never wait for it (WAL).

#[cfg(feature = "approval")]
mod guard;
mod health;
mod presence;
#[cfg(feature = "approval")]
mod scrub;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::engine::{EngineRow, Found, Link, Sink};
use super::moving::Table;
use super::value::Value;
use super::{StoreError, migrations};
#[cfg(feature = "approval")]
pub(super) use guard::{install, schema_number};
pub(super) use health::check;

use crate::lock::lock;
use presence::Presence;
#[cfg(feature = "approval")]
pub(super) use scrub::note_erasure;

/// How many idle read connections are kept; more are opened when needed and closed after use.
const IDLE_READERS_MAX: usize = 4;

/// How long a statement waits for whoever else has locked the database.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// How the names of databases in memory begin.
const IN_MEMORY: &str = "file:";

//------------ Database ------------------------------------------------------

/// An open database file.
pub(super) struct Database {
    /// Where the file is, for opening readers and for error texts.
    pub(super) path: PathBuf,
    /// The one connection that writes.
    pub(super) writer: Mutex<Connection>,
    /// Idle connections that only read.
    pub(super) readers: Mutex<Vec<Connection>>,
    /// Whether the files are still those that were opened.
    pub(super) presence: Presence,
    /// Whether the last write found it locked by another program.
    pub(super) is_locked_out: AtomicBool,
}

impl Database {
    /// Opens the file, making it and bringing its tables up to date.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        make_private(&path)?;
        Self::at(path)
    }

    /// A database in memory, gone with the last handle.
    pub(super) fn in_memory() -> Result<Self, StoreError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        // All connections of this process to the name share it.
        Self::at(format!("{IN_MEMORY}/gapura-{number}?vfs=memdb").into())
    }

    /// Over connections that only look at a file that nobody writes.
    pub(super) fn looked_at(path: PathBuf, writer: Connection, reader: Connection) -> Self {
        Self {
            presence: Presence::of(&path),
            path,
            is_locked_out: AtomicBool::new(false),
            writer: Mutex::new(writer),
            readers: Mutex::new(vec![reader]),
        }
    }

    /// Opens the file, bringing its tables up to date.
    fn at(path: PathBuf) -> Result<Self, StoreError> {
        let mut writer = connect(&path)?;
        migrations::run(&mut writer)?;
        Ok(Self {
            presence: Presence::of(&path),
            path,
            is_locked_out: AtomicBool::new(false),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
        })
    }

    /// Runs `work` in one transaction, if `may` allows it once the writer is ours; what it did is kept if it says so.
    pub(super) fn write(
        &self,
        may: &dyn Fn() -> Result<(), StoreError>,
        work: &mut dyn FnMut(Link<'_>) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        let mut connection = lock(&self.writer);
        may()?;
        self.presence.check()?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.not_begun(error))?;
        self.is_locked_out.store(false, Ordering::Relaxed);
        if !work(Link::Sqlite(&transaction))? {
            return Ok(false);
        }
        transaction.commit().map_err(|error| StoreError::Commit(error.into()))?;
        // Into a file that nobody finds again it is not on disk.
        self.presence.check()?;
        Ok(true)
    }

    /// Runs `work` on one consistent view. A connection on which it did not go well is not used again.
    pub(super) fn read(&self, work: &mut dyn FnMut(Link<'_>) -> bool) -> Result<(), StoreError> {
        self.presence.check()?;
        let idle = lock(&self.readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(|error| StoreError::Begin(error.into()))?;
        let is_well = work(Link::Sqlite(&transaction));
        drop(transaction);
        let mut idle = lock(&self.readers);
        if is_well && idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        Ok(())
    }
}

/// Makes the file readable by its owner only, whatever the directory allows; SQLite makes the files
/// beside it with the same mode.
pub(super) fn make_private(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    made.map(drop).map_err(|source| StoreError::Make { path: path.to_owned(), source })
}

/// Opens one connection with the settings every connection has.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        // The file was made before: none takes the place of one that is gone.
        let create = OpenFlags::SQLITE_OPEN_CREATE;
        let in_memory = path.starts_with(IN_MEMORY);
        let flags = OpenFlags::default();
        let flags = if in_memory { flags } else { flags.difference(create) };
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        // No step makes a trigger: one in the file was put there to act in our name. Those of the
        // guard are temporary and go on firing.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
        // What is deleted is overwritten: people's data does not stay behind in free pages.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|source| StoreError::open(path, source))
}

//------------ Statements ----------------------------------------------------

/// Hands the rows of a question to `sink`.
pub(super) fn ask(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
    sink: Sink<'_>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        if !sink(&Found { row: EngineRow::Sqlite(row), sql })? {
            break;
        }
    }
    Ok(())
}

/// Runs a statement; returns the count of rows it touched.
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    values: &[Value<'_>],
) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params_from_iter(values))?)
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Octets(octets) | Value::Odd(octets) => ValueRef::Blob(octets),
        }))
    }
}

impl<'a> From<ValueRef<'a>> for Value<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Odd(number.to_be_bytes().to_vec().into()),
            ValueRef::Text(octets) => match std::str::from_utf8(octets) {
                Ok(text) => Self::Text(text.into()),
                Err(_) => Self::Odd(octets.into()),
            },
            ValueRef::Blob(octets) => Self::Octets(octets.into()),
        }
    }
}

/// The tables with their columns.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    let mut names = connection.prepare(names)?;
    let mut columns = connection.prepare("SELECT name FROM pragma_table_info($1)")?;
    let mut found = Vec::new();
    for name in names.query_map([], |row| row.get::<_, String>(0))? {
        let name = name?;
        let of_it = columns.query_map([&name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        found.push((name, of_it));
    }
    Ok(found)
}

//------------ Faults --------------------------------------------------------

/// Whether an error is that the disk has no room.
pub(super) fn is_disk_full(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    // The index of the write-ahead log grows by itself, and has a code of its own.
    failure.code == rusqlite::ErrorCode::DiskFull
        || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

/// Whether an error is that the file cannot be used: it was taken away, another program has locked it, or the disk is
/// read-only or dead.
pub(super) fn is_unavailable(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure,
    };
    let codes =
        [CannotOpen, DatabaseBusy, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure];
    let rusqlite::Error::SqliteFailure(failure, _) = error else { return false };
    codes.contains(&failure.code)
}
