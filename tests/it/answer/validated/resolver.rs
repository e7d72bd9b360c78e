//! Unbound as a real process on loopback: it asks the daemon alone and validates.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gapura::dns_client::{Transport, exchange};
use gapura::wire::{Rtype, rdata};

use super::world::World;
use crate::answer::engine::Query;
use crate::support::peers::free_port;

/// A running Unbound; it ends with the value.
pub(super) struct Resolver {
    /// The process.
    child: Child,
    /// Where it answers.
    pub(super) address: SocketAddr,
}

impl Resolver {
    /// Starts it and waits until it answers; once more on another port if somebody else took the first.
    pub(super) fn start(world: &World) -> Self {
        (0..3).find_map(|_| Self::try_start(world)).unwrap_or_else(|| {
            let log = std::fs::read_to_string(world.directory.path().join("unbound.log"));
            panic!("unbound does not answer; its log:\n{}", log.unwrap_or_default())
        })
    }

    /// Starts it on a free port; none if it does not answer.
    fn try_start(world: &World) -> Option<Self> {
        let port = free_port();
        let directory = world.directory.path();
        let config = directory.join("unbound.conf");
        std::fs::write(&config, configuration(world, port)).unwrap();
        let child = Command::new("unbound")
            .args(["-d", "-p", "-c"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(directory.join("unbound.log")).unwrap())
            .spawn()
            .unwrap();
        let resolver = Self { child, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let query = Query::new("test.", Rtype::SOA).flags(0x0100).bytes();
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            let patience = Duration::from_millis(500);
            let reply = exchange(resolver.address, &query, Transport::Udp, patience);
            if reply.is_ok_and(|reply| reply[3] & 15 == 0) {
                return Some(resolver);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every zone has its server here, every parent its trust anchor.
fn configuration(world: &World, port: u16) -> String {
    let root = world.directory.path().display();
    let mut text = format!(
        "server:\n interface: 127.0.0.1\n port: {port}\n username: \"\"\n chroot: \"\"\n \
         pidfile: \"\"\n directory: \"{root}\"\n use-syslog: no\n do-daemonize: no\n num-threads: 1\n \
         do-ip6: no\n outgoing-interface: 127.0.0.1\n do-not-query-localhost: no\n \
         module-config: \"validator iterator\"\n aggressive-nsec: no\n qname-minimisation: no\n \
         local-zone: \"test.\" nodefault\n ede: yes\n"
    );
    for zone in &world.zones {
        let keys = zone.zone.apex_node().rrset(Rtype::DNSKEY).unwrap();
        for key in keys.rdatas() {
            let key = rdata::to_text(Rtype::DNSKEY, key);
            writeln!(text, " trust-anchor: \"{} DNSKEY {key}\"", zone.generated.apex).unwrap();
        }
    }
    for apex in &world.apexes {
        let server = world.server.port();
        writeln!(text, "stub-zone:\n name: \"{apex}\"\n stub-addr: 127.0.0.1@{server}").unwrap();
    }
    text
}
