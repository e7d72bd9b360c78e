//! The listener of pages and API: connection limits and a slow-client timeout.
//!
//! A client that sends its request octet by octet, or never reads its response, would hold a
//! connection for ever, and enough of them would use up the open files the name server needs. So
//! connections are limited, in total and per address, and each ends when no octet of a response was
//! written for too long.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Connections at once.
const CONNECTIONS_MAX: usize = 2048;
/// Connections at once from one address that is neither a trusted proxy nor this machine.
const CONNECTIONS_PER_ADDRESS_MAX: usize = 256;
/// The time between two responses on a connection; enough for a letter of 2 MB over a slow line.
const STALL_MAX: Duration = Duration::from_secs(60);
/// Pause after an accept error, so a persistent one does not busy-loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

//------------ LimitedListener -----------------------------------------------

/// A listener that limits connections and accepts them with a deadline.
pub(super) struct LimitedListener {
    /// The socket.
    listener: TcpListener,
    /// Connections that are still free.
    free: Arc<Semaphore>,
    /// Connections in use, by address.
    in_use: InUse,
    /// Proxies: their addresses are shared by many clients.
    proxies: Vec<IpAddr>,
    /// The time between two responses.
    stall_max: Duration,
}

/// Connections in use, by address.
type InUse = Arc<Mutex<HashMap<IpAddr, usize>>>;

impl LimitedListener {
    /// A listener on a socket; connections from `proxies` count towards the total only.
    pub(super) fn new(listener: TcpListener, proxies: Vec<IpAddr>) -> Self {
        let free = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Self { listener, free, in_use: InUse::default(), proxies, stall_max: STALL_MAX }
    }

    /// A slot for one more connection from this address; none if it has too many.
    fn slot(&self, address: IpAddr, permit: OwnedSemaphorePermit) -> Option<Slot> {
        // A proxy on this machine need not be named as trusted to be shared by many clients.
        let counted = !self.proxies.contains(&address) && !address.is_loopback();
        if counted {
            let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
            let count = in_use.entry(address).or_insert(0);
            if *count >= CONNECTIONS_PER_ADDRESS_MAX {
                return None;
            }
            *count += 1;
        }
        let address = counted.then_some(address);
        Some(Slot { address, in_use: Arc::clone(&self.in_use), _permit: permit })
    }
}

impl Listener for LimitedListener {
    type Io = TimedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TimedStream, SocketAddr) {
        loop {
            // When all connections are in use, further clients wait in the accept queue.
            let Ok(permit) = Arc::clone(&self.free).acquire_owned().await else { continue };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let Some(slot) = self.slot(address.ip().to_canonical(), permit) else {
                        continue;
                    };
                    return (TimedStream::new(stream, slot, self.stall_max), address);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to the pages was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection's share of the limits, given back when it ends.
struct Slot {
    /// The address it counts for, if it does.
    address: Option<IpAddr>,
    /// Where it is counted.
    in_use: InUse,
    /// Its part of the total.
    _permit: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = in_use.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                in_use.remove(&address);
            }
        }
    }
}

//------------ TimedStream ---------------------------------------------------

/// A connection that ends when no response was written on it for too long.
pub(super) struct TimedStream {
    /// The connection.
    stream: TcpStream,
    /// The deadline; moved on by every octet of a response, and by the first of a request.
    deadline: Pin<Box<Sleep>>,
    /// Whether the last octets were ours: the next ones begin a request.
    between: bool,
    /// The time between two responses.
    stall_max: Duration,
    /// Given back at the end.
    _slot: Slot,
}

impl TimedStream {
    /// A connection just accepted.
    fn new(stream: TcpStream, slot: Slot, stall_max: Duration) -> Self {
        let deadline = Box::pin(tokio::time::sleep(stall_max));
        Self { stream, deadline, between: true, stall_max, _slot: slot }
    }

    /// An error once the deadline has passed.
    fn in_time(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Moves the deadline on when part of a response was written.
    fn answered<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.between = true;
            self.restart();
        }
        written
    }

    /// Sets the deadline from now.
    fn restart(&mut self) {
        self.deadline.as_mut().reset(Instant::now() + self.stall_max);
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.between && buffer.filled().len() > before {
            self.between = false;
            self.restart();
        }
        read
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.in_time(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.answered(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.in_time(context)?;
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.answered(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A listener at any port with this deadline, and its address.
    async fn listener(stall_max: Duration) -> (LimitedListener, SocketAddr) {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener = LimitedListener::new(socket, Vec::new());
        let address = listener.local_addr().unwrap();
        (LimitedListener { stall_max, ..listener }, address)
    }

    #[tokio::test]
    async fn a_client_that_sends_octet_by_octet_is_disconnected() {
        let (listener, address) = listener(Duration::from_millis(200)).await;
        let app = axum::Router::new().route(
            "/",
            axum::routing::get(async || {
                tokio::time::sleep(Duration::from_millis(120)).await;
                "here"
            }),
        );
        let served = tokio::spawn(async move { axum::serve(listener, app).await });
        let mut slow = TcpStream::connect(address).await.unwrap();
        let begun = Instant::now();
        let mut answer = Vec::new();
        // A client that always has one more octet to send.
        while slow.write_all(b"G").await.is_ok() && begun.elapsed() < Duration::from_secs(5) {
            let wait = Duration::from_millis(20);
            match tokio::time::timeout(wait, slow.read_buf(&mut answer)).await {
                Ok(_) => break,
                Err(_) => continue,
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());

        // A client that asks in time is answered, more than once, for longer than the limit.
        let mut quick = TcpStream::connect(address).await.unwrap();
        for _ in 0..4 {
            quick.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            let mut octets = [0; 1024];
            let got = quick.read(&mut octets).await.unwrap();
            assert!(octets[..got].starts_with(b"HTTP/1.1 200"));
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        served.abort();
    }

    #[tokio::test]
    async fn one_address_does_not_take_all_connections() {
        let (listener, _) = listener(STALL_MAX).await;
        let permit = || Arc::clone(&listener.free).try_acquire_owned().unwrap();
        let near: IpAddr = "192.0.2.1".parse().unwrap();
        let mut slots: Vec<Slot> = std::iter::from_fn(|| listener.slot(near, permit())).collect();
        assert_eq!(slots.len(), CONNECTIONS_PER_ADDRESS_MAX);
        assert!(listener.slot("192.0.2.2".parse().unwrap(), permit()).is_some());
        slots.pop();
        assert!(listener.slot(near, permit()).is_some());
    }
}
