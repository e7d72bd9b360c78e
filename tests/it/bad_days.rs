//! Bad days, each as it comes: names are answered, `ctl status` and `readyz` say what is wrong, and what heals is used
//! again by itself. More of them are in `faults`, `limits` and `backup`; docs/bad-days.md tells each.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hickory_proto::rr::RecordType;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::support::{Daemon, ask, lay_out, printed, run_in, until};

/// The daemon answers for a name of its zone.
#[track_caller]
fn answers(daemon: &Daemon) {
    let www = ask(daemon.dns(), "www.cirebonkab.go.id.", RecordType::A);
    assert!(!www.answers.is_empty(), "{:?}", www.metadata.response_code);
}

/// Exit code and words of `ctl status`.
fn status(daemon: &Daemon) -> (Option<i32>, String) {
    let output = daemon.gapura(&["ctl", "status"]);
    (output.status.code(), printed(&output))
}

/// Whether a name has an address.
fn has(daemon: &Daemon, name: &str) -> bool {
    !ask(daemon.dns(), &format!("{name}.cirebonkab.go.id."), RecordType::A).answers.is_empty()
}

#[test]
fn a_port_that_another_program_has_is_said_with_what_to_do() {
    let one = Daemon::start("");
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("127.0.0.1:0\", \"[::1]:0", &one.dns().to_string());
    std::fs::write(&path, text).unwrap();
    let output = run_in(made.path(), &["serve"]);
    let told = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("another program listens there"), "{told}");
    answers(&one);
}

#[test]
fn an_address_that_is_not_there_yet_is_worth_another_try() {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    // Of a network for documentation: nobody has it.
    let text = text.replace("127.0.0.1:0\", \"[::1]:0", "192.0.2.1:5399");
    std::fs::write(&path, text).unwrap();
    let output = run_in(made.path(), &["serve"]);
    let told = printed(&output);
    // The unit starts it again after 1, and not after 2.
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("this machine has no such address"), "{told}");
}

#[test]
fn an_address_that_comes_later_is_answered_at_once() {
    // Of a network for documentation: nobody has it.
    let settings = "[server]\nlisten = [\"127.0.0.1:0\", \"192.0.2.1:5399\"]\nfreebind = true\nstate_dir = \"state\"\n\
         [web]\nlisten = \"127.0.0.1:0\"\n[[zone]]\nname = \"cirebonkab.go.id.\"\nfile = \"cirebonkab.go.id.zone\"\n";
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    std::fs::write(made.path().join("gapura.toml"), settings).unwrap();
    let daemon = Daemon::in_dir(made.path());
    answers(&daemon);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    std::fs::write(made.path().join("gapura.toml"), settings.replace("freebind = true\n", ""))
        .unwrap();
    let told = printed(&run_in(made.path(), &["serve"]));
    assert!(told.contains("freebind"), "{told}");
}

#[test]
fn without_files_to_open_names_are_answered_and_the_rest_comes_back() {
    let daemon = Daemon::start("");
    let pid = Pid::from_raw(i32::try_from(daemon.pid()).unwrap());
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = |files| {
        let limit = Rlimit { current: Some(files), maximum };
        prlimit(pid, Resource::Nofile, limit).unwrap();
    };
    limit(3);
    for _ in 0..20 {
        answers(&daemon);
    }
    limit(1_024);
    until("the control socket is back", || status(&daemon).0 == Some(0));
    daemon.add_record("kembali A 192.0.2.9");
    until("an edit goes live", || has(&daemon, "kembali"));
}

//------------ As somebody who may little ------------------------------------

/// Somebody who is nobody.
const NOBODY: u32 = 65_534;

/// `gapura serve` as nobody, who may read the directory; what it printed, once it ended.
fn serve_as_nobody(dir: &Path) -> Output {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_gapura"));
    serve.args(["serve", "--config", "gapura.toml"]).current_dir(dir).uid(NOBODY).gid(NOBODY);
    serve.stdin(Stdio::null()).output().unwrap()
}

/// A directory that nobody may read; none where we may not become another user.
fn shared() -> Option<tempfile::TempDir> {
    if !rustix::process::geteuid().is_root() {
        crate::skipped::skipped("not root: nobody else can be become");
        return None;
    }
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(made.path(), 0o755);
    // The program may be below a directory that only we may enter.
    let mut trial = Command::new(env!("CARGO_BIN_EXE_gapura"));
    if trial.arg("--version").uid(NOBODY).stdout(Stdio::null()).status().is_err() {
        crate::skipped::skipped("nobody may not run the program where it lies");
        return None;
    }
    Some(made)
}

#[test]
fn who_may_not_bind_the_port_is_told_how_to() {
    let Some(made) = shared() else { return };
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("\"127.0.0.1:0\", \"[::1]:0\"", "\"127.0.0.1:53\"");
    std::fs::write(&path, text).unwrap();
    let output = serve_as_nobody(made.path());
    let told = printed(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("CAP_NET_BIND_SERVICE"), "{told}");
}

#[test]
fn without_rights_to_the_state_directory_names_are_answered() {
    let Some(made) = shared() else { return };
    let dir = made.path();
    assert_eq!(Daemon::in_dir(dir).end_with("TERM"), Some(0));
    // The directory belongs to root, and only root may enter it.
    let daemon = Daemon::as_user(dir, NOBODY);
    answers(&daemon);
    let warnings = daemon.ready["warnings"].to_string();
    assert!(warnings.contains("state directory") && warnings.contains("writ"), "{warnings}");
}

#[test]
fn a_zone_file_that_may_not_be_read_leaves_the_zone_as_it_was() {
    let Some(made) = shared() else { return };
    let dir = made.path();
    std::fs::create_dir(dir.join("state")).unwrap();
    std::os::unix::fs::chown(dir.join("state"), Some(NOBODY), Some(NOBODY)).unwrap();
    std::fs::set_permissions(dir.join("state"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let daemon = Daemon::as_user(dir, NOBODY);
    answers(&daemon);
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(daemon.zone_file(), permissions).unwrap();
    };
    mode(0o600);
    let refused = daemon.gapura(&["ctl", "reload"]);
    assert_eq!(refused.status.code(), Some(1), "{}", printed(&refused));
    answers(&daemon);
    let (exit, told) = status(&daemon);
    assert_eq!(exit, Some(1), "{told}");
    assert!(told.contains("ermission denied"), "{told}");
    mode(0o644);
    daemon.add_record("kembali A 192.0.2.9");
    until("the file is read again by itself", || has(&daemon, "kembali"));
    assert_eq!(status(&daemon).0, Some(0));
}

//------------ The database --------------------------------------------------

#[cfg(feature = "approval")]
mod office {
    //! With a queue that has to say so.

    use serde_json::json;

    use super::*;
    use crate::support::http::Response;
    use crate::support::lay_out_large;
    use crate::support::office::{LETTER, Office, act, service};

    /// Sends a request in.
    fn submit(office: &Office, name: &str) -> Response {
        let record = json!([{ "type": "A", "data": "192.0.2.9", "ttl": 300 }]);
        office.applicant.post_request("/api/v1/requests", &service(name, record), LETTER)
    }

    #[test]
    fn a_database_that_another_program_locks_takes_requests_again_when_it_lets_go() {
        let office = Office::open();
        let path = office.daemon.dir.join("state/gapura.db");
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = submit(&office, "terkunci");
        assert_eq!(refused.refused(), (503, "unavailable".to_owned()), "{}", refused.text());
        assert!(refused.head.to_lowercase().contains("retry-after: "), "{}", refused.head);
        answers(&office.daemon);
        let (exit, told) = status(&office.daemon);
        assert_eq!(exit, Some(1), "{told}");
        assert!(told.contains("locked"), "{told}");
        office.daemon.add_record("baru A 192.0.2.9");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(submit(&office, "terbuka").status, 201);
        until("what was edited meanwhile is live", || has(&office.daemon, "baru"));
        until("all is well again", || status(&office.daemon).0 == Some(0));
    }

    #[test]
    fn a_database_that_is_locked_at_the_start_is_used_when_it_is_let_go() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let office = Office::of(Daemon::in_dir(dir));
        assert_eq!(submit(&office, "dulu").status, 201);
        assert_eq!(office.daemon.end_with("TERM"), Some(0));
        // Of an erasure that has nothing to be done again.
        let head = "# Requests whose personal data was erased: number, hash of its first event. Keep a copy elsewhere.";
        std::fs::write(dir.join("state/erasures"), format!("{head}\nGPR-2025-00009 00\n")).unwrap();
        let other = rusqlite::Connection::open(dir.join("state/gapura.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let daemon = Daemon::in_dir(dir);
        answers(&daemon);
        let (exit, told) = status(&daemon);
        assert!(!told.contains("the queue is closed"), "{exit:?} {told}");
        other.execute_batch("ROLLBACK").unwrap();
        until("all is well", || status(&daemon).0 == Some(0));
        let applicant = crate::support::http::Caller::new(&daemon.web(), &[]);
        let record = json!([{ "type": "A", "data": "192.0.2.9", "ttl": 300 }]);
        let taken = applicant.post_request("/api/v1/requests", &service("kini", record), LETTER);
        assert_eq!(taken.status, 201, "{}", taken.text());
    }

    #[test]
    fn a_large_database_is_scrubbed_where_sqlite_puts_its_files() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        // More records than fit into SQLite's memory.
        lay_out_large(dir, "");
        let daemon = Daemon::in_dir(dir);
        answers(&daemon);
        let file = rusqlite::Connection::open_with_flags(
            dir.join("state/gapura.db"),
            rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY,
        )
        .unwrap();
        let is_clean = || {
            let mark = file.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
            mark.is_ok_and(|mark| mark == 1)
        };
        until("it is scrubbed", is_clean);
    }

    #[test]
    fn a_database_that_is_damaged_while_it_runs_takes_nothing_down() {
        let office = Office::open();
        let path = office.daemon.dir.join("state/gapura.db");
        let fold = rusqlite::Connection::open(&path).unwrap();
        fold.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
        drop(fold);
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        let octets = file.metadata().unwrap().len();
        let junk = vec![0x5a; usize::try_from(octets).unwrap() - 4_096];
        std::os::unix::fs::FileExt::write_all_at(&file, &junk, 4_096).unwrap();
        let refused = submit(&office, "rusak");
        assert_eq!(refused.status, 503, "{}", refused.text());
        answers(&office.daemon);
        until("status says so", || status(&office.daemon).0 == Some(1));
        let told = status(&office.daemon).1;
        assert!(told.contains("malformed") || told.contains("damaged"), "{told}");
    }

    #[test]
    fn a_full_disk_refuses_changes_and_room_lets_them_through() {
        let made = tempfile::tempdir().unwrap();
        let dir = made.path();
        lay_out(dir, "");
        let first = "mkdir -p state && mount -t tmpfs -o size=24m,mode=700 tmpfs state";
        let Some(daemon) = Daemon::in_namespace(dir, first) else {
            return crate::skipped::skipped("no mount namespace here");
        };
        // What another mount namespace sees, by way of one of its processes.
        let inside = Path::new("/proc").join(daemon.pid().to_string()).join("root");
        let state = inside.join(dir.strip_prefix("/").unwrap()).join("state");
        let path = dir.join("gapura.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let seen = text.replace("\"state\"", &format!("{state:?}"));
        // Commands go by where the test sees the state directory.
        std::fs::write(&path, seen).unwrap();
        let office = Office::of(daemon);
        let number = submit(&office, "muat").json()["number"].as_str().unwrap().to_owned();
        assert_eq!(status(&office.daemon).0, Some(0));
        let fill = state.join("fill");
        let mut file = std::fs::File::create(&fill).unwrap();
        // Until nothing fits any more.
        while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
        drop(file);
        // What is left is the officers', and when nothing is, theirs waits, too.
        assert_eq!(submit(&office, "penuh").refused(), (503, "no_room".to_owned()));
        let body = json!({ "to": "siti", "instruction": "Periksa." });
        let refused = office.kabid.post(&act(&number, "dispose"), &body);
        assert_eq!(refused.refused(), (507, "disk_full".to_owned()), "{}", refused.text());
        answers(&office.daemon);
        until("status says so", || status(&office.daemon).1.contains("is full"));
        assert_eq!(status(&office.daemon).0, Some(1));
        assert_eq!(office.applicant.get("/readyz").status, 503);
        office.daemon.add_record("baru A 192.0.2.9");
        std::fs::remove_file(&fill).unwrap();
        assert_eq!(submit(&office, "lapang").status, 201);
        office.dispose(&number);
        until("what was edited meanwhile is live", || has(&office.daemon, "baru"));
        until("all is well again", || status(&office.daemon).0 == Some(0));
    }
}
