//! A text that is read in stretches gives what it gives read in one: zone, findings with their lines and order, counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;

use crate::check::build::{Built, build_by};
use crate::master::{Input, Memory, Options, Sinks, parse_apart};
use crate::wire::{Name, RecordRef};

/// Reads a text by so many threads.
fn read(text: &[u8], threads: usize, options: &Options) -> Built {
    let includes: [(PathBuf, Arc<[u8]>); 1] =
        [("inc".into(), Arc::from(&b"i A 192.0.2.77\n$TTL 5\n A 192.0.2.78\n"[..]))];
    let loader = Memory(includes.into_iter().collect());
    let input = Input { file: Path::new("x.zone"), bytes: text, loader: &loader };
    let apex: Name = "example.".parse().unwrap();
    build_by(threads, &input, &apex, options, &|_| true)
}

/// Compares both ways.
fn compare(text: &[u8], options: &Options) {
    let one = read(text, 1, options);
    for threads in 2..6 {
        let many = read(text, threads, options);
        let shown = String::from_utf8_lossy(text);
        assert_eq!(many.parsed.findings, one.parsed.findings, "{shown}");
        let counts = |built: &Built| {
            let parsed = &built.parsed;
            let ends = (parsed.has_end_marker, parsed.ends_with_newline);
            (parsed.errors, parsed.warnings, parsed.records, parsed.included.len(), ends)
        };
        assert_eq!(counts(&many), counts(&one), "{shown}");
        assert_eq!(many.faults, one.faults, "{shown}");
        assert_eq!(many.zone, one.zone, "{shown}");
    }
}

/// Lines that mean something to those behind them, or look as if they did.
const LINES: [&str; 28] = [
    "www A 192.0.2.1",
    "a.b.c A 192.0.2.2",
    "mail 60 MX 10 www",
    "  A 192.0.2.3",
    "\tAAAA 2001:db8::1",
    "host 60 A 192.0.2.4",
    "host A 192.0.2.5",
    "*.w TXT \"a;b\" \"(\"",
    "t TXT ( \"a\"\n  \"b\" )",
    "t TXT ( a\nz ; )\nb\n)",
    "q TXT \"in \\\" quotes\\\\\"",
    "esc\\$ape A 192.0.2.6",
    "; $TTL 5",
    "",
    "$TTL 120",
    "$ORIGIN sub.example.",
    "$ORIGIN example.",
    "$INCLUDE inc",
    "$GENERATE 1-3 g$ A 192.0.2.$",
    "( $TTL 77 )",
    "($ORIGIN sub.example.)",
    "($ORIGIN\n example.)",
    "($GENERATE 1-2 p$ A 192.0.2.$)",
    "bad A 192.0.2",
    "open TXT (",
    "quote TXT \"not closed",
    "stray ) A 192.0.2.7",
    "out.side. A 192.0.2.8",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn lines_in_any_order(
        has_ttl in any::<bool>(),
        // Most texts are good, or nothing would be read apart.
        picked in prop::collection::vec(prop_oneof![12 => 0usize..14, 1 => 14usize..28], 0..24),
        records_max in prop_oneof![9 => Just(1000usize), 1 => Just(6usize)],
        is_cut in any::<bool>(),
    ) {
        let ttl = if has_ttl { "$TTL 3600\n" } else { "" };
        let mut text = format!("{ttl}@ 300 SOA ns h 1 7200 900 1209600 300\n@ 300 NS ns\nns 300 A 192.0.2.1\n");
        picked.iter().for_each(|at| text.extend([LINES[*at], "\n"]));
        if is_cut {
            text.truncate(text.len() - 1);
        }
        compare(text.as_bytes(), &Options { records_max, ..Options::default() });
    }
}

#[test]
fn a_directive_behind_a_parenthesis_counts_for_all_that_follows() {
    for directive in ["($ORIGIN sub)", "( $TTL 77 )"] {
        let mut text =
            "$TTL 60\n@ SOA ns h 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n".to_owned();
        for at in 0..40 {
            text.push_str(&format!("h{at} A 192.0.2.1\n"));
            text.extend((at == 10).then(|| format!("{directive}\n")));
        }
        compare(text.as_bytes(), &Options::default());
    }
}

#[test]
fn every_good_and_every_bad_zone() {
    let mut seen = 0;
    for folder in ["good", "bad"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/zones").join(folder);
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() {
                compare(&std::fs::read(path).unwrap(), &Options::default());
                seen += 1;
            }
        }
    }
    assert!(seen > 50);
}

#[test]
fn a_good_text_is_read_apart() {
    let mut text = "$TTL 60\n@ SOA ns h 1 7200 900 1209600 300\n@ NS ns\n".to_owned();
    (0..800).for_each(|at| text.push_str(&format!("ns{at} A 192.0.2.1\n  TXT ( a\n b )\n")));
    struct Count;
    impl Sinks for Count {
        type Sink = usize;
        fn open(&self, _: usize) -> usize {
            0
        }
        fn push(&self, sink: &mut usize, _: RecordRef<'_>) {
            *sink += 1;
        }
        fn close(&self, _: &mut usize) {}
    }
    let loader = Memory::default();
    let input = Input { file: Path::new("x"), bytes: text.as_bytes(), loader: &loader };
    let apex: Name = "example.".parse().unwrap();
    let options = Options::default();
    let (parsed, counts) = parse_apart(&input, apex.as_ref(), &options, 4, &Count).unwrap();
    assert_eq!((parsed.records, counts.iter().sum()), (1602, 1602));
    // Each of 32 stretches ends where the next owner is, so that the last may have nothing left.
    assert!((32..=33).contains(&counts.len()), "the head and its stretches: {counts:?}");
    assert!(
        counts[1..counts.len() - 1].iter().all(|count| (48..=54).contains(count)),
        "{counts:?}"
    );
}
