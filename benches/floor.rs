//! What a query over UDP costs above the floor: gapura beside programs that send each query back and do nothing else, over
//! sockets and over AF_XDP.
//!
//! Client and server are the two ends of a wire (veth), one of them in a network namespace, both made for this. `kxdpgun`
//! (package knot-dnsutils) on CPU 1 sends more than is answered; the servers have CPU 0 and are asked in turns. The floors
//! use the same calls, batches, rings and program as gapura; they set the bit QR and read nothing.
//!
//! Told are responses a second and processor time of the server's process a response: the median and the best of all
//! rounds, and gapura's part of its floor. Needs root, `ip` and `kxdpgun`. Command:
//!
//! ```text
//! cargo bench -p gapura-dns --features floor --bench floor [-- ROUNDS SECONDS]      (default: 3 rounds of 3 seconds)
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)] // a bench prints, and stops at the first surprise

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use gapura_dns::serve::batch::{Packets, SocketBatch, system};
use gapura_dns::serve::{Options, XdpFloor, start};
use gapura_dns::wire::{Class, Name, RecordRef, Rtype};
use gapura_dns::zone::{ZoneBuilder, ZoneSet};

/// The namespace of the client.
const CLIENT: &str = "gapura-floor";
/// The server's end of the wire.
const WIRE: &str = "gfloor0";
/// Where the server is asked.
const ADDRESS: &str = "198.18.0.1:53";
/// The zone.
const APEX: &str = "cirebonkab.go.id.";
/// Names in it.
const NAMES: usize = 600;
/// Queries that are sent a second: more than is answered.
const OFFERED: &str = "1000000";
/// Octets of the longest response.
const RESPONSE_OCTETS: usize = 1232;

/// Who answers.
#[derive(Clone, Copy)]
enum Server {
    /// Each query goes back.
    Floor,
    /// gapura, with a zone.
    Gapura,
}

/// What is measured, each floor before what stands on it.
const CASES: [(&str, Server, bool); 4] = [
    ("sockets, floor", Server::Floor, false),
    ("sockets, gapura", Server::Gapura, false),
    ("AF_XDP, floor", Server::Floor, true),
    ("AF_XDP, gapura", Server::Gapura, true),
];

fn main() {
    let mut numbers = std::env::args().filter_map(|word| word.parse::<u64>().ok());
    let (rounds, seconds) = (numbers.next().unwrap_or(3), numbers.next().unwrap_or(3));
    if let Some(why) = lacking() {
        println!("skipped: {why}");
        return;
    }
    let (_wire, directory) = (Wire::make(), std::env::temp_dir().join("gapura-floor"));
    fs::create_dir_all(&directory).unwrap();
    let queries = directory.join("queries");
    let lines: String = (0..NAMES).map(|at| format!("desa-{at}.{APEX} A\n")).collect();
    fs::write(&queries, lines).unwrap();
    // What is started from here on inherits it.
    system::pin_to(0).unwrap();
    let mut seen: [Vec<(f64, f64)>; CASES.len()] = Default::default();
    for _ in 0..rounds {
        for ((what, server, over_xdp), seen) in CASES.iter().zip(&mut seen) {
            match serve(*server, *over_xdp, || ask(&queries, seconds)).flatten() {
                Ok(figures) => seen.push(figures),
                Err(why) => eprintln!("{what}: {why}"),
            }
        }
    }
    fs::remove_dir_all(&directory).unwrap();
    println!(
        "{:<18}{:>12}{:>12}{:>12}{:>12}{:>10}",
        "", "responses/s", "best", "µs each", "best", "of floor"
    );
    let mut floor = f64::NAN;
    for ((what, server, _), seen) in CASES.iter().zip(seen).filter(|(_, seen)| !seen.is_empty()) {
        let (mut rates, mut costs): (Vec<f64>, Vec<f64>) = seen.into_iter().unzip();
        rates.sort_by(f64::total_cmp);
        costs.sort_by(f64::total_cmp);
        let (rate, cost) = (rates[rates.len() / 2], costs[costs.len() / 2]);
        let share = match server {
            Server::Floor => {
                floor = rate;
                String::new()
            }
            Server::Gapura => format!("{:.2}", rate / floor),
        };
        println!(
            "{what:<18}{rate:>12.0}{:>12.0}{cost:>12.2}{:>12.2}{share:>10}",
            rates[rates.len() - 1],
            costs[0]
        );
    }
}

/// What this machine lacks for the bench.
fn lacking() -> Option<String> {
    let is_there = |program: &str| {
        let mut asked = Command::new(program);
        asked.arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let id = Command::new("id").arg("-u").output().ok()?;
    match ["ip", "kxdpgun"].iter().find(|program| !is_there(program)) {
        _ if id.stdout != b"0\n" => {
            Some("it makes a network namespace, for which it must be root".to_owned())
        }
        Some(program) => Some(format!("{program} is not installed")),
        None => None,
    }
}

/// Responses a second and processor time of this process for each, in µs, while more is asked than is answered; or what
/// kxdpgun says instead.
fn ask(queries: &Path, seconds: u64) -> Result<(f64, f64), String> {
    let gun = |seconds: u64| {
        let words = format!(
            "netns exec {CLIENT} taskset -c 1 kxdpgun -F 1 -p 53 -Q {OFFERED} -t {seconds} -i"
        );
        let address: SocketAddr = ADDRESS.parse().unwrap();
        let mut command = Command::new("ip");
        command.args(words.split(' ')).arg(queries).arg(address.ip().to_string());
        // The kernel frees the queue of the one before a moment after its end.
        std::thread::sleep(Duration::from_millis(500));
        let asked = command.output().unwrap();
        let told = String::from_utf8_lossy(&asked.stdout);
        let line = told.lines().find_map(|line| line.strip_prefix("total replies:"));
        let count = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        count.ok_or_else(|| format!("kxdpgun: {told}{}", String::from_utf8_lossy(&asked.stderr)))
    };
    gun(1)?;
    let before = processor_time();
    let answered = gun(seconds)?.max(1.0);
    let spent = processor_time() - before;
    Ok((answered / seconds as f64, spent.as_secs_f64() * 1e6 / answered))
}

/// Processor time of this process so far.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let words: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    // Hundredths of a second on every Linux.
    let ticks: u64 = words[11].parse::<u64>().unwrap() + words[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

//------------ Servers -------------------------------------------------------

/// Runs a server while something is done; an error says why there is none.
fn serve<T>(server: Server, over_xdp: bool, work: impl FnOnce() -> T) -> Result<T, String> {
    let address: SocketAddr = ADDRESS.parse().unwrap();
    let stop = AtomicBool::new(false);
    match server {
        Server::Gapura => {
            let xdp = over_xdp.then(|| WIRE.to_owned()).into_iter().collect();
            let options =
                Options { listen: vec![address], xdp, udp_workers: 1, ..Options::default() };
            let running = start(options, zones()).map_err(|error| error.to_string())?;
            running.start_xdp();
            if over_xdp && running.xdp().iter().any(|report| report.mode.is_none()) {
                return Err(running.warnings().join("; "));
            }
            Ok(work())
        }
        Server::Floor if over_xdp => {
            let mut floor = XdpFloor::attach(WIRE, address)?;
            Ok(beside(&stop, work, || _ = floor.round().unwrap()))
        }
        Server::Floor => {
            let socket = UdpSocket::bind(address).unwrap();
            system::prepare_udp(&socket).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
            let mut packets = SocketBatch::new(socket, RESPONSE_OCTETS).unwrap();
            let round = || {
                // Nothing came.
                let count = packets.receive().unwrap_or_default();
                for index in 0..count {
                    let packet = packets.packet(index);
                    let length = packet.query.len();
                    packet.response[..length].copy_from_slice(packet.query);
                    packet.response[2] |= 0x80;
                    packets.answer(index, length);
                }
                packets.send();
            };
            Ok(beside(&stop, work, round))
        }
    }
}

/// Does rounds on a thread of their own until the work is done.
fn beside<T>(stop: &AtomicBool, work: impl FnOnce() -> T, mut round: impl FnMut() + Send) -> T {
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                round();
            }
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        done
    })
}

/// A zone of some names, each with an address.
fn zones() -> Arc<ArcSwap<ZoneSet>> {
    let apex: Name = APEX.parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    let mut put = |owner: &str, rtype, rdata: &[u8]| {
        let owner: Name = owner.parse().unwrap();
        builder.push(RecordRef {
            owner: owner.as_ref(),
            rtype,
            class: Class::IN,
            ttl: 3600,
            rdata,
        });
    };
    let soa = [apex.wire(), apex.wire(), &[0; 20]].concat();
    put(APEX, Rtype::SOA, &soa);
    put(APEX, Rtype::NS, apex.wire());
    for at in 0..NAMES {
        put(&format!("desa-{at}.{APEX}"), Rtype::A, &[192, 0, 2, at as u8]);
    }
    let zone = builder.finish().0.unwrap();
    Arc::new(ArcSwap::from_pointee([zone].into_iter().collect::<ZoneSet>()))
}

//------------ The wire ------------------------------------------------------

/// Two interfaces, the ends of one wire; gone when this is dropped.
struct Wire;

impl Wire {
    /// Makes it, in the place of one that is left of a bench that was killed.
    fn make() -> Self {
        drop(Self);
        let lines = [
            format!("netns add {CLIENT}"),
            format!("link add {WIRE} type veth peer name {WIRE}p netns {CLIENT}"),
            format!("address add 198.18.0.1/30 dev {WIRE}"),
            format!("link set {WIRE} up"),
            format!("-n {CLIENT} address add 198.18.0.2/30 dev {WIRE}p"),
            format!("-n {CLIENT} link set {WIRE}p up"),
        ];
        for line in lines {
            assert!(
                Command::new("ip").args(line.split(' ')).status().unwrap().success(),
                "ip {line}"
            );
        }
        // Each end is to know the other's MAC address: kxdpgun asks for none.
        let socket = UdpSocket::bind("198.18.0.1:0").unwrap();
        for _ in 0..10 {
            drop(socket.send_to(&[0], "198.18.0.2:9"));
            std::thread::sleep(Duration::from_millis(100));
        }
        Self
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for line in [format!("netns del {CLIENT}"), format!("link del {WIRE}")] {
            drop(Command::new("ip").args(line.split(' ')).stderr(Stdio::null()).status());
        }
    }
}
