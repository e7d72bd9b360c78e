//! A row of the queue says what the whole request says.

use super::*;
use crate::queue::Phase;
use crate::view::Summary;

/// The row of a request in the queue.
fn row(office: &Office, number: &str) -> Summary {
    let page = office.desk.list(&ListFilter::default(), &office.actor("seksi")).unwrap();
    page.items.into_iter().find(|item| item.number == number).unwrap()
}

/// Compares the row with the request as an officer sees it; its step, minutes left and lateness.
#[track_caller]
fn alike(office: &Office, number: &str) -> (Option<u8>, Option<i64>, bool) {
    let (row, view) = (row(office, number), office.view(number));
    assert_eq!(row, view.summary);
    (view.step, view.left_minutes, view.late)
}

#[test]
fn list_and_request_agree_on_step_time_left_and_lateness() {
    let office = Office::new();
    let hour = 3_600_000;
    let number = office.assigned(application());
    assert_eq!(alike(&office, &number), (Some(3), Some(480), false));
    office.wait(26 * hour);
    assert_eq!(alike(&office, &number), (Some(3), Some(-120), true));
    // A correction is due when the applicant's time ends.
    let fix = LineInput {
        code: LineCode::M4,
        verdict: Some(LineVerdict::Fix),
        note: Some("nama belum cocok".to_owned()),
    };
    office.act(&number, Act::Return { lines: vec![fix] }, "seksi").unwrap();
    assert_eq!(alike(&office, &number), (Some(3), Some(14 * 480), false));
    // While another party is asked, nothing is due.
    let asked = office.assigned(service("antrean", "192.0.2.141"));
    let consult = Act::Consult { party: "Dinas Kesehatan".to_owned(), email: String::new() };
    office.act(&asked, consult, "seksi").unwrap();
    assert_eq!(alike(&office, &asked), (Some(3), None, false));
    // A promotion that waits for its start has step 4 from then on.
    let mut later = service("pekanraya", "192.0.2.140");
    later.starts = Some("2026-11-26".to_owned());
    let later = office.assigned(later);
    office.approve(&later).unwrap();
    assert_eq!(alike(&office, &later), (Some(4), Some(360 + 480 + 480), false));
    // Until then it waits for nobody, and is held as what it is.
    let seksi = office.actor("seksi");
    let waiting = ListFilter::default().waiting_for(&seksi, office.desk.now());
    let waiting = office.desk.list(&waiting, &seksi).unwrap().items;
    assert!(waiting.iter().all(|item| item.number != later), "{waiting:?}");
    let overview = office.desk.overview(&seksi).unwrap();
    assert!(overview.mine.iter().all(|item| item.number != later));
    let phases: Vec<Phase> = overview.held.iter().map(|held| held.phase).collect();
    assert!(phases.contains(&Phase::Scheduled) && !phases.contains(&Phase::Verified), "{phases:?}");
    office.wait(48 * hour);
    let due = ListFilter::default().waiting_for(&seksi, office.desk.now());
    let due = office.desk.list(&due, &seksi).unwrap().items;
    assert!(due.iter().any(|item| item.number == later), "{due:?}");
}
