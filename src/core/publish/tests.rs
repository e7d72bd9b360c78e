//! The door as its users see it: a directory with zone files, a database, a publisher.

mod catalog;
mod changes;
mod coming;
mod copies;
mod crash;
mod early;
mod floors;
mod members;
mod promotion;
mod races;
mod reload;
mod rolls;
mod secondary;
mod serials;
mod signatures;
mod signing;
mod stand_in;
mod updates;
mod watching;
mod zonemd;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::store::Store;
use crate::wire::{Name, Rtype, rdata};
use crate::zone::Zone;

/// The zone of most tests; enough records that the shrink guard does not count.
pub(super) const ZONE: &str = "\
$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 10 7200 900 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
alias CNAME www
*.wild A 192.0.2.99
sub NS ns.sub
ns.sub A 192.0.2.53
";

/// A directory of its own with a zone file and a state directory.
pub(super) struct House {
    /// The directory; removed at the end.
    pub(super) directory: TempDir,
}

impl House {
    /// A house with this zone file.
    pub(super) fn new(text: &str) -> Self {
        let house = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(house.state()).unwrap();
        house.write(text);
        house
    }

    /// The state directory.
    pub(super) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    /// The zone file.
    pub(super) fn file(&self) -> PathBuf {
        self.directory.path().join("example.zone")
    }

    /// Writes the zone file in place.
    pub(super) fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    /// Options with short pauses.
    pub(super) fn options(&self) -> Options {
        Options {
            quiet: Duration::from_millis(20),
            poll: Duration::from_millis(100),
            patience: Duration::from_secs(3),
            ..Options::new(self.state())
        }
    }

    /// Opens the publisher on the one zone.
    pub(super) fn open(&self) -> (Publisher, Vec<ReloadReport>) {
        let store = Store::open(&self.state()).unwrap();
        let source = ZoneSource::new(apex(), self.file());
        Publisher::open(store, vec![source], self.options()).unwrap()
    }

    /// Closes it for good: the keeper may have the database for a moment longer than its last job.
    pub(super) fn close(&self, publisher: Publisher) {
        publisher.flush();
        drop(publisher);
        let is_of_state = |link: PathBuf| link.starts_with(self.state());
        let is_open = || {
            let links = fs::read_dir("/proc/self/fd").unwrap().map_while(Result::ok);
            links.filter_map(|link| fs::read_link(link.path()).ok()).any(is_of_state)
        };
        let end = Instant::now() + Duration::from_secs(20);
        while is_open() {
            assert!(Instant::now() < end, "the database stays open");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Opens it and wants the zone live.
    pub(super) fn opened(&self) -> Publisher {
        let (publisher, reports) = self.open();
        assert!(reports.iter().all(ReloadReport::is_ok), "{}", reports[0]);
        publisher
    }
}

/// The apex of the zone.
pub(super) fn apex() -> Name {
    name("example.")
}

/// A name.
pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// The live zone.
pub(super) fn live(publisher: &Publisher) -> Zone {
    publisher.zone(&apex()).unwrap()
}

/// Reloads the zone.
pub(super) fn reload(publisher: &Publisher) -> ReloadReport {
    publisher.reload(Some(&apex()), &By::gapura()).remove(0)
}

/// One RRset of an edit, its RDATA as text.
pub(super) fn rrset(owner: &str, rtype: Rtype, data: &[&str]) -> RrsetEdit {
    let rdata = |text: &&str| rdata::parse(rtype, text.as_bytes(), apex().as_ref()).unwrap().into();
    RrsetEdit { owner: name(owner), rtype, ttl: 300, rdatas: data.iter().map(rdata).collect() }
}

/// Promotes RRsets for a request.
pub(super) fn promote(
    publisher: &Publisher,
    request: &str,
    set: Vec<RrsetEdit>,
) -> Result<Change, PublishError> {
    let cause = Cause::Request { number: request.to_owned() };
    let edit = Edit { set };
    Ok(publisher.publish(proposal(&edit, cause, NoRows))?.change)
}

/// Opens the zone with one name promoted and one masked.
pub(super) fn promoted_and_masked(house: &House) -> Publisher {
    let publisher = house.opened();
    let new = vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])];
    promote(&publisher, "M-1", new).unwrap();
    promote(&publisher, "M-2", vec![rrset("www.example.", Rtype::A, &[])]).unwrap();
    publisher
}

/// Opens a stand-in for a lost database, as the daemon does.
pub(super) fn stand_in(house: &House) -> (Publisher, Vec<ReloadReport>) {
    let options = house.options();
    let sources = vec![ZoneSource::new(apex(), house.file())];
    let store = Store::in_memory().unwrap();
    Publisher::take_in_derived(&store, &sources, &options).unwrap();
    let options = Options { is_stand_in: true, ..options };
    Publisher::open(store, sources, options).unwrap()
}

/// An edit of the zone with these rows.
pub(super) fn proposal<R>(edit: &Edit, cause: Cause, rows: R) -> EditProposal<'_, R> {
    static APEX: std::sync::LazyLock<Name> = std::sync::LazyLock::new(apex);
    EditProposal { zone: &APEX, base: None, edit, cause, who: "kasi", expect: Vec::new(), rows }
}

/// A person who overrules the guards.
pub(super) fn forced(who: &str) -> By {
    By { who: who.to_owned(), force: true }
}

/// The records of a type at a name as text, sorted.
pub(super) fn at(zone: &Zone, owner: &str, rtype: Rtype) -> Vec<String> {
    let set = zone.rrset(name(owner).as_ref(), rtype);
    let mut found: Vec<String> = set
        .into_iter()
        .flat_map(|set| set.rdatas())
        .map(|data| rdata::to_text(rtype, data))
        .collect();
    found.sort();
    found
}

/// Which guard refused.
pub(super) fn refused_by(report: &ReloadReport) -> Guard {
    match report.outcome {
        Outcome::Refused { guard, .. } => guard,
        ref other => panic!("{other:?} {report}"),
    }
}

/// The rules of a report's findings.
pub(super) fn rules(report: &ReloadReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.rule).collect()
}
