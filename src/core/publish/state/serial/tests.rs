use super::*;

/// Half of the circle.
const HALF: u32 = 1 << 31;

/// 2026-11-24 03:00 UTC.
const NOW: i64 = 1_795_489_200_000;

/// A zone whose last file had `last` and that serves `live`.
fn known(live: u32, last: u32) -> Known {
    Known { live, high_water: live, last_file: Some(last), is_signed: false }
}

/// The next serial of the policy `increment`.
fn by_one(known: Known) -> u32 {
    SerialPolicy::Increment.next(known.live, known.high_water, Some(NOW))
}

/// What the table says, with the policy `increment`.
fn chosen(file: u32, differs: bool, live: u32, last: u32) -> (Option<u32>, Option<Note>) {
    let known = known(live, last);
    let choice = choose(file, differs, known, || by_one(known), |_| false);
    (choice.serial, choice.note)
}

#[test]
fn the_table_row_by_row() {
    // Ahead of live.
    assert_eq!(chosen(20, true, 15, 10), (Some(20), None));
    assert_eq!(chosen(20, false, 15, 10), (Some(20), None));
    // Above the last file, not above live.
    assert_eq!(chosen(12, true, 15, 10), (Some(16), None));
    assert_eq!(chosen(15, true, 15, 10), (Some(16), None));
    assert_eq!(chosen(12, false, 15, 10), (None, None));
    // Equal to the last file.
    assert_eq!(chosen(10, true, 15, 10), (Some(16), Some(Note::NotRaised)));
    assert_eq!(chosen(10, false, 15, 10), (None, None));
    // Below the last file, or 2³¹ apart.
    assert_eq!(chosen(5, true, 15, 10), (Some(16), Some(Note::Backwards)));
    assert_eq!(chosen(5, false, 15, 10), (None, Some(Note::Backwards)));
    assert_eq!(chosen(10 + HALF, true, 15, 10), (Some(16), Some(Note::Backwards)));
}

#[test]
fn serials_wrap_and_skip_zero() {
    assert_eq!(chosen(u32::MAX, true, u32::MAX, u32::MAX), (Some(1), Some(Note::NotRaised)));
    assert_eq!(chosen(3, true, u32::MAX - 1, u32::MAX - 1), (Some(3), None));
    assert_eq!(chosen(0, true, u32::MAX, u32::MAX), (Some(1), None), "0 is never published");
    assert_eq!(chosen(HALF + 9, true, 10, 10), (Some(HALF + 9), Some(Note::FarAhead)));
}

#[test]
fn burned_serials_are_not_used_again() {
    let known = Known { live: 10, high_water: 14, last_file: Some(10), is_signed: false };
    let choice = |file| choose(file, true, known, || by_one(known), |_| false).serial;
    assert_eq!(choice(10), Some(15));
    assert_eq!(choice(13), Some(15), "13 was given out before");
    assert_eq!(choice(16), Some(16));
}

#[test]
fn dates_and_times_never_go_back() {
    let day = 2_026_112_400;
    assert_eq!(SerialPolicy::Date.next(1, 1, Some(NOW)), day);
    assert_eq!(SerialPolicy::Date.next(day, day, Some(NOW)), day + 1);
    assert_eq!(SerialPolicy::Date.next(day + 99, day + 99, Some(NOW)), day + 100, "nn overflows");
    assert_eq!(
        SerialPolicy::Date.next(day, day, Some(NOW - 5 * DAY_MS)),
        day + 1,
        "clock set back"
    );
    assert_eq!(SerialPolicy::Unixtime.next(1, 1, Some(NOW)), 1_795_489_200);
    assert_eq!(SerialPolicy::Unixtime.next(1_795_489_300, 0, Some(NOW)), 1_795_489_301);
    // Past 2038 seconds no longer fit i32, past 2106 no longer u32.
    assert_eq!(
        SerialPolicy::Unixtime.next(1, 1, Some(2_200_000_000_000)),
        2,
        "2³¹ ahead has no order"
    );
    assert_eq!(
        SerialPolicy::Unixtime.next(2_100_000_000, 0, Some(2_200_000_000_000)),
        2_200_000_000
    );
    assert_eq!(SerialPolicy::Unixtime.next(7, 7, Some(5_000_000_000_000)), 8);
    assert_eq!(SerialPolicy::Date.next(7, 7, Some(-1)), 1_969_123_100);
}
