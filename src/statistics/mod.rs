//! Statistics of queries: how many, of what kind, for which names; and nothing of who asked.
//!
//! ```text
//! workers: counters ─┐                        ┌─► sums by minute, hour, day ─┐
//!                    ├─(each second)─► Book ──┤                              ├─(each minute)─► store ─► Figures
//! workers: sample ───┘                        └─► names, live names ─────────┘
//! ```
//!
//! What all queries have in common (code, type, transport) is counted exactly, by the counters that
//! metrics read. Names and zones come from the sample of `serve`, whose weights add up to all queries;
//! of the names of a day the most frequent are kept in bounded memory, each with by how much its count may be too
//! high. Nothing here is on the way of a query, and while the database is away, the sums wait in memory.

mod book;
mod figures;
mod sketch;
mod time;

use std::sync::{Arc, Mutex};

use crate::lock::lock;
use crate::serve::Tap;
use crate::store::{Store, StoreError};
use book::Book;
pub use figures::{Figures, LabelCount, LiveQueries, NameQueries, Point, Span};

//------------ Statistics ----------------------------------------------------

/// The statistics; clones share them.
#[derive(Clone)]
pub struct Statistics(Arc<Inner>);

/// What clones share.
struct Inner {
    /// The database.
    store: Store,
    /// The workers.
    tap: Tap,
    /// What is not in the database yet.
    book: Mutex<Book>,
}

impl Statistics {
    /// Statistics of these workers, going on from what the database holds.
    pub fn new(store: Store, tap: Tap) -> Self {
        Self(Arc::new(Inner { store, tap, book: Mutex::default() }))
    }

    /// Takes over what the workers have counted since the last call.
    pub fn collect(&self, now_ms: i64) {
        drop(self.0.collect(now_ms));
    }

    /// Takes it over and writes all of it down. What cannot be written waits for the next time.
    pub fn keep(&self, now_ms: i64) -> Result<(), StoreError> {
        let mut book = self.0.collect(now_ms);
        book.keep(&self.0.store, now_ms)
    }

    /// The figures up to now.
    pub fn figures(&self, span: Span, now_ms: i64) -> Result<Figures, StoreError> {
        self.keep(now_ms)?;
        let sampled = lock(&self.0.book).one_in();
        self.0.store.read(|reader| Figures::of(reader, span, sampled, now_ms))
    }
}

impl Inner {
    /// Takes over what the workers have counted.
    fn collect(&self, now_ms: i64) -> std::sync::MutexGuard<'_, Book> {
        let mut book = lock(&self.book);
        book.count(&self.tap.counters(), now_ms);
        self.tap.samples(|sample| book.note(sample, now_ms));
        book
    }
}

#[cfg(test)]
mod tests;
