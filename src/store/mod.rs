//! The database: journal, promoted records, requests, events, people. All SQL of gapura is in this room.
//!
//! One SQLite file, `gapura.db` in the state directory. One writer at a time: [`Store::write`] runs
//! a closure in one `BEGIN IMMEDIATE` transaction; when it returns `Ok`, the transaction is on disk
//! (`synchronous = FULL`). Readers never wait for the writer (WAL).
//! Queries and changes are functions on [`Reader`] and [`Tx`], one file per subject. No rule of the
//! procedure or of DNS is decided here.

#[cfg(feature = "approval")]
pub mod bulk;
#[cfg(feature = "approval")]
pub mod changes;
pub mod clock;
pub mod clock_watch;
#[cfg(feature = "approval")]
pub mod codes;
mod copy;
#[cfg(feature = "approval")]
pub mod draft_links;
#[cfg(feature = "approval")]
pub mod drafts;
#[cfg(feature = "approval")]
pub mod events;
#[cfg(feature = "approval")]
pub mod figures;
#[cfg(feature = "approval")]
mod guard;
#[cfg(feature = "approval")]
mod guarded;
mod health;
mod inspect;
pub mod journal;
#[cfg(feature = "approval")]
pub mod likeness;
#[cfg(feature = "approval")]
pub mod lists;
mod migrations;
#[cfg(feature = "approval")]
pub mod once;
#[cfg(feature = "approval")]
pub mod origins;
#[cfg(feature = "approval")]
pub mod papers;
#[cfg(feature = "approval")]
pub mod people;
#[cfg(feature = "approval")]
pub mod promises;
pub mod promoted;
pub mod records;
#[cfg(feature = "approval")]
pub mod requests;
#[cfg(feature = "approval")]
pub mod row_log;
#[cfg(feature = "approval")]
mod scrub;
pub mod secondaries;
pub mod signing;
mod sql;
#[cfg(feature = "approval")]
pub mod statistics;
#[cfg(feature = "approval")]
pub mod subjects;
#[cfg(feature = "approval")]
pub mod texts;
#[cfg(feature = "approval")]
pub mod unsent;
mod upgrade;
#[cfg(feature = "approval")]
pub mod watched;
#[cfg(feature = "approval")]
pub mod webhooks;
#[cfg(feature = "approval")]
pub mod words;
pub mod zones;

use crate::lock::lock;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use health::Presence;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// How many idle read connections are kept; more are opened when needed and closed after use.
const IDLE_READERS_MAX: usize = 4;

/// How long a statement waits for whoever else has locked the database.
const BUSY: Duration = Duration::from_secs(5);

/// How the names of databases in memory begin.
const IN_MEMORY: &str = "file:";

//------------ Store ---------------------------------------------------------

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// What the handles share.
struct Inner {
    /// Where the file is, for opening readers and for error texts.
    path: PathBuf,
    /// The one connection that writes.
    writer: Mutex<Connection>,
    /// Idle connections that only read.
    readers: Mutex<Vec<Connection>>,
    /// Whether the files are still those that were opened.
    presence: Presence,
    /// Whether the last write found it locked by another program.
    is_locked_out: AtomicBool,
    /// Whether another process works on it from now on.
    is_left: AtomicBool,
    /// Logs the rows that are written, once the key for it is known.
    #[cfg(feature = "approval")]
    guard: std::sync::OnceLock<guard::Guard>,
}

impl Store {
    /// Opens `gapura.db` in `state_dir`, making it and bringing its tables up to date.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let path = Self::path(state_dir);
        make_private(&path)?;
        Self::at(path)
    }

    /// A database in memory, gone with the last handle: it stands in for one that cannot be used, and
    /// needs no disk.
    pub fn in_memory() -> Result<Self, StoreError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        // All connections of this process to the name share it.
        Self::at(format!("{IN_MEMORY}/gapura-{number}?vfs=memdb").into())
    }

    /// Opens the file, bringing its tables up to date.
    fn at(path: PathBuf) -> Result<Self, StoreError> {
        let mut writer = connect(&path)?;
        migrations::run(&mut writer)?;
        let inner = Inner {
            presence: Presence::of(&path),
            is_left: AtomicBool::new(false),
            path,
            is_locked_out: AtomicBool::new(false),
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            #[cfg(feature = "approval")]
            guard: std::sync::OnceLock::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Runs `work` in one transaction: all of it is durable when this returns `Ok`, none of it is
    /// kept otherwise (an error of `work`, a failed commit, a panic).
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = lock(&self.0.writer);
        if self.is_left() {
            return Err(StoreError::Left.into());
        }
        self.0.presence.check()?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| self.not_begun(error))?;
        self.0.is_locked_out.store(false, Ordering::Relaxed);
        #[cfg(feature = "approval")]
        self.0.guard.get().inspect(|guard| guard.begin());
        let tx = Tx(self.reader(&transaction));
        let value = work(&tx)?;
        #[cfg(feature = "approval")]
        tx.seal_rows()?;
        transaction.commit().map_err(StoreError::Commit)?;
        // Into a file that nobody finds again it is not on disk.
        self.0.presence.check()?;
        #[cfg(feature = "approval")]
        self.0.guard.get().inspect(|guard| guard.committed());
        Ok(value)
    }

    /// Writes nothing from now on, once what is being written is done: another process works on it.
    pub fn leave(&self) {
        let _idle = lock(&self.0.writer);
        self.0.is_left.store(true, Ordering::Relaxed);
    }

    /// Whether another process works on it.
    pub fn is_left(&self) -> bool {
        self.0.is_left.load(Ordering::Relaxed)
    }

    /// Runs `work` on one consistent view of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0.presence.check()?;
        let idle = lock(&self.0.readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.0.path)?,
        };
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(StoreError::Begin)?;
        let value = work(&self.reader(&transaction))?;
        drop(transaction);
        let mut idle = lock(&self.0.readers);
        if idle.len() < IDLE_READERS_MAX {
            idle.push(connection);
        }
        Ok(value)
    }

    /// What reads over a connection.
    #[cfg(feature = "approval")]
    fn reader<'a>(&'a self, connection: &'a Connection) -> Reader<'a> {
        Reader(connection, self.0.guard.get())
    }

    /// What reads over a connection.
    #[cfg(not(feature = "approval"))]
    fn reader<'a>(&'a self, connection: &'a Connection) -> Reader<'a> {
        Reader(connection)
    }
}

#[cfg(all(test, feature = "approval"))]
impl Store {
    /// Lets the file grow no further, as on a full disk.
    pub(crate) fn fill_up(&self) {
        lock(&self.0.writer).pragma_update(None, "max_page_count", 1).expect("a pragma");
    }
}

/// Makes the file readable by its owner only, whatever the directory allows; SQLite makes the files
/// beside it with the same mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
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
    open().map_err(|source| StoreError::Open { path: path.to_owned(), source })
}

//------------ Reader and Tx -------------------------------------------------

/// One consistent view of the database, and what guards its rows. Each subject's file adds its
/// queries.
pub struct Reader<'a>(&'a Connection, #[cfg(feature = "approval")] Option<&'a guard::Guard>);

impl<'a> Reader<'a> {
    /// Over a connection whose rows nobody guards.
    fn unguarded(connection: &'a Connection) -> Self {
        Self(
            connection,
            #[cfg(feature = "approval")]
            None,
        )
    }
}

/// The writer's open transaction. Each subject's file adds its changes.
pub struct Tx<'a>(Reader<'a>);

impl<'a> Deref for Tx<'a> {
    type Target = Reader<'a>;

    fn deref(&self) -> &Reader<'a> {
        &self.0
    }
}

//------------ What the disk does ---------------------------------------------

/// Whether an error, or what caused it, is that the disk has no room.
pub fn is_disk_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        if let Some(rusqlite::Error::SqliteFailure(failure, _)) = cause.downcast_ref() {
            // The index of the write-ahead log grows by itself, and has a code of its own.
            return failure.code == rusqlite::ErrorCode::DiskFull
                || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
        }
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
    })
}

/// Whether an error, or what caused it, is that the database cannot be used at present: it was taken away,
/// another program has locked it, or the disk is read-only or dead. Nothing is wrong with what was asked for.
pub fn is_unavailable(error: &(dyn std::error::Error + 'static)) -> bool {
    use rusqlite::ErrorCode::{
        CannotOpen, DatabaseBusy, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure,
    };
    let codes =
        [CannotOpen, DatabaseBusy, DatabaseCorrupt, NotADatabase, ReadOnly, SystemIoFailure];
    let system = [libc::ESTALE, libc::EROFS, libc::EIO];
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        if let Some(rusqlite::Error::SqliteFailure(failure, _)) = cause.downcast_ref() {
            return codes.contains(&failure.code);
        }
        let raw = cause.downcast_ref().and_then(std::io::Error::raw_os_error);
        raw.is_some_and(|raw| system.contains(&raw))
    })
}

//------------ StoreError ----------------------------------------------------

/// A variant per step, so that the log says what the database was doing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made.
    #[error("cannot make the database {path}: check that the state directory exists and belongs to the user gapura runs as", path = path.display())]
    Make {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be opened as a database.
    #[error("cannot open the database {path}: check that the state directory exists and belongs to the user gapura runs as", path = path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A migration failed or an applied one was edited.
    #[error("cannot bring the database tables up to date at step {step}: {reason}")]
    Migrate {
        /// The migration's number.
        step: u32,
        /// What went wrong.
        reason: String,
    },
    /// A later version of gapura has worked on it.
    #[error(
        "the database is of a later version of gapura (step {step}; this one knows {}): start that version, or put \
         the copy from before the upgrade (before-upgrade-*.db) or a backup of this version back",
        migrations::NEWEST
    )]
    Newer {
        /// The newest migration in it.
        step: u32,
    },
    /// Somebody took it away, replaced it or cut it short.
    #[error(
        "{path} is not the database any more that gapura opened: it was removed, replaced or cut short; \
         put the right one back and start gapura again", path = path.display()
    )]
    Gone {
        /// The file.
        path: PathBuf,
        /// ESTALE.
        source: std::io::Error,
    },
    /// There is no copy of it, and its tables are not touched without one.
    #[error(
        "the database is of an earlier version of gapura (step {step}), and there has to be a copy of it before its \
         tables are brought up to date: make room on the disk of the state directory, and start again"
    )]
    NoCopy {
        /// The newest migration in it.
        step: u32,
        /// Why there is none.
        source: Box<Self>,
    },
    /// It was left to another process.
    #[error("another gapura works on the database now: ask that one")]
    Left,
    /// Its pages do not hang together.
    #[error("the database is damaged: {0}; restore a backup of the state directory")]
    Damaged(String),
    /// It cannot be copied.
    #[error(
        "the database cannot be copied: see that the disk of the copy has room for it; if the database is damaged, \
         put the newest backup back"
    )]
    Copy(#[source] rusqlite::Error),
    /// Another program has locked it for longer than we wait.
    #[error(
        "another program has locked the database {path} (`fuser -v` names it): what waits is done when it lets go",
        path = path.display()
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// No transaction could be started.
    #[error("cannot start a database transaction")]
    Begin(#[source] rusqlite::Error),
    /// A statement failed.
    #[error("a database statement failed")]
    Statement(#[from] rusqlite::Error),
    /// The commit failed; nothing of the transaction is kept.
    #[error(
        "the change could not be made durable and was undone: check the disk's free space and health"
    )]
    Commit(#[source] rusqlite::Error),
    /// Erased data could not be cleared from the file.
    #[error("erased data still lies in the database file, and is cleared from it once a day: {0}")]
    Scrub(String),
    /// A stored value does not read back as what it should be.
    #[error("the database holds a value that does not read back: {0}")]
    Corrupt(String),
}

#[cfg(any(test, feature = "failpoints"))]
impl StoreError {
    /// What SQLite would say of this error of the system; for failpoints.
    pub(crate) fn injected(error: std::io::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::StorageFull => rusqlite::ffi::SQLITE_FULL,
            _ => rusqlite::ffi::SQLITE_IOERR,
        };
        Self::Commit(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
    }
}

#[cfg(test)]
mod tests;
