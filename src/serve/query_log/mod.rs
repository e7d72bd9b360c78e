//! The query log: one JSON line per query, written off the answering path.
//!
//! ```text
//! worker: Entry ─► its own block ─(try_lock, swap)─► Lane ─► writer thread: JSON lines ─► file
//! ```
//!
//! A worker never waits: it encodes an entry into its own block and, once per batch, tries to hand
//! the block over. The writer collects blocks up to a hundred times per second and writes their lines by
//! time. If it is slow (a full or dying disk), blocks fill up, and entries that do not fit are dropped and
//! counted; the daemon's log says when that begins and ends. A file that cannot be opened is tried again
//! each second: nothing else waits for it, neither the start nor the stop.

mod age;
mod entry;
mod file;
mod line;
mod losses;

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::lock::lock;
use crate::wire::{Name, Rcode};

use super::acl::Network;
pub use entry::Entry;
use file::LogFile;
pub use file::inspect;
use line::LineMaker;
use losses::{Losses, Told};

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
/// How long a stop waits for what is not written yet: a dead disk would keep it for ever.
const STOP_MAX: Duration = Duration::from_secs(2);
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
    /// The writer's thread.
    writer: Thread,
    /// Closed once the writer has written everything.
    done: Mutex<Receiver<()>>,
    /// What was told of lines that were lost.
    losses: Mutex<Losses>,
}

/// What writer and workers share.
#[derive(Debug)]
struct Shared {
    /// The settings.
    options: ArcSwap<QueryLogOptions>,
    /// The workers' lanes.
    lanes: Mutex<Vec<Arc<Lane>>>,
    /// Lines in the file.
    written: AtomicU64,
    /// Entries that found no room, or no disk.
    dropped: AtomicU64,
    /// What the writer complains of at present.
    trouble: Mutex<Option<String>>,
    /// The file is to be opened again.
    reopen: AtomicBool,
    /// The writer is to finish.
    stop: AtomicBool,
}

/// How the log does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QueryLogState {
    /// Lines written.
    pub written: u64,
    /// Lines lost.
    pub dropped: u64,
    /// Why lines are lost at present, if they are.
    pub losing: Option<String>,
}

impl QueryLog {
    /// Starts the writer. The file is opened on its thread: a disk that hangs keeps nobody waiting.
    pub fn start(options: QueryLogOptions) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            options: ArcSwap::from_pointee(options),
            lanes: Mutex::default(),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            trouble: Mutex::default(),
            reopen: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let (finished, done) = channel::<()>();
        let for_writer = shared.clone();
        let thread = std::thread::Builder::new().name("query-log".to_owned()).spawn(move || {
            write_all(&for_writer);
            drop(finished);
        })?;
        let (writer, done) = (thread.thread().clone(), Mutex::new(done));
        Ok(Self { shared, writer, done, losses: Mutex::default() })
    }

    /// A lane for one worker.
    pub fn join(&self) -> LaneWriter {
        let lane = Arc::new(Lane { waiting: Mutex::new(Vec::with_capacity(BLOCK_OCTETS)) });
        lock(&self.shared.lanes).push(lane.clone());
        LaneWriter {
            options: self.shared.options.load_full(),
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

    /// Works by these options from the next batch on.
    pub fn configure(&self, options: QueryLogOptions) {
        self.shared.options.store(Arc::new(options));
    }

    /// How the log does.
    pub fn state(&self) -> QueryLogState {
        let (written, dropped) = self.counts();
        QueryLogState { written, dropped, losing: lock(&self.losses).reason().map(str::to_owned) }
    }

    /// Looks whether lines are lost, and says in the daemon's log when that begins and ends. Called now and
    /// then, by whoever does not write the log.
    pub fn look_for_losses(&self) {
        let trouble = self.fault();
        let told = lock(&self.losses).look(self.counts().1, trouble.as_deref(), Instant::now());
        match told {
            Some(Told::Begun { reason }) => {
                tracing::warn!("query log: lines are lost from now on: {reason}");
            }
            Some(Told::Over { lines, seconds }) => tracing::warn!(
                "query log: lines are written again; {lines} were lost in {seconds} s"
            ),
            None => {}
        }
    }

    /// Why nothing can be written at present; none if it can.
    pub fn fault(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// Lines written, and entries dropped, so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.shared.written), read(&self.shared.dropped))
    }
}

impl Drop for QueryLog {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.writer.unpark();
        let waited = lock(&self.done).recv_timeout(STOP_MAX);
        if waited == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            tracing::warn!(
                "query log: stopped without it: its disk or pipe does not take what waits"
            );
        }
        self.look_for_losses();
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
    /// Counts.
    shared: Arc<Shared>,
    /// The settings, as they were at the last batch.
    options: Arc<QueryLogOptions>,
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
        if self.skipped < self.options.filter.sample {
            return false;
        }
        self.skipped = 0;
        true
    }

    /// Notes a query of the sample.
    pub fn note(&mut self, entry: &Entry<'_>) {
        let filter = &self.options.filter;
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
        let options = self.shared.options.load();
        if !Arc::ptr_eq(&options, &self.options) {
            self.options = options.clone();
        }
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
        lock(&self.lane.waiting).extend_from_slice(&self.block);
    }
}

//------------ The writer ----------------------------------------------------

/// The writer's thread: rounds over all lanes until the log stops, and a last one after that.
fn write_all(shared: &Shared) {
    let mut options = shared.options.load_full();
    let mut writer = Writer {
        shared,
        file: LogFile::new(&options),
        maker: LineMaker::new(options.client),
        lines: Vec::new(),
        pending: 0,
    };
    let mut blocks = Vec::<Vec<u8>>::new();
    let mut rest = REST;
    loop {
        let last = shared.stop.load(Ordering::Acquire);
        if shared.reopen.swap(false, Ordering::Relaxed) {
            writer.file.reopen();
        }
        let newest = shared.options.load();
        if !Arc::ptr_eq(&newest, &options) {
            options = newest.clone();
            writer.file.configure(&options);
            writer.maker.set_detail(options.client);
        }
        let lanes = lock(&shared.lanes).clone();
        blocks.resize_with(lanes.len(), || Vec::with_capacity(BLOCK_OCTETS));
        for (lane, block) in lanes.iter().zip(&mut blocks) {
            std::mem::swap(&mut *lock(&lane.waiting), block);
        }
        writer.write(&blocks);
        let octets: usize = blocks.iter().map(Vec::len).sum();
        for block in &mut blocks {
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

/// What makes lines of entries and writes them.
struct Writer<'a> {
    /// Counts.
    shared: &'a Shared,
    /// The file.
    file: LogFile,
    /// Makes lines.
    maker: LineMaker,
    /// Lines that are not written yet.
    lines: Vec<u8>,
    /// How many.
    pending: u64,
}

impl Writer<'_> {
    /// Writes the entries of all lanes, each of which is in order, by time.
    fn write(&mut self, blocks: &[Vec<u8>]) {
        let mut left: Vec<&[u8]> =
            blocks.iter().map(Vec::as_slice).filter(|block| !block.is_empty()).collect();
        while let Some(earliest) = left.iter_mut().min_by_key(|block| entry::time_of(block)) {
            match self.maker.make(earliest, &mut self.lines) {
                Some(used) => {
                    *earliest = &earliest[used..];
                    self.pending += 1;
                }
                None => *earliest = &[],
            }
            if earliest.is_empty() {
                left.retain(|block| !block.is_empty());
            }
            if self.lines.len() >= WRITE_OCTETS {
                self.flush();
            }
        }
        self.flush();
    }

    /// Writes the lines gathered and counts them as written or dropped.
    fn flush(&mut self) {
        if self.lines.is_empty() {
            self.file.tend();
        } else {
            let written = self.file.append(&self.lines);
            self.shared.written.fetch_add(written, Ordering::Relaxed);
            self.shared.dropped.fetch_add(self.pending - written, Ordering::Relaxed);
        }
        self.lines.clear();
        self.pending = 0;
        let mut trouble = lock(&self.shared.trouble);
        if trouble.as_deref() != self.file.trouble() {
            *trouble = self.file.trouble().map(str::to_owned);
        }
    }
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
