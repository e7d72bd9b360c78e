//! Calendar days in Western Indonesia Time, and how dates are read. Moments are epoch milliseconds.

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// A minute in milliseconds.
pub const MINUTE_MS: i64 = 60_000;
/// A calendar day in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// Western Indonesia Time is UTC+7 all year, in milliseconds.
pub const WIB_OFFSET_MS: i64 = 7 * 60 * MINUTE_MS;
/// How far ahead of the clock a written time may be: clocks are corrected by less than this.
const SKEW_MS: i64 = 5 * MINUTE_MS;
/// The Julian day number of 1970-01-01.
const EPOCH_JULIAN_DAY: i32 = 2_440_588;

/// Whether what happened at `at` is at most `age_ms` old. A time further ahead of the clock than two
/// clocks differ was written while the clock was wrong, and counts as too old: it would be young for
/// years.
pub fn is_recent(at: i64, now: i64, age_ms: i64) -> bool {
    let age = now.saturating_sub(at);
    (-SKEW_MS..=age_ms).contains(&age)
}

/// The WIB day of a moment, in days since 1970-01-01.
pub fn day_of(at: i64) -> i64 {
    (at + WIB_OFFSET_MS).div_euclid(DAY_MS)
}

/// The WIB year of a moment.
pub fn year_of(at: i64) -> i32 {
    month_and_year(at).1
}

/// The WIB month, 1 to 12, and year of a moment.
pub fn month_and_year(at: i64) -> (u8, i32) {
    date_of(at).map_or((1, 1970), |date| (date.month().into(), date.year()))
}

/// The WIB date of a moment.
pub(super) fn date_of(at: i64) -> Option<Date> {
    let day = i32::try_from(day_of(at)).ok()?.checked_add(EPOCH_JULIAN_DAY)?;
    Date::from_julian_day(day).ok()
}

/// Days since 1970-01-01 of a date.
pub(super) fn day_of_date(date: Date) -> i64 {
    i64::from(date.to_julian_day() - EPOCH_JULIAN_DAY)
}

/// WIB midnight at the start of a day.
pub fn midnight(day: i64) -> i64 {
    day * DAY_MS - WIB_OFFSET_MS
}

/// Reads a date as midnight WIB plus `date_offset`, or an RFC 3339 time as it is.
pub fn moment(text: &str, date_offset: i64) -> Option<i64> {
    if let Some(day) = day_number(text) {
        return Some(midnight(day) + date_offset);
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

/// The WIB day on which a month begins: year, and month from 1 to 12.
pub fn first_day(year: i32, month: u8) -> Option<i64> {
    let date = Date::from_calendar_date(year, month.try_into().ok()?, 1).ok()?;
    Some(i64::from(date.to_julian_day() - EPOCH_JULIAN_DAY))
}

/// The `YYYY-MM-DD` date of a day, in days since 1970-01-01.
pub fn date_text(day: i64) -> Option<String> {
    let day = i32::try_from(day).ok()?.checked_add(EPOCH_JULIAN_DAY)?;
    let date = Date::from_julian_day(day).ok()?;
    date.format(format_description!("[year]-[month]-[day]")).ok()
}

/// Days since 1970-01-01 of a `YYYY-MM-DD` date.
pub fn day_number(text: &str) -> Option<i64> {
    let date = Date::parse(text, format_description!("[year]-[month]-[day]")).ok()?;
    Some(day_of_date(date))
}
