//! Messages to the service manager: datagrams to the socket named by NOTIFY_SOCKET (sd_notify(3)).
//!
//! Without that socket nothing is sent. A failure to send is only logged: answering does not depend on the service
//! manager.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::time::{ClockId, clock_gettime};

/// Octets of what `STATUS=` says.
const STATUS_OCTETS_MAX: usize = 400;

//------------ Notifier ------------------------------------------------------

/// The connection to the service manager.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    /// The socket; none if there is no service manager.
    socket: Option<OsString>,
    /// Whether sockets are kept for the next start.
    stores: bool,
}

impl Notifier {
    /// As the environment says. `FDSTORE` is set where sockets are kept (by systemd 254; our unit sets it for older
    /// versions).
    pub fn from_environment() -> Self {
        let socket = std::env::var_os("NOTIFY_SOCKET").filter(|it| !it.is_empty());
        let stores = socket.is_some() && may_be_kept();
        Self { socket, stores }
    }

    /// Whether there is a service manager.
    pub fn is_on(&self) -> bool {
        self.socket.is_some()
    }

    /// Whether sockets are kept for the next start.
    pub fn stores(&self) -> bool {
        self.stores
    }

    /// Reports that everything has started; also ends each reload.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\n{}", status_line(status)));
    }

    /// Reports that a reload has begun; [`ready`](Self::ready) follows.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
        let us = seconds * 1_000_000 + u64::try_from(now.tv_nsec).unwrap_or_default() / 1000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={us}\nSTATUS=reloading"));
    }

    /// Reports that the daemon is stopping.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=stopping");
    }

    /// Reports the state of the daemon in one line.
    pub fn status(&self, status: &str) {
        self.tell(&status_line(status));
    }

    /// Feeds the watchdog.
    pub fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// Reports that another process is the daemon from now on.
    pub fn main_process(&self, pid: u32) {
        self.tell(&format!("MAINPID={pid}"));
    }

    /// Forgets the sockets kept under that name, and keeps these for the next start.
    pub fn store(&self, name: &str, sockets: &[impl AsFd]) {
        if !self.stores {
            return;
        }
        self.tell(&format!("FDSTOREREMOVE=1\nFDNAME={name}"));
        for socket in sockets {
            // One per datagram, so that a full store still takes those that fit. FDPOLL=0: without it systemd drops a
            // socket on a hangup or error.
            let text = format!("FDSTORE=1\nFDNAME={name}\nFDPOLL=0");
            let sent = self.send(&text, Some(socket));
            let is_full = sent.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::WouldBlock);
            self.log(sent);
            // The manager does not read: each further one would wait for the timeout again.
            if is_full {
                return;
            }
        }
    }

    /// Sends a message, and logs a failure.
    fn tell(&self, text: &str) {
        self.log(self.send(text, None::<&UnixDatagram>));
    }

    /// Logs a failure to send.
    fn log(&self, sent: io::Result<()>) {
        if let Err(error) = sent {
            tracing::debug!(%error, "the service manager cannot be told");
        }
    }

    /// Sends one datagram, with a socket if there is one.
    fn send(&self, text: &str, passed: Option<&impl AsFd>) -> io::Result<()> {
        let Some(name) = &self.socket else { return Ok(()) };
        let to = match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
            _ => SocketAddr::from_pathname(name)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.connect_addr(&to)?;
        // A manager that does not read must not block the daemon.
        socket.set_write_timeout(Some(Duration::from_secs(1)))?;
        let Some(passed) = passed else { return socket.send(text.as_bytes()).map(drop) };
        let passed = [passed.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&passed));
        let text = [IoSlice::new(text.as_bytes())];
        Ok(sendmsg(&socket, &text, &mut control, SendFlags::NOSIGNAL).map(drop)?)
    }
}

/// One line of `STATUS=`, whatever is to be said.
fn status_line(text: &str) -> String {
    let mut line = format!("STATUS={}", text.replace(['\n', '\r'], "; "));
    let end = (0..=line.len().min(STATUS_OCTETS_MAX)).rev().find(|at| line.is_char_boundary(*at));
    line.truncate(end.unwrap_or_default());
    line
}

/// Whether a service manager started this process that keeps the daemon's sockets while there is none.
pub fn may_be_kept() -> bool {
    std::env::var_os("FDSTORE").is_some()
}

//------------ Watchdog ------------------------------------------------------

/// The interval in which the manager expects a watchdog message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Watchdog(pub Duration);

impl Watchdog {
    /// As the environment says (sd_watchdog_enabled(3)); `None` without a watchdog for this process.
    pub fn from_environment() -> Option<Self> {
        let text = |name| std::env::var(name).ok();
        Self::of(
            text("WATCHDOG_USEC").as_deref(),
            text("WATCHDOG_PID").as_deref(),
            std::process::id(),
        )
    }

    /// The same of given texts.
    fn of(usec: Option<&str>, pid: Option<&str>, own: u32) -> Option<Self> {
        let is_ours = pid.is_none_or(|pid| pid.parse() == Ok(own));
        let usec: u64 = usec?.parse().ok().filter(|usec| *usec > 0 && is_ours)?;
        Some(Self(Duration::from_micros(usec)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

    use super::*;

    /// A manager, and who tells it.
    fn manager(directory: &std::path::Path) -> (UnixDatagram, Notifier) {
        let path = directory.join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        (manager, Notifier { socket: Some(path.into()), stores: true })
    }

    /// The next datagram, with how many descriptors.
    fn heard(manager: &UnixDatagram) -> (String, Vec<OwnedFd>) {
        let mut octets = [0; 2048];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [io::IoSliceMut::new(&mut octets)];
        let got = recvmsg(manager, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC).unwrap();
        let mut passed = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                passed.extend(fds);
            }
        }
        (String::from_utf8(octets[..got.bytes].to_vec()).unwrap(), passed)
    }

    #[test]
    fn a_manager_hears_how_the_daemon_does() {
        let directory = tempfile::tempdir().unwrap();
        let (manager, notifier) = manager(directory.path());
        notifier.ready("answering\n2 zones");
        assert_eq!(heard(&manager).0, "READY=1\nSTATUS=answering; 2 zones");
        notifier.reloading();
        let text = heard(&manager).0;
        let usec = text.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
        assert!(
            text.starts_with("RELOADING=1\n") && usec.unwrap().parse::<u64>().unwrap() > 0,
            "{text}"
        );
        notifier.main_process(7);
        assert_eq!(heard(&manager).0, "MAINPID=7");
        notifier.status(&"é".repeat(STATUS_OCTETS_MAX));
        assert!(heard(&manager).0.len() <= STATUS_OCTETS_MAX);
    }

    #[test]
    fn sockets_are_stored_by_name_after_those_of_before_are_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let (manager, notifier) = manager(directory.path());
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        notifier.store("dns", &[&socket]);
        assert_eq!(heard(&manager).0, "FDSTOREREMOVE=1\nFDNAME=dns");
        let (text, passed) = heard(&manager);
        assert_eq!((text.as_str(), passed.len()), ("FDSTORE=1\nFDNAME=dns\nFDPOLL=0", 1));
        let kept = std::net::UdpSocket::from(passed.into_iter().next().unwrap());
        assert_eq!(kept.local_addr().unwrap(), socket.local_addr().unwrap());
        Notifier { stores: false, ..notifier }.store("dns", &[&socket]);
        manager.set_nonblocking(true).unwrap();
        assert!(manager.recv(&mut [0; 9]).is_err(), "a manager without a store is told nothing");
    }

    #[test]
    fn an_abstract_socket_is_one_and_a_missing_one_harms_nobody() {
        let name = format!("gapura-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = Notifier { socket: Some(format!("@{name}").into()), stores: false };
        notifier.alive();
        assert_eq!(heard(&manager).0, "WATCHDOG=1");
        Notifier { socket: Some("/nowhere/notify".into()), stores: true }.stopping();
        Notifier::default().stopping();
    }

    #[test]
    fn a_watchdog_is_for_the_process_that_it_names() {
        let of = |usec, pid| Watchdog::of(usec, pid, 7).map(|it| it.0.as_secs());
        assert_eq!(of(Some("30000000"), None), Some(30));
        assert_eq!(of(Some("30000000"), Some("7")), Some(30));
        assert_eq!(of(Some("30000000"), Some("8")), None);
        assert_eq!((of(Some("0"), None), of(Some("x"), None), of(None, None)), (None, None, None));
    }
}
