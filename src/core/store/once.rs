//! Rows of calls that may be repeated: what the first one made. Kept for a day; nothing is decided by
//! them.

use super::sql::{row, select, sql, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// A call that was done once.
    #[derive(Clone, Debug, Default, Eq, PartialEq)]
    pub struct OnceRow = "call_once" {
        /// Keyed hash of who called and the key they gave.
        [key] pub key_hash: String,
        /// Keyed hash of what was called and sent.
        pub call_hash: String,
        /// When it was done (epoch ms).
        pub at_ms: i64,
        /// What it made, sealed.
        pub answer: Vec<u8>,
    }
}

statements! {
    CALL = select::<OnceRow>("WHERE key_hash = $1");
    PUT = upsert::<OnceRow>(&[]);
    SWEEP = sql("DELETE FROM call_once WHERE at_ms < $1");
    BOUND = sql("DELETE FROM call_once WHERE key_hash IN (SELECT key_hash FROM call_once \
        ORDER BY at_ms DESC LIMIT 9223372036854775807 OFFSET $1)");
}

impl Reader<'_> {
    /// What a call with this key made.
    pub fn call_once(&self, key_hash: &str) -> Result<Option<OnceRow>, StoreError> {
        self.one(CALL, [key_hash])
    }
}

impl Tx<'_> {
    /// Keeps what a call made; drops those of before a time, and beyond a count the oldest.
    pub fn put_call_once(&self, row: &OnceRow, since_ms: i64, most: u32) -> Result<(), StoreError> {
        self.run(SWEEP, [since_ms])?;
        self.run(BOUND, [most])?;
        self.put(PUT, row, &[])
    }
}
