//! Plans: what must be answered, and what takes a promotion back. Whole promotions, crashes and
//! recovery are in `desk/tests`.

use crate::publish::{
    Cause, Edit, EditProposal, NoRows, Observation, Options, Publisher, RrsetEdit, ZoneSource,
};
use crate::store::Store;
use crate::wire::{Name, Rtype, rdata};

use super::plan::Plan;

/// A zone with a plain name and a wildcard.
const ZONE: &str = "\
$ORIGIN example.
$TTL 3600
@ SOA ns1 hostmaster 10 7200 900 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
*.wild A 192.0.2.99
shop.wild A 192.0.2.30
";

/// A name.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A publisher of the zone, and the directory it lives in.
fn publisher() -> (Publisher, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("example.zone");
    std::fs::write(&file, ZONE).unwrap();
    let store = Store::open(directory.path()).unwrap();
    let sources = vec![ZoneSource::new(name("example."), file)];
    let (publisher, reports) =
        Publisher::open(store, sources, Options::new(directory.path())).unwrap();
    assert!(reports[0].is_ok(), "{}", reports[0]);
    (publisher, directory)
}

/// An edit of one RRset.
fn edit(owner: &str, rtype: Rtype, data: &[&str]) -> Edit {
    let root = Name::root();
    let rdata = |text: &&str| rdata::parse(rtype, text.as_bytes(), root.as_ref()).unwrap().into();
    let rdatas = data.iter().map(rdata).collect();
    Edit { set: vec![RrsetEdit { owner: name(owner), rtype, ttl: 300, rdatas }] }
}

/// The plan of an edit.
fn plan(publisher: &Publisher, edit: &Edit) -> Plan {
    let candidate = publisher.preview(&name("example."), edit).unwrap();
    Plan::new(edit, &candidate, Observation::default())
}

/// Makes an edit live.
fn publish(publisher: &Publisher, edit: &Edit) {
    let wanted = EditProposal {
        zone: &name("example."),
        base: None,
        edit,
        cause: Cause::Own { purpose: "test".to_owned() },
        who: "test",
        expect: Vec::new(),
        rows: NoRows,
    };
    publisher.publish(wanted).unwrap();
}

#[test]
fn a_new_record_is_expected_and_its_inverse_is_its_absence() {
    let (publisher, _directory) = publisher();
    let edit = edit("new.example.", Rtype::A, &["192.0.2.7"]);
    let plan = plan(&publisher, &edit);
    assert_eq!(plan.added_lines(), ["new.example. 300 IN A 192.0.2.7"]);
    assert_eq!(plan.removed_lines(), Vec::<String>::new());
    assert!(!plan.already);
    publish(&publisher, &edit);
    publish(&publisher, &plan.inverse_edit().unwrap());
    let zone = publisher.zone(&name("example.")).unwrap();
    assert!(zone.node(name("new.example.").as_ref()).is_none());
}

#[test]
fn the_inverse_of_a_change_is_what_was_served() {
    let (publisher, _directory) = publisher();
    let edit = edit("www.example.", Rtype::A, &["192.0.2.7"]);
    let plan = plan(&publisher, &edit);
    assert_eq!(plan.removed_lines(), ["www.example. 3600 IN A 192.0.2.10"]);
    publish(&publisher, &edit);
    publish(&publisher, &plan.inverse_edit().unwrap());
    let zone = publisher.zone(&name("example.")).unwrap();
    let set = zone.rrset(name("www.example.").as_ref(), Rtype::A).unwrap();
    assert_eq!((set.ttl(), set.first()), (3600, &[192, 0, 2, 10][..]));
}

#[test]
fn where_a_wildcard_would_answer_the_record_in_its_place_is_expected() {
    let (publisher, _directory) = publisher();
    let mut both = edit("shop.wild.example.", Rtype::A, &[]);
    both.set.extend(edit("shop.wild.example.", Rtype::TXT, &[]).set);
    let expected = plan(&publisher, &both).expectations().unwrap();
    assert_eq!((expected[0].rtype, expected[0].rdatas.len()), (Rtype::A, 0));
    assert_eq!((expected[1].rtype, expected[1].rdatas.len()), (Rtype::TXT, 1));
}

#[test]
fn records_that_are_served_already_are_expected_all_the_same() {
    let (publisher, _directory) = publisher();
    let mut edit = edit("www.example.", Rtype::A, &["192.0.2.10"]);
    edit.set[0].ttl = 3600;
    let plan = plan(&publisher, &edit);
    assert!(plan.already);
    assert_eq!(plan.expectations().unwrap()[0].rdatas.len(), 1);
}

#[test]
fn a_plan_survives_its_row_and_one_that_was_tampered_with_expects_nothing() {
    let (publisher, _directory) = publisher();
    let plan = plan(&publisher, &edit("new.example.", Rtype::A, &["192.0.2.7"]));
    let text = serde_json::to_string(&plan).unwrap();
    let read: Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(read.expectations().unwrap(), plan.expectations().unwrap());
    let tampered: Plan = serde_json::from_str(&text.replace("c0000207", "c00002zz")).unwrap();
    assert!(tampered.expectations().is_err());
}
