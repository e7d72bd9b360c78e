//! UDP: a worker takes a batch of queries, answers each, and sends the batch of responses.
//!
//! Two system calls, one read of the clock and one load of the zones per batch; per query no lock, no
//! allocation and no system call. A worker stops when its socket is shut down, which ends its wait, so
//! it needs no timer to look for a stop. A socket that another process has, too, is not shut down: there a
//! datagram of our own ends the wait.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::answer::Transport;
use crate::dns_client::reachable;
use crate::wire::{HEADER_OCTETS, NameRef};
use crate::zone::{AHEAD_MAX, Near, ZoneSet, look_ahead};

use super::batch::{Packets, SocketBatch, system};
use super::counters::Silence;
use super::responder::{Answer, Responder, Shared, Source};

/// Pause after a socket error, so that a persistent one does not busy-loop.
const ERROR_REST: Duration = Duration::from_millis(50);

//------------ UdpWorker -----------------------------------------------------

/// A running worker.
#[derive(Debug)]
pub(super) struct UdpWorker {
    /// A second handle on its socket, to shut it down.
    socket: UdpSocket,
    /// Asks it to stop.
    stop: Arc<AtomicBool>,
    /// Its thread.
    thread: Option<JoinHandle<()>>,
}

impl UdpWorker {
    /// Starts a worker on a bound socket, on its own thread and, if given, its own CPU.
    pub(super) fn start(
        shared: Arc<Shared>,
        socket: UdpSocket,
        cpu: Option<usize>,
    ) -> std::io::Result<Self> {
        let local = socket.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let response_octets = usize::from(shared.policy.load().identity.udp_size);
        let packets = SocketBatch::new(socket.try_clone()?, response_octets)?;
        let by = Arc::new(socket.try_clone()?);
        let flag = stop.clone();
        let thread = std::thread::Builder::new().name("udp".to_owned()).spawn(move || {
            if let Some(cpu) = cpu
                && let Err(error) = system::pin_to(cpu)
            {
                tracing::debug!(cpu, %error, "this UDP worker is not bound to a CPU");
            }
            let responder = Responder::new(shared, Transport::Udp, local.is_ipv6());
            Loop::new(packets, vec![Endpoint { responder, local, socket: by }]).run(&flag);
        })?;
        Ok(Self { socket, stop, thread: Some(thread) })
    }

    /// Its address, and the socket.
    pub(super) fn endpoint(&self) -> std::io::Result<(SocketAddr, Arc<UdpSocket>)> {
        Ok((self.socket.local_addr()?, Arc::new(self.socket.try_clone()?)))
    }

    /// Asks it to stop after its next batch, and leaves the socket as it is.
    pub(super) fn request_leave(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether it has stopped.
    pub(super) fn has_left(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Sends it a datagram that is no message, so that it looks up. Which worker of an address gets it is the
    /// system's choice.
    pub(super) fn nudge(&self) {
        let Ok(address) = self.socket.local_addr() else { return };
        let to = SocketAddr::new(reachable(address.ip()), address.port());
        let any: IpAddr =
            if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        // An address that is not here yet cannot be reached, and nobody asks there either.
        if let Ok(socket) = UdpSocket::bind((any, 0)) {
            let _ = socket.send_to(&[0], to);
        }
    }

    /// Lets go of the thread: it waits for a query that may never come, and ends with the process.
    pub(super) fn let_go(&mut self) {
        if !self.has_left() {
            self.thread = None;
        }
    }

    /// Asks it to stop, without waiting.
    pub(super) fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
        // Linux wakes a reader of an unconnected socket too, and says ENOTCONN all the same.
        let _ = socket2::SockRef::from(&self.socket).shutdown(std::net::Shutdown::Read);
    }
}

impl Drop for UdpWorker {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            if !thread.is_finished() {
                self.request_stop();
            }
            // Panics are caught and logged inside.
            let _ = thread.join();
        }
    }
}

//------------ Loop ----------------------------------------------------------

/// What a worker works with: batch after batch, it answers queries to its addresses.
pub(super) struct Loop<P> {
    /// Where queries come from and responses go.
    packets: P,
    /// The addresses; at least one.
    endpoints: Vec<Endpoint>,
    /// That of the query being answered.
    at: usize,
}

/// An address that a worker answers at.
pub(super) struct Endpoint {
    /// Answers the queries.
    pub(super) responder: Responder,
    /// The address that is listened on.
    pub(super) local: SocketAddr,
    /// Its socket, for responses that come later.
    pub(super) socket: Arc<UdpSocket>,
}

impl<P: Packets> Loop<P> {
    /// A worker's. There must be an endpoint.
    pub(super) fn new(packets: P, endpoints: Vec<Endpoint>) -> Self {
        Self { packets, endpoints, at: 0 }
    }

    /// Batch after batch until it is asked to stop.
    pub(super) fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            match self.packets.receive() {
                Ok(0) => {}
                Ok(count) => self.guarded_batch(count),
                Err(error) => {
                    let endpoint = &self.endpoints[self.at];
                    endpoint.responder.counters.socket_errors.add(1);
                    tracing::debug!(address = %endpoint.local, %error, "receiving failed");
                    std::thread::sleep(ERROR_REST);
                }
            }
        }
    }

    /// Answers a batch; a panic loses that batch and nothing else.
    fn guarded_batch(&mut self, count: usize) {
        if catch_unwind(AssertUnwindSafe(|| self.batch(count))).is_err() {
            let endpoint = &mut self.endpoints[self.at];
            tracing::error!(event = "worker_panic", address = %endpoint.local,
                "a panic while answering; its batch is lost");
            endpoint.responder.recover();
        }
    }

    /// Answers the queries of one batch.
    fn batch(&mut self, count: usize) {
        self.at = 0;
        let shared = self.endpoints[0].responder.shared.clone();
        let zones = shared.zones.load();
        let moments = self.endpoints.iter_mut().map(|it| it.responder.begin());
        let Some(moment) = moments.last() else { return };
        let has_proxies = !self.endpoints[0].responder.proxies().is_empty();
        // A proxy puts its own words in front of the query.
        let near = if zones.is_large() && !has_proxies {
            self.look_ahead(&zones, count)
        } else {
            [None; AHEAD_MAX]
        };
        for index in 0..count {
            let packet = self.packets.packet(index);
            self.at = packet.endpoint;
            let Endpoint { responder, local, socket } = &mut self.endpoints[packet.endpoint];
            let counters = &responder.counters;
            let Some(peer) = packet.from else {
                counters.count_silence(Silence::NoSource);
                continue;
            };
            if packet.to_many {
                counters.count_silence(Silence::ToMany);
                continue;
            }
            let ip = packet.asked.unwrap_or_else(|| local.ip());
            let local = Some(SocketAddr::new(ip, local.port()));
            let (mut client, mut query) = (peer, packet.query);
            if has_proxies {
                let Some(found) = responder.proxies().unwrap(client, query) else {
                    responder.counters.count_silence(Silence::Proxy);
                    continue;
                };
                (client, query) = found;
            }
            let source = Source { client, local, keepalive: None, identity: None };
            let out = packet.response;
            let near = near.get(index).copied().flatten();
            match responder.respond_near((&zones, near), moment, &source, query, out) {
                Answer::Reply(length) => self.packets.answer(index, length),
                Answer::Silence => {}
                Answer::Errand(errand) => shared.errands.push(errand, socket, peer),
            }
        }
        let sent = self.packets.send();
        let counters = &self.endpoints[0].responder.counters;
        counters.send_failed.add(sent.failed as u64);
        counters.short_sends.add(sent.short as u64);
        counters.socket_errors.add(sent.errors as u64);
        self.endpoints.iter_mut().for_each(|it| it.responder.finish());
    }

    /// Looks for the names of a batch, all at once.
    fn look_ahead<'z>(&self, zones: &'z ZoneSet, count: usize) -> [Option<Near<'z>>; AHEAD_MAX] {
        let names = (0..count).map(|index| {
            let question = self.packets.query(index).get(HEADER_OCTETS..)?;
            NameRef::from_wire(question).ok().map(|(name, _)| name)
        });
        look_ahead(zones, names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::batch::{Packet, Sent};

    /// Three batches of one query each; the second makes whoever reads it panic.
    #[derive(Default)]
    struct Trap {
        batches: usize,
        query: Vec<u8>,
        response: Vec<u8>,
        sent: Arc<std::sync::Mutex<Vec<usize>>>,
        stop: Arc<AtomicBool>,
    }

    impl Packets for Trap {
        fn receive(&mut self) -> std::io::Result<usize> {
            self.batches += 1;
            self.stop.store(self.batches == 3, Ordering::Relaxed);
            Ok(1)
        }

        fn query(&self, _: usize) -> &[u8] {
            &self.query
        }

        fn packet(&mut self, _: usize) -> Packet<'_> {
            assert_ne!(self.batches, 2, "the trap");
            Packet {
                query: &self.query,
                response: &mut self.response,
                from: Some(([192, 0, 2, 1], 5353).into()),
                asked: None,
                to_many: false,
                endpoint: 0,
            }
        }

        fn answer(&mut self, _: usize, length: usize) {
            self.sent.lock().unwrap().push(length);
        }

        fn send(&mut self) -> Sent {
            Sent::default()
        }
    }

    #[test]
    fn a_panic_loses_its_batch_and_nothing_else() {
        let shared = Arc::new(Shared::plain(Arc::default()));
        let query = b"\0\x01\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01".to_vec();
        let trap = Trap { query, response: vec![0; 512], ..Trap::default() };
        let (sent, stop) = (trap.sent.clone(), trap.stop.clone());
        let responder = Responder::new(shared, Transport::Udp, false);
        let counters = responder.counters.clone();
        let local = ([127, 0, 0, 1], 53).into();
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        Loop::new(trap, vec![Endpoint { responder, local, socket }]).run(&stop);
        assert_eq!(*sent.lock().unwrap(), [19, 19], "REFUSED before and after");
        assert_eq!(counters.panics.value(), 1);
    }
}
