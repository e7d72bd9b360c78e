//! Laporan kegiatan (step 6 of the SOP): what came in during a month, what became of it, and how
//! long each step took against the SOP.
//!
//! A [`Report`] is gathered from the event chain as it stood at the month's end, or as it stands now
//! while the month runs; the same numbers come out however often it is made, and making it changes
//! nothing. Closing a month is an act of the desk. The report goes out as JSON, CSV and XLSX with the
//! same rows. No applicant is named, and officers by their jabatan only.

mod activity;
mod gather;
mod holders;
mod list;
mod month;
mod sheet;
mod steps;
mod workbook;
mod xlsx;

pub use gather::{Terms, closed_at};
pub use list::{ListError, step_words};
pub use month::{Month, NotAMonth};
pub use sheet::{Count, HolderLate, Late, Line, LiveName, Moment, Report, StepTime, StepUsed};
pub use steps::median;

#[cfg(test)]
mod tests;
