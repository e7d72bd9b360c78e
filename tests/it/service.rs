//! The daemon and the system it runs on: a service manager that listens, sockets that are passed, a daemon that
//! follows another, root that becomes somebody else.

use std::collections::HashSet;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use crate::skipped::skipped;
use crate::support::peers::fix_port;
use crate::support::{
    Daemon, ask, ask_tcp, data, kill, lay_out, lay_out_large, printed, query, run_in, until,
};

//------------ The service manager -------------------------------------------

/// Waits until the manager hears a datagram with that line; all it heard.
fn heard(manager: &UnixDatagram, line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut octets = [0; 4096];
    loop {
        let length = manager.recv(&mut octets).unwrap_or_else(|_| panic!("no {line}, but {all:?}"));
        all.push(String::from_utf8(octets[..length].to_vec()).unwrap());
        if all.last().unwrap().lines().any(|it| it.starts_with(line)) {
            return all;
        }
    }
}

#[test]
fn a_service_manager_hears_of_start_life_reload_and_stop() {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let path = made.path().join("manager");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let path = path.display().to_string();
    let daemon = Daemon::in_dir_with_env(
        made.path(),
        &[("NOTIFY_SOCKET", &path), ("WATCHDOG_USEC", "900000")],
    );
    let all = heard(&manager, "READY=1");
    assert!(all.last().unwrap().contains("STATUS=1 of 1 zones served"), "{all:?}");
    assert_eq!(ask(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    heard(&manager, "WATCHDOG=1");
    heard(&manager, "WATCHDOG=1");
    assert!(daemon.gapura(&["ctl", "reload"]).status.success());
    let all = heard(&manager, "RELOADING=1");
    assert!(all.last().unwrap().contains("\nMONOTONIC_USEC="), "{all:?}");
    heard(&manager, "READY=1");
    let stopped = daemon.gapura(&["ctl", "stop"]);
    assert!(stopped.status.success(), "{}", printed(&stopped));
    heard(&manager, "STOPPING=1");
}

/// Binds a UDP and a TCP socket, and one that nobody wants, and starts the daemon with them as systemd does.
const ACTIVATOR: &str = r#"
use Socket; use POSIX ();
$^F = 100;
my $at = sockaddr_in(shift @ARGV, inet_aton("127.0.0.1"));
my ($udp, $tcp, $other);
socket($udp, PF_INET, SOCK_DGRAM, 0) and bind($udp, $at) or die "udp: $!";
socket($tcp, PF_INET, SOCK_STREAM, 0) and setsockopt($tcp, SOL_SOCKET, SO_REUSEADDR, 1) and bind($tcp, $at) and listen($tcp, 9) or die "tcp: $!";
socket($other, PF_INET, SOCK_DGRAM, 0) and bind($other, sockaddr_in(0, inet_aton("127.0.0.1"))) or die "other: $!";
my @all = map { POSIX::dup2(fileno($_), fileno($_) + 40); fileno($_) + 40 } ($udp, $tcp, $other);
POSIX::dup2($all[$_], 3 + $_) for 0 .. 2;
POSIX::close($_) for @all;
$ENV{LISTEN_FDS} = 3; $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDNAMES} = "dns:dns:unknown";
exec @ARGV;
"#;

#[test]
fn sockets_of_a_service_manager_are_used_and_those_nobody_wants_are_told() {
    let perl = Command::new("perl").args(["-MSocket", "-MPOSIX", "-e", "1"]).status();
    if !perl.is_ok_and(|status| status.success()) {
        return skipped("perl is not installed");
    }
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), "");
    let port = fix_port(made.path()).port();
    let mut perl = Command::new("perl");
    perl.args(["-e", ACTIVATOR, &port.to_string(), env!("CARGO_BIN_EXE_gapura")]);
    perl.args(["serve", "--json", "--config", "gapura.toml"]).current_dir(made.path());
    perl.stdin(Stdio::null());
    let daemon = Daemon::of(made.path(), perl);
    assert_eq!(daemon.dns().port(), port);
    assert_eq!(ask(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    assert_eq!(ask_tcp(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    let warnings = daemon.ready["warnings"].to_string();
    assert!(warnings.contains("was passed, and no setting listens there"), "{warnings}");
    assert_eq!(daemon.end_with("TERM"), Some(0));
}

//------------ One daemon follows another ------------------------------------

/// Asks without a pause until it is dropped, with so many queries under way; counts answers, and queries without one.
struct Load {
    /// Ends it.
    stop: Arc<AtomicBool>,
    /// Answers so far.
    answered: Arc<AtomicU64>,
    /// One thread for each client; what each lost.
    clients: Vec<std::thread::JoinHandle<u64>>,
}

impl Load {
    /// Starts so many clients.
    fn start(server: SocketAddr, clients: usize) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let client = |_| {
            let (stop, answered) = (stop.clone(), answered.clone());
            std::thread::spawn(move || {
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                socket.connect(server).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
                let (mut id, mut open, mut octets) = (0_u16, HashSet::new(), [0; 2048]);
                let mut query = query("cirebonkab.go.id.", RecordType::SOA);
                loop {
                    while open.len() < 16 && !stop.load(Ordering::Relaxed) {
                        id = id.wrapping_add(1);
                        query[..2].copy_from_slice(&id.to_be_bytes());
                        socket.send(&query).unwrap();
                        open.insert(id);
                    }
                    if open.is_empty() {
                        return 0;
                    }
                    let Ok(_) = socket.recv(&mut octets) else { return open.len() as u64 };
                    if open.remove(&u16::from_be_bytes([octets[0], octets[1]])) {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { stop, answered, clients }
    }

    /// Waits for so many more answers.
    fn go_on(&self, answers: u64) {
        let wanted = self.answered.load(Ordering::Relaxed) + answers;
        until("answers", || self.answered.load(Ordering::Relaxed) >= wanted);
    }

    /// Ends it; the queries that were never answered.
    fn lost(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.clients.into_iter().map(|client| client.join().unwrap()).sum()
    }
}

/// A daemon that nobody here started; killed when dropped.
struct Successor(u32);

impl Drop for Successor {
    fn drop(&mut self) {
        if Path::new("/proc").join(self.0.to_string()).exists() {
            kill(self.0, "KILL");
        }
    }
}

/// What `ctl hand-over` says, as JSON.
fn hand_over(dir: &Path) -> (bool, serde_json::Value) {
    let output = run_in(dir, &["ctl", "hand-over", "--json"]);
    let json = serde_json::from_slice(&output.stdout);
    (output.status.success(), json.unwrap_or_else(|_| panic!("{}", printed(&output))))
}

#[test]
fn a_daemon_follows_another_and_no_query_is_lost() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let text = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    std::fs::write(dir.join("gapura.toml"), text.replace("udp_workers = 1", "udp_workers = 2"))
        .unwrap();
    let daemon = Daemon::in_dir(dir);
    let load = Load::start(daemon.dns(), 6);
    load.go_on(500);
    let mut pids = vec![daemon.pid()];
    let mut all = Vec::new();
    // One that followed is followed in its turn.
    for _ in 0..2 {
        let (done, json) = hand_over(dir);
        let log = || std::fs::read_to_string(dir.join("log")).unwrap();
        assert!(done, "{json}\n{}", log());
        let pid = u32::try_from(json["to"].as_u64().unwrap()).unwrap();
        all.push(Successor(pid));
        assert!(!pids.contains(&pid));
        pids.push(pid);
        load.go_on(500);
    }
    assert_eq!(load.lost(), 0, "queries without an answer");
    // The ports are the same ones, and changes go live again.
    daemon.add_record(AFTER);
    let reloaded = daemon.gapura(&["ctl", "reload", "cirebonkab.go.id."]);
    assert!(reloaded.status.success(), "{}", printed(&reloaded));
    let answer = ask(daemon.dns(), "after.cirebonkab.go.id.", RecordType::A);
    assert_eq!(data(&answer), ["192.0.2.99"]);
    assert_eq!(ask_tcp(daemon.dns(), "after.cirebonkab.go.id.", RecordType::A).answers.len(), 1);
    for key in ["web", "metrics"] {
        let Some(address) = daemon.ready[key].as_str() else { continue };
        let address = address.trim_start_matches("http://");
        assert!(std::net::TcpStream::connect(address).is_ok(), "{key}");
    }
    assert!(!dir.join("state/successor.sock").exists());
    let stopped = daemon.gapura(&["ctl", "stop"]);
    assert!(stopped.status.success(), "{}", printed(&stopped));
    assert!(UdpSocket::bind(daemon.dns()).is_ok(), "nobody holds the port any more");
}

#[test]
fn a_daemon_follows_one_that_it_cannot_see() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can hide processes");
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    lay_out(dir, "");
    // As it is below systemd, with ProtectProc= and Landlock.
    let text = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let text = text.replacen("[server]\n", "[server]\nuser = \"61234:61235\"\n", 1);
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
    let hidden = "mount -t proc -o hidepid=2 proc /proc";
    let Some(_daemon) = Daemon::in_namespace(dir, hidden) else {
        return skipped("no mount namespace here");
    };
    let (done, json) = hand_over(dir);
    assert!(done, "{json}\n{}", std::fs::read_to_string(dir.join("log")).unwrap());
    drop(Successor(u32::try_from(json["to"].as_u64().unwrap()).unwrap()));
}

#[test]
fn a_successor_that_cannot_start_leaves_everything_as_it_was() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out(dir, "");
    let daemon = Daemon::in_dir(dir);
    let good = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    let load = Load::start(daemon.dns(), 2);
    load.go_on(100);

    // Settings that do not read: it is not even tried.
    std::fs::write(dir.join("gapura.toml"), format!("{good}\n[nonsense]\n")).unwrap();
    let output = run_in(dir, &["ctl", "hand-over"]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));

    // A port that is taken: the successor fails when the other one has left the database already.
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let more = format!("listen = [\"{}\", ", taken.local_addr().unwrap());
    std::fs::write(dir.join("gapura.toml"), good.replacen("listen = [", &more, 1)).unwrap();
    let (done, json) = hand_over(dir);
    assert!(!done && json["error"].as_str().unwrap().contains("did not take over"), "{json}");

    // All of its work is the first one's again.
    std::fs::write(dir.join("gapura.toml"), &good).unwrap();
    daemon.add_record(AFTER);
    let reloaded = daemon.gapura(&["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", printed(&reloaded));
    assert_eq!(load.lost(), 0, "queries without an answer");
    // A worker of before may have one batch left to answer.
    until("the change is answered", || {
        ask(daemon.dns(), "after.cirebonkab.go.id.", RecordType::A).answers.len() == 1
    });
    assert_eq!(daemon.end_with("TERM"), Some(0));
}

/// A daemon with a zone that takes a while to load.
fn slow(dir: &Path) -> Daemon {
    slow_with(dir, "")
}

/// The same with more in its settings.
fn slow_with(dir: &Path, more: &str) -> Daemon {
    lay_out_large(dir, more);
    Daemon::in_dir(dir)
}

/// Asks a daemon to hand over and stops the process that is to follow in its tracks; returns it, and the command.
fn held_up(daemon: &Daemon) -> (Successor, Child) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gapura"));
    command.args(["ctl", "hand-over", "--config", "gapura.toml"]).current_dir(&daemon.dir);
    let command = command.stdout(Stdio::null()).spawn().unwrap();
    let tasks = format!("/proc/{}/task", daemon.pid());
    let mut found = None;
    until("a successor", || {
        let tasks = std::fs::read_dir(&tasks).unwrap().flatten();
        let texts = tasks.filter_map(|it| std::fs::read_to_string(it.path().join("children")).ok());
        let children = texts.collect::<String>();
        found = children.split_whitespace().find_map(|pid| pid.parse::<u32>().ok());
        found.is_some()
    });
    let successor = Successor(found.unwrap());
    // It has asked for the sockets when the other listens to no command any more.
    until("it has begun", || run_in(&daemon.dir, &["ctl", "stats"]).status.code() != Some(0));
    kill(successor.0, "STOP");
    (successor, command)
}

#[test]
fn a_signal_meanwhile_makes_no_second_daemon() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    let daemon = slow(dir);
    let (successor, mut command) = held_up(&daemon);
    kill(daemon.pid(), "HUP");
    kill(daemon.pid(), "USR1");
    kill(successor.0, "CONT");
    let done = command.wait().unwrap();
    assert!(done.success(), "{}", std::fs::read_to_string(dir.join("log")).unwrap());
    daemon.add_record(AFTER);
    let reloaded = run_in(dir, &["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", printed(&reloaded));
    for _ in 0..20 {
        let answer = ask(daemon.dns(), "after.cirebonkab.go.id.", RecordType::A);
        assert_eq!(data(&answer), ["192.0.2.99"], "both answer");
    }
}

#[test]
fn a_daemon_that_cannot_take_its_work_back_answers_and_tries_again() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    let key = "[[key]]\nname = \"k.\"\nalgorithm = \"hmac-sha256\"\nsecret_file = \"secret\"\n";
    std::fs::write(dir.join("secret"), "c2VjcmV0IG9mIDMyIG9jdGV0cywgbW9yZSBvciBsZXM=\n").unwrap();
    std::fs::set_permissions(dir.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let daemon = slow_with(dir, key);
    let (successor, mut command) = held_up(&daemon);
    std::fs::remove_file(dir.join("secret")).unwrap();
    kill(successor.0, "KILL");
    command.wait().unwrap();
    let log = || std::fs::read_to_string(dir.join("log")).unwrap();
    until("it says so", || log().contains("answered from memory"));
    assert_eq!(ask(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    std::fs::write(dir.join("secret"), "c2VjcmV0IG9mIDMyIG9jdGV0cywgbW9yZSBvciBsZXM=\n").unwrap();
    std::fs::set_permissions(dir.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
    until("its work is its own again", || run_in(dir, &["ctl", "stats"]).status.success());
    assert_eq!(ask(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    assert_eq!(daemon.end_with("TERM"), Some(0));
}

#[test]
fn a_stop_meanwhile_stops_both() {
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    let daemon = slow(dir);
    let server = daemon.dns();
    let (successor, mut command) = held_up(&daemon);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    assert!(!command.wait().unwrap().success());
    let gone = Path::new("/proc").join(successor.0.to_string());
    until("the successor is gone", || !gone.exists());
    assert!(UdpSocket::bind(server).is_ok(), "nobody holds the port any more");
}

/// A record for the zone file.
const AFTER: &str = "after 60 A 192.0.2.99";

//------------ Root ----------------------------------------------------------

#[test]
fn root_binds_its_ports_and_becomes_somebody_else() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can become somebody else");
    }
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    lay_out(dir, "");
    let text = std::fs::read_to_string(dir.join("gapura.toml")).unwrap();
    // A port for root only, on an address of this test's own.
    let listen = "user = \"61234:61235\"\nlisten = [\"127.61.23.4:53\"]";
    let text = text.replace("listen = [\"127.0.0.1:0\", \"[::1]:0\"]", listen);
    std::fs::write(dir.join("gapura.toml"), text).unwrap();
    let daemon = Daemon::in_dir(dir);
    assert_eq!(ask(daemon.dns(), "cirebonkab.go.id.", RecordType::SOA).answers.len(), 1);
    for thread in std::fs::read_dir(format!("/proc/{}/task", daemon.pid())).unwrap() {
        let status = std::fs::read_to_string(thread.unwrap().path().join("status"));
        // One that ended meanwhile.
        let Ok(status) = status else { continue };
        let of = |key: &str| {
            let line = status.lines().find(|line| line.starts_with(key)).unwrap();
            line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("Uid:"), "61234 61234 61234 61234");
        assert_eq!(of("Gid:"), "61235 61235 61235 61235");
        assert_eq!(of("Groups:"), "");
        for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
            assert_eq!(u64::from_str_radix(&of(set), 16).unwrap(), 0, "{set}");
        }
        assert_eq!(of("NoNewPrivs:"), "1");
    }
    let status = daemon.gapura(&["ctl", "status"]);
    assert!(printed(&status).contains("runs as user 61234"), "{}", printed(&status));
    // The state is that user's, and works.
    daemon.add_record(AFTER);
    let reloaded = daemon.gapura(&["ctl", "reload"]);
    assert!(reloaded.status.success(), "{}", printed(&reloaded));
}
