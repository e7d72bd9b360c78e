//! What a query costs in large zones, when many come at once: a million names, the same with signatures, and a hundred
//! thousand small zones, beside a zone of 600 names.
//!
//! Queries are answered in batches of 64 as a UDP worker does it, without the sockets; between two batches so much
//! other memory is read as the kernel does with 64 packets. Each figure is the median over rounds of processor time
//! of the one thread, in nanoseconds a query. Command:
//!
//! ```text
//! cargo bench -p gapura-dns --bench million [-- NAMES]
//! ```
#![allow(clippy::unwrap_used, clippy::print_stdout, unreachable_pub, missing_docs)] // a bench prints, and stops at the first surprise

#[path = "common/random.rs"]
mod random;

use std::hint::black_box;
use std::time::Duration;

use gapura_dns::answer::{Peer, Scratch, Transport, Verdict, respond_near};
use gapura_dns::wire::{Class, Name, NameRef, RecordRef, Rtype};
use gapura_dns::zone::{AHEAD_MAX, Zone, ZoneBuilder, ZoneSet, look_ahead};

use random::Random;

/// The apex of the zones with many names.
const APEX: &str = "cirebonkab.go.id.";
/// Queries of one kind, more than the caches hold the answers of.
const QUERIES: usize = 200_000;
/// Queries of a batch.
const BATCH: usize = 64;
/// Rounds of which the median is told.
const ROUNDS: usize = 5;
/// Octets that are read between two batches.
const OTHER_OCTETS: usize = 256 * 1024;

fn main() {
    let names = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let signed_names = names / 5;
    println!("{:<34}{:>8}{:>8}{:>8}", "ns/query", "before", "ahead", "names");
    let small: ZoneSet = [office(600, false)].into_iter().collect();
    run("hit, 600 names", &small, &queries(600, Kind::Hit));
    run("miss, 600 names", &small, &queries(600, Kind::Miss));
    drop(small);
    let large: ZoneSet = [office(names, false)].into_iter().collect();
    run("hit", &large, &queries(names, Kind::Hit));
    run("miss", &large, &queries(names, Kind::Miss));
    run("nearly a name", &large, &queries(names, Kind::Near));
    drop(large);
    let signed: ZoneSet = [office(signed_names, true)].into_iter().collect();
    run("signed, hit with DO", &signed, &queries(signed_names, Kind::SignedHit));
    run("signed, miss with DO", &signed, &queries(signed_names, Kind::SignedMiss));
    drop(signed);
    let zones = names / 10;
    let many: ZoneSet = (0..zones).map(origin).collect();
    run("hit in many small zones", &many, &queries(zones, Kind::Zone));
}

/// Says what queries of one kind cost, one by one and looked for ahead.
fn run(what: &str, zones: &ZoneSet, queries: &[Vec<u8>]) {
    let (mut before, mut ahead) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        before.push(round(zones, queries, false));
        ahead.push(round(zones, queries, true));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    println!(
        "{what:<34}{:>8.0}{:>8.0}{:>8}",
        median(&mut before),
        median(&mut ahead),
        if zones.is_large() { "many" } else { "few" }
    );
}

/// Answers all queries; returns nanoseconds a query.
fn round(zones: &ZoneSet, queries: &[Vec<u8>], is_ahead: bool) -> f64 {
    let mut scratch = Scratch::new(Default::default());
    let peer = Peer::new("192.0.2.1:53".parse().unwrap(), Transport::Udp, 0);
    let mut out = vec![[0u8; 1232]; BATCH];
    let other = vec![1u8; OTHER_OCTETS];
    let mut time = Duration::ZERO;
    for batch in queries.chunks_exact(BATCH) {
        black_box(other.iter().step_by(64).map(|octet| u64::from(*octet)).sum::<u64>());
        // The kernel has just written them.
        batch.iter().for_each(|query| {
            black_box(query.iter().map(|b| u64::from(*b)).sum::<u64>());
        });
        let start = std::time::Instant::now();
        let names = batch.iter().map(|query| Some(NameRef::from_wire(&query[12..]).unwrap().0));
        let near = if is_ahead { look_ahead(zones, names) } else { [None; AHEAD_MAX] };
        for ((query, out), near) in batch.iter().zip(&mut out).zip(near) {
            let verdict = respond_near(zones, near, &mut scratch, query, &peer, out);
            assert!(matches!(verdict, Verdict::Reply(_)));
        }
        time += start.elapsed();
    }
    time.as_nanos() as f64 / (queries.len() / BATCH * BATCH) as f64
}

//------------ Queries -------------------------------------------------------

/// What is asked for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Hit,
    Miss,
    Near,
    SignedHit,
    SignedMiss,
    Zone,
}

/// Queries of a kind, in no order.
fn queries(names: usize, kind: Kind) -> Vec<Vec<u8>> {
    let mut random = Random(7);
    let one = |_| {
        let at = random.below(names);
        let text = match kind {
            Kind::Hit | Kind::SignedHit => format!("desa-{}.{APEX}", at - at % 10 + at % 8),
            Kind::Miss => format!("tidak-ada-{at}.{APEX}"),
            Kind::Near | Kind::SignedMiss => format!("desa-{at}x.{APEX}"),
            Kind::Zone => format!("www.zona-{at}.id."),
        };
        let name: Name = text.parse().unwrap();
        let is_signed = matches!(kind, Kind::SignedHit | Kind::SignedMiss);
        let mut query = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(is_signed)];
        query.extend_from_slice(name.wire());
        query.extend_from_slice(&[0, 1, 0, 1]);
        if is_signed {
            query.extend_from_slice(&[0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0]);
        }
        query
    };
    (0..QUERIES).map(one).collect()
}

//------------ Zones ---------------------------------------------------------

/// Records for a builder.
struct Draft(Name, ZoneBuilder);

impl Draft {
    fn new(apex: &str) -> Self {
        let apex: Name = apex.parse().unwrap();
        let builder = ZoneBuilder::new(&apex);
        let mut draft = Self(apex.clone(), builder);
        let numbers = [1u32, 7200, 900, 1_209_600, 300].map(u32::to_be_bytes).concat();
        draft.add(&apex, Rtype::SOA, &[apex.wire(), apex.wire(), &numbers].concat());
        draft.add(&apex, Rtype::NS, apex.wire());
        draft
    }

    fn add(&mut self, owner: &Name, rtype: Rtype, rdata: &[u8]) {
        let (owner, class) = (owner.as_ref(), Class::IN);
        self.1.push(RecordRef { owner, rtype, class, ttl: 3600, rdata });
    }

    /// A signature of the length of P-256.
    fn sign(&mut self, owner: &Name, covered: Rtype) {
        let mut rdata = covered.0.to_be_bytes().to_vec();
        rdata.extend([13, 3, 0, 0, 14, 16, 0, 0, 0, 0, 0, 0, 0, 0, 18, 52]);
        rdata.extend(self.0.wire());
        rdata.extend([7; 64]);
        self.add(owner, Rtype::RRSIG, &rdata);
    }
}

/// The zone of an office as in `zone`: hosts, aliases, mail; signed with NSEC if asked for.
fn office(names: usize, is_signed: bool) -> Zone {
    let mut draft = Draft::new(APEX);
    let apex = draft.0.clone();
    let name = |text: String| text.parse::<Name>().unwrap();
    let finish = |draft: &mut Draft, owner: &Name, rtype| {
        if is_signed {
            draft.sign(owner, rtype);
            draft.add(owner, Rtype::NSEC, &[apex.wire(), &[0, 6, 0x40, 0, 0, 0, 0, 3]].concat());
            draft.sign(owner, Rtype::NSEC);
        }
    };
    finish(&mut draft, &apex, Rtype::SOA);
    for at in 0..names {
        let owner = name(format!("desa-{at}.{APEX}"));
        let address = [192, 0, 2, (at % 250) as u8 + 1];
        match at % 10 {
            8 => {
                draft.add(&owner, Rtype::CNAME, name(format!("desa-{}.{APEX}", at - 8)).wire());
                finish(&mut draft, &owner, Rtype::CNAME);
            }
            9 => {
                let mail = name(format!("mail.desa-{at}.{APEX}"));
                draft.add(&owner, Rtype::MX, &[&[0, 10], mail.wire()].concat());
                finish(&mut draft, &owner, Rtype::MX);
                draft.add(&mail, Rtype::A, &address);
                finish(&mut draft, &mail, Rtype::A);
            }
            kind => {
                draft.add(&owner, Rtype::A, &address);
                if kind > 5 {
                    draft.add(&owner, Rtype::AAAA, &[kind as u8; 16]);
                }
                finish(&mut draft, &owner, Rtype::A);
            }
        }
    }
    draft.1.finish().0.unwrap()
}

/// One of many small zones.
fn origin(at: usize) -> Zone {
    let mut draft = Draft::new(&format!("zona-{at}.id."));
    for (label, octet) in [("www", 1), ("mail", 2), ("ns1", 3), ("ns2", 4)] {
        let owner: Name = format!("{label}.zona-{at}.id.").parse().unwrap();
        draft.add(&owner, Rtype::A, &[192, 0, 2, octet]);
    }
    draft.1.finish().0.unwrap()
}
