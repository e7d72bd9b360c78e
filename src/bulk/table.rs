//! A table as spreadsheets write it (RFC 4180, loosely): its rows by column, or why it cannot be read.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::{COLUMNS, Column};
use crate::spreadsheet::{Kind, NotText, Sheet, bare, text_of};
use crate::words::{Lang, Said, Words};

/// Octets of a table at most.
pub const TABLE_MAX: usize = 2 * 1024 * 1024;
/// Rows at most: the villages of any regency, several times over.
pub const ROWS_MAX: usize = 2_000;
/// Characters of a cell at most; a missing quotation mark turns all the rest into one cell.
const CELL_MAX: usize = 5_000;
/// Columns at most.
const COLUMNS_MAX: usize = 200;

//------------ Table ---------------------------------------------------------

/// The rows of a file.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Table {
    /// The rows that are not empty.
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

/// Why a file cannot be read as a table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TableFault {
    /// There is nothing in it.
    Empty,
    /// It is too large.
    TooLarge,
    /// It has too many rows.
    TooManyRows,
    /// It is no text.
    NotText(NotText),
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
            Self::NotText(fault) => fault.say(t),
            Self::Broken(line) => t.a("bulk-fault-broken", "line", &line.to_string()),
            Self::Missing(columns) => {
                let names: Vec<String> = columns.iter().map(|column| column.label(t)).collect();
                t.a("bulk-fault-missing", "columns", &names.join(", "))
            }
            Self::Twice(column) => t.a("bulk-fault-twice", "column", &column.label(t)),
        }
    }
}

impl From<NotText> for TableFault {
    fn from(fault: NotText) -> Self {
        Self::NotText(fault)
    }
}

impl Said for NotText {
    fn id(&self) -> String {
        let id = match self {
            Self::Workbook => "bulk-fault-workbook",
            Self::Characters(_) => "bulk-fault-characters",
        };
        id.to_owned()
    }

    fn say(&self, t: Words) -> String {
        match self {
            Self::Workbook => t.s(&self.id()),
            Self::Characters(line) => t.a(&self.id(), "line", &line.to_string()),
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
        if bytes.len() > TABLE_MAX {
            return Err(TableFault::TooLarge);
        }
        let mut records = Sheet::of(text_of(bytes)?).records(Kind::Headed);
        let (_, head) = records.next().ok_or(TableFault::Empty)?;
        let (columns, unused) = columns(&head)?;
        let mut rows = Vec::new();
        for (line, record) in records {
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

/// The column at each place of the heading, and the headings that are unknown.
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
        let cell = plain(cell);
        if let Some(column) = column
            && !cell.is_empty()
        {
            cells.insert(column.name, cell.to_owned());
        }
    }
    let is_long = record.iter().skip(columns.len()).any(|cell| !plain(cell).is_empty());
    TextRow { line, cells, is_long }
}

/// A cell without the apostrophe that keeps a spreadsheet from changing it: `'0812` is 0812.
fn plain(cell: &str) -> &str {
    let cell = bare(cell);
    cell.strip_prefix('\'').unwrap_or(cell).trim()
}
