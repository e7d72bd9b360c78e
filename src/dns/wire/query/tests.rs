use super::*;

/// A query for `a.test. A` with the given counts, followed by `tail`.
fn message(counts: [u16; 4], tail: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 0x01, 0x00];
    for count in counts {
        bytes.extend(count.to_be_bytes());
    }
    bytes.extend(b"\x01a\x04test\x00\x00\x01\x00\x01");
    bytes.extend(tail);
    bytes
}

const OPT: &[u8] = b"\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";

#[test]
fn short_messages_and_responses_are_dropped() {
    let good = message([1, 0, 0, 0], b"");
    for cut in 0..12 {
        assert!(Query::read(&good[..cut]).is_none());
    }
    let mut response = good;
    response[2] |= 0x80;
    assert!(Query::read(&response).is_none());
    assert!(Query::read(&response[..13]).is_none(), "malformed responses too");
}

#[test]
fn a_plain_query_reads() {
    let bytes = message([1, 0, 0, 1], OPT);
    let query = Query::read(&bytes).unwrap();
    assert!(!query.malformed);
    assert_eq!(query.question.unwrap().name.to_string(), "a.test.");
    assert!(query.edns.unwrap().dnssec_ok);
    assert_eq!(query.edns.unwrap().udp_size, 1232);
}

#[test]
fn what_is_malformed_is_told_and_what_was_read_is_kept() {
    let twice = [OPT, OPT].concat();
    let named = b"\x01x\x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";
    let cases: [(&str, Vec<u8>); 8] = [
        ("trailing bytes", message([1, 0, 0, 0], b"\x00")),
        ("a count that lies", message([1, 0, 0, 1], b"")),
        ("two OPTs", message([1, 0, 0, 2], &twice)),
        ("an OPT that is not at the root", message([1, 0, 0, 1], named)),
        ("an OPT in the answer section", message([1, 1, 0, 0], OPT)),
        ("two questions", message([2, 0, 0, 0], b"\x00\x00\x01\x00\x01")),
        ("65,535 questions", message([65535, 0, 0, 0], b"")),
        ("a pointer forward", message([1, 0, 1, 0], b"\xc0\xff\0\x01\0\x01\0\0\0\0\0\0")),
    ];
    for (what, bytes) in cases {
        let query = Query::read(&bytes).unwrap();
        assert!(query.malformed, "{what}");
        assert!(query.question.is_some(), "{what}");
    }
}

#[test]
fn names_in_questions_are_never_compressed() {
    let mut bytes = message([1, 0, 0, 0], b"");
    bytes.truncate(12);
    bytes.extend(b"\xc0\x0c\x00\x01\x00\x01");
    let query = Query::read(&bytes).unwrap();
    assert!(query.malformed && query.question.is_none());
}

#[test]
fn the_soa_of_ixfr_and_notify_gives_its_serial() {
    let soa = b"\xc0\x0c\0\x06\0\x01\0\0\0\0\0\x18\xc0\x0c\xc0\x0c\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let query_bytes = message([1, 0, 1, 0], soa);
    let query = Query::read(&query_bytes).unwrap();
    assert_eq!((query.malformed, query.authority_serial), (false, Some(7)));
    let notify_bytes = message([1, 1, 0, 0], soa);
    assert_eq!(Query::read(&notify_bytes).unwrap().answer_serial, Some(7));
}
