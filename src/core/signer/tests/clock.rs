//! Clocks that are set, right or wrong, while rollovers wait.

use super::*;

/// A zone whose parent has just exchanged the DS, and the tag of the key that goes.
fn exchanged() -> (House, u16) {
    let house = House::new(Policy { arrangement: Arrangement::KskZsk, ..Policy::default() });
    house.live(DAY);
    let old = house.keys().key_signers()[0].tag;
    house.parent_has([&[old], &[old]]);
    house.turn();
    house.command(Command::Roll(Some(Role::Ksk)));
    house.live(DAY);
    let new = house.keys().key_signers().iter().map(|id| id.tag).find(|tag| *tag != old).unwrap();
    house.parent_has([&[new], &[new]]);
    house.turn();
    (house, old)
}

/// The clock is believed as it is.
fn believed(house: &House) {
    let row = ClockRow::believed(clock());
    house.store.write::<_, crate::store::StoreError>(|tx| tx.put_clock(&row)).unwrap();
}

#[test]
fn a_clock_that_is_set_does_not_cut_a_wait() {
    let hour = 3_600;
    // The TTL of the DS and the time to reach all servers are 25 hours.
    for by in [47 * 3_600, 30 * 3_600, -30 * 3_600] {
        let (house, old) = exchanged();
        house.live(10 * hour);
        set_clock(by);
        believed(&house);
        house.turn();
        house.live(24 * hour);
        assert!(house.tags().contains(&old), "{by}: its DS may be in caches");
        house.live(2 * hour);
        assert!(!house.tags().contains(&old), "{by}");
        assert!(house.alarms().is_empty(), "{:?}", house.signer.alarms(&apex()));
    }
    // Back and forth, before anybody had a turn.
    let (house, old) = exchanged();
    set_clock(-20 * 3_600);
    house.inner().relist();
    set_clock(20 * 3_600);
    house.live(24 * hour);
    assert!(house.tags().contains(&old));
}

#[test]
fn a_doubt_that_is_over_does_not_cut_a_wait() {
    for is_right in [true, false] {
        let (house, old) = exchanged();
        believed(&house);
        // By a clock that nobody sees being set: as over a restart.
        set_clock(400 * DAY as i64);
        house.inner().book().pace = Default::default();
        house.turn();
        assert!(house.alarms().contains(&"stopped"));
        if is_right {
            set_clock(-400 * DAY as i64);
            house.inner().book().pace = Default::default();
        }
        believed(&house);
        house.turn();
        assert!(house.tags().contains(&old), "{is_right}");
        house.live(DAY);
        assert!(house.tags().contains(&old), "{is_right}");
        house.live(DAY);
        assert!(!house.tags().contains(&old), "{is_right}");
    }
    // Somebody says so before there was a turn.
    let (house, old) = exchanged();
    set_clock(400 * DAY as i64);
    house.inner().book().pace = Default::default();
    house.signer.clock_is_right();
    house.turn();
    assert!(house.tags().contains(&old));
}

#[test]
fn a_clock_that_was_set_is_seen_within_a_minute_for_all_zones() {
    let house = House::new(Policy::default());
    house.live(DAY);
    believed(&house);
    let take = || house.inner().book().turns.take(Instant::now());
    let rest =
        || house.inner().book().turns.done(&apex(), ran() + Duration::from_secs(3_600 * 48), ran());
    house.inner().relist();
    while take().is_some() {
        rest();
    }
    pass(60_000);
    house.inner().relist();
    assert_eq!(take(), None);
    set_clock(30 * DAY as i64);
    house.inner().relist();
    assert_eq!(take(), Some(apex()));
    house.turn();
    assert!(house.alarms().contains(&"stopped"));
}
