//! The settings of other name servers, read as gapura's tables: named.conf of BIND, nsd.conf of NSD,
//! knot.conf of Knot DNS.
//!
//! ```text
//! text ─► named │ nsd │ knot ─► Draft (zones with lists of servers) ─► Imported (tables) ─► print
//! ```
//!
//! Pure: text comes from the caller's [`Files`], tables go out; zone files are not read here. What has no counterpart
//! becomes a [`Note`] with file and line, and is never dropped silently. No permission becomes wider than it was: where
//! gapura cannot express a list, less of it is taken over, and a note says so. docs/moving.md.

mod address;
mod book;
mod draft;
mod files;
mod item;
mod knot;
mod model;
mod named;
mod nsd;
mod print;

pub use files::{Files, matches};
pub use model::{Content, Imported, Key, Note, Place, Remote, Signing, Update, Zone};
pub use print::{Printed, notes, quoted, tables};

use std::path::Path;

use files::Sources;
use item::Item;

/// Whose settings they are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Program {
    /// BIND's named.
    Named,
    /// NSD.
    Nsd,
    /// Knot DNS.
    Knot,
}

impl Program {
    /// The word of the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Named => "named",
            Self::Nsd => "nsd",
            Self::Knot => "knot",
        }
    }
}

/// Reads the settings in `path` and whatever they include.
pub fn read(program: Program, path: &Path, files: &dyn Files) -> Result<Imported, Fault> {
    let mut sources = Sources::new(files);
    let draft = match program {
        Program::Named => named::read(path, &mut sources)?,
        Program::Nsd => nsd::read(path, &mut sources)?,
        Program::Knot => knot::read(path, &mut sources)?,
    };
    Ok(book::settle(draft))
}

/// Why settings cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct Fault {
    /// Where.
    pub place: Place,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Fault {
    /// A fault.
    fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { place: place.clone(), message: message.into() }
    }
}

/// The beginning of a long text, for a message.
fn cut(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A name whose asterisks are literal, as patterns of `zone.update` write it: there a bare asterisk matches any labels.
fn literal(name: &str) -> String {
    let (mut text, mut is_escaped) = (String::new(), false);
    for sign in name.chars() {
        if sign == '*' && !is_escaped {
            text.push('\\');
        }
        is_escaped = sign == '\\' && !is_escaped;
        text.push(sign);
    }
    text
}

#[cfg(test)]
mod tests;
