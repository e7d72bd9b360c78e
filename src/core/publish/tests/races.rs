//! T19 at a reasonable size: promotions, reloads, rollbacks and zones that come and go, all at once.
//! `GAPURA_RACES=1000` makes it longer. And Cascade's three regressions by name.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// Rounds of each thread.
fn rounds() -> u32 {
    std::env::var("GAPURA_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(40)
}

#[test]
fn everything_at_once_loses_nothing_and_ends() {
    let house = House::new(ZONE);
    let store = Store::open(&house.state()).unwrap();
    let options = Options { quiet: Duration::ZERO, ..house.options() };
    let source = ZoneSource::new(apex(), house.file());
    let (publisher, _) = Publisher::open(store, vec![source.clone()], options).unwrap();
    let done = Mutex::new(Vec::new());
    let end = AtomicBool::new(false);
    let other = house.directory.path().join("other.zone");
    fs::write(&other, ZONE.replace("example.", "other.")).unwrap();
    std::thread::scope(|scope| {
        let promoters: Vec<_> = (0..3)
            .map(|thread| {
                let (publisher, done) = (&publisher, &done);
                scope.spawn(move || {
                    for round in 0..rounds() {
                        let owner = format!("p{thread}x{round}.example.");
                        let set = vec![rrset(&owner, Rtype::A, &["192.0.2.7"])];
                        let change = promote(publisher, "1", set).unwrap();
                        done.lock().unwrap().push((owner, change.to));
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            let mut round = 0;
            while !end.load(Ordering::Relaxed) {
                round += 1;
                let temporary = house.file().with_extension("tmp");
                fs::write(&temporary, format!("{ZONE}f{round} A 192.0.2.9\n")).unwrap();
                fs::rename(&temporary, house.file()).unwrap();
                let report = reload(&publisher);
                assert!(report.is_ok(), "{report}");
            }
        });
        scope.spawn(|| {
            while !end.load(Ordering::Relaxed) {
                assert!(reload(&publisher).is_ok());
                let _ = publisher.diff_file(&apex());
                let _ = publisher.status();
            }
        });
        scope.spawn(|| {
            let two = ZoneSource::new(name("other."), &other);
            while !end.load(Ordering::Relaxed) {
                publisher.set_sources(vec![source.clone(), two.clone()], &By::gapura());
                let set = vec![rrset("x.other.", Rtype::A, &["192.0.2.1"])];
                let cause = Cause::Own { purpose: "test".to_owned() };
                let (edit, zone) = (Edit { set }, name("other."));
                let wanted = EditProposal { zone: &zone, ..proposal(&edit, cause, NoRows) };
                let _ = publisher.publish(wanted);
                publisher.set_sources(vec![source.clone()], &forced("budi"));
            }
        });
        promoters.into_iter().for_each(|thread| thread.join().unwrap());
        end.store(true, Ordering::Relaxed);
    });
    let history = publisher.history(&apex(), usize::MAX).unwrap();
    assert!(history.windows(2).all(|pair| pair[0].to > pair[1].to), "every serial in order");
    let zone = live(&publisher);
    let done = done.into_inner().unwrap();
    assert_eq!(done.len(), 3 * rounds() as usize);
    let unique: BTreeSet<u32> = done.iter().map(|(_, serial)| *serial).collect();
    assert_eq!(unique.len(), done.len(), "one change, one serial");
    for (owner, _) in &done {
        assert!(zone.node(name(owner).as_ref()).is_some(), "{owner}");
    }
    drop(publisher);
    assert_eq!(live(&house.opened()).serial(), zone.serial());
}

#[test]
fn reloads_that_wait_for_each_other_are_merged() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(reload(&publisher).is_ok()));
        }
    });
    assert_eq!(live(&publisher).serial(), 11);
    let status = publisher.zone_status(&apex()).unwrap();
    assert!(status.reloads.values().sum::<u64>() <= 8, "{:?}", status.reloads);
}

//------------ Cascade -------------------------------------------------------

/// NLnetLabs/cascade #825: reject, reload, approve, restart keeps the zone.
#[test]
fn cascade_825_reject_reload_approve_restart_keeps_the_zone() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    house.write(&ZONE.replace("www A 192.0.2.10", "www A 192.0.2.999"));
    assert!(!reload(&publisher).is_ok());
    assert!(!reload(&publisher).is_ok());
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    drop(publisher);
    let (publisher, reports) = house.open();
    assert!(!reports[0].is_ok(), "the file is still bad, and it is said");
    assert_eq!(live(&publisher).serial(), 11);
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["192.0.2.7"]);
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
}

/// NLnetLabs/cascade #937: a reload of an unchanged file is no change and no error.
#[test]
fn cascade_937_reload_of_an_unchanged_file() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    for _ in 0..3 {
        assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 10 });
    }
    assert_eq!(publisher.history(&apex(), 9).unwrap().len(), 1);
}

/// NLnetLabs/cascade #476: a reload without a new serial does not lock the zone.
#[test]
fn cascade_476_reload_without_a_new_serial_does_not_lock_the_zone() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    for n in 11..15 {
        house.write(&ZONE.replace("192.0.2.10", &format!("192.0.2.{n}")));
        assert!(reload(&publisher).is_ok());
        assert_eq!(live(&publisher).serial(), n);
    }
}
