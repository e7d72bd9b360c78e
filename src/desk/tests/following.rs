//! Names of the operator's file that nobody asked for: they follow it, and cost nothing.

use super::*;
use crate::queue::{Kind, LiveRecord, LiveState, Origin, Place};
use crate::store::StoreError;
use crate::store::promises::LiveRow;

/// Writes the operator's file and reloads it.
fn edit_file(office: &Office, from: &str, to: &str) {
    let path = office.directory.path().join("zone");
    let file = std::fs::read_to_string(&path).unwrap();
    assert!(file.contains(from), "{file}");
    std::fs::write(&path, file.replace(from, to)).unwrap();
    let report = &office.publisher.reload(None, &crate::publish::By::gapura())[0];
    assert!(report.is_ok(), "{report}");
}

#[test]
fn names_nobody_asked_for_follow_the_file_and_cost_no_row() {
    let office = Office::new();
    let kept = || office.store.read::<_, StoreError>(|reader| reader.live_states()).unwrap();
    let data = |name| office.desk.record(name).unwrap().map(|it| it.records[0].data.clone());
    assert_eq!(kept(), [], "the first start");
    assert_eq!(data("diskominfo").as_deref(), Some("192.0.2.20"));
    edit_file(&office, "diskominfo A 192.0.2.20", "diskominfo A 192.0.2.21\nbaru A 192.0.2.22");
    for _ in 0..3 {
        office.desk.tick().unwrap();
    }
    assert_eq!(office.desk.drift().unwrap(), [], "the operator's names are the operator's");
    assert_eq!(data("diskominfo").as_deref(), Some("192.0.2.21"));
    assert_eq!(data("baru").as_deref(), Some("192.0.2.22"));
    assert_eq!(office.submit(service("baru", "192.0.2.9")).unwrap_err().code(), "name_taken");
    edit_file(&office, "baru A 192.0.2.22\n", "");
    assert_eq!(data("baru"), None, "free as soon as it is gone from the file");
    for reserved in ["ns1", "cabang", "_gapura-audit", APEX] {
        let seen = office.desk.record(reserved).unwrap();
        assert_eq!(seen.is_some(), ["ns1", "cabang"].contains(&reserved), "{reserved}");
    }
    assert_eq!(kept(), [], "looking writes nothing");
}

#[test]
fn the_first_act_takes_a_name_of_the_file_in() {
    let office = Office::new();
    edit_file(&office, "diskominfo A", "telat A 192.0.2.23\ndiskominfo A");
    let change = Application { kind: Kind::Change, ..service("telat", "192.0.2.24") };
    let number = office.live(change);
    let record = office.desk.record("telat").unwrap().unwrap();
    assert_eq!((record.origin, record.version), (Origin::Import, 2));
    assert_eq!(record.request.as_deref(), Some(number.as_str()));
    let name = format!("telat.{APEX}");
    let events = office.store.read::<_, StoreError>(|r| r.events_of(&format!("record:{name}")));
    let acts: Vec<String> = events.unwrap().into_iter().map(|event| event.act).collect();
    assert_eq!(acts, ["import", "go_live"]);
    assert_eq!(office.desk.drift().unwrap(), []);
}

#[test]
fn rows_that_older_versions_kept_of_the_file_are_let_go() {
    let office = Office::new();
    let ledger = &office.desk.0.ledger;
    // As version 0.1.0 wrote them: the row, and one event for a whole zone.
    let old = |below: &str| {
        let place = Place::read(&format!("{below}.{APEX}"), APEX).unwrap();
        let name = place.name.to_string();
        let live = LiveRecord::of_file(place, vec![]);
        let body = serde_json::to_vec(&live).unwrap();
        let sealed = ledger.vault.seal(&format!("live:{name}"), &body).unwrap();
        let row = LiveRow::imported(&name, APEX, sealed);
        ledger.store.write::<_, StoreError>(|tx| tx.put_live_record(&row))
    };
    old("diskominfo").unwrap();
    old("lama").unwrap();
    let seen = office.desk.record("diskominfo").unwrap().unwrap();
    assert_eq!(seen.records[0].data, "192.0.2.20", "the file, not the row");
    assert_eq!(office.desk.record("lama").unwrap(), None, "not in the file");
    office.desk.tick().unwrap();
    let kept = office.store.read::<_, StoreError>(|reader| reader.live_states()).unwrap();
    assert_eq!(kept, []);
}

#[test]
fn the_register_is_read_page_by_page_requested_names_first() {
    let office = Office::new();
    office.live(service("zebra", "192.0.2.150"));
    let (mut names, mut cursor) = (Vec::new(), Some(String::new()));
    while let Some(after) = cursor {
        let page;
        (page, cursor) = office.desk.records(Some(LiveState::Live), &after, 2).unwrap();
        names.extend(page.into_iter().map(|record| record.name.replace(&format!(".{APEX}"), "")));
        assert!(names.len() < 20, "{names:?}");
    }
    let wanted = ["zebra", "cabang", "sumber.desa", "diskominfo", "*.layanan", "ns1", "ns2", "www"];
    assert_eq!(names, wanted);
}

#[test]
fn an_officer_accepts_what_the_operator_wrote_in_the_place_of_a_promise() {
    let office = Office::new();
    let number = office.live(service("pekan", "192.0.2.40"));
    let name = format!("pekan.{APEX}");
    let path = office.directory.path().join("zone");
    let file = std::fs::read_to_string(&path).unwrap();
    let edited = file.replace("www A", "pekan A 192.0.2.41\nlagi A 192.0.2.42\nwww A");
    std::fs::write(&path, edited).unwrap();
    let refused = office.publisher.reload(None, &crate::publish::By::gapura())[0].to_string();
    assert!(refused.contains(&number) && refused.contains("request adopt"), "{refused}");
    assert_eq!(office.dig(&format!("lagi.{APEX}"), "A").0, "NXDOMAIN", "the file is refused");

    let adopt = |who: &str, reason: &str| office.desk.adopt("pekan", reason, &office.actor(who));
    assert_eq!(adopt("operator", "pindah").unwrap_err().code(), "not_allowed");
    assert_eq!(adopt("seksi", " ").unwrap_err().code(), "incomplete");
    let adopted = adopt("seksi", "pindah").unwrap();
    assert_eq!((adopted.version, adopted.records[0].data.as_str()), (2, "192.0.2.41"));
    assert_eq!(adopted.request.as_deref(), Some(number.as_str()));
    assert!(office.dig(&name, "A").1[0].ends_with("192.0.2.41"));
    assert!(office.dig(&format!("lagi.{APEX}"), "A").1[0].ends_with("192.0.2.42"), "and the rest");
    assert_eq!(office.desk.drift().unwrap(), []);
    let rules: Vec<_> =
        adopt("seksi", "lagi").unwrap_err().faults().iter().map(|f| f.rule).collect();
    assert_eq!(rules, [crate::queue::Rule::NothingToAdopt]);
    assert_eq!(adopt_code(&office, "diskominfo"), "wrong_state", "it follows by itself");

    let event = office.store.read::<_, StoreError>(|r| r.events_of(&format!("record:{name}")));
    let acts: Vec<String> = event.unwrap().into_iter().map(|event| event.act).collect();
    assert!(acts.contains(&"adopt".to_owned()), "{acts:?}");
    let office = office.reopen();
    assert!(office.dig(&name, "A").1[0].ends_with("192.0.2.41"), "after a restart, too");
    edit_file(&office, "lagi A 192.0.2.42\n", "");
}

/// The code with which an adoption is turned back.
fn adopt_code(office: &Office, name: &str) -> &'static str {
    office.desk.adopt(name, "coba", &office.actor("seksi")).unwrap_err().code()
}

#[test]
fn a_cname_of_the_file_takes_the_place_of_all_that_was_promised() {
    let office = Office::new();
    office.live(service("pekan", "192.0.2.40"));
    let path = office.directory.path().join("zone");
    let file = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, file.replace("www A", "pekan CNAME www\nwww A")).unwrap();
    assert!(!office.publisher.reload(None, &crate::publish::By::gapura())[0].is_ok());
    let adopted = office.desk.adopt("pekan", "pindah", &office.actor("kepala")).unwrap();
    let types: Vec<&str> = adopted.records.iter().map(|record| record.rtype.as_str()).collect();
    assert_eq!(types, ["CNAME"]);
    let status = office.publisher.reload(None, &crate::publish::By::gapura());
    assert!(status[0].is_ok(), "{}", status[0]);
    assert_eq!(office.desk.drift().unwrap(), []);
}
