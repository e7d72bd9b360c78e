//! Rows of what changed at promised names, of how far the journals were read for it, and of the links by
//! which owners read it.

use super::sql::{insert, limit, params, row, select, sql, statements};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::queue::Way;
use crate::wire::Name;

row! {
    /// One change of the records of one name.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct NameChangeRow = "name_change" {
        /// The zone.
        [key] pub zone: String,
        /// The place of the change in the zone's journal.
        [key] pub seq: i64,
        /// The name whose records changed.
        [key] pub name: String,
        /// The promised name: this one, or the nearest above it.
        [fixed] pub record: String,
        /// The serial that carries it.
        [fixed] pub serial: u32,
        /// When.
        [fixed] pub at_ms: i64,
        /// By which way it came.
        [fixed] pub way: Way,
        /// The request that made it.
        [fixed] pub request: Option<String>,
        /// The records before, a line each.
        [fixed] pub was: String,
        /// The records after, a line each.
        [fixed] pub now_is: String,
        /// What told the owner.
        pub notice: Option<String>,
    }
}

statements! {
    CHANGES_OF = select::<NameChangeRow>(
        "WHERE record = $1 ORDER BY at_ms DESC, seq DESC, name LIMIT $2");
    PUT_NAME_CHANGE = insert::<NameChangeRow>(&[]);
    HAS_PROMISES = sql("SELECT EXISTS (SELECT 1 FROM live_record WHERE zone = $1)");
    FOLLOWED = sql("SELECT seq FROM followed WHERE zone = $1");
    PUT_FOLLOWED = sql("INSERT INTO followed (zone, seq) VALUES ($1, $2) \
        ON CONFLICT (zone) DO UPDATE SET seq = excluded.seq");
    OWNER_LINK = sql("SELECT name FROM owner_link WHERE token_hash = $1 AND ends_ms > $2");
    DROP_OWNER_LINK = sql("DELETE FROM owner_link WHERE name = $1");
    PUT_OWNER_LINK = sql("INSERT INTO owner_link (name, token_hash, ends_ms) VALUES ($1, $2, $3) \
        ON CONFLICT (name) DO UPDATE SET token_hash = excluded.token_hash, \
        ends_ms = excluded.ends_ms");
}

impl Reader<'_> {
    /// What changed at a promised name and below it, the newest first.
    pub fn changes_of(&self, record: &str, most: usize) -> Result<Vec<NameChangeRow>, StoreError> {
        self.all(CHANGES_OF, params![record, limit(most)])
    }

    /// Whether a zone has a live record.
    pub fn has_promises(&self, zone: &Name) -> Result<bool, StoreError> {
        self.only(HAS_PROMISES, [key(zone)])
    }

    /// How far the journal of a zone was read.
    pub fn followed(&self, zone: &Name) -> Result<Option<i64>, StoreError> {
        self.one(FOLLOWED, [key(zone)])
    }

    /// The name whose history a link shows, if it can still be used.
    pub fn owner_link(&self, token_hash: &str, now_ms: i64) -> Result<Option<String>, StoreError> {
        self.one(OWNER_LINK, params![token_hash, now_ms])
    }
}

impl Tx<'_> {
    /// Adds a change of a name.
    pub fn put_name_change(&self, row: &NameChangeRow) -> Result<(), StoreError> {
        self.put(PUT_NAME_CHANGE, row, &[])
    }

    /// Keeps how far the journal of a zone was read.
    pub fn put_followed(&self, zone: &Name, seq: i64) -> Result<(), StoreError> {
        self.run(PUT_FOLLOWED, params![key(zone), seq]).map(drop)
    }

    /// Keeps the link to the history of a name, in the place of the one before.
    pub fn put_owner_link(
        &self,
        name: &str,
        token_hash: &str,
        ends_ms: i64,
    ) -> Result<(), StoreError> {
        self.run(PUT_OWNER_LINK, params![name, token_hash, ends_ms]).map(drop)
    }

    /// Ends the link to the history of a name.
    pub fn drop_owner_link(&self, name: &str) -> Result<(), StoreError> {
        self.run(DROP_OWNER_LINK, [name]).map(drop)
    }
}
