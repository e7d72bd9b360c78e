//! Figures of the queue, for metrics: over indexes only, whatever their number.

use super::sql::{limit, sql, statements};
use super::{Reader, StoreError};

statements! {
    REQUESTS = sql("SELECT count(*) FROM request WHERE state = $1");
    OLDEST_REQUEST = sql("SELECT min(changed_ms) FROM request WHERE state = $1");
    CAME_SINCE = sql("SELECT count(*) FROM request WHERE submitted_ms >= $1");
    ENDED_SINCE = sql("SELECT submitted_ms, coalesce(ended_ms, changed_ms) FROM request \
        WHERE open = 0 AND coalesce(ended_ms, changed_ms) >= $1 LIMIT $2");
    UNTOLD = sql("SELECT DISTINCT request FROM notice WHERE state = 'failed' AND to_applicant = 1 \
        AND request IS NOT NULL ORDER BY request LIMIT $1");
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

    /// How many requests came in since a time.
    pub fn came_since(&self, since_ms: i64) -> Result<u64, StoreError> {
        self.only(CAME_SINCE, [since_ms])
    }

    /// When requests that ended since a time came in, and when they ended.
    pub fn ended_since(&self, since_ms: i64, most: usize) -> Result<Vec<(i64, i64)>, StoreError> {
        self.all(ENDED_SINCE, [since_ms, limit(most)])
    }

    /// Requests whose applicant could not be notified by mail.
    pub fn untold(&self, most: usize) -> Result<Vec<String>, StoreError> {
        self.all(UNTOLD, [limit(most)])
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
