//! The database on a server of PostgreSQL: the same story, crashes on either side, the way there and back.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use hickory_proto::rr::RecordType;
use serde_json::json;

use crate::postgres_cluster::Cluster;
use crate::support::http::{Caller, form};
use crate::support::office::{LETTER, Office, act, service, village};
use crate::support::{Daemon, ask, data, lay_out, printed, run_in, until, write_settings};

/// The name of [`village`].
const NAME: &str = "sindangjawa.desa.cirebonkab.go.id.";

/// The settings of a database on a server.
fn on(cluster: &Cluster) -> String {
    format!("[database]\nurl = \"{}\"\n", cluster.url())
}

/// A directory of a gapura whose database is on a server.
fn laid_out(cluster: &Cluster) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &on(cluster));
    made
}

/// A request for a service's name.
fn request(name: &str) -> serde_json::Value {
    service(name, json!([{ "type": "A", "data": "192.0.2.9", "ttl": 300 }]))
}

/// What a name is answered with.
fn answer(daemon: &Daemon, name: &str) -> Vec<String> {
    data(&ask(daemon.dns(), name, RecordType::A))
}

/// Sees that the verifier finds nothing, with a daemon or without.
#[track_caller]
fn is_good(dir: &Path) {
    let verified = run_in(dir, &["audit", "verify"]);
    assert!(verified.status.success(), "{}", printed(&verified));
}

/// Brings a request to a live name.
#[track_caller]
fn bring_live(office: &Office) -> String {
    let (number, _) = office.submit(&village());
    office.dispose(&number);
    let live = office.kasi.post(&act(&number, "approve"), &office.approval(&number)).ok();
    assert_eq!(live["state"], "live", "{live}");
    assert_eq!(answer(&office.daemon, NAME), ["192.0.2.200"]);
    number
}

#[test]
fn a_name_goes_live_and_outlives_a_restart_and_an_edit_by_hand_is_found() {
    let Some(cluster) = Cluster::start() else { return };
    let made = laid_out(&cluster);
    let office = Office::of(Daemon::in_dir(made.path()));
    bring_live(&office);
    is_good(made.path());
    assert!(!made.path().join("state/gapura.db").exists());
    assert_eq!(office.daemon.end_with("TERM"), Some(0));
    let daemon = Daemon::in_dir(made.path());
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
    is_good(made.path());
    for (edit, found) in [
        ("UPDATE gapura.live_record SET office = 'lain'", "live_record"),
        ("DELETE FROM gapura.event WHERE sequence = 3", "event"),
        ("CREATE VIEW gapura.bantu AS SELECT 1", "bantu"),
    ] {
        cluster.sql(&format!("SET session_replication_role = replica; {edit}"));
        let verified = run_in(made.path(), &["audit", "verify"]);
        assert_eq!(verified.status.code(), Some(1), "{edit}");
        assert!(printed(&verified).contains(found), "{edit}: {}", printed(&verified));
    }
}

#[test]
fn a_daemon_that_is_killed_again_and_again_leaves_no_half_of_anything() {
    let Some(cluster) = Cluster::start_with(&[]) else { return };
    let made = laid_out(&cluster);
    let mut office = Office::of(Daemon::in_dir(made.path()));
    for turn in 0..4_u64 {
        std::thread::scope(|scope| {
            for at in 0..3 {
                let caller = &office.applicant;
                scope.spawn(move || {
                    for more in 0..20 {
                        let name = format!("layanan-{turn}-{at}-{more}");
                        // The daemon may be gone.
                        let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                            caller.post_request("/api/v1/requests", &request(&name), LETTER)
                        }));
                        if sent.is_err() {
                            break;
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(300 + 170 * turn));
            crate::support::kill(office.daemon.pid(), "KILL");
        });
        drop(office.daemon);
        is_good(made.path());
        let daemon = Daemon::in_dir(made.path());
        office = Office { applicant: Caller::new(&daemon.web(), &[]), daemon, ..office };
        is_good(made.path());
    }
    let gaps = "SELECT count(*) FROM gapura.request r JOIN gapura.request_year y USING (year) \
        GROUP BY y.last HAVING count(*) <> y.last";
    assert_eq!(cluster.sql(gaps), "", "numbers without a gap");
    assert_ne!(cluster.sql("SELECT count(*) FROM gapura.request"), "0");
}

#[test]
fn while_the_server_is_away_names_are_answered_acts_say_so_and_it_goes_on_by_itself() {
    let Some(mut cluster) = Cluster::start() else { return };
    let made = laid_out(&cluster);
    let office = Office::of(Daemon::in_dir(made.path()));
    let number = bring_live(&office);
    cluster.kill();
    let refused = office.applicant.post_request("/api/v1/requests", &request("hilang"), LETTER);
    assert_eq!(refused.refused(), (503, "unavailable".to_owned()));
    assert!(refused.head.to_lowercase().contains("retry-after: "));
    until("not ready", || office.applicant.get("/readyz").status == 503);
    assert_eq!(answer(&office.daemon, NAME), ["192.0.2.200"]);
    cluster.begin();
    let sent = office.applicant.post_request("/api/v1/requests", &request("kembali"), LETTER);
    assert_eq!(sent.status, 201, "{}", sent.text());
    until("ready", || office.applicant.get("/readyz").status == 200);
    assert_eq!(office.kasi.get(&format!("/api/v1/requests/{number}")).ok()["state"], "live");
    is_good(made.path());
}

#[test]
fn while_a_standby_is_away_it_is_said_and_a_stop_leaves_nobody_without_an_answer() {
    let Some(cluster) = Cluster::start() else { return };
    let made = laid_out(&cluster);
    let office = Office::of(Daemon::in_dir(made.path()));
    bring_live(&office);
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    cluster.sql("SELECT pg_reload_conf()");
    let applicant = Caller::new(&office.daemon.web(), &[]);
    let acts = std::thread::spawn(move || {
        applicant.post_request("/api/v1/requests", &request("menunggu"), LETTER)
    });
    until("not ready", || office.applicant.get("/readyz").status == 503);
    let status = printed(&office.daemon.gapura(&["ctl", "status"]));
    assert!(status.contains("a synchronous standby may be away"), "{status}");
    let refused = office.applicant.post_request("/api/v1/requests", &request("hilang"), LETTER);
    assert_eq!(refused.refused(), (503, "unavailable".to_owned()));
    assert_eq!(answer(&office.daemon, NAME), ["192.0.2.200"]);
    assert_eq!(office.daemon.end_with("TERM"), Some(0));
    assert_eq!(acts.join().unwrap().refused(), (503, "slow".to_owned()));
    cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
    cluster.sql("SELECT pg_reload_conf()");
    is_good(made.path());
}

#[test]
fn a_start_without_the_server_answers_and_opens_the_queue_when_it_comes() {
    let Some(mut cluster) = Cluster::start() else { return };
    let made = laid_out(&cluster);
    let office = Office::of(Daemon::in_dir(made.path()));
    bring_live(&office);
    assert_eq!(office.daemon.end_with("TERM"), Some(0));
    cluster.kill();
    let daemon = Daemon::in_dir(made.path());
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
    let status = printed(&daemon.gapura(&["ctl", "status"]));
    assert!(status.contains("is not reached"), "{status}");
    cluster.begin();
    works_again(&daemon, "is not reached");
    let caller = Caller::new(&daemon.web(), &[]);
    let sent = caller.post_request("/api/v1/requests", &request("kembali"), LETTER);
    assert_eq!(sent.status, 201, "{}", sent.text());
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
    is_good(made.path());
}

#[test]
fn a_server_that_is_lost_is_replaced_by_its_standby_and_nothing_is_lost() {
    let Some(mut cluster) = Cluster::start() else { return };
    let standby = cluster.standby();
    let made = tempfile::tempdir().unwrap();
    let url = cluster.url_with(&standby);
    lay_out(made.path(), &format!("[database]\nurl = \"{url}\"\n"));
    let office = Office::of(Daemon::in_dir(made.path()));
    let number = bring_live(&office);
    let sent = office.applicant.post_request("/api/v1/requests", &request("sebelum"), LETTER).ok();
    cluster.kill();
    let refused = office.applicant.post_request("/api/v1/requests", &request("hilang"), LETTER);
    assert_eq!(refused.refused(), (503, "unavailable".to_owned()), "a standby takes no writes");
    assert_eq!(answer(&office.daemon, NAME), ["192.0.2.200"]);
    standby.promote();
    until("ready", || office.applicant.get("/readyz").status == 200);
    let read = |number: &str| office.kasi.get(&format!("/api/v1/requests/{number}")).ok();
    assert_eq!(read(&number)["state"], "live");
    assert_eq!(read(sent["number"].as_str().unwrap())["state"], "submitted");
    // The daemon starts anew on what the standby has: a call before that is refused, or cut off.
    let (kind, body) = form(&request("sesudah"), LETTER);
    let kind = format!("{kind}Idempotency-Key: sesudah-satu-kunci\r\n");
    until("acts are done", || {
        let sent = office.applicant.try_send("POST", "/api/v1/requests", &kind, &body);
        sent.is_ok_and(|sent| sent.status == 201)
    });
    is_good(made.path());
    // A start knows the server by itself, too.
    assert_eq!(office.daemon.end_with("TERM"), Some(0));
    let daemon = Daemon::in_dir(made.path());
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
    until("ready", || Caller::new(&daemon.web(), &[]).get("/readyz").status == 200);
}

#[test]
fn the_database_moves_to_a_server_and_back_and_a_backup_fits_both() {
    let Some(cluster) = Cluster::start() else { return };
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    let office = Office::of(Daemon::in_dir(dir));
    bring_live(&office);
    let url = cluster.url();
    let refused = run_in(dir, &["db", "move", "--to", &url]);
    assert!(!refused.status.success(), "while the daemon runs: {}", printed(&refused));
    assert_eq!(office.daemon.end_with("TERM"), Some(0));
    let moved = run_in(dir, &["db", "move", "--to", &url]);
    assert!(moved.status.success(), "{}", printed(&moved));
    assert!(dir.join("state/gapura.db.moved").exists() && !dir.join("state/gapura.db").exists());
    // As a move leaves it that is killed before its last step.
    std::fs::rename(dir.join("state/gapura.db.moved"), dir.join("state/gapura.db")).unwrap();
    let shown = url.replace("postgres://gapura@/gapura?host=", "postgres://gapura@") + "/gapura";
    std::fs::write(dir.join("state/moving"), shown).unwrap();
    write_settings(dir, &on(&cluster));
    let check = run_in(dir, &["check"]);
    assert!(printed(&check).contains("was interrupted"), "{}", printed(&check));
    write_settings(dir, "");
    let moved = run_in(dir, &["db", "move", "--to", &url]);
    assert!(moved.status.success(), "{}", printed(&moved));
    assert!(!dir.join("state/moving").exists() && !dir.join("state/gapura.db").exists());
    write_settings(dir, &on(&cluster));
    is_good(dir);
    let again = run_in(dir, &["db", "move", "--to", &url]);
    assert!(printed(&again).contains("already"), "{}", printed(&again));

    // A backup of the server goes into a file, and one of either onto a server.
    let backup = run_in(dir, &["db", "backup", "one.backup"]);
    assert!(backup.status.success(), "{}", printed(&backup));
    let daemon = Daemon::in_dir(dir);
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
    let running = run_in(dir, &["db", "backup", "two.backup"]);
    assert!(running.status.success(), "{}", printed(&running));
    assert_eq!(daemon.end_with("TERM"), Some(0));
    for (settings, wanted) in [(String::new(), true), (on(&cluster), false)] {
        let other = tempfile::tempdir().unwrap();
        lay_out(other.path(), &settings);
        let file = dir.join("one.backup");
        let restore = ["db", "restore", file.to_str().unwrap(), "--no-ask"];
        let restored = run_in(other.path(), &restore);
        assert_eq!(restored.status.success(), wanted, "{}", printed(&restored));
        if !wanted {
            assert!(
                printed(&restored).contains("ALTER SCHEMA gapura RENAME TO"),
                "{}",
                printed(&restored)
            );
            cluster.sql("ALTER SCHEMA gapura RENAME TO before");
            let restored = run_in(other.path(), &restore);
            assert!(restored.status.success(), "{}", printed(&restored));
            cluster.sql("SELECT 1 FROM gapura.request");
        }
        is_good(other.path());
        if !wanted {
            cluster.sql("DROP SCHEMA gapura CASCADE; ALTER SCHEMA before RENAME TO gapura");
        }
    }
    // The disk takes no more than the beginning of a file: nothing is left, and the next move goes on.
    let full = "trap '' XFSZ; ulimit -f 100; exec \"$0\" db move --to file --config gapura.toml";
    let arguments = ["-c", full, env!("CARGO_BIN_EXE_gapura")];
    let full = Command::new("sh").args(arguments).current_dir(dir).output().unwrap();
    assert!(printed(&full).contains("nothing was moved"), "{}", printed(&full));
    for left in ["moving", "gapura.db", "gapura.db-wal"] {
        assert!(!dir.join("state").join(left).exists(), "{left}: {}", printed(&full));
    }
    let moved = run_in(dir, &["db", "move", "--to", "file"]);
    assert!(moved.status.success(), "{}", printed(&moved));
    write_settings(dir, "");
    is_good(dir);
    let daemon = Daemon::in_dir(dir);
    assert_eq!(answer(&daemon, NAME), ["192.0.2.200"]);
}

/// Waits until a daemon works on its database, which it did not for this reason. Meanwhile it starts anew, without a
/// control socket for a moment.
fn works_again(daemon: &Daemon, reason: &str) {
    until("the database is used", || {
        let status = printed(&daemon.gapura(&["ctl", "status"]));
        status.contains(" serial ") && !status.contains(reason)
    });
}

#[test]
fn a_server_that_says_nothing_holds_up_no_answer_and_no_load_balancer() {
    use rustix::process::Signal;
    let Some(cluster) = Cluster::start() else { return };
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &format!("{}[metrics]\nlisten = \"127.0.0.1:0\"\n", on(&cluster)));
    let daemon = Daemon::in_dir(made.path());
    let metrics =
        Caller::new(&format!("http://{}", daemon.ready["metrics"].as_str().unwrap()), &[]);
    cluster.signal_all(Signal::STOP);
    // Until whoever looks at the state has waited for the server, and longer.
    let begun = std::time::Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        let ready = metrics.get("/readyz");
        let text = ready.text();
        assert!(ready.status == 200 && text.starts_with("ready\n"), "{}: {text}", ready.status);
        assert!(!answer(&daemon, "www.cirebonkab.go.id.").is_empty());
        std::thread::sleep(Duration::from_millis(300));
    }
    cluster.signal_all(Signal::CONT);
    until("all is well", || metrics.get("/readyz").text() == "ready\n");
}
