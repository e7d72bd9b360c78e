//! Master files (zone file text, RFC 1035 §5): parse to records or to findings, print back.
//!
//! [`parse`] works on bytes in memory and hands each record to a sink as it is read; nothing is kept
//! for it and nothing is allocated. Every fault is a [`Finding`] with file, line, column and the way
//! over includes, and reading goes on with the next record. Included files come from a [`Loader`],
//! which the caller gives: the daemon's reads twice and compares, a test's reads from memory.
//!
//! What only the whole zone can show is found by `check`.

mod finding;
mod generate;
mod input;
mod parse;
mod print;
mod render;
mod rule;
mod scan;

pub use finding::{Finding, Place, Severity};
pub use input::{
    At, Directory, END_MARKER, Included, Input, LoadError, Loader, Memory, NoIncludes, Options,
    Parsed, last_line,
};
pub use parse::parse;
pub use print::{print_record, print_zone, write_record};
pub use render::render;
pub use rule::{Rule, TEXT_RULES};

#[cfg(test)]
mod tests;
