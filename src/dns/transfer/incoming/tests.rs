use super::*;
use crate::wire::{HEADER_OCTETS, RecordFault, rdata};

/// The identifier of the query.
const ID: u16 = 7;

/// A record of text.
fn record(text: &str) -> Record {
    let mut words = text.splitn(4, ' ');
    let mut next = || words.next().unwrap();
    let (owner, ttl) = (next().parse().unwrap(), next().parse().unwrap());
    let rtype: Rtype = next().parse().unwrap();
    let rdata = rdata::parse(rtype, next().as_bytes(), crate::wire::NameRef::ROOT).unwrap();
    Record { owner, rtype, class: Class::IN, ttl, rdata: rdata.into() }
}

/// The SOA record with a serial.
fn soa(serial: u32) -> Record {
    record(&format!("a.test. 300 SOA ns.a.test. h.a.test. {serial} 3600 600 86400 300"))
}

/// A message with these records in its answer section, names not compressed.
fn message(wanted: Wanted, records: &[Record]) -> Vec<u8> {
    let mut out = vec![0, ID as u8, 0x84, 0, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
    assert_eq!(out.len(), HEADER_OCTETS);
    out.extend(b"\x01a\x04test\x00");
    out.extend(wanted.rtype().0.to_be_bytes());
    out.extend([0, 1]);
    for record in records {
        out.extend(record.owner.as_ref().wire());
        out.extend(record.rtype.0.to_be_bytes());
        out.extend(record.class.0.to_be_bytes());
        out.extend(record.ttl.to_be_bytes());
        out.extend((record.rdata.len() as u16).to_be_bytes());
        out.extend(&record.rdata);
    }
    out
}

/// A transfer of messages with these records, until it is whole or at fault.
fn transfer(wanted: Wanted, messages: &[&[Record]]) -> Result<Received, TransferFault> {
    let mut incoming = Incoming::new(&"a.test.".parse().unwrap(), ID, wanted);
    for (index, records) in messages.iter().enumerate() {
        let is_whole = incoming.take(&message(wanted, records))?;
        assert!(!is_whole || index + 1 == messages.len(), "whole before its end");
    }
    incoming.finish()
}

/// The records of a whole zone that came.
fn whole(received: Result<Received, TransferFault>) -> Vec<String> {
    let Ok(Received::Whole { zone, faults }) = received else { panic!("{received:?}") };
    assert_eq!(faults, []);
    zone.records().map(|record| format!("{} {}", record.owner, record.rtype)).collect()
}

/// A zone in three records.
fn zone() -> Vec<Record> {
    vec![soa(5), record("a.test. 300 NS ns.a.test."), record("ns.a.test. 300 A 192.0.2.1"), soa(5)]
}

#[test]
fn a_whole_zone_comes_in_any_number_of_messages() {
    let all = zone();
    let expected = ["a.test. SOA", "a.test. NS", "ns.a.test. A"];
    for wanted in [Wanted::Whole, Wanted::Since(3)] {
        assert_eq!(whole(transfer(wanted, &[&all])), expected);
        let one_by_one: Vec<&[Record]> = all.chunks(1).collect();
        assert_eq!(whole(transfer(wanted, &one_by_one)), expected, "{wanted:?}");
    }
}

#[test]
fn a_transfer_that_is_cut_anywhere_is_none() {
    let all = zone();
    for records in 1..all.len() {
        let cut = transfer(Wanted::Whole, &[&all[..records]]);
        assert_eq!(cut.unwrap_err(), TransferFault::Cut, "{records} records");
    }
}

#[test]
fn changes_form_a_chain_from_the_serial_that_was_named() {
    let (one, two) = (record("x.a.test. 60 A 192.0.2.1"), record("x.a.test. 60 A 192.0.2.2"));
    let chain =
        [soa(5), soa(3), soa(4), one.clone(), soa(4), one.clone(), soa(5), two.clone(), soa(5)];
    let Ok(Received::Changes(deltas)) = transfer(Wanted::Since(3), &[&chain[..4], &chain[4..]])
    else {
        panic!("no changes")
    };
    assert_eq!(deltas[0], Delta { removed: vec![soa(3)], added: vec![soa(4), one.clone()] });
    assert_eq!(deltas[1], Delta { removed: vec![soa(4), one], added: vec![soa(5), two] });
    // From another serial, with a gap, and in a circle.
    for wrong in [
        vec![soa(5), soa(2), soa(5), soa(5)],
        vec![soa(5), soa(3), soa(4), soa(2), soa(5), soa(5)],
        vec![soa(5), soa(3), soa(3)],
        // Back, and beyond the newest: nothing would ever end it.
        vec![soa(5), soa(3), soa(2)],
        vec![soa(5), soa(3), soa(6)],
    ] {
        assert_eq!(transfer(Wanted::Since(3), &[&wrong]).unwrap_err(), TransferFault::Chain);
    }
    assert_eq!(transfer(Wanted::Since(3), &[&chain[..8]]).unwrap_err(), TransferFault::Cut);
}

#[test]
fn one_soa_record_that_is_no_newer_says_that_nothing_is() {
    for (theirs, ours) in [(5, 5), (4, 5), (u32::MAX, 3)] {
        let received = transfer(Wanted::Since(ours), &[&[soa(theirs)]]);
        assert!(matches!(received, Ok(Received::Current { serial }) if serial == theirs));
    }
    // A newer one is the beginning of something, of which the rest did not come.
    let alone = transfer(Wanted::Since(4), &[&[soa(5)]]);
    assert_eq!(alone.unwrap_err(), TransferFault::Cut);
}

/// Bug class: an SOA record in the middle ends nothing.
#[test]
fn soa_in_the_middle() {
    let mut all = zone();
    all.insert(2, soa(6));
    for wanted in [Wanted::Whole, Wanted::Since(3)] {
        assert_eq!(transfer(wanted, &[&all]).unwrap_err(), TransferFault::SoaInTheMiddle);
    }
    let mut all = zone();
    all.insert(2, record("b.a.test. 300 SOA ns.a.test. h.a.test. 5 3600 600 86400 300"));
    let fault = transfer(Wanted::Whole, &[&all]).unwrap_err();
    assert!(matches!(fault, TransferFault::SoaBelowApex(..)), "{fault}");
    let mut all = zone();
    all.push(record("x.a.test. 60 A 192.0.2.1"));
    assert_eq!(transfer(Wanted::Whole, &[&all]).unwrap_err(), TransferFault::BehindTheEnd);
}

/// Bug class: an SOA record with short RDATA is no record.
#[test]
fn soa_with_short_rdata() {
    for octets in [0, 1, 12, 30] {
        let mut short = soa(5);
        short.rdata = short.rdata[..octets].into();
        let fault = transfer(Wanted::Whole, &[&[short]]).unwrap_err();
        assert!(
            matches!(
                fault,
                TransferFault::Message(ResponseError::Record { fault: RecordFault::Rdata(_), .. })
            ),
            "{octets}: {fault}"
        );
    }
}

/// Bug class: records of another class are no data of a zone.
#[test]
fn non_in_records() {
    for class in [Class::CH, Class::ANY, Class(254), Class(0)] {
        let mut all = zone();
        all[2].class = class;
        let fault = transfer(Wanted::Whole, &[&all]).unwrap_err();
        assert!(matches!(fault, TransferFault::NoZoneData(..)), "{fault}");
    }
    let mut all = zone();
    all[2].rtype = Rtype::ANY;
    let fault = transfer(Wanted::Whole, &[&all]).unwrap_err();
    assert!(matches!(fault, TransferFault::NoZoneData(..)), "{fault}");
}

/// Bug class: records outside the zone are kept by nobody.
#[test]
fn out_of_zone_records() {
    for owner in ["ns.b.test.", "test.", "xa.test.", "."] {
        let mut all = zone();
        all[2].owner = owner.parse().unwrap();
        let fault = transfer(Wanted::Whole, &[&all]).unwrap_err();
        assert!(matches!(fault, TransferFault::OutOfZone(..)), "{fault}");
        let wrong = [soa(5), soa(3), all[2].clone(), soa(5), soa(5)];
        let fault = transfer(Wanted::Since(3), &[&wrong]).unwrap_err();
        assert!(matches!(fault, TransferFault::OutOfZone(..)), "{fault}");
    }
}

#[test]
fn a_message_of_another_query_is_refused() {
    let good = message(Wanted::Whole, &zone());
    let apex: Name = "a.test.".parse().unwrap();
    let take = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        edit(&mut bytes);
        Incoming::new(&apex, ID, Wanted::Whole).take(&bytes)
    };
    assert_eq!(take(&|_| {}), Ok(true));
    assert_eq!(take(&|bytes| bytes[1] = 8), Err(TransferFault::OtherQuery));
    assert_eq!(take(&|bytes| bytes[2] = 0xa4), Err(TransferFault::OtherQuery), "opcode");
    assert_eq!(take(&|bytes| bytes[2] |= 2), Err(TransferFault::Truncated));
    assert_eq!(take(&|bytes| bytes[3] = 5), Err(TransferFault::Rcode(Rcode::REFUSED)));
    assert_eq!(take(&|bytes| bytes[20] = 251), Err(TransferFault::OtherQuery), "type");
    assert_eq!(take(&|bytes| bytes[2] &= 0x7f), Err(ResponseError::Query.into()));
    let empty = message(Wanted::Whole, &[]);
    let fault = Incoming::new(&apex, ID, Wanted::Whole).take(&empty);
    assert_eq!(fault, Err(TransferFault::Empty));
}

#[test]
fn a_ttl_with_its_highest_bit_set_is_zero() {
    let mut all = zone();
    all[2].ttl = 1 << 31;
    let Ok(Received::Whole { zone, .. }) = transfer(Wanted::Whole, &[&all]) else { panic!() };
    let owner: Name = "ns.a.test.".parse().unwrap();
    assert_eq!(zone.rrset(owner.as_ref(), Rtype::A).unwrap().ttl(), 0);
}

/// Bug class: an NSEC3 owner of 255 octets, and names that are longer than any.
#[test]
fn nsec3_owner_at_255_octets() {
    // An apex of 222 octets and a hash of 32 signs make 255.
    let label = "x".repeat(63);
    let apex: Name = format!("{label}.{label}.{label}.{}.", "y".repeat(28)).parse().unwrap();
    assert_eq!(apex.as_ref().wire().len(), 222);
    let text = format!("{apex} 300 SOA ns.{apex} h.{apex} 5 3600 600 86400 300");
    let hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
    let nsec3 = record(&format!("{hash}.{apex} 300 NSEC3 1 0 0 - {hash} A"));
    assert_eq!(nsec3.owner.as_ref().wire().len(), 255);
    let soa = record(&text);
    let ask = |records: &[Record]| {
        let mut bytes = message(Wanted::Whole, records);
        let question = bytes.split_off(HEADER_OCTETS);
        bytes.extend(apex.as_ref().wire());
        bytes.extend(&question[8..]);
        let mut incoming = Incoming::new(&apex, ID, Wanted::Whole);
        incoming.take(&bytes).and_then(|_| incoming.finish())
    };
    let Ok(Received::Whole { zone, faults }) = ask(&[soa.clone(), nsec3.clone(), soa]) else {
        panic!("not taken")
    };
    assert!(zone.rrset(nsec3.owner.as_ref(), Rtype::NSEC3).is_some() && faults.is_empty());
    // A name of 256 octets cannot be made of ours; its octets can.
    let mut bytes = message(Wanted::Whole, &[]);
    bytes[7] = 1;
    let mut owner: Vec<u8> = [&[63; 1][..], &[b'z'; 63]].concat().repeat(4);
    owner.push(0);
    bytes.extend(owner);
    bytes.extend([0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]);
    let fault = Incoming::new(&"a.test.".parse().unwrap(), ID, Wanted::Whole).take(&bytes);
    assert!(matches!(fault, Err(TransferFault::Message(_))), "{fault:?}");
}
