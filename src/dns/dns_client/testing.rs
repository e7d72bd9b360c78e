//! A name server for tests whose every response the test decides, over UDP and TCP on one port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::dns_client::Transport;

/// What the server does with a query: its response, or silence.
type Respond = dyn Fn(&[u8], Transport) -> Option<Vec<u8>> + Send + Sync;

/// The server; it ends when dropped.
pub(crate) struct FakeServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Set when its threads are to end.
    end: Arc<AtomicBool>,
}

impl FakeServer {
    /// Starts a server on a free port of 127.0.0.1.
    pub(crate) fn start(
        respond: impl Fn(&[u8], Transport) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let respond: Arc<Respond> = Arc::new(respond);
        let end = Arc::new(AtomicBool::new(false));
        // The port of one may be taken for the other: then the next one is tried.
        let (udp, tcp) = loop {
            let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
            if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        udp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let (ended, answer) = (Arc::clone(&end), Arc::clone(&respond));
        std::thread::spawn(move || serve_udp(&udp, &*answer, &ended));
        let ended = Arc::clone(&end);
        std::thread::spawn(move || serve_tcp(&tcp, &*respond, &ended));
        Self { address, end }
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// Answers datagrams.
fn serve_udp(socket: &UdpSocket, respond: &Respond, end: &AtomicBool) {
    let mut query = [0; 2048];
    while !end.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut query) else { continue };
        if let Some(response) = respond(&query[..length], Transport::Udp) {
            let _gone = socket.send_to(&response, from);
        }
    }
}

/// Answers one query on each connection.
fn serve_tcp(listener: &TcpListener, respond: &Respond, end: &AtomicBool) {
    while !end.load(Ordering::Relaxed) {
        let Ok((mut stream, _)) = listener.accept() else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        stream.set_nonblocking(false).unwrap();
        let mut length = [0; 2];
        if stream.read_exact(&mut length).is_err() {
            continue;
        }
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() {
            continue;
        }
        if let Some(response) = respond(&query, Transport::Tcp) {
            let head = u16::try_from(response.len()).unwrap().to_be_bytes();
            let _gone = stream.write_all(&[&head[..], &response].concat());
        }
    }
}
