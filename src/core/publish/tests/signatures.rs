//! Zones that were signed elsewhere, and time.

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::master::Severity;

/// Signed once, valid from 2026 until 2056.
const SIGNED: &str = include_str!("../../../../tests/zones/good/signed-nsec.zone");
/// 2026-01-01 in milliseconds, when the signatures begin.
const BEGIN: i64 = 1_767_225_600_000;
/// 2056-01-01 in milliseconds, when they end.
const END: i64 = 2_713_910_400_000;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Opens the publisher on the zone with a clock that the tests set.
fn clocked(house: &House, now_ms: fn() -> i64) -> (Publisher, Vec<ReloadReport>) {
    let store = Store::open(&house.state()).unwrap();
    let options = Options { now_ms, ..house.options() };
    Publisher::open(store, vec![ZoneSource::new(apex(), house.file())], options).unwrap()
}

#[test]
fn what_time_refused_time_retries() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    for wrong in [BEGIN - DAY_MS, END + DAY_MS, 0] {
        let house = House::new(SIGNED);
        CLOCK.store(wrong, Ordering::Relaxed);
        let (publisher, reports) = clocked(&house, || CLOCK.load(Ordering::Relaxed));
        assert_eq!(refused_by(&reports[0]), Guard::Check);
        let _watcher = publisher.watch();
        std::thread::sleep(Duration::from_millis(300));
        assert!(publisher.zone(&apex()).is_none());
        let tries = || refused(&publisher);
        assert_eq!(tries(), 1, "it is not tried before its time");
        CLOCK.store(BEGIN + DAY_MS, Ordering::Relaxed);
        watching::wait_for("its time", || publisher.zone(&apex()).is_some());
    }
    // A file that is at fault otherwise, too, is not tried again and again.
    let house = House::new(&SIGNED.replace("192.0.2.1\n", "192.0.2.77\n"));
    CLOCK.store(BEGIN - DAY_MS, Ordering::Relaxed);
    let (publisher, _) = clocked(&house, || CLOCK.load(Ordering::Relaxed));
    let _watcher = publisher.watch();
    CLOCK.store(BEGIN + DAY_MS, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(500));
    assert!(refused(&publisher) <= 2);
}

#[test]
fn signatures_that_end_are_seen_coming() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    let house = House::new(SIGNED);
    CLOCK.store(BEGIN + DAY_MS, Ordering::Relaxed);
    let (publisher, _) = clocked(&house, || CLOCK.load(Ordering::Relaxed));
    let at = |now: i64| {
        CLOCK.store(now, Ordering::Relaxed);
        let status = publisher.zone_status(&apex()).unwrap();
        assert_eq!(status.signatures_end, Some(END / 1000));
        let told = status.warnings.into_iter().next();
        told.map(|finding| (finding.rule, finding.severity))
    };
    let quarter = (END - BEGIN) / 4;
    assert_eq!(at(END - quarter - DAY_MS), None);
    assert_eq!(at(END - quarter + DAY_MS), Some(("signature-soon", Severity::Warning)));
    assert_eq!(at(END - DAY_MS), Some(("signature-soon", Severity::Warning)));
    assert_eq!(at(END + DAY_MS), Some(("signature-expired", Severity::Error)));
    assert_eq!(at(BEGIN + DAY_MS), None, "a clock that was wrong");
    // It goes on being served, and a restart says the same.
    CLOCK.store(END + DAY_MS, Ordering::Relaxed);
    publisher.flush();
    drop(publisher);
    let (publisher, _) = clocked(&house, || CLOCK.load(Ordering::Relaxed));
    let status = publisher.zone_status(&apex()).unwrap();
    assert_eq!(status.warnings[0].rule, "signature-expired");
    let unsigned = House::new(ZONE);
    let status = unsigned.opened().zone_status(&apex()).unwrap();
    assert!(status.signatures_end.is_none() && status.warnings.is_empty());
}

/// How often the file of the zone was refused.
fn refused(publisher: &Publisher) -> u64 {
    let reloads = publisher.zone_status(&apex()).unwrap().reloads;
    reloads.iter().filter(|((result, _), _)| *result == "refused").map(|(_, count)| count).sum()
}
