//! Time to build a large zone, to find names in it and to change one; and memory.
//!
//! The zone is that of `perf.py`, with names in file order, which is not the canonical order. Machine:
//! AMD EPYC, 2 cores, 24 GiB, Debian. Zone: 1,000,000 delegations of the village names, which is
//! 1,100,004 names and 1,300,009 records. Times are processor time of the one thread. Command:
//!
//! ```text
//! cargo bench --no-default-features --bench zone [-- NAMES]
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
#[path = "common/random.rs"]
mod random;

use std::hint::black_box;
use std::time::Duration;

use gapura::wire::{Class, Name, NameRef, RecordRef, Rtype};
use gapura::zone::{Delta, Zone, ZoneBuilder, ZoneSet};

use random::Random;

/// The apex of the zone.
const APEX: &str = "cirebonkab.go.id.";
/// Queries of each kind.
const QUERIES: usize = 1_000_000;
/// Changes of one name.
const EDITS: usize = 1000;

fn main() {
    // The harness of cargo hands in `--bench`.
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let records = Flat::of_zone(count);
    let before = memory::mib("VmRSS");
    let zone = build(&records, "build");
    println!("{:<28} {:>10.1} MiB", "memory of the zone", memory::mib("VmRSS") - before);
    let other = build(&records, "build again");
    drop(records);
    measure("diff, nothing shared", 1, || assert!(zone.diff(&other).is_empty()));
    measure("drop a whole zone", 1, || drop(other));
    println!("{:<28} {:>10}", "names", zone.name_count());
    println!("{:<28} {:>10}", "records", zone.record_count());
    look_up(&zone, count);
    edit(&zone, count);
    zones();
}

/// Builds the zone and says how long it took.
fn build(records: &Flat, what: &str) -> Zone {
    let start = on_cpu();
    let mut builder = ZoneBuilder::new(&name(APEX));
    records.iter().for_each(|record| builder.push(record));
    let pushed = on_cpu() - start;
    let (zone, faults) = builder.finish();
    println!(
        "{what:<28} {:>10.0} ms, {:.0} of it to take the records",
        ms(start),
        pushed.as_secs_f64() * 1e3
    );
    assert!(faults.is_empty(), "{:?}", faults.first());
    zone.expect("the zone has a SOA record")
}

/// Finds names of four kinds.
fn look_up(zone: &Zone, count: usize) {
    let mut random = Random(7);
    let mut queries = |text: &dyn Fn(usize) -> String| {
        let mut flat = Flat::default();
        (0..QUERIES).for_each(|_| flat.push(&name(&text(random.below(count))), Rtype::A, &[]));
        flat
    };
    let hit = queries(&|at| format!("desa-{at}.{APEX}"));
    let miss = queries(&|at| format!("tidak-ada-{at}.{APEX}"));
    let near = queries(&|at| format!("desa-{at}x.{APEX}"));
    let below = queries(&|at| format!("x.desa-{at}.{APEX}"));
    measure("lookup, and the A RRset", QUERIES, || {
        hit.iter().for_each(|q| {
            black_box(zone.lookup(q.owner).exact().and_then(|n| n.rrset(q.rtype)));
        });
    });
    for (what, queries) in [
        ("lookup, no such name", &miss),
        ("lookup, nearly a name", &near),
        ("lookup, below a name", &below),
    ] {
        measure(what, QUERIES, || {
            queries.iter().for_each(|q| {
                black_box(zone.lookup(q.owner).encloser());
            })
        });
    }
    measure("predecessor", QUERIES, || {
        near.iter().for_each(|q| {
            black_box(zone.predecessor(q.owner));
        })
    });
    let set: ZoneSet = [zone.clone()].into_iter().collect();
    measure("find the zone among 1", QUERIES, || {
        hit.iter().for_each(|q| {
            black_box(set.find(q.owner));
        })
    });
}

/// Changes one name after another, each in a version of its own.
fn edit(zone: &Zone, count: usize) {
    let mut random = Random(9);
    let mut deltas = Vec::new();
    let mut serial = zone
        .apex_node()
        .records()
        .find(|record| record.rtype == Rtype::SOA)
        .map(|soa| soa.to_record())
        .expect("a SOA record");
    for _ in 0..EDITS {
        let owner =
            name(&format!("baru-{}.desa-{}.{APEX}", random.below(1000), random.below(count)));
        let record = RecordRef {
            owner: owner.as_ref(),
            rtype: Rtype::A,
            class: Class::IN,
            ttl: 3600,
            rdata: &[192, 0, 2, 1],
        };
        let mut next = serial.clone();
        let at = next.rdata.len() - 20;
        let number = u32::from_be_bytes([
            next.rdata[at],
            next.rdata[at + 1],
            next.rdata[at + 2],
            next.rdata[at + 3],
        ]) + 1;
        next.rdata[at..at + 4].copy_from_slice(&number.to_be_bytes());
        deltas.push(Delta { removed: vec![serial], added: vec![next.clone(), record.to_record()] });
        serial = next;
    }
    let mut versions = vec![zone.clone()];
    measure("apply one name", EDITS, || {
        for delta in &deltas {
            let next = versions[versions.len() - 1].apply(delta).expect("the delta fits");
            versions.push(next);
        }
    });
    let last = versions.pop().expect("a version");
    measure("drop an old version", EDITS, || drop(versions));
    measure("diff, almost all shared", 1, || assert_eq!(zone.diff(&last).added.len(), EDITS + 1));
    let delta = zone.diff(&last);
    measure("apply 1,001 names at once", 1, || drop(black_box(zone.apply(&delta))));
}

/// Finds and changes zones among ten thousand.
fn zones() {
    let zone = |at: usize| {
        let apex = name(&format!("zona-{at}.id."));
        let mut builder = ZoneBuilder::new(&apex);
        let soa = soa_rdata();
        builder.push(RecordRef {
            owner: apex.as_ref(),
            rtype: Rtype::SOA,
            class: Class::IN,
            ttl: 60,
            rdata: &soa,
        });
        builder.finish().0.expect("a zone")
    };
    let start = on_cpu();
    let set: ZoneSet = (0..10_000).map(zone).collect();
    println!("{:<28} {:>10.0} ms", "build 10,000 zones", ms(start));
    let mut random = Random(5);
    let mut queries = Flat::default();
    (0..QUERIES).for_each(|_| {
        queries.push(&name(&format!("www.zona-{}.id.", random.below(10_000))), Rtype::A, &[])
    });
    measure("find the zone among 10,000", QUERIES, || {
        queries.iter().for_each(|q| {
            black_box(set.find(q.owner));
        })
    });
    let extra: Vec<_> = (10_000..10_100).map(zone).collect();
    measure("add a zone to 10,000", extra.len(), || {
        extra.iter().for_each(|zone| drop(set.with(zone.clone())))
    });
}

//------------ Data ----------------------------------------------------------

/// Records in one run of bytes, as a parser would hand them out.
#[derive(Default)]
struct Flat(Vec<u8>);

impl Flat {
    /// The zone of `perf.py`.
    fn of_zone(count: usize) -> Self {
        let mut flat = Self::default();
        let at_apex = name(APEX);
        let sub = |label: &str| name(&format!("{label}.{APEX}"));
        let mx = |target: &Name| [b"\0\x0a", target.wire()].concat();
        flat.push(&at_apex, Rtype::SOA, &soa_rdata());
        flat.push(&at_apex, Rtype::NS, sub("ns1").wire());
        flat.push(&at_apex, Rtype::NS, sub("ns2").wire());
        flat.push(&sub("ns1"), Rtype::A, &[192, 0, 2, 1]);
        flat.push(&sub("ns2"), Rtype::A, &[192, 0, 2, 2]);
        flat.push(&at_apex, Rtype::MX, &mx(&sub("mail")));
        flat.push(&at_apex, Rtype::A, &[192, 0, 2, 10]);
        flat.push(&sub("mail"), Rtype::A, &[192, 0, 2, 11]);
        flat.push(&at_apex, Rtype::TXT, b"\x0bv=spf1 -all");
        for at in 0..count {
            let owner = sub(&format!("desa-{at}"));
            let address = [192, 0, 2, (at % 250) as u8 + 1];
            match at % 10 {
                0..6 => flat.push(&owner, Rtype::A, &address),
                6 | 7 => {
                    flat.push(&owner, Rtype::A, &address);
                    let mut six = [0; 16];
                    six[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
                    six[14..].copy_from_slice(&((at % 65535) as u16).to_be_bytes());
                    flat.push(&owner, Rtype::AAAA, &six);
                }
                8 => flat.push(&owner, Rtype::CNAME, sub(&format!("desa-{}", at - 8)).wire()),
                _ => {
                    let mail = sub(&format!("mail.desa-{at}"));
                    flat.push(&owner, Rtype::MX, &mx(&mail));
                    flat.push(&mail, Rtype::A, &address);
                }
            }
        }
        flat
    }

    /// Adds a record.
    fn push(&mut self, owner: &Name, rtype: Rtype, rdata: &[u8]) {
        self.0.extend_from_slice(&rtype.0.to_le_bytes());
        self.0.extend_from_slice(&(rdata.len() as u16).to_le_bytes());
        self.0.extend_from_slice(owner.wire());
        self.0.extend_from_slice(rdata);
    }

    /// All records.
    fn iter(&self) -> impl Iterator<Item = RecordRef<'_>> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (head, after) = rest.split_first_chunk::<4>()?;
            let (owner, used) = NameRef::from_wire(after).ok()?;
            let (rdata, after) =
                after[used..].split_at(usize::from(u16::from_le_bytes([head[2], head[3]])));
            rest = after;
            let rtype = Rtype(u16::from_le_bytes([head[0], head[1]]));
            Some(RecordRef { owner, rtype, class: Class::IN, ttl: 3600, rdata })
        })
    }
}

/// RDATA of a SOA record.
fn soa_rdata() -> Vec<u8> {
    let mut rdata = name(&format!("ns1.{APEX}")).wire().to_vec();
    rdata.extend_from_slice(name(&format!("hostmaster.{APEX}")).wire());
    for number in [2_026_112_301u32, 7200, 900, 1_209_600, 300] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    rdata
}

/// A name from text.
fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

//------------ Figures -------------------------------------------------------

/// Runs something and says how long each of its parts took.
fn measure(what: &str, parts: usize, run: impl FnOnce()) {
    let start = on_cpu();
    run();
    match (on_cpu() - start).as_secs_f64() / parts as f64 {
        time if time < 1e-6 => println!("{what:<28} {:>10.1} ns", time * 1e9),
        time if time < 1e-3 => println!("{what:<28} {:>10.2} µs", time * 1e6),
        time => println!("{what:<28} {:>10.1} ms", time * 1e3),
    }
}

/// Milliseconds since then.
fn ms(start: Duration) -> f64 {
    (on_cpu() - start).as_secs_f64() * 1e3
}

/// Time that this thread has had a processor: other work on the machine counts less than on a clock.
fn on_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}
