//! A daemon at one end of a wire, its clients at the other, each in a network namespace of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Daemon;
use crate::namespaces::{Namespaces, ip};

/// The daemon's interface.
pub const INTERFACE: &str = "gapura0";
/// Its addresses.
pub const ADDRESSES: [&str; 2] = ["192.0.2.1:53", "[2001:db8::1]:53"];

/// Both ends.
pub struct Wire(Namespaces);

impl Wire {
    /// Makes them; none, told, where the system gives us none.
    pub fn make() -> Option<Self> {
        Namespaces::make([INTERFACE, INTERFACE], 1500).map(Self)
    }

    /// Starts a daemon at its end, by way of another program and its arguments.
    pub fn start(&self, dir: &Path, by_way_of: &[&str]) -> Daemon {
        let mut serve = Command::new("ip");
        serve.args(["netns", "exec", &self.0.server]).args(by_way_of);
        serve.args([env!("CARGO_BIN_EXE_gapura"), "serve", "--json", "--config", "gapura.toml"]);
        serve.current_dir(dir).stdin(Stdio::null());
        Daemon::of(dir, serve)
    }

    /// What `ip` says of the daemon's interface.
    pub fn interface(&self) -> String {
        ip(&format!("-n {} link show dev {INTERFACE}", self.0.server)).unwrap()
    }

    /// Does something at the daemon's end.
    pub fn at_daemon<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.at_server(work)
    }

    /// Does something at the clients' end.
    pub fn at_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.0.at_client(work)
    }
}
