//! A serial is never used twice, whatever becomes of database, state and clock.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::store::clock::ClockRow;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// 2026-11-24 03:00 UTC.
const NOW: i64 = 1_795_489_200_000;

/// Copies a directory of plain files and directories.
fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_all(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Which content each serial was served for; the same serial for another content fails.
#[derive(Default)]
struct Seen(HashMap<u32, String>);

impl Seen {
    /// Notes what is served now.
    #[track_caller]
    fn note(&mut self, publisher: &Publisher) -> u32 {
        let zone = live(publisher);
        let serial = zone.serial();
        let text = crate::master::print_zone(zone.records());
        let before = self.0.entry(serial).or_insert_with(|| text.clone());
        assert_eq!(*before, text, "{serial} was served for other content");
        serial
    }
}

/// Edits the file without raising its serial.
fn edit(house: &House, publisher: &Publisher, n: u32) {
    house.write(&ZONE.replace("192.0.2.10", &format!("198.51.100.{n}")));
    assert!(reload(publisher).is_ok());
}

#[test]
fn a_state_that_was_put_back_reuses_no_serial() {
    let house = House::new(ZONE);
    let mut seen = Seen::default();
    let publisher = house.opened();
    edit(&house, &publisher, 1);
    seen.note(&publisher);
    house.close(publisher);
    let backup = house.directory.path().join("backup");
    copy_all(&house.state(), &backup);
    let publisher = house.opened();
    assert!(publisher.findings().is_empty(), "the same state is no restored one");
    for n in 2..5 {
        edit(&house, &publisher, n);
        seen.note(&publisher);
    }
    let newest = live(&publisher).serial();
    house.close(publisher);
    fs::remove_dir_all(house.state()).unwrap();
    copy_all(&backup, &house.state());
    let publisher = house.opened();
    assert_eq!(publisher.findings()[0].rule, "database-restored");
    assert!(live(&publisher).serial() > newest, "secondaries take what is served");
    for n in 5..9 {
        edit(&house, &publisher, n);
        seen.note(&publisher);
    }
    house.close(publisher);
    let before = { live(&house.opened()).serial() };
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), before, "once is enough");
    assert!(publisher.findings().is_empty());
}

#[test]
fn a_state_that_was_written_over_reuses_no_serial() {
    for by_hand in [false, true] {
        let house = House::new(ZONE);
        let publisher = house.opened();
        house.close(publisher);
        let backup = house.directory.path().join("backup");
        copy_all(&house.state(), &backup);
        let publisher = house.opened();
        edit(&house, &publisher, 1);
        edit(&house, &publisher, 2);
        let newest = live(&publisher).serial();
        house.close(publisher);
        // As `cp` does: into the same files.
        let database = house.state().join("gapura.db");
        let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap());
        let before = inode(&database);
        copy_all(&backup, &house.state());
        assert_eq!(inode(&database), before);
        if by_hand {
            // What is done about it before the start hides nothing.
            Publisher::raise_floor_at(&house.state(), &apex(), newest - 1).unwrap();
        }
        let publisher = house.opened();
        assert_eq!(publisher.findings()[0].rule, "database-restored");
        assert!(live(&publisher).serial() > newest, "secondaries take what is served");
        house.close(publisher);
        assert!(house.opened().findings().is_empty(), "once is enough");
    }
}

#[test]
fn a_database_older_than_the_serials_beside_it_is_told_and_passed() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    publisher.flush();
    drop(publisher);
    fs::write(house.state().join("serials"), "example. 77\n").unwrap();
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), 78);
    assert_eq!(publisher.findings()[0].rule, "serial-restored");
}

/// A publisher by a policy, with a clock that the tests set.
fn clocked(house: &House, policy: SerialPolicy, now_ms: fn() -> i64) -> (Publisher, Store) {
    let store = Store::open(&house.state()).unwrap();
    let source = ZoneSource { serial: policy, ..ZoneSource::new(apex(), house.file()) };
    let options = Options { now_ms, ..house.options() };
    (Publisher::open(store.clone(), vec![source], options).unwrap().0, store)
}

/// Keeps that the clock was believed at a time.
fn believe(store: &Store, now_ms: i64) {
    let row = ClockRow::believed(now_ms);
    store.write::<_, crate::store::StoreError>(|tx| tx.put_clock(&row)).unwrap();
}

#[test]
fn before_anybody_watched_the_clock_the_last_change_tells_the_time() {
    static CLOCK: AtomicI64 = AtomicI64::new(NOW);
    let house = House::new(ZONE);
    let (publisher, _) = clocked(&house, SerialPolicy::Date, || CLOCK.load(Ordering::Relaxed));
    edit(&house, &publisher, 1);
    assert_eq!(live(&publisher).serial(), 2_026_112_400);
    CLOCK.store(NOW + 4_000 * DAY_MS, Ordering::Relaxed);
    edit(&house, &publisher, 2);
    assert_eq!(live(&publisher).serial(), 2_026_112_401);
}

#[test]
fn a_clock_that_is_doubted_makes_no_serial() {
    static CLOCK: AtomicI64 = AtomicI64::new(NOW);
    for (policy, first, later) in [
        (SerialPolicy::Date, 2_026_112_400, 2_026_112_800),
        (SerialPolicy::Unixtime, 1_795_489_200, 1_795_834_800),
    ] {
        let house = House::new(ZONE);
        CLOCK.store(NOW, Ordering::Relaxed);
        let (publisher, store) = clocked(&house, policy, || CLOCK.load(Ordering::Relaxed));
        believe(&store, NOW);
        let mut seen = Seen::default();
        edit(&house, &publisher, 1);
        assert_eq!(seen.note(&publisher), first);
        for (n, days) in [(2, 4_000), (3, 8_000), (4, -18_000), (5, 3), (6, -3)] {
            CLOCK.store(NOW + days * DAY_MS, Ordering::Relaxed);
            house.write(&ZONE.replace("192.0.2.10", &format!("198.51.100.{n}")));
            let report = reload(&publisher);
            assert!(rules(&report).contains(&"serial-clock-doubted"), "{days}: {report}");
            assert_eq!(seen.note(&publisher), first + n - 1, "{days}");
        }
        let promoted = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
        assert_eq!(promote(&publisher, "1", promoted).unwrap().to, first + 6);
        let now = NOW + 4 * DAY_MS;
        CLOCK.store(now, Ordering::Relaxed);
        believe(&store, now);
        edit(&house, &publisher, 9);
        assert_eq!(seen.note(&publisher), later, "the clock is believed again");
    }
}

#[test]
fn a_circle_that_closes_reuses_no_serial() {
    static CLOCK: AtomicI64 = AtomicI64::new(NOW);
    let clock = || CLOCK.load(Ordering::Relaxed);
    let house = House::new(&ZONE.replace(" 10 7200", " 2026112301 7200"));
    let (publisher, store) = clocked(&house, SerialPolicy::Unixtime, clock);
    let mut seen = Seen::default();
    seen.note(&publisher);
    let years = |year: i64| (year - 1970) * 365 * DAY_MS;
    let mut n = 0;
    for now in [years(2037), years(2048), years(1977), NOW, NOW + 1_000, years(2100), 0, NOW] {
        CLOCK.store(now, Ordering::Relaxed);
        // Somebody confirms every jump.
        believe(&store, now);
        for _ in 0..3 {
            n += 1;
            let text = ZONE.replace(" 10 7200", " 2026112301 7200");
            house.write(&text.replace("192.0.2.10", &format!("198.51.100.{n}")));
            assert!(reload(&publisher).is_ok());
            seen.note(&publisher);
        }
    }
    assert_eq!(seen.0.len(), 25, "one serial for each content");
}

#[test]
fn a_file_that_repeats_a_serial_of_other_content_does_not_get_it() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let mut seen = Seen::default();
    seen.note(&publisher);
    // Three steps of the operator close the circle.
    for (n, serial) in [(1, 1_500_000_000u32), (2, 3_000_000_000), (3, 10), (4, 12)] {
        let text = ZONE.replace(" 10 7200", &format!(" {serial} 7200"));
        house.write(&text.replace("192.0.2.10", &format!("198.51.100.{n}")));
        let report = reload(&publisher);
        assert!(report.is_ok(), "{report}");
        assert_eq!(rules(&report).contains(&"serial-used"), serial == 10, "{report}");
        seen.note(&publisher);
    }
    assert_eq!(seen.0.len(), 5);
}

#[test]
fn a_serial_from_the_future_is_told() {
    let house = House::new(&ZONE.replace(" 10 7200", " 2026010100 7200"));
    let (publisher, _) = clocked(&house, SerialPolicy::Increment, || NOW);
    let step = |serial: u32, address: &str| {
        let text = ZONE.replace(" 10 7200", &format!(" {serial} 7200"));
        house.write(&text.replace("192.0.2.10", address));
        let report = reload(&publisher);
        (live(&publisher).serial(), rules(&report))
    };
    assert_eq!(step(2_026_112_507, "198.51.100.1"), (2_026_112_507, vec![]), "tomorrow's");
    assert_eq!(step(2_062_112_401, "198.51.100.2"), (2_062_112_401, vec!["serial-from-future"]));
    assert_eq!(step(2_062_112_402, "198.51.100.3"), (2_062_112_402, vec![]), "told once");
}

#[test]
fn the_operator_raises_the_floor_with_and_without_a_daemon() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    // A digit too many would burn half the circle.
    let far = publisher.raise_floor(&apex(), 1_500_000, "budi");
    assert!(far.unwrap_err().to_string().contains("--yes"));
    let change = publisher.raise_floor(&apex(), 500, "budi").unwrap().unwrap();
    assert_eq!((change.from, change.to, change.who.as_str()), (Some(10), 501, "budi"));
    assert!(publisher.raise_floor(&apex(), 400, "budi").unwrap().is_none());
    assert!(publisher.raise_floor(&apex(), 501, "budi").unwrap().is_none());
    let unordered = 501u32.wrapping_add(1 << 31);
    assert!(publisher.raise_floor(&apex(), unordered, "budi").unwrap().is_none());
    assert_eq!(publisher.newest_serial(&apex()).unwrap(), 501);
    publisher.flush();
    drop(publisher);
    assert!(Publisher::raise_floor_at(&house.state(), &apex(), 900).unwrap());
    assert!(!Publisher::raise_floor_at(&house.state(), &apex(), 800).unwrap());
    let far = Publisher::raise_floor_at(&house.state(), &apex(), 1_500_000);
    assert!(matches!(far, Err(PublishError::FarFloor { newest: 900, .. })));
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), 901);
    edit(&house, &publisher, 1);
    assert_eq!(live(&publisher).serial(), 902);
}

#[test]
fn a_zone_that_was_signed_elsewhere_is_never_renumbered() {
    let text = include_str!("../../../../tests/zones/good/signed-nsec.zone");
    let house = House::new(text);
    let own = { live(&house.opened()).serial() };
    // All is lost but the serials, and they are ahead.
    for file in fs::read_dir(house.state()).unwrap() {
        let _ = fs::remove_file(file.unwrap().path());
    }
    fs::write(house.state().join("serials"), format!("example. {}\n", own + 5)).unwrap();
    let (publisher, reports) = house.open();
    assert_eq!(live(&publisher).serial(), own);
    assert!(rules(&reports[0]).contains(&"presigned-serial-behind"), "{}", reports[0]);
    let change = publisher.raise_floor(&apex(), own + 50, "budi").unwrap().unwrap();
    assert!(!change.is_visible());
    assert_eq!(live(&publisher).serial(), own);
    assert_eq!(publisher.newest_serial(&apex()).unwrap(), own + 50);
}

#[test]
fn a_preview_of_a_rollback_changes_nothing() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    edit(&house, &publisher, 1);
    let preview = publisher.preview_rollback(&apex(), 10).unwrap();
    assert_eq!((preview.counts(), preview.to), ((1, 1), 12));
    assert_eq!(live(&publisher).serial(), 11);
    // What was looked at is what is published, or nothing.
    let seen = preview.from.map(|serial| serial.wrapping_sub(1));
    let moved = publisher.rollback_of(&apex(), seen, 10, "budi");
    assert!(matches!(moved, Err(PublishError::Moved(_))));
    let done = publisher.rollback_of(&apex(), preview.from, 10, "budi");
    assert_eq!(done.unwrap().delta, preview.delta);
}
