//! A server's interface and a client's, in network namespaces, and frames sent as they are.

use std::net::{SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

use super::super::bpf;
use super::super::interface::Interface;
use super::super::socket::Socket;
use crate::lock::lock;
use crate::namespaces::{Namespaces, ip};
use crate::skipped::left_out;

/// The server's interface and the client's.
pub(super) const SERVER: &str = "xdp0";
pub(super) const CLIENT: &str = "xdp1";

/// Both ends.
pub(super) struct Wire {
    /// The namespaces.
    ends: Namespaces,
    /// Sends frames from the client's end.
    sender: Mutex<Option<Socket>>,
}

impl Wire {
    /// Makes them, for packets of so many octets. `None`, told, where the system gives us none.
    pub(super) fn make(mtu: usize) -> Option<Self> {
        if let Err(error) = bpf::create_map(1) {
            left_out(&format!("the system lets nobody load a program: {error}"));
            return None;
        }
        let ends = Namespaces::make([SERVER, CLIENT], mtu)?;
        Some(Self { ends, sender: Mutex::default() })
    }

    /// Does something at the server's end; what it starts stays there.
    pub(super) fn at_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.ends.at_server(work)
    }

    /// The same at the client's end.
    pub(super) fn at_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.ends.at_client(work)
    }

    /// Brings the server's interface up or down, or sets something else of it.
    pub(super) fn set(&self, state: &str) {
        let line = format!("-n {} link set {SERVER} {state}", self.ends.server);
        assert!(ip(&line).is_some(), "{state}");
    }

    /// Gives the server's interface an alternative name.
    pub(super) fn also_call_it(&self, name: &str) {
        let line = format!("-n {} link property add dev {SERVER} altname {name}", self.ends.server);
        assert!(ip(&line).is_some(), "{name}");
    }

    /// Takes the server's interface away.
    pub(super) fn remove(&self) {
        let line = format!("-n {} link del {SERVER}", self.ends.server);
        assert!(ip(&line).is_some(), "it is removed");
    }

    /// A socket of the client's, from this address to that.
    pub(super) fn socket(&self, from: &str, to: &str) -> UdpSocket {
        // A process that another test is about to start has a copy of the one before for a moment.
        let bound = || {
            (0..200).find_map(|_| {
                let bound = UdpSocket::bind(from);
                bound.inspect_err(|_| std::thread::sleep(Duration::from_millis(10))).ok()
            })
        };
        let socket = self.at_client(bound).expect("the address is free");
        socket.connect(to.parse::<SocketAddr>().unwrap()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        socket
    }

    /// Sends frames from the client's end as they are.
    pub(super) fn send(&self, frames: &[Vec<u8>]) {
        let mut sender = lock(&self.sender);
        let socket = sender.get_or_insert_with(|| {
            self.at_client(|| {
                let socket = Socket::new().unwrap();
                let interface = Interface::look_at(CLIENT).unwrap();
                socket.bind(interface.index, 0, true).unwrap();
                socket
            })
        });
        socket.rings.reclaim();
        for octets in frames {
            let frame = socket.spare().with_length(octets.len());
            socket.frames.octets(&frame).0[..octets.len()].copy_from_slice(octets);
            socket.rings.send(frame);
        }
        socket.rings.publish();
        while socket.rings.wants_a_call() {
            socket.push().unwrap();
        }
    }
}
