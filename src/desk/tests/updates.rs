//! Updates (RFC 2136) that may only be proposed: requests like others.

use super::*;
use crate::publish::RrsetEdit;
use crate::queue::{Kind, LiveState, Rule};
use crate::wire::{Rtype, rdata};

/// What an update asks for at a name below the apex.
fn wish(owner: &str, rtype: Rtype, data: &[&str]) -> UpdateWish {
    let zone: Name = APEX.parse().unwrap();
    let owner: Name = format!("{owner}.{APEX}").parse().unwrap();
    let rdata = |text: &&str| rdata::parse(rtype, text.as_bytes(), zone.as_ref()).unwrap().into();
    let set = RrsetEdit {
        owner: owner.clone(),
        rtype,
        ttl: 300,
        rdatas: data.iter().map(rdata).collect(),
    };
    let application = Application { records: Vec::new(), ..service("simpus", "192.0.2.1") };
    UpdateWish { owner, zone, changed: vec![set], key: "dinkes.".to_owned(), application }
}

#[test]
fn an_update_becomes_a_request_that_persons_check_and_approve() {
    let office = Office::new();
    let wanted = wish("simpus", Rtype::A, &["192.0.2.120"]);
    let sent = office.desk.propose(&wanted).unwrap();
    assert_eq!((sent.number.as_str(), sent.state), ("GPR-2026-00001", State::Submitted));
    assert_eq!(office.desk.propose(&wanted).unwrap(), sent, "the same again is the same");
    assert!(sent.holds_all);
    // Another update of the name makes no second request, and is not said to be in the first.
    let other = wish("simpus", Rtype::A, &["192.0.2.121"]);
    let not_in = Proposed { holds_all: false, ..sent.clone() };
    assert_eq!(office.desk.propose(&other).unwrap(), not_in);
    assert_eq!(office.dig("simpus.cirebonkab.go.id.", "A").0, "NXDOMAIN");

    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    assert_eq!(office.desk.propose(&wanted).unwrap().number, sent.number);
    let view = office.view(&sent.number);
    let a11 = view.lines.iter().find(|line| line.code == LineCode::A11).unwrap();
    let rules: Vec<Rule> = a11.faults.iter().map(|fault| fault.rule).collect();
    assert_eq!(rules, [Rule::MailboxUnproven, Rule::NoLetter], "the sheet says what is missing");
    let mut view = office.approve(&sent.number).unwrap();
    if !view.second_signature.is_empty() {
        let candidate = view.candidate.unwrap().hash;
        view = office.act(&sent.number, Act::Countersign { candidate }, "kepala").unwrap();
    }
    assert_eq!(view.state, State::Live, "{:?}", view.reason);
    assert_eq!(office.dig("simpus.cirebonkab.go.id.", "A").1.len(), 1);
    // Asked for again, as after somebody changed it back, it is a request of its own.
    let again = office.desk.propose(&wish("simpus", Rtype::A, &["192.0.2.121"])).unwrap();
    assert_ne!(again.number, sent.number);
    assert_eq!(office.view(&again.number).summary.kind, Kind::Change);
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

/// The number of a request made of an update, which the verifier has sent back.
fn sent_back(office: &Office, wish: &UpdateWish) -> String {
    let number = office.desk.propose(wish).unwrap().number;
    office.act(&number, dispose("seksi"), "kepala").unwrap();
    let lines = vec![line(LineCode::M1, LineVerdict::Fix)];
    office.act(&number, Act::Return { lines }, "seksi").unwrap();
    number
}

#[test]
fn another_update_corrects_a_request_that_was_sent_back() {
    let office = Office::new();
    let first = wish("simpus", Rtype::A, &["192.0.2.120"]);
    let number = sent_back(&office, &first);
    // The same again corrects nothing.
    assert_eq!(office.desk.propose(&first).unwrap().state, State::NeedsCorrection);
    // What it does not change stays asked for.
    let text = office.desk.propose(&wish("simpus", Rtype::TXT, &["\"v=1\""])).unwrap();
    assert_eq!(
        (text.number.as_str(), text.state, text.holds_all),
        (&*number, State::Assigned, true)
    );
    let view = office.view(&number);
    let datas: Vec<&str> = view.records.iter().map(|record| record.data.as_str()).collect();
    assert_eq!((view.summary.revision, datas), (2, vec!["192.0.2.120", "\"v=1\""]));
    // Officers have it before them again: nothing changes under their hands.
    let other = office.desk.propose(&wish("simpus", Rtype::A, &["192.0.2.121"])).unwrap();
    assert_eq!((other.number.as_str(), other.holds_all), (&*number, false));
    assert!(office.desk.propose(&first).unwrap().holds_all);
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn an_update_is_not_in_a_request_that_was_corrected_to_something_else() {
    let office = Office::new();
    let first = wish("simpus", Rtype::A, &["192.0.2.120"]);
    let number = sent_back(&office, &first);
    let second = wish("simpus", Rtype::A, &["192.0.2.121"]);
    assert!(office.desk.propose(&second).unwrap().holds_all);
    let again = office.desk.propose(&first).unwrap();
    assert_eq!((again.number, again.holds_all), (number, false));
}

#[test]
fn what_was_rejected_is_not_asked_again_and_again() {
    let office = Office::new();
    let wanted = wish("simpus", Rtype::A, &["192.0.2.120"]);
    let sent = office.desk.propose(&wanted).unwrap();
    office.act(&sent.number, dispose("seksi"), "kepala").unwrap();
    let reject = Act::Reject {
        reason: "rangkap".to_owned(),
        note: "bukan layanan dinas".to_owned(),
        lines: vec![line(LineCode::M2, LineVerdict::Bad)],
    };
    office.act(&sent.number, reject, "seksi").unwrap();
    let again = office.desk.propose(&wanted).unwrap();
    assert_eq!((again.number, again.state), (sent.number, State::Rejected));
}

#[test]
fn an_update_asks_for_the_whole_name_as_it_would_be() {
    let office = Office::new();
    // The file's name keeps its address and gets a text; nobody is known to own it.
    let text = wish("diskominfo", Rtype::TXT, &["\"v=1\""]);
    let view = office.view(&office.desk.propose(&text).unwrap().number);
    let types: Vec<&str> = view.records.iter().map(|record| record.rtype.as_str()).collect();
    assert_eq!((view.summary.kind, types), (Kind::Change, vec!["A", "TXT"]));
    // All of a name that goes is a removal.
    let gone = wish("www", Rtype::A, &[]);
    let view = office.view(&office.desk.propose(&gone).unwrap().number);
    assert_eq!(view.summary.kind, Kind::Remove);
    // What a rule turns back is turned back at once.
    let short = office.desk.propose(&wish("ab", Rtype::A, &["192.0.2.120"]));
    assert!(matches!(short, Err(ActError::Rule(_))), "{short:?}");
}

#[test]
fn a_name_in_quarantine_is_kept_out() {
    let office = Office::new();
    office.live(application());
    let name: Name = "grogolkapetakan.desa.cirebonkab.go.id.".parse().unwrap();
    assert!(!office.desk.is_kept_out(&name).unwrap());
    office.live(again(Kind::Remove));
    let record = office.desk.record("grogolkapetakan.desa").unwrap().unwrap();
    assert_eq!(record.state, LiveState::Quarantined);
    assert!(office.desk.is_kept_out(&name).unwrap());
}

#[test]
fn nothing_comes_up_below_a_name_that_was_taken_out() {
    let office = Office::new();
    office.live(application());
    let below = |label: &str| -> Name {
        format!("{label}.grogolkapetakan.desa.cirebonkab.go.id.").parse().unwrap()
    };
    for label in ["_acme-challenge", "_acme-challenge.app", "APP"] {
        assert!(!office.desk.is_kept_out(&below(label)).unwrap(), "{label}");
    }
    office.live(again(Kind::Suspend));
    for label in ["_acme-challenge", "_acme-challenge.app", "APP"] {
        assert!(office.desk.is_kept_out(&below(label)).unwrap(), "{label}");
    }
    let beside: Name = "_acme-challenge.desa.cirebonkab.go.id.".parse().unwrap();
    assert!(!office.desk.is_kept_out(&beside).unwrap());
}

#[test]
fn a_name_that_came_to_be_meanwhile_gets_no_second_request() {
    let office = Office::new();
    let first = office.desk.propose(&wish("simpus", Rtype::A, &["192.0.2.120"])).unwrap();
    // Somebody else's key puts something up at the name: what was new is a change from then on.
    let text = wish("simpus", Rtype::TXT, &["\"v=1\""]);
    let cause = crate::publish::Cause::Update { key: "full.".to_owned() };
    let done = office.publisher.publish_decided(&text.zone, (cause, "key:full."), |_| {
        Ok::<_, std::convert::Infallible>(crate::publish::Edit { set: text.changed.clone() })
    });
    assert!(done.is_ok_and(|change| change.is_some()));
    let other = office.desk.propose(&wish("simpus", Rtype::A, &["192.0.2.121"])).unwrap();
    assert_eq!((other.number, other.holds_all), (first.number, false));
}
