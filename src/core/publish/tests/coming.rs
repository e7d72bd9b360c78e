//! Zones that come and go, and those that only seem to.

use std::path::Path;

use super::*;

/// A directory of zones, read as the settings name it.
fn directory(house: &House) -> PathBuf {
    let path = house.directory.path().join("zones");
    if !path.exists() {
        fs::create_dir(&path).unwrap();
    }
    path
}

/// Opens the publisher on all zones of the directory.
fn open(house: &House) -> (Publisher, Vec<ReloadReport>) {
    let store = Store::open(&house.state()).unwrap();
    Publisher::open(store, sources_in(&directory(house)), house.options()).unwrap()
}

/// A reload of the settings by nobody in particular.
fn settings(publisher: &Publisher, directory: &Path) -> Vec<ReloadReport> {
    publisher.reload_sources(sources_in(directory), &By::person("budi"))
}

#[test]
fn zones_come_and_go_without_a_restart() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let other = house.directory.path().join("other.zone");
    fs::write(&other, ZONE.replace("example.", "other.")).unwrap();
    let one = ZoneSource::new(apex(), house.file());
    let two = ZoneSource::new(name("other."), &other);
    let reports = publisher.set_sources(vec![one.clone(), two.clone()], &By::gapura());
    assert_eq!(reports.len(), 1);
    assert_eq!(publisher.zones().len(), 2);
    let doubled = ZoneSource::new(name("OTHER."), house.file());
    let reports = publisher.set_sources(vec![one, two.clone(), doubled], &By::gapura());
    assert_eq!(refused_by(&reports[0]), Guard::Doubled);
    assert!(publisher.zone(&name("other.")).is_some(), "what was served stays");
    let reports = publisher.set_sources(vec![two], &forced("budi"));
    assert!(reports.iter().any(|report| report.outcome == Outcome::Removed));
    assert!(publisher.zone(&apex()).is_none());
    let gone = promote(&publisher, "1", vec![rrset("x.example.", Rtype::A, &["192.0.2.1"])]);
    assert!(matches!(gone, Err(PublishError::UnknownZone(_))));
}

#[test]
fn a_zone_that_the_settings_lost_stays_until_somebody_confirms_it() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let reports = publisher.reload_sources(Vec::new(), &By::person("budi"));
    assert_eq!((refused_by(&reports[0]), rules(&reports[0])), (Guard::Left, vec!["zone-left"]));
    assert!(
        reports[0].to_string().contains("gapura ctl reload example. --force"),
        "{}",
        reports[0]
    );
    assert_eq!(live(&publisher).serial(), 10);
    assert_eq!(publisher.zone_status(&apex()).unwrap().refusal.unwrap().guard, Guard::Left);
    // Requests go on; the file is not looked at.
    promote(&publisher, "1", vec![rrset("x.example.", Rtype::A, &["192.0.2.1"])]).unwrap();
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert_eq!(refused_by(&reload(&publisher)), Guard::Left);
    assert_eq!(live(&publisher).serial(), 11);
    drop(publisher);
    // A start knows it, too.
    let without = || {
        let store = Store::open(&house.state()).unwrap();
        Publisher::open(store, Vec::new(), house.options()).unwrap()
    };
    let (publisher, reports) = without();
    assert_eq!(refused_by(&reports[0]), Guard::Left);
    assert_eq!(at(&live(&publisher), "x.example.", Rtype::A), ["192.0.2.1"]);
    // Put back, it goes on from its file.
    let source = ZoneSource::new(apex(), house.file());
    let reports = publisher.reload_sources(vec![source.clone()], &By::person("budi"));
    assert_eq!(reports[0].outcome, Outcome::Live { from: Some(11), to: 12, removed: 1, added: 1 });
    assert!(publisher.zone_status(&apex()).unwrap().refusal.is_none());
    // Lost and confirmed, it goes, also for the next start.
    publisher.reload_sources(Vec::new(), &By::person("budi"));
    let report = publisher.reload(Some(&apex()), &forced("budi")).remove(0);
    assert_eq!(report.outcome, Outcome::Removed);
    assert!(publisher.zone(&apex()).is_none() && publisher.zones().is_empty());
    drop(publisher);
    let (publisher, reports) = without();
    assert!(reports.is_empty() && publisher.zones().is_empty());
    // When it comes back, its serials go on.
    let reports = publisher.reload_sources(vec![source], &By::person("budi"));
    assert!(reports[0].is_ok(), "{}", reports[0]);
    assert_eq!(live(&publisher).serial(), 12);
}

#[test]
fn a_zone_that_was_never_served_leaves_by_itself() {
    let house = House::new("broken\n");
    let (publisher, reports) = house.open();
    assert_eq!(refused_by(&reports[0]), Guard::Check);
    let reports = publisher.reload_sources(Vec::new(), &By::person("budi"));
    assert_eq!(reports[0].outcome, Outcome::Removed);
    drop(house.open());
    let store = Store::open(&house.state()).unwrap();
    let (publisher, reports) = Publisher::open(store, Vec::new(), house.options()).unwrap();
    assert!(reports.is_empty() && publisher.zones().is_empty(), "nor does a start keep it");
}

#[test]
fn an_emptied_directory_takes_no_zone_out_of_service() {
    let house = House::new(ZONE);
    let zones = directory(&house);
    for n in 0..3 {
        let text = ZONE.replace("example.", &format!("z{n}.example."));
        fs::write(zones.join(format!("z{n}.example.zone")), text).unwrap();
    }
    let (publisher, reports) = open(&house);
    assert!(reports.len() == 3 && reports.iter().all(ReloadReport::is_ok));
    let away = house.directory.path().join("away");
    fs::rename(&zones, &away).unwrap();
    let not_mounted = settings(&publisher, &zones);
    assert_eq!(not_mounted.iter().map(refused_by).collect::<Vec<_>>(), [Guard::Left; 3]);
    assert_eq!(publisher.findings()[0].rule, "zone-dir-unreadable");
    fs::create_dir(&zones).unwrap();
    let emptied = settings(&publisher, &zones);
    assert_eq!(emptied.iter().map(refused_by).collect::<Vec<_>>(), [Guard::Left; 3]);
    assert_eq!(publisher.zones().len(), 3);
    drop(publisher);
    let (publisher, reports) = open(&house);
    assert_eq!(reports.iter().map(refused_by).collect::<Vec<_>>(), [Guard::Left; 3]);
    assert_eq!(publisher.zones().len(), 3);
    // One file is back and goes on by itself, one comes with a reload, one is let go.
    let _watcher = publisher.watch();
    fs::copy(away.join("z0.example.zone"), zones.join("z0.example.zone")).unwrap();
    let refusal = |zone: &str| publisher.zone_status(&name(zone)).unwrap().refusal;
    watching::wait_for("the zone whose file came back", || refusal("z0.example.").is_none());
    fs::copy(away.join("z1.example.zone"), zones.join("z1.example.zone")).unwrap();
    let reports = settings(&publisher, &zones);
    assert_eq!(refused_by(reports.last().unwrap()), Guard::Left);
    assert!(refusal("z1.example.").is_none());
    let reports = publisher.reload_sources(sources_in(&zones), &forced("budi"));
    assert_eq!(reports.iter().filter(|one| one.outcome == Outcome::Removed).count(), 1);
    assert_eq!(publisher.zones().len(), 2);
}

#[test]
fn another_directory_does_not_bring_back_what_left_with_the_old_one() {
    let house = House::new(ZONE);
    let zones = directory(&house);
    fs::write(zones.join("example.zone"), ZONE).unwrap();
    let (publisher, _) = open(&house);
    let empty = house.directory.path().join("zones-2");
    fs::create_dir(&empty).unwrap();
    let refusal = || publisher.zone_status(&apex()).unwrap().refusal.unwrap();
    let by = By::person("budi");
    for (settings, words) in [
        (sources_in(&empty), "server.zone_dir is "),
        (Sources::default(), "server.zone_dir is no longer set"),
        // The file is the one of a table now.
        (
            Sources {
                zones: vec![ZoneSource::new(name("other."), zones.join("example.zone"))],
                ..sources_in(&zones)
            },
            " is now the file of other.",
        ),
    ] {
        let reports = publisher.reload_sources(settings, &by);
        let report = reports.iter().find(|report| report.zone == apex()).unwrap();
        assert_eq!(refused_by(report), Guard::Left);
        assert!(report.findings[0].message.contains(words), "{report}");
        // Neither by itself nor by hand does it go on from the file.
        assert_eq!(refused_by(&reload(&publisher)), Guard::Left);
        assert_eq!(refusal().guard, Guard::Left);
    }
    publisher.reload_sources(sources_in(&empty), &by);
    drop(publisher);
    let store = Store::open(&house.state()).unwrap();
    let (publisher, _) = Publisher::open(store, sources_in(&empty), house.options()).unwrap();
    assert_eq!(refused_by(&reload(&publisher)), Guard::Left, "a start knows it, too");
    let report = publisher.reload(Some(&apex()), &forced("budi")).remove(0);
    assert_eq!(report.outcome, Outcome::Removed, "the hint does what it says");
    assert!(publisher.zone(&apex()).is_none());
}

#[test]
fn two_files_for_one_zone_leave_it_as_it_is_until_one_goes() {
    let house = House::new(ZONE);
    let zones = directory(&house);
    fs::write(zones.join("example.zone"), ZONE).unwrap();
    let (publisher, _) = open(&house);
    promote(&publisher, "1", vec![rrset("x.example.", Rtype::A, &["192.0.2.1"])]).unwrap();
    drop(publisher);
    // One by another case, one by an escape.
    fs::copy(zones.join("example.zone"), zones.join("EXAMPLE.zone")).unwrap();
    let escaped = "\\101xample.zone".to_owned();
    let escaped = &zones.join(escaped);
    fs::copy(zones.join("example.zone"), escaped).unwrap();
    let (publisher, reports) = open(&house);
    assert_eq!(refused_by(&reports[0]), Guard::Doubled);
    let text = reports[0].to_string();
    for file in ["/example.zone", "/EXAMPLE.zone", "/\\101xample.zone"] {
        assert!(text.contains(file), "{text}");
    }
    assert_eq!(live(&publisher).serial(), 11, "what was accepted last is served");
    assert_eq!(doubled(&sources_in(&zones).zones).len(), 1, "a check sees it, too");
    // The others go: without a reload it is clear again which file counts.
    let _watcher = publisher.watch();
    fs::remove_file(zones.join("EXAMPLE.zone")).unwrap();
    fs::remove_file(escaped).unwrap();
    let refusal = || publisher.zone_status(&apex()).unwrap().refusal;
    watching::wait_for("one file only", || refusal().is_none());
    fs::write(zones.join("example.zone"), ZONE.replace("192.0.2.10", "192.0.2.11")).unwrap();
    watching::wait_for("the edit", || live(&publisher).serial() == 12);
    // A second one while it runs, of another content: nothing moves, and a reload mends it.
    fs::write(zones.join("Example.zone"), ZONE.replace("192.0.2.10", "192.0.2.12")).unwrap();
    let reports = settings(&publisher, &zones);
    assert_eq!(refused_by(&reports[0]), Guard::Doubled);
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.11"]);
    fs::remove_file(zones.join("Example.zone")).unwrap();
    assert!(settings(&publisher, &zones)[0].is_ok());
    assert_eq!(live(&publisher).serial(), 12);
}

#[test]
fn a_table_and_a_file_of_the_directory_for_one_zone_are_two() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let zones = directory(&house);
    fs::write(zones.join("example.zone"), ZONE.replace("192.0.2.10", "192.0.2.12")).unwrap();
    let mut both = sources_in(&zones);
    both.zones.insert(0, ZoneSource::new(apex(), house.file()));
    let reports = publisher.reload_sources(both.clone(), &By::person("budi"));
    assert_eq!(refused_by(&reports[0]), Guard::Doubled);
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
    // The table's file is not there any more, but the table is.
    fs::rename(house.file(), house.directory.path().join("elsewhere")).unwrap();
    assert_eq!(refused_by(&reload(&publisher)), Guard::Doubled);
    fs::rename(house.directory.path().join("elsewhere"), house.file()).unwrap();
    fs::remove_file(zones.join("example.zone")).unwrap();
    assert_eq!(reload(&publisher).outcome, Outcome::Unchanged { serial: 10 });
}
