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
mod engine;
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
mod location;
mod migrations;
mod moving;
pub mod nodes;
#[cfg(feature = "approval")]
pub mod once;
#[cfg(feature = "approval")]
pub mod origins;
#[cfg(feature = "approval")]
pub mod papers;
#[cfg(feature = "approval")]
pub mod people;
#[cfg(feature = "postgres")]
mod postgres;
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
mod sqlite;
#[cfg(feature = "approval")]
pub mod statistics;
#[cfg(feature = "approval")]
pub mod subjects;
#[cfg(feature = "approval")]
pub mod texts;
#[cfg(feature = "approval")]
pub mod unsent;
mod upgrade;
mod value;
#[cfg(feature = "approval")]
pub mod watched;
#[cfg(feature = "approval")]
pub mod webhooks;
#[cfg(feature = "approval")]
pub mod words;
pub mod zones;

use std::io::ErrorKind;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use engine::Fault;
use engine::Link;
pub use location::Location;
#[cfg(feature = "postgres")]
pub use postgres::{Address, Fault as ServerFault};

//------------ Store ---------------------------------------------------------

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

/// What the handles share.
struct Inner {
    /// What holds the tables.
    engine: Engine,
    /// Whether nothing is written here: another node works on it, or may.
    is_followed: bool,
    /// Whether another process works on it from now on.
    is_left: AtomicBool,
    /// Logs the rows that are written, once the key for it is known.
    #[cfg(feature = "approval")]
    guard: std::sync::OnceLock<guard::Guard>,
}

/// What holds the tables.
#[allow(clippy::large_enum_variant)] // A process has two at most.
enum Engine {
    /// A file of SQLite.
    Sqlite(sqlite::Database),
    /// A schema on a server of PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(postgres::Database),
}

impl Store {
    /// Opens `gapura.db` in `state_dir`, making it and bringing its tables up to date. Where tests ask for it, the
    /// tables are on a server instead.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        #[cfg(all(any(test, feature = "testing"), feature = "postgres"))]
        if let Some(address) = testing::server::address(state_dir) {
            return Self::open_on_server(&address);
        }
        Self::open_file(state_dir)
    }

    /// Opens a schema on a server, making it and bringing its tables up to date.
    #[cfg(feature = "postgres")]
    pub fn open_on_server(address: &Address) -> Result<Self, StoreError> {
        Ok(Self::on(Engine::Postgres(postgres::Database::open(address)?)))
    }

    /// Opens `gapura.db` in `state_dir`, also in tests.
    fn open_file(state_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self::on(Engine::Sqlite(sqlite::Database::open(Self::path(state_dir))?)))
    }

    /// A database in memory, gone with the last handle: it stands in for one that cannot be used, and
    /// needs no disk.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self::on(Engine::Sqlite(sqlite::Database::in_memory()?)))
    }

    /// An empty one in memory in which nothing is written, in the place of one that another node may work on.
    pub fn away() -> Result<Self, StoreError> {
        Ok(Self::followed(Engine::Sqlite(sqlite::Database::in_memory()?)))
    }

    /// On an open engine.
    fn on(engine: Engine) -> Self {
        Self::over(engine, false)
    }

    /// On an open engine, to write nothing.
    fn followed(engine: Engine) -> Self {
        Self::over(engine, true)
    }

    /// On an open engine.
    fn over(engine: Engine, is_followed: bool) -> Self {
        Self(Arc::new(Inner {
            engine,
            is_followed,
            is_left: AtomicBool::new(false),
            #[cfg(feature = "approval")]
            guard: std::sync::OnceLock::new(),
        }))
    }

    /// Runs `work` in one transaction: all of it is durable when this returns `Ok`, none of it is
    /// kept otherwise (an error of `work`, a failed commit, a panic).
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (mut work, mut outcome) = (Some(work), None);
        self.write_if(&mut |tx| {
            outcome = work.take().map(|work| work(tx));
            matches!(outcome, Some(Ok(_)))
        })?;
        outcome.unwrap_or_else(|| unreachable!("what is begun runs the work"))
    }

    /// Runs `work` in one transaction, and keeps what it did if it says so; returns that. Compiled once, and not for each
    /// caller.
    fn write_if(&self, work: &mut dyn FnMut(&Tx<'_>) -> bool) -> Result<bool, StoreError> {
        let may = || match () {
            () if self.is_left() => Err(StoreError::Left),
            () if self.is_followed() => Err(StoreError::Followed),
            () => Ok(()),
        };
        let mut work = |link: Link<'_>| -> Result<bool, StoreError> {
            #[cfg(feature = "approval")]
            self.0.guard.get().inspect(|guard| guard.begin());
            let tx = Tx(self.reader(link));
            let is_kept = work(&tx);
            #[cfg(feature = "approval")]
            if is_kept {
                tx.seal_rows()?;
            }
            Ok(is_kept)
        };
        let is_kept = match &self.0.engine {
            Engine::Sqlite(database) => database.write(&may, &mut work),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.write(&may, &mut work),
        }?;
        #[cfg(feature = "approval")]
        self.0.guard.get().filter(|_| is_kept).inspect(|guard| guard.committed());
        Ok(is_kept)
    }

    /// Writes nothing from now on, once what is being written is done: another process works on it.
    pub fn leave(&self) {
        let leave = || self.0.is_left.store(true, Ordering::Relaxed);
        match &self.0.engine {
            Engine::Sqlite(database) => {
                let _idle = crate::lock::lock(&database.writer);
                leave();
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.leave(leave),
        }
    }

    /// Keeps every other daemon off the database as long as this is open. A file is kept by the lock of its state
    /// directory.
    pub fn hold(&self) -> Result<(), StoreError> {
        match &self.0.engine {
            Engine::Sqlite(_) => Ok(()),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.hold(),
        }
    }

    /// Which database it is: one that was put back from a backup is another one. `None`: it cannot be asked now.
    pub fn identity(&self) -> Option<String> {
        match &self.0.engine {
            Engine::Sqlite(database) => {
                let found = std::fs::metadata(&database.path);
                found.map(|found| crate::files::identity(&found)).ok()
            }
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.identity().ok(),
        }
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
        let (mut work, mut outcome) = (Some(work), None);
        self.look(&mut |reader| {
            outcome = work.take().map(|work| work(reader));
            matches!(outcome, Some(Ok(_)))
        })?;
        outcome.unwrap_or_else(|| unreachable!("what is begun runs the work"))
    }

    /// Runs `work`, which says whether it went well, on one consistent view of the database. Compiled once, and not for
    /// each caller.
    fn look(&self, work: &mut dyn FnMut(&Reader<'_>) -> bool) -> Result<(), StoreError> {
        let mut work = |link: Link<'_>| work(&self.reader(link));
        match &self.0.engine {
            Engine::Sqlite(database) => database.read(&mut work),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.read(&mut work),
        }
    }

    /// What reads over a link.
    #[cfg(feature = "approval")]
    fn reader<'a>(&'a self, link: Link<'a>) -> Reader<'a> {
        Reader(link, self.0.guard.get())
    }

    /// What reads over a link.
    #[cfg(not(feature = "approval"))]
    fn reader<'a>(&self, link: Link<'a>) -> Reader<'a> {
        Reader(link)
    }
}

//------------ Reader and Tx -------------------------------------------------

/// One consistent view of the database, and what guards its rows. Each subject's file adds its
/// queries.
pub struct Reader<'a>(Link<'a>, #[cfg(feature = "approval")] Option<&'a guard::Guard>);

impl<'a> Reader<'a> {
    /// Over a link whose rows nobody guards.
    fn unguarded(link: Link<'a>) -> Self {
        Self(
            link,
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
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            return fault.is_disk_full();
        }
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        matches!(kind, Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
    })
}

/// Whether an error, or what caused it, is that the database cannot be used at present: it was taken away,
/// another program has locked it, the disk is read-only or dead, or its server is not reached. Nothing is wrong with
/// what was asked for.
pub fn is_unavailable(error: &(dyn std::error::Error + 'static)) -> bool {
    let system = [libc::ESTALE, libc::EROFS, libc::EIO];
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            return fault.is_unavailable();
        }
        if matches!(cause.downcast_ref(), Some(StoreError::Followed)) {
            return true;
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
        source: Fault,
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
    Copy(#[source] Fault),
    /// Another program has locked it for longer than we wait.
    #[error(
        "another program has locked the database {path} (`fuser -v` names it): what waits is done when it lets go",
        path = path.display()
    )]
    Locked {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: Fault,
    },
    /// No transaction could be started.
    #[error("cannot start a database transaction")]
    Begin(#[source] Fault),
    /// A statement failed.
    #[error("a database statement failed")]
    Statement(#[from] Fault),
    /// The answer to a commit was not heard, and nobody can be asked what became of it.
    #[error(
        "the database went away while the change was made durable, and whether it was is not known yet: look whether it \
         was done before you do it again"
    )]
    Unheard(#[source] Fault),
    /// A commit takes long, or nobody knows what became of it.
    #[error(
        "the server of the database does not confirm a commit, and nothing is written before it does: a synchronous \
         standby may be away; bring it back, or take it out of synchronous_standby_names"
    )]
    Unconfirmed(#[source] Fault),
    /// The database came back with other changes than are served: one that was said to have failed, or those of a standby.
    #[error("the database came back with other changes than are served")]
    Outdated(#[source] Fault),
    /// The server refuses to write.
    #[error("the server of the database refused the last write: {0}")]
    Refused(String),
    /// Its tables are of an earlier version.
    #[error(
        "the database is of an earlier version of gapura: start this version once, then try again"
    )]
    Behind,
    /// Another node publishes since, or the database is another one.
    #[error(
        "another node publishes now, or the database failed over: this node sees who publishes, and the same may be \
         done again in a moment"
    )]
    Superseded(#[source] Fault),
    /// This node follows another one.
    #[error(
        "this node follows another one and changes nothing: make the change at the node that publishes"
    )]
    Followed,
    /// Another daemon works on the database.
    #[error(
        "another gapura works on {0}: stop that one first, or name another database in database.url"
    )]
    Held(String),
    /// The commit failed; nothing of the transaction is kept.
    #[error(
        "the change could not be made durable and was undone: check the disk's free space and health"
    )]
    Commit(#[source] Fault),
    /// Erased data could not be cleared from the file.
    #[error("erased data still lies in the database file, and is cleared from it once a day: {0}")]
    Scrub(String),
    /// A stored value does not read back as what it should be.
    #[error("the database holds a value that does not read back: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the same may be done a moment later with nobody mending anything here: a server comes back.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Held(_) | Self::Superseded(_) | Self::Outdated(_) => true,
            Self::Begin(fault)
            | Self::Statement(fault)
            | Self::Commit(fault)
            | Self::Unheard(fault)
            | Self::Unconfirmed(fault) => fault.may_pass(),
            _ => false,
        }
    }

    /// That a file cannot be opened as a database.
    fn open(path: &Path, source: rusqlite::Error) -> Self {
        Self::Open { path: path.to_owned(), source: source.into() }
    }
}

#[cfg(any(test, feature = "failpoints"))]
impl StoreError {
    /// What SQLite would say of this error of the system; for failpoints.
    pub fn injected(error: std::io::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::StorageFull => rusqlite::ffi::SQLITE_FULL,
            _ => rusqlite::ffi::SQLITE_IOERR,
        };
        Self::Commit(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None).into())
    }
}

#[cfg(any(test, feature = "testing"))]
#[allow(clippy::unwrap_used)] // Helpers of tests.
mod testing;
#[cfg(test)]
mod tests;
