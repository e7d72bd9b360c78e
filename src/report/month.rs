//! A calendar month in WIB.

use std::fmt;
use std::str::FromStr;

use time::{Date, UtcOffset};

/// Hours that WIB is ahead of UTC; there is no daylight saving time.
const WIB_HOURS: i8 = 7;

/// A month, from its first moment in WIB to the first of the next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Month {
    /// The year.
    year: i32,
    /// The month.
    month: time::Month,
}

impl Month {
    /// From and to in epoch milliseconds; the end is not included.
    pub fn span(self) -> Option<(i64, i64)> {
        let next = match self.month {
            time::Month::December => (self.year + 1, time::Month::January),
            month => (self.year, month.next()),
        };
        Some((start(self.year, self.month)?, start(next.0, next.1)?))
    }
}

/// The first moment of a month, epoch milliseconds.
fn start(year: i32, month: time::Month) -> Option<i64> {
    let offset = UtcOffset::from_hms(WIB_HOURS, 0, 0).ok()?;
    let first = Date::from_calendar_date(year, month, 1).ok()?;
    Some(first.midnight().assume_offset(offset).unix_timestamp() * 1000)
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let read = || {
            let (year, month) = text.split_once('-')?;
            let year: i32 = year.parse().ok().filter(|year| (2000..=9998).contains(year))?;
            let month = time::Month::try_from(month.parse::<u8>().ok()?).ok()?;
            Some(Self { year, month })
        };
        read().filter(|_| text.len() == 7).ok_or(NotAMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, u8::from(self.month))
    }
}

/// The text is no month.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a month is written YYYY-MM, for example 2026-11")]
pub struct NotAMonth;
