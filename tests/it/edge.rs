//! What stands between gapura and those who ask: proxies in front, agents that errors are reported to.

use std::process::Command;

use crate::support::peers::is_client_here;
use crate::support::{Daemon, lay_out, until};

/// What kdig prints of one query to a daemon.
fn kdig(daemon: &Daemon, more: &[&str]) -> String {
    let server = daemon.dns();
    let output = Command::new("kdig")
        .arg(format!("@{}", server.ip()))
        .args(["-p", &server.port().to_string(), "+timeout=1", "+retry=0"])
        .args(more)
        .output()
        .unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// Replaces a line of the settings and has them read again.
fn set(daemon: &Daemon, from: &str, to: &str) -> (Option<i32>, String) {
    let path = daemon.dir.join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let output = daemon.gapura(&["ctl", "reload"]);
    let told = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn kdig_asks_as_a_proxy_and_a_change_is_confirmed_all_the_same() {
    if !is_client_here("kdig") {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let server = "[server]\nproxies = [\"127.0.0.0/8\"]\nallow_query = [\"127.0.0.0/8\", \"::1\", \"192.0.2.0/24\"]\n";
    std::fs::write(&path, text.replacen("[server]\n", server, 1)).unwrap();
    let daemon = Daemon::in_dir(made.path());
    let asked = ["kec-sumber.cirebonkab.go.id.", "A"];
    let with = |more: &[&str]| kdig(&daemon, &[&asked[..], more].concat());
    for over in ["+notcp", "+tcp"] {
        let told = with(&["+proxy=192.0.2.7#5353-127.0.0.1#53", over]);
        assert!(told.contains("198.51.100.114") && told.contains("NOERROR"), "{told}");
        let told = with(&["+proxy=203.0.113.7-127.0.0.1", over]);
        assert!(told.contains("REFUSED"), "{told}");
        let told = with(&[over]);
        assert!(!told.contains("status:"), "without a header there is no answer: {told}");
    }
    // The confirmation of a change asks the same sockets from an address that counts as a proxy's.
    let good = std::fs::read_to_string(daemon.zone_file()).unwrap();
    std::fs::write(daemon.zone_file(), good.replace("198.51.100.114", "198.51.100.250")).unwrap();
    let reload = daemon.gapura(&["ctl", "reload", "cirebonkab.go.id"]);
    let told = String::from_utf8_lossy(&[&reload.stdout[..], &reload.stderr].concat()).into_owned();
    assert_eq!(reload.status.code(), Some(0), "{told}");
    let told = with(&["+proxy=192.0.2.7-127.0.0.1"]);
    assert!(told.contains("198.51.100.250"), "{told}");
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    assert!(!log.contains("reverting it"), "{log}");
    // Without proxies everybody is who they are, from the next packet on.
    let (code, told) = set(&daemon, "proxies = [\"127.0.0.0/8\"]\n", "");
    assert_eq!((code, told.contains("server.proxies")), (Some(0), true), "{told}");
    assert!(with(&[]).contains("198.51.100.250"));
    let queries = daemon.dir.join("state/query.jsonl");
    until("the client is in the query log", || {
        std::fs::read_to_string(&queries).unwrap().contains("\"client\":\"192.0.2.7\"")
    });
}

#[test]
fn errors_are_reported_to_the_agent_of_the_settings() {
    if !is_client_here("kdig") {
        return;
    }
    let daemon = Daemon::start("");
    let asked = || kdig(&daemon, &["cirebonkab.go.id.", "SOA", "+edns"]);
    // Code 18 and the name in wire form, as kdig shows an option that it does not know.
    let shown = |told: &str| {
        let hex: String = "\x06errors\x02id\0".bytes().map(|it| format!("{it:02x}")).collect();
        let told = told.replace(' ', "").to_lowercase();
        told.contains(&hex) || told.contains("errors.id")
    };
    let told = asked();
    assert!(told.contains("NOERROR") && !shown(&told), "{told}");
    let (code, told) = set(&daemon, "[server]\n", "[server]\nreport_agent = \"errors.id.\"\n");
    assert_eq!((code, told.contains("server.report_agent")), (Some(0), true), "{told}");
    let told = asked();
    assert!(shown(&told), "{told}");
    // In a zone of ours no report would come: the agent before stays.
    let (code, told) = set(&daemon, "errors.id.", "errors.cirebonkab.go.id.");
    assert_eq!((code, told.contains("server.report_agent")), (Some(1), true), "{told}");
    assert!(shown(&asked()));
    let (code, _) = set(&daemon, "report_agent = \"errors.cirebonkab.go.id.\"\n", "");
    assert_eq!(code, Some(0));
    assert!(!shown(&asked()));
}
