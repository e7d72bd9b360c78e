//! What is turned back, in the acting function and nowhere else.

use super::*;
use crate::queue::{FaultCode, Kind};
use crate::uploads::STORED_MAX;

#[test]
fn one_person_never_puts_a_name_up_alone() {
    let office = Office::new();
    let kasi = office.actor("seksi");
    let keyed = Submitter {
        actor: kasi,
        mailbox_proven: false,
        proof_of: None,
        network: None,
        letter_on_paper: false,
    };
    let sent = office.desk.submit(application(), Some(letter()), &keyed).unwrap();
    let refused = office.act(&sent.number, dispose("seksi"), "kepala").unwrap_err();
    assert_eq!(refused.code(), "same_person");
    office.act(&sent.number, dispose("lain"), "kepala").unwrap();
    assert_eq!(office.approve(&sent.number).unwrap_err().code(), "same_person");
    // The head may not verify, the auditor and the administrator may do nothing.
    for name in ["kepala", "operator", "pengawas"] {
        let refused = office.act(&sent.number, office.approval(&sent.number), name).unwrap_err();
        assert!(["not_allowed", "same_person"].contains(&refused.code()), "{name}: {refused}");
    }
    assert_eq!(office.view(&sent.number).state, State::Assigned);
    let turned_back = office
        .view(&sent.number)
        .history
        .iter()
        .filter(|e| e.facts.contains_key("turned_back"))
        .count();
    assert_eq!(turned_back, 5, "every attempt of an officer is an event");
}

#[test]
fn a_disabled_officer_cannot_act_even_with_an_open_page() {
    let office = Office::new();
    let number = office.assigned(application());
    let approval = office.approval(&number);
    let before = office.actor("seksi");
    let mut row =
        office.store.read::<_, crate::store::StoreError>(|r| r.person("p-seksi")).unwrap().unwrap();
    row.disabled_ms = Some(MONDAY_8);
    office.store.write::<_, crate::store::StoreError>(|tx| tx.put_person(&row)).unwrap();
    assert_eq!(office.desk.act(&number, &approval, &before).unwrap_err().code(), "not_allowed");
    assert_eq!(
        office.desk.view(&number, &Viewer::Officer(office.actor("lain"))).unwrap().state,
        State::Assigned
    );
}

#[test]
fn what_somebody_signed_who_may_not_sign_any_more_is_not_promoted() {
    type Change = fn(&mut PersonRow);
    let cases: [(&str, Change); 3] = [
        ("p-seksi", |row| row.disabled_ms = Some(MONDAY_8)),
        ("p-seksi", |row| row.role = crate::queue::Role::Auditor),
        ("p-kepala", |row| row.disabled_ms = Some(MONDAY_8)),
    ];
    for (person, change) in cases {
        let office = Office::new();
        // The account is changed without the event that belongs to it.
        office.chain.is_edited();
        let mut later = application();
        later.starts = Some("2026-11-25".to_owned());
        let number = office.assigned(later);
        assert_eq!(office.approve(&number).unwrap().state, State::Verified);
        let serial = office.serial();
        office
            .store
            .write::<_, crate::store::StoreError>(|tx| {
                let mut row = tx.person(person)?.unwrap();
                change(&mut row);
                tx.put_person(&row)
            })
            .unwrap();
        office.wait(3 * 86_400_000);
        office.desk.tick().unwrap();
        let state = office.store.read::<_, crate::store::StoreError>(|reader| {
            Ok(reader.requests_in(State::Assigned)?.len())
        });
        assert_eq!((state.unwrap(), office.serial()), (1, serial), "{person}: back, not up");
    }
}

#[test]
fn a_second_signature_does_not_carry_the_first_of_somebody_disabled_since() {
    let office = Office::new();
    let mut mail = service("surat", "192.0.2.151");
    mail.records[0].rtype = "MX".to_owned();
    mail.records[0].data = "10 www.cirebonkab.go.id.".to_owned();
    let number = office.assigned(mail);
    let view = office.approve(&number).unwrap();
    assert_eq!(view.state, State::Verified, "{:?}", view.reason);
    let serial = office.serial();
    let switch_off = |tx: &crate::store::Tx<'_>| {
        let row = tx.person("p-seksi")?.unwrap();
        tx.put_person(&PersonRow { disabled_ms: Some(MONDAY_8), ..row })
    };
    office.store.write::<_, crate::store::StoreError>(switch_off).unwrap();
    let candidate = view.candidate.unwrap().hash;
    let signed = office.act(&number, Act::Countersign { candidate }, "kepala");
    assert!(signed.is_err(), "{:?}", signed.map(|view| view.state));
    office.desk.tick().unwrap();
    assert_eq!(office.serial(), serial);
    assert_eq!(office.dig("surat.cirebonkab.go.id.", "MX").0, "NXDOMAIN");
}

#[test]
fn attempts_that_only_repeat_do_not_swell_the_chain() {
    let office = Office::new();
    let number = office.assigned(application());
    let before = office.acts(&number).len();
    for _ in 0..200 {
        let again = office.act(&number, dispose("seksi"), "kepala").unwrap_err();
        assert_eq!(again.code(), "wrong_state");
        let stale = Act::Approve {
            revision: 7,
            candidate: "x".to_owned(),
            serial: None,
            lines: Vec::new(),
        };
        office.act(&number, stale, "seksi").unwrap_err();
    }
    assert_eq!(office.acts(&number).len(), before + 10);
    office.wait(3_600_000);
    office.act(&number, dispose("seksi"), "kepala").unwrap_err();
    let last = office.view(&number).history.pop().unwrap();
    assert_eq!(last.facts.get("repeated_before").map(String::as_str), Some("195"));
}

#[test]
fn an_approval_of_something_that_moved_is_stale() {
    let office = Office::new();
    let number = office.assigned(application());
    let Act::Approve { revision, candidate, serial, lines } = office.approval(&number) else {
        panic!("no approval")
    };
    let old_revision = Act::Approve {
        revision: revision + 1,
        candidate: candidate.clone(),
        serial,
        lines: lines.clone(),
    };
    assert_eq!(office.act(&number, old_revision, "seksi").unwrap_err().code(), "stale");
    // Somebody puts a name below it into the zone file: that is what the hash is about.
    let zone = ZONE.replace("www A", "www.grogolkapetakan.desa A 192.0.2.77\nwww A");
    std::fs::write(office.directory.path().join("zone"), zone).unwrap();
    let reports = office.publisher.reload(None, &crate::publish::By::gapura());
    assert_eq!(reports.len(), 1);
    let seen = Act::Approve { revision, candidate, serial, lines };
    assert_eq!(office.act(&number, seen, "seksi").unwrap_err().code(), "stale");
    assert_eq!(office.view(&number).state, State::Assigned);
}

#[test]
fn a_serial_that_moved_with_the_same_hash_is_fine_and_both_are_logged() {
    let office = Office::with(|options| options.promote_with_approval = false);
    let number = office.assigned(application());
    assert_eq!(office.approve(&number).unwrap().state, State::Verified);
    let other = office.assigned(service("antrean", "192.0.2.150"));
    office.approve(&other).unwrap();
    office.act(&other, Act::Promote {}, "seksi").unwrap();
    let view = office.act(&number, Act::Promote {}, "seksi").unwrap();
    assert_eq!(view.state, State::Live);
    let promote = view.history.iter().find(|event| event.act == "promote").unwrap();
    assert_ne!(promote.facts["serial_approved"], promote.facts["serial_now"]);
}

#[test]
fn a_stale_promotion_goes_back_to_the_verifier() {
    let office = Office::with(|options| options.promote_with_approval = false);
    let number = office.assigned(application());
    office.approve(&number).unwrap();
    let zone = ZONE.replace("www A", "x.grogolkapetakan.desa A 192.0.2.77\nwww A");
    std::fs::write(office.directory.path().join("zone"), zone).unwrap();
    office.publisher.reload(None, &crate::publish::By::gapura());
    let serial = office.serial();
    assert_eq!(office.act(&number, Act::Promote {}, "seksi").unwrap_err().code(), "stale");
    assert_eq!((office.view(&number).state, office.serial()), (State::Assigned, serial));
}

#[test]
fn a_press_that_waited_for_another_one_gets_its_result() {
    let office = Office::with(|options| options.promote_with_approval = false);
    let number = office.assigned(application());
    office.approve(&number).unwrap();
    let ledger = office.desk.0.register.ledger();
    let read = || {
        let stored = office
            .store
            .read::<_, crate::ledger::LedgerError>(|reader| ledger.expect_request(reader, &number));
        stored.unwrap().request
    };
    let seen = read();
    assert_eq!(office.act(&number, Act::Promote {}, "seksi").unwrap().state, State::Live);
    let (serial, promoter, seksi) =
        (office.serial(), &office.desk.0.promoter, office.actor("seksi"));
    promoter.promote(&seen, &seksi, None).unwrap();
    let refused: ActError = promoter.promote(&read(), &seksi, None).unwrap_err().into();
    assert_eq!(refused.code(), "wrong_state");
    assert_eq!(office.serial(), serial);
}

#[test]
fn a_second_press_gives_the_first_result() {
    let office = Office::new();
    let number = office.assigned(application());
    let approval = office.approval(&number);
    let first = office.act(&number, approval.clone(), "seksi").unwrap();
    let serial = office.serial();
    let second = office.act(&number, approval, "seksi").unwrap();
    assert_eq!((first.state, second.state), (State::Live, State::Live));
    assert_eq!((serial, first.history.len()), (office.serial(), second.history.len()));
}

#[test]
fn of_two_officers_pressing_at_the_same_time_exactly_one_wins() {
    let office = Office::with(|options| options.promote_with_approval = false);
    let number = office.assigned(application());
    office.approve(&number).unwrap();
    let before = office.serial();
    let kasi = office.actor("seksi");
    let states: Vec<_> = std::thread::scope(|scope| {
        let press = |_| {
            let (desk, number, kasi) = (office.desk.clone(), number.clone(), kasi.clone());
            scope.spawn(move || desk.act(&number, &Act::Promote {}, &kasi))
        };
        let threads: Vec<_> = (0..4).map(press).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(states.iter().any(Result::is_ok));
    assert_eq!(office.serial(), before + 1, "one serial");
    let acts = office.acts(&number);
    assert_eq!(acts.iter().filter(|act| *act == "promoted").count(), 1, "{acts:?}");
    assert_eq!(office.view(&number).state, State::Live);
}

#[test]
fn an_incomplete_sheet_is_turned_back_in_the_act() {
    let office = Office::new();
    let number = office.assigned(application());
    let Act::Approve { revision, candidate, serial, mut lines } = office.approval(&number) else {
        panic!("no approval")
    };
    lines.pop();
    let act = Act::Approve { revision, candidate, serial, lines };
    let refused = office.act(&number, act, "seksi").unwrap_err();
    assert_eq!(refused.code(), "incomplete");
    assert!(!refused.faults().is_empty());
}

#[test]
fn wrong_state_comes_first() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    let act =
        Act::Approve { revision: 1, candidate: String::new(), serial: None, lines: Vec::new() };
    assert_eq!(office.act(&sent.number, act, "pengawas").unwrap_err().code(), "wrong_state");
    assert_eq!(
        office.act("GPR-2026-99999", dispose("seksi"), "kepala").unwrap_err().code(),
        "not_found"
    );
}

#[test]
fn a_withdrawn_or_rejected_name_is_free_again() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    let mut proven = applicant().actor;
    proven.proved = Some(sent.number.clone());
    let withdraw = Act::Withdraw { letter: String::new() };
    let view = office.desk.act(&sent.number, &withdraw, &proven).unwrap();
    assert_eq!(view.state, State::Withdrawn);
    let number = office.assigned(application());
    let reject = Act::Reject {
        reason: "surat_tidak_sah".to_owned(),
        note: "Surat tidak bertanda tangan".to_owned(),
        lines: vec![line(LineCode::M1, LineVerdict::Bad)],
    };
    assert_eq!(office.act(&number, reject, "seksi").unwrap().state, State::Rejected);
    assert!(office.submit(application()).is_ok());
    let again = office.submit(again(Kind::New)).unwrap_err();
    assert_eq!(again.code(), "name_taken");
}

#[test]
fn status_has_one_answer_for_any_mismatch() {
    let office = Office::new();
    let sent = office.submit(application()).unwrap();
    for (number, secret) in
        [(sent.number.as_str(), "AAAAAAAA"), ("GPR-2026-00002", sent.secret.as_str()), ("", "")]
    {
        let refused = office.desk.status(number, secret).unwrap_err();
        assert!(matches!(refused, ActError::NotFound), "{number}");
    }
    let spaced = format!(" {} {} ", &sent.secret[..4], &sent.secret[4..]);
    assert_eq!(office.desk.status(&sent.number, &spaced).unwrap().number, sent.number);
    let row = office
        .store
        .read::<_, crate::store::StoreError>(|r| r.request(&sent.number))
        .unwrap()
        .unwrap()
        .0;
    assert!(!row.secret_hash.unwrap().contains(&sent.secret));
}

#[test]
fn a_letter_is_what_it_is_by_content_and_small() {
    let office = Office::new();
    // Only a letter that was read can be sent at all.
    let read = crate::uploads::inspect;
    assert_eq!(read(b"<html>surat</html>").unwrap_err().code, FaultCode::LetterRefused);
    let mut large = LETTER.to_vec();
    large.resize(STORED_MAX + 1, b' ');
    assert_eq!(read(&large).unwrap_err().code, FaultCode::TooLarge);
    let none = office.desk.submit(application(), None, &applicant()).unwrap_err();
    assert_eq!(none.code(), "incomplete");
    let folder = office.directory.path().join("state/letters");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left behind");
    let sent = office.submit(application()).unwrap();
    let file = office.desk.letter(&sent.number, false, &office.actor("seksi")).unwrap();
    assert_eq!((file.media.as_str(), file.bytes.as_slice()), ("application/pdf", LETTER));
    let refused = office.desk.letter(&sent.number, false, &office.actor("operator")).unwrap_err();
    assert_eq!(refused.code(), "not_allowed");
}

#[test]
fn a_form_is_sent_once_and_a_press_turned_back_does_not_count() {
    let office = Office::new();
    let press =
        |application| office.desk.submit_form("key", application, Some(letter()), &applicant());
    let refused = press(service("situs", "10.1.2.3")).unwrap_err();
    assert_eq!(refused.code(), "target_refused");
    assert_eq!(office.desk.sent_before("key").unwrap(), None);
    let Pressed::Sent(sent) = press(service("situs", "192.0.2.9")).unwrap() else {
        panic!("nothing was sent before")
    };
    let again = press(service("lain", "192.0.2.10")).unwrap();
    assert_eq!(again, Pressed::Before(sent.number.clone()));
    assert_eq!(office.desk.sent_before("key").unwrap(), Some(sent.number));
    assert_eq!(office.desk.counts(&office.actor("kepala")).unwrap().open, 1);
}

#[test]
fn a_text_record_that_names_gapura_is_no_guard() {
    let office = Office::new();
    // "gapura" is an ordinary word: a gate.
    let texts = "candi TXT \"gapura candi\"\nlawang TXT \"lawang candi\"\nwww A";
    let zone = ZONE.replace("www A", texts);
    std::fs::write(office.directory.path().join("zone"), zone).unwrap();
    assert!(office.publisher.reload(None, &crate::publish::By::gapura())[0].is_ok());
    for name in ["candi", "lawang"] {
        let refused = office.desk.submit(service(name, "192.0.2.7"), Some(letter()), &applicant());
        let rules: Vec<_> = refused.unwrap_err().faults().iter().map(|one| one.rule).collect();
        assert!(rules.contains(&crate::queue::Rule::InZone), "{name}: {rules:?}");
    }
    let drift = office.desk.drift().unwrap();
    assert_eq!(drift, [], "nobody asked for them");
}

#[test]
fn a_stranger_is_told_no_number_of_anothers_request() {
    let office = Office::new();
    // An officer has taken it in hand: it holds the name.
    let first = office.assigned(application());
    let refused = office.submit(application()).unwrap_err();
    assert_eq!(refused.code(), "name_taken");
    let faults = office.desk.rehearse(application(), true).unwrap();
    let told = format!("{refused} {:?} {faults:?}", refused.faults());
    assert!(told.contains("another request on this name"), "{told}");
    assert!(!told.contains(&first), "{told}");
    let by = Submitter { actor: office.actor("lain"), ..applicant() };
    let keyed_in = office.desk.submit(application(), Some(letter()), &by).unwrap_err();
    assert!(format!("{:?}", keyed_in.faults()).contains(&first), "an officer is");
}
