//! Listening sockets: all are bound before any is served, so that a failed start has no effect.
//!
//! Workers of one address share its port (SO_REUSEPORT), which would also let a second gapura share it
//! unnoticed. So each address is first bound exclusively, and only then again, shared.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use super::batch::system;
use super::inherited::{Inherited, Purpose};

/// Connections the kernel keeps for us until they are accepted.
const BACKLOG: i32 = 4096;
/// Octets that the kernel takes off us before it can send them: what a client that reads slowly costs there,
/// and how finely its progress is seen.
const UNSENT_OCTETS: u32 = 256 << 10;
/// How often a free port for both UDP and TCP is looked for, when any will do.
const PORT_TRIES: u32 = 32;

//------------ ListenError ---------------------------------------------------

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({protocol}): {}", hint(.source))]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// `"UDP"` or `"TCP"`.
    pub protocol: &'static str,
    /// What the system says.
    #[source]
    pub source: io::Error,
}

impl ListenError {
    /// Whether this machine has no IPv6 at all, so that the address cannot exist on it.
    pub fn is_missing_ipv6(&self) -> bool {
        let unsupported = self.source.raw_os_error() == Some(libc::EAFNOSUPPORT);
        let no_address = self.source.kind() == io::ErrorKind::AddrNotAvailable;
        self.address.is_ipv6() && (unsupported || no_address && !has_ipv6())
    }
}

/// What to do about it.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there (`ss -lntup` tells which): stop it, or choose another \
             address or port"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for root or a program with CAP_NET_BIND_SERVICE: grant it, or \
             choose a higher port"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address (`ip addr` lists those it has); with server.freebind = true \
             one that comes later is answered as soon as it is there"
        }
        _ => "the system refuses",
    }
}

/// Whether any IPv6 address is configured here.
fn has_ipv6() -> bool {
    std::fs::read_to_string("/proc/net/if_inet6").is_ok_and(|addresses| !addresses.is_empty())
}

//------------ Sockets -------------------------------------------------------

/// The sockets of one address: UDP and TCP on the same port.
#[derive(Debug)]
pub(super) struct Sockets {
    /// The address, with its real port.
    pub(super) address: SocketAddr,
    /// One for each UDP worker.
    pub(super) udp: Vec<UdpSocket>,
    /// One for each stream thread.
    pub(super) tcp: Vec<TcpListener>,
}

/// Takes the sockets of an address that were passed to us, or binds them. One that was passed is read by as many
/// workers as there are: all of those passed are read, whatever number is wanted.
pub(super) fn open(
    purpose: Purpose,
    wanted: SocketAddr,
    (udp, tcp): (usize, usize),
    free: bool,
    passed: &mut Inherited,
) -> Result<Sockets, ListenError> {
    let address = passed.address(purpose, wanted);
    let passed_udp = if udp > 0 { passed.udp(purpose, address) } else { Vec::new() };
    let passed_tcp = if tcp > 0 { passed.tcp(purpose, address) } else { Vec::new() };
    let missing = |wanted: usize, is_there: bool| if is_there { 0 } else { wanted };
    let (to_bind_udp, to_bind_tcp) =
        (missing(udp, !passed_udp.is_empty()), missing(tcp, !passed_tcp.is_empty()));
    let mut sockets = if to_bind_udp + to_bind_tcp > 0 {
        bind(address, to_bind_udp, to_bind_tcp, free)?
    } else {
        Sockets { address, udp: Vec::new(), tcp: Vec::new() }
    };
    let fail = |protocol| move |source| ListenError { address, protocol, source };
    if !passed_udp.is_empty() {
        for socket in &passed_udp {
            // The daemon before has the same socket open: a QUIC socket never waits, any other always does.
            let ready = socket.set_nonblocking(purpose == Purpose::Quic);
            let ready = ready.and_then(|()| system::prepare_udp(socket));
            ready.map_err(fail("UDP"))?;
        }
        sockets.udp = enough(passed_udp, udp, UdpSocket::try_clone).map_err(fail("UDP"))?;
    }
    if !passed_tcp.is_empty() {
        let passed: Vec<Socket> = passed_tcp.into_iter().map(Socket::from).collect();
        let listening = passed.iter().try_for_each(listen).map(|()| passed);
        let enough = listening.and_then(|passed| enough(passed, tcp, Socket::try_clone));
        sockets.tcp = enough.map_err(fail("TCP"))?.into_iter().map(TcpListener::from).collect();
    }
    Ok(sockets)
}

/// At least `count` handles on sockets.
fn enough<S>(
    mut sockets: Vec<S>,
    count: usize,
    clone: impl Fn(&S) -> io::Result<S>,
) -> io::Result<Vec<S>> {
    let passed = sockets.len();
    for at in passed..count {
        sockets.push(clone(&sockets[at % passed])?);
    }
    Ok(sockets)
}

/// Binds that many UDP and TCP sockets to one address. Port 0 is any port that is free for all.
/// With `free`, also an address that this machine does not have yet.
fn bind(address: SocketAddr, udp: usize, tcp: usize, free: bool) -> Result<Sockets, ListenError> {
    let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match bind_once(address, udp, tcp, free) {
            Err(error) if tries > 0 && error.source.kind() == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

/// One try of [`bind`].
fn bind_once(
    wanted: SocketAddr,
    udp: usize,
    tcp: usize,
    free: bool,
) -> Result<Sockets, ListenError> {
    let mut address = wanted;
    // Exclusively first, and both before either is released, so that no port is taken twice.
    let alone: [_; 2] = [(udp, Kind::Udp), (tcp, Kind::Tcp)].map(|(count, kind)| {
        if count == 0 {
            return Ok(None);
        }
        let socket = kind.bind(address, false, free)?;
        if let Some(bound) = socket.local_addr().ok().and_then(|bound| bound.as_socket()) {
            address.set_port(bound.port());
        }
        Ok(Some(socket))
    });
    let [udp_alone, tcp_alone] = alone;
    let (udp_alone, tcp_alone) = (udp_alone?, tcp_alone?);
    let udp = Kind::Udp.bind_all(address, udp, udp_alone, free)?;
    let tcp = Kind::Tcp.bind_all(address, tcp, tcp_alone, free)?;
    let fail = |protocol| move |source| ListenError { address, protocol, source };
    let mut sockets = Sockets { address, udp: Vec::new(), tcp: Vec::new() };
    for socket in udp {
        let socket = UdpSocket::from(socket);
        system::prepare_udp(&socket).map_err(fail("UDP"))?;
        sockets.udp.push(socket);
    }
    for socket in tcp {
        listen(&socket).map_err(fail("TCP"))?;
        sockets.tcp.push(socket.into());
    }
    Ok(sockets)
}

/// Lets a bound socket take connections.
fn listen(socket: &Socket) -> io::Result<()> {
    // Connections inherit it. Where the system does not know it, nothing is lost but memory.
    let _ = socket.set_tcp_notsent_lowat(UNSENT_OCTETS);
    socket.listen(BACKLOG).and_then(|()| socket.set_nonblocking(true))
}

/// Sees that an address is one of this machine, without taking a port that anybody uses.
pub fn find_address(address: SocketAddr) -> Result<(), ListenError> {
    let any_port = SocketAddr::new(address.ip(), 0);
    match Kind::Udp.bind(any_port, false, false) {
        Ok(_) => Ok(()),
        Err(error) => Err(ListenError { address, ..error }),
    }
}

/// What is bound.
#[derive(Clone, Copy)]
enum Kind {
    /// Datagrams.
    Udp,
    /// Connections.
    Tcp,
}

impl Kind {
    /// `count` sockets on an address that `alone` holds for the moment.
    fn bind_all(
        self,
        address: SocketAddr,
        count: usize,
        alone: Option<Socket>,
        free: bool,
    ) -> Result<Vec<Socket>, ListenError> {
        match alone {
            // One socket needs to share nothing, and the kernel need not choose among one.
            Some(socket) if count == 1 => Ok(vec![socket]),
            alone => {
                drop(alone);
                (0..count).map(|_| self.bind(address, true, free)).collect()
            }
        }
    }

    /// One socket, bound and not yet listening.
    fn bind(self, address: SocketAddr, shared: bool, free: bool) -> Result<Socket, ListenError> {
        let try_bind = || {
            let (kind, protocol) = match self {
                Self::Udp => (Type::DGRAM, Protocol::UDP),
                Self::Tcp => (Type::STREAM, Protocol::TCP),
            };
            let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
            if address.is_ipv6() {
                // [::] and 0.0.0.0 may be bound side by side, and IPv4 never arrives as IPv6.
                socket.set_only_v6(true)?;
            }
            if matches!(self, Self::Tcp) {
                // Connections of a server that just stopped do not keep the next one away.
                socket.set_reuse_address(true)?;
            }
            socket.set_reuse_port(shared)?;
            match address {
                SocketAddr::V4(_) if free => socket.set_freebind_v4(true)?,
                SocketAddr::V6(_) if free => socket.set_freebind_v6(true)?,
                _ => {}
            }
            socket.bind(&address.into())?;
            Ok(socket)
        };
        try_bind().map_err(|source| ListenError {
            address,
            protocol: match self {
                Self::Udp => "UDP",
                Self::Tcp => "TCP",
            },
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn udp_and_tcp_share_a_port_and_so_do_workers() {
        let sockets = bind("127.0.0.1:0".parse().unwrap(), 2, 2, false).unwrap();
        assert_ne!(sockets.address.port(), 0);
        assert_eq!((sockets.udp.len(), sockets.tcp.len()), (2, 2));
        for socket in &sockets.udp {
            assert_eq!(socket.local_addr().unwrap(), sockets.address);
        }
        for socket in &sockets.tcp {
            assert_eq!(socket.local_addr().unwrap(), sockets.address);
        }
    }

    #[test]
    fn a_second_server_is_kept_out_and_told_why() {
        for count in [1, 2] {
            let first = bind("127.0.0.1:0".parse().unwrap(), count, count, false).unwrap();
            let error = bind(first.address, count, count, false).unwrap_err();
            assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
            let text = error.to_string();
            assert!(
                text.contains(&first.address.to_string()) && text.contains("ss -lntup"),
                "{text}"
            );
            // TCP alone is enough to be in the way.
            let Sockets { address, tcp, udp } = first;
            drop(udp);
            assert_eq!(bind(address, count, count, false).unwrap_err().protocol, "TCP");
            drop(tcp);
            bind(address, count, count, false).unwrap();
        }
    }

    #[test]
    fn sockets_that_were_passed_are_used_and_the_others_bound() {
        let alone = bind("127.0.0.1:0".parse().unwrap(), 1, 1, false).unwrap();
        let address = alone.address;
        let mut passed = Inherited::shared();
        passed.add(alone.udp.into_iter().next().unwrap().into(), Some(Purpose::Dns)).unwrap();
        drop(alone.tcp);
        // Bound exclusively, it could not be bound again.
        let any = SocketAddr::new(address.ip(), 0);
        let opened = open(Purpose::Dns, any, (3, 2), false, &mut passed).unwrap();
        assert_eq!((opened.address, opened.udp.len(), opened.tcp.len()), (address, 3, 2));
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        for worker in &opened.udp {
            client.send_to(b"hello", address).unwrap();
            assert_eq!(worker.recv_from(&mut [0; 9]).unwrap().0, 5, "any worker reads it");
        }
        assert!(passed.unused().is_empty());
    }

    #[test]
    fn an_address_of_another_machine_is_said_to_be_one() {
        let error = bind("192.0.2.1:0".parse().unwrap(), 1, 1, false).unwrap_err();
        assert!(error.to_string().contains("no such address"), "{error}");
        assert!(!error.is_missing_ipv6());
        assert!(find_address("192.0.2.1:53".parse().unwrap()).is_err());
        assert!(find_address("127.0.0.1:53".parse().unwrap()).is_ok());
        // Unless it may come later.
        bind("192.0.2.1:0".parse().unwrap(), 2, 1, true).unwrap();
        bind("[2001:db8::1]:0".parse().unwrap(), 1, 1, true).unwrap();
    }
}
