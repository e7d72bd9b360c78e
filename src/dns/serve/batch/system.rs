//! Calls for which `std` and `socket2` have no safe form.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use socket2::{MsgHdr, SockAddr, SockRef};

/// Size asked for the kernel's buffers of a UDP socket, octets.
const SOCKET_BUFFER_OCTETS: libc::c_int = 8 << 20;

//------------ Socket options ------------------------------------------------

/// Sets what a UDP socket of ours needs besides its address: big buffers, no fragmentation by a
/// learned path MTU, and, on a wildcard address, word of the address that was asked.
pub fn prepare_udp(socket: &UdpSocket) -> io::Result<()> {
    let address = socket.local_addr()?;
    let large =
        |octets: io::Result<usize>| octets.is_ok_and(|it| it >= SOCKET_BUFFER_OCTETS as usize);
    let known = SockRef::from(socket);
    let (received, sent) = (large(known.recv_buffer_size()), large(known.send_buffer_size()));
    // With CAP_NET_ADMIN the limit of the system does not count; else ask for what it allows. Whoever passed
    // the socket, or we ourselves before we gave up that right, may have set more than we could now.
    for (is_large, force, plain) in [
        (received, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF),
        (sent, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF),
    ] {
        if is_large {
            continue;
        }
        set_option(socket, libc::SOL_SOCKET, force, SOCKET_BUFFER_OCTETS)
            .or_else(|_| set_option(socket, libc::SOL_SOCKET, plain, SOCKET_BUFFER_OCTETS))?;
    }
    // A forged "fragmentation needed" must not make us fragment: poisoning by fragments begins so.
    if address.is_ipv4() {
        set_option(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)?;
    } else {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)?;
    }
    if address.ip().is_unspecified() {
        if address.is_ipv4() {
            set_option(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?;
        } else {
            set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?;
        }
    }
    Ok(())
}

/// Sets an option whose value is an `int`.
fn set_option(
    socket: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open for as long as `socket` is borrowed, and the kernel reads
    // `size` octets from `value`, which lives until the call returns.
    let result = unsafe {
        let value = (&raw const value).cast();
        libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, value, size)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//------------ Sending -------------------------------------------------------

/// Sends one datagram, from this address of ours if one is given (RFC 3542 §6.2).
pub fn send_from(
    socket: &UdpSocket,
    datagram: &[u8],
    to: SocketAddr,
    from: Option<IpAddr>,
) -> io::Result<()> {
    let (to, parts) = (SockAddr::from(to), [IoSlice::new(datagram)]);
    let control = from.map(packet_information).unwrap_or_default();
    let mut message = MsgHdr::new().with_addr(&to).with_buffers(&parts);
    if !control.is_empty() {
        message = message.with_control(&control);
    }
    SockRef::from(socket).sendmsg(&message, 0).map(drop)
}

/// The control message that names the source of a datagram: `cmsghdr`, then `in_pktinfo` or
/// `in6_pktinfo` without an interface, which the route decides.
fn packet_information(from: IpAddr) -> Vec<u8> {
    let (level, kind, information) = match from {
        // Interface, source, and an address that only a received one has.
        IpAddr::V4(v4) => {
            (libc::IPPROTO_IP, libc::IP_PKTINFO, [&[0; 4], &v4.octets()[..], &[0; 4]].concat())
        }
        IpAddr::V6(v6) => {
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, [&v6.octets()[..], &[0; 4]].concat())
        }
    };
    let length = size_of::<libc::cmsghdr>() + information.len();
    let mut control = length.to_ne_bytes().to_vec();
    control.extend_from_slice(&level.to_ne_bytes());
    control.extend_from_slice(&kind.to_ne_bytes());
    control.extend_from_slice(&information);
    control.resize(length.next_multiple_of(size_of::<usize>()), 0);
    control
}

//------------ CPUs ----------------------------------------------------------

/// The CPUs this thread may run on, in order.
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    // SAFETY: a `cpu_set_t` is a plain array of bits, for which all zero is a value; the kernel
    // writes at most the size it is told into a set that lives until the call returns.
    let set = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            return Err(io::Error::last_os_error());
        }
        set
    };
    let all = 0..libc::CPU_SETSIZE as usize;
    // SAFETY: CPU_ISSET reads the bit of a number below CPU_SETSIZE, inside the set.
    Ok(all.filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect())
}

/// Binds this thread to one CPU.
pub fn pin_to(cpu: usize) -> io::Result<()> {
    if cpu >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: as in `allowed_cpus`; CPU_SET writes the bit of a number below CPU_SETSIZE, and the
    // kernel only reads the set.
    let result = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//------------ Descriptors that were passed ----------------------------------

/// Where descriptors begin that a service manager passes (sd_listen_fds(3)).
const FIRST_PASSED: RawFd = 3;

/// Takes the first `count` descriptors that were passed to this process at its start, once; later calls get none.
/// They are not passed on. Call it before this process opens anything, and only where the environment says
/// that they are meant for it.
pub fn take_passed(count: usize) -> Vec<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::Relaxed) {
        return Vec::new();
    }
    let numbers = (FIRST_PASSED..).take(count.min(PASSED_MAX));
    let take = |number: RawFd| {
        // SAFETY: F_GETFD and F_SETFD touch no memory; a number that is not open is refused.
        let is_open = unsafe {
            libc::fcntl(number, libc::F_GETFD) >= 0
                && libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) >= 0
        };
        // SAFETY: it is open, whoever started us says that it is ours, and nobody else in this process has taken
        // it: this runs once, before anything else is opened.
        is_open.then(|| unsafe { OwnedFd::from_raw_fd(number) })
    };
    numbers.filter_map(take).collect()
}

/// The most descriptors that are taken.
const PASSED_MAX: usize = 4096;

//------------ Open files ----------------------------------------------------

/// The most files that are asked for: 65,536 connections are half of it.
const OPEN_FILES_MAX: libc::rlim_t = 1 << 17;

/// How many files this process may have open, after it has asked for as many as it is allowed to:
/// the usual soft limit of 1,024 is there for programs that use `select`, which we do not.
pub fn open_files_max() -> io::Result<usize> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit` into `limit`, which lives until the call returns.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let wanted = limit.rlim_max.min(OPEN_FILES_MAX);
    if limit.rlim_cur < wanted {
        let raised = libc::rlimit { rlim_cur: wanted, ..limit };
        // SAFETY: the kernel reads one `rlimit` from `raised`, which lives until the call returns.
        if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const raised) } == 0 {
            limit = raised;
        }
    }
    Ok(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    #[test]
    fn a_datagram_leaves_from_the_address_that_is_named() {
        let any = UdpSocket::bind("0.0.0.0:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let to = client.local_addr().unwrap();
        // All of 127.0.0.0/8 is ours.
        for from in ["127.0.0.9", "127.0.0.1"] {
            super::send_from(&any, b"hello", to, Some(from.parse().unwrap())).unwrap();
            let (octets, source) = client.recv_from(&mut [0; 9]).unwrap();
            assert_eq!((octets, source.ip().to_string().as_str()), (5, from));
        }
        super::send_from(&any, b"hello", to, None).unwrap();
        assert_eq!(client.recv_from(&mut [0; 9]).unwrap().0, 5);
        if let (Ok(any), Ok(client)) = (UdpSocket::bind("[::]:0"), UdpSocket::bind("[::1]:0")) {
            let (to, from) = (client.local_addr().unwrap(), "::1".parse().unwrap());
            super::send_from(&any, b"hello", to, Some(from)).unwrap();
            assert_eq!(client.recv_from(&mut [0; 9]).unwrap().1.ip(), from);
        }
    }

    #[test]
    fn the_limit_of_open_files_is_raised_to_what_is_allowed() {
        let first = super::open_files_max().unwrap();
        let status = std::fs::read_to_string("/proc/self/limits").unwrap();
        let line = status.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let numbers: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(numbers[3], first.to_string(), "the soft limit");
        let hard = numbers[4].parse().unwrap_or(usize::MAX);
        assert!(first >= hard.min(1 << 17), "{line}");
    }
}
