//! Reloads under load, seen from outside: gapura, NSD, Knot and BIND in one run.
//!
//! Each server in turn gets CPU 0; CPU 1 sends `RATE` queries per second while the zone file is
//! replaced `RELOADS` times by rename, followed by the server's reload command (gapura needs none).
//! Every address encodes the version of its file, so that a response shows which version it is from:
//!
//! - lost: no response within two seconds; wrong: another response code or count of records;
//! - mixed: two versions in one response; older: a version that was already replaced when the query
//!   was sent;
//! - live: from the rename to the first response from the new file.
//!
//! `cargo bench --no-default-features --bench under_load [-- NAMES RELOADS RATE [SERVER...]]`
//! (default: 600 names, 1,000 reloads, 20,000 per second and all servers). With 1,000,000 names and
//! 20 reloads it needs 2 GB in the temporary directory. A server that is not installed is reported.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

mod load;
#[path = "../common/process.rs"]
mod process;
mod servers;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use load::Load;
use servers::Server;

/// One name in so many has two addresses: where a mixed response would show.
const TWO_ADDRESSES: usize = 20;
/// How long a new file may take until its server is given up …
const PATIENCE: Duration = Duration::from_secs(60);
/// … and until it is told once more.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let number = |at: usize, or: usize| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(or);
    let (names, reloads, rate) = (number(0, 600), number(1, 1000), number(2, 20_000));
    let asked: Vec<&str> = words.iter().skip(3).map(String::as_str).collect();
    let all = ["gapura", "nsd", "knot", "bind"];
    let servers = if asked.is_empty() { all.to_vec() } else { asked };

    // The threads of this process inherit it.
    let pid = std::process::id().to_string();
    Command::new("taskset").args(["-cp", "1", &pid]).output().expect("taskset");
    let directory = std::env::temp_dir().join(format!("gapura-under-load-{pid}"));
    let versions = write_versions(&directory, names, reloads + 1);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{names} names, {reloads} reloads, {rate} queries/s; load {}", load.trim());
    println!(
        "{:8}{:>10}{:>6}{:>6}{:>6}{:>6}{:>9}{:>9}{:>9}{:>10}{:>10}{:>8}{:>8}{:>8}",
        "server",
        "queries",
        "lost",
        "wrong",
        "mixed",
        "older",
        "p50 ms",
        "p99 ms",
        "worst",
        "live p50",
        "worst ms",
        "before",
        "peak",
        "after"
    );
    for name in servers {
        match Server::start(name, &directory.join(name), &versions[0]) {
            Ok(server) => println!("{name:8}{}", run(&server, &versions, names, rate)),
            Err(error) => println!("{name:8}  skipped: {error}"),
        }
    }
    fs::remove_dir_all(&directory).expect("the directory is ours");
}

/// All reloads of one server; its line of the table.
fn run(server: &Server, versions: &[PathBuf], names: usize, rate: usize) -> String {
    let questions = questions(names);
    load::wait_for_answer(server.address, &questions[0].0);
    let load = Load::start(server.address, questions, rate);
    assert!(wait_for(&load, 1), "{} does not serve its first file", server.name);
    std::thread::sleep(Duration::from_millis(500));
    let memory = Memory::watch(server.pid());
    let before = memory.peak_mib();
    let mut live: Vec<f64> = Vec::new();
    for (version, file) in versions.iter().enumerate().skip(1) {
        let began = Instant::now();
        server.replace(file);
        // BIND may take a file of the same second for the one it has, so it is told again.
        let tries = PATIENCE.as_secs() / TOLD_AGAIN.as_secs();
        let served = (0..tries).any(|_| {
            server.reload();
            wait_for(&load, version as u32 + 1)
        });
        if !served {
            println!("{} never served version {}", server.name, version + 1);
            break;
        }
        live.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    std::thread::sleep(Duration::from_secs(2));
    let (peak, after) = (memory.peak_mib(), servers::pss_mib(server.pid()));
    let seen = load.end();
    live.sort_by(f64::total_cmp);
    let middle = live.get(live.len() / 2).copied().unwrap_or(f64::NAN);
    format!(
        "{:>10}{:>6}{:>6}{:>6}{:>6}{:>9.2}{:>9.2}{:>9.1}{:>10.0}{:>10.0}{:>8}{:>8}{:>8}",
        seen.answered,
        seen.lost,
        seen.wrong,
        seen.mixed,
        seen.older,
        seen.latency_ms(0.5),
        seen.latency_ms(0.99),
        seen.latency_ms(1.0),
        middle,
        live.last().unwrap_or(&f64::NAN),
        before,
        peak,
        after
    )
}

/// Waits until a response from this version has come; false if it takes too long.
fn wait_for(load: &Load, version: u32) -> bool {
    let began = Instant::now();
    while load.version() < version {
        if began.elapsed() > TOLD_AGAIN {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    true
}

//------------ Zone files ----------------------------------------------------

/// The files of all versions; written before the load begins, so that writing does not disturb it.
fn write_versions(directory: &Path, names: usize, versions: usize) -> Vec<PathBuf> {
    fs::create_dir_all(directory).expect("a temporary directory");
    // BIND and NSD may give up their rights, and still have to read.
    let file = |version: usize| directory.join(format!("version-{version}"));
    for version in 1..=versions {
        fs::write(file(version), zone_text(names, version)).expect("room for the zone files");
    }
    (1..=versions).map(file).collect()
}

/// A zone of so many names whose addresses carry the version: 10.KIND.HIGH.LOW.
fn zone_text(names: usize, version: usize) -> String {
    let (high, low) = (version / 256, version % 256);
    let mut text = format!(
        "$ORIGIN example.\n$TTL 3600\n@ SOA ns1 hostmaster {version} 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n"
    );
    for n in 0..names {
        let _ = writeln!(text, "h{n} A 10.64.{high}.{low}");
        if n.is_multiple_of(TWO_ADDRESSES) {
            let _ = writeln!(text, "h{n} A 10.65.{high}.{low}");
        }
    }
    text.push_str("; gapura: end of zone\n");
    text
}

/// Questions for names all over the zone, each with the number of addresses it has.
fn questions(names: usize) -> Vec<(Vec<u8>, u16)> {
    let step = (names / 4096).max(1);
    let one = |n: usize| {
        let label = format!("h{n}");
        let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.len() as u8];
        query.extend_from_slice(label.as_bytes());
        query.extend_from_slice(b"\x07example\0\0\x01\0\x01");
        (query, 1 + u16::from(n.is_multiple_of(TWO_ADDRESSES)))
    };
    (0..names).step_by(step).map(one).collect()
}

//------------ Memory --------------------------------------------------------

/// Looks at a process tree's memory now and then and keeps the most it saw.
struct Memory {
    /// MiB.
    peak: Arc<AtomicU64>,
    /// Ends the thread.
    stop: Arc<AtomicBool>,
}

impl Memory {
    /// Watches from now on.
    fn watch(pid: u32) -> Self {
        let peak = Arc::new(AtomicU64::new(servers::pss_mib(pid)));
        let stop = Arc::new(AtomicBool::new(false));
        let (seen, flag) = (peak.clone(), stop.clone());
        std::thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                seen.fetch_max(servers::pss_mib(pid), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self { peak, stop }
    }

    /// The most so far.
    fn peak_mib(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}
