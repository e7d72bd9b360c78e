//! What is kept of zones reads back as it was written.

use super::store;
use crate::store::journal::{DeltaBlobs, JournalRow};
use crate::store::promoted::{Origin, PromotedRow};
use crate::store::records::StoredRrset;
use crate::store::zones::ZoneRow;
use crate::store::{Reader, StoreError};
use crate::wire::{Name, Rtype};

/// A zone whose optional columns are empty.
pub(super) fn zone(serial: u32) -> ZoneRow {
    ZoneRow {
        serial,
        high_water: serial,
        file_serial: None,
        file_hash: None,
        held_hash: None,
        marker: false,
        zonemd: false,
        marked_includes: String::new(),
        copy_seq: None,
        changed_ms: 0,
        own_zonemd: None,
        file_node: None,
    }
}

/// A zone whose columns are all filled in, with the largest numbers there are.
fn full() -> ZoneRow {
    ZoneRow {
        serial: u32::MAX,
        high_water: 0x8000_0000,
        file_serial: Some(0),
        file_hash: Some("é'\"\\ %_$1 ?".to_owned()),
        held_hash: Some(String::new()),
        marker: true,
        zonemd: true,
        marked_includes: "a\nb\n".to_owned(),
        copy_seq: Some(i64::MAX),
        changed_ms: i64::MIN,
        own_zonemd: Some(true),
        file_node: Some("simpul-2".to_owned()),
    }
}

/// A change.
fn change(seq: i64) -> JournalRow {
    JournalRow {
        seq,
        from: (seq > 1).then_some(u32::MAX),
        to: 0,
        removed_count: 1 << 62,
        added_count: 0,
        cause: "{\"kind\":\"file\"}".to_owned(),
        who: "ops'; DROP TABLE zone; --".to_owned(),
        at_ms: seq,
        publisher: (seq > 1).then_some(i64::MAX),
    }
}

/// Reads from the database.
fn read<T>(
    store: &crate::store::Store,
    work: impl FnOnce(&Reader<'_>) -> Result<T, StoreError>,
) -> T {
    store.read::<_, StoreError>(work).unwrap()
}

#[test]
fn a_zone_reads_back_and_a_second_writing_replaces_every_column() {
    let (store, _dir) = store();
    let name: Name = "Example.ID.".parse().unwrap();
    for row in [full(), zone(7), full()] {
        store.write::<_, StoreError>(|tx| tx.put_zone(&name, &row)).unwrap();
        assert_eq!(read(&store, |reader| reader.zone(&"example.id.".parse().unwrap())), Some(row));
    }
    assert_eq!(read(&store, |reader| reader.zone(&"id.".parse().unwrap())), None);
}

#[test]
fn the_journal_reads_back_in_order_with_its_records() {
    let (store, _dir) = store();
    let name: Name = "example.".parse().unwrap();
    let delta = DeltaBlobs { removed: vec![0, 255], added: Vec::new() };
    store
        .write::<_, StoreError>(|tx| {
            tx.put_zone(&name, &zone(1))?;
            tx.add_change(&name, &change(1), None)?;
            tx.add_change(&name, &change(2), Some(&delta))?;
            tx.add_change(&name, &change(3), Some(&delta))
        })
        .unwrap();
    assert_eq!(read(&store, |reader| reader.journal(&name, 2)), [change(3), change(2)]);
    assert_eq!(read(&store, |reader| reader.journal_end(&name)), Some(change(3)));
    assert_eq!(read(&store, |reader| reader.journal_at(&name, 0)), Some(change(3)));
    assert_eq!(read(&store, |reader| reader.journal_size(&name)), (3, 4));
    let mut seen = Vec::new();
    read(&store, |reader| {
        reader.journal_after(&name, 0, |row, delta| {
            seen.push((row, delta));
            Ok(())
        })
    });
    let delta = Some(delta);
    assert_eq!(seen, [(change(1), None), (change(2), delta.clone()), (change(3), delta)]);
    let mut sizes = Vec::new();
    read(&store, |reader| {
        reader.journal_sizes(&name, |seq, octets| {
            sizes.push((seq, octets));
            seq < 2
        })
    });
    assert_eq!(sizes, [(1, 0), (2, 2)], "a sink that has enough ends the reading");
    let twice = store.write::<_, StoreError>(|tx| tx.add_change(&name, &change(3), None));
    assert!(twice.is_err(), "a place in the journal is taken once");
    store.write::<_, StoreError>(|tx| tx.drop_changes(&name, 2)).unwrap();
    assert_eq!(read(&store, |reader| reader.journal(&name, 9)), [change(3)]);
}

#[test]
fn the_pieces_of_a_copy_come_back_in_order_and_others_are_dropped() {
    let (store, _dir) = store();
    let name: Name = "example.".parse().unwrap();
    store
        .write::<_, StoreError>(|tx| {
            tx.put_zone(&name, &zone(1))?;
            for (seq, piece, records) in [(4, 1, b"b"), (4, 0, b"x"), (4, 0, b"a"), (3, 0, b"o")] {
                tx.add_copy_piece(&name, seq, piece, records)?;
            }
            tx.use_copy(&name, 4)
        })
        .unwrap();
    let pieces = |seq| {
        let mut found = Vec::new();
        read(&store, |reader| {
            reader.zone_copy(&name, seq, |piece| {
                found.extend_from_slice(piece);
                Ok(())
            })
        });
        found
    };
    assert_eq!((pieces(4), pieces(3)), (b"ab".to_vec(), b"o".to_vec()));
    assert_eq!(read(&store, |reader| reader.zone(&name)).unwrap().copy_seq, Some(4));
    store.write::<_, StoreError>(|tx| tx.drop_copies_but(&name, 4)).unwrap();
    assert_eq!((pieces(4), pieces(3)), (b"ab".to_vec(), Vec::new()));
}

#[test]
fn promoted_rrsets_read_back_are_replaced_and_taken_away() {
    let (store, _dir) = store();
    let name: Name = "example.".parse().unwrap();
    let set = |ttl, rdatas: &[&[u8]]| StoredRrset {
        ttl,
        rdatas: rdatas.iter().map(|rdata| (*rdata).into()).collect(),
    };
    let row = |rtype, base: Option<StoredRrset>| PromotedRow {
        owner: "www.example.".parse().unwrap(),
        rtype: Rtype(rtype),
        rrset: set(u32::MAX, &[&[192, 0, 2, 1], &[]]),
        base,
        origin: Origin::Request("GPR-2026-000001".to_owned()),
        since_ms: -1,
    };
    let mask = PromotedRow { rrset: set(0, &[]), origin: Origin::Unnamed, ..row(65535, None) };
    let updated = PromotedRow { origin: Origin::Update("acme.".to_owned()), ..row(16, None) };
    store
        .write::<_, StoreError>(|tx| {
            tx.put_zone(&name, &zone(1))?;
            tx.put_promoted(&name, &row(1, None))?;
            tx.put_promoted(&name, &row(1, Some(set(60, &[&[1]]))))?;
            tx.put_promoted(&name, &updated)?;
            tx.put_promoted(&name, &mask)
        })
        .unwrap();
    let mut found = read(&store, |reader| reader.promoted(&name));
    found.sort_by_key(|row| row.rtype.0);
    assert_eq!(found, [row(1, Some(set(60, &[&[1]]))), updated.clone(), mask.clone()]);
    // A request takes over what an update put up.
    let taken = PromotedRow { origin: Origin::Request("1".to_owned()), ..updated };
    store.write::<_, StoreError>(|tx| tx.put_promoted(&name, &taken)).unwrap();
    store.write::<_, StoreError>(|tx| tx.delete_promoted(&name, &mask.owner, Rtype(1))).unwrap();
    let mut found = read(&store, |reader| reader.promoted(&name));
    found.sort_by_key(|row| row.rtype.0);
    assert_eq!(found, [taken, mask]);
}

#[test]
fn a_value_that_does_not_read_back_names_table_row_and_value() {
    let (store, _dir) = store();
    let name: Name = "example.".parse().unwrap();
    store.write::<_, StoreError>(|tx| tx.put_zone(&name, &zone(1))).unwrap();
    store.tamper("UPDATE zone SET high_water = -5");
    let error = store.read::<_, StoreError>(|reader| reader.zone(&name)).unwrap_err();
    let StoreError::Corrupt(text) = error else { panic!("{error}") };
    assert_eq!(text, "table zone, row 1: high_water is -5");
}
