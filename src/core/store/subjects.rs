//! Rows of requests of persons about their own data.

use super::sql::{limit, params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// One request of a person about their own data.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct SubjectRow = "subject_request" {
        /// Its number.
        [key] pub id: String,
        /// What is asked for.
        [fixed] pub kind: String,
        /// The request for a name it is about, if it is about one.
        [fixed] pub request: Option<String>,
        /// When it came.
        [fixed] pub came_ms: i64,
        /// When it is to be answered at the latest.
        [fixed] pub due_ms: i64,
        /// When it was answered.
        pub answered_ms: Option<i64>,
        /// What the answer was.
        pub outcome: Option<String>,
        /// Who asked what, and what was answered, sealed; none once it was blanked.
        pub body: Option<Vec<u8>>,
    }
}

statements! {
    SUBJECT = select::<SubjectRow>("WHERE id = $1");
    SUBJECTS = select::<SubjectRow>(
        "ORDER BY answered_ms IS NOT NULL, coalesce(-answered_ms, due_ms), id LIMIT $1");
    OVERDUE_SUBJECTS = sql("SELECT id FROM subject_request \
        WHERE answered_ms IS NULL AND due_ms <= $1 ORDER BY due_ms LIMIT $2");
    SUBJECTS_SINCE = sql("SELECT count(*) FROM subject_request WHERE came_ms >= $1");
    PUT_SUBJECT = upsert::<SubjectRow>(&[]);
    BLANK_SUBJECTS = sql("UPDATE subject_request SET body = NULL \
        WHERE body IS NOT NULL AND answered_ms <= $1");
}

impl Reader<'_> {
    /// A request by its number.
    pub fn subject_request(&self, id: &str) -> Result<Option<SubjectRow>, StoreError> {
        self.one(SUBJECT, [id])
    }

    /// Open requests, the most urgent first, then answered ones, the newest first.
    pub fn subject_requests(&self, most: usize) -> Result<Vec<SubjectRow>, StoreError> {
        self.all(SUBJECTS, [limit(most)])
    }

    /// Numbers of requests that are open at a time by which they had to be answered.
    pub fn subject_requests_due(&self, by_ms: i64, most: usize) -> Result<Vec<String>, StoreError> {
        self.all(OVERDUE_SUBJECTS, params![by_ms, limit(most)])
    }

    /// How many came since a time.
    pub fn subject_requests_since(&self, since_ms: i64) -> Result<u64, StoreError> {
        self.only(SUBJECTS_SINCE, [since_ms])
    }
}

impl Tx<'_> {
    /// Keeps a request, new or answered.
    pub fn put_subject_request(&self, row: &SubjectRow) -> Result<(), StoreError> {
        self.put(PUT_SUBJECT, row, &[])
    }

    /// Blanks what was asked and answered until a time; returns the count.
    pub fn blank_subject_requests(&self, answered_until_ms: i64) -> Result<usize, StoreError> {
        self.run(BLANK_SUBJECTS, [answered_until_ms])
    }
}
