//! The row that keeps how far the clock was believed, and whether a clock can be right by it.
//!
//! A clock that can have gone on from the last time that was believed is believed. One that jumped is
//! doubted until gapura has run with it for a quarter of the difference, seven days at most, or
//! somebody confirms it.

use super::sql::{row, select, statements, upsert};
use super::{Reader, StoreError, Tx};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How long gapura may have been off without a doubt about the clock, in milliseconds.
const AHEAD_MAX_MS: i64 = 2 * DAY_MS;
/// How far back a clock may be corrected without a doubt, in milliseconds.
const BEHIND_MAX_MS: i64 = 600_000;
/// The longest doubt, in milliseconds of running.
const DOUBT_MAX_MS: i64 = 7 * DAY_MS;
/// How much of it may be lost at a stop, in milliseconds.
const UNWRITTEN_MAX_MS: i64 = 300_000;

//------------ ClockRow ------------------------------------------------------

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

impl ClockRow {
    /// The row of a clock that is believed.
    pub fn believed(now_ms: i64) -> Self {
        Self { id: 1, believed_ms: now_ms, doubted_ms: None, agreed_ms: 0 }
    }

    /// Whether a clock that says this can be right.
    pub fn believes(&self, now_ms: i64) -> bool {
        can_follow(now_ms, self.believed_ms)
    }

    /// The next row, `ran_ms` later by a clock that nobody sets. A doubted clock that jumps again starts
    /// anew.
    pub fn turned(self, now_ms: i64, ran_ms: i64) -> Self {
        if self.believes(now_ms) {
            return Self::believed(now_ms);
        }
        let goes_on = self.doubted_ms.is_some_and(|last| can_follow(now_ms, last));
        let agreed_ms = if goes_on { self.agreed_ms.saturating_add(ran_ms) } else { 0 };
        let next = Self { doubted_ms: Some(now_ms), agreed_ms, ..self };
        if next.left_ms().is_some() { next } else { Self::believed(now_ms) }
    }

    /// How much longer gapura has to run with a doubted clock; none if it is believed.
    pub fn left_ms(&self) -> Option<i64> {
        let difference = self.doubted_ms?.saturating_sub(self.believed_ms).saturating_abs();
        let left_ms = (difference / 4).min(DOUBT_MAX_MS) - self.agreed_ms;
        (left_ms > 0).then_some(left_ms)
    }

    /// Whether the row says enough more than the one that was written last.
    pub fn is_worth_writing(&self, written: Option<&Self>) -> bool {
        written.is_none_or(|written| {
            written.doubted_ms.is_some() != self.doubted_ms.is_some()
                || (self.believed_ms - written.believed_ms).abs() >= UNWRITTEN_MAX_MS
                || (self.agreed_ms - written.agreed_ms).abs() >= UNWRITTEN_MAX_MS
        })
    }
}

/// Whether a clock may have gone from one time to the other while gapura was off or asleep.
fn can_follow(now_ms: i64, last_ms: i64) -> bool {
    (-BEHIND_MAX_MS..=AHEAD_MAX_MS).contains(&now_ms.saturating_sub(last_ms))
}

//------------ Statements ----------------------------------------------------

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Milliseconds of an hour.
    const HOUR_MS: i64 = 3_600_000;
    /// The time of the last believed turn.
    const LAST: i64 = 1_795_500_000_000;

    #[test]
    fn a_clock_that_goes_on_is_believed_and_a_jump_is_not() {
        let row = ClockRow::believed(LAST);
        for later in [0, 5_000, AHEAD_MAX_MS, -BEHIND_MAX_MS] {
            assert_eq!(row.turned(LAST + later, 5_000), ClockRow::believed(LAST + later));
        }
        for later in [AHEAD_MAX_MS + 1, 3_650 * DAY_MS, -BEHIND_MAX_MS - 1, -LAST] {
            let jumped = row.turned(LAST + later, 5_000);
            assert_eq!((jumped.believed_ms, jumped.agreed_ms), (LAST, 0));
            assert!(jumped.left_ms().is_some());
            assert_eq!(
                jumped.turned(LAST + 60_000, 5_000),
                ClockRow::believed(LAST + 60_000),
                "corrected"
            );
        }
    }

    #[test]
    fn a_doubt_ends_after_a_quarter_of_the_difference_in_running_time() {
        for (days, wait_days) in [(4, 1), (28, 7), (3_650, 7)] {
            let jump = LAST + days * DAY_MS;
            let mut row = ClockRow::believed(LAST).turned(jump, 0);
            let mut ran = 0;
            while let Some(left_ms) = row.left_ms() {
                assert!(left_ms <= wait_days * DAY_MS + ran);
                ran += HOUR_MS;
                row = row.turned(jump + ran, HOUR_MS);
            }
            let wanted = wait_days * DAY_MS;
            assert!((wanted..=wanted + DAY_MS / 2).contains(&ran), "{days}: {ran}");
            assert_eq!(row.believed_ms, jump + ran);
        }
        // Time that only passed by the clock does not count, nor does a clock that jumps again.
        let jumped = ClockRow::believed(LAST).turned(LAST + 400 * DAY_MS, 0);
        let off = jumped.turned(LAST + 401 * DAY_MS, 5_000);
        assert_eq!(off.agreed_ms, 5_000);
        assert_eq!(off.turned(LAST + 800 * DAY_MS, 5_000).agreed_ms, 0);
    }
}
