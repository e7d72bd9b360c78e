//! Rows of drafts: requests that are not sent yet. They live on the pages only.

use super::sql::{row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// What an applicant has filled in so far.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct DraftRow = "draft" {
        /// SHA-256 of the browser's visit cookie.
        [key] pub visit_hash: String,
        /// Fields and values, sealed; in rows of earlier versions a JSON object.
        pub fields: String,
        /// The letter, if one was uploaded, sealed.
        pub letter: Option<Vec<u8>>,
        /// Its name on the sender's machine, sealed.
        pub letter_name: String,
        /// Last change (epoch ms).
        pub changed_ms: i64,
    }
}

statements! {
    DRAFT = select::<DraftRow>("WHERE visit_hash = $1");
    PUT_DRAFT = upsert::<DraftRow>(&[]);
    DROP_DRAFT = sql("DELETE FROM draft WHERE visit_hash = $1");
    SWEEP_DRAFTS = sql("DELETE FROM draft WHERE changed_ms < $1");
}

impl Reader<'_> {
    /// The draft of a browser.
    pub fn draft(&self, visit_hash: &str) -> Result<Option<DraftRow>, StoreError> {
        self.one(DRAFT, [visit_hash])
    }
}

impl Tx<'_> {
    /// Writes a draft, new or changed.
    pub fn put_draft(&self, row: &DraftRow) -> Result<(), StoreError> {
        self.put(PUT_DRAFT, row, &[])
    }

    /// Drops a draft.
    pub fn drop_draft(&self, visit_hash: &str) -> Result<(), StoreError> {
        self.run(DROP_DRAFT, [visit_hash]).map(drop)
    }

    /// Drops drafts nobody has touched since; returns the count.
    pub fn sweep_drafts(&self, changed_before: i64) -> Result<usize, StoreError> {
        self.run(SWEEP_DRAFTS, [changed_before])
    }
}
