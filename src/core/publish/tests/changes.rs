//! What leads from an earlier serial to the live version, from every serial that is kept.

use super::*;
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::records;
use crate::wire::Record;

/// A house whose journal keeps so many changes.
fn house(changes_max: u64) -> (House, Publisher) {
    let house = House::new(ZONE);
    let store = Store::open(&house.state()).unwrap();
    let options = Options { journal_changes_max: changes_max, ..house.options() };
    let source = ZoneSource::new(apex(), house.file());
    let (publisher, _) = Publisher::open(store, vec![source], options).unwrap();
    (house, publisher)
}

/// Puts up an address, or takes the name away.
fn put(publisher: &Publisher, owner: &str, data: &[&str]) -> u32 {
    promote(publisher, "7", vec![rrset(owner, Rtype::A, data)]).unwrap().to
}

#[test]
fn from_every_serial_the_change_leads_to_what_is_live() {
    let (house, publisher) = house(10_000);
    let mut versions = vec![live(&publisher)];
    for step in 0..40u8 {
        match step % 4 {
            0 => put(&publisher, "a.example.", &[&format!("192.0.2.{step}")]),
            1 => put(&publisher, &format!("n{step}.example."), &["192.0.2.1", "192.0.2.2"]),
            2 => put(&publisher, &format!("n{}.example.", step - 1), &["192.0.2.2"]),
            _ => {
                house.write(&ZONE.replace("192.0.2.10", &format!("192.0.2.{}", 100 + step)));
                assert!(reload(&publisher).is_ok());
                live(&publisher).serial()
            }
        };
        versions.push(live(&publisher));
    }
    let newest = live(&publisher);
    for (at, version) in versions.iter().enumerate() {
        let Some((zone, deltas)) = publisher.changes_since(&apex(), version.serial()) else {
            // So many changes of so small a zone: it goes out whole.
            assert!(at < 8, "from {}", version.serial());
            continue;
        };
        assert!(zone.is_same(&newest));
        let mut reached = version.clone();
        for delta in &deltas {
            reached = reached.apply(delta).unwrap();
        }
        assert_eq!(reached, newest, "from {}", version.serial());
        assert_eq!(deltas.is_empty(), version.serial() == newest.serial());
    }
    // Ahead of what there is, and never there.
    let ahead = publisher.changes_since(&apex(), newest.serial() + 5).unwrap();
    assert!(ahead.0.is_same(&newest) && ahead.1.is_empty());
    assert!(publisher.changes_since(&apex(), 3).is_none(), "an unknown serial");
    assert!(publisher.changes_since(&name("other."), 3).is_none());
}

#[test]
fn what_came_and_went_is_in_no_part_of_the_change() {
    let (_house, publisher) = house(10_000);
    let before = live(&publisher);
    for round in 0..50 {
        put(&publisher, "flip.example.", &[&format!("192.0.2.{round}")]);
    }
    put(&publisher, "stays.example.", &["192.0.2.7"]);
    promote(&publisher, "7", vec![rrset("flip.example.", Rtype::A, &[])]).unwrap();
    let (zone, deltas) = publisher.changes_since(&apex(), before.serial()).unwrap();
    assert_eq!(deltas.len(), 1);
    let shape = |records: &[Record]| -> Vec<String> {
        records.iter().map(|record| format!("{} {}", record.owner, record.rtype)).collect()
    };
    assert_eq!(shape(&deltas[0].removed), ["example. SOA"]);
    assert_eq!(shape(&deltas[0].added), ["example. SOA", "stays.example. A"]);
    assert_eq!(before.apply(&deltas[0]).unwrap(), zone);
}

#[test]
fn a_change_that_is_no_smaller_than_the_zone_and_a_journal_that_was_cut_are_not_sent() {
    let (house, publisher) = house(64);
    let first = live(&publisher);
    house.write(&ZONE.replace("$TTL 3600", "$TTL 3601"));
    assert!(reload(&publisher).is_ok());
    assert!(publisher.changes_since(&apex(), first.serial()).is_none(), "every record is another");
    let grown = live(&publisher);
    for round in 0..200 {
        put(&publisher, "a.example.", &[&format!("192.0.2.{round}")]);
    }
    publisher.flush();
    assert!(publisher.changes_since(&apex(), grown.serial()).is_none(), "dropped from the front");
    // The version before the oldest change that is kept is the last that is reached.
    let newest = live(&publisher).serial();
    let reached = |serial| publisher.changes_since(&apex(), serial).is_some();
    let oldest = (grown.serial()..newest).find(|serial| reached(*serial)).unwrap();
    assert!((oldest..=newest).all(reached));
    let history = publisher.history(&apex(), 1_000).unwrap();
    assert_eq!(history.last().unwrap().from, Some(oldest));
}

#[test]
fn of_a_serial_that_was_used_twice_the_newest_chain_counts() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let base = live(&publisher);
    let a = put(&publisher, "a.example.", &["192.0.2.1"]);
    put(&publisher, "b.example.", &["192.0.2.2"]);
    let newest = live(&publisher);
    // As a database that was put back may hold it: the same serials, earlier, with other records.
    let other = base.diff(&newest);
    let blob = |records: &[Record]| records::encode(records.iter().map(Record::as_ref));
    let blobs = DeltaBlobs { removed: blob(&other.removed), added: blob(&other.added) };
    let row = JournalRow {
        seq: -5,
        from: Some(a),
        to: newest.serial(),
        removed_count: 0,
        added_count: 0,
        cause: "{}".to_owned(),
        who: String::new(),
        at_ms: 0,
        publisher: None,
    };
    let store = &publisher.0.store;
    store.write(|tx| tx.add_change(&apex(), &row, Some(&blobs))).unwrap();
    let (zone, deltas) = publisher.changes_since(&apex(), a).unwrap();
    assert!(zone.is_same(&newest) && deltas[0].added.len() == 2, "{deltas:?}");
    // A gap in the chain is no way to get there.
    store.write(|tx| tx.drop_changes(&apex(), -1)).unwrap();
    let gap = JournalRow { seq: 0, from: Some(5), to: 6, ..row };
    store.write(|tx| tx.add_change(&apex(), &gap, Some(&blobs))).unwrap();
    assert!(publisher.changes_since(&apex(), 5).is_none());
}
