//! Papers (*naskah*): what one says, in; octets of a PDF or of a page for printing, out.
//!
//! ```text
//! Paper ─► forms ─► Document (blocks in reading order) ─┬► layout ─► pdf    PDF/A-2a and PDF/UA-1
//!                                                       └► html             a part of a page
//! ```
//! Pure: no clock, no chance, no file. The same [`Paper`] is the same octets on every machine. Which act
//! makes which paper, numbers, codes and what is kept are not decided here; a PDF is drawn in a process
//! of its own (`press`).

mod block;
mod content;
mod error;
mod font;
mod forms;
mod html;
mod layout;
mod lines;
mod pdf;
mod qr;
mod tags;

use std::sync::Arc;

use krilla::image::Image;

pub use crate::queue::PaperKind;
pub use content::{
    Acting, Activity, Answer, Ask, Bar, Chart, CheckedLine, Column, Content, Disposition, Field,
    LetterRef, Letterhead, Nature, Notification, PageSize, Paper, Receipt, RecordChange, Report,
    Sample, SamplePart, Seal, Section, Signer, StepTime, Table, VERSION, Verification,
};
pub use error::PaperError;
pub use qr::Qr;

/// The language of all papers.
const LANGUAGE: &str = "id";
/// Most pixels of a side of a coat of arms.
pub const COAT_OF_ARMS_MAX: u32 = 2000;

/// A paper as a PDF. `coat_of_arms` is a PNG picture.
pub fn pdf(paper: &Paper, coat_of_arms: Option<&[u8]>) -> Result<Vec<u8>, PaperError> {
    pdf::draw(&forms::document(paper), coat_of_arms.map(picture).transpose()?)
}

/// A letter for others to copy, as a PDF.
pub fn sample_pdf(sample: &Sample) -> Result<Vec<u8>, PaperError> {
    pdf::draw(&forms::sample(sample), None)
}

/// A paper as a part of a page for printing: `<article class="paper">`, with the same words as the PDF.
/// `coat_of_arms` is the address of its picture.
pub fn html(paper: &Paper, coat_of_arms: Option<&str>) -> String {
    html::page(&forms::document(paper), coat_of_arms, false)
}

/// A letter for others to copy as a part of a page that has a heading.
pub fn sample_html(sample: &Sample) -> String {
    html::page(&forms::sample(sample), None, true)
}

/// Checks that a PNG picture can be drawn as a coat of arms: all of it is read, as a paper would.
pub fn check_coat_of_arms(octets: &[u8]) -> Result<(), PaperError> {
    let picture = picture(octets)?;
    let drawn = pdf::draw(&forms::letterhead_alone(), Some(picture));
    drawn.map(drop).map_err(|error| match error {
        PaperError::Writer(reason) => PaperError::CoatOfArms(reason),
        other => other,
    })
}

/// A coat of arms that can be drawn.
fn picture(octets: &[u8]) -> Result<Image, PaperError> {
    let octets: Arc<Vec<u8>> = Arc::new(octets.to_vec());
    let image = Image::from_png(octets.into(), false).map_err(PaperError::CoatOfArms)?;
    let (width, height) = image.size();
    if width.max(height) > COAT_OF_ARMS_MAX {
        return Err(PaperError::CoatOfArms(format!("{width} × {height}")));
    }
    Ok(image)
}
