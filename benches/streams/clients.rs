//! The clients: threads with a connection each, or with one after another.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Connections at once.
const CLIENTS: usize = 16;
/// Queries that are sent at once.
const PIPED: usize = 16;
/// The question: `h1.example. A`, with its length in front.
const QUERY: &[u8; 30] = b"\0\x1c\x12\x34\0\0\0\x01\0\0\0\0\0\0\x02h1\x07example\0\0\x01\0\x01";

/// What becomes of a connection.
#[derive(Clone, Copy)]
pub enum Kind {
    /// It stays; one query at a time.
    Long,
    /// It stays; many queries at a time.
    Piped,
    /// It is for one query.
    One,
}

/// How a server is reached.
#[derive(Clone)]
pub enum Way {
    /// Over TCP.
    Tcp(SocketAddr),
    /// Over TLS.
    Tls((SocketAddr, Arc<ClientConfig>)),
}

/// What can be read and written.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Way {
    /// A new connection.
    fn connect(&self) -> Box<dyn Stream> {
        let open = |address: &SocketAddr| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream
        };
        match self {
            Self::Tcp(address) => Box::new(open(address)),
            Self::Tls((address, config)) => {
                let name = ServerName::try_from("ns1.example").unwrap();
                let connection = ClientConnection::new(config.clone(), name).unwrap();
                Box::new(StreamOwned::new(connection, open(address)))
            }
        }
    }
}

/// Asks for a while; how many responses there were, and how long it took. An error: one did not come.
pub fn ask(way: &Way, kind: Kind, seconds: Duration) -> io::Result<(u64, Duration)> {
    let (stop, began) = (AtomicBool::new(false), Instant::now());
    let answered = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CLIENTS).map(|_| scope.spawn(|| client(way, kind, &stop))).collect();
        std::thread::sleep(seconds);
        stop.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum::<io::Result<u64>>()
    });
    Ok((answered?, began.elapsed()))
}

/// Asks until it is told to stop.
fn client(way: &Way, kind: Kind, stop: &AtomicBool) -> io::Result<u64> {
    let count = if matches!(kind, Kind::Piped) { PIPED } else { 1 };
    let queries = QUERY.repeat(count);
    let (mut stream, mut answered) = (way.connect(), 0);
    let mut responses = vec![0; 1 << 16];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(&queries)?;
        stream.flush()?;
        read(&mut *stream, &mut responses, count)?;
        answered += count as u64;
        if matches!(kind, Kind::One) {
            stream = way.connect();
        }
    }
    Ok(answered)
}

/// Reads so many responses, each of which must be a good one.
fn read(stream: &mut dyn Stream, room: &mut [u8], count: usize) -> io::Result<()> {
    let (mut filled, mut start, mut left) = (0, 0, count);
    while left > 0 {
        match stream.read(&mut room[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
        while let Some([a, b, _, _, _, code, ..]) = room[..filled].get(start..)
            && let length = 2 + usize::from(u16::from_be_bytes([*a, *b]))
            && start + length <= filled
        {
            assert_eq!(code & 15, 0, "the response code");
            start += length;
            left -= 1;
        }
    }
    Ok(())
}
