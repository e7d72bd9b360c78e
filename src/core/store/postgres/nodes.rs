//! One node publishes, the others follow: the lock, the number, the beat.
//!
//! The lock is held by the session that writes, so that whoever takes it knows that nothing of its holder before can be
//! committed any more. The number says it once more inside of each transaction, whatever became of the session.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tokio_postgres::types::ToSql;

use super::fault::Fault;
use super::session::{Session, failed, waited};
use super::{Database, HOLDING, PAUSE, TURN_MAX, WRITING, schema};
use crate::lock::lock;
use crate::store::nodes::{Node, PublishingNode, Seat};
use crate::store::value::Value;
use crate::store::{Address, StoreError};
use crate::text::with_causes;

/// How long a start waits for the lock: whoever has just died may still be said to hold it.
const START_MAX: Duration = Duration::from_secs(2);
/// How long a beat or a look may take.
const BEAT_MAX: Duration = Duration::from_secs(4);
/// Octets of a token.
const TOKEN_OCTETS: usize = 32;

/// How a session that publishes is called, so that nobody else's is ended.
const PUBLISHES: &str = "gapura (publishes)";

/// Tells those who follow, when the transaction is committed.
const TELL: &str = "SELECT pg_notify(current_schema(), '')";
/// The number is raised with the names of whoever has it from now on.
const RAISE: &str = "INSERT INTO publishing (one, number, node, url, token, beat_ms) \
    VALUES (1, 1, $1, $2, $3, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) \
    ON CONFLICT (one) DO UPDATE SET number = publishing.number + 1, node = excluded.node, \
    url = excluded.url, token = excluded.token, beat_ms = excluded.beat_ms RETURNING number";
/// The number that counts.
const NUMBER: &str = "SELECT number FROM publishing";
/// The beat of whoever still has the number.
const BEAT: &str = "UPDATE publishing SET \
    beat_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint WHERE number = $1";
/// Who publishes, and whether the lock is held.
const SEAT: &str = "SELECT p.number, p.node, p.url, p.token, p.beat_ms, EXISTS (\
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND classid::bigint = $1::int4 AND objid::bigint = hashtext($2)::bigint & 4294967295) \
    FROM (SELECT 1) AS one LEFT JOIN publishing p ON true";
/// Ends the sessions that hold the lock of the daemon or that of writers as one that publishes, waiting a second for each.
const UNSEAT: &str = "SELECT bool_and(pg_terminate_backend(l.pid, 1000)) FROM \
    (SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 \
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND classid::bigint IN ($1::int4, $2::int4) \
    AND objid::bigint = hashtext($3)::bigint & 4294967295) AS l \
    JOIN pg_stat_activity a ON a.pid = l.pid AND a.application_name = $4";

//------------ Publishing ----------------------------------------------------

impl Database {
    /// Opens the database to publish from here: the lock comes first, then the tables are brought up to date.
    pub(in crate::store) fn publish(address: &Address, node: &Node) -> Result<Self, StoreError> {
        let database = Self::reached(address)?;
        {
            let mut writer = lock(&database.writer);
            let session = database.session(&mut writer)?;
            database.take(session, None, START_MAX)?;
            schema::warn_of_risk(session)?;
            schema::bring_up(&database, session)?;
            database.raise(session, node)?;
            writer.identity = Some(schema::identity(session, &address.schema)?);
            writer.is_holder = true;
        }
        Ok(database)
    }

    /// Opens the database to follow whoever publishes; nothing is made or brought up to date.
    pub(in crate::store) fn follow(address: &Address) -> Result<Self, StoreError> {
        let database = Self::reached(address)?;
        {
            let mut writer = lock(&database.writer);
            let session = database.session(&mut writer)?;
            if schema::is_absent(session)? || !schema::is_up_to_date(&database, session)? {
                return Err(StoreError::Behind);
            }
        }
        Ok(database)
    }

    /// The number that this process publishes with.
    pub(in crate::store) fn number(&self) -> Option<i64> {
        // No number is 0.
        Some(self.number.load(Ordering::Relaxed)).filter(|number| *number != 0)
    }

    /// Whether this process published and must not any more.
    pub(in crate::store) fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::Relaxed)
    }

    /// Raises the number, with the names of this node.
    fn raise(&self, session: &mut Session, node: &Node) -> Result<(), StoreError> {
        let mut token = [0; TOKEN_OCTETS];
        let random = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut token);
        random
            .map_err(|_| failed(Fault::Unfit("the system gives no random numbers".to_owned())))?;
        let turn = session.begin_write(self).map_err(failed)?;
        schema::lock_writers(&turn, &self.address.schema)?;
        // A standby that lacks it makes nobody publish who must not: whoever is not on its line of history begins anew.
        turn.batch("SET LOCAL synchronous_commit = local")?;
        let url = node.url.as_deref().map_or(Value::Null, |url| Value::Text(url.into()));
        let values =
            [Value::Text(node.name.as_str().into()), url, Value::Octets(token.as_slice().into())];
        let rows = turn.rows(RAISE, &values).map_err(failed)?;
        let number: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
        turn.commit().map_err(|fault| StoreError::Commit(fault.into()))?;
        session.batch(&format!("SET application_name = '{PUBLISHES}'")).map_err(failed)?;
        self.number.store(number.unwrap_or_default(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes the daemon's lock, waiting for a while; with a number, as long as that is still the one that counts.
    pub(super) fn take(
        &self,
        session: &Session,
        number: Option<i64>,
        most: Duration,
    ) -> Result<(), StoreError> {
        let begun = Instant::now();
        loop {
            let is_taken = self.try_to_take(session)?;
            if let Some(number) = number {
                let found: i64 = session.value(NUMBER, &[]).map_err(failed)?;
                self.see_number(number, found)?;
            }
            if is_taken {
                return Ok(());
            }
            if begun.elapsed() > most {
                return Err(StoreError::Held(self.address.to_string()));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Takes the lock again on a session in the place of one that has ended.
    pub(super) fn take_again(&self, session: &Session) -> Result<(), StoreError> {
        self.take(session, self.number(), TURN_MAX)?;
        if self.number().is_some() {
            session.batch(&format!("SET application_name = '{PUBLISHES}'")).map_err(failed)?;
        }
        Ok(())
    }

    /// Sees that the number that counts is our own.
    fn see_number(&self, own: i64, found: i64) -> Result<(), StoreError> {
        if own == found {
            return Ok(());
        }
        self.is_superseded.store(true, Ordering::Relaxed);
        Err(StoreError::Superseded(Fault::Anew.into()))
    }

    /// Sees inside of a transaction, behind the lock of writers, that nobody else publishes.
    pub(super) fn see_that_it_publishes(&self, turn: &super::Turn<'_>) -> Result<(), StoreError> {
        let Some(own) = self.number() else { return Ok(()) };
        let rows = turn.rows(NUMBER, &[]).map_err(|fault| StoreError::Begin(fault.into()))?;
        let found: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
        self.see_number(own, found.unwrap_or_default())
    }

    /// Writes that this process lives, on a session of its own: a long transaction is none of its business. The session
    /// that writes is replaced meanwhile if it has ended, so that the lock is not free for long.
    pub(in crate::store) fn beat(&self) {
        let fault = self.try_to_beat().err().map(|error| with_causes(&error));
        *lock(&self.beat_fault) = fault;
    }

    /// Why the last beat failed.
    pub(in crate::store) fn beat_fault(&self) -> Option<String> {
        lock(&self.beat_fault).clone()
    }

    /// One beat.
    fn try_to_beat(&self) -> Result<(), StoreError> {
        let Some(own) = self.number() else { return Ok(()) };
        let values: &[&(dyn ToSql + Sync)] = &[&own];
        let beaten =
            self.on_heart(|session| waited(BEAT_MAX, session.client.execute(BEAT, values)))?;
        if beaten == 0 {
            return self.see_number(own, 0);
        }
        // A session whose commit is in doubt has the lock still: another one would wait for it.
        if let Ok(mut writer) = self.writer.try_lock()
            && self.settle_doubt().is_ok()
        {
            self.session(&mut writer)?;
            self.see_that_all_is_served()?;
        }
        Ok(())
    }

    /// Runs something short on the session for it, which is replaced if that fails.
    fn on_heart<T>(
        &self,
        work: impl FnOnce(&Session) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut heart = lock(&self.heart);
        let session = match heart.take().filter(|session| !session.is_closed()) {
            Some(session) => session,
            None => self.connect()?,
        };
        let done = work(&session).map_err(failed)?;
        *heart = Some(session);
        Ok(done)
    }
}

impl super::Turn<'_> {
    /// Tells those who follow, once it is committed: once, however much is in it.
    pub(in crate::store) fn tell_followers(&self) -> Result<(), StoreError> {
        if self.is_told.replace(true) { Ok(()) } else { self.run(TELL, &[]).map(drop) }
    }
}

//------------ Following -----------------------------------------------------

impl Database {
    /// Looks at who publishes.
    pub(in crate::store) fn seat(&self) -> Result<Seat, StoreError> {
        let values: &[&(dyn ToSql + Sync)] = &[&HOLDING, &self.address.schema];
        let row =
            self.on_heart(|session| waited(BEAT_MAX, session.client.query_one(SEAT, values)))?;
        let number: Option<i64> = row.try_get(0)?;
        let publishing = number.map(|number| {
            Ok::<_, tokio_postgres::Error>(PublishingNode {
                number,
                name: row.try_get(1)?,
                url: row.try_get(2)?,
                token: row.try_get(3)?,
            })
        });
        let beat_ms: Option<i64> = row.try_get(4)?;
        Ok(Seat {
            publishing: publishing.transpose()?,
            beat_ms: beat_ms.unwrap_or_default(),
            is_held: row.try_get(5)?,
        })
    }

    /// Ends the sessions of whoever publishes; returns whether they have ended, none if there were none.
    pub(in crate::store) fn unseat(&self) -> Result<Option<bool>, StoreError> {
        let values: &[&(dyn ToSql + Sync)] =
            &[&HOLDING, &WRITING, &self.address.schema, &PUBLISHES];
        let row =
            self.on_heart(|session| waited(BEAT_MAX, session.client.query_one(UNSEAT, values)))?;
        Ok(row.try_get(0)?)
    }
}

/// Hears of what is committed; it ends with its session.
pub(in crate::store) struct Listener {
    /// What was heard.
    news: Receiver<()>,
    /// The session.
    _session: Session,
}

impl Listener {
    /// Waits for news, so long at most; true if there are some, none if the session has ended.
    pub(in crate::store) fn wait(&self, most: Duration) -> Option<bool> {
        match self.news.recv_timeout(most) {
            Ok(()) => {
                // One look takes in all there is.
                while self.news.try_recv().is_ok() {}
                Some(true)
            }
            Err(RecvTimeoutError::Timeout) => Some(false),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Database {
    /// Listens to what is committed.
    pub(in crate::store) fn listen(&self) -> Result<Listener, StoreError> {
        let (told, news) = channel();
        let schema = &self.address.schema;
        let client = self.driver.connect_to_hear(&self.address, Some(told));
        let session = client.and_then(|client| Session::new(client, schema));
        let session = session.map_err(|fault| StoreError::Begin(fault.into()))?;
        session.batch(&format!("LISTEN {schema}")).map_err(failed)?;
        Ok(Listener { news, _session: session })
    }
}
