//! The worked examples of docs/procedure.md, Clocks, and what must hold for any calendar.

use proptest::prelude::*;

use super::*;
use crate::queue::fixture::at;
use crate::queue::rules::Rules;

/// 15 minutes and 480 minutes.
const ROUTE: i64 = 15 * MINUTE_MS;
/// One working day.
const DAY: i64 = 480 * MINUTE_MS;

/// Whether `at` lies in working time.
fn is_open(calendar: &Calendar, at: i64) -> bool {
    calendar.worked(at, at + 1) == 1
}

#[test]
fn the_monday_of_the_fixture_is_a_monday() {
    let calendar = Calendar::default();
    assert!(is_open(&calendar, at(0, 8, 0)) && !is_open(&calendar, at(0, 7, 59)));
    assert!(is_open(&calendar, at(4, 15, 59)) && !is_open(&calendar, at(4, 16, 0)));
    assert!(!is_open(&calendar, at(5, 10, 0)) && !is_open(&calendar, at(6, 10, 0)));
    assert_eq!(day_of(at(0, 0, 0)), day_number("2026-11-23").unwrap());
    assert_eq!(day_of(at(0, 0, 0) - 1), day_number("2026-11-22").unwrap());
}

#[test]
fn sent_friday_1550_is_due_monday_0805() {
    assert_eq!(Calendar::default().add(at(4, 15, 50), ROUTE), at(7, 8, 5));
}

#[test]
fn assigned_thursday_1000_is_due_friday_1000() {
    assert_eq!(Calendar::default().add(at(3, 10, 0), DAY), at(4, 10, 0));
}

#[test]
fn the_end_of_a_day_belongs_to_it() {
    assert_eq!(Calendar::default().add(at(3, 8, 0), DAY), at(3, 16, 0));
    assert_eq!(Calendar::default().add(at(3, 16, 0), MINUTE_MS), at(4, 8, 1));
}

#[test]
fn a_holiday_and_an_override_are_left_out() {
    let mut calendar = Calendar::default();
    calendar.add_holidays("date,name,source\n2026-12-01,contoh,SKB 3 Menteri\n").unwrap();
    assert!(calendar.add_holidays("date,name,source\n1-12-2026,contoh,SKB\n").is_err());
    assert!(calendar.add_holidays("date,name,source\n2026-12-01,contoh\n").is_err());
    // Monday 30 November 15.00 and two hours: Tuesday is off, so Wednesday 09.00.
    assert_eq!(calendar.add(at(7, 15, 0), 120 * MINUTE_MS), at(9, 9, 0));
    assert!(calendar.year_is_empty(2027) && !calendar.year_is_empty(2026));
    let ramadan = Hours::parse("Mon-Thu 08:00-15:00; Fri 08:00-11:30,13:00-15:30").unwrap();
    calendar.add_override("2026-12-02", "2026-12-04", ramadan).unwrap();
    assert_eq!(calendar.worked(at(9, 0, 0), at(10, 0, 0)), 7 * 60 * MINUTE_MS);
    assert_eq!(calendar.worked(at(11, 11, 0), at(11, 13, 30)), 60 * MINUTE_MS);
    assert_eq!(calendar.worked(at(14, 0, 0), at(15, 0, 0)), DAY);
}

#[test]
fn hours_are_read_or_refused() {
    assert_eq!(Calendar::new(Hours::parse(HOURS_DEFAULT).unwrap()), Calendar::default());
    for bad in
        ["", "Mon", "Mon 8-16", "Mon 16:00-08:00", "Xyz 08:00-16:00", "Mon 08:00-12:00,11:00-13:00"]
    {
        assert!(Hours::parse(bad).is_err(), "{bad}");
    }
    assert!(Hours::parse("Sat-Mon 00:00-24:00").is_ok());
    assert!(Calendar::default().add_holiday("2026-13-01", "", "").is_err());
    assert_eq!(Rules::default().working_day, DAY);
}

/// A calendar with some holidays and an override.
fn calendars() -> impl Strategy<Value = Calendar> {
    (prop::collection::btree_set(0i64..60, 0..12), 0i64..50, 0i64..8).prop_map(
        |(days, from, long)| {
            let mut calendar = Calendar::default();
            let first = day_of(at(0, 8, 0));
            for day in days {
                let holiday = Holiday { name: String::new(), source: String::new() };
                calendar.holidays.insert(first + day, holiday);
            }
            let hours = Hours::parse("Mon-Thu 08:00-15:00; Fri 08:00-11:30,13:00-15:30").unwrap();
            calendar.overrides.push(Override {
                name: String::new(),
                first: first + from,
                last: first + from + long,
                hours,
            });
            calendar
        },
    )
}

#[test]
fn the_canonical_text_is_known() {
    let mut calendar = Calendar::default();
    calendar.add_holiday("2026-12-25", "Natal \"2026\"", "SKB\n3 Menteri").unwrap();
    let hours = Hours::parse("Mon-Thu 08:00-15:00; Fri 08:00-11:30,13:00-15:30").unwrap();
    calendar.add_override("2027-02-08", "2027-03-09", hours).unwrap();
    let text = "week 480-960;480-960;480-960;480-960;480-960;;\n\
        holiday 20812 [\"Natal \\\"2026\\\"\",\"SKB\\n3 Menteri\"]\n\
        hours 20857 20886 480-900;480-900;480-900;480-900;480-690,780-930;;";
    assert_eq!(calendar.canonical(), text);
}

proptest! {
    #[test]
    fn worked_time_is_additive_and_monotone(
        calendar in calendars(), start in 0i64..40 * DAY_MS, a in 0i64..9 * DAY_MS, b in 0i64..9 * DAY_MS,
    ) {
        let t0 = at(0, 0, 0) + start;
        let (t1, t2) = (t0 + a, t0 + a + b);
        prop_assert_eq!(calendar.worked(t0, t2), calendar.worked(t0, t1) + calendar.worked(t1, t2));
        prop_assert!(calendar.worked(t0, t1) <= a);
    }

    #[test]
    fn adding_is_the_inverse_of_measuring(
        calendar in calendars(), start in 0i64..40 * DAY_MS, amount in 1i64..20 * DAY, more in 1i64..DAY,
    ) {
        let from = at(0, 0, 0) + start;
        let due = calendar.add(from, amount);
        prop_assert_eq!(calendar.worked(from, due), amount);
        prop_assert!(calendar.worked(from, due - 1) < amount);
        prop_assert!(calendar.add(from, amount + more) > due);
        prop_assert_eq!(calendar.add(due, more), calendar.add(from, amount + more));
        prop_assert!(calendar.add(from + more, amount) >= due);
    }
}
