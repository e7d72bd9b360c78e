//! Who may: keys, names, types, and what may be asked.

use super::*;

/// One grant.
fn grant(key: &str, names: &[&str], types: &[&str], how: How) -> Grant {
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let (names, types) = (texts(names), texts(types));
    Grant::read(name("@").as_ref(), key.parse().unwrap(), (&names, &types), how).unwrap()
}

/// The grants of the tests here.
fn grants() -> Grants {
    Grants::new(
        name("@"),
        vec![
            grant("acme.", &["_acme-challenge", "_acme-challenge.*"], &["TXT"], How::Direct),
            grant("dhcp.", &["*.dyn"], &[], How::Direct),
            grant("office.", &["www"], &["A"], How::Direct),
            grant("office.", &["*"], &["A", "TXT", "SRV"], How::Propose),
            grant("all.", &["@", "*"], &[], How::Direct),
            grant("ns.", &["@"], &["NS"], How::Direct),
        ],
    )
}

/// What a key may have done.
fn judged(key: &str, message: &Message) -> Result<How, String> {
    let zone = zone();
    let update = message.read().unwrap();
    let view = View { zone: &zone, hides: is_own };
    let judged = grants().judge(&key.parse().unwrap(), &update, &view);
    judged.map_err(|denied| denied.to_string())
}

/// Whether a key may add a record.
fn may(key: &str, owner: &str, rtype: Rtype) -> bool {
    let text = match rtype {
        Rtype::A => "192.0.2.1",
        Rtype::NS | Rtype::DNAME => "ns1",
        _ => "x",
    };
    judged(key, &Message::new().add(owner, 60, rtype, text)).is_ok()
}

#[test]
fn names_are_matched_by_labels() {
    for (pattern, yes, no) in [
        ("@", &["@"][..], &["www", "x.@"][..]),
        ("www", &["www", "WWW"], &["xwww", "www.x", "x.www", "@"]),
        ("*", &["www", "a.b.c"], &["@"]),
        (
            "_acme-challenge.*",
            &["_acme-challenge.www", "_ACME-challenge.a.b"],
            &["_acme-challenge", "x._acme-challenge.www", "x_acme-challenge.www"],
        ),
        ("*.dyn", &["a.dyn", "a.b.dyn"], &["dyn", "adyn", "dyn.a"]),
        ("a.*.b.*", &["a.x.b.y", "a.b.b.b", "a.x.b.b.y"], &["a.b.y", "a.x.b", "x.a.x.b.y"]),
        ("*.*", &["a.b", "a.b.c"], &["a"]),
        ("\\*.app", &["*.app"], &["x.app"]),
        ("www.example.", &["www"], &["www.example"]),
        ("example.", &["@"], &["example"]),
        ("a\\.b", &["a\\.b"], &["a.b"]),
    ] {
        let read = Pattern::read(pattern, name("@").as_ref()).unwrap();
        let matches = |text: &str| read.matches(name(text).as_ref(), name("@").as_ref());
        yes.iter().for_each(|text| assert!(matches(text), "{pattern} is {text}"));
        no.iter().for_each(|text| assert!(!matches(text), "{pattern} is not {text}"));
        assert!(!matches("www.other."));
    }
}

#[test]
fn an_asterisk_that_is_part_of_a_label_is_no_pattern() {
    for text in ["a*", "*a.b", "x.a*b"] {
        let read = Pattern::read(text, name("@").as_ref());
        assert_eq!(read, Err(PatternFault::PartOfLabel), "{text}");
    }
    assert!(Pattern::read("a\\*.b", name("@").as_ref()).is_ok());
}

#[test]
fn a_long_pattern_of_asterisks_takes_no_time() {
    let pattern = Pattern::read(&format!("{}x", "*.".repeat(60)), name("@").as_ref()).unwrap();
    let long = name("a.".repeat(120).trim_end_matches('.'));
    let began = std::time::Instant::now();
    assert!(!pattern.matches(long.as_ref(), name("@").as_ref()));
    assert!(began.elapsed().as_millis() < 100);
}

#[test]
fn a_grant_is_by_key_name_and_type() {
    assert!(may("acme.", "_acme-challenge.www", Rtype::TXT));
    assert!(may("ACME.", "_Acme-Challenge.a.b", Rtype::TXT));
    assert!(!may("acme.", "_acme-challenge.www", Rtype::A));
    assert!(!may("acme.", "www", Rtype::TXT));
    assert!(!may("nobody.", "_acme-challenge.www", Rtype::TXT));
    assert!(may("dhcp.", "pc.dyn", Rtype::A) && may("dhcp.", "pc.dyn", Rtype::SPF));
    // Without types, none that reaches further than its name.
    assert!(!may("all.", "sub", Rtype::NS) && !may("all.", "sub", Rtype::DNAME));
    assert!(may("ns.", "@", Rtype::NS));
    assert!(grants().has(&"dhcp.".parse().unwrap()) && !grants().has(&"x.".parse().unwrap()));
}

#[test]
fn one_record_without_a_grant_refuses_all() {
    let both = Message::new().add("_acme-challenge.www", 60, Rtype::TXT, "x");
    let both = both.add("www", 60, Rtype::A, "192.0.2.1");
    let why = judged("acme.", &both).unwrap_err();
    assert_eq!(why, "no grant of this key covers www.example. A");
}

#[test]
fn all_of_a_name_goes_only_if_all_of_it_is_covered() {
    // `www` has A and TXT.
    assert!(judged("all.", &Message::new().clear("www", Rtype::ANY)).is_ok());
    assert_eq!(judged("office.", &Message::new().clear("www", Rtype::ANY)), Ok(How::Propose));
    assert!(judged("acme.", &Message::new().clear("_acme-challenge.x", Rtype::ANY)).is_ok());
    // The apex has NS, which stays, and TXT, which the key may not delete.
    assert!(judged("ns.", &Message::new().clear("@", Rtype::ANY)).is_err());
    assert!(judged("all.", &Message::new().clear("@", Rtype::ANY)).is_ok());
}

#[test]
fn an_update_is_proposed_if_any_of_it_is() {
    let www = Message::new().add("www", 60, Rtype::A, "192.0.2.1");
    assert_eq!(judged("office.", &www), Ok(How::Direct));
    assert_eq!(judged("office.", &www.add("new", 60, Rtype::A, "192.0.2.1")), Ok(How::Propose));
}

#[test]
fn nobody_asks_about_names_that_it_may_not_write() {
    let asks = |key, owner, rtype| {
        judged(key, &Message::new().needs(owner, Class::NONE, rtype, "")).is_ok()
    };
    assert!(asks("acme.", "_acme-challenge.www", Rtype::ANY));
    assert!(asks("dhcp.", "pc.dyn", Rtype::DHCID));
    assert!(!asks("acme.", "www", Rtype::ANY) && !asks("acme.", "www", Rtype::A));
    assert!(asks("acme.", "@", Rtype::SOA) && !asks("acme.", "@", Rtype::TXT));
}

#[test]
fn a_grant_that_makes_no_sense_is_told_in_full() {
    let texts = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let names = texts(&["", ".", "a..b", "www.other.", "ok"]);
    let types = texts(&["A", "HTML", "SOA", "rrsig", "ANY"]);
    let read = Grant::read(name("@").as_ref(), name("k"), (&names, &types), How::Direct);
    assert_eq!(read.unwrap_err().len(), 8);
    let read = Grant::read(name("@").as_ref(), name("k"), (&[], &[]), How::Direct);
    assert_eq!(read, Err(vec![GrantFault::NoNames]));
}
