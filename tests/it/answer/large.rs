//! Messages so large that no compression pointer reaches their end (RFC 1035 §4.1.4: 14 bits).

use std::collections::BTreeSet;

use gapura::answer::Transport;
use gapura::wire::{Name, Rtype};

use crate::answer::engine::{Engine, Query};
use crate::answer::limits::{built, wire};

/// SVCB RDATA with an opaque parameter of so many octets.
fn svcb(priority: u8, target: &str, octets: u16) -> Vec<u8> {
    let key = 65_280u16.to_be_bytes();
    let head = [&[0, priority][..], &wire(target), &key, &octets.to_be_bytes()].concat();
    [head, vec![7; usize::from(octets)]].concat()
}

#[test]
fn addresses_from_a_wildcard_bear_the_name_of_the_host_wherever_it_stands() {
    let zone = built(
        [
            ("big.example.".to_owned(), Rtype::SVCB, svcb(1, "a.w.example.", 20_000)),
            ("big.example.".to_owned(), Rtype::SVCB, svcb(2, "b.w.example.", 20_000)),
            ("*.w.example.".to_owned(), Rtype::A, vec![192, 0, 2, 1]),
        ]
        .into_iter(),
    );
    let mut engine = Engine::new([zone]).over(Transport::Tcp);
    let reply = engine.ask(&Query::new("big.example.", Rtype::SVCB));
    assert!(reply.bytes.len() > 40_000 && !reply.tc());
    let owners: Vec<String> =
        reply.sections[2].iter().map(|record| record.owner.to_string()).collect();
    assert_eq!(owners, ["a.w.example.", "b.w.example."]);
}

#[test]
fn names_in_rdata_read_back_on_both_sides_of_the_limit() {
    for (rtype, fixed) in [(Rtype::NS, &b""[..]), (Rtype::PTR, b""), (Rtype::MX, b"\0\x0a")] {
        // No host is another's suffix, and the last ones share theirs only with what is far away.
        let host = |n: usize| format!("h{n}.{}.example.", "x".repeat(20 + n % 40));
        let set =
            |n: usize| ("big.example.".to_owned(), rtype, [fixed, &wire(&host(n))[..]].concat());
        let mut engine = Engine::new([built((0..700).map(set))]).over(Transport::Tcp);
        let reply = engine.ask(&Query::new("big.example.", rtype));
        assert!(reply.bytes.len() > 0x4000, "{rtype}: {}", reply.bytes.len());
        let section = if rtype == Rtype::NS { 1 } else { 0 };
        let read: BTreeSet<Name> = reply.sections[section]
            .iter()
            .map(|record| Name::from_wire(&record.rdata[fixed.len()..]).unwrap().0)
            .collect();
        let expected: BTreeSet<Name> = (0..700).map(|n| host(n).parse().unwrap()).collect();
        assert!(read == expected, "{rtype}");
        assert!(reply.sections.iter().flatten().all(|r| r.owner.to_string() == "big.example."));
    }
}
