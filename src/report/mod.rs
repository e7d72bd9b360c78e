//! Laporan kegiatan (step 6 of the SOP): what came in during a month and what became of it.
//!
//! Counts and the list they are made from, as CSV and JSON. No PDF is made here. No
//! person is named: number, name, office, kind, class and result only.

mod month;
mod sheet;

pub use month::{Month, NotAMonth};
pub use sheet::{Count, Report};

#[cfg(test)]
mod tests;
