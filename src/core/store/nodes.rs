//! Nodes: several gapura on one server. One publishes, all others follow and write nothing.
//!
//! ```text
//! publishes  holds the daemon's lock on the session that writes ─► number raised ─► every transaction sees that the
//!            number is still its own ─► beats
//! follows    looks: is the lock held, does the beat go on? ─► if not: ends the holder's sessions, takes the lock
//! ```
//! No node's clock decides: a beat is a value that changes, and whoever follows counts its own looks. A file has one
//! node, and neither number nor beat.

use std::time::Duration;

#[cfg(feature = "postgres")]
use super::postgres;
use super::sql::{FromRow, params, sql, statements};
use super::zones::key;
use super::{Engine, Reader, Store, StoreError, Tx};
use crate::wire::Name;

/// Between two beats.
#[cfg(feature = "postgres")]
const BEAT: Duration = Duration::from_secs(2);

//------------ Node ----------------------------------------------------------

/// This node, as the others know it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node {
    /// Its name, which no other one has.
    pub name: String,
    /// Where the others reach its pages.
    pub url: Option<String>,
}

/// The node that publishes.
#[derive(Clone, Eq, PartialEq)]
pub struct PublishingNode {
    /// Its number, above those of all publishers before it.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// Where the others reach its pages; none: they cannot be forwarded to.
    pub url: Option<String>,
    /// What another node shows it, to be believed about a visitor's address.
    pub token: Vec<u8>,
}

impl std::fmt::Display for PublishingNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.url.iter().try_for_each(|url| write!(f, " ({url})"))
    }
}

impl std::fmt::Debug for PublishingNode {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublishingNode({self}, {})", self.number)
    }
}

/// What a node that follows sees of the one that publishes.
#[derive(Clone, Debug)]
pub struct Seat {
    /// Who published last.
    pub publishing: Option<PublishingNode>,
    /// The last beat; only whether it changes means anything.
    pub beat_ms: i64,
    /// Whether the lock is held.
    pub is_held: bool,
}

statements! {
    PUBLISHING = sql("SELECT number, node, url, token FROM publishing");
    SERVED = sql("SELECT name, source FROM served_zone ORDER BY name");
    PUT_SERVED = sql("INSERT INTO served_zone (name, source) VALUES ($1, $2) \
        ON CONFLICT (name) DO UPDATE SET source = excluded.source");
    DROP_SERVED = sql("DELETE FROM served_zone WHERE name = $1");
    HEADS = sql("SELECT name, serial, changed_ms, copy_seq FROM zone");
}

//------------ Who publishes -------------------------------------------------

impl Store {
    /// The node that publishes, or did so last; none in a file.
    pub fn publishing(&self) -> Result<Option<PublishingNode>, StoreError> {
        self.read(|reader| reader.publishing())
    }

    /// The number that this process publishes with; none in a file, or if it does not publish.
    pub fn publisher_number(&self) -> Option<i64> {
        match &self.0.engine {
            Engine::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.number(),
        }
    }

    /// Whether other nodes may follow: the tables are on a server.
    pub fn is_shared(&self) -> bool {
        !matches!(&self.0.engine, Engine::Sqlite(_))
    }

    /// Shows those who follow that this process lives, for as long as the database is open: a start and a stop may take
    /// longer than a dead publisher is waited for.
    #[cfg(feature = "postgres")]
    pub(super) fn keep_beating(&self) -> Result<(), StoreError> {
        let weak = std::sync::Arc::downgrade(&self.0);
        let beat = move || {
            while let Some(inner) = weak.upgrade() {
                let store = Self(inner);
                if store.is_left() {
                    return;
                }
                if let Engine::Postgres(database) = &store.0.engine {
                    database.beat();
                }
                drop(store);
                std::thread::sleep(BEAT);
            }
        };
        let started = std::thread::Builder::new().name("beat".to_owned()).spawn(beat);
        started.map(drop).map_err(|error| {
            let why = format!("no thread to beat with: {error}");
            StoreError::Begin(postgres::Fault::Connect(why).into())
        })
    }

    /// Why those who follow may not see that this process lives.
    pub fn beat_fault(&self) -> Option<String> {
        match &self.0.engine {
            Engine::Sqlite(_) => None,
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.beat_fault(),
        }
    }

    /// Whether the database has what this process does not serve, so that all is to be read anew.
    pub fn is_outdated(&self) -> bool {
        match &self.0.engine {
            Engine::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.is_outdated(),
        }
    }

    /// Whether this process published and another one does now.
    pub fn is_superseded(&self) -> bool {
        match &self.0.engine {
            Engine::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.is_superseded(),
        }
    }

    /// Whether it is only followed: nothing is written.
    pub fn is_followed(&self) -> bool {
        self.0.is_followed
    }

    /// How the publishing node is; none in a file.
    pub fn seat(&self) -> Result<Option<Seat>, StoreError> {
        match &self.0.engine {
            Engine::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.seat().map(Some),
        }
    }

    /// Ends the sessions of a publishing node that does not beat any more, so that its lock is free and nothing of it
    /// can be committed. Returns whether they have ended; none: there were none.
    pub fn unseat(&self) -> Result<Option<bool>, StoreError> {
        match &self.0.engine {
            Engine::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.unseat(),
        }
    }
}

//------------ Listening -----------------------------------------------------

/// Hears of what other nodes commit.
pub struct Listener(#[cfg(feature = "postgres")] postgres::Listener);

impl Store {
    /// Listens to what is committed; none in a file.
    pub fn listen(&self) -> Result<Option<Listener>, StoreError> {
        match &self.0.engine {
            Engine::Sqlite(_) => Ok(None),
            #[cfg(feature = "postgres")]
            Engine::Postgres(database) => database.listen().map(|it| Some(Listener(it))),
        }
    }
}

impl Listener {
    /// Waits for news, so long at most; true if there are some, none if nothing can be heard any more.
    pub fn wait(&self, most: Duration) -> Option<bool> {
        #[cfg(feature = "postgres")]
        return self.0.wait(most);
        #[cfg(not(feature = "postgres"))]
        {
            std::thread::sleep(most);
            None
        }
    }
}

//------------ What is served ------------------------------------------------

/// What tells one state of a zone's rows from another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ZoneHead {
    /// The live serial.
    pub serial: u32,
    /// When it was published.
    pub changed_ms: i64,
    /// The change up to which the full copy holds.
    pub copy_seq: Option<i64>,
}

impl Reader<'_> {
    /// The node that publishes, or did so last; none in a file.
    pub fn publishing(&self) -> Result<Option<PublishingNode>, StoreError> {
        let found: Option<((i64, String), (Option<String>, Vec<u8>))> = self.one(PUBLISHING, [])?;
        let node = |((number, name), (url, token))| PublishingNode { number, name, url, token };
        Ok(found.map(node))
    }

    /// The zones that the publisher serves, by their keys, with where each comes from.
    pub fn served_zones(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.all(SERVED, [])
    }

    /// Hands the key and the head of each zone that was ever published to `sink`.
    pub fn zone_heads(&self, mut sink: impl FnMut(String, ZoneHead)) -> Result<(), StoreError> {
        self.each(HEADS, [], |row| {
            let ((name, serial), (changed_ms, copy_seq)) = FromRow::read(row, 0)?;
            sink(name, ZoneHead { serial, changed_ms, copy_seq });
            Ok(true)
        })
    }

    /// The key of a zone in [`served_zones`](Self::served_zones) and [`zone_heads`](Self::zone_heads).
    pub fn zone_key(zone: &Name) -> String {
        key(zone)
    }
}

impl Tx<'_> {
    /// Writes where a served zone comes from.
    pub fn put_served_zone(&self, key: &str, source: &str) -> Result<(), StoreError> {
        self.run(PUT_SERVED, params![key, source]).map(drop)
    }

    /// A zone is not served any more.
    pub fn drop_served_zone(&self, key: &str) -> Result<(), StoreError> {
        self.run(DROP_SERVED, params![key]).map(drop)
    }

    /// Tells those who follow, once it is committed, that there is something new.
    pub fn tell_followers(&self) -> Result<(), StoreError> {
        self.0.0.tell_followers()
    }
}
