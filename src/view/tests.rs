//! The format of times, and what each viewer may know of persons.

use super::*;
use crate::queue::fixture::{application, at, officer};
use crate::queue::{
    Act, Actor, AutoLine, Calendar, Facts, Fault, Identity, LineCode, LineInput, LineVerdict,
    Outcome, Overrule, Request, Role, Rule, Rules, State,
};

#[test]
fn times_are_written_in_utc() {
    assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
    assert_eq!(rfc3339(1_795_395_600_000), "2026-11-23T01:00:00.000Z");
    assert_eq!(rfc3339(1_500), "1970-01-01T00:00:01.500Z");
}

#[test]
fn each_viewer_sees_the_persons_that_are_theirs_to_see() {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let (now, kasi) = (at(0, 9, 0), officer("sari", Role::Verifier));
    let facts = Facts { assignee: Some(&kasi), ..Facts::at(now, &calendar, &rules) };
    let applicant = Actor::applicant("Sutrisno", Identity::default(), None);
    let sent = application().into();
    // As rows of earlier versions hold it.
    let unproven = AutoLine {
        code: LineCode::A11,
        outcome: Outcome::Failed,
        overrule: Overrule::Note,
        faults: vec![Fault::new("contact.email", Rule::MailboxUnproven, "desa@example.id")],
    };
    let step = Request::submit("GPR-1", sent, Vec::new(), true, &applicant, &facts).unwrap();
    let act = Act::Dispose { to: "sari".to_owned(), instruction: "periksa".to_owned() };
    let request = step.value.act(&act, &officer("budi", Role::Head), &facts).unwrap().value;
    let request = request.with_automatic(vec![unproven]);
    let missing = request.sheet().missing(request.application());
    assert!(missing.iter().any(|fault| fault.about.contains("desa@example.id")), "{missing:?}");
    let shown = |sees| {
        let view = RequestView::of(&request, sees, request.timing(now, &calendar, &rules), now);
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

#[test]
fn an_applicant_reads_notes_once_they_were_decided_on() {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let (now, kasi) = (at(0, 9, 0), officer("sari", Role::Verifier));
    let facts = Facts { assignee: Some(&kasi), ..Facts::at(now, &calendar, &rules) };
    let mut applicant = Actor::applicant("Sutrisno", Identity::default(), None);
    let sent = application().into();
    let step = Request::submit("GPR-1", sent, Vec::new(), true, &applicant, &facts).unwrap();
    applicant.proved = Some("GPR-1".to_owned());
    let act = Act::Dispose { to: "sari".to_owned(), instruction: "periksa".to_owned() };
    let request = step.value.act(&act, &officer("budi", Role::Head), &facts).unwrap().value;
    let note = |code, note: &str| LineInput {
        code,
        verdict: Some(LineVerdict::Fix),
        note: Some(note.to_owned()),
    };
    let check = Act::Check { lines: vec![note(LineCode::M1, "CATATAN-KERJA")] };
    let request = request.act(&check, &kasi, &facts).unwrap().value;
    let reads = |request: &Request, sees| {
        let view = RequestView::of(request, sees, request.timing(now, &calendar, &rules), now);
        let line = view.lines.into_iter().find(|line| line.code == LineCode::M1).unwrap();
        line.note.is_some() && line.verdict.is_some() && line.who.is_some()
    };
    assert!(reads(&request, Sees::NoContact) && !reads(&request, Sees::Applicant));
    let withdraw = Act::Withdraw { letter: String::new() };
    let withdrawn = request.clone().act(&withdraw, &applicant, &facts).unwrap().value;
    assert_eq!(withdrawn.state(), State::Withdrawn);
    assert!(!reads(&withdrawn, Sees::Applicant), "nobody decided on it");
    let back = Act::Return { lines: vec![note(LineCode::M1, "Tanggal surat keliru")] };
    let returned = request.act(&back, &kasi, &facts).unwrap().value;
    assert_eq!(returned.state(), State::NeedsCorrection);
    assert!(reads(&returned, Sees::Applicant));
}

#[test]
fn an_owner_sees_no_officer_behind_a_suspension() {
    let record: RecordView = serde_json::from_value(serde_json::json!({
        "name": "a.example.", "zone": "example.", "state": "suspended", "office": "Dinas A",
        "class": null, "region": null, "origin": "request", "request": null, "records": [],
        "since": null, "ends": null, "version": 1, "unlisted": "antara petugas",
        "suspension": {
            "by": "siti", "at": "2026-11-23T01:00:00.000Z", "reason": "antara petugas",
            "emergency": true, "confirmed": "budi", "confirm_by": null
        }
    }))
    .unwrap();
    let shown = serde_json::to_string(&record.for_owner()).unwrap();
    for hidden in ["siti", "budi", "antara petugas"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
    assert!(shown.contains("emergency"), "that it is suspended is told");
}
