//! What is printed is read by BIND, NSD and Knot, and is the same to them: random octets in labels, strings
//! and values of every type, in one file for each checker.
//!
//! Skipped where the checkers are not installed, unless `GAPURA_REQUIRE_PEERS=1`. `GAPURA_PRINTED_SEED=S`
//! starts elsewhere.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use gapura::master::{self, Input, NoIncludes, Options, print_zone};
use gapura::wire::{Class, Name, Record, RecordRef, Rtype, rdata};

use crate::answer::canon;
use crate::answer::differential::{Peer, Random};

/// Records of each type.
const EACH: usize = 40;

/// The types, and how their RDATA is made: a number is as many random octets, `n` a name, `s` a string, `S`
/// one to three, `h` some octets, `t` the same in quotes, `b` a type bitmap, `xNN` an octet.
const TYPES: &[(u16, &str)] = &[
    (1, "4"),
    (2, "n"),
    (5, "n"),
    (7, "n"),
    (12, "n"),
    (13, "s s"),
    (14, "n n"),
    (15, "2 n"),
    (16, "S"),
    (17, "n n"),
    (18, "2 n"),
    (19, "x05 x31 x32 x33 x34 x35"),
    (20, "s"),
    (21, "2 n"),
    (22, "h"),
    (24, "x00 x01 x08 x08 x00 x00 x01 x2c x40 3 x40 3 2 n h"),
    (25, "x02 x00 x03 x08 h"),
    (26, "2 n n"),
    (28, "16"),
    (29, "x00 x12 x16 x13 x80 3 x80 3 x00 x98 2"),
    (33, "6 n"),
    (35, "4 s s x00 n"),
    (36, "2 n"),
    (37, "x00 x01 2 x08 h"),
    (39, "n"),
    (42, "x00 x01 x18 x03 xc0 x00 x02 x00 x02 x20 x84 x20 x01 x0d xb8"),
    (43, "2 x0d x02 32"),
    (44, "x04 x02 32"),
    (45, "1 x03 x02 n h"),
    (45, "1 x01 x02 4 h"),
    (46, "x00 x01 x0d x08 x00 x00 x01 x2c x40 3 x40 3 2 n 64"),
    (47, "n b"),
    (48, "x01 x00 x03 x0d 64"),
    (49, "x00 x01 x01 32"),
    (50, "x01 x00 x00 x00 x02 2 x14 20 b"),
    (51, "x01 x00 x00 x00 x02 2"),
    (52, "x03 x01 x01 32"),
    (53, "x03 x01 x00 h"),
    (55, "x04 x02 x00 x04 4 x03 x01 x00 x01 n"),
    (56, "S"),
    (58, "n n"),
    (59, "2 x0d x02 32"),
    (60, "x01 x00 x03 x0d 64"),
    (61, "h"),
    (62, "4 x00 x03 b"),
    (63, "4 x01 xf0 12"),
    (64, "x00 x00 n"),
    (64, "x00 x01 n p"),
    (65, "x00 x01 n p"),
    (66, "x00 x3b x01 2 n"),
    (67, "h"),
    (99, "S"),
    (103, "h"),
    (104, "10"),
    (105, "6"),
    (106, "10"),
    (107, "2 n"),
    (108, "6"),
    (109, "8"),
    (256, "4 h"),
    (257, "x00 x05 x69 x73 x73 x75 x65 h"),
    (258, "S"),
    (260, "x0a x03 n"),
    (261, "S"),
    (262, "S"),
    (32769, "2 x0d x02 32"),
    (65280, "h"),
];

#[test]
fn what_is_printed_is_read_by_bind_nsd_and_knot() {
    let seed = std::env::var("GAPURA_PRINTED_SEED").ok().and_then(|text| text.parse().ok());
    let records = records(&mut Random::new(seed.unwrap_or(1)));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("example.zone");
    let printed = print_zone(records.iter().map(Record::as_ref));
    std::fs::write(&file, &printed).unwrap();
    if let Some(copy) = std::env::var_os("GAPURA_PRINTED_COPY") {
        std::fs::write(copy, &printed).unwrap();
    }
    let ours = lines(printed.as_bytes());
    assert_eq!(ours.len(), records.len(), "read back by ourselves");
    let dump = directory.path().join("dump").display().to_string();
    let ignore = "-i none -k ignore -m ignore -M ignore -n ignore -r ignore -S ignore -T ignore -W ignore -D -q -o";
    let mut named: Vec<&str> = ignore.split(' ').collect();
    named.extend([dump.as_str(), "example."]);
    let mut wrong = Vec::new();
    for (peer, arguments) in [
        ("named-checkzone", &named[..]),
        ("nsd-checkzone", &["example."]),
        ("kzonecheck", &["-d", "off", "-o", "example."]),
    ] {
        let output = match Command::new(peer).args(arguments).arg(&file).output() {
            Ok(output) => output,
            Err(error) => {
                let required = std::env::var("GAPURA_REQUIRE_PEERS").is_ok_and(|v| v == "1");
                assert!(!required, "{peer} is not installed: {error}");
                println!("skipped: {peer} is not installed");
                continue;
            }
        };
        let text = match peer {
            "named-checkzone" => std::fs::read(&dump).unwrap_or_default(),
            // What NSD and Knot make of the file is compared as they transfer it.
            _ => printed.clone().into_bytes(),
        };
        let theirs = lines(&text);
        if !output.status.success() || theirs != ours {
            let told = [&output.stdout[..], &output.stderr].concat();
            let told = String::from_utf8_lossy(&told);
            let told = told.lines().filter(|line| !line.contains(" IN ")).take(12);
            wrong.push(format!(
                "{peer} {}: {}",
                output.status,
                told.collect::<Vec<_>>().join("\n")
            ));
            wrong.extend(ours.difference(&theirs).take(8).map(|line| format!("  lacks {line}")));
            wrong.extend(theirs.difference(&ours).take(8).map(|line| format!("  has   {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    std::fs::create_dir(directory.path().join("knot")).unwrap();
    let apexes = ["example.".parse::<Name>().unwrap()];
    let start = |name| match name {
        "knotd" => Peer::knot(directory.path(), &apexes),
        _ => Peer::nsd(directory.path(), &apexes),
    };
    for (name, flag) in [("knotd", "-V"), ("nsd", "-v")] {
        if Command::new(name).arg(flag).output().is_ok() {
            let theirs = canon::transferred(&start(name).transfer(&apexes[0]));
            let theirs: BTreeSet<_> = theirs.iter().map(|record| line(record.as_ref())).collect();
            let differs: Vec<_> = ours.symmetric_difference(&theirs).take(8).collect();
            assert!(differs.is_empty(), "{name}: {differs:#?}");
        }
    }
}

/// What BIND makes of the text of rare types is what we make of it.
#[test]
fn rare_types_are_read_as_bind_reads_them() {
    let texts = [
        "HIP 2 200100107B1A74DF365639CC39F1D578 AwEAAbdxyhNuSutc5EMzxTs9LBPCIkOFH8cI rvs1.example.com. rvs2.example.com.",
        "AMTRELAY 10 0 1 203.0.113.15",
        "AMTRELAY 10 1 2 2001:db8::15",
        "AMTRELAY 128 1 3 amtrelays.example.com.",
        "KEY 512 255 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR",
        "SIG NXT 1 3 3600 20200102030405 20190102030405 2143 foo.nil. MxFcby9k/yvedMfQgKzhH5er0Mu/vILz45IkskceFGgi",
        "NXT foo.nil. SIG NXT A",
        "MD a.example.",
        "MF a.example.",
        "MB a.example.",
        "MG a.example.",
        "MR a.example.",
        "WKS 10.0.0.1 tcp telnet ftp 0 1 2",
        "WKS 10.0.0.1 udp domain 0 1 2",
        "NSAP 0x47.0005.80.005a00.0000.0001.e133.ffffff000161.00",
        "NSAP-PTR foo.",
        "GPOS \"-32.6882\" \"116.8652\" \"10.0\"",
        "EID 12 89 AB",
        "NIMLOC 12 89 AB",
        "ATMA +61200000000",
        "ATMA 61.20.00",
        "A6 0 2001:db8::1",
        "A6 65 ::8001 a.example.",
        "A6 128 a.example.",
        "SINK 64 0 0 AQID",
        "NINFO \"foo\" \"bar\"",
        "RKEY 0 255 1 AQMFD5raczCJHViKtLYhWGz8hMY9UGRuniJDBzC7w0aR",
        "TALINK a.example. b.example.",
        "AVC \"foo:bar\"",
        "DOA 1234567890 1234567890 1 \"image/gif\" R0lGODlhKAAZ",
        "DOA 0 1 2 \"\" -",
        "TA 30795 1 1 310D27F4D82C1FC2400704EA9939FE6E1CEAA3B9",
        "DLV 30795 1 1 310D27F4D82C1FC2400704EA9939FE6E1CEAA3B9",
        "X25 123456789",
        "ISDN \"isdn-address\" \"subaddress\"",
        "RT 0 a.example.",
        "PX 65535 foo. bar.",
    ];
    for text in texts {
        let (rtype, data) = text.split_once(' ').unwrap();
        let rtype: Rtype = rtype.parse().unwrap();
        let root = Name::root();
        let ours = rdata::parse(rtype, data.as_bytes(), root.as_ref());
        let ours = ours.unwrap_or_else(|error| panic!("{text}: {error}"));
        let Ok(mut child) = Command::new("named-rrchecker")
            .args(["-u"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
        else {
            assert!(
                std::env::var_os("GAPURA_REQUIRE_PEERS").is_none(),
                "named-rrchecker is needed"
            );
            println!("skipped: named-rrchecker is not installed");
            return;
        };
        child.stdin.take().unwrap().write_all(format!("IN {text}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let theirs = String::from_utf8_lossy(&output.stdout).replace(['\t', ' ', '\n'], "");
        let hex: String = ours.iter().map(|octet| format!("{octet:02X}")).collect();
        let expected = format!("CLASS1TYPE{}\\#{}{hex}", rtype.0, ours.len());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(theirs.to_ascii_uppercase(), expected, "{text}: {told}");
    }
}

/// A SOA, a name server, and records of every type, each at a name of its own.
fn records(random: &mut Random) -> Vec<Record> {
    let apex: Name = "example.".parse().unwrap();
    let soa = [b"\x02ns\0\x04host\0".as_slice(), &[0, 0, 0, 1].repeat(5)].concat();
    let record = |owner: &Name, rtype: u16, rdata: Vec<u8>| Record {
        owner: owner.clone(),
        rtype: Rtype(rtype),
        class: Class::IN,
        ttl: 300,
        rdata: rdata.into(),
    };
    let mut records = vec![record(&apex, 6, soa), record(&apex, 2, b"\x02ns\x03net\0".to_vec())];
    for &(rtype, parts) in TYPES {
        for at in 0..EACH {
            let rdata: Vec<u8> = parts.split(' ').flat_map(|part| made(part, random)).collect();
            if let Err(error) = rdata::check(Rtype(rtype), &rdata) {
                panic!("{} {rdata:?}: {error}", Rtype(rtype));
            }
            let label = format!("r{rtype}-{at}");
            let below = Name::prepend(label.as_bytes(), apex.as_ref()).unwrap();
            let octets = octets(1 + random.below(20), random);
            records.push(record(&Name::prepend(&octets, below.as_ref()).unwrap(), rtype, rdata));
        }
    }
    records
}

/// A part of RDATA.
fn made(part: &str, random: &mut Random) -> Vec<u8> {
    let string = |random: &mut Random| {
        let octets = octets(random.below(30), random);
        [&[octets.len() as u8], &octets[..]].concat()
    };
    match part {
        "n" => {
            let mut wire = Vec::new();
            for _ in 0..random.below(4) {
                // NSD and Knot lower names in RDATA.
                let label = octets(1 + random.below(20), random).to_ascii_lowercase();
                wire.push(label.len() as u8);
                wire.extend(label);
            }
            wire.push(0);
            wire
        }
        "s" => string(random),
        "S" => (0..=random.below(3)).flat_map(|_| string(random)).collect(),
        "h" => octets(1 + random.below(40), random),
        "b" => vec![0, 6, 0x40, 1, 0, 0, 0, 3, 1, 1, 0xe8, 255, 1, 0x80],
        "p" => params(random),
        _ => match part.strip_prefix('x') {
            Some(hex) => vec![u8::from_str_radix(hex, 16).unwrap()],
            None => octets(part.parse().unwrap(), random),
        },
    }
}

/// Service parameters: `alpn` with odd names, `port`, all hints, `ech`, `dohpath` and private keys.
fn params(random: &mut Random) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut push = |key: u16, value: Vec<u8>| {
        wire.extend(key.to_be_bytes());
        wire.extend((value.len() as u16).to_be_bytes());
        wire.extend(value);
    };
    if random.chance(20) {
        push(0, vec![0, 1]);
    }
    let id = octets(1 + random.below(12), random);
    push(1, [&[id.len() as u8], &id[..], b"\x02h2"].concat());
    if random.chance(30) {
        push(2, Vec::new());
    }
    push(3, octets(2, random));
    push(4, octets(8, random));
    push(5, octets(1 + random.below(20), random));
    push(6, octets(32, random));
    if random.chance(50) {
        push(7, b"/dns-query{?dns}".to_vec());
        push(8, Vec::new());
        push(9, vec![0, 29, 0, 23]);
    }
    push(65280, octets(random.below(30), random));
    wire
}

/// Random octets, half of them signs that mean something in a zone file.
fn octets(count: usize, random: &mut Random) -> Vec<u8> {
    let signs = b"[]#\\\"$@;().,=*-_/ \t\n\r\0!?%&'+:<>^`{|}~aZ09";
    let one = |random: &mut Random| match random.below(2) {
        0 => *random.pick(signs),
        _ => random.below(256) as u8,
    };
    (0..count).map(|_| one(random)).collect()
}

/// The records of a zone file.
fn lines(text: &[u8]) -> BTreeSet<String> {
    let origin: Name = "example.".parse().unwrap();
    let input = Input { file: Path::new("dump"), bytes: text, loader: &NoIncludes };
    let mut lines = BTreeSet::new();
    let parsed = master::parse(&input, origin.as_ref(), &Options::default(), &mut |record, _| {
        lines.insert(line(record));
    });
    for finding in parsed.findings.iter().take(3) {
        println!("{finding}");
    }
    lines
}

/// A record without regard to the case of its owner, which Knot lowers.
fn line(record: RecordRef<'_>) -> String {
    let RecordRef { rtype, ttl, rdata, .. } = record;
    let hex: String = rdata.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{} {ttl} {rtype} {hex}", record.owner.to_lowercase())
}
