use super::*;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn text_and_wire_round_trip() {
    for text in [".", "a.", "kec-sumber.cirebonkab.go.id.", "\\.\\092\\000\\255.x.", "\\@\\$\\;."] {
        let parsed = name(text);
        assert_eq!(parsed.to_string(), text);
        assert_eq!(Name::from_wire(parsed.wire()).unwrap().0, parsed);
    }
}

#[test]
fn canonical_order_is_rfc_4034_section_6_1() {
    let sorted = [
        "example.",
        "a.example.",
        "yljkjljk.a.example.",
        "Z.a.example.",
        "zABC.a.EXAMPLE.",
        "z.example.",
        "\\001.z.example.",
        "*.z.example.",
        "\\200.z.example.",
    ];
    let mut names: Vec<_> = sorted.iter().rev().map(|text| name(text)).collect();
    names.sort();
    assert_eq!(names, sorted.map(name));
}

#[test]
fn ancestors_are_compared_by_labels_not_by_bytes() {
    let apex = name("cirebonkab.go.id.");
    assert!(name("a.CIREBONKAB.go.id.").as_ref().is_at_or_below(apex.as_ref()));
    assert!(apex.as_ref().is_at_or_below(apex.as_ref()));
    assert!(!name("xcirebonkab.go.id.").as_ref().is_at_or_below(apex.as_ref()));
    assert!(!name("go.id.").as_ref().is_at_or_below(apex.as_ref()));
}

#[test]
fn limits_are_named() {
    assert_eq!("a..b".parse::<Name>(), Err(NameError::EmptyLabel));
    assert_eq!("x".repeat(64).parse::<Name>(), Err(NameError::LabelTooLong));
    assert_eq!("abc.".repeat(64).parse::<Name>(), Err(NameError::NameTooLong));
    assert_eq!("a\\256".parse::<Name>(), Err(NameError::BadEscape));
    assert_eq!(Name::from_wire(b"\x03ab").map(|_| ()), Err(NameError::Cut));
    assert_eq!(Name::from_wire(b"\xc0\x00").map(|_| ()), Err(NameError::LabelTooLong));
}
