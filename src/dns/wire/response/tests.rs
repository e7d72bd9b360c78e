use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::{Message, OpCode, Query as Asked, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SOA, SRV, TXT};
use hickory_proto::rr::{Name as HickoryName, RData, Record as HickoryRecord, RecordType};
use proptest::prelude::*;

use super::*;
use crate::wire::testing::of_hickory;
use crate::wire::{NameError, rdata};

/// A response to `a.test. MX` with one answer, whose owner and exchange are compressed.
fn mx() -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x84, 0x00, 0, 1, 0, 1, 0, 0, 0, 0];
    bytes.extend(b"\x01a\x04test\x00\x00\x0f\x00\x01");
    bytes.extend(b"\xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x09\x00\x0a\x04mail\xc0\x0e");
    bytes
}

#[test]
fn names_are_decompressed_in_owner_and_rdata() {
    let message = mx();
    let response = Response::read(&message).unwrap();
    assert!(response.is_authoritative() && !response.is_truncated());
    assert_eq!(response.question.unwrap().0.to_string(), "a.test.");
    let record = &response.answer[0];
    assert_eq!((record.owner.to_string(), record.ttl), ("a.test.".to_owned(), 3600));
    assert_eq!(rdata::to_text(Rtype::MX, &record.rdata), "10 mail.test.");
}

#[test]
fn every_cut_is_a_fault() {
    let message = mx();
    for octets in 0..message.len() {
        assert!(Response::read(&message[..octets]).is_err(), "{octets} octets");
    }
    let longer = [&message[..], &[0]].concat();
    assert_eq!(Response::read(&longer).unwrap_err(), ResponseError::Trailing);
}

#[test]
fn a_query_is_no_response() {
    let mut message = mx();
    message[2] &= 0x7f;
    assert_eq!(Response::read(&message).unwrap_err(), ResponseError::Query);
}

#[test]
fn pointers_must_lead_back() {
    // The owner of the answer points to itself, forward, and into the header.
    for target in [24_u8, 30, 3] {
        let mut message = mx();
        message[25] = target;
        let fault = RecordFault::Owner(NameError::BadPointer);
        let expected = ResponseError::Record { section: "answer", index: 0, fault };
        assert_eq!(Response::read(&message).unwrap_err(), expected, "to {target}");
    }
}

#[test]
fn a_pointer_in_a_type_that_may_not_be_compressed_is_a_fault() {
    let mut message = mx();
    // The type of the answer: SVCB has the same shape as MX, but its name is never compressed.
    message[26..28].copy_from_slice(&Rtype::SVCB.0.to_be_bytes());
    assert!(Response::read(&message).is_err());
}

#[test]
fn the_response_code_has_its_high_bits_from_the_opt_record() {
    let mut message = mx();
    message[11] = 1;
    message[3] |= 7;
    message.extend(b"\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x00");
    let response = Response::read(&message).unwrap();
    assert_eq!((response.rcode, response.additional.len()), (Rcode::BADCOOKIE, 0));
    assert_eq!(response.edns.unwrap().udp_size, 1232);
    // Two OPT records are a fault.
    message[11] = 2;
    message.extend(b"\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x00");
    assert!(Response::read(&message).is_err());
}

#[test]
fn the_serial_is_read_from_compressed_soa() {
    let mut bytes = vec![0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    bytes.extend(b"\x04test\x00\x00\x06\x00\x01");
    bytes.extend(b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x0e\x10\x00\x1d\x02ns\xc0\x0c\x01h\xc0\x0c");
    for number in [7_u32, 1, 2, 3, 4] {
        bytes.extend(number.to_be_bytes());
    }
    assert_eq!(Response::read(&bytes).unwrap().serial(), Some(7));
}

//------------ Against another decoder ----------------------------------------

/// A name below `test.`; few labels, so that compression finds much to do.
fn a_name() -> impl Strategy<Value = HickoryName> {
    let label = prop_oneof![Just("a"), Just("Mail"), Just("ns1"), Just("x--y"), Just("_sip")];
    proptest::collection::vec(label, 0..4).prop_map(|labels| {
        let text = labels.iter().map(|label| format!("{label}.")).collect::<String>() + "test.";
        HickoryName::from_ascii(text).unwrap()
    })
}

/// RDATA of a common type.
fn some_rdata() -> impl Strategy<Value = RData> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|it| RData::A(A(Ipv4Addr::from(it)))),
        any::<[u8; 16]>().prop_map(|it| RData::AAAA(AAAA(Ipv6Addr::from(it)))),
        a_name().prop_map(|it| RData::NS(NS(it))),
        a_name().prop_map(|it| RData::CNAME(CNAME(it))),
        a_name().prop_map(|it| RData::PTR(PTR(it))),
        (any::<u16>(), a_name()).prop_map(|(it, name)| RData::MX(MX::new(it, name))),
        (any::<u16>(), a_name()).prop_map(|(it, name)| RData::SRV(SRV::new(it, 1, it, name))),
        "[ -~]{0,300}".prop_map(|text| {
            RData::TXT(TXT::from_bytes(
                text.as_bytes().chunks(255).chain(text.is_empty().then_some(&b""[..])).collect(),
            ))
        }),
        (a_name(), a_name(), any::<u32>())
            .prop_map(|(mname, rname, n)| { RData::SOA(SOA::new(mname, rname, n, 1, 2, 3, 4)) }),
    ]
}

/// A record.
fn a_record() -> impl Strategy<Value = HickoryRecord> {
    (a_name(), 0..1_000_000_u32, some_rdata())
        .prop_map(|(owner, ttl, data)| HickoryRecord::from_rdata(owner, ttl, data))
}

/// A response as hickory-proto writes it.
fn message(sections: &[Vec<HickoryRecord>; 3]) -> Vec<u8> {
    let mut message = Message::response(7, OpCode::Query);
    message.metadata.response_code = ResponseCode::NXDomain;
    message.add_query(Asked::query(HickoryName::from_ascii("a.test.").unwrap(), RecordType::A));
    message.add_answers(sections[0].iter().cloned());
    message.add_authorities(sections[1].iter().cloned());
    message.add_additionals(sections[2].iter().cloned());
    message.to_vec().unwrap()
}

/// Owner, type, TTL and canonical RDATA, as we have them.
fn ours(record: &Record) -> (Name, Rtype, u32, Vec<u8>) {
    let bytes = rdata::canonical(record.rtype, &record.rdata).into_owned();
    (record.owner.clone(), record.rtype, record.ttl, bytes)
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        drop(Response::read(&bytes));
    }

    #[test]
    fn damaged_responses_are_read_or_refused(
        at in 0_usize..45, octet in any::<u8>(), other in 0_usize..45, second in any::<u8>(),
    ) {
        let mut bytes = mx();
        let last = bytes.len() - 1;
        (bytes[at.min(last)], bytes[other.min(last)]) = (octet, second);
        drop(Response::read(&bytes));
    }

    #[test]
    fn what_hickory_writes_we_read_as_hickory_does(
        answers in proptest::collection::vec(a_record(), 0..6),
        authorities in proptest::collection::vec(a_record(), 0..4),
        additionals in proptest::collection::vec(a_record(), 0..4),
    ) {
        let bytes = message(&[answers, authorities, additionals]);
        let them = Message::from_vec(&bytes).unwrap();
        let us = Response::read(&bytes).unwrap();
        prop_assert_eq!(us.rcode, Rcode::NXDOMAIN);
        for (ours_all, theirs_all) in [
            (&us.answer, &them.answers),
            (&us.authority, &them.authorities),
            (&us.additional, &them.additionals),
        ] {
            let us: Vec<_> = ours_all.iter().map(ours).collect();
            let them: Vec<_> = theirs_all.iter().map(of_hickory).collect();
            prop_assert_eq!(us, them);
        }
    }
}
