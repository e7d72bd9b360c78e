//! The server owns the serial: every published change gets one above all earlier serials (RFC 1982).
//!
//! ```text
//! new file's serial                    content differs                  content same
//! ahead of live                        used as it is                    serial-only change
//! above last file, not above live      next(live), silent               no-op
//! equal to last file                   next(live), "serial not raised"  no-op
//! below last file, or 2³¹ apart        next(live), warning              no-op, warning
//! ```
//!
//! "Backwards" compares with the last accepted *file*, because promotions move the live serial ahead of it. A
//! file's serial that rose slightly is not a request to wrap around, even if the live one is so far away that
//! it seems ahead. A serial is never used twice, even after wrapping around. Serial 0 is skipped, because
//! some software treats it as "none". A zone that was signed elsewhere keeps its own serial, including 0.

use serde::{Deserialize, Serialize};

pub(crate) use crate::wire::is_ahead;

/// A step beyond this is most often a slip of the keyboard.
const STEP_SUSPICIOUS: u32 = 1 << 30;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// How far ahead of the clock a file's serial may be as a time without a word about it.
const AHEAD_MAX_MS: i64 = 2 * DAY_MS;

//------------ SerialPolicy --------------------------------------------------

/// How a serial is chosen when gapura must choose one.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SerialPolicy {
    /// One more.
    #[default]
    Increment,
    /// YYYYMMDDnn (UTC), or one more if that is not ahead.
    Date,
    /// Seconds since 1970, or one more if that is not ahead.
    Unixtime,
}

impl SerialPolicy {
    /// The serial after `live`, also above `high_water`, at the time that the clock says; none of a clock
    /// that is doubted.
    pub fn next(self, live: u32, high_water: u32, now_ms: Option<i64>) -> u32 {
        let floor = plus_one(later(live, high_water));
        match now_ms.and_then(|now_ms| self.wanted(now_ms)) {
            Some(wanted) if wanted != 0 && is_ahead(wanted, floor) => wanted,
            _ => floor,
        }
    }

    /// The serial that a time stands for.
    fn wanted(self, now_ms: i64) -> Option<u32> {
        match self {
            Self::Increment => None,
            Self::Date => dated(now_ms),
            Self::Unixtime => u32::try_from(now_ms.div_euclid(1000)).ok(),
        }
    }

    /// Whether serials are made from the clock.
    pub(crate) fn follows_clock(self) -> bool {
        self != Self::Increment
    }
}

/// YYYYMMDD00 of a time; `None` from the year 4295 on, where it no longer fits.
fn dated(now_ms: i64) -> Option<u32> {
    let date = time::Date::from_julian_day(
        i32::try_from(now_ms.div_euclid(DAY_MS)).ok()?.checked_add(2_440_588)?,
    )
    .ok()?;
    let number = date.year() * 10_000 + i32::from(u8::from(date.month())) * 100;
    u32::try_from(number + i32::from(date.day())).ok()?.checked_mul(100)
}

//------------ RFC 1982 ------------------------------------------------------

/// The later of two; the first if they have no order.
pub(crate) fn later(a: u32, b: u32) -> u32 {
    if is_ahead(b, a) { b } else { a }
}

/// One more, without 0.
pub(crate) fn plus_one(serial: u32) -> u32 {
    match serial.wrapping_add(1) {
        0 => 1,
        next => next,
    }
}

//------------ Choice --------------------------------------------------------

/// What a new file's serial means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Choice {
    /// The serial to publish; `None`: nothing is to be published.
    pub(crate) serial: Option<u32>,
    /// A note for the operator.
    pub(crate) note: Option<Note>,
}

/// A note about a file's serial.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Note {
    /// The content changed and the serial did not.
    NotRaised,
    /// The serial went back, or has no order with the last one.
    Backwards,
    /// The serial went up by more than 2³⁰.
    FarAhead,
    /// The serial stands for a time far ahead of the clock, and the live one does not.
    FromFuture,
    /// The serial was used before.
    Used,
}

/// What is known of a zone when a file comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The live serial.
    pub(crate) live: u32,
    /// The newest serial ever given out.
    pub(crate) high_water: u32,
    /// The serial of the last accepted file.
    pub(crate) last_file: Option<u32>,
    /// Whether the zone was signed elsewhere.
    pub(crate) is_signed: bool,
}

/// The table at the head of this file. `next` is what gapura would choose, and `is_used` says whether a
/// serial was.
pub(crate) fn choose(
    file: u32,
    content_differs: bool,
    known: Known,
    next: impl FnOnce() -> u32,
    is_used: impl FnOnce(u32) -> bool,
) -> Choice {
    let rose_by = known.last_file.map(|last| file.wrapping_sub(last));
    let back = known.last_file.is_some_and(|last| file != last && !is_ahead(file, last));
    let far = file.wrapping_sub(known.live) > STEP_SUSPICIOUS;
    let is_wish = !back
        && (file != 0 || known.is_signed)
        && is_ahead(file, later(known.live, known.high_water))
        && rose_by.is_none_or(|step| step != 0 && (!far || step > STEP_SUSPICIOUS));
    let is_used = is_wish && is_used(file);
    if is_wish && !is_used {
        return Choice { serial: Some(file), note: far.then_some(Note::FarAhead) };
    }
    let note = match rose_by {
        _ if is_used => Some(Note::Used),
        _ if back => Some(Note::Backwards),
        Some(0) if content_differs => Some(Note::NotRaised),
        _ => None,
    };
    Choice { serial: content_differs.then(next), note }
}

/// Whether a serial stands for a time, as a date or as seconds, more than two days ahead of the clock.
pub(crate) fn is_from_future(serial: u32, policy: SerialPolicy, now_ms: i64) -> bool {
    let soon = now_ms.saturating_add(AHEAD_MAX_MS);
    match policy {
        SerialPolicy::Unixtime => i64::from(serial).saturating_mul(1000) > soon,
        // Whether by policy or by hand: most serials are dates.
        SerialPolicy::Date | SerialPolicy::Increment => {
            is_date(serial) && dated(soon).is_some_and(|soon| serial > soon.saturating_add(99))
        }
    }
}

/// Whether a serial can be YYYYMMDDnn, of the years from 1970 on.
fn is_date(serial: u32) -> bool {
    let (date, year) = (serial / 100, serial / 1_000_000);
    let month =
        u8::try_from(date / 100 % 100).ok().and_then(|month| time::Month::try_from(month).ok());
    let day = u8::try_from(date % 100).unwrap_or_default();
    let year = i32::try_from(year).unwrap_or_default();
    let date = month.map(|month| time::Date::from_calendar_date(year, month, day));
    year >= 1970 && date.is_some_and(|date| date.is_ok())
}

#[cfg(test)]
mod tests;
