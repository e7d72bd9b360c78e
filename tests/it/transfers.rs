//! Transfers out, to real secondaries and real clients.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use gapura::wire::Rtype;

use crate::support::peers::{
    self, Fetched, Key, Peer, PeerZone, Program, fetch, is_client_here, lines, transfer_query,
    try_fetch,
};
use crate::support::{Daemon, kill, lay_out, printed, until};

/// The zone.
const ZONE: &str = "cirebonkab.go.id.";

//------------ The peers themselves ------------------------------------------

/// A small zone of a serial.
fn text(serial: u32, address: u32) -> String {
    format!(
        "example. 300 SOA ns.example. admin.example. {serial} 3600 600 86400 300\n\
         example. 300 NS ns.example.\nns.example. 300 A 192.0.2.1\nwww.example. 300 A 192.0.2.{address}\n"
    )
}

#[test]
fn the_peers_follow_each_other() {
    if !peers::are_here(&Program::ALL) {
        return;
    }
    for primary in Program::ALL {
        let mut followers: Vec<Peer> =
            Program::ALL.into_iter().filter(|it| *it != primary).map(Peer::new).collect();
        let mut primary = Peer::new(primary);
        let told: Vec<_> = followers.iter().map(|peer| peer.address).collect();
        let own = PeerZone::primary("example.", &text(1, 1), &told).with_key(&Key::ARMADA);
        primary.serve(&[own]);
        for peer in &mut followers {
            peer.serve(&[PeerZone::secondary("example.", primary.address).with_key(&Key::ARMADA)]);
        }
        for serial in [1, 2] {
            if serial == 2 {
                primary.change("example.", &text(2, 2));
            }
            for peer in &followers {
                let took = peer.until_serial("example.", serial);
                println!("{:?} -> {:?}: {serial} after {took:?}", primary.program, peer.program);
                let www = format!("www.example. 300 A c00002{serial:02x}");
                // Either may be NSD: while it replaces its processes, the next to answer may be the one before.
                until("both have the same", || {
                    let theirs = peer.records("example.");
                    theirs.contains(&www) && theirs == primary.records("example.")
                });
            }
        }
    }
}

//------------ A primary -----------------------------------------------------

/// Settings of a zone that `reader` (this test, unsigned) and these remotes may have; the key is there.
fn settings(remotes: &[(&str, String)]) -> String {
    let names: Vec<String> = remotes.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let tables: String = remotes.iter().map(|(_, table)| table.as_str()).collect();
    let names = names.join(", ");
    format!(
        "transfer = [{names}{} \"reader\", \"signed\"]\nnotify = [{names}]\n{}\n\
         [[remote]]\nname = \"reader\"\naddresses = [\"127.0.0.1\"]\n\n\
         [[remote]]\nname = \"signed\"\naddresses = [\"127.0.0.1\"]\nkey = \"armada.\"\n{tables}",
        if names.is_empty() { "" } else { "," },
        Key::ARMADA.settings()
    )
}

/// Puts a text in the place of the zone file and has it loaded; the serial that is live then.
fn load(daemon: &Daemon, text: &str) -> u32 {
    std::fs::write(daemon.zone_file(), text).unwrap();
    let done = daemon.gapura(&["ctl", "reload", ZONE]);
    assert_eq!(done.status.code(), Some(0), "{}", printed(&done));
    peers::serial(daemon.dns(), ZONE).unwrap()
}

/// Another text for each step, of which every change adds, takes away and replaces something.
fn edited(original: &str, step: u32) -> String {
    let (body, end) = original.trim_end().rsplit_once('\n').unwrap();
    assert!(end.starts_with("; gapura: end"), "{end}");
    let mut text = format!("{body}\n");
    for name in 0..6 {
        if (step >> name) & 1 == 1 {
            text += &format!("bit{name}.{ZONE} 300 IN TXT \"step {}\"\n", step >> name);
            text += &format!("bit{name}.{ZONE} 300 IN A 192.0.2.{name}\n");
        }
    }
    let ttl = 300 + step % 3;
    text + &format!("step.{ZONE} {ttl} IN AAAA 2001:db8::{step:x}\n{end}\n")
}

/// What a version becomes by a transfer, record by record: a record to take away must be there, and one to
/// add must not.
fn applied(version: &BTreeSet<String>, fetched: &Fetched) -> BTreeSet<String> {
    if !fetched.is_incremental() {
        return fetched.lines().into_iter().collect();
    }
    let (mut reached, mut adds) = (version.clone(), true);
    for record in &fetched.records[1..fetched.records.len() - 1] {
        // Each SOA record begins the other part.
        adds ^= record.rtype == Rtype::SOA;
        let line = lines(std::slice::from_ref(record)).remove(0);
        let fits = if adds { reached.insert(line.clone()) } else { reached.remove(&line) };
        assert!(fits, "{} {line}", if adds { "adds" } else { "takes away" });
    }
    reached
}

#[test]
fn from_every_serial_ixfr_leads_to_the_version_record_by_record() {
    let daemon = Daemon::start(&settings(&[]));
    let original = std::fs::read_to_string(daemon.zone_file()).unwrap();
    let version = || {
        let fetched = fetch(daemon.dns(), ZONE, None);
        (fetched.serial().unwrap(), fetched.lines().into_iter().collect::<BTreeSet<_>>())
    };
    let mut versions = vec![version()];
    for step in 1..=20 {
        load(&daemon, &edited(&original, step));
        versions.push(version());
    }
    let (newest, live) = versions.last().unwrap().clone();
    for (serial, version) in &versions {
        let fetched = fetch(daemon.dns(), ZONE, Some(*serial));
        if *serial == newest {
            assert_eq!(fetched.records.len(), 1, "one SOA: there is nothing newer");
            continue;
        }
        assert!(fetched.is_incremental() && fetched.serial() == Some(newest), "from {serial}");
        assert_eq!(applied(version, &fetched), live, "from {serial}");
    }
    // Of what was never there the whole zone comes; ahead of us is what we have.
    let unknown = fetch(daemon.dns(), ZONE, Some(versions[0].0 - 1));
    assert_eq!(unknown.lines().into_iter().collect::<BTreeSet<_>>(), live);
    assert_eq!(fetch(daemon.dns(), ZONE, Some(newest + 7)).records.len(), 1);
    clients_get_it(&daemon, versions[0].0, live.len());
    refused_to_others(&daemon);
}

/// `dig` and `kdig`, with and without a key, over TCP and UDP.
fn clients_get_it(daemon: &Daemon, old: u32, records: usize) {
    let (ip, port) = (daemon.dns().ip().to_string(), daemon.dns().port().to_string());
    let run = |program: &str, args: &[&str]| {
        let mut command = Command::new(program);
        command.arg(format!("@{ip}")).args(["-p", &port]).args(args);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_record = |line: &&str| {
            !line.starts_with(';') && !line.trim().is_empty() && !line.contains("\tTSIG\t")
        };
        (text.lines().filter(is_record).count(), text)
    };
    let (key, ixfr) = (Key::ARMADA.argument(), format!("IXFR={old}"));
    for program in ["dig", "kdig"] {
        if !is_client_here(program) {
            continue;
        }
        for signed in [&[][..], &["-y", &key]] {
            let whole = run(program, &[&["+noidn", ZONE, "AXFR"], signed].concat());
            let whole = if whole.1.contains("noidn") || whole.0 == 0 {
                run(program, &[&[ZONE, "AXFR"], signed].concat())
            } else {
                whole
            };
            assert_eq!(whole.0, records + 1, "{program} {signed:?}\n{}", whole.1);
            let delta = run(program, &[&["+tcp", ZONE, ixfr.as_str()], signed].concat());
            assert!((6..records).contains(&delta.0), "{program} {signed:?}\n{}", delta.1);
            assert!(!delta.1.contains("WARNING") && !delta.1.contains("BADSIG"), "{}", delta.1);
        }
        // Over UDP the delta if it fits, else the one SOA.
        let udp = run(program, &["+notcp", ZONE, &ixfr]);
        assert!(udp.0 == 1 || udp.0 >= 6, "{program}\n{}", udp.1);
    }
}

/// Who is not named gets REFUSED, by whatever transport, and nothing else.
fn refused_to_others(daemon: &Daemon) {
    if !is_client_here("dig") {
        return;
    }
    for (query, transport) in [("AXFR", "+tcp"), ("IXFR=1", "+tcp"), ("IXFR=1", "+notcp")] {
        let port = daemon.dns().port().to_string();
        let output = Command::new("dig")
            .args(["@127.0.0.1", "-b", "127.0.0.9", "-p", &port, transport, ZONE, query])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // dig says nothing of a refusal over UDP but that no record came.
        let is_refused = transport == "+notcp" || text.contains("Transfer failed");
        assert!(is_refused && !text.contains("\tSOA\t"), "{query} {transport}\n{text}");
    }
    let log = std::fs::read_to_string(daemon.dir.join("log")).unwrap();
    assert!(log.contains("AXFR refused") || log.contains("IXFR refused"), "{log}");
}

//------------ Secondaries ---------------------------------------------------

/// The middle of some times.
fn p50(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[test]
fn three_secondaries_follow_fifty_changes_one_away_and_the_primary_killed() {
    if !peers::are_here(&Program::ALL) {
        return;
    }
    let mut secondaries: Vec<Peer> = Program::ALL.into_iter().map(Peer::new).collect();
    let key_of = |program| (program != Program::Nsd).then_some(&Key::ARMADA);
    let remotes: Vec<(&str, String)> = secondaries
        .iter()
        .map(|peer| (peer.program.name(), peer.remote(peer.program.name(), key_of(peer.program))))
        .collect();
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &settings(&remotes));
    let address = peers::fix_port(made.path());
    let mut daemon = Daemon::in_dir(made.path());
    assert_eq!(daemon.dns(), address);
    let original = std::fs::read_to_string(daemon.zone_file()).unwrap();
    for peer in &mut secondaries {
        let zone =
            PeerZone { key: key_of(peer.program).cloned(), ..PeerZone::secondary(ZONE, address) };
        peer.serve(&[zone]);
    }
    let first = peers::serial(address, ZONE).unwrap();
    for peer in &secondaries {
        peer.until_serial(ZONE, first);
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); secondaries.len()];
    for step in 1..=50 {
        match step {
            15 => secondaries[1].stop(),
            20 => secondaries[1].start(),
            35 => {
                kill(daemon.pid(), "KILL");
                drop(daemon);
                daemon = Daemon::in_dir(made.path());
            }
            _ => {}
        }
        let serial = load(&daemon, &edited(&original, step));
        let begun = Instant::now();
        let ours = fetch(address, ZONE, None).lines();
        for (peer, times) in secondaries.iter().zip(&mut times) {
            if peer.program == Program::Nsd && (15..20).contains(&step) {
                continue;
            }
            peer.until_serial(ZONE, serial);
            times.push(begun.elapsed());
            peer.assert_has(ZONE, &ours, &format!("at {serial}"));
        }
    }
    for (peer, times) in secondaries.iter().zip(times) {
        println!("{:?}: p50 {:?} of {} changes", peer.program, p50(times.clone()), times.len());
    }
    let log = std::fs::read_to_string(made.path().join("log")).unwrap();
    let incremental = log.matches("\"kind\":\"ixfr\"").count();
    assert!(incremental > 30, "{incremental} transfers were incremental");
}

//------------ Readers that are slow, or many --------------------------------

/// Resident memory of a process, in KiB.
fn resident(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Asks for a whole zone and reads nothing of it.
fn ask_only(server: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(server).unwrap();
    let query = transfer_query(ZONE, None);
    stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], &query].concat()).unwrap();
    stream
}

#[test]
fn readers_that_do_not_read_cost_little_memory_and_keep_nobody_away() {
    let made = tempfile::tempdir().unwrap();
    lay_out(made.path(), &settings(&[]));
    let file = made.path().join("cirebonkab.go.id.zone");
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.extend((0..60_000).map(|n| format!("n{n}.{ZONE} 300 IN TXT \"{}\"\n", "x".repeat(200))));
    std::fs::write(&file, text).unwrap();
    let daemon = Daemon::in_dir(made.path());
    assert!(fetch(daemon.dns(), ZONE, None).records.len() > 60_000);
    let before = resident(daemon.pid());
    // As many as one requester may have at once, and none of them reads.
    let idle: Vec<TcpStream> = (0..15).map(|_| ask_only(daemon.dns())).collect();
    until("all have begun", || {
        idle.iter().all(|stream| stream.peek(&mut [0]).is_ok_and(|octets| octets > 0))
    });
    let whole = fetch(daemon.dns(), ZONE, None);
    let grown = resident(daemon.pid()).saturating_sub(before);
    println!("15 idle readers of {} records cost {grown} KiB", whole.records.len());
    // The zone has some 15 MiB, of which each would hold its own copy; the daemon's other work is in it, too.
    assert!(grown < 15 * 1024, "{grown} KiB for 15 readers that do not read");
    drop(idle);
    let signed_as_nobody = try_fetch(daemon.dns(), &transfer_query("example.", None)).unwrap();
    assert_ne!(signed_as_nobody.rcode, 0);
}
