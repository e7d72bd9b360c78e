//! Knot and NSD as real processes on loopback, each with all zones of a round.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gapura::wire::Name;

use crate::support::peers::free_port;

//------------ Peer ----------------------------------------------------------

/// A running name server; it ends with the value.
pub(crate) struct Peer {
    /// The process.
    child: Child,
    /// Where it answers.
    address: SocketAddr,
    /// A socket connected to it.
    socket: UdpSocket,
}

impl Peer {
    /// Starts Knot with the zone files `NAME.zone` of `directory`.
    pub(crate) fn knot(directory: &Path, zones: &[Name]) -> Self {
        let root = directory.display();
        Self::start("knot", zones, |port| {
            let mut text = format!(
                "server:\n  rundir: {root}\n  listen: 127.0.0.1@{port}\n  udp-workers: 1\n  \
                 tcp-workers: 1\n  background-workers: 1\ndatabase:\n  storage: {root}/knot\n\
                 log:\n  - target: {root}/knot.log\n    any: warning\n\
                 acl:\n  - id: all\n    action: transfer\n    address: 127.0.0.1\nzone:\n"
            );
            for zone in zones {
                text += &format!(
                    "  - domain: {zone}\n    storage: {root}\n    file: {zone}zone\n    \
                     semantic-checks: off\n    zonefile-sync: -1\n    journal-content: none\n    \
                     acl: all\n"
                );
            }
            let config = directory.join("knot.conf");
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new("knotd");
            command.arg("-c").arg(config);
            command
        })
    }

    /// Starts NSD with the same files.
    pub(crate) fn nsd(directory: &Path, zones: &[Name]) -> Self {
        let root = directory.display();
        Self::start("nsd", zones, |port| {
            let mut text = format!(
                "server:\n  server-count: 1\n  ip-address: 127.0.0.1@{port}\n  username: \"\"\n  \
                 zonesdir: \"{root}\"\n  database: \"\"\n  pidfile: \"{root}/nsd.pid\"\n  \
                 xfrdfile: \"{root}/xfrd.state\"\n  zonelistfile: \"{root}/zone.list\"\n  \
                 logfile: \"{root}/nsd.log\"\n  minimal-responses: yes\n  rrl-ratelimit: 0\n\
                 remote-control:\n  control-enable: no\n"
            );
            for zone in zones {
                text += &format!(
                    "zone:\n  name: {zone}\n  zonefile: {root}/{zone}zone\n  \
                     provide-xfr: 127.0.0.1 NOKEY\n"
                );
            }
            let config = directory.join("nsd.conf");
            std::fs::write(&config, text).unwrap();
            let mut command = Command::new("nsd");
            command.args(["-d", "-c"]).arg(config);
            command
        })
    }

    /// Starts the process and waits until it answers for every zone; once more on another port if
    /// the first was taken by somebody else in the meantime.
    fn start(name: &str, zones: &[Name], configure: impl Fn(u16) -> Command) -> Self {
        let started = (0..3).find_map(|_| {
            let port = free_port();
            let mut command = configure(port);
            command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
            let child = command.spawn().unwrap_or_else(|error| panic!("{name}: {error}"));
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
            socket.connect(address).unwrap();
            Some(Self { child, address, socket }).filter(|peer| peer.answers_for(zones))
        });
        started.unwrap_or_else(|| panic!("{name} does not answer"))
    }

    /// Waits until there is an answer for every zone; false if there is none in time.
    fn answers_for(&self, zones: &[Name]) -> bool {
        let deadline = Instant::now() + Duration::from_secs(15);
        zones.iter().all(|zone| {
            let head = b"\0\x01\0\0\0\x01\0\0\0\0\0\0";
            let query = [head, zone.wire(), b"\0\x06\0\x01"].concat();
            while self.try_ask(&query).is_none_or(|reply| reply[3] & 0x0f != 0) {
                if Instant::now() > deadline {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            true
        })
    }

    /// Asks over UDP, up to four times; `None` is silence.
    pub(crate) fn ask(&self, query: &[u8]) -> Option<Vec<u8>> {
        (0..4).find_map(|_| self.try_ask(query))
    }

    /// Asks once.
    fn try_ask(&self, query: &[u8]) -> Option<Vec<u8>> {
        self.socket.send(query).ok()?;
        let mut buffer = [0; 65535];
        loop {
            let octets = self.socket.recv(&mut buffer).ok()?;
            if octets >= 12 && buffer[..2] == query[..2] {
                return Some(buffer[..octets].to_vec());
            }
        }
    }

    /// Fetches a zone by AXFR: the messages as they came.
    pub(crate) fn transfer(&self, zone: &Name) -> Vec<Vec<u8>> {
        let query = [b"\0\x07\0\0\0\x01\0\0\0\0\0\0", zone.wire(), b"\0\xfc\0\x01"].concat();
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(&(query.len() as u16).to_be_bytes()).unwrap();
        stream.write_all(&query).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut messages = Vec::new();
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut message).unwrap();
            messages.push(message);
        }
        messages
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
