//! Speed of parsing and checking a master file of a million names.
//!
//! The zone is that of the comparison with other servers: 1,000,000 names, 1,300,009 records (A, AAAA,
//! CNAME, MX). Run on an idle machine: `cargo bench --bench master [-- FILE ORIGIN]`. Times are
//! processor time of one thread, the best of five rounds, without reading the file; quote the machine
//! and its load with any number.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use gapura::check;
use gapura::master::{self, Input, NoIncludes, Options};
use gapura::wire::Name;
use gapura::zone::ZoneBuilder;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let (text, origin) = match (args.next(), args.next()) {
        (Some(file), Some(origin)) => (std::fs::read(file).expect("the file can be read"), origin),
        _ => (million().into_bytes(), "cirebonkab.go.id.".to_owned()),
    };
    let origin: Name = origin.parse().expect("the origin is a name");
    let input = Input { file: Path::new("zone"), bytes: &text, loader: &NoIncludes };
    let options = Options::default();

    let mut records = 0;
    let parse = best(|| {
        let parsed = master::parse(&input, origin.as_ref(), &options, &mut |record, _| {
            std::hint::black_box(record);
        });
        assert_eq!(parsed.errors, 0, "{:?}", parsed.findings.first());
        records = parsed.records;
    });
    report("parse", parse, records, text.len());

    let mut builder = ZoneBuilder::new(&origin);
    master::parse(&input, origin.as_ref(), &options, &mut |record, _| builder.push(record));
    let (zone, built) = builder.finish();
    let zone = zone.expect("the zone has a SOA");
    let mut faults = 0;
    let check = best(|| faults = check::zone(&zone, &built, 1_800_000_000).len());
    report("check", check, records, text.len());

    let print = best(|| {
        std::hint::black_box(master::print_zone(zone.records()));
    });
    report("print", print, records, text.len());
    let mut out = String::new();
    let _ = write!(out, "{records} records, {} octets, {faults} findings", text.len());
    println!("{out}");
}

/// The best of five rounds.
fn best(mut round: impl FnMut()) -> Duration {
    let time = |round: &mut dyn FnMut()| {
        let start = on_cpu();
        round();
        on_cpu() - start
    };
    (0..5).map(|_| time(&mut round)).min().unwrap_or_default()
}

/// Processor time of this thread.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

/// One line for one measurement.
fn report(what: &str, time: Duration, records: usize, octets: usize) {
    let each = time.as_nanos() as f64 / records.max(1) as f64;
    let rate = octets as f64 / 1e6 / time.as_secs_f64();
    println!("{what:6} {:7.1} ms  {each:6.1} ns/record  {rate:6.0} MB/s", time.as_secs_f64() * 1e3);
}

/// The text of a zone with a million names.
fn million() -> String {
    let mut text = String::from(
        "$ORIGIN cirebonkab.go.id.\n$TTL 3600\n\
         @ SOA ns1 hostmaster 2026112301 7200 900 1209600 300\n@ NS ns1\n@ NS ns2\n\
         ns1 A 192.0.2.1\nns1 AAAA 2001:db8::1\nns2 A 192.0.2.2\nns2 AAAA 2001:db8::2\n\
         @ MX 10 mail\n@ A 192.0.2.10\nmail A 192.0.2.11\n@ TXT \"v=spf1 mx -all\"\n\
         @ CAA 0 issue \"letsencrypt.org\"\n",
    );
    for i in 0..1_000_000 {
        let (n, low) = (format!("desa-{i}"), i % 250 + 1);
        let _ = match i % 10 {
            0..=5 => writeln!(text, "{n} A 192.0.2.{low}"),
            6 | 7 => writeln!(text, "{n} A 192.0.2.{low}\n{n} AAAA 2001:db8::{:x}", i % 65_535),
            8 => writeln!(text, "{n} CNAME desa-{}", i - 8),
            _ => writeln!(text, "{n} MX 10 mail.{n}\nmail.{n} A 198.51.100.{low}"),
        };
    }
    text
}
