//! The list as CSV for spreadsheets: a byte order mark so that Indonesian Excel reads UTF-8, semicolons, formulas
//! disarmed, dates that sort.

use super::sheet::{Line, Report, StepUsed};
use crate::queue::ClockStep;
use crate::text::disarmed;
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
        for line in &self.requests {
            let late: Vec<&StepUsed> = line.steps.iter().filter(|used| used.is_late()).collect();
            let finished = line.finished.map(|at| words.sortable(at.0)).unwrap_or_default();
            let mut cells = vec![
                disarmed(&line.number),
                line.kind.say(words),
                line.class.say(words),
                disarmed(&line.name),
                disarmed(&line.office),
                line.state.say(words),
                words.sortable(line.submitted.0),
                finished,
            ];
            cells.extend(
                minutes(line).map(|used| used.map(|it| it.to_string()).unwrap_or_default()),
            );
            cells.push(words.s(if line.late { "report-yes" } else { "report-no" }));
            let steps = late.iter().map(|used| step_words(words, used.step));
            cells.push(steps.collect::<Vec<_>>().join(", "));
            let holders = late.iter().map(|used| used.holder.as_str());
            cells.push(disarmed(&holders.collect::<Vec<_>>().join(", ")));
            writer.write_record(&cells)?;
        }
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(format!("{BYTE_ORDER_MARK}{}", String::from_utf8_lossy(&bytes)))
    }
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
pub(super) fn minutes(line: &Line) -> impl Iterator<Item = Option<i64>> {
    ClockStep::ALL.into_iter().map(|step| {
        line.steps.iter().find(|used| used.step == step.number()).map(|used| used.used_minutes)
    })
}

/// A step with its number: "2 Disposisi".
pub fn step_words(words: Words, step: u8) -> String {
    words.s(&format!("report-step-{step}"))
}
