//! Asking a name server, most often ourselves: the confirmation of a change, the read-back of a
//! promotion, the watchdog. A small blocking client with one time limit for all it does.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::answer::Transport;

/// Sends `query` (a whole message) to `server` and returns the response, which has the query's
/// identifier and QR set. UDP and TCP only; a truncated response is returned as it is.
///
/// A wildcard address stands for the loopback address of its family.
pub fn ask(
    server: SocketAddr,
    query: &[u8],
    transport: Transport,
    timeout: Duration,
) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + timeout;
    let server = SocketAddr::new(reachable(server.ip()), server.port());
    if query.len() < 12 || query.len() > usize::from(u16::MAX) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a DNS message"));
    }
    match transport {
        Transport::Udp => ask_udp(server, query, deadline),
        Transport::Tcp => ask_tcp(server, query, deadline),
        Transport::Tls | Transport::Quic => Err(io::ErrorKind::Unsupported.into()),
    }
}

//------------ Client --------------------------------------------------------

/// Octets of a DNS header.
const HEADER_OCTETS: usize = 12;
/// The COOKIE option (RFC 7873 §4).
const COOKIE: [u8; 2] = [0, 10];
/// The type OPT.
const OPT: [u8; 2] = [0, 41];
/// The UDP size we say we can take.
const UDP_SIZE: u16 = 1232;

/// Asks with cookies, so that a server's rate limit knows us from a forger (RFC 7873): what we ask
/// ourselves after each change must not be limited with everybody else.
#[derive(Debug)]
pub struct Client {
    /// Our half of the cookie.
    own: [u8; 8],
    /// Each server's half, as it came last.
    learned: Mutex<BTreeMap<SocketAddr, Vec<u8>>>,
}

impl Default for Client {
    fn default() -> Self {
        let mut own = [0; 8];
        // Without random numbers the cookie is a poor one, and limits apply as to anybody.
        let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut own);
        Self { own, learned: Mutex::default() }
    }
}

impl Client {
    /// As [`ask`]; a query that has no additional section gets an OPT record with our cookie.
    pub fn ask(
        &self,
        server: SocketAddr,
        query: &[u8],
        transport: Transport,
        timeout: Duration,
    ) -> io::Result<Vec<u8>> {
        if query.len() < HEADER_OCTETS || query[10..12] != [0, 0] {
            return ask(server, query, transport, timeout);
        }
        let response = ask(server, &self.with_cookie(server, query), transport, timeout)?;
        if let Some(cookie) = server_cookie(&response) {
            let mut learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
            learned.insert(server, cookie.to_vec());
        }
        Ok(response)
    }

    /// The query with an OPT record and both halves of the cookie, as far as they are known.
    fn with_cookie(&self, server: SocketAddr, query: &[u8]) -> Vec<u8> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let theirs = learned.get(&server).map(Vec::as_slice).unwrap_or_default();
        let octets = (self.own.len() + theirs.len()) as u16;
        let mut message = query.to_vec();
        message[11] = 1;
        message.push(0);
        message.extend_from_slice(&OPT);
        message.extend_from_slice(&UDP_SIZE.to_be_bytes());
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(&(octets + 4).to_be_bytes());
        message.extend_from_slice(&COOKIE);
        message.extend_from_slice(&octets.to_be_bytes());
        message.extend_from_slice(&self.own);
        message.extend_from_slice(theirs);
        message
    }
}

/// The server's half of the cookie in a response.
fn server_cookie(response: &[u8]) -> Option<&[u8]> {
    let count = |at: usize| {
        response.get(at..at + 2).map(|word| usize::from(u16::from_be_bytes([word[0], word[1]])))
    };
    let mut at = HEADER_OCTETS;
    for _ in 0..count(4)? {
        at = after_name(response, at)? + 4;
    }
    for _ in 0..count(6)? + count(8)? + count(10)? {
        let fixed = after_name(response, at)?;
        let end = fixed + 10 + count(fixed + 8)?;
        if response.get(fixed..fixed + 2)? == OPT {
            let mut options = response.get(fixed + 10..end)?;
            while let Some((head, rest)) = options.split_first_chunk::<4>() {
                let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
                let (value, next) = rest.split_at_checked(length)?;
                if head[..2] == COOKIE {
                    return value.get(8..).filter(|theirs| theirs.len() >= 8);
                }
                options = next;
            }
        }
        at = end;
    }
    None
}

/// The octet behind a name, which may end in a pointer.
fn after_name(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *message.get(at)? {
            0 => return Some(at + 1),
            pointer if pointer >= 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

//------------ Sockets -------------------------------------------------------

/// Asks over UDP. What is no answer to this query is passed over.
fn ask_udp(server: SocketAddr, query: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(query)?;
    let mut response = vec![0; 65_535];
    loop {
        socket.set_read_timeout(Some(left(deadline)?))?;
        let length = socket.recv(&mut response).map_err(timed_out)?;
        if is_response(&response[..length], query) {
            response.truncate(length);
            return Ok(response);
        }
    }
}

/// Asks over TCP, on a connection of its own.
fn ask_tcp(server: SocketAddr, query: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, left(deadline)?)?;
    let mut message = Vec::with_capacity(2 + query.len());
    message.extend_from_slice(&(query.len() as u16).to_be_bytes());
    message.extend_from_slice(query);
    stream.set_write_timeout(Some(left(deadline)?))?;
    stream.write_all(&message).map_err(timed_out)?;
    let mut length = [0; 2];
    read_until(&mut stream, &mut length, deadline)?;
    let mut response = vec![0; usize::from(u16::from_be_bytes(length))];
    read_until(&mut stream, &mut response, deadline)?;
    if is_response(&response, query) {
        Ok(response)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is to another query"))
    }
}

/// Fills `buffer` before the deadline.
fn read_until(stream: &mut TcpStream, buffer: &mut [u8], deadline: Instant) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut buffer[filled..]).map_err(timed_out)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => filled += length,
        }
    }
    Ok(())
}

/// The time left, never zero (which would mean none is set).
fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.checked_duration_since(Instant::now()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// A socket's timeout looks like "would block"; it is called what it is.
fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Whether a message answers this query, by identifier and QR.
fn is_response(message: &[u8], query: &[u8]) -> bool {
    message.len() >= 12 && message[..2] == query[..2] && message[2] & 0x80 != 0
}

/// Where a wildcard address can be reached from this machine.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}
