//! Prerequisites (RFC 2136 §3.2.5) and what instructions do (RFC 2136 §3.4.2).

use super::*;

/// What comes of a message.
#[track_caller]
fn check(message: &Message, lines: &[&str]) {
    assert_eq!(message.applied().unwrap(), lines);
}

/// The code of a prerequisite; `add` shows that nothing else is wrong.
fn judged(owner: &str, class: Class, rtype: Rtype, text: &str) -> Result<(), Rcode> {
    let message = Message::new().needs(owner, class, rtype, text);
    message.add("new", 60, Rtype::A, "192.0.2.5").applied().map(drop)
}

//------------ Prerequisites -------------------------------------------------

#[test]
fn each_prerequisite_has_its_code() {
    let (any, none, of) = (Class::ANY, Class::NONE, Class::IN);
    for (owner, class, rtype, text, code) in [
        ("www", any, Rtype::ANY, "", Ok(())),
        ("nowhere", any, Rtype::ANY, "", Err(Rcode::NXDOMAIN)),
        ("nowhere", none, Rtype::ANY, "", Ok(())),
        ("www", none, Rtype::ANY, "", Err(Rcode::YXDOMAIN)),
        ("www", any, Rtype::A, "", Ok(())),
        ("www", any, Rtype::AAAA, "", Err(Rcode::NXRRSET)),
        ("nowhere", any, Rtype::A, "", Err(Rcode::NXRRSET)),
        ("www", none, Rtype::AAAA, "", Ok(())),
        ("www", none, Rtype::A, "", Err(Rcode::YXRRSET)),
        // RFC 2136 §2.4.4: an empty non-terminal is not in use, and a wildcard is no other name.
        ("ent", any, Rtype::ANY, "", Err(Rcode::NXDOMAIN)),
        ("x.wild", any, Rtype::ANY, "", Err(Rcode::NXDOMAIN)),
        ("x.wild", any, Rtype::A, "", Err(Rcode::NXRRSET)),
        ("*.wild", any, Rtype::A, "", Ok(())),
        // The whole RRset, its case aside, its TTL too.
        ("www", of, Rtype::A, "192.0.2.10", Err(Rcode::NXRRSET)),
        ("alias", of, Rtype::CNAME, "WWW", Ok(())),
        ("nowhere", of, Rtype::A, "192.0.2.10", Err(Rcode::NXRRSET)),
        ("@", of, Rtype::SOA, "NS1 hostmaster 10 7200 900 1209600 300", Ok(())),
        ("@", of, Rtype::SOA, "ns1 hostmaster 9 7200 900 1209600 300", Err(Rcode::NXRRSET)),
        // What gapura put in for itself is not there.
        ("hidden", any, Rtype::ANY, "", Err(Rcode::NXDOMAIN)),
        ("hidden", none, Rtype::TXT, "", Ok(())),
    ] {
        assert_eq!(judged(owner, class, rtype, text), code, "{owner} {class} {rtype} {text}");
    }
}

#[test]
fn an_exact_prerequisite_is_put_together_from_its_records() {
    let both = |one, other| {
        Message::new()
            .needs("www", Class::IN, Rtype::A, one)
            .needs("www", Class::IN, Rtype::TXT, "www")
            .needs("WWW", Class::IN, Rtype::A, other)
            .applied()
    };
    assert_eq!(both("192.0.2.11", "192.0.2.10"), Ok(vec![]));
    assert_eq!(both("192.0.2.11", "192.0.2.12"), Err(Rcode::NXRRSET));
    assert_eq!(both("192.0.2.10", "192.0.2.10"), Err(Rcode::NXRRSET));
}

#[test]
fn one_prerequisite_that_fails_stops_everything() {
    let message = Message::new()
        .needs("www", Class::ANY, Rtype::A, "")
        .needs("nowhere", Class::ANY, Rtype::ANY, "")
        .add("new", 60, Rtype::A, "192.0.2.5");
    assert_eq!(message.applied(), Err(Rcode::NXDOMAIN));
}

//------------ Instructions --------------------------------------------------

#[test]
fn records_come_and_go() {
    let message = Message::new()
        .add("new", 60, Rtype::A, "192.0.2.5")
        .add("www", 300, Rtype::A, "192.0.2.12")
        .delete("www", Rtype::A, "192.0.2.10")
        .clear("www", Rtype::TXT)
        .clear("ns2", Rtype::ANY);
    check(
        &message,
        &[
            "new.example. 60 A 192.0.2.5",
            "ns2.example. 0 A",
            "www.example. 300 A 192.0.2.11 192.0.2.12",
            "www.example. 0 TXT",
        ],
    );
}

#[test]
fn an_update_without_effect_makes_no_rrset() {
    check(&Message::new(), &[]);
    let message = Message::new()
        .add("www", 300, Rtype::A, "192.0.2.10")
        .add("alias", 300, Rtype::CNAME, "WWW")
        .delete("www", Rtype::A, "192.0.2.77")
        .delete("nowhere", Rtype::A, "192.0.2.77")
        .clear("nowhere", Rtype::ANY)
        .clear("www", Rtype::AAAA)
        .add("brief", 60, Rtype::A, "192.0.2.5")
        .clear("brief", Rtype::A);
    check(&message, &[]);
}

#[test]
fn an_empty_update_is_stored_as_no_rrset() {
    // The bug class by its name: nothing of a type must not become an RRset with no records.
    let message = Message::new().clear("www", Rtype::SRV).clear("new", Rtype::ANY);
    check(&message, &[]);
}

#[test]
fn the_ttl_of_an_rrset_is_that_of_the_record_added_last() {
    check(
        &Message::new().add("www", 60, Rtype::A, "192.0.2.10"),
        &["www.example. 60 A 192.0.2.10 192.0.2.11"],
    );
    check(
        &Message::new().add("www", 60, Rtype::A, "192.0.2.12").add(
            "www",
            70,
            Rtype::A,
            "192.0.2.13",
        ),
        &["www.example. 70 A 192.0.2.10 192.0.2.11 192.0.2.12 192.0.2.13"],
    );
}

#[test]
fn a_cname_is_alone_at_its_name_and_what_would_join_it_is_ignored() {
    check(&Message::new().add("www", 60, Rtype::CNAME, "alias"), &[]);
    check(&Message::new().add("alias", 60, Rtype::A, "192.0.2.1"), &[]);
    check(
        &Message::new().add("alias", 60, Rtype::CNAME, "ns1"),
        &["alias.example. 60 CNAME ns1.example."],
    );
    // In the order of the message: once the name is empty, anything may come.
    check(
        &Message::new().clear("www", Rtype::ANY).add("www", 60, Rtype::CNAME, "ns1"),
        &["www.example. 0 A", "www.example. 60 CNAME ns1.example.", "www.example. 0 TXT"],
    );
    check(
        &Message::new().add("www", 60, Rtype::CNAME, "ns1").clear("www", Rtype::ANY),
        &["www.example. 0 A", "www.example. 0 TXT"],
    );
    check(
        &Message::new().add("hidden", 60, Rtype::CNAME, "ns1"),
        &["hidden.example. 60 CNAME ns1.example."],
    );
}

#[test]
fn the_apex_keeps_soa_and_ns() {
    check(&Message::new().clear("@", Rtype::ANY), &["example. 0 TXT"]);
    check(&Message::new().clear("@", Rtype::SOA).clear("@", Rtype::NS), &[]);
    let soa = "ns1 hostmaster 10 7200 900 1209600 300";
    check(&Message::new().delete("@", Rtype::SOA, soa), &[]);
    check(
        &Message::new().delete("@", Rtype::NS, "ns1").delete("@", Rtype::NS, "ns2"),
        &["example. 300 NS ns2.example."],
    );
    // Elsewhere the last one goes.
    let delegated = Message::new().add("sub", 60, Rtype::NS, "ns1").delete("sub", Rtype::NS, "ns1");
    check(&delegated, &[]);
}

#[test]
fn an_soa_counts_only_at_the_apex_and_with_a_serial_not_behind() {
    let with = |owner: &str, serial: u32| {
        let text = format!("ns2 hostmaster {serial} 1 2 3 4");
        Message::new().add(owner, 300, Rtype::SOA, &text).applied().unwrap()
    };
    assert!(with("@", 9).is_empty());
    assert!(with("@", 10u32.wrapping_sub(1 << 31)).is_empty(), "half of the space away");
    assert!(with("www", 11).is_empty());
    assert_eq!(with("@", 11), ["example. 300 SOA ns2.example. hostmaster.example. 11 1 2 3 4"]);
}

#[test]
fn of_one_service_there_is_one_wks() {
    let message = Message::new()
        .add("ns1", 60, Rtype::WKS, "192.0.2.1 6 25")
        .add("ns1", 60, Rtype::WKS, "192.0.2.1 6 80")
        .add("ns1", 60, Rtype::WKS, "192.0.2.1 17 53");
    // Octets of bit maps: port 80 is in the eleventh, 53 in the seventh.
    let lines = message.applied().unwrap();
    let data: Vec<&str> = lines[0].split("\\# ").skip(1).map(str::trim).collect();
    assert_eq!(data, ["12 c00002011100000000000004", "16 c0000201060000000000000000000080"]);
}

#[test]
fn a_thousand_records_at_one_name_take_no_time() {
    let mut message = Message::new();
    for number in 0..RECORDS_MAX {
        message = message.add("many", 60, Rtype::TXT, &format!("{number}"));
    }
    let began = std::time::Instant::now();
    assert_eq!(message.applied().unwrap().len(), 1);
    assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
}
