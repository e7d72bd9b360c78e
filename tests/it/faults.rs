//! Port 53 answers whatever becomes of the database, the keys and the rest: zones are served with all promoted
//! names, and what is closed says why.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hickory_proto::rr::RecordType;

use crate::support::office::{Office, act, service};
use crate::support::{Daemon, ask, copy_all, data};

/// A promoted name.
const PROMOTED: &str = "layanan-tetap.cirebonkab.go.id.";

/// An office with one promoted name, stopped; the directory of its state.
fn after_a_promotion() -> (tempfile::TempDir, PathBuf) {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path().to_owned();
    crate::support::lay_out(&dir, "");
    let office = Office::of(Daemon::in_dir(&dir));
    let request = service(
        "layanan-tetap",
        serde_json::json!([
            { "type": "A", "data": "192.0.2.77", "ttl": 300 }
        ]),
    );
    let (number, _) = office.submit(&request);
    office.dispose(&number);
    let live = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    assert_eq!(live["state"], "live");
    // No clean stop: what was acknowledged has to be there.
    crate::support::kill(office.daemon.pid(), "KILL");
    drop(office);
    (made, dir)
}

/// Copies the office, spoils the copy, starts there: zone and promoted name are answered. Returns what
/// `ctl status --json` says.
#[track_caller]
fn answers_after(dir: &Path, what: &str, spoil: impl Fn(&Path)) -> serde_json::Value {
    let copy = tempfile::tempdir().unwrap();
    copy_all(dir, copy.path());
    spoil(&copy.path().join("state"));
    let daemon = Daemon::in_dir(copy.path());
    let www = ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    assert!(!www.answers.is_empty(), "{what}: www {:?}", www.metadata.response_code);
    let promoted = ask(daemon.dns(), PROMOTED, RecordType::A);
    assert_eq!(data(&promoted), ["192.0.2.77"], "{what}: the promoted name");
    let status = daemon.gapura(&["ctl", "status", "--json"]);
    serde_json::from_slice(&status.stdout).unwrap()
}

/// Removes the files that SQLite keeps beside the database.
fn drop_wal(state: &Path) {
    for name in ["gapura.db-wal", "gapura.db-shm"] {
        let _ = std::fs::remove_file(state.join(name));
    }
}

#[test]
fn a_lost_empty_or_foreign_database_takes_nothing_down() {
    let (_made, dir) = after_a_promotion();
    let lost = |what: &str, spoil: &dyn Fn(&Path)| {
        let status = answers_after(&dir, what, spoil);
        assert!(status["stand_in"].is_string(), "{what}: {status}");
        assert!(status["queue_closed"].is_string(), "{what}: {status}");
    };
    let db = |state: &Path| state.join("gapura.db");
    lost("missing", &|state| {
        drop_wal(state);
        std::fs::remove_file(db(state)).unwrap();
    });
    lost("empty", &|state| {
        drop_wal(state);
        std::fs::write(db(state), b"").unwrap();
    });
    lost("text", &|state| {
        drop_wal(state);
        std::fs::write(db(state), b"this is no database at all\n".repeat(400)).unwrap();
    });
    lost("of another office", &|state| {
        drop_wal(state);
        std::fs::remove_file(db(state)).unwrap();
        drop(gapura::store::Store::open(state).unwrap());
    });
    lost("of a later version", &|state| {
        let file = rusqlite::Connection::open(db(state)).unwrap();
        file.execute("INSERT INTO migration VALUES (9999, 'later')", []).unwrap();
    });
    lost("without a table", &|state| {
        let file = rusqlite::Connection::open(db(state)).unwrap();
        file.execute("ALTER TABLE request RENAME TO other", []).unwrap();
    });
    // And the database itself, which nobody has touched, is used.
    let status = answers_after(&dir, "untouched", |_| {});
    assert!(status["stand_in"].is_null() && status["queue_closed"].is_null(), "{status}");
}

#[test]
fn whichever_page_of_the_database_is_damaged_names_are_answered() {
    let (_made, dir) = after_a_promotion();
    let state = dir.join("state");
    // All of it in one file, as after a clean stop.
    rusqlite::Connection::open(state.join("gapura.db"))
        .unwrap()
        .pragma_update(None, "wal_checkpoint", "TRUNCATE")
        .unwrap();
    let pages = std::fs::metadata(state.join("gapura.db")).unwrap().len() / 4096;
    assert!(pages > 20);
    // Every page near the front, where the tables of zones are; samples of the rest.
    for page in (0..20).chain((20..pages).step_by(9)) {
        answers_after(&dir, &format!("page {page}"), |state| {
            drop_wal(state);
            let file = std::fs::OpenOptions::new().write(true).open(state.join("gapura.db"));
            let mut file = file.unwrap();
            file.seek(SeekFrom::Start(page * 4096)).unwrap();
            file.write_all(&[0; 4096]).unwrap();
        });
    }
}

#[test]
fn lost_keys_close_the_queue_and_nothing_else() {
    let (_made, dir) = after_a_promotion();
    for key in ["audit.key", "personal.key"] {
        let status =
            answers_after(&dir, key, |state| std::fs::remove_file(state.join(key)).unwrap());
        assert!(status["queue_closed"].is_string(), "{key}: {status}");
    }
}

#[test]
fn the_stand_in_works_again_after_a_crash() {
    let (_made, dir) = after_a_promotion();
    drop_wal(&dir.join("state"));
    std::fs::write(dir.join("state/gapura.db"), b"").unwrap();
    for turn in 0..3 {
        let daemon = Daemon::in_dir(&dir);
        let promoted = ask(daemon.dns(), PROMOTED, RecordType::A);
        assert_eq!(data(&promoted), ["192.0.2.77"], "start {turn}");
        crate::support::kill(daemon.pid(), "KILL");
    }
}
