//! A calendar month in WIB.

use std::fmt;
use std::str::FromStr;

use crate::queue::time::{first_day, midnight, month_and_year};

/// A month, from its first moment in WIB to the first of the next.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Month {
    /// The year.
    year: i32,
    /// The month, 1 to 12.
    month: u8,
}

impl Month {
    /// The month that a moment lies in, epoch milliseconds.
    pub fn of(at_ms: i64) -> Option<Self> {
        let (month, year) = month_and_year(at_ms);
        Some(Self { year, month })
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn number(self) -> u8 {
        self.month
    }

    /// The month after it.
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// The month before it.
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year - 1, month: 12 },
            month => Self { month: month - 1, ..self },
        }
    }

    /// From and to in epoch milliseconds; the end is not included.
    pub fn span(self) -> Option<(i64, i64)> {
        Some((self.start()?, self.next().start()?))
    }

    /// Its first moment, epoch milliseconds.
    fn start(self) -> Option<i64> {
        first_day(self.year, self.month).map(midnight)
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let read = || {
            let (year, month) = text.split_once('-')?;
            let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
            if text.len() != 7 || !digits(year) || !digits(month) {
                return None;
            }
            let year: i32 = year.parse().ok().filter(|year| (2000..=9998).contains(year))?;
            let month = month.parse().ok().filter(|month| (1..=12).contains(month))?;
            Some(Self { year, month })
        };
        read().ok_or(NotAMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// The text is no month.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a month is written YYYY-MM, for example 2026-11")]
pub struct NotAMonth;
