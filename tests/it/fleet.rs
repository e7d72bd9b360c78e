//! Real secondaries are told of changes, and what each of them serves is known.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::peers::{self, Key, Peer, PeerZone, Program};
use crate::support::{Daemon, until};

/// The zone of these tests.
const ZONE: &str = "fleet.example.";

/// The text of the zone, with an address that changes.
fn text(serial: u32, address: u32) -> String {
    format!(
        "$TTL 60\n@ SOA ns1 host {serial} 3600 600 86400 60\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\n\
         ns2 A 192.0.2.2\nwww A 192.0.2.{address}\n"
    )
}

/// Puts a text in the zone's file as an editor would.
fn edit(dir: &Path, text: &str) {
    std::fs::write(dir.join("draft"), text).unwrap();
    std::fs::rename(dir.join("draft"), dir.join("fleet.zone")).unwrap();
}

/// The settings: keys and remotes, and one zone that all remotes may have and are told of.
fn settings(dir: &Path, listen: SocketAddr, remotes: &[(&str, String)], keys: &str) {
    let names: Vec<&str> = remotes.iter().map(|(name, _)| *name).collect();
    let tables: String = remotes.iter().map(|(_, table)| table.as_str()).collect();
    let text = format!(
        "[server]\nlisten = [\"{listen}\"]\nudp_workers = 1\nstate_dir = \"state\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n\
         [[zone]]\nname = \"{ZONE}\"\nfile = \"fleet.zone\"\ntransfer = {names:?}\nnotify = {names:?}\n\
         {tables}{keys}"
    );
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
}

/// What `ctl status` says of the zone's secondaries.
fn secondaries(daemon: &Daemon) -> Vec<Value> {
    let out = daemon.gapura(&["ctl", "status", "--json"]);
    let status: Value = serde_json::from_slice(&out.stdout).unwrap();
    status["zones"][0]["secondaries"].as_array().unwrap().clone()
}

/// Edits the zone; how long until each secondary had it.
fn edited(daemon: &Daemon, peers: &[Peer], serial: u32) -> Vec<Duration> {
    edit(&daemon.dir, &text(serial, serial % 200));
    let out = daemon.gapura(&["ctl", "reload", ZONE]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let live = Instant::now();
    let until = |peer: &Peer| {
        peer.until_serial(ZONE, serial);
        live.elapsed()
    };
    peers.iter().map(until).collect()
}

#[test]
fn knot_nsd_and_bind_are_told_and_watched() {
    if !peers::are_here(&Program::ALL) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    let listen = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
    let mut all: Vec<Peer> = Program::ALL.into_iter().map(Peer::new).collect();
    let named: Vec<(&str, String)> = all
        .iter()
        .map(|peer| (peer.program.name(), peer.remote(peer.program.name(), Some(&Key::ARMADA))))
        .collect();
    edit(dir, &text(1, 1));
    settings(dir, listen, &named, &Key::ARMADA.settings());
    let daemon = Daemon::in_dir(dir);
    for peer in &mut all {
        peer.serve(&[PeerZone::secondary(ZONE, listen).with_key(&Key::ARMADA)]);
    }
    for peer in &all {
        peer.until_serial(ZONE, 1);
    }
    let mut last = Vec::new();
    for serial in 2..32 {
        last.push(edited(&daemon, &all, serial).into_iter().max().unwrap());
    }
    last.sort();
    println!("live -> at all three: p50 {:?}, p90 {:?}, max {:?}", last[15], last[27], last[29]);
    until("all are known to have it", || {
        let all = secondaries(&daemon);
        all.len() == 3 && all.iter().all(|one| one["serial"] == 31 && one["behind"] == false)
    });
    // One goes away and comes back: it is behind, with a reason, and is told again.
    let mut gone = all.remove(0);
    gone.stop();
    edited(&daemon, &all, 32);
    let of_gone = || secondaries(&daemon).into_iter().find(|one| one["name"] == "knotd").unwrap();
    until("it is known to be away", || of_gone()["error"].is_string());
    assert!(of_gone()["behind"] == true && of_gone()["behind_since"].is_number(), "{}", of_gone());
    gone.start();
    println!("back after {:?}", gone.until_serial(ZONE, 32));
    let out = daemon.gapura(&["zone", "notify", ZONE]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(out.status.success() && said.matches("NOERROR").count() == 3, "{out:?}");
    until("it is known to be back", || of_gone()["behind"] == false);
    let text = String::from_utf8(daemon.gapura(&["ctl", "status"]).stdout).unwrap();
    assert!(text.contains("secondary knotd 127.0.0.1:"), "{text}");
}
