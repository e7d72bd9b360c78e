//! Messages of transfers, read back by the reader of responses.

use std::path::Path;

use super::*;
use crate::master;
use crate::wire::{Class, HEADER_OCTETS, Name, Record, RecordRef, Response, Rtype};
use crate::zone::ZoneBuilder;

/// Room for any message.
const ROOM: usize = 65_535;

/// A name from text.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A record of class IN.
fn record(owner: &str, rtype: Rtype, rdata: &[u8]) -> Record {
    Record { owner: name(owner), rtype, class: Class::IN, ttl: 300, rdata: rdata.into() }
}

/// The SOA record of an apex.
fn soa_of(apex: &str, serial: u32) -> Record {
    let mut rdata = [b"\x02NS", name(apex).wire(), b"\x04mail\x05other\0"].concat();
    for number in [serial, 7200, 900, 1_209_600, 60] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    record(apex, Rtype::SOA, &rdata)
}

/// A zone of these records and a SOA.
fn zone(apex: &str, serial: u32, records: &[Record]) -> Zone {
    let mut builder = ZoneBuilder::new(&name(apex));
    builder.push(soa_of(apex, serial).as_ref());
    records.iter().for_each(|record| builder.push(record.as_ref()));
    let (zone, faults) = builder.finish();
    assert!(faults.is_empty(), "{faults:?}");
    zone.unwrap()
}

/// The zone of a master file of the tests.
fn zone_of_file(path: &Path) -> Zone {
    let (apex, bytes) = (name("example."), std::fs::read(path).unwrap());
    let options = master::Options::default();
    let input = master::Input { file: path, bytes: &bytes, loader: &master::NoIncludes };
    let mut builder = ZoneBuilder::new(&apex);
    master::parse(&input, apex.as_ref(), &options, &mut |record, _| builder.push(record));
    builder.finish().0.unwrap()
}

/// The envelope of a response for this apex as it is asked for, with or without EDNS.
fn envelope(qname: &str, edns: bool) -> Envelope {
    let mut message = vec![0x12, 0x34, 0x84, 0, 0, 1, 0, 0, 0, 0, 0, u8::from(edns)];
    message.extend_from_slice(name(qname).wire());
    message.extend_from_slice(&[0, 252, 0, 1]);
    if edns {
        // 1232 octets, DO, an NSID option.
        message.extend_from_slice(b"\0\0\x29\x04\xd0\0\0\x80\0\0\x06\0\x03\0\x02us");
    }
    Envelope::of(&message).unwrap()
}

/// All messages of a transfer, with `reserve` octets left free in each.
fn messages(qname: &str, what: Outgoing, edns: bool, reserve: usize) -> Vec<Vec<u8>> {
    let mut sending = Sending::new(envelope(qname, edns), what);
    let (mut out, mut messages) = (vec![0; ROOM], Vec::new());
    while let Some(octets) = sending.next(&mut out, reserve).unwrap() {
        assert!(octets + reserve <= ROOM);
        messages.push(out[..octets].to_vec());
    }
    assert!(sending.is_done() && sending.messages() as usize == messages.len());
    messages
}

/// The records of messages, in order.
fn records(messages: &[Vec<u8>]) -> Vec<Record> {
    let answers = messages.iter().map(|message| Response::read(message).unwrap().answer);
    answers.flatten().collect()
}

/// Records as sorted text, in which letter case counts.
fn sorted(records: impl IntoIterator<Item = Record>) -> Vec<String> {
    let line = |r: Record| format!("{} {} {} {} {:?}", r.owner, r.ttl, r.class, r.rtype, r.rdata);
    let mut lines: Vec<String> = records.into_iter().map(line).collect();
    lines.sort();
    lines
}

/// Checks that a transfer of the zone brings the zone; returns its messages.
#[track_caller]
fn brings_all(zone: &Zone, qname: &str, reserve: usize) -> Vec<Vec<u8>> {
    let messages = messages(qname, Outgoing::Whole(zone.clone()), false, reserve);
    let mut got = records(&messages);
    let closing = got.pop().unwrap();
    assert_eq!((got[0].rtype, &closing), (Rtype::SOA, &got[0]));
    assert_eq!(got.len(), zone.record_count());
    assert_eq!(sorted(got), sorted(zone.records().map(RecordRef::to_record)));
    messages
}

#[test]
fn every_zone_of_the_tests_comes_whole() {
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/zones/good");
    let mut zones = 0;
    for file in std::fs::read_dir(good).unwrap() {
        brings_all(&zone_of_file(&file.unwrap().path()), "example.", 0);
        zones += 1;
    }
    assert!(zones > 10);
}

#[test]
fn a_message_may_end_at_any_record() {
    let good =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/zones/good/signed-nsec3.zone");
    let zone = zone_of_file(&good);
    // What is reserved leaves between one record and a few for each message.
    for reserve in (14_000..16_000).step_by(37) {
        assert!(brings_all(&zone, "example.", reserve).len() > 2);
    }
}

#[test]
fn many_records_a_message_and_the_envelope_of_each() {
    let many: Vec<Record> = (0..5_000)
        .map(|n| record(&format!("Host{n}.dept.example."), Rtype::A, &[192, 0, 2, n as u8]))
        .collect();
    let zone = zone("example.", 7, &many);
    for edns in [false, true] {
        let messages = messages("example.", Outgoing::Whole(zone.clone()), edns, 0);
        assert!((6..=8).contains(&messages.len()), "{}", messages.len());
        for (index, message) in messages.iter().enumerate() {
            assert!(message.len() <= 16 << 10);
            let read = Response::read(message).unwrap();
            assert!(read.is_authoritative() && read.header.id == 0x1234);
            // RFC 5936 §2.2: the question must be in the first message.
            assert_eq!(read.question.is_some(), index == 0);
            let first = index == 0;
            assert_eq!(read.edns.map(|it| (it.dnssec_ok, it.nsid)), edns.then_some((true, first)));
            assert!(read.authority.is_empty() && read.additional.is_empty());
        }
        // A name costs its first label and a pointer, nearly always.
        let octets: usize = messages.iter().map(Vec::len).sum();
        assert!(octets < 5_000 * 26, "{octets}");
    }
}

#[test]
fn letter_case_is_kept() {
    let records = [
        record("example.", Rtype::NS, name("nS1.ExamplE.").wire()),
        record("WWW.example.", Rtype::CNAME, name("www.EXAMPLE.").wire()),
        record("mail.example.", Rtype::MX, &[b"\0\x0a", name("Mail.example.").wire()].concat()),
        record("Mail.example.", Rtype::A, &[192, 0, 2, 1]),
    ];
    // Also where the question has another case (RFC 5936 §3.4).
    for qname in ["example.", "EXAMPLE."] {
        brings_all(&zone("example.", 1, &records), qname, 0);
    }
}

#[test]
fn only_names_of_the_old_types_are_compressed() {
    let host = name("a.very.long.host.name.example.");
    let srv = [b"\0\0\0\0\0\x35", host.wire()].concat();
    let records = [
        record("a.very.long.host.name.example.", Rtype::SRV, &srv),
        record("a.very.long.host.name.example.", Rtype::PTR, host.wire()),
    ];
    let zone = zone("example.", 1, &records);
    let message = &brings_all(&zone, "example.", 0)[0];
    let spelled = message.windows(host.wire().len()).filter(|it| *it == host.wire()).count();
    let labels = &host.wire()[..host.wire().len() - 9];
    let own = message.windows(labels.len()).filter(|it| *it == labels).count();
    // The owner points to the question's name; SRV spells all.
    assert_eq!((spelled, own), (1, 2));
}

#[test]
fn a_record_larger_than_a_message_gets_one_of_its_own() {
    let large = |octets| record("large.example.", Rtype(65_400), &vec![7; octets]);
    let small = |owner| record(owner, Rtype::A, &[192, 0, 2, 1]);
    for octets in [16_300, 16_384, 20_000, 64_900] {
        let around = [small("a.example."), large(octets), small("z.example.")];
        let messages = brings_all(&zone("example.", 1, &around), "example.", 400);
        let lengths: Vec<usize> = messages.iter().map(Vec::len).collect();
        let over = lengths.iter().filter(|length| **length > (16 << 10) - 400).count();
        assert!(over == 1 && lengths.len() == 3, "{lengths:?}");
    }
    let opening =
        Sending::new(envelope("example.", false), Outgoing::Whole(zone("example.", 1, &[])))
            .next(&mut [0; 40], 0);
    assert_eq!(opening, Err(TooLarge));
}

#[test]
fn an_rrset_of_64_kib_comes_over_several_messages() {
    let texts: Vec<Record> = (0..250u8)
        .map(|n| {
            let mut rdata = vec![240];
            rdata.extend([n; 240]);
            record("many.example.", Rtype::TXT, &rdata)
        })
        .collect();
    assert!(brings_all(&zone("example.", 1, &texts), "example.", 0).len() >= 4);
}

#[test]
fn names_behind_what_a_pointer_reaches_are_spelled() {
    // The large record pushes what follows in its message past 0x3fff: nothing may follow it.
    let hinfo = |n: u32| record(&format!("h{n}.example."), Rtype(65_400), &vec![1; 300]);
    let mut records: Vec<Record> = (0..200).map(hinfo).collect();
    records.push(record("h150x.example.", Rtype(65_400), &vec![2; 40_000]));
    records.push(record("h150x.example.", Rtype::NS, name("ns.h150x.example.").wire()));
    brings_all(&zone("example.", 1, &records), "example.", 0);
}

#[test]
fn an_nsec3_owner_of_255_octets_comes_whole() {
    let label = "l".repeat(63);
    // 222 octets: with a hash in front of it, 255.
    let apex = format!("{label}.{label}.{label}.{}.", "m".repeat(28));
    assert_eq!(name(&apex).wire().len(), 222);
    let hashed = format!("{}.{apex}", "0".repeat(32));
    let rdata = b"\x01\0\0\0\0\x14aaaaaaaaaaaaaaaaaaaa\0\x01\x40";
    let records = [
        record(&hashed, Rtype::NSEC3, rdata),
        record(&apex, Rtype(51), &[1, 0, 0, 0, 0]),
        record(&format!("{}.{apex}", "n".repeat(32)), Rtype::A, &[192, 0, 2, 1]),
    ];
    brings_all(&zone(&apex, 1, &records), &apex, 400);
}

#[test]
fn the_root_is_transferred_too() {
    let records = [record(".", Rtype::NS, b"\0"), record("id.", Rtype::NS, name("a.id.").wire())];
    brings_all(&zone(".", 1, &records), ".", 0);
}

//------------ IXFR ----------------------------------------------------------

/// A change between two serials that takes one address and puts others.
fn delta(from: u32, to: u32, added: &[Record]) -> Delta {
    let mut all = added.to_vec();
    // In the order of a zone, in which the SOA is not first.
    all.insert(all.len() / 2, soa_of("example.", to));
    let removed =
        vec![record("old.example.", Rtype::A, &[from as u8; 4]), soa_of("example.", from)];
    Delta { removed, added: all }
}

#[test]
fn changes_come_in_their_frame_of_soa_records() {
    let added: Vec<Record> =
        (0..2_000).map(|n| record(&format!("n{n}.example."), Rtype::A, &[10, 0, 0, 1])).collect();
    let deltas = vec![delta(1, 2, &added[..3]), delta(2, 3, &[]), delta(3, 9, &added)];
    let zone = zone("example.", 9, &added);
    let messages = messages("example.", Outgoing::since(zone, deltas), true, 100);
    assert!(messages.len() > 1);
    let records = records(&messages);
    let soas: Vec<(usize, u32)> = records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.rtype == Rtype::SOA)
        .map(|(at, record)| (at, record.serial().unwrap()))
        .collect();
    let expected = [(0, 9), (1, 1), (3, 2), (7, 2), (9, 3), (10, 3), (12, 9), (2013, 9)];
    assert_eq!(soas, expected, "RFC 1995 §4");
    assert_eq!(records.len(), 2014);
    assert_eq!(sorted(records[13..2013].to_vec()), sorted(added));
}

#[test]
fn who_has_what_there_is_gets_one_soa() {
    let zone = zone("example.", 5, &[record("a.example.", Rtype::A, &[1; 4])]);
    let current = Outgoing::since(zone, Vec::new());
    assert_eq!((current.kind(), current.zone().serial()), ("current", 5));
    let messages = messages("example.", current, false, 0);
    assert_eq!(records(&messages), [soa_of("example.", 5)]);
}

#[test]
fn over_udp_the_changes_come_if_they_fit_and_else_the_soa() {
    let zone = zone("example.", 2, &[record("a.example.", Rtype::A, &[1; 4])]);
    let deltas = vec![delta(1, 2, &[record("a.example.", Rtype::A, &[1; 4])])];
    let small = Outgoing::since(zone.clone(), deltas);
    let whole = Outgoing::Whole(zone.clone());
    let mut out = [0; 1_232];
    for (what, limit, expected) in [
        (small.clone(), 512, 6),
        (small, 200, 1),
        (whole, 1_232, 1),
        (Outgoing::since(zone, vec![]), 512, 1),
    ] {
        let kind = what.kind();
        let octets = Sending::datagram(envelope("example.", true), what, &mut out, limit).unwrap();
        let read = Response::read(&out[..octets]).unwrap();
        assert!(octets <= limit && octets > HEADER_OCTETS);
        assert_eq!((read.answer.len(), read.edns.is_some()), (expected, true), "{kind}");
    }
}
