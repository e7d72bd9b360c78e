//! The load: a steady stream of queries from one socket, and the responses.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How far the stream may be behind before it leaves questions out: after a rest that the machine
/// forced on it, a burst would measure the socket's buffer and not the server.
const BEHIND: Duration = Duration::from_millis(5);
/// A response that takes longer is lost.
const LOST: Duration = Duration::from_secs(2);
/// Width of a latency class, microseconds.
const CLASS_US: usize = 20;

/// Asks until there is an answer: the server has loaded its zone.
pub fn wait_for_answer(server: SocketAddr, question: &[u8]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let mut response = [0; 512];
    while socket.send(question).and_then(|_| socket.recv(&mut response)).is_err()
        || response[3] & 15 != 0
    {
        std::thread::sleep(Duration::from_millis(10));
    }
}

//------------ Load ----------------------------------------------------------

/// A running stream of questions.
pub struct Load {
    /// What its thread shows meanwhile.
    shown: Arc<Shown>,
    /// The thread.
    thread: JoinHandle<Seen>,
}

/// What can be seen while it runs.
#[derive(Default)]
struct Shown {
    /// The newest version that a response was from.
    version: AtomicU32,
    /// Ends the stream.
    stop: AtomicBool,
}

impl Load {
    /// Asks `server` these questions in turn, `rate` a second.
    pub fn start(server: SocketAddr, questions: Vec<(Vec<u8>, u16)>, rate: usize) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(server).unwrap();
        socket.set_nonblocking(true).unwrap();
        let shown = Arc::new(Shown::default());
        let stream = Stream {
            socket,
            questions,
            shown: shown.clone(),
            pending: vec![None; 1 << 16],
            seen: Seen::default(),
        };
        Self { shown, thread: std::thread::spawn(move || stream.run(rate)) }
    }

    /// The newest version that a response was from.
    pub fn version(&self) -> u32 {
        self.shown.version.load(Ordering::Relaxed)
    }

    /// Stops asking, waits for what is under way, and tells.
    pub fn end(self) -> Seen {
        self.shown.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

//------------ Seen ----------------------------------------------------------

/// What came back.
#[derive(Default)]
pub struct Seen {
    /// Responses.
    pub answered: u64,
    /// Questions without one.
    pub lost: u64,
    /// Responses with another code or count of records.
    pub wrong: u64,
    /// Responses from two versions at once.
    pub mixed: u64,
    /// Responses from a version that was gone when they were asked for.
    pub older: u64,
    /// How many took so long, in classes of [`CLASS_US`].
    latencies: Vec<u64>,
}

impl Seen {
    /// The latency that so large a part of the responses did not exceed.
    pub fn latency_ms(&self, part: f64) -> f64 {
        let wanted = (self.answered as f64 * part).ceil() as u64;
        let mut count = 0;
        let class = self.latencies.iter().position(|class| {
            count += class;
            count >= wanted
        });
        class.map_or(f64::NAN, |class| ((class + 1) * CLASS_US) as f64 / 1000.0)
    }
}

//------------ Stream --------------------------------------------------------

/// A question under way.
#[derive(Clone, Copy)]
struct Pending {
    /// When it was sent.
    sent: Instant,
    /// The newest version seen by then.
    floor: u32,
    /// How many addresses the name has.
    addresses: u16,
    /// Where the answer section begins.
    octets: usize,
}

/// The thread's own.
struct Stream {
    socket: UdpSocket,
    questions: Vec<(Vec<u8>, u16)>,
    shown: Arc<Shown>,
    /// By the identifier of the query.
    pending: Vec<Option<Pending>>,
    seen: Seen,
}

impl Stream {
    /// Sends what is due, takes what has come.
    fn run(mut self, rate: usize) -> Seen {
        let gap = Duration::from_secs(1) / rate as u32;
        let (mut due, mut next) = (Instant::now(), 0usize);
        while !self.shown.stop.load(Ordering::Relaxed) {
            let now = Instant::now();
            due = due.max(now - BEHIND);
            if due <= now {
                self.send(next);
                next += 1;
                due += gap;
            } else {
                std::thread::sleep(Duration::from_micros(50).min(due - now));
            }
            self.receive();
        }
        let stopped = Instant::now();
        while stopped.elapsed() < LOST && self.pending.iter().any(Option::is_some) {
            self.receive();
            std::thread::sleep(Duration::from_millis(1));
        }
        self.seen.lost += self.pending.iter().flatten().count() as u64;
        self.seen
    }

    /// Sends the next question; whatever still waits under its identifier is lost by now.
    fn send(&mut self, next: usize) {
        let id = next as u16;
        let at = next % self.questions.len();
        let (query, addresses) = &mut self.questions[at];
        query[..2].copy_from_slice(&id.to_be_bytes());
        let floor = self.shown.version.load(Ordering::Relaxed);
        let sent = Instant::now();
        let octets = query.len();
        let pending = Pending { sent, floor, addresses: *addresses, octets };
        if self.pending[usize::from(id)].replace(pending).is_some() {
            self.seen.lost += 1;
        }
        // What the kernel does not take is not answered, and shows as lost.
        let _ = self.socket.send(query);
    }

    /// Takes what has come.
    fn receive(&mut self) {
        let mut response = [0; 512];
        while let Ok(octets) = self.socket.recv(&mut response) {
            let id = usize::from(u16::from_be_bytes([response[0], response[1]]));
            if let Some(pending) = self.pending[id].take() {
                self.judge(pending, &response[..octets]);
            }
        }
    }

    /// Counts a response.
    fn judge(&mut self, pending: Pending, response: &[u8]) {
        self.seen.answered += 1;
        let class = pending.sent.elapsed().as_micros() as usize / CLASS_US;
        if self.seen.latencies.len() <= class {
            self.seen.latencies.resize(class + 1, 0);
        }
        self.seen.latencies[class] += 1;
        let count = u16::from_be_bytes([response[6], response[7]]);
        // Each record is a pointer, ten octets and an address.
        let records = response.get(pending.octets..pending.octets + 16 * usize::from(count));
        let Some(records) = records.filter(|_| response[3] & 15 == 0 && count == pending.addresses)
        else {
            self.seen.wrong += 1;
            return;
        };
        let mut versions = records
            .chunks_exact(16)
            .map(|record| u32::from(u16::from_be_bytes([record[14], record[15]])));
        let version = versions.next().unwrap_or(0);
        self.seen.mixed += u64::from(versions.any(|other| other != version));
        self.seen.older += u64::from(version < pending.floor);
        self.shown.version.fetch_max(version, Ordering::Relaxed);
    }
}
