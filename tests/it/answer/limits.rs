//! T3: the worst a message or a zone can do. At most 1 ms a message in a release build, cost linear
//! in size; a debug build on a busy machine is given fifty times that.

use std::time::{Duration, Instant};

use gapura::answer::{Transport, Verdict};
use gapura::wire::{Class, Name, Record, Rtype};
use gapura::zone::{Zone, ZoneBuilder};

use crate::answer::engine::{Engine, Query, zone};

/// Time one message may take.
const LIMIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 50 } else { 1 });

/// The fastest of five goes.
#[track_caller]
fn within_the_limit(engine: &mut Engine, query: &[u8]) -> Vec<u8> {
    let mut best = Duration::MAX;
    let mut reply = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let (verdict, bytes) = engine.verdict(query);
        best = best.min(start.elapsed());
        assert!(matches!(verdict, Verdict::Reply(_)), "{verdict:?}");
        reply = bytes;
    }
    assert!(best <= LIMIT, "{best:?}");
    reply
}

fn small() -> Engine {
    let lines = "@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1";
    Engine::new([zone("example.", lines.lines())]).over(Transport::Tcp)
}

/// A query that fills 64 KiB with what `piece` makes.
fn filled(counts: [u16; 4], start: &[u8], piece: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0, 0];
    counts.iter().for_each(|count| bytes.extend(count.to_be_bytes()));
    bytes.extend(start);
    while !piece.is_empty() && bytes.len() + piece.len() <= 65_535 {
        bytes.extend(piece);
    }
    bytes
}

const QUESTION: &[u8] = b"\x07example\0\0\x06\0\x01";

#[test]
fn a_message_full_of_questions() {
    within_the_limit(&mut small(), &filled([u16::MAX, 0, 0, 0], &[], b"\x01a\0\0\x01\0\x01"));
}

#[test]
fn a_message_full_of_records_with_pointers() {
    let record = b"\xc0\x0c\0\x01\0\x01\0\0\0\0\0\0";
    within_the_limit(&mut small(), &filled([1, 2000, 2000, 2000], QUESTION, record));
    // Each name points to the one before it: a follower would pay for all of them.
    let mut chained = filled([1, 0, 0, 5000], QUESTION, &[]);
    let mut last = 12u16;
    while chained.len() < 60_000 {
        let here = chained.len() as u16;
        chained.extend((0xc000 | last).to_be_bytes());
        chained.extend(b"\0\x01\0\x01\0\0\0\0\0\0");
        last = here.min(0x3ff0);
    }
    within_the_limit(&mut small(), &chained);
}

#[test]
fn a_message_full_of_long_names() {
    let label = [&[63u8][..], &[b'a'; 63]].concat();
    let name = [&label.repeat(3)[..], &[0]].concat();
    let record = [&name[..], b"\0\x01\0\x01\0\0\0\0\0\0"].concat();
    within_the_limit(&mut small(), &filled([1, 0, 0, 300], QUESTION, &record));
}

#[test]
fn an_opt_full_of_options() {
    let mut options = Vec::new();
    while options.len() < 65_000 {
        options.extend([0, 10, 0, 0]);
    }
    let query = Query::new("example.", Rtype::SOA).edns(1232, 0, &options);
    within_the_limit(&mut small(), &query.bytes());
}

/// A zone built from records, not from text.
pub(crate) fn built(records: impl Iterator<Item = (String, Rtype, Vec<u8>)>) -> Zone {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    let soa = [b"\x01a\0\x01b\0".as_slice(), &[0; 20]].concat();
    let head = [("example.".to_owned(), Rtype::SOA, soa)];
    for (owner, rtype, rdata) in head.into_iter().chain(records) {
        let owner: Name = owner.parse().unwrap();
        let record = Record { owner, rtype, class: Class::IN, ttl: 60, rdata: rdata.into() };
        builder.push(record.as_ref());
    }
    builder.finish().0.unwrap()
}

/// A name's wire form.
pub(crate) fn wire(name: &str) -> Vec<u8> {
    name.parse::<Name>().unwrap().wire().to_vec()
}

#[test]
fn an_rrset_of_64_kib() {
    let text = |n: usize| [&[250u8][..], format!("{n:0250}").as_bytes()].concat();
    let zone = built((0..247).map(|n| ("big.example.".to_owned(), Rtype::TXT, text(n))));
    let query = Query::new("big.example.", Rtype::TXT);
    let mut tcp = Engine::new([zone.clone()]).over(Transport::Tcp);
    assert!(within_the_limit(&mut tcp, &query.bytes()).len() > 64_000);
    let udp = within_the_limit(&mut Engine::new([zone]), &query.bytes());
    assert!(udp.len() <= 512 && udp[2] & 2 != 0, "cut as a whole");
}

#[test]
fn thousands_of_hosts_to_look_up() {
    let hosts = |rtype: Rtype, fixed: &'static [u8]| {
        move |n: usize| {
            let host = wire(&format!("h{n}.example."));
            ("big.example.".to_owned(), rtype, [fixed, &host[..]].concat())
        }
    };
    let addresses =
        |n: usize| (format!("h{n}.example."), Rtype::A, (n as u32).to_be_bytes().to_vec());
    for (rtype, fixed) in
        [(Rtype::NS, &b""[..]), (Rtype::MX, b"\0\x0a"), (Rtype::SRV, b"\0\0\0\0\0\0")]
    {
        let zone = built((0..1500).map(hosts(rtype, fixed)).chain((0..1500).map(addresses)));
        let mut engine = Engine::new([zone]).over(Transport::Tcp);
        for name in ["big.example.", "x.big.example."] {
            within_the_limit(&mut engine, &Query::new(name, rtype).bytes());
        }
    }
}

#[test]
fn a_chain_of_a_thousand_aliases() {
    let link =
        |n: usize| (format!("c{n}.example."), Rtype::CNAME, wire(&format!("c{}.example.", n + 1)));
    let mut engine = Engine::new([built((0..1000).map(link))]).over(Transport::Tcp);
    let reply = within_the_limit(&mut engine, &Query::new("c0.example.", Rtype::A).bytes());
    assert_eq!(reply[7], 19, "followed so far, and no farther");
}

#[test]
fn names_of_127_labels() {
    let deep = format!("{}example.", "a.".repeat(123));
    let wild = format!("*.{}example.", "b.".repeat(60));
    let zone =
        built([(deep.clone(), Rtype::A, vec![1; 4]), (wild, Rtype::A, vec![2; 4])].into_iter());
    let mut engine = Engine::new([zone]);
    within_the_limit(&mut engine, &Query::new(&deep, Rtype::A).bytes());
    let missing = format!("x.{}example.", "a.".repeat(100));
    within_the_limit(&mut engine, &Query::new(&missing, Rtype::A).bytes());
    let synthesised = format!("{}{}example.", "c.".repeat(60), "b.".repeat(60));
    within_the_limit(&mut engine, &Query::new(&synthesised, Rtype::A).bytes());
}

#[test]
fn a_dname_that_doubles_names_ends() {
    let zone = built(
        [
            ("a.example.".to_owned(), Rtype::DNAME, wire("b.b.b.b.b.b.b.b.b.b.example.")),
            ("b.example.".to_owned(), Rtype::DNAME, wire("x.x.x.x.x.x.x.x.x.x.a.example.")),
        ]
        .into_iter(),
    );
    let mut engine = Engine::new([zone]).over(Transport::Tcp);
    let reply = within_the_limit(&mut engine, &Query::new("q.a.example.", Rtype::A).bytes());
    assert_eq!(reply[3] & 15, 6, "YXDOMAIN at the end");
}

#[test]
fn deep_names_that_differ_at_their_end_only() {
    // Compression looks for a common end: here it finds all labels alike but the last of its own.
    let host = |n: usize| format!("{}{n:03}.example.", "a.".repeat(119));
    for (rtype, fixed) in [(Rtype::PTR, &b""[..]), (Rtype::MX, b"\0\x0a"), (Rtype::NS, b"")] {
        let set =
            |n: usize| ("big.example.".to_owned(), rtype, [fixed, &wire(&host(n))[..]].concat());
        let mut engine = Engine::new([built((0..240).map(set))]).over(Transport::Tcp);
        let reply = within_the_limit(&mut engine, &Query::new("big.example.", rtype).bytes());
        assert!(reply.len() > 50_000, "{}", reply.len());
    }
}
