//! Calls for which `std` and `socket2` have no safe form.

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};

/// Size asked for the kernel's buffers of a UDP socket, octets.
const SOCKET_BUFFER_OCTETS: libc::c_int = 8 << 20;

//------------ Socket options ------------------------------------------------

/// Sets what a UDP socket of ours needs besides its address: big buffers, no fragmentation by a
/// learned path MTU, and, on a wildcard address, word of the address that was asked.
pub fn prepare_udp(socket: &UdpSocket) -> io::Result<()> {
    let address = socket.local_addr()?;
    // With CAP_NET_ADMIN the limit of the system does not count; else ask for what it allows.
    for (force, plain) in
        [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
    {
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
