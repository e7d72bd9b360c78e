//! What building finds, and what goes out on the wire.

use super::*;

#[test]
fn an_rrset_lies_as_it_goes_out() {
    let owner = name("www.zone.example.");
    let records = [1, 2].map(|last| record(&owner, Rtype::A, &[192, 0, 2, last]));
    let zone = build(1, &records);
    let set = zone.rrset(owner.as_ref(), Rtype::A).unwrap();
    let one =
        |last| [b"\xc0\x0c\0\x01\0\x01\0\0\x01\x2d\0\x04\xc0\0\x02".as_slice(), &[last]].concat();
    assert_eq!(set.block().octets(), [one(1), one(2)].concat());
}

#[test]
fn hosts_that_records_name_are_marked_where_they_are_in_the_zone() {
    let owner = name("zone.example.");
    let inside = [b"\0\x0a".as_slice(), name("mx.zone.example.").wire()].concat();
    let outside = [b"\0\x14".as_slice(), name("mx.other.").wire()].concat();
    let zone = build(1, &[record(&owner, Rtype::MX, &outside)]);
    assert!(!zone.rrset(owner.as_ref(), Rtype::MX).unwrap().has_target_in_zone());
    let zone = build(1, &[&inside, &outside].map(|rdata| record(&owner, Rtype::MX, rdata)));
    let set = zone.rrset(owner.as_ref(), Rtype::MX).unwrap();
    assert!(set.has_target_in_zone());
    assert_eq!(set.rdatas().collect::<Vec<_>>(), [inside, outside]);
    assert_eq!(
        set.targets().map(|n| n.to_string()).collect::<Vec<_>>(),
        ["mx.zone.example.", "mx.other."]
    );
}

#[test]
fn a_negative_soa_has_the_lower_ttl_and_short_names() {
    let zone = build(7, &[]);
    let mut out = [0; 100];
    let mut writer = Writer::new(&mut out, 100).unwrap();
    assert!(zone.negative_soa().unwrap().put(&mut writer, 0x10));
    let expected =
        b"\xc0\x10\0\x06\0\x01\0\0\0\x3c\0\x25\x02ns\xc0\x10\x04mail\x05other\0\0\0\0\x07";
    assert_eq!(writer.written()[12..][..expected.len()], *expected);
    assert_eq!(writer.len(), 12 + 12 + 0x25);
    assert!(!zone.negative_soa().unwrap().put(&mut Writer::new(&mut [0; 60], 60).unwrap(), 0x10));
    assert_eq!(zone.serial(), 7);
}

#[test]
fn a_name_of_other_case_does_not_point_to_the_apex() {
    let rdata = [name("ns.ZONE.example.").wire(), name("mail.other.").wire(), &[0; 20]].concat();
    let mut builder = ZoneBuilder::new(&name(APEX));
    builder.push(record(&name(APEX), Rtype::SOA, &rdata).as_ref());
    let zone = builder.finish().0.unwrap();
    let mut out = [0; 100];
    let mut writer = Writer::new(&mut out, 100).unwrap();
    assert!(zone.negative_soa().unwrap().put(&mut writer, 0x10));
    assert_eq!(writer.written()[24..], rdata);
    assert_eq!(writer.written()[22..24], (rdata.len() as u16).to_be_bytes());
}

#[test]
fn signatures_stay_with_what_they_cover() {
    let owner = name("www.zone.example.");
    let records = [
        record(&owner, Rtype::RRSIG, &[0, 1, 9, 9]),
        record(&owner, Rtype::A, &[192, 0, 2, 1]),
        record(&owner, Rtype::RRSIG, &[0, 16, 9, 9]),
    ];
    let zone = build(1, &records);
    let node = zone.node(owner.as_ref()).unwrap();
    assert_eq!(node.rrsets().count(), 1);
    assert_eq!(node.rrset(Rtype::A).unwrap().signatures().collect::<Vec<_>>(), [[0, 1, 9, 9]]);
    let orphans: Vec<_> = node.orphan_signatures().map(|set| set.rtype()).collect();
    assert_eq!(orphans, [Rtype::TXT]);
    assert!(node.rrset(Rtype::TXT).is_none() && node.rrset(Rtype::RRSIG).is_none());
    let set = node.rrset(Rtype::A).unwrap();
    assert_eq!(
        set.signature_block().octets(),
        b"\xc0\x0c\0\x2e\0\x01\0\0\x01\x5a\0\x04\0\x01\x09\x09"
    );
}

/// Builds a zone from records with one fault and compares it.
#[track_caller]
fn check_fault(records: &[Record], kind: BuildFaultKind, left: usize) {
    let (zone, faults) = build_with_faults(1, records);
    assert_eq!(faults.iter().map(|fault| fault.kind).collect::<Vec<_>>(), [kind]);
    assert_eq!(zone.unwrap().record_count(), left + 1);
}

#[test]
fn faults_name_what_was_wrong_and_leave_it_out() {
    let owner = name("www.zone.example.");
    let address = record(&owner, Rtype::A, &[192, 0, 2, 1]);
    let other = Record { ttl: 5, ..record(&owner, Rtype::A, &[192, 0, 2, 2]) };
    check_fault(&[address.clone(), address.clone()], BuildFaultKind::Duplicate, 1);
    check_fault(&[address.clone(), other], BuildFaultKind::TtlDiffers, 2);
    let outside = record(&name("www.example."), Rtype::A, &[192, 0, 2, 1]);
    check_fault(&[outside], BuildFaultKind::OutOfZone, 0);
    check_fault(&[Record { class: Class::CH, ..address }], BuildFaultKind::WrongClass, 0);
    check_fault(&[record(&owner, Rtype::OPT, &[])], BuildFaultKind::MetaType, 0);
    check_fault(&[Record { owner: owner.clone(), ..soa(2) }], BuildFaultKind::SoaBelowApex, 0);
    check_fault(&[soa(2)], BuildFaultKind::TwoSoas, 1);
    let large: Vec<_> = (0..5000u16)
        .map(|at| record(&owner, Rtype::TXT, &[2, (at >> 8) as u8, at as u8]))
        .collect();
    check_fault(&large, BuildFaultKind::TooLarge, 0);
    let (zone, faults) = ZoneBuilder::new(&name(APEX)).finish();
    assert!(zone.is_none());
    assert_eq!(faults[0].kind, BuildFaultKind::NoSoa);
}

#[test]
fn a_delta_that_does_not_fit_changes_nothing() {
    let owner = name("www.zone.example.");
    let address = |last| record(&owner, Rtype::A, &[192, 0, 2, last]);
    let zone = build(1, &[address(1)]);
    let apply = |removed: Vec<Record>, added: Vec<Record>| zone.apply(&Delta { removed, added });
    let at = (owner.clone(), Rtype::A);
    assert_eq!(apply(vec![address(2)], vec![]), Err(ApplyError::Absent(at.0.clone(), at.1)));
    assert_eq!(apply(vec![], vec![address(1)]), Err(ApplyError::Present(at.0.clone(), at.1)));
    let other_ttl = Record { ttl: 5, ..address(2) };
    assert_eq!(apply(vec![], vec![other_ttl]), Err(ApplyError::TtlDiffers(at.0, at.1)));
    assert_eq!(apply(vec![soa(1)], vec![]), Err(ApplyError::Soa));
    assert_eq!(apply(vec![], vec![soa(2)]), Err(ApplyError::Soa));
}

#[test]
fn nsec3_matches_and_covers_around_the_end() {
    let record_at = |hash: &str| {
        let owner = name(&format!("{hash}.{APEX}"));
        record(&owner, Rtype::NSEC3, &[1, 0, 0, 0, 0, 20])
    };
    let low = "0".repeat(31) + "1";
    let high = "v".repeat(31) + "u";
    let params = record(&name(APEX), Rtype::NSEC3PARAM, &[1, 0, 0, 0, 0]);
    let zone = build(1, &[record_at(&low), record_at(&high), params]);
    let find = |hash: [u8; 20]| {
        let found = zone.nsec3(&hash).unwrap();
        (found.matches, found.node.owner().labels().next().unwrap() == low.as_bytes())
    };
    let mut first = [0; 20];
    assert_eq!(find(first), (false, false));
    first[19] = 1;
    assert_eq!(find(first), (true, true));
    assert_eq!(find([8; 20]), (false, true));
    assert_eq!(find([255; 20]), (false, false));
    assert!(zone.node(name(&format!("{low}.{APEX}")).as_ref()).is_none());
    // RFC 5155 appendix A: H(example) with 12 iterations and the salt aabbccdd.
    let params = Nsec3Params { iterations: 12, salt: [0xaa, 0xbb, 0xcc, 0xdd].into() };
    let hash = params.hash(name("Example.").as_ref());
    assert_eq!(hash[..5], [0x06, 0x53, 0x68, 0xab, 0xee][..]);
}

#[test]
fn a_name_outside_the_zone_is_not_found() {
    let zone = build(1, &[record(&name("www.zone.example."), Rtype::A, &[192, 0, 2, 1])]);
    for outside in [".", "example.", "a-label-cut-by-the-length-of-the-apex.org.", "zzone.example."]
    {
        let outside = name(outside);
        assert!(zone.lookup(outside.as_ref()).exact().is_none());
        assert!(zone.node(outside.as_ref()).is_none());
        assert!(zone.below(outside.as_ref()).count() <= zone.nodes().count());
    }
}

#[test]
fn the_longest_apex_wins() {
    let zone_of = |apex: &str| {
        let mut builder = ZoneBuilder::new(&name(apex));
        builder.push(Record { owner: name(apex), ..soa(1) }.as_ref());
        builder.finish().0.unwrap()
    };
    let set: ZoneSet = (0..2000).map(|at| zone_of(&format!("zone-{at}.example."))).collect();
    let set =
        set.with(zone_of("sub.zone-7.Example.")).edit(&[], vec![Entry::NotLoaded(name("org."))]);
    let find = |qname: &str| set.find(name(qname).as_ref()).map(|entry| entry.apex().to_string());
    assert_eq!(find("a.b.SUB.zone-7.example.").as_deref(), Some("sub.zone-7.Example."));
    assert_eq!(find("a.b.zone-7.example.").as_deref(), Some("zone-7.example."));
    assert_eq!(find("zone-1999.example.").as_deref(), Some("zone-1999.example."));
    assert_eq!(find("example."), None);
    assert!(set.find(name("a.org.").as_ref()).unwrap().zone().is_none());
    assert_eq!(set.len(), 2002);
    let fewer = set.without(&name("SUB.zone-7.example.")).with(zone_of("org."));
    assert_eq!(
        fewer.find(name("x.sub.zone-7.example.").as_ref()).unwrap().apex(),
        name("zone-7.example.").as_ref()
    );
    assert!(fewer.get(name("org.").as_ref()).unwrap().zone().is_some());
    assert_eq!((fewer.len(), set.iter().count()), (2001, 2002));
}
