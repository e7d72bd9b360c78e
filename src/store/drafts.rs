//! Rows of drafts: requests that are not sent yet. They live on the pages only.

use rusqlite::{OptionalExtension, params};

use super::{Reader, StoreError, Tx};

/// What an applicant has filled in so far.
#[derive(Clone, Debug, Default)]
pub struct DraftRow {
    /// SHA-256 of the browser's visit cookie.
    pub visit_hash: String,
    /// Fields and values as a JSON object.
    pub fields: String,
    /// The letter, if one was uploaded.
    pub letter: Option<Vec<u8>>,
    /// Its name on the sender's machine.
    pub letter_name: String,
    /// Last change (epoch ms).
    pub changed_ms: i64,
}

impl Reader<'_> {
    /// The draft of a browser.
    pub fn draft(&self, visit_hash: &str) -> Result<Option<DraftRow>, StoreError> {
        let mut statement = self.0.prepare_cached(
            "SELECT visit_hash, fields, letter, letter_name, changed_ms FROM draft \
             WHERE visit_hash = $1",
        )?;
        let row = statement.query_row([visit_hash], |row| {
            Ok(DraftRow {
                visit_hash: row.get(0)?,
                fields: row.get(1)?,
                letter: row.get(2)?,
                letter_name: row.get(3)?,
                changed_ms: row.get(4)?,
            })
        });
        Ok(row.optional()?)
    }
}

impl Tx<'_> {
    /// Writes a draft, new or changed.
    pub fn put_draft(&self, row: &DraftRow) -> Result<(), StoreError> {
        self.0.0.execute(
            "INSERT INTO draft (visit_hash, fields, letter, letter_name, changed_ms) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (visit_hash) DO UPDATE SET fields = excluded.fields, \
             letter = excluded.letter, letter_name = excluded.letter_name, \
             changed_ms = excluded.changed_ms",
            params![row.visit_hash, row.fields, row.letter, row.letter_name, row.changed_ms],
        )?;
        Ok(())
    }

    /// Drops a draft.
    pub fn drop_draft(&self, visit_hash: &str) -> Result<(), StoreError> {
        self.0.0.execute("DELETE FROM draft WHERE visit_hash = $1", [visit_hash])?;
        Ok(())
    }

    /// Drops drafts nobody has touched since.
    pub fn sweep_drafts(&self, changed_before: i64) -> Result<(), StoreError> {
        self.0.0.execute("DELETE FROM draft WHERE changed_ms < $1", [changed_before])?;
        Ok(())
    }

    /// Says what a form key made, once that is known.
    pub fn set_form_outcome(&self, key_hash: &str, outcome: &str) -> Result<(), StoreError> {
        self.0.0.execute(
            "UPDATE form_key SET outcome = $1 WHERE key_hash = $2",
            params![outcome, key_hash],
        )?;
        Ok(())
    }
}
