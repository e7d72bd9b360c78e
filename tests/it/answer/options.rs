//! EDNS options, extended errors, class CH, access, form errors and the verdicts of other rooms.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gapura::answer::{Access, CookieResult, CookieSecrets, Ede, Identity, ResponseKind, Scratch};
use gapura::answer::{Transfer, Transport, Verdict, refuse};
use gapura::wire::{Class, Name, NameRef, Opcode, Rcode, Rtype};
use gapura::zone::Entry;

use crate::answer::engine::{Engine, Query, Reply, option, zone};

const NSID: u16 = 3;
const EXPIRE: u16 = 9;
const COOKIE: u16 = 10;
const KEEPALIVE: u16 = 11;
const PADDING: u16 = 12;
const REPORT_CHANNEL: u16 = 18;
const ZONE_VERSION: u16 = 19;

fn engine() -> Engine {
    let lines = "@ SOA ns1 host 77 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n\
                 cut NS ns.cut\nns.cut A 192.0.2.2";
    let identity = Identity {
        nsid: b"ns-1".to_vec(),
        cookies: Some(CookieSecrets { current: [1; 16], others: vec![[2; 16]] }),
        report_agent: Some("agent.test.".parse().unwrap()),
        ..Identity::default()
    };
    Engine::with_identity([zone("sub.example.", lines.lines())], identity)
}

fn ask(engine: &mut Engine, options: &[u8]) -> Reply {
    engine.ask(&Query::new("ns1.sub.example.", Rtype::A).edns(1232, 0, options))
}

//--- Cookies

#[test]
fn a_client_cookie_gets_a_server_cookie_that_is_then_valid() {
    let mut engine = engine();
    let first = ask(&mut engine, &option(COOKIE, &[7; 8]));
    assert_eq!(engine.facts().cookie, CookieResult::ClientOnly);
    let full = first.option(COOKIE).unwrap().to_vec();
    assert_eq!((full.len(), &full[..8]), (24, &[7; 8][..]));
    let second = ask(&mut engine, &option(COOKIE, &full));
    assert_eq!((second.rcode, engine.facts().cookie), (0, CookieResult::Valid));
    // From another address it is not ours.
    engine.peer.address = "192.0.2.99".parse().unwrap();
    assert_eq!(ask(&mut engine, &option(COOKIE, &full)).rcode, 0, "answered normally");
    assert_eq!(engine.facts().cookie, CookieResult::Bad);
    // And where the address is limited, the client is told.
    engine.peer.limited = true;
    let told = ask(&mut engine, &option(COOKIE, &full));
    assert_eq!(told.rcode, Rcode::BADCOOKIE.0);
    assert_ne!(told.option(COOKIE), Some(&full[..]));
    assert!(told.sections.iter().all(Vec::is_empty));
}

#[test]
fn a_cookie_of_the_secret_before_is_accepted_and_renewed() {
    let mut before = engine();
    let secrets = CookieSecrets { current: [2; 16], others: Vec::new() };
    let identity = Identity { cookies: Some(secrets), ..Identity::default() };
    before.scratch.set_identity(Arc::new(identity));
    let old = ask(&mut before, &option(COOKIE, &[7; 8])).option(COOKIE).unwrap().to_vec();
    let mut now = engine();
    let renewed = ask(&mut now, &option(COOKIE, &old));
    assert_eq!(now.facts().cookie, CookieResult::Valid);
    assert_ne!(renewed.option(COOKIE), Some(&old[..]));
}

#[test]
fn a_cookie_of_an_impossible_length_is_formerr() {
    for octets in (0..48).filter(|n| *n != 8 && !(16..=40).contains(n)) {
        let reply = ask(&mut engine(), &option(COOKIE, &vec![7; octets]));
        assert_eq!((reply.rcode, reply.option(COOKIE)), (Rcode::FORMERR.0, None), "{octets}");
        assert!(reply.edns.is_some());
    }
}

#[test]
fn the_options_of_another_edns_version_are_not_judged() {
    let bad = option(COOKIE, &[7; 3]);
    let reply = engine().ask(&Query::new("sub.example.", Rtype::SOA).edns(1232, 1 << 16, &bad));
    assert_eq!(reply.rcode, Rcode::BADVERS.0);
}

#[test]
fn a_query_without_a_question_may_ask_for_a_cookie_and_for_nothing_else() {
    let mut query = Query::new("example.", Rtype::A).edns(1232, 0, &option(COOKIE, &[7; 8]));
    query.question = None;
    let reply = engine().ask(&query);
    assert_eq!((reply.rcode, reply.option(COOKIE).unwrap().len()), (0, 24));
    let reply = engine().ask(&Query { edns: Some((1232, 0, vec![])), ..query.clone() });
    assert_eq!(reply.rcode, Rcode::FORMERR.0);
    let reply = engine().ask(&Query { edns: None, ..query });
    assert_eq!(reply.rcode, Rcode::FORMERR.0);
}

#[test]
fn a_query_without_a_question_tells_whether_a_cookie_is_still_good() {
    let mut engine = engine();
    let full = ask(&mut engine, &option(COOKIE, &[7; 8])).option(COOKIE).unwrap().to_vec();
    let mut query = Query::new("example.", Rtype::A).edns(1232, 0, &option(COOKIE, &full));
    query.question = None;
    assert_eq!(engine.ask(&query).rcode, Rcode::NOERROR.0);
    engine.peer.address = "192.0.2.99".parse().unwrap();
    let reply = engine.ask(&query);
    assert_eq!(reply.rcode, Rcode::BADCOOKIE.0);
    assert!(reply.option(COOKIE).is_some_and(|fresh| fresh[..8] == full[..8] && fresh != full));
    // Where there are no cookies there is nothing to ask.
    engine.scratch = Scratch::new(Arc::new(Identity::default()));
    assert_eq!(engine.ask(&query).rcode, Rcode::FORMERR.0);
}

#[test]
fn without_secrets_cookies_are_ignored() {
    let mut engine = engine();
    engine.scratch = Scratch::new(Arc::new(Identity::default()));
    assert_eq!(ask(&mut engine, &option(COOKIE, &[7; 8])).option(COOKIE), None);
    assert_eq!(ask(&mut engine, &option(COOKIE, &[7; 3])).rcode, 0);
}

//--- Options that are only answered

#[test]
fn nsid_expire_and_zone_version_come_only_when_asked() {
    let plain = ask(&mut engine(), &[]);
    let options: Vec<u16> = plain.edns.as_ref().unwrap().2.iter().map(|(code, _)| *code).collect();
    assert_eq!(options, [REPORT_CHANNEL]);
    let asked = [option(NSID, &[]), option(EXPIRE, &[]), option(ZONE_VERSION, &[])].concat();
    let reply = ask(&mut engine(), &asked);
    assert_eq!(reply.option(NSID), Some(&b"ns-1"[..]));
    assert_eq!(reply.option(EXPIRE), Some(&1_209_600u32.to_be_bytes()[..]));
    assert_eq!(reply.option(ZONE_VERSION), Some(&[2, 0, 0, 0, 0, 77][..]), "2 labels, SOA-SERIAL");
}

#[test]
fn a_name_of_no_zone_has_no_zone_version() {
    let query = Query::new("else.test.", Rtype::A).edns(1232, 0, &option(ZONE_VERSION, &[]));
    assert_eq!(engine().ask(&query).option(ZONE_VERSION), None);
}

#[test]
fn keepalive_is_for_streams_that_ask() {
    for (transport, value) in [
        (Transport::Udp, None),
        (Transport::Tcp, Some(&[0, 100][..])),
        (Transport::Tls, Some(&[0, 100][..])),
        (Transport::Quic, None),
    ] {
        let mut engine = engine().over(transport);
        engine.peer.keepalive = Some(100);
        assert_eq!(ask(&mut engine, &option(KEEPALIVE, &[])).option(KEEPALIVE), value);
        assert_eq!(ask(&mut engine, &[]).option(KEEPALIVE), None);
    }
}

#[test]
fn padding_goes_to_blocks_of_468_where_nobody_reads_along() {
    for transport in [Transport::Tls, Transport::Quic] {
        let reply = ask(&mut engine().over(transport), &option(PADDING, &[0; 9]));
        assert_eq!(reply.bytes.len() % 468, 0);
        assert_eq!(ask(&mut engine().over(transport), &[]).option(PADDING), None);
    }
    for transport in [Transport::Udp, Transport::Tcp] {
        let reply = ask(&mut engine().over(transport), &option(PADDING, &[0; 9]));
        assert_eq!(reply.option(PADDING), None);
    }
}

#[test]
fn the_report_channel_names_the_agent_and_never_the_root() {
    let reply = ask(&mut engine(), &[]);
    assert_eq!(reply.option(REPORT_CHANNEL), Some(&b"\x05agent\x04test\0"[..]));
    let mut engine = engine();
    let report_agent = Some(".".parse().unwrap());
    let identity = Identity { report_agent, ..Identity::default() };
    engine.scratch.set_identity(Arc::new(identity));
    assert_eq!(ask(&mut engine, &[]).option(REPORT_CHANNEL), None);
}

#[test]
fn no_option_comes_to_a_client_without_edns() {
    let reply = engine().ask(&Query::new("ns1.sub.example.", Rtype::A));
    assert!(reply.edns.is_none());
}

#[test]
fn the_options_keep_their_room_in_a_full_message() {
    let lines: Vec<String> = ["@ SOA ns1 host 1 1 1 1 1".to_owned()]
        .into_iter()
        .chain((0..9).map(|n| format!("@ TXT \"{n}{}\"", "t".repeat(127))))
        .collect();
    let nsid = vec![b'n'; 128];
    let mut engine = Engine::with_identity(
        [zone("full.test.", lines.iter().map(String::as_str))],
        Identity { nsid: nsid.clone(), ..Identity::default() },
    );
    let query = Query::new("full.test.", Rtype::TXT).edns(1232, 0, &option(NSID, &[]));
    let reply = engine.ask(&query);
    assert!(reply.tc() && reply.sections[0].is_empty(), "no room for all nine");
    assert_eq!(reply.option(NSID), Some(&nsid[..]));
}

//--- Errors

#[test]
fn every_refusal_has_an_extended_error() {
    let mut engine = engine();
    engine.zones = engine.zones.edit(&[], vec![Entry::NotLoaded("loading.test.".parse().unwrap())]);
    let mut told = |name: &str, class: Class| {
        let reply = engine.ask(&Query::new(name, Rtype::A).class(class).edns(1232, 0, &[]));
        assert!(!reply.aa());
        assert_eq!(engine.facts().kind, ResponseKind::Error);
        (Rcode(reply.rcode), reply.ede())
    };
    assert_eq!(told("else.test.", Class::IN), (Rcode::REFUSED, Some(20)));
    assert_eq!(told("a.loading.test.", Class::IN), (Rcode::SERVFAIL, Some(14)));
    assert_eq!(told("ns1.sub.example.", Class::HS), (Rcode::REFUSED, Some(21)));
    assert_eq!(told("version.bind.", Class::CH), (Rcode::REFUSED, Some(21)));
    engine.peer.access = &false;
    let reply = ask(&mut engine, &[]);
    assert_eq!((Rcode(reply.rcode), reply.ede()), (Rcode::REFUSED, Some(18)));
}

/// Lets everybody query what is below `ns1.sub.example.`, and counts how often it was consulted.
#[derive(Debug, Default)]
struct ByName(AtomicUsize);

impl Access for ByName {
    fn allows(&self, _: IpAddr, name: NameRef<'_>) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        let allowed: Name = "ns1.sub.example.".parse().unwrap();
        name.is_at_or_below(allowed.as_ref())
    }
}

#[test]
fn access_is_decided_once_and_by_the_name() {
    let mut engine = engine();
    let access: &ByName = Box::leak(Box::default());
    engine.peer.access = access;
    assert_eq!(ask(&mut engine, &[]).rcode, 0);
    assert_eq!(access.0.load(Ordering::Relaxed), 1);
    let other = engine.ask(&Query::new("sub.example.", Rtype::SOA).edns(1232, 0, &[]));
    assert_eq!((Rcode(other.rcode), other.ede()), (Rcode::REFUSED, Some(18)));
    assert_eq!(access.0.load(Ordering::Relaxed), 2);
}

#[test]
fn the_servers_own_names_are_shown_when_the_settings_say_so() {
    let mut engine = engine();
    let identity = Identity {
        version: Some("gapura".to_owned()),
        hostname: Some("ns1".to_owned()),
        ..Identity::default()
    };
    engine.scratch.set_identity(Arc::new(identity));
    for (name, text) in [
        ("version.bind.", &b"\x06gapura"[..]),
        ("VERSION.server.", b"\x06gapura"),
        ("hostname.bind.", b"\x03ns1"),
        ("id.server.", b"\x03ns1"),
    ] {
        let reply = engine.ask(&Query::new(name, Rtype::TXT).class(Class::CH));
        assert!(reply.aa());
        assert_eq!(reply.sections[0][0].class, Class::CH);
        assert_eq!(&reply.sections[0][0].rdata[..], text);
    }
    let other = engine.ask(&Query::new("authors.bind.", Rtype::TXT).class(Class::CH));
    assert_eq!(other.rcode, Rcode::REFUSED.0);
}

#[test]
fn formerr_repeats_the_question_and_has_an_opt_if_one_came() {
    let mut bytes = Query::new("ns1.sub.example.", Rtype::A).edns(1232, 0x8000, &[]).bytes();
    bytes.push(0);
    let (_, reply) = engine().verdict(&bytes);
    let reply = Reply::read(&reply);
    assert_eq!(reply.rcode, Rcode::FORMERR.0);
    assert_eq!(reply.bytes[12..33], bytes[12..33]);
    assert!(reply.edns.is_some());
}

/// A message with a TSIG record at its end, which is nobody's.
fn signed(query: &Query) -> (Vec<u8>, usize) {
    let mut bytes = query.bytes();
    let at = bytes.len();
    bytes[11] += 1;
    bytes.extend(b"\x03key\0\0\xfa\0\xff\0\0\0\0\0\x01\0");
    (bytes, at)
}

#[test]
fn whatever_is_signed_is_handed_on_to_be_verified() {
    for flags in [0, 4 << 11, 5 << 11, 6 << 11] {
        let (bytes, at) = signed(&Query::new("ns1.sub.example.", Rtype::A).flags(flags));
        assert_eq!(engine().verdict(&bytes).0, Verdict::Signed { at }, "{flags}");
    }
    // The record is the last one, and the message is one.
    let (mut bytes, _) = signed(&Query::new("ns1.sub.example.", Rtype::A));
    bytes.push(0);
    let (_, reply) = engine().verdict(&bytes);
    assert_eq!(Reply::read(&reply).rcode, Rcode::FORMERR.0);
}

//--- Verdicts

#[test]
fn transfers_notify_and_update_are_handed_on() {
    let mut tcp = engine().over(Transport::Tcp);
    let axfr = Query::new("sub.example.", Rtype::AXFR).bytes();
    assert_eq!(tcp.verdict(&axfr).0, Verdict::Transfer(Transfer::Full));
    let soa = b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut ixfr = Query::new("sub.example.", Rtype::IXFR);
    assert_eq!(tcp.ask(&ixfr).rcode, Rcode::FORMERR.0, "no serial");
    ixfr.authority = (1, soa.to_vec());
    assert_eq!(tcp.verdict(&ixfr.bytes()).0, Verdict::Transfer(Transfer::Since(7)));
    assert_eq!(engine().verdict(&ixfr.bytes()).0, Verdict::Transfer(Transfer::Since(7)), "UDP");
    let notify = Query::new("sub.example.", Rtype::SOA).flags(4 << 11).bytes();
    assert_eq!(tcp.verdict(&notify).0, Verdict::Notify { serial: None });
    assert_eq!(tcp.facts().opcode, Opcode::NOTIFY);
    let update = Query::new("sub.example.", Rtype::SOA).flags(5 << 11).bytes();
    assert_eq!(tcp.verdict(&update).0, Verdict::Update);
    assert_eq!(tcp.scratch.qname().unwrap().to_string(), "sub.example.");
}

#[test]
fn notify_and_update_are_of_a_zone_of_class_in() {
    for opcode in [4, 5] {
        let ask = |rtype, class: u16| {
            let mut bytes = Query::new("sub.example.", rtype).flags(opcode << 11).bytes();
            let end = bytes.len();
            bytes[end - 2..].copy_from_slice(&class.to_be_bytes());
            Reply::read(&engine().verdict(&bytes).1).rcode
        };
        assert_eq!(ask(Rtype::A, 1), Rcode::FORMERR.0);
        assert_eq!((ask(Rtype::SOA, 254), ask(Rtype::SOA, 255)), (1, 1), "no class of a zone");
        assert_eq!(ask(Rtype::SOA, 3), Rcode::NOTAUTH.0, "not ours");
    }
}

#[test]
fn another_room_can_decline_what_it_was_handed() {
    let mut engine = engine();
    let update = Query::new("sub.example.", Rtype::SOA).flags(5 << 11).edns(1232, 0, &[]).bytes();
    let mut out = [0; 512];
    let Engine { scratch, peer, .. } = &mut engine;
    let ede = Some(Ede::NOT_SUPPORTED);
    let verdict = refuse(scratch, &update, peer, Rcode::NOTIMP, ede, &mut out);
    let Verdict::Reply(octets) = verdict else {
        panic!("{verdict:?}");
    };
    let reply = Reply::read(&out[..octets]);
    assert_eq!((reply.rcode, reply.ede()), (Rcode::NOTIMP.0, Some(21)));
    assert_eq!(reply.flags >> 11 & 15, 5, "the opcode is copied");
}

#[test]
fn the_facts_say_what_was_answered() {
    let mut engine = engine();
    engine.peer.local = Some(SocketAddr::from(([127, 0, 0, 1], 53)));
    ask(&mut engine, &[]);
    let facts = engine.facts();
    assert_eq!((facts.kind, facts.serial), (ResponseKind::Positive, Some(77)));
    assert!(facts.authoritative && !facts.truncated && !facts.wildcard);
    assert_eq!((facts.edns_size, facts.qtype), (Some(1232), Rtype::A));
    assert_eq!(engine.scratch.zone().unwrap().to_string(), "sub.example.");
    engine.ask(&Query::new("x.cut.sub.example.", Rtype::A));
    assert_eq!(engine.facts().kind, ResponseKind::Referral);
    assert!(!engine.facts().authoritative);
    engine.ask(&Query::new("x.sub.example.", Rtype::A));
    assert_eq!(engine.facts().kind, ResponseKind::Nxdomain);
}
