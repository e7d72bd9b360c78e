//! Rows of `publish`: when a primary of a secondary zone was heard last.

use super::sql::{params, sql, statements};
use super::zones::key;
use super::{Reader, StoreError, Tx};
use crate::wire::Name;

statements! {
    REFRESH = sql("SELECT refreshed_ms, zone FROM secondary WHERE zone = $1");
    REFRESHES = sql("SELECT zone, refreshed_ms FROM secondary");
    PUT_REFRESH = sql("INSERT INTO secondary (zone, refreshed_ms) VALUES ($1, $2) \
        ON CONFLICT (zone) DO UPDATE SET refreshed_ms = excluded.refreshed_ms");
}

impl Reader<'_> {
    /// When a primary of a zone was heard last (epoch ms); none if it never was.
    pub fn refresh(&self, zone: &Name) -> Result<Option<i64>, StoreError> {
        let found: Option<(i64, String)> = self.one(REFRESH, [key(zone)])?;
        Ok(found.map(|(refreshed_ms, _)| refreshed_ms))
    }

    /// The same of all zones, by their keys.
    pub fn refreshes(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.all(REFRESHES, [])
    }
}

impl Tx<'_> {
    /// Notes when a primary of a zone was heard.
    pub fn put_refresh(&self, zone: &Name, refreshed_ms: i64) -> Result<(), StoreError> {
        self.run(PUT_REFRESH, params![key(zone), refreshed_ms]).map(drop)
    }
}
