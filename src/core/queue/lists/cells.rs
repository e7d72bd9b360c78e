//! What a cell of each list may hold, and how it is written: one spelling for one meaning, so that two
//! tables that say the same are the same.

use std::net::IpAddr;

use super::super::calendar::{DAYS, Hours, spans_of, spans_text};
use super::super::fault::Rule;
use super::super::labels;
use super::super::person::is_mailbox;
use super::super::regions::slug;
use super::super::targets::Prefix;
use super::super::time::{date_text, day_number};
use super::{CELL_MAX, List};
use crate::wire::Name;

/// The lines of [`List::Identity`], and whether each may stay empty.
pub const IDENTITY: [(&str, bool); 15] = [
    ("government", false),
    ("name", false),
    ("short_name", false),
    ("region", false),
    ("unit", false),
    ("place", false),
    ("address", false),
    ("telephone", true),
    ("email", true),
    ("website", true),
    ("head", false),
    ("verifier", false),
    ("privacy_officer", true),
    ("procedure", true),
    ("paper", false),
];
/// Longest line of the identity, in characters.
const IDENTITY_MAX: usize = 200;
/// The widest networks that may be in a list, in bits: wider ones would say nothing.
const WIDEST: (u8, u8) = (6, 16);
/// Longest time with other hours, in days.
const OTHER_HOURS_MAX: i64 = 366;
/// The levels of units, each with the length of its code.
const LEVELS: [(&str, usize); 3] = [("kecamatan", 8), ("kelurahan", 13), ("desa", 13)];
/// Levels of a list of regions that are left out: the regency itself and what is above it.
const ABOVE: [&str; 3] = ["kabupaten", "kota", "provinsi"];

/// Why a cell is wrong: the rule and what it is about.
type Wrong = (Rule, String);

/// Brings a cell into its one spelling, or says what is wrong with it.
pub(super) fn mend(
    list: List,
    column: usize,
    cell: &mut String,
    optional: bool,
) -> Result<(), Wrong> {
    let wrong = |rule| Err((rule, cell.chars().take(60).collect()));
    if cell.is_empty() {
        return if optional { Ok(()) } else { wrong(Rule::Empty) };
    }
    if cell.chars().count() > CELL_MAX {
        return Err((Rule::TooLong, CELL_MAX.to_string()));
    }
    if cell.contains(char::is_control) || cell.starts_with('#') {
        return wrong(Rule::BadText);
    }
    let mended = match (list, column) {
        (List::Holidays, 0) | (List::OtherHours, 0 | 1) => date(cell).ok_or(Rule::BadDate),
        (List::Hours, 0) => day(cell).ok_or(Rule::BadHours),
        (List::Hours, 1) => {
            spans_of(&plain_hours(cell)).map(|it| spans_text(&it)).ok_or(Rule::BadHours)
        }
        (List::OtherHours, 3) => {
            Hours::parse(&plain_hours(cell)).map(|it| it.text()).map_err(|_| Rule::BadHours)
        }
        (List::Offices, 0) => label(&slug(cell)),
        (List::Regions, 0) => Ok(cell.clone()),
        (List::Regions, 1) => Ok(cell.to_lowercase()),
        (List::Spellings, _) => label(&slug(cell)),
        (List::Reserved, 0) => pattern(&slug(cell)),
        (List::Hijackable, 0) => suffix(cell),
        (List::Indonesia, 0) => network(cell),
        (List::Hostings, 1) => match hosting_fault(cell) {
            Some(rule) => Err(rule),
            None => Ok(cell.to_lowercase()),
        },
        // Free text; the others have a form of their own, and hours of a day have 16 digits.
        _ if labels::clean_text(cell) != *cell => Err(Rule::BadText),
        _ => Ok(cell.clone()),
    };
    match mended {
        Ok(mended) => {
            *cell = mended;
            Ok(())
        }
        Err(rule) => wrong(rule),
    }
}

/// What is wrong with a row whose cells are good: the column, the rule, what it is about.
pub(super) fn row_fault(list: List, row: &[String]) -> Option<(&'static str, Rule, String)> {
    match (list, row) {
        (List::Identity, [key, value]) => {
            identity_fault(key, value).map(|rule| ("value", rule, key.clone()))
        }
        (List::OtherHours, [first, last, ..]) => {
            let (from, to) = (day_number(first)?, day_number(last)?);
            let good = (0..OTHER_HOURS_MAX).contains(&(to - from));
            (!good).then(|| ("last", Rule::BadPeriod, last.clone()))
        }
        (List::Regions, [code, level, _]) => {
            let Some((_, length)) = LEVELS.iter().find(|(name, _)| name == level) else {
                return Some(("jenis", Rule::UnknownLevel, level.clone()));
            };
            let parts: Vec<&str> = code.split('.').collect();
            let digits = |part: &&str| part.bytes().all(|b| b.is_ascii_digit());
            let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
            let good = code.len() == *length
                && parts.iter().all(digits)
                && [2, 2, 2, 4].starts_with(&widths);
            (!good).then(|| ("kode", Rule::BadRegionCode, code.clone()))
        }
        (List::Spellings, [name, spelling]) if name == spelling => {
            Some(("spelling", Rule::DoubledRow, spelling.clone()))
        }
        _ => None,
    }
}

/// Whether a row of regions is a unit that has names; the regency itself has none.
pub(super) fn is_unit(row: &[String]) -> bool {
    row.get(1).is_none_or(|level| !ABOVE.contains(&level.as_str()))
}

/// What is wrong with a line of the office's identity.
pub fn identity_fault(key: &str, value: &str) -> Option<Rule> {
    let Some((_, optional)) = IDENTITY.iter().find(|(name, _)| *name == key) else {
        return Some(Rule::UnknownKey);
    };
    if value.trim().is_empty() {
        return (!optional).then_some(Rule::Empty);
    }
    if value.chars().count() > IDENTITY_MAX {
        return Some(Rule::TooLong);
    }
    if value.contains(char::is_control) {
        return Some(Rule::BadText);
    }
    let is_site = ["https://", "http://"].iter().any(|scheme| value.starts_with(scheme))
        && !value.contains(|c: char| c.is_whitespace() || "\"'<>".contains(c));
    match key {
        "email" if !is_mailbox(value) => Some(Rule::BadEmail),
        "website" if !is_site => Some(Rule::BadSite),
        "paper" if !["a4", "f4"].contains(&value) => Some(Rule::UnknownKey),
        _ => None,
    }
}

/// What is wrong with a place where sites may be hosted: it is an address, or the name of a server.
pub fn hosting_fault(target: &str) -> Option<Rule> {
    let is_host = target.contains('.') && target.parse::<Name>().is_ok();
    (!is_host && target.parse::<IpAddr>().is_err()).then_some(Rule::BadTarget)
}

/// A date as `YYYY-MM-DD`, also where it was written with the day first, as in 31/12/2027.
fn date(text: &str) -> Option<String> {
    if let Some(day) = day_number(text) {
        return date_text(day);
    }
    let parts: Vec<&str> = text.split(['/', '-', '.', ' ']).collect();
    let [day, month, year] = parts.as_slice() else { return None };
    let (day, month): (u8, u8) = (day.parse().ok()?, month.parse().ok()?);
    let year: u16 = year.parse().ok().filter(|year| *year >= 1_000)?;
    date_text(day_number(&format!("{year:04}-{month:02}-{day:02}"))?)
}

/// A day of the week by its three letters.
fn day(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    DAYS.into_iter().find(|day| *day == text).map(str::to_owned)
}

/// Hours with the signs that people write in the place of ours.
fn plain_hours(text: &str) -> String {
    text.replace(['–', '—'], "-").replace('.', ":")
}

/// A label of a name.
fn label(text: &str) -> Result<String, Rule> {
    match labels::check(text, 1).into_iter().next() {
        Some(fault) => Err(fault.rule),
        None if text.contains(['.', '*', '_']) => Err(Rule::LabelCharacters),
        None => Ok(text.to_owned()),
    }
}

/// A pattern of reserved names: a label, or its beginning and `*`.
fn pattern(text: &str) -> Result<String, Rule> {
    let front = text.strip_suffix('*').unwrap_or(text);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let good = text == "@" || (!front.is_empty() && front.len() <= 63 && front.chars().all(plain));
    if good { Ok(text.to_owned()) } else { Err(Rule::BadPattern) }
}

/// A suffix of domain names: one label alone would be a whole top-level domain.
fn suffix(text: &str) -> Result<String, Rule> {
    let suffix = text.trim_start_matches("*.").trim_matches('.').to_lowercase();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let good = suffix.chars().all(plain) && suffix.parse::<Name>().is_ok();
    if good && suffix.contains('.') { Ok(suffix) } else { Err(Rule::BadSuffix) }
}

/// A network.
fn network(text: &str) -> Result<String, Rule> {
    let prefix: Prefix = text.parse().map_err(|_| Rule::BadNetwork)?;
    let widest = if prefix.is_v4() { WIDEST.0 } else { WIDEST.1 };
    if prefix.length() < widest { Err(Rule::NetworkTooWide) } else { Ok(prefix.to_string()) }
}
