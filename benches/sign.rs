//! Time to sign a zone, to change one name, to find what is due; and memory.
//!
//! The zone is that of `perf.py`: of ten names six have A, two A and AAAA, one is a CNAME, one has MX and a name
//! below it: 2.4 signatures per name with NSEC. One ECDSA P-256 key signs everything. The speed of the curve alone,
//! the lower bound, is printed first.
//!
//! ```text
//! cargo bench --no-default-features --bench sign [-- NAMES] [nsec | nsec3]
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

#[path = "common/memory.rs"]
mod memory;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use gapura::dnssec::{Algorithm, Denial, DigestType, KSK, KeyPair};
use gapura::sign::{self, Plan};
use gapura::wire::{Class, Name, Record, RecordRef, Rtype};
use gapura::zone::{Delta, Zone, ZoneBuilder};

/// The apex of the zone.
const APEX: &str = "cirebonkab.go.id.";
/// The time of all signatures.
const NOW: u32 = 1_795_000_000;
/// A day.
const DAY: u32 = 86_400;

fn main() {
    // The harness of cargo hands in `--bench`.
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(100_000);
    let pair = Arc::new(KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap().0);
    curve(&pair);
    let content = zone(count);
    println!("{:<34} {:>10.0} MiB", "memory with the content", memory::mib("VmRSS"));
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let is_other = |word: String| word.starts_with("nsec") && !is_named(&word, denial);
        if std::env::args().any(is_other) {
            continue;
        }
        println!("--- {denial:?}");
        let plan = plan(&pair, denial);
        let mut served = None;
        for threads in [1, 2] {
            drop(served.take());
            let what = format!("sign {count} names, {threads} threads");
            served =
                Some(measure(&what, || sign::whole(&content, &plan, None, NOW, threads).unwrap()));
            println!(
                "{:<34} {:>10.0} MiB, most {:.0}",
                "",
                memory::mib("VmRSS"),
                memory::mib("VmHWM")
            );
        }
        let served = served.unwrap();
        let signatures = served.records().filter(|record| record.rtype == Rtype::RRSIG).count();
        println!("{:<34} {signatures:>10}", "signatures");
        edit(&content, &served, &plan);
        over_time(&content, &served, &plan);
        measure("verify the whole zone", || {
            sign::verify_change(None, &served, &plan, NOW).unwrap();
        });
        let ours = [pair.dnskey().rdata()];
        measure("strip", || drop(black_box(sign::strip(&served, &ours).unwrap())));
    }
}

/// Whether a word of the command line is that of a chain.
fn is_named(word: &str, denial: Denial) -> bool {
    word.eq_ignore_ascii_case(&format!("{denial:?}"))
}

/// Signatures of the curve alone, on one core.
fn curve(pair: &KeyPair) {
    let data = [7; 150];
    let count = 50_000;
    let worked = processors();
    (0..count).for_each(|_| drop(black_box(pair.sign(&data).unwrap())));
    let rate = f64::from(count) / (processors() - worked);
    println!("{:<34} {rate:>10.0} /s", "signatures of the curve alone");
}

/// Changes one name, many times.
fn edit(content: &Zone, served: &Zone, plan: &Plan) {
    let rounds = 200;
    let edits: Vec<(Zone, Delta)> = (0..rounds)
        .map(|at| {
            let owner = name(&format!("baru-{at}.{APEX}"));
            let rdata = [192, 0, 2, 7].into();
            let (rtype, class) = (Rtype::A, Class::IN);
            let mut delta = raised(content);
            delta.added.push(Record { owner, rtype, class, ttl: 3600, rdata });
            (content.apply(&delta).unwrap(), delta)
        })
        .collect();
    let signed: Vec<Zone> = measure_each("sign one new name", rounds, || {
        edits
            .iter()
            .map(|(next, delta)| sign::change(served, next, delta, plan, NOW).unwrap())
            .collect()
    });
    measure_each("verify it", rounds, || {
        let check = |after| sign::verify_change(Some(served), after, plan, NOW).unwrap();
        signed.iter().for_each(check);
    });
}

/// What is due, and a part of it renewed.
fn over_time(content: &Zone, served: &Zone, plan: &Plan) {
    let due = measure("find what is due", || sign::due(served, plan, NOW + DAY));
    println!("{:<34} {:>10} after a day", "due", due.now);
    let next = content.apply(&raised(content)).unwrap();
    measure("renew 500 of it", || {
        drop(black_box(sign::renew(served, &next, plan, NOW + DAY, 500).unwrap()));
    });
    measure("all checked, nothing to sign", || {
        drop(black_box(sign::whole(content, plan, Some(served), NOW, 0).unwrap()));
    });
}

/// The change that only raises the serial.
fn raised(zone: &Zone) -> Delta {
    let old = zone.records().next().unwrap().to_record();
    let mut new = old.clone();
    let at = new.rdata.len() - 20;
    new.rdata[at..at + 4].copy_from_slice(&(zone.serial() + 1).to_be_bytes());
    Delta { removed: vec![old], added: vec![new] }
}

/// One key for everything.
fn plan(pair: &Arc<KeyPair>, denial: Denial) -> Plan {
    let key = pair.dnskey().clone();
    Plan {
        cds: vec![key.ds(name(APEX).as_ref(), DigestType::Sha256)],
        cdnskeys: vec![key.rdata()],
        keys: vec![key],
        key_signers: vec![Arc::clone(pair)],
        zone_signers: vec![Arc::clone(pair)],
        dnskey_ttl: 3600,
        denial,
        zonemd: false,
        lifetime_s: 14 * DAY,
        refresh_s: 7 * DAY,
    }
}

/// The zone of `perf.py`.
fn zone(count: usize) -> Zone {
    let mut builder = ZoneBuilder::new(&name(APEX));
    let mut push = |owner: &Name, rtype, rdata: &[u8]| {
        let (owner, class) = (owner.as_ref(), Class::IN);
        builder.push(RecordRef { owner, rtype, class, ttl: 3600, rdata });
    };
    let sub = |label: &str| name(&format!("{label}.{APEX}"));
    let mx = |target: &Name| [b"\0\x0a", target.wire()].concat();
    let mut soa = [sub("ns1").wire(), sub("hostmaster").wire()].concat();
    for number in [2_026_112_301u32, 7200, 900, 1_209_600, 300] {
        soa.extend_from_slice(&number.to_be_bytes());
    }
    push(&name(APEX), Rtype::SOA, &soa);
    for (host, last) in [("ns1", 1), ("ns2", 2)] {
        push(&name(APEX), Rtype::NS, sub(host).wire());
        push(&sub(host), Rtype::A, &[192, 0, 2, last]);
    }
    for at in 0..count {
        let owner = sub(&format!("desa-{at}"));
        let address = [192, 0, 2, (at % 250) as u8 + 1];
        match at % 10 {
            8 => push(&owner, Rtype::CNAME, sub(&format!("desa-{}", at - 8)).wire()),
            9 => {
                let mail = sub(&format!("mail.desa-{at}"));
                push(&owner, Rtype::MX, &mx(&mail));
                push(&mail, Rtype::A, &address);
            }
            kind => {
                push(&owner, Rtype::A, &address);
                if kind > 5 {
                    let low = ((at % 65_535) as u128).to_be_bytes();
                    push(&owner, Rtype::AAAA, &low);
                }
            }
        }
    }
    builder.finish().0.expect("the zone has a SOA record")
}

/// A name from text.
fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

//------------ Figures -------------------------------------------------------

/// Runs something and says how long it took, and how long processors worked for it: other work on the machine
/// counts less there.
fn measure<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let (start, worked) = (Instant::now(), processors());
    let outcome = run();
    let (took, worked) = (start.elapsed().as_secs_f64(), processors() - worked);
    println!("{what:<34} {took:>10.3} s, processors {worked:.2} s");
    outcome
}

/// Runs something and says how long processors worked for each of its parts.
fn measure_each<T>(what: &str, parts: usize, run: impl FnOnce() -> T) -> T {
    let worked = processors();
    let outcome = run();
    println!("{what:<34} {:>10.1} µs", (processors() - worked) * 1e6 / parts as f64);
    outcome
}

/// Seconds that processors have worked for this process, in steps of 10 ms.
fn processors() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time are fields 14 and 15, counted from the name of the program, which is the second.
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}
