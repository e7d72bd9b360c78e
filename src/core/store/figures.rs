//! Figures of the queue, for metrics: over indexes only, whatever their number.

use super::sql::{limit, sql, statements};
use super::{Reader, StoreError};

statements! {
    REQUESTS = sql("SELECT count(*) FROM request WHERE state = $1");
    OLDEST_REQUEST = sql("SELECT min(changed_ms) FROM request WHERE state = $1");
    CAME_SINCE = sql("SELECT count(*) FROM request WHERE submitted_ms >= $1");
    // The condition on the state is that of the index `event_result`.
    FINISHED_SINCE = sql("SELECT r.submitted_ms, e.at_ms FROM event AS e \
        JOIN request AS r ON r.number = substr(e.subject, 9) \
        WHERE e.state_after IN ('live', 'rejected', 'withdrawn', 'expired') AND e.at_ms >= $1 \
        AND e.subject >= 'request:' AND e.subject < 'request;' AND e.state_before <> e.state_after \
        ORDER BY e.at_ms LIMIT $2");
    // A notice that no mail is tried for any more waits for ever.
    UNTOLD = sql("SELECT DISTINCT request FROM notice WHERE to_applicant = 1 \
        AND request IS NOT NULL AND (state = 'failed' \
            OR (state = 'queued' AND next_try_ms = 9223372036854775807)) \
        ORDER BY request LIMIT $1");
    // Names that were served before gapura have no request.
    NAMES = sql("SELECT count(*) FROM live_record WHERE state = $1 AND request IS NOT NULL");
    NOTICES = sql("SELECT count(*) FROM notice WHERE state = $1");
    OLDEST_NOTICE = sql("SELECT min(queued_ms) FROM notice WHERE state = $1");
}

impl Reader<'_> {
    /// How many requests are in a state.
    pub fn count_requests(&self, state: &str) -> Result<u64, StoreError> {
        self.only(REQUESTS, [state])
    }

    /// How many names are in a state, of those that somebody asked for.
    pub fn count_names(&self, state: &str) -> Result<u64, StoreError> {
        self.only(NAMES, [state])
    }

    /// Since when the one that has been longest in a state is in it; for states that are left soon.
    pub fn longest_in(&self, state: &str) -> Result<Option<i64>, StoreError> {
        self.only(OLDEST_REQUEST, [state])
    }

    /// How many requests came in since a time.
    pub fn came_since(&self, since_ms: i64) -> Result<u64, StoreError> {
        self.only(CAME_SINCE, [since_ms])
    }

    /// When requests that came to their result since a time came in, and when they came to it.
    pub fn finished_since(
        &self,
        since_ms: i64,
        most: usize,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        self.all(FINISHED_SINCE, [since_ms, limit(most)])
    }

    /// Requests whose applicant could not be notified by mail, or will not be.
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
