//! Rows of texts that an administrator wrote in the place of those shipped.

use super::sql::{row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A text.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct TextRow = "text" {
        /// Which text.
        [key] pub name: String,
        /// In which language: its tag.
        [key] pub language: String,
        /// What it says.
        pub body: String,
        /// The person id of who wrote it.
        pub person: String,
        /// When (epoch ms).
        pub changed_ms: i64,
    }
}

statements! {
    TEXTS = select::<TextRow>("ORDER BY name, language");
    PUT_TEXT = upsert::<TextRow>(&[]);
    DROP_TEXT = sql("DELETE FROM text WHERE name = $1 AND language = $2");
}

impl Reader<'_> {
    /// All texts that are not as shipped.
    pub fn texts(&self) -> Result<Vec<TextRow>, StoreError> {
        self.all(TEXTS, [])
    }
}

impl Tx<'_> {
    /// Writes a text.
    pub fn put_text(&self, row: &TextRow) -> Result<(), StoreError> {
        self.put(PUT_TEXT, row, &[])
    }

    /// Goes back to the shipped one; returns whether there was another.
    pub fn drop_text(&self, name: &str, language: &str) -> Result<bool, StoreError> {
        Ok(self.run(DROP_TEXT, [name, language])? > 0)
    }
}
