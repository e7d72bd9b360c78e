//! Rows of the papers of the procedure: their numbers, codes, contents and files.
//!
//! No rule is decided here: which paper is made when, and what it says, is said above.

use super::sql::{limit, params, row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};
use crate::queue::PaperKind;

row! {
    /// A paper.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub struct PaperRow = "paper" {
        /// Kind, year and serial, as `SP-2026-0012`.
        [key] pub id: String,
        /// The request it is about; none for the report of a month.
        [fixed] pub request: Option<String>,
        /// The revision of that request; 0 where there is none.
        [fixed] pub revision: u32,
        /// The kind.
        [fixed] pub kind: PaperKind,
        /// The year of its number.
        [fixed] pub year: i64,
        /// Its place among those of its kind and year.
        [fixed] pub serial: i64,
        /// The number as printed.
        [fixed] pub number: String,
        /// The code printed on it.
        [fixed] pub code: String,
        /// The name asked for, or the month.
        [fixed] pub about: String,
        /// The event it was made of.
        [fixed] pub event: i64,
        /// When.
        [fixed] pub at_ms: i64,
        /// What it says, sealed; empty once it is erased.
        pub content: Vec<u8>,
        /// File name below the folder of papers; none until it is rendered.
        pub file: Option<String>,
        /// SHA-256 of the PDF, in hexadecimal.
        pub sha256: Option<String>,
        /// Octets of the PDF.
        pub octets: Option<u64>,
        /// When it was rendered.
        pub rendered_ms: Option<i64>,
        /// Tries to render it that failed.
        pub tries: u32,
        /// When it is tried next; none: never again.
        pub next_try_ms: Option<i64>,
        /// The paper whose place it takes, by id.
        [fixed] pub supersedes: Option<String>,
        /// The paper that took its place, by id.
        pub superseded_by: Option<String>,
        /// The number the office gave it in its own agenda.
        pub office_number: Option<String>,
        /// When its file was deleted.
        pub erased_ms: Option<i64>,
    }
}

statements! {
    NEXT_SERIAL = sql("INSERT INTO paper_year (kind, year, last) VALUES ($1, $2, 1) \
        ON CONFLICT (kind, year) DO UPDATE SET last = paper_year.last + 1 RETURNING last");
    PAPER = select::<PaperRow>("WHERE id = $1");
    BY_CODE = select::<PaperRow>("WHERE code = $1");
    BY_FILE = select::<PaperRow>("WHERE file = $1");
    OF_REQUEST = select::<PaperRow>("WHERE request = $1 ORDER BY event, id");
    OF_KIND = select::<PaperRow>("WHERE kind = $1 AND about = $2 ORDER BY year, serial");
    DUE = select::<PaperRow>("WHERE next_try_ms <= $1 ORDER BY next_try_ms LIMIT $2");
    KEPT = select::<PaperRow>("WHERE file IS NOT NULL ORDER BY file");
    WAITING = sql("SELECT count(*), coalesce(max(tries), 0) FROM paper \
        WHERE next_try_ms IS NOT NULL");
    RETRY = sql("UPDATE paper SET next_try_ms = $1 WHERE next_try_ms > $1");
    PUT = upsert::<PaperRow>(&[]);
}

impl Reader<'_> {
    /// A paper by its id.
    pub fn paper(&self, id: &str) -> Result<Option<PaperRow>, StoreError> {
        self.one(PAPER, [id])
    }

    /// The paper that has this code on it.
    pub fn paper_by_code(&self, code: &str) -> Result<Option<PaperRow>, StoreError> {
        self.one(BY_CODE, [code])
    }

    /// The paper kept in a file.
    pub fn paper_by_file(&self, file: &str) -> Result<Option<PaperRow>, StoreError> {
        self.one(BY_FILE, [file])
    }

    /// The papers of a request, the oldest first.
    pub fn papers_of(&self, request: &str) -> Result<Vec<PaperRow>, StoreError> {
        self.all(OF_REQUEST, [request])
    }

    /// The papers of a kind about a name or month, the oldest first.
    pub fn papers_about(&self, kind: PaperKind, about: &str) -> Result<Vec<PaperRow>, StoreError> {
        self.all(OF_KIND, params![kind, about])
    }

    /// Papers to be rendered by now, at most so many.
    pub fn papers_due(&self, now_ms: i64, most: usize) -> Result<Vec<PaperRow>, StoreError> {
        self.all(DUE, params![now_ms, limit(most)])
    }

    /// Papers whose file is kept.
    pub fn kept_papers(&self) -> Result<Vec<PaperRow>, StoreError> {
        self.all(KEPT, [])
    }

    /// How many papers wait to be rendered, and how often the worst of them was tried.
    pub fn papers_waiting(&self) -> Result<(u64, u32), StoreError> {
        self.only(WAITING, [])
    }
}

impl Tx<'_> {
    /// The next serial of a kind in a year, from 1 without gaps: it is given back if the transaction
    /// fails.
    pub fn next_paper_serial(&self, kind: PaperKind, year: i64) -> Result<i64, StoreError> {
        self.only(NEXT_SERIAL, params![kind, year])
    }

    /// Lets every paper that waits be tried now.
    pub fn retry_papers(&self, now_ms: i64) -> Result<(), StoreError> {
        self.run(RETRY, [now_ms]).map(drop)
    }

    /// Writes a paper as it is now.
    pub fn put_paper(&self, row: &PaperRow) -> Result<(), StoreError> {
        self.put(PUT, row, &[])
    }
}
