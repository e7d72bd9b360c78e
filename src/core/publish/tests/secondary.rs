//! Secondary zones: transfers through the door, kept over restarts, expired in time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::master::{self, Input, NoIncludes};
use crate::rollover::{Command, Facts, Policy};
use crate::transfer::Received;
use crate::wire::{Record, Rtype};
use crate::zone::{BuildFault, Delta, Entry, ZoneBuilder};

/// A zone of a text, as a transfer brings it.
fn came(text: &str) -> (Zone, Vec<BuildFault>) {
    let mut builder = ZoneBuilder::new(&apex());
    let input = Input { file: Path::new("zone"), bytes: text.as_bytes(), loader: &NoIncludes };
    let options = master::Options::default();
    let apex = apex();
    let parsed = master::parse(&input, apex.as_ref(), &options, &mut |record, _| {
        builder.push(record);
    });
    assert_eq!(parsed.errors, 0, "{text}");
    let (zone, faults) = builder.finish();
    (zone.unwrap(), faults)
}

/// A transfer of the whole zone.
fn whole(text: &str) -> Received {
    let (zone, faults) = came(text);
    Received::Whole { zone, faults }
}

/// A transfer of what changes from one version to another.
fn changes(from: &str, to: &str) -> Received {
    let Delta { mut removed, mut added } = came(from).0.diff(&came(to).0);
    let first = |records: &mut Vec<Record>| {
        let at = records.iter().position(|record| record.rtype == Rtype::SOA).unwrap();
        let soa = records.remove(at);
        records.insert(0, soa);
    };
    first(&mut removed);
    first(&mut added);
    Received::Changes(vec![Delta { removed, added }])
}

/// The zone with another serial and one more line.
fn version(serial: u32, line: &str) -> String {
    ZONE.replace(" 10 7200", &format!(" {serial} 7200")) + line + "\n"
}

/// Opens the publisher on the zone as a secondary.
fn opened(house: &House, now_ms: Option<fn() -> i64>) -> (Publisher, ReloadReport) {
    let store = Store::open(&house.state()).unwrap();
    let source = ZoneSource::secondary(apex(), vec!["ns1".to_owned()]);
    let now_ms = now_ms.unwrap_or_else(|| house.options().now_ms);
    let options = Options { now_ms, ..house.options() };
    let (publisher, mut reports) = Publisher::open(store, vec![source], options).unwrap();
    (publisher, reports.remove(0))
}

/// Publishes a transfer.
fn take(publisher: &Publisher, received: Received, force: bool) -> ReloadReport {
    let zone = &apex();
    publisher.take_transfer(TransferIn { zone, received, primary: "ns1", force }).unwrap()
}

/// Whether the zone is served, is not, or has expired.
fn entry(publisher: &Publisher) -> &'static str {
    match publisher.zones().get(apex().as_ref()) {
        Some(Entry::Loaded(_)) => "loaded",
        Some(Entry::NotLoaded(_)) => "not loaded",
        Some(Entry::Expired(_)) => "expired",
        None => "unknown",
    }
}

#[test]
fn a_transfer_is_served_under_its_own_serial_and_kept() {
    let house = House::new("");
    let (publisher, report) = opened(&house, None);
    assert_eq!(report.outcome, Outcome::Secondary { serial: None });
    assert_eq!(entry(&publisher), "not loaded");
    let (first, second) = (version(10, ""), version(13, "new A 192.0.2.11"));
    let report = take(&publisher, whole(&first), false);
    assert!(matches!(report.outcome, Outcome::Live { from: None, to: 10, .. }), "{report}");
    let report = take(&publisher, changes(&first, &second), false);
    let expected = Outcome::Live { from: Some(10), to: 13, removed: 0, added: 1 };
    assert_eq!(report.outcome, expected);
    assert!(live(&publisher) == came(&second).0);
    let history = publisher.history(&apex(), 9).unwrap();
    assert_eq!(history[0].cause.to_string(), "transfer from ns1 (ixfr)");
    assert_eq!(history[0].cause.kind(), "transfer");
    // A third version comes whole, and is a change like any other to those behind us.
    let third = version(14, "new A 192.0.2.12");
    let report = take(&publisher, whole(&third), false);
    assert_eq!(report.outcome, Outcome::Live { from: Some(13), to: 14, removed: 1, added: 1 });
    let delta = publisher.diff(&apex(), 10, 14).unwrap();
    assert_eq!((delta.removed.len(), delta.added.len()), (1, 2));
    publisher.flush();
    drop(publisher);
    // The primary is away.
    let (publisher, report) = opened(&house, None);
    assert_eq!(report.outcome, Outcome::Secondary { serial: Some(14) });
    assert!(live(&publisher) == came(&third).0);
    assert!(publisher.zone_status(&apex()).unwrap().refreshed_ms.is_some());
    let reloaded = reload(&publisher);
    assert_eq!(reloaded.outcome, Outcome::Secondary { serial: Some(14) });
}

#[test]
fn nobody_but_a_primary_changes_a_secondary_zone() {
    let house = House::new("");
    let (publisher, _) = opened(&house, None);
    take(&publisher, whole(&version(10, "")), false);
    take(&publisher, whole(&version(11, "new A 192.0.2.11")), false);
    let set = vec![rrset("x.example.", Rtype::A, &["192.0.2.7"])];
    let is_secondary = |error: PublishError| matches!(error, PublishError::Secondary(_));
    assert!(is_secondary(promote(&publisher, "0001", set.clone()).unwrap_err()));
    assert!(is_secondary(publisher.preview(&apex(), &Edit { set }).unwrap_err()));
    assert!(is_secondary(publisher.rollback(&apex(), 10, "kasi").unwrap_err()));
    assert!(is_secondary(publisher.preview_rollback(&apex(), 10).unwrap_err()));
    assert!(is_secondary(publisher.raise_floor(&apex(), 50, "kasi").unwrap_err()));
    assert!(is_secondary(publisher.diff_file(&apex()).unwrap_err()));
    assert_eq!(live(&publisher).serial(), 11);
    // And a zone with a file takes no transfer.
    let house = House::new(ZONE);
    let publisher = house.opened();
    let transfer = TransferIn { zone: &apex(), received: whole(ZONE), primary: "ns1", force: true };
    let refused = publisher.take_transfer(transfer).unwrap_err();
    assert!(matches!(refused, PublishError::Primary(_)), "{refused}");
}

#[test]
fn a_bad_transfer_never_replaces_a_good_zone() {
    let house = House::new("");
    let (publisher, _) = opened(&house, None);
    take(&publisher, whole(&version(10, "")), false);
    let cname = version(11, "www CNAME ns1");
    let no_ns = version(11, "").replace("@ NS ns1\n@ NS ns2\n", "");
    let digest = "00".repeat(48);
    let zonemd = version(11, &format!("@ ZONEMD 11 1 1 {digest}"));
    for (bad, rule) in [(&cname, "cname-other-data"), (&no_ns, "no-ns"), (&zonemd, "zonemd-wrong")]
    {
        for received in [whole(bad), changes(&version(10, ""), bad)] {
            let report = take(&publisher, received, false);
            assert_eq!(refused_by(&report), Guard::Check, "{report}");
            assert!(rules(&report).contains(&rule), "{report}");
            assert_eq!(live(&publisher).serial(), 10);
            let status = publisher.zone_status(&apex()).unwrap();
            assert!(status.refusal.is_some(), "status says so");
        }
    }
    // What its owner should mend is told, and served.
    let odd = version(12, "dangling MX 10 gone\nglueless NS ns.glueless");
    let report = take(&publisher, whole(&odd), false);
    assert!(matches!(report.outcome, Outcome::Live { to: 12, .. }), "{report}");
    assert!(rules(&report).contains(&"glue-missing"), "{report}");
    // What is added again is there already; that is no reason to take the whole zone.
    let Received::Changes(mut deltas) = changes(&odd, &version(13, "")) else { unreachable!() };
    let ns = live(&publisher).records().nth(1).unwrap().to_record();
    deltas[0].added.push(ns);
    let report = take(&publisher, Received::Changes(deltas), false);
    assert!(matches!(report.outcome, Outcome::Live { to: 13, added: 0, .. }), "{report}");
    take(&publisher, whole(&version(14, "dangling MX 10 gone\nglueless NS ns.glueless")), false);
    // Changes that do not fit are no fault of theirs: the whole zone is asked for.
    let received = changes(&version(10, "a A 192.0.2.1"), &version(15, ""));
    let transfer = TransferIn { zone: &apex(), received, primary: "ns1", force: false };
    let failed = publisher.take_transfer(transfer).unwrap_err();
    assert!(matches!(failed, PublishError::Apply(_)), "{failed}");
    assert_eq!(live(&publisher).serial(), 14);
}

#[test]
fn a_serial_that_went_back_counts_only_if_somebody_asks() {
    let house = House::new("");
    let (publisher, _) = opened(&house, None);
    take(&publisher, whole(&version(20, "")), false);
    take(&publisher, whole(&version(21, "old A 192.0.2.11")), false);
    let back = version(3, "new A 192.0.2.12");
    let report = take(&publisher, whole(&back), false);
    assert_eq!(report.outcome, Outcome::Unchanged { serial: 21 });
    let report = take(&publisher, whole(&back), true);
    assert!(matches!(report.outcome, Outcome::Live { to: 3, .. }), "{report}");
    assert!(rules(&report).contains(&"serial-backwards"));
    // What is served already went nowhere.
    let report = take(&publisher, whole(&back), true);
    assert_eq!(report.outcome, Outcome::Unchanged { serial: 3 });
    assert!(!rules(&report).contains(&"serial-backwards"), "{report}");
    assert_eq!(publisher.history(&apex(), 9).unwrap().len(), 3);
    let report = take(&publisher, whole(&version(3, "other A 192.0.2.12")), true);
    assert!(report.findings[0].message.contains("another version with the same one"), "{report}");
    take(&publisher, whole(&back), true);
    publisher.flush();
    drop(publisher);
    let (publisher, report) = opened(&house, None);
    assert_eq!(report.outcome, Outcome::Secondary { serial: Some(3) });
    assert!(live(&publisher) == came(&back).0);
    let report = take(&publisher, changes(&back, &version(4, "")), false);
    assert!(matches!(report.outcome, Outcome::Live { from: Some(3), to: 4, .. }), "{report}");
}

#[test]
fn expire_holds_over_restarts_and_ends_with_a_refresh() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    /// 2026-11-24 03:00 UTC.
    const NOW: i64 = 1_795_489_200_000;
    /// The zone's EXPIRE of two weeks is cut to a day: a longer absence is doubted by the clock's watch.
    const EXPIRE_MS: i64 = 86_400_000;
    let clock: fn() -> i64 = || CLOCK.load(Ordering::Relaxed);
    let zone = version(10, "").replace("1209600", "86400");
    CLOCK.store(NOW, Ordering::Relaxed);
    let house = House::new("");
    let (publisher, _) = opened(&house, Some(clock));
    take(&publisher, whole(&zone), false);
    let left = || publisher.secondary_zone(&apex()).unwrap().left.as_secs();
    CLOCK.store(NOW + EXPIRE_MS / 2, Ordering::Relaxed);
    assert_eq!(left(), 43_200);
    publisher.refreshed(&apex()).unwrap();
    assert_eq!(left(), 86_400);
    publisher.flush();
    drop(publisher);
    for (after_ms, expected) in [(EXPIRE_MS - 1_000, "loaded"), (EXPIRE_MS, "expired")] {
        CLOCK.store(NOW + EXPIRE_MS / 2 + after_ms, Ordering::Relaxed);
        let (publisher, report) = opened(&house, Some(clock));
        assert_eq!(report.outcome, Outcome::Secondary { serial: Some(10) });
        assert_eq!(entry(&publisher), expected, "after {after_ms} ms");
        let status = publisher.zone_status(&apex()).unwrap();
        assert_eq!(
            (status.expired, status.is_served()),
            (expected == "expired", expected == "loaded")
        );
    }
    let (publisher, _) = opened(&house, Some(clock));
    assert!(unanswered(&publisher.status()).unwrap().contains("no zone is served"));
    publisher.refreshed(&apex()).unwrap();
    assert_eq!(entry(&publisher), "loaded");
    publisher.expire(&apex(), Instant::now() + Duration::from_secs(86_400));
    assert_eq!(entry(&publisher), "expired");
    // A transfer brings it back as well.
    take(&publisher, whole(&version(11, "")), false);
    assert_eq!(entry(&publisher), "loaded");
    assert!(!publisher.zone_status(&apex()).unwrap().expired);
}

/// Bug class: new signatures say that old data is good.
#[test]
fn an_expired_zone_is_not_brought_back_by_its_signing() {
    let house = House::new("");
    let store = Store::open(&house.state()).unwrap();
    let policy = Policy::default();
    let source = ZoneSource {
        signing: Some(Arc::new(policy)),
        ..ZoneSource::secondary(apex(), vec!["ns1".to_owned()])
    };
    let (publisher, _) = Publisher::open(store, vec![source], house.options()).unwrap();
    take(&publisher, whole(&version(10, "")), false);
    publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
    publisher.expire(&apex(), Instant::now() + Duration::from_secs(1_209_600));
    assert_eq!(entry(&publisher), "expired");
    let later = u64::try_from(now_ms() / 1000).unwrap() + 5;
    let rolled = publisher.change_keys(&apex(), ("roll", "budi"), |keys, policy| {
        keys.command(Command::Roll(None), policy, &Facts::default(), later)
    });
    assert!(matches!(rolled, Err(KeysError::Door(PublishError::Expired(_)))), "{rolled:?}");
    let renewed = publisher.renew_signatures(&apex(), 1_000);
    assert!(matches!(renewed, Err(PublishError::Expired(_))), "{renewed:?}");
    assert_eq!(entry(&publisher), "expired");
    take(&publisher, whole(&version(11, "")), false);
    assert_eq!(entry(&publisher), "loaded");
}

/// Bug class: the time ran out while a transfer was being published, and the zone is taken from service
/// behind it.
#[test]
fn a_zone_that_was_just_transferred_does_not_expire() {
    let house = House::new("");
    let (publisher, _) = opened(&house, None);
    let zone = |serial: u32| version(serial, "").replace("1209600", "12");
    take(&publisher, whole(&zone(10)), false);
    // Whoever counts saw that it ran out, and then waits for the lock that the transfer holds.
    let ran_out = Instant::now();
    take(&publisher, whole(&zone(11)), false);
    publisher.expire(&apex(), ran_out);
    assert_eq!(entry(&publisher), "loaded");
    publisher.refreshed(&apex()).unwrap();
    publisher.expire(&apex(), ran_out + Duration::from_secs(11));
    assert_eq!(entry(&publisher), "loaded");
    publisher.expire(&apex(), Instant::now() + Duration::from_secs(12));
    assert_eq!(entry(&publisher), "expired");
}

#[test]
fn a_clock_that_jumped_expires_nothing_at_a_start() {
    static CLOCK: AtomicI64 = AtomicI64::new(1_795_489_200_000);
    let clock: fn() -> i64 = || CLOCK.load(Ordering::Relaxed);
    let house = House::new("");
    let (publisher, _) = opened(&house, Some(clock));
    take(&publisher, whole(&version(10, "")), false);
    let row = crate::store::clock::ClockRow::believed(clock());
    let store = Store::open(&house.state());
    drop(publisher);
    let store = store.or_else(|_| Store::open(&house.state())).unwrap();
    store.write::<_, crate::store::StoreError>(|tx| tx.put_clock(&row)).unwrap();
    drop(store);
    for jump in [400, -400_i64] {
        CLOCK.fetch_add(jump * 86_400_000, Ordering::Relaxed);
        let (publisher, _) = opened(&house, Some(clock));
        assert_eq!(entry(&publisher), "loaded", "{jump} days");
        CLOCK.fetch_sub(jump * 86_400_000, Ordering::Relaxed);
    }
}

/// Bug class: after changes came, an empty non-terminal and the NSEC that covers it are found as in the zone
/// that came whole.
#[test]
fn nsec_for_an_ent_after_ixfr() {
    let chain = |names: &[(&str, &str)]| -> String {
        let next = |at: usize| names[(at + 1) % names.len()].0;
        let line = |(at, (owner, data)): (usize, &(&str, &str))| {
            format!("{data}\n{owner} NSEC {} A RRSIG NSEC\n", next(at))
        };
        names.iter().enumerate().map(line).collect()
    };
    let soa = "$TTL 60\n@ SOA ns host SERIAL 7200 900 1209600 300\n@ NS ns.example.\n@ DNSKEY 257 3 13 aGVsbG8=\n";
    let head = |serial: u32| soa.replace("SERIAL", &serial.to_string());
    let a = |owner: &'static str| (owner, "");
    let records = "ns A 192.0.2.1\nzz A 192.0.2.2\n";
    let first = head(1) + records + &chain(&[a("@"), a("ns"), a("zz")]);
    let deep =
        head(2) + records + "b.ent A 192.0.2.3\n" + &chain(&[a("@"), a("b.ent"), a("ns"), a("zz")]);
    let house = House::new("");
    let (publisher, _) = opened(&house, None);
    take(&publisher, whole(&first), false);
    let steps =
        [(&first, &deep), (&deep, &(head(3) + records + &chain(&[a("@"), a("ns"), a("zz")])))];
    for (from, to) in steps {
        let report = take(&publisher, changes(from, to), false);
        assert!(report.is_ok(), "{report}");
        let (served, wanted) = (live(&publisher), came(to).0);
        assert!(served == wanted);
        for asked in
            ["ent.example.", "b.ent.example.", "q.ent.example.", "a.example.", "nt.example."]
        {
            let asked = name(asked);
            let facts = |zone: &Zone| {
                let found = zone.lookup(asked.as_ref());
                let covers = zone.predecessor(asked.as_ref()).map(|node| node.owner().to_name());
                let exact = found.exact().map(|node| node.is_empty_non_terminal());
                (exact, found.encloser().owner().to_name(), covers)
            };
            assert_eq!(facts(&served), facts(&wanted), "{asked}");
        }
    }
}
