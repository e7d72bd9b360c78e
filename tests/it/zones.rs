//! Zone files, good and bad: one bad file for each rule, and what other servers say of the good ones.
//!
//! `tests/zones/bad/RULE.zone` breaks RULE at each line that says `; finding: RULE` and nowhere else;
//! it has no other error (warnings it may have). `tests/zones/good` has no finding at all. The origin
//! is always `example.` and the time 2027-01-15 08:00:00 UTC.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use gapura::check::{self, Checked, Level, Signer};
use gapura::master::{Directory, Finding, Input, Options};
use gapura::wire::Name;

mod fuzzed;
mod printed;

/// The time at which signatures are judged.
const NOW: u32 = 1_800_000_000;

/// Checks a file strictly.
fn checked(file: &Path) -> Checked {
    let options = Options::default();
    let bytes = std::fs::read(file).unwrap();
    let loader = Directory::of(file, &options);
    let input = Input { file, bytes: &bytes, loader: &loader };
    let origin: Name = "example.".parse().unwrap();
    check::file(&input, &origin, &options, &Level::default(), Signer::Other, NOW)
}

/// The files of a folder below `tests/zones`, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zones").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "zone"));
    files.sort();
    files
}

/// Lines that say `; finding: RULE`.
fn marked(file: &Path, rule: &str) -> BTreeSet<u32> {
    let bytes = std::fs::read(file).unwrap();
    let mark = format!("; finding: {rule}");
    let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
    lines
        .filter(|(line, _)| String::from_utf8_lossy(line).trim_end().ends_with(&mark))
        .map(|(_, number)| number)
        .collect()
}

/// The line of a finding.
fn line(finding: &Finding) -> u32 {
    finding.place.as_ref().map_or(0, |place| place.line)
}

#[test]
fn every_bad_zone_has_its_finding_at_its_line_and_no_other_error() {
    let mut wrong = Vec::new();
    for file in files("bad") {
        let rule = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let checked = checked(&file);
        let (mine, others): (Vec<_>, Vec<_>) =
            checked.findings.iter().partition(|finding| finding.rule == rule);
        let found: BTreeSet<u32> = mine.iter().map(|finding| line(finding)).collect();
        let expected = marked(&file, &rule);
        if found != expected || expected.is_empty() {
            wrong.push(format!("{rule}: found at {found:?}, marked at {expected:?}"));
        }
        for other in others.iter().filter(|finding| finding.is_error()) {
            wrong.push(format!("{rule}: also {other}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_has_a_bad_zone() {
    let files: BTreeSet<String> = files("bad")
        .iter()
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let rules: BTreeSet<String> = check::rules().map(|(id, _, _)| id.to_owned()).collect();
    assert_eq!(files, rules);
}

#[test]
fn good_zones_have_no_finding() {
    for file in files("good") {
        let checked = checked(&file);
        let told: Vec<String> = checked.findings.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
        assert!(checked.zone.is_some());
    }
}

#[test]
fn strict_rules_are_warnings_in_a_lenient_zone_and_warnings_can_be_raised() {
    let options = Options::default();
    let origin: Name = "example.".parse().unwrap();
    let judge = |rule: &str, level: Level| {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/zones/bad/{rule}.zone"));
        let bytes = std::fs::read(&file).unwrap();
        let loader = Directory::of(&file, &options);
        let input = Input { file: &file, bytes: &bytes, loader: &loader };
        let checked = check::file(&input, &origin, &options, &level, Signer::Other, NOW);
        (checked.errors > 0, checked.warnings > 0)
    };
    let lenient = || Level { strict: false, errors: Vec::new() };
    for rule in [
        "ns-target-cname",
        "ns-target-no-address",
        "glue-missing",
        "ds-not-at-cut",
        "ns-beside-dname",
    ] {
        assert_eq!(judge(rule, Level::default()), (true, false), "{rule}");
        assert_eq!(judge(rule, lenient()), (false, true), "{rule}");
    }
    assert_eq!(judge("bad-rdata", lenient()), (true, false));
    assert_eq!(judge("no-soa", lenient()), (true, false));
    for rule in ["ttl-zero", "ttl-from-minimum"] {
        let raised = Level { strict: true, errors: vec![rule.to_owned()] };
        assert_eq!(judge(rule, Level::default()), (false, true), "{rule}");
        assert_eq!(judge(rule, raised), (true, false), "{rule}");
    }
}

/// The servers' own checkers load the good zones too. They are skipped where they are not installed,
/// unless `GAPURA_REQUIRE_PEERS=1`.
#[test]
fn other_servers_load_the_good_zones() {
    let named = |file: &Path| {
        let mut command = Command::new("named-checkzone");
        command.args(["-i", "local", "-k", "warn", "example."]).arg(file);
        command
    };
    let nsd = |file: &Path| {
        let mut command = Command::new("nsd-checkzone");
        command.arg("example.").arg(file);
        command
    };
    let knot = |file: &Path| {
        let mut command = Command::new("kzonecheck");
        command.args(["-o", "example."]).arg(file);
        command
    };
    let peers: [(&str, &dyn Fn(&Path) -> Command); 3] =
        [("named-checkzone", &named), ("nsd-checkzone", &nsd), ("kzonecheck", &knot)];
    let mut wrong = Vec::new();
    for (peer, command) in peers {
        // Of the three only BIND knows $GENERATE.
        let knows = |file: &PathBuf| peer == "named-checkzone" || !file.ends_with("generate.zone");
        for file in files("good").into_iter().filter(knows) {
            match command(&file).output() {
                Ok(output) if output.status.success() => {}
                Ok(output) => {
                    let text = [output.stdout, output.stderr].concat();
                    let text = String::from_utf8_lossy(&text).into_owned();
                    wrong.push(format!("{peer} {}: {text}", file.display()));
                }
                Err(error) => {
                    crate::skipped::skipped(&format!("{peer} is not installed: {error}"));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//------------ Fuzzing -------------------------------------------------------

/// The files of a fuzz corpus.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(path).unwrap();
    files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// Hands each seed to a property, and then seeds that were changed here and there. More by hand:
/// `GAPURA_FUZZ_RUNS=10000000 cargo test --release --test it mutated`.
fn replay(seeds: &[Vec<u8>], property: fn(&[u8])) {
    assert!(seeds.len() > 10);
    seeds.iter().for_each(|seed| property(seed));
    let runs = std::env::var("GAPURA_FUZZ_RUNS").ok().and_then(|runs| runs.parse().ok());
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    for _ in 0..runs.unwrap_or(3000) {
        let mut bytes = seeds[random(seeds.len())].clone();
        for _ in 0..=random(4) {
            let (at, other) = (random(bytes.len() + 1), &seeds[random(seeds.len())]);
            match random(4) {
                0 => bytes.insert(at, random(256) as u8),
                1 if at < bytes.len() => bytes[at] = b"\n\"\\();$@. \0\xff09aA"[random(16)],
                2 => bytes.truncate(at),
                _ => {
                    let from = random(other.len());
                    let piece = &other[from..(from + random(20)).min(other.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
        }
        property(&bytes);
    }
}

#[test]
fn mutated_zone_texts_do_no_harm() {
    let mut seeds = corpus("zone_text");
    seeds
        .extend(files("bad").iter().chain(&files("good")).map(|file| std::fs::read(file).unwrap()));
    seeds.retain(|seed| seed.len() < 5000);
    replay(&seeds, fuzzed::zone_text);
}

#[test]
fn mutated_rdata_does_no_harm() {
    replay(&corpus("rdata_text_wire"), fuzzed::rdata_text_wire);
}

#[test]
fn mutated_private_keys_do_no_harm() {
    replay(&corpus("private_key"), fuzzed::private_key);
}
