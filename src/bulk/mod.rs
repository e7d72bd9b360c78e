//! Requests in bulk: a table that an officer fills in with a spreadsheet, and the letters that go with it.
//!
//! ```text
//! file ─► Table: its rows, or why it is none ─► Maker: each row an application, or what is wrong with its cells
//! ZIP  ─► letters by the names that rows give them
//! ```
//! A file is read as spreadsheets write it: semicolons or commas, with a byte order mark or without, dates in two
//! forms. What a spreadsheet has spoilt is told and never guessed. Whether a request may come in is no matter of
//! this room: `desk` judges each row by the rules of any other request.

mod columns;
mod maker;
mod table;
mod zip;

pub use crate::text::spreadsheet::is_zip;
pub use columns::{COLUMNS, Column, column_of, template};
pub use maker::{Made, Maker};
pub use table::{ROWS_MAX, TABLE_MAX, Table, TableFault, TextRow};
pub use zip::{LETTERS_MAX, ZIP_MAX, ZipFault, letters};

#[cfg(test)]
mod tests;
