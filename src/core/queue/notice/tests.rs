//! The notice: tries, bounces, handing over.

use super::*;
use crate::queue::FaultCode;
use crate::queue::fixture::{at, officer};

fn queued() -> Notice {
    let to = (NoticeReader::Applicant, "desa@example.id");
    let values = NoticeValues::about("grogolkapetakan.desa.cirebonkab.go.id.");
    Notice::queue("n1", Some("GPR-1"), Deed::Promoted, to, values, at(0, 9, 0)).value
}

#[test]
fn sent_counts_as_delivered_after_three_working_days() {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let sent = queued().sent(at(3, 9, 0)).unwrap().value;
    assert!(!sent.counts_as_delivered(at(8, 8, 59), &calendar, &rules));
    assert!(sent.counts_as_delivered(at(8, 9, 0), &calendar, &rules));
    assert_eq!(sent.delivered(at(8, 9, 0)).unwrap().value.state(), NoticeState::Delivered);
}

#[test]
fn tries_wait_longer_and_end() {
    let mut notice = queued();
    let mut waits = Vec::new();
    let last = loop {
        match notice.try_failed("451", at(0, 9, 0)).unwrap() {
            Tried::Again(next) => {
                waits.push((next.next_try - at(0, 9, 0)) / 60_000);
                notice = *next;
            }
            Tried::GivenUp(step) => break *step,
        }
    };
    assert_eq!(waits, [1, 5, 30, 120, 360, 360, 360]);
    assert_eq!(
        (last.value.state(), last.happening.deed),
        (NoticeState::Failed, Deed::NoticeFailed)
    );
}

#[test]
fn a_failed_notice_is_handed_over_by_an_officer() {
    let failed = queued().failed("550", at(0, 10, 0)).unwrap().value;
    let code = |result: NoticeResult| result.unwrap_err().code();
    let auditor = officer("x", Role::Auditor);
    let kasi = officer("sari", Role::Verifier);
    assert_eq!(code(failed.clone().handle(&auditor, "telepon", 1)), FaultCode::NotAllowed);
    assert_eq!(code(failed.clone().handle(&kasi, "", 1)), FaultCode::Incomplete);
    let done = failed.handle(&kasi, "diserahkan langsung", 1).unwrap().value;
    assert_eq!(code(done.clone().sent(2)), FaultCode::WrongState);
    assert_eq!(code(done.delivered(2)), FaultCode::WrongState);
}
