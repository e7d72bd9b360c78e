//! Master files (zone file text, RFC 1035 §5): parse to records or to findings, print back.
//!
//! [`parse`] works on bytes in memory and passes each record to a sink as it is read; it keeps and
//! allocates nothing. Every fault is a [`Finding`] with file, line, column and the chain of includes, and
//! reading continues with the next record. Included files come from the caller's [`Loader`]: the daemon's
//! reads twice and compares, a test's reads from memory.
//!
//! `check` finds the faults that only the whole zone shows.

mod finding;
mod generate;
mod input;
mod parse;
mod print;
mod render;
mod rule;
mod scan;
mod stretch;

pub use finding::{Finding, Place, Severity};
pub use input::{
    At, Beside, Directory, END_MARKER, Included, Input, LoadError, Loader, Memory, NoIncludes,
    Options, Parsed, last_line, no_final_newline,
};
pub use parse::parse;
pub use print::{print_record, print_zone, write_line, write_record};
pub use render::render;
pub use rule::{TEXT_RULES, TextRule};
pub use stretch::{Sinks, parse_apart};

#[cfg(test)]
mod tests;
