//! A secondary zone on nodes whose database is away: each node goes by what was heard of its primaries, itself too.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::postgres_cluster::Cluster;
use crate::support::peers::{self, Peer, PeerZone, Program, fix_port};
use crate::support::{Daemon, ask, lay_out, printed, until};

/// The zone.
const ZONE: &str = "example.";
/// Its EXPIRE, in seconds.
const EXPIRE: u64 = 8;

/// What the primary has.
fn text() -> String {
    format!(
        "example. 300 SOA ns.example. admin.example. 7 1 1 {EXPIRE} 300\n\
         example. 300 NS ns.example.\nns.example. 300 A 192.0.2.1\n"
    )
}

/// A directory of a node that is a secondary of a remote, and where it will answer.
fn node(url: &str, name: &str, remote: &str) -> (tempfile::TempDir, SocketAddr) {
    let dir = tempfile::tempdir().unwrap();
    let settings = format!(
        "[rate_limit]\nresponses_per_second = 0\n{remote}\n\
         [[zone]]\nname = \"{ZONE}\"\nprimaries = [\"ns1\"]\n\
         [database]\nurl = \"{url}\"\n[node]\nname = \"{name}\"\n"
    );
    lay_out(dir.path(), &settings);
    let address = fix_port(dir.path());
    (dir, address)
}

/// Whether a node answers from the zone; false: it has expired.
fn serves(at: SocketAddr) -> bool {
    match ask(at, ZONE, RecordType::SOA).metadata.response_code {
        ResponseCode::NoError => true,
        ResponseCode::ServFail => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_secondary_zone_expires_while_the_database_is_away_unless_its_primary_is_heard() {
    if !peers::are_here(&[Program::Nsd]) {
        return;
    }
    let Some(mut cluster) = Cluster::start() else { return };
    let mut primary = Peer::new(Program::Nsd);
    let (url, remote) = (cluster.url(), primary.remote("ns1", None));
    let nodes = ["satu", "dua"].map(|name| node(&url, name, &remote));
    let at = [nodes[0].1, nodes[1].1];
    primary.serve(&[PeerZone::primary(ZONE, &text(), &at)]);
    let first = Daemon::in_dir(nodes[0].0.path());
    let state = |at: usize| nodes[at].0.path().join("state");
    std::fs::create_dir_all(state(1)).unwrap();
    for key in ["audit.key", "personal.key"] {
        std::fs::copy(state(0).join(key), state(1).join(key)).unwrap();
    }
    let said = printed(&first.gapura(&["ctl", "status"]));
    assert!(said.contains("node.url is not set: other nodes cannot"), "{said}");
    let second = Daemon::in_dir(nodes[1].0.path());
    until("both have it", || at.iter().all(|at| peers::serial(*at, ZONE) == Some(7)));
    until("the copy is there", || state(1).join("served/example.zone").exists());

    // Its primary has what is served.
    cluster.kill();
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(EXPIRE + 8) {
        std::thread::sleep(Duration::from_millis(200));
        for at in at {
            assert!(serves(at), "{at} after {:?}", begun.elapsed());
        }
    }
    primary.stop();
    let begun = std::time::Instant::now();
    until("it expires on both", || !at.iter().any(|at| serves(*at)));
    println!("expired {:?} after the primary was stopped", begun.elapsed());
    let said = printed(&second.gapura(&["ctl", "status"]));
    assert!(said.contains("expired: no primary answered"), "{said}");

    // A start goes by what was written beside the database.
    for daemon in [first, second] {
        assert_eq!(daemon.end_with("TERM"), Some(0));
    }
    let daemons = [0, 1].map(|node| Daemon::in_dir(nodes[node].0.path()));
    assert!(!at.iter().any(|at| serves(*at)), "it comes back with a start");
    primary.start();
    until("both serve it again", || at.iter().all(|at| serves(*at)));

    // Back to what all nodes know.
    cluster.begin();
    until("all goes on", || {
        daemons.iter().all(|daemon| !printed(&daemon.gapura(&["ctl", "status"])).contains("closed"))
    });
    assert!(at.iter().all(|at| serves(*at)));
}
