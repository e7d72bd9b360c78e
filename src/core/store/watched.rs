//! Rows of what is seen of the targets of names.

use super::sql::{limit, params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// One name that is watched.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct WatchRow = "watch" {
        /// The name.
        [key] pub name: String,
        /// The zone.
        [fixed] pub zone: String,
        /// What it points at, a line each.
        pub targets: String,
        /// Between two looks.
        pub every_ms: i64,
        /// When to look next.
        pub next_ms: i64,
        /// When it was looked at last.
        pub looked_ms: Option<i64>,
        /// What was found last, a line each target: the word and the target.
        pub found: String,
        /// Strikes.
        pub strikes: u32,
        /// When the last one was.
        pub struck_ms: Option<i64>,
        /// Since when something is wrong.
        pub since_ms: Option<i64>,
        /// When it was first seen claimable.
        pub claimable_ms: Option<i64>,
        /// Whether officers must act at once.
        pub urgent: bool,
        /// The suspension that was asked for.
        pub request: Option<String>,
    }
}

statements! {
    WATCH = select::<WatchRow>("WHERE name = $1");
    WATCHES_AFTER = select::<WatchRow>("WHERE name > $1 ORDER BY name LIMIT $2");
    WATCHES_DUE = select::<WatchRow>("WHERE next_ms <= $1 ORDER BY next_ms, name LIMIT $2");
    WATCHES_WRONG = select::<WatchRow>("WHERE (strikes > 0 OR claimable_ms IS NOT NULL) \
        ORDER BY urgent DESC, strikes DESC, name LIMIT $1");
    WITNESSES = select::<WatchRow>("WHERE strikes = 0 AND claimable_ms IS NULL \
        AND looked_ms IS NOT NULL AND next_ms > $1 ORDER BY looked_ms DESC LIMIT $2");
    WATCH_COUNTS = sql("SELECT count(*), count(CASE WHEN strikes > 0 THEN 1 END), \
        count(claimable_ms), count(CASE WHEN urgent = 1 THEN 1 END) FROM watch");
    PUT_WATCH = upsert::<WatchRow>(&[]);
    DROP_WATCH = sql("DELETE FROM watch WHERE name = $1");
}

/// How many names are watched, and how many of them have something held against them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct WatchCounts {
    /// Names that are watched.
    pub watched: u64,
    /// Names with strikes.
    pub struck: u64,
    /// Names whose target a stranger could claim.
    pub claimable: u64,
    /// Those of them for which officers must act at once.
    pub urgent: u64,
}

impl Reader<'_> {
    /// What is seen of a name.
    pub fn watch(&self, name: &str) -> Result<Option<WatchRow>, StoreError> {
        self.one(WATCH, [name])
    }

    /// Watched names after a name.
    pub fn watches_after(&self, name: &str, most: usize) -> Result<Vec<WatchRow>, StoreError> {
        self.all(WATCHES_AFTER, params![name, limit(most)])
    }

    /// Names to be looked at now, the longest due first.
    pub fn watches_due(&self, now_ms: i64, most: usize) -> Result<Vec<WatchRow>, StoreError> {
        self.all(WATCHES_DUE, params![now_ms, limit(most)])
    }

    /// Names with something held against them, the most urgent first.
    pub fn watches_wrong(&self, most: usize) -> Result<Vec<WatchRow>, StoreError> {
        self.all(WATCHES_WRONG, [limit(most)])
    }

    /// Names that answered when they were looked at last and are not due, the last looked at first.
    pub fn watch_witnesses(&self, now_ms: i64, most: usize) -> Result<Vec<WatchRow>, StoreError> {
        self.all(WITNESSES, params![now_ms, limit(most)])
    }

    /// How many names are watched.
    pub fn watch_counts(&self) -> Result<WatchCounts, StoreError> {
        let (watched, struck, claimable, urgent) = self.only(WATCH_COUNTS, [])?;
        Ok(WatchCounts { watched, struck, claimable, urgent })
    }
}

impl Tx<'_> {
    /// Keeps what is seen of a name.
    pub fn put_watch(&self, row: &WatchRow) -> Result<(), StoreError> {
        self.put(PUT_WATCH, row, &[])
    }

    /// Watches a name no more.
    pub fn drop_watch(&self, name: &str) -> Result<(), StoreError> {
        self.run(DROP_WATCH, [name]).map(drop)
    }
}
