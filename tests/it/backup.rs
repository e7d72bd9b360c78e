//! The drill: a backup while gapura serves, the machine lost, the state put back elsewhere.

use std::path::Path;
use std::process::Output;

use hickory_proto::rr::RecordType;

use crate::support::peers::{self, Peer, PeerZone, Program, fix_port};
use crate::support::{Daemon, ask, lay_out, printed, run_in};

/// A command that has to succeed; what it printed as JSON.
#[track_caller]
fn done(output: &Output) -> serde_json::Value {
    assert_eq!(output.status.code(), Some(0), "{}", printed(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A command that has to be refused with these words.
#[track_caller]
fn refused(output: &Output, words: &str) {
    let told = printed(output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(words), "{words:?} is not in {told:?}");
}

/// The names in a directory, sorted.
fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// A directory with a backup of a zone's server that ran once.
fn backed_up() -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    assert_eq!(Daemon::in_dir(made.path()).end_with("TERM"), Some(0));
    done(&run_in(made.path(), &["db", "backup", "one.backup", "--json"]));
    made
}

#[test]
fn a_backup_is_one_private_file_and_none_is_written_over() {
    let made = backed_up();
    let dir = made.path();
    let found = std::fs::metadata(dir.join("one.backup")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777, 0o600);
    refused(&run_in(dir, &["db", "backup", "one.backup"]), "--force");
    done(&run_in(dir, &["db", "backup", "one.backup", "--force", "--json"]));
    refused(&run_in(dir, &["db", "backup", "."]), "directory");
    assert!(!names(dir).iter().any(|name| name.ends_with("part")), "{:?}", names(dir));
    let streamed = run_in(dir, &["db", "backup", "-"]);
    assert_eq!(streamed.status.code(), Some(0), "{}", String::from_utf8_lossy(&streamed.stderr));
    std::fs::write(dir.join("two.backup"), &streamed.stdout).unwrap();
    let checked = done(&run_in(dir, &["db", "check", "two.backup", "--json"]));
    assert_eq!(checked["manifest"]["format"], "gapura backup 1", "{checked}");
    assert!(checked["manifest"]["serials"]["cirebonkab.go.id."].is_u64(), "{checked}");
    // Where nothing ever ran, there is nothing to back up, and nothing is made.
    let empty = tempfile::tempdir().unwrap();
    lay_out(empty.path(), "");
    refused(&run_in(empty.path(), &["db", "backup", "x"]), "there is no database");
    assert_eq!(names(empty.path()), ["cirebonkab.go.id.zone", "gapura.toml"]);
}

#[test]
fn a_backup_that_is_damaged_anywhere_is_refused_and_leaves_nothing() {
    let made = backed_up();
    let dir = made.path();
    std::fs::rename(dir.join("state"), dir.join("lost")).unwrap();
    let whole = std::fs::read(dir.join("one.backup")).unwrap();
    for place in 0..50 {
        let mut octets = whole.clone();
        let at = place * (whole.len() - 1) / 49;
        octets[at] ^= 0x10;
        std::fs::write(dir.join("bad.backup"), octets).unwrap();
        refused(&run_in(dir, &["db", "restore", "bad.backup"]), "is no whole backup");
        assert!(!dir.join("state").exists(), "octet {at}");
    }
    std::fs::write(dir.join("bad.backup"), &whole[..whole.len() / 2]).unwrap();
    refused(&run_in(dir, &["db", "check", "bad.backup"]), "is no whole backup");
    done(&run_in(dir, &["db", "restore", "one.backup", "--json"]));
    refused(&run_in(dir, &["db", "restore", "one.backup"]), "is not empty");
    let daemon = Daemon::in_dir(dir);
    assert!(!ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A).answers.is_empty());
    refused(&run_in(dir, &["db", "restore", "one.backup"]), "is not empty");
}

#[test]
fn a_restore_that_was_cut_short_is_not_taken_for_a_state() {
    let made = backed_up();
    let dir = made.path();
    std::fs::rename(dir.join("state"), dir.join("lost")).unwrap();
    std::fs::create_dir_all(dir.join("state/restoring")).unwrap();
    refused(&run_in(dir, &["db", "restore", "one.backup"]), "was interrupted");
    let daemon = Daemon::in_dir(dir);
    assert!(!ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A).answers.is_empty());
    let status = daemon.gapura(&["ctl", "status"]);
    refused(&status, "was interrupted");
    assert!(!dir.join("state/gapura.db").exists(), "nothing is made in its place");
}

#[test]
fn nothing_is_left_of_a_backup_for_which_there_is_no_room() {
    let made = backed_up();
    let dir = made.path();
    // A limit of file size is what a full disk is to a write.
    let within = |kib: u32, command: &str| {
        let binary = env!("CARGO_BIN_EXE_gapura");
        let script = format!(
            "ulimit -f {} && trap '' XFSZ && exec {binary} db {command} --config gapura.toml",
            kib * 2
        );
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &script]).current_dir(dir).output().unwrap()
    };
    let before = names(dir);
    // A name server alone has a database that fits into the last.
    let limits: &[u32] = if cfg!(feature = "approval") { &[8, 64, 300] } else { &[8, 64] };
    for &kib in limits {
        let output = within(kib, "backup no.backup");
        refused(&output, "no backup was made");
        assert_eq!(names(dir), before, "{kib} KiB: {}", printed(&output));
    }
    std::fs::rename(dir.join("state"), dir.join("lost")).unwrap();
    let before = names(dir);
    for kib in [8, 64] {
        let output = within(kib, "restore one.backup");
        refused(&output, "nothing was restored");
        assert_eq!(names(dir), before, "{kib} KiB: {}", printed(&output));
    }
}

#[test]
fn secondaries_that_are_ahead_follow_a_restored_primary() {
    for program in [Program::Knot, Program::Nsd] {
        if !peers::are_here(&[program]) {
            return;
        }
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        let mut peer = Peer::new(program);
        let zone = |serial: u32, address: u8| {
            let text = format!(
                "$ORIGIN example.\n$TTL 300\n@ SOA ns h {serial} 3600 600 86400 300\n@ NS ns\n\
                 ns A 192.0.2.1\nwww A 192.0.2.{address}\n"
            );
            std::fs::write(dir.join("example.zone"), text).unwrap();
        };
        zone(100, 1);
        let remote = peer.remote("ns2", None);
        let lists = "transfer = [\"ns2\"]\nnotify = [\"ns2\"]\n";
        let table =
            format!("{remote}\n[[zone]]\nname = \"example.\"\nfile = \"example.zone\"\n{lists}");
        lay_out(dir, &table);
        let address = fix_port(dir);
        let daemon = Daemon::in_dir(dir);
        peer.serve(&[PeerZone::secondary("example.", address)]);
        peer.until_serial("example.", 100);
        done(&daemon.gapura(&["db", "backup", "one.backup", "--json"]));
        // The world goes on, and then the disk is lost.
        for (serial, host) in [(101, 2), (140, 3)] {
            zone(serial, host);
            let reloaded = daemon.gapura(&["ctl", "reload"]);
            assert_eq!(reloaded.status.code(), Some(0), "{}", printed(&reloaded));
            peer.until_serial("example.", serial);
        }
        crate::support::kill(daemon.pid(), "KILL");
        drop(daemon);
        std::fs::rename(dir.join("state"), dir.join("lost")).unwrap();
        zone(102, 9);
        let told = done(&run_in(dir, &["db", "restore", "one.backup", "--json"]));
        assert_eq!(told["floors"]["example."], 140, "{told}");
        let daemon = Daemon::in_dir(dir);
        let serial = peers::serial(daemon.dns(), "example.").unwrap();
        assert!(serial > 140, "{serial}");
        peer.until_serial("example.", serial);
        let lines = peer.records("example.");
        assert!(lines.iter().any(|line| line.ends_with("A c0000209")), "{lines:?}");
        drop(daemon);
        peer.stop();
    }
}

#[test]
fn a_floor_that_is_named_counts() {
    let made = backed_up();
    let dir = made.path();
    std::fs::rename(dir.join("state"), dir.join("lost")).unwrap();
    let wrong = run_in(dir, &["db", "restore", "one.backup", "--serial-floor", "example"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", printed(&wrong));
    let floor = "cirebonkab.go.id.=3000000000";
    done(&run_in(dir, &["db", "restore", "one.backup", "--serial-floor", floor, "--json"]));
    let daemon = Daemon::in_dir(dir);
    assert!(peers::serial(daemon.dns(), "cirebonkab.go.id.").unwrap() > 3_000_000_000);
}

#[test]
fn the_time_of_the_last_backup_is_a_figure() {
    let daemon = Daemon::start("\n[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let figure = || {
        let metrics = crate::support::http::Caller::new(
            &format!("http://{}", daemon.ready["metrics"].as_str().unwrap()),
            &[],
        );
        let text = metrics.get("/metrics").text();
        let line = text.lines().find(|it| it.starts_with("gapura_backup_timestamp_seconds "));
        line.unwrap().rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    assert!(figure() < 1.0);
    done(&daemon.gapura(&["db", "backup", "one.backup", "--json"]));
    assert!(figure() > 1_700_000_000.0);
}

#[cfg(feature = "approval")]
mod office {
    //! The same with a queue.

    use std::sync::atomic::{AtomicBool, Ordering};

    use serde_json::{Value, json};

    use super::*;
    use crate::support::data;
    use crate::support::http::Caller;
    use crate::support::office::{Office, act, service, token_text};

    /// A request for an address that goes live; its number.
    fn live(office: &Office, name: &str, address: &str) -> String {
        let record = json!([{ "type": "A", "data": address, "ttl": 300 }]);
        let (number, _) = office.submit(&service(name, record));
        office.dispose(&number);
        let live = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
        assert_eq!(live["state"], "live");
        number
    }

    /// Erases the person behind a request.
    fn erase(office: &Office, number: &str) {
        let body = json!({ "ground": "diminta yang bersangkutan" });
        office.kabid.post(&act(number, "erase"), &body).ok();
    }

    #[test]
    fn the_drill() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        // Those who ask meanwhile ask often.
        lay_out(dir, "\n[rate_limit]\nresponses_per_second = 0\n");
        let office = Office::of(Daemon::in_dir(dir));
        let kept = live(&office, "layanan-tetap", "192.0.2.77");
        let gone = live(&office, "lupakan", "192.0.2.78");
        let early = live(&office, "lupakan-dulu", "192.0.2.79");
        erase(&office, &early);
        let old_token = token_text(&office.daemon, "budi", "read,decide");
        let dns = office.daemon.dns();
        // A backup under load: whoever asks meanwhile is answered.
        let stop = AtomicBool::new(false);
        let made_while = std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let www = ask(dns, "www.cirebonkab.go.id.", RecordType::A);
                        assert!(!www.answers.is_empty());
                    }
                });
            }
            let made = office.daemon.gapura(&["db", "backup", "one.backup", "--json"]);
            stop.store(true, Ordering::Relaxed);
            done(&made)
        });
        assert_eq!(made_while["manifest"]["missing"], json!([]), "{made_while}");
        // After the backup somebody is erased; then the machine dies.
        erase(&office, &gone);
        let serial = peers::serial(dns, "cirebonkab.go.id.").unwrap();
        crate::support::kill(office.daemon.pid(), "KILL");
        drop(office);

        let elsewhere = tempfile::tempdir().unwrap();
        let there = elsewhere.path();
        lay_out(there, "");
        let copy = |from: &str, to: &str| {
            std::fs::copy(dir.join(from), there.join(to)).unwrap();
        };
        copy("one.backup", "one.backup");
        copy("state/erasures", "erasures");
        let args = ["db", "restore", "one.backup", "--erasures", "erasures", "--json"];
        let told = done(&run_in(there, &args));
        assert_eq!(told["erased"], json!([gone]), "{told}");
        assert_eq!(told["ended"]["tokens"], 4, "{told}");
        assert!(told["held"]["notices"].as_u64().unwrap() > 0, "no mail goes out twice: {told}");
        let verified = run_in(there, &["audit", "verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));

        let daemon = Daemon::in_dir(there);
        assert_eq!(
            data(&ask(daemon.dns(), "layanan-tetap.cirebonkab.go.id.", RecordType::A)),
            ["192.0.2.77"]
        );
        assert!(peers::serial(daemon.dns(), "cirebonkab.go.id.").unwrap() > serial);
        let held = Caller::with_token(&daemon.web(), &old_token);
        assert_eq!(held.get("/api/v1/requests").status, 401, "the token is dead");
        let kasi = crate::support::office::token(&daemon, "siti", "read");
        let contact = |number: &str| -> Value {
            kasi.get(&format!("/api/v1/requests/{number}")).ok()["contact"]["name"].clone()
        };
        assert_eq!(contact(&gone), "", "erased after the backup");
        assert_eq!(contact(&early), "", "erased before it");
        assert_eq!(contact(&kept), "Kuwu Sindangjawa");
        let verified = daemon.gapura(&["audit", "verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
        let status = daemon.gapura(&["ctl", "status"]);
        assert_eq!(status.status.code(), Some(0), "{}", printed(&status));
    }

    #[test]
    fn a_database_put_back_by_hand_brings_nobody_back_who_was_erased() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let office = Office::of(Daemon::in_dir(dir));
        let gone = live(&office, "lupakan", "192.0.2.78");
        assert_eq!(office.daemon.end_with("TERM"), Some(0));
        std::fs::copy(dir.join("state/gapura.db"), dir.join("old.db")).unwrap();
        let office = Office { daemon: Daemon::in_dir(dir), ..office };
        let kabid = crate::support::office::token(&office.daemon, "budi", "read,decide");
        let office = Office { kabid, ..office };
        erase(&office, &gone);
        assert_eq!(office.daemon.end_with("TERM"), Some(0));
        std::fs::copy(dir.join("old.db"), dir.join("state/gapura.db")).unwrap();
        let daemon = Daemon::in_dir(dir);
        let kasi = crate::support::office::token(&daemon, "siti", "read");
        let seen = kasi.get(&format!("/api/v1/requests/{gone}")).ok();
        assert_eq!(seen["contact"]["name"], "", "{seen}");
        let verified = daemon.gapura(&["audit", "verify"]);
        assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
        // A list that does not read may be the only one that knows of an erasure.
        assert_eq!(daemon.end_with("TERM"), Some(0));
        let list = dir.join("state/erasures");
        let damaged = std::fs::read_to_string(&list).unwrap() + "\u{0}\n";
        std::fs::write(&list, &damaged).unwrap();
        assert_eq!(Daemon::in_dir(dir).end_with("TERM"), Some(0));
        assert_eq!(std::fs::read_to_string(&list).unwrap(), damaged);
    }

    #[test]
    fn a_letter_or_a_key_that_is_gone_is_told_and_the_rest_is_kept() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let office = Office::of(Daemon::in_dir(dir));
        live(&office, "surat", "192.0.2.77");
        let letters = dir.join("state/letters");
        let letter = names(&letters).remove(0);
        std::fs::remove_file(letters.join(&letter)).unwrap();
        let output = office.daemon.gapura(&["db", "backup", "one.backup"]);
        refused(&output, &format!("MISSING: letters/{letter}"));
        let checked = run_in(dir, &["db", "check", "one.backup"]);
        assert_eq!(checked.status.code(), Some(0), "{}", printed(&checked));
        // Tokens of then would hold again: without the queue's keys none can be ended.
        std::fs::remove_file(dir.join("state/personal.key")).unwrap();
        refused(&office.daemon.gapura(&["db", "backup", "two.backup"]), "MISSING");
        let other = tempfile::tempdir().unwrap();
        lay_out(other.path(), "");
        std::fs::copy(dir.join("two.backup"), other.path().join("two.backup")).unwrap();
        let restore = run_in(other.path(), &["db", "restore", "two.backup"]);
        refused(&restore, "without the keys of its queue");
        assert!(!other.path().join("state/gapura.db").exists());
    }

    /// A command of SQLite in the database of a stopped daemon.
    fn sqlite(dir: &Path, text: &str) {
        let file = rusqlite::Connection::open(dir.join("state/gapura.db")).unwrap();
        file.execute_batch(text).unwrap();
    }

    #[test]
    fn an_upgrade_keeps_the_database_as_it_was_and_the_way_back_works() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let office = Office::of(Daemon::in_dir(dir));
        live(&office, "layanan-tetap", "192.0.2.77");
        assert_eq!(office.daemon.end_with("TERM"), Some(0));
        // What the version before had not: the last steps, and what they made.
        sqlite(
            dir,
            "DROP INDEX event_erase; ALTER TABLE person DROP COLUMN former; DROP TABLE publishing; DROP TABLE served_zone; \
             ALTER TABLE zone_change DROP COLUMN publisher; ALTER TABLE zone DROP COLUMN file_node; \
             DELETE FROM migration WHERE number >= 131;",
        );
        let before = dir.join("state/before-upgrade-130.db");
        let works = |what: &str| {
            let daemon = Daemon::in_dir(dir);
            let promoted = ask(daemon.dns(), "layanan-tetap.cirebonkab.go.id.", RecordType::A);
            assert_eq!(data(&promoted), ["192.0.2.77"], "{what}");
            let verified = daemon.gapura(&["audit", "verify"]);
            assert_eq!(verified.status.code(), Some(0), "{what}: {}", printed(&verified));
            assert_eq!(daemon.end_with("TERM"), Some(0));
        };
        works("the upgrade");
        assert!(before.exists(), "{:?}", names(&dir.join("state")));
        // This version meets a database of a later one: nothing is written, names are answered.
        sqlite(dir, "INSERT INTO migration VALUES (9999, 'later')");
        let written = std::fs::read(dir.join("state/gapura.db")).unwrap();
        let daemon = Daemon::in_dir(dir);
        let promoted = ask(daemon.dns(), "layanan-tetap.cirebonkab.go.id.", RecordType::A);
        assert_eq!(data(&promoted), ["192.0.2.77"]);
        refused(&daemon.gapura(&["ctl", "status"]), "of a later version of gapura");
        assert_eq!(daemon.end_with("TERM"), Some(0));
        assert_eq!(std::fs::read(dir.join("state/gapura.db")).unwrap(), written);
        // The way back.
        std::fs::rename(&before, dir.join("state/gapura.db")).unwrap();
        works("the way back");
    }

    #[test]
    fn settings_with_a_fault_are_no_reason_to_have_no_backup() {
        let made = backed_up();
        let dir = made.path();
        crate::support::write_settings(dir, "\n[nonsense]\nx = 1\n");
        let output = run_in(dir, &["db", "backup", "two.backup"]);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    }
}
