//! Signatures over time.

use super::*;

/// A zone with some hundred names.
fn many() -> Zone {
    let lines = (0..300).map(|at| format!("host-{at} A 192.0.2.{}\n", at % 250));
    zone(&lines.collect::<String>())
}

/// The content with its serial raised.
fn raised(content: &Zone) -> Zone {
    edited(content, "", "").0
}

#[test]
fn renewals_are_a_trickle_and_no_signature_ends() {
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let plan = csk_plan(denial);
        let mut content = many();
        let mut served = whole(&content, &plan, None, NOW, 1).unwrap();
        assert_eq!(due(&served, &plan, NOW).now, 0);
        let total = served.records().filter(|record| record.rtype == Rtype::RRSIG).count();
        let (mut now, mut most, mut sum) = (NOW, 0, 0);
        // Two days' steps of twelve hours over six weeks.
        for _ in 0..84 {
            now += DAY / 2;
            let waiting = due(&served, &plan, now);
            assert!(waiting.ends_in_s.unwrap() > 6 * DAY, "{waiting:?}");
            most = most.max(waiting.now);
            sum += waiting.now;
            let next = raised(&content);
            if let Some(after) = renew(&served, &next, &plan, now, 1000).unwrap() {
                assert_eq!(verify_change(Some(&served), &after, &plan, now), Ok(()));
                assert_eq!(due(&after, &plan, now).now, 0);
                let made = new_signatures(&served, &after);
                assert!(made <= waiting.now + 1, "{made} of {waiting:?}");
                (content, served) = (next, after);
            }
        }
        assert_eq!(faults(&served, now), [""; 0]);
        // Evenly it would be a fourteenth in each step; a lump would be nearly all.
        assert!(most < total / 4, "{denial:?}: at most {most} of {total}");
        assert!(sum < total * 7, "{denial:?}: {sum} in six weeks of {total}");
    }
}

#[test]
fn what_ends_first_is_renewed_first_and_in_parts() {
    let plan = csk_plan(Denial::Nsec);
    let content = many();
    let served = whole(&content, &plan, None, NOW, 1).unwrap();
    let now = NOW + 3 * DAY;
    let before = due(&served, &plan, now);
    assert!(before.now > 50, "{before:?}");
    let next = raised(&content);
    let after = renew(&served, &next, &plan, now, 20).unwrap().unwrap();
    let left = due(&after, &plan, now);
    assert!(left.now >= before.now - 23 && left.now <= before.now - 20, "{before:?} {left:?}");
    assert!(left.ends_in_s > before.ends_in_s);
    assert_eq!(renew(&served, &next, &plan, NOW, 20).unwrap(), None);
}

#[test]
fn the_next_time_is_when_one_is_due() {
    let plan = csk_plan(Denial::Nsec);
    let served = whole(&many(), &plan, None, NOW, 1).unwrap();
    let wait = due(&served, &plan, NOW).next_in_s.unwrap();
    assert_eq!(due(&served, &plan, NOW + wait - 1).now, 0);
    assert!(due(&served, &plan, NOW + wait).now > 0);
}

#[test]
fn another_key_takes_over_by_and_by() {
    let old = split_plan(Denial::Nsec);
    let mut content = many();
    let mut served = whole(&content, &old, None, NOW, 1).unwrap();
    let key = pair(Algorithm::EcdsaP256Sha256, ZSK);
    let mut new = plan(&[&KSK_ONE], &[&key], Denial::Nsec);
    new.keys = [&old.keys[..], &new.keys].concat();
    new.keys.sort();
    new.keys.dedup();
    // Both are published; the new one signs from now on.
    let (next, delta) = edited(&content, "", "");
    let after = change(&served, &next, &delta, &new, NOW).unwrap();
    assert_eq!(verify_change(Some(&served), &after, &new, NOW), Ok(()));
    assert_eq!(faults(&after, NOW), [""; 0]);
    (content, served) = (next, after);
    let waiting = due(&served, &new, NOW);
    assert!(waiting.unfinished > 500 && waiting.unfinished == waiting.now, "{waiting:?}");
    // A change of what the old key has signed still passes.
    let (next, delta) = edited(&content, "host-7 A 192.0.2.7\n", "host-7 A 192.0.2.77\n");
    let after = change(&served, &next, &delta, &new, NOW).unwrap();
    assert_eq!(verify_change(Some(&served), &after, &new, NOW), Ok(()));
    (content, served) = (next, after);
    let mut rounds = 0;
    while due(&served, &new, NOW).unfinished > 0 {
        let next = raised(&content);
        let after = renew(&served, &next, &new, NOW, 100).unwrap().unwrap();
        assert_eq!(verify_change(Some(&served), &after, &new, NOW), Ok(()));
        assert_eq!(faults(&after, NOW), [""; 0]);
        (content, served) = (next, after);
        rounds += 1;
    }
    assert!((6..12).contains(&rounds), "{rounds}");
    let is_old = |record: &crate::wire::RecordRef<'_>| {
        record.rtype == Rtype::RRSIG
            && Rrsig::new(record.rdata).is_some_and(|it| it.key_tag == ZSK_ONE.tag())
    };
    assert_eq!(served.records().filter(is_old).count(), 0);
}

#[test]
fn two_algorithms_sign_everything_before_the_key_is_published() {
    let old = csk_plan(Denial::Nsec3);
    let content = zone("a A 192.0.2.2\n");
    let served = whole(&content, &old, None, NOW, 1).unwrap();
    let other = pair(Algorithm::Ed25519, KSK);
    let mut both = old;
    both.zone_signers.push(other);
    let next = raised(&content);
    let after = renew(&served, &next, &both, NOW, 1000).unwrap().unwrap();
    assert_eq!(verify_change(Some(&served), &after, &both, NOW), Ok(()));
    assert_eq!(due(&after, &both, NOW).unfinished, 0);
    assert_eq!(faults(&after, NOW), [""; 0]);
    // Every RRset that the zone's key signs has two, the keys' one.
    let counts = |rtype| after.apex_node().rrset(rtype).unwrap().signature_count();
    assert_eq!((counts(Rtype::SOA), counts(Rtype::DNSKEY)), (2, 1));
    // Signatures of the first key were good and stay.
    assert_eq!(new_signatures(&served, &after), due(&after, &both, NOW).now + served_sets(&after));
}

/// RRsets that the zone's keys sign, and the SOA once more: its first signature is new too.
fn served_sets(zone: &Zone) -> usize {
    let nodes = zone.nodes().chain(zone.nsec3_nodes());
    let sets = nodes.flat_map(NodeRef::rrsets).filter(|set| set.signature_count() == 2);
    sets.count() + 1
}

#[test]
fn the_self_check_sees_what_is_wrong() {
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let plan = csk_plan(denial);
        let content = zone("a A 192.0.2.2\nb A 192.0.2.3\n");
        let served = whole(&content, &plan, None, NOW, 1).unwrap();
        let all = |zone: &Zone| verify_change(None, zone, &plan, NOW);
        assert_eq!(all(&served), Ok(()));
        let without = |wanted: &dyn Fn(&Record) -> bool| {
            let removed = served.records().map(|record| record.to_record()).find(wanted);
            let removed = vec![removed.unwrap()];
            served.apply(&Delta { removed, added: Vec::new() }).unwrap()
        };
        let covers = |rtype: Rtype| {
            move |record: &Record| {
                let covered = record.rdata.starts_with(&rtype.0.to_be_bytes());
                record.rtype == Rtype::RRSIG && covered
            }
        };
        // A signature that is gone; a record that is not what was signed; a link that is missing.
        let unsigned = without(&covers(Rtype::A));
        let is_seen = |found| matches!(found, Err(Unsound::Missing(..) | Unsound::Chain(..)));
        assert!(is_seen(all(&unsigned)), "{:?}", all(&unsigned));
        assert!(is_seen(verify_change(Some(&served), &unsigned, &plan, NOW)));
        let more = Record { rdata: [192, 0, 2, 77].into(), ..record_of(&served, Rtype::A) };
        let forged = served.apply(&Delta { removed: Vec::new(), added: vec![more] }).unwrap();
        assert!(matches!(all(&forged), Err(Unsound::Bogus(..))), "{:?}", all(&forged));
        let link = if denial == Denial::Nsec { Rtype::NSEC } else { Rtype::NSEC3 };
        let torn = without(&|record| record.rtype == link);
        assert!(
            matches!(all(&torn), Err(Unsound::Chain(..) | Unsound::Needless(..))),
            "{:?}",
            all(&torn)
        );
        let gone = without(&|record| record.rtype == Rtype::DNSKEY);
        assert!(matches!(all(&gone), Err(Unsound::Keys(_))), "{:?}", all(&gone));
        // Ended, and not yet valid.
        for now in [NOW + 15 * DAY, NOW - DAY] {
            let ended = verify_change(None, &served, &plan, now);
            assert!(matches!(ended, Err(Unsound::Times(..))), "{ended:?}");
        }
    }
}

/// The first record of a type.
fn record_of(zone: &Zone, rtype: Rtype) -> Record {
    zone.records().find(|record| record.rtype == rtype).unwrap().to_record()
}

#[test]
fn times_go_round_with_the_clock() {
    // 2106-02-07, when 32 bits are full.
    let now = u32::MAX - 5 * DAY;
    let plan = csk_plan(Denial::Nsec);
    let content = many();
    let served = whole(&content, &plan, None, now, 1).unwrap();
    assert_eq!(verify_change(None, &served, &plan, now), Ok(()));
    assert_eq!(faults(&served, now), [""; 0]);
    assert_eq!(due(&served, &plan, now).now, 0);
    let later = now.wrapping_add(10 * DAY);
    assert!(due(&served, &plan, later).now > 100);
    let after = renew(&served, &raised(&content), &plan, later, 10_000).unwrap().unwrap();
    assert_eq!(verify_change(Some(&served), &after, &plan, later), Ok(()));
    assert_eq!(faults(&after, later), [""; 0]);
}
