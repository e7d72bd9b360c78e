//! Catalog zones that gapura makes (RFC 9432): they follow the zones that are served.

use super::*;
use crate::catalog::members;

/// A house of zones that a catalog lists.
struct Estate(House);

impl Estate {
    /// A new one.
    fn new() -> Self {
        Self(House::new(ZONE))
    }

    /// The settings: these zones, each from the one file's text, and the catalog.
    fn sources(&self, zones: &[&str], listed: bool) -> Vec<ZoneSource> {
        let catalog = name("cat.");
        let member = |zone: &&str| {
            let file = self.0.directory.path().join(format!("{zone}file"));
            fs::write(&file, ZONE.replace("$ORIGIN example.\n", "")).unwrap();
            let catalog = listed.then(|| catalog.clone());
            ZoneSource { catalog, ..ZoneSource::new(name(zone), file) }
        };
        let mut sources: Vec<ZoneSource> = zones.iter().map(member).collect();
        sources.push(ZoneSource::new(catalog.clone(), ""));
        sources
    }

    /// Starts with these zones.
    fn open(&self, zones: &[&str]) -> Publisher {
        let store = Store::open(&self.0.state()).unwrap();
        let sources = self.sources(zones, true);
        let (publisher, reports) = Publisher::open(store, sources, self.0.options()).unwrap();
        assert!(reports.iter().all(|it| it.is_ok() || it.zone == name("gone.")), "{reports:?}");
        publisher
    }
}

/// Serial and members of the catalog as served.
fn listed(publisher: &Publisher) -> (u32, Vec<String>) {
    let zone = publisher.zone(&name("cat.")).unwrap();
    (zone.serial(), members(&zone).unwrap().iter().map(|it| it.zone.to_string()).collect())
}

#[test]
fn it_follows_the_settings_in_one_change_each() {
    let estate = Estate::new();
    let publisher = estate.open(&["a.", "b."]);
    assert_eq!(listed(&publisher), (1, vec!["a.".to_owned(), "b.".to_owned()]));
    let by = By::person("budi");
    let reports = publisher.set_sources(estate.sources(&["a.", "b.", "c."], true), &by);
    let told: Vec<String> = reports.iter().map(|it| it.zone.to_string()).collect();
    assert_eq!(told, ["c.", "cat."], "{reports:?}");
    assert!(reports.iter().all(|it| it.findings.is_empty()), "{reports:?}");
    assert_eq!(listed(&publisher), (2, ["a.", "b.", "c."].map(str::to_owned).to_vec()));
    let newest = publisher.history(&name("cat."), 1).unwrap().remove(0);
    assert_eq!(newest.cause, Cause::Own { purpose: "catalog".to_owned() });
    assert_eq!((newest.removed, newest.added, newest.who.as_str()), (0, 1, "budi"));
    // Nothing changed, and a restart serves the same.
    assert!(publisher.set_sources(estate.sources(&["a.", "b.", "c."], true), &by).is_empty());
    assert!(matches!(
        publisher.reload(Some(&name("cat.")), &by)[0].outcome,
        Outcome::Unchanged { serial: 2 }
    ));
    publisher.flush();
    drop(publisher);
    let publisher = estate.open(&["a.", "b.", "c."]);
    assert_eq!(listed(&publisher).0, 2);
    drop(publisher);
    // A zone that came while the daemon was off.
    let publisher = estate.open(&["a.", "b.", "c.", "d."]);
    assert_eq!((listed(&publisher).0, listed(&publisher).1.len()), (3, 4));
    // They all leave the catalog at once: that is few, and is so.
    publisher.set_sources(estate.sources(&["a.", "b.", "c.", "d."], false), &by);
    assert_eq!(listed(&publisher), (4, Vec::new()));
}

#[test]
fn a_zone_that_the_settings_have_lost_stays_listed_until_somebody_lets_it_go() {
    let estate = Estate::new();
    let publisher = estate.open(&["a.", "gone."]);
    let by = By::person("budi");
    publisher.set_sources(estate.sources(&["a."], true), &by);
    let both = ["a.", "gone."].map(str::to_owned).to_vec();
    assert_eq!(listed(&publisher), (1, both.clone()), "it goes on being served");
    publisher.flush();
    drop(publisher);
    let publisher = estate.open(&["a."]);
    assert_eq!(listed(&publisher), (1, both), "after a restart, too");
    publisher.reload(Some(&name("gone.")), &forced("budi"));
    assert_eq!(listed(&publisher), (2, vec!["a.".to_owned()]));
}

#[test]
fn members_that_leave_the_catalog_by_the_dozen_wait_for_a_word() {
    let estate = Estate::new();
    let zones: Vec<String> = (0..20).map(|it| format!("z{it}.")).collect();
    let zones: Vec<&str> = zones.iter().map(String::as_str).collect();
    let publisher = estate.open(&zones);
    let by = By::person("budi");
    let reports = publisher.set_sources(estate.sources(&zones, false), &by);
    let catalog = reports.iter().find(|it| it.zone == name("cat.")).unwrap();
    assert_eq!((refused_by(catalog), listed(&publisher).1.len()), (Guard::Shrink, 20));
    publisher.reload(Some(&name("cat.")), &forced("budi"));
    assert_eq!(listed(&publisher).1.len(), 0);
}

#[test]
fn nothing_else_changes_it() {
    let estate = Estate::new();
    let publisher = estate.open(&["a."]);
    let edit = Edit { set: vec![rrset("x.cat.", Rtype::A, &["192.0.2.7"])] };
    let catalog = name("cat.");
    let is_made = |error: PublishError| matches!(error, PublishError::Made(_));
    assert!(is_made(publisher.preview(&catalog, &edit).unwrap_err()));
    let cause = Cause::Request { number: "1".to_owned() };
    let wanted = EditProposal { zone: &catalog, ..proposal(&edit, cause, NoRows) };
    assert!(is_made(publisher.publish(wanted).unwrap_err().into()));
    assert!(is_made(publisher.rollback(&catalog, 1, "budi").unwrap_err()));
    let zonemd = ZoneSource { zonemd: true, ..estate.sources(&[], true).remove(0) };
    let sources = [estate.sources(&["a."], true).remove(0), zonemd];
    publisher.set_sources(sources.to_vec(), &By::gapura());
    let zone = publisher.zone(&catalog).unwrap();
    assert_eq!((zone.zonemd().len(), zone.serial()), (1, 2), "it has its digest as any zone");
}
