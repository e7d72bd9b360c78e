//! Batches of queries from a queue of an interface: the same trait as that of sockets.
//!
//! A response is written into the frame that brought its query, and the frame goes back the way it came: no
//! lookup of routes or neighbours. The query itself is copied aside first (some tens of octets), because the
//! response overwrites it.

use std::io::{self, PipeReader};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::frame::{self, ETHERNET, QUERY_MAX, Query};
use super::memory::Frame;
use super::socket::Socket;
use crate::serve::batch::{BATCH, Packet, Packets, Sent};

/// How often the kernel is called for one batch before the rest waits for the next.
pub(super) const CALLS_MAX: usize = 4;
/// How long responses wait for the next call at most.
const CALL_REST: Duration = Duration::from_millis(1);
/// How long a queue without queries is left alone: a driver that stops, because its interface goes down, may ask for a
/// call later and tells nobody.
const WAIT_MAX: Duration = Duration::from_secs(1);

//------------ Tally ---------------------------------------------------------

/// What a worker counts besides what all workers do.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Queries.
    pub(super) received: AtomicU64,
    /// Responses.
    pub(super) sent: AtomicU64,
    /// Frames that are no query to us after all: a wrong length or checksum, a source where nobody can be.
    pub(super) invalid: AtomicU64,
}

/// Adds to a number that only one thread writes.
fn add(number: &AtomicU64, amount: usize) {
    number.store(number.load(Ordering::Relaxed).wrapping_add(amount as u64), Ordering::Relaxed);
}

//------------ FrameBatch ----------------------------------------------------

/// A queue of an interface that is read and written batch by batch.
pub(super) struct FrameBatch {
    /// The socket.
    socket: Socket,
    /// What is fixed for its queries.
    terms: Terms,
    /// Becomes readable when the worker is to stop.
    end: PipeReader,
    /// Tells the worker to stop: once `end` is readable and every query has been taken.
    stop: Arc<AtomicBool>,
    /// What is counted.
    tally: Arc<Tally>,
    /// The queries of this batch, until their frames have gone; each with the endpoint that was asked.
    batch: Vec<Option<(Frame, Query, usize)>>,
    /// The query being answered.
    query: Box<[u8; QUERY_MAX]>,
    /// Responses of this batch.
    gathered: usize,
    /// The identification of the next IPv4 packet.
    identification: u16,
}

/// What is fixed for the queries of a queue.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    /// The index of the interface.
    pub(super) interface: u32,
    /// Octets of its longest packet.
    pub(super) mtu: usize,
    /// Largest response, octets.
    pub(super) response_octets: usize,
    /// Where queries are sent to, and which of the worker's endpoints that is.
    pub(super) targets: Vec<(SocketAddr, usize)>,
    /// Addresses of this machine: no query comes in from them.
    pub(super) own: Vec<IpAddr>,
}

impl Terms {
    /// The endpoint that answers at an address.
    fn endpoint(&self, asked: SocketAddr) -> Option<usize> {
        self.targets.iter().find(|(target, _)| *target == asked).map(|(_, endpoint)| *endpoint)
    }
}

impl FrameBatch {
    /// Reads a socket that is bound. Once `end` is readable and no query is left, `stop` is set.
    pub(super) fn new(
        socket: Socket,
        terms: Terms,
        end: PipeReader,
        stop: Arc<AtomicBool>,
        tally: Arc<Tally>,
    ) -> Self {
        Self {
            socket,
            terms,
            end,
            stop,
            tally,
            batch: Vec::with_capacity(BATCH),
            query: Box::new([0; QUERY_MAX]),
            gathered: 0,
            identification: 0,
        }
    }

    /// Waits for a query, or the end.
    fn wait(&mut self) -> io::Result<()> {
        let waits_for_call = self.socket.rings.wants_a_call();
        let rest = if waits_for_call { CALL_REST } else { WAIT_MAX };
        let rest = Timespec::try_from(rest).map_err(io::Error::other)?;
        let mut events =
            [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.end, PollFlags::IN)];
        poll(&mut events, Some(&rest))?;
        if !events[1].revents().is_empty() && self.socket.rings.count() == 0 {
            self.stop.store(true, Ordering::Release);
        }
        if waits_for_call { self.socket.push() } else { Ok(()) }
    }

    /// Takes the next query into the batch, or gives its frame back; says whether there was one.
    fn take(&mut self) -> bool {
        let Some(frame) = self.socket.rings.take() else { return false };
        let (octets, length) = self.socket.frames.octets(&frame);
        let read = octets.get(..length).and_then(|octets| {
            let query = frame::read(octets, self.terms.interface, &self.terms.own).ok()?;
            let endpoint = self.terms.endpoint(query.asked)?;
            Some((query, endpoint))
        });
        match read {
            Some((query, endpoint)) => self.batch.push(Some((frame, query, endpoint))),
            None => {
                add(&self.tally.invalid, 1);
                self.socket.rings.recycle(frame);
            }
        }
        true
    }

    /// Gives back the frames of queries that got no response.
    fn clear(&mut self) {
        for (frame, ..) in self.batch.drain(..).flatten() {
            self.socket.rings.recycle(frame);
        }
    }
}

impl Packets for FrameBatch {
    fn receive(&mut self) -> io::Result<usize> {
        // Those of a batch that a panic ended.
        self.clear();
        self.gathered = 0;
        self.socket.rings.reclaim();
        if self.socket.rings.count() == 0 {
            self.socket.rings.publish();
            match self.wait() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                waited => waited?,
            }
            self.socket.rings.reclaim();
        }
        let mut left = BATCH;
        while left > 0 && self.take() {
            left -= 1;
        }
        self.socket.rings.publish();
        add(&self.tally.received, self.batch.len());
        Ok(self.batch.len())
    }

    fn query(&self, index: usize) -> &[u8] {
        let Some(Some((frame, query, _))) = self.batch.get(index) else {
            panic!("a packet of this batch");
        };
        self.socket.frames.shown(frame).get(query.octets.clone()).unwrap_or_default()
    }

    fn packet(&mut self, index: usize) -> Packet<'_> {
        let Some(Some((frame, query, endpoint))) = self.batch.get(index) else {
            panic!("a packet of this batch");
        };
        let (octets, _) = self.socket.frames.octets(frame);
        let (headers, rest) = octets.split_at_mut(query.octets.start);
        let length = query.octets.len();
        self.query[..length].copy_from_slice(&rest[..length]);
        let largest = self.terms.mtu.saturating_sub(headers.len() - ETHERNET);
        let room = self.terms.response_octets.min(largest).min(rest.len());
        Packet {
            query: &self.query[..length],
            response: &mut rest[..room],
            from: Some(query.client),
            asked: Some(query.asked.ip()),
            to_many: false,
            endpoint: *endpoint,
        }
    }

    fn answer(&mut self, index: usize, length: usize) {
        let slot = self.batch.get_mut(index).and_then(Option::take);
        let Some((frame, query, _)) = slot else { return };
        let (octets, _) = self.socket.frames.octets(&frame);
        match frame::write(octets, &query, length, self.identification) {
            Some(whole) => {
                self.identification = self.identification.wrapping_add(1);
                self.gathered += 1;
                self.socket.rings.send(frame.with_length(whole));
            }
            None => self.socket.rings.recycle(frame),
        }
    }

    fn send(&mut self) -> Sent {
        self.clear();
        self.socket.rings.publish();
        let mut result = Sent { sent: self.gathered, ..Sent::default() };
        for _ in 0..CALLS_MAX {
            if !self.socket.rings.wants_a_call() {
                break;
            }
            if let Err(error) = self.socket.push() {
                // They stay in the ring and go out with a later call.
                tracing::debug!(interface = self.terms.interface, %error, "sending failed");
                result.errors += 1;
                break;
            }
        }
        add(&self.tally.sent, result.sent);
        self.gathered = 0;
        result
    }
}
