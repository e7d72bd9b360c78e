//! A start that was asked for: seen, moved, withdrawn, missed, and what becomes of it when the name is
//! taken meanwhile.

use super::*;
use crate::publish::By;
use crate::queue::time::DAY_MS;
use crate::queue::{NoticeReader, Phase, TransitionError};

/// A village's request for a name that goes live a week later, approved.
fn scheduled(office: &Office) -> (String, String) {
    let mut asked = application();
    asked.starts = Some("2026-12-01".to_owned());
    let sent = office.submit(asked).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    let view = office.approve(&sent.number).unwrap();
    assert_eq!((view.state, view.phase), (State::Verified, Phase::Scheduled));
    assert_eq!(view.scheduled.as_deref(), Some("2026-11-30T17:00:00.000Z"), "midnight in WIB");
    (sent.number, sent.secret)
}

/// The act.
fn reschedule(starts: &str, letter: &str) -> Act {
    Act::Reschedule { starts: starts.to_owned(), letter: letter.to_owned() }
}

/// Whether the name answers.
fn answers(office: &Office) -> bool {
    !office.dig("grogolkapetakan.desa.cirebonkab.go.id.", "A").1.is_empty()
}

#[test]
fn its_applicant_moves_a_start_which_is_a_new_revision_and_checked_anew() {
    let office = Office::new();
    let (number, secret) = scheduled(&office);
    let applicant = office.desk.applicant(&number, &secret).unwrap();
    assert!(office.desk.act(&number, &reschedule("besok", ""), &applicant).is_err());
    let moved = office.desk.act(&number, &reschedule("2026-12-15", ""), &applicant).unwrap();
    assert_eq!((moved.state, moved.revision), (State::Assigned, 2));
    assert_eq!(moved.starts.as_deref(), Some("2026-12-15"));
    // The first date is nothing any more.
    office.wait(9 * DAY_MS);
    office.desk.tick().unwrap();
    assert!(!answers(&office) && office.view(&number).state == State::Assigned);
    let approved = office.approve(&number).unwrap();
    assert_eq!(approved.phase, Phase::Scheduled);
    office.wait(14 * DAY_MS);
    office.desk.tick().unwrap();
    assert!(answers(&office));
    assert_eq!(office.view(&number).state, State::Live);
}

#[test]
fn officers_move_it_with_a_letter_only_and_an_empty_date_means_at_once() {
    let office = Office::new();
    let (number, _) = scheduled(&office);
    let without = office.act(&number, reschedule("2026-12-15", ""), "seksi");
    assert!(matches!(without, Err(ActError::Rule(TransitionError::Incomplete(_)))));
    let stranger = office.act(&number, reschedule("2026-12-15", "140/9"), "lain");
    assert!(matches!(stranger, Err(ActError::Rule(TransitionError::NotAllowed(_)))));
    office.act(&number, reschedule("", "140/9"), "seksi").unwrap();
    assert_eq!(office.approve(&number).unwrap().state, State::Live);
    assert!(answers(&office));
    let late = office.act(&number, reschedule("2027-01-01", "140/9"), "seksi");
    assert!(matches!(late, Err(ActError::Rule(TransitionError::WrongState { .. }))));
}

#[test]
fn it_is_withdrawn_before_its_time() {
    let office = Office::new();
    let (number, secret) = scheduled(&office);
    let applicant = office.desk.applicant(&number, &secret).unwrap();
    office.desk.act(&number, &Act::Withdraw { letter: String::new() }, &applicant).unwrap();
    office.wait(30 * DAY_MS);
    office.desk.tick().unwrap();
    assert!(!answers(&office) && office.view(&number).state == State::Withdrawn);
}

#[test]
fn a_start_missed_while_gapura_was_down_is_done_at_the_next_start() {
    let office = Office::new();
    let (number, _) = scheduled(&office);
    office.wait(30 * DAY_MS);
    let office = office.reopen();
    office.desk.tick().unwrap();
    assert!(answers(&office) && office.view(&number).state == State::Live);
}

#[test]
fn a_name_taken_meanwhile_goes_back_to_be_checked_and_its_holder_is_told() {
    let office = Office::new();
    let (number, _) = scheduled(&office);
    let path = office.directory.path().join("zone");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = "grogolkapetakan.desa A 192.0.2.99\n; gapura: end";
    std::fs::write(&path, text.replace("; gapura: end", line)).unwrap();
    office.publisher.reload(None, &By::person("operator"));
    office.wait(9 * DAY_MS);
    office.desk.tick().unwrap();
    let view = office.view(&number);
    assert_eq!(view.state, State::Assigned, "{:?}", view.history.last());
    let due = office.desk.notices_due(1_000).unwrap();
    let of_request = due.iter().filter(|it| it.request.as_deref() == Some(&*number));
    let to: Vec<_> = of_request.filter(|it| it.deed == Deed::Reopen).map(|it| it.reader).collect();
    assert_eq!(to, [NoticeReader::Applicant, NoticeReader::Officer]);
    let events = office.acts(&number).len();
    office.wait(DAY_MS);
    office.desk.tick().unwrap();
    assert_eq!(office.acts(&number).len(), events, "it is told once");
}
