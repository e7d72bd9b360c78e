mod apart;

use std::path::Path;

use super::*;
use crate::master::{Input, NoIncludes, Options};
use crate::wire::Name;

/// Checks the text of a zone `example.` and returns `LINE RULE` of each finding.
fn found(text: &str) -> Vec<String> {
    let line = |finding: &crate::master::Finding| {
        let line = finding.place.as_ref().map_or(0, |place| place.line);
        format!("{line} {}", finding.rule)
    };
    checked(text, Signer::Other).findings.iter().map(line).collect()
}

/// Checks the text of a zone `example.`.
fn checked(text: &str, signer: Signer) -> Checked {
    let input = Input { file: Path::new("x"), bytes: text.as_bytes(), loader: &NoIncludes };
    let origin: Name = "example.".parse().unwrap();
    file(&input, &origin, &Options::default(), &Level::default(), signer, 1_800_000_000)
}

/// A zone with nothing wrong on lines 1 to 4, then `more`.
#[track_caller]
fn check(more: &str, expect: &[&str]) {
    let text = format!(
        "$TTL 3600\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n{more}"
    );
    assert_eq!(found(&text), expect, "{more}");
}

#[test]
fn a_good_zone_has_no_finding() {
    check("www CNAME ns\n*.w A 192.0.2.2\nsub NS ns.sub\nns.sub A 192.0.2.3\n", &[]);
}

#[test]
fn the_place_is_that_of_the_record_that_is_one_too_many() {
    check("a A 192.0.2.1\na A 192.0.2.2\na A 192.0.2.1\n", &["7 duplicate-record"]);
    check("a 60 A 192.0.2.1\na 61 A 192.0.2.2\n", &["6 ttl-differs"]);
    check("a CNAME ns\na CNAME www\nwww A 192.0.2.1\n", &["6 two-cnames"]);
    check("a CNAME ns\na A 192.0.2.1\n", &["6 cname-other-data"]);
}

#[test]
fn a_name_has_a_thousand_types_and_no_more() {
    let types = |count: u16| -> String {
        (0..count).map(|at| format!("many TYPE{} \\# 1 00\n", 2000 + at)).collect()
    };
    check(&types(1000), &[]);
    check(&types(1001), &["1005 types-too-many"]);
}

#[test]
fn hosts_of_delegations() {
    check("sub NS ns.sub\n", &["5 glue-missing"]);
    check("sub NS ns2\n", &["5 ns-target-no-address"]);
    check("sub NS w\nw CNAME ns\n", &["5 ns-target-cname"]);
    check("sub NS ns.other\nother NS ns.other\nns.other A 192.0.2.1\n", &[]);
    check("sub NS ns\nwww.sub A 192.0.2.1\n", &["6 occluded"]);
    check(
        "sub DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000\n",
        &["5 ds-not-at-cut"],
    );
}

#[test]
fn a_file_without_soa_is_told_once() {
    assert_eq!(found("$TTL 60\n@ NS ns\nns A 192.0.2.1\n"), ["1 no-soa"]);
}

#[test]
fn a_digest_that_is_not_the_zones_is_an_error() {
    let zeros = "0".repeat(96);
    check(&format!("@ ZONEMD 1 1 1 {zeros}\n"), &["5 zonemd-wrong"]);
    check("@ ZONEMD 1 1 241 000000000000000000000000\n", &["5 zonemd-scheme"]);
}

/// RFC 8976 appendix A.1, the simple zone.
#[test]
fn the_digest_of_rfc_8976_appendix_a_1_matches() {
    let text = "\
example.      86400  IN  SOA     ns1 admin 2018031900 (
                                 1800 900 604800 86400 )
              86400  IN  NS      ns1
              86400  IN  NS      ns2
              86400  IN  ZONEMD  2018031900 1 1 (
                                 c68090d90a7aed71
                                 6bc459f9340e3d7c
                                 1370d4d24b7e2fc3
                                 a1ddc0b9a87153b9
                                 a9713b3c9ae5cc27
                                 777f98b8e730044c )
ns1           3600   IN  A       203.0.113.63
ns2           3600   IN  AAAA    2001:db8::63
";
    assert_eq!(found(text), Vec::<String>::new());
}

/// RFC 8901, step 2 in docs/signing.md: the other signer's key is content of the file.
#[test]
fn a_key_of_another_signer_is_content_where_gapura_signs() {
    let key = "DNSKEY 257 3 13 Uuh2K4CJiqqh9jyuAbQsXsEyOdfE7RlqbP0UvwyshFkLci5fgN0QVXiXsM3P84DYcvsh\
               oZNLPcXYFW5kJ7FrQw==";
    let text = format!(
        "$TTL 3600\n@ SOA ns hostmaster 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n@ {key}\n"
    );
    for signer in [Signer::Policy, Signer::Keys] {
        let checked = checked(&text, signer);
        assert!(checked.findings.is_empty(), "{signer:?}: {:?}", checked.findings);
    }
    let refused = checked(&text, Signer::Other);
    assert_eq!((refused.errors, refused.findings[0].rule), (1, "signature-missing"));
    let hint = refused.findings[0].hint.as_deref().unwrap();
    assert!(hint.contains("`signing`"), "{hint}");
}

#[test]
fn signatures_in_a_file_are_checked_until_gapura_has_signed_the_zone() {
    let broken = include_str!("../../../tests/zones/bad/signature-missing.zone");
    for (signer, errors) in [(Signer::Other, 1), (Signer::Policy, 1), (Signer::Keys, 0)] {
        let checked = checked(broken, signer);
        assert_eq!(checked.errors, errors, "{signer:?}: {:?}", checked.findings);
        let mut hints = checked.findings.iter().filter_map(|finding| finding.hint.as_deref());
        assert!(!hints.any(|hint| hint.contains("`signing`")), "{signer:?}");
    }
}

#[test]
fn the_hash_of_a_name_that_left_breaks_the_chain() {
    let whole = include_str!("../../../tests/zones/good/signed-nsec3.zone");
    assert_eq!(found(whole), Vec::<String>::new());
    let gone = |line: &&str| !line.starts_with("sub.example.") && !line.starts_with("ns.sub.");
    let without: String = whole.lines().filter(gone).map(|line| format!("{line}\n")).collect();
    let faults = found(&without);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].ends_with(" nsec3-chain"), "{faults:?}");
}
