//! Serials as the operator sees and raises them.

use hickory_proto::rr::{RData, RecordType};

use crate::support::{Daemon, ask, run_in};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";

/// The serial that is served.
fn served(daemon: &Daemon) -> u32 {
    match &ask(daemon.dns(), ZONE, RecordType::SOA).answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("{other}"),
    }
}

#[test]
fn a_state_put_back_goes_above_and_the_operator_raises_the_floor() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    crate::support::lay_out(dir, "");
    let daemon = Daemon::in_dir(dir);
    let first = served(&daemon);
    let floor = (first + 100).to_string();
    let raised = daemon.gapura(&["zone", "serial", ZONE, "--floor", &floor]);
    assert_eq!(raised.status.code(), Some(0), "{}", String::from_utf8_lossy(&raised.stderr));
    assert_eq!(served(&daemon), first + 101);
    let rollback = daemon.gapura(&["zone", "rollback", ZONE, &first.to_string(), "--yes"]);
    assert_eq!(rollback.status.code(), Some(0), "{}", String::from_utf8_lossy(&rollback.stderr));
    let shown = daemon.gapura(&["zone", "serial", ZONE, "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["newest"], first + 101, "{shown}");
    assert_eq!(daemon.end_with("TERM"), Some(0));
    let floor = (first + 300).to_string();
    let kept = run_in(dir, &["zone", "serial", ZONE, "--floor", &floor]);
    assert_eq!(kept.status.code(), Some(0), "{}", String::from_utf8_lossy(&kept.stderr));
    let unknown = run_in(dir, &["zone", "serial", "example.", "--floor", "5"]);
    assert_eq!(unknown.status.code(), Some(1));
    let daemon = Daemon::in_dir(dir);
    assert_eq!(served(&daemon), first + 301);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    // A copy of the state in the place of the state.
    let (state, backup) = (dir.join("state"), dir.join("backup"));
    crate::support::copy_all(&state, &backup);
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::rename(&backup, &state).unwrap();
    let daemon = Daemon::in_dir(dir);
    assert!(served(&daemon) > first + 1_000, "{} after {first}", served(&daemon));
    let status = daemon.gapura(&["ctl", "status"]);
    let text = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(text.contains("database-restored"), "{text}");
}
