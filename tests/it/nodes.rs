//! Several nodes on one server of PostgreSQL: one publishes, the other follows and takes over.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{RData, RecordType};

use crate::postgres_cluster::Cluster;
use crate::support::{
    Daemon, ask, command, copy_all, data, kill, lay_out, peers, printed, run_in, until,
    write_settings,
};

/// The zone of all nodes.
const ZONE: &str = "cirebonkab.go.id.";

//------------ Nodes ---------------------------------------------------------

/// A directory of a node whose database is at this address; `zone` are more keys of its zone.
fn node(url: &str, name: &str, zone: &str) -> tempfile::TempDir {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &settings(url, name, zone));
    made
}

/// Its settings.
fn settings(url: &str, name: &str, zone: &str) -> String {
    format!(
        "transfer = [\"reader\"]\n{zone}\n[[remote]]\nname = \"reader\"\naddresses = [\"127.0.0.1\"]\n\n\
         [database]\nurl = \"{url}\"\n\n[node]\nname = \"{name}\"\nurl = \"http://127.0.0.1:1\"\n\n\
         [metrics]\nlisten = \"127.0.0.1:0\"\n"
    )
}

/// Two nodes on one server: the first publishes, and the other has its keys and follows.
struct Pair {
    /// Where they are.
    dirs: [tempfile::TempDir; 2],
    /// The daemons; none while one is down.
    daemons: [Option<Daemon>; 2],
    /// The server.
    cluster: Cluster,
}

impl Pair {
    /// None where there is no PostgreSQL.
    fn start(zone: &str) -> Option<Self> {
        let cluster = Cluster::start()?;
        let url = cluster.url();
        let dirs = [node(&url, "satu", zone), node(&url, "dua", zone)];
        let first = Daemon::in_dir(dirs[0].path());
        hand_keys_on(dirs[0].path(), dirs[1].path());
        let second = Daemon::in_dir(dirs[1].path());
        let pair = Self { dirs, daemons: [Some(first), Some(second)], cluster };
        assert_eq!(pair.publishes(), [true, false]);
        Some(pair)
    }

    /// A daemon that runs.
    fn daemon(&self, at: usize) -> &Daemon {
        self.daemons[at].as_ref().unwrap()
    }

    /// Whether each publishes, as far as it says.
    fn publishes(&self) -> [bool; 2] {
        [0, 1].map(|at| self.daemons[at].as_ref().is_some_and(publishes))
    }

    /// Puts a record into the file of a node, and waits until this node answers it.
    fn add(&self, at: usize, name: &str) {
        self.daemon(at).add_record(&format!("{name} A 192.0.2.77"));
        has(self.daemon(at), name);
    }
}

/// Whether a daemon publishes.
fn publishes(daemon: &Daemon) -> bool {
    state(daemon)["node"]["publishes"] == true
}

/// The status of a daemon as JSON; nothing while it starts anew.
fn state(daemon: &Daemon) -> serde_json::Value {
    let output = daemon.gapura(&["ctl", "status", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// The status as text.
fn status(daemon: &Daemon) -> String {
    printed(&daemon.gapura(&["ctl", "status"]))
}

/// Gives a node the keys of another one.
fn hand_keys_on(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("state")).unwrap();
    for key in ["audit.key", "personal.key"] {
        std::fs::copy(from.join("state").join(key), to.join("state").join(key)).unwrap();
    }
}

/// Waits until a daemon answers a name.
#[track_caller]
fn has(daemon: &Daemon, name: &str) {
    let name = format!("{name}.{ZONE}");
    until(&name, || data(&ask(daemon.dns(), &name, RecordType::A)) == ["192.0.2.77"]);
}

/// The serial that a daemon answers.
fn serial(daemon: &Daemon) -> u32 {
    let answer = ask(daemon.dns(), ZONE, RecordType::SOA);
    let soa = answer.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    soa.unwrap()
}

/// Sees that the verifier finds nothing at the node that publishes.
#[track_caller]
fn is_good(dir: &Path) {
    let verified = run_in(dir, &["audit", "verify"]);
    assert!(verified.status.success(), "{}", printed(&verified));
}

/// All records of the zone, as dig prints a transfer of it, but for the order.
fn records(daemon: &Daemon, how: &str) -> Vec<String> {
    let (at, port) = (format!("@{}", daemon.dns().ip()), daemon.dns().port().to_string());
    let fixed = ["+tcp", "+nostats", "+nocmd", "+nocomments", &at, "-p", &port, ZONE, how];
    let output = Command::new("dig").args(fixed).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.retain(|line| !line.is_empty() && !line.starts_with(';'));
    lines.sort();
    lines
}

//------------ Following -----------------------------------------------------

#[test]
fn a_node_that_follows_serves_what_is_published_and_changes_nothing() {
    let Some(pair) = Pair::start("") else { return };
    pair.add(0, "baru");
    has(pair.daemon(1), "baru");
    assert_eq!(serial(pair.daemon(0)), serial(pair.daemon(1)));
    let said = status(pair.daemon(1));
    assert!(said.contains("node dua follows satu (http://127.0.0.1:1), number 1"), "{said}");
    // Neither file nor promoted records are here.
    let zone = format!("{ZONE} serial {}, as it was published, ", serial(pair.daemon(1)));
    assert!(said.contains(&zone) && !said.contains("promoted"), "{said}");
    let zone = &state(pair.daemon(1))["zones"][0];
    assert!(zone["file"].is_null() && zone["promoted"].is_null(), "{zone}");
    assert!(status(pair.daemon(0)).contains("0 promoted"));
    assert!(status(pair.daemon(0)).contains("node satu publishes, number 1"));
    for (refused, words) in [
        (&["ctl", "reload", ZONE][..], "changes nothing: make the change there"),
        (&["zone", "rollback", ZONE, "1"], "changes nothing: make the change there"),
        (&["user", "disable", "agus"], "changes nothing: make the change there"),
        (&["zone", "diff", ZONE], "(http://127.0.0.1:1): ask there"),
        (&["key", "list", ZONE], "(http://127.0.0.1:1): ask there"),
        (&["user", "list"], "(http://127.0.0.1:1): ask there"),
        (&["audit", "verify"], "(http://127.0.0.1:1): ask there"),
    ] {
        let output = pair.daemon(1).gapura(refused);
        let said = printed(&output);
        assert!(!output.status.success() && said.contains("follows satu"), "{refused:?}: {said}");
        assert!(said.contains(words), "{refused:?}: {said}");
    }
    // Its own file is none of its business while it follows.
    pair.daemon(1).add_record("sendiri A 192.0.2.77");
    // Zones come and go with the publisher's.
    let dir = pair.dirs[0].path();
    let zone = "$TTL 60\n@ SOA ns host 1 60 60 60 60\n@ NS ns\nns A 192.0.2.1\n";
    std::fs::write(dir.join("lain.zone"), zone).unwrap();
    let url = pair.cluster.url();
    let more = format!(
        "{}\n[[zone]]\nname = \"lain.example.\"\nfile = \"lain.zone\"\n",
        settings(&url, "satu", "")
    );
    write_settings(dir, &more);
    let reloaded = pair.daemon(0).gapura(&["ctl", "reload"]);
    assert!(printed(&reloaded).contains("lain.example."), "{}", printed(&reloaded));
    let known = |name: &str| data(&ask(pair.daemon(1).dns(), name, RecordType::A));
    until("the new zone", || known("ns.lain.example.") == ["192.0.2.1"]);
    write_settings(dir, &settings(&url, "satu", ""));
    pair.daemon(0).gapura(&["ctl", "reload", "--force"]);
    until("it has gone", || known("ns.lain.example.").is_empty());
    assert!(known(&format!("sendiri.{ZONE}")).is_empty());
    let metrics = crate::support::http::Caller::new(
        &format!("http://{}", pair.daemon(1).ready["metrics"].as_str().unwrap()),
        &[],
    );
    let figures = metrics.get("/metrics").text();
    assert!(figures.contains("gapura_node_publishes 0"), "{figures}");
    // Nobody answers at the publisher's node.url.
    assert!(figures.contains("gapura_node_pages_reached 0"), "{figures}");
    assert!(metrics.get("/readyz").text().contains("are not reached from here"));
    let said = status(pair.daemon(1));
    assert!(said.contains("the pages of satu (http://127.0.0.1:1) are not reached"), "{said}");
    let log = std::fs::read_to_string(pair.daemon(1).dir.join("log")).unwrap();
    assert!(log.contains("are not reached from here"), "{log}");
    is_good(dir);
}

#[test]
fn a_list_that_says_nothing_or_cannot_be_read_takes_no_zone_away() {
    let Some(pair) = Pair::start("") else { return };
    pair.add(0, "bertahan");
    has(pair.daemon(1), "bertahan");
    for (sql, told) in [
        ("UPDATE gapura.served_zone SET source = '{}'", "how the publisher serves"),
        // As tables that were made anew have it.
        ("DELETE FROM gapura.served_zone; UPDATE gapura.publishing SET token = 'other'", ""),
    ] {
        pair.cluster.sql(sql);
        until("it is told", || status(pair.daemon(1)).contains(told));
        std::thread::sleep(Duration::from_secs(3));
        has(pair.daemon(1), "bertahan");
    }
}

#[test]
fn a_zone_that_the_publisher_cannot_load_keeps_no_other_node_from_its_work() {
    let Some(pair) = Pair::start("") else { return };
    let (dir, url) = (pair.dirs[0].path(), pair.cluster.url());
    std::fs::write(dir.join("rusak.zone"), "nonsense\n").unwrap();
    let more = "\n[[zone]]\nname = \"rusak.example.\"\nfile = \"rusak.zone\"\n";
    write_settings(dir, &format!("{}{more}", settings(&url, "satu", "")));
    pair.daemon(0).gapura(&["ctl", "reload"]);
    until("it is known", || status(pair.daemon(1)).contains("rusak.example."));
    for at in 0..2 {
        let metrics = pair.daemon(at).ready["metrics"].as_str().unwrap();
        let ready = crate::support::http::Caller::new(&format!("http://{metrics}"), &[]);
        let ready = ready.get("/readyz");
        assert_eq!(ready.status, 200, "{at}: {}", ready.text());
        assert!(ready.text().contains("rusak.example."), "{at}: {}", ready.text());
    }
}

#[test]
fn a_list_that_could_not_be_written_is_written_later() {
    let Some(pair) = Pair::start("") else { return };
    let (dir, url) = (pair.dirs[0].path(), pair.cluster.url());
    pair.cluster.sql("REVOKE INSERT, UPDATE ON gapura.served_zone FROM gapura");
    let zone = "$TTL 60\n@ SOA ns host 1 60 60 60 60\n@ NS ns\nns A 192.0.2.1\n";
    std::fs::write(dir.join("lain.zone"), zone).unwrap();
    let more = "\n[[zone]]\nname = \"lain.example.\"\nfile = \"lain.zone\"\n";
    write_settings(dir, &format!("{}{more}", settings(&url, "satu", "")));
    let reloaded = printed(&pair.daemon(0).gapura(&["ctl", "reload"]));
    let known = |at: usize| data(&ask(pair.daemon(at).dns(), "ns.lain.example.", RecordType::A));
    assert_eq!(known(0), ["192.0.2.1"], "{reloaded}");
    let said = status(pair.daemon(0));
    assert!(said.contains("other nodes are not told which zones are served"), "{said}");
    assert!(known(1).is_empty());
    pair.cluster.sql("GRANT INSERT, UPDATE ON gapura.served_zone TO gapura");
    until("the new zone", || known(1) == ["192.0.2.1"]);
    let said = status(pair.daemon(0));
    assert!(!said.contains("are not told"), "{said}");
}

#[test]
fn the_file_of_a_node_that_takes_over_is_held_until_somebody_means_it() {
    let Some(mut pair) = Pair::start("") else { return };
    pair.add(0, "diterima");
    has(pair.daemon(1), "diterima");
    pair.daemon(1).add_record("lama A 192.0.2.77");
    kill(pair.daemons[0].take().unwrap().pid(), "KILL");
    until("the other one publishes", || pair.publishes() == [false, true]);
    let daemon = pair.daemon(1);
    let reload =
        |more: &[&str]| printed(&daemon.gapura(&[&["ctl", "reload", ZONE], more].concat()));
    let held = reload(&[]);
    assert!(held.contains("file-of-another-node") && held.contains("node satu"), "{held}");
    assert!(!held.contains("rolled back"), "{held}");
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    assert!(!log.contains("rolled back"), "{log}");
    has(daemon, "diterima");
    let forced = reload(&["--force"]);
    has(daemon, "lama");
    // From now on it is this node's own.
    let again = reload(&[]);
    assert!(!again.contains("another-node") && !again.contains("held"), "{forced}{again}");
    assert!(!status(daemon).contains("another-node"), "{}", status(daemon));
}

#[test]
fn a_start_that_takes_long_is_no_death() {
    let Some(mut pair) = Pair::start("") else { return };
    let served = serial(pair.daemon(0));
    for at in [1, 0] {
        assert_eq!(pair.daemons[at].take().unwrap().end_with("TERM"), Some(0));
    }
    // A file that is still being written is waited for.
    let zone = pair.dirs[0].path().join("cirebonkab.go.id.zone");
    let over = AtomicBool::new(false);
    let [first, second] = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(13) {
                let mut file = std::fs::File::options().append(true).open(&zone).unwrap();
                writeln!(file, "; {:?}", begun.elapsed()).unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
            over.store(true, Ordering::Relaxed);
        });
        // Names are answered from the copy meanwhile.
        let first = Daemon::in_dir(pair.dirs[0].path());
        assert!(!over.load(Ordering::Relaxed) && serial(&first) >= served);
        assert!(status(&first).contains("takes long to open"), "{}", status(&first));
        let second = Daemon::in_dir(pair.dirs[1].path());
        // For longer than a dead publisher is waited for.
        while !over.load(Ordering::Relaxed) {
            assert!(!publishes(&second));
            std::thread::sleep(Duration::from_millis(200));
        }
        writer.join().unwrap();
        [first, second]
    });
    pair.daemons = [Some(first), Some(second)];
    until("the first one publishes", || pair.publishes() == [true, false]);
    assert!(status(pair.daemon(0)).contains("number 2"), "{}", status(pair.daemon(0)));
}

#[test]
fn the_last_zone_goes_with_the_publisher_s_too() {
    let Some(pair) = Pair::start("") else { return };
    let file = pair.dirs[0].path().join("gapura.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once("[[zone]]").unwrap();
    let (_, after) = rest.split_once("[[remote]]").unwrap();
    std::fs::write(&file, format!("{before}[[remote]]{after}")).unwrap();
    let reloaded = pair.daemon(0).gapura(&["ctl", "reload", "--force"]);
    assert!(printed(&reloaded).contains("no longer served"), "{}", printed(&reloaded));
    let code = |at: usize| ask(pair.daemon(at).dns(), ZONE, RecordType::SOA).metadata.response_code;
    assert_eq!(code(0), ResponseCode::Refused);
    until("it has gone", || code(1) == ResponseCode::Refused);
}

#[test]
fn signed_zones_and_incremental_transfers_are_the_same_on_every_node() {
    if !peers::is_client_here("dig") {
        return;
    }
    let Some(mut pair) = Pair::start("signing = \"default\"\n") else { return };
    let before = serial(pair.daemon(0));
    pair.add(0, "bertanda");
    has(pair.daemon(1), "bertanda");
    let whole = records(pair.daemon(0), "AXFR");
    assert!(whole.iter().any(|line| line.contains("RRSIG")), "{whole:?}");
    assert_eq!(whole, records(pair.daemon(1), "AXFR"));
    let changes = records(pair.daemon(0), &format!("IXFR={before}"));
    assert!(changes.len() > 4 && changes.len() < whole.len(), "{changes:?}");
    assert_eq!(changes, records(pair.daemon(1), &format!("IXFR={before}")));
    // It needs the zone's keys to sign, and says so.
    until("it says so", || status(pair.daemon(1)).contains("could not sign"));
    let [one, two] = [0, 1].map(|at| pair.dirs[at].path().join("state/keys"));
    copy_all(&one, &two);
    assert_eq!(pair.daemons[0].take().unwrap().end_with("KILL"), None);
    until("it publishes", || publishes(pair.daemon(1)));
    std::fs::copy(pair.dirs[0].path().join("cirebonkab.go.id.zone"), pair.daemon(1).zone_file())
        .unwrap();
    pair.add(1, "penerus");
    assert!(serial(pair.daemon(1)) > before);
    let signed = records(pair.daemon(1), "AXFR");
    assert!(signed.iter().any(|line| line.starts_with("penerus.") && line.contains("RRSIG")));
    is_good(pair.dirs[1].path());
}

#[test]
fn a_node_without_the_keys_follows_and_does_not_take_over() {
    let Some(cluster) = Cluster::start() else { return };
    let url = cluster.url();
    let (one, two) = (node(&url, "satu", ""), node(&url, "dua", ""));
    let first = Daemon::in_dir(one.path());
    let second = Daemon::in_dir(two.path());
    until("it says so", || status(&second).contains("does not publish before audit.key"));
    let before = serial(&first);
    assert_eq!(first.end_with("KILL"), None);
    std::thread::sleep(Duration::from_secs(6));
    assert!(!publishes(&second));
    assert_eq!(serial(&second), before);
    hand_keys_on(one.path(), two.path());
    until("it publishes", || publishes(&second));
    is_good(two.path());
}

//------------ Taking over ---------------------------------------------------

#[test]
fn the_other_node_publishes_when_the_first_is_killed_and_the_first_follows_when_it_is_back() {
    let Some(mut pair) = Pair::start("") else { return };
    pair.add(0, "dulu");
    has(pair.daemon(1), "dulu");
    // The file of the second node is not the one that was accepted.
    let before = serial(pair.daemon(0));
    assert_eq!(pair.daemons[0].take().unwrap().end_with("KILL"), None);
    let killed = Instant::now();
    while !publishes(pair.daemon(1)) {
        assert!(killed.elapsed() < Duration::from_secs(30), "nobody publishes");
        assert!(serial(pair.daemon(1)) >= before);
    }
    println!("taken over {:?} after the publisher was killed", killed.elapsed());
    // What the first node had published stays, whatever the second one's file has.
    has(pair.daemon(1), "dulu");
    let said = status(pair.daemon(1));
    assert!(said.contains("published from on node satu"), "{said}");
    is_good(pair.dirs[1].path());
    pair.daemons[0] = Some(Daemon::in_dir(pair.dirs[0].path()));
    assert_eq!(pair.publishes(), [false, true]);
    // Whoever edits the file of the node that publishes means it.
    std::fs::copy(
        pair.dirs[0].path().join("cirebonkab.go.id.zone"),
        pair.dirs[1].path().join("cirebonkab.go.id.zone"),
    )
    .unwrap();
    pair.add(1, "kini");
    has(pair.daemon(0), "kini");
    assert!(serial(pair.daemon(0)) > before);
    is_good(pair.dirs[1].path());
}

#[test]
fn another_node_publishes_although_a_standby_is_away() {
    let Some(mut pair) = Pair::start("") else { return };
    pair.add(0, "dulu");
    pair.cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    pair.cluster.sql("SELECT pg_reload_conf()");
    assert_eq!(pair.daemons[0].take().unwrap().end_with("TERM"), Some(0));
    until("the other has the lock", || {
        pair.cluster.sql("SELECT node FROM gapura.publishing") == "dua"
    });
    has(pair.daemon(1), "dulu");
    pair.cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
    pair.cluster.sql("SELECT pg_reload_conf()");
    until("the other publishes", || pair.publishes() == [false, true]);
    pair.daemons[0] = Some(Daemon::in_dir(pair.dirs[0].path()));
    until("it follows", || pair.publishes() == [false, true]);
    is_good(pair.dirs[1].path());
}

#[test]
fn a_publisher_whose_sessions_the_server_does_not_end_is_waited_for() {
    let Some(mut pair) = Pair::start("") else { return };
    let holder = "SELECT pid FROM pg_stat_activity WHERE application_name = 'gapura (publishes)'";
    let session: u32 = pair.cluster.sql(holder).parse().unwrap();
    kill(session, "STOP");
    drop(pair.daemons[0].take());
    let says =
        || status(pair.daemon(1)).contains("once the sessions that hold its lock have ended");
    until("it is said", says);
    // It looks again and again, and all goes on meanwhile.
    let until_then = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until_then {
        assert!(says(), "{}", status(pair.daemon(1)));
        std::thread::sleep(Duration::from_millis(500));
    }
    kill(session, "CONT");
    until("it publishes", || pair.publishes() == [false, true]);
    assert!(!says());
}

#[test]
fn a_publisher_that_stands_still_is_unseated_and_can_commit_nothing_when_it_goes_on() {
    let Some(pair) = Pair::start("") else { return };
    let pid = pair.daemon(0).pid();
    kill(pid, "STOP");
    let stopped = Instant::now();
    while !publishes(pair.daemon(1)) {
        assert!(stopped.elapsed() < Duration::from_secs(30), "nobody publishes");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("taken over {:?} after the publisher was stopped", stopped.elapsed());
    pair.add(1, "berikut");
    // An edit that waits for the former publisher.
    pair.daemon(0).add_record("terlambat A 192.0.2.77");
    kill(pid, "CONT");
    until("it follows", || pair.publishes() == [false, true]);
    has(pair.daemon(0), "berikut");
    assert!(
        data(&ask(pair.daemon(0).dns(), &format!("terlambat.{ZONE}"), RecordType::A)).is_empty()
    );
    let by = "SELECT string_agg(DISTINCT publisher::text, ' ') FROM gapura.zone_change";
    assert_eq!(pair.cluster.sql(by), "1 2");
    let order = "SELECT count(*) FROM gapura.zone_change a JOIN gapura.zone_change b USING (zone) \
        WHERE a.seq < b.seq AND (a.publisher > b.publisher OR a.to_serial >= b.to_serial)";
    assert_eq!(pair.cluster.sql(order), "0");
    is_good(pair.dirs[1].path());
}

#[test]
fn a_node_that_starts_while_the_database_is_away_serves_what_was_served_last() {
    let Some(mut pair) = Pair::start("") else { return };
    // The file of the other node, which never published, has nothing of it.
    pair.add(0, "terakhir");
    has(pair.daemon(1), "terakhir");
    until("its copy is written", || {
        std::fs::read_dir(pair.dirs[1].path().join("state/served")).is_ok_and(|files| {
            files.flatten().any(|file| {
                std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains("terakhir"))
            })
        })
    });
    let served = serial(pair.daemon(1));
    pair.cluster.kill();
    for at in 0..2 {
        let down = pair.daemons[at].take().unwrap();
        assert_eq!(down.end_with("TERM"), Some(0));
        pair.daemons[at] = Some(Daemon::in_dir(pair.dirs[at].path()));
        has(pair.daemon(at), "terakhir");
        assert_eq!(serial(pair.daemon(at)), served, "node {at}");
        let (daemon, text) = (pair.daemon(at), status(pair.daemon(at)));
        assert!(text.contains("the queue is closed"), "{text}");
        let refused = printed(&daemon.gapura(&["zone", "rollback", ZONE, "1"]));
        assert!(refused.contains("the database is not used"), "{refused}");
    }
    pair.cluster.begin();
    until("one publishes", || pair.publishes().iter().filter(|it| **it).count() == 1);
    let at = pair.publishes().iter().position(|it| *it).unwrap();
    until("the other follows", || {
        let text = status(pair.daemon(1 - at));
        text.contains("follows") && !text.contains("the queue is closed")
    });
    for daemon in pair.daemons.iter().flatten() {
        has(daemon, "terakhir");
        assert!(serial(daemon) >= served);
    }
    is_good(pair.dirs[at].path());
}

#[test]
fn a_node_whose_copies_are_lost_gives_out_no_serials_of_its_own() {
    let Some(mut pair) = Pair::start("") else { return };
    pair.add(0, "terakhir");
    has(pair.daemon(1), "terakhir");
    let served = serial(pair.daemon(1));
    for at in 0..2 {
        assert_eq!(pair.daemons[at].take().unwrap().end_with("TERM"), Some(0));
    }
    pair.cluster.kill();
    let state = |at: usize| pair.dirs[at].path().join("state");
    // The list of one is lost, and the copies of the other are damaged.
    std::fs::remove_file(state(0).join("zones")).unwrap();
    for file in std::fs::read_dir(state(1).join("served")).unwrap().flatten() {
        std::fs::File::options().write(true).open(file.path()).unwrap().set_len(200).unwrap();
    }
    let before = std::fs::read_to_string(state(1).join("serials")).unwrap();
    let daemons = [0, 1].map(|at| Daemon::in_dir(pair.dirs[at].path()));
    has(&daemons[0], "terakhir");
    assert_eq!(serial(&daemons[0]), served);
    let answer = ask(daemons[1].dns(), ZONE, RecordType::SOA);
    assert_eq!(answer.metadata.response_code, ResponseCode::ServFail);
    assert!(status(&daemons[1]).contains("there is no copy"), "{}", status(&daemons[1]));
    assert_eq!(std::fs::read_to_string(state(1).join("serials")).unwrap(), before);
    pair.daemons = daemons.map(Some);
    pair.cluster.begin();
    until("one publishes", || pair.publishes().iter().filter(|it| **it).count() == 1);
    for daemon in pair.daemons.iter().flatten() {
        has(daemon, "terakhir");
        assert!(serial(daemon) >= served);
    }
}

#[test]
fn a_start_waits_for_no_standby() {
    let Some(mut pair) = Pair::start("") else { return };
    pair.add(0, "terakhir");
    let served = serial(pair.daemon(0));
    for at in [1, 0] {
        assert_eq!(pair.daemons[at].take().unwrap().end_with("TERM"), Some(0));
    }
    pair.cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    pair.cluster.sql("SELECT pg_reload_conf()");
    pair.daemons[0] = Some(Daemon::in_dir(pair.dirs[0].path()));
    has(pair.daemon(0), "terakhir");
    assert_eq!(serial(pair.daemon(0)), served);
    assert_eq!(pair.publishes(), [true, false]);
    pair.cluster.sql("ALTER SYSTEM RESET synchronous_standby_names");
    pair.cluster.sql("SELECT pg_reload_conf()");
    pair.add(0, "baru");
    is_good(pair.dirs[0].path());
}

#[test]
fn nodes_go_on_when_the_database_comes_back_and_one_of_them_publishes() {
    let Some(mut pair) = Pair::start("") else { return };
    for turn in 0..3 {
        pair.cluster.kill();
        for at in 0..2 {
            assert!(serial(pair.daemon(at)) > 0);
        }
        std::thread::sleep(Duration::from_secs(turn));
        pair.cluster.begin();
        until("one publishes", || pair.publishes().iter().filter(|it| **it).count() == 1);
        let at = pair.publishes().iter().position(|it| *it).unwrap();
        let name = format!("putaran-{turn}");
        pair.add(at, &name);
        has(pair.daemon(1 - at), &name);
        is_good(pair.dirs[at].path());
    }
}

//------------ A network that is split ---------------------------------------

/// Stands between a node and the server, and passes nothing on while it is cut.
struct Wire {
    /// Whether it is cut.
    is_cut: Arc<AtomicBool>,
    /// The directory of its socket.
    dir: tempfile::TempDir,
}

impl Wire {
    /// To the server of a cluster.
    fn to(cluster: &Cluster) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join(".s.PGSQL.5432")).unwrap();
        let is_cut = Arc::new(AtomicBool::new(false));
        let url = cluster.url();
        let (_, there) = url.split_once("host=").unwrap();
        let (there, cut) = (Path::new(there).join(".s.PGSQL.5432"), Arc::clone(&is_cut));
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let (there, cut) = (there.clone(), Arc::clone(&cut));
                std::thread::spawn(move || {
                    let Ok(far) = UnixStream::connect(there) else { return };
                    let ways = [(&near, &far), (&far, &near)];
                    let ways = ways.map(|(from, to)| (from.try_clone(), to.try_clone()));
                    for (from, to) in ways {
                        let (from, to, cut) = (from.unwrap(), to.unwrap(), Arc::clone(&cut));
                        std::thread::spawn(move || pass(from, to, &cut));
                    }
                });
            }
        });
        Self { is_cut, dir }
    }

    /// The address of the database by way of it.
    fn url(&self) -> String {
        format!("postgres://gapura@/gapura?host={}", self.dir.path().display())
    }
}

/// Passes octets on while the wire is whole.
fn pass(mut from: UnixStream, mut to: UnixStream, is_cut: &AtomicBool) {
    let mut octets = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut octets) {
        while is_cut.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&octets[..count]).is_err() {
            break;
        }
    }
    // The other end hears of it.
    let _ = (from.shutdown(std::net::Shutdown::Both), to.shutdown(std::net::Shutdown::Both));
}

#[test]
fn a_publisher_that_is_cut_off_answers_on_and_follows_when_the_wire_is_whole() {
    let Some(cluster) = Cluster::start() else { return };
    let wire = Wire::to(&cluster);
    let (one, two) = (node(&wire.url(), "satu", ""), node(&cluster.url(), "dua", ""));
    let first = Daemon::in_dir(one.path());
    hand_keys_on(one.path(), two.path());
    let second = Daemon::in_dir(two.path());
    let before = serial(&first);
    wire.is_cut.store(true, Ordering::Relaxed);
    let cut = Instant::now();
    until("the other publishes", || publishes(&second));
    println!("taken over {:?} after the publisher was cut off", cut.elapsed());
    assert_eq!(serial(&first), before, "it answers on");
    second.add_record("sesudah A 192.0.2.77");
    has(&second, "sesudah");
    wire.is_cut.store(false, Ordering::Relaxed);
    until("it follows", || state(&first)["node"]["publishes"] == false);
    has(&first, "sesudah");
    is_good(two.path());
}

//------------ Killed again and again ----------------------------------------

/// How often nodes are killed; a measurement asks for more.
fn kills() -> u32 {
    std::env::var("GAPURA_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn nodes_are_killed_again_and_again_and_serials_only_rise() {
    let Some(mut pair) = Pair::start("") else { return };
    let mut newest = 0;
    for turn in 0..kills() {
        until("one publishes", || pair.publishes().iter().filter(|it| **it).count() == 1);
        let at = pair.publishes().iter().position(|it| *it).unwrap();
        // The files of all nodes are the same, as a deployment keeps them.
        let name = format!("putaran-{turn}");
        pair.add(at, &name);
        let file = pair.daemon(at).zone_file();
        std::fs::copy(file, pair.daemon(1 - at).zone_file()).unwrap();
        has(pair.daemon(1 - at), &name);
        // Mostly the one that publishes.
        let victim = if turn % 3 == 2 { 1 - at } else { at };
        let survivor = pair.daemon(1 - victim).dns();
        kill(pair.daemon(victim).pid(), "KILL");
        drop(pair.daemons[victim].take());
        assert!(!ask(survivor, ZONE, RecordType::SOA).answers.is_empty());
        pair.daemons[victim] = Some(Daemon::in_dir(pair.dirs[victim].path()));
        for at in 0..2 {
            let now = serial(pair.daemon(at));
            assert!(now > newest, "turn {turn}: {now} after {newest}");
        }
        newest = serial(pair.daemon(1 - victim));
    }
    until("one publishes", || pair.publishes().iter().filter(|it| **it).count() == 1);
    let at = pair.publishes().iter().position(|it| *it).unwrap();
    is_good(pair.dirs[at].path());
    // The settings are good for the next start, too.
    assert!(command(pair.dirs[at].path(), &["check"]).output().is_ok());
}
