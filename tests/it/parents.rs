//! The DS records of a zone at real servers of its parent: BIND and Knot in the part of the registry, Unbound
//! in that of the machine's resolver.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gapura::dns_client::{Ours, Transport, exchange};
use gapura::signer::parent::{Ds, Finder, Sight};
use gapura::wire::Name;
use gapura::zone::ZoneSet;

use crate::support::peers::{Peer, PeerZone, Program, are_here, free_port, is_client_here};
use crate::support::until;

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";
/// Its DS record.
const DS: &str =
    "cirebonkab 300 DS 4711 13 2 7F1A3BA2E3F0C5A1F5B2D9D6F9C1E1F0A9B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4";

/// The file of the parent, with these lines more.
fn parent(serial: u32, more: &str) -> String {
    format!(
        "$ORIGIN go.id.\n$TTL 60\n@ SOA ns1 hostmaster {serial} 60 60 600 60\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\n\
         ns2 A 127.0.0.2\ncirebonkab NS ns1.cirebonkab\nns1.cirebonkab A 127.0.0.1\n{more}\n"
    )
}

/// Two servers of the parent on one port, and a resolver that knows where they are.
struct World {
    servers: [Peer; 2],
    resolver: SocketAddr,
    unbound: Child,
    _directory: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.unbound.kill();
        let _ = self.unbound.wait();
    }
}

/// Starts them; none if something is not installed.
fn world() -> Option<World> {
    if !are_here(&[Program::Bind, Program::Knot]) || !is_client_here("unbound") {
        return None;
    }
    // BIND listens on addresses of interfaces alone.
    let mut servers = [Peer::new(Program::Bind), Peer::new(Program::Knot)];
    let port = servers[0].address.port();
    servers[1].address = SocketAddr::from(([127, 0, 0, 2], port));
    for server in &mut servers {
        server.serve(&[PeerZone::primary("go.id.", &parent(1, ""), &[])]);
    }
    let directory = tempfile::tempdir().unwrap();
    let (root, own) = (directory.path().display(), free_port());
    let config = format!(
        "server:\n interface: 127.0.0.1\n port: {own}\n username: \"\"\n chroot: \"\"\n pidfile: \"\"\n \
         directory: \"{root}\"\n use-syslog: no\n do-daemonize: no\n num-threads: 1\n do-ip6: no\n \
         do-not-query-localhost: no\n module-config: \"iterator\"\n qname-minimisation: no\n\
         remote-control:\n control-enable: no\n\
         stub-zone:\n name: \"go.id.\"\n stub-addr: 127.0.0.1@{port}\n"
    );
    let path = directory.path().join("unbound.conf");
    std::fs::write(&path, config).unwrap();
    let log = std::fs::File::create(directory.path().join("log")).unwrap();
    let unbound = Command::new("unbound")
        .args(["-d", "-p", "-c"])
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let resolver = SocketAddr::from(([127, 0, 0, 1], own));
    let world = World { servers, resolver, unbound, _directory: directory };
    let query = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x02go\x02id\0\0\x06\0\x01";
    until("unbound answers", || {
        let reply = exchange(resolver, query, Transport::Udp, Duration::from_millis(500));
        reply.is_ok_and(|reply| reply[3] & 15 == 0)
    });
    Some(world)
}

/// The record of the test.
fn is_ours(ds: &Ds) -> bool {
    (ds.tag(), ds.algorithm(), ds.digest_type()) == (4711, 13, 2)
}

#[test]
fn a_ds_that_comes_at_one_server_and_then_at_both_is_seen_so() {
    let Some(mut world) = world() else { return };
    let zone: Name = ZONE.parse().unwrap();
    let finder = Finder::new(vec![world.resolver], world.servers[0].address.port());
    let look = || -> Sight {
        finder.forget(&zone, None);
        finder.look(&zone, &[], &ZoneSet::new(), &Ours::new(Vec::new()), &|_| false)
    };
    let sight = look();
    assert_eq!((sight.parent.clone(), sight.obstacle()), (Some("go.id.".parse().unwrap()), None));
    assert!(sight.is_at_none(is_ours) && sight.servers.len() == 2);

    world.servers[0].change("go.id.", &parent(2, DS));
    world.servers[0].until_serial("go.id.", 2);
    let sight = look();
    assert!(!sight.is_at_all(is_ours) && !sight.is_at_none(is_ours));
    assert_eq!(sight.missing_at(is_ours), ["ns2.go.id."]);

    world.servers[1].change("go.id.", &parent(2, DS));
    world.servers[1].until_serial("go.id.", 2);
    let sight = look();
    assert!(sight.is_at_all(is_ours) && sight.ttl() == Some(300), "{sight:?}");

    // Who is gone has said nothing.
    world.servers[1].stop();
    let sight = look();
    assert!(!sight.is_at_all(is_ours) && !sight.is_at_none(|ds| !is_ours(ds)));
    assert!(sight.obstacle().unwrap().starts_with("ns2.go.id.: nothing listens there"));
}

#[test]
fn the_addresses_of_the_settings_are_asked_and_nobody_else() {
    let Some(world) = world() else { return };
    let zone: Name = ZONE.parse().unwrap();
    let finder = Finder::new(Vec::new(), 53);
    let addresses: Vec<SocketAddr> = world.servers.iter().map(|server| server.address).collect();
    let sight = finder.look(&zone, &addresses, &ZoneSet::new(), &Ours::new(Vec::new()), &|_| false);
    assert!(sight.is_whole() && sight.parent.is_none(), "{sight:?}");
    // A server of the zone itself, which knows nothing of the parent.
    let mut child = Peer::new(Program::Bind);
    let text = "@ 60 SOA ns1 h 1 1 1 1 1\n@ 60 NS ns1\nns1 60 A 127.0.0.1\n";
    child.serve(&[PeerZone::primary(ZONE, text, &[])]);
    let sight =
        finder.look(&zone, &[child.address], &ZoneSet::new(), &Ours::new(Vec::new()), &|_| false);
    assert!(!sight.is_whole(), "{sight:?}");
}
