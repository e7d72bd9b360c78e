use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hickory_proto::op::Message;

use super::testing::FakeServer;
use super::*;
use crate::wire::{Class, Name, Query, Rcode, Record, Rtype, rdata};
use crate::zone::{ZoneBuilder, ZoneSet};

/// Long enough for anything on loopback.
const SOON: [Duration; 1] = [Duration::from_secs(5)];

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The response to a query that says nothing but its code.
fn empty(query: &[u8], rcode: u8) -> Vec<u8> {
    let asked = Query::read(query).unwrap().question.unwrap();
    let mut response = query[..12 + asked.octets()].to_vec();
    (response[2], response[3]) = (0x84, rcode);
    response[6..12].fill(0);
    response
}

#[test]
fn a_lost_packet_is_asked_for_again() {
    let seen = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&seen);
    let server = FakeServer::start(move |query, _| {
        (count.fetch_add(1, Ordering::Relaxed) > 0).then(|| empty(query, 3))
    });
    let tries = [Duration::from_millis(50), Duration::from_secs(5)];
    let reply = Client::default()
        .ask(server.address, Transport::Udp, &name("a.test."), Rtype::A, &tries)
        .unwrap();
    assert_eq!(reply.read().unwrap().rcode, Rcode::NXDOMAIN);
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_cut_over_udp_is_asked_for_over_tcp() {
    let server = FakeServer::start(|query, transport| {
        let mut response = empty(query, 0);
        response[2] |= if transport == Transport::Udp { 0x02 } else { 0 };
        Some(response)
    });
    let client = Client::default();
    let reply = client.ask_either(server.address, &name("a.test."), Rtype::A, SOON[0]).unwrap();
    assert_eq!(reply.transport, Transport::Tcp);
    assert!(!reply.read().unwrap().is_truncated());
}

#[test]
fn a_response_to_another_question_is_passed_over() {
    let server = FakeServer::start(|query, _| {
        let mut response = empty(query, 0);
        response[13] = b'b';
        Some(response)
    });
    let asked = Client::default().ask(
        server.address,
        Transport::Udp,
        &name("a.test."),
        Rtype::A,
        &[Duration::from_millis(100)],
    );
    assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_servers_cookie_comes_back_to_it_and_badcookie_is_asked_again() {
    let server = FakeServer::start(|query, _| {
        let read = Query::read(query).unwrap();
        let cookie = read.edns.unwrap().cookie.unwrap();
        let known = cookie.len() == 16 && cookie[8..] == *b"theirs!!";
        let mut response = empty(query, if known { 0 } else { 7 });
        response[11] = 1;
        let high = u8::from(!known);
        response.extend([0, 0, 41, 4, 208, high, 0, 0, 0, 0, 20, 0, 10, 0, 16]);
        response.extend(&cookie[..8]);
        response.extend(b"theirs!!");
        Some(response)
    });
    let client = Client::default();
    let tries = [SOON[0], SOON[0]];
    let ask = || client.ask(server.address, Transport::Udp, &name("a.test."), Rtype::A, &tries);
    assert_eq!(ask().unwrap().read().unwrap().rcode, Rcode::NOERROR);
}

//------------ Against another decoder ----------------------------------------

/// A zone with records of many types.
fn zones() -> Arc<arc_swap::ArcSwap<ZoneSet>> {
    let apex = name("example.");
    let mut builder = ZoneBuilder::new(&apex);
    let mut add = |owner: &str, rtype: Rtype, text: &str| {
        let rdata = rdata::parse(rtype, text.as_bytes(), apex.as_ref()).unwrap().into();
        let record = Record { owner: name(owner), rtype, class: Class::IN, ttl: 300, rdata };
        builder.push(record.as_ref());
    };
    add("example.", Rtype::SOA, "ns1 hostmaster 7 3600 900 1209600 300");
    add("example.", Rtype::NS, "ns1");
    add("example.", Rtype::NS, "ns.sub");
    add("example.", Rtype::MX, "10 mail.example.");
    add("example.", Rtype::CAA, "0 issue \"ca.test\"");
    add("example.", Rtype::HTTPS, "1 . alpn=h2 port=8443");
    add("ns1.example.", Rtype::A, "192.0.2.1");
    add("ns1.example.", Rtype::AAAA, "2001:db8::1");
    add("mail.example.", Rtype::A, "192.0.2.2");
    add("_sip._tcp.example.", Rtype::SRV, "1 2 5060 mail");
    add("alias.example.", Rtype::CNAME, "mail");
    add("long.example.", Rtype::TXT, &format!("\"{}\"", "x".repeat(200)));
    add("sub.example.", Rtype::NS, "ns.sub");
    add("ns.sub.example.", Rtype::A, "192.0.2.3");
    let set =
        ZoneSet::new().edit(&[], vec![crate::zone::Entry::Loaded(builder.finish().0.unwrap())]);
    Arc::new(arc_swap::ArcSwap::from_pointee(set))
}

#[test]
fn real_responses_are_read_as_hickory_reads_them() {
    let options = crate::serve::Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        udp_workers: 1,
        stream_workers: 1,
        ..crate::serve::Options::default()
    };
    let running = crate::serve::start(options, zones()).unwrap();
    let (server, client) = (running.addresses()[0].address, Client::default());
    let owners = [
        "example.",
        "ns1.example.",
        "NS1.Example.",
        "_sip._tcp.example.",
        "alias.example.",
        "long.example.",
        "a.sub.example.",
        "none.example.",
        "other.test.",
    ];
    let types = [
        Rtype::SOA,
        Rtype::NS,
        Rtype::A,
        Rtype::AAAA,
        Rtype::MX,
        Rtype::TXT,
        Rtype::SRV,
        Rtype::CAA,
        Rtype::HTTPS,
        Rtype::ANY,
    ];
    for (owner, rtype) in owners.iter().flat_map(|owner| types.map(|rtype| (owner, rtype))) {
        for transport in [Transport::Udp, Transport::Tcp] {
            let reply = client.ask(server, transport, &name(owner), rtype, &SOON).unwrap();
            let us = reply.read().unwrap();
            let them = Message::from_vec(&reply.bytes).unwrap();
            assert_eq!(us.rcode.0, u16::from(them.metadata.response_code));
            assert_eq!(us.is_truncated(), them.metadata.truncation);
            assert_eq!(us.is_authoritative(), them.metadata.authoritative);
            for (ours, theirs) in [
                (&us.answer, &them.answers),
                (&us.authority, &them.authorities),
                (&us.additional, &them.additionals),
            ] {
                assert_eq!(ours.len(), theirs.len(), "{owner} {rtype}");
                for (us, them) in ours.iter().zip(theirs) {
                    let theirs = crate::wire::testing::of_hickory(them);
                    let ours = rdata::canonical(us.rtype, &us.rdata);
                    assert_eq!(
                        (&us.owner, us.rtype, us.ttl, &ours[..]),
                        (&theirs.0, theirs.1, theirs.2, &theirs.3[..]),
                        "{owner} {rtype}"
                    );
                }
            }
        }
    }
    running.stop();
}
