//! Confirmations against real sockets that answer rightly and wrongly.

use super::*;
use crate::dns_client::Transport;
use crate::testing::FakeServer;
use crate::wire::{Class, Name, Query, Record, Rtype};
use crate::zone::{ZoneBuilder, ZoneSet};

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// `www.example. A` with these addresses.
fn www(addresses: &[[u8; 4]]) -> Expectation {
    let rdatas = addresses.iter().map(|address| address.as_slice().into()).collect();
    Expectation { owner: name("www.example."), rtype: Rtype::A, rdatas }
}

/// A response to a query: its code and records of the question's name and type.
fn response(query: &[u8], rcode: u8, rdatas: &[&[u8]]) -> Vec<u8> {
    let asked = Query::read(query).unwrap().question.unwrap();
    let mut response = query[..12 + asked.octets()].to_vec();
    (response[2], response[3]) = (0x84, rcode);
    response[6..12].fill(0);
    response[7] = u8::try_from(rdatas.len()).unwrap();
    for rdata in rdatas {
        response.extend([0xc0, 0x0c]);
        response.extend(asked.rtype.0.to_be_bytes());
        response.extend([0, 1, 0, 0, 1, 44]);
        response.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
        response.extend(*rdata);
    }
    response
}

/// RDATA of an SOA record with this serial.
fn soa(serial: u32) -> Vec<u8> {
    let mut rdata = b"\0\0".to_vec();
    [serial, 1, 2, 3, 4].iter().for_each(|number| rdata.extend(number.to_be_bytes()));
    rdata
}

/// Asks a server that answers A with this code and these addresses and SOA with this serial.
fn confirmed(
    expect: &[Expectation],
    rcode: u8,
    addresses: &'static [[u8; 4]],
    serial: u32,
) -> Confirmation {
    let server = FakeServer::start(move |query, _| {
        let asked = Query::read(query).unwrap().question.unwrap();
        Some(match asked.rtype {
            Rtype::SOA => response(query, 0, &[&soa(serial)]),
            _ => response(query, rcode, &addresses.iter().map(|a| &a[..]).collect::<Vec<_>>()),
        })
    });
    let sockets = Sockets::default();
    sockets.set(vec![server.address]);
    sockets.confirm(&name("example."), SerialExpected::Exactly(7), expect, 0)
}

/// The first address.
const ONE: [u8; 4] = [192, 0, 2, 1];
/// The second.
const TWO: [u8; 4] = [192, 0, 2, 2];

#[test]
fn the_right_answer_confirms_over_udp_and_tcp() {
    let got = confirmed(&[www(&[TWO, ONE])], 0, &[ONE, TWO], 7);
    assert_eq!(got.refuted, None);
    let ways: Vec<_> = got.asked.iter().map(|one| (&*one.transport, &*one.question)).collect();
    assert_eq!(
        ways,
        [
            ("udp", "www.example. A"),
            ("udp", "example. SOA"),
            ("tcp", "www.example. A"),
            ("tcp", "example. SOA")
        ]
    );
    assert_eq!(got.asked[0].answer[0], "www.example. 300 IN A 192.0.2.1");
    assert_eq!(got.asked[0].sha256.len(), 64);
}

#[test]
fn a_wrong_missing_or_additional_record_refutes() {
    for addresses in [&[TWO][..], &[], &[ONE, TWO]] {
        let got = confirmed(&[www(&[ONE])], 0, addresses, 7);
        let refuted = got.refuted.unwrap();
        assert_eq!(refuted.expected, "192.0.2.1");
        assert_eq!(got.asked.len(), 1, "it stops at the first wrong answer");
    }
    let refuted = confirmed(&[www(&[ONE])], 3, &[], 7).refuted.unwrap();
    assert_eq!(refuted.found, "NXDOMAIN");
}

#[test]
fn absence_is_nxdomain_or_no_data() {
    assert_eq!(confirmed(&[www(&[])], 3, &[], 7).refuted, None);
    assert_eq!(confirmed(&[www(&[])], 0, &[], 7).refuted, None);
    assert_eq!(
        confirmed(&[www(&[])], 0, &[ONE], 7).refuted.unwrap().expected,
        "NXDOMAIN or no data"
    );
    assert!(confirmed(&[www(&[])], 2, &[], 7).refuted.is_some(), "SERVFAIL says nothing");
}

#[test]
fn the_serial_is_the_changes() {
    assert_eq!(confirmed(&[], 0, &[], 7).refuted, None);
    assert!(confirmed(&[], 0, &[], 8).refuted.is_some(), "nobody else changed the zone");
    let refuted = confirmed(&[], 0, &[], 6).refuted.unwrap();
    assert_eq!(refuted.expected, "serial 7");
    assert!(confirmed(&[www(&[ONE])], 0, &[ONE], 6).refuted.is_some());
}

#[test]
fn after_a_crash_a_later_serial_is_as_good() {
    let server = FakeServer::start(|query, _| Some(response(query, 0, &[&soa(8)])));
    let sockets = Sockets::default();
    sockets.set(vec![server.address]);
    let at_least = |serial| {
        let serial = SerialExpected::AtLeast(serial);
        sockets.confirm(&name("example."), serial, &[], 0).refuted
    };
    assert_eq!((at_least(7), at_least(8)), (None, None));
    assert!(at_least(9).is_some());
}

#[test]
fn a_cut_answer_counts_only_where_tcp_asks_again() {
    let cut_over = |cut: Transport| {
        let server = FakeServer::start(move |query, transport| {
            let asked = Query::read(query).unwrap().question.unwrap();
            let mut response = match asked.rtype {
                Rtype::SOA => response(query, 0, &[&soa(7)]),
                _ if transport == cut => response(query, 0, &[]),
                _ => response(query, 0, &[&ONE]),
            };
            if transport == cut {
                response[2] |= 0x02;
            }
            Some(response)
        });
        let sockets = Sockets::default();
        sockets.set(vec![server.address]);
        sockets.confirm(&name("example."), SerialExpected::Exactly(7), &[www(&[ONE])], 0).refuted
    };
    assert_eq!(cut_over(Transport::Udp), None);
    assert!(cut_over(Transport::Tcp).is_some());
}

#[test]
fn every_address_is_asked() {
    let good = FakeServer::start(|query, _| Some(response(query, 0, &[&soa(7)])));
    let stale = FakeServer::start(|query, _| Some(response(query, 0, &[&soa(6)])));
    let sockets = Sockets::default();
    sockets.set(vec![good.address, stale.address]);
    let got = sockets.confirm(&name("example."), SerialExpected::Exactly(7), &[], 0);
    assert!(got.refuted.unwrap().question.contains(&stale.address.to_string()));
}

#[test]
fn a_response_that_cannot_be_read_refutes() {
    let server = FakeServer::start(|query, _| {
        let mut response = response(query, 0, &[&soa(7)]);
        response.push(0);
        Some(response)
    });
    let sockets = Sockets::default();
    sockets.set(vec![server.address]);
    let refuted =
        sockets.confirm(&name("example."), SerialExpected::Exactly(7), &[], 0).refuted.unwrap();
    assert!(refuted.found.contains("cannot read the response"), "{}", refuted.found);
}

#[test]
fn what_a_child_that_is_served_here_answers_is_not_expected_of_its_parent() {
    let zone = |apex: &str| {
        let mut builder = ZoneBuilder::new(&name(apex));
        let rdata = soa(1).into();
        let (owner, rtype, class) = (name(apex), Rtype::SOA, Class::IN);
        builder.push(Record { owner, rtype, class, ttl: 60, rdata }.as_ref());
        builder.finish().0.unwrap()
    };
    let of = |owner: &str, rtype| Expectation { owner: name(owner), rtype, rdatas: vec![] };
    let all = [
        of("sub.example.", Rtype::NS),
        of("ns.sub.example.", Rtype::A),
        of("sub.example.", Rtype::DS),
        of("www.example.", Rtype::A),
    ];
    let parent = ZoneSet::new().with(zone("example."));
    assert_eq!(answered_by(&parent, &name("example."), &all), all);
    let both = parent.with(zone("sub.example."));
    assert_eq!(answered_by(&both, &name("example."), &all), all[2..]);
    assert_eq!(answered_by(&both, &name("sub.example."), &all), all[..2]);
}
