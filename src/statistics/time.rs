//! The three scales of time that sums are kept by.

use crate::queue::time::{DAY_MS, MINUTE_MS, day_of, midnight};

/// An hour in milliseconds.
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A scale of time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scale {
    /// Minutes, for the last hour.
    Minute,
    /// Hours, for the last week.
    Hour,
    /// Days in WIB, for the last year.
    Day,
}

impl Scale {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its word in the database.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// The length of one part.
    pub(super) fn length(self) -> i64 {
        match self {
            Self::Minute => MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// How many parts are shown.
    pub(super) fn shown(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 7 * 24,
            Self::Day => 365,
        }
    }

    /// The beginning of the part that a moment lies in.
    pub(super) fn begin(self, at_ms: i64) -> i64 {
        match self {
            Self::Day => midnight(day_of(at_ms)),
            // WIB is whole hours ahead.
            Self::Minute | Self::Hour => at_ms.div_euclid(self.length()) * self.length(),
        }
    }

    /// The beginning of the first part that is shown at a moment.
    pub(super) fn first(self, now_ms: i64) -> i64 {
        self.begin(now_ms) - (self.shown() - 1) * self.length()
    }
}
