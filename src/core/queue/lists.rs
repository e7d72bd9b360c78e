//! The lists an office works by, each as a table of cells: what an administrator sees, edits, imports
//! and exports (docs/settings.md).
//!
//! ```text
//! text, pasted or from a file ─read─► Table ─► Basis: calendar, naming, targets …
//!                     Table ─text─► CSV, and the SHA-256 that names its content
//!                     Table, Table ─Diff─► rows added, removed, changed
//! ```
//! Where a table comes from, and which one is in force, is decided in `desk`.

mod basis;
mod cells;
mod diff;
mod read;

pub use basis::{Basis, judge};
pub use cells::{IDENTITY, hosting_fault, identity_fault};
pub use diff::Diff;
pub use read::RowFault;

use std::collections::BTreeMap;

use super::named::named;
use crate::digest::sha256_hex;

/// Rows of one list at most.
pub const ROWS_MAX: usize = 20_000;
/// Longest cell, in characters.
pub const CELL_MAX: usize = 300;
/// Longest text of a list, in octets.
pub const TEXT_MAX: usize = 2 << 20;

//------------ List ----------------------------------------------------------

named! {
    /// The lists.
    pub enum List {
        /// Whose names these are: the lines of `[office]`.
        Identity = "identity",
        /// Working hours of each day of the week.
        Hours = "hours",
        /// Other hours for a time, such as Ramadan's.
        OtherHours = "other_hours",
        /// Days nobody works, with their source.
        Holidays = "holidays",
        /// Offices of the regency, by short form.
        Offices = "offices",
        /// Districts and villages, by code.
        Regions = "regions",
        /// Other spellings of districts and villages that are in use.
        Spellings = "spellings",
        /// Names directly under the apex that need a second signature.
        Reserved = "reserved",
        /// Suffixes below which a stranger can claim a target.
        Hijackable = "hijackable",
        /// Networks in Indonesia.
        Indonesia = "indonesia",
        /// Where sites may be hosted.
        Hostings = "hostings",
    }
}

impl List {
    /// The names of the columns, as in the first line of a file.
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Identity => &["key", "value"],
            Self::Hours => &["day", "hours"],
            Self::OtherHours => &["first", "last", "name", "hours"],
            Self::Holidays => &["date", "name", "source"],
            Self::Offices => &["singkatan", "nama", "jenis"],
            Self::Regions => &["kode", "jenis", "nama"],
            Self::Spellings => &["name", "spelling"],
            Self::Reserved => &["pattern", "office", "why"],
            Self::Hijackable => &["suffix"],
            Self::Indonesia => &["network"],
            Self::Hostings => &["name", "target"],
        }
    }

    /// The columns that may stay empty.
    pub const fn optional(self) -> &'static [usize] {
        match self {
            Self::Identity | Self::Hours => &[1],
            Self::Offices => &[2],
            Self::Reserved => &[1, 2],
            _ => &[],
        }
    }

    /// The key of the settings file that gives it.
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Identity => "[office]",
            Self::Hours => "work.hours",
            Self::OtherHours => "work.overrides",
            Self::Holidays => "work.holidays",
            Self::Offices => "naming.offices",
            Self::Regions => "naming.regions",
            Self::Spellings => "",
            Self::Reserved => "",
            Self::Hijackable => "",
            Self::Indonesia => "targets.indonesia",
            Self::Hostings => "[[hosting]]",
        }
    }

    /// Whether its rows are given, and only their values change.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Identity | Self::Hours)
    }

    /// Whether it may be empty; the office cannot work without the others.
    pub const fn may_be_empty(self) -> bool {
        !matches!(self, Self::Identity | Self::Hours | Self::Offices | Self::Regions)
    }

    /// Whether it says when the office works.
    pub const fn is_of_time(self) -> bool {
        matches!(self, Self::Hours | Self::OtherHours | Self::Holidays)
    }

    /// Whether the order of its rows is that of their keys; the order of the others is kept.
    const fn is_sorted(self) -> bool {
        !matches!(self, Self::Identity | Self::Hours | Self::Offices | Self::Hostings)
    }
}

//------------ Table ---------------------------------------------------------

/// The content of a list. No two rows have the same first cell, which names the row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Table {
    /// Which list.
    pub list: List,
    /// The rows, each as wide as the list has columns.
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of rows that are good already; a later row with a known key replaces the earlier one.
    pub(super) fn of(list: List, rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut table = Self { list, rows: Vec::new() };
        if list.is_sorted() {
            let keyed = rows.into_iter().map(|row| (key(&row).to_owned(), row));
            table.rows = keyed.collect::<BTreeMap<_, _>>().into_values().collect();
        } else {
            rows.into_iter().for_each(|row| table.put(row));
        }
        table
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<String>] {
        &self.rows
    }

    /// The row of a key.
    pub fn row(&self, wanted: &str) -> Option<&[String]> {
        let found = if self.list.is_sorted() {
            let at = self.rows.binary_search_by(|row| key(row).cmp(wanted)).ok();
            at.and_then(|at| self.rows.get(at))
        } else {
            self.rows.iter().find(|row| key(row) == wanted)
        };
        found.map(Vec::as_slice)
    }

    /// The cell of a row and a column; empty if there is none.
    pub fn cell(&self, key: &str, column: usize) -> &str {
        self.row(key).and_then(|row| row.get(column)).map_or("", String::as_str)
    }

    /// Puts a row in, in the place of the one with its key if there is one; the order of the keys is not
    /// looked at.
    fn put(&mut self, row: Vec<String>) {
        match self.rows.iter_mut().find(|other| key(other) == key(&row)) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
    }

    /// The same with the rows of another one put in.
    pub fn with(&self, other: &Self) -> Self {
        Self::of(self.list, self.rows.iter().chain(&other.rows).cloned())
    }

    /// The same without the row of a key.
    pub fn without(&self, wanted: &str) -> Self {
        let rows = self.rows.iter().filter(|row| key(row) != wanted).cloned().collect();
        Self { list: self.list, rows }
    }

    /// The table as CSV, by which it is kept and compared.
    pub fn text(&self) -> String {
        self.csv(b',', str::to_owned)
    }

    /// The table as CSV with this sign between cells, and each cell as `shown` makes it.
    pub fn csv(&self, delimiter: u8, shown: impl Fn(&str) -> String) -> String {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        // A vector takes everything.
        drop(writer.write_record(self.list.columns()));
        for row in &self.rows {
            drop(writer.write_record(row.iter().map(|cell| shown(cell))));
        }
        let octets = writer.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&octets).into_owned()
    }

    /// The SHA-256 of its text, in hexadecimal.
    pub fn sha256(&self) -> String {
        sha256_hex(self.text())
    }
}

/// What names a row: its first cell.
pub(super) fn key(row: &[String]) -> &str {
    row.first().map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
