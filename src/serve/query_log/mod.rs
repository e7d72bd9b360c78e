//! The query log: one JSON line per query, written off the answering path.
//!
//! ```text
//! worker: Entry ─► its own block ─(try_lock, swap)─► Lane ─► writer thread: JSON lines ─► file
//! ```
//!
//! A worker never waits: it encodes an entry into its own block and, once per batch, tries to hand
//! the block over. The writer collects blocks up to a hundred times per second. If it is slow (a full or
//! dying disk), blocks fill up, and entries that do not fit are dropped and counted.

mod entry;
mod file;
mod line;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::wire::{Name, Rcode};

use super::acl::Network;
pub use entry::Entry;
use file::LogFile;
use line::LineMaker;

/// Octets a worker gathers before it must be rid of them.
const BLOCK_OCTETS: usize = 256 << 10;
/// Octets that may wait for the writer, for each worker.
const WAITING_OCTETS: usize = 4 << 20;
/// Octets of lines that are written at once: much, because a file system then takes whole runs of
/// pages in one go.
const WRITE_OCTETS: usize = 256 << 10;
/// The writer's shortest pause, after a round that collected much, and its longest.
const REST: Duration = Duration::from_millis(10);
const REST_MAX: Duration = Duration::from_millis(160);
/// What is much.
const MUCH_OCTETS: usize = 64 << 10;

//------------ QueryLogOptions -----------------------------------------------

/// The settings.
#[derive(Clone, Debug)]
pub struct QueryLogOptions {
    /// The file; rotated files are beside it, with a time after the name.
    pub file: PathBuf,
    /// Size at which it is put aside, octets.
    pub rotate_octets: u64,
    /// Size of all of them together, octets; the oldest go first.
    pub total_octets: u64,
    /// Age at which a file put aside is removed, days; 0: never.
    pub keep_days: u32,
    /// What is written of a client's address.
    pub client: ClientDetail,
    /// Which queries are written.
    pub filter: Filter,
}

/// What is written of a client's address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClientDetail {
    /// The whole address.
    #[default]
    Address,
    /// The /24 or /56, and no port.
    Prefix,
}

/// Which queries are written; all, unless something is set.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// One query in this many is logged; 0 and 1: all.
    pub sample: u32,
    /// At most this many per second and worker; 0: no limit.
    pub per_second: u32,
    /// Only names at or below these; empty: all.
    pub zones: Vec<Name>,
    /// Only these response codes; empty: all.
    pub rcodes: Vec<Rcode>,
    /// Only clients of these networks; empty: all.
    pub clients: Vec<Network>,
}

impl Filter {
    /// Whether the entry is one of those wanted, sampling aside.
    fn wants(&self, entry: &Entry<'_>) -> bool {
        let name = entry.qname;
        let at_or_below = |zone: &Name| name.is_some_and(|n| n.is_at_or_below(zone.as_ref()));
        (self.zones.is_empty() || self.zones.iter().any(at_or_below))
            && (self.rcodes.is_empty() || self.rcodes.contains(&entry.facts.rcode))
            && (self.clients.is_empty() || self.clients.iter().any(|n| n.contains(entry.client)))
    }
}

//------------ QueryLog ------------------------------------------------------

/// The running log: makes lanes for workers, and stops the writer when dropped.
#[derive(Debug)]
pub struct QueryLog {
    /// What writer and workers share.
    shared: Arc<Shared>,
    /// The writer.
    writer: Option<JoinHandle<()>>,
}

/// What writer and workers share.
#[derive(Debug)]
struct Shared {
    /// The settings.
    options: QueryLogOptions,
    /// The workers' lanes.
    lanes: Mutex<Vec<Arc<Lane>>>,
    /// Lines in the file.
    written: AtomicU64,
    /// Entries that found no room, or no disk.
    dropped: AtomicU64,
    /// The file is to be opened again.
    reopen: AtomicBool,
    /// The writer is to finish.
    stop: AtomicBool,
}

impl QueryLog {
    /// Opens the file and starts the writer.
    pub fn start(options: QueryLogOptions) -> io::Result<Self> {
        let file = LogFile::open(&options)?;
        let shared = Arc::new(Shared {
            options,
            lanes: Mutex::default(),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            reopen: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let for_writer = shared.clone();
        let writer = std::thread::Builder::new()
            .name("query-log".to_owned())
            .spawn(move || write_all(&for_writer, file))?;
        Ok(Self { shared, writer: Some(writer) })
    }

    /// A lane for one worker.
    pub fn join(&self) -> LaneWriter {
        let lane = Arc::new(Lane { waiting: Mutex::new(Vec::with_capacity(BLOCK_OCTETS)) });
        self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner).push(lane.clone());
        LaneWriter {
            shared: self.shared.clone(),
            lane,
            block: Vec::with_capacity(BLOCK_OCTETS),
            skipped: 0,
            second: 0,
            this_second: 0,
        }
    }

    /// Opens the file again at the next round, after it was moved away.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Relaxed);
    }

    /// Lines written, and entries dropped, so far.
    #[cfg(test)]
    pub fn counts(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.shared.written), read(&self.shared.dropped))
    }
}

impl Drop for QueryLog {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // A writer that panicked has said so; there is nothing left to save.
            let _ = writer.join();
        }
    }
}

//------------ LaneWriter ----------------------------------------------------

/// Where one worker's entries wait for the writer.
#[derive(Debug)]
struct Lane {
    /// Whole encoded entries.
    waiting: Mutex<Vec<u8>>,
}

/// A worker's end of its lane.
#[derive(Debug)]
pub struct LaneWriter {
    /// Settings and counts.
    shared: Arc<Shared>,
    /// The other end.
    lane: Arc<Lane>,
    /// Entries not handed over yet.
    block: Vec<u8>,
    /// Queries since the last sample.
    skipped: u32,
    /// The second that `this_second` counts.
    second: u64,
    /// Entries of that second.
    this_second: u32,
}

impl LaneWriter {
    /// Whether the next query belongs to the sample; called once per query, before it is answered.
    pub fn samples(&mut self) -> bool {
        self.skipped += 1;
        if self.skipped < self.shared.options.filter.sample {
            return false;
        }
        self.skipped = 0;
        true
    }

    /// Notes a query of the sample.
    pub fn note(&mut self, entry: &Entry<'_>) {
        let filter = &self.shared.options.filter;
        if !filter.wants(entry) {
            return;
        }
        if filter.per_second > 0 {
            let second = entry.microseconds / 1_000_000;
            if second != self.second {
                (self.second, self.this_second) = (second, 0);
            }
            self.this_second = self.this_second.saturating_add(1);
            if self.this_second > filter.per_second {
                return;
            }
        }
        if self.block.len() + entry::OCTETS_MAX > BLOCK_OCTETS {
            self.hand_over();
        }
        if self.block.len() + entry::OCTETS_MAX > BLOCK_OCTETS {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        entry.encode(&mut self.block);
    }

    /// Hands the gathered entries to the writer, unless it is busy with the lane at this moment.
    pub fn hand_over(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let Ok(mut waiting) = self.lane.waiting.try_lock() else {
            return;
        };
        if waiting.is_empty() {
            std::mem::swap(&mut *waiting, &mut self.block);
        } else if waiting.len() + self.block.len() <= WAITING_OCTETS {
            waiting.extend_from_slice(&self.block);
            self.block.clear();
        }
    }
}

impl Drop for LaneWriter {
    fn drop(&mut self) {
        // The worker ends: now it may wait.
        let mut waiting = self.lane.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extend_from_slice(&self.block);
    }
}

//------------ The writer ----------------------------------------------------

/// The writer's thread: rounds over all lanes until the log stops, and a last one after that.
fn write_all(shared: &Shared, mut file: LogFile) {
    let (mut block, mut lines) = (Vec::with_capacity(BLOCK_OCTETS), Vec::new());
    let mut maker = LineMaker::new(shared.options.client);
    let mut rest = REST;
    loop {
        let last = shared.stop.load(Ordering::Acquire);
        if shared.reopen.swap(false, Ordering::Relaxed) {
            file.reopen();
        }
        let lanes = shared.lanes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut octets = 0;
        for lane in &lanes {
            {
                let mut waiting = lane.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::swap(&mut *waiting, &mut block);
            }
            octets += block.len();
            write_block(shared, &mut file, &mut maker, &block, &mut lines);
            block.clear();
            // After a storm the block is given back to the size workers use.
            block.shrink_to(BLOCK_OCTETS);
            block.reserve(BLOCK_OCTETS);
        }
        if last {
            return;
        }
        rest = if octets >= MUCH_OCTETS { REST } else { (rest * 2).min(REST_MAX) };
        std::thread::park_timeout(rest);
    }
}

/// Writes one lane's entries.
fn write_block(
    shared: &Shared,
    file: &mut LogFile,
    maker: &mut LineMaker,
    block: &[u8],
    lines: &mut Vec<u8>,
) {
    let (mut pending, mut left) = (0, block);
    while let Some(used) = maker.make(left, lines) {
        (left, pending) = (&left[used..], pending + 1);
        if lines.len() >= WRITE_OCTETS {
            flush(shared, file, lines, &mut pending);
        }
    }
    flush(shared, file, lines, &mut pending);
}

/// Writes the lines gathered and counts them as written or dropped.
fn flush(shared: &Shared, file: &mut LogFile, lines: &mut Vec<u8>, pending: &mut u64) {
    if !lines.is_empty() {
        let counter = if file.append(lines) { &shared.written } else { &shared.dropped };
        counter.fetch_add(*pending, Ordering::Relaxed);
    }
    lines.clear();
    *pending = 0;
}

/// The client as it is written.
fn shown(client: IpAddr, detail: ClientDetail) -> IpAddr {
    match detail {
        ClientDetail::Address => client,
        ClientDetail::Prefix => super::limit::prefix_of(client),
    }
}

#[cfg(test)]
mod tests;
