//! Requests in bulk: a table that an officer fills in with a spreadsheet, and the letters that go with it.
//!
//! ```text
//! file ─► Table: its rows, or why it is none ─► Maker: each row an application, or what is wrong with its cells
//! ZIP  ─► letters by the names that rows give them
//! ```
//! Files are read as spreadsheets write them: semicolons or commas, with or without a byte order mark, dates in two
//! forms. Values that a spreadsheet has damaged are reported, never guessed. Whether a request is acceptable is not
//! decided here: `desk` checks each row by the same rules as any other request.

mod columns;
mod maker;
mod table;
mod zip;

pub use crate::spreadsheet::is_zip;
pub use columns::{COLUMNS, Column, column_of, template};
pub use maker::{Made, Maker};
pub use table::{ROWS_MAX, TABLE_MAX, Table, TableFault, TextRow};
pub use zip::{LETTERS_MAX, ZIP_MAX, ZipFault, letters};

#[cfg(test)]
mod tests;
