//! The row that keeps how far the clock was believed.

use super::sql::{row, select, statements, upsert};
use super::{Reader, StoreError, Tx};

row! {
    /// How far the clock was believed.
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    pub struct ClockRow = "clock" {
        /// There is one row.
        [key] pub id: i64,
        /// The last time that was believed (epoch ms).
        pub believed_ms: i64,
        /// The last time that was doubted, while the clock is (epoch ms).
        pub doubted_ms: Option<i64>,
        /// How long gapura has run with the doubted clock, in milliseconds.
        pub agreed_ms: i64,
    }
}

statements! {
    CLOCK = select::<ClockRow>("WHERE id = 1");
    PUT = upsert::<ClockRow>(&[]);
}

impl Reader<'_> {
    /// How far the clock was believed; none before the first turn of the timers.
    pub fn clock(&self) -> Result<Option<ClockRow>, StoreError> {
        self.one(CLOCK, [])
    }
}

impl Tx<'_> {
    /// Keeps how far the clock is believed.
    pub fn put_clock(&self, row: &ClockRow) -> Result<(), StoreError> {
        self.put(PUT, row, &[])
    }
}
