//! Rows of forms that officers filled in and that could not be taken in yet.

use super::sql::{limit, params, sql, statements};
use super::{Reader, StoreError, Tx};

statements! {
    UNSENT = sql("SELECT body FROM unsent WHERE person = $1 AND page = $2 AND at_ms > $3");
    ALL_UNSENT = sql("SELECT page, body FROM unsent WHERE person = $1 AND at_ms > $2");
    PUT_UNSENT = sql("INSERT INTO unsent (person, page, body, at_ms) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (person, page) DO UPDATE SET body = excluded.body, at_ms = excluded.at_ms");
    TRIM_UNSENT = sql("DELETE FROM unsent WHERE person = $1 AND page NOT IN \
        (SELECT page FROM unsent WHERE person = $1 ORDER BY at_ms DESC, page LIMIT $2)");
    DROP_UNSENT = sql("DELETE FROM unsent WHERE person = $1 AND page = $2");
    SWEEP_UNSENT = sql("DELETE FROM unsent WHERE at_ms <= $1");
}

impl Reader<'_> {
    /// The form of a person for a page, sealed, if it was kept after a time.
    pub fn unsent(
        &self,
        person: &str,
        page: &str,
        after_ms: i64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.one(UNSENT, params![person, page, after_ms])
    }

    /// The forms of a person that were kept after a time: page, and the form sealed.
    pub fn all_unsent(
        &self,
        person: &str,
        after_ms: i64,
    ) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.all(ALL_UNSENT, params![person, after_ms])
    }
}

impl Tx<'_> {
    /// Keeps a form in the place of an earlier one of the page; the oldest beyond `most` of the person
    /// go.
    pub fn put_unsent(
        &self,
        person: &str,
        page: &str,
        body: &[u8],
        at_ms: i64,
        most: usize,
    ) -> Result<(), StoreError> {
        self.run(PUT_UNSENT, params![person, page, body, at_ms])?;
        self.run(TRIM_UNSENT, params![person, limit(most)]).map(drop)
    }

    /// Drops the form of a person for a page.
    pub fn drop_unsent(&self, person: &str, page: &str) -> Result<usize, StoreError> {
        self.run(DROP_UNSENT, params![person, page])
    }

    /// Drops forms kept until a time; returns the count.
    pub fn sweep_unsent(&self, until_ms: i64) -> Result<usize, StoreError> {
        self.run(SWEEP_UNSENT, [until_ms])
    }
}
