use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;
use crate::wire::Name;

fn origin() -> Name {
    "example.".parse().unwrap()
}

fn wire(rtype: &str, text: &str) -> Result<Vec<u8>, String> {
    let rtype: Rtype = rtype.parse().unwrap();
    parse(rtype, text.as_bytes(), origin().as_ref()).map_err(|error| error.to_string())
}

/// Text is read to RDATA that is written as `expected`, and that is read to the same RDATA.
#[track_caller]
fn check_text(rtype: &str, text: &str, expected: &str) {
    let number: Rtype = rtype.parse().unwrap();
    let first = wire(rtype, text).unwrap();
    check(number, &first).unwrap();
    assert_eq!(to_text(number, &first), expected);
    assert_eq!(wire(rtype, expected).as_deref(), Ok(first.as_slice()), "{expected}");
}

#[track_caller]
fn same(rtype: &str, text: &str) {
    check_text(rtype, text, text);
}

#[test]
fn every_type_of_the_list_is_written_and_read() {
    same("A", "192.0.2.1");
    same("AAAA", "2001:db8::1");
    check_text("NS", "ns1", "ns1.example.");
    check_text("CNAME", "@", "example.");
    same("DNAME", "other.example.");
    check_text(
        "SOA",
        "ns1 admin 7 2h 15m 2w 300",
        "ns1.example. admin.example. 7 7200 900 1209600 300",
    );
    same("PTR", "host.example.");
    check_text("MX", "10 mail", "10 mail.example.");
    check_text("TXT", "plain \"in quotes\" \"\"", "\"plain\" \"in quotes\" \"\"");
    same("SPF", "\"v=spf1 -all\"");
    same("RESINFO", "\"qnamemin\" \"exterr=15-17\"");
    same("SRV", "0 1 587 mail.example.");
    same("NAPTR", "100 10 \"S\" \"SIP+D2U\" \"!^.*$!sip:info@example.com!\" _sip._udp.example.");
    same("CAA", "0 issue \"letsencrypt.org; accounturi=https://x/1\"");
    check_text("CAA", "128 iodef mailto:a@b.example", "128 iodef \"mailto:a@b.example\"");
    same("URI", "10 1 \"https://example.com/a b\"");
    same("HINFO", "\"PC\" \"Linux\"");
    same("RP", "admin.example. .");
    same("AFSDB", "1 afs.example.");
    same("KX", "1 kx.example.");
    same("APL", "1:192.0.2.0/24 !1:192.0.2.128/25 2:2001:db8::/32 1:0.0.0.0/0");
    same("EUI48", "00-00-5e-00-53-2a");
    same("EUI64", "00-00-5e-ef-10-00-00-2a");
    check_text("NID", "10 14:4fff:ff20:ee64", "10 0014:4fff:ff20:ee64");
    same("L32", "10 10.1.2.0");
    same("L64", "10 2001:0db8:1140:1000");
    same("LP", "10 l64.example.");
    same("SSHFP", "4 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    same("TLSA", "3 1 1 0123456789abcdef");
    check_text("SMIMEA", "3 0 0 01 23 45 67", "3 0 0 01234567");
    same("OPENPGPKEY", "mQINBFRVAAAB");
    same("DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=");
    check_text("CERT", "PKIX 1 RSASHA256 AQID", "1 1 8 AQID");
    same("IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==");
    same("IPSECKEY", "10 0 0 .");
    same("IPSECKEY", "10 3 2 mygateway.example. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==");
    same("IPSECKEY", "10 2 2 2001:db8::1 AQ==");
    same("DSYNC", "CDS 1 5359 cds.example.");
    check_text("DSYNC", "CSYNC NOTIFY 5360 s", "CSYNC 1 5360 s.example.");
}

#[test]
fn dnssec_types_are_written_and_read() {
    let digest = "2bb183af5f22588179a53b0a98631fad1a292118bb183af5f22588179a53b0a9";
    same("DS", &format!("60485 13 2 {digest}"));
    check_text("CDS", "0 0 0 00", "0 0 0 00");
    check_text("CDNSKEY", "0 3 0 AA==", "0 3 0 AA==");
    check_text("DNSKEY", "256 3 RSASHA1 AQPSKmynfzW4 kyBv015M", "256 3 5 AQPSKmynfzW4kyBv015M");
    same("RRSIG", "A 13 3 86400 20300322173103 20300220173103 2642 example. AQID");
    check_text(
        "RRSIG",
        "TYPE65 13 3 1h 4294967295 0 2642 @ AQID",
        "HTTPS 13 3 3600 21060207062815 19700101000000 2642 example. AQID",
    );
    check_text("NSEC", "host MX A RRSIG NSEC TYPE1234", "host.example. A MX RRSIG NSEC TYPE1234");
    same("NSEC3", "1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX DNSKEY");
    same("NSEC3", "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr");
    same("NSEC3PARAM", "1 0 0 -");
    same("CSYNC", "66 3 A NS AAAA");
    same("ZONEMD", &format!("2018031900 1 1 {}", "c6".repeat(48)));
    same("ZONEMD", "2018031900 1 240 e2d523f654b9422a96c5a8f4");
}

#[test]
fn loc_is_that_of_rfc_1876() {
    check_text(
        "LOC",
        "42 21 54 N 71 06 18 W -24m 30m",
        "42 21 54.000 N 71 6 18.000 W -24.00m 30.00m 10000.00m 10.00m",
    );
    check_text("LOC", "6 S 108 E 12", "6 0 0.000 S 108 0 0.000 E 12.00m 1.00m 10000.00m 10.00m");
    let far = format!("1 N 0 E {}m", u64::MAX / 2);
    assert!(wire("LOC", &far).is_err(), "no altitude overflows");
    for bad in ["91 N 0 E 0", "90 0 0.001 N 0 E 0", "1 60 N 0 E 0", "1 N 0 E", "1 N 0 X 0"] {
        assert!(wire("LOC", bad).is_err(), "{bad}");
    }
}

#[test]
fn service_parameters_of_rfc_9460_appendix_d() {
    same("HTTPS", "0 foo.example.com.");
    same("SVCB", "1 .");
    check_text("SVCB", "16 foo.example.com. port=53", "16 foo.example.com. port=53");
    same("SVCB", "1 foo.example.com. key667=\"hello\"");
    check_text("SVCB", "1 foo.example.com. key1=\\002h2", "1 foo.example.com. alpn=\"h2\"");
    check_text("SVCB", "1 foo.example.com. key3=\\000\\053", "1 foo.example.com. port=53");
    same("SVCB", "1 foo.example.com. key667=\"hello\\210qoo\"");
    check_text(
        "SVCB",
        "1 foo.example.com. ipv6hint=\"2001:db8::1,2001:db8::53:1\"",
        "1 foo.example.com. ipv6hint=2001:db8::1,2001:db8::53:1",
    );
    check_text(
        "SVCB",
        "16 foo.example.org. (alpn=h2,h3-19 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1)"
            .replace(['(', ')'], "")
            .as_str(),
        "16 foo.example.org. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1",
    );
    let odd = wire("SVCB", "16 foo.example.org. alpn=\"f\\\\\\\\oo\\\\,bar,h2\"").unwrap();
    assert!(odd.ends_with(b"\x00\x01\x00\x0c\x08f\\oo,bar\x02h2"), "{odd:?}");
    assert_eq!(wire("SVCB", "16 foo.example.org. alpn=f\\\\\\092oo\\092,bar,h2").unwrap(), odd);
    let text = to_text(Rtype::SVCB, &odd);
    assert_eq!(wire("SVCB", &text).unwrap(), odd, "{text}");
    check_text(
        "HTTPS",
        "1 web no-default-alpn alpn=h2 dohpath=/dns-query{?dns} ohttp ech=AAA= tls-supported-groups=29,23",
        "1 web.example. alpn=\"h2\" no-default-alpn ech=AAA= dohpath=\"/dns-query{?dns}\" ohttp tls-supported-groups=29,23",
    );
    for bad in [
        "1 foo key123=abc key123=def",
        "1 foo mandatory",
        "1 foo alpn",
        "1 foo port",
        "1 foo ipv4hint",
        "1 foo ipv6hint",
        "1 foo no-default-alpn=abc alpn=h2",
        "1 foo mandatory=key123",
        "1 foo mandatory=mandatory",
        "1 foo mandatory=key123,key123 key123=abc",
        "1 foo no-default-alpn",
        "1 foo port=65536",
        "1 foo key65535=x",
        "1 foo key012=x",
        "1 foo Port=1",
        "1 foo alpn=h2,,h3",
    ] {
        assert!(wire("SVCB", bad).is_err(), "{bad}");
    }
}

#[test]
fn faults_are_named_at_their_word() {
    #[track_caller]
    fn fault(rtype: &str, text: &str, token: usize, message: &str) {
        let rtype: Rtype = rtype.parse().unwrap();
        let error = parse(rtype, text.as_bytes(), origin().as_ref()).unwrap_err();
        assert_eq!((error.token, &*error.message), (token, message));
    }
    fault("A", "192.0.2.999", 0, "\"192.0.2.999\" is not an IPv4 address");
    fault("A", "192.0.2.01", 0, "\"192.0.2.01\" is not an IPv4 address");
    fault("A", "192.0.2.1 x", 1, "\"x\" is more than A takes");
    fault("A", "", 0, "the data ends before an IPv4 address");
    fault("AAAA", "2001:db8::g", 0, "\"2001:db8::g\" is not an IPv6 address");
    fault("MX", "mail", 0, "\"mail\" is not a number from 0 to 65535");
    fault("MX", "10 mail..x", 1, "\"mail..x\": a label is empty");
    fault("DS", "1 13 2 00", 3, "a field of the RDATA has a wrong length");
    fault("TXT", "a ; b", 1, "`;` has to be written as `\\;` here");
    fault("TYPE999", "x", 0, "the data of TYPE999 has no text form");
    fault("A", "\\# 4 01020", 2, "the octets are not hexadecimal, two digits each");
    fault("A", "\\# 3 010203", 0, "the RDATA is cut short");
    fault("A", "\\# 4 010203", 1, "the length is 4 but 3 octets follow");
}

#[test]
fn rfc_3597_is_read_for_known_types_too() {
    check_text("A", "\\# 4 C0 00 02 01", "192.0.2.1");
    check_text("TYPE62347", "\\# 3 abcdef", "\\# 3 abcdef");
    check_text("TYPE62347", "\\# 0", "\\# 0");
}

#[test]
fn text_of_a_request_is_one_record_or_none() {
    let bad = ["a\nb A 192.0.2.1", "\"a\nb\"", "a\rb", "a\0b", "(a", "a)", "a;b", "\"open", "a\\"];
    for text in bad {
        assert!(wire("TXT", text).is_err(), "{text:?}");
    }
    check_text("TXT", "$INCLUDE @", "\"$INCLUDE\" \"@\"");
}

#[test]
fn names_inside_are_found_and_lowered_as_rfc_4034_says() {
    let srv = wire("SRV", "1 2 3 Mail.Example.").unwrap();
    let found: Vec<_> = names(Rtype::SRV, &srv).map(|(at, name)| (at, name.to_string())).collect();
    assert_eq!(found, [(6, "Mail.Example.".to_owned())]);
    assert!(canonical(Rtype::SRV, &srv).ends_with(b"\x04mail\x07example\0"));
    let soa = wire("SOA", "A B 1 2 3 4 5").unwrap();
    assert_eq!(names(Rtype::SOA, &soa).count(), 2);
    let nsec = wire("NSEC", "Next A").unwrap();
    assert_eq!(&*canonical(Rtype::NSEC, &nsec), nsec.as_slice());
    let gateway = wire("IPSECKEY", "1 3 0 Gate").unwrap();
    assert_eq!(names(Rtype::IPSECKEY, &gateway).next().unwrap().0, 3);
}

#[test]
fn broken_wire_is_told_and_never_panics() {
    assert_eq!(check(Rtype::A, &[1, 2, 3]), Err(RdataError::Cut));
    assert_eq!(check(Rtype::A, &[1, 2, 3, 4, 5]), Err(RdataError::Trailing));
    assert_eq!(check(Rtype::TXT, &[]), Err(RdataError::Cut));
    assert_eq!(check(Rtype::NSEC, &[0, 0, 1, 0]), Err(RdataError::Bitmap));
    assert_eq!(check(Rtype::NSEC, &[0, 1, 1, 64, 0, 1, 64]), Err(RdataError::Bitmap));
    // A length that wraps (NSD CVE-2026-12244), an APL item that is cut (CVE-2026-12246).
    assert_eq!(check(Rtype::SVCB, &[0, 1, 0, 0, 1, 0xff, 0xff]), Err(RdataError::Cut));
    assert_eq!(check(Rtype::APL, &[0, 1, 24, 0x7f, 1]), Err(RdataError::Cut));
    assert_eq!(check(Rtype::SVCB, &[0, 1, 0, 0, 3, 0, 1, 1]), Err(RdataError::Param(3)));
}

/// Every type with known fields, and one without.
fn any_type() -> impl Strategy<Value = Rtype> {
    prop_oneof![9 => prop::sample::select(typed()), 1 => Just(Rtype(65_280))]
}

/// The types whose fields are known.
fn typed() -> Vec<Rtype> {
    (1..=u16::MAX).map(Rtype).filter(|rtype| rtype.fields().is_some()).collect()
}

/// Octets that fit a field, mostly.
fn fitting(field: Field) -> BoxedStrategy<Vec<u8>> {
    let some = |octets: std::ops::RangeInclusive<usize>| prop::collection::vec(any::<u8>(), octets);
    let counted = move |least: usize| {
        some(least..=40).prop_map(|octets| [&[octets.len() as u8][..], &octets].concat())
    };
    let name = || {
        let label = prop::collection::vec(any::<u8>(), 1..=8)
            .prop_map(|octets| [&[octets.len() as u8][..], &octets].concat());
        prop::collection::vec(label, 0..=4).prop_map(|labels| [&labels.concat()[..], &[0]].concat())
    };
    let bitmap = |least: usize| {
        prop::collection::btree_set(any::<u16>(), least..=6).prop_map(|types| {
            let mut out = Vec::new();
            write_types(&types.into_iter().collect::<Vec<_>>(), &mut out);
            out
        })
    };
    let behind = |head: Vec<u8>, rest: BoxedStrategy<Vec<u8>>| {
        rest.prop_map(move |rest| [&head[..], &rest].concat()).boxed()
    };
    match field {
        Field::U8 | Field::Algorithm | Field::Scheme => some(1..=1).boxed(),
        Field::U16 | Field::Type | Field::CertType => some(2..=2).boxed(),
        Field::U32 | Field::Period | Field::Time | Field::V4 => some(4..=4).boxed(),
        Field::Eui48 => some(6..=6).boxed(),
        Field::Eui64 | Field::Groups64 => some(8..=8).boxed(),
        Field::V6 => some(16..=16).boxed(),
        Field::Name | Field::NameKept => name().boxed(),
        Field::String | Field::Salt => counted(0).boxed(),
        Field::Hash => {
            prop_oneof![counted(1), some(20..=20).prop_map(|it| [&[20][..], &it].concat())].boxed()
        }
        Field::Strings => {
            prop::collection::vec(counted(0), 1..=3).prop_map(|it| it.concat()).boxed()
        }
        Field::Tag => "[a-zA-Z0-9]{1,12}"
            .prop_map(|tag| [&[tag.len() as u8][..], tag.as_bytes()].concat())
            .boxed(),
        Field::Text | Field::Base64OrNone => some(0..=40).boxed(),
        // Lengths of digests are among them.
        Field::Hex | Field::Base64 | Field::TextNotEmpty => {
            prop_oneof![some(1..=40), some(20..=20), some(32..=32), some(48..=48)].boxed()
        }
        Field::Types => bitmap(1).boxed(),
        Field::TypesOrNone => bitmap(0).boxed(),
        Field::Apl => prop_oneof![
            (0..=32u8, some(1..=1), any::<bool>()).prop_map(|(prefix, octet, not)| {
                // The last octet that is written is not 0, and has no bit behind the prefix.
                let used = octet[0] & (0xffu16 << (8 - prefix.min(8))) as u8;
                let afd: &[u8] = if used == 0 { &[] } else { &[used] };
                [&[0, 1, prefix, u8::from(not) << 7 | afd.len() as u8][..], afd].concat()
            }),
            Just(Vec::new())
        ]
        .boxed(),
        Field::Loc => (0..1u32 << 29, 0..1u32 << 29, any::<u32>(), 0..=9u8, 1..=9u8)
            .prop_map(|(latitude, longitude, altitude, exponent, mantissa)| {
                let size = mantissa << 4 | exponent;
                let angles = [(1 << 31) + latitude / 2, (1 << 31) - longitude, altitude];
                let angles = angles.map(u32::to_be_bytes).concat();
                [&[0, size, 0x16, 0x13][..], &angles].concat()
            })
            .boxed(),
        Field::Params => prop::collection::btree_map(7..=400u16, some(0..=12), 0..=3)
            .prop_map(|params| {
                let one = |(key, value): (u16, Vec<u8>)| {
                    [&key.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), &value].concat()
                };
                params.into_iter().flat_map(one).collect()
            })
            .boxed(),
        Field::Gateway => prop_oneof![
            Just(vec![0, 0]),
            behind(vec![1, 2], some(4..=4).boxed()),
            behind(vec![2, 2], some(16..=16).boxed()),
            behind(vec![3, 2], name().boxed()),
        ]
        .boxed(),
        Field::Rare(Rare::A6) => {
            prop_oneof![behind(vec![0], some(16..=16).boxed()), behind(vec![128], name().boxed()),]
                .boxed()
        }
        Field::Rare(Rare::Hip) => behind(vec![2, 1, 0, 3, 1, 2, 3, 4, 5], name().boxed()),
        Field::Rare(Rare::Doa) => behind(vec![0; 10], some(0..=20).boxed()),
        Field::Rare(Rare::Relay) => prop_oneof![
            Just(vec![0x80]),
            behind(vec![1], some(4..=4).boxed()),
            behind(vec![3], name().boxed()),
        ]
        .boxed(),
        Field::Rare(Rare::Wks | Rare::Nsap | Rare::Atma | Rare::OldTypes) => some(5..=20).boxed(),
    }
}

/// RDATA made for a type, field by field.
fn made_for(rtype: Rtype) -> BoxedStrategy<(Rtype, Vec<u8>)> {
    let fields: Vec<_> = rtype.fields().unwrap().iter().map(|field| fitting(*field)).collect();
    fields.prop_map(move |octets| (rtype, octets.concat())).boxed()
}

/// What is valid on the wire is written as text that is read to the same octets.
fn survives_text(rtype: Rtype, bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let text = to_text(rtype, &bytes);
    prop_assert!(!text.bytes().any(|b| b == b'\n' || b == 0));
    if check(rtype, &bytes).is_ok() {
        let again = parse(rtype, text.as_bytes(), origin().as_ref());
        prop_assert_eq!(again.map_err(|e| format!("{rtype}: {e}: {text}")), Ok(bytes));
    }
    Ok(())
}

/// The data of each type is tried: of what is made for it, some is valid.
#[test]
fn no_type_is_left_out_of_the_round_trips() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for rtype in typed() {
        let made = made_for(rtype);
        let mut valid = 0;
        for _ in 0..200 {
            let (rtype, bytes) = made.new_tree(&mut runner).unwrap().current();
            valid += usize::from(check(rtype, &bytes).is_ok());
            survives_text(rtype, bytes).unwrap();
        }
        assert!(valid >= 5, "{rtype}: {valid} of 200 are valid");
    }
}

proptest! {
    /// Octets without a pattern.
    #[test]
    fn valid_wire_survives_text(rtype in any_type(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        survives_text(rtype, bytes)?;
    }

    /// Octets made for the type.
    #[test]
    fn what_is_made_for_a_type_survives_text((rtype, bytes) in prop::sample::select(typed()).prop_flat_map(made_for)) {
        survives_text(rtype, bytes)?;
    }

    /// No text does harm.
    #[test]
    fn any_text_is_read_or_refused(rtype in any_type(), text in "\\PC{0,60}|[ -~]{0,60}") {
        if let Ok(bytes) = parse(rtype, text.as_bytes(), origin().as_ref()) {
            prop_assert_eq!(check(rtype, &bytes), Ok(()));
        }
    }
}

#[test]
fn rare_types_are_read_and_written_in_the_generic_form() {
    let generic = |rtype: &str, text: &str| {
        let number: Rtype = rtype.parse().unwrap();
        let first = wire(rtype, text).unwrap();
        check(number, &first).unwrap();
        let (mut portable, mut hex) = (String::new(), String::new());
        write_portable(number, &first, &mut portable);
        write_generic(&first, &mut hex);
        assert_eq!(portable, hex, "{rtype}");
        assert_eq!(wire(rtype, &portable).as_deref(), Ok(first.as_slice()), "{rtype}");
        hex
    };
    // RFC 8005 §6.
    let hip = generic("HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAQ== rvs.example.com. a");
    assert!(hip.contains(" 10020004200100107b1a74df365639cc39f1d57803010001"), "{hip}");
    assert_eq!(generic("AMTRELAY", "10 0 1 203.0.113.15"), "\\# 6 0a01cb00710f");
    assert_eq!(generic("AMTRELAY", "10 1 0 ."), "\\# 2 0a80");
    assert_eq!(generic("WKS", "192.0.2.1 TCP smtp 0"), "\\# 9 c00002010680000040");
    assert_eq!(generic("NSAP", "0x47.0005.80"), "\\# 4 47000580");
    assert_eq!(generic("ATMA", "+61.2"), "\\# 4 01363132");
    assert_eq!(generic("A6", "64 ::1 p"), "\\# 20 4000000000000000010170076578616d706c6500");
    assert_eq!(generic("A6", "0 2001:db8::1"), "\\# 17 0020010db8000000000000000000000001");
    assert_eq!(generic("NXT", "n A NXT"), "\\# 15 016e076578616d706c650040000002");
    assert_eq!(generic("SINK", "1 2 3 AQ=="), "\\# 4 01020301");
    assert_eq!(generic("DOA", "0 1 2 \"\" -"), "\\# 10 00000000000000010200");
    assert_eq!(generic("MD", "a"), "\\# 11 0161076578616d706c6500");
    assert_eq!(generic("HHIT", "AQID"), "\\# 3 010203");
    same("KEY", "512 255 1 AQ==");
    same("KEY", "49664 255 3");
    for (rtype, text) in [
        ("HIP", "2 AB"),
        ("AMTRELAY", "10 2 1 192.0.2.1"),
        ("AMTRELAY", "10 0 1 2001:db8::1"),
        ("NXT", "n TYPE300"),
        ("WKS", "192.0.2.1 tcp nonesuch"),
        ("A6", "129 :: a"),
    ] {
        assert!(wire(rtype, text).is_err(), "{rtype} {text}");
    }
}

#[test]
fn faults_say_their_cause() {
    let why = |rtype, text| wire(rtype, text).unwrap_err();
    assert_eq!(why("A", "\"192.0.2.9\""), "\"192.0.2.9\" is in quotes, and an IPv4 address is not");
    assert!(why("SVCB", "1 . no-default-alpn").starts_with("no-default-alpn stands without alpn"));
    assert!(why("SVCB", "1 . mandatory=port alpn=h2").starts_with("mandatory names key3"));
    let groups = why("HTTPS", "1 . tls-supported-groups=29,23,29");
    assert!(groups.ends_with("is not a list of numbers, each once"), "{groups}");
    let hash = why("NSEC3", "1 0 0 - CPNMU A");
    assert!(hash.contains("20 octets"), "{hash}");
    // What is private has any length (RFC 8976 §5.2).
    assert!(wire("ZONEMD", "1 240 1 00").is_ok() && wire("ZONEMD", "1 1 240 00").is_ok());
    assert!(wire("ZONEMD", "1 1 3 00").is_err());
}
