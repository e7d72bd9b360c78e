//! Working time (docs/procedure.md, Clocks): hours of the week in WIB, holidays with their source,
//! dated overrides.
//!
//! All arithmetic is on epoch milliseconds and exact: `worked` is additive, `add` is its inverse.
//! Due times are computed when they are read, so a changed table moves every open one.

use std::collections::BTreeMap;

use super::regions::rows;
use super::time::{DAY_MS, MINUTE_MS, date_text, day_number, day_of, midnight};

/// Days looked at by [`Calendar::add`] before it gives up: a table of holidays without end.
const DAYS_MAX: i64 = 4_000;
/// The shipped working hours.
pub const HOURS_DEFAULT: &str = "Mon-Fri 08:00-16:00";
/// The days of a week, from Monday.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

//------------ Hours ---------------------------------------------------------

/// Working hours of a week: for each day from Monday, spans in milliseconds since midnight.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hours([Vec<(i64, i64)>; 7]);

impl Hours {
    /// Reads `Mon-Fri 08:00-16:00`; rules are separated by `;`, spans of a day by `,`.
    pub fn parse(text: &str) -> Result<Self, CalendarError> {
        let bad = || CalendarError::Hours(text.to_owned());
        let mut hours = Self::default();
        for rule in text.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
            let (days, spans) = rule.split_once(char::is_whitespace).ok_or_else(bad)?;
            let (first, last) = days.split_once('-').unwrap_or((days, days));
            let first = weekday(first).ok_or_else(bad)?;
            let last = weekday(last).ok_or_else(bad)?;
            let read = spans_of(spans).ok_or_else(bad)?;
            let mut day = first;
            loop {
                hours.0[day].clone_from(&read);
                if day == last {
                    break;
                }
                day = (day + 1) % 7;
            }
        }
        if hours.0.iter().all(Vec::is_empty) { Err(bad()) } else { Ok(hours) }
    }

    /// The spans of each day from Monday.
    pub fn days(&self) -> impl Iterator<Item = &[(i64, i64)]> {
        self.0.iter().map(Vec::as_slice)
    }

    /// The hours of days from Monday; one that cannot be read has none.
    pub fn of_days<'a>(days: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hours = Self::default();
        for (own, text) in hours.0.iter_mut().zip(days) {
            *own = spans_of(text).unwrap_or_default();
        }
        hours
    }

    /// As [`Hours::parse`] reads it, days with the same hours together.
    pub fn text(&self) -> String {
        let mut rules = Vec::new();
        let mut days = DAYS.iter().zip(&self.0).peekable();
        while let Some((first, spans)) = days.next() {
            let mut last = first;
            while let Some((day, _)) = days.next_if(|(_, other)| *other == spans) {
                last = day;
            }
            if !spans.is_empty() {
                let to = if last == first { String::new() } else { format!("-{}", capital(last)) };
                rules.push(format!("{}{to} {}", capital(first), spans_text(spans)));
            }
        }
        rules.join("; ")
    }

    /// The spans of each day from Monday in minutes, as in [`Calendar::canonical`].
    fn canonical(&self) -> String {
        let span = |&(from, to): &(i64, i64)| format!("{}-{}", from / MINUTE_MS, to / MINUTE_MS);
        let day = |spans: &Vec<(i64, i64)>| spans.iter().map(span).collect::<Vec<_>>().join(",");
        self.0.iter().map(day).collect::<Vec<_>>().join(";")
    }
}

/// Monday is 0.
fn weekday(text: &str) -> Option<usize> {
    DAYS.iter().position(|name| text.trim().eq_ignore_ascii_case(name))
}

/// The name of a day with a capital letter.
fn capital(day: &str) -> String {
    let (first, rest) = day.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// The spans of a day, as `08:00-12:00,13:00-16:00`: each ends after it begins, and before the next.
pub fn spans_of(text: &str) -> Option<Vec<(i64, i64)>> {
    let mut read: Vec<(i64, i64)> = Vec::new();
    for span in text.split(',') {
        let (from, to) = span.trim().split_once('-')?;
        let (from, to) = (time_of_day(from)?, time_of_day(to)?);
        if from >= to || read.last().is_some_and(|&(_, end)| end > from) {
            return None;
        }
        read.push((from, to));
    }
    Some(read)
}

/// The same as text.
pub fn spans_text(spans: &[(i64, i64)]) -> String {
    let time = |ms: i64| format!("{:02}:{:02}", ms / MINUTE_MS / 60, ms / MINUTE_MS % 60);
    let spans = spans.iter().map(|&(from, to)| format!("{}-{}", time(from), time(to)));
    spans.collect::<Vec<_>>().join(",")
}

/// `HH:MM` up to 24:00, in milliseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    let valid = (0..=24).contains(&hour) && (0..60).contains(&minute) && hour * 60 + minute <= 1440;
    valid.then_some((hour * 60 + minute) * MINUTE_MS)
}

//------------ Calendar ------------------------------------------------------

/// The office's working time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Calendar {
    /// The ordinary week.
    week: Hours,
    /// Holidays by day number in WIB.
    holidays: BTreeMap<i64, Holiday>,
    /// Other hours for a time, by first day.
    overrides: Vec<Override>,
}

/// A day nobody works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Holiday {
    /// What it is.
    pub name: String,
    /// Where it is written: the joint ministerial decree, the regent's letter.
    pub source: String,
}

/// Other hours for a time, such as Ramadan's.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Override {
    /// First day number.
    first: i64,
    /// Last day number.
    last: i64,
    /// What for.
    name: String,
    /// The hours.
    hours: Hours,
}

impl Default for Calendar {
    fn default() -> Self {
        let day = vec![(8 * 60 * MINUTE_MS, 16 * 60 * MINUTE_MS)];
        let week = Hours(std::array::from_fn(|i| if i < 5 { day.clone() } else { Vec::new() }));
        Self { week, holidays: BTreeMap::new(), overrides: Vec::new() }
    }
}

impl Calendar {
    /// A calendar with the given week and no holidays.
    pub fn new(week: Hours) -> Self {
        Self { week, ..Self::default() }
    }

    /// Adds a holiday, `YYYY-MM-DD`.
    pub fn add_holiday(
        &mut self,
        date: &str,
        name: &str,
        source: &str,
    ) -> Result<(), CalendarError> {
        let day = day_number(date).ok_or_else(|| CalendarError::Date(date.to_owned()))?;
        self.holidays.insert(day, Holiday { name: name.to_owned(), source: source.to_owned() });
        Ok(())
    }

    /// The table as text, line by line: the same for the same working time, whatever the code is.
    pub fn canonical(&self) -> String {
        let mut lines = vec![format!("week {}", self.week.canonical())];
        let holidays = self.holidays.iter();
        lines.extend(
            holidays.map(|(day, it)| {
                format!("holiday {day} {}", serde_json::json!([it.name, it.source]))
            }),
        );
        let others = self.overrides.iter();
        lines.extend(
            others.map(|it| format!("hours {} {} {}", it.first, it.last, it.hours.canonical())),
        );
        lines.join("\n")
    }

    /// How many holidays there are, and how many times with other hours.
    pub fn counts(&self) -> (usize, usize) {
        (self.holidays.len(), self.overrides.len())
    }

    /// Adds the holidays of a `date,name,source` table.
    pub fn add_holidays(&mut self, table: &str) -> Result<(), CalendarError> {
        let rows = rows(table, 3).map_err(|error| CalendarError::Table(error.to_string()))?;
        for row in rows {
            self.add_holiday(&row[0], &row[1], &row[2])?;
        }
        Ok(())
    }

    /// Adds other hours from one date to another, both included; the later rule wins.
    pub fn add_override(
        &mut self,
        first: &str,
        last: &str,
        hours: Hours,
    ) -> Result<(), CalendarError> {
        let day = |date: &str| day_number(date).ok_or_else(|| CalendarError::Date(date.to_owned()));
        let (first, last) = (day(first)?, day(last)?);
        self.overrides.push(Override { first, last, name: String::new(), hours });
        Ok(())
    }

    /// The ordinary week.
    pub fn week(&self) -> &Hours {
        &self.week
    }

    /// Works by another week.
    pub fn set_week(&mut self, week: Hours) {
        self.week = week;
    }

    /// The holidays: date, name, source.
    pub fn holidays(&self) -> impl Iterator<Item = Vec<String>> {
        self.holidays.iter().map(|(day, it)| {
            vec![date_text(*day).unwrap_or_default(), it.name.clone(), it.source.clone()]
        })
    }

    /// Has these holidays and no others; a row without a date is none.
    pub fn set_holidays(&mut self, rows: &[Vec<String>]) {
        self.holidays.clear();
        for row in rows {
            if let [date, name, source] = row.as_slice() {
                drop(self.add_holiday(date, name, source));
            }
        }
    }

    /// The times with other hours: first and last day, what for, hours.
    pub fn other_hours(&self) -> impl Iterator<Item = Vec<String>> {
        self.overrides.iter().map(|it| {
            let date = |day| date_text(day).unwrap_or_default();
            vec![date(it.first), date(it.last), it.name.clone(), it.hours.text()]
        })
    }

    /// Has these times with other hours and no others; a row that cannot be read is none.
    pub fn set_other_hours(&mut self, rows: &[Vec<String>]) {
        self.overrides.clear();
        for row in rows {
            let [first, last, name, hours] = row.as_slice() else { continue };
            let read = Hours::parse(hours).map(|hours| self.add_override(first, last, hours));
            if let (Ok(Ok(())), Some(added)) = (read, self.overrides.last_mut()) {
                name.clone_into(&mut added.name);
            }
        }
    }

    /// Whether a year has no holiday at all: from October an empty next year is a warning.
    pub fn year_is_empty(&self, year: i32) -> bool {
        let day = |year: i32| day_number(&format!("{year:04}-01-01")).unwrap_or(i64::MAX);
        self.holidays.range(day(year)..day(year + 1)).next().is_none()
    }

    /// Working milliseconds between two moments; 0 when `to` is not later.
    pub fn worked(&self, from: i64, to: i64) -> i64 {
        if to <= from {
            return 0;
        }
        let on = |day: i64| -> i64 {
            let midnight = midnight(day);
            let spans = self.spans(day).iter();
            spans.map(|&(a, b)| ((midnight + b).min(to) - (midnight + a).max(from)).max(0)).sum()
        };
        (day_of(from)..=day_of(to)).map(on).sum()
    }

    /// The first moment at which `amount` working milliseconds have passed since `from`.
    pub fn add(&self, from: i64, amount: i64) -> i64 {
        let mut left = amount;
        if left <= 0 {
            return from;
        }
        let first = day_of(from);
        for day in first..first + DAYS_MAX {
            let midnight = midnight(day);
            for &(a, b) in self.spans(day) {
                let start = (midnight + a).max(from);
                let open = midnight + b - start;
                if open >= left {
                    return start + left;
                }
                left -= open.max(0);
            }
        }
        from + DAYS_MAX * DAY_MS
    }

    /// The working spans of a day.
    fn spans(&self, day: i64) -> &[(i64, i64)] {
        if self.holidays.contains_key(&day) {
            return &[];
        }
        let other = self.overrides.iter().rev().find(|o| o.first <= day && day <= o.last);
        let hours = other.map_or(&self.week, |o| &o.hours);
        // 1970-01-01 was a Thursday.
        let weekday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
        &hours.0[weekday]
    }
}

/// A table of working time that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CalendarError {
    /// Working hours.
    #[error("working hours must read like {HOURS_DEFAULT:?}, not {0:?}")]
    Hours(String),
    /// A table of holidays.
    #[error("{0}")]
    Table(String),
    /// A date.
    #[error("a date must read like 2026-12-25, not {0:?}")]
    Date(String),
}

#[cfg(test)]
mod tests;
