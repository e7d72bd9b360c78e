//! Signed messages and operations over every transport (T10), with a performer whose every answer the test knows.

use std::sync::Mutex;

use super::encrypted::{address, connect_tls, secured};
use super::*;
use crate::answer::{Ede, Transfer};
use crate::transfer::Outgoing;
use crate::tsig::{Algorithm, Expected, Key, Keyring, ResponseFault, sign_query};

/// Seconds since 1970.
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

fn key(name: &str, secret: &[u8]) -> Arc<Key> {
    Arc::new(Key::new(&name.parse().unwrap(), Algorithm::HmacSha256, secret))
}

/// The key that the server has.
fn armada() -> Arc<Key> {
    key("armada.", b"secret of thirty-two octets, long")
}

fn keyring() -> Keyring {
    Keyring::from_iter([Key::new(
        armada().name(),
        Algorithm::HmacSha256,
        b"secret of thirty-two octets, long",
    )])
}

//------------ Performer -----------------------------------------------------

/// Performs what is signed, and notes what it was asked.
#[derive(Debug, Default)]
pub(in crate::serve) struct Performer {
    pub(in crate::serve) asked: Mutex<Vec<String>>,
    /// Updates wait for this to be unlocked.
    gate: Mutex<()>,
    /// Updates that have begun.
    begun: std::sync::atomic::AtomicUsize,
}

impl Performer {
    fn decide(&self, requester: &Requester, what: String) -> Result<(), Refusal> {
        let key = requester.key.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        self.asked.lock().unwrap().push(format!("{what} {:?} {key}", requester.transport));
        match requester.key {
            Some(_) => Ok(()),
            None => Err(Refusal {
                text: Some("permintaan 7/2026".to_owned()),
                ..Refusal::new(Rcode::REFUSED, Ede::PROHIBITED)
            }),
        }
    }
}

impl Operations for Performer {
    fn may_transfer(&self, _: &Requester, _: &Name) -> Result<(), Refusal> {
        Ok(())
    }

    fn transfer(
        &self,
        requester: &Requester,
        zone: &Name,
        wanted: Transfer,
    ) -> Result<Outgoing, Refusal> {
        self.decide(requester, format!("{wanted:?} {zone}"))?;
        let set = zones().load_full();
        match set.get(zone.as_ref()) {
            Some(crate::zone::Entry::Loaded(zone)) => Ok(Outgoing::Current(zone.clone())),
            _ => Err(Refusal::new(Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE)),
        }
    }

    fn notify(
        &self,
        requester: &Requester,
        zone: &Name,
        serial: Option<u32>,
    ) -> Result<(), Refusal> {
        self.decide(requester, format!("NOTIFY {zone} {serial:?}"))
    }

    fn may_update(&self, _: &Requester, _: &Name) -> Result<(), Refusal> {
        Ok(())
    }

    fn update(&self, requester: &Requester, message: &[u8]) -> Result<(), Refusal> {
        self.begun.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        drop(self.gate.lock().unwrap());
        assert_eq!(message[11], 0, "without its TSIG");
        self.decide(requester, "UPDATE".to_owned())
    }
}

/// A server with the key and a performer, over TLS too.
fn performing() -> (Server, Arc<Performer>) {
    let performer = Arc::new(Performer::default());
    let operations = Some(performer.clone() as Arc<dyn Operations>);
    let options =
        Options { keyring: keyring(), operations, tls: Some(secured()), ..Options::default() };
    (server(options), performer)
}

impl Server {
    /// The response over a transport; `None` is silence.
    fn tell(&self, transport: Transport, message: &[u8]) -> Option<Vec<u8>> {
        match transport {
            Transport::Tls => {
                let mut stream = connect_tls(address(&self.running, Transport::Tls), &[b"dot"]);
                stream.write_all(&framed(message)).unwrap();
                Some(read_message(&mut stream))
            }
            transport => ask(self.v4, message, transport, SOON).ok(),
        }
    }
}

//------------ Messages ------------------------------------------------------

/// A query, a NOTIFY, an UPDATE, or an IXFR of `example.`.
pub(in crate::serve) fn message(what: &str) -> Vec<u8> {
    let rtype = if what == "IXFR" { Rtype::IXFR } else { Rtype::SOA };
    let mut message = query(0x4711, "example.", rtype);
    message[2] = match what {
        "NOTIFY" => 4 << 3,
        "UPDATE" => 5 << 3,
        _ => 0,
    };
    if what == "IXFR" {
        message[9] = 1;
        message.extend(b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c\0\0\0\x07");
        message.extend([0; 16]);
    }
    message
}

/// How it is signed.
fn sign(how: &str, message: &mut Vec<u8>) -> Option<Expected> {
    match how {
        "good" => Some(sign_query(&armada(), message, now())),
        "bad" => Some(sign_query(&key("armada.", b"another"), message, now())),
        "unknown" => Some(sign_query(&key("somebody.", b"else"), message, now())),
        "old" => Some(sign_query(&armada(), message, now() - 1000)),
        _ => None,
    }
}

/// The extended error's text in a response that ends with its OPT.
fn said(response: &[u8]) -> String {
    option(response, 15).map_or(String::new(), |it| String::from_utf8_lossy(&it[2..]).into_owned())
}

//------------ T10 -----------------------------------------------------------

#[test]
fn t10_who_signs_well_gets_it_and_nobody_else() {
    let (server, performer) = performing();
    for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        for what in ["query", "NOTIFY", "UPDATE", "IXFR"] {
            for how in ["good", "bad", "unknown", "none", "old"] {
                let place = format!("{what} {how} over {transport:?}");
                let mut sent = message(what);
                let expected = sign(how, &mut sent);
                let response = server.tell(transport, &sent).unwrap();
                let verified = expected.map(|it| it.verify(&response, now()));
                let rejected = |code: u16| {
                    Some(Err(ResponseFault::Rejected { code: Rcode(code), server_time: None }))
                };
                let code = rcode(&response);
                match how {
                    "good" => {
                        assert_eq!(code, Rcode::NOERROR, "{place}");
                        let plain = verified.unwrap().unwrap();
                        assert_eq!(plain[12..12 + 9 + 4], sent[12..12 + 9 + 4], "{place}");
                        let is_update = what == "UPDATE";
                        assert_eq!(plain[2] & 4 == 0, is_update, "AA of {place}");
                    }
                    "bad" => {
                        assert_eq!((code, verified), (Rcode::NOTAUTH, rejected(16)), "{place}")
                    }
                    "unknown" => {
                        assert_eq!((code, verified), (Rcode::NOTAUTH, rejected(17)), "{place}");
                    }
                    "old" => {
                        assert_eq!(code, Rcode::NOTAUTH, "{place}");
                        let told = verified.unwrap().unwrap_err();
                        let ResponseFault::Rejected { code: Rcode::BADTIME, server_time } = told
                        else {
                            panic!("{place}: {told}");
                        };
                        assert!(server_time.unwrap().abs_diff(now()) < 10, "{place}");
                    }
                    _ if what == "query" => assert_eq!(code, Rcode::NOERROR),
                    _ => assert_eq!(code, Rcode::REFUSED, "{place}"),
                }
            }
        }
    }
    let asked = performer.asked.lock().unwrap();
    assert_eq!(asked.len(), 3 * 3 * 2, "good and unsigned ones alone: {asked:#?}");
    assert_eq!(asked.iter().filter(|it| it.ends_with(" armada.")).count(), 9);
    let failures =
        |kind| server.count(Transport::Tls, |totals| totals.tsig_failures[kind as usize]);
    assert_eq!([counters::TsigKind::BadKey, counters::TsigKind::BadSig].map(failures), [4, 4]);
    assert_eq!(failures(counters::TsigKind::BadTime), 4);
}

#[test]
fn a_cookie_that_is_told_has_nothing_done_twice() {
    let performer = Arc::new(Performer::default());
    let operations = Some(performer.clone() as Arc<dyn Operations>);
    let rate_limit = Some(RateLimit { per_prefix: 1, per_address: 0, slip: 1 });
    let server =
        server(Options { keyring: keyring(), operations, rate_limit, ..Options::default() });
    let cookie = [&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 28, 0, 10, 0, 24][..], &[7; 24]].concat();
    let with_cookie = |what| {
        let mut message = message(what);
        message[11] = 1;
        message.extend(&cookie);
        message
    };
    let (notify, mut forged) = (with_cookie("NOTIFY"), with_cookie("query"));
    sign("bad", &mut forged);
    let socket = client("127.0.0.1", server.v4);
    for _ in 0..40 {
        exchange(&socket, &notify);
        exchange(&socket, &forged);
    }
    let cut = server.count(Transport::Udp, |t| t.limited[LimitAction::Truncate as usize]);
    assert!(cut > 20, "the limit was reached: {cut}");
    assert_eq!(performer.asked.lock().unwrap().len(), 40);
    let kind = counters::TsigKind::BadSig as usize;
    assert_eq!(server.count(Transport::Udp, |t| t.tsig_failures[kind]), 40);
}

/// Answers a NOTIFY with SERVFAIL and a text, and lets nobody transfer.
#[derive(Debug)]
struct NotYet;

impl Operations for NotYet {
    fn may_transfer(&self, _: &Requester, _: &Name) -> Result<(), Refusal> {
        Err(Refusal::new(Rcode::REFUSED, Ede::PROHIBITED))
    }

    fn transfer(&self, _: &Requester, _: &Name, _: Transfer) -> Result<Outgoing, Refusal> {
        Err(Refusal::new(Rcode::REFUSED, Ede::PROHIBITED))
    }

    fn notify(&self, _: &Requester, _: &Name, _: Option<u32>) -> Result<(), Refusal> {
        let text = Some("another day".to_owned());
        Err(Refusal { text, ..Refusal::new(Rcode::SERVFAIL, Ede::NOT_READY) })
    }

    fn may_update(&self, _: &Requester, _: &Name) -> Result<(), Refusal> {
        Ok(())
    }

    fn update(&self, _: &Requester, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

#[test]
fn no_reason_is_left_for_the_refusal_of_somebody_else() {
    let operations = Some(Arc::new(NotYet) as Arc<dyn Operations>);
    let shared = Arc::new(responder::Shared { operations, ..responder::Shared::plain(zones()) });
    let mut responder = responder::Responder::new(shared.clone(), Transport::Tcp, false);
    let source = responder::Source {
        client: "127.0.0.1:53000".parse().unwrap(),
        local: None,
        keepalive: None,
        identity: None,
    };
    let mut out = vec![0; 65_535];
    let moment = responder.begin();
    let (zones, notify) = (shared.zones.load_full(), message("NOTIFY"));
    responder.respond(&zones, moment, &source, &notify, &mut out);
    assert_eq!(rcode(&out), Rcode::SERVFAIL);
    assert_eq!(
        responder.unusual.reason, None,
        "an AXFR that the engine refuses would be logged with it"
    );
}

#[test]
fn the_refuser_s_own_text_is_told() {
    let (server, _) = performing();
    for (what, transport) in
        [("NOTIFY", Transport::Udp), ("IXFR", Transport::Udp), ("NOTIFY", Transport::Tcp)]
    {
        let mut message = message(what);
        message[11] = 1;
        message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
        let response = server.tell(transport, &message).unwrap();
        assert_eq!(
            (rcode(&response), said(&response).as_str()),
            (Rcode::REFUSED, "permintaan 7/2026")
        );
    }
}

#[test]
fn key_deleted_while_in_use() {
    let (server, _) = performing();
    let mut stream = connect(server.v4);
    let mut ask = || {
        let mut query = query(9, "www.example.", Rtype::A);
        let expected = sign_query(&armada(), &mut query, now());
        stream.write_all(&framed(&query)).unwrap();
        expected.verify(&read_message(&mut stream), now())
    };
    assert!(ask().is_ok());
    assert!(!server.running.set_keyring(keyring()), "the same keys");
    assert!(server.running.set_keyring(Keyring::default()));
    let badkey = ResponseFault::Rejected { code: Rcode::BADKEY, server_time: None };
    assert_eq!(ask(), Err(badkey), "on the connection that was open");
    assert!(server.running.set_keyring(keyring()));
    assert!(ask().is_ok());
}

#[test]
fn a_key_may_be_enough_to_query() {
    let allow_query =
        Acl::only_these(["198.51.100.0/24".parse().unwrap()], ["armada.".parse().unwrap()]);
    let server = server(Options { keyring: keyring(), allow_query, ..Options::default() });
    let mut query = message("query");
    assert_eq!(rcode(&server.tell(Transport::Udp, &query).unwrap()), Rcode::REFUSED);
    let expected = sign("good", &mut query).unwrap();
    let response = server.tell(Transport::Udp, &query).unwrap();
    assert_eq!(rcode(&response), Rcode::NOERROR);
    expected.verify(&response, now()).unwrap();
}

#[test]
fn a_signed_response_fits_and_says_where_it_does_not() {
    let server = server(Options { keyring: keyring(), ..Options::default() });
    // 20 texts of 200 octets fit neither; what is cut is signed all the same.
    for (bare, limit) in [
        (query(1, "big.example.", Rtype::TXT), 512),
        (edns_query(1, "big.example.", Rtype::TXT, &[]), 1232),
    ] {
        let mut query = bare.clone();
        let expected = sign_query(&armada(), &mut query, now());
        let response = server.tell(Transport::Udp, &query).unwrap();
        assert!(response.len() <= limit && response[2] & 2 != 0);
        expected.verify(&response, now()).unwrap();
        let response = server.tell(Transport::Tcp, &query).unwrap();
        assert!(response.len() > 4000 && response[2] & 2 == 0);
        expected.verify(&response, now()).unwrap();
    }
}

//------------ Errands -------------------------------------------------------

#[test]
fn an_update_that_waits_holds_up_nobody_else() {
    let (server, performer) = performing();
    let gate = performer.gate.lock().unwrap();
    let mut update = message("UPDATE");
    let expected = sign("good", &mut update).unwrap();
    let client = client("127.0.0.1", server.v4);
    client.send(&update).unwrap();
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&update)).unwrap();
    stream.write_all(&framed(&query(7, "www.example.", Rtype::A))).unwrap();
    wait_until("both have begun", || {
        performer.begun.load(std::sync::atomic::Ordering::SeqCst) == 2
    });
    // The same worker, the same stream thread.
    for transport in [Transport::Udp, Transport::Tcp] {
        let query = query(8, "www.example.", Rtype::A);
        assert!(server.tell(transport, &query).unwrap().ends_with(&[192, 0, 2, 80]));
    }
    drop(gate);
    let mut response = [0; 512];
    let length = client.recv(&mut response).unwrap();
    expected.verify(&response[..length], now()).unwrap();
    // In the order of the connection.
    expected.verify(&read_message(&mut stream), now()).unwrap();
    assert!(read_message(&mut stream).ends_with(&[192, 0, 2, 80]));
}

#[test]
fn a_client_that_goes_away_does_not_cancel_its_update() {
    let (server, performer) = performing();
    let gate = performer.gate.lock().unwrap();
    let mut update = message("UPDATE");
    sign("good", &mut update);
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&update)).unwrap();
    wait_until("it has begun", || performer.begun.load(std::sync::atomic::Ordering::SeqCst) == 1);
    drop(stream);
    drop(gate);
    wait_until("it is done", || performer.asked.lock().unwrap().len() == 1);
}

#[test]
fn what_is_too_much_is_dropped_over_udp_and_refused_on_connections() {
    let (server, performer) = performing();
    let gate = performer.gate.lock().unwrap();
    let mut update = message("UPDATE");
    sign("good", &mut update);
    let client = client("127.0.0.1", server.v4);
    // Two are performed, 64 wait, the rest gets silence.
    for _ in 0..100 {
        client.send(&update).unwrap();
        std::thread::sleep(Duration::from_micros(200));
    }
    let mut streams: Vec<TcpStream> = (0..70).map(|_| connect(server.v4)).collect();
    for stream in &mut streams {
        stream.write_all(&framed(&update)).unwrap();
    }
    let begun = || performer.begun.load(std::sync::atomic::Ordering::SeqCst);
    wait_until("all that may have begun", || begun() == 2 + 64);
    let over = query(8, "www.example.", Rtype::A);
    assert!(server.tell(Transport::Udp, &over).unwrap().ends_with(&[192, 0, 2, 80]));
    drop(gate);
    let codes: Vec<Rcode> = streams.iter_mut().map(|it| rcode(&read_message(it))).collect();
    assert_eq!(codes.iter().filter(|code| **code == Rcode::SERVFAIL).count(), 6);
    assert_eq!(codes.iter().filter(|code| **code == Rcode::NOERROR).count(), 64);
    wait_until("those that waited are done", || begun() == 2 + 64 + 64);
}

#[test]
fn a_response_leaves_from_the_address_that_was_asked() {
    let operations = Some(Arc::new(Performer::default()) as Arc<dyn Operations>);
    let listen = vec!["0.0.0.0:0".parse().unwrap()];
    let options =
        Options { listen, udp_workers: 1, keyring: keyring(), operations, ..Options::default() };
    let running = start(options, zones()).unwrap();
    let port = running.addresses()[0].address.port();
    for address in ["127.0.0.1", "127.0.0.7"] {
        let server = SocketAddr::new(address.parse().unwrap(), port);
        let mut update = message("UPDATE");
        let expected = sign("good", &mut update).unwrap();
        // A connected socket takes nothing from elsewhere.
        let response = exchange(&client("127.0.0.1", server), &update);
        expected.verify(&response, now()).unwrap();
    }
}
