//! What is kept of a person is found by those who may see it, and each look is on record.

use super::*;
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
