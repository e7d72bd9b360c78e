//! T17: every damaged file in every way of writing it, with real files and the watcher.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::*;

/// After this much time what has not happened never does: a busy machine is slow, and how fast a file is live is
/// for the benches to say.
const NEVER: Duration = Duration::from_secs(30);

/// The zone as its operator writes it, with the end marker.
fn good() -> String {
    let hosts: String = (0..90).map(|n| format!("h{n} A 198.51.100.{n}\n")).collect();
    format!("{ZONE}{hosts}last A 198.51.100.51\n; gapura: end of zone\n")
}

/// A damaged or odd version of it.
fn damaged(row: &str) -> Option<String> {
    let good = good();
    let middle = good.find("h45 ").unwrap();
    let before = |text: &str| good[..good.find(text).unwrap()].to_owned();
    Some(match row {
        "bad RDATA" => good.replace("198.51.100.55\n", "192.0.2.999\n"),
        "cut at a line end" => good[..middle].to_owned(),
        "cut inside RDATA" => format!("{}last A 198.51.", before("last A")),
        "cut inside the last octet" => format!("{}last A 198.51.100.5", before("last A")),
        "empty file" => String::new(),
        "file removed" => return None,
        "no SOA" => good.replace("@ SOA ns1 hostmaster 10 7200 900 1209600 300\n", ""),
        "CNAME beside other data" => good.replace("h7 A", "www CNAME h8\nh7 A"),
        "one out-of-zone record" => good.replace("h7 A", "stray.other.org. A 192.0.2.1\nh7 A"),
        other => panic!("{other}"),
    })
}

/// The nine rows that must keep the old zone.
const DAMAGED: [&str; 9] = [
    "bad RDATA",
    "cut at a line end",
    "cut inside RDATA",
    "cut inside the last octet",
    "empty file",
    "file removed",
    "no SOA",
    "CNAME beside other data",
    "one out-of-zone record",
];

//------------ Write styles --------------------------------------------------

/// One way to write a file.
type Style = fn(&Path, &[u8]);

/// In place, in chunks with pauses.
fn in_chunks(path: &Path, bytes: &[u8]) {
    let mut file = fs::File::create(path).unwrap();
    for chunk in bytes.chunks(bytes.len() / 4 + 1) {
        file.write_all(chunk).unwrap();
        file.flush().unwrap();
        std::thread::sleep(Duration::from_millis(40));
    }
}

/// To a temporary file that is renamed into place.
fn by_rename(path: &Path, bytes: &[u8]) {
    let temporary = path.with_extension("new.tmp");
    fs::write(&temporary, bytes).unwrap();
    fs::rename(&temporary, path).unwrap();
}

/// Copied over the file, then its time set.
fn by_copy_and_touch(path: &Path, bytes: &[u8]) {
    let source = path.with_extension("copy.tmp");
    fs::write(&source, bytes).unwrap();
    fs::copy(&source, path).unwrap();
    let file = fs::File::options().append(true).open(path).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// The directory behind a symbolic link is swapped, as config maps are.
fn by_symlink(path: &Path, bytes: &[u8]) {
    static VERSION: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let root = path.parent().unwrap();
    let version = format!("..v{}", VERSION.fetch_add(1, Ordering::Relaxed));
    fs::create_dir(root.join(&version)).unwrap();
    fs::write(root.join(&version).join("example.zone"), bytes).unwrap();
    std::os::unix::fs::symlink(&version, root.join("..data_tmp")).unwrap();
    fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if !is_link {
        let _ = fs::remove_file(path);
        std::os::unix::fs::symlink("..data/example.zone", path).unwrap();
    }
}

/// As vim does it: swap file, test file, backup by rename, a new file, backup removed.
fn by_editor(path: &Path, bytes: &[u8]) {
    let root = path.parent().unwrap();
    fs::write(root.join(".example.zone.swp"), "swap").unwrap();
    fs::write(root.join("4913"), "").unwrap();
    fs::remove_file(root.join("4913")).unwrap();
    let backup = root.join("example.zone~");
    let _ = fs::rename(path, &backup);
    let mut file = fs::File::create(path).unwrap();
    file.write_all(bytes).unwrap();
    file.sync_all().unwrap();
    let _ = fs::remove_file(backup);
    fs::remove_file(root.join(".example.zone.swp")).unwrap();
}

//------------ The run -------------------------------------------------------

/// Waits until `done`, and says how long it took.
pub(super) fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < NEVER, "{what}: never");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// One write style through the whole table.
fn run(style_name: &str, style: Style) {
    let house = House::new("");
    style(&house.file(), good().as_bytes());
    let options = Options { poll: Duration::from_millis(500), ..Options::new(house.state()) };
    let store = Store::open(&house.state()).unwrap();
    let source = ZoneSource::new(apex(), house.file());
    let (publisher, reports) = Publisher::open(store, vec![source], options).unwrap();
    assert!(reports[0].is_ok(), "{}", reports[0]);
    let _watcher = publisher.watch();
    // A reader that looks all the time: each version it sees must be a whole one.
    let end = Arc::new(AtomicBool::new(false));
    let reader = {
        let (publisher, end) = (publisher.clone(), Arc::clone(&end));
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                let zone = live(&publisher);
                assert_eq!(at(&zone, "last.example.", Rtype::A), ["198.51.100.51"]);
                assert!(zone.node(name("h89.example.").as_ref()).is_some());
                std::thread::sleep(Duration::from_millis(1));
            }
        })
    };
    let status = || publisher.zone_status(&apex()).unwrap();
    for row in DAMAGED {
        let what = format!("{style_name}, {row}");
        match damaged(row) {
            Some(text) => style(&house.file(), text.as_bytes()),
            None => fs::remove_file(house.file()).unwrap(),
        }
        wait_for(&what, || status().refusal.is_some());
        assert_eq!(status().serial, Some(10), "{what}");
        let report = reload(&publisher);
        assert!(!report.is_ok(), "{what}: the command must say so: {report}");
        style(&house.file(), good().as_bytes());
        wait_for(&format!("{what}, restored"), || status().refusal.is_none());
        assert_eq!(status().serial, Some(10), "{what}");
    }
    for (row, serial, expected) in [("serial unchanged", "10", 11), ("serial backwards", "5", 12)] {
        let text = good().replace(" 10 7200", &format!(" {serial} 7200"));
        let text = text.replace("h1 A 198.51.100.1\n", &format!("h1 A 192.0.2.{expected}\n"));
        style(&house.file(), text.as_bytes());
        wait_for(&format!("{style_name}, {row}"), || status().serial == Some(expected));
    }
    end.store(true, Ordering::Relaxed);
    reader.join().unwrap();
}

#[test]
fn every_damage_in_every_write_style_keeps_the_old_zone() {
    let styles: [(&str, Style); 5] = [
        ("in place in chunks", in_chunks),
        ("temporary file and rename", by_rename),
        ("copy over and touch", by_copy_and_touch),
        ("symlink swap", by_symlink),
        ("editor with backup", by_editor),
    ];
    std::thread::scope(|scope| {
        for (style_name, style) in styles {
            scope.spawn(move || run(style_name, style));
        }
    });
}

#[test]
fn an_include_is_watched_and_guarded_like_the_file() {
    let house = House::new(&format!("{ZONE}$INCLUDE hosts.inc\n"));
    let include = house.directory.path().join("hosts.inc");
    fs::write(&include, "inc A 192.0.2.70\n; gapura: end of zone\n").unwrap();
    let publisher = house.opened();
    let _watcher = publisher.watch();
    let address = || at(&live(&publisher), "inc.example.", Rtype::A);
    fs::write(&include, "inc A 192.0.2.71\n; gapura: end of zone\n").unwrap();
    wait_for("the include", || address() == ["192.0.2.71"]);
    fs::write(&include, "inc A 192.0.2.72\n").unwrap();
    wait_for("the marker", || publisher.zone_status(&apex()).unwrap().refusal.is_some());
    let refusal = publisher.zone_status(&apex()).unwrap().refusal.unwrap();
    assert_eq!((refusal.guard, refusal.findings[0].rule), (Guard::Incomplete, "marker-lost"));
    assert_eq!(address(), ["192.0.2.71"]);
}

#[test]
fn a_directory_moved_into_place_is_news_and_watched_from_then_on() {
    let house = House::new(ZONE);
    let root = house.directory.path();
    let (zones, file) = (root.join("zones"), root.join("zones/example.zone"));
    fs::create_dir(&zones).unwrap();
    fs::write(&file, ZONE).unwrap();
    // Without polling but for the one at the start.
    let options = Options { poll: Duration::from_secs(600), ..house.options() };
    let store = Store::open(&house.state()).unwrap();
    let source = ZoneSource::new(apex(), &file);
    let (publisher, _) = Publisher::open(store, vec![source], options).unwrap();
    let _watcher = publisher.watch();
    std::thread::sleep(Duration::from_millis(200));
    let address = || at(&live(&publisher), "dir.example.", Rtype::A);
    fs::create_dir(root.join("next")).unwrap();
    fs::write(root.join("next/example.zone"), format!("{ZONE}dir A 192.0.2.1\n")).unwrap();
    fs::rename(&zones, root.join("before")).unwrap();
    fs::rename(root.join("next"), &zones).unwrap();
    wait_for("the other directory", || address() == ["192.0.2.1"]);
    by_rename(&file, format!("{ZONE}dir A 192.0.2.2\n").as_bytes());
    wait_for("an edit in it", || address() == ["192.0.2.2"]);
}

/// Writes a file line by line, slower than a watcher is quick, and does something else halfway.
fn write_slowly(path: &Path, lines: &[String], halfway: impl FnOnce()) {
    let mut halfway = Some(halfway);
    let mut file = fs::File::create(path).unwrap();
    for (at, line) in lines.iter().enumerate() {
        file.write_all(line.as_bytes()).unwrap();
        if at == lines.len() / 2 {
            halfway.take().into_iter().for_each(|act| act());
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

/// Hosts as lines of a file.
fn hosts(last: u8) -> Vec<String> {
    (0..20).map(|host| format!("many{host} A 192.0.2.{last}\n")).collect()
}

/// Waits until all hosts have an address; none may have it while others lack it.
fn whole_or_not_at_all(publisher: &Publisher, last: u8) {
    let wanted = [format!("192.0.2.{last}")];
    wait_for("all hosts", || {
        let zone = live(publisher);
        let has = |host: u8| at(&zone, &format!("many{host}.example."), Rtype::A) == wanted;
        let count = (0..20).filter(|host| has(*host)).count();
        assert!([0, 20].contains(&count), "{count} of 20 are live");
        count == 20
    });
}

#[test]
fn a_rename_does_not_make_an_include_live_that_is_still_being_written() {
    let house = House::new(&format!("{ZONE}$INCLUDE hosts.inc\n"));
    let include = house.directory.path().join("hosts.inc");
    fs::write(&include, hosts(1).concat()).unwrap();
    let publisher = house.opened();
    let _watcher = publisher.watch();
    std::thread::sleep(Duration::from_millis(200));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write_slowly(&include, &hosts(2), || {
                let text = format!("{ZONE}$INCLUDE hosts.inc\nnew A 192.0.2.9\n");
                by_rename(&house.file(), text.as_bytes());
            });
        });
        whole_or_not_at_all(&publisher, 2);
    });
}

#[test]
fn a_link_that_is_swapped_does_not_make_a_file_live_that_is_still_being_written() {
    let house = House::new(ZONE);
    let root = house.directory.path();
    let with = |hosts: Vec<String>| -> Vec<String> {
        ZONE.lines().map(|line| format!("{line}\n")).chain(hosts).collect()
    };
    by_symlink(&house.file(), with(hosts(1)).concat().as_bytes());
    let publisher = house.opened();
    let _watcher = publisher.watch();
    std::thread::sleep(Duration::from_millis(200));
    fs::create_dir(root.join("..next")).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            write_slowly(&root.join("..next/example.zone"), &with(hosts(2)), || {
                std::os::unix::fs::symlink("..next", root.join("..data_tmp")).unwrap();
                fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
            });
        });
        whole_or_not_at_all(&publisher, 2);
    });
}

/// A publisher that soon gives up a file that keeps changing.
fn impatient(house: &House) -> Publisher {
    let options = Options {
        quiet: Duration::from_millis(60),
        patience: Duration::from_millis(400),
        ..house.options()
    };
    let store = Store::open(&house.state()).unwrap();
    let source = ZoneSource::new(apex(), house.file());
    Publisher::open(store, vec![source], options).unwrap().0
}

#[test]
fn a_watched_file_that_changes_for_ever_is_reported() {
    let house = House::new(ZONE);
    let publisher = impatient(&house);
    let _watcher = publisher.watch();
    std::thread::sleep(Duration::from_millis(200));
    let refusal = || publisher.zone_status(&apex()).unwrap().refusal;
    let end = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = fs::File::options().append(true).open(house.file()).unwrap();
            let mut number = 0u32;
            while !end.load(Ordering::Relaxed) {
                number += 1;
                writeln!(file, "x{number} A 192.0.2.80").unwrap();
                std::thread::sleep(Duration::from_millis(15));
            }
        });
        wait_for("the report", || refusal().is_some());
        end.store(true, Ordering::Relaxed);
    });
    assert_eq!(live(&publisher).serial(), 10, "nothing of it is live");
    wait_for("once it is quiet", || refusal().is_none());
}

#[test]
fn a_file_that_changes_for_ever_is_reported_and_not_loaded() {
    let house = House::new(ZONE);
    let publisher = impatient(&house);
    let end = Arc::new(AtomicBool::new(false));
    let writer = {
        let (file, end) = (house.file(), Arc::clone(&end));
        std::thread::spawn(move || {
            let mut n = 0u32;
            while !end.load(Ordering::Relaxed) {
                n += 1;
                fs::write(&file, format!("{ZONE}x{n} A 192.0.2.80\n")).unwrap();
                std::thread::sleep(Duration::from_millis(15));
            }
        })
    };
    std::thread::sleep(Duration::from_millis(50));
    let report = reload(&publisher);
    end.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(rules(&report), ["file-changing"], "{report}");
    assert_eq!(live(&publisher).serial(), 10);
    assert!(reload(&publisher).is_ok(), "once it is quiet");
}

#[test]
fn a_manifest_written_last_brings_its_zones_and_new_zones_are_watched() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let _watcher = publisher.watch();
    let other = house.directory.path().join("other.zone");
    fs::write(&other, ZONE.replace("example.", "other.")).unwrap();
    let sources =
        vec![ZoneSource::new(apex(), house.file()), ZoneSource::new(name("other."), &other)];
    publisher.set_sources(sources, &By::gapura());
    let serials = || {
        let serial = |zone: &str| publisher.zone_status(&name(zone)).unwrap().serial;
        (serial("example."), serial("other."))
    };
    let (a, b) = (
        ZONE.replace(".10\n", ".11\n"),
        ZONE.replace("example.", "other.").replace(".10\n", ".12\n"),
    );
    let sum = |text: &str| crate::digest::sha256_hex(text);
    let manifest = house.directory.path().join("zones.manifest");
    let list = |a: &str, b: &str| format!("{}  example.zone\n{}  other.zone\n", sum(a), sum(b));
    fs::write(&manifest, list(ZONE, &ZONE.replace("example.", "other."))).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    house.write(&a);
    std::thread::sleep(Duration::from_millis(300));
    fs::write(&other, &b).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(serials(), (Some(10), Some(10)), "the manifest is not there yet");
    fs::write(&manifest, list(&a, &b)).unwrap();
    wait_for("the manifest", || serials() == (Some(11), Some(11)));
}
