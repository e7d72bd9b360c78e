//! What is malformed, and which response code says so (RFC 2136 §3.1, §3.2.4, §3.4.1).

use super::*;

/// The response code that turns a message back.
#[track_caller]
fn refused(message: &Message, rcode: Rcode) {
    assert_eq!(message.read().map_err(|fault| fault.rcode()), Err(rcode));
}

#[test]
fn the_zone_section_is_one_soa_question() {
    assert!(Message::new().read().is_ok(), "an empty update is an update");
    let with_zone = |wire: &[u8], tail: [u8; 4], count| {
        let zone = [wire, &tail].concat();
        Message { zone, counts: [count, 0, 0, 0], ..Message::default() }
    };
    let apex = name("@");
    refused(&with_zone(apex.wire(), [0, 1, 0, 1], 1), Rcode::FORMERR);
    refused(&with_zone(&[], [0, 6, 0, 1], 0), Rcode::FORMERR);
    let mut twice = with_zone(apex.wire(), [0, 6, 0, 1], 2);
    twice.zone = twice.zone.repeat(2);
    refused(&twice, Rcode::FORMERR);
}

#[test]
fn class_of_the_zone_is_in_or_it_is_not_ours() {
    // CVE-2026-5946: classes other than IN reached code that knew IN only.
    for class in [3u16, 4, 254, 255, 0, 65535] {
        let mut message = Message::new();
        message.zone.truncate(name("@").wire().len());
        message.zone.extend_from_slice(&[0, 6]);
        message.zone.extend_from_slice(&class.to_be_bytes());
        refused(&message, Rcode::NOTAUTH);
    }
}

#[test]
fn classes_of_records_say_what_they_mean_or_nothing() {
    for class in [Class::CH, Class::HS, Class(0), Class(65535)] {
        let txt = data(Rtype::TXT, "x");
        let odd = record("www", (class, Rtype::TXT), 0, &txt);
        refused(&Message::new().with(0, &odd), Rcode::FORMERR);
        refused(&Message::new().with(1, &odd), Rcode::FORMERR);
    }
}

#[test]
fn prerequisites_have_no_ttl_and_only_exact_ones_have_data() {
    let a = data(Rtype::A, "192.0.2.1");
    for (class, rtype, ttl, data) in [
        (Class::IN, Rtype::A, 1, &a[..]),
        (Class::ANY, Rtype::A, 1, &[]),
        (Class::NONE, Rtype::A, 1, &[]),
        (Class::ANY, Rtype::A, 0, &a),
        (Class::NONE, Rtype::A, 0, &a),
        (Class::ANY, Rtype::ANY, 0, &a),
        (Class::IN, Rtype::A, 0, &[]),
        (Class::IN, Rtype::A, 0, &a[..3]),
        (Class::IN, Rtype::ANY, 0, &a),
        (Class::ANY, Rtype::OPT, 0, &[]),
        (Class::NONE, Rtype::TSIG, 0, &[]),
    ] {
        let wrong = record("www", (class, rtype), ttl, data);
        refused(&Message::new().with(0, &wrong), Rcode::FORMERR);
    }
}

#[test]
fn updates_have_the_form_of_their_class() {
    let a = data(Rtype::A, "192.0.2.1");
    for (class, rtype, ttl, data) in [
        (Class::IN, Rtype::ANY, 0, &a[..]),
        (Class::IN, Rtype::AXFR, 0, &a),
        (Class::IN, Rtype::MAILA, 0, &a),
        (Class::IN, Rtype::MAILB, 0, &a),
        (Class::IN, Rtype::IXFR, 0, &a),
        (Class::IN, Rtype::OPT, 0, &[]),
        (Class::IN, Rtype(0), 0, &a),
        (Class::IN, Rtype::A, 0, &[]),
        (Class::IN, Rtype::A, 0, &[1, 2, 3, 4, 5]),
        (Class::ANY, Rtype::A, 1, &[]),
        (Class::ANY, Rtype::A, 0, &a),
        (Class::ANY, Rtype::AXFR, 0, &[]),
        (Class::ANY, Rtype::MAILB, 0, &[]),
        (Class::NONE, Rtype::A, 1, &a),
        (Class::NONE, Rtype::ANY, 0, &[]),
        (Class::NONE, Rtype::MAILA, 0, &a),
        (Class::NONE, Rtype::A, 0, &[]),
    ] {
        let wrong = record("www", (class, rtype), ttl, data);
        refused(&Message::new().with(1, &wrong), Rcode::FORMERR);
    }
}

#[test]
fn names_outside_are_notzone_in_either_section() {
    for outside in ["www.other.", "xexample.", "."] {
        let absent = record(outside, (Class::NONE, Rtype::ANY), 0, &[]);
        refused(&Message::new().with(0, &absent), Rcode::NOTZONE);
        let gone = record(outside, (Class::ANY, Rtype::ANY), 0, &[]);
        refused(&Message::new().with(1, &gone), Rcode::NOTZONE);
        // What is malformed is malformed wherever it is.
        refused(&Message::new().with(0, &absent).with(1, &[0]), Rcode::FORMERR);
    }
    assert!(Message::new().clear("WWW.Example.", Rtype::A).read().is_ok());
}

#[test]
fn names_and_data_are_decompressed_and_pointers_lead_back() {
    // The owner `www` with a pointer to the zone's name at octet 12; a CNAME to it with another.
    let mut cname = b"\x03www\xc0\x0c\x00\x05\x00\x01\x00\x00\x01\x2c\x00\x06".to_vec();
    cname.extend_from_slice(b"\x03ns1\xc0\x0c");
    let read = Message::new().with(1, &cname).read().unwrap();
    let rdata = name("ns1").wire().into();
    let owner = name("www");
    assert_eq!(
        read.instructions,
        [Instruction::Add { owner, rtype: Rtype::CNAME, ttl: 300, rdata }]
    );
    // A pointer in data of a type that has none is malformed (RFC 3597 §4).
    let mut svcb = b"\x03www\xc0\x0c\x00\x40\x00\x01\x00\x00\x01\x2c\x00\x04".to_vec();
    svcb.extend_from_slice(b"\x00\x00\xc0\x0c");
    refused(&Message::new().with(1, &svcb), Rcode::FORMERR);
    // Ahead of itself, at itself, into the header.
    for target in [0xc0ff_u16, 0xc000 + 25, 0xc000] {
        let mut odd = target.to_be_bytes().to_vec();
        odd.extend_from_slice(&[0, 1, 0, 255, 0, 0, 0, 0, 0, 0]);
        refused(&Message::new().with(1, &odd), Rcode::FORMERR);
    }
}

#[test]
fn a_message_cut_anywhere_or_with_more_behind_is_malformed() {
    let whole = Message::new()
        .needs("www", Class::IN, Rtype::A, "192.0.2.10")
        .add("new", 60, Rtype::MX, "10 mail")
        .delete("www", Rtype::A, "192.0.2.11");
    let octets = whole.octets();
    assert!(Update::read(&octets).is_ok());
    for end in 0..octets.len() {
        assert!(Update::read(&octets[..end]).is_err(), "{end}");
    }
    assert!(Update::read(&[&octets[..], &[0]].concat()).is_err());
    let two_opts = record(".", (Class(1232), Rtype::OPT), 0, &[]);
    assert!(Message::new().with(2, &two_opts).read().is_ok());
    refused(&Message::new().with(2, &two_opts).with(2, &two_opts), Rcode::FORMERR);
}

#[test]
fn more_records_than_are_taken_are_refused_before_they_are_read() {
    let mut message = Message::new();
    message.counts[2] = u16::try_from(RECORDS_MAX).unwrap() + 1;
    refused(&message, Rcode::REFUSED);
}

#[test]
fn a_ttl_with_the_highest_bit_is_zero() {
    let message = Message::new()
        .with(1, &record("new", (Class::IN, Rtype::A), u32::MAX, &data(Rtype::A, "192.0.2.1")));
    assert_eq!(message.applied().unwrap(), ["new.example. 0 A 192.0.2.1"]);
}

#[test]
fn damaged_messages_are_read_or_refused_and_never_worse() {
    let whole = Message::new()
        .needs("www", Class::IN, Rtype::A, "192.0.2.10")
        .needs("new", Class::NONE, Rtype::ANY, "")
        .add("new", 60, Rtype::MX, "10 mail")
        .add("@", 60, Rtype::SOA, "ns1 hostmaster 11 1 2 3 4")
        .delete("www", Rtype::A, "192.0.2.11")
        .clear("@", Rtype::ANY);
    let (octets, zone) = (whole.octets(), zone());
    for at in 0..octets.len() {
        for value in [0, 1, 2, 5, 6, 12, 41, 63, 64, 0xc0, 250, 254, 255] {
            let mut damaged = octets.clone();
            damaged[at] = value;
            if let Ok(update) = Update::read(&damaged) {
                drop(update.apply(&View { zone: &zone, hides: is_own }));
            }
        }
    }
}
