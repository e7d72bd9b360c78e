//! The daemon rolls a key while real servers have the parent zone: it goes on when the DS is at all of them,
//! or when a person says so.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::support::peers::{Peer, PeerZone, Program, are_here};
use crate::support::{Daemon, printed, until, write_settings};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";

/// The file of the parent, with these DS lines.
fn parent(serial: u32, ds: &[String]) -> String {
    format!(
        "$ORIGIN go.id.\n$TTL 1\n@ SOA ns1 hostmaster {serial} 60 60 600 1\n@ NS ns1\n@ NS ns2\nns1 A 127.0.0.1\n\
         ns2 A 127.0.0.2\ncirebonkab NS ns1.cirebonkab\nns1.cirebonkab A 127.0.0.1\n{}\n",
        ds.join("\n")
    )
}

/// Two servers of the parent.
struct Parents {
    servers: [Peer; 2],
    serials: [u32; 2],
}

impl Parents {
    /// Starts them without any DS.
    fn start() -> Self {
        let mut servers = [Peer::new(Program::Bind), Peer::new(Program::Knot)];
        for server in &mut servers {
            server.serve(&[PeerZone::primary("go.id.", &parent(1, &[]), &[])]);
        }
        Self { servers, serials: [1; 2] }
    }

    /// One of them has these DS lines from now on.
    fn have(&mut self, which: usize, ds: &[String]) {
        self.serials[which] += 1;
        let serial = self.serials[which];
        self.servers[which].change("go.id.", &parent(serial, ds));
        self.servers[which].until_serial("go.id.", serial);
    }

    /// Their addresses.
    fn addresses(&self) -> [SocketAddr; 2] {
        [self.servers[0].address, self.servers[1].address]
    }
}

/// A daemon whose zone is signed with times of a second.
fn daemon(dir: &Path, [one, two]: [SocketAddr; 2]) -> Daemon {
    let text =
        "$TTL 1\n@ SOA ns1 hostmaster 1 60 60 600 1\n@ NS ns1\nns1 A 192.0.2.1\nwww A 192.0.2.2\n";
    std::fs::write(dir.join("cirebonkab.go.id.zone"), text).unwrap();
    let more = format!(
        "signing = \"quick\"\n[[signing]]\nname = \"quick\"\nkeys = \"ksk+zsk\"\nzsk_days = 0\ndnskey_ttl = 1\n\
         propagation_seconds = 1\nparent_ds_ttl = 1\nparents = [\"{one}\", \"{two}\"]\n"
    );
    write_settings(dir, &more);
    Daemon::in_dir(dir)
}

/// What `gapura key list` says.
fn keys(daemon: &Daemon) -> Value {
    let output = daemon.gapura(&["key", "list", ZONE, "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(&output)))
}

/// Whether the zone stands so with its parent.
fn stands(daemon: &Daemon, state: &str) -> bool {
    keys(daemon)["parent"]["state"] == state
}

/// The lines for the parent.
fn ds(daemon: &Daemon) -> Vec<String> {
    let output = daemon.gapura(&["key", "ds", ZONE]);
    assert!(output.status.success(), "{}", printed(&output));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The tags of the KSKs that are not removed, and how each stands.
fn ksks(daemon: &Daemon) -> Vec<(u64, String)> {
    let list = keys(daemon);
    let all = list["keys"].as_array().unwrap().iter();
    let ksks = all.filter(|key| key["role"] == "ksk" && key["state"] != "removed");
    ksks.map(|key| (key["tag"].as_u64().unwrap(), key["state"].as_str().unwrap().to_owned()))
        .collect()
}

/// The tag of the KSK that stands so.
fn ksk(daemon: &Daemon, state: &str) -> Option<u64> {
    ksks(daemon).into_iter().find(|(_, it)| it == state).map(|(tag, _)| tag)
}

/// Waits until the parent was looked at anew some times: nothing may have come of it.
fn some_looks(daemon: &Daemon, is_still: impl Fn(&Daemon) -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(4);
    while std::time::Instant::now() < end {
        assert!(is_still(daemon), "{}", keys(daemon));
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
}

#[test]
fn a_ksk_rolls_when_the_ds_is_at_all_servers_of_the_parent_or_somebody_says_so() {
    if !are_here(&[Program::Bind, Program::Knot]) {
        return;
    }
    let mut parents = Parents::start();
    let made = tempfile::tempdir().unwrap();
    let daemon = daemon(made.path(), parents.addresses());
    until("the DS may come", || stands(&daemon, "ds-wanted"));
    let first = ds(&daemon);
    assert_eq!(first.len(), 1, "{first:?}");

    // The first DS: at one server, then at both.
    parents.have(0, &first);
    some_looks(&daemon, |daemon| stands(daemon, "ds-wanted"));
    parents.have(1, &first);
    until("the zone is secure", || stands(&daemon, "secure"));

    // A roll: the new DS in place of the old, at one server, then at both.
    let old = ksk(&daemon, "active").unwrap();
    let rolled = daemon.gapura(&["key", "roll", ZONE, "--role", "ksk"]);
    assert!(rolled.status.success(), "{}", printed(&rolled));
    until("the new key waits for its DS", || ksk(&daemon, "ready").is_some());
    let new = ksk(&daemon, "ready").unwrap();
    let second = ds(&daemon);
    assert!(second[0].contains(&format!(" DS {new} ")), "{second:?}");
    parents.have(0, &second);
    some_looks(&daemon, |daemon| ksk(daemon, "active") == Some(old));
    parents.have(1, &second);
    until("the old key is gone", || ksks(&daemon) == [(new, "active".to_owned())]);

    // The next one by hand: the parent cannot be asked any more.
    parents.servers.iter_mut().for_each(Peer::stop);
    let rolled = daemon.gapura(&["key", "roll", ZONE, "--role", "ksk"]);
    assert!(rolled.status.success(), "{}", printed(&rolled));
    until("the third key waits for its DS", || ksk(&daemon, "ready").is_some());
    let third = ksk(&daemon, "ready").unwrap();
    some_looks(&daemon, |daemon| ksk(daemon, "ready") == Some(third));
    let seen = daemon.gapura(&["key", "ds-seen", ZONE, &third.to_string()]);
    assert!(seen.status.success(), "{}", printed(&seen));
    let list = keys(&daemon).to_string();
    if ksk(&daemon, "ready").is_some() {
        let gone = daemon.gapura(&["key", "ds-gone", ZONE, &new.to_string()]);
        assert!(gone.status.success(), "{}: {list}", printed(&gone));
    }
    until("the second key is gone", || ksks(&daemon) == [(third, "active".to_owned())]);
}
