//! Primaries that are slow or hang, and the zones of others meanwhile.

use super::super::addresses::{Errand, TRANSFERS};
use super::*;

/// Bug class: transfers that hang take every thread, and no other zone is refreshed.
#[test]
fn many_primaries_that_hang_leave_a_thread_to_a_quick_one() {
    let slow: Vec<Primary> = (0..12).map(|_| Primary::start(|_, _, _| Act::Hang)).collect();
    let quick = Primary::with_ixfr(1, Act::Close);
    let remotes: Vec<[Arc<Remote>; 1]> = slow.iter().map(|one| [one.remote("slow")]).collect();
    let names: Vec<String> = (0..12).map(|number| format!("a{number}.test.")).collect();
    let quick_one = [quick.remote("ns1")];
    let mut zones: Vec<(&str, &[Arc<Remote>])> =
        names.iter().zip(&remotes).map(|(zone, of)| (zone.as_str(), of.as_slice())).collect();
    zones.push(("well.test.", &quick_one));
    let secondary = Secondary::new(&zones);
    let fleet = &secondary.fleet.0;
    fleet.keeper.open(fleet);
    until("all of them hang", || slow.iter().all(|one| !one.asked().is_empty()));
    let transfer = fleet.keeper.retransfer(&name("well.test.")).unwrap();
    let told = transfer.recv_timeout(PATIENCE / 2).expect("not while others hang");
    assert!(told.is_ok(), "{told:?}");
    fleet.keeper.stop();
}

/// Bug class: two transfers that hang keep all other zones of their primary from being refreshed, and they expire.
#[test]
fn transfers_that_hang_leave_the_questions_of_other_zones_free() {
    let primary = Primary::start(|zone, rtype, _| match rtype {
        Rtype::SOA => Act::Answer(vec![soa(zone, 1)]),
        _ if zone.to_string().starts_with("hangs") => Act::Hang,
        _ => Act::Answer(whole(zone, 1)),
    });
    let ns1 = [primary.remote("ns1")];
    let hanging: Vec<String> =
        (0..TRANSFERS).map(|number| format!("hangs{number}.test.")).collect();
    let mut zones: Vec<(&str, &[Arc<Remote>])> = vec![("well.test.", &ns1)];
    zones.extend(hanging.iter().map(|zone| (zone.as_str(), ns1.as_slice())));
    let secondary = Secondary::new(&zones);
    secondary.pull("well.test.", Haste::Time).unwrap();
    let fleet = &secondary.fleet.0;
    fleet.keeper.open(fleet);
    let asked = |zone: &str, rtype| lock(&primary.asked).contains(&(name(zone), rtype));
    until("both hang", || hanging.iter().all(|zone| asked(zone, Rtype::AXFR)));
    fleet.keeper.refresh(&name("well.test."));
    until("the other zone is asked for", || asked("well.test.", Rtype::SOA));
    until("and has not failed", || {
        let status = fleet.keeper.status(&name("well.test.")).unwrap();
        status.next_try_seconds.is_some_and(|left| left > 60) && status.error.is_none()
    });
    fleet.keeper.stop();
}

/// Bug class: a zone for which there is no room fails, or is asked for again and again meanwhile.
#[test]
fn a_zone_waits_for_a_place_and_is_transferred_then() {
    let primary = Primary::with_ixfr(2, Act::Code(4));
    let secondary = Secondary::new(&[("a.test.", &[primary.remote("ns1")])]);
    secondary.begin("a.test.");
    let addresses = &secondary.puller.addresses;
    let places = std::iter::from_fn(|| addresses.place(primary.address, Errand::Transfer));
    let places: Vec<_> = places.collect();
    let postponed = secondary.pull("a.test.", Haste::Time);
    let is_postponed = matches!(&postponed,
        Err(NotPulled::Postponed { why, errand: Errand::Transfer }) if why.contains("is busy"));
    assert!(is_postponed, "{postponed:?}");
    assert_eq!(primary.asked(), [Rtype::SOA]);
    drop(places);
    assert!(secondary.pull("a.test.", Haste::Time).unwrap().report.is_some());
    let counted = secondary.fleet.transfers_in();
    let of = |kind, result| (name("a.test."), kind, result, 1);
    assert_eq!(counted[1..], [of("ixfr", "broken")]);
    assert_eq!(counted[0], (name("a.test."), "axfr", "published", 2));
}

/// Bug class: changes that stand still and then the whole zone that does hold a thread for twice the time.
#[test]
fn a_primary_that_stands_still_has_one_deadline_for_a_try() {
    let primary = Primary::start(|zone, rtype, _| match rtype {
        Rtype::SOA => Act::Answer(vec![soa(zone, 2)]),
        _ => Act::Hang,
    });
    let mut secondary = Secondary::new(&[("a.test.", &[primary.remote("ns1")])]);
    secondary.begin("a.test.");
    secondary.puller.limits.message = Duration::from_secs(3);
    let began = Instant::now();
    let (kind, why) = failure(secondary.pull("a.test.", Haste::Time));
    let elapsed = began.elapsed();
    assert_eq!((kind, why.contains("stood still")), (Failure::Refused, true), "{why}");
    assert_eq!(primary.asked(), [Rtype::SOA, Rtype::IXFR, Rtype::AXFR]);
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

/// Bug class: a primary that stays away is told as the last try's error only, with no word since when.
#[test]
fn since_when_no_primary_is_heard_is_known_until_one_is() {
    let is_up = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&is_up);
    let primary = Primary::start(move |zone, rtype, _| match rtype {
        _ if !state.load(Ordering::Relaxed) => Act::Code(5),
        Rtype::SOA => Act::Answer(vec![soa(zone, 1)]),
        _ => Act::Answer(whole(zone, 1)),
    });
    let secondary = Secondary::new(&[("a.test.", &[primary.remote("ns1")])]);
    let (fleet, zone) = (&secondary.fleet.0, name("a.test."));
    fleet.keeper.open(fleet);
    let status = || fleet.keeper.status(&zone).unwrap();
    until("it fails", || status().failing_since.is_some());
    let (since, tries) = (status().failing_since, primary.asked().len());
    fleet.keeper.refresh(&zone);
    until("it fails again", || primary.asked().len() > tries);
    assert_eq!(status().failing_since, since);
    is_up.store(true, Ordering::Relaxed);
    fleet.keeper.refresh(&zone);
    until("it is heard", || status().failing_since.is_none() && status().error.is_none());
    fleet.keeper.stop();
}
