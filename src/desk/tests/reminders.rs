//! Who is told before it is too late, and who is told that somebody else became an officer.

use super::*;
use crate::audit::{NewEvent, append};
use crate::queue::Deed;
use crate::store::StoreError;

/// A minute in milliseconds.
const MINUTE: i64 = 60_000;
/// A day in milliseconds.
const DAY: i64 = 86_400_000;

/// What a request's notices tell of, as often as they do.
fn told(office: &Office, number: &str, about: &str) -> Vec<String> {
    let notices = office.view(number).notices;
    notices.into_iter().filter(|n| n.about == about).filter_map(|n| n.to).collect()
}

/// Everything that waits to be sent and is about no request: what, about whom, to whom.
fn of_the_office(office: &Office) -> Vec<(Deed, String, String)> {
    let due = office.desk.notices_due(1_000).unwrap();
    let rows = due.into_iter().filter(|notice| notice.request.is_none());
    rows.map(|notice| (notice.deed, notice.values.name, notice.to)).collect()
}

#[test]
fn a_step_that_is_due_soon_is_told_once_to_who_must_act() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    office.wait(11 * MINUTE);
    office.desk.tick().unwrap();
    assert_eq!(told(&office, &sent.number, "due_soon"), Vec::<String>::new(), "a quarter is left");
    office.wait(MINUTE);
    for _ in 0..3 {
        office.desk.tick().unwrap();
        office.wait(MINUTE);
    }
    assert_eq!(told(&office, &sent.number, "due_soon"), ["kepala@cirebonkab.go.id"]);

    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    office.wait(7 * 60 * MINUTE);
    let office = office.reopen();
    office.desk.tick().unwrap();
    let all = ["kepala@cirebonkab.go.id", "seksi@cirebonkab.go.id"];
    assert_eq!(told(&office, &sent.number, "due_soon"), all);
}

#[test]
fn a_correction_is_reminded_of_with_seven_and_with_two_days_left() {
    let office = Office::new();
    let number = office.assigned(application());
    let lines = vec![line(LineCode::M1, LineVerdict::Fix)];
    office.act(&number, Act::Return { lines }, "seksi").unwrap();
    let mut reminders = Vec::new();
    for day in 1..=19 {
        office.wait(DAY);
        office.desk.tick().unwrap();
        if told(&office, &number, "correction_due").len() > reminders.len() {
            reminders.push(day);
        }
    }
    // 14 working days from a Monday: 7 are left on Wednesday of the next week, 2 on its Wednesday.
    assert_eq!(reminders, [9, 16]);
    assert_eq!(told(&office, &number, "correction_due")[0], "desa@example.id");
    assert_eq!(office.view(&number).state, State::Expired);
}

#[test]
fn every_officer_hears_of_a_new_one() {
    let office = Office::new();
    // Events without the changes they tell of.
    office.chain.is_edited();
    office.desk.tick().unwrap();
    let at_first = of_the_office(&office).len();
    let add = |deed: Deed, person: &str| {
        let event = NewEvent::new(MONDAY_8, "console", "admin", deed, &format!("person:{person}"));
        office.store.write::<_, StoreError>(|tx| append(tx, event)).unwrap();
    };
    add(Deed::AccountAdded, "p-lain");
    add(Deed::SignedIn, "p-lain");
    add(Deed::RoleChanged, "p-seksi");
    add(Deed::SecondFactorSet, "p-seksi");
    add(Deed::AccountEnabled, "p-lain");
    add(Deed::IdentityChanged, "p-lain");
    add(Deed::ActingRecorded, "p-lain");
    office.desk.tick().unwrap();
    office.desk.tick().unwrap();
    let told = of_the_office(&office).split_off(at_first);
    assert_eq!(told.len(), 30, "five officers, six things to know: {told:?}");
    assert!(told.contains(&(
        Deed::OfficerAdded,
        "lain".to_owned(),
        "kepala@cirebonkab.go.id".to_owned()
    )));
    let before = at_first + told.len();
    let office = office.reopen();
    office.chain.is_edited();
    office.desk.tick().unwrap();
    assert_eq!(of_the_office(&office).len(), before, "once, whatever stops in between");
}

#[test]
fn the_other_officer_hears_of_an_emergency_and_it_heads_the_late_list() {
    let office = Office::new();
    office.desk.suspend("diskominfo", "Situs diretas", &office.actor("seksi")).unwrap();
    let name = "diskominfo.cirebonkab.go.id.".to_owned();
    let to = "kepala@cirebonkab.go.id".to_owned();
    let shown = "diskominfo.cirebonkab.go.id".to_owned();
    assert_eq!(of_the_office(&office), [(Deed::EmergencySuspend, shown, to)]);
    assert_eq!(office.desk.overdue_suspensions().unwrap(), []);
    office.wait(2 * DAY);
    assert_eq!(office.desk.overdue_suspensions().unwrap()[0].name, name);
    office.desk.confirm_suspension(&name, &office.actor("kepala")).unwrap();
    assert_eq!(office.desk.overdue_suspensions().unwrap(), []);
}

#[test]
fn a_daily_job_that_fails_keeps_no_other_from_its_turn() {
    let office = Office::new();
    office.chain.is_edited();
    let sent = office.submit(application()).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    office.approve(&sent.number).unwrap();
    office.desk.status(&sent.number, &sent.secret).unwrap();
    let (draft, limits) = (DraftContent::default(), DraftLimits::default());
    office.desk.save_draft("v".to_owned(), String::new(), (&draft, false), &limits).unwrap();
    let link = office.desk.new_draft_link("v", "kantor@dinkes.example", "192.0.2.0/24").unwrap();
    let link = link.unwrap().token;
    assert!(office.desk.draft_behind(&link).unwrap().is_some());
    office.wait(40 * DAY);
    // The verifier finds the one, and retention of letters and of where requests came from fails.
    office.store.tamper("PRAGMA foreign_keys = OFF; DROP TABLE letter; DROP TABLE tally");
    office.desk.do_jobs_of_the_day().unwrap_err();
    let left = office.store.read::<_, StoreError>(|reader| reader.draft("v"));
    assert_eq!(left.unwrap(), None, "swept");
    assert!(office.desk.draft_behind(&link).unwrap().is_none());
    let again = office.desk.draft_links_again("kantor@dinkes.example", "192.0.2.0/24").unwrap();
    assert!(again.is_empty(), "nothing is left of whose it was");
}

#[test]
fn a_draft_that_is_dropped_leaves_nothing_in_the_log_of_writes() {
    let office = Office::new();
    let fields = std::collections::BTreeMap::from([("purpose".to_owned(), "RAHASIA".to_owned())]);
    let (draft, limits) = (DraftContent { fields, letter: None }, DraftLimits::default());
    let log = || std::fs::read(office.directory.path().join("state/gapura.db-wal")).unwrap();
    let holds = |hash: &str| log().windows(hash.len()).any(|at| at == hash.as_bytes());
    office.desk.do_jobs_of_the_day().unwrap();
    office
        .desk
        .save_draft("kunjungan-17".to_owned(), String::new(), (&draft, false), &limits)
        .unwrap();
    assert!(holds("kunjungan-17"));
    office.desk.drop_draft("kunjungan-17").unwrap();
    office.desk.do_jobs_of_the_day().unwrap();
    assert!(!holds("kunjungan-17"));
}

#[test]
fn a_holiday_that_is_added_moves_open_due_times_and_is_on_record() {
    let office = Office::new();
    let number = office.assigned(application());
    let due = |number: &str| office.view(number).summary.due.unwrap();
    assert_eq!(due(&number), "2026-11-23T09:00:00.000Z");
    let mut calendar = crate::queue::Calendar::default();
    office.desk.set_working_time(calendar.clone()).unwrap();
    calendar.add_holiday("2026-11-23", "Cuti bersama", "SKB").unwrap();
    for _ in 0..2 {
        office.desk.set_working_time(calendar.clone()).unwrap();
    }
    assert_eq!(due(&number), "2026-11-24T09:00:00.000Z");
    let filter = ListFilter { limit: 9, ..Default::default() };
    let listed = office.desk.list(&filter, &office.actor("seksi")).unwrap();
    assert_eq!(listed.items[0].due.as_deref(), Some("2026-11-24T09:00:00.000Z"), "the queue too");
    let events = office.store.read::<_, StoreError>(|r| r.events_of("settings:work")).unwrap();
    assert_eq!(events.len(), 2, "the first table, and the one with the holiday");
    // Of the table's text, not of how the code happens to hold it.
    let shipped = "e2fab4ea0db26f2c927862f8c84bfdc6f9601ffa802c61735386556db3ead13c";
    assert_eq!(events[0].payload["sha256"], shipped);
}

#[test]
fn a_link_never_leads_to_what_was_begun_in_the_place_of_its_draft() {
    let office = Office::new();
    let (desk, limits) = (&office.desk, DraftLimits { count: 2, ..DraftLimits::default() });
    let named = |name: &str| {
        let fields = std::collections::BTreeMap::from([("name".to_owned(), name.to_owned())]);
        DraftContent { fields, letter: None }
    };
    let linked = |draft: &str| {
        let link = desk.new_draft_link(draft, "kantor@dinkes.example", "192.0.2.0/24").unwrap();
        link.unwrap().token
    };
    let save = |draft: &str, name: &str| {
        desk.save_draft(draft.to_owned(), "n".to_owned(), (&named(name), false), &limits).unwrap();
    };
    save("v", "satu");
    let link = linked("v");
    save("v", "satu lagi");
    assert!(desk.draft_behind(&link).unwrap().is_some(), "the same form goes on");
    desk.save_draft("v".to_owned(), "n".to_owned(), (&named("lain"), true), &limits).unwrap();
    assert!(desk.draft_behind(&link).unwrap().is_none(), "another's form");
    // Dropped for want of room.
    let link = linked("v");
    office.wait(2 * 3_600_000);
    save("w", "dua");
    save("x", "tiga");
    office.wait(2 * 3_600_000);
    save("v", "empat");
    assert!(desk.draft_behind(&link).unwrap().is_none(), "after it was dropped");
    // Dropped for its age; the link is younger.
    office.wait(29 * 86_400_000);
    let link = linked("v");
    office.wait(2 * 86_400_000);
    desk.retain_drafts().unwrap();
    save("v", "lima");
    assert!(desk.draft_behind(&link).unwrap().is_none(), "after its time");
}

#[test]
fn what_is_left_of_the_limits_does_not_say_whether_a_form_was_saved() {
    let office = Office::new();
    let (draft, limits) = (DraftContent::default(), DraftLimits::default());
    for hash in ["a", "b", "own"] {
        office.desk.save_draft(hash.to_owned(), "n".to_owned(), (&draft, false), &limits).unwrap();
    }
    let (known, unknown) = ("kantor@dinkes.example", "lain@dinkes.example");
    for hash in ["a", "b"] {
        office.desk.new_draft_link(hash, known, "192.0.2.0/24").unwrap();
    }
    office.wait(2 * 3_600_000);
    let mut left = Vec::new();
    for (mailbox, network) in [(known, "198.51.100.0/24"), (unknown, "198.51.101.0/24")] {
        let mut links = 0;
        for _ in 0..6 {
            links += office.desk.draft_links_again(mailbox, network).unwrap().len();
        }
        assert_eq!(links, if mailbox == known { 10 } else { 0 }, "five for each draft");
        let is_made = |_: &i32| {
            let made = office.desk.new_draft_link("own", mailbox, network);
            office.store.write::<_, StoreError>(|tx| tx.cut_draft_links("own")).unwrap();
            made.is_ok()
        };
        left.push((0..20).filter(is_made).count());
    }
    assert_eq!(left, [2, 2]);
}

#[test]
fn a_reminder_is_not_mailed_to_who_does_not_have_the_step_any_more() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    // Of the fifteen minutes of a routing.
    office.wait(13 * MINUTE);
    office.desk.tick().unwrap();
    let due_soon = || {
        let news = office.desk.notices_to_mail(1_000).unwrap().into_iter();
        news.filter(|notice| notice.deed == Deed::DueSoon)
            .map(|notice| notice.to)
            .collect::<Vec<_>>()
    };
    assert_eq!(due_soon(), ["kepala@cirebonkab.go.id"]);
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    assert_eq!(due_soon(), [""; 0], "the head has routed it");
}
