//! The watch over targets, by a clock that jumps: strikes, notices, restarts, an outage of ours.

use std::sync::Mutex;

use super::*;
use crate::desk::probe::Found;
use crate::queue::time::DAY_MS;
use crate::queue::{NoticeReader, Origin};
use crate::view::WatchView;

/// A name outside.
const OUTSIDE: &str = "situs.contoh-hosting.id.";

/// What targets are, by their text; everything else is up.
type World = Arc<Mutex<std::collections::BTreeMap<String, Found>>>;

/// An office that watches targets which are what the world says.
fn watching(change: impl FnOnce(&mut Options)) -> (Office, World) {
    let office = Office::with(|options| {
        options.probe = true;
        change(options);
    });
    let world = World::default();
    pretend(&office, &world);
    office.desk.tick().unwrap();
    (office, world)
}

/// Targets are what the world says.
fn pretend(office: &Office, world: &World) {
    let of = Arc::clone(world);
    office
        .desk
        .0
        .prober
        .pretend(move |target| of.lock().unwrap().get(target).copied().unwrap_or(Found::Up));
}

/// From now on a target is this.
fn set(world: &World, target: &str, found: Found) {
    world.lock().unwrap().insert(target.to_owned(), found);
}

/// A live name that points outside.
fn pointing_out(office: &Office, name: &str, target: &str) -> String {
    let mut asked = service(name, "192.0.2.9");
    asked.records[0].rtype = "CNAME".to_owned();
    asked.records[0].data = target.to_owned();
    office.live(asked)
}

/// Lets so many hours go by, with a turn in each.
fn pass(office: &Office, hours: i64) {
    for _ in 0..hours {
        office.wait(DAY_MS / 24);
        office.desk.tick().unwrap();
    }
}

/// Acts about a name that begin with `target_`, in order.
fn target_events(office: &Office, name: &str) -> Vec<String> {
    let page = office.desk.name_page(name, &office.actor("seksi")).unwrap();
    let acts = page.history.into_iter().map(|event| event.act);
    acts.filter(|act| act.starts_with("target_")).collect()
}

/// What is seen of a name.
fn seen(office: &Office, name: &str) -> WatchView {
    office.desk.name_page(name, &office.actor("seksi")).unwrap().watch.unwrap()
}

/// Notices of an event to a reader, sent from now on.
fn told(office: &Office, deed: Deed, reader: NoticeReader) -> usize {
    let due = office.desk.notices_due(10_000).unwrap();
    due.iter().filter(|it| (it.deed, it.reader) == (deed, reader)).count()
}

#[test]
fn a_dead_target_is_struck_three_times_its_owner_told_once_and_a_restart_changes_nothing() {
    let (office, world) = watching(|_| {});
    pointing_out(&office, "satu", OUTSIDE);
    pointing_out(&office, "dua", "lain.contoh-hosting.id.");
    set(&world, OUTSIDE, Found::Down);
    pass(&office, 7 * 24 + 1);
    assert_eq!(target_events(&office, "satu")[0], "target_down");
    pass(&office, 24);
    assert_eq!(target_events(&office, "satu"), ["target_down", "target_still_down"]);
    assert_eq!(told(&office, Deed::TargetStillDown, NoticeReader::Owner), 1);

    let now = office.time.load(Ordering::Relaxed);
    let Office { desk, publisher, store, running, chain, directory, .. } = office;
    running.stop();
    publisher.flush();
    drop((desk, publisher, store, chain));
    let office = Office::open(directory, |options| options.probe = true, "127.0.0.1:0");
    office.time.store(now, Ordering::Relaxed);
    pretend(&office, &world);

    pass(&office, 7 * 24 + 1);
    let all = ["target_down", "target_still_down", "target_lost"];
    assert_eq!(target_events(&office, "satu"), all);
    assert_eq!(seen(&office, "satu").strikes, 3);
    let open = ListFilter { open: Some(true), limit: 9, ..ListFilter::default() };
    let asked = office.desk.list(&open, &office.actor("kepala")).unwrap().items;
    assert_eq!((asked.len(), asked[0].kind), (1, crate::queue::Kind::Suspend));
    assert_eq!(asked[0].raised, Some(crate::queue::Ground::Unreachable));
    pass(&office, 20 * 24);
    assert_eq!(target_events(&office, "satu"), all, "each once");
    assert_eq!(told(&office, Deed::TargetStillDown, NoticeReader::Owner), 1);
    assert_eq!(target_events(&office, "dua"), [""; 0]);

    set(&world, OUTSIDE, Found::Up);
    pass(&office, 25);
    assert_eq!(target_events(&office, "satu").last().unwrap(), "target_mended");
    assert_eq!(told(&office, Deed::TargetMended, NoticeReader::Owner), 1);
    assert_eq!(office.view(&asked[0].number).state, State::Withdrawn, "the ground is gone");
    assert_eq!((seen(&office, "satu").strikes, office.desk.targets_wrong().unwrap().len()), (0, 0));
}

#[test]
fn a_month_has_four_looks_at_names_and_one_at_addresses() {
    let (office, _) = watching(|options| options.probe_allow = options.targets.allow.clone());
    let looks = Arc::new(Mutex::new(Vec::<String>::new()));
    let kept = Arc::clone(&looks);
    pointing_out(&office, "satu", OUTSIDE);
    office.live(application());
    office.desk.0.prober.pretend(move |target| {
        kept.lock().unwrap().push(target.to_owned());
        Found::Up
    });
    pass(&office, 28 * 24);
    let count = |target: &str| looks.lock().unwrap().iter().filter(|it| *it == target).count();
    assert_eq!(count(OUTSIDE), 4);
    assert!(count("192.0.2.110") <= 1);
    pass(&office, 2 * 24 + 2);
    assert_eq!(count("192.0.2.110"), 1);
}

#[test]
fn an_outage_of_ours_is_no_strike() {
    let (office, world) = watching(|_| {});
    for (name, host) in [("satu", "a"), ("dua", "b"), ("tiga", "c")] {
        pointing_out(&office, name, &format!("{host}.contoh-hosting.id."));
    }
    pass(&office, 8 * 24);
    for host in ["a", "b", "c"] {
        set(&world, &format!("{host}.contoh-hosting.id."), Found::Down);
    }
    pass(&office, 8 * 24);
    for name in ["satu", "dua", "tiga"] {
        assert_eq!(target_events(&office, name), [""; 0], "{name}");
    }
    // With one of them back, the others are really down.
    set(&world, "c.contoh-hosting.id.", Found::Up);
    pass(&office, 8 * 24);
    for name in ["satu", "dua"] {
        assert_eq!(target_events(&office, name)[0], "target_down", "{name}");
    }
    assert_eq!(target_events(&office, "tiga"), [""; 0]);
}

#[test]
fn what_nobody_can_see_and_what_is_inside_is_not_struck() {
    let (office, world) = watching(|_| {});
    pointing_out(&office, "satu", OUTSIDE);
    set(&world, OUTSIDE, Found::Unseen);
    pass(&office, 9 * 24);
    assert_eq!(target_events(&office, "satu"), [""; 0]);
    assert_eq!(seen(&office, "satu").found[0].found, "unseen");
    set(&world, OUTSIDE, Found::Private);
    pass(&office, 9 * 24);
    assert_eq!((target_events(&office, "satu").len(), seen(&office, "satu").strikes), (0, 0));
}

#[test]
fn a_target_that_a_stranger_could_claim_is_urgent_a_day_later_for_officers_and_owner() {
    let (office, world) = watching(|_| {});
    pointing_out(&office, "satu", OUTSIDE);
    set(&world, OUTSIDE, Found::Claimable);
    pass(&office, 7 * 24 + 1);
    assert_eq!(target_events(&office, "satu")[0], "target_claimable");
    pass(&office, 24);
    assert_eq!(target_events(&office, "satu"), ["target_claimable", "target_urgent"]);
    assert_eq!(told(&office, Deed::TargetUrgent, NoticeReader::Owner), 1);
    assert_eq!(told(&office, Deed::TargetUrgent, NoticeReader::Officer), 5);
    assert!(office.desk.targets_wrong().unwrap()[0].urgent);
    assert_eq!(office.dig("satu.cirebonkab.go.id.", "CNAME").1.len(), 1, "it is still served");
}

#[test]
fn where_the_settings_say_so_such_a_name_is_taken_out_and_the_head_agrees_afterwards() {
    let (office, world) = watching(|options| options.auto_suspend = true);
    pointing_out(&office, "satu", OUTSIDE);
    set(&world, OUTSIDE, Found::Claimable);
    pass(&office, 8 * 24 + 1);
    assert_eq!(office.dig("satu.cirebonkab.go.id.", "CNAME").1.len(), 0);
    let record = office.desk.record("satu").unwrap().unwrap();
    let out = record.suspension.unwrap();
    assert!(out.emergency && out.confirmed.is_none(), "{out:?}");
    office.desk.confirm_suspension("satu", &office.actor("kepala")).unwrap();
    pass(&office, 24);
    assert_eq!(office.desk.watch_counts().unwrap().urgent, 0, "it is out: nothing is watched");
}

#[test]
fn another_target_begins_anew_and_a_doubted_clock_looks_at_nothing() {
    let (office, world) = watching(|_| {});
    pointing_out(&office, "satu", OUTSIDE);
    pointing_out(&office, "dua", "lain.contoh-hosting.id.");
    set(&world, OUTSIDE, Found::Down);
    pass(&office, 8 * 24 + 1);
    assert_eq!(seen(&office, "satu").strikes, 2);
    let mut change = service("satu", "192.0.2.9");
    change.kind = crate::queue::Kind::Change;
    change.records[0].rtype = "CNAME".to_owned();
    change.records[0].data = "baru.contoh-hosting.id.".to_owned();
    office.live(change);
    pass(&office, 2);
    assert_eq!(seen(&office, "satu").strikes, 0);

    let looked = seen(&office, "dua").looked;
    office.wait(40 * DAY_MS);
    office.desk.do_what_is_due(false).unwrap();
    assert_eq!(seen(&office, "dua").looked, looked);
}

#[test]
fn the_same_addresses_in_another_order_are_the_same_target() {
    let (office, world) = watching(|_| {});
    let mut asked = service("satu", "103.10.20.30");
    asked.records.push(crate::queue::RequestedRecord {
        data: "103.10.20.31".to_owned(),
        ..asked.records[0].clone()
    });
    office.live(asked.clone());
    pointing_out(&office, "dua", "lain.contoh-hosting.id.");
    pass(&office, 8 * 24);
    set(&world, "103.10.20.30", Found::Down);
    set(&world, "103.10.20.31", Found::Down);
    let struck = (0..40).any(|_| {
        pass(&office, 24);
        let page = office.desk.name_page("satu", &office.actor("seksi")).unwrap();
        page.watch.is_some_and(|watch| watch.strikes == 1)
    });
    assert!(struck, "{:?} {:?}", seen(&office, "satu"), seen(&office, "dua"));
    let mut change = asked;
    change.kind = crate::queue::Kind::Change;
    change.records.reverse();
    change.records.iter_mut().for_each(|record| record.ttl = 7_200);
    office.live(change);
    pass(&office, 2);
    assert_eq!(seen(&office, "satu").strikes, 1);
}

#[test]
fn a_name_of_the_operators_file_is_watched_too() {
    let (office, world) = watching(|_| {});
    let path = office.directory.path().join("zone");
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace("; gapura: end", "lama CNAME lama.contoh-hosting.id.\n; gapura: end");
    std::fs::write(&path, text).unwrap();
    office.publisher.reload(None, &crate::publish::By::person("operator"));
    set(&world, "lama.contoh-hosting.id.", Found::Claimable);
    pass(&office, 8 * 24 + 2);
    let page = office.desk.name_page("lama", &office.actor("seksi")).unwrap();
    assert_eq!(page.record.origin, Origin::Import);
    assert!(page.watch.unwrap().urgent);
    assert_eq!(told(&office, Deed::TargetUrgent, NoticeReader::Owner), 0, "nobody owns it");
}

#[test]
fn what_somebody_elses_request_kept_from_being_asked_for_is_asked_for_later() {
    let (office, world) = watching(|_| {});
    pointing_out(&office, "satu", OUTSIDE);
    pointing_out(&office, "dua", "lain.contoh-hosting.id.");
    let mut change = service("satu", "192.0.2.9");
    change.kind = crate::queue::Kind::Change;
    let number = office.assigned(change);
    set(&world, OUTSIDE, Found::Down);
    pass(&office, 17 * 24);
    assert_eq!((seen(&office, "satu").strikes, seen(&office, "satu").request), (3, None));
    let withdrawn = Act::Withdraw { letter: "140/9".to_owned() };
    office.act(&number, withdrawn, "kepala").unwrap();
    pass(&office, 25);
    let asked = seen(&office, "satu").request.unwrap();
    assert_eq!(office.view(&asked).kind, crate::queue::Kind::Suspend);
    pass(&office, 50);
    assert_eq!(seen(&office, "satu").request, Some(asked), "once");
}
