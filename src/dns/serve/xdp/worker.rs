//! The thread that answers the queries of one queue.

use std::io::{self, PipeWriter};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::attach::Endpoints;
use super::batch::{FrameBatch, Tally, Terms};
use super::socket::Socket;
use crate::answer::Transport;
use crate::serve::batch::system;
use crate::serve::responder::{Responder, Shared};
use crate::serve::udp::{Endpoint, Loop};

/// How long it may take to answer what was taken.
const LEAVE_MAX: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LEAVE_REST: Duration = Duration::from_millis(1);

/// A running worker; it ends when this is dropped.
pub(super) struct Worker {
    /// A second handle on its socket, for figures.
    pub(super) socket: OwnedFd,
    /// What it counts.
    pub(super) tally: Arc<Tally>,
    /// Closed to ask it to leave.
    end: Option<PipeWriter>,
    /// Asks it to stop at once.
    stop: Arc<AtomicBool>,
    /// Its thread.
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker on a bound socket, on its own CPU if one is given.
    pub(super) fn start(
        socket: Socket,
        terms: Terms,
        shared: &Arc<Shared>,
        endpoints: &Endpoints,
        cpu: Option<usize>,
    ) -> io::Result<Self> {
        let handle = socket.handle()?;
        let (woken, end) = io::pipe()?;
        let (stop, tally) = (Arc::new(AtomicBool::new(false)), Arc::new(Tally::default()));
        let packets = FrameBatch::new(socket, terms, woken, stop.clone(), tally.clone());
        let endpoints = endpoints.iter().map(|(local, socket)| Endpoint {
            responder: Responder::new(shared.clone(), Transport::Udp, local.is_ipv6()),
            local: *local,
            socket: socket.clone(),
        });
        let rounds = Loop::new(packets, endpoints.collect());
        let flag = stop.clone();
        let thread = std::thread::Builder::new().name("xdp".to_owned()).spawn(move || {
            if let Some(cpu) = cpu
                && let Err(error) = system::pin_to(cpu)
            {
                tracing::debug!(cpu, %error, "this AF_XDP worker is not bound to a CPU");
            }
            rounds.run(&flag);
        })?;
        Ok(Self { socket: handle, tally, end: Some(end), stop, thread: Some(thread) })
    }

    /// Asks it to answer what was taken and to end, without waiting.
    pub(super) fn request_leave(&mut self) {
        self.end = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.request_leave();
        let Some(thread) = self.thread.take() else { return };
        let until = Instant::now() + LEAVE_MAX;
        while !thread.is_finished() && Instant::now() < until {
            std::thread::sleep(LEAVE_REST);
        }
        // Queries that still come are lost with the socket.
        self.stop.store(true, Ordering::Release);
        // Panics are caught and logged inside.
        let _ = thread.join();
    }
}
