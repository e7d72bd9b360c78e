//! What people read: the message catalogues `id.ftl` (default) and `en.ftl`, what stands on papers
//! (`paper.ftl`, Indonesian only), dates and numbers.
//!
//! Every text of pages and mails that is not a name or a number stands in both catalogues. Types of
//! other rooms become message ids by exhaustive matches ([`Said`]), so that a new state without
//! words does not compile.

mod catalogue;
mod format;
mod ids;
mod office;
mod texts;

pub use catalogue::{Lang, Words};
pub use ids::{Said, say_kind};
pub use office::{Office, office, set_office};
pub use texts::{Block, Piece, TEXTS, blocks, is_text, lang_of, set_texts};

#[cfg(test)]
mod tests;
