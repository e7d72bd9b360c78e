//! DNS over TCP (RFC 7766, 9210) and over TLS (RFC 7858) on raw bytes.
//!
//! Each stream thread has its own runtime and listeners (SO_REUSEPORT); a connection stays on its thread.
//! An idle connection costs only its task: buffers belong to the thread and are lent for one step
//! ([`connection`]). [`roster`] limits the number of connections and decides which close first.

mod connection;
mod roster;
mod transfer;

#[cfg(any(test, fuzzing))]
pub(super) mod framing;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::answer::Transport;

use super::counters::CloseReason;
use super::proxies::read_header;
use super::responder::{Responder, Shared, Source};
use super::tls::Handshakes;
use connection::{Bench, Connection, lock};
use roster::{Roster, Ticket};

/// Pause after an error of `accept` that will last (no descriptors, no memory).
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How long connections may take to finish when the server stops.
const STOP_MAX: Duration = Duration::from_secs(2);

//------------ StreamLimits --------------------------------------------------

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Connections at once; 0: half of the files that may be open, at most 65,536.
    pub connections: usize,
    /// Of them, from one client (IPv6: from one /64, which is one host's to use).
    pub per_address: usize,
    /// How long one may be idle between messages; announced to clients that ask (RFC 7828).
    pub idle: Duration,
    /// How long nothing may move inside a message, in or out.
    pub stall: Duration,
    /// How long a message may take to come in.
    pub message: Duration,
    /// How long responses may take to go out.
    pub write: Duration,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            connections: 0,
            per_address: 128,
            idle: Duration::from_secs(10),
            // A lost segment comes again after a second (RFC 6298 §2.1).
            stall: Duration::from_secs(2),
            message: Duration::from_secs(5),
            write: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
        }
    }
}

//------------ StreamServer --------------------------------------------------

/// A listening socket and how its connections speak.
pub(super) struct StreamListener {
    /// The socket, not blocking.
    pub(super) socket: StdListener,
    /// TLS; `None`: plain TCP.
    pub(super) tls: Option<Handshakes>,
}

/// The running stream threads.
#[derive(Debug)]
pub(super) struct StreamServer {
    /// Ends them.
    stop: CancellationToken,
    /// The threads.
    threads: Vec<JoinHandle<()>>,
    /// All connections.
    roster: Arc<Roster>,
}

impl StreamServer {
    /// Starts one thread for each group of listeners.
    pub(super) fn start(
        shared: &Arc<Shared>,
        groups: Vec<Vec<StreamListener>>,
        limits: StreamLimits,
    ) -> io::Result<Self> {
        let roster = Arc::new(Roster::new(limits));
        let mut server = Self { stop: CancellationToken::new(), threads: Vec::new(), roster };
        for group in groups {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let (shared, stop) = (shared.clone(), server.stop.clone());
            let roster = server.roster.clone();
            let thread =
                std::thread::Builder::new().name("stream".to_owned()).spawn(move || {
                    run(&runtime, &shared, group, &roster, &stop);
                    // An errand may hang with the disk: it is not waited for.
                    runtime.shutdown_timeout(STOP_MAX);
                })?;
            server.threads.push(thread);
        }
        Ok(server)
    }

    /// Connections open now.
    pub(super) fn connections(&self) -> usize {
        self.roster.count()
    }

    /// Admits connections by these limits from now on.
    pub(super) fn set_limits(&self, limits: StreamLimits) {
        self.roster.set_limits(limits);
    }

    /// Asks it to stop, without waiting.
    pub(super) fn request_stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for StreamServer {
    fn drop(&mut self) {
        self.request_stop();
        for thread in self.threads.drain(..) {
            // A panic ends its task, not the thread.
            let _ = thread.join();
        }
    }
}

/// A stream thread: accepts until the server stops, then lets connections finish.
fn run(
    runtime: &Runtime,
    shared: &Arc<Shared>,
    listeners: Vec<StreamListener>,
    roster: &Arc<Roster>,
    stop: &CancellationToken,
) {
    runtime.block_on(async {
        let (tasks, acceptors) = (TaskTracker::new(), TaskTracker::new());
        for listener in listeners {
            match Acceptor::new(listener, shared, roster, tasks.clone()) {
                Ok(acceptor) => {
                    let stop = stop.clone();
                    acceptors.spawn(async move {
                        stop.run_until_cancelled(acceptor.run()).await;
                    });
                }
                Err(error) => tracing::error!(%error, "a listener is lost"),
            }
        }
        stop.cancelled().await;
        // Connections are asked to close only when no new ones can come.
        acceptors.close();
        acceptors.wait().await;
        roster.close_all();
        tasks.close();
        let _ = tokio::time::timeout(STOP_MAX, tasks.wait()).await;
    });
}

//------------ Acceptor ------------------------------------------------------

/// One listener on one thread.
struct Acceptor {
    /// The socket.
    socket: TcpListener,
    /// TLS; `None`: plain TCP.
    tls: Option<Handshakes>,
    /// Responder and buffers of all its connections.
    bench: Arc<Mutex<Bench>>,
    /// All connections of all threads.
    roster: Arc<Roster>,
    /// The thread's tasks.
    tasks: TaskTracker,
}

impl Acceptor {
    /// Makes the socket part of this thread's runtime.
    fn new(
        listener: StreamListener,
        shared: &Arc<Shared>,
        roster: &Arc<Roster>,
        tasks: TaskTracker,
    ) -> io::Result<Self> {
        let socket = TcpListener::from_std(listener.socket)?;
        let transport = if listener.tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let responder = Responder::new(shared.clone(), transport, socket.local_addr()?.is_ipv6());
        let bench = Arc::new(Mutex::new(Bench::new(responder)));
        Ok(Self { socket, tls: listener.tls, bench, roster: roster.clone(), tasks })
    }

    /// Accepts for ever.
    async fn run(self) {
        loop {
            match self.socket.accept().await {
                Ok((stream, client)) => self.admit(stream, client),
                // The client went away while it waited: its own affair.
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    tracing::debug!(%error, "accepting failed");
                    lock(&self.bench).count_socket_error();
                    // Most likely there is no descriptor left: close the idle connections.
                    self.roster.make_room();
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    }

    /// Starts a connection, if there is room for it.
    fn admit(&self, stream: TcpStream, client: SocketAddr) {
        let mut bench = lock(&self.bench);
        let is_proxy = bench.is_proxy(client.ip());
        let ticket = if is_proxy {
            self.roster.admit_proxy(client.ip())
        } else {
            self.roster.admit(client.ip())
        };
        bench.count_connection();
        let Some(ticket) = ticket else {
            bench.count_close(CloseReason::Full);
            return;
        };
        drop(bench);
        // A response is written whole: there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let keepalive =
            (self.roster.limits().idle.as_millis() / 100).try_into().unwrap_or(u16::MAX);
        let local = stream.local_addr().ok();
        let source = Source { client, local, keepalive: Some(keepalive), identity: None };
        let bench = self.bench.clone();
        match self.tls.clone() {
            tls if is_proxy => {
                drop(self.tasks.spawn(run_proxied(tls, stream, source, ticket, bench)));
            }
            None => drop(self.tasks.spawn(async move {
                let connection = Connection::new(stream, source, ticket, bench);
                connection.run().await;
            })),
            Some(tls) => drop(self.tasks.spawn(run_tls(tls, stream, source, ticket, bench))),
        }
    }
}

/// A proxy's connection: its header in its time, then as the client's that it names.
async fn run_proxied(
    tls: Option<Handshakes>,
    mut stream: TcpStream,
    mut source: Source,
    mut ticket: Ticket,
    bench: Arc<Mutex<Bench>>,
) {
    let slot = ticket.slot();
    let header =
        tokio::time::timeout(ticket.limits().handshake, read_header(&mut stream, source.client));
    let header = tokio::select! {
        header = header => header.ok().and_then(Result::ok),
        () = slot.told() => None,
    };
    let Some(client) = header else {
        lock(&bench).count_close(CloseReason::Proxy);
        return;
    };
    if client != source.client {
        let Some(place) = ticket.for_client(client.ip()) else {
            lock(&bench).count_close(CloseReason::Full);
            return;
        };
        (ticket, source.client) = (place, client);
    }
    match tls {
        None => Connection::new(stream, source, ticket, bench).run().await,
        Some(tls) => run_tls(tls, stream, source, ticket, bench).await,
    }
}

/// A TLS connection: the handshake in its time, then as any other.
async fn run_tls(
    tls: Handshakes,
    stream: TcpStream,
    mut source: Source,
    ticket: Ticket,
    bench: Arc<Mutex<Bench>>,
) {
    let slot = ticket.slot();
    let handshake = tokio::time::timeout(ticket.limits().handshake, tls.accept(stream));
    let stream = tokio::select! {
        stream = handshake => stream.ok().and_then(Result::ok),
        () = slot.told() => None,
    };
    source.identity = stream.as_ref().map(|stream| tls.identity(stream.get_ref().1));
    match stream {
        // Boxed: the state of a session is large, and a task's size is that of its largest part.
        Some(stream) => Connection::new(Box::new(stream), source, ticket, bench).run().await,
        None => {
            lock(&bench).count_close(CloseReason::Handshake);
        }
    }
}

/// Whether an error of `accept` concerns one client only.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, TimedOut};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted | TimedOut)
        || error.raw_os_error() == Some(libc::EPROTO)
}
