//! Sockets that were bound before this daemon started: by systemd, by the daemon that it follows, or by this
//! process while it still was root.
//!
//! They are matched to the settings by address. What fits nothing is told; what is not among them is bound
//! ([`listen`](super::listen)).

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use socket2::{Domain, SockRef, Type};

use super::xdp::Prepared;

//------------ Purpose -------------------------------------------------------

/// What a listening socket is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// DNS over UDP and TCP.
    Dns,
    /// DNS over TLS.
    Tls,
    /// DNS over QUIC.
    Quic,
    /// Pages and API.
    Pages,
    /// Metrics.
    Metrics,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Dns, Self::Tls, Self::Quic, Self::Pages, Self::Metrics];

    /// The word for it, as `FileDescriptorName=` of systemd has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Pages => "web",
            Self::Metrics => "metrics",
        }
    }

    /// The purpose of that word; none of any other.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.word() == word)
    }
}

//------------ Inherited -----------------------------------------------------

/// Sockets that wait to be used.
#[derive(Debug, Default)]
pub struct Inherited {
    /// The sockets.
    sockets: Vec<Passed>,
    /// Whether somebody else has them, too: then they go on when this process stops.
    lives_on: bool,
    /// What was made of `server.xdp` while this process had the rights.
    pub(super) xdp: Option<Prepared>,
}

/// One of them.
#[derive(Debug)]
struct Passed {
    /// The socket.
    socket: OwnedFd,
    /// What it is for, where that was said.
    purpose: Option<Purpose>,
    /// Its address.
    address: SocketAddr,
    /// Whether it takes connections.
    is_stream: bool,
}

impl Passed {
    /// Whether it is for a purpose at an address. Port 0 of the settings is whatever port it had.
    fn fits(&self, purpose: Purpose, wanted: SocketAddr) -> bool {
        let is_meant = self.purpose.is_none_or(|own| own == purpose);
        let is_any = wanted.port() == 0 && self.purpose.is_some();
        is_meant && (self.address == wanted || is_any && self.address.ip() == wanted.ip())
    }
}

impl Inherited {
    /// Of sockets that another process has, too.
    pub fn shared() -> Self {
        Self { lives_on: true, ..Self::default() }
    }

    /// Whether another process has them, too.
    pub fn lives_on(&self) -> bool {
        self.lives_on
    }

    /// Adds a socket, or says what about it cannot be used.
    pub fn add(&mut self, socket: OwnedFd, purpose: Option<Purpose>) -> Result<(), String> {
        let (address, is_stream) = look_at(&socket)?;
        self.sockets.push(Passed { socket, purpose, address, is_stream });
        Ok(())
    }

    /// The address that is meant, with the port of a socket that waits for it, where any would do.
    pub(super) fn address(&self, purpose: Purpose, wanted: SocketAddr) -> SocketAddr {
        let fits = |it: &&Passed| it.fits(purpose, wanted);
        self.sockets.iter().find(fits).map_or(wanted, |it| it.address)
    }

    /// Takes all UDP sockets for an address.
    pub(super) fn udp(&mut self, purpose: Purpose, address: SocketAddr) -> Vec<UdpSocket> {
        self.take(purpose, address, false).map(Into::into).collect()
    }

    /// Takes all listeners for an address.
    pub(super) fn tcp(&mut self, purpose: Purpose, address: SocketAddr) -> Vec<TcpListener> {
        self.take(purpose, address, true).map(Into::into).collect()
    }

    /// Whether a listener for an address is among them.
    pub fn holds(&self, purpose: Purpose, wanted: SocketAddr) -> bool {
        self.sockets.iter().any(|it| it.is_stream && it.fits(purpose, wanted))
    }

    /// Takes one listener for an address that is not the name server's; not blocking.
    pub fn listener(
        &mut self,
        purpose: Purpose,
        wanted: SocketAddr,
    ) -> Option<std::io::Result<TcpListener>> {
        let at = self.sockets.iter().position(|it| it.is_stream && it.fits(purpose, wanted))?;
        let listener = TcpListener::from(self.sockets.swap_remove(at).socket);
        Some(listener.set_nonblocking(true).map(|()| listener))
    }

    /// Takes what fits.
    fn take(
        &mut self,
        purpose: Purpose,
        address: SocketAddr,
        is_stream: bool,
    ) -> impl Iterator<Item = OwnedFd> {
        let fits = move |it: &mut Passed| it.is_stream == is_stream && it.fits(purpose, address);
        self.sockets.extract_if(.., fits).map(|it| it.socket).collect::<Vec<_>>().into_iter()
    }

    /// Lets go of what fitted nothing, each in words.
    pub fn unused(&mut self) -> Vec<String> {
        let told = |it: Passed| {
            let protocol = if it.is_stream { "TCP" } else { "UDP" };
            format!(
                "the socket {} ({protocol}) was passed, and no setting listens there",
                it.address
            )
        };
        self.sockets.drain(..).map(told).collect()
    }
}

/// The address of a socket, and whether it takes connections; or why it cannot be listened on.
fn look_at(socket: &OwnedFd) -> Result<(SocketAddr, bool), String> {
    let socket = SockRef::from(socket);
    let address = socket.local_addr().ok().and_then(|it| it.as_socket());
    let Some(address) = address else {
        return Err("a descriptor was passed that is no socket of the internet".to_owned());
    };
    let is_stream = match socket.r#type() {
        Ok(Type::STREAM) if socket.is_listener().unwrap_or(false) => true,
        Ok(Type::DGRAM) => false,
        _ => return Err(format!("the socket {address} was passed, and does not listen")),
    };
    let takes_both = socket.domain().is_ok_and(|domain| domain == Domain::IPV6)
        && address.ip().is_unspecified()
        && !socket.only_v6().unwrap_or(true);
    if takes_both {
        return Err(format!(
            "the socket {address} was passed, and takes IPv4, too: say BindIPv6Only=ipv6-only"
        ));
    }
    Ok((address, is_stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_found_by_address_and_purpose_and_the_rest_is_told() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let (at, tcp_at) = (udp.local_addr().unwrap(), tcp.local_addr().unwrap());
        let mut inherited = Inherited::shared();
        inherited.add(udp.into(), Some(Purpose::Dns)).unwrap();
        inherited.add(tcp.into(), None).unwrap();
        let any = "127.0.0.1:0".parse().unwrap();
        assert_eq!(inherited.address(Purpose::Dns, any), at, "port 0 is the one it had");
        assert_eq!(
            inherited.address(Purpose::Pages, any),
            any,
            "a socket without a word is for no port 0"
        );
        assert!(inherited.udp(Purpose::Quic, at).is_empty(), "it is not for that");
        assert!(inherited.tcp(Purpose::Dns, at).is_empty(), "it is no listener");
        assert_eq!(inherited.udp(Purpose::Dns, at).len(), 1);
        assert!(inherited.listener(Purpose::Metrics, at).is_none());
        let left = inherited.unused();
        assert!(left.len() == 1 && left[0].contains(&tcp_at.to_string()), "{left:?}");
        assert!(inherited.listener(Purpose::Pages, tcp_at).is_none(), "it was let go");
    }

    #[test]
    fn what_cannot_be_listened_on_is_told() {
        let told = |socket: OwnedFd| Inherited::default().add(socket, None).unwrap_err();
        let file: OwnedFd = std::fs::File::open("/dev/null").unwrap().into();
        assert!(told(file).contains("no socket of the internet"));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(told(client.into()).contains("does not listen"));
        let both = socket2::Socket::new(Domain::IPV6, Type::DGRAM, None);
        let Ok(both) = both else { return };
        both.set_only_v6(false).unwrap();
        both.bind(&"[::]:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        assert!(told(both.into()).contains("BindIPv6Only=ipv6-only"));
    }
}
