use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::*;
use crate::testing::Random;
use crate::wire::{Name, NameRef, Record, Rtype};

/// Parses the text of the zone `example.` with files beside it.
fn read_with(text: &[u8], files: &[(&str, &str)], options: &Options) -> (Vec<Record>, Parsed) {
    let files: HashMap<PathBuf, _> =
        files.iter().map(|(name, text)| (name.into(), text.as_bytes().into())).collect();
    let loader = Memory(files);
    let input = Input { file: Path::new("zones/example.zone"), bytes: text, loader: &loader };
    let origin: Name = "example.".parse().unwrap();
    let mut records = Vec::new();
    let parsed = parse(&input, origin.as_ref(), options, &mut |record, at| {
        records.push(record.to_record());
        assert!(at.line > 0 && at.start <= at.end);
    });
    assert_eq!(parsed.records, records.len());
    (records, parsed)
}

fn read(text: &[u8]) -> (Vec<Record>, Parsed) {
    read_with(text, &[], &Options::default())
}

fn lines(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| print_record(record.as_ref())).collect()
}

/// The text is read to these records without a finding.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (records, parsed) = read(text.as_bytes());
    assert_eq!(parsed.findings, []);
    assert_eq!(lines(&records), expected, "{text}");
}

/// The text has these faults, `LINE:COLUMN RULE`.
#[track_caller]
fn faults(text: &[u8], expected: &[&str]) {
    let (_, parsed) = read(text);
    let found: Vec<String> = parsed
        .findings
        .iter()
        .map(|finding| {
            let place = finding.place.as_ref().unwrap();
            format!("{}:{} {}", place.line, place.column, finding.rule)
        })
        .collect();
    assert_eq!(found, expected, "{:#?}", parsed.findings);
    assert_eq!(parsed.errors + parsed.warnings, found.len());
}

//------------ RFC 1035 §5 ---------------------------------------------------

#[test]
fn owners_ttls_and_classes_in_every_order() {
    check(
        "$TTL 3600\n\
         @ 1h IN A 192.0.2.1\n\
         \tIN 2h A 192.0.2.2\n\
         a 60 A 192.0.2.3\n\
         b.example. in a 192.0.2.4\n\
         c CLASS1 1w2d3h4m5s TYPE1 \\# 4 C0000205\n",
        &[
            "example. 3600 IN A 192.0.2.1",
            "example. 7200 IN A 192.0.2.2",
            "a.example. 60 IN A 192.0.2.3",
            "b.example. 3600 IN A 192.0.2.4",
            "c.example. 788645 IN A 192.0.2.5",
        ],
    );
}

#[test]
fn without_ttl_directive_the_last_ttl_is_used() {
    check(
        "a 60 A 192.0.2.1\nb A 192.0.2.2\n$TTL 5\nc A 192.0.2.3\nd 7 A 192.0.2.4\ne A 192.0.2.5\n",
        &[
            "a.example. 60 IN A 192.0.2.1",
            "b.example. 60 IN A 192.0.2.2",
            "c.example. 5 IN A 192.0.2.3",
            "d.example. 7 IN A 192.0.2.4",
            "e.example. 5 IN A 192.0.2.5",
        ],
    );
    faults(b"a A 192.0.2.1\n", &["1:3 no-ttl"]);
    faults(b"@ SOA a b 1 2 3 4 300\na A 192.0.2.1\n", &["1:3 ttl-from-minimum"]);
}

#[test]
fn parentheses_comments_and_line_ends() {
    check(
        "$TTL 60 ; seconds\r\n\
         ; a comment\r\n\
         \r\n\
         @ SOA ns ( admin ; comment with ) and \" in it\r\n\
         \t1 2 3\r\n\
         4 5 ) ; end\r\n\
         a ( A\n192.0.2.1 )\n   \n\
         b (TXT) \"x\"(\n\"y\")",
        &[
            "example. 60 IN SOA ns.example. admin.example. 1 2 3 4 5",
            "a.example. 60 IN A 192.0.2.1",
            "b.example. 60 IN TXT \"x\" \"y\"",
        ],
    );
}

#[test]
fn quotes_and_escapes() {
    check(
        "$TTL 60\n\
         a\\.b\\;\\(\\032c TXT \"a;b(c) \\\"d\\\" \\065\" e\\ f\n\
         \\@ TXT \"\"\n\
         \\$x CNAME @\n\
         q TXT \"a\"\"b\"\n\
         \\255 A 192.0.2.1\n",
        &[
            "a\\.b\\;\\(\\032c.example. 60 IN TXT \"a;b(c) \\\"d\\\" A\" \"e f\"",
            "\\@.example. 60 IN TXT \"\"",
            "\\$x.example. 60 IN CNAME example.",
            "q.example. 60 IN TXT \"a\" \"b\"",
            "\\255.example. 60 IN A 192.0.2.1",
        ],
    );
    let (records, parsed) = read(b"$TTL 1\n\xc3\xa9\x80 A 192.0.2.1\n");
    assert_eq!(
        (parsed.errors, lines(&records)[0].as_str()),
        (0, "\\195\\169\\128.example. 1 IN A 192.0.2.1")
    );
}

#[test]
fn origins_change_and_may_be_relative() {
    check(
        "$TTL 1\n$ORIGIN sub\na A 192.0.2.1\n$ORIGIN deep\na A 192.0.2.2\n$ORIGIN .\nb.example A 192.0.2.3\n  AAAA ::1\n",
        &[
            "a.sub.example. 1 IN A 192.0.2.1",
            "a.deep.sub.example. 1 IN A 192.0.2.2",
            "b.example. 1 IN A 192.0.2.3",
            "b.example. 1 IN AAAA ::1",
        ],
    );
}

//------------ Faults --------------------------------------------------------

#[test]
fn every_fault_is_told_and_reading_goes_on() {
    faults(
        b"$TTL 60\n\
          a A 192.0.2.999\n\
          b A 192.0.2.1\n\
          $NOPE\n\
          c MX mail\n\
          d TYPO x\n\
          e A\n\
          f\n\
          g CH A 192.0.2.1\n\
          h 4294967296 A 192.0.2.1\n\
          i..j A 192.0.2.1\n\
          k ANY x\n\
          l \"A\" 192.0.2.1\n\
          $TTL x\n\
          $ORIGIN\n\
          $TTL 1 2\n",
        &[
            "2:5 bad-rdata",
            "4:1 unknown-directive",
            "5:6 bad-rdata",
            "6:3 unknown-type",
            "7:4 bad-rdata",
            "8:2 unknown-type",
            "9:3 wrong-class",
            "10:3 bad-ttl",
            "11:1 bad-name",
            "12:3 meta-type",
            "13:3 unknown-type",
            "14:6 bad-ttl",
            "15:8 bad-directive",
            "16:8 bad-directive",
        ],
    );
}

#[test]
fn bytes_that_do_not_belong_are_named() {
    faults(b"\xef\xbb\xbf$TTL 60\na A 192.0.2.1\n", &["1:1 byte-order-mark"]);
    faults(
        b"$TTL 60\na TXT x\0y\nb TXT \"x\0y\"\n; \0\nc TXT \\000\n",
        &["2:8 nul-byte", "3:9 nul-byte", "4:3 nul-byte"],
    );
    faults(b"$TTL 60\na\rA 192.0.2.1\n", &["2:2 carriage-return"]);
    faults(b"$TTL 60\na TXT x\"y\"\nb TXT \"x\"y\n", &["2:8 quote-in-word", "3:10 quote-in-word"]);
    faults(b"$TTL 60\na SVCB 1 b. alpn=\"h2\"x\n", &["2:22 quote-in-word"]);
    faults(
        b"$TTL 60\na TXT \\256\nb TXT \\\nc\\300 A 192.0.2.1\n",
        &["2:7 bad-rdata", "3:7 bad-escape", "4:1 bad-escape"],
    );
}

#[test]
fn an_open_quote_does_not_swallow_the_file() {
    let text = b"$TTL 60\na TXT \"open\nb A 192.0.2.1\nc TXT ( \"open\n \"two\" )\nd A 192.0.2.2\n";
    faults(text, &["2:7 unclosed-quote", "4:9 unclosed-quote"]);
    assert_eq!(
        lines(&read(text).0),
        ["b.example. 60 IN A 192.0.2.1", "d.example. 60 IN A 192.0.2.2"]
    );
}

#[test]
fn an_open_parenthesis_does_not_swallow_the_file() {
    let text = b"$TTL 60\n@ SOA a b (\n 1 2 3 4 5\na A 192.0.2.1\nb A 192.0.2.9999\n";
    faults(text, &["2:11 unclosed-parenthesis", "5:5 bad-rdata"]);
    assert_eq!(lines(&read(text).0), ["a.example. 60 IN A 192.0.2.1"]);
    faults(b"$TTL 60\na ) A 192.0.2.1\n", &["2:3 stray-parenthesis"]);
    let many = "a (\n".repeat(10_000);
    let (_, parsed) = read(many.as_bytes());
    assert!(parsed.errors < 100, "the time must not grow with the square of the size");
}

#[test]
fn a_record_behind_a_bad_owner_is_not_given_to_the_name_before() {
    let (records, parsed) =
        read(b"$TTL 1\na A 192.0.2.1\nb..c A 192.0.2.2\n  TXT x\nd A 192.0.2.3\n");
    assert_eq!((records.len(), parsed.errors), (2, 1));
    faults(b"  A 192.0.2.1\n", &["1:3 no-owner"]);
}

#[test]
fn records_behind_a_bad_owner_are_read_for_their_own_faults() {
    let text = b"$TTL 60\na..b A 192.0.2.1\n A 192.0.2.999\n A 192.0.2.2\n TXT \"open\n MX x y\n";
    faults(text, &["2:1 bad-name", "3:4 bad-rdata", "5:6 unclosed-quote", "6:5 bad-rdata"]);
}

#[test]
fn limits_are_held() {
    let limits = |options: Options, text: &str| {
        let (_, parsed) = read_with(text.as_bytes(), &[], &options);
        parsed.findings.first().map(|finding| finding.rule)
    };
    let text = "$TTL 1\na A 192.0.2.1\nb A 192.0.2.2\nc A 192.0.2.3\n";
    let default = Options::default;
    assert_eq!(limits(default(), text), None);
    assert_eq!(limits(Options { file_octets_max: 10, ..default() }, text), Some("limit"));
    assert_eq!(limits(Options { line_octets_max: 10, ..default() }, text), Some("limit"));
    // The last line too, which nothing ends.
    for end in ["; a long comment", "((((((((((((((((", "\0\0\0\0\0\0\0\0\0\0\0\0"] {
        let short = Options { line_octets_max: 10, ..default() };
        assert!(limits(short, end).is_some(), "{end}");
    }
    assert_eq!(limits(Options { records_max: 2, ..default() }, text), Some("limit"));
    let generate = "$TTL 1\n$GENERATE 1-11 a$ A 192.0.2.$\n";
    assert_eq!(limits(default(), generate), None);
    assert_eq!(limits(Options { generated_max: 10, ..default() }, generate), Some("limit"));
    let label = format!("{} 1 A 192.0.2.1\n", "x".repeat(64));
    assert_eq!(limits(default(), &label), Some("label-too-long"));
    let name = format!("{} 1 A 192.0.2.1\n", ["x".repeat(60).as_str(); 5].join("."));
    assert_eq!(limits(default(), &name), Some("name-too-long"));
}

#[test]
fn findings_are_cut_but_all_are_counted() {
    let options = Options { findings_max: 3, ..Options::default() };
    let (_, parsed) = read_with("x\n".repeat(50).as_bytes(), &[], &options);
    assert_eq!((parsed.findings.len(), parsed.errors), (3, 50));
}

//------------ $INCLUDE ------------------------------------------------------

#[test]
fn includes_keep_origin_and_owner_of_the_file_around() {
    let files = [
        ("sub/a.inc", "x A 192.0.2.2\n$ORIGIN else.\ny A 192.0.2.3\n$INCLUDE b.inc\n"),
        ("sub/b.inc", "@ A 192.0.2.4"),
    ];
    let text = "$TTL 1\na A 192.0.2.1\n$INCLUDE sub/a.inc deep\n  TXT same\nb A 192.0.2.5\n";
    let (records, parsed) = read_with(text.as_bytes(), &files, &Options::default());
    assert_eq!(parsed.findings, []);
    assert_eq!(
        lines(&records),
        [
            "a.example. 1 IN A 192.0.2.1",
            "x.deep.example. 1 IN A 192.0.2.2",
            "y.else. 1 IN A 192.0.2.3",
            "else. 1 IN A 192.0.2.4",
            "a.example. 1 IN TXT \"same\"",
            "b.example. 1 IN A 192.0.2.5",
        ]
    );
    let included: Vec<_> = parsed.included.iter().map(|i| (i.path.as_path(), i.from)).collect();
    assert_eq!(included, [(Path::new("sub/a.inc"), (0, 3)), (Path::new("sub/b.inc"), (1, 4))]);
    assert!(parsed.included[0].ends_with_newline && !parsed.included[1].ends_with_newline);
}

#[test]
fn a_fault_in_an_include_tells_the_way() {
    let files = [("a.inc", "\n$INCLUDE b.inc"), ("b.inc", "x A 300.1.1.1\n")];
    let (_, parsed) = read_with(b"$TTL 1\n$INCLUDE a.inc\n", &files, &Options::default());
    let place = parsed.findings[0].place.clone().unwrap();
    assert_eq!((&*place.file, place.line, place.column), (Path::new("zones/b.inc"), 1, 5));
    let way: Vec<_> = place.includes.iter().map(|(file, line)| (&**file, *line)).collect();
    assert_eq!(way, [(Path::new("zones/example.zone"), 2), (Path::new("zones/a.inc"), 2)]);
    let shown = render(&parsed.findings, false);
    assert!(shown.contains("included from zones/a.inc:2"), "{shown}");
}

#[test]
fn includes_stay_inside() {
    let rule = |text: &str, files: &[(&str, &str)]| {
        let (_, parsed) = read_with(text.as_bytes(), files, &Options::default());
        assert_eq!(parsed.errors, 1, "{text}");
        parsed.findings[0].rule
    };
    assert_eq!(rule("$INCLUDE /etc/passwd\n", &[]), "include-outside");
    assert_eq!(rule("$INCLUDE ../x\n", &[]), "include-outside");
    assert_eq!(rule("$INCLUDE a/../../x\n", &[]), "include-outside");
    assert_eq!(rule("$INCLUDE \"a\\047..\\047x\"\n", &[]), "include-unreadable");
    assert_eq!(rule("$INCLUDE nope\n", &[]), "include-unreadable");
    assert_eq!(rule("$INCLUDE example.zone\n", &[]), "include-cycle");
    assert_eq!(rule("$INCLUDE a\n", &[("a", "$INCLUDE ./a\n")]), "include-cycle");
    assert_eq!(
        rule("$INCLUDE a\n", &[("a", "$INCLUDE b\n"), ("b", "$INCLUDE a\n")]),
        "include-cycle"
    );
    assert_eq!(rule("$INCLUDE\n", &[]), "bad-directive");
}

#[test]
fn a_symbolic_link_does_not_lead_out() {
    let dir = tempfile::tempdir().unwrap();
    let zones = dir.path().join("zones");
    std::fs::create_dir(&zones).unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    std::fs::write(zones.join("fine"), "y").unwrap();
    std::os::unix::fs::symlink("../secret", zones.join("out")).unwrap();
    std::os::unix::fs::symlink("fine", zones.join("in")).unwrap();
    let file = zones.join("example.zone");
    let loader = Directory::of(&file, &Options::default());
    assert_eq!(loader.load(Path::new("out")), Err(LoadError::Outside));
    assert_eq!(loader.load(Path::new("in")).as_deref(), Ok(&b"y"[..]));
    let short = Directory::of(&file, &Options { file_octets_max: 0, ..Options::default() });
    assert_eq!(short.load(Path::new("in")), Err(LoadError::TooLarge(0)));
}

#[test]
fn a_zone_file_that_is_a_symbolic_link_includes_beside_its_target_too() {
    let dir = tempfile::tempdir().unwrap();
    let (etc, zones) = (dir.path().join("etc"), dir.path().join("zones"));
    std::fs::create_dir(&etc).unwrap();
    std::fs::create_dir(&zones).unwrap();
    std::fs::write(dir.path().join("secret"), "x").unwrap();
    for (path, text) in [("zones/z", ""), ("zones/far", "y"), ("etc/near", "z")] {
        std::fs::write(dir.path().join(path), text).unwrap();
    }
    std::os::unix::fs::symlink("../zones/z", etc.join("z")).unwrap();
    std::os::unix::fs::symlink("../secret", zones.join("out")).unwrap();
    let loader = Directory::of(&etc.join("z"), &Options::default());
    assert_eq!(loader.load(Path::new("near")).as_deref(), Ok(&b"z"[..]));
    assert_eq!(loader.load(Path::new("far")).as_deref(), Ok(&b"y"[..]));
    assert_eq!(loader.load(Path::new("out")), Err(LoadError::Outside));
    assert!(matches!(loader.load(Path::new("nope")), Err(LoadError::Unreadable(_))));
    // Not a link: the other directory is none of its business.
    let loader = Directory::of(&etc.join("near"), &Options::default());
    assert!(matches!(loader.load(Path::new("far")), Err(LoadError::Unreadable(_))));
}

//------------ $GENERATE -----------------------------------------------------

#[test]
fn generated_records_are_read_like_any_other() {
    check(
        "$TTL 1\n\
         $GENERATE 1-2 host-$ A 192.0.2.$\n\
         $GENERATE 0-2/2 $ 60 IN PTR h${10,3}\n\
         $GENERATE 5-5 m$ MX \"10 mail$\"\n\
         $GENERATE 7-7 t$ TXT \"a $\" b$$\n",
        &[
            "host-1.example. 1 IN A 192.0.2.1",
            "host-2.example. 1 IN A 192.0.2.2",
            "0.example. 60 IN PTR h010.example.",
            "2.example. 60 IN PTR h012.example.",
            "m5.example. 1 IN MX 10 mail5.example.",
            "t7.example. 1 IN TXT \"a 7\" \"b$\"",
        ],
    );
    faults(b"$TTL 1\n$GENERATE x a$ A 192.0.2.1\n", &["2:11 bad-generate"]);
    faults(b"$TTL 1\n$GENERATE 1-2 a${ A 192.0.2.1\n", &["2:15 bad-generate"]);
    faults(b"$TTL 1\n$GENERATE 254-300 a$ A 192.0.2.$\n", &["2:1 bad-rdata"]);
}

#[test]
fn a_generated_line_does_not_count_as_the_last_owner() {
    check(
        "$TTL 1\nfoo A 192.0.2.2\n$GENERATE 1-2 g$ A 192.0.2.$\n  MX 10 m\n",
        &[
            "foo.example. 1 IN A 192.0.2.2",
            "g1.example. 1 IN A 192.0.2.1",
            "g2.example. 1 IN A 192.0.2.2",
            "foo.example. 1 IN MX 10 m.example.",
        ],
    );
}

//------------ Ends ----------------------------------------------------------

#[test]
fn a_quoted_string_of_a_generated_line_is_its_data() {
    check(
        "$TTL 60\n$GENERATE 1-1 t$ TXT \"\\\"a$ b\\\" c\"\n",
        &["t1.example. 60 IN TXT \"a1 b\" \"c\""],
    );
}

#[test]
fn the_end_of_a_file_is_reported() {
    let ends = |text: &str| {
        let (_, parsed) = read(text.as_bytes());
        (parsed.has_end_marker, parsed.ends_with_newline)
    };
    assert_eq!(ends("a 1 A 192.0.2.1\n; gapura: end of zone\n"), (true, true));
    assert_eq!(ends("; gapura: end of zone"), (true, false));
    assert_eq!(ends("; gapura: end of zone \r\n"), (true, true));
    assert_eq!(ends("; gapura: end of zone\na 1 A 192.0.2.1\n"), (false, true));
    assert_eq!(ends("a 1 A 192.0.2.1"), (false, false));
    assert_eq!(ends(""), (false, true));
}

//------------ Rendering -----------------------------------------------------

#[test]
fn findings_are_rendered_with_line_caret_and_hint() {
    let (_, parsed) = read(b"$TTL 60\na A 192.0.2.999\n$NOPE\n");
    let shown = render(&parsed.findings, false);
    assert!(shown.contains("error[bad-rdata]: \"192.0.2.999\" is not an IPv4 address"), "{shown}");
    assert!(shown.contains("zones/example.zone:2:5"), "{shown}");
    assert!(shown.contains("a A 192.0.2.999") && shown.contains("^^^^^^^^^^^"), "{shown}");
    assert!(shown.contains("help: a name that starts with a dollar sign"), "{shown}");
    assert!(shown.ends_with("2 errors, 0 warnings\n") && !shown.contains('\u{1b}'), "{shown}");
    assert!(render(&parsed.findings, true).contains('\u{1b}'));
    let (_, parsed) = read(b"$TTL 60\n\xff\x1b\x80 A 1\xc3\n");
    render(&parsed.findings, true);
}

#[test]
fn a_finding_is_one_line_and_json() {
    let (_, parsed) = read(b"$TTL 60\na A 192.0.2.999\n");
    let finding = &parsed.findings[0];
    let expected = "zones/example.zone:2:5 error bad-rdata: \"192.0.2.999\" is not an IPv4 address";
    assert_eq!(finding.to_string(), expected);
    let json = serde_json::to_value(finding).unwrap();
    assert_eq!((json["line"].as_u64(), json["column"].as_u64()), (Some(2), Some(5)));
    assert_eq!(json["severity"], "error");
}

//------------ Printing (T11) ------------------------------------------------

/// Prints records as a zone and reads them back.
fn through_text(records: &[Record]) -> Vec<Record> {
    let text = print_zone(records.iter().map(Record::as_ref));
    assert_eq!(text.lines().count(), records.len() + 1);
    let (again, parsed) = read(text.as_bytes());
    assert_eq!(parsed.findings, []);
    assert!(parsed.has_end_marker && parsed.ends_with_newline);
    again
}

fn record(owner: Name, rtype: Rtype, rdata: &[u8]) -> Record {
    Record { owner, rtype, class: crate::wire::Class::IN, ttl: 60, rdata: rdata.into() }
}

#[test]
fn every_byte_survives_in_names_and_strings() {
    let origin = NameRef::from_wire(b"\x07example\0").unwrap().0;
    let mut records = Vec::new();
    for byte in 0..=255u8 {
        for label in [vec![byte], vec![byte, b'a'], vec![b'a', byte], vec![byte; 63]] {
            let owner = Name::prepend(&label, origin).unwrap();
            records.push(record(owner.clone(), Rtype::CNAME, owner.wire()));
            let text = [&[label.len() as u8], label.as_slice()].concat();
            records.push(record(owner.clone(), Rtype::TXT, &text));
            records.push(record(
                owner.clone(),
                Rtype::CAA,
                &[b"\0\x05issue", label.as_slice()].concat(),
            ));
            records.push(record(owner, Rtype(65_281), &label));
        }
    }
    assert_eq!(through_text(&records), records);
}

#[test]
fn labels_that_look_like_syntax_stay_labels() {
    let origin = NameRef::from_wire(b"\x07example\0").unwrap().0;
    let labels: [&[u8]; 12] = [
        b"$INCLUDE",
        b"$ORIGIN",
        b"$TTL",
        b"$GENERATE",
        b"@",
        b"*",
        b"; x",
        b"( )",
        b"a\nb A 192.0.2.1",
        b"\"",
        b"\\",
        b"\\000",
    ];
    let mut records = Vec::new();
    for label in labels {
        let owner = Name::prepend(label, origin).unwrap();
        records.push(record(owner.clone(), Rtype::PTR, owner.wire()));
    }
    assert_eq!(through_text(&records), records);
}

impl Random {
    fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..=self.below(most)).map(|_| self.next() as u8).collect()
    }

    fn name(&mut self) -> Name {
        let mut name: Name = "example.".parse().unwrap();
        for _ in 0..=self.below(3) {
            let label = self.bytes(12);
            name = Name::prepend(&label, name.as_ref()).unwrap();
        }
        name
    }

    fn record(&mut self) -> Record {
        let (owner, target) = (self.name(), self.name());
        let text = self.bytes(40);
        let string = [&[text.len() as u8], text.as_slice()].concat();
        let (rtype, rdata) = match self.below(10) {
            0 => (Rtype::A, self.next().to_be_bytes()[..4].to_vec()),
            1 => (Rtype::AAAA, [self.next().to_be_bytes(), self.next().to_be_bytes()].concat()),
            2 => (Rtype::CNAME, target.wire().to_vec()),
            3 => (Rtype::MX, [&[0, 10], target.wire()].concat()),
            4 => (Rtype::SRV, [&[0, 10, 0, 1, 0, 2], target.wire()].concat()),
            5 => (Rtype::CAA, [b"\0\x05issue", text.as_slice()].concat()),
            6 => (Rtype::SVCB, [&[0, 1], target.wire(), &[0xff, 0, 0, string[0]], &text].concat()),
            7 => (Rtype::SSHFP, [&[1, 9], text.as_slice()].concat()),
            8 => (Rtype(65_300), text),
            _ => (Rtype::TXT, string),
        };
        Record { ttl: self.below(1 << 31) as u32, ..record(owner, rtype, &rdata) }
    }
}

/// T11. By hand: `GAPURA_RECORDS=1000000 cargo test --release --lib random_records`.
#[test]
fn random_records_survive_text() {
    let count = std::env::var("GAPURA_RECORDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut left: usize = count;
    while left > 0 {
        let records: Vec<Record> = (0..left.min(10_000)).map(|_| random.record()).collect();
        left -= records.len();
        assert_eq!(through_text(&records), records);
    }
}

#[test]
fn any_bytes_are_read_without_a_panic() {
    let mut random = Random(7);
    let words: [&[u8]; 16] = [
        b"a",
        b" ",
        b"\n",
        b"\"",
        b"\\",
        b"(",
        b")",
        b";",
        b"$INCLUDE x",
        b"$GENERATE 1-3 a${0,3,n} A 192.0.2.$",
        b" A ",
        b"192.0.2.1",
        b"\0",
        b"\r",
        b"\xff",
        b"$TTL 1\n",
    ];
    for _ in 0..20_000 {
        let text: Vec<u8> =
            (0..random.below(20)).flat_map(|_| words[random.below(16) as usize]).copied().collect();
        let (_, parsed) = read(&text);
        render(&parsed.findings, false);
    }
}
