//! Draws papers: a child process for each, confined, one after the other.
//!
//! What a paper says was typed by people. A text that drives the layout into a panic or an endless loop ends
//! a child, and the parent has a reason instead of a paper; answering on port 53 does not notice.

mod child;

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::confined::{self, Budget, NotDone};
use crate::lock::lock;
use crate::paper::{Paper, PaperError, Sample};
use child::Work;

pub use child::run as child;

/// What drawing a paper may use. A report with an annex of a thousand rows takes a second.
const BUDGET: Budget = Budget { seconds: 20, memory_mib: 512 };
/// Most octets of a paper.
pub const PDF_MAX: usize = 8 * 1024 * 1024;
/// Most octets of what a child is given: a paper's content and a coat of arms.
const INPUT_MAX: usize = 8 * 1024 * 1024;

//------------ Press ---------------------------------------------------------

/// Draws papers; clones share the turn.
#[derive(Clone)]
pub struct Press(Arc<Inner>);

/// What clones share.
struct Inner {
    /// The program that has the command `print-paper`: this one.
    program: PathBuf,
    /// One paper is drawn at a time.
    turn: Mutex<()>,
    /// Whether papers are drawn in this process; for tests of what is above.
    here: bool,
}

impl Default for Press {
    fn default() -> Self {
        // The file that runs now, also after another version took its place on disk.
        Self::of("/proc/self/exe".into())
    }
}

impl Press {
    /// A press that starts this program, which has the command `print-paper`.
    pub fn of(program: PathBuf) -> Self {
        Self(Arc::new(Inner { program, turn: Mutex::new(()), here: false }))
    }

    /// A press without children, for tests of the rooms above.
    #[cfg(test)]
    pub(crate) fn here() -> Self {
        Self(Arc::new(Inner { program: PathBuf::new(), turn: Mutex::new(()), here: true }))
    }

    /// The PDF of a paper, with the coat of arms as a PNG picture. Blocks until it is drawn.
    pub fn print(&self, paper: &Paper, coat_of_arms: Option<&[u8]>) -> Result<Vec<u8>, PressError> {
        if self.0.here {
            return Ok(crate::paper::pdf(paper, coat_of_arms)?);
        }
        self.draw(Work::Paper(paper), coat_of_arms.unwrap_or_default())
    }

    /// The PDF of a letter for others to copy.
    pub fn print_sample(&self, sample: &Sample) -> Result<Vec<u8>, PressError> {
        if self.0.here {
            return Ok(crate::paper::sample_pdf(sample)?);
        }
        self.draw(Work::Sample(sample), &[])
    }

    /// Has a child draw something, once the ones before are done.
    fn draw(&self, work: Work<'_>, coat_of_arms: &[u8]) -> Result<Vec<u8>, PressError> {
        let _turn = lock(&self.0.turn);
        let input = child::question(work, coat_of_arms)?;
        let command = confined::command(&self.0.program, "print-paper", BUDGET);
        self.ask(command, input)
    }

    /// Has a child answer.
    fn ask(&self, command: Command, input: Vec<u8>) -> Result<Vec<u8>, PressError> {
        if input.len() > INPUT_MAX {
            return Err(PressError::Paper("it says more than fits on a paper".to_owned()));
        }
        // The clock on the wall is the second limit: a machine under load gives a child less of a second.
        let time = Duration::from_secs(BUDGET.seconds.saturating_mul(2));
        let done = confined::run(command, &input.into(), PDF_MAX + child::HEAD_MAX, time)?;
        if !done.status.success() {
            return Err(PressError::Failed(done.status.to_string()));
        }
        child::answered(done.output)
    }
}

//------------ PressError ----------------------------------------------------

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PressError {
    /// The child could not be run, or was ended at its limits.
    #[error("the process that draws papers")]
    NotDone(#[from] NotDone),
    /// The child failed.
    #[error("the process that draws papers failed: {0}")]
    Failed(String),
    /// The child said what no child says.
    #[error("the process that draws papers gave an invalid answer")]
    Invalid,
    /// The paper cannot be drawn.
    #[error("the paper cannot be drawn: {0}")]
    Paper(String),
}

impl From<PaperError> for PressError {
    fn from(error: PaperError) -> Self {
        Self::Paper(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::Press;
    use crate::paper::{Content, Letterhead, PageSize, Paper, Receipt, Seal, VERSION};

    #[test]
    fn an_empty_paper_is_a_paper() {
        let paper = Paper {
            version: VERSION,
            size: PageSize::A4,
            letterhead: Letterhead::default(),
            seal: Seal::default(),
            content: Content::Receipt(Receipt::default()),
        };
        assert!(Press::here().print(&paper, None).unwrap().starts_with(b"%PDF-1.7"));
    }
}
