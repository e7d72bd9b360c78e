//! Two network namespaces with a wire between them: a daemon at one end, its clients at the other.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::Daemon;
use crate::skipped::left_out;

/// The daemon's interface.
pub const INTERFACE: &str = "gapura0";
/// Its addresses.
pub const ADDRESSES: [&str; 2] = ["192.0.2.1:53", "[2001:db8::1]:53"];

/// Both namespaces; removed when dropped.
pub struct Wire {
    /// Their names end with it.
    id: String,
}

impl Wire {
    /// Makes them; none, told, where the system gives us none.
    pub fn make() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let wire = Self {
            id: format!("it{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)),
        };
        let (daemon, client) = (wire.daemon(), wire.client());
        if ip(&format!("netns add {daemon}")).is_none()
            || ip(&format!("netns add {client}")).is_none()
        {
            left_out("no network namespaces: they take root and `ip`");
            return None;
        }
        for line in [
            &format!(
                "link add {INTERFACE} netns {daemon} type veth peer name {INTERFACE} netns {client}"
            ),
            &format!("-n {daemon} addr add 192.0.2.1/24 dev {INTERFACE}"),
            &format!("-n {client} addr add 192.0.2.9/24 dev {INTERFACE}"),
            &format!("-n {daemon} addr add 2001:db8::1/64 dev {INTERFACE} nodad"),
            &format!("-n {client} addr add 2001:db8::9/64 dev {INTERFACE} nodad"),
            &format!("-n {daemon} link set lo up"),
            &format!("-n {daemon} link set {INTERFACE} up"),
            &format!("-n {client} link set {INTERFACE} up"),
        ] {
            assert!(ip(line).is_some(), "ip {line}");
        }
        Some(wire)
    }

    /// The daemon's namespace.
    fn daemon(&self) -> String {
        format!("gapura-d{}", self.id)
    }

    /// The clients'.
    fn client(&self) -> String {
        format!("gapura-c{}", self.id)
    }

    /// Starts a daemon at its end, by way of another program and its arguments.
    pub fn start(&self, dir: &Path, by_way_of: &[&str]) -> Daemon {
        let mut serve = Command::new("ip");
        serve.args(["netns", "exec", &self.daemon()]).args(by_way_of);
        serve.args([env!("CARGO_BIN_EXE_gapura"), "serve", "--json", "--config", "gapura.toml"]);
        serve.current_dir(dir).stdin(Stdio::null());
        Daemon::of(dir, serve)
    }

    /// What `ip` says of the daemon's interface.
    pub fn interface(&self) -> String {
        ip(&format!("-n {} link show dev {INTERFACE}", self.daemon())).unwrap()
    }

    /// Does something at the daemon's end.
    pub fn at_daemon<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.daemon(), work)
    }

    /// Does something at the clients' end.
    pub fn at_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.client(), work)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.daemon()));
        ip(&format!("netns del {}", self.client()));
    }
}

/// What `ip` printed, if it worked.
fn ip(line: &str) -> Option<String> {
    let output = Command::new("ip").args(line.split(' ')).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Does something in a namespace, on a thread of its own. Sockets made there stay there.
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
