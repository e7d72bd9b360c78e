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
//!
//! Sums belong to a time and are dropped by it, so nothing is counted or dropped by a clock that may be
//! wrong: whoever runs this says whether it is believed ([`Statistics::believe_clock`]).

mod book;
mod figures;
mod sketch;
mod time;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::lock::lock;
use crate::serve::Tap;
use crate::store::{Store, StoreError};
use book::Book;
pub use figures::{Figures, LabelCount, LiveQueries, NameQueries, Point, Span};

/// Figures that are younger than this are fresh enough to be shown.
const FRESH: Duration = Duration::from_secs(10);

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
    /// Whether the clock is believed.
    is_believed: AtomicBool,
    /// When all that had been counted was last written: by a clock that nobody sets, and by the one on the
    /// wall, in epoch milliseconds.
    kept: Mutex<Option<(Instant, i64)>>,
}

impl Statistics {
    /// Statistics of these workers, going on from what the database holds.
    pub fn new(store: Store, tap: Tap) -> Self {
        Self(Arc::new(Inner {
            store,
            tap,
            book: Mutex::default(),
            is_believed: AtomicBool::new(true),
            kept: Mutex::default(),
        }))
    }

    /// Says whether the clock is believed. While it is not, nothing is counted, written or dropped: what
    /// the workers count waits with them.
    pub fn believe_clock(&self, is_believed: bool) {
        self.0.is_believed.store(is_believed, Ordering::Relaxed);
    }

    /// Takes over what the workers have counted since the last call.
    pub fn collect(&self, now_ms: i64) {
        drop(self.0.collect(now_ms));
    }

    /// Takes it over and writes all of it down. What cannot be written waits for the next time.
    pub fn keep(&self, now_ms: i64) -> Result<(), StoreError> {
        let Some(mut book) = self.0.collect(now_ms) else { return Ok(()) };
        book.keep(&self.0.store, now_ms)?;
        *lock(&self.0.kept) = Some((Instant::now(), now_ms));
        Ok(())
    }

    /// Drops sums and names past the time they are shown for, and those of a future that no right clock
    /// can have counted.
    pub fn forget(&self, now_ms: i64) -> Result<(), StoreError> {
        if !self.0.is_believed() {
            return Ok(());
        }
        self.0.store.write(|tx| book::forget(tx, now_ms))
    }

    /// The figures up to now, or up to the last time they could be written.
    pub fn figures(&self, span: Span, now_ms: i64) -> Result<Figures, StoreError> {
        let last = *lock(&self.0.kept);
        if last.is_none_or(|(at, _)| at.elapsed() >= FRESH)
            && let Err(error) = self.keep(now_ms)
        {
            tracing::debug!(%error, "the figures shown are those that were written last");
        }
        let as_of_ms = lock(&self.0.kept).map_or(now_ms, |(_, at_ms)| at_ms.min(now_ms));
        let sampled = lock(&self.0.book).one_in();
        self.0.store.read(|reader| Figures::of(reader, span, sampled, (now_ms, as_of_ms)))
    }
}

impl Inner {
    /// Whether the clock is believed.
    fn is_believed(&self) -> bool {
        self.is_believed.load(Ordering::Relaxed)
    }

    /// Takes over what the workers have counted; none while the clock is not believed.
    fn collect(&self, now_ms: i64) -> Option<std::sync::MutexGuard<'_, Book>> {
        if !self.is_believed() {
            return None;
        }
        let mut book = lock(&self.book);
        book.count(&self.tap.counters(), now_ms);
        self.tap.samples(|sample| book.note(sample, now_ms));
        Some(book)
    }
}

#[cfg(test)]
mod tests;
