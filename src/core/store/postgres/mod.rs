//! The engine PostgreSQL: a schema of its own in a database on a server.
//!
//! ```text
//! write  one session, one transaction at a time ─► lock of all writers ─► work ─► commit ─► outcome, asked for if unheard
//! read   one of a few sessions ─► REPEATABLE READ, READ ONLY ─► work ─► session back
//! ```
//! The lock of writers is the first thing a transaction takes, so that nobody among ourselves can fail to serialize. A
//! session that has ended is replaced at the next beginning: when a server comes back, nobody has to be told. A commit
//! whose answer was not heard is looked up by the number of its transaction.

mod address;
mod commit;
mod dialect;
mod driver;
mod fault;
#[cfg(feature = "approval")]
mod guard;
mod nodes;
mod schema;
mod session;
mod tls;
#[cfg(feature = "approval")]
mod upkeep;
mod value;
mod wait;

pub use address::Address;
pub use fault::Fault;
pub(super) use nodes::Listener;
pub(super) use session::Turn;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use commit::Unconfirmed;
use driver::Driver;
use session::{ALIVE_MAX, Session, failed};

use super::StoreError;
use super::engine::Link;
use crate::lock::lock;

/// Sessions that read at once; whoever needs one more waits for a while.
const READERS_MAX: usize = 16;
/// Sessions that are kept for the next reader.
const IDLE_READERS_MAX: usize = 4;
/// How long a reader waits for a sign of life of a session that was idle.
const READER_ALIVE_MAX: Duration = Duration::from_secs(2);
/// How long a reader waits for a session.
const TURN_MAX: Duration = Duration::from_secs(10);
/// Between two tries of something that is waited for.
const PAUSE: Duration = Duration::from_millis(200);

/// The numbers of our locks among the advisory ones, each with the schema.
const WRITING: i32 = 0x6761_7001;
/// The daemon's lock, as long as it lives.
const HOLDING: i32 = 0x6761_7002;

/// An open database on a server.
pub(super) struct Database {
    /// Where it is.
    pub(super) address: Address,
    /// The one session that writes.
    writer: Mutex<Writer>,
    /// The sessions that read.
    readers: Mutex<Readers>,
    /// Told when a reader's session is free.
    free: Condvar,
    /// The number that this process publishes with; 0: none (`nodes`).
    number: AtomicI64,
    /// Whether another node has raised the number since.
    is_superseded: AtomicBool,
    /// Whether the database has what this process does not serve: all has to be read anew.
    is_outdated: AtomicBool,
    /// The commit that the server does not confirm.
    unconfirmed: Unconfirmed,
    /// Why the server refused the last write, if it would refuse others for it, too.
    refusal: Mutex<Option<String>>,
    /// The session that beats, or looks whether another one does.
    heart: Mutex<Option<Session>>,
    /// Why the last beat failed.
    beat_fault: Mutex<Option<String>>,
    /// Runs the connections; the last to go.
    driver: Driver,
}

/// The session that writes, and what is known of it.
#[derive(Default)]
pub(super) struct Writer {
    /// The session, while there is one.
    session: Option<Session>,
    /// Whether it keeps every other daemon off the database.
    is_holder: bool,
    /// Whether it notes the rows it touches.
    is_guarded: bool,
    /// Which database it is, once it is held.
    identity: Option<String>,
}

/// The sessions that read.
#[derive(Default)]
struct Readers {
    /// Those that wait for the next.
    idle: Vec<Session>,
    /// How many there are, with those in use.
    count: usize,
}

//------------ Opening -------------------------------------------------------

impl Database {
    /// Opens the database, making its schema and bringing its tables up to date.
    pub(super) fn open(address: &Address) -> Result<Self, StoreError> {
        let database = Self::reached(address)?;
        {
            let mut writer = lock(&database.writer);
            let session = database.session(&mut writer)?;
            schema::warn_of_risk(session)?;
            schema::bring_up(&database, session)?;
        }
        Ok(database)
    }

    /// Reaches the server, and changes nothing.
    pub(super) fn reached(address: &Address) -> Result<Self, StoreError> {
        let driver = Driver::start().map_err(|error| {
            failed(Fault::Connect(format!("no thread for PostgreSQL: {error}")))
        })?;
        let database = Self {
            address: address.clone(),
            writer: Mutex::default(),
            readers: Mutex::default(),
            free: Condvar::new(),
            number: AtomicI64::new(0),
            is_superseded: AtomicBool::new(false),
            is_outdated: AtomicBool::new(false),
            unconfirmed: Unconfirmed::default(),
            refusal: Mutex::default(),
            heart: Mutex::default(),
            beat_fault: Mutex::default(),
            driver,
        };
        let session = database.connect()?;
        schema::see_that_it_fits(&session)?;
        lock(&database.writer).session = Some(session);
        Ok(database)
    }

    /// Whether there are none of our tables.
    pub(super) fn is_absent(&self) -> Result<bool, StoreError> {
        let mut writer = lock(&self.writer);
        schema::is_absent(self.session(&mut writer)?)
    }

    /// Which database it is: another one after a restore and after a fail-over, which may have lost the newest changes.
    pub(super) fn identity(&self) -> Result<String, StoreError> {
        let lent = self.lend()?;
        let session = lent.session.as_ref().ok_or_else(|| failed(Fault::Busy))?;
        schema::identity(session, &self.address.schema)
    }

    /// Keeps every other daemon off the database as long as this is open.
    pub(super) fn hold(&self) -> Result<(), StoreError> {
        let mut writer = lock(&self.writer);
        writer.is_holder = true;
        let session = self.session(&mut writer)?;
        self.take(session, None, TURN_MAX)?;
        writer.identity = Some(schema::identity(session, &self.address.schema)?);
        Ok(())
    }

    /// Whether no other daemon holds the database at this moment.
    pub(super) fn is_free(&self) -> Result<bool, StoreError> {
        let mut writer = lock(&self.writer);
        // What is taken here goes with the session.
        self.try_to_take(self.session(&mut writer)?)
    }

    /// Ends the session that writes, and with it what it holds.
    pub(super) fn leave(&self, leave: impl FnOnce()) {
        let mut writer = lock(&self.writer);
        leave();
        writer.is_holder = false;
        if let Some(session) = writer.session.take() {
            // The server ends it at the latest when this process does.
            let _ = session.batch_within(ALIVE_MAX, "SELECT pg_advisory_unlock_all()");
        }
    }

    /// Takes the lock that keeps other daemons off, if it is free.
    fn try_to_take(&self, session: &Session) -> Result<bool, StoreError> {
        let text = "SELECT pg_try_advisory_lock($1, hashtext($2))";
        let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] =
            &[&HOLDING, &self.address.schema];
        session.value(text, values).map_err(failed)
    }

    /// A new session.
    fn connect(&self) -> Result<Session, StoreError> {
        let client = self.driver.connect(&self.address);
        let session = client.and_then(|client| Session::new(client, &self.address.schema));
        session.map_err(|fault| StoreError::Begin(fault.into()))
    }

    /// The session that writes: the one there is, or a new one in its place.
    fn session<'w>(&self, writer: &'w mut Writer) -> Result<&'w mut Session, StoreError> {
        if writer.session.as_ref().is_some_and(Session::is_closed) {
            writer.session = None;
        }
        if writer.session.is_none() {
            let session = self.connect()?;
            if writer.is_holder {
                self.take_again(&session)?;
                self.see_that_it_is_the_same(writer, &session)?;
            }
            #[cfg(feature = "approval")]
            if writer.is_guarded {
                guard::note_rows(&session).map_err(failed)?;
            }
            writer.session = Some(session);
        }
        writer.session.as_mut().ok_or_else(|| failed(Fault::Busy))
    }
}

//------------ What a server that was away comes back with ---------------------

impl Database {
    /// Sees that a session in the place of one that has ended leads to the same history: a standby that took over may lack
    /// the newest changes, and so may a backup.
    fn see_that_it_is_the_same(
        &self,
        writer: &Writer,
        session: &Session,
    ) -> Result<(), StoreError> {
        let found = schema::identity(session, &self.address.schema)?;
        if writer.identity.as_ref().is_some_and(|known| *known != found) {
            self.is_outdated.store(true, Ordering::Relaxed);
        }
        self.see_that_all_is_served()
    }

    /// Refuses writes once the database has what is not served here.
    fn see_that_all_is_served(&self) -> Result<(), StoreError> {
        if self.is_superseded() {
            return Err(StoreError::Superseded(Fault::Anew.into()));
        }
        if self.is_outdated() { Err(StoreError::Outdated(Fault::Anew.into())) } else { Ok(()) }
    }

    /// Whether the database has what this process does not serve.
    pub(super) fn is_outdated(&self) -> bool {
        self.is_outdated.load(Ordering::Relaxed)
    }

    /// What keeps us from writing, as far as is known. Nobody is waited for.
    pub(super) fn locked_out(&self) -> Option<StoreError> {
        if let Err(outdated) = self.see_that_all_is_served() {
            return Some(outdated);
        }
        self.unconfirmed.any().or_else(|| lock(&self.refusal).clone().map(StoreError::Refused))
    }

    /// Takes note of a fault of a write.
    fn note(&self, fault: &Fault) {
        if fault.is_of_the_server() {
            *lock(&self.refusal) = Some(fault.to_string());
        }
    }
}

#[cfg(any(test, feature = "testing"))]
impl Database {
    /// Does what somebody else does who can reach the database.
    pub(super) fn tamper(&self, sql: &str) {
        crate::store::testing::server::tamper(&self.address.schema, sql);
    }
}

#[cfg(test)]
impl Database {
    /// The statements of a text that do not fit the tables, and what the server says of them.
    pub(super) fn see_that_it_prepares(&self, sql: &str) -> Result<usize, StoreError> {
        let mut writer = lock(&self.writer);
        let turn = self.session(&mut writer)?.begin_read(self).map_err(failed)?;
        turn.parameter_count(sql).map_err(failed)
    }
}

//------------ Writing -------------------------------------------------------

impl Database {
    /// Runs `work` in one transaction, if `may` allows it once the writer is ours; what it did is kept if it says so.
    pub(super) fn write(
        &self,
        may: &dyn Fn() -> Result<(), StoreError>,
        work: &mut dyn FnMut(Link<'_>) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        if let Some(slow) = self.unconfirmed.slow() {
            return Err(slow);
        }
        let mut writer = lock(&self.writer);
        may()?;
        self.settle_doubt()?;
        self.see_that_all_is_served()?;
        let (turn, number) = self.begin(&mut writer)?;
        if !work(Link::Postgres(&turn))? {
            return Ok(false);
        }
        let _waiting = self.unconfirmed.begin();
        match turn.commit() {
            Ok(()) => {
                *lock(&self.refusal) = None;
                Ok(true)
            }
            // The server has undone it.
            Err(fault) if !fault.ends_session() => {
                self.note(&fault);
                Err(StoreError::Commit(fault.into()))
            }
            Err(fault) => {
                writer.session = None;
                self.outcome_of(number, fault)?;
                Ok(true)
            }
        }
    }

    /// Begins a transaction with the lock of writers; returns it with its number. A session that has ended unnoticed
    /// shows it here, before anything was done, and another one takes its place.
    fn begin<'w>(&'w self, writer: &'w mut Writer) -> Result<(Turn<'w>, String), StoreError> {
        if writer.session.as_ref().is_some_and(|session| !session.is_alive(ALIVE_MAX)) {
            writer.session = None;
        }
        let session = self.session(writer)?;
        let turn = session.begin_write(self).map_err(|fault| StoreError::Begin(fault.into()))?;
        let number = self.lock_out_others(&turn)?;
        self.see_that_it_publishes(&turn)?;
        Ok((turn, number))
    }

    /// Takes the lock of writers until the end of a transaction; returns its number.
    fn lock_out_others(&self, turn: &Turn<'_>) -> Result<String, StoreError> {
        schema::lock_writers(turn, &self.address.schema)
    }
}

//------------ Reading -------------------------------------------------------

impl Database {
    /// Runs `work` on one consistent view.
    pub(super) fn read(&self, work: &mut dyn FnMut(Link<'_>) -> bool) -> Result<(), StoreError> {
        let mut lent = self.lend()?;
        let session = lent.session.as_mut().ok_or_else(|| failed(Fault::Busy))?;
        let turn = session.begin_read(self).map_err(|fault| StoreError::Begin(fault.into()))?;
        work(Link::Postgres(&turn));
        Ok(())
    }

    /// A session for a reader, seen to be alive.
    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let mut readers = lock(&self.readers);
        let begun = Instant::now();
        while readers.count >= READERS_MAX {
            let left = TURN_MAX.checked_sub(begun.elapsed());
            let left = left.ok_or_else(|| failed(Fault::Busy))?;
            readers = match self.free.wait_timeout(readers, left) {
                Ok((readers, _)) => readers,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        readers.count += 1;
        let idle = readers.idle.pop();
        drop(readers);
        let mut lent = Lent { database: self, session: None };
        // A server that was started anew has ended all of them, and not everyone knows it yet.
        lent.session = match idle {
            Some(session) if session.is_alive(READER_ALIVE_MAX) => Some(session),
            Some(_) => {
                lock(&self.readers).idle.clear();
                Some(self.connect()?)
            }
            None => Some(self.connect()?),
        };
        Ok(lent)
    }
}

/// A session that a reader has; it goes back, if it can be used again.
struct Lent<'d> {
    /// Whose.
    database: &'d Database,
    /// The session.
    session: Option<Session>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut readers = lock(&self.database.readers);
        readers.count -= 1;
        let usable = self.session.take().filter(|session| !session.is_closed());
        if readers.idle.len() < IDLE_READERS_MAX {
            readers.idle.extend(usable);
        }
        self.database.free.notify_one();
    }
}
