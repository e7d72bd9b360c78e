//! The live record: each way, each closed way, emergencies.

use super::*;
use crate::queue::fixture::{application, at, officer};
use crate::queue::{FaultCode, Identity, ParsedApplication};

/// gapura's signature at a moment.
fn by(now: i64) -> Signature {
    Actor::system().capacity(Role::System, now).unwrap()
}

fn promise() -> Promise {
    let application = application();
    Promise {
        office: application.office.clone(),
        class: application.class,
        region: application.region.clone(),
        records: ParsedApplication::try_from(application).unwrap().rrs().cloned().collect(),
        ends: None,
    }
}

fn held() -> LiveRecord {
    let free = LiveRecord::free(Place::read("x.cirebonkab.go.id.", "cirebonkab.go.id.").unwrap());
    free.hold("GPR-1", "Desa Grogol", &by(at(0, 8, 0))).unwrap().value
}

fn live() -> LiveRecord {
    held().go_live("GPR-1", promise(), &by(at(0, 9, 0))).unwrap().value
}

fn quarantined() -> LiveRecord {
    live().remove("GPR-2", &by(at(0, 10, 0)), &Rules::default()).unwrap().value
}

#[track_caller]
fn code(result: LiveResult) -> FaultCode {
    result.unwrap_err().code()
}

#[test]
fn a_name_is_held_goes_live_and_ends_in_quarantine() {
    let step = held().go_live("GPR-1", promise(), &by(at(0, 9, 0))).unwrap();
    assert_eq!(step.happening.before.as_deref(), Some("held"));
    assert_eq!((step.value.state(), step.value.version), (LiveState::Live, 1));
    let changed = step.value.go_live("GPR-3", promise(), &by(at(1, 9, 0))).unwrap().value;
    assert_eq!((changed.version, changed.since), (2, Some(at(0, 9, 0))));
    let gone = quarantined();
    assert_eq!(gone.state(), LiveState::Quarantined);
    assert_eq!(code(gone.clone().free_again(&by(at(179, 9, 0)))), FaultCode::WrongState);
    assert_eq!(gone.free_again(&by(at(181, 9, 0))).unwrap().value.state(), LiveState::Free);
}

#[test]
fn a_held_name_is_for_its_request_only() {
    assert_eq!(code(held().hold("GPR-2", "Lain", &by(0))), FaultCode::NameTaken);
    assert_eq!(code(held().go_live("GPR-2", promise(), &by(0))), FaultCode::WrongState);
    assert_eq!(code(held().let_go("GPR-2", &by(0))), FaultCode::WrongState);
    let free = held().let_go("GPR-1", &by(0)).unwrap().value;
    assert_eq!((free.state(), free.office.as_str()), (LiveState::Free, ""));
    assert_eq!(code(live().hold("GPR-2", "Desa Grogol", &by(0))), FaultCode::NameTaken);
}

#[test]
fn out_of_quarantine_only_to_the_former_owner_and_back_when_let_go() {
    assert_eq!(
        code(quarantined().hold("GPR-4", "Desa Lain", &by(at(1, 9, 0)))),
        FaultCode::NameTaken
    );
    let back = quarantined().hold("GPR-4", "desa grogol", &by(at(1, 9, 0))).unwrap().value;
    assert_eq!(back.state(), LiveState::Held);
    let again = back.let_go("GPR-4", &by(at(2, 9, 0))).unwrap().value;
    assert_eq!(again.state(), LiveState::Quarantined);
}

#[test]
fn suspending_and_lifting_keep_the_records() {
    let out = live()
        .suspend("masa berlaku habis", None, &by(at(1, 0, 0)), &Rules::default())
        .unwrap()
        .value;
    assert_eq!((out.state(), out.records.len()), (LiveState::Suspended, 1));
    assert_eq!(code(out.clone().go_live("GPR-9", promise(), &by(0))), FaultCode::WrongState);
    let back = out.lift("GPR-5", None, &by(at(2, 0, 0))).unwrap().value;
    assert_eq!((back.state(), back.suspension.is_none()), (LiveState::Live, true));
    let asked = back.reconfirm_due(&by(at(365, 0, 0))).unwrap().value;
    assert!(asked.state().is_served());
    assert_eq!(asked.renew(None, None, &by(at(366, 0, 0))).unwrap().value.state(), LiveState::Live);
}

#[test]
fn a_name_that_is_taken_out_asks_its_owner_nothing() {
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let asked = || live().ask_owner(at(365, 0, 0), &by(at(335, 0, 0))).unwrap().value;
    assert!(asked().question.is_some());
    let (kasi, now) = (officer("sari", Role::Verifier), at(366, 9, 0));
    let ways = [
        asked().suspend("tidak dijawab", Some(Ground::Unconfirmed), &by(now), &rules),
        asked().suspend_emergency(&kasi, "konten judi", now, &calendar, &rules),
        asked().suspend_by_rule("target_urgent", now, &calendar, &rules),
    ];
    for out in ways.map(|way| way.unwrap().value) {
        assert_eq!((out.state(), out.question.is_none()), (LiveState::Suspended, true));
    }
}

#[test]
fn one_officer_takes_a_name_down_and_the_other_confirms() {
    let (kasi, kabid) = (officer("sari", Role::Verifier), officer("budi", Role::Head));
    let (calendar, rules) = (Calendar::default(), Rules::default());
    let down = |who: &Actor, reason: &str| {
        live().suspend_emergency(who, reason, at(4, 15, 0), &calendar, &rules)
    };
    for role in [Role::Operator, Role::Auditor] {
        assert_eq!(code(down(&officer("x", role), "judi")), FaultCode::NotAllowed);
    }
    assert_eq!(code(down(&kasi, " ")), FaultCode::Incomplete);
    let out = down(&kasi, "konten judi").unwrap().value;
    // Friday 15.00 and one working day: Monday 15.00.
    assert_eq!(out.suspension.as_ref().unwrap().confirm_by, Some(at(7, 15, 0)));
    assert_eq!(code(out.clone().confirm_suspension(&kasi, at(4, 15, 5))), FaultCode::SamePerson);
    let second = officer("tono", Role::Verifier);
    assert_eq!(code(out.clone().confirm_suspension(&second, at(4, 15, 5))), FaultCode::NotAllowed);
    let twin = Actor::officer(
        "b2",
        Identity::new(Some("b2"), None, Some("sari@example.id")),
        vec![Role::Head],
    );
    assert_eq!(code(out.clone().confirm_suspension(&twin, at(4, 15, 5))), FaultCode::SamePerson);
    // Another verifier who stands in for the head agrees as the head.
    let mut plh = officer("rudi", Role::Verifier);
    plh.roles.push(Role::Head);
    let agreed = out.clone().confirm_suspension(&plh, at(4, 15, 5)).unwrap();
    assert_eq!(agreed.happening.by.role, Role::Head);
    let done = out.confirm_suspension(&kabid, at(7, 9, 0)).unwrap().value;
    assert_eq!(code(done.confirm_suspension(&kabid, at(7, 9, 5))), FaultCode::WrongState);
    assert_eq!(code(live().confirm_suspension(&kabid, 0)), FaultCode::WrongState);
}
