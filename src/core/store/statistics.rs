//! Rows of the room `statistics`: sums of queries by time, names asked for most, queries per live name.

use super::sql::{limit, params, row, select, sql, statements};
use super::{Reader, StoreError, Tx};

statements! {
    ADD_COUNT = sql("INSERT INTO query_count (scale, at_ms, what, label, count) \
        VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (scale, at_ms, what, label) DO UPDATE SET \
        count = query_count.count + excluded.count");
    DROP_COUNTS = sql("DELETE FROM query_count WHERE scale = $1 AND (at_ms < $2 OR at_ms > $3)");
    COUNTS = sql("SELECT at_ms, count FROM query_count \
        WHERE scale = $1 AND at_ms BETWEEN $2 AND $3 AND what = $4 ORDER BY at_ms");
    SUMS = sql("SELECT label, CAST(sum(count) AS BIGINT) FROM query_count \
        WHERE scale = $1 AND at_ms BETWEEN $2 AND $3 AND what = $4 \
        GROUP BY label ORDER BY sum(count) DESC, label LIMIT $5");

    NAMES_OF_DAY = sql("SELECT name, count, error FROM query_name \
        WHERE day_ms = $1 AND exists_here = $2");
    DROP_NAMES_OF_DAY = sql("DELETE FROM query_name WHERE day_ms = $1 AND exists_here = $2");
    PUT_NAME = sql("INSERT INTO query_name (day_ms, exists_here, name, count, error) \
        VALUES ($1, $2, $3, $4, $5)");
    DROP_NAMES = sql("DELETE FROM query_name WHERE day_ms < $1 OR day_ms > $2");
    TOP_NAMES = sql("SELECT name, CAST(sum(count) AS BIGINT), CAST(sum(error) AS BIGINT) FROM query_name \
        WHERE day_ms BETWEEN $1 AND $2 AND exists_here = $3 \
        GROUP BY name ORDER BY sum(count) DESC, name LIMIT $4");

    ADD_LIVE = sql("INSERT INTO query_live (name, since_ms, last_ms, count) \
        SELECT name, $1, $1, $2 FROM live_record \
        WHERE name = $3 AND request IS NOT NULL AND state IN ('live', 'reconfirming') \
        ON CONFLICT (name) DO UPDATE SET count = query_live.count + excluded.count, last_ms = excluded.last_ms");
    UNCOUNTED = sql("SELECT EXISTS (SELECT 1 FROM live_record \
        WHERE request IS NOT NULL AND state IN ('live', 'reconfirming') \
        AND name NOT IN (SELECT name FROM query_live))");
    BEGIN_LIVE = sql("INSERT INTO query_live (name, since_ms, last_ms, count) \
        SELECT name, $1, $1, 0 FROM live_record \
        WHERE request IS NOT NULL AND state IN ('live', 'reconfirming') \
        ON CONFLICT (name) DO NOTHING");
    DROP_GONE = sql("DELETE FROM query_live WHERE name NOT IN (SELECT name FROM live_record \
        WHERE request IS NOT NULL AND state IN ('live', 'reconfirming', 'suspended'))");
    LIVE_COUNTS = select::<LiveCount>("ORDER BY count DESC, name LIMIT $1");
}

/// How often a name was asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameCount {
    /// The name, absolute and in lower case.
    pub name: String,
    /// How often.
    pub count: u64,
    /// By how much that may be too high.
    pub error: u64,
}

row! {
    /// Queries for a live name.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct LiveCount = "query_live" {
        /// The name, absolute and in lower case.
        [key] pub name: String,
        /// Since when they are counted, epoch milliseconds.
        [fixed] pub since_ms: i64,
        /// The last one, epoch milliseconds; the same as since when, if there is none.
        pub last_ms: i64,
        /// How many.
        pub count: u64,
    }
}

/// A number as SQLite has it.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A sum as it is read: no row holds a negative one.
fn count_of(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

//------------ Reading -------------------------------------------------------

impl Reader<'_> {
    /// Sums of all of a scale between two moments, in order.
    pub fn query_counts(
        &self,
        scale: &str,
        (from_ms, to_ms): (i64, i64),
        what: &str,
    ) -> Result<Vec<(i64, u64)>, StoreError> {
        let rows: Vec<(i64, i64)> = self.all(COUNTS, params![scale, from_ms, to_ms, what])?;
        Ok(rows.into_iter().map(|(at, count)| (at, count_of(count))).collect())
    }

    /// Sums by label between two moments, the largest first.
    pub fn query_sums(
        &self,
        scale: &str,
        (from_ms, to_ms): (i64, i64),
        what: &str,
        most: usize,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        let rows: Vec<(String, i64)> =
            self.all(SUMS, params![scale, from_ms, to_ms, what, limit(most)])?;
        Ok(rows.into_iter().map(|(label, count)| (label, count_of(count))).collect())
    }

    /// The names kept of one day.
    pub fn query_names(&self, day_ms: i64, exists: bool) -> Result<Vec<NameCount>, StoreError> {
        Ok(names(self.all(NAMES_OF_DAY, params![day_ms, exists])?))
    }

    /// The names asked for most from a day to another.
    pub fn top_names(
        &self,
        (from_ms, to_ms): (i64, i64),
        exists: bool,
        most: usize,
    ) -> Result<Vec<NameCount>, StoreError> {
        Ok(names(self.all(TOP_NAMES, params![from_ms, to_ms, exists, limit(most)])?))
    }

    /// Whether a name has gone live whose queries are not counted yet.
    pub fn has_uncounted_name(&self) -> Result<bool, StoreError> {
        self.only(UNCOUNTED, [])
    }

    /// Queries for live names, the most first.
    pub fn live_counts(&self, most: usize) -> Result<Vec<LiveCount>, StoreError> {
        self.all(LIVE_COUNTS, [limit(most)])
    }
}

/// Rows of names.
fn names(rows: Vec<(String, i64, i64)>) -> Vec<NameCount> {
    let row =
        |(name, count, error)| NameCount { name, count: count_of(count), error: count_of(error) };
    rows.into_iter().map(row).collect()
}

//------------ Writing -------------------------------------------------------

impl Tx<'_> {
    /// Adds to a sum.
    pub fn add_query_count(
        &self,
        (scale, at_ms): (&str, i64),
        (what, label): (&str, &str),
        count: u64,
    ) -> Result<(), StoreError> {
        self.run(ADD_COUNT, params![scale, at_ms, what, label, whole(count)]).map(drop)
    }

    /// Lets the sums of a scale go that are not between two moments.
    pub fn drop_query_counts(
        &self,
        scale: &str,
        (from_ms, to_ms): (i64, i64),
    ) -> Result<(), StoreError> {
        self.run(DROP_COUNTS, params![scale, from_ms, to_ms]).map(drop)
    }

    /// Keeps the names of a day in the place of those that were kept of it.
    pub fn put_query_names(
        &self,
        day_ms: i64,
        exists: bool,
        names: &[NameCount],
    ) -> Result<(), StoreError> {
        self.run(DROP_NAMES_OF_DAY, params![day_ms, exists])?;
        for it in names {
            let (count, error) = (whole(it.count), whole(it.error));
            self.run(PUT_NAME, params![day_ms, exists, it.name, count, error])?;
        }
        Ok(())
    }

    /// Lets the names of days go that are not between two.
    pub fn drop_query_names(&self, (from_ms, to_ms): (i64, i64)) -> Result<(), StoreError> {
        self.run(DROP_NAMES, params![from_ms, to_ms]).map(drop)
    }

    /// Adds to the queries for a name, if it is one that somebody asked for and that is live. Returns
    /// whether it is.
    pub fn add_live_count(&self, name: &str, now_ms: i64, count: u64) -> Result<bool, StoreError> {
        Ok(self.run(ADD_LIVE, params![now_ms, whole(count), name])? > 0)
    }

    /// Begins to count the queries for names that have gone live.
    pub fn begin_live_counts(&self, now_ms: i64) -> Result<(), StoreError> {
        self.run(BEGIN_LIVE, [now_ms]).map(drop)
    }

    /// Forgets the queries for names that are live no more: whoever has such a name next begins at 0.
    pub fn drop_gone_counts(&self) -> Result<(), StoreError> {
        self.run(DROP_GONE, []).map(drop)
    }
}
