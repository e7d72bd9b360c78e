//! A start whose largest file is loaded while the database is opened.

use super::*;

/// What is done between the beginning of the load and the opening of the publisher.
fn open_early(house: &House, meanwhile: impl FnOnce()) -> (Publisher, ReloadReport) {
    let sources = Sources::from(vec![ZoneSource::new(apex(), house.file())]);
    let early = Early::begin(&sources, &house.options());
    meanwhile();
    let store = Store::open(&house.state()).unwrap();
    let (publisher, mut reports) =
        Publisher::open_early(store, sources, house.options(), early).unwrap();
    (publisher, reports.remove(0))
}

#[test]
fn a_file_that_was_loaded_early_is_served_at_first_and_at_later_starts() {
    let house = House::new(ZONE);
    for _ in 0..2 {
        let (publisher, report) = open_early(&house, || ());
        assert!(report.is_ok(), "{report}");
        assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
        // What changes later is noticed as always.
        assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { serial: 10 }));
        house.close(publisher);
    }
}

#[test]
fn an_edit_while_the_database_is_opened_is_what_is_served() {
    let house = House::new(ZONE);
    // As soon as the load began, and when it is long over.
    for (pause, address) in [(0, "192.0.2.20"), (200, "192.0.2.21"), (200, "192.0.2.22")] {
        let (publisher, report) = open_early(&house, || {
            std::thread::sleep(Duration::from_millis(pause));
            house.write(&ZONE.replace("192.0.2.10", address));
        });
        assert!(report.is_ok(), "{report}");
        assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), [address]);
        house.close(publisher);
    }
}

#[test]
fn a_file_that_is_still_written_is_served_as_it_is_in_the_end() {
    let house = House::new(ZONE);
    let options = Options { quiet: Duration::from_millis(400), ..house.options() };
    let sources = Sources::from(vec![ZoneSource::new(apex(), house.file())]);
    // The first time the zone is new, then its version is in the database; loaded early, and not.
    for (round, address) in
        ["192.0.2.20", "192.0.2.21", "192.0.2.22", "192.0.2.23"].iter().enumerate()
    {
        let text = ZONE.replace("192.0.2.10", address);
        // All but the last line is a zone, too.
        house.write(
            text.trim_end().rsplit_once('\n').map(|it| format!("{}\n", it.0)).unwrap().as_str(),
        );
        let early =
            if round % 2 == 0 { Early::default() } else { Early::begin(&sources, &options) };
        let store = Store::open(&house.state()).unwrap();
        let (publisher, report) = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(200));
                house.write(&text);
            });
            let (publisher, mut reports) =
                Publisher::open_early(store, sources.clone(), options.clone(), early).unwrap();
            (publisher, reports.remove(0))
        });
        assert!(report.is_ok(), "{report}");
        assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), [*address]);
        assert_eq!(at(&live(&publisher), "ns.sub.example.", Rtype::A), ["192.0.2.53"]);
        house.close(publisher);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_as_without() {
    let cut = ZONE.trim_end();
    for text in
        [&ZONE.replace("192.0.2.2\n", "192.0.2.256\n"), &ZONE.replace("ns2 A", "ns3 A"), cut]
    {
        let houses = [House::new(text), House::new(text)];
        let said = |report: &ReloadReport, house: &House| {
            let directory = house.directory.path().display().to_string();
            let findings = report.findings.iter().map(|it| it.with_hint().replace(&directory, "."));
            (report.outcome.clone(), findings.collect::<Vec<_>>())
        };
        let early = open_early(&houses[0], || ()).1;
        let plain = houses[1].open().1.remove(0);
        assert_eq!(said(&early, &houses[0]), said(&plain, &houses[1]));
        assert!(!early.is_ok() && !early.findings.is_empty(), "{text}");
    }
}
