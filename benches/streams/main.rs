//! What a query costs over TCP and TLS: gapura, NSD and Knot side by side in one run.
//!
//! All servers have CPU 0, the clients CPU 1; one server is asked at a time, in turns. In each round, of each kind of
//! connection:
//!
//! - long: 16 connections, each with one query at a time;
//! - piped: 16 connections, each with 16 queries at a time, sent at once;
//! - one: a connection for each query; over TLS with a whole handshake.
//!
//! Told are responses per second and the server's processor time per query, with that of the kernel: the median and the
//! best of all rounds. Over TLS the clients are the limit of the rate, so the processor time is what to compare.
//!
//! `cargo bench --no-default-features --bench streams [-- ROUNDS SECONDS [SERVER...]]` (default: 3 rounds of 2 seconds and
//! all servers). TLS needs `openssl`. Knot answers over TLS from 3.5 on; that of Debian 12 is asked over TCP only. A server
//! that is not installed is reported.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

mod clients;
#[path = "../common/process.rs"]
mod process;
mod servers;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use clients::{Kind, Way};
use servers::Server;

/// What is measured: over what, and with which connections.
const CASES: [(&str, bool, Kind); 6] = [
    ("tcp long", false, Kind::Long),
    ("tcp piped", false, Kind::Piped),
    ("tcp one", false, Kind::One),
    ("tls long", true, Kind::Long),
    ("tls piped", true, Kind::Piped),
    ("tls one", true, Kind::One),
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let number = |at: usize, or: u64| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(or);
    let (rounds, seconds) = (number(0, 3), Duration::from_secs(number(1, 2)));
    let asked: Vec<&str> = words.iter().skip(2).map(String::as_str).collect();
    let names = if asked.is_empty() { vec!["gapura", "nsd", "knot"] } else { asked };

    // The threads of this process inherit it.
    let pid = std::process::id().to_string();
    Command::new("taskset").args(["-cp", "1", &pid]).output().expect("taskset");
    let directory = std::env::temp_dir().join(format!("gapura-streams-{pid}"));
    std::fs::create_dir_all(&directory).expect("a temporary directory");
    let certificate = servers::make_certificate(&directory);
    if certificate.is_none() {
        println!("TLS is skipped: there is no openssl");
    }
    let mut running = Vec::new();
    for name in names {
        match Server::start(name, &directory.join(name), certificate.as_ref()) {
            Ok(server) => running.push(server),
            Err(error) => println!("{name:8}  skipped: {error}"),
        }
    }
    let mut figures: BTreeMap<(usize, &str), Vec<(f64, f64)>> = BTreeMap::new();
    for _ in 0..rounds {
        for (case, (_, over_tls, kind)) in CASES.into_iter().enumerate() {
            for server in &running {
                let way = if over_tls {
                    server.tls.clone().map(Way::Tls)
                } else {
                    Some(Way::Tcp(server.tcp))
                };
                let Some(way) = way else { continue };
                let before = server.cpu();
                let (answered, took) = match clients::ask(&way, kind, seconds) {
                    Ok(asked) => asked,
                    Err(error) => {
                        println!("{} {} does not answer: {error}", CASES[case].0, server.name);
                        continue;
                    }
                };
                let cpu = (server.cpu() - before).as_secs_f64() * 1e6 / answered as f64;
                let rate = answered as f64 / took.as_secs_f64();
                figures.entry((case, &server.name)).or_default().push((cpu, rate));
            }
        }
    }
    println!(
        "{:11}{:8}{:>10}{:>12}{:>14}",
        "connection", "server", "replies/s", "us a query", "best us"
    );
    for ((case, name), mut found) in figures {
        found.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (cpu, rate) = found[found.len() / 2];
        println!("{:11}{name:8}{rate:>10.0}{cpu:>12.2}{:>14.2}", CASES[case].0, found[0].0);
    }
    drop(running);
    std::fs::remove_dir_all(&directory).expect("the directory is ours");
}
