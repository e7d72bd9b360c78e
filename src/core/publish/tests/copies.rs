//! The copies of zones as they are served: before the acknowledgement, folded, mended, never less.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::publish::door::read_copy;
use crate::publish::state::Job;

/// The copy of the zone.
fn copy(house: &House) -> PathBuf {
    house.state().join("served/example.zone")
}

/// The changes since.
fn changes(house: &House) -> PathBuf {
    house.state().join("served/example.changes")
}

/// A zone too large to be written whole with each change.
fn large() -> String {
    let names: String = (0..2500).map(|n| format!("h{n} A 192.0.2.{}\n", n % 250)).collect();
    format!("{ZONE}{names}")
}

/// Waits until the database is closed: the keeper may be the last to let go of it.
fn until_closed(house: &House) {
    let log = house.state().join("gapura.db-wal");
    let until = Instant::now() + Duration::from_secs(10);
    while log.exists() {
        assert!(Instant::now() < until, "the database is not closed");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_copy_holds_what_was_acknowledged() {
    let house = House::new(ZONE);
    let publisher = promoted_and_masked(&house);
    // No flush: the keeper may not have had its turn.
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
    let text = fs::read_to_string(copy(&house)).unwrap();
    assert!(text.contains("new.example. 300 IN A 192.0.2.90\n"), "{text}");
    assert!(!text.contains("\nwww.example. "), "a masked name is not in it: {text}");
    house.write(&ZONE.replace("192.0.2.53", "192.0.2.54"));
    assert!(reload(&publisher).is_ok());
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)), "an edited file");
}

#[test]
fn a_suspension_is_beside_the_database_before_it_is_acknowledged() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let edit = Edit { set: vec![rrset("www.example.", Rtype::A, &[])] };
    let cause = Cause::Own { purpose: "suspended".to_owned() };
    publisher.publish(proposal(&edit, cause, NoRows)).unwrap();
    // No flush: the keeper may not have had its turn.
    let text = fs::read_to_string(publisher.derived_file(&apex())).unwrap();
    assert!(text.contains("masks www.example. A of the file"), "{text}");
}

#[test]
fn a_large_zone_has_its_changes_appended_and_folded_in() {
    let house = House::new(&large());
    let publisher = house.opened();
    publisher.flush();
    let whole = fs::read(copy(&house)).unwrap();
    for n in 0..3 {
        let new = vec![rrset(&format!("new{n}.example."), Rtype::A, &["192.0.2.90"])];
        promote(&publisher, "M-1", new).unwrap();
        assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
    }
    assert_eq!(fs::read(copy(&house)).unwrap(), whole, "not written again for one name");
    // A block that is not whole, as a crash leaves it, hides nothing before it.
    let good = fs::read(changes(&house)).unwrap();
    let torn = [&good[..], b"; change 13 -> 14\n+ x.example. 300 IN A 1"].concat();
    fs::write(changes(&house), &torn).unwrap();
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
    // Nor does one hide those behind it, be it text or not.
    let half = [b"; change 10 -> 11\n+ x.example. 300 IN A 1\xff", b"\n" as &[u8], &good].concat();
    fs::write(changes(&house), &half).unwrap();
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
    fs::write(changes(&house), &good).unwrap();
    publisher.flush();
    assert!(!changes(&house).exists(), "folded");
    let printed = fs::read_to_string(copy(&house)).unwrap();
    assert!(printed.contains("new2.example. 300 IN A 192.0.2.90\n"));
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
}

#[test]
fn a_copy_of_which_nobody_knows_how_far_it_goes_is_written_anew() {
    let house = House::new(&large());
    let publisher = house.opened();
    publisher.flush();
    let new = |n: u32| vec![rrset(&format!("new{n}.example."), Rtype::A, &["192.0.2.90"])];
    promote(&publisher, "M-1", new(1)).unwrap();
    assert!(changes(&house).exists());
    // As after an append that failed on a full disk.
    let slot = publisher.0.slot(&apex()).unwrap();
    crate::lock::lock(&slot.state).copied.serial = None;
    publisher.0.jobs.send(Job::Copy(apex()));
    publisher.flush();
    assert_eq!(publisher.unkept(), [""; 0]);
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
    promote(&publisher, "M-2", new(2)).unwrap();
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
}

#[test]
fn a_copy_that_is_not_right_is_mended_at_the_start() {
    let house = House::new(ZONE);
    let zone = {
        let publisher = house.opened();
        let new = vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])];
        promote(&publisher, "M-1", new).unwrap();
        live(&publisher)
    };
    let spoil: [&dyn Fn(&Path); 3] =
        [&|path| drop(fs::remove_file(path)), &|path| fs::write(path, "").unwrap(), &|path| {
            fs::write(path, "; example. as gapura serves it, serial 7: x\n").unwrap()
        }];
    for (which, spoil) in spoil.iter().enumerate() {
        spoil(&copy(&house));
        let publisher = house.opened();
        publisher.flush();
        assert_eq!(read_copy(&house.state(), &apex()), Some(zone.clone()), "{which}");
        assert_eq!(live(&publisher).serial(), zone.serial(), "{which}");
    }
}

#[test]
fn a_stand_in_serves_the_copy_where_the_file_is_refused_and_leaves_it_alone() {
    let house = House::new(ZONE);
    let before = {
        let publisher = promoted_and_masked(&house);
        live(&publisher).serial()
    };
    let kept = fs::read(copy(&house)).unwrap();
    let mut last = before;
    // A good file that is unchanged, one with an error, none at all, and a good one that was edited.
    let edited = ZONE.replace("192.0.2.53", "192.0.2.54");
    for (text, glue) in [
        (Some(ZONE), "192.0.2.53"),
        (Some("no zone file\n"), "192.0.2.53"),
        (None, "192.0.2.53"),
        (Some(edited.as_str()), "192.0.2.54"),
    ] {
        match text {
            Some(text) => house.write(text),
            None => fs::remove_file(house.file()).unwrap(),
        }
        let (publisher, reports) = stand_in(&house);
        let zone = live(&publisher);
        let what = format!("{text:?}: {}", reports[0]);
        assert_eq!(at(&zone, "new.example.", Rtype::A), ["192.0.2.90"], "{what}");
        assert!(at(&zone, "www.example.", Rtype::A).is_empty(), "the mask holds: {what}");
        assert_eq!(at(&zone, "ns.sub.example.", Rtype::A), [glue], "{what}");
        assert!(zone.serial() > last, "{} after {last}: {what}", zone.serial());
        last = zone.serial();
        publisher.flush();
        assert_eq!(fs::read(copy(&house)).unwrap(), kept, "{what}");
    }
    house.write(&edited);
    // Back on the database, everything is above what the stand-ins gave out.
    let publisher = house.opened();
    assert!(live(&publisher).serial() > last, "{} after {last}", live(&publisher).serial());
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["192.0.2.90"]);
}

/// A house with a promoted name, the database from before it, and the serial of after.
fn with_an_older_database() -> (House, Vec<u8>, u32) {
    let house = House::new(ZONE);
    drop(house.opened());
    until_closed(&house);
    let old = fs::read(Store::path(&house.state())).unwrap();
    let newest = {
        let publisher = house.opened();
        let new = vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])];
        promote(&publisher, "M-1", new).unwrap().to
    };
    until_closed(&house);
    (house, old, newest)
}

#[test]
fn an_older_database_leaves_the_newer_copy_under_its_serial() {
    let (house, old, newest) = with_an_older_database();
    let kept = fs::read(copy(&house)).unwrap();
    fs::write(Store::path(&house.state()), old).unwrap();
    let publisher = house.opened();
    publisher.flush();
    assert!(live(&publisher).serial() > newest);
    let aside = house.state().join(format!("served/example.zone.{newest}"));
    assert_eq!(fs::read(aside).unwrap(), kept);
    let aside = house.state().join(format!("promoted/example.zone.{newest}"));
    assert!(fs::read_to_string(aside).unwrap().contains("new.example."));
    assert_eq!(read_copy(&house.state(), &apex()), Some(live(&publisher)));
}

#[test]
fn a_broken_file_stays_refused_where_an_older_database_is_caught_up() {
    let (house, old, newest) = with_an_older_database();
    fs::write(Store::path(&house.state()), old).unwrap();
    house.write("no zone file\n");
    let (publisher, reports) = house.open();
    assert_eq!(refused_by(&reports[0]), Guard::Check, "{}", reports[0]);
    assert!(live(&publisher).serial() > newest, "and the serial goes up all the same");
    house.write(&ZONE.replace("192.0.2.53", "192.0.2.54"));
    assert!(reload(&publisher).is_ok());
}

#[test]
fn a_stand_in_does_not_lose_what_was_promoted_with_the_derived_file() {
    let spoil: [&dyn Fn(&Path); 3] = [
        &|path| fs::remove_dir_all(path.parent().unwrap()).unwrap(),
        &|path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        },
        &|path| drop(fs::rename(path.with_extension("old"), path)),
    ];
    for zone in [ZONE, &large()] {
        for (which, spoil) in spoil.iter().enumerate() {
            let house = House::new(zone);
            {
                let publisher = house.opened();
                publisher.flush();
                let new = vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])];
                promote(&publisher, "M-1", new).unwrap();
                let derived = publisher.derived_file(&apex());
                fs::copy(&derived, derived.with_extension("old")).unwrap();
                promote(&publisher, "M-2", vec![rrset("www.example.", Rtype::A, &[])]).unwrap();
                spoil(&derived);
            }
            let (publisher, reports) = stand_in(&house);
            let holds = |when: &str| {
                let live = live(&publisher);
                let what = format!("{when}, {which}, {} records", zone.lines().count());
                assert_eq!(at(&live, "new.example.", Rtype::A), ["192.0.2.90"], "{what}");
                assert!(at(&live, "www.example.", Rtype::A).is_empty(), "the mask holds: {what}");
            };
            assert!(reports[0].is_ok(), "{which}: {}", reports[0]);
            holds("at the start");
            house.write(&format!("{zone}later A 192.0.2.77\n"));
            assert!(reload(&publisher).is_ok());
            holds("after an edit");
            assert_eq!(at(&live(&publisher), "later.example.", Rtype::A), ["192.0.2.77"]);
        }
    }
}

#[test]
fn a_stand_in_does_not_bring_back_a_file_that_was_rolled_back() {
    for zone in [ZONE, &large()] {
        let house = House::new(zone);
        {
            let publisher = house.opened();
            publisher.flush();
            let before = live(&publisher).serial();
            house.write(&zone.replace("192.0.2.53", "192.0.2.54"));
            assert!(reload(&publisher).is_ok());
            publisher.rollback(&apex(), before, "kasi").unwrap();
        }
        let (publisher, _) = stand_in(&house);
        assert_eq!(at(&live(&publisher), "ns.sub.example.", Rtype::A), ["192.0.2.53"]);
        house.write(&zone.replace("192.0.2.53", "192.0.2.55"));
        assert!(reload(&publisher).is_ok());
        assert_eq!(at(&live(&publisher), "ns.sub.example.", Rtype::A), ["192.0.2.55"]);
    }
}

#[test]
fn other_name_servers_load_the_copy_as_it_is() {
    let zone = format!(
        "{ZONE}odd TXT \"a\\\"b;c\\\\d\" \"\\200\"\ntype TYPE65280 \\# 3 010203\nsvc SVCB 1 . alpn=h2\n"
    );
    let house = House::new(&zone);
    let publisher = house.opened();
    promote(&publisher, "M-1", vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])]).unwrap();
    let path = copy(&house).display().to_string();
    for command in [
        vec!["named-checkzone", "-i", "none", "example", &path],
        vec!["kzonecheck", "-o", "example", &path],
        vec!["nsd-checkzone", "example", &path],
    ] {
        match Command::new(command[0]).args(&command[1..]).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout).into_owned()
                    + &String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{command:?}: {said}");
            }
            Err(error) => crate::skipped::skipped(&format!("{}: {error}", command[0])),
        }
    }
}
