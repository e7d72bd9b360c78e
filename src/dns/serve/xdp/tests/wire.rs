//! Two network namespaces with a wire between them: a server's end and a client's.

use std::fs::File;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::super::interface::Interface;
use super::super::socket::Socket;
use crate::lock::lock;

/// The server's interface and the client's.
pub(super) const SERVER: &str = "xdp0";
pub(super) const CLIENT: &str = "xdp1";

/// Both namespaces; removed when dropped.
pub(super) struct Wire {
    /// Their names end with it.
    id: String,
    /// Sends frames from the client's end.
    sender: Mutex<Option<Socket>>,
}

impl Wire {
    /// Makes them, with a wire for packets of so many octets. `None`, told, where the system gives us none.
    pub(super) fn make(mtu: usize) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let wire = Self { id, sender: Mutex::default() };
        let (server, client) = (wire.server(), wire.client());
        if !ip(&format!("netns add {server}")) || !ip(&format!("netns add {client}")) {
            crate::skipped::left_out("no network namespaces: they take root and `ip`");
            return None;
        }
        if let Err(error) = super::super::bpf::create_map(1) {
            crate::skipped::left_out(&format!("the system lets nobody load a program: {error}"));
            return None;
        }
        for line in [
            &format!(
                "link add {SERVER} address 02:00:00:00:00:01 mtu {mtu} netns {server} type veth peer name {CLIENT} address 02:00:00:00:00:02 mtu {mtu} netns {client}"
            ),
            &format!("-n {server} addr add 192.0.2.1/24 dev {SERVER}"),
            &format!("-n {client} addr add 192.0.2.9/24 dev {CLIENT}"),
            &format!("-n {server} addr add 2001:db8::1/64 dev {SERVER} nodad"),
            &format!("-n {client} addr add 2001:db8::9/64 dev {CLIENT} nodad"),
            &format!("-n {server} link set lo up"),
            &format!("-n {server} link set {SERVER} up"),
            &format!("-n {client} link set {CLIENT} up"),
        ] {
            // Such short packets are too short for IPv6.
            assert!(ip(line) || mtu < 1280 && line.contains("2001"), "ip {line}");
        }
        Some(wire)
    }

    /// The server's namespace.
    fn server(&self) -> String {
        format!("gapura-s{}", self.id)
    }

    /// The client's.
    fn client(&self) -> String {
        format!("gapura-c{}", self.id)
    }

    /// Does something at the server's end; what it starts stays there.
    pub(super) fn at_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.server(), work)
    }

    /// The same at the client's end.
    pub(super) fn at_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.client(), work)
    }

    /// Brings the server's interface up or down.
    pub(super) fn set(&self, state: &str) {
        assert!(ip(&format!("-n {} link set {SERVER} {state}", self.server())), "{state}");
    }

    /// Takes the server's interface away.
    pub(super) fn remove(&self) {
        assert!(ip(&format!("-n {} link del {SERVER}", self.server())), "it is removed");
    }

    /// A socket of the client's, from this address to that.
    pub(super) fn socket(&self, from: &str, to: &str) -> UdpSocket {
        let socket = self.at_client(|| UdpSocket::bind(from).unwrap());
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

impl Drop for Wire {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.server()));
        ip(&format!("netns del {}", self.client()));
    }
}

/// Runs `ip`; whether it worked.
fn ip(line: &str) -> bool {
    let output = Command::new("ip").args(line.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}

/// Does something in a namespace, on a thread of its own.
fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    let place = File::open(format!("/run/netns/{namespace}")).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
