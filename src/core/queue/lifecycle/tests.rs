//! A name through its year, by a clock that jumps.

use super::*;
use crate::queue::fixture::{application, at};
use crate::queue::live::Promise;
use crate::queue::{ParsedApplication, Place, Rules, Signature};

/// The number of the suspension that gapura asked for.
const ASKED_FOR: &str = "GPR-9";

/// gapura's signature at a moment.
fn by(now: i64) -> Signature {
    Signature::system(now)
}

/// A name that went live at a moment.
fn live(now: i64, ends: Option<i64>) -> LiveRecord {
    let sent = application();
    let promise = Promise {
        office: sent.office.clone(),
        class: sent.class,
        region: sent.region.clone(),
        records: ParsedApplication::try_from(sent).unwrap().rrs().cloned().collect(),
        ends,
    };
    let free = LiveRecord::free(Place::read("x.cirebonkab.go.id.", "cirebonkab.go.id.").unwrap());
    let held = free.hold("GPR-1", "Desa Grogol", &by(now)).unwrap().value;
    held.go_live("GPR-1", promise, &by(now)).unwrap().value
}

/// Midnight WIB of a date.
fn midnight_of(date: &str) -> i64 {
    crate::queue::time::moment(date, 0).unwrap()
}

/// Does what a name's year calls for, as the desk does.
fn follow(live: LiveRecord, now: i64) -> (LiveRecord, Option<Call>) {
    let call = live.call(now, &Lifecycle::default());
    let live = match call {
        None => live,
        Some(Call::Ask(due)) => live.ask_owner(due, &by(now)).unwrap().value,
        Some(Call::Remind) => live.remind_owner(&by(now)).unwrap().value,
        Some(Call::Reconfirm) => live.reconfirm_due(&by(now)).unwrap().value,
        Some(Call::Raise(_, raised)) => {
            live.raised(ASKED_FOR, raised.cause, &by(now)).unwrap().value
        }
    };
    (live, call)
}

/// Lets days go by, and says on which what was called for.
fn days(mut live: LiveRecord, from: i64, count: i64) -> (LiveRecord, Vec<(i64, Call)>) {
    let mut calls = Vec::new();
    for day in 0..count {
        let (next, call) = follow(live, from + day * DAY_MS);
        calls.extend(call.map(|call| (day, call)));
        live = next;
    }
    (live, calls)
}

#[test]
fn a_silent_year_asks_once_reminds_once_and_asks_for_a_suspension_once() {
    let start = midnight_of("2026-11-24");
    let (live, calls) = days(live(start, None), start, 400);
    let due = midnight_of("2027-11-24");
    let raised = Raised { cause: Ground::Unconfirmed, since: due };
    assert_eq!(
        calls,
        [
            (335, Call::Ask(due)),
            (358, Call::Remind),
            (365, Call::Reconfirm),
            (395, Call::Raise(Kind::Suspend, raised)),
        ]
    );
    assert_eq!(live.state(), LiveState::Reconfirming);
    assert!(live.state().is_served());
    // The officers turn it down: the next year asks again, and not before.
    let (_, calls) = days(live, start + 400 * DAY_MS, 400);
    let next = midnight_of("2028-11-24");
    assert_eq!(calls[0], (336 + 365 - 400, Call::Ask(next)), "a leap year has a day more");
    assert_eq!((calls[1].1, calls.len()), (Call::Remind, 3));
    assert_eq!(calls[2].1, Call::Raise(Kind::Suspend, Raised { since: next, ..raised }));
}

#[test]
fn an_answer_settles_the_year_and_keeps_the_day_of_the_year() {
    let start = midnight_of("2026-11-24");
    let (live, _) = days(live(start, None), start, 340);
    let answered = live.renew(None, None, &by(start + 340 * DAY_MS)).unwrap().value;
    let (live, calls) = days(answered, start + 340 * DAY_MS, 361);
    assert_eq!(calls, []);
    let (_, calls) = days(live, start + 701 * DAY_MS, 1);
    assert_eq!(calls, [(0, Call::Ask(midnight_of("2028-11-24")))]);
}

#[test]
fn the_28th_stands_in_for_a_leap_day() {
    let start = midnight_of("2028-02-29");
    let name = live(start, None);
    let rules = Lifecycle::default();
    assert_eq!(name.anniversary(start, &rules), Some(midnight_of("2029-02-28")));
    let later = midnight_of("2031-12-01");
    let settled = name.renew(None, None, &by(later)).unwrap().value;
    assert_eq!(settled.anniversary(later, &rules), Some(midnight_of("2032-02-29")));
}

#[test]
fn a_machine_that_was_off_asks_late_and_gives_the_whole_time() {
    let start = midnight_of("2026-11-24");
    let late = start + 800 * DAY_MS;
    let (live, call) = follow(live(start, None), late);
    assert_eq!(call, Some(Call::Ask(late + 30 * DAY_MS)));
    // Off again until long after the anniversary: reminded, then asked to confirm, then the whole time.
    let back = late + 90 * DAY_MS;
    let (live, calls) = days(live, back, 40);
    let raised = Raised { cause: Ground::Unconfirmed, since: back };
    assert_eq!(calls, [(0, Call::Reconfirm), (30, Call::Raise(Kind::Suspend, raised))]);
    assert_eq!(live.question.unwrap().reminded, None);
}

#[test]
fn nothing_is_done_twice_when_the_clock_is_put_back_and_a_wrong_future_counts_for_nothing() {
    let start = midnight_of("2026-11-24");
    let ask = start + 335 * DAY_MS;
    let (asked, call) = follow(live(start, None), ask);
    assert!(matches!(call, Some(Call::Ask(_))));
    assert_eq!(days(asked, ask - 20 * DAY_MS, 20).1, []);
    // Asked by a clock ten years ahead, which was then corrected.
    let far = start + 3_650 * DAY_MS;
    let (wrong, call) = follow(live(start, None), far);
    assert!(matches!(call, Some(Call::Ask(_))));
    let (_, calls) = days(wrong, start, 340);
    assert_eq!(calls, [(335, Call::Ask(midnight_of("2027-11-24")))]);
}

#[test]
fn what_was_taken_out_by_the_clock_is_to_be_removed_and_what_officers_took_out_is_not() {
    let start = midnight_of("2026-11-24");
    let rules = Rules::default();
    for (ground, after) in [(Some(Ground::Unconfirmed), 60), (Some(Ground::Ended), 30)] {
        let out = live(start, None).suspend("x", ground, &by(start), &rules).unwrap().value;
        let (out, calls) = days(out, start, 200);
        let raised = Raised { cause: ground.unwrap(), since: start };
        assert_eq!(calls, [(after, Call::Raise(Kind::Remove, raised))]);
        assert_eq!(out.suspension.unwrap().removal.as_deref(), Some(ASKED_FOR));
    }
    let out = live(start, None).suspend("x", None, &by(start), &rules).unwrap().value;
    assert_eq!(days(out, start, 800).1, []);
}

#[test]
fn an_end_date_is_told_twice_and_asks_no_yearly_question() {
    let start = midnight_of("2026-11-24");
    let ends = start + 370 * DAY_MS;
    let (name, rules) = (live(start, Some(ends)), Lifecycle::default());
    let told = |day: i64| name.end_notice(start + day * DAY_MS, &rules);
    assert_eq!(
        (told(355), told(356), told(366), told(367), told(370)),
        (None, Some(14), Some(14), Some(3), None)
    );
    assert_eq!(days(name.clone(), start, 369).1, []);
    // A week's name is told three days before, and not on the day it begins.
    let week = live(start, Some(start + 7 * DAY_MS));
    assert_eq!(week.end_notice(start, &rules), None);
    assert_eq!(week.end_notice(start + 4 * DAY_MS, &rules), Some(3));
}

#[test]
fn nobody_is_asked_about_a_name_of_the_file_or_where_the_question_is_off() {
    let start = at(0, 9, 0);
    let file = LiveRecord::of_file(
        Place::read("www.cirebonkab.go.id.", "cirebonkab.go.id.").unwrap(),
        Vec::new(),
    );
    assert_eq!(days(file, start, 800).1, []);
    let off = Lifecycle { ask_days: 0, ..Lifecycle::default() };
    assert_eq!(live(start, None).call(start + 800 * DAY_MS, &off), None);
}
