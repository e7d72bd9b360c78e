//! gapura as a secondary: of Knot, NSD and BIND, of itself over TLS, and of primaries that do what none should.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gapura::dns_client::{Transport, exchange};
use gapura::master::{self, Input, NoIncludes};
use gapura::wire::{Name, NameRef, Rtype, rdata};

use crate::support::peers::{self, Key, Peer, PeerZone, Program, fix_port};
use crate::support::{Daemon, lay_out};

/// The zone of these tests.
const ZONE: &str = "example.";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A zone of this serial: most records stay, some come, go and change with each. REFRESH, RETRY and EXPIRE are
/// given.
fn text(serial: u32, [refresh, retry, expire]: [u32; 3]) -> String {
    let mut text = format!(
        "example. 300 SOA ns.example. admin.example. {serial} {refresh} {retry} {expire} 300\n\
         example. 300 NS ns.example.\nexample. 300 MX 10 mail.example.\nns.example. 300 A 192.0.2.1\n\
         mail.example. 300 A 192.0.2.2\n*.wild.example. 60 TXT \"any \\\"thing\\\"\"\n\
         sub.example. 300 NS ns.sub.example.\nns.sub.example. 300 A 192.0.2.3\n"
    );
    for host in 0..40 {
        let moved = serial / 40 + u32::from(host < serial % 40);
        text += &format!("h{host}.example. 300 A 198.51.100.{}\n", moved % 250);
    }
    for gone in 0..5 {
        let name = serial.saturating_sub(gone * 3);
        text += &format!("deep.{name}.x.example. {} TXT \"{serial}\"\n", 60 + serial % 7);
    }
    text
}

/// Usual timers.
const SLOW: [u32; 3] = [3600, 600, 86_400];

/// gapura in a directory of its own, as a secondary of remotes; it does not run yet.
struct Secondary {
    /// The directory.
    dir: tempfile::TempDir,
    /// Where it will answer.
    address: SocketAddr,
}

impl Secondary {
    /// Settings for the zone from `primaries`, whose tables are in `more`.
    fn new(primaries: &[&str], more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let zone = format!("\n[[zone]]\nname = \"{ZONE}\"\nprimaries = {primaries:?}\n");
        // The tests ask again and again.
        let limit = "\n[rate_limit]\nresponses_per_second = 0\n";
        lay_out(dir.path(), &format!("{limit}{more}{zone}"));
        let address = fix_port(dir.path());
        Self { dir, address }
    }

    /// Starts it.
    fn start(&self) -> Daemon {
        Daemon::in_dir(self.dir.path())
    }

    /// Waits until it serves a serial.
    fn until(&self, daemon: &Daemon, serial: u32) -> Duration {
        let begun = Instant::now();
        while peers::serial(self.address, ZONE) != Some(serial) {
            assert!(begun.elapsed() < PATIENCE, "not {serial}:\n{}", status(daemon)["text"]);
            std::thread::sleep(Duration::from_millis(1));
        }
        begun.elapsed()
    }
}

/// What `ctl status` says of the zone; the whole text and the log under `text`.
fn status(daemon: &Daemon) -> serde_json::Value {
    let out = daemon.gapura(&["ctl", "status", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let zones = all["zones"].as_array().unwrap();
    let mut zone = zones.iter().find(|zone| zone["zone"] == ZONE).unwrap().clone();
    let text = daemon.gapura(&["ctl", "status"]).stdout;
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    zone["text"] = format!("{}\n{log}", String::from_utf8_lossy(&text)).into();
    zone
}

/// Waits until something is so.
fn wait_for(what: &str, daemon: &Daemon, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}:\n{}", status(daemon)["text"]);
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The records that gapura serves, as those of a peer are compared.
fn served(daemon: &Daemon) -> Vec<String> {
    let out = daemon.gapura(&["zone", "export", ZONE]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let (mut records, apex) = (Vec::new(), ZONE.parse::<Name>().unwrap());
    let input = Input { file: Path::new("export"), bytes: &out.stdout, loader: &NoIncludes };
    let parsed = master::parse(&input, apex.as_ref(), &master::Options::default(), &mut |it, _| {
        records.push(it.to_record());
    });
    assert_eq!(parsed.errors, 0);
    peers::lines(&records)
}

/// What made the versions, newest first.
fn causes(daemon: &Daemon) -> Vec<String> {
    let out = daemon.gapura(&["zone", "history", ZONE, "--limit", "1000", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let kind = |one: &serde_json::Value| one["cause"]["transfer"].as_str().unwrap().to_owned();
    all.as_array().unwrap().iter().map(kind).collect()
}

/// The middle of times.
fn p50(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A primary with a key, and its secondary, which runs and has the first version.
fn keyed(program: Program) -> (Peer, Secondary, Daemon) {
    let mut primary = Peer::new(program);
    let remote = primary.remote("ns1", Some(&Key::ARMADA));
    let secondary = Secondary::new(&["ns1"], &format!("{}{remote}", Key::ARMADA.settings()));
    let zone = PeerZone::primary(ZONE, &text(1, SLOW), &[secondary.address]);
    primary.serve(&[zone.with_key(&Key::ARMADA)]);
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    (primary, secondary, daemon)
}

#[test]
fn it_follows_knot_nsd_and_bind_through_many_edits() {
    const EDITS: u32 = 100;
    if !peers::are_here(&Program::ALL) {
        return;
    }
    for program in Program::ALL {
        let (mut primary, secondary, daemon) = keyed(program);
        let mut times = Vec::new();
        for serial in 2..=EDITS {
            primary.change(ZONE, &text(serial, SLOW));
            primary.until_serial(ZONE, serial);
            times.push(secondary.until(&daemon, serial));
            if serial % 10 == 0 {
                primary.assert_has(ZONE, &served(&daemon), &format!("at {serial}"));
            }
        }
        let causes = causes(&daemon);
        let changes = causes.iter().filter(|kind| *kind == "ixfr").count();
        println!("{program:?}: {EDITS} versions, {changes} by IXFR, p50 {:?}", p50(times));
        // NSD has changes of a file only for a while, and not always.
        let has_changes = peers::fetch(primary.address, ZONE, Some(EDITS - 1)).is_incremental();
        assert!(changes > 80 || !has_changes, "{changes} of {EDITS}:\n{}", status(&daemon)["text"]);
        // It is away, and we are started again: what was served is served at once.
        primary.stop();
        let before = served(&daemon);
        daemon.end_with("KILL");
        let daemon = secondary.start();
        assert_eq!(peers::serial(secondary.address, ZONE), Some(EDITS));
        assert_eq!(served(&daemon), before);
        // It comes back with more.
        primary.start();
        primary.change(ZONE, &text(EDITS + 1, SLOW));
        secondary.until(&daemon, EDITS + 1);
        primary.assert_has(ZONE, &served(&daemon), "");
    }
}

//------------ EXPIRE --------------------------------------------------------

/// The response code and the extended error for the SOA record, over UDP.
fn rcode_and_ede(server: SocketAddr) -> (u8, Option<u16>) {
    let apex: Name = ZONE.parse().unwrap();
    let query = [
        b"\0\x07\0\0\0\x01\0\0\0\0\0\x01",
        apex.as_ref().wire(),
        b"\0\x06\0\x01\0\0\x29\x04\xd0\0\0\0\0\0\0",
    ]
    .concat();
    let response = exchange(server, &query, Transport::Udp, PATIENCE).unwrap();
    let at = response.windows(3).rposition(|three| three == [0, 0, 41]).unwrap() + 11;
    let ede = (response.len() > at && response[at..at + 2] == [0, 15])
        .then(|| u16::from_be_bytes([response[at + 4], response[at + 5]]));
    (response[3] & 0x0f, ede)
}

#[test]
fn it_expires_over_restarts_and_comes_back() {
    if !peers::are_here(&[Program::Knot]) {
        return;
    }
    let mut primary = Peer::new(Program::Knot);
    let secondary = Secondary::new(&["ns1"], &primary.remote("ns1", None));
    let quick = [1, 1, 4];
    primary.serve(&[PeerZone::primary(ZONE, &text(1, quick), &[secondary.address])]);
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    // Refreshed again and again, it does not expire.
    std::thread::sleep(Duration::from_secs(5));
    assert_eq!(rcode_and_ede(secondary.address), (0, None));
    assert!(status(&daemon)["expire_seconds"].as_u64().unwrap() <= 4);
    primary.stop();
    wait_for("it expires", &daemon, || rcode_and_ede(secondary.address) == (2, Some(24)));
    let zone = status(&daemon);
    assert_eq!((&zone["expired"], &zone["expire_seconds"]), (&true.into(), &0.into()));
    assert!(zone["refresh"]["error"].as_str().unwrap().starts_with("ns1 127.0.0.1:"), "{zone}");
    daemon.end_with("TERM");
    let daemon = secondary.start();
    assert_eq!(rcode_and_ede(secondary.address), (2, Some(24)), "after a restart, too");
    primary.start();
    secondary.until(&daemon, 1);
    let zone = status(&daemon);
    assert_eq!(
        (&zone["expired"], &zone["refresh"]["error"]),
        (&false.into(), &serde_json::Value::Null)
    );
    // Started while the time is not over: what is left is what was.
    daemon.end_with("TERM");
    primary.stop();
    let daemon = secondary.start();
    assert_eq!(rcode_and_ede(secondary.address), (0, None));
    wait_for("it expires", &daemon, || rcode_and_ede(secondary.address) == (2, Some(24)));
}

//------------ Primaries that do what none should ----------------------------

/// What a scripted primary does with a query over TCP: messages to send, then it closes.
type Script = dyn FnMut(&[u8]) -> Vec<Vec<u8>> + Send;

/// A primary whose every word the test decides.
struct Scripted {
    /// Where it listens.
    address: SocketAddr,
    /// The serial that it answers over UDP.
    serial: Arc<AtomicU32>,
    /// What it does over TCP.
    script: Arc<Mutex<Box<Script>>>,
    /// Queries so far.
    queries: Arc<AtomicU32>,
}

impl Scripted {
    /// A primary that has a serial and sends these messages whatever is asked for.
    fn new(serial: u32, messages: Vec<Vec<u8>>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
        let (udp, tcp) = (UdpSocket::bind(address).unwrap(), TcpListener::bind(address).unwrap());
        let script: Box<Script> = Box::new(move |_| messages.clone());
        let primary = Self {
            address,
            serial: Arc::new(serial.into()),
            script: Arc::new(Mutex::new(script)),
            queries: Arc::default(),
        };
        let (serial, queries) = (primary.serial.clone(), primary.queries.clone());
        std::thread::spawn(move || {
            let mut query = [0; 2048];
            while let Ok((octets, from)) = udp.recv_from(&mut query) {
                queries.fetch_add(1, Ordering::Relaxed);
                let soa = [soa(serial.load(Ordering::Relaxed))];
                drop(udp.send_to(&message(&query[..octets], &soa), from));
            }
        });
        let (script, queries) = (primary.script.clone(), primary.queries.clone());
        std::thread::spawn(move || {
            for stream in tcp.incoming() {
                let mut stream = stream.unwrap();
                let Ok(query) = peers::read_message(&mut stream) else { continue };
                queries.fetch_add(1, Ordering::Relaxed);
                for message in script.lock().unwrap()(&query) {
                    let length = (message.len() as u16).to_be_bytes();
                    drop(stream.write_all(&[&length[..], &message].concat()));
                }
            }
        });
        primary
    }

    /// Does something else over TCP from now on.
    fn does(&self, script: impl FnMut(&[u8]) -> Vec<Vec<u8>> + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(script);
    }

    /// The `[[remote]]` table.
    fn remote(&self) -> String {
        format!("\n[[remote]]\nname = \"ns1\"\naddresses = [\"{}\"]\n", self.address)
    }
}

/// A record as it stands in a message, names not compressed.
fn record(owner: &str, rtype: Rtype, data: &str) -> Vec<u8> {
    let owner: Name = owner.parse().unwrap();
    let rdata = rdata::parse(rtype, data.as_bytes(), NameRef::ROOT).unwrap();
    let fixed =
        [rtype.0.to_be_bytes(), [0, 1], [0, 0], [1, 44], (rdata.len() as u16).to_be_bytes()];
    [owner.as_ref().wire(), &fixed.concat(), &rdata].concat()
}

/// The SOA record of the zone.
fn soa(serial: u32) -> Vec<u8> {
    record(ZONE, Rtype::SOA, &format!("ns.example. admin.example. {serial} 3600 1 86400 300"))
}

/// The response to a query with these records.
fn message(query: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let question: Name = ZONE.parse().unwrap();
    let question = 12..12 + question.as_ref().wire().len() + 4;
    let mut message = query[..question.end].to_vec();
    message[2..12].copy_from_slice(&[0x84, 0, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    message.extend(records.concat());
    message
}

/// A zone of this serial in records, without the closing SOA.
fn zone(serial: u32) -> Vec<Vec<u8>> {
    let mut all = vec![soa(serial), record(ZONE, Rtype::NS, "ns.example.")];
    all.push(record("ns.example.", Rtype::A, "192.0.2.1"));
    all.extend((0..5).map(|host| {
        record(&format!("h{host}.example."), Rtype::A, &format!("192.0.2.{}", serial % 250))
    }));
    all
}

/// The messages of AXFR of a zone, one record each.
fn axfr(query: &[u8], serial: u32) -> Vec<Vec<u8>> {
    let all = zone(serial).into_iter().chain([soa(serial)]);
    all.map(|one| message(query, &[one])).collect()
}

/// gapura that serves serial 1 of a scripted primary.
fn of_scripted() -> (Scripted, Secondary, Daemon) {
    let primary = Scripted::new(1, Vec::new());
    primary.does(|query| axfr(query, 1));
    let secondary = Secondary::new(&["ns1"], &primary.remote());
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    (primary, secondary, daemon)
}

/// `gapura zone retransfer`; what it said.
fn retransfer(daemon: &Daemon) -> (bool, String) {
    let out = daemon.gapura(&["zone", "retransfer", ZONE]);
    let text = [out.stdout, out.stderr].concat();
    (out.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// T13: a transfer that is cut at any boundary of its messages, or within one, changes nothing.
#[test]
fn a_transfer_that_is_cut_leaves_the_old_zone() {
    let (primary, secondary, daemon) = of_scripted();
    let before = served(&daemon);
    primary.serial.store(2, Ordering::Relaxed);
    let count = zone(2).len() + 1;
    for cut in 0..count {
        primary.does(move |query| axfr(query, 2)[..cut].to_vec());
        let (done, said) = retransfer(&daemon);
        assert!(!done && said.contains("before the transfer was whole"), "{cut}: {said}");
        assert_eq!(served(&daemon), before, "cut behind message {cut} of {count}");
    }
    println!("cut at {count} of {count} boundaries: old zone kept {count}/{count}");
    primary.does(|query| {
        let mut messages = axfr(query, 2);
        let last = messages.last_mut().unwrap();
        last.truncate(last.len() - 3);
        messages
    });
    assert!(!retransfer(&daemon).0);
    assert_eq!(served(&daemon), before);
    primary.does(|query| axfr(query, 2));
    let (done, said) = retransfer(&daemon);
    assert!(done, "{said}");
    assert_eq!(peers::serial(secondary.address, ZONE), Some(2));
}

#[test]
fn a_bad_transfer_is_refused_and_told() {
    let (primary, secondary, daemon) = of_scripted();
    let before = served(&daemon);
    primary.serial.store(2, Ordering::Relaxed);
    let with = |more: &str, rtype, data: &str| {
        let mut all = zone(2);
        all.push(record(more, rtype, data));
        all.push(soa(2));
        all
    };
    let cases = [
        (with("h1.example.", Rtype::CNAME, "ns.example."), "has a CNAME and also A"),
        (with("h1.other.", Rtype::A, "192.0.2.7"), "outside the zone"),
        (with(ZONE, Rtype::SOA, "ns.example. a.example. 7 1 1 1 1"), "another SOA record"),
        (with("sub.example.", Rtype::SOA, "ns.example. a.example. 2 1 1 1 1"), "at the apex only"),
        (vec![soa(2), soa(2)], "NS records"),
        (vec![record("h1.example.", Rtype::A, "192.0.2.7")], "begin with the SOA"),
    ];
    for (records, why) in cases {
        primary.does(move |query| vec![message(query, &records)]);
        let (done, said) = retransfer(&daemon);
        assert!(!done && said.contains(why), "{why}: {said}");
        assert_eq!(served(&daemon), before);
    }
    // A name server that refuses, and one that answers rubbish.
    primary.does(|query| {
        let mut refused = message(query, &[]);
        refused[3] = 5;
        vec![refused]
    });
    assert!(retransfer(&daemon).1.contains("REFUSED"));
    primary.does(|_| vec![vec![0xff; 40]]);
    assert!(!retransfer(&daemon).0);
    assert_eq!(served(&daemon), before);
    assert_eq!(peers::serial(secondary.address, ZONE), Some(1));
}

/// Sends a NOTIFY with this serial, as anybody could who knows a primary's address.
fn notify(server: SocketAddr, serial: u32) {
    let apex: Name = ZONE.parse().unwrap();
    let head = *b"\0\x09\x24\0\0\x01\0\x01\0\0\0\0";
    let query = [&head[..], apex.as_ref().wire(), b"\0\x06\0\x01", &soa(serial)].concat();
    let response = exchange(server, &query, Transport::Udp, PATIENCE).unwrap();
    assert_eq!(response[3] & 0x0f, 0, "a NOTIFY of a primary is answered");
}

/// Bug class: a NOTIFY that is ahead of the primary's own serial is followed once, and not for ever.
#[test]
fn notify_ahead_of_the_serial() {
    let (primary, secondary, daemon) = of_scripted();
    let before = primary.queries.load(Ordering::Relaxed);
    notify(secondary.address, 1);
    notify(secondary.address, 99);
    wait_for("the hint is followed", &daemon, || primary.queries.load(Ordering::Relaxed) > before);
    std::thread::sleep(Duration::from_millis(1_500));
    let asked = primary.queries.load(Ordering::Relaxed) - before;
    assert!(asked <= 2, "{asked} queries for one NOTIFY");
    assert_eq!(peers::serial(secondary.address, ZONE), Some(1));
}

/// Bug class: a transfer that fails is not tried in a tight loop, whatever NOTIFY says.
#[test]
fn failed_transfer_in_a_tight_loop() {
    let (primary, secondary, daemon) = of_scripted();
    primary.serial.store(2, Ordering::Relaxed);
    primary.does(|query| vec![message(query, &[soa(2), soa(2)])]);
    let before = primary.queries.load(Ordering::Relaxed);
    for _ in 0..100 {
        notify(secondary.address, 2);
        std::thread::sleep(Duration::from_millis(20));
    }
    let asked = primary.queries.load(Ordering::Relaxed) - before;
    println!("{asked} queries in two seconds with 100 NOTIFYs of a bad version");
    assert!((2..40).contains(&asked), "{asked} queries");
    let zone = status(&daemon);
    assert_eq!(zone["refusal"]["guard"], "check", "{zone}");
    assert!(zone["text"].as_str().unwrap().contains("transfer refused"), "{}", zone["text"]);
    primary.does(|query| axfr(query, 2));
    secondary.until(&daemon, 2);
}

/// A primary without IXFR, and one whose changes do not fit: the whole zone is taken.
#[test]
fn where_changes_cannot_be_had_the_whole_zone_is_taken() {
    let (primary, secondary, daemon) = of_scripted();
    let is_ixfr = |query: &[u8]| query[12 + 9..12 + 11] == [0, 251];
    for (serial, rcode) in [(2, 1_u8), (3, 4), (4, 5)] {
        primary.serial.store(serial, Ordering::Relaxed);
        primary.does(move |query| {
            if !is_ixfr(query) {
                return axfr(query, serial);
            }
            let mut refused = message(query, &[]);
            refused[3] = rcode;
            vec![refused]
        });
        notify(secondary.address, serial);
        secondary.until(&daemon, serial);
    }
    // A chain that removes what is not there, and one that begins elsewhere.
    for (serial, from) in [(5, 4), (6, 2)] {
        primary.serial.store(serial, Ordering::Relaxed);
        primary.does(move |query| {
            if !is_ixfr(query) {
                return axfr(query, serial);
            }
            let gone = record("never.example.", Rtype::A, "192.0.2.9");
            vec![message(query, &[soa(serial), soa(from), gone, soa(serial), soa(serial)])]
        });
        notify(secondary.address, serial);
        secondary.until(&daemon, serial);
    }
    // And one that is as it should be.
    primary.serial.store(7, Ordering::Relaxed);
    primary.does(move |query| {
        let new = record("new.example.", Rtype::A, "192.0.2.9");
        vec![message(query, &[soa(7), soa(6), soa(7), new, soa(7)])]
    });
    notify(secondary.address, 7);
    secondary.until(&daemon, 7);
    assert_eq!(causes(&daemon)[..3], ["ixfr", "axfr", "axfr"]);
}

#[test]
fn a_serial_that_is_behind_is_not_taken_but_by_hand() {
    let (primary, secondary, daemon) = of_scripted();
    primary.serial.store(u32::MAX - 5, Ordering::Relaxed);
    primary.does(|query| axfr(query, u32::MAX - 5));
    notify(secondary.address, 9);
    wait_for("it is told", &daemon, || {
        let error = status(&daemon)["refresh"]["error"].as_str().unwrap_or_default().to_owned();
        error.contains("is behind 1") && error.contains("gapura zone retransfer")
    });
    assert_eq!(peers::serial(secondary.address, ZONE), Some(1));
    let (done, said) = retransfer(&daemon);
    assert!(done && said.contains("1 -> 4294967290"), "{said}");
    assert_eq!(peers::serial(secondary.address, ZONE), Some(u32::MAX - 5));
    daemon.end_with("TERM");
    let daemon = secondary.start();
    secondary.until(&daemon, u32::MAX - 5);
}

/// One primary is away, the other answers.
#[test]
fn the_next_primary_is_asked() {
    let away = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
    let primary = Scripted::new(1, Vec::new());
    primary.does(|query| axfr(query, 1));
    let remotes =
        format!("\n[[remote]]\nname = \"gone\"\naddresses = [\"{away}\"]\n{}", primary.remote());
    let secondary = Secondary::new(&["gone", "ns1"], &remotes);
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    assert_eq!(status(&daemon)["refresh"]["primary"], "ns1");
}

/// Bug class: nobody is told that all primaries of a zone are away, nor since when, until it expires.
#[test]
fn primaries_that_are_away_are_a_warning_until_one_is_heard() {
    let (primary, _secondary, daemon) = of_scripted();
    let warning = |daemon: &Daemon| {
        let out = daemon.gapura(&["ctl", "status", "--json"]);
        let all: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let mut all = all["warnings"].as_array().unwrap().iter().filter_map(|it| it.as_str());
        all.find(|it| it.starts_with("no primary of example. could be used since 20"))
            .map(str::to_owned)
    };
    assert_eq!(warning(&daemon), None);
    primary.does(|_| Vec::new());
    assert!(!retransfer(&daemon).0);
    let told = warning(&daemon).expect("a warning");
    assert!(told.contains("ns1 127.0.0.1"), "{told}");
    assert!(status(&daemon)["text"].as_str().unwrap().contains("no primary could be used"));
    assert!(status(&daemon)["refresh"]["failing_since"].is_i64());
    primary.does(|query| axfr(query, 1));
    let (is_well, said) = retransfer(&daemon);
    assert!(is_well && said.contains("unchanged"), "{said}");
    assert_eq!(warning(&daemon), None);
}

/// Bug class: a key that is deleted while it is in use costs no zone, and comes back.
#[test]
fn key_deleted_while_in_use() {
    if !peers::are_here(&[Program::Knot]) {
        return;
    }
    let (primary, secondary, daemon) = keyed(Program::Knot);
    let path = secondary.dir.path().join("gapura.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    // Only the key: a rule still names it, so nothing changes at all.
    std::fs::write(&path, good.replace(&Key::ARMADA.settings(), "")).unwrap();
    assert!(!daemon.gapura(&["ctl", "reload"]).status.success());
    primary.change(ZONE, &text(2, SLOW));
    secondary.until(&daemon, 2);
    // The key and the rule: its NOTIFY is signed by nobody we know, and the zone stays as it is.
    let bare = good.replace(&Key::ARMADA.settings(), "").replace("key = \"armada.\"\n", "");
    std::fs::write(&path, bare).unwrap();
    assert!(daemon.gapura(&["ctl", "reload"]).status.success());
    primary.change(ZONE, &text(3, SLOW));
    primary.until_serial(ZONE, 3);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(peers::serial(secondary.address, ZONE), Some(2));
    std::fs::write(&path, good).unwrap();
    assert!(daemon.gapura(&["ctl", "reload"]).status.success());
    primary.change(ZONE, &text(4, SLOW));
    secondary.until(&daemon, 4);
    primary.assert_has(ZONE, &served(&daemon), "");
}

//------------ Over TLS (RFC 9103) -------------------------------------------

/// A file with a certificate or key of the tests.
fn pem(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("src/dns/serve/tests").join(name).display().to_string()
}

/// The `[[remote]]` table of a primary that is reached over TLS.
fn over_tls(address: SocketAddr, name: &str, more: &str) -> String {
    format!(
        "\n[[remote]]\nname = \"ns1\"\naddresses = [\"{address}\"]\ntls = \"{name}\"\ntls_ca = \"{}\"\n{more}",
        pem("ca.crt")
    )
}

#[test]
fn it_follows_bind_over_tls() {
    if !peers::are_here(&[Program::Bind]) {
        return;
    }
    let tls = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
    let mut primary = Peer::new(Program::Bind);
    let (cert, key) = (pem("localhost.crt"), pem("localhost.key"));
    primary.more = format!(
        "tls xot {{ cert-file \"{cert}\"; key-file \"{key}\"; protocols {{ TLSv1.3; }}; }};\n"
    );
    let quick = [1, 1, 60];
    primary.serve(&[PeerZone::primary(ZONE, &text(1, quick), &[])]);
    primary.stop();
    let conf = std::fs::read_to_string(primary.dir.join("conf")).unwrap();
    let listen = format!("listen-on port {} tls xot {{ 127.0.0.1; }}; listen-on-v6", tls.port());
    std::fs::write(primary.dir.join("conf"), conf.replace("listen-on-v6", &listen)).unwrap();
    primary.start();
    let secondary = Secondary::new(&["ns1"], &over_tls(tls, "localhost", ""));
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    for serial in 2..6 {
        primary.change(ZONE, &text(serial, quick));
        secondary.until(&daemon, serial);
        primary.assert_has(ZONE, &served(&daemon), "");
    }
    assert!(causes(&daemon).iter().any(|kind| kind == "ixfr"), "{:?}", causes(&daemon));
    // A certificate with another name is nobody's.
    let secondary = Secondary::new(&["ns1"], &over_tls(tls, "ns1.other.test", ""));
    let daemon = secondary.start();
    wait_for("it is refused", &daemon, || {
        status(&daemon)["refresh"]["error"].as_str().unwrap_or_default().contains("certificate")
    });
    assert_eq!(peers::serial(secondary.address, ZONE), None);
}
/// A secondary whose settings lose its zone follows the zone's file at the primary, and says that it is lost.
fn follows_on(secondary: &Secondary, daemon: &Daemon, file: &Path) {
    let path = secondary.dir.path().join("gapura.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    let table = format!("[[zone]]\nname = \"{ZONE}\"\nprimaries = [\"ns1\"]\n");
    assert!(settings.contains(&table), "{settings}");
    // Settings without any zone at all would be refused.
    let other = table.replace(ZONE, "other.example.");
    std::fs::write(&path, settings.replace(&table, &other)).unwrap();
    let said = daemon.gapura(&["ctl", "reload"]);
    let (lost, words) =
        ("is no longer in any [[zone]]", String::from_utf8_lossy(&said.stderr).into_owned());
    assert!(said.status.code() == Some(1) && words.contains(lost), "{words}");
    std::fs::write(file, text(3, [1, 1, 60])).unwrap();
    secondary.until(daemon, 3);
    let known = status(daemon);
    assert!(known["text"].as_str().unwrap().contains(lost), "{}", known["text"]);
    std::fs::write(&path, settings).unwrap();
    assert!(daemon.gapura(&["ctl", "reload"]).status.success(), "it is back");
}

#[test]
fn two_gapuras_know_each_other_by_certificates() {
    let tls = SocketAddr::from(([127, 0, 0, 1], peers::free_port()));
    let (cert, key, ca) = (pem("localhost.crt"), pem("localhost.key"), pem("ca.crt"));
    let made = tempfile::tempdir().unwrap();
    std::fs::write(made.path().join("example.zone"), text(1, [1, 1, 60])).unwrap();
    let rules = |name: &str| {
        format!(
            "\n[tls]\nlisten = [\"{tls}\"]\ncert = \"{cert}\"\nkey = \"{key}\"\nclient_ca = \"{ca}\"\n\
             [[remote]]\nname = \"ns2\"\naddresses = [\"127.0.0.1\"]\ntls = \"{name}\"\n\
             [[zone]]\nname = \"{ZONE}\"\nfile = \"example.zone\"\ntransfer = [\"ns2\"]\n"
        )
    };
    lay_out(made.path(), &rules("localhost"));
    let primary = Daemon::in_dir(made.path());
    let own = format!("tls_cert = \"{cert}\"\ntls_key = \"{key}\"\n");
    let secondary = Secondary::new(&["ns1"], &over_tls(tls, "localhost", &own));
    let daemon = secondary.start();
    secondary.until(&daemon, 1);
    std::fs::write(made.path().join("example.zone"), text(2, [1, 1, 60])).unwrap();
    secondary.until(&daemon, 2);
    assert_eq!(served(&daemon), served(&primary));
    follows_on(&secondary, &daemon, &made.path().join("example.zone"));
    // Without TLS nobody gets it, and over TLS nobody without a certificate …
    let query = peers::transfer_query(ZONE, None);
    assert_eq!(peers::try_fetch(primary.dns(), &query).unwrap().rcode, 5, "over TCP");
    let stranger = Secondary::new(&["ns1"], &over_tls(tls, "localhost", ""));
    let strange = stranger.start();
    wait_for("it is refused", &strange, || {
        status(&strange)["refresh"]["error"].as_str().unwrap_or_default().contains("REFUSED")
    });
    // … nor with one of another name than the rule's.
    let path = made.path().join("gapura.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let other = "tls = \"ns2.other.test\"\n[[zone]]";
    std::fs::write(&path, text.replace("tls = \"localhost\"\n[[zone]]", other)).unwrap();
    assert!(primary.gapura(&["ctl", "reload"]).status.success());
    let (done, said) = retransfer(&daemon);
    assert!(!done && said.contains("REFUSED"), "{said}");
    // Authorities that cannot be used are told.
    std::fs::write(&path, text.replace(&format!("client_ca = \"{ca}\""), "client_ca = \"no.pem\""))
        .unwrap();
    let said = primary.gapura(&["ctl", "reload"]);
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{words}");
    assert!(words.contains("client_ca refused, the one before goes on"), "{words}");
}
