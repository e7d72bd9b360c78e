//! Errands: what a message asks for and takes its time, because the journal, a commit or another server is waited
//! for.
//!
//! ```text
//! UDP worker ─► Errand ─► a queue of 64 ─► two threads ─► Operations ─► response, from the address asked
//! connection ─► Errand ─► spawn_blocking ─► Operations ─► response, in its turn
//! ```
//!
//! A worker hands an errand over and answers on; a connection waits for its own. What is too much gets silence
//! over UDP, where the client asks again, and SERVFAIL on a connection. An errand that has begun is finished,
//! whether its client is still there or not: a change that is committed cannot be taken back.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::batch::system;
use super::operations::{Operations, Refusal, Requester};
use super::responder::{Responder, Shared, Source};
use crate::answer::{Ede, Transfer, Transport};
use crate::lock::lock;
use crate::transfer::Outgoing;
use crate::tsig::Signer;
use crate::wire::{Name, Rcode};

/// Threads for errands of UDP.
const THREADS: usize = 2;
/// Errands of UDP that wait for them.
const WAITING_MAX: usize = 64;
/// Errands of connections at once.
const OF_STREAMS_MAX: usize = 64;
/// How long a stop waits for an errand that has begun.
const STOP_MAX: Duration = Duration::from_secs(2);

//------------ Errand --------------------------------------------------------

/// Something to be done before a message is answered.
#[derive(Debug)]
pub(super) struct Errand {
    /// What.
    pub(super) task: Task,
    /// For whom.
    pub(super) requester: Requester,
    /// The zone.
    pub(super) zone: Name,
    /// The message, without its TSIG.
    pub(super) message: Vec<u8>,
    /// Signs the response, if the message was signed.
    pub(super) signer: Option<Signer>,
    /// Where it came from.
    pub(super) source: Source,
    /// When it came.
    pub(super) started: Instant,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Task {
    /// A transfer.
    Transfer(Transfer),
    /// An UPDATE.
    Update,
}

/// What came of an errand.
#[derive(Debug)]
pub(super) enum Done {
    /// An UPDATE was performed.
    Updated,
    /// This is to be transferred.
    Transfer(Outgoing),
    /// Nothing.
    Refused(Refusal),
}

impl Errand {
    /// Performs it. May wait.
    pub(super) fn perform(&self, operations: &dyn Operations) -> Done {
        let perform = || match self.task {
            Task::Update => {
                operations.update(&self.requester, &self.message).map(|()| Done::Updated)
            }
            Task::Transfer(wanted) => {
                operations.transfer(&self.requester, &self.zone, wanted).map(Done::Transfer)
            }
        };
        match catch_unwind(AssertUnwindSafe(perform)) {
            Ok(done) => done.unwrap_or_else(Done::Refused),
            Err(_) => {
                tracing::error!(zone = %self.zone, "a panic while performing {:?}", self.task);
                Done::Refused(Refusal { rcode: Rcode::SERVFAIL, ede: None, text: None })
            }
        }
    }
}

/// There is too much to do (RFC 8914 has no code of its own for it).
pub(super) fn busy() -> Done {
    Done::Refused(Refusal::new(Rcode::SERVFAIL, Ede::BUSY))
}

//------------ Slots ---------------------------------------------------------

/// How many errands of connections are under way.
#[derive(Debug)]
pub(super) struct Slots(pub(super) Arc<Semaphore>);

impl Default for Slots {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(OF_STREAMS_MAX)))
    }
}

//------------ Queue ---------------------------------------------------------

/// Errands of UDP, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// What waits.
    waiting: Mutex<Waiting>,
    /// Told of each errand and of the end.
    changed: Condvar,
}

/// What waits.
#[derive(Debug, Default)]
struct Waiting {
    /// The errands, each with where its response goes.
    errands: VecDeque<(Box<Errand>, Way)>,
    /// Nothing is begun any more.
    is_closed: bool,
}

/// Where a response goes.
#[derive(Debug)]
struct Way {
    /// The socket that it leaves by.
    socket: Arc<UdpSocket>,
    /// Where the datagram came from: the client, or the proxy that speaks for it.
    peer: SocketAddr,
}

impl Queue {
    /// Hands an errand over that came from `peer`, or drops it if too many wait.
    pub(super) fn push(&self, errand: Box<Errand>, socket: &Arc<UdpSocket>, peer: SocketAddr) {
        let mut waiting = lock(&self.waiting);
        if waiting.errands.len() < WAITING_MAX && !waiting.is_closed {
            waiting.errands.push_back((errand, Way { socket: socket.clone(), peer }));
            self.changed.notify_one();
        }
    }

    /// Waits for the next errand; `None` at the end.
    fn next(&self) -> Option<(Box<Errand>, Way)> {
        let mut waiting = lock(&self.waiting);
        loop {
            if waiting.is_closed {
                return None;
            }
            if let Some(errand) = waiting.errands.pop_front() {
                return Some(errand);
            }
            let woken = self.changed.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Begins nothing any more.
    fn close(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.is_closed = true;
        waiting.errands.clear();
        self.changed.notify_all();
    }
}

//------------ Errands -------------------------------------------------------

/// The threads that run errands of UDP; they end when this is dropped.
pub(super) struct Errands {
    /// What all workers share, with the queue.
    shared: Arc<Shared>,
    /// The threads.
    threads: Vec<JoinHandle<()>>,
}

impl Errands {
    /// Starts them, if there is anybody to perform anything.
    pub(super) fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let mut errands = Self { shared: shared.clone(), threads: Vec::new() };
        if let Some(operations) = &shared.operations {
            for _ in 0..THREADS {
                let (shared, operations) = (shared.clone(), operations.clone());
                let thread = std::thread::Builder::new().name("errand".to_owned());
                errands.threads.push(thread.spawn(move || run(&shared, &*operations))?);
            }
        }
        Ok(errands)
    }

    /// Asks them to stop, without waiting.
    pub(super) fn request_stop(&self) {
        self.shared.errands.close();
    }
}

impl Drop for Errands {
    fn drop(&mut self) {
        self.request_stop();
        let begun = Instant::now();
        for thread in self.threads.drain(..) {
            while !thread.is_finished() {
                // It waits for a disk that hangs: a stop need not.
                if begun.elapsed() > STOP_MAX {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            // Panics are caught inside.
            let _ = thread.join();
        }
    }
}

/// A thread: errand after errand.
fn run(shared: &Arc<Shared>, operations: &dyn Operations) {
    let responder = |ipv6| Responder::new(shared.clone(), Transport::Udp, ipv6);
    let mut responders = [responder(false), responder(true)];
    let mut out = vec![0; usize::from(u16::MAX)];
    while let Some((errand, way)) = shared.errands.next() {
        let responder = &mut responders[usize::from(errand.source.client.is_ipv6())];
        let done = errand.perform(operations);
        let conclude = AssertUnwindSafe(|| {
            let length = responder.conclude(&errand, done, &mut out)?;
            Some(send(&way, &errand.source, out.get(..length)?))
        });
        match catch_unwind(conclude) {
            Ok(Some(Err(error))) => {
                responder.counters.send_failed.add(1);
                tracing::debug!(client = %errand.source.client, %error, "sending failed");
            }
            Ok(_) => {}
            Err(_) => {
                tracing::error!("a panic while answering; its response is lost");
                responder.recover();
            }
        }
    }
}

/// Sends a response from the address that was asked.
fn send(way: &Way, source: &Source, response: &[u8]) -> io::Result<()> {
    let Way { socket, peer } = way;
    let is_wildcard = socket.local_addr()?.ip().is_unspecified();
    let from = source.local.map(|local| local.ip()).filter(|_| is_wildcard);
    system::send_from(socket, response, *peer, from)
}
