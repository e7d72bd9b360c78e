//! A directory of zones: what is stray in it stops nobody, and what is missing in it is not gone at once.

use std::path::Path;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::support::{Daemon, ask, data, run_in};

/// A zone whose `www` has this address.
fn zone(apex: &str, address: &str) -> String {
    format!(
        "$ORIGIN {apex}\n$TTL 60\n@ SOA ns host 5 60 60 600 60\n@ NS ns\nns A 192.0.2.1\nwww A {address}\n"
    )
}

/// Settings with a directory of zones and a table beside it.
fn lay_out(dir: &Path, tables: &str) {
    let text = format!(
        "[server]\nlisten = [\"127.0.0.1:0\"]\nudp_workers = 1\nstate_dir = \"state\"\nzone_dir = \"zd\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n{tables}"
    );
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
}

/// The address of `www` in a zone, or the response code.
fn www(daemon: &Daemon, apex: &str) -> String {
    let reply = ask(daemon.dns(), &format!("www.{apex}"), RecordType::A);
    data(&reply).pop().unwrap_or_else(|| reply.metadata.response_code.to_string())
}

/// A command's exit code, and all that it printed.
fn run(daemon: &Daemon, args: &[&str]) -> (i32, String) {
    let output = daemon.gapura(args);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn one_stray_file_or_one_bad_zone_stops_no_other() {
    let made = tempfile::tempdir().unwrap();
    let (dir, zd) = (made.path(), made.path().join("zd"));
    std::fs::create_dir(&zd).unwrap();
    lay_out(dir, "");
    std::fs::write(zd.join("ok.id.zone"), zone("ok.id.", "192.0.2.7")).unwrap();
    for stray in ["._ok.id.zone", ".x.zone", "ok.id.zone~"] {
        std::fs::write(zd.join(stray), "stray").unwrap();
    }
    std::fs::create_dir(zd.join("folder.zone")).unwrap();
    let check = run_in(dir, &["check"]);
    assert_eq!(check.status.code(), Some(0), "{}", String::from_utf8_lossy(&check.stderr));
    std::fs::write(zd.join("bad..name.zone"), "").unwrap();
    std::fs::write(zd.join("broken.id.zone"), "broken\n").unwrap();
    let daemon = Daemon::in_dir(dir);
    assert_eq!(www(&daemon, "ok.id."), "192.0.2.7", "at a start");
    std::fs::write(zd.join("new.id.zone"), zone("new.id.", "192.0.2.8")).unwrap();
    let (code, text) = run(&daemon, &["ctl", "reload"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("zone-file-name") && text.contains("bad..name.zone"), "{text}");
    assert_eq!(www(&daemon, "new.id."), "192.0.2.8", "at a reload");
    let (_, text) = run(&daemon, &["ctl", "status"]);
    assert!(text.contains("bad..name.zone"), "{text}");
    let (code, text) = run(&daemon, &["check"]);
    assert_eq!(code, 1);
    for told in ["bad..name.zone", "broken.id", "ok.id. serial 5"] {
        assert!(text.contains(told), "{told} in {text}");
    }
    std::fs::remove_file(zd.join("bad..name.zone")).unwrap();
    std::fs::remove_file(zd.join("broken.id.zone")).unwrap();
    assert_eq!(run(&daemon, &["ctl", "reload"]).0, 0);
}

#[test]
fn what_the_settings_lose_is_served_until_it_is_confirmed() {
    let made = tempfile::tempdir().unwrap();
    let (dir, zd) = (made.path(), made.path().join("zd"));
    std::fs::create_dir(&zd).unwrap();
    std::fs::write(zd.join("a.id.zone"), zone("a.id.", "192.0.2.7")).unwrap();
    std::fs::write(dir.join("b"), zone("b.id.", "192.0.2.8")).unwrap();
    lay_out(dir, "[[zone]]\nname = \"b.id.\"\nfile = \"b\"\n");
    let daemon = Daemon::in_dir(dir);
    std::fs::remove_file(zd.join("a.id.zone")).unwrap();
    lay_out(dir, "");
    let (code, text) = run(&daemon, &["ctl", "reload"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("a.id. refused, still serving 5"), "{text}");
    assert!(text.contains("gapura ctl reload b.id. --force"), "{text}");
    let both = |daemon: &Daemon| [www(daemon, "a.id."), www(daemon, "b.id.")];
    assert_eq!(both(&daemon), ["192.0.2.7", "192.0.2.8"]);
    crate::support::kill(daemon.pid(), "KILL");
    drop(daemon);
    let daemon = Daemon::in_dir(dir);
    assert_eq!(both(&daemon), ["192.0.2.7", "192.0.2.8"], "after a restart");
    assert_eq!(run(&daemon, &["ctl", "reload", "a.id", "--force"]).0, 0);
    assert_eq!(both(&daemon), [ResponseCode::Refused.to_string(), "192.0.2.8".to_owned()]);
    lay_out(dir, "[[zone]]\nname = \"b.id.\"\nfile = \"b\"\n");
    assert_eq!(run(&daemon, &["ctl", "reload"]).0, 0);
}

#[test]
fn a_second_file_for_a_zone_changes_nothing_at_a_start() {
    let made = tempfile::tempdir().unwrap();
    let (dir, zd) = (made.path(), made.path().join("zd"));
    std::fs::create_dir(&zd).unwrap();
    lay_out(dir, "");
    std::fs::write(zd.join("ok.id.zone"), zone("ok.id.", "192.0.2.7")).unwrap();
    drop(Daemon::in_dir(dir));
    std::fs::write(zd.join("OK.ID.zone"), zone("ok.id.", "192.0.2.9")).unwrap();
    let daemon = Daemon::in_dir(dir);
    assert_eq!(www(&daemon, "ok.id."), "192.0.2.7");
    let (code, text) = run(&daemon, &["check"]);
    assert!(code == 1 && text.contains("zone-doubled"), "{text}");
    let (code, text) = run(&daemon, &["ctl", "reload"]);
    assert!(code == 1 && text.contains("OK.ID.zone") && text.contains("ok.id.zone"), "{text}");
    std::fs::remove_file(zd.join("ok.id.zone")).unwrap();
    let (code, text) = run(&daemon, &["ctl", "reload"]);
    assert_eq!(code, 0, "{text}");
    assert_eq!(www(&daemon, "ok.id."), "192.0.2.9");
}
