//! Sends one message and waits for its response, with one deadline for all of it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::stream::Stream;
use super::tls::Tls;
use crate::text::with_causes;
use crate::wire::{HEADER_OCTETS, Header, Query};

/// Octets that any datagram has at most.
pub(super) const DATAGRAM_OCTETS_MAX: usize = 65_535;

/// How a question travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A connection of its own (RFC 7766).
    Tcp,
}

impl Transport {
    /// The word in proofs and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Sends `query`, a whole message, to `server` and returns the response as it came: it has the
/// query's identifier, QR set, and the query's question if it has one.
///
/// A wildcard address stands for the loopback address of its family.
pub fn exchange(
    server: SocketAddr,
    query: &[u8],
    transport: Transport,
    timeout: Duration,
) -> io::Result<Vec<u8>> {
    exchange_behind(server, &[], query, transport, timeout)
}

/// The same with something in front: of the datagram, or of all that the connection brings.
pub(super) fn exchange_behind(
    server: SocketAddr,
    front: &[u8],
    query: &[u8],
    transport: Transport,
    timeout: Duration,
) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + timeout;
    let server = SocketAddr::new(reachable(server.ip()), server.port());
    if query.len() < HEADER_OCTETS || query.len() > usize::from(u16::MAX) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a DNS message"));
    }
    match transport {
        Transport::Udp => over_udp(server, front, query, deadline),
        Transport::Tcp => over_stream(server, None, front, query, deadline),
    }
}

/// Asks over UDP and passes over datagrams that do not answer this query.
fn over_udp(
    server: SocketAddr,
    front: &[u8],
    query: &[u8],
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let socket = send_datagram(server, front, query)?;
    receive_datagram(&socket, query, deadline, &mut vec![0; DATAGRAM_OCTETS_MAX])
}

/// Sends a datagram from a port of its own.
pub(super) fn send_datagram(
    server: SocketAddr,
    front: &[u8],
    query: &[u8],
) -> io::Result<UdpSocket> {
    let any = match server {
        SocketAddr::V4(_) => IpAddr::from(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::from(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(&[front, query].concat())?;
    Ok(socket)
}

/// Waits for the datagram that answers a query and passes over others. `room` has [`DATAGRAM_OCTETS_MAX`]
/// octets.
pub(super) fn receive_datagram(
    socket: &UdpSocket,
    query: &[u8],
    deadline: Instant,
    room: &mut [u8],
) -> io::Result<Vec<u8>> {
    loop {
        socket.set_read_timeout(Some(left(deadline)?))?;
        let length = socket.recv(room).map_err(timed_out)?;
        if answers(&room[..length], query) {
            return Ok(room[..length].to_vec());
        }
    }
}

/// Asks over TCP, or TLS if it is given, on a connection of its own.
pub(super) fn over_stream(
    server: SocketAddr,
    tls: Option<&Tls>,
    front: &[u8],
    query: &[u8],
    deadline: Instant,
) -> io::Result<Vec<u8>> {
    let mut stream = Stream::connect(server, tls, left(deadline)?)?;
    stream.send_behind(front, query, left(deadline)?)?;
    let response = stream.receive(left(deadline)?)?;
    if answers(&response, query) {
        Ok(response)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidData, "the response is to another query"))
    }
}

/// The time left, never zero, which would mean "no limit".
pub(super) fn left(deadline: Instant) -> io::Result<Duration> {
    match deadline.checked_duration_since(Instant::now()) {
        Some(left) if !left.is_zero() => Ok(left),
        _ => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// A socket's timeout comes as "would block"; this names it.
pub(super) fn timed_out(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

/// Why nothing came, in words.
pub fn silence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no way leads there from this machine".to_owned()
        }
        _ => with_causes(error),
    }
}

/// Whether a message is the response to this query. The question may come back in another case;
/// an error may come without one.
pub fn answers(message: &[u8], query: &[u8]) -> bool {
    let Some(header) = Header::read(message).filter(|header| header.is_response()) else {
        return false;
    };
    let asked = Query::read(query).and_then(|query| query.question);
    let same_question = asked.is_none_or(|question| {
        let here = HEADER_OCTETS..HEADER_OCTETS + question.octets();
        let pair = message.get(here.clone()).zip(query.get(here));
        pair.is_some_and(|(ours, theirs)| ours.eq_ignore_ascii_case(theirs))
    });
    message[..2] == query[..2] && (header.questions == 0 || same_question)
}

/// Where a wildcard address can be reached from this machine.
pub fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}
