//! Two network namespaces with a wire between them: a server at one end, its clients at the other. Unit tests use them
//! too.

use std::fs::File;
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::skipped::left_out;

/// Both namespaces; removed when dropped.
pub(crate) struct Namespaces {
    /// That of the server.
    pub(crate) server: String,
    /// That of the clients.
    pub(crate) client: String,
}

impl Namespaces {
    /// Makes them, with interfaces of these names for packets of so many octets. `None`, told, where the system gives us
    /// none.
    pub(crate) fn make([server_end, client_end]: [&str; 2], mtu: usize) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let id = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let made = Self { server: format!("gapura-s{id}"), client: format!("gapura-c{id}") };
        let Self { server, client } = &made;
        if ip(&format!("netns add {server}")).is_none()
            || ip(&format!("netns add {client}")).is_none()
        {
            left_out("no network namespaces: they take root and `ip`");
            return None;
        }
        for line in [
            &format!(
                "link add {server_end} address 02:00:00:00:00:01 mtu {mtu} netns {server} type veth \
                 peer name {client_end} address 02:00:00:00:00:02 mtu {mtu} netns {client}"
            ),
            &format!("-n {server} addr add 192.0.2.1/24 dev {server_end}"),
            &format!("-n {client} addr add 192.0.2.9/24 dev {client_end}"),
            &format!("-n {server} addr add 2001:db8::1/64 dev {server_end} nodad"),
            &format!("-n {client} addr add 2001:db8::9/64 dev {client_end} nodad"),
            &format!("-n {server} link set lo up"),
            &format!("-n {server} link set {server_end} up"),
            &format!("-n {client} link set {client_end} up"),
        ] {
            // Such short packets are too short for IPv6.
            assert!(ip(line).is_some() || mtu < 1280 && line.contains("2001"), "ip {line}");
        }
        Some(made)
    }

    /// Does something at the server's end, on a thread of its own; sockets made there stay there.
    pub(crate) fn at_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.server, work)
    }

    /// The same at the clients' end.
    pub(crate) fn at_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.client, work)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.server));
        ip(&format!("netns del {}", self.client));
    }
}

/// What `ip` printed, if it worked.
pub(crate) fn ip(line: &str) -> Option<String> {
    let output = Command::new("ip").args(line.split(' ')).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Does something in a namespace.
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
