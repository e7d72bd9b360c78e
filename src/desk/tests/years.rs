//! Years of a name: who is asked, told and reminded, what gapura asks for, and how it ends.

use super::*;
use crate::queue::{Ground, Kind, LiveState, NamingClass, NoticeReader};

/// A day in milliseconds.
const DAY: i64 = 86_400_000;
/// The village's name.
const NAME: &str = "grogolkapetakan.desa.cirebonkab.go.id.";

/// Lets days go by, with a turn of the timers on each.
fn days(office: &Office, count: i64) {
    for _ in 0..count {
        office.wait(DAY);
        office.desk.tick().unwrap();
    }
}

/// Every letter to the owner about the year of a name, with its mailbox, in order.
fn letters(office: &Office, number: &str) -> Vec<(String, String)> {
    let of_year = |about: &str| about.starts_with("reconfirm") || about.starts_with("end");
    let notices = office.view(number).notices.into_iter().filter(|it| of_year(&it.about));
    notices.map(|it| (it.about, it.to.unwrap_or_default())).collect()
}

/// The open requests that gapura made, and the state of the name.
fn raised(office: &Office) -> Vec<(String, Kind, Ground)> {
    let filter = ListFilter { open: Some(true), limit: 50, ..ListFilter::default() };
    let list = office.desk.list(&filter, &office.actor("kepala")).unwrap().items;
    list.into_iter().filter_map(|it| Some((it.number, it.kind, it.raised?))).collect()
}

fn state(office: &Office) -> LiveState {
    office.desk.record(NAME).unwrap().map_or(LiveState::Free, |record| record.state)
}

/// A request of gapura's through the machine, from the routing on.
fn decide(office: &Office, number: &str) {
    office.act(number, dispose("seksi"), "kepala").unwrap();
    let view = office.approve(number).unwrap();
    assert_eq!(view.state, State::Live, "{:?} {:?}", view.reason, view.missing);
}

/// The token of the newest link that was mailed.
fn newest_link(office: &Office) -> String {
    let due = office.desk.notices_due(1_000).unwrap();
    due.into_iter().filter_map(|notice| notice.values.token).next_back().unwrap()
}

#[test]
fn two_silent_years_end_in_quarantine_by_the_word_of_officers_only() {
    let office = Office::new();
    let number = office.live(application());
    days(&office, 334);
    assert_eq!(letters(&office, &number), []);
    days(&office, 1);
    let to = "desa@example.id".to_owned();
    assert_eq!(letters(&office, &number), [("reconfirm_asked".to_owned(), to)]);
    let office = office.reopen();
    days(&office, 31);
    let told: Vec<String> = letters(&office, &number).into_iter().map(|it| it.0).collect();
    assert_eq!(told, ["reconfirm_asked", "reconfirm_reminded", "reconfirm"]);
    assert_eq!((state(&office), raised(&office)), (LiveState::Reconfirming, vec![]));
    assert_eq!(office.dig(NAME, "A").1.len(), 1, "still served");
    days(&office, 40);
    let asked = raised(&office);
    assert_eq!((asked.len(), asked[0].1, asked[0].2), (1, Kind::Suspend, Ground::Unconfirmed));
    assert_eq!(office.dig(NAME, "A").1.len(), 1, "silence decides nothing");
    // It is nobody's: no letter, no applicant to send it back to, and lines of its own.
    let asked = &asked[0].0;
    office.act(asked, dispose("seksi"), "kepala").unwrap();
    let view = office.view(asked);
    let codes: Vec<LineCode> = view.lines.iter().map(|line| line.code).collect();
    assert_eq!(codes, [LineCode::A4, LineCode::A9, LineCode::A10, LineCode::M11]);
    let lines = vec![line(LineCode::M11, LineVerdict::Fix)];
    assert_eq!(
        office.act(asked, Act::Return { lines }, "seksi").unwrap_err().code(),
        "not_allowed"
    );
    assert!(!view.acts.contains(&crate::queue::ActKind::Return), "{:?}", view.acts);
    assert_eq!(office.approve(asked).unwrap().state, State::Live);
    assert_eq!(
        (state(&office), office.dig(NAME, "A").0),
        (LiveState::Suspended, "NXDOMAIN".into())
    );
    let papers: Vec<String> =
        office.view(asked).papers.iter().map(|paper| paper.kind.to_string()).collect();
    assert_eq!(papers, ["disposition", "verification", "report", "notification"]);
    days(&office, 59);
    assert_eq!(raised(&office), []);
    days(&office, 40);
    let asked = raised(&office);
    assert_eq!((asked.len(), asked[0].1, asked[0].2), (1, Kind::Remove, Ground::Unconfirmed));
    decide(&office, &asked[0].0);
    assert_eq!(state(&office), LiveState::Quarantined);
    days(&office, 400);
    assert_eq!(state(&office), LiveState::Free);
    assert_eq!(letters(&office, &number).len(), 3, "a name that is gone asks nobody");
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn an_owner_answers_by_the_link_once_and_what_gapura_asked_for_is_taken_back() {
    let office = Office::new();
    let number = office.live(application());
    days(&office, 400);
    let asked = raised(&office);
    office.act(&asked[0].0, dispose("seksi"), "kepala").unwrap();
    let link = newest_link(&office);
    let (of, owner) = office.desk.party_link(&link).unwrap().unwrap();
    assert_eq!(of, number);
    let stranger = Actor::applicant("x", Identity::default(), Some("GPR-2026-09999"));
    let press = |actor: &Actor| office.desk.answer_for_name(NAME, OwnerAnswer::InUse, "", actor);
    assert_eq!(press(&stranger).unwrap_err().code(), "not_allowed");
    assert_eq!(press(&office.actor("operator")).unwrap_err().code(), "not_allowed");
    assert_eq!(press(&office.actor("seksi")).unwrap_err().code(), "incomplete", "a letter");
    let record = press(&owner).unwrap();
    assert_eq!((record.state, record.question), (LiveState::Live, None));
    assert!(record.confirmed.is_some());
    assert_eq!(office.view(&asked[0].0).state, State::Withdrawn);
    assert!(office.desk.party_link(&link).unwrap().is_none(), "a link answers once");
    days(&office, 290);
    assert_eq!(letters(&office, &number).len(), 3);
    days(&office, 30);
    assert_eq!(letters(&office, &number).len(), 4, "the next year asks again");
    // By letter, on the page of the name.
    let seksi = office.actor("seksi");
    office.desk.answer_for_name(NAME, OwnerAnswer::InUse, "140/77", &seksi).unwrap();
    days(&office, 60);
    assert_eq!((raised(&office), letters(&office, &number).len()), (vec![], 4));
    // By the secret of the request: not needed any more.
    let proven = Actor::applicant("Sutrisno", Identity::default(), Some(&number));
    office.desk.answer_for_name(NAME, OwnerAnswer::NotNeeded, "", &proven).unwrap();
    office.desk.answer_for_name(NAME, OwnerAnswer::NotNeeded, "", &proven).unwrap();
    let asked = raised(&office);
    assert_eq!((asked.len(), asked[0].1, asked[0].2), (1, Kind::Remove, Ground::NotNeeded));
    decide(&office, &asked[0].0);
    assert_eq!(state(&office), LiveState::Quarantined);
}

#[test]
fn a_wrong_clock_asks_nobody_and_one_put_back_asks_nobody_twice() {
    let office = Office::new();
    let number = office.live(application());
    let turn = std::time::Duration::from_secs(5);
    office.desk.turn(turn).unwrap();
    office.wait(340 * DAY);
    for _ in 0..3 {
        office.desk.turn(turn).unwrap();
    }
    assert_eq!(letters(&office, &number), [], "doubted");
    office.desk.believe_clock().unwrap();
    office.desk.turn(turn).unwrap();
    assert_eq!(letters(&office, &number).len(), 1);
    office.wait(-20 * DAY);
    office.desk.believe_clock().unwrap();
    let office = office.reopen();
    days(&office, 20);
    assert_eq!(letters(&office, &number).len(), 1);
}

#[test]
fn a_name_that_is_not_needed_is_taken_to_the_officers_whatever_gapura_asked_for_before() {
    let office = Office::new();
    let number = office.live(application());
    days(&office, 400);
    let suspension = raised(&office)[0].0.clone();
    let proven = Actor::applicant("Sutrisno", Identity::default(), Some(&number));
    let not_needed =
        |office: &Office| office.desk.answer_for_name(NAME, OwnerAnswer::NotNeeded, "", &proven);
    not_needed(&office).unwrap();
    assert_eq!(office.view(&suspension).state, State::Withdrawn);
    let asked = raised(&office);
    assert_eq!((asked.len(), asked[0].1, asked[0].2), (1, Kind::Remove, Ground::NotNeeded));
    not_needed(&office).unwrap();
    assert_eq!(raised(&office), asked, "asked for already");
    // Another request is open: the answer is not lost without a word.
    let office = Office::new();
    let number = office.live(application());
    office.submit(again(Kind::Change)).unwrap();
    assert_eq!(number, "GPR-2026-00001");
    assert_eq!(not_needed(&office).unwrap_err().code(), "name_taken");
    // Out of the zone, it may be given up as well.
    let office = Office::new();
    office.live(application());
    office.live(again(Kind::Suspend));
    not_needed(&office).unwrap();
    assert_eq!(raised(&office)[0].1, Kind::Remove);
}

#[test]
fn the_history_of_a_name_is_closed_to_whoever_gave_it_away() {
    let office = Office::new();
    office.live(service("pekanraya", "192.0.2.140"));
    let ledger = &office.desk.0.ledger;
    let link = |tx: &crate::store::Tx<'_>| ledger.owner_link(tx, "pekanraya.cirebonkab.go.id.");
    let token = ledger.store.write::<_, crate::audit::AuditError>(link).unwrap();
    let opens =
        || ledger.store.read::<_, crate::audit::AuditError>(|it| ledger.name_of_link(it, &token));
    assert!(opens().unwrap().is_some());
    let mut over = service("pekanraya", "192.0.2.140");
    (over.kind, over.office) = (Kind::HandOver, "Dinas Perdagangan".to_owned());
    over.records.clear();
    office.live(over);
    assert_eq!(opens().unwrap(), None);
}

#[test]
fn what_officers_turn_down_is_not_asked_for_again_before_the_next_year() {
    let office = Office::new();
    let number = office.live(application());
    days(&office, 400);
    let asked = raised(&office)[0].0.clone();
    office.act(&asked, dispose("seksi"), "kepala").unwrap();
    let lines = vec![line(LineCode::M11, LineVerdict::Bad)];
    let (reason, note) = ("masih_dipakai".to_owned(), "Kuwu menjawab telepon.".to_owned());
    office.act(&asked, Act::Reject { reason, note, lines }, "seksi").unwrap();
    days(&office, 290);
    assert_eq!((raised(&office), letters(&office, &number).len()), (vec![], 3));
    days(&office, 70);
    assert_eq!(letters(&office, &number).len(), 5, "asked and reminded in the next year");
}

#[test]
fn an_owners_own_request_goes_before_what_gapura_asks_for() {
    let office = Office::new();
    office.live(application());
    days(&office, 390);
    let change = office.submit(again(Kind::Change)).unwrap().number;
    days(&office, 10);
    assert_eq!(raised(&office), [], "the office is at work on it");
    office.act(&change, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.approve(&change).unwrap().state, State::Live);
    days(&office, 60);
    assert_eq!((raised(&office), state(&office)), (vec![], LiveState::Live), "that is an answer");
}

#[test]
fn a_renewal_needs_no_letter_where_nothing_changes_and_moves_contact_and_end() {
    let office = Office::new();
    let first = office.live(application());
    let mut plain = again(Kind::Renew);
    plain.letter = crate::queue::Letter::default();
    let sent = office.desk.submit(plain.clone(), None, &applicant()).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    let human: Vec<LineCode> = office.view(&sent.number).lines.iter().map(|it| it.code).collect();
    let human: Vec<LineCode> = human.into_iter().filter(|code| !code.is_automatic()).collect();
    assert_eq!(human, [LineCode::M3, LineCode::M6]);
    let serial = office.serial();
    assert_eq!(office.approve(&sent.number).unwrap().state, State::Live);
    assert_eq!(office.dig(NAME, "A").1.len(), 1, "what is served stays");
    assert_eq!(office.serial(), serial + 1, "with a proof of its own");
    assert_eq!(office.desk.drift().unwrap(), []);

    let mut other = plain.clone();
    other.contact.name = "Rahmat".to_owned();
    other.contact.email = "sekdes@example.id".to_owned();
    other.ends = Some("2028-06-30".to_owned());
    let refused = office.desk.submit(other.clone(), None, &applicant()).unwrap_err();
    assert_eq!(refused.code(), "incomplete", "another contact takes a letter");
    let mut unproven = applicant();
    unproven.mailbox_proven = false;
    assert_eq!(office.desk.submit(plain, None, &unproven).unwrap_err().code(), "incomplete");
    other.letter = application().letter;
    office.live(other);
    let record = office.desk.record(NAME).unwrap().unwrap();
    assert_eq!(
        record.request.as_deref(),
        Some(first.as_str()),
        "its records are still of the first"
    );
    assert!(record.ends.unwrap().starts_with("2028-06-30"));
    // The new contact is asked, and told of the end.
    days(&office, 360);
    let asked = office.desk.notices_due(1_000).unwrap();
    let asked: Vec<_> = asked.iter().filter(|it| it.deed == Deed::ReconfirmAsked).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].to.as_str(), asked[0].reader),
        ("sekdes@example.id", NoticeReader::Applicant)
    );
}

#[test]
fn a_hand_over_changes_the_owner_and_nothing_that_is_served() {
    let office = Office::new();
    office.live(service("pekanraya", "192.0.2.140"));
    let name = "pekanraya.cirebonkab.go.id.";
    let mut over = service("pekanraya", "192.0.2.140");
    over.kind = Kind::HandOver;
    over.records.clear();
    assert_eq!(office.submit(over.clone()).unwrap_err().code(), "name_taken", "to whom it belongs");
    over.office = "Dinas Perdagangan".to_owned();
    over.contact.email = "dagang@example.id".to_owned();
    let number = office.assigned(over);
    // The office that gives it away has not said so: a note, and the head signs as well.
    let view = office.approve(&number).unwrap();
    assert_eq!(
        (view.state, view.second_signature.as_slice()),
        (State::Verified, &["A9".to_owned()][..])
    );
    let candidate = view.candidate.unwrap().hash;
    office.act(&number, Act::Countersign { candidate }, "kepala").unwrap();
    let record = office.desk.record(name).unwrap().unwrap();
    assert_eq!((record.state, record.office.as_str()), (LiveState::Live, "Dinas Perdagangan"));
    assert_eq!((record.version, office.dig(name, "A").1.len()), (2, 1));
    // The former owner is told, and speaks for it no more.
    let due = office.desk.notices_due(1_000).unwrap();
    let told: Vec<_> = due.iter().filter(|it| it.deed == Deed::HandOver).collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].to.as_str(), told[0].reader), ("desa@example.id", NoticeReader::Owner));
    assert_eq!(told[0].values.successor, "Dinas Perdagangan");
    let mut change = service("pekanraya", "192.0.2.141");
    change.kind = Kind::Change;
    assert_eq!(office.submit(change).unwrap_err().code(), "name_taken");
}

#[test]
fn the_recorded_mailbox_of_the_former_owner_agrees_by_its_link() {
    let office = Office::new();
    office.live(service("pekanraya", "192.0.2.140"));
    let mut over = service("pekanraya", "192.0.2.140");
    (over.kind, over.office) = (Kind::HandOver, "Dinas Perdagangan".to_owned());
    over.records.clear();
    let number = office.assigned(over);
    let (party, email) = ("Dinas pekanraya".to_owned(), "desa@example.id".to_owned());
    office.act(&number, Act::Consult { party, email }, "seksi").unwrap();
    let link = newest_link(&office);
    let (_, party) = office.desk.party_link(&link).unwrap().unwrap();
    let yes = Act::Confirm { party: String::new(), letter: String::new() };
    office.desk.act(&number, &yes, &party).unwrap();
    assert_eq!(office.approve(&number).unwrap().state, State::Live, "no second signature");
}

#[test]
fn an_end_date_is_told_twice_ends_at_midnight_and_a_lifting_needs_another() {
    let office = Office::new();
    let mut asked = service("pekanraya", "192.0.2.140");
    asked.class = NamingClass::Kegiatan;
    asked.ends = Some("2026-12-31".to_owned());
    let number = office.live(asked.clone());
    let name = "pekanraya.cirebonkab.go.id.";
    days(&office, 37);
    let told: Vec<String> = letters(&office, &number).into_iter().map(|it| it.0).collect();
    assert_eq!(told, ["ends_soon", "ends_soon"], "14 and 3 days before");
    assert_eq!(office.dig(name, "A").1.len(), 1, "31 December is its last day");
    days(&office, 2);
    assert_eq!(office.dig(name, "A").0, "NXDOMAIN");
    assert_eq!(letters(&office, &number).len(), 3);
    asked.kind = Kind::Suspend;
    asked.lift = true;
    asked.records.clear();
    asked.ends = None;
    assert_eq!(office.submit(asked.clone()).unwrap_err().faults()[0].field, "ends");
    days(&office, 31);
    let found = raised(&office);
    assert_eq!((found.len(), found[0].1, found[0].2), (1, Kind::Remove, Ground::Ended));
    asked.ends = Some("2027-12-31".to_owned());
    office.live(asked);
    assert_eq!(raised(&office), [], "it is back: nothing is to be removed");
    days(&office, 3);
    assert_eq!(office.dig(name, "A").1.len(), 1);
}

#[test]
fn a_name_that_was_asked_for_anew_begins_a_year_of_its_own() {
    let office = Office::new();
    office.live(application());
    days(&office, 200);
    office.live(again(Kind::Suspend));
    days(&office, 200);
    assert_eq!(raised(&office), [], "what officers took out stays out, and is not removed");
    let mut lift = again(Kind::Suspend);
    lift.lift = true;
    office.live(lift);
    office.live(again(Kind::Remove));
    days(&office, 10);
    let anew = office.live(application());
    days(&office, 320);
    assert_eq!(letters(&office, &anew), []);
    days(&office, 20);
    assert_eq!(letters(&office, &anew).len(), 1);
}
