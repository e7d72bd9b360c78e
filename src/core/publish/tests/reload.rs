//! Loading by the guards, serials, start-up from the store, history and rollback.

use super::*;

/// What a reload came to: serials and counts.
fn live_outcome(report: &ReloadReport) -> (Option<u32>, u32, usize, usize) {
    match report.outcome {
        Outcome::Live { from, to, removed, added } => (from, to, removed, added),
        ref other => panic!("{other:?} {report}"),
    }
}

#[test]
fn first_load_edit_and_restart() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), 10);
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11").replace(" 10 7200", " 11 7200"));
    assert_eq!(live_outcome(&reload(&publisher)), (Some(10), 11, 1, 1));
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.11"]);
    drop(publisher);
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), 11);
    assert_eq!(publisher.history(&apex(), 10).unwrap().len(), 2, "a restart is no change");
}

#[test]
fn a_bad_file_changes_nothing_and_says_where() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.999"));
    let report = reload(&publisher);
    assert_eq!(refused_by(&report), Guard::Check);
    let place = report.findings[0].place.as_ref().unwrap();
    assert_eq!((report.findings[0].rule, place.line), ("bad-rdata", 8));
    assert_eq!(live(&publisher).serial(), 10);
    let status = publisher.zone_status(&apex()).unwrap();
    assert_eq!(status.refusal.unwrap().findings.len(), report.findings.len());
    house.write(ZONE);
    assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 10 });
    assert!(publisher.zone_status(&apex()).unwrap().refusal.is_none());
}

#[test]
fn each_guard_refuses_by_itself() {
    let marked = format!("{ZONE}; gapura: end of zone\n");
    let house = House::new(&marked);
    let publisher = house.opened();
    let refused = |text: &str| {
        house.write(text);
        let report = reload(&publisher);
        assert_eq!(live(&publisher).serial(), 10);
        (refused_by(&report), rules(&report))
    };
    assert_eq!(refused(ZONE), (Guard::Incomplete, vec!["marker-lost"]));
    assert_eq!(refused(marked.trim_end()), (Guard::Incomplete, vec!["no-final-newline"]));
    let clash = marked.replace("alias CNAME www", "alias CNAME www\nalias A 192.0.2.7");
    assert_eq!(refused(&clash), (Guard::Check, vec!["cname-other-data"]));
    fs::remove_file(house.file()).unwrap();
    assert_eq!(refused_by(&reload(&publisher)), Guard::Missing);
    house.write(&marked);
    assert!(reload(&publisher).is_ok());
}

#[test]
fn the_shrink_guard_and_who_forces_it() {
    let hosts: String = (0..40).map(|n| format!("h{n} A 192.0.2.{n}\n")).collect();
    let house = House::new(&format!("{ZONE}{hosts}"));
    let publisher = house.opened();
    house.write(ZONE);
    let report = reload(&publisher);
    assert_eq!((refused_by(&report), rules(&report)), (Guard::Shrink, vec!["zone-shrinks"]));
    let diff = publisher.diff_file(&apex()).unwrap();
    assert!(diff.refused && diff.delta.removed.len() > 11, "what a reload by force would do");
    assert_eq!(diff.findings[0].severity, crate::master::Severity::Error);
    let forced = publisher.reload(Some(&apex()), &forced("budi")).remove(0);
    assert_eq!(live_outcome(&forced).2, 40);
    let newest = publisher.history(&apex(), 1).unwrap().remove(0);
    assert_eq!(newest.who, "budi");
}

#[test]
fn the_server_owns_the_serial() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let step = |serial: u32, address: &str| {
        house.write(
            &ZONE.replace(" 10 7200", &format!(" {serial} 7200")).replace("192.0.2.10", address),
        );
        let report = reload(&publisher);
        (report.outcome.clone(), rules(&report))
    };
    let live_at = |from, to| Outcome::Live { from: Some(from), to, removed: 1, added: 1 };
    assert_eq!(step(10, "192.0.2.20"), (live_at(10, 11), vec!["serial-not-raised"]));
    assert_eq!(step(5, "192.0.2.21"), (live_at(11, 12), vec!["serial-backwards"]));
    assert_eq!(step(20, "192.0.2.22"), (live_at(12, 20), vec![]));
    assert_eq!(
        step(21, "192.0.2.22").0,
        Outcome::Live { from: Some(20), to: 21, removed: 0, added: 0 },
        "a serial raised by itself is an operator's wish"
    );
    // Another comment, the same content.
    house.write(&format!("; new\n{}", fs::read_to_string(house.file()).unwrap()));
    assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 21 });
}

#[test]
fn a_refused_file_at_the_start_is_served_from_the_store() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "7", vec![rrset("new.example.", Rtype::A, &["198.51.100.7"])]).unwrap();
    drop(publisher);
    house.write("broken\n");
    let (publisher, reports) = house.open();
    assert!(!reports[0].is_ok());
    assert_eq!(live(&publisher).serial(), 11);
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["198.51.100.7"]);
    assert!(publisher.zone_status(&apex()).unwrap().from_store);
    house.write(ZONE);
    assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 11 });
    assert!(!publisher.zone_status(&apex()).unwrap().from_store);
}

#[test]
fn a_file_edited_while_down_is_one_change() {
    let house = House::new(ZONE);
    drop(house.opened());
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    let (publisher, reports) = house.open();
    assert_eq!(live_outcome(&reports[0]), (Some(10), 11, 1, 1));
    let delta = publisher.diff(&apex(), 10, 11).unwrap();
    assert_eq!((delta.removed.len(), delta.added.len()), (2, 2));
}

#[test]
fn a_serial_survives_a_lost_database() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "7", vec![rrset("new.example.", Rtype::A, &["198.51.100.7"])]).unwrap();
    publisher.flush();
    drop(publisher);
    for file in ["gapura.db", "gapura.db-wal", "gapura.db-shm"] {
        let _ = fs::remove_file(house.state().join(file));
    }
    assert_eq!(live(&house.opened()).serial(), 12);
}

#[test]
fn rollback_goes_forward_and_holds_the_file() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "7", vec![rrset("new.example.", Rtype::A, &["198.51.100.7"])]).unwrap();
    let edited = ZONE.replace("192.0.2.10", "192.0.2.66").replace(" 10 7200", " 20 7200");
    house.write(&edited);
    assert!(reload(&publisher).is_ok());
    let same = publisher.rollback(&apex(), 20, "budi");
    assert!(matches!(same, Err(PublishError::NoEffect(_))), "{same:?}");
    assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 20 }, "nothing is held");
    let change = publisher.rollback(&apex(), 10, "budi").unwrap();
    assert_eq!((change.from, change.to), (Some(20), 21));
    let check = |publisher: &Publisher| {
        assert_eq!(at(&live(publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
        assert_eq!(
            at(&live(publisher), "new.example.", Rtype::A),
            ["198.51.100.7"],
            "promoted stays"
        );
        assert_eq!(reload(publisher).outcome, Outcome::Held { serial: 21, node: None });
        assert!(publisher.zone_status(&apex()).unwrap().rolled_back);
    };
    check(&publisher);
    assert_eq!(at(&publisher.show(&apex(), 20).unwrap(), "www.example.", Rtype::A), ["192.0.2.66"]);
    assert_eq!(publisher.show(&apex(), 10).unwrap().serial(), 10);
    drop(publisher);
    let publisher = house.opened();
    check(&publisher);
    let forced = publisher.reload(Some(&apex()), &forced("budi")).remove(0);
    assert_eq!(live_outcome(&forced).1, 22);
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.66"]);
}

#[test]
fn a_reload_is_written_down_under_who_asked_for_it() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert!(publisher.reload(Some(&apex()), &By::person("uid 1000"))[0].is_ok());
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.12"));
    assert!(reload(&publisher).is_ok());
    let who: Vec<_> =
        publisher.history(&apex(), 2).unwrap().into_iter().map(|version| version.who).collect();
    assert_eq!(who, ["gapura", "uid 1000"]);
}

#[test]
fn zones_of_a_manifest_are_taken_back_together() {
    let house = House::new(ZONE);
    let directory = house.directory.path().to_owned();
    let (other, text) = (directory.join("other.zone"), ZONE.replace("example.", "other."));
    fs::write(&other, &text).unwrap();
    let store = Store::open(&house.state()).unwrap();
    let sources =
        vec![ZoneSource::new(apex(), house.file()), ZoneSource::new(name("other."), &other)];
    let (publisher, _) = Publisher::open(store, sources, house.options()).unwrap();
    let blind = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let socket = promotion::socket(&publisher, &blind);
    publisher.sockets().set(vec![socket.address]);
    let (a, b) = (ZONE.replace(".10\n", ".11\n"), text.replace(".10\n", ".11\n"));
    let sum = |text: &str| crate::digest::sha256_hex(text);
    house.write(&a);
    fs::write(&other, &b).unwrap();
    let list = format!("{}  example.zone\n{}  other.zone\n", sum(&a), sum(&b));
    fs::write(directory.join("zones.manifest"), list).unwrap();
    let reports = publisher.reload(None, &By::gapura());
    let guards: Vec<_> = reports.iter().map(refused_by).collect();
    assert_eq!(guards, [Guard::Unconfirmed, Guard::Unconfirmed]);
    for zone in [apex(), name("other.")] {
        let history = publisher.history(&zone, 9).unwrap();
        let causes: Vec<_> = history.iter().map(|one| (one.to, one.cause.kind())).collect();
        assert_eq!(causes, [(12, "unconfirmed"), (11, "file"), (10, "load")], "{zone}");
    }
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
}

#[test]
fn zones_of_a_manifest_go_live_together_or_not_at_all() {
    let house = House::new(ZONE);
    let directory = house.directory.path().to_owned();
    let other = directory.join("other.zone");
    fs::write(&other, ZONE.replace("example.", "other.")).unwrap();
    let store = Store::open(&house.state()).unwrap();
    let sources =
        vec![ZoneSource::new(apex(), house.file()), ZoneSource::new(name("other."), &other)];
    let (publisher, _) = Publisher::open(store, sources, house.options()).unwrap();
    let sum = |text: &str| crate::digest::sha256_hex(text);
    let write = |a: &str, b: &str| {
        house.write(a);
        fs::write(&other, b).unwrap();
        let list = format!("{}  example.zone\n{} *other.zone\n", sum(a), sum(b));
        fs::write(directory.join("zones.manifest"), list).unwrap();
    };
    let (a, b) = (
        ZONE.replace(".10\n", ".11\n"),
        ZONE.replace("example.", "other.").replace(".10\n", ".12\n"),
    );
    write(&a, &b.replace("192.0.2.12", "192.0.2.999"));
    let reports = publisher.reload(Some(&apex()), &By::gapura());
    assert_eq!(reports.iter().map(refused_by).collect::<Vec<_>>(), [Guard::Manifest, Guard::Check]);
    assert_eq!(live(&publisher).serial(), 10);
    write(&a, &b);
    let reports = publisher.reload(None, &By::gapura());
    assert!(reports.iter().all(|report| live_outcome(report).1 == 11), "{reports:?}");
    // One file written, the manifest not yet.
    house.write(ZONE);
    assert_eq!(refused_by(&publisher.reload(Some(&apex()), &By::gapura())[0]), Guard::Manifest);
    // The same holds for a start.
    drop(publisher);
    let open = || {
        let sources =
            vec![ZoneSource::new(apex(), house.file()), ZoneSource::new(name("other."), &other)];
        Publisher::open(Store::open(&house.state()).unwrap(), sources, house.options()).unwrap()
    };
    let (publisher, reports) = open();
    assert_eq!(refused_by(&reports[0]), Guard::Manifest);
    assert_eq!(live(&publisher).serial(), 11);
    assert!(publisher.zone_status(&apex()).unwrap().from_store);
    // A list that was cut or cannot be read names nobody, and nothing beside it goes live.
    let good = format!("{}  example.zone\n{}  other.zone\n", sum(ZONE), sum(&b));
    for bad in ["", "x\n", &good[..90], &good[..good.len() - 1], "\u{feff}"] {
        fs::write(directory.join("zones.manifest"), bad).unwrap();
        let report = publisher.reload(Some(&apex()), &By::gapura()).remove(0);
        assert_eq!(refused_by(&report), Guard::Manifest);
        assert!(rules(&report).contains(&"manifest-damaged"), "{bad:?}: {report}");
    }
    fs::write(directory.join("zones.manifest"), good).unwrap();
    assert_eq!(live_outcome(&publisher.reload(Some(&apex()), &By::gapura())[0]).1, 12);
}

#[test]
fn a_zonemd_may_not_be_lost_and_is_not_served_for_other_content() {
    // An unknown scheme is told, not verified.
    let digest = "@ ZONEMD 10 240 240 0123456789abcdef0123456789abcdef\n";
    let house = House::new(&format!("{ZONE}{digest}"));
    let publisher = house.opened();
    let count = |publisher: &Publisher| at(&live(publisher), "example.", Rtype::ZONEMD).len();
    assert_eq!(count(&publisher), 1);
    house.write(&format!("{ZONE}{digest}plus A 192.0.2.8\n"));
    let report = reload(&publisher);
    assert!(rules(&report).contains(&"zonemd-left-out"), "gapura chose the serial: {report}");
    assert_eq!((count(&publisher), live(&publisher).serial()), (0, 11));
    let raised = ZONE.replace(" 10 7200", " 12 7200") + digest + "plus A 192.0.2.8\n";
    house.write(&raised);
    let report = reload(&publisher);
    assert_eq!(rules(&report), ["zonemd-scheme"], "the file's own serial: {report}");
    assert_eq!((count(&publisher), live(&publisher).serial()), (1, 12));
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    assert_eq!(count(&publisher), 0, "it would not hold for the zone as it is now");
    drop(publisher);
    let publisher = house.opened();
    assert_eq!((count(&publisher), live(&publisher).serial()), (0, 13));
    house.write(ZONE);
    let report = reload(&publisher);
    assert_eq!((refused_by(&report), rules(&report)), (Guard::Incomplete, vec!["zonemd-lost"]));
    assert!(publisher.reload(Some(&apex()), &forced("budi"))[0].is_ok());
}

/// The serial of a zone that was signed elsewhere is signed, too.
#[test]
fn a_presigned_zone_keeps_its_serial_from_the_first_load_on() {
    let zero = include_str!("../../../../tests/zones/good/signed-serial-zero.zone");
    let house = House::new(zero);
    let publisher = house.opened();
    assert_eq!(live(&publisher).serial(), 0);
    drop(publisher);
    // A database that was lost: the file has the serial published last, and is that version.
    let lose = || {
        for entry in fs::read_dir(house.state()).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("gapura.db") {
                fs::remove_file(path).unwrap();
            }
        }
    };
    lose();
    assert_eq!(live(&house.opened()).serial(), 0);
    // One behind it cannot be given another, and old data is better than none.
    lose();
    house.write(&ZONE.replace(" 10 7200", " 5 7200"));
    assert_eq!(live(&house.opened()).serial(), 5);
    lose();
    house.write(zero);
    let (publisher, reports) = house.open();
    assert_eq!(rules(&reports[0]), ["presigned-serial-behind"]);
    assert_eq!(live(&publisher).serial(), 0);
}

#[test]
fn the_journal_is_bounded_and_the_copy_moves_with_it() {
    let house = House::new(ZONE);
    let store = Store::open(&house.state()).unwrap();
    let options = Options { journal_changes_max: 20, ..house.options() };
    let source = ZoneSource::new(apex(), house.file());
    let (publisher, _) = Publisher::open(store, vec![source], options).unwrap();
    for n in 0..130 {
        promote(&publisher, "1", vec![rrset(&format!("n{n}.example."), Rtype::A, &["192.0.2.7"])])
            .unwrap();
        if n % 32 == 0 {
            publisher.flush();
        }
    }
    publisher.flush();
    let history = publisher.history(&apex(), 1000).unwrap();
    assert!(history.len() < 100, "{} changes are kept", history.len());
    assert_eq!(history[0].to, 140);
    let oldest = history.last().unwrap();
    let past = publisher.show(&apex(), oldest.from.unwrap()).unwrap();
    assert_eq!(Some(past.serial()), oldest.from, "the oldest end of the chain can be shown");
    let gone = publisher.show(&apex(), oldest.from.unwrap() - 1);
    assert!(matches!(gone, Err(PublishError::NoVersion { .. })), "{gone:?}");
    drop(publisher);
    house.write("broken\n");
    let (publisher, _) = house.open();
    assert_eq!(live(&publisher).serial(), 140);
    assert!(live(&publisher).node(name("n0.example.").as_ref()).is_some());
}

#[test]
fn a_zone_that_is_another_one_altogether_is_not_kept_as_a_delta() {
    let stamped = |version: u32| {
        let hosts: String = (0..60_000).map(|n| format!("h{n} TXT \"{version}\"\n")).collect();
        ZONE.replace(" 10 7200", &format!(" {version} 7200")) + &hosts
    };
    let house = House::new(&stamped(10));
    let publisher = house.opened();
    house.write(&stamped(11));
    assert_eq!(live_outcome(&reload(&publisher)).1, 11);
    assert_eq!(at(&live(&publisher), "h59999.example.", Rtype::TXT), ["\"11\""]);
    assert!(matches!(publisher.show(&apex(), 10), Err(PublishError::NoVersion { .. })));
    // A copy of the zone before, finished only now, is no start for what comes.
    publisher.flush();
    let slot = publisher.0.slot(&apex()).unwrap();
    assert!(!publisher.0.use_copy(&slot, 1).unwrap());
    // A promotion goes on from there, and a refused file finds the new version in the store.
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    publisher.flush();
    house.write(ZONE);
    assert_eq!(refused_by(&reload(&publisher)), Guard::Shrink);
    drop(publisher);
    let (publisher, _) = house.open();
    assert_eq!(live(&publisher).serial(), 12);
    assert_eq!(at(&live(&publisher), "h7.example.", Rtype::TXT), ["\"11\""]);
}

#[test]
fn dates_as_serials_survive_a_clock_that_goes_back() {
    use std::sync::atomic::{AtomicI64, Ordering};
    /// 2026-11-24 in milliseconds; the test sets it back.
    static NOW: AtomicI64 = AtomicI64::new(1_795_489_200_000);
    let house = House::new(ZONE);
    let store = Store::open(&house.state()).unwrap();
    let options = Options { now_ms: || NOW.load(Ordering::Relaxed), ..house.options() };
    let source = ZoneSource { serial: SerialPolicy::Date, ..ZoneSource::new(apex(), house.file()) };
    let (publisher, _) = Publisher::open(store.clone(), vec![source], options).unwrap();
    let mut next = 0;
    let mut step = || {
        next += 1;
        let set = vec![rrset(&format!("n{next}.example."), Rtype::A, &["192.0.2.7"])];
        promote(&publisher, "1", set).unwrap().to
    };
    assert_eq!(step(), 2_026_112_400);
    NOW.fetch_sub(86_400_000, Ordering::Relaxed);
    assert_eq!(step(), 2_026_112_401);
    NOW.store(2_200_000_000_000, Ordering::Relaxed);
    let believed = crate::store::clock::ClockRow::believed(2_200_000_000_000);
    store.write::<_, crate::store::StoreError>(|tx| tx.put_clock(&believed)).unwrap();
    assert_eq!(step(), 2_039_091_800, "past 2038");
}

#[test]
fn a_new_chain_of_proofs_is_no_loss() {
    use crate::publish::propose::counted;
    let signed = House::new(include_str!("../../../../tests/zones/good/signed-nsec.zone"));
    let plain = House::new(ZONE);
    let (signed, plain) = (live(&signed.opened()), live(&plain.opened()));
    let types = [Rtype::A, Rtype::NSEC, Rtype::NSEC3, Rtype::RRSIG];
    assert_eq!(types.map(counted(&signed, &signed)), [true, false, false, false]);
    assert_eq!(types.map(counted(&signed, &plain)), [true; 4], "signatures that all go are a loss");
}
