//! The fleet over a real publisher; sockets are those of the test.

mod telling;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::answer::{Ede, Transfer, Transport};
use crate::lock::lock;
use crate::publish::{By, Options, Publisher, ZoneSource};
use crate::serve::{ClientIdentity, Operations, Requester};
use crate::store::Store;
use crate::transfer::Outgoing;
use crate::tsig::Keyring;
use crate::update::{Grant, Grants, How};
use crate::wire::{Name, Rcode};

/// The zone of the tests.
const ZONE: &str = "\
$TTL 60
@ SOA ns1 hostmaster 10 7200 900 1209600 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.53
";

/// A publisher with the zone `example.`, and its directory.
pub(super) fn publisher() -> (TempDir, Publisher) {
    let directory = tempfile::tempdir().unwrap();
    let (state, file) = (directory.path().join("state"), directory.path().join("zone"));
    std::fs::create_dir(&state).unwrap();
    std::fs::write(&file, ZONE).unwrap();
    let store = Store::open(&state).unwrap();
    let sources = vec![ZoneSource::new(name("example."), file)];
    let (publisher, reports) = Publisher::open(store, sources, Options::new(&state)).unwrap();
    assert!(reports[0].is_ok(), "{}", reports[0]);
    (directory, publisher)
}

/// A name.
pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A remote with these addresses and networks, and with a key if there is one.
pub(super) fn remote(called: &str, addresses: &[&str], key: &str) -> Remote {
    let contact = |text: &&str| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53));
    Remote {
        name: called.to_owned(),
        addresses: addresses.iter().filter_map(contact).collect(),
        networks: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        key: (!key.is_empty()).then(|| name(key)),
        tls: None,
    }
}

/// The same over TLS.
fn over_tls(remote: Remote) -> Remote {
    let tls = RemoteTls { name: "ns.example".to_owned(), ca: None, certificate: None };
    Remote { tls: Some(tls), ..remote }
}

/// Who asks.
fn requester(address: &str, key: &str, transport: Transport) -> Requester {
    Requester {
        address: SocketAddr::new(address.parse().unwrap(), 4053),
        transport,
        key: (!key.is_empty()).then(|| name(key)),
        identity: None,
    }
}

/// Rules of one zone.
fn rules(of: ZoneRules) -> Rules {
    Rules::new(HashMap::from([(name("example."), of)]))
}

/// Remotes by their names.
fn by_name(remotes: &[&Arc<Remote>]) -> HashMap<String, Arc<Remote>> {
    remotes.iter().map(|remote| (remote.name.clone(), Arc::clone(remote))).collect()
}

/// Rules of settings that name the zone and let nobody do anything.
fn no_rules(remotes: &[&Arc<Remote>]) -> Rules {
    Rules::default().of_settings(HashSet::from([name("example.")]), by_name(remotes))
}

#[test]
fn address_key_and_transport_must_all_match() {
    let plain = remote("plain", &["192.0.2.53", "2001:db8:1::/48"], "");
    let keyed = remote("keyed", &["192.0.2.53"], "armada.");
    let xot = over_tls(remote("xot", &["192.0.2.53"], ""));
    let both = over_tls(remote("both", &["192.0.2.0/24"], "armada."));
    let (tcp, tls) = (Transport::Tcp, Transport::Tls);
    for (who, address, key, transport, may) in [
        (&plain, "192.0.2.53", "", tcp, true),
        (&plain, "::ffff:192.0.2.53", "", tcp, true),
        (&plain, "192.0.2.53", "", tls, true),
        (&plain, "192.0.2.54", "", tcp, false),
        (&plain, "2001:db8:1::9", "", tcp, true),
        (&plain, "2001:db8:2::9", "", tcp, false),
        (&plain, "192.0.2.53", "armada.", tcp, false),
        (&keyed, "192.0.2.53", "ARMADA.", tcp, true),
        (&keyed, "192.0.2.53", "", tcp, false),
        (&keyed, "192.0.2.53", "other.", tcp, false),
        (&keyed, "192.0.2.54", "armada.", tcp, false),
        (&xot, "192.0.2.53", "", tls, true),
        (&xot, "192.0.2.53", "", tcp, false),
        (&xot, "192.0.2.53", "", Transport::Udp, false),
        (&both, "192.0.2.9", "armada.", tls, true),
        (&both, "192.0.2.9", "armada.", tcp, false),
        (&both, "192.0.2.9", "", tls, false),
    ] {
        let requester = requester(address, key, transport);
        assert_eq!(who.is(&requester), may, "{} {requester:?}", who.name);
    }
}

#[test]
fn a_zone_is_transferred_to_those_its_list_names() {
    let (_directory, publisher) = publisher();
    let listed = Arc::new(remote("ns2", &["192.0.2.53"], ""));
    let fleet = Fleet::new(publisher, Rules::default(), Keyring::default());
    let ns2 = requester("192.0.2.53", "", Transport::Tcp);
    let transfer = |zone: &str, wanted| fleet.transfer(&ns2, &name(zone), wanted);
    let code = |zone: &str| transfer(zone, Transfer::Full).map_err(|refusal| refusal.rcode).err();
    assert_eq!(code("example."), Some(Rcode::REFUSED), "nobody is listed");
    fleet.set_rules(
        rules(ZoneRules { transfer: vec![listed], ..ZoneRules::default() }),
        Keyring::default(),
    );
    assert_eq!(code("example."), None);
    assert_eq!(code("sub.example."), Some(Rcode::NOTAUTH), "not an apex");
    let stranger = requester("192.0.2.99", "", Transport::Tcp);
    let refused = fleet.transfer(&stranger, &name("example."), Transfer::Full).unwrap_err();
    assert_eq!((refused.rcode, refused.ede.unwrap().code), (Rcode::REFUSED, 18));
    for (serial, is_current) in [(9, false), (10, true), (11, true)] {
        let sent = transfer("example.", Transfer::Since(serial)).unwrap();
        assert_eq!(matches!(sent, Outgoing::Current(_)), is_current, "{serial}");
    }
    fleet.set_rules(no_rules(&[]), Keyring::default());
    assert_eq!(code("example."), Some(Rcode::REFUSED), "no longer listed");
}

#[test]
fn a_zone_that_left_the_settings_keeps_its_rules_until_it_is_let_go() {
    let (_directory, publisher) = publisher();
    let listed = Arc::new(remote("ns2", &["192.0.2.53"], ""));
    let also = Arc::new(remote("ns3", &["192.0.2.54"], ""));
    let list = vec![Arc::clone(&listed), also];
    let zone = ZoneRules { transfer: list, ..ZoneRules::default() };
    let fleet = Fleet::new(publisher.clone(), rules(zone), Keyring::default());
    let code = |address: &str| {
        let who = requester(address, "", Transport::Tcp);
        let sent = fleet.transfer(&who, &name("example."), Transfer::Full);
        sent.map_err(|refusal| refusal.rcode).err()
    };
    let reload = |remotes: &[&Arc<Remote>], force| {
        let lost = Rules::default().of_settings(HashSet::new(), by_name(remotes));
        fleet.set_rules(lost, Keyring::default());
        let by = By { force, ..By::gapura() };
        publisher.reload_sources(Vec::new(), &by);
        fleet.renew();
    };
    reload(&[&listed], false);
    assert_eq!(code("192.0.2.53"), None, "served on, by its last rules");
    assert_eq!(code("192.0.2.54"), Some(Rcode::REFUSED), "that remote is gone");
    // The remote is reached elsewhere now.
    let moved = Arc::new(remote("ns2", &["192.0.2.55"], ""));
    reload(&[&moved], false);
    assert_eq!((code("192.0.2.53"), code("192.0.2.55")), (Some(Rcode::REFUSED), None));
    reload(&[&moved], true);
    assert_eq!(code("192.0.2.55"), Some(Rcode::NOTAUTH), "let go");
    assert!(fleet.rules().of(&name("example.")).is_none());
}

#[test]
fn a_notify_is_heeded_from_a_primary_only() {
    let (_directory, publisher) = publisher();
    let fleet = Fleet::new(publisher, Rules::default(), Keyring::default());
    let primary = requester("192.0.2.7", "", Transport::Udp);
    let notify = |who: &Requester| fleet.notify(who, &name("example."), Some(12));
    let code = |who: &Requester| notify(who).map_err(|refusal| refusal.rcode).err();
    assert_eq!(code(&primary), Some(Rcode::NOTAUTH), "the zone has no primary");
    let primaries = vec![Arc::new(remote("ns1", &["192.0.2.7"], ""))];
    fleet.set_rules(rules(ZoneRules { primaries, ..ZoneRules::default() }), Keyring::default());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    fleet.heed_notify(Box::new(move |primary, zone, serial| {
        lock(&ear).push((primary.name.clone(), zone.clone(), serial));
    }));
    assert_eq!(code(&primary), None);
    let stranger = requester("192.0.2.8", "", Transport::Udp);
    assert_eq!(code(&stranger), Some(Rcode::REFUSED));
    let signed = requester("192.0.2.7", "armada.", Transport::Udp);
    assert_eq!(code(&signed), Some(Rcode::REFUSED), "another key than the rule's");
    assert_eq!(*lock(&heard), [("ns1".to_owned(), name("example."), Some(12))]);
}

/// RFC 9103 §7.1: over TLS a zone is transferred in version 1.3 only.
#[test]
fn a_transfer_over_an_old_tls_is_refused_with_the_reason() {
    let (_directory, publisher) = publisher();
    let may = Arc::new(remote("ns2", &["192.0.2.2"], ""));
    let of = ZoneRules { transfer: vec![may], ..ZoneRules::default() };
    let fleet = Fleet::new(publisher, rules(of), Keyring::default());
    let asks = |address: &str, is_tls13| {
        let identity = Some(Arc::new(ClientIdentity::unasked(is_tls13)));
        let requester = Requester { identity, ..requester(address, "", Transport::Tls) };
        fleet.may_transfer(&requester, &name("example."))
    };
    assert_eq!(asks("192.0.2.2", true), Ok(()));
    let refused = asks("192.0.2.2", false).unwrap_err();
    assert_eq!((refused.rcode, refused.ede), (Rcode::REFUSED, Some(Ede::PROHIBITED)));
    assert!(refused.text.unwrap().contains("version 1.3"));
    assert_eq!(asks("192.0.2.3", false).unwrap_err().text, None, "who may not learns nothing");
}

/// Bug class: one key that floods has all its updates queued.
#[test]
fn a_key_that_sends_too_many_updates_is_told_so_and_others_are_not() {
    let (_directory, publisher) = publisher();
    let grant = |key: &str| {
        let names = (&["@".to_owned()][..], &[][..]);
        Grant::read(name("example.").as_ref(), name(key), names, How::Direct).unwrap()
    };
    let grants = Grants::new(name("example."), vec![grant("dhcp."), grant("acme.")]);
    let updates = Some(UpdateRules { grants, applicants: Vec::new() });
    let of = ZoneRules { updates, ..ZoneRules::default() };
    let fleet = Fleet::new(publisher, rules(of), Keyring::default());
    let sends =
        |key| fleet.may_update(&requester("192.0.2.2", key, Transport::Tcp), &name("example."));
    let refused = (0..100_000).find_map(|_| sends("dhcp.").err()).expect("there is an end");
    assert_eq!((refused.rcode, refused.ede), (Rcode::SERVFAIL, Some(Ede::BUSY)));
    assert!(refused.text.unwrap().contains("a second"));
    assert_eq!(sends("acme."), Ok(()));
    assert_eq!(sends("nobody.").unwrap_err().rcode, Rcode::REFUSED);
}

#[test]
fn no_update_is_taken_before_it_is_known_which_names_are_kept_out() {
    let (_directory, publisher) = publisher();
    let names = (&["@".to_owned()][..], &[][..]);
    let grant = Grant::read(name("example.").as_ref(), name("dhcp."), names, How::Direct).unwrap();
    let grants = Grants::new(name("example."), vec![grant]);
    let updates = Some(UpdateRules { grants, applicants: Vec::new() });
    let of = ZoneRules { updates, ..ZoneRules::default() };
    let fleet = Fleet::new(publisher, rules(of), Keyring::default());
    // Add example. 60 TXT "a" (RFC 2136, section 2).
    let apex = b"\x07example\0";
    let message = [
        &b"\0\x01\x28\0\0\x01\0\0\0\x01\0\0"[..],
        apex,
        b"\0\x06\0\x01",
        apex,
        b"\0\x10\0\x01\0\0\0\x3c\0\x02\x01a",
    ]
    .concat();
    let sends = || fleet.perform_update(&requester("192.0.2.2", "dhcp.", Transport::Tcp), &message);
    let refused = sends().unwrap_err();
    assert_eq!(refused.rcode, Rcode::SERVFAIL);
    assert!(refused.text.unwrap().contains("starting"));
    fleet.propose_to(None);
    assert_eq!(sends(), Ok(()));
}
