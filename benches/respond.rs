//! Nanoseconds of processor time and allocations of one `respond` call, by outcome.
//!
//! Quote machine and date with the figures. Zones: `cirebonkab.go.id.` with NAMES names (600, or
//! `GAPURA_BENCH_NAMES`) in an office's mix (hosts, aliases, mail, text), and a signed zone with as many names, whose
//! signatures have the right length but are not valid. Command:
//!
//! ```text
//! cargo bench --no-default-features --bench respond
//! ```
//!
//! `GAPURA_BENCH_ONLY=hit` runs the cases whose names start with "hit". `cargo test` only counts the allocations: there
//! must be none (invariant 5).
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub,
    missing_docs
)] // a bench prints, and stops at the first surprise

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gapura::answer::{CookieSecrets, Identity, Peer, Scratch, Transport, Verdict, respond};
use gapura::wire::{Class, Name, Record, Rtype};
use gapura::zone::{Zone, ZoneBuilder, ZoneSet};

//------------ Counting allocator --------------------------------------------

/// The system's allocator, counting.
struct Counting;

/// Allocations so far.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

//------------ Zones ---------------------------------------------------------

const PLAIN: &str = "cirebonkab.go.id.";
const SIGNED: &str = "nsec.test.";
const HASHED: &str = "nsec3.test.";

/// A zone under construction.
struct Draft {
    apex: Name,
    builder: ZoneBuilder,
    signed: bool,
}

impl Draft {
    /// An apex with SOA, two NS and their addresses.
    fn new(apex: &str, signed: bool) -> Self {
        let apex: Name = apex.parse().unwrap();
        let mut draft = Self { builder: ZoneBuilder::new(&apex), apex, signed };
        let ns1 = draft.name("ns1");
        let numbers = [1u32, 7200, 900, 1_209_600, 300].map(u32::to_be_bytes).concat();
        draft.add("", Rtype::SOA, &[ns1.wire(), ns1.wire(), &numbers].concat());
        draft.add("", Rtype::NS, ns1.wire());
        let ns2 = draft.name("ns2");
        draft.add("", Rtype::NS, ns2.wire());
        draft.add("ns1", Rtype::A, &[192, 0, 2, 1]);
        draft.add("ns2", Rtype::A, &[192, 0, 2, 2]);
        draft
    }

    fn name(&self, below: &str) -> Name {
        let dot = if below.is_empty() { "" } else { "." };
        format!("{below}{dot}{}", self.apex).parse().unwrap()
    }

    fn add(&mut self, owner: &str, rtype: Rtype, rdata: &[u8]) {
        let owner = self.name(owner);
        let class = Class::IN;
        let record = Record { owner, rtype, class, ttl: 3600, rdata: rdata.into() };
        self.builder.push(record.as_ref());
    }

    /// A signature of the right size over an RRset.
    fn sign(&mut self, owner: &str, covered: Rtype) {
        let mut rdata = covered.0.to_be_bytes().to_vec();
        rdata.extend([13, 3, 0, 0, 14, 16, 0, 0, 0, 0, 0, 0, 0, 0, 18, 52]);
        rdata.extend(self.apex.wire());
        rdata.extend([7; 64]);
        self.add(owner, Rtype::RRSIG, &rdata);
    }

    fn finish(self) -> Zone {
        self.builder.finish().0.unwrap()
    }
}

/// The plain zone, as in `perf.py`, with a wildcard, a cut and a chain.
fn plain(names: usize) -> Zone {
    let mut draft = Draft::new(PLAIN, false);
    for index in 0..names {
        let (owner, octet) = (format!("desa-{index}"), (index % 250 + 1) as u8);
        match index % 10 {
            8 => {
                let target = draft.name(&format!("desa-{}", index - 8));
                draft.add(&owner, Rtype::CNAME, target.wire());
            }
            9 => {
                let mail = draft.name(&format!("mail.{owner}"));
                draft.add(&owner, Rtype::MX, &[&[0, 10], mail.wire()].concat());
                draft.add(&format!("mail.{owner}"), Rtype::A, &[198, 51, 100, octet]);
            }
            kind => {
                draft.add(&owner, Rtype::A, &[192, 0, 2, octet]);
                if kind > 5 {
                    draft.add(&owner, Rtype::AAAA, &[octet; 16]);
                }
            }
        }
    }
    draft.add("*.wild", Rtype::A, &[192, 0, 2, 9]);
    for host in ["ns1.anak", "ns2.anak"] {
        let target = draft.name(host);
        draft.add("anak", Rtype::NS, target.wire());
        draft.add(host, Rtype::A, &[192, 0, 2, 8]);
    }
    for link in 0..4 {
        let target = draft.name(&format!("rantai-{}", link + 1));
        draft.add(&format!("rantai-{link}"), Rtype::CNAME, target.wire());
    }
    draft.add("rantai-4", Rtype::A, &[192, 0, 2, 7]);
    draft.finish()
}

/// A signed zone: NSEC at every name, or NSEC3 owners of some hashes.
fn signed(apex: &str, names: usize, hashed: bool) -> Zone {
    let mut draft = Draft::new(apex, true);
    draft.add("", Rtype::DNSKEY, &[[1, 1, 3, 13].as_slice(), &[9; 64]].concat());
    for rtype in [Rtype::SOA, Rtype::NS, Rtype::DNSKEY] {
        draft.sign("", rtype);
    }
    let nsec = [draft.apex.wire(), &[0, 2, 0, 3]].concat();
    let owners: Vec<String> =
        (0..names).map(|index| format!("desa-{index}")).chain(["ns1".into(), "".into()]).collect();
    for owner in &owners {
        if owner.starts_with("desa") {
            draft.add(owner, Rtype::A, &[192, 0, 2, 1]);
            draft.sign(owner, Rtype::A);
        }
        if !hashed {
            draft.add(owner, Rtype::NSEC, &nsec);
            draft.sign(owner, Rtype::NSEC);
        }
    }
    if hashed {
        draft.add("", Rtype::NSEC3PARAM, &[1, 0, 0, 0, 0]);
        for index in 0..names as u64 {
            let hash = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let label: String = (0..32)
                .map(|at| {
                    char::from(
                        b"0123456789abcdefghijklmnopqrstuv"[hash.rotate_left(at * 5) as usize % 32],
                    )
                })
                .collect();
            draft.add(
                &label,
                Rtype::NSEC3,
                &[[1, 0, 0, 0, 0, 20].as_slice(), &[5; 20], &[0, 1, 64]].concat(),
            );
            draft.sign(&label, Rtype::NSEC3);
        }
    }
    assert!(draft.signed);
    draft.finish()
}

//------------ Cases ---------------------------------------------------------

/// A query's bytes: name, type, and what stands behind the question.
fn query(name: &str, rtype: Rtype, opt: &[u8]) -> Vec<u8> {
    let name: Name = name.parse().unwrap();
    let count = u8::from(!opt.is_empty());
    let head = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, count];
    [&head, name.wire(), &rtype.0.to_be_bytes(), &[0, 1], opt].concat()
}

/// What is measured: a name, a maker of queries over which the zone is walked, the rcode expected.
type Case = (&'static str, Box<dyn Fn(usize) -> Vec<u8>>, u16);

const OPT: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
const OPT_DO: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0];
const OPT_COOKIE: &[u8] =
    &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

fn cases(names: usize) -> Vec<Case> {
    let spread = move |i: usize| i.wrapping_mul(0x9e37_79b9) % names;
    let in_plain =
        move |i: usize, kind: usize| format!("desa-{}.{PLAIN}", spread(i) / 10 * 10 + kind);
    vec![
        ("hit", Box::new(move |i| query(&in_plain(i, 1), Rtype::A, &[])), 0),
        ("hit, EDNS", Box::new(move |i| query(&in_plain(i, 1), Rtype::A, OPT)), 0),
        (
            "hit, EDNS and cookie",
            Box::new(move |i| query(&in_plain(i, 1), Rtype::A, OPT_COOKIE)),
            0,
        ),
        ("NODATA", Box::new(move |i| query(&in_plain(i, 1), Rtype::TXT, &[])), 0),
        ("MX with its address", Box::new(move |i| query(&in_plain(i, 9), Rtype::MX, &[])), 0),
        ("CNAME", Box::new(move |i| query(&in_plain(i, 8), Rtype::A, &[])), 0),
        ("CNAME chain of 4", Box::new(|_| query(&format!("rantai-0.{PLAIN}"), Rtype::A, &[])), 0),
        ("wildcard", Box::new(|i| query(&format!("q{i}.wild.{PLAIN}"), Rtype::A, &[])), 0),
        ("NXDOMAIN", Box::new(|i| query(&format!("tidak-ada-{i}.{PLAIN}"), Rtype::A, &[])), 3),
        ("referral", Box::new(|i| query(&format!("w{i}.anak.{PLAIN}"), Rtype::A, &[])), 0),
        ("REFUSED", Box::new(|i| query(&format!("w{i}.example."), Rtype::A, &[])), 5),
        (
            "signed hit",
            Box::new(move |i| query(&format!("desa-{}.{SIGNED}", spread(i)), Rtype::A, OPT_DO)),
            0,
        ),
        (
            "signed NXDOMAIN, NSEC",
            Box::new(|i| query(&format!("tidak-ada-{i}.{SIGNED}"), Rtype::A, OPT_DO)),
            3,
        ),
        (
            "signed NXDOMAIN, NSEC3",
            Box::new(|i| query(&format!("tidak-ada-{i}.{HASHED}"), Rtype::A, OPT_DO)),
            3,
        ),
    ]
}

//------------ Measuring -----------------------------------------------------

/// Different queries of one case, asked in turn.
const QUERIES: usize = 4096;

/// Processor time of this thread: other work on the machine is not counted, only felt in the caches.
fn processor_nanoseconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the answer.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn main() {
    let timed = std::env::args().any(|argument| argument == "--bench");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let names: usize = number("GAPURA_BENCH_NAMES").unwrap_or(600);
    let zones: ZoneSet = [plain(names), signed(SIGNED, names, false), signed(HASHED, names, true)]
        .into_iter()
        .collect();
    let identity = Identity {
        cookies: Some(CookieSecrets { current: [7; 16], others: Vec::new() }),
        ..Identity::default()
    };
    let mut scratch = Scratch::new(Arc::new(identity));
    let peer = Peer::new(SocketAddr::from(([192, 0, 2, 77], 4242)), Transport::Udp, 1_700_000_000);
    let mut out = [0; 1500];
    println!("{names} names; median of 9 rounds, and the fastest");
    let only = std::env::var("GAPURA_BENCH_ONLY").unwrap_or_default();
    for (name, make, rcode) in cases(names).into_iter().filter(|case| case.0.starts_with(&only)) {
        let queries: Vec<Vec<u8>> = (0..QUERIES).map(make).collect();
        let mut ask = |query: &[u8]| {
            let verdict = respond(&zones, &mut scratch, black_box(query), &peer, &mut out);
            assert!(matches!(verdict, Verdict::Reply(_)), "{name}: {verdict:?}");
            black_box(&out);
        };
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        queries.iter().for_each(|query| ask(query));
        let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        assert_eq!(allocations, 0, "{name}: respond allocates");
        let mut nanoseconds: Vec<f64> = Vec::new();
        for _ in 0..if timed { 9 } else { 0 } {
            let start = processor_nanoseconds();
            for _ in 0..16 {
                queries.iter().for_each(|query| ask(query));
            }
            nanoseconds.push((processor_nanoseconds() - start) / (16 * QUERIES) as f64);
        }
        assert_eq!(scratch.facts().rcode.0, rcode, "{name}");
        nanoseconds.sort_by(f64::total_cmp);
        if let (Some(median), Some(best)) = (nanoseconds.get(4), nanoseconds.first()) {
            println!("{name:24} {median:7.0} ns  (best {best:.0})  {allocations} allocations");
        }
    }
}
