//! What needs rights, made before they are given up: sockets, a program for each interface, and its map.
//!
//! Nothing of this changes what the network does.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use super::bpf;
use super::interface::Interface;
use super::program::{TARGETS_MAX, program};
use super::socket::Socket;
use crate::serve::listen::find_address;

/// Most queues of an interface that get a socket: each takes 8 MiB. The kernel answers those of others.
const QUEUES_MAX: u32 = 64;

/// What is told where rights are missing.
const RIGHTS: &str = "gapura lacks the rights for it: CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF at its start \
                      (operation.md, \"AF_XDP\", has the lines for systemd)";

//------------ Prepared ------------------------------------------------------

/// Interfaces that wait for their program to be attached.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// Each by its name, or why it cannot be used.
    pub(super) interfaces: Vec<(String, Result<Ready, String>)>,
}

/// An interface that waits.
#[derive(Debug)]
pub(super) struct Ready {
    /// The interface.
    pub(super) interface: Interface,
    /// What is compared: addresses of this machine, each with its port.
    pub(super) targets: Vec<SocketAddr>,
    /// The program.
    pub(super) program: OwnedFd,
    /// The sockets of its queues.
    pub(super) map: OwnedFd,
    /// One for each queue, bound to none yet.
    pub(super) sockets: Vec<Socket>,
}

impl Prepared {
    /// Prepares these interfaces for queries to these addresses. One that is named twice, by an alternative name
    /// say, is prepared once.
    pub(crate) fn new(names: &[String], listen: &[SocketAddr]) -> Self {
        let mut interfaces: Vec<(String, Result<Ready, String>)> = Vec::new();
        for name in names {
            let found = Interface::look_at(name);
            let is_same = |ready: &Result<Ready, String>| {
                let known = ready.as_ref().ok().map(|it| it.interface.index);
                known.is_some() && known == found.as_ref().ok().map(|it| it.index)
            };
            if !interfaces.iter().any(|(known, ready)| known == name || is_same(ready)) {
                let ready = found.and_then(|interface| Ready::new(interface, listen));
                interfaces.push((name.clone(), ready));
            }
        }
        Self { interfaces }
    }
}

impl Ready {
    /// Prepares an interface, or says in words why it cannot be used.
    fn new(interface: Interface, listen: &[SocketAddr]) -> Result<Self, String> {
        let mut targets = targets(&interface, listen);
        if targets.is_empty() {
            return Err("no address of server.listen is one that it could be asked at".to_owned());
        }
        if targets.len() > TARGETS_MAX {
            let left = targets.split_off(TARGETS_MAX);
            tracing::warn!(
                interface = interface.name,
                "sockets answer at {left:?}: more addresses than fit"
            );
        }
        let told = |what: &'static str| move |error: io::Error| in_words(what, &error);
        let queues = interface.queues.min(QUEUES_MAX);
        let sockets: io::Result<Vec<Socket>> = (0..queues).map(|_| Socket::new()).collect();
        let sockets = sockets.map_err(told("no socket for it"))?;
        let map = bpf::create_map(queues).map_err(told("no map for it"))?;
        let code = program(interface.mac, &targets, &map).ok_or("its program is too long")?;
        let program = bpf::load(&code).map_err(told("its program is refused"))?;
        Ok(Self { interface, targets, program, map, sockets })
    }
}

/// What queries to these listening addresses are sent to over an interface. One that listens on all addresses stands
/// for those of the interface. One that this machine does not have, or only itself can reach, is left to the kernel.
fn targets(interface: &Interface, listen: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut targets = Vec::new();
    for address in listen {
        let family = |ip: &&std::net::IpAddr| ip.is_ipv4() == address.is_ipv4();
        let own = interface.addresses.iter().filter(family);
        if address.ip().is_unspecified() {
            targets.extend(own.map(|ip| SocketAddr::new(*ip, address.port())));
        } else if !address.ip().is_loopback() && find_address(*address).is_ok() {
            targets.push(SocketAddr::new(address.ip(), address.port()));
        }
    }
    targets.sort_unstable();
    targets.dedup();
    targets
}

/// Why something could not be made.
fn in_words(what: &str, error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => RIGHTS.to_owned(),
        Some(libc::EAFNOSUPPORT) => {
            "this system has no AF_XDP, or the service may not use it (RestrictAddressFamilies=)"
                .to_owned()
        }
        Some(libc::ENOBUFS) => {
            format!(
                "{what}: the service may not lock enough memory (LimitMEMLOCK=, or CAP_IPC_LOCK)"
            )
        }
        _ => format!("{what}: {error}"),
    }
}
