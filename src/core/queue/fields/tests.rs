//! The table holds every field there is, and what goes through it comes out the same.

use std::collections::BTreeSet;

use super::*;
use crate::queue::fixture::application;
use crate::queue::{Application, Kind};

/// An application in which nothing is left out of the JSON.
fn full() -> Application {
    let mut full = application();
    full.hosting_by = Some("2027-01-10".to_owned());
    full.exception = Some("alasan".to_owned());
    full.contact.nip = Some("198501012010011001".to_owned());
    full.letter.sha256 = Some("ab".to_owned());
    full.lift = true;
    full.inverse_of = Some("GPR-1".to_owned());
    full
}

/// The names of the leaves of a JSON object, lists counted as leaves.
fn leaves(value: &serde_json::Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (name, value) in value.as_object().unwrap() {
        match value.as_object() {
            Some(_) => names.extend(leaves(value).iter().map(|part| format!("{name}.{part}"))),
            None => drop(names.insert(name.clone())),
        }
    }
    names
}

#[test]
fn every_field_of_the_json_is_in_the_table() {
    let names: BTreeSet<String> = FIELDS.iter().map(|field| field.name.to_owned()).collect();
    assert_eq!(names, leaves(&serde_json::to_value(full()).unwrap()));
    assert_eq!(names.len(), FIELDS.len(), "none twice");
}

#[test]
fn texts_that_are_read_and_set_again_make_the_same_application() {
    let full = full();
    let mut copy = Application {
        records: full.records.clone(),
        lift: full.lift,
        inverse_of: full.inverse_of.clone(),
        ..Application::blank("")
    };
    copy.letter.sha256.clone_from(&full.letter.sha256);
    for field in &FIELDS {
        field.set(&mut copy, field.get(&full));
    }
    assert_eq!(copy, full);
    assert!(FIELDS.iter().all(|field| !field.differs(&copy, &full)));
}

#[test]
fn a_change_is_seen_in_its_field_alone() {
    let old = full();
    let mut new = full();
    (new.contact.phone, new.contact.name) = ("0231-2".to_owned(), "Rini".to_owned());
    (new.lift, new.ends) = (false, Some("2027-01-01".to_owned()));
    assert_eq!(changed(&old, &new), ["contact", "ends", "lift"]);
    let kind = Application { kind: Kind::Remove, ..full() };
    assert_eq!(changed(&old, &kind), ["kind"]);
}
