//! Dates, spans and numbers as people read them. Times are WIB (UTC+7, no summer time).

use time::format_description::well_known::Rfc3339;
use time::macros::offset;
use time::{Date, OffsetDateTime};

use super::catalogue::{Lang, Words};
use crate::queue::Hours;

/// Minutes of a working day (docs/procedure.md, Clocks).
const DAY_MINUTES: i64 = 480;

impl Words {
    /// "23 November 2026 pukul 14.05 WIB".
    pub fn date_time(self, ms: i64) -> String {
        let Some(at) = local(ms) else { return String::new() };
        let (hour, minute) = (at.hour(), at.minute());
        match self.lang() {
            Lang::Id => format!("{} pukul {hour:02}.{minute:02} WIB", self.day(at.date())),
            Lang::En => format!("{}, {hour:02}:{minute:02} WIB", self.day(at.date())),
        }
    }

    /// "23-11-2026 14.05", for tables that say that times are WIB.
    pub fn stamp(self, ms: i64) -> String {
        let Some(at) = local(ms) else { return String::new() };
        let (year, month, day) = at.to_calendar_date();
        let (month, hour, minute) = (u8::from(month), at.hour(), at.minute());
        match self.lang() {
            Lang::Id => format!("{day:02}-{month:02}-{year} {hour:02}.{minute:02}"),
            Lang::En => format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}"),
        }
    }

    /// "09-10-2026": short, for tables on paper.
    pub fn day_stamp(self, ms: i64) -> String {
        let stamp = self.stamp(ms);
        stamp.split_once(' ').map_or_else(String::new, |(day, _)| day.to_owned())
    }

    /// "23 November 2026".
    pub fn date(self, ms: i64) -> String {
        local(ms).map(|at| self.day(at.date())).unwrap_or_default()
    }

    /// "2026-11-23 14:05" in WIB: sorts as text, and spreadsheets read it as a date.
    pub fn sortable(self, ms: i64) -> String {
        let format = time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]");
        local(ms).and_then(|at| at.format(&format).ok()).unwrap_or_default()
    }

    /// "14.05".
    pub fn clock(self, ms: i64) -> String {
        let Some(at) = local(ms) else { return String::new() };
        let dot = if self.lang() == Lang::Id { '.' } else { ':' };
        format!("{:02}{dot}{:02}", at.hour(), at.minute())
    }

    /// "November 2026", for a month by number.
    pub fn month(self, year: i32, month: u8) -> String {
        let id = MONTHS.get(usize::from(month.wrapping_sub(1)));
        id.map(|id| format!("{} {year}", self.s(id))).unwrap_or_default()
    }

    /// A date as `YYYY-MM-DD` in words; any other text as it is.
    pub fn iso_date(self, text: &str) -> String {
        let format = time::macros::format_description!("[year]-[month]-[day]");
        Date::parse(text, &format).map_or_else(|_| text.to_owned(), |date| self.day(date))
    }

    /// An RFC 3339 time in words; any other text as it is.
    pub fn moment(self, text: &str) -> String {
        OffsetDateTime::parse(text, &Rfc3339)
            .map_or_else(|_| text.to_owned(), |at| self.date_time(at.unix_timestamp() * 1000))
    }

    /// The day of an RFC 3339 time in words; any other text as it is.
    pub fn day_of(self, text: &str) -> String {
        OffsetDateTime::parse(text, &Rfc3339)
            .map_or_else(|_| self.iso_date(text), |at| self.date(at.unix_timestamp() * 1000))
    }

    /// Working minutes left to a step: "sisa 2 jam", or "terlambat 1 hari 2 jam".
    pub fn left(self, minutes: i64) -> String {
        let id = if minutes < 0 { "span-late" } else { "span-left" };
        self.a(id, "span", &self.work_span(minutes))
    }

    /// The hours of a week, days of the same hours together: "Senin–Jumat, 08.00–16.00 WIB".
    pub fn hours(self, hours: &Hours) -> String {
        let days: Vec<&[(i64, i64)]> = hours.days().collect();
        let mut said = Vec::new();
        let mut first = 0;
        while let Some(spans) = days.get(first) {
            let alike = days.iter().skip(first).take_while(|other| *other == spans).count();
            if !spans.is_empty() {
                let day = |at: usize| self.s(&format!("weekday-{}", at + 1));
                let last = first + alike - 1;
                let name = match last - first {
                    0 => day(first),
                    _ => self.with("weekdays", &[("first", &day(first)), ("last", &day(last))]),
                };
                let spans: Vec<String> = spans.iter().map(|span| self.span(*span)).collect();
                said.push(format!("{name}, {}", spans.join(" · ")));
            }
            first += alike;
        }
        if said.is_empty() { String::new() } else { format!("{} WIB", said.join("; ")) }
    }

    /// Two times of a day, in milliseconds since midnight: "08.00–16.00".
    fn span(self, (from, to): (i64, i64)) -> String {
        let dot = if self.lang() == Lang::Id { '.' } else { ':' };
        let time = |ms: i64| {
            let minutes = ms / 60_000;
            format!("{:02}{dot}{:02}", minutes / 60, minutes % 60)
        };
        format!("{}–{}", time(from), time(to))
    }

    /// Day, name of the month, year.
    fn day(self, date: Date) -> String {
        let month = self.s(MONTHS[usize::from(u8::from(date.month())) - 1]);
        format!("{} {month} {}", date.day(), date.year())
    }

    /// Working minutes as "1 hari 2 jam 5 menit"; a day is 480 minutes. Signs are the caller's.
    pub fn work_span(self, minutes: i64) -> String {
        let minutes = minutes.abs();
        let parts = [
            ("span-days", minutes / DAY_MINUTES),
            ("span-hours", minutes % DAY_MINUTES / 60),
            ("span-minutes", minutes % 60),
        ];
        let said: Vec<String> = parts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(id, count)| self.a(id, "count", &count.to_string()))
            .collect();
        if said.is_empty() { self.a("span-minutes", "count", "0") } else { said.join(" ") }
    }

    /// A whole number with its thousands apart: 1.234 (1,234 in English).
    pub fn count(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(if self.lang() == Lang::Id { '.' } else { ',' });
            }
            text.push(digit);
        }
        text
    }

    /// A number with one place after the comma: 1.234,5.
    pub fn decimal(self, number: f64) -> String {
        let tenths = (number.abs() * 10.0).round() as u64;
        let sign = if number < 0.0 && tenths > 0 { "-" } else { "" };
        let comma = if self.lang() == Lang::Id { ',' } else { '.' };
        format!("{sign}{}{comma}{}", self.count(tenths / 10), tenths % 10)
    }
}

/// Message ids of the months.
const MONTHS: [&str; 12] = [
    "month-1", "month-2", "month-3", "month-4", "month-5", "month-6", "month-7", "month-8",
    "month-9", "month-10", "month-11", "month-12",
];

/// The moment in WIB.
fn local(ms: i64) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).ok()?;
    Some(at.to_offset(offset!(+7)))
}
