//! Rows of tables of requests in bulk, their rows and letters.

use super::sql::{insert, limit, params, row, select, sql, statements, update, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A table.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct BulkRow = "bulk" {
        /// Its id.
        [key] pub id: String,
        /// The person id of whose it is.
        [fixed] pub person: String,
        /// `open`, `filing` or `done`.
        pub state: String,
        /// When it came (epoch ms).
        [fixed] pub at_ms: i64,
        /// When all of it was filed (epoch ms).
        pub done_ms: Option<i64>,
        /// What else is known of it, sealed.
        pub body: Vec<u8>,
    }
}

row! {
    /// A row of a table.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct BulkLineRow = "bulk_row" {
        /// The table.
        [key] pub bulk: String,
        /// Its line in the file.
        [key] pub line: u32,
        /// `ready`, `faulty`, `filed`, `before` or `refused`.
        pub state: String,
        /// The request's number.
        pub number: Option<String>,
        /// What it says and what is wrong with it, sealed.
        pub body: Vec<u8>,
    }
}

statements! {
    BULK = select::<BulkRow>("WHERE id = $1");
    BULKS_OF = select::<BulkRow>("WHERE person = $1 ORDER BY at_ms DESC, id LIMIT $2");
    BULKS_FILING = select::<BulkRow>("WHERE state = 'filing' ORDER BY at_ms, id");
    BULKS_UNTIL = select::<BulkRow>("WHERE at_ms <= $1 AND state <> 'filing'");
    PUT_BULK = upsert::<BulkRow>(&[]);
    DROP_BULK = sql("DELETE FROM bulk WHERE id = $1");

    LINES = select::<BulkLineRow>("WHERE bulk = $1 ORDER BY line");
    NEXT_LINE = select::<BulkLineRow>("WHERE bulk = $1 AND state = 'ready' ORDER BY line LIMIT 1");
    COUNT_LINES = sql("SELECT state, count(*) FROM bulk_row WHERE bulk = $1 GROUP BY state");
    ADD_LINE = insert::<BulkLineRow>(&[]);
    UPDATE_LINE = update::<BulkLineRow>(&[]);
    DROP_LINES = sql("DELETE FROM bulk_row WHERE bulk = $1");

    LETTER_NAMES = sql("SELECT name, octets FROM bulk_letter WHERE bulk = $1 ORDER BY name");
    LETTER = sql("SELECT body FROM bulk_letter WHERE bulk = $1 AND name = $2");
    PUT_LETTER = sql("INSERT INTO bulk_letter (bulk, name, octets, body) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (bulk, name) DO UPDATE SET octets = excluded.octets, body = excluded.body");
    DROP_LETTERS = sql("DELETE FROM bulk_letter WHERE bulk = $1");
}

impl Reader<'_> {
    /// The table of this id.
    pub fn bulk(&self, id: &str) -> Result<Option<BulkRow>, StoreError> {
        self.one(BULK, [id])
    }

    /// The tables of a person, the newest first.
    pub fn bulks_of(&self, person: &str, most: usize) -> Result<Vec<BulkRow>, StoreError> {
        self.all(BULKS_OF, params![person, limit(most)])
    }

    /// Tables that are being filed, the oldest first.
    pub fn bulks_filing(&self) -> Result<Vec<BulkRow>, StoreError> {
        self.all(BULKS_FILING, [])
    }

    /// Tables that came until a time and are not being filed.
    pub fn bulks_until(&self, until_ms: i64) -> Result<Vec<BulkRow>, StoreError> {
        self.all(BULKS_UNTIL, [until_ms])
    }

    /// The rows of a table.
    pub fn bulk_lines(&self, bulk: &str) -> Result<Vec<BulkLineRow>, StoreError> {
        self.all(LINES, [bulk])
    }

    /// The next row of a table that is to be filed.
    pub fn next_bulk_line(&self, bulk: &str) -> Result<Option<BulkLineRow>, StoreError> {
        self.one(NEXT_LINE, [bulk])
    }

    /// How many rows of a table are in which state.
    pub fn count_bulk_lines(&self, bulk: &str) -> Result<Vec<(String, i64)>, StoreError> {
        self.all(COUNT_LINES, [bulk])
    }

    /// Names and sizes of the letters that came with a table.
    pub fn bulk_letters(&self, bulk: &str) -> Result<Vec<(String, i64)>, StoreError> {
        self.all(LETTER_NAMES, [bulk])
    }

    /// A letter that came with a table, sealed.
    pub fn bulk_letter(&self, bulk: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.one(LETTER, [bulk, name])
    }
}

impl Tx<'_> {
    /// Writes a table.
    pub fn put_bulk(&self, row: &BulkRow) -> Result<(), StoreError> {
        self.put(PUT_BULK, row, &[])
    }

    /// Adds a row of a table.
    pub fn add_bulk_line(&self, row: &BulkLineRow) -> Result<(), StoreError> {
        self.put(ADD_LINE, row, &[])
    }

    /// Writes a row of a table as it is now.
    pub fn update_bulk_line(&self, row: &BulkLineRow) -> Result<(), StoreError> {
        self.change(UPDATE_LINE, row, &[])
    }

    /// Keeps a letter, in the place of one of the same name.
    pub fn put_bulk_letter(
        &self,
        bulk: &str,
        name: &str,
        octets: usize,
        body: &[u8],
    ) -> Result<(), StoreError> {
        self.run(PUT_LETTER, params![bulk, name, limit(octets), body]).map(drop)
    }

    /// Drops the letters of a table.
    pub fn drop_bulk_letters(&self, bulk: &str) -> Result<usize, StoreError> {
        self.run(DROP_LETTERS, [bulk])
    }

    /// Drops a table with everything that came with it.
    pub fn drop_bulk(&self, bulk: &str) -> Result<(), StoreError> {
        self.run(DROP_LETTERS, [bulk])?;
        self.run(DROP_LINES, [bulk])?;
        self.run(DROP_BULK, [bulk]).map(drop)
    }
}
