//! Looks at parents whose every answer the test decides.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::dns_client::Transport;
use crate::testing::FakeServer;
use crate::wire::{Class, HEADER_OCTETS, Query, Rcode, Record, rdata};
use crate::zone::{ZoneBuilder, ZoneSet};

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A record: `OWNER TTL TYPE RDATA`.
fn record(line: &str) -> Record {
    let words: Vec<&str> = line.splitn(4, ' ').collect();
    let rtype: Rtype = words[2].parse().unwrap();
    let rdata = rdata::parse(rtype, words[3].as_bytes(), Name::root().as_ref()).unwrap().into();
    let (owner, ttl) = (name(words[0]), words[1].parse().unwrap());
    Record { owner, rtype, class: Class::IN, ttl, rdata }
}

/// The response to a query with these records. An SOA record is authority, all others are answers.
pub(in crate::signer) fn response(
    query: &[u8],
    code: Rcode,
    is_authoritative: bool,
    records: &[&str],
) -> Vec<u8> {
    let question = Query::read(query).unwrap().question.unwrap().octets();
    let all: Vec<Record> = records.iter().map(|line| record(line)).collect();
    let negative = all.iter().filter(|record| record.rtype == Rtype::SOA).count() as u8;
    let flags = 0x80 | if is_authoritative { 4 } else { 0 };
    let answers = (all.len() - usize::from(negative)) as u16;
    let [high, low] = answers.to_be_bytes();
    let counts = [0, 1, high, low, 0, negative, 0, 0];
    let mut message = [&query[..2], &[flags, code.0 as u8], &counts].concat();
    message.extend_from_slice(&query[HEADER_OCTETS..HEADER_OCTETS + question]);
    for record in &all {
        message.extend_from_slice(record.owner.wire());
        message.extend([record.rtype.0.to_be_bytes(), record.class.0.to_be_bytes()].concat());
        message.extend(record.ttl.to_be_bytes());
        message.extend((record.rdata.len() as u16).to_be_bytes());
        message.extend_from_slice(&record.rdata);
    }
    message
}

/// What a query asks for.
pub(in crate::signer) fn asked(query: &[u8]) -> (String, Rtype) {
    let question = Query::read(query).unwrap().question.unwrap();
    (question.name.to_string(), question.rtype)
}

/// A server of `go.id.` with these records in its answers.
fn parent(records: &'static [&'static str]) -> FakeServer {
    FakeServer::start(move |query, _| {
        (asked(query).1 == Rtype::DS).then(|| response(query, Rcode::NOERROR, true, records))
    })
}

/// Negative.
const NONE: &[&str] = &["go.id. 60 SOA ns1.go.id. h.go.id. 1 1 1 1 1"];
/// One DS record.
const ONE: &[&str] = &[
    "contoh.go.id. 3600 DS 4711 13 2 7F1A3BA2E3F0C5A1F5B2D9D6F9C1E1F0A9B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4",
];
/// It and another.
const TWO: &[&str] = &[
    "contoh.go.id. 1800 DS 4711 13 2 7F1A3BA2E3F0C5A1F5B2D9D6F9C1E1F0A9B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4",
    "contoh.go.id. 1800 DS 12 13 2 001A3BA2E3F0C5A1F5B2D9D6F9C1E1F0A9B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4",
];

/// A finder that does not wait long.
fn finder() -> Finder {
    Finder { tries: [Duration::from_millis(500); 2], ..Finder::new(Vec::new(), 53) }
}

/// No record is of a key of ours.
fn nobodys(_: &Ds) -> bool {
    false
}

/// What servers at these addresses say.
fn look(servers: &[&FakeServer]) -> Sight {
    let parents: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let ours = Ours::new(Vec::new());
    finder().look(&name("Contoh.go.id."), &parents, &ZoneSet::new(), &ours, &nobodys)
}

#[test]
fn a_ds_counts_when_every_server_has_it_and_is_gone_when_none_has() {
    let (one, two, none) = (parent(ONE), parent(TWO), parent(NONE));
    let [first, second] = [|ds: &Ds| ds.tag() == 4711, |ds: &Ds| ds.tag() == 12];
    let both = look(&[&one, &two]);
    assert!(both.is_at_all(first) && !both.is_at_all(second) && !both.is_at_none(second));
    assert_eq!(both.missing_at(second), [one.address.to_string()]);
    assert_eq!((both.ttl(), both.obstacle()), (Some(3600), None));
    let lines: Vec<String> = both.records().iter().map(ToString::to_string).collect();
    assert!(lines[1].starts_with("4711 13 2 7F1A3BA2E3F0"), "{lines:?}");
    let gone = look(&[&none, &none]);
    assert!(gone.is_at_none(first) && !gone.is_at_all(first) && gone.ttl().is_none());
    assert!(!look(&[&none, &one]).is_at_none(first));
    assert!(!Sight::default().is_at_none(first), "nobody was asked");
}

#[test]
fn who_does_not_speak_for_the_parent_is_not_believed() {
    let one = parent(ONE);
    let no_authority =
        FakeServer::start(|query, _| Some(response(query, Rcode::NOERROR, false, ONE)));
    let refuses = FakeServer::start(|query, _| Some(response(query, Rcode::REFUSED, true, ONE)));
    let child = parent(&["contoh.go.id. 60 SOA ns. h. 1 1 1 1 1"]);
    let other = parent(&["ac.id. 60 SOA ns. h. 1 1 1 1 1"]);
    let root = parent(&[". 60 SOA ns. h. 1 1 1 1 1"]);
    let other_name = parent(&[
        "lain.go.id. 60 DS 4711 13 2 7F1A3BA2E3F0C5A1F5B2D9D6F9C1E1F0A9B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4",
    ]);
    let rubbish = FakeServer::start(|query, _| {
        let mut bytes = response(query, Rcode::NOERROR, true, ONE);
        bytes.push(0);
        Some(bytes)
    });
    for (server, why) in [
        (&no_authority, "authority"),
        (&refuses, "REFUSED"),
        (&child, "for the zone itself"),
        (&other, "neither DS nor"),
        (&root, "for the zone . and not for the parent"),
        (&other_name, "neither DS nor"),
        (&rubbish, "cannot be read"),
    ] {
        let sight = look(&[&one, server]);
        assert!(!sight.is_whole() && !sight.is_at_all(|_| true) && !sight.is_at_none(|_| false));
        assert!(sight.obstacle().unwrap().contains(why), "{:?}", sight.obstacle());
    }
}

#[test]
fn a_long_answer_comes_by_tcp_and_a_silent_address_is_left_alone_for_a_while() {
    let cut = FakeServer::start(|query, transport| {
        let mut bytes = response(query, Rcode::NOERROR, true, TWO);
        if transport == Transport::Udp {
            bytes = response(query, Rcode::NOERROR, true, &[]);
            bytes[2] |= 2;
        }
        Some(bytes)
    });
    let count = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&count);
    let silent = FakeServer::start(move |_, _| {
        heard.fetch_add(1, Ordering::Relaxed);
        None
    });
    let (finder, zones, ours) = (finder(), ZoneSet::new(), Ours::new(Vec::new()));
    let parents = [cut.address, silent.address];
    let look = |zone: &str| finder.look(&name(zone), &parents, &zones, &ours, &nobodys);
    let sight = look("contoh.go.id.");
    assert_eq!(sight.records().len(), 2);
    assert!(sight.obstacle().unwrap().ends_with("it does not answer"));
    assert_eq!(count.load(Ordering::Relaxed), 2, "two rounds");
    assert!(look("lain.go.id.").servers[1].why().unwrap().contains("a moment ago"));
    assert_eq!(count.load(Ordering::Relaxed), 2);
    finder.forget(&name("contoh.go.id."), Some(&sight));
    look("contoh.go.id.");
    assert_eq!(count.load(Ordering::Relaxed), 4);
}

#[test]
fn the_resolver_says_which_zone_is_above_and_who_serves_it() {
    let parent = parent(NONE);
    let count = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&count);
    let resolver = FakeServer::start(move |query, _| {
        heard.fetch_add(1, Ordering::Relaxed);
        let (name, rtype) = asked(query);
        let (code, records): (_, &[&str]) = match (name.as_str(), rtype) {
            // The name above is in no zone of its own.
            ("kota.go.id.", Rtype::SOA) => (Rcode::NXDOMAIN, NONE),
            ("go.id.", Rtype::NS) => {
                let servers = &["go.id. 60 NS ns1.go.id.", "go.id. 60 NS mati.go.id."];
                (Rcode::NOERROR, servers)
            }
            ("ns1.go.id.", Rtype::A) => (Rcode::NOERROR, &["ns1.go.id. 60 A 127.0.0.1"]),
            _ => (Rcode::NOERROR, NONE),
        };
        Some(response(query, code, false, records))
    });
    let finder = Finder::new(vec![resolver.address], parent.address.port());
    let (zones, ours) = (ZoneSet::new(), Ours::new(Vec::new()));
    let apex = name("contoh.kota.go.id.");
    let sight = finder.look(&apex, &[], &zones, &ours, &nobodys);
    assert_eq!(sight.parent, Some(name("go.id.")));
    let names: Vec<&str> = sight.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["mati.go.id.", "ns1.go.id."]);
    assert_eq!(sight.obstacle().unwrap(), "mati.go.id.: it has no address");
    assert!(sight.servers[1].is_heard());
    let asked_once = count.load(Ordering::Relaxed);
    finder.look(&name("lain.kota.go.id."), &[], &zones, &ours, &nobodys);
    assert_eq!(count.load(Ordering::Relaxed), asked_once, "zones side by side have one parent");
    let nobody = Finder::new(Vec::new(), 53).look(&apex, &[], &zones, &ours, &nobodys);
    assert!(nobody.obstacle().unwrap().contains("/etc/resolv.conf"));
    let root = Finder::new(Vec::new(), 53).look(&Name::root(), &[], &zones, &ours, &nobodys);
    assert!(!root.is_whole());
}

/// A resolver that knows these records, and that what is not there is in `go.id`.
pub(in crate::signer) fn resolver(records: Vec<String>) -> FakeServer {
    FakeServer::start(move |query, _| {
        let (name, rtype) = asked(query);
        let [owner, rtype] = [format!("{name} "), format!(" {rtype} ")];
        let is_meant = |line: &&str| line.starts_with(&owner) && line.contains(&rtype);
        let mut found: Vec<&str> = records.iter().map(String::as_str).filter(is_meant).collect();
        if found.is_empty() {
            found.extend(NONE);
        }
        Some(response(query, Rcode::NOERROR, false, &found))
    })
}

#[test]
fn a_negative_answer_counts_if_it_is_the_found_parent_s() {
    let look = |soa: &'static [&'static str]| {
        let server = parent(soa);
        let lines = ["go.id. 60 NS ns1.go.id.", "ns1.go.id. 60 A 127.0.0.1"];
        let resolver = resolver(lines.map(str::to_owned).to_vec());
        let finder = Finder::new(vec![resolver.address], server.address.port());
        let (apex, ours) = (name("contoh.kota.go.id."), Ours::new(Vec::new()));
        let found = finder.look(&apex, &[], &ZoneSet::new(), &ours, &nobodys);
        assert_eq!(found.parent, Some(name("go.id.")));
        // The settings name the server, and the resolver says what is above.
        let named = finder.look(&apex, &[server.address], &ZoneSet::new(), &ours, &nobodys);
        assert_eq!(named.parent, None);
        assert_eq!(found.is_at_none(|_| true), named.is_at_none(|_| true));
        found.is_at_none(|_| true)
    };
    assert!(look(NONE));
    assert!(look(&["kota.go.id. 60 SOA ns. h. 1 1 1 1 1"]), "cut off a moment ago");
    assert!(!look(&["id. 60 SOA ns. h. 1 1 1 1 1"]));
    assert!(!look(&[". 60 SOA ns. h. 1 1 1 1 1"]));
}

#[test]
fn receivers_are_told_together_and_who_is_silent_is_left_alone_for_a_while() {
    let count = Arc::new(AtomicUsize::new(0));
    let silent: Vec<FakeServer> = (0..7)
        .map(|_| {
            let heard = Arc::clone(&count);
            FakeServer::start(move |_, _| {
                heard.fetch_add(1, Ordering::Relaxed);
                None
            })
        })
        .collect();
    // It answers only after all others were told: one after another, they would never be.
    let others = Arc::clone(&count);
    let last = FakeServer::start(move |query, _| {
        while others.load(Ordering::Relaxed) < 7 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Some(response(query, Rcode::NOTAUTH, true, &[]))
    });
    let all: Vec<&FakeServer> = silent.iter().chain([&last]).collect();
    let line = |server: &&FakeServer| {
        format!("_dsync.go.id. 60 DSYNC CDS NOTIFY {} cds.go.id.", server.address.port())
    };
    let mut lines: Vec<String> = all.iter().map(line).collect();
    lines.push("cds.go.id. 60 A 127.0.0.1".to_owned());
    let resolver = resolver(lines);
    let finder =
        Finder { tries: [Duration::from_secs(1); 2], ..Finder::new(vec![resolver.address], 53) };
    let near = Heard::None;
    let server = ParentServer { name: "ns".to_owned(), heard: vec![(Some(last.address), near)] };
    let seen = Sight { parent: Some(name("go.id.")), servers: vec![server], why: None };
    let tell = |seen: &Sight| -> Vec<_> {
        let told = finder.tell(&name("contoh.go.id."), Some(seen)).unwrap();
        told.into_iter().map(|told| told.answer).collect()
    };
    let answers = tell(&seen);
    assert_eq!(answers[..7], vec![Err("it does not answer".to_owned()); 7]);
    assert_eq!((&answers[7], count.load(Ordering::Relaxed)), (&Ok(Rcode::NOTAUTH), 14));
    let answers = tell(&seen);
    assert_eq!(answers[0], Err("it did not answer a moment ago".to_owned()));
    assert_eq!((&answers[7], count.load(Ordering::Relaxed)), (&Ok(Rcode::NOTAUTH), 14));
    // Nobody at such an address speaks for the parent.
    let far = Sight { servers: Vec::new(), ..seen };
    let answers = tell(&far);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err().contains("local address")));
}

#[test]
fn a_resolver_that_does_not_answer_is_asked_last_for_a_while() {
    let count = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&count);
    let dead = FakeServer::start(move |_, _| {
        heard.fetch_add(1, Ordering::Relaxed);
        None
    });
    let good = resolver(Vec::new());
    let slow = Silence::new(SLOW_KEPT);
    let ask = |time: Duration| {
        let servers = vec![dead.address, good.address];
        let resolvers = Resolvers::new(servers, Instant::now() + time, &slow);
        resolvers.resolve(&name("go.id."), Rtype::SOA).map(|_| ())
    };
    assert!(ask(Duration::ZERO).is_err() && !slow.has(dead.address), "it was not asked");
    assert!(ask(Duration::from_millis(300)).is_err(), "no time is left for the second");
    let asked = count.load(Ordering::Relaxed);
    assert!(slow.has(dead.address));
    assert_eq!(ask(Duration::from_secs(60)), Ok(()));
    assert_eq!(count.load(Ordering::Relaxed), asked);
}

#[test]
fn of_a_parent_that_is_served_here_our_own_answer_counts() {
    let (same, other) = (parent(ONE), parent(TWO));
    let zone = |more: &[&str]| {
        let mut builder = ZoneBuilder::new(&name("go.id."));
        let head = [
            "go.id. 60 SOA ns1.go.id. h.go.id. 1 1 1 1 1",
            "go.id. 60 NS ns1.go.id.",
            "go.id. 60 NS ns2.go.id.",
            "ns1.go.id. 60 A 192.0.2.1",
            "ns2.go.id. 60 A 127.0.0.1",
        ];
        for line in head.iter().chain(more) {
            builder.push(record(line).as_ref());
        }
        ZoneSet::new().with(builder.finish().0.unwrap())
    };
    let look = |server: &FakeServer, zones: &ZoneSet| {
        let port = server.address.port();
        let ours = Ours::new(vec![SocketAddr::from(([192, 0, 2, 1], port))]);
        Finder::new(Vec::new(), port).look(&name("contoh.go.id."), &[], zones, &ours, &nobodys)
    };
    let delegated = zone(&["contoh.go.id. 60 NS ns.contoh.go.id.", ONE[0]]);
    let sight = look(&same, &delegated);
    let names: Vec<&str> = sight.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["ns2.go.id.", "this server"]);
    assert!(sight.is_at_all(|ds| ds.tag() == 4711));
    assert!(!look(&other, &delegated).is_at_all(|ds| ds.tag() == 12));
    // Both zones are here, and nobody delegated the lower one.
    let sight = look(&same, &zone(&[]));
    assert_eq!(sight.missing_at(|_| true), ["this server"]);
    // What is between is delegated to others: the parent is not here.
    let between = zone(&["kota.go.id. 60 NS ns.kota.go.id."]);
    let finder = Finder::new(Vec::new(), 53);
    let sight =
        finder.look(&name("a.kota.go.id."), &[], &between, &Ours::new(Vec::new()), &nobodys);
    assert!(sight.parent.is_none() && sight.why.is_some());
}
