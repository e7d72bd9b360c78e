//! The format of times, and what each viewer may know of persons.

use super::*;
use crate::queue::fixture::{application, at, officer};
use crate::queue::{Act, Actor, Calendar, Facts, Identity, Request, Role, Rules};

#[test]
fn times_are_written_in_utc() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
    assert_eq!(rfc3339(1_795_395_600_000), "2026-11-23T01:00:00Z");
    assert_eq!(rfc3339(1_500), "1970-01-01T00:00:01.5Z");
}

#[test]
fn each_viewer_sees_the_persons_that_are_theirs_to_see() {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let (now, kasi) = (at(0, 9, 0), officer("sari", Role::Verifier));
    let facts = Facts { assignee: Some(&kasi), ..Facts::at(now, &calendar, &rules) };
    let applicant = Actor::applicant("Sutrisno", Identity::default(), None);
    let sent = application().into();
    let step = Request::submit("GPR-1", sent, Vec::new(), true, &applicant, &facts).unwrap();
    let act = Act::Dispose { to: "sari".to_owned(), instruction: "periksa".to_owned() };
    let request = step.value.act(&act, &officer("budi", Role::Head), &facts).unwrap().value;
    let shown = |sees| {
        let view = RequestView::of(&request, sees, request.timing(now, &calendar, &rules));
        let text = serde_json::to_string(&view).unwrap();
        [text.contains("Sutrisno"), text.contains("desa@example.id"), text.contains("\"sari\"")]
    };
    assert_eq!(shown(Sees::All), [true, true, true]);
    assert_eq!(shown(Sees::NoContact), [false, false, true]);
    assert_eq!(shown(Sees::Applicant), [true, true, false]);
    let mailbox = |sees: Sees| sees.mailbox("a@example.id").is_some();
    assert!(mailbox(Sees::All) && !mailbox(Sees::NoContact) && !mailbox(Sees::Applicant));
    let sees = |role| Sees::of_officer(&officer("x", role), now);
    assert_eq!((sees(Role::Head), sees(Role::Verifier)), (Some(Sees::All), Some(Sees::All)));
    assert_eq!(sees(Role::Operator), Some(Sees::NoContact));
    assert_eq!(sees(Role::Auditor), Some(Sees::NoContact));
    let gone = Actor { disabled: true, ..officer("x", Role::Head) };
    assert_eq!(Sees::of_officer(&gone, now), None);
}
