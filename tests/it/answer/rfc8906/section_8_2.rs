//! RFC 8906 §8.2: EDNS.

use gapura::wire::Rtype;

use super::both;
use crate::answer::engine::{Query, Reply, option};

/// `dig +edns=0 SOA`, with a TTL field and options.
fn soa(ttl: u32, options: &[u8]) -> Query {
    Query::new("example.", Rtype::SOA).edns(1232, ttl, options)
}

/// The SOA came, with an OPT of version 0.
#[track_caller]
fn soa_answered(reply: &Reply) {
    assert_eq!(reply.rcode, 0);
    assert!(reply.aa());
    assert_eq!(reply.sections[0][0].rtype, Rtype::SOA);
    version_0(reply);
}

/// There is an OPT, of version 0.
#[track_caller]
fn version_0(reply: &Reply) {
    let (_, ttl, _) = reply.edns.as_ref().expect("an OPT record");
    assert_eq!(ttl >> 16, 0, "EDNS version 0");
}

/// BADVERS came, with no answer.
#[track_caller]
fn badvers(reply: &Reply) {
    assert_eq!(reply.rcode, 16);
    assert!(reply.sections.iter().all(Vec::is_empty));
    version_0(reply);
}

#[test]
fn section_8_2_1_testing_minimal_edns() {
    both(&soa(0, &[])).iter().for_each(soa_answered);
}

#[test]
fn section_8_2_2_testing_edns_version_negotiation() {
    for version in [1, 2, 100, 255u32] {
        both(&soa(version << 16, &[])).iter().for_each(badvers);
    }
}

#[test]
fn section_8_2_3_testing_unknown_edns_options() {
    for reply in both(&soa(0, &option(100, &[]))) {
        soa_answered(&reply);
        assert_eq!(reply.option(100), None, "an unknown option does not come back");
    }
}

#[test]
fn section_8_2_4_testing_unknown_edns_flags() {
    for bit in 0..15 {
        for reply in both(&soa(1 << bit, &[])) {
            soa_answered(&reply);
            assert_eq!(reply.edns.unwrap().1, 0, "unknown flags come back as 0");
        }
    }
}

#[test]
fn section_8_2_5_testing_edns_version_negotiation_with_unknown_edns_flags() {
    for reply in both(&soa(1 << 16 | 0x40, &[])) {
        badvers(&reply);
        assert_eq!(reply.edns.unwrap().1, 0);
    }
}

#[test]
fn section_8_2_6_testing_edns_version_negotiation_with_unknown_edns_options() {
    for reply in both(&soa(1 << 16, &option(100, &[]))) {
        badvers(&reply);
        assert_eq!(reply.option(100), None);
    }
}

#[test]
fn section_8_2_7_testing_truncated_responses() {
    let query = Query::new("large.example.", Rtype::TXT).edns(512, 0x8000, &[]);
    let [udp, tcp] = both(&query);
    assert!(udp.tc(), "too large for 512 octets");
    assert!(udp.bytes.len() <= 512);
    version_0(&udp);
    assert!(!tcp.tc());
    assert_eq!(tcp.sections[0].len(), 31);
    version_0(&tcp);
}

#[test]
fn section_8_2_8_testing_do_1_handling() {
    for reply in both(&soa(0x8000, &[])) {
        soa_answered(&reply);
        assert_eq!(reply.edns.unwrap().1, 0x8000, "DO is copied");
    }
}

#[test]
fn section_8_2_9_testing_edns_version_negotiation_with_do_1() {
    for reply in both(&soa(1 << 16 | 0x8000, &[])) {
        badvers(&reply);
        assert_eq!(reply.edns.unwrap().1 & 0x7fff, 0);
    }
}

#[test]
fn section_8_2_10_testing_with_multiple_defined_edns_options() {
    let options = [
        option(3, &[]),
        option(10, &[1, 2, 3, 4, 5, 6, 7, 8]),
        option(9, &[]),
        option(8, &[0, 1, 0, 0]),
    ];
    for reply in both(&soa(0x8000, &options.concat())) {
        soa_answered(&reply);
        assert_eq!(reply.option(3), Some(&b"gapura"[..]));
        assert_eq!(reply.option(9), Some(&1_209_600u32.to_be_bytes()[..]));
        assert_eq!(reply.option(8), None, "client subnet is ignored");
    }
}
