//! T4: what must never be answered, whatever else it is (RUSTSEC-2023-0041 and its kind).

use std::net::SocketAddr;

use gapura::answer::{DropReason, Verdict};
use gapura::wire::Rtype;

use crate::answer::differential::Random;
use crate::answer::engine::{Engine, Query, zone};

fn engine() -> Engine {
    let lines = "@ SOA ns1 host 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1";
    Engine::new([zone("example.", lines.lines())])
}

#[test]
fn a_response_is_never_answered_however_it_is_broken() {
    let mut engine = engine();
    let good = Query::new("example.", Rtype::SOA).edns(1232, 0, &[]).bytes();
    let mut random = Random::new(4);
    for port in [53, 5353] {
        engine.peer.port = port;
        for _ in 0..100_000 {
            let mut bytes = good.clone();
            for _ in 0..random.below(6) {
                let at = random.below(bytes.len());
                bytes[at] = random.bits() as u8;
            }
            bytes.truncate(12 + random.below(bytes.len() - 11));
            bytes[2] |= 0x80;
            assert_eq!(engine.verdict(&bytes).0, Verdict::Drop);
            assert_eq!(engine.facts().dropped, Some(DropReason::NotAQuery));
        }
    }
}

#[test]
fn less_than_a_header_is_never_answered() {
    let mut engine = engine();
    for octets in 0..12 {
        assert_eq!(engine.verdict(&vec![0; octets]).0, Verdict::Drop);
    }
}

#[test]
fn no_reply_goes_to_a_source_that_cannot_be_one() {
    let query = Query::new("example.", Rtype::SOA).bytes();
    for source in [
        "192.0.2.9:0",
        "255.255.255.255:53",
        "224.0.0.1:53",
        "0.0.0.0:53",
        "[ff02::1]:53",
        "[::]:53",
    ] {
        let mut engine = engine();
        let source: SocketAddr = source.parse().unwrap();
        (engine.peer.address, engine.peer.port) = (source.ip(), source.port());
        assert_eq!(engine.verdict(&query).0, Verdict::Drop, "{source}");
        assert_eq!(engine.facts().dropped, Some(DropReason::Source));
    }
}

#[test]
fn we_do_not_talk_to_ourselves() {
    let query = Query::new("example.", Rtype::SOA).bytes();
    let mut engine = engine();
    engine.peer.local = Some("192.0.2.53:5353".parse().unwrap());
    assert_eq!(engine.verdict(&query).0, Verdict::Drop);
    // Another port of our host may well ask.
    engine.peer.local = Some("192.0.2.53:53".parse().unwrap());
    assert!(matches!(engine.verdict(&query).0, Verdict::Reply(_)));
}

#[test]
fn whatever_is_answered_would_not_be_answered_again() {
    let mut engine = engine();
    let mut random = Random::new(5);
    let good = Query::new("ns1.example.", Rtype::A).edns(1232, 0, &[]).bytes();
    for _ in 0..100_000 {
        let mut bytes = good.clone();
        let at = random.below(bytes.len());
        bytes[at] = random.bits() as u8;
        if let (Verdict::Reply(_), reply) = engine.verdict(&bytes) {
            assert_eq!(engine.verdict(&reply).0, Verdict::Drop);
        }
    }
}
