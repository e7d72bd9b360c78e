//! dnstap: each query and its response as they were on the wire, for programs that read that form.
//!
//! ```text
//! record (messages and addresses) ─► message: protobuf ─► frames: Frame Streams ─► socket or file
//! ```
//!
//! The schema is `dnstap.proto`, the framing Frame Streams with the content type `protobuf:dnstap.Dnstap`, as
//! Knot, NSD, BIND and Unbound speak them (<https://dnstap.info>). A query becomes a message of its own, and its
//! response another: AUTH_QUERY and AUTH_RESPONSE, or UPDATE_QUERY and UPDATE_RESPONSE. Of a transfer over a
//! stream only the query is there. The message of a transaction that takes its time is without its TSIG.

mod frames;
mod message;
mod output;
mod record;

use std::path::PathBuf;

use super::lane::Room;
use super::log::kept::Keep;
use super::log::{ClientDetail, Filter, Form, Log, LogLane, Rounds, Written};
use super::query_log::Entry;
use message::Maker;
use output::Output;
use record::Record;

/// The running log.
pub(super) type Dnstap = Log<Messages>;
/// A worker's end of it.
pub(super) type DnstapLane = LogLane<Messages>;

//------------ DnstapOptions -------------------------------------------------

/// The settings.
#[derive(Clone, Debug)]
pub struct DnstapOptions {
    /// Where messages go.
    pub target: Target,
    /// How much of a file is kept.
    pub keep: Keep,
    /// How this server calls itself in each message; empty: not at all.
    pub identity: String,
    /// Whether queries are sent.
    pub queries: bool,
    /// Whether responses are sent.
    pub responses: bool,
    /// What is sent of a client's address.
    pub client: ClientDetail,
    /// Which queries are sent.
    pub filter: Filter,
}

/// Where messages go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A Unix socket that a reader listens on.
    Socket(PathBuf),
    /// A file; those put aside are beside it, with a time after the name.
    File(PathBuf),
}

//------------ Messages ------------------------------------------------------

/// Makes messages of records and sends them.
pub(super) struct Messages {
    /// Makes messages.
    maker: Maker,
    /// Where they go.
    output: Output,
}

impl Form for Messages {
    type Options = DnstapOptions;
    const NAME: &'static str = "dnstap";
    const ROOM: Room = Room { block: 512 << 10, waiting: 8 << 20 };
    const TOO_SLOW: &'static str = "its reader is slower than the queries";

    fn new(options: &DnstapOptions) -> Self {
        Self { maker: Maker::new(options), output: Output::new(options) }
    }

    fn filter(options: &DnstapOptions) -> &Filter {
        &options.filter
    }

    fn configure(&mut self, options: &DnstapOptions) {
        self.maker = Maker::new(options);
        self.output.configure(options);
    }

    fn reopen(&mut self) {
        self.output.reopen();
    }

    fn write(&mut self, round: &mut Rounds) -> Written {
        let mut written = self.output.tend();
        round.each(|block| {
            let (record, used) = Record::read(block)?;
            self.maker.make(&record, |frame| written += self.output.put(frame));
            Some(used)
        });
        written += self.output.flush();
        written
    }

    fn trouble(&self) -> Option<&str> {
        self.output.trouble()
    }

    fn close(&mut self) -> Written {
        self.output.close()
    }
}

impl DnstapLane {
    /// Notes a query of the sample, and what was sent for it: nothing, if that is empty.
    pub(super) fn note(&mut self, entry: &Entry<'_>, query: &[u8], response: &[u8]) {
        let options = self.options();
        let query = if options.queries { query } else { &[] };
        let response = if options.responses { response } else { &[] };
        if query.is_empty() && response.is_empty() {
            return;
        }
        let record = Record::of(entry, query, response);
        self.put(entry, record.octets(), |block| record.encode(block));
    }
}

#[cfg(test)]
mod tests;
