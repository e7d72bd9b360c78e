//! T14 and T16: a child process that publishes is killed, or its writes fail, at each failpoint and at
//! random; what stands afterwards is before or after, never between, and serials are never reused.
//!
//! The child is this test binary run again. It writes down what was acknowledged to it, the parent
//! then opens the same directory and compares. `GAPURA_CRASHES=10000` makes the random part longer.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command};

use super::*;
use crate::testing;

/// Every point at which something is written, made durable or swapped.
const POINTS: [&str; 20] = [
    "commit.begin",
    "commit.rows",
    "commit.end",
    "swap.before",
    "swap.after",
    "confirm.before",
    "serials.write",
    "serials.fsync",
    "serials.rename",
    "serials.dirsync",
    "derived.write",
    "derived.fsync",
    "derived.rename",
    "derived.dirsync",
    "served.write",
    "served.fsync",
    "served.rename",
    "served.dirsync",
    "copy.piece",
    "copy.use",
];

//------------ The child -----------------------------------------------------

/// Opens the house and goes on publishing: promotions and file edits in turn, each acknowledged one
/// written down. Only run as a child.
#[test]
#[ignore = "a child process of the crash tests"]
fn child() {
    let Ok(directory) = std::env::var("GAPURA_CRASH_DIRECTORY") else { return };
    let steps: u32 = std::env::var("GAPURA_CRASH_STEPS").unwrap().parse().unwrap();
    let directory = Path::new(&directory);
    let mut acknowledged =
        fs::File::options().create(true).append(true).open(directory.join("acknowledged")).unwrap();
    let publisher = open_in(directory).0;
    let first = live(&publisher).serial();
    for step in 0..steps {
        let tag = format!("{first}x{step}");
        let line = match step % 3 {
            2 => {
                // Being killed in the middle of the operator's own write is T17's matter.
                let temporary = directory.join("example.zone.tmp");
                fs::write(&temporary, edited(&tag)).unwrap();
                fs::rename(&temporary, directory.join("example.zone")).unwrap();
                let report = reload(&publisher);
                report.is_ok().then(|| format!("file {tag} {}", live(&publisher).serial()))
            }
            _ => {
                let set = vec![rrset(&format!("p{tag}.example."), Rtype::A, &["192.0.2.7"])];
                promote(&publisher, &tag, set)
                    .ok()
                    .map(|change| format!("request {tag} {}", change.to))
            }
        };
        writeln!(acknowledged, "{}", line.unwrap_or_else(|| format!("failed {tag} 0"))).unwrap();
        if step % 4 == 3 {
            publisher.flush();
        }
    }
    publisher.flush();
}

/// The zone with a mark of the edit.
fn edited(tag: &str) -> String {
    format!("{ZONE}mark TXT \"{tag}\"\n; gapura: end of zone\n")
}

/// Opens the publisher on a directory. A zone of more than a few records has its copy written in the
/// background, so both ways are walked.
fn open_in(directory: &Path) -> (Publisher, Vec<ReloadReport>) {
    let state = directory.join("state");
    let options =
        Options { quiet: Duration::ZERO, journal_changes_max: 40, ..Options::new(&state) };
    let store = Store::open(&state).unwrap();
    let source = ZoneSource::new(apex(), directory.join("example.zone"));
    Publisher::open(store, vec![source], options).unwrap()
}

/// Runs a child with a failpoint, or without.
fn start(directory: &Path, failpoint: &str, steps: u32) -> Child {
    testing::child("publish::tests::crash::child")
        .env("GAPURA_CRASH_DIRECTORY", directory)
        .env("GAPURA_CRASH_STEPS", steps.to_string())
        .env("GAPURA_FAILPOINT", failpoint)
        .spawn()
        .unwrap()
}

//------------ The judge -----------------------------------------------------

/// What the outside has seen so far of one house.
#[derive(Default)]
struct Witness {
    /// What each serial stood for: its cause.
    serials: BTreeMap<u32, String>,
    /// Lines of the child that were read before.
    lines: usize,
    /// The serial that was live last.
    live: u32,
}

impl Witness {
    /// Opens the house after a crash and compares it with all that is known.
    fn judge(&mut self, directory: &Path, what: &str) {
        // As the crash left it, before the start mends it.
        let copy = door::read_copy(&directory.join("state"), &apex());
        let (publisher, reports) = open_in(directory);
        assert!(reports[0].is_ok(), "{what}: {}", reports[0]);
        let zone = live(&publisher);
        assert!(zone.serial() >= self.live, "{what}: {} after {}", zone.serial(), self.live);
        self.live = zone.serial();
        let history = publisher.history(&apex(), 1000).unwrap();
        for pair in history.windows(2) {
            assert_eq!(pair[0].from, Some(pair[1].to), "{what}: a gap in the journal");
            assert!(pair[0].to > pair[1].to, "{what}: serials must rise");
        }
        for version in &history {
            let stands_for = format!("{} {}", version.cause, version.at_ms);
            let known = self.serials.entry(version.to).or_insert_with(|| stands_for.clone());
            assert_eq!(*known, stands_for, "{what}: serial {} was reused", version.to);
        }
        let text = fs::read_to_string(directory.join("acknowledged")).unwrap_or_default();
        for line in text.lines().skip(self.lines) {
            let words: Vec<&str> = line.split(' ').collect();
            let [kind, tag, serial] = words[..] else { panic!("{what}: {line}") };
            let serial: u32 = serial.parse().unwrap();
            let oldest = history.last().map_or(0, |oldest| oldest.to);
            if kind == "request" && serial >= oldest {
                let known = history.iter().filter(|one| one.to == serial).count();
                assert_eq!(known, 1, "{what}: {tag} is in the journal exactly once");
            }
            assert!(serial <= zone.serial(), "{what}: {line} but {} is live", zone.serial());
        }
        self.lines = text.lines().count();
        // Every acknowledged promotion of all rounds is served, exactly once.
        for line in text.lines().filter_map(|line| line.strip_prefix("request ")) {
            let tag = line.split(' ').next().unwrap();
            let owner = format!("p{tag}.example.");
            assert_eq!(at(&zone, &owner, Rtype::A), ["192.0.2.7"], "{what}: {owner}");
            // Where its own writes did not fail, the copy beside the database has them too.
            if !what.contains("=e") {
                let copy = copy.as_ref().expect("a copy");
                assert_eq!(
                    at(copy, &owner, Rtype::A),
                    ["192.0.2.7"],
                    "{what}: {owner} in the copy"
                );
            }
        }
        self.derived(&publisher, what);
    }

    /// The derived file, if there is one, parses in full.
    fn derived(&self, publisher: &Publisher, what: &str) {
        let path = publisher.derived_file(&apex());
        let Ok(bytes) = fs::read(&path) else { return };
        let input =
            crate::master::Input { file: &path, bytes: &bytes, loader: &crate::master::NoIncludes };
        let options = crate::master::Options::default();
        let parsed = crate::master::parse(&input, apex().as_ref(), &options, &mut |_, _| {});
        assert!(parsed.has_end_marker && parsed.errors == 0, "{what}: {:?}", parsed.findings);
    }
}

/// A house with a zone that was loaded once.
fn house() -> House {
    let house = House::new(&edited("start"));
    drop(open_in(house.directory.path()));
    house
}

//------------ The tests -----------------------------------------------------

#[test]
fn killed_at_each_point_the_state_is_before_or_after() {
    let house = house();
    let mut witness = Witness::default();
    witness.judge(house.directory.path(), "start");
    for point in POINTS {
        for time in [1, 4] {
            let what = format!("{point}=kill@{time}");
            let status = start(house.directory.path(), &what, 50).wait().unwrap();
            let reached = !status.success();
            assert!(reached || point.starts_with("copy") || time > 1, "{what} was never reached");
            witness.judge(house.directory.path(), &what);
        }
    }
}

#[test]
fn a_write_that_fails_refuses_the_change_and_nothing_else() {
    let house = house();
    let mut witness = Witness::default();
    for point in POINTS.iter().filter(|point| !point.starts_with("swap")) {
        for action in ["enospc", "eio"] {
            let what = format!("{point}={action}@2");
            let status = start(house.directory.path(), &what, 8).wait().unwrap();
            assert!(status.success(), "{what}: the child must live on");
            witness.judge(house.directory.path(), &what);
        }
    }
    let text = fs::read_to_string(house.directory.path().join("acknowledged")).unwrap();
    assert!(text.contains("failed ") && text.contains("request "), "both were seen");
}

/// The other half of the test below: reloads an edited file and expects the panic of the comparison.
#[test]
#[ignore = "a child process of the crash tests"]
fn panicking_child() {
    let Ok(directory) = std::env::var("GAPURA_CRASH_DIRECTORY") else { return };
    let publisher = open_in(Path::new(&directory)).0;
    fs::write(Path::new(&directory).join("example.zone"), edited("other")).unwrap();
    let reloaded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reload(&publisher)));
    assert!(reloaded.is_err(), "the panic is the caller's too");
    assert_eq!(publisher.history(&apex(), 9).unwrap().len(), 1, "nothing went live");
}

#[test]
fn a_panic_while_zones_are_compared_does_not_replace_the_zone() {
    let house = house();
    let status = testing::child("publish::tests::crash::panicking_child")
        .env("GAPURA_CRASH_DIRECTORY", house.directory.path())
        .env("GAPURA_FAILPOINT", "decide.difference=panic")
        .status()
        .unwrap();
    assert!(status.success(), "{status:?}");
}

#[test]
fn killed_at_random_nothing_acknowledged_is_lost() {
    let crashes = std::env::var("GAPURA_CRASHES").ok().and_then(|text| text.parse().ok());
    let house = house();
    let mut witness = Witness::default();
    let mut seed = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..crashes.unwrap_or(12) {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut child = start(house.directory.path(), "", 100_000);
        std::thread::sleep(Duration::from_millis(30 + (seed >> 33) % 250));
        child.kill().unwrap();
        child.wait().unwrap();
        witness.judge(house.directory.path(), &format!("round {round}"));
    }
}

/// A real full disk: a small tmpfs of its own, where the system lets us make one.
#[test]
fn on_a_full_disk_answers_go_on_and_changes_are_refused() {
    let house = house();
    let directory = house.directory.path();
    let script = format!(
        "mount -t tmpfs -o size=2m tmpfs {0}/state && exec {1} publish::tests::crash::full_disk --exact --ignored --nocapture",
        directory.display(),
        std::env::current_exe().unwrap().display()
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .env("GAPURA_CRASH_DIRECTORY", directory)
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("panicked") => {
            panic!("{}", String::from_utf8_lossy(&output.stderr))
        }
        _ => crate::skipped::skipped("no mount namespace can be made here (unshare -m)"),
    }
}

/// Publishes until the disk is full, then makes room. Only run as a child.
#[test]
#[ignore = "a child process of the crash tests"]
fn full_disk() {
    let Ok(directory) = std::env::var("GAPURA_CRASH_DIRECTORY") else { return };
    let directory = Path::new(&directory);
    let ballast = directory.join("state/ballast");
    fs::write(&ballast, vec![0; 100_000]).unwrap();
    let (publisher, reports) = open_in(directory);
    assert!(reports[0].is_ok(), "{}", reports[0]);
    let add = |n: u32| {
        let data: Vec<String> =
            (0..200).map(|k| format!("10.{}.{}.{}", n % 250, k, n / 250)).collect();
        let data: Vec<&str> = data.iter().map(String::as_str).collect();
        promote(&publisher, "1", vec![rrset(&format!("n{n}.example."), Rtype::A, &data)])
    };
    let full = (0..1000).find(|n| add(*n).is_err()).expect("the disk must fill up");
    assert!(full > 0, "the empty database alone fills this disk: give it more");
    let serial = live(&publisher).serial();
    assert!(live(&publisher).node(name("n0.example.").as_ref()).is_some(), "still served");
    assert!(live(&publisher).node(name(&format!("n{full}.example.")).as_ref()).is_none());
    fs::remove_file(&ballast).unwrap();
    let change = add(full).expect("with room again it goes on by itself");
    assert!(change.to > serial + 1, "the serial of the failed change is burned");
    drop(publisher);
    assert_eq!(live(&open_in(directory).0).serial(), change.to);
}
