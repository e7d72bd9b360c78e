//! The server owns the serial: every published change gets one above every serial before (RFC 1982).
//!
//! ```text
//! new file's serial                    content differs                  content same
//! ahead of live                        used as it is                    serial-only change
//! above last file, not above live      next(live), silent               no-op
//! equal to last file                   next(live), "serial not raised"  no-op
//! below last file, or 2³¹ apart        next(live), warning              no-op, warning
//! ```
//!
//! "Backwards" compares with the last accepted *file*, because promotions move the live serial ahead
//! of it. Serial 0 is skipped: some software takes it for "none".

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Half of the serial space: two serials this far apart have no order (RFC 1982 §3.2).
const HALF: u32 = 1 << 31;
/// A step beyond this is most often a slip of the keyboard.
const STEP_SUSPICIOUS: u32 = 1 << 30;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

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
    /// The serial after `live` at the time `now_ms`, also above `high_water`.
    pub fn next(self, live: u32, high_water: u32, now_ms: i64) -> u32 {
        let floor = plus_one(later(live, high_water));
        let wanted = match self {
            Self::Increment => None,
            Self::Date => dated(now_ms),
            Self::Unixtime => u32::try_from(now_ms.div_euclid(1000)).ok(),
        };
        match wanted {
            // A clock far ahead must not bind the secondaries for good either.
            Some(wanted) if wanted != 0 && is_ahead(wanted, floor) => wanted,
            _ => floor,
        }
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

/// Whether `a` is after `b`; false for equal serials and for two that are 2³¹ apart.
pub(crate) fn is_ahead(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < HALF
}

/// The later of two; the first if they have no order.
pub(crate) fn later(a: u32, b: u32) -> u32 {
    if is_ahead(b, a) { b } else { a }
}

/// One more, without 0.
fn plus_one(serial: u32) -> u32 {
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
}

/// The table at the head of this file.
pub(crate) fn choose(
    file: u32,
    content_differs: bool,
    known: Known,
    policy: SerialPolicy,
    now_ms: i64,
) -> Choice {
    let next = || policy.next(known.live, known.high_water, now_ms);
    let back = known.last_file.is_some_and(|last| file != last && !is_ahead(file, last));
    if !back && file != 0 && is_ahead(file, later(known.live, known.high_water)) {
        let far = file.wrapping_sub(known.live) > STEP_SUSPICIOUS;
        return Choice { serial: Some(file), note: far.then_some(Note::FarAhead) };
    }
    let note = match known.last_file.map(|last| (last, file.cmp(&last))) {
        _ if back => Some(Note::Backwards),
        Some((_, Ordering::Equal)) if content_differs => Some(Note::NotRaised),
        _ => None,
    };
    Choice { serial: content_differs.then(next), note }
}

#[cfg(test)]
mod tests;
