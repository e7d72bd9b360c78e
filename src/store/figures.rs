//! Figures of the queue, for metrics: over indexes only, whatever their number.

use super::sql::{sql, statements};
use super::{Reader, StoreError};

statements! {
    REQUESTS = sql("SELECT count(*) FROM request WHERE state = $1");
    OLDEST_REQUEST = sql("SELECT min(changed_ms) FROM request WHERE state = $1");
    NOTICES = sql("SELECT count(*) FROM notice WHERE state = $1");
    OLDEST_NOTICE = sql("SELECT min(queued_ms) FROM notice WHERE state = $1");
}

impl Reader<'_> {
    /// How many requests are in a state.
    pub fn count_requests(&self, state: &str) -> Result<u64, StoreError> {
        self.only(REQUESTS, [state])
    }

    /// Since when the one that has been longest in a state is in it; for states that are left soon.
    pub fn longest_in(&self, state: &str) -> Result<Option<i64>, StoreError> {
        self.only(OLDEST_REQUEST, [state])
    }

    /// How many notices are in a state.
    pub fn count_notices(&self, state: &str) -> Result<u64, StoreError> {
        self.only(NOTICES, [state])
    }

    /// Since when the oldest notice of a state waits; for states that are left soon.
    pub fn oldest_notice(&self, state: &str) -> Result<Option<i64>, StoreError> {
        self.only(OLDEST_NOTICE, [state])
    }
}
