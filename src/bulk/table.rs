//! A table as spreadsheets write it (RFC 4180 and what they make of it): its rows by column, or why it is none.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{COLUMNS, Column};
use crate::words::{Lang, Words};

/// Octets of a table at most.
pub const TABLE_MAX: usize = 2 * 1024 * 1024;
/// Rows at most: the villages of any regency, several times over.
pub const ROWS_MAX: usize = 2_000;
/// Characters of a cell at most; one quotation mark that is missing makes one cell of all the rest.
const CELL_MAX: usize = 5_000;
/// Columns at most.
const COLUMNS_MAX: usize = 200;
/// What a spreadsheet writes between cells.
const SEPARATORS: [u8; 3] = *b";,\t";

//------------ Table ---------------------------------------------------------

/// The rows of a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Table {
    /// Those with something in them.
    pub rows: Vec<TextRow>,
    /// Heads of columns that are not used.
    pub unused: Vec<String>,
}

/// One row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TextRow {
    /// Its line in the file, as a spreadsheet counts it.
    pub line: u32,
    /// What is in its cells, by the name of the column; the empty ones are left out.
    pub cells: BTreeMap<&'static str, String>,
    /// Whether it has more cells than there are columns.
    pub is_long: bool,
}

/// Why a file is no table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TableFault {
    /// There is nothing in it.
    Empty,
    /// It is too large.
    TooLarge,
    /// It has too many rows.
    TooManyRows,
    /// It is a workbook, and no CSV.
    Workbook,
    /// Its characters are not in UTF-8; first in this line.
    Characters(usize),
    /// A line cannot be read: most often a quotation mark is not closed.
    Broken(u64),
    /// These columns are missing.
    Missing(Vec<Column>),
    /// A column is there twice.
    Twice(Column),
}

impl TableFault {
    /// Its message, and what it is about.
    pub fn say(&self, t: Words) -> String {
        match self {
            Self::Empty => t.s("bulk-fault-empty"),
            Self::TooLarge => t.a("bulk-fault-large", "most", &(TABLE_MAX >> 20).to_string()),
            Self::TooManyRows => t.a("bulk-fault-rows", "most", &t.count(ROWS_MAX as u64)),
            Self::Workbook => t.s("bulk-fault-workbook"),
            Self::Characters(line) => t.a("bulk-fault-characters", "line", &line.to_string()),
            Self::Broken(line) => t.a("bulk-fault-broken", "line", &line.to_string()),
            Self::Missing(columns) => {
                let names: Vec<String> = columns.iter().map(|column| column.label(t)).collect();
                t.a("bulk-fault-missing", "columns", &names.join(", "))
            }
            Self::Twice(column) => t.a("bulk-fault-twice", "column", &column.label(t)),
        }
    }
}

impl std::fmt::Display for TableFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.say(Words::of(Lang::En)))
    }
}

impl Table {
    /// Reads a file.
    pub fn read(bytes: &[u8]) -> Result<Self, TableFault> {
        let text = text_of(bytes)?;
        let (separator, text, skipped) = separator_of(text);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut records = reader.records();
        let head = records.next().ok_or(TableFault::Empty)?;
        let head = head.map_err(|_| TableFault::Broken(skipped + 1))?;
        let (columns, unused) = columns(&head)?;
        let (mut rows, mut lines) = (Vec::new(), Lines { text, at: 0, line: skipped + 1 });
        for record in records {
            let record = record.map_err(|_| TableFault::Broken(lines.line))?;
            let line = lines.of(record.position().map_or(0, csv::Position::byte));
            if record.iter().any(|cell| cell.chars().count() > CELL_MAX) {
                return Err(TableFault::Broken(line));
            }
            let row = row(&record, &columns, u32::try_from(line).unwrap_or(u32::MAX));
            if row.cells.is_empty() && !row.is_long {
                continue;
            }
            if rows.len() == ROWS_MAX {
                return Err(TableFault::TooManyRows);
            }
            rows.push(row);
        }
        if rows.is_empty() { Err(TableFault::Empty) } else { Ok(Self { rows, unused }) }
    }
}

/// Counts lines up to a place that only goes on. The reader's own count is one behind where lines end as on
/// Windows.
struct Lines<'a> {
    /// The text.
    text: &'a str,
    /// Octets that were counted.
    at: usize,
    /// The line there.
    line: u64,
}

impl Lines<'_> {
    /// The line of a record that begins at this octet, or at the end of the line before.
    fn of(&mut self, octet: u64) -> u64 {
        let bytes = self.text.as_bytes();
        let mut end = usize::try_from(octet).unwrap_or(usize::MAX).min(bytes.len());
        while bytes.get(end).is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
            end += 1;
        }
        let between = bytes.get(self.at..end).unwrap_or_default();
        self.line += between.iter().filter(|octet| **octet == b'\n').count() as u64;
        self.at = end.max(self.at);
        self.line
    }
}

/// The text of a file, without a byte order mark.
fn text_of(bytes: &[u8]) -> Result<&str, TableFault> {
    if bytes.len() > TABLE_MAX {
        return Err(TableFault::TooLarge);
    }
    // ZIP and the container of old workbooks.
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(TableFault::Workbook);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line_at = |end: usize| {
        let before = bytes.get(..end).unwrap_or_default();
        before.iter().filter(|octet| **octet == b'\n').count() + 1
    };
    let text = std::str::from_utf8(bytes);
    let text = text.map_err(|error| TableFault::Characters(line_at(error.valid_up_to())))?;
    // UTF-16 is full of them.
    match text.find('\0') {
        Some(at) => Err(TableFault::Characters(line_at(at))),
        None => Ok(text),
    }
}

/// What stands between cells, the text behind a line that says so, and how many lines that took.
fn separator_of(text: &str) -> (u8, &str, u64) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    // What Excel writes for itself.
    if let Some(&[separator]) = first.trim_end().strip_prefix("sep=").map(str::as_bytes)
        && SEPARATORS.contains(&separator)
    {
        return (separator, rest, 1);
    }
    let (mut inside, mut counts) = (false, [0_usize; SEPARATORS.len()]);
    for octet in first.bytes() {
        inside ^= octet == b'"';
        let found = SEPARATORS.iter().position(|separator| *separator == octet && !inside);
        if let Some(count) = found.and_then(|at| counts.get_mut(at)) {
            *count += 1;
        }
    }
    let most = SEPARATORS.iter().zip(counts).max_by_key(|(_, count)| *count);
    (most.filter(|(_, count)| *count > 0).map_or(b';', |(separator, _)| *separator), text, 0)
}

/// Which column each place of the head is, and the heads of those that are none.
fn columns(head: &csv::StringRecord) -> Result<(Vec<Option<Column>>, Vec<String>), TableFault> {
    let (mut columns, mut unused, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for text in head.iter().take(COLUMNS_MAX) {
        let column = Column::of_head(text);
        match column {
            Some(column) if !seen.insert(column.name) => return Err(TableFault::Twice(column)),
            Some(_) => {}
            None if text.trim().is_empty() => {}
            None => unused.push(text.trim().to_owned()),
        }
        columns.push(column);
    }
    let missing: Vec<Column> =
        COLUMNS.into_iter().filter(|column| column.needed && !seen.contains(column.name)).collect();
    if missing.is_empty() { Ok((columns, unused)) } else { Err(TableFault::Missing(missing)) }
}

/// One row by its columns.
fn row(record: &csv::StringRecord, columns: &[Option<Column>], line: u32) -> TextRow {
    let mut cells = BTreeMap::new();
    for (column, cell) in columns.iter().zip(record) {
        let cell = bare(cell);
        if let Some(column) = column
            && !cell.is_empty()
        {
            cells.insert(column.name, cell.to_owned());
        }
    }
    let is_long = record.iter().skip(columns.len()).any(|cell| !bare(cell).is_empty());
    TextRow { line, cells, is_long }
}

/// A cell without what keeps a spreadsheet from changing it: `="0812"` and `'0812` are 0812.
fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    let formula = cell.strip_prefix("=\"").and_then(|cell| cell.strip_suffix('"'));
    formula.unwrap_or_else(|| cell.strip_prefix('\'').unwrap_or(cell)).trim()
}
