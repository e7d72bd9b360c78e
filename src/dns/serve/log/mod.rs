//! A log of queries, whatever its form: off the answering path, and lossy rather than slow.
//!
//! ```text
//! worker: Sieve ─► entry ─► lane ─► writer thread: Form (JSON lines, dnstap) ─► file or socket
//! ```
//!
//! A worker never waits. The writer collects blocks up to a hundred times per second and writes their entries by
//! time (`order`). If it is slow (a full or dying disk, a reader that hangs), blocks fill up, and entries that do not fit
//! are dropped and counted; the daemon's log says when that begins and ends. What cannot be opened is tried again
//! each second: nothing else waits for it, neither the start nor the stop.

mod age;
mod filter;
pub(super) mod kept;
mod losses;
mod order;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::Thread;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::lock::lock;

use super::lane::{LaneEnd, Lanes, Room};
use super::query_log::Entry;
pub use filter::Filter;
use filter::Sieve;
use losses::{Losses, Told};
pub(super) use order::Rounds;

/// The writer's shortest pause, after a round that collected much, and its longest.
const REST: Duration = Duration::from_millis(10);
const REST_MAX: Duration = Duration::from_millis(160);
/// What is much.
const MUCH_OCTETS: usize = 64 << 10;
/// How long a stop waits for what is not written yet: a dead disk would keep it for ever.
const STOP_MAX: Duration = Duration::from_secs(2);

//------------ Form ----------------------------------------------------------

/// What a log makes of entries, and where it puts that. Lives on the writer's thread.
pub(super) trait Form: 'static {
    /// Its settings.
    type Options: Clone + Send + Sync + 'static;
    /// How the daemon's log and its faults call it.
    const NAME: &'static str;
    /// How much a worker's lane holds.
    const ROOM: Room;
    /// Why entries are lost while the writer complains of nothing.
    const TOO_SLOW: &'static str;

    /// A writer by these settings.
    fn new(options: &Self::Options) -> Self;
    /// Which queries are logged.
    fn filter(options: &Self::Options) -> &Filter;
    /// Goes on by other settings.
    fn configure(&mut self, options: &Self::Options);
    /// Opens its file again, which was moved away.
    fn reopen(&mut self);
    /// Writes the entries of a round. Also called when there are none.
    fn write(&mut self, round: &mut Rounds) -> Written;
    /// Why entries are lost at present, if they are.
    fn trouble(&self) -> Option<&str>;
    /// Ends what it writes to.
    fn close(&mut self) -> Written;
}

/// What became of entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// Written.
    pub(super) whole: u64,
    /// Lost.
    pub(super) lost: u64,
}

impl AddAssign for Written {
    fn add_assign(&mut self, more: Self) {
        (self.whole, self.lost) = (self.whole + more.whole, self.lost + more.lost);
    }
}

/// How a log does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogState {
    /// Entries written: lines, or frames.
    pub written: u64,
    /// Entries lost.
    pub dropped: u64,
    /// Why entries are lost at present, if they are.
    pub losing: Option<String>,
}

//------------ Log -----------------------------------------------------------

/// A running log: makes lanes for workers, and stops the writer when dropped.
pub(super) struct Log<F: Form> {
    /// What writer and workers share.
    shared: Arc<Shared<F>>,
    /// The writer's thread.
    writer: Thread,
    /// Closed once the writer has written everything.
    done: Mutex<Receiver<()>>,
    /// What was told of entries that were lost.
    losses: Mutex<Losses>,
}

/// What writer and workers share.
struct Shared<F: Form> {
    /// The settings.
    options: ArcSwap<F::Options>,
    /// The workers' lanes.
    lanes: Lanes,
    /// Entries written.
    written: AtomicU64,
    /// Entries that found no room, or no disk.
    dropped: AtomicU64,
    /// What the writer complains of at present.
    trouble: Mutex<Option<String>>,
    /// How often the file was to be opened again.
    reopen: AtomicU64,
    /// How often it was.
    reopened: AtomicU64,
    /// The writer is to finish.
    stop: AtomicBool,
}

impl<F: Form> Log<F> {
    /// Starts the writer. What it writes to is opened on its thread: a disk that hangs keeps nobody waiting.
    pub(super) fn start(options: F::Options) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            options: ArcSwap::from_pointee(options),
            lanes: Lanes::new(F::ROOM),
            written: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            trouble: Mutex::default(),
            reopen: AtomicU64::new(0),
            reopened: AtomicU64::new(0),
            stop: AtomicBool::new(false),
        });
        let (finished, done) = channel::<()>();
        let for_writer = shared.clone();
        let name = F::NAME.replace(' ', "-");
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            write_all(&for_writer);
            drop(finished);
        })?;
        let (writer, done) = (thread.thread().clone(), Mutex::new(done));
        Ok(Self { shared, writer, done, losses: Mutex::default() })
    }

    /// A lane for one worker.
    pub(super) fn join(&self) -> LogLane<F> {
        LogLane {
            options: self.shared.options.load_full(),
            lane: self.shared.lanes.join(),
            shared: self.shared.clone(),
            sieve: Sieve::default(),
        }
    }

    /// Opens the file again at once, after it was moved away.
    pub(super) fn reopen(&self) {
        self.shared.reopen.fetch_add(1, Ordering::Release);
        self.writer.unpark();
    }

    /// Waits until the writer has opened the file again, until then at most; its name, and what is wrong.
    pub(super) fn wait_for_reopening(&self, until: Instant) -> (&'static str, Option<String>) {
        let wanted = self.shared.reopen.load(Ordering::Acquire);
        while self.shared.reopened.load(Ordering::Acquire) < wanted {
            if Instant::now() >= until {
                return (
                    F::NAME,
                    Some("its writer hangs: what it writes to takes nothing".to_owned()),
                );
            }
            std::thread::sleep(REST);
        }
        (F::NAME, self.fault())
    }

    /// Works by these options from the next batch on.
    pub(super) fn configure(&self, options: F::Options) {
        self.shared.options.store(Arc::new(options));
    }

    /// How the log does.
    pub(super) fn state(&self) -> LogState {
        let (written, dropped) = self.counts();
        LogState { written, dropped, losing: lock(&self.losses).reason().map(str::to_owned) }
    }

    /// Looks whether entries are lost, and says in the daemon's log when that begins and ends. Called now and
    /// then, by whoever does not write the log.
    pub(super) fn look_for_losses(&self) {
        let trouble = self.fault();
        let reason = trouble.as_deref();
        match lock(&self.losses).look(self.counts().1, reason, F::TOO_SLOW, Instant::now()) {
            Some(Told::Begun { reason }) => {
                tracing::warn!(
                    event = "query_log_losing",
                    log = F::NAME,
                    "{}: entries are lost from now on: {reason}",
                    F::NAME
                );
            }
            Some(Told::Over { lost, seconds }) => tracing::warn!(
                event = "query_log_whole",
                log = F::NAME,
                lost,
                "{}: entries are written again; {lost} were lost in {seconds} s",
                F::NAME
            ),
            None => {}
        }
    }

    /// Why nothing can be written at present; none if it can.
    pub(super) fn fault(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// What does not work now, as a sentence.
    pub(super) fn complaint(&self) -> Option<String> {
        // Said before the first entry is lost, too.
        let losing = self.state().losing.or_else(|| self.fault());
        losing.map(|why| format!("the {} loses entries: {why}", F::NAME))
    }

    /// Keeps the writer from the lanes as long as what is returned lives.
    #[cfg(test)]
    pub(super) fn hold(&self) -> impl Drop + '_ {
        self.shared.lanes.hold()
    }

    /// Entries written, and entries dropped, so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.shared.written), read(&self.shared.dropped))
    }
}

impl<F: Form> Drop for Log<F> {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.writer.unpark();
        if lock(&self.done).recv_timeout(STOP_MAX) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!(
                "{}: stopped without it: what it writes to does not take what waits",
                F::NAME
            );
        }
        self.look_for_losses();
    }
}

//------------ LogLane -------------------------------------------------------

/// A worker's end of a log.
pub(super) struct LogLane<F: Form> {
    /// Counts.
    shared: Arc<Shared<F>>,
    /// The settings, as they were at the last batch.
    options: Arc<F::Options>,
    /// Its lane.
    lane: LaneEnd,
    /// What was let through.
    sieve: Sieve,
}

impl<F: Form> LogLane<F> {
    /// Whether the next query belongs to the sample; called once per query, before it is answered.
    #[inline]
    pub(super) fn samples(&mut self) -> bool {
        self.sieve.samples(F::filter(&self.options))
    }

    /// The settings, as they were at the last batch.
    pub(super) fn options(&self) -> &F::Options {
        &self.options
    }

    /// Notes a query of the sample, if the filter wants it: `encode` appends at most so many octets, the first
    /// eight of which are its time.
    pub(super) fn put(
        &mut self,
        entry: &Entry<'_>,
        octets_max: usize,
        encode: impl FnOnce(&mut Vec<u8>),
    ) {
        if !self.sieve.passes(F::filter(&self.options), entry) {
            return;
        }
        match self.lane.room_for(octets_max) {
            Some(block) => encode(block),
            None => {
                self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Hands the gathered entries to the writer, unless it is busy with the lane at this moment.
    pub(super) fn hand_over(&mut self) {
        let options = self.shared.options.load();
        if !Arc::ptr_eq(&options, &self.options) {
            self.options = options.clone();
        }
        self.lane.hand_over();
    }
}

impl<F: Form> Drop for LogLane<F> {
    fn drop(&mut self) {
        self.lane.finish();
    }
}

//------------ The writer ----------------------------------------------------

/// The writer's thread: rounds over all lanes until the log stops, and a last one after that.
fn write_all<F: Form>(shared: &Shared<F>) {
    let mut options = shared.options.load_full();
    let mut form = F::new(&options);
    let mut round = Rounds::default();
    let (mut rest, mut reopened) = (REST, 0);
    loop {
        let last = shared.stop.load(Ordering::Acquire);
        let wanted = shared.reopen.load(Ordering::Acquire);
        if wanted != reopened {
            form.reopen();
        }
        let newest = shared.options.load();
        if !Arc::ptr_eq(&newest, &options) {
            options = newest.clone();
            form.configure(&options);
        }
        let octets = round.begin(&shared.lanes, last);
        shared.note(form.write(&mut round), &form);
        if wanted != reopened {
            // Now it is known how that went.
            reopened = wanted;
            shared.reopened.store(wanted, Ordering::Release);
        }
        if last {
            shared.note(form.close(), &form);
            return;
        }
        rest = if octets >= MUCH_OCTETS { REST } else { (rest * 2).min(REST_MAX) };
        std::thread::park_timeout(rest);
    }
}

impl<F: Form> Shared<F> {
    /// Counts what became of entries, and notes what the writer complains of.
    fn note(&self, written: Written, form: &F) {
        self.written.fetch_add(written.whole, Ordering::Relaxed);
        self.dropped.fetch_add(written.lost, Ordering::Relaxed);
        let mut trouble = lock(&self.trouble);
        if trouble.as_deref() != form.trouble() {
            *trouble = form.trouble().map(str::to_owned);
        }
    }
}

//------------ ClientDetail --------------------------------------------------

/// What is written of a client's address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ClientDetail {
    /// The whole address.
    #[default]
    Address,
    /// The /24 or /56, and no port.
    Prefix,
}

impl ClientDetail {
    /// The client as it is written.
    pub(super) fn of(self, client: IpAddr) -> IpAddr {
        match self {
            Self::Address => client,
            Self::Prefix => super::limit::prefix_of(client),
        }
    }
}

//------------ Addresses in entries ------------------------------------------

/// The bits of an address.
pub(super) fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The address of these bits.
pub(super) fn address_of(bits: u128, is_ipv6: bool) -> IpAddr {
    if is_ipv6 { Ipv6Addr::from_bits(bits).into() } else { Ipv4Addr::from_bits(bits as u32).into() }
}
