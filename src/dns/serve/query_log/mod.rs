//! The query log: one line per query, written off the answering path, and read again.
//!
//! Writer (`line`) and reader (`read`) of a line stand side by side: both speak format version 1, of which
//! docs/operation.md has the keys.

mod entry;
mod file;
mod line;
pub mod read;
mod spelling;

use std::path::PathBuf;

use super::lane::Room;
use super::log::kept::Keep;
pub use super::log::kept::aside_of as put_aside;
use super::log::{ClientDetail, Filter, Form, Log, LogLane, Rounds, Written};
pub(super) use entry::Entry;
use file::LogFile;
pub use file::inspect;
use line::LineMaker;
use spelling::Sheet;

/// The running log.
pub(super) type QueryLog = Log<Lines>;
/// A worker's end of it.
pub(super) type LaneWriter = LogLane<Lines>;

//------------ QueryLogOptions -----------------------------------------------

/// The settings.
#[derive(Clone, Debug)]
pub struct QueryLogOptions {
    /// The file; rotated files are beside it, with a time after the name.
    pub file: PathBuf,
    /// How much of it is kept.
    pub keep: Keep,
    /// How lines are spelled.
    pub format: LineFormat,
    /// What is written of a client's address.
    pub client: ClientDetail,
    /// Which queries are written.
    pub filter: Filter,
}

/// How a line is spelled; the keys are the same.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum LineFormat {
    /// A JSON object.
    #[default]
    Json,
    /// `key=value`, separated by spaces.
    Text,
}

//------------ Lines ---------------------------------------------------------

/// Makes lines of entries and writes them.
pub(super) struct Lines {
    /// The file.
    file: LogFile,
    /// Makes lines.
    maker: LineMaker,
    /// Lines that are not written yet.
    sheet: Sheet,
}

impl Form for Lines {
    type Options = QueryLogOptions;
    const NAME: &'static str = "query log";
    const ROOM: Room = Room { block: 256 << 10, waiting: 4 << 20 };
    const TOO_SLOW: &'static str = "the disk is slower than the queries";

    fn new(options: &QueryLogOptions) -> Self {
        let maker = LineMaker::new(options.client, options.format);
        Self { file: LogFile::new(options), maker, sheet: Sheet::new() }
    }

    fn filter(options: &QueryLogOptions) -> &Filter {
        &options.filter
    }

    fn configure(&mut self, options: &QueryLogOptions) {
        self.file.configure(options);
        self.maker.configure(options.client, options.format);
    }

    fn reopen(&mut self) {
        self.file.reopen();
    }

    fn write(&mut self, round: &mut Rounds) -> Written {
        let (mut made, mut whole) = (0, 0);
        round.each(|block| {
            let used = self.maker.make(block, &mut self.sheet)?;
            made += 1;
            if self.sheet.is_full() {
                whole += self.flush();
            }
            Some(used)
        });
        whole += self.flush();
        Written { whole, lost: made - whole }
    }

    fn trouble(&self) -> Option<&str> {
        self.file.trouble()
    }

    fn close(&mut self) -> Written {
        Written::default()
    }
}

impl Lines {
    /// Writes the lines gathered; the number of those that are in the file.
    fn flush(&mut self) -> u64 {
        if self.sheet.lines() == 0 {
            self.file.tend();
            return 0;
        }
        let written = self.file.append(self.sheet.octets(), self.sheet.lines());
        self.sheet.clear();
        written
    }
}

impl LaneWriter {
    /// Notes a query of the sample.
    pub(super) fn note(&mut self, entry: &Entry<'_>) {
        self.put(entry, entry::OCTETS_MAX, |block| entry.encode(block));
    }
}

#[cfg(test)]
mod tests;
