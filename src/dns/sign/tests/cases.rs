//! What is signed and what is not, and what one change costs.

use super::*;

/// The node of a name.
fn node<'a>(zone: &'a Zone, name: &str) -> NodeRef<'a> {
    let name: Name = name.parse().unwrap();
    zone.node(name.as_ref()).unwrap()
}

/// A zone with all that is odd.
const ODD: &str = "\
www A 192.0.2.2
*.w TXT \"wild\"
a.b.c AAAA 2001:db8::1
secure NS ns.secure
secure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.secure A 192.0.2.3
lax NS ns.lax
ns.lax A 192.0.2.4
deep.ns.lax TXT \"hidden\"
moved DNAME other.example.
moved TXT \"here\"
x.moved TXT \"hidden\"
";

#[test]
fn authoritative_data_is_signed_and_nothing_else() {
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let signed = whole(&zone(ODD), &csk_plan(denial), None, NOW, 1).unwrap();
        assert_eq!(faults(&signed, NOW), [""; 0]);
        assert_eq!(verify_change(None, &signed, &csk_plan(denial), NOW), Ok(()));
        let types = |name: &str| {
            let mut types = signed_types(node(&signed, name));
            types.retain(|rtype| rtype != "NSEC");
            types.join(" ")
        };
        assert_eq!(types("www.example."), "A");
        assert_eq!(types("*.w.example."), "TXT");
        assert_eq!(types("secure.example."), "DS");
        assert_eq!(types("moved.example."), "TXT DNAME");
        for hidden in ["lax", "ns.secure", "ns.lax", "deep.ns.lax", "x.moved"] {
            assert_eq!(types(&format!("{hidden}.example.")), "", "{hidden}");
        }
        let apex = types("example.");
        let wanted = match denial {
            Denial::Nsec => "NS SOA DNSKEY CDS CDNSKEY",
            Denial::Nsec3 => "NS SOA DNSKEY NSEC3PARAM CDS CDNSKEY",
        };
        assert_eq!(apex, wanted);
    }
}

#[test]
fn the_chains_list_what_the_parent_is_sure_of() {
    let nsec = whole(&zone(ODD), &csk_plan(Denial::Nsec), None, NOW, 1).unwrap();
    assert_eq!(listed(&nsec, "lax.example."), ["NS", "RRSIG", "NSEC"]);
    assert_eq!(listed(&nsec, "secure.example."), ["NS", "DS", "RRSIG", "NSEC"]);
    let nsec3 = whole(&zone(ODD), &csk_plan(Denial::Nsec3), None, NOW, 1).unwrap();
    assert_eq!(listed(&nsec3, "lax.example."), ["NS"]);
    assert_eq!(listed(&nsec3, "secure.example."), ["NS", "DS", "RRSIG"]);
    for empty in ["b.c.example.", "c.example.", "w.example."] {
        assert_eq!(listed(&nsec3, empty), [""; 0], "{empty}");
    }
    let soa = ["NS", "SOA", "RRSIG", "DNSKEY", "NSEC3PARAM", "CDS", "CDNSKEY"];
    assert_eq!(listed(&nsec3, "example."), soa);
    // The lesser of the SOA's TTL and MINIMUM (RFC 9077).
    let ttl = |zone: &Zone, rtype| {
        let mut records = zone.records().filter(|record| record.rtype == rtype);
        records.next().unwrap().ttl
    };
    assert_eq!((ttl(&nsec, Rtype::NSEC), ttl(&nsec3, Rtype::NSEC3)), (300, 300));
}

#[test]
fn keys_sign_keys_and_wildcards_count_one_label_less() {
    let plan = split_plan(Denial::Nsec);
    let signed = whole(&zone(ODD), &plan, None, NOW, 1).unwrap();
    let signature = |name: &str, rtype| {
        let set = node(&signed, name).rrset(rtype).unwrap();
        let one = Rrsig::new(set.signatures().next().unwrap()).unwrap();
        (set.signature_count(), one.key_tag, one.labels)
    };
    let (ksk, zsk) = (KSK_ONE.tag(), ZSK_ONE.tag());
    for rtype in [Rtype::DNSKEY, Rtype::CDS, Rtype::CDNSKEY] {
        assert_eq!(signature("example.", rtype), (1, ksk, 1), "{rtype}");
    }
    assert_eq!(signature("example.", Rtype::SOA), (1, zsk, 1));
    assert_eq!(signature("*.w.example.", Rtype::TXT), (1, zsk, 2));
    assert_eq!(signature("*.w.example.", Rtype::NSEC), (1, zsk, 2));
}

#[test]
fn one_name_costs_four_signatures() {
    let before = zone("a A 192.0.2.2\nz A 192.0.2.3\n");
    for (denial, most) in [(Denial::Nsec, 4), (Denial::Nsec3, 4)] {
        let plan = csk_plan(denial);
        let served = whole(&before, &plan, None, NOW, 1).unwrap();
        let (content, delta) = edited(&before, "", "m A 192.0.2.4\n");
        let after = change_and_check(&served, &content, &delta, &plan);
        assert_eq!(new_signatures(&served, &after), most, "{denial:?}");
        let (content, delta) = edited(&before, "a A 192.0.2.2\n", "");
        let gone = change_and_check(&served, &content, &delta, &plan);
        assert_eq!(new_signatures(&served, &gone), 2, "{denial:?}: SOA and what is before");
        let (content, delta) = edited(&before, "", "a TXT \"more\"\n");
        let more = change_and_check(&served, &content, &delta, &plan);
        assert_eq!(new_signatures(&served, &more), 3, "{denial:?}: SOA, TXT and the bitmap");
        let (content, delta) = edited(&before, "a A 192.0.2.2\n", "a A 192.0.2.9\n");
        let other = change_and_check(&served, &content, &delta, &plan);
        assert_eq!(new_signatures(&served, &other), 2, "{denial:?}: SOA and A");
        let (content, delta) = edited(&before, "", "_acme-challenge.m TXT \"x\"\n");
        let deep = change_and_check(&served, &content, &delta, &plan);
        assert!(new_signatures(&served, &deep) <= 6, "{denial:?}");
    }
}

#[test]
fn what_a_cut_hides_loses_its_signatures_and_gets_them_back() {
    let before = zone("host.sub A 192.0.2.2\ndeep.host.sub TXT \"x\"\n");
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let plan = csk_plan(denial);
        let served = whole(&before, &plan, None, NOW, 1).unwrap();
        for record in ["sub NS host.sub\n", "sub DNAME other.example.\n"] {
            let (content, delta) = edited(&before, "", record);
            let hidden = change_and_check(&served, &content, &delta, &plan);
            assert_eq!(faults(&hidden, NOW), [""; 0]);
            assert_eq!(signed_types(node(&hidden, "deep.host.sub.example.")), [""; 0]);
            let (content, delta) = edited(&content, record, "");
            let back = change_and_check(&hidden, &content, &delta, &plan);
            assert_eq!(faults(&back, NOW), [""; 0]);
        }
    }
}

#[test]
fn times_of_the_chain_follow_the_soa() {
    let before = zone("a A 192.0.2.2\n");
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let plan = csk_plan(denial);
        let served = whole(&before, &plan, None, NOW, 1).unwrap();
        let mut delta = Delta::default();
        raise_serial(&before, &mut delta);
        let minimum = delta.added[0].rdata.len() - 4;
        delta.added[0].rdata[minimum..].copy_from_slice(&60u32.to_be_bytes());
        let content = before.apply(&delta).unwrap();
        let after = change_and_check(&served, &content, &delta, &plan);
        assert_eq!(faults(&after, NOW), [""; 0]);
        // What the TTL of the chain has nothing to do with is kept.
        assert!(new_signatures(&served, &after) <= 1 + 3, "{denial:?}");
    }
}

#[test]
fn nsec_becomes_nsec3_and_back_in_one_change() {
    let before = zone(ODD);
    let served = whole(&before, &csk_plan(Denial::Nsec), None, NOW, 1).unwrap();
    let (content, delta) = edited(&before, "", "");
    let hashed = change_and_check(&served, &content, &delta, &csk_plan(Denial::Nsec3));
    assert_eq!(faults(&hashed, NOW), [""; 0]);
    assert!(hashed.apex_node().rrset(Rtype::NSEC).is_none());
    let (content, delta) = edited(&content, "", "");
    let back = change_and_check(&hashed, &content, &delta, &csk_plan(Denial::Nsec));
    assert_eq!(faults(&back, NOW), [""; 0]);
    assert_eq!(back.nsec3_nodes().count(), 0);
}

#[test]
fn a_digest_is_made_last_and_signed() {
    let before = zone(ODD);
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let plan = Plan { zonemd: true, ..csk_plan(denial) };
        let served = whole(&before, &plan, None, NOW, 1).unwrap();
        assert_eq!(served.zonemd().len(), 2, "the record and its signature");
        assert_eq!(faults(&served, NOW), [""; 0]);
        assert_eq!(verify_change(None, &served, &plan, NOW), Ok(()));
        assert!(listed(&served, "example.").contains(&"ZONEMD".to_owned()));
        let (content, delta) = edited(&before, "", "more A 192.0.2.7\n");
        let after = change(&served, &content, &delta, &plan, NOW).unwrap();
        assert_eq!(verify_change(Some(&served), &after, &plan, NOW), Ok(()));
        assert_eq!(faults(&after, NOW), [""; 0]);
        // And none any more when none is wanted.
        let (content, delta) = edited(&content, "", "");
        let none = change_and_check(&after, &content, &delta, &csk_plan(denial));
        assert_eq!(none.zonemd(), []);
    }
}

#[test]
fn keys_of_other_signers_are_published_and_stay_content() {
    let other = pair(Algorithm::EcdsaP256Sha256, ZSK);
    let key = crate::wire::rdata::to_text(Rtype::DNSKEY, &other.dnskey().rdata());
    let content = zone(&format!("@ 1800 DNSKEY {key}\n"));
    let plan = split_plan(Denial::Nsec);
    let served = whole(&content, &plan, None, NOW, 1).unwrap();
    let keys = node(&served, "example.").rrset(Rtype::DNSKEY).unwrap();
    assert_eq!((keys.count(), keys.ttl()), (3, 1800));
    assert_eq!(faults(&served, NOW), [""; 0]);
    let ours: Vec<_> = plan.keys.iter().map(Dnskey::rdata).collect();
    assert_eq!(strip(&served, &ours).unwrap(), content);
}

#[test]
fn stripped_it_is_the_content() {
    for denial in [Denial::Nsec, Denial::Nsec3] {
        let content = zone(ODD);
        let plan = Plan { zonemd: true, ..csk_plan(denial) };
        let served = whole(&content, &plan, None, NOW, 1).unwrap();
        let ours: Vec<_> = plan.keys.iter().map(Dnskey::rdata).collect();
        assert_eq!(strip(&served, &ours).unwrap(), content);
    }
}

#[test]
fn all_algorithms_that_are_made_here_sign() {
    let content = zone(ODD);
    for algorithm in [Algorithm::EcdsaP256Sha256, Algorithm::EcdsaP384Sha384, Algorithm::Ed25519] {
        let (ksk, zsk) = (pair(algorithm, KSK), pair(algorithm, ZSK));
        let plan = plan(&[&ksk], &[&zsk], Denial::Nsec3);
        let served = whole(&content, &plan, None, NOW, 2).unwrap();
        assert_eq!(faults(&served, NOW), [""; 0], "{algorithm}");
        assert_eq!(verify_change(None, &served, &plan, NOW), Ok(()), "{algorithm}");
    }
}

#[test]
fn a_plan_without_keys_or_sense_is_refused() {
    let content = zone("");
    let plan = csk_plan(Denial::Nsec);
    let none = Plan { zone_signers: Vec::new(), ..plan.clone() };
    assert_eq!(whole(&content, &none, None, NOW, 1).unwrap_err(), SignError::NoKeys);
    let short = Plan { lifetime_s: 7 * DAY, ..plan };
    let refused = whole(&content, &short, None, NOW, 1).unwrap_err();
    assert_eq!(refused, SignError::Times { lifetime_s: 7 * DAY, refresh_s: 7 * DAY });
}
