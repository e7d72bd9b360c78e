//! Port 53 answers whatever becomes of the database, the keys and the rest: zones are served with all promoted
//! names, and what is closed says why.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hickory_proto::rr::RecordType;

use crate::support::http::Caller;
use crate::support::office::{Office, act, service};
use crate::support::{Daemon, ask, copy_all, data, make_pipe, printed, until};

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

#[test]
fn whatever_else_cannot_be_opened_names_are_answered_and_status_says_what() {
    let (_made, dir) = after_a_promotion();
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil, &str, &str); 8] = [
        (
            "a query log that is a pipe without a reader",
            |state| {
                drop(std::fs::remove_file(state.join("query.jsonl")));
                make_pipe(&state.join("query.jsonl"));
            },
            "faults",
            "a pipe that nobody reads",
        ),
        (
            "a query log that is a directory",
            |state| {
                drop(std::fs::remove_file(state.join("query.jsonl")));
                std::fs::create_dir(state.join("query.jsonl")).unwrap();
            },
            "faults",
            "query.jsonl",
        ),
        (
            "no certificate",
            |state| {
                let path = state.parent().unwrap().join("gapura.toml");
                let tls =
                    "\n[tls]\nlisten = [\"127.0.0.1:0\"]\ncert = \"no.crt\"\nkey = \"no.key\"\n";
                let text = std::fs::read_to_string(&path).unwrap() + tls;
                std::fs::write(path, text).unwrap();
            },
            "faults",
            "DNS over TLS is off",
        ),
        (
            "a key that is a pipe",
            |state| {
                std::fs::remove_file(state.join("audit.key")).unwrap();
                make_pipe(&state.join("audit.key"));
            },
            "queue_closed",
            "audit.key",
        ),
        (
            "another personal key",
            |state| std::fs::write(state.join("personal.key"), [7; 32]).unwrap(),
            "queue_closed",
            "is not the one the database was written with",
        ),
        (
            "a lock that cannot be written",
            |state| {
                std::fs::remove_file(state.join("lock")).unwrap();
                std::fs::create_dir(state.join("lock")).unwrap();
            },
            "queue_closed",
            "cannot be written",
        ),
        (
            "copies that cannot be written",
            |state| {
                std::fs::remove_dir_all(state.join("served")).unwrap();
                std::fs::write(state.join("served"), "").unwrap();
            },
            "faults",
            "outdated beside the database",
        ),
        (
            "neither database nor a good zone file",
            |state| {
                drop_wal(state);
                std::fs::remove_file(state.join("gapura.db")).unwrap();
                let zone = state.parent().unwrap().join("cirebonkab.go.id.zone");
                std::fs::write(zone, "this is no zone\n").unwrap();
            },
            "queue_closed",
            "missing or empty",
        ),
    ];
    for (what, spoil, key, word) in cases {
        let status = answers_after(&dir, what, spoil);
        assert!(status[key].to_string().contains(word), "{what}: {status}");
    }
}

#[test]
fn a_closed_queue_says_so_to_people_programs_and_supervisors() {
    let (_made, dir) = after_a_promotion();
    let state = dir.join("state");
    std::fs::remove_file(state.join("personal.key")).unwrap();
    let daemon = Daemon::in_dir(&dir);
    let anybody = Caller::new(&daemon.web(), &[]);
    let page = anybody.get("/antrean");
    assert_eq!(page.status, 503, "{}", page.text());
    for words in ["Antrean sedang ditutup", "The queue is closed", "gapura ctl status"] {
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert!(page.head.to_lowercase().contains("retry-after: "), "{}", page.head);
    assert_eq!(anybody.get("/api/v1/records").refused(), (503, "queue_closed".to_owned()));
    let ready = anybody.get("/readyz");
    assert_eq!((ready.status, ready.json()["status"].as_str()), (503, Some("queue closed")));
    assert_eq!(anybody.get("/healthz").status, 200);
    assert!(!state.join("personal.key").exists(), "no key is made in the place of a lost one");
}

#[test]
fn a_database_taken_away_while_it_runs_takes_no_request_and_is_not_made_anew() {
    type Loss = fn(&Path);
    let losses: [(&str, Loss); 3] = [
        ("removed", |state| std::fs::remove_file(state.join("gapura.db")).unwrap()),
        ("cut short", |state| std::fs::write(state.join("gapura.db"), "").unwrap()),
        ("state removed", |state| std::fs::remove_dir_all(state).unwrap()),
    ];
    for (what, loss) in losses {
        let office = Office::open();
        let state = office.daemon.dir.join("state");
        loss(&state);
        let request = service(
            "hilang",
            serde_json::json!([{ "type": "A", "data": "192.0.2.9", "ttl": 300 }]),
        );
        let refused = office.applicant.post_request(
            "/api/v1/requests",
            &request,
            crate::support::office::LETTER,
        );
        assert_eq!(refused.refused(), (503, "unavailable".to_owned()), "{what}");
        assert!(refused.head.to_lowercase().contains("retry-after: "), "{what}");
        // What was seen is believed for a second.
        until(what, || office.applicant.get("/readyz").status == 503);
        let www = ask(office.daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
        assert!(!www.answers.is_empty(), "{what}");
        let left = std::fs::metadata(state.join("gapura.db")).map_or(0, |file| file.len());
        assert_eq!(left, 0, "{what}: nothing takes its place");
    }
}

#[test]
fn a_read_only_state_directory_closes_the_queue_and_nothing_else() {
    let (_made, dir) = after_a_promotion();
    let first = "mount --bind state state && mount -o remount,ro,bind state";
    let Some(daemon) = Daemon::in_namespace(&dir, first) else {
        return crate::skipped::skipped("no mount namespace here");
    };
    let promoted = ask(daemon.dns(), PROMOTED, RecordType::A);
    assert_eq!(data(&promoted), ["192.0.2.77"]);
    let page = Caller::new(&daemon.web(), &[]).get("/");
    assert_eq!(page.status, 503);
    assert!(page.text().contains("tidak dapat menulis berkasnya"), "{}", page.text());
}

#[test]
fn a_directory_of_letters_that_is_not_mounted_is_asked_for_first() {
    let (_made, dir) = after_a_promotion();
    let [letters, aside] = ["letters", "letters-aside"].map(|it| dir.join("state").join(it));
    let verified = || {
        let output = crate::support::run_in(&dir, &["audit", "verify"]);
        (output.status.code(), printed(&output))
    };
    std::fs::rename(&letters, &aside).unwrap();
    let (code, said) = verified();
    assert!(code == Some(1) && said.starts_with("is the disk mounted? "), "{said}");
    assert!(said.contains("state/letters is not there") && said.contains("is gone"), "{said}");
    assert!(said.contains("what to do: mount it") && !said.contains("find out who"), "{said}");
    std::fs::create_dir(&letters).unwrap();
    let (code, said) = verified();
    assert!(code == Some(1) && said.contains("has not the one file"), "{said}");
    std::fs::remove_dir(&letters).unwrap();
    std::fs::rename(&aside, &letters).unwrap();
    let (code, said) = verified();
    assert!(code == Some(0) && !said.contains("mounted"), "{said}");
}
