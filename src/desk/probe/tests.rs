//! The probe's limits: what it may connect to, and what it takes for an answer.

use std::net::TcpListener;

use super::*;
use crate::queue::{Application, Contact, Kind, Letter, NamingClass, RequestedRecord};

/// An ask with these records.
fn application(records: &[(&str, &str)]) -> ParsedApplication {
    let sent = Application {
        kind: Kind::New,
        class: NamingClass::Layanan,
        name: "contoh".to_owned(),
        zone: "cirebonkab.go.id.".to_owned(),
        records: records
            .iter()
            .map(|(rtype, data)| RequestedRecord {
                rtype: (*rtype).to_owned(),
                data: (*data).to_owned(),
                ttl: 300,
            })
            .collect(),
        office: "Dinas".to_owned(),
        region: None,
        purpose: "uji".to_owned(),
        contact: Contact::default(),
        letter: Letter::default(),
        starts: None,
        ends: None,
        exception: None,
        lift: false,
        inverse_of: None,
    };
    ParsedApplication::try_from(sent).unwrap()
}

#[test]
fn nothing_but_public_addresses_is_probed() {
    let prober = Prober::new(true);
    for address in ["127.0.0.1", "10.0.0.1", "192.0.2.1", "169.254.169.254", "100.64.0.1"] {
        assert!(!prober.applies(&application(&[("A", address)])), "{address}");
    }
    for address in ["::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2001:db8::1"] {
        assert!(!prober.applies(&application(&[("AAAA", address)])), "{address}");
    }
    assert!(prober.applies(&application(&[("A", "103.28.12.5")])));
    assert!(
        !prober.applies(&application(&[("CNAME", "lain.cirebonkab.go.id.")])),
        "a name of ours"
    );
    assert!(!Prober::new(false).applies(&application(&[("A", "103.28.12.5")])), "switched off");
    let off = Prober::new(false).run(&application(&[("A", "103.28.12.5")]), 1);
    assert_eq!(off, Probe::Off);
}

#[test]
fn a_name_that_leads_to_ourselves_is_down_and_never_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let rules = Targets { allow: Vec::new(), ..Targets::default() };
    let found = probe(&Target::Name("localhost.".to_owned()), "contoh.id", &rules);
    assert_eq!(found, Found::Down);
    assert!(listener.accept().is_err(), "nobody came");
}

#[test]
fn the_marks_are_lower_case_as_the_page_is_when_they_are_looked_for() {
    for mark in NO_SUCH_SITE {
        assert_eq!(mark, mark.to_lowercase());
    }
}
