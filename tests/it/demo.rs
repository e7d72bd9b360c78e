//! `gapura demo`: what it holds, that its names answer, that its people can sign in, and that it goes.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hickory_proto::rr::RecordType;

use super::support::demo::{Demo, PATIENCE, wait};
use super::support::http::Caller;
use super::support::{ask, data, kill};

/// What lies in a directory beside the log.
fn left_in(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name != "log").collect()
}

#[test]
fn a_demonstration_has_every_state_serves_its_names_and_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let demo = Demo::start(temp.path(), &[]);
    assert_eq!(left_in(temp.path()).len(), 1, "one directory of its own");
    let there = &demo.ready["demo"];
    let requests = there["requests"].as_array().unwrap();
    let states: BTreeSet<&str> =
        requests.iter().map(|sent| sent["state"].as_str().unwrap()).collect();
    let wanted = [
        "submitted",
        "assigned",
        "needs_correction",
        "verified",
        "promotion_failed",
        "live",
        "notified",
        "closed",
        "rejected",
        "withdrawn",
        "expired",
    ];
    assert_eq!(states, BTreeSet::from(wanted));

    // Names that are live answer, and those that were taken down do not.
    let server = demo.ready["dns"][0].as_str().unwrap().parse().unwrap();
    let a = |name: &str| data(&ask(server, &format!("{name}.cirebonkab.go.id."), RecordType::A));
    assert_eq!(a("antrian"), ["192.0.2.85"], "changed since");
    assert_eq!(a("disbudpar"), ["192.0.2.73"]);
    assert_eq!(a("tegalwangi.desa"), Vec::<String>::new(), "suspended");

    // Its people work with it as with any other.
    let web = demo.ready["web"].as_str().unwrap();
    let roles: BTreeSet<&str> = there["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, BTreeSet::from(["admin", "auditor", "kabid", "kasi"]));
    for member in there["accounts"].as_array().unwrap() {
        let caller = Caller::with_token(web, member["token"].as_str().unwrap());
        caller.get("/api/v1/requests").ok();
    }
    let first = &requests[0];
    let secret = [("Gapura-Secret", first["secret"].as_str().unwrap())];
    let path = format!("/api/v1/requests/{}", first["number"].as_str().unwrap());
    let seen = Caller::new(web, &secret).get(&path).ok();
    assert_eq!(seen["state"], first["state"]);

    assert_eq!(demo.end("INT"), Some(0));
    assert_eq!(left_in(temp.path()), Vec::<String>::new(), "nothing stays");
}

#[test]
fn a_demonstration_that_is_kept_verifies_and_is_not_made_twice() {
    let temp = tempfile::tempdir().unwrap();
    let kept = temp.path().join("office");
    let demo = Demo::start(temp.path(), &["--keep", kept.to_str().unwrap()]);
    assert_eq!(demo.end("TERM"), Some(0));
    let gapura = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gapura"));
        command.args(args).stdin(Stdio::null()).output().unwrap()
    };
    let settings = kept.join("gapura.toml");
    let verified = gapura(&["audit", "verify", "--config", settings.to_str().unwrap()]);
    let told = String::from_utf8([verified.stdout, verified.stderr].concat()).unwrap();
    assert!(verified.status.success() && told.contains("GOOD"), "{told}");
    let again = gapura(&["demo", "--keep", kept.to_str().unwrap()]);
    let told = String::from_utf8(again.stderr).unwrap();
    assert!(!again.status.success() && told.contains("gapura serve --config"), "{told}");
}

#[test]
fn a_demonstration_that_is_interrupted_while_it_is_made_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_gapura"))
        .args(["demo", "--json"])
        .env("TMPDIR", temp.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Its database is there: the script is being played, and signals are waited for.
    let until = Instant::now() + PATIENCE;
    let is_begun = || {
        let made = left_in(temp.path()).pop();
        made.is_some_and(|name| temp.path().join(name).join("state/letters").exists())
    };
    while !is_begun() {
        assert!(Instant::now() < until, "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(child.id(), "INT");
    assert_eq!(wait(&mut child), Some(0));
    assert_eq!(left_in(temp.path()), Vec::<String>::new());
}
