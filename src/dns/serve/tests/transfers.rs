//! Transfers over TCP: whole, in turn, at the requester's pace, and only to who may.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::answer::{Ede, Transfer};
use crate::lock::lock;
use crate::transfer::Outgoing;
use crate::tsig::{Algorithm, Key, Keyring, sign_query};
use crate::wire::Response;
use crate::zone::Zone;

/// A primary that lets ports below a limit have the zone, and counts what it is asked.
#[derive(Default)]
struct Primary {
    /// The zone.
    zones: Arc<ArcSwap<ZoneSet>>,
    /// Whether anybody may.
    closed: std::sync::atomic::AtomicBool,
    /// Transfers begun.
    begun: AtomicUsize,
    /// Transfers that went out whole, and those that did not.
    whole: AtomicUsize,
    broken: AtomicUsize,
    /// Whether each requester spoke TLS 1.3; none: no TLS.
    tls13: std::sync::Mutex<Vec<Option<bool>>>,
}

impl std::fmt::Debug for Primary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Primary")
    }
}

impl Operations for Primary {
    fn may_transfer(&self, requester: &Requester, _: &Name) -> Result<(), Refusal> {
        assert!(requester.address.ip().is_loopback());
        lock(&self.tls13).push(requester.identity.as_ref().map(|it| it.is_tls13()));
        if self.closed.load(Ordering::Relaxed) {
            return Err(Refusal::new(Rcode::REFUSED, Ede::PROHIBITED));
        }
        Ok(())
    }

    fn transfer(&self, _: &Requester, zone: &Name, _: Transfer) -> Result<Outgoing, Refusal> {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let zones = self.zones.load();
        let zone = zones.get(zone.as_ref()).and_then(|entry| entry.zone().cloned());
        zone.map(Outgoing::Whole)
            .ok_or_else(|| Refusal::new(Rcode::NOTAUTH, Ede::NOT_AUTHORITATIVE))
    }

    fn transferred(&self, _: &Requester, _: &Name, report: &Transferred) {
        let count = if report.is_whole { &self.whole } else { &self.broken };
        count.fetch_add(1, Ordering::Relaxed);
    }

    fn notify(&self, _: &Requester, _: &Name, _: Option<u32>) -> Result<(), Refusal> {
        Ok(())
    }

    fn may_update(&self, _: &Requester, _: &Name) -> Result<(), Refusal> {
        Ok(())
    }

    fn update(&self, _: &Requester, _: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }
}

/// `example.` with so many names, each with a text of 200 octets.
fn large(serial: u32, names: usize) -> Zone {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    let mut add = |owner: &str, rtype: Rtype, rdata: Vec<u8>| {
        let (owner, rdata) = (owner.parse().unwrap(), rdata.into());
        builder.push(Record { owner, rtype, class: Class::IN, ttl: 300, rdata }.as_ref());
    };
    let mut soa = b"\x02ns\x07example\0\x02ns\x07example\0".to_vec();
    soa.extend(serial.to_be_bytes());
    soa.extend([0, 0, 28, 32, 0, 0, 3, 132, 0, 18, 117, 0, 0, 0, 1, 44]);
    add("example.", Rtype::SOA, soa);
    for index in 0..names {
        let mut text = vec![200];
        text.extend([serial as u8; 200]);
        add(&format!("n{index}.example."), Rtype::TXT, text);
    }
    builder.finish().0.unwrap()
}

/// A server of a zone of so many names.
fn primary(options: Options, names: usize) -> (Server, Arc<Primary>) {
    let set = ZoneSet::new().with(large(1, names));
    let zones = Arc::new(ArcSwap::from_pointee(set));
    let primary = Arc::new(Primary { zones: zones.clone(), ..Primary::default() });
    let operations: Arc<dyn Operations> = primary.clone();
    let options = Options { operations: Some(operations), ..options };
    (server_of(options, zones), primary)
}

/// Reads a transfer to its closing SOA; the records but that one.
fn read_transfer(stream: &mut impl Read) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let message = read_message(stream);
        let response = Response::read(&message).unwrap();
        assert_eq!(response.rcode, Rcode::NOERROR);
        records.extend(response.answer);
        if records.len() > 1 && records.last().unwrap().rtype == Rtype::SOA {
            let closing = records.pop().unwrap();
            assert_eq!(closing, records[0]);
            return records;
        }
    }
}

#[test]
fn what_is_asked_behind_a_transfer_is_answered_after_it() {
    let (server, primary) = primary(Options::default(), 5_000);
    let mut stream = connect(server.v4);
    let frames: Vec<u8> = [
        query(1, "n0.example.", Rtype::TXT),
        query(2, "example.", Rtype::AXFR),
        query(3, "n1.example.", Rtype::TXT),
        query(4, "example.", Rtype::AXFR),
        query(5, "n2.example.", Rtype::TXT),
    ]
    .iter()
    .flat_map(|query| framed(query))
    .collect();
    stream.write_all(&frames).unwrap();
    for id in [1, 3, 5] {
        assert_eq!(read_message(&mut stream)[..2], [0, id]);
        if id < 5 {
            assert_eq!(read_transfer(&mut stream).len(), 5_001);
        }
    }
    // Half closed, it is served to the end.
    stream.write_all(&framed(&query(6, "example.", Rtype::AXFR))).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(read_transfer(&mut stream).len(), 5_001);
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    wait_until("all counted", || primary.whole.load(Ordering::Relaxed) == 3);
}

#[test]
fn a_zone_that_is_replaced_or_removed_while_it_is_sent_goes_out_as_it_was() {
    let (server, primary) = primary(Options::default(), 60_000);
    let mut streams = [connect(server.v4), connect(server.v4)];
    for (stream, next) in streams.iter_mut().zip([Some(large(2, 10)), None]) {
        stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
        // More than all buffers between us hold: it has begun and is not done.
        wait_until("it has begun", || stream.peek(&mut [0]).is_ok_and(|octets| octets == 1));
        let next = next.map_or_else(ZoneSet::new, |zone| ZoneSet::new().with(zone));
        primary.zones.store(Arc::new(next));
        if primary.begun.load(Ordering::Relaxed) == 1 {
            assert_eq!(read_transfer(stream).len(), 60_001);
            primary.zones.store(Arc::new(ZoneSet::new().with(large(1, 60_000))));
        } else {
            let records = read_transfer(stream);
            assert_eq!((records.len(), records[0].serial()), (60_001, Some(1)));
        }
    }
}

#[test]
fn who_reads_slowly_is_waited_for_and_who_reads_nothing_is_not() {
    let streams = StreamLimits {
        stall: Duration::from_millis(200),
        write: Duration::from_millis(800),
        ..StreamLimits::default()
    };
    let (server, primary) = primary(Options { streams, ..Options::default() }, 40_000);
    let mut slow = connect(server.v4);
    slow.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    let mut octets = 0;
    let mut room = vec![0; 256 << 10];
    // Longer than any limit in all, but never still for as long as one of them.
    for _ in 0..12 {
        std::thread::sleep(Duration::from_millis(300));
        octets += slow.read(&mut room).unwrap();
    }
    assert_eq!(primary.broken.load(Ordering::Relaxed), 0, "after {octets} octets");
    let mut idle = connect(server.v4);
    idle.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    wait_until("who reads nothing is cut off", || primary.broken.load(Ordering::Relaxed) == 2);
    assert_eq!(server.count(Transport::Tcp, |t| t.closed[CloseReason::Unread as usize]), 2);
}

#[test]
fn a_client_that_closes_in_the_middle_leaves_its_place_to_others() {
    let (server, primary) = primary(Options::default(), 20_000);
    for round in 0..40 {
        let mut stream = connect(server.v4);
        stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
        if round % 2 == 0 {
            read_message(&mut stream);
        }
        drop(stream);
    }
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    assert_eq!(read_transfer(&mut stream).len(), 20_001);
    wait_until("all are gone", || server.running.connections() == 1);
    assert!(primary.broken.load(Ordering::Relaxed) > 0);
}

#[test]
fn who_may_not_takes_no_place_of_who_may() {
    let (server, primary) = primary(Options::default(), 60_000);
    // As many as one may have, and they do not read.
    let mut readers: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = connect(server.v4);
            stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
            stream
        })
        .collect();
    wait_until("they are under way", || primary.begun.load(Ordering::Relaxed) == 16);
    // One more waits for a place …
    let mut waiting = connect(server.v4);
    waiting.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    wait_until("it waits", || server.count(Transport::Tcp, |t| t.types[252]) == 17);
    // … and who may not is refused meanwhile, as often as it asks, without waiting for one.
    primary.closed.store(true, Ordering::Relaxed);
    for _ in 0..100 {
        let refused =
            ask(server.v4, &query(9, "example.", Rtype::AXFR), Transport::Tcp, SOON).unwrap();
        assert_eq!(rcode(&refused), Rcode::REFUSED);
    }
    assert_eq!(primary.begun.load(Ordering::Relaxed), 16);
    assert_eq!(read_transfer(&mut readers[3]).len(), 60_001);
    assert_eq!(read_transfer(&mut waiting).len(), 60_001);
}

#[test]
fn every_message_is_signed_if_the_request_was() {
    let name: Name = "armada.".parse().unwrap();
    let key = Key::new(&name, Algorithm::HmacSha256, &[7; 32]);
    let keyring: Keyring = [key].into_iter().collect();
    let key = keyring.get(name.as_ref()).unwrap().clone();
    let (server, _) = primary(Options { keyring, ..Options::default() }, 3_000);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut request = query(1, "example.", Rtype::AXFR);
    let mut verifier = sign_query(&key, &mut request, now).into_stream();
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&request)).unwrap();
    let (mut records, mut messages) = (0, 0);
    while records < 3_002 {
        let message = read_message(&mut stream);
        assert!(message.len() <= 16 << 10);
        let bare = verifier.verify(&message, now).unwrap();
        assert!(bare.len() < message.len() && verifier.is_complete(), "signed");
        records += Response::read(&bare).unwrap().answer.len();
        messages += 1;
    }
    assert!(records == 3_002 && messages > 10, "{records} in {messages}");
}

#[test]
fn over_tls_it_is_the_same() {
    let options = Options { tls: Some(encrypted::secured()), ..Options::default() };
    let (server, _) = primary(options, 8_000);
    let address = encrypted::address(&server.running, Transport::Tls);
    let mut stream = encrypted::connect_tls(address, &[b"dot"]);
    for id in 1..3 {
        stream.write_all(&framed(&query(id, "example.", Rtype::AXFR))).unwrap();
        assert_eq!(read_transfer(&mut stream).len(), 8_001);
    }
}

#[test]
fn a_stop_does_not_wait_for_who_does_not_read() {
    let (server, primary) = primary(Options::default(), 60_000);
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    wait_until("it has begun", || stream.peek(&mut [0]).is_ok_and(|octets| octets == 1));
    let asked = Instant::now();
    server.running.stop();
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    assert_eq!(primary.whole.load(Ordering::Relaxed), 0);
    // What comes then is no whole transfer: no closing SOA.
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.is_empty());
}

/// Who decides on a transfer knows which version of TLS it is asked for over.
#[test]
fn the_version_of_tls_is_told_with_the_request() {
    let options = Options { tls: Some(encrypted::secured()), ..Options::default() };
    let (server, primary) = primary(options, 1);
    let address = encrypted::address(&server.running, Transport::Tls);
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let mut stream = encrypted::tls_of(connect(address), &[b"dot"], &[version]);
        stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
        read_transfer(&mut stream);
    }
    let mut stream = connect(server.v4);
    stream.write_all(&framed(&query(1, "example.", Rtype::AXFR))).unwrap();
    read_transfer(&mut stream);
    assert_eq!(*lock(&primary.tls13), [Some(true), Some(false), None]);
}
