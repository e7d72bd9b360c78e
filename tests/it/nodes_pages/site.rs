//! Two nodes on one database, each at addresses of its own that outlive its restarts.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::postgres_cluster::Cluster;
use crate::support::http::Caller;
use crate::support::{Daemon, lay_out, until};

/// The host that people ask for, whichever node answers.
pub const HOST: &str = "gapura.example";

/// Two nodes' directories, and what both share.
pub struct Site {
    /// The database.
    pub cluster: Cluster,
    /// The nodes.
    pub nodes: [Node; 2],
    /// Letters and papers.
    pub shared: tempfile::TempDir,
}

/// A node, whether it runs or not.
pub struct Node {
    /// Its directory.
    pub dir: tempfile::TempDir,
    /// The address of its pages.
    pub web: SocketAddr,
    /// The address of its DNS.
    pub dns: SocketAddr,
}

impl Site {
    /// Lays both out; none without PostgreSQL. The first one has run, so that the other has its keys.
    pub fn lay_out(settings: &'static [&'static str]) -> Option<Self> {
        let cluster = Cluster::start_with(settings)?;
        let shared = tempfile::tempdir().unwrap();
        let nodes = ["satu", "dua"].map(|name| Node::lay_out(name, &cluster, shared.path()));
        let first = nodes[0].start();
        until("ready", || nodes[0].is_ready());
        assert_eq!(first.end_with("TERM"), Some(0));
        let [one, other] = [0, 1].map(|at| nodes[at].dir.path().join("state"));
        for key in ["audit.key", "personal.key"] {
            std::fs::copy(one.join(key), other.join(key)).unwrap();
        }
        Some(Self { cluster, nodes, shared })
    }

    /// Starts both: the first one publishes.
    pub fn start(&self) -> [Daemon; 2] {
        let first = self.nodes[0].start();
        until("the first one publishes", || self.nodes[0].is_ready());
        let second = self.nodes[1].start();
        until("the second one follows", || self.nodes[1].is_ready());
        [first, second]
    }
}

impl Node {
    /// Settings and zone file of a node.
    fn lay_out(name: &str, cluster: &Cluster, shared: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (web, dns) = (free_address(), free_address());
        let database = cluster.url();
        lay_out(
            dir.path(),
            &format!(
                "[database]\nurl = \"{database}\"\n[node]\nname = \"{name}\"\nurl = \"http://{web}\"\n\
                 [people]\ntotp = \"optional\"\n"
            ),
        );
        let path = dir.path().join("gapura.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text
            .replace("[\"127.0.0.1:0\", \"[::1]:0\"]", &format!("[\"{dns}\"]"))
            .replace(
                "[web]\nlisten = \"127.0.0.1:0\"",
                &format!("[web]\nlisten = \"{web}\"\nurl = \"http://{HOST}\"\ntrusted_proxies = [\"127.0.0.1\"]"),
            );
        std::fs::write(path, text).unwrap();
        let state = dir.path().join("state");
        std::fs::DirBuilder::new().mode(0o700).create(&state).unwrap();
        for kept in ["letters", "papers"] {
            std::fs::create_dir_all(shared.join(kept)).unwrap();
            symlink(shared.join(kept), state.join(kept)).unwrap();
        }
        Self { dir, web, dns }
    }

    /// Starts it.
    pub fn start(&self) -> Daemon {
        Daemon::in_dir(self.dir.path())
    }

    /// Somebody who calls by way of it, as the proxy before it passes them on.
    pub fn caller(&self, headers: &[(&str, &str)]) -> Caller {
        Caller::new(&self.web.to_string(), headers)
    }

    /// Whether acts can be done by way of it.
    pub fn is_ready(&self) -> bool {
        let answer = self.caller(&[]).try_send("GET", "/readyz", "", &[]);
        answer.is_ok_and(|answer| answer.status == 200)
    }
}

/// An address that nobody has, nor gets by asking for any.
fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 5_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}
