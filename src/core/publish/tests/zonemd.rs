//! ZONEMD made by the door (RFC 8976): right after each change of any cause, in its serial and its delta.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::*;
use crate::skipped::skipped;
use crate::{check, master};

impl House {
    /// Opens the publisher on the one zone, with ZONEMD made or not.
    fn digested(&self, zonemd: bool) -> Publisher {
        let store = Store::open(&self.state()).unwrap();
        let (publisher, reports) =
            Publisher::open(store, vec![self.source(zonemd)], self.options()).unwrap();
        assert!(reports.iter().all(ReloadReport::is_ok), "{}", reports[0]);
        publisher
    }

    /// The one zone, with ZONEMD made or not.
    fn source(&self, zonemd: bool) -> ZoneSource {
        ZoneSource { zonemd, ..ZoneSource::new(apex(), self.file()) }
    }
}

/// The zone has one ZONEMD record, which holds for it.
#[track_caller]
fn holds(zone: &Zone) {
    let records = zone.zonemd();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].rdata[..4], zone.serial().to_be_bytes());
    assert_eq!(records[0].rdata[6..], *zone.digest(1, 1).unwrap());
    assert!(check::zonemd(zone).is_empty());
    assert_eq!(zone.rrset(zone.apex(), Rtype::SOA).unwrap().ttl(), records[0].ttl);
}

/// What is live holds, was reached by a delta that leads there, and is what a restart serves.
#[track_caller]
fn holds_on(house: &House, publisher: Publisher, before: &Zone) -> Publisher {
    let zone = live(&publisher);
    holds(&zone);
    let history = publisher.history(&apex(), 1).unwrap().remove(0);
    assert_eq!((history.from, history.to), (Some(before.serial()), zone.serial()));
    assert!(publisher.show(&apex(), before.serial()).unwrap().diff(before).is_empty());
    publisher.flush();
    drop(publisher);
    let publisher = house.digested(true);
    let difference = live(&publisher).diff(&zone);
    assert!(difference.is_empty(), "a restart serves the same: {difference:?}");
    publisher
}

#[test]
fn each_change_of_any_cause_carries_a_fresh_zonemd() {
    let house = House::new(ZONE);
    let publisher = house.digested(true);
    holds(&live(&publisher));
    assert_eq!(live(&publisher).serial(), 10, "a first load keeps the file's serial");
    assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { .. }));

    // The file, with a serial of its own and without.
    let before = live(&publisher);
    house.write(&(ZONE.replace(" 10 7200", " 12 7200") + "plus A 192.0.2.8\n"));
    assert!(reload(&publisher).is_ok());
    let publisher = holds_on(&house, publisher, &before);
    let before = live(&publisher);
    house.write(&(ZONE.replace(" 10 7200", " 12 7200") + "plus A 192.0.2.9\n"));
    assert!(!rules(&reload(&publisher)).contains(&"zonemd-left-out"));
    let publisher = holds_on(&house, publisher, &before);

    // A request, what it takes out below a wildcard, and a rollback.
    let before = live(&publisher);
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    let publisher = holds_on(&house, publisher, &before);
    let before = live(&publisher);
    promote(&publisher, "2", vec![rrset("a.wild.example.", Rtype::A, &[])]).unwrap();
    let publisher = holds_on(&house, publisher, &before);
    let before = live(&publisher);
    publisher.rollback(&apex(), 10, "budi").unwrap();
    assert_eq!(at(&live(&publisher), "plus.example.", Rtype::A), [""; 0]);
    let publisher = holds_on(&house, publisher, &before);

    // Serials that are raised.
    let before = live(&publisher);
    publisher.raise_floor(&apex(), 100, "budi").unwrap();
    holds_on(&house, publisher, &before);
}

#[test]
fn turning_it_on_and_off_is_one_change_each() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let set = |zonemd| publisher.set_sources(vec![house.source(zonemd)], &By::person("budi"));
    let newest = || publisher.history(&apex(), 1).unwrap().remove(0);
    assert!(live(&publisher).zonemd().is_empty());
    assert!(set(true)[0].is_ok());
    holds(&live(&publisher));
    assert_eq!(newest().cause, Cause::Own { purpose: "zonemd".to_owned() });
    assert_eq!((newest().to, newest().who), (11, "budi".to_owned()));
    assert!(set(true).is_empty(), "no news");
    assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { serial: 11 }));
    assert!(set(false)[0].is_ok());
    assert!(live(&publisher).zonemd().is_empty());
    assert_eq!((newest().to, newest().removed, newest().added), (12, 1, 0));
    assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { serial: 12 }));
}

#[test]
fn turning_it_on_and_off_between_two_runs_is_a_change_too() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    drop(publisher);
    for (zonemd, serial) in [(true, 12), (true, 12), (false, 13), (false, 13), (true, 14)] {
        let publisher = house.digested(zonemd);
        let zone = live(&publisher);
        assert_eq!((zone.serial(), zone.zonemd().len()), (serial, usize::from(zonemd)));
        if zonemd {
            holds(&zone);
        }
        let versions = publisher.history(&apex(), 100).unwrap();
        for version in versions.iter().map(|version| version.to).filter(|to| *to > 10) {
            assert_eq!(publisher.show(&apex(), version).unwrap().serial(), version);
        }
        publisher.flush();
    }
}

#[test]
fn a_rolled_back_file_stays_so_when_zonemd_comes() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    house.write(&format!("{ZONE}plus A 192.0.2.8\n"));
    assert!(reload(&publisher).is_ok());
    publisher.rollback(&apex(), 10, "budi").unwrap();
    publisher.set_sources(vec![house.source(true)], &By::gapura());
    holds(&live(&publisher));
    assert!(publisher.zone_status(&apex()).unwrap().rolled_back);
    assert!(matches!(reload(&publisher).outcome, Outcome::Held { .. }));
}

#[test]
fn the_files_own_zonemd_is_verified_and_replaced() {
    let house = House::new(ZONE);
    let exported = {
        let publisher = house.digested(true);
        promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
        live(&publisher)
    };
    let text = master::print_zone(exported.records());
    let other = House::new(&text);
    let publisher = other.digested(true);
    assert!(live(&publisher).diff(&exported).is_empty());
    // The same with another record, which its ZONEMD does not speak of.
    other.write(&format!("more.example. 300 A 192.0.2.3\n{text}"));
    assert_eq!(rules(&reload(&publisher)), ["zonemd-wrong"]);
    assert!(live(&publisher).diff(&exported).is_empty());
    // A comment changes the bytes only.
    other.write(&format!("; again\n{text}"));
    assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { .. }));
    holds(&live(&publisher));
}

#[test]
fn a_presigned_zone_gets_none_and_it_is_said() {
    let house = House::new(include_str!("../../../../tests/zones/good/signed-serial-zero.zone"));
    let store = Store::open(&house.state()).unwrap();
    let (publisher, reports) =
        Publisher::open(store, vec![house.source(true)], house.options()).unwrap();
    assert!(rules(&reports[0]).contains(&"zonemd-presigned"), "{}", reports[0]);
    assert!(live(&publisher).zonemd().is_empty());
}

#[test]
fn an_approval_is_not_given_for_the_zonemd() {
    let house = House::new(ZONE);
    let publisher = house.digested(true);
    let edit = Edit { set: vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])] };
    let before = publisher.preview(&apex(), &edit).unwrap();
    promote(&publisher, "1", vec![rrset("else.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    let after = publisher.preview(&apex(), &edit).unwrap();
    assert_eq!(before.hash(), after.hash(), "another change does not move it");
    assert!(after.findings.is_empty(), "{:?}", after.findings);
}

/// Whether ldns finds that the ZONEMD of a zone is there and holds; an error without ldns.
fn ldns_verifies(zone: &Zone) -> std::io::Result<bool> {
    let mut child = Command::new("ldns-verify-zone")
        .args(["-Z", "-V", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let text = master::print_zone(zone.records());
    child.stdin.take().unwrap().write_all(text.as_bytes())?;
    Ok(child.wait()?.success())
}

#[test]
fn ldns_verifies_it_after_each_of_fifty_changes() {
    let house = House::new(&format!("{ZONE}UPPER MX 10 Mail.Example.\n*.wild TXT \"a\" \"b\"\n"));
    let publisher = house.digested(true);
    let bare = live(&House::new(ZONE).opened());
    match (ldns_verifies(&live(&publisher)), ldns_verifies(&bare)) {
        (Ok(good), Ok(none)) => assert!(good && !none, "{good} {none}"),
        (..) => return skipped("ldns-verify-zone not found"),
    }
    for step in 0..50 {
        let owner = format!("n{}.example.", step % 7);
        let address = format!("192.0.2.{step}");
        match step % 5 {
            0 => house.write(&(ZONE.to_owned() + &format!("f{step} TXT \"{step}\"\n"))),
            1 => {
                let to = live(&publisher).serial();
                promote(&publisher, "1", vec![rrset(&owner, Rtype::A, &[&address])]).unwrap();
                publisher.rollback(&apex(), to, "budi").unwrap_err();
            }
            2 => drop(promote(&publisher, "2", vec![rrset(&owner, Rtype::A, &[])])),
            3 => drop(publisher.raise_floor(&apex(), live(&publisher).serial() + 3, "budi")),
            _ => drop(publisher.rollback(&apex(), 10, "budi")),
        }
        assert!(reload(&publisher).is_ok());
        holds(&live(&publisher));
        assert!(ldns_verifies(&live(&publisher)).unwrap(), "step {step}");
    }
    assert!(live(&publisher).serial() > 50, "they were changes");
}
