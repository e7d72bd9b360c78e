//! Catalog zones that are consumed (RFC 9432): members come and go, a broken one takes nothing.

use std::path::Path;

use super::*;
use crate::lock::lock;
use crate::master::{self, Input, NoIncludes};
use crate::transfer::Received;
use crate::zone::{Entry, ZoneBuilder};

/// The catalogs of these tests.
const CATALOGS: [&str; 2] = ["cat.", "other."];

/// Takes a transfer of a zone: its serial, and these lines.
fn take(publisher: &Publisher, zone: &str, serial: u32, lines: &str) {
    let zone = name(zone);
    let text = format!("@ 0 SOA invalid. invalid. {serial} 60 60 600 0\n@ 0 NS invalid.\n{lines}");
    let mut builder = ZoneBuilder::new(&zone);
    let input = Input { file: Path::new("zone"), bytes: text.as_bytes(), loader: &NoIncludes };
    let options = master::Options::default();
    let parsed = master::parse(&input, zone.as_ref(), &options, &mut |it, _| builder.push(it));
    assert_eq!(parsed.errors, 0, "{text}");
    let (made, faults) = builder.finish();
    let received = Received::Whole { zone: made.unwrap(), faults };
    let transfer = TransferIn { zone: &zone, received, primary: "ns1", force: false };
    let report = publisher.take_transfer(transfer).unwrap();
    assert!(report.is_ok(), "{report}");
}

/// The lines of a good catalog: a label and a zone each.
fn catalog(members: &[(&str, &str)]) -> String {
    let line = |(label, zone): &(&str, &str)| format!("{label}.zones 0 PTR {zone}\n");
    format!("version 0 TXT 2\n{}", members.iter().map(line).collect::<String>())
}

/// The settings: both catalogs, and these zones with a file.
fn sources(house: &House, zones: &[&str]) -> Vec<ZoneSource> {
    let primaries = || vec!["ns1".to_owned()];
    let consumed = |zone: &&str| ZoneSource {
        consume: true,
        ..ZoneSource::secondary(name(zone), primaries())
    };
    let zones = zones.iter().map(|zone| ZoneSource::new(name(zone), house.file()));
    CATALOGS.iter().map(consumed).chain(zones).collect()
}

/// Starts with these zones.
fn open(house: &House, zones: &[&str]) -> Publisher {
    let store = Store::open(&house.state()).unwrap();
    Publisher::open(store, sources(house, zones), house.options()).unwrap().0
}

/// A house whose zone file has no origin of its own.
fn house() -> House {
    House::new(&ZONE.replace("$ORIGIN example.\n", ""))
}

/// The zones that are served or to be, without the catalogs, each with the catalog that lists it.
fn zones(publisher: &Publisher) -> Vec<String> {
    let members = publisher.members();
    let apexes = publisher.apexes().into_iter();
    let apexes = apexes.filter(|apex| !CATALOGS.contains(&apex.to_string().as_str()));
    apexes
        .map(|apex| match members.get(&apex) {
            Some(catalog) => format!("{apex} {catalog}"),
            None => apex.to_string(),
        })
        .collect()
}

/// The rules of what there is to say about a catalog.
fn told(publisher: &Publisher, catalog: &str) -> Vec<&'static str> {
    let status = publisher.zone_status(&name(catalog)).unwrap();
    status.warnings.iter().map(|finding| finding.rule).collect()
}

#[test]
fn members_come_and_go_with_the_catalog_and_survive_a_restart() {
    let house = house();
    let publisher = open(&house, &[]);
    assert!(zones(&publisher).is_empty());
    take(&publisher, "cat.", 1, &catalog(&[("a", "a.id."), ("b", "B.id.")]));
    assert_eq!(zones(&publisher), ["a.id. cat.", "B.id. cat."]);
    let member = publisher.0.slot(&name("a.id.")).unwrap();
    let primaries = lock(&member.state).source.primaries.clone();
    assert_eq!(primaries, ["ns1"]);
    take(&publisher, "a.id.", 5, "");
    take(&publisher, "cat.", 2, &catalog(&[("a", "a.id."), ("c", "c.id.")]));
    assert_eq!(zones(&publisher), ["a.id. cat.", "c.id. cat."]);
    publisher.flush();
    drop(publisher);
    // The primary is away: members are served at once.
    let publisher = open(&house, &[]);
    assert_eq!(zones(&publisher), ["a.id. cat.", "c.id. cat."]);
    assert_eq!(publisher.zone(&name("a.id.")).unwrap().serial(), 5);
    // With the settings' word the catalog goes, and its members with it; without it everything goes on.
    let without = || sources(&house, &[]).split_off(1);
    publisher.set_sources(without(), &By::gapura());
    assert_eq!(zones(&publisher).len(), 2);
    publisher.set_sources(without(), &forced("budi"));
    assert_eq!(zones(&publisher), [""; 0]);
}

#[test]
fn a_broken_catalog_removes_nothing_also_over_a_restart() {
    let house = house();
    let publisher = open(&house, &[]);
    let good = catalog(&[("a", "a.id."), ("b", "b.id.")]);
    take(&publisher, "cat.", 1, &good);
    let both = ["a.id. cat.", "b.id. cat."];
    let broken = [
        "",
        "version 0 TXT 1\n",
        "a.zones 0 PTR a.id.\n",
        "version 0 TXT 2\na.zones 0 PTR a.id.\na.zones 0 PTR b.id.\n",
        "version 0 TXT 2\na.zones 0 PTR a.id.\nb.zones 0 PTR a.id.\n",
    ];
    for (serial, lines) in (2..).zip(broken) {
        take(&publisher, "cat.", serial, lines);
        assert_eq!(zones(&publisher), both, "{lines}");
        assert!(told(&publisher, "cat.").contains(&"catalog-broken"), "{lines}");
    }
    publisher.flush();
    drop(publisher);
    let publisher = open(&house, &[]);
    assert_eq!(zones(&publisher), both);
    assert_eq!(told(&publisher, "cat."), ["catalog-broken"]);
    take(&publisher, "cat.", 20, &catalog(&[("b", "b.id.")]));
    assert_eq!((zones(&publisher), told(&publisher, "cat.")), (vec![both[1].to_owned()], vec![]));
}

#[test]
fn a_member_that_is_a_zone_of_somebody_else_stays_there() {
    let house = house();
    let publisher = open(&house, &["mine.id."]);
    take(&publisher, "cat.", 1, &catalog(&[("x", "a.id."), ("m", "mine.id."), ("c", "other.")]));
    assert_eq!(zones(&publisher), ["a.id. cat.", "mine.id."]);
    assert_eq!(told(&publisher, "cat."), ["catalog-clash"; 2]);
    // The other catalog wants one, too, and gets it only where it is given away.
    let both = catalog(&[("x", "a.id."), ("y", "y.id.")]);
    take(&publisher, "other.", 1, &both);
    assert_eq!(zones(&publisher), ["a.id. cat.", "mine.id.", "y.id. other."]);
    assert_eq!(told(&publisher, "other."), ["catalog-clash"]);
    take(&publisher, "a.id.", 7, "");
    let given = catalog(&[("x", "a.id.")]) + "coo.x.zones 0 PTR other.\n";
    take(&publisher, "cat.", 2, &given);
    assert_eq!(zones(&publisher)[0], "a.id. cat.", "not before the other one is looked at again");
    take(&publisher, "other.", 2, &both);
    assert_eq!(zones(&publisher)[0], "a.id. other.");
    assert_eq!(
        publisher.zone(&name("a.id.")).unwrap().serial(),
        7,
        "the same label: nothing is lost"
    );
    take(&publisher, "cat.", 3, &catalog(&[]));
    assert_eq!(zones(&publisher)[0], "a.id. other.", "no longer its to take");
    // A zone that comes to the settings is theirs.
    publisher.set_sources(sources(&house, &["mine.id.", "y.id."]), &By::gapura());
    assert_eq!(zones(&publisher), ["a.id. other.", "mine.id.", "y.id."]);
}

#[test]
fn a_member_under_another_label_is_begun_anew() {
    let house = house();
    let publisher = open(&house, &[]);
    take(&publisher, "cat.", 1, &catalog(&[("a", "a.id.")]));
    take(&publisher, "a.id.", 7, "old 0 TXT old\n");
    take(&publisher, "cat.", 2, &catalog(&[("A", "a.id.")]));
    assert!(publisher.zone(&name("a.id.")).is_some(), "case makes no other label");
    take(&publisher, "cat.", 3, &catalog(&[("z", "a.id.")]));
    assert!(publisher.zone(&name("a.id.")).is_none());
    publisher.flush();
    drop(publisher);
    let publisher = open(&house, &[]);
    assert!(publisher.zone(&name("a.id.")).is_none(), "nor after a restart");
    assert_eq!(zones(&publisher), ["a.id. cat."]);
    take(&publisher, "a.id.", 3, "new 0 TXT new\n");
    assert_eq!(publisher.zone(&name("a.id.")).unwrap().serial(), 3);
}

/// Bug class: a zone that the settings gave up is REFUSED although a catalog lists it, and then served as it was.
#[test]
fn a_member_under_a_name_that_was_given_up_comes_at_once_and_anew() {
    let house = house();
    let publisher = open(&house, &["mine.id."]);
    let listed = catalog(&[("m", "mine.id."), ("a", "a.id.")]);
    take(&publisher, "cat.", 1, &listed);
    take(&publisher, "a.id.", 9, "");
    assert_eq!(zones(&publisher), ["a.id. cat.", "mine.id."]);
    publisher.set_sources(sources(&house, &[]), &By::gapura());
    assert_eq!(zones(&publisher), ["a.id. cat.", "mine.id."], "not before somebody confirms it");
    publisher.reload(Some(&name("mine.id.")), &forced("budi"));
    assert_eq!(zones(&publisher), ["a.id. cat.", "mine.id. cat."]);
    assert!(publisher.zone(&name("mine.id.")).is_none(), "it was another zone");
    assert!(matches!(publisher.zones().get(name("mine.id.").as_ref()), Some(Entry::NotLoaded(_))));
    assert_eq!(told(&publisher, "cat."), [""; 0]);
    take(&publisher, "mine.id.", 3, "");
    assert_eq!(publisher.zone(&name("mine.id.")).unwrap().serial(), 3, "whatever the serial was");
    // One that leaves the catalog and comes back under the same label is another zone, too.
    take(&publisher, "cat.", 2, &catalog(&[("m", "mine.id.")]));
    take(&publisher, "cat.", 3, &listed);
    assert!(publisher.zone(&name("a.id.")).is_none());
    publisher.flush();
    drop(publisher);
    let publisher = open(&house, &[]);
    assert!(publisher.zone(&name("a.id.")).is_none(), "nor after a restart");
    assert_eq!(publisher.zone(&name("mine.id.")).unwrap().serial(), 3);
    // It is the same zone after all, with the serial that it had.
    take(&publisher, "a.id.", 9, "");
    publisher.flush();
    drop(publisher);
    let publisher = open(&house, &[]);
    assert_eq!(publisher.zone(&name("a.id.")).unwrap().serial(), 9, "it is kept");
    take(&publisher, "a.id.", 10, "new 0 TXT new\n");
    assert_eq!(publisher.zone(&name("a.id.")).unwrap().serial(), 10);
}

#[test]
fn members_that_leave_by_the_dozen_wait_for_a_word() {
    let house = house();
    let publisher = open(&house, &[]);
    let all: Vec<(String, String)> =
        (0..20).map(|it| (format!("l{it}"), format!("z{it}.id."))).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    take(&publisher, "cat.", 1, &catalog(&all));
    assert_eq!(zones(&publisher).len(), 20);
    let few = [("l0", "z0.id."), ("n", "new.id.")];
    take(&publisher, "cat.", 2, &catalog(&few));
    assert_eq!(zones(&publisher).len(), 21, "what is new comes all the same");
    assert_eq!(told(&publisher, "cat."), ["catalog-shrinks"]);
    publisher.reload(Some(&name("cat.")), &forced("budi"));
    assert_eq!((zones(&publisher).len(), told(&publisher, "cat.").len()), (2, 0));
}
