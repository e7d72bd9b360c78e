//! Letters as they are uploaded (*surat*): read by their content, in a process of their own, before
//! anything of them is kept.
//!
//! ```text
//! octets ─► Reader ─► child process, confined ─► inspect ─► Letter or Fault
//!                 └─► the virus scanner of the settings ─┘
//! ```
//! A PDF is parsed as a structure and kept as it came, if it is whole, holds nothing that runs, and is
//! nothing else besides. A JPEG or PNG is decoded whole and written anew, smaller, without metadata and
//! without whatever was behind it. Anything else is refused, and so is a letter that cannot be judged.

mod child;
mod inspect;
mod letter;
mod pdf;
mod picture;
mod reader;
mod refusal;
mod scaling;

pub use child::run as child;
pub use inspect::inspect;
pub use letter::{Letter, Media, STORED_MAX, TAKEN_MAX, fits};
pub use reader::{Options, Reader, Sender};

/// A small PDF of one empty page, for the tests of all rooms.
#[cfg(test)]
pub(crate) const SAMPLE: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
    2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
    3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n\
    trailer<</Size 4/Root 1 0 R>>\n%%EOF\n";

#[cfg(test)]
mod tests;
