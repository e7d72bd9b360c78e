//! The listeners over real sockets on loopback: `start` as the daemon calls it, any free port.
//!
//! Tests that want ten thousand connections do with fewer here; `GAPURA_TEST_FULL=1` runs them at the
//! size of tests T5 and T6, where the limit of open files allows.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use super::counters::{CloseReason, CookieKind, LimitAction, Silence};
use super::*;
use crate::answer::Transport;
use crate::wire::{Class, Name, Opcode, ProxyHeader, Rcode, Record, Rtype};
use crate::zone::{ZoneBuilder, ZoneSet};

mod encrypted;
mod limited;
mod logged;
pub(super) mod operations;
mod proxied;
mod streams;
mod transfers;
mod udp;

/// Longest wait for anything that should come.
pub(super) const SOON: Duration = Duration::from_secs(5);
/// Wait for what should not come.
pub(super) const A_WHILE: Duration = Duration::from_millis(150);

/// Sends a message over UDP or TCP and returns the response as it came.
fn ask(
    server: SocketAddr,
    query: &[u8],
    transport: Transport,
    timeout: Duration,
) -> std::io::Result<Vec<u8>> {
    let over = match transport {
        Transport::Udp => crate::dns_client::Transport::Udp,
        _ => crate::dns_client::Transport::Tcp,
    };
    crate::dns_client::exchange(server, query, over, timeout)
}

/// A query log in this file that keeps every line.
fn logged_to(file: &std::path::Path) -> QueryLogOptions {
    QueryLogOptions {
        file: file.to_owned(),
        keep: Keep { rotate_octets: 1 << 20, total_octets: 1 << 22, days: 30 },
        format: LineFormat::Json,
        client: ClientDetail::Address,
        filter: Filter::default(),
    }
}

//------------ Server --------------------------------------------------------

/// A server for `example.` on 127.0.0.1 and, where there is one, ::1.
struct Server {
    running: Running,
    v4: SocketAddr,
    v6: Option<SocketAddr>,
}

/// Starts a server; the listening addresses are filled in.
fn server(options: Options) -> Server {
    server_of(options, zones())
}

/// The same for other zones.
fn server_of(options: Options, zones: Arc<ArcSwap<ZoneSet>>) -> Server {
    let listen = vec!["127.0.0.1:0".parse().unwrap(), "[::1]:0".parse().unwrap()];
    let options = Options { listen, udp_workers: 1, stream_workers: 1, ..options };
    let running = start(options, zones).unwrap();
    let of = |ipv6: bool| {
        let udp = running.addresses().iter().filter(|l| l.transport == Transport::Udp);
        udp.map(|l| l.address).find(|address| address.is_ipv6() == ipv6)
    };
    let (v4, v6) = (of(false).unwrap(), of(true));
    Server { running, v4, v6 }
}

impl Server {
    /// What all workers of a transport have counted, under a number of the test's choice.
    fn count(&self, transport: Transport, what: impl Fn(&counters::Totals) -> u64) -> u64 {
        let totals = self.running.counters();
        totals.iter().filter(|(lane, _)| lane.transport == transport).map(|(_, t)| what(t)).sum()
    }
}

/// `example.` with an address, a long TXT and a delegation.
pub(super) fn zones() -> Arc<ArcSwap<ZoneSet>> {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    let mut add = |owner: &str, rtype: Rtype, rdata: Vec<u8>| {
        let owner = owner.parse().unwrap();
        let rdata = rdata.into();
        let record = Record { owner, rtype, class: Class::IN, ttl: 300, rdata };
        builder.push(record.as_ref());
    };
    let soa: [&[u8]; 3] = [b"\x02ns\x07example\0", b"\x02ns\x07example\0", &[0, 0, 0, 7]];
    let mut soa = soa.concat();
    soa.extend([0, 0, 28, 32, 0, 0, 3, 132, 0, 18, 117, 0, 0, 0, 1, 44]);
    add("example.", Rtype::SOA, soa);
    add("example.", Rtype::NS, b"\x02ns\x07example\0".to_vec());
    add("ns.example.", Rtype::A, vec![192, 0, 2, 1]);
    add("www.example.", Rtype::A, vec![192, 0, 2, 80]);
    for index in 0..20 {
        let mut text = vec![200];
        text.extend([b'a' + index; 200]);
        add("big.example.", Rtype::TXT, text);
    }
    let (zone, faults) = builder.finish();
    assert!(faults.is_empty(), "{faults:?}");
    Arc::new(ArcSwap::from_pointee(ZoneSet::new().with(zone.unwrap())))
}

//------------ Messages ------------------------------------------------------

/// A query without EDNS.
pub(super) fn query(id: u16, name: &str, rtype: Rtype) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    message.extend(name.parse::<Name>().unwrap().wire());
    message.extend(rtype.0.to_be_bytes());
    message.extend([0, 1]);
    message
}

/// A query with EDNS: 1232 octets, and these options.
pub(super) fn edns_query(id: u16, name: &str, rtype: Rtype, options: &[u8]) -> Vec<u8> {
    let mut message = query(id, name, rtype);
    message[11] = 1;
    message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0]);
    message.extend((options.len() as u16).to_be_bytes());
    message.extend(options);
    message
}

/// The response code of a response, without its upper bits.
fn rcode(response: &[u8]) -> Rcode {
    Rcode(u16::from(response[3] & 15))
}

/// The payload of an option in the OPT of a response that ends with it.
fn option(response: &[u8], code: u16) -> Option<&[u8]> {
    let start = response.windows(5).rposition(|w| w == [0, 0, 41, 4, 208])? + 11;
    let mut rest = &response[start..];
    while rest.len() >= 4 {
        let (found, length) =
            (u16::from_be_bytes([rest[0], rest[1]]), u16::from_be_bytes([rest[2], rest[3]]));
        let payload = &rest[4..4 + usize::from(length)];
        if found == code {
            return Some(payload);
        }
        rest = &rest[4 + payload.len()..];
    }
    None
}

/// A client's UDP socket on `address`, connected to the server.
fn client(address: &str, server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((address.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    socket
}

/// Sends and receives one message.
fn exchange(socket: &UdpSocket, message: &[u8]) -> Vec<u8> {
    socket.send(message).unwrap();
    let mut response = vec![0; 65_535];
    let length = socket.recv(&mut response).unwrap();
    response.truncate(length);
    response
}

/// A TCP connection to the server.
fn connect(server: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// A message with its length in front.
fn framed(message: &[u8]) -> Vec<u8> {
    let mut frame = (message.len() as u16).to_be_bytes().to_vec();
    frame.extend(message);
    frame
}

/// Reads one message.
fn read_message(stream: &mut impl Read) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).unwrap();
    message
}

/// Waits until the server closes the connection; how long that took. What comes before is read away.
fn closed_after(stream: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(_) => assert!(start.elapsed() < SOON, "still open"),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("still open: {error}"),
        }
    }
    start.elapsed()
}

/// Waits until something holds.
#[track_caller]
fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

//------------ ask -----------------------------------------------------------

#[test]
fn ask_gets_an_answer_by_either_transport() {
    let server = server(Options::default());
    for transport in [Transport::Udp, Transport::Tcp] {
        for address in [Some(server.v4), server.v6].into_iter().flatten() {
            let response =
                ask(address, &query(7, "www.example.", Rtype::A), transport, SOON).unwrap();
            assert_eq!(response[..2], [0, 7]);
            assert!(response.ends_with(&[192, 0, 2, 80]));
        }
    }
}

#[test]
fn ask_gives_up_in_time() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let start = Instant::now();
    let message = query(7, "www.example.", Rtype::A);
    let error = ask(silent.local_addr().unwrap(), &message, Transport::Udp, A_WHILE).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert!(start.elapsed() < SOON);
}

#[test]
fn a_stopped_server_leaves_its_port_at_once() {
    let server = server(Options::default());
    let address = server.v4;
    let mut open = connect(address);
    wait_until("it is in", || server.running.connections() == 1);
    let asked = Instant::now();
    server.running.stop();
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!(open.read(&mut [0; 16]).unwrap(), 0);
    let options = Options { listen: vec![address], ..Options::default() };
    start(options, zones()).unwrap();
}
