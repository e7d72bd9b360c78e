//! Which addresses are our own: what is sent there would come back to us.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Where we listen. Whether an address is this machine's is found out once: addresses come and go, so make another
/// from time to time.
pub struct Ours {
    /// The addresses we listen on.
    listening: Vec<SocketAddr>,
    /// Which addresses are this machine's, of those that it mattered of.
    local: RefCell<HashMap<IpAddr, bool>>,
}

impl Ours {
    /// We listen on these addresses.
    pub fn new(listening: Vec<SocketAddr>) -> Self {
        Self { listening, local: RefCell::default() }
    }

    /// Whether we listen there ourselves.
    pub fn has(&self, address: SocketAddr) -> bool {
        let is_local = |ip| *self.local.borrow_mut().entry(ip).or_insert_with(|| is_local(ip));
        self.listening.iter().any(|listening| {
            listening.port() == address.port()
                && (listening.ip() == address.ip()
                    || listening.ip().is_unspecified() && is_local(address.ip()))
        })
    }
}

/// Whether an address is this machine's: what is sent there from here comes from there.
fn is_local(ip: IpAddr) -> bool {
    let any: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Connecting a datagram socket sends nothing.
    let reached = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect((ip, 53))?;
        socket.local_addr()
    });
    ip.is_loopback() || reached.is_ok_and(|local| local.ip() == ip)
}
