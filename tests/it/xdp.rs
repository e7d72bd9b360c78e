//! The daemon with `server.xdp`: rights, a violent end, changes and a successor while clients ask. What it makes of odd
//! frames is tried in `serve::xdp`.

use std::net::{SocketAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hickory_proto::rr::RecordType;

use crate::skipped::skipped;
use crate::support::http::Caller;
use crate::support::wire::{ADDRESSES, INTERFACE, Wire};
use crate::support::{Daemon, ask, ask_tcp, data, kill, lay_out, printed, query, run_in, until};

/// Settings of a daemon at its end of the wire, with more in `[server]`.
fn lay_out_xdp(dir: &Path, more: &str) {
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    lay_out(dir, "[metrics]\nlisten = \"127.0.0.1:0\"\n");
    let path = dir.join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let listen = format!("listen = {ADDRESSES:?}\nxdp = [\"{INTERFACE}\"]\n{more}");
    // Asked without a pause, one would reach it.
    let text = text.replacen("[web]", "[rate_limit]\nresponses_per_second = 0\n\n[web]", 1);
    let text = text.replacen("listen = [\"127.0.0.1:0\", \"[::1]:0\"]\n", &listen, 1);
    std::fs::write(path, text).unwrap();
}

/// Asks once over UDP and TCP by both families.
fn ask_all(wire: &Wire) {
    for address in ADDRESSES {
        let address: SocketAddr = address.parse().unwrap();
        wire.at_client(|| {
            let answer = ask(address, "www.cirebonkab.go.id.", RecordType::A);
            assert!(!answer.answers.is_empty(), "{answer}");
            let answer = ask_tcp(address, "www.cirebonkab.go.id.", RecordType::A);
            assert!(!answer.answers.is_empty(), "{answer}");
        });
    }
}

/// A metric of the daemon's interface; 0 if there is none.
fn metric(wire: &Wire, daemon: &Daemon, start: &str) -> u64 {
    let address = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let text = wire.at_daemon(|| Caller::new(&address, &[]).get("/metrics").text());
    let line = text.lines().find(|line| line.starts_with(start));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Queries that came over AF_XDP.
fn received(wire: &Wire, daemon: &Daemon) -> u64 {
    let start = format!("gapura_xdp_frames_total{{interface=\"{INTERFACE}\",result=\"received\"}}");
    metric(wire, daemon, &start)
}

/// What the daemon warned of when it was ready.
fn warnings(daemon: &Daemon) -> String {
    daemon.ready["warnings"].to_string()
}

#[test]
fn nothing_is_left_behind_by_a_kill_and_the_next_one_begins_at_once() {
    let Some(wire) = Wire::make() else { return };
    let made = tempfile::tempdir().unwrap();
    lay_out_xdp(made.path(), "");
    for _ in 0..3 {
        let daemon = wire.start(made.path(), &[]);
        assert!(!warnings(&daemon).contains("xdp"), "{}", warnings(&daemon));
        ask_all(&wire);
        assert_eq!(received(&wire, &daemon), 2);
        let attached = format!("gapura_xdp_attached{{interface=\"{INTERFACE}\",mode=\"native\"}}");
        assert_eq!(metric(&wire, &daemon, &attached), 1);
        assert!(wire.interface().contains("prog/xdp"), "{}", wire.interface());
        kill(daemon.pid(), "KILL");
        drop(daemon);
    }
    until("the program is gone", || !wire.interface().contains("xdp"));
    // An end in order takes it off before the process ends.
    let daemon = wire.start(made.path(), &[]);
    assert_eq!(daemon.end_with("TERM"), Some(0));
    until("the program is gone", || !wire.interface().contains("xdp"));
}

#[test]
fn without_the_rights_sockets_answer_and_it_is_told() {
    let Some(wire) = Wire::make() else { return };
    if !Path::new("/usr/bin/setpriv").exists() {
        return skipped("setpriv is not installed");
    }
    let made = tempfile::tempdir().unwrap();
    lay_out_xdp(made.path(), "");
    let none = ["setpriv", "--bounding-set=-all,+net_bind_service", "--inh-caps=-all"];
    let daemon = wire.start(made.path(), &none);
    let told = warnings(&daemon);
    assert!(told.contains(INTERFACE) && told.contains("CAP_BPF"), "{told}");
    ask_all(&wire);
    assert_eq!(received(&wire, &daemon), 0);
    let none = format!("gapura_xdp_attached{{interface=\"{INTERFACE}\",mode=\"none\"}} 0");
    let address = format!("http://{}", daemon.ready["metrics"].as_str().unwrap());
    let text = wire.at_daemon(|| Caller::new(&address, &[]).get("/metrics").text());
    assert!(text.contains(&none), "{text}");
    let status = printed(&daemon.gapura(&["ctl", "status"]));
    assert!(status.contains("CAP_BPF"), "{status}");
    assert!(!wire.interface().contains("xdp"));
}

#[test]
fn the_rights_that_the_manual_names_are_enough_and_are_given_up() {
    let Some(wire) = Wire::make() else { return };
    if !Path::new("/usr/bin/setpriv").exists() {
        return skipped("setpriv is not installed");
    }
    let made = tempfile::tempdir().unwrap();
    lay_out_xdp(made.path(), "user = \"61234:61235\"\n");
    let few = "--bounding-set=-all,+net_admin,+net_raw,+bpf,+net_bind_service,+setuid,+setgid,+setpcap,+chown";
    let daemon = wire.start(made.path(), &["setpriv", few, "--inh-caps=-all"]);
    assert!(!warnings(&daemon).contains("xdp"), "{}", warnings(&daemon));
    ask_all(&wire);
    assert_eq!(received(&wire, &daemon), 2);
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid())).unwrap();
    assert!(status.contains("CapPrm:\t0000000000000000"), "{status}");
    assert!(status.contains("Uid:\t61234"), "{status}");
}

#[test]
fn an_interface_that_is_not_there_is_told() {
    let Some(wire) = Wire::make() else { return };
    let made = tempfile::tempdir().unwrap();
    lay_out_xdp(made.path(), "");
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("xdp = [", "xdp = [\"nowhere0\", ")).unwrap();
    let daemon = wire.start(made.path(), &[]);
    let told = warnings(&daemon);
    assert!(told.contains("nowhere0: there is no such interface"), "{told}");
    ask_all(&wire);
    assert_eq!(received(&wire, &daemon), 2, "the other one is used");
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

/// Ends the client however its test ends.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn changes_and_a_successor_lose_no_query() {
    let Some(wire) = Wire::make() else { return };
    let made = tempfile::tempdir().unwrap();
    let dir = made.path();
    lay_out_xdp(dir, "");
    let daemon = wire.start(dir, &[]);
    let stop = AtomicBool::new(false);
    let socket = wire.at_client(|| UdpSocket::bind("192.0.2.9:0").unwrap());
    socket.connect(ADDRESSES[0]).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let successor = std::thread::scope(|scope| {
        let client = scope.spawn(|| {
            let (mut id, mut octets) = (0u16, [0; 2048]);
            let mut query = query("cirebonkab.go.id.", RecordType::SOA);
            while !stop.load(Ordering::Relaxed) {
                id = id.wrapping_add(1);
                query[..2].copy_from_slice(&id.to_be_bytes());
                socket.send(&query).unwrap();
                socket.recv(&mut octets).expect("no query is lost");
                assert_eq!(octets[..2], id.to_be_bytes());
            }
        });
        let end = End(&stop);
        until("queries come over it", || received(&wire, &daemon) > 200);
        for at in 0..3 {
            daemon.add_record(&format!("xdp{at} A 192.0.2.7{at}"));
            let reloaded = daemon.gapura(&["ctl", "reload"]);
            assert!(reloaded.status.success(), "{}", printed(&reloaded));
            let name = format!("xdp{at}.cirebonkab.go.id.");
            let address = ADDRESSES[1].parse().unwrap();
            let answer = wire.at_client(|| ask(address, &name, RecordType::A));
            assert_eq!(data(&answer), [format!("192.0.2.7{at}")]);
        }
        let output = run_in(dir, &["ctl", "hand-over", "--json"]);
        assert!(output.status.success(), "{}", printed(&output));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        // Killed however this test ends.
        let successor = Successor(u32::try_from(json["to"].as_u64().unwrap()).unwrap());
        drop(end);
        client.join().unwrap();
        successor
    });
    // The successor has the interface now.
    until("the first is gone", || !Path::new(&format!("/proc/{}/exe", daemon.pid())).exists());
    ask_all(&wire);
    assert!(wire.interface().contains("prog/xdp"), "{}", wire.interface());
    let log = std::fs::read_to_string(dir.join("log")).unwrap();
    assert_eq!(log.matches("queries come over AF_XDP").count(), 2, "{log}");
    drop(successor);
    until("the program is gone", || !wire.interface().contains("xdp"));
}
