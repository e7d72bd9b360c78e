//! Why a paper cannot be drawn.

/// Why a paper cannot be drawn.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PaperError {
    /// The program's own fonts do not read.
    #[error("the fonts of papers cannot be read")]
    Fonts,
    /// It has more pages than any paper has.
    #[error("the paper has too many pages")]
    TooLong,
    /// The coat of arms is no PNG picture, or too large.
    #[error("the coat of arms is no PNG picture of at most 2000 pixels a side: {0}")]
    CoatOfArms(String),
    /// The PDF would break PDF/A or PDF/UA.
    #[error("the PDF would not be valid: {0}")]
    Writer(String),
}
