//! The door of pages and API: so many visitors at once, and none that never finishes a sentence.
//!
//! A client that sends its request octet by octet, or does not fetch its answer, would hold a place
//! for ever; enough of them would take the open files the name server needs. So each connection has
//! a time within which something must be answered, and places are counted, for each address too.

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
const PLACES: usize = 2048;
/// Connections at once from one address that is neither a trusted proxy nor this machine.
const PLACES_PER_ADDRESS: usize = 256;
/// The time between two answers on a connection: for a letter of 2 MB over a slow line, too.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait after the system had no file left for a connection.
const RECOVERY: Duration = Duration::from_millis(200);

//------------ Door ----------------------------------------------------------

/// A listener that counts places and hands out connections with a deadline.
pub(super) struct Door {
    /// The socket.
    listener: TcpListener,
    /// Free places.
    places: Arc<Semaphore>,
    /// Places taken by each address.
    taken: Taken,
    /// Addresses that stand for many clients.
    proxies: Vec<IpAddr>,
    /// The time between two answers.
    patience: Duration,
}

/// Places taken by each address.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

impl Door {
    /// A door for a socket; connections from `proxies` are counted together only.
    pub(super) fn new(listener: TcpListener, proxies: Vec<IpAddr>) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self { listener, places, taken: Taken::default(), proxies, patience: PATIENCE }
    }

    /// A seat for one more connection from this address; none if it has too many.
    fn seat(&self, address: IpAddr, place: OwnedSemaphorePermit) -> Option<Seat> {
        // A proxy on this machine need not be named as trusted to stand for many clients.
        let counted = !self.proxies.contains(&address) && !address.is_loopback();
        if counted {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(address).or_insert(0);
            if *count >= PLACES_PER_ADDRESS {
                return None;
            }
            *count += 1;
        }
        let address = counted.then_some(address);
        Some(Seat { address, taken: Arc::clone(&self.taken), _place: place })
    }
}

impl Listener for Door {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            // Whoever comes when all places are taken waits in the system's own queue.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { continue };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let Some(seat) = self.seat(address.ip().to_canonical(), place) else {
                        continue;
                    };
                    return (Visit::new(stream, seat, self.patience), address);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection to the pages was not accepted");
                    tokio::time::sleep(RECOVERY).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A place that is free again when the connection ends.
struct Seat {
    /// Whose it is, where places are counted by address.
    address: Option<IpAddr>,
    /// Where it is counted.
    taken: Taken,
    /// The place among all.
    _place: OwnedSemaphorePermit,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&address);
            }
        }
    }
}

//------------ Visit ---------------------------------------------------------

/// A connection that ends when nothing was answered on it for too long.
pub(super) struct Visit {
    /// The connection.
    stream: TcpStream,
    /// When patience ends; moved on by every octet of an answer, and by the first of a request.
    alarm: Pin<Box<Sleep>>,
    /// Whether the last word was ours: what comes next begins a request.
    between: bool,
    /// How long it lasts.
    patience: Duration,
    /// Given back at the end.
    _seat: Seat,
}

impl Visit {
    /// A connection that has just come.
    fn new(stream: TcpStream, seat: Seat, patience: Duration) -> Self {
        let alarm = Box::pin(tokio::time::sleep(patience));
        Self { stream, alarm, between: true, patience, _seat: seat }
    }

    /// The error once patience has ended.
    fn patient(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.alarm.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }

    /// Moves the alarm on when an answer got on its way.
    fn answered<T>(&mut self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!(written, Poll::Ready(Ok(_))) {
            self.between = true;
            self.wait_anew();
        }
        written
    }

    /// Sets the alarm from now.
    fn wait_anew(&mut self) {
        self.alarm.as_mut().reset(Instant::now() + self.patience);
    }
}

impl AsyncRead for Visit {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.patient(context)?;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.between && buffer.filled().len() > before {
            self.between = false;
            self.wait_anew();
        }
        read
    }
}

impl AsyncWrite for Visit {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.patient(context)?;
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.answered(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.patient(context)?;
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

    /// A door at any port, with this much patience, and where it is.
    async fn door(patience: Duration) -> (Door, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Door { patience, ..Door::new(listener, Vec::new()) };
        let address = door.local_addr().unwrap();
        (door, address)
    }

    #[tokio::test]
    async fn who_sends_octet_by_octet_is_shown_out() {
        let (door, address) = door(Duration::from_millis(200)).await;
        let app = axum::Router::new().route(
            "/",
            axum::routing::get(async || {
                tokio::time::sleep(Duration::from_millis(120)).await;
                "here"
            }),
        );
        let served = tokio::spawn(async move { axum::serve(door, app).await });
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

        // Whoever asks in time is answered, more than once, for longer than the patience lasts.
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
    async fn one_address_does_not_take_all_places() {
        let (door, _) = door(PATIENCE).await;
        let place = || Arc::clone(&door.places).try_acquire_owned().unwrap();
        let near: IpAddr = "192.0.2.1".parse().unwrap();
        let mut seats: Vec<Seat> = std::iter::from_fn(|| door.seat(near, place())).collect();
        assert_eq!(seats.len(), PLACES_PER_ADDRESS);
        assert!(door.seat("192.0.2.2".parse().unwrap(), place()).is_some());
        seats.pop();
        assert!(door.seat(near, place()).is_some());
    }
}
