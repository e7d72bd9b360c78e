//! What is kept of a person is found by those who may see it, and each look is on record.

use super::*;
use crate::queue::Contact;
use crate::store::StoreError;

#[test]
fn what_is_kept_of_a_person_is_found_until_it_is_erased_and_each_look_is_an_event() {
    let office = Office::new();
    let number = office.assigned(application());
    office.act(&number, Act::Withdraw { letter: "1/2".to_owned() }, "seksi").unwrap();
    let contact = application().contact;
    let part: String = contact.name.to_uppercase().chars().take(5).collect();
    let full = office.view(&number).summary;
    let full = format!("{}.{}", full.name, APEX.trim_end_matches('.'));
    for asked in [number.to_lowercase(), contact.email.to_uppercase(), part, full] {
        let found = office.desk.holdings_of(&asked, &office.actor("seksi")).unwrap();
        assert_eq!(found.len(), 1, "{asked}");
        assert_eq!((&found[0].contact, found[0].letters), (&contact, 1));
        assert!(found[0].fields().contains(&"contact.phone"), "{:?}", found[0].fields());
    }
    for asked in ["", "xy", "orang-lain@contoh.go.id"] {
        assert_eq!(office.desk.holdings_of(asked, &office.actor("kepala")).unwrap().len(), 0);
    }
    for (name, may_see) in [("operator", false), ("pengawas", false), ("seksi", true)] {
        let seen = office.desk.holdings_of(&contact.email, &office.actor(name));
        assert_eq!(seen.is_ok(), may_see, "{name}");
    }
    office.desk.all_holdings(&office.actor("seksi")).unwrap_err();
    assert_eq!(office.desk.all_holdings(&office.actor("kepala")).unwrap().len(), 1);
    let events = office.store.read::<_, StoreError>(|r| r.events_of("personal:data")).unwrap();
    assert_eq!(events.len(), 9, "refused looks show nothing");
    assert_eq!(events[8].act, "breach_exported");
    let chain = serde_json::to_string(&events.iter().map(|it| &it.payload).collect::<Vec<_>>());
    assert!(!chain.unwrap().contains(&contact.email), "and not whose");

    office.desk.erase(&number, "diminta", &office.actor("kepala")).unwrap();
    assert!(office.desk.all_holdings(&office.actor("kepala")).unwrap().is_empty());
    assert!(office.desk.verify(&[]).unwrap().is_good());
}

#[test]
fn whoever_was_responsible_before_or_was_asked_about_it_is_found_too() {
    let office = Office::new();
    let number = office.assigned(application());
    let (party, email) = ("Pemegang Nama".to_owned(), "pihak@contoh.id".to_owned());
    office.act(&number, Act::Consult { party, email }, "seksi").unwrap();
    let answer = Act::Confirm { party: "Pemegang Nama".to_owned(), letter: "1/1".to_owned() };
    office.act(&number, answer, "seksi").unwrap();
    let lines = vec![line(LineCode::M1, LineVerdict::Fix)];
    office.act(&number, Act::Return { lines }, "seksi").unwrap();
    let before = application().contact;
    let contact = Contact {
        name: "Pengganti".to_owned(),
        email: "pengganti@contoh.id".to_owned(),
        ..before.clone()
    };
    let mut proven = applicant().actor;
    proven.proved = Some(number.clone());
    let corrected = Application { contact, ..application() };
    office.desk.resubmit(&number, corrected, Some(letter()), &proven).unwrap();
    let kept = |asked: &str| office.desk.holdings_of(asked, &office.actor("seksi")).unwrap();
    for (asked, name) in [
        (before.email.as_str(), before.name.as_str()),
        (&before.name, &before.name),
        ("pengganti@contoh.id", "Pengganti"),
        ("pihak@contoh.id", "Pemegang Nama"),
    ] {
        let found = kept(asked);
        assert_eq!(found.len(), 1, "{asked}");
        assert_eq!(found[0].contact.name, name);
    }
    assert_eq!(kept(&number).len(), 3, "a number leads to all of them");
    assert_eq!(office.desk.all_holdings(&office.actor("kepala")).unwrap().len(), 3);
    office.act(&number, Act::Withdraw { letter: "1/2".to_owned() }, "seksi").unwrap();
    office.desk.erase(&number, "diminta", &office.actor("kepala")).unwrap();
    assert!(office.desk.all_holdings(&office.actor("kepala")).unwrap().is_empty());
}

#[test]
fn whoever_asked_about_their_own_data_is_found_until_that_is_blanked() {
    let office = Office::new();
    let wish = SubjectWish {
        kind: Some(SubjectKind::See),
        name: "Tarmini Subjek".to_owned(),
        contact: "tarmini@surel.example, 0231-555123".to_owned(),
        text: "Data apa yang disimpan?".to_owned(),
        request: String::new(),
    };
    let id = office.desk.record_subject_request(&wish, &office.actor("seksi")).unwrap();
    for asked in ["tarmini", "Tarmini@surel.example", &id] {
        let found = office.desk.holdings_of(asked, &office.actor("seksi")).unwrap();
        assert_eq!(found.len(), 1, "{asked}");
        assert_eq!((&found[0].number, found[0].state), (&id, State::Submitted));
        assert_eq!(found[0].fields(), ["contact.name", "contact.email", "contact.phone"]);
    }
    assert!(office.desk.holdings_of("", &office.actor("seksi")).unwrap().is_empty());
    assert_eq!(office.desk.all_holdings(&office.actor("kepala")).unwrap().len(), 1);
}
