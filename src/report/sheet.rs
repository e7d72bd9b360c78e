//! The report itself: rows, counts, CSV.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Month;
use crate::queue::{Kind, NamingClass, State};
use crate::store::requests::RequestRow;
use crate::store::{Store, StoreError};
use crate::text::disarmed;
use crate::words::{Lang, Words};

/// Lets Indonesian Excel read UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

//------------ Report --------------------------------------------------------

/// What came in during a month and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `YYYY-MM`.
    pub month: String,
    /// Requests that came in.
    pub total: usize,
    /// By kind.
    pub kinds: Vec<Count>,
    /// By class.
    pub classes: Vec<Count>,
    /// By the state they are in now.
    pub states: Vec<Count>,
    /// Numbers of those whose running step is late now.
    pub late: Vec<String>,
    /// The requests, in the order they came.
    pub requests: Vec<Line>,
}

/// How many there are of something.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Count {
    /// The JSON name.
    pub what: String,
    /// How many.
    pub count: usize,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The number.
    pub number: String,
    /// The kind.
    pub kind: Kind,
    /// The class.
    pub class: NamingClass,
    /// The full name.
    pub name: String,
    /// The office.
    pub office: String,
    /// The state now.
    pub state: State,
    /// When it came in, epoch milliseconds.
    pub submitted_ms: i64,
    /// The last act, epoch milliseconds.
    pub changed_ms: i64,
    /// Whether the running step is late.
    pub late: bool,
}

impl Report {
    /// The report of a month, as of `now_ms`.
    pub fn of(store: &Store, month: Month, now_ms: i64) -> Result<Self, StoreError> {
        let (from, to) = month.span().unwrap_or((0, 0));
        let rows = store.read::<_, StoreError>(|reader| reader.requests_between(from, to))?;
        Ok(Self::from_rows(month, &rows, now_ms))
    }

    /// The report over these rows.
    pub fn from_rows(month: Month, rows: &[RequestRow], now_ms: i64) -> Self {
        let requests: Vec<Line> = rows.iter().map(|row| line(row, now_ms)).collect();
        let late = requests.iter().filter(|line| line.late);
        Self {
            month: month.to_string(),
            total: rows.len(),
            kinds: counts(rows.iter().map(|row| row.kind.as_str())),
            classes: counts(rows.iter().map(|row| row.class.as_str())),
            states: counts(rows.iter().map(|row| row.state.as_str())),
            late: late.map(|line| line.number.clone()).collect(),
            requests,
        }
    }

    /// The list as CSV for spreadsheets: byte order mark, semicolons, formulas disarmed.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let words = Words::of(Lang::Id);
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
        writer.write_record([
            "nomor",
            "jenis",
            "kelas",
            "nama",
            "instansi",
            "status",
            "diajukan",
            "perubahan terakhir",
            "terlambat",
        ])?;
        for line in &self.requests {
            let late = if line.late { "ya" } else { "tidak" };
            let cells = [
                disarmed(&line.number),
                line.kind.to_string(),
                line.class.to_string(),
                disarmed(&line.name),
                disarmed(&line.office),
                line.state.to_string(),
                words.date_time(line.submitted_ms),
                words.date_time(line.changed_ms),
                late.to_owned(),
            ];
            writer.write_record(&cells)?;
        }
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(format!("{BYTE_ORDER_MARK}{}", String::from_utf8_lossy(&bytes)))
    }
}

/// A row as a line.
fn line(row: &RequestRow, now_ms: i64) -> Line {
    Line {
        number: row.number.clone(),
        kind: row.kind,
        class: row.class,
        name: row.name.clone(),
        office: row.office.clone(),
        state: row.state,
        submitted_ms: row.submitted_ms,
        changed_ms: row.changed_ms,
        late: row.open && row.due_ms.is_some_and(|due| due < now_ms),
    }
}

/// How often each word occurs, in the order of the words.
fn counts<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Count> {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words {
        *found.entry(word).or_default() += 1;
    }
    found.into_iter().map(|(what, count)| Count { what: what.to_owned(), count }).collect()
}
