//! Catalog zones (RFC 9432) between gapura, Knot and BIND, both ways.

use crate::support::peers::{self, Peer, PeerZone, Program, fix_port};
use crate::support::{Daemon, lay_out, until};

/// The catalog of these tests.
const CATALOG: &str = "cat.example.";

/// A small zone of this serial.
fn zone(serial: u32) -> String {
    format!(
        "@ 300 SOA ns.invalid. a.invalid. {serial} 60 60 600 60\n@ 300 NS ns.invalid.\n@ 300 TXT \"{serial}\"\n"
    )
}

/// The `[[zone]]` table of a member with a file.
fn member(name: &str, peer: &str) -> String {
    format!(
        "\n[[zone]]\nname = \"{name}\"\nfile = \"{name}zone\"\nchecks = \"lenient\"\ncatalog = \"{CATALOG}\"\n\
         transfer = [\"{peer}\"]\nnotify = [\"{peer}\"]\n"
    )
}

/// What else makes a peer a consumer of the catalog whose members come from there too.
fn consumer(peer: &mut Peer, primary: std::net::SocketAddr) -> PeerZone {
    let more = match peer.program {
        Program::Knot => {
            peer.more = format!(
                "remote:\n  - id: from\n    address: {}@{}\nacl:\n  - id: all\n    \
                 address: 127.0.0.1\n    action: [transfer, notify]\ntemplate:\n  - id: member\n    \
                 master: from\n    acl: all\n    zonefile-load: none\n    zonefile-sync: -1\n    \
                 journal-content: all\n",
                primary.ip(),
                primary.port()
            );
            "    catalog-role: interpret\n    catalog-template: member\n".to_owned()
        }
        Program::Bind => {
            peer.options = format!(
                "catalog-zones {{ zone \"{CATALOG}\" default-primaries {{ {} port {}; }} in-memory yes \
                 min-update-interval 0; }};",
                primary.ip(),
                primary.port()
            );
            String::new()
        }
        Program::Nsd => unreachable!("it knows no catalogs"),
    };
    PeerZone { more, ..PeerZone::secondary(CATALOG, primary) }
}

/// gapura lists zones, a peer serves them, and follows the list.
#[track_caller]
fn follows(program: Program) {
    if !peers::are_here(&[program]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let mut peer = Peer::new(program);
    let remote = peer.remote("peer", None);
    let catalog =
        format!("\n[[zone]]\nname = \"{CATALOG}\"\ntransfer = [\"peer\"]\nnotify = [\"peer\"]\n");
    let settings = |members: &[&str]| {
        let members: String = members.iter().map(|it| member(it, "peer")).collect();
        format!("{remote}{catalog}{members}")
    };
    for name in ["a.example.", "b.example.", "c.example."] {
        std::fs::write(made.path().join(format!("{name}zone")), zone(7)).unwrap();
    }
    lay_out(made.path(), &settings(&["a.example.", "b.example."]));
    let dns = fix_port(made.path());
    let daemon = Daemon::in_dir(made.path());
    let status = String::from_utf8(daemon.gapura(&["ctl", "status"]).stdout).unwrap();
    let line = status.lines().find(|line| line.starts_with(CATALOG)).unwrap();
    assert!(line.contains("generated from the settings, as a catalog zone"), "{line}");
    assert!(!line.contains("file"), "{line}");
    let zone_of_catalog = consumer(&mut peer, dns);
    peer.serve(&[zone_of_catalog]);
    for name in ["a.example.", "b.example."] {
        peer.until_serial(name, 7);
        peer.assert_has(name, &peers::fetch(dns, name, None).lines(), "");
    }
    // One comes, one goes, in one reload.
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(&member("b.example.", "peer"), &member("c.example.", "peer"));
    std::fs::write(&path, text).unwrap();
    let reload = daemon.gapura(&["ctl", "reload", "--force"]);
    let told = String::from_utf8_lossy(&[reload.stdout, reload.stderr].concat()).into_owned();
    assert_eq!(reload.status.code(), Some(0), "{told}");
    assert!(told.contains("b.example. is no longer served"), "{told}");
    peer.until_serial("c.example.", 7);
    until("the peer lets it go", || peer.serial("b.example.").is_none());
    assert_eq!(peer.serial("a.example."), Some(7));
}

#[test]
fn knot_follows_the_catalog_that_gapura_makes() {
    follows(Program::Knot);
}

#[test]
fn bind_follows_the_catalog_that_gapura_makes() {
    follows(Program::Bind);
}

/// The catalog as a peer would be given it by hand.
fn catalog(serial: u32, members: &[&str]) -> String {
    let members = members.iter().enumerate();
    let lines: String =
        members.map(|(at, zone)| format!("m{at}{}.zones 0 PTR {zone}\n", zone.len())).collect();
    format!(
        "@ 0 SOA invalid. invalid. {serial} 60 60 600 0\n@ 0 NS invalid.\nversion 0 TXT \"2\"\n{lines}"
    )
}

/// gapura follows the catalog of a peer, and serves what it lists with that peer away.
#[track_caller]
fn is_followed(program: Program) {
    if !peers::are_here(&[program]) {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let mut peer = Peer::new(program);
    let remote = peer.remote("peer", None);
    let consumed =
        format!("\n[[zone]]\nname = \"{CATALOG}\"\nprimaries = [\"peer\"]\nconsume = true\n");
    lay_out(made.path(), &format!("{remote}{consumed}"));
    let dns = fix_port(made.path());
    let both = ["a.example.", "bb.example."];
    let own = |name: &str, text: &str| PeerZone::primary(name, text, &[dns]);
    peer.serve(&[
        own(CATALOG, &catalog(1, &both)),
        own("a.example.", &zone(7)),
        own("bb.example.", &zone(8)),
        own("ccc.example.", &zone(9)),
    ]);
    let daemon = Daemon::in_dir(made.path());
    let serves = |zone: &str, serial| {
        until(zone, || peers::serial(dns, zone) == serial);
    };
    serves("a.example.", Some(7));
    serves("bb.example.", Some(8));
    assert_eq!(peers::serial(dns, "ccc.example."), None);
    // One comes and one goes; a broken version changes nothing.
    peer.change(CATALOG, &catalog(2, &["a.example.", "ccc.example."]));
    serves("ccc.example.", Some(9));
    serves("bb.example.", None);
    let broken = catalog(3, &[]).replace("TXT \"2\"", "TXT \"1\"");
    peer.change(CATALOG, &broken);
    serves(CATALOG, Some(3));
    until("it is told", || {
        let status = daemon.gapura(&["ctl", "status", "--json"]);
        String::from_utf8_lossy(&status.stdout).contains("catalog-broken")
    });
    assert_eq!(peers::serial(dns, "a.example."), Some(7));
    // A member changes, and with the peer away a restart serves all of them at once.
    peer.change("a.example.", &zone(17));
    serves("a.example.", Some(17));
    peer.stop();
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let again = Daemon::in_dir(made.path());
    assert_eq!(peers::serial(dns, "a.example."), Some(17));
    assert_eq!(peers::serial(dns, "ccc.example."), Some(9));
    drop(again);
}

#[test]
fn gapura_follows_the_catalog_of_knot() {
    is_followed(Program::Knot);
}

#[test]
fn gapura_follows_the_catalog_of_bind() {
    is_followed(Program::Bind);
}
