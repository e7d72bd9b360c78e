//! RFC 8906 §8.1: basic DNS.

use gapura::wire::Rtype;

use super::both;
use crate::answer::engine::{Query, Reply};

/// The SOA came as an authoritative answer, without an OPT nobody asked for.
#[track_caller]
fn soa_answered(reply: &Reply) {
    assert_eq!(reply.rcode, 0);
    assert!(reply.aa());
    assert_eq!(reply.sections[0].len(), 1);
    assert_eq!(reply.sections[0][0].rtype, Rtype::SOA);
    assert!(reply.edns.is_none());
}

#[test]
fn section_8_1_1_is_the_server_configured_for_the_zone() {
    both(&Query::new("example.", Rtype::SOA)).iter().for_each(soa_answered);
}

#[test]
fn section_8_1_2_testing_unknown_types() {
    for reply in both(&Query::new("example.", Rtype(1000))) {
        assert_eq!((reply.rcode, reply.aa()), (0, true));
        assert!(reply.sections[0].is_empty());
        assert_eq!(reply.sections[1][0].rtype, Rtype::SOA);
    }
}

#[test]
fn section_8_1_3_1_testing_cd_1() {
    for reply in both(&Query::new("example.", Rtype::SOA).flags(0x0010)) {
        soa_answered(&reply);
        assert_eq!(reply.flags & 0x0010, 0, "CD is clear in our answers");
    }
}

#[test]
fn section_8_1_3_2_testing_ad_1() {
    for reply in both(&Query::new("example.", Rtype::SOA).flags(0x0020)) {
        soa_answered(&reply);
        assert_eq!(reply.flags & 0x0020, 0, "AD is never set");
    }
}

#[test]
fn section_8_1_3_3_testing_reserved_bit() {
    for reply in both(&Query::new("example.", Rtype::SOA).flags(0x0040)) {
        soa_answered(&reply);
        assert_eq!(reply.flags & 0x0040, 0, "the reserved bit comes back as 0");
    }
}

#[test]
fn section_8_1_3_4_testing_recursive_queries() {
    for reply in both(&Query::new("example.", Rtype::SOA).flags(0x0100)) {
        soa_answered(&reply);
        assert_eq!(reply.flags & 0x0180, 0x0100, "RD is copied, RA is clear");
    }
}

#[test]
fn section_8_1_4_testing_unknown_opcodes() {
    for opcode in (0..16u16).filter(|opcode| ![0, 4, 5].contains(opcode)) {
        let mut query = Query::new("example.", Rtype::SOA).flags(opcode << 11);
        query.question = None;
        for reply in both(&query) {
            assert_eq!(reply.rcode, 4, "NOTIMP for opcode {opcode}");
            assert_eq!(reply.flags, 0x8000 | opcode << 11, "opcode copied, AA and the rest clear");
            assert_eq!(reply.bytes.len(), 12, "nothing but a header");
        }
    }
}

#[test]
fn section_8_1_5_testing_tcp() {
    soa_answered(&both(&Query::new("example.", Rtype::SOA))[1]);
}
