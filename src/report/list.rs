//! The list as CSV for spreadsheets: a byte order mark so that Indonesian Excel reads UTF-8, semicolons, formulas
//! disarmed, dates that sort.

use super::sheet::{Line, Report};
use super::workbook::Cell;
use crate::queue::ClockStep;
use crate::spreadsheet::disarmed;
use crate::words::{Lang, Said, Words};

/// Lets Indonesian Excel read UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The list could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the list cannot be written")]
pub struct ListError(#[source] csv::Error);

impl From<csv::Error> for ListError {
    fn from(error: csv::Error) -> Self {
        Self(error)
    }
}

impl Report {
    /// The list as CSV: one row for each request, with the minutes of each step.
    pub fn csv(&self) -> Result<String, ListError> {
        let words = Words::of(Lang::Id);
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
        writer.write_record(list_head(words))?;
        for row in self.list_rows(words) {
            writer.write_record(row.iter().map(|cell| match cell {
                Cell::Empty => String::new(),
                Cell::Text(text) | Cell::Head(text) => disarmed(text),
                Cell::Number(number) => number.to_string(),
                Cell::Moment(at) => words.sortable(*at),
            }))?;
        }
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(format!("{BYTE_ORDER_MARK}{}", String::from_utf8_lossy(&bytes)))
    }

    /// The rows of the list, one for each request, for CSV and workbook alike.
    pub(super) fn list_rows(&self, words: Words) -> Vec<Vec<Cell>> {
        self.requests.iter().map(|line| list_row(words, line)).collect()
    }
}

/// A request as a row of the list.
fn list_row(words: Words, line: &Line) -> Vec<Cell> {
    let mut cells = vec![
        Cell::Text(line.number.clone()),
        Cell::Text(line.kind.say(words)),
        Cell::Text(line.class.say(words)),
        Cell::Text(line.name.clone()),
        Cell::Text(line.office.clone()),
        Cell::Text(line.state.say(words)),
        Cell::Moment(line.submitted.0),
        line.finished.map_or(Cell::Empty, |at| Cell::Moment(at.0)),
    ];
    cells.extend(minutes(line).map(|used| used.map_or(Cell::Empty, Cell::Number)));
    cells.push(Cell::Text(words.s(if line.late { "report-yes" } else { "report-no" })));
    let late = line.steps.iter().filter(|used| used.is_late());
    let (steps, holders): (Vec<_>, Vec<_>) =
        late.map(|used| (step_words(words, used.step), used.holder.clone())).unzip();
    cells.extend([Cell::Text(steps.join(", ")), Cell::Text(holders.join(", "))]);
    cells
}

/// The heads of the columns of the list.
pub(super) fn list_head(words: Words) -> Vec<String> {
    let before = [
        "report-number",
        "report-kind",
        "report-class",
        "report-name",
        "report-office",
        "report-state",
        "report-submitted",
        "report-finished",
    ];
    let mut head: Vec<String> = before.iter().map(|id| words.s(id)).collect();
    head.extend(
        ClockStep::ALL
            .map(|step| words.a("report-minutes-of", "step", &step_words(words, step.number()))),
    );
    head.extend(["report-late", "report-late-step", "report-holder"].map(|id| words.s(id)));
    head
}

/// The minutes of each step with a limit; none where it had not begun.
fn minutes(line: &Line) -> impl Iterator<Item = Option<i64>> {
    ClockStep::ALL.into_iter().map(|step| {
        line.steps.iter().find(|used| used.step == step.number()).map(|used| used.used_minutes)
    })
}

/// A step with its number: "2 Disposisi".
pub fn step_words(words: Words, step: u8) -> String {
    words.s(&format!("report-step-{step}"))
}
