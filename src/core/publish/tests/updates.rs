//! What updates put up: kept beside the file as promoted records are, with an origin of its own.

use std::convert::Infallible;

use super::*;

/// Makes RRsets live for a key; none if there was nothing to do.
fn update(
    publisher: &Publisher,
    key: &str,
    set: Vec<RrsetEdit>,
) -> Result<Option<Change>, PublishError> {
    let cause = Cause::Update { key: key.to_owned() };
    let done = publisher.publish_decided(&apex(), (cause, &format!("key:{key}")), |_| {
        Ok::<_, Infallible>(Edit { set })
    });
    done.map_err(|failed| match failed {
        NotDecided::Door(error) => error,
        NotDecided::Against(never) => match never {},
    })
}

/// The same, if it has an effect.
fn updated(publisher: &Publisher, set: Vec<RrsetEdit>) -> Change {
    update(publisher, "acme.", set).unwrap().expect("a change")
}

/// A TXT RRset.
fn txt(owner: &str, data: &[&str]) -> Vec<RrsetEdit> {
    vec![rrset(owner, Rtype::TXT, data)]
}

/// What is kept beside the file.
fn promoted(publisher: &Publisher) -> usize {
    publisher.zone_status(&apex()).unwrap().promoted.unwrap()
}

const CHALLENGE: &str = "_acme-challenge.www.example.";

#[test]
fn what_an_update_put_up_stays_over_reload_and_restart() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let change = updated(&publisher, txt(CHALLENGE, &["one"]));
    assert_eq!((change.from, change.to, change.counts()), (Some(10), 11, (0, 1)));
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert!(reload(&publisher).is_ok());
    drop(publisher);
    let publisher = house.opened();
    assert_eq!(at(&live(&publisher), CHALLENGE, Rtype::TXT), ["\"one\""]);
    let status = publisher.zone_status(&apex()).unwrap();
    assert_eq!(status.absent_from_file, ["_acme-challenge.www.example. TXT (key acme.)"]);
    let history = publisher.history(&apex(), 10).unwrap();
    assert_eq!(history[1].cause, Cause::Update { key: "acme.".to_owned() });
    assert_eq!((history[1].who.as_str(), history[1].cause.kind()), ("key:acme.", "update"));
    publisher.flush();
    let derived = fs::read_to_string(publisher.derived_file(&apex())).unwrap();
    assert!(derived.contains("TXT \"one\" ; update acme."), "{derived}");
    // A rollback of the file leaves it, and it goes with the update that deletes it.
    publisher.rollback(&apex(), 10, "operator").unwrap();
    assert_eq!(at(&live(&publisher), CHALLENGE, Rtype::TXT), ["\"one\""]);
    updated(&publisher, txt(CHALLENGE, &[]));
    assert_eq!(promoted(&publisher), 0, "nothing is left of it");
    assert!(live(&publisher).node(name(CHALLENGE).as_ref()).is_none());
}

#[test]
fn an_update_without_effect_uses_no_serial_and_writes_nothing() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    updated(&publisher, txt(CHALLENGE, &["one"]));
    for set in [vec![], txt(CHALLENGE, &["one"]), txt("none.example.", &[])] {
        assert!(update(&publisher, "acme.", set).unwrap().is_none());
    }
    let same = vec![RrsetEdit { ttl: 3600, ..rrset("www.example.", Rtype::A, &["192.0.2.10"]) }];
    assert!(update(&publisher, "acme.", same).unwrap().is_none());
    assert_eq!(publisher.history(&apex(), 10).unwrap().len(), 2);
    assert_eq!((live(&publisher).serial(), promoted(&publisher)), (11, 1));
}

#[test]
fn an_update_that_goes_back_to_the_file_leaves_nothing_behind() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let www =
        |data: &[&str]| vec![RrsetEdit { ttl: 3600, ..rrset("www.example.", Rtype::A, data) }];
    updated(&publisher, www(&["192.0.2.10", "192.0.2.77"]));
    assert_eq!(publisher.zone_status(&apex()).unwrap().masked, ["www.example. A (key acme.)"]);
    updated(&publisher, www(&["192.0.2.10"]));
    assert_eq!(promoted(&publisher), 0);
    // Deleted and added again: the same.
    updated(&publisher, www(&[]));
    assert_eq!(promoted(&publisher), 1);
    assert!(at(&live(&publisher), "www.example.", Rtype::A).is_empty());
    updated(&publisher, www(&["192.0.2.10"]));
    assert_eq!(promoted(&publisher), 0);
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert!(reload(&publisher).is_ok(), "the file has the word again");
}

#[test]
fn a_file_that_clashes_with_an_update_names_the_key_and_may_win() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    updated(&publisher, vec![rrset("www.example.", Rtype::A, &["192.0.2.77"])]);
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    let report = reload(&publisher);
    assert_eq!((rules(&report), refused_by(&report)), (vec!["promoted-clash"], Guard::Merge));
    let told = report.findings[0].with_hint();
    assert!(told.contains("key acme.") && told.contains("gapura zone adopt"), "{told}");
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.77"]);
    let owner = name("www.example.");
    let change = publisher.adopt(&apex(), (&owner, None), "operator").unwrap();
    assert_eq!(change.counts(), (1, 1));
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.11"]);
    assert!(reload(&publisher).is_ok());
    assert_eq!((promoted(&publisher), live(&publisher).serial()), (0, change.to));
    let again = publisher.adopt(&apex(), (&owner, None), "operator");
    assert!(matches!(again, Err(PublishError::NoEffect(_))), "{again:?}");
}

#[test]
fn a_zone_cut_that_an_update_makes_over_another_update_keeps_no_file_out() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    updated(&publisher, txt("p.q.example.", &["one"]));
    updated(&publisher, vec![rrset("q.example.", Rtype::NS, &["ns1.example."])]);
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    let report = reload(&publisher);
    assert!(report.is_ok(), "{report}");
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.11"]);
    house.close(publisher);
    assert!(reload(&house.opened()).is_ok());
}

#[test]
fn the_file_may_win_over_one_type_and_over_what_it_does_not_have() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    updated(&publisher, txt("www.example.", &["one"]));
    updated(&publisher, vec![rrset("www.example.", Rtype::A, &[])]);
    let owner = name("www.example.");
    publisher.adopt(&apex(), (&owner, Some(Rtype::TXT)), "operator").unwrap();
    assert!(live(&publisher).node(owner.as_ref()).is_none());
    publisher.adopt(&apex(), (&owner, None), "operator").unwrap();
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
}

#[test]
fn what_a_request_holds_no_update_changes() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "7", vec![rrset("new.example.", Rtype::A, &["198.51.100.7"])]).unwrap();
    promote(&publisher, "8", vec![rrset("www.example.", Rtype::A, &[])]).unwrap();
    let held = |set: Vec<RrsetEdit>| match update(&publisher, "acme.", set) {
        Err(PublishError::Held { by, .. }) => by,
        other => panic!("{other:?}"),
    };
    assert_eq!(held(vec![rrset("new.example.", Rtype::A, &["192.0.2.1"])]), "request 7");
    assert_eq!(held(vec![rrset("new.example.", Rtype::A, &[])]), "request 7");
    // A name that was taken out does not come back by another type.
    assert_eq!(held(vec![rrset("www.example.", Rtype::AAAA, &["2001:db8::1"])]), "request 8");
    // What the request did not ask for is free, and one that is held refuses all.
    updated(&publisher, txt("new.example.", &["one"]));
    let mut both = txt("other.example.", &["one"]);
    both.push(rrset("new.example.", Rtype::A, &[]));
    assert_eq!(held(both), "request 7");
    assert!(live(&publisher).node(name("other.example.").as_ref()).is_none());
}

#[test]
fn a_request_takes_over_what_an_update_put_up_and_its_approvers_are_told() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let one = |data| vec![rrset("new.example.", Rtype::A, &[data])];
    updated(&publisher, one("192.0.2.1"));
    for data in ["192.0.2.1", "192.0.2.2"] {
        let preview = publisher.preview(&apex(), &Edit { set: one(data) }).unwrap();
        let told: Vec<_> = preview.findings.iter().map(|one| one.rule).collect();
        assert_eq!((told, preview.has_errors()), (vec!["held-by-update"], false), "{data}");
    }
    // The very same records, too, are the request's from then on.
    promote(&publisher, "7", one("192.0.2.1")).unwrap();
    let status = publisher.zone_status(&apex()).unwrap();
    assert_eq!(status.absent_from_file, ["new.example. A (7)"]);
    let refused = update(&publisher, "acme.", one("192.0.2.2"));
    assert!(matches!(refused, Err(PublishError::Held { .. })), "{refused:?}");
}

#[test]
fn under_a_wildcard_what_an_update_deletes_is_gone() {
    let house = House::new(&format!("{ZONE}shop.wild A 192.0.2.30\n"));
    let publisher = house.opened();
    updated(&publisher, txt("x.wild.example.", &["one"]));
    updated(&publisher, txt("x.wild.example.", &[]));
    updated(&publisher, vec![rrset("shop.wild.example.", Rtype::A, &[])]);
    let zone = live(&publisher);
    for owner in ["x.wild.example.", "shop.wild.example."] {
        assert!(zone.node(name(owner).as_ref()).is_none(), "{owner}: no guard is left");
    }
    assert_eq!(promoted(&publisher), 1, "the mask over the file's record");
    house.write(&format!("{ZONE}shop.wild A 192.0.2.30\nmore A 192.0.2.1\n"));
    assert!(reload(&publisher).is_ok());
    assert!(live(&publisher).node(name("shop.wild.example.").as_ref()).is_none());
}

#[test]
fn what_officers_take_out_of_an_update_stays_out_over_reload_and_restart() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let owner = "x.wild.example.";
    updated(&publisher, vec![rrset(owner, Rtype::A, &["192.0.2.6"])]);
    let edit = Edit { set: vec![rrset(owner, Rtype::A, &[])] };
    let cause = Cause::Own { purpose: "suspension".to_owned() };
    publisher.publish(proposal(&edit, cause, NoRows)).unwrap();
    let is_guarded = |publisher: &Publisher| is_only_guard(&live(publisher), &name(owner));
    assert!(is_guarded(&publisher), "the wildcard does not answer for it");
    house.write(&format!("{ZONE}more A 192.0.2.1\n"));
    assert!(reload(&publisher).is_ok());
    assert!(is_guarded(&publisher), "after a reload");
    let again = update(&publisher, "acme.", vec![rrset(owner, Rtype::A, &["192.0.2.6"])]);
    assert!(matches!(again, Err(PublishError::Held { .. })), "{again:?}");
    drop(publisher);
    assert!(is_guarded(&house.opened()), "after a restart");
}

/// Bug class: a name that officers took out answers from a wildcard that comes later.
#[test]
fn what_officers_take_out_stays_out_when_a_wildcard_comes_later() {
    let suspend = |publisher: &Publisher, owner: &str| {
        let edit = Edit { set: vec![rrset(owner, Rtype::A, &[])] };
        let cause = Cause::Own { purpose: "suspension".to_owned() };
        publisher.publish(proposal(&edit, cause, NoRows)).unwrap();
        assert!(live(publisher).node(name(owner).as_ref()).is_none(), "nothing covers it");
    };
    let wildcard = rrset("*.w5.example.", Rtype::A, &["192.0.2.9"]);
    for (by_file, restarts) in [(false, false), (false, true), (true, false), (true, true)] {
        let house = House::new(ZONE);
        let mut publisher = house.opened();
        updated(&publisher, vec![rrset("c.w5.example.", Rtype::A, &["192.0.2.6"])]);
        promote(&publisher, "M-9", vec![rrset("d.w5.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
        suspend(&publisher, "c.w5.example.");
        suspend(&publisher, "d.w5.example.");
        if restarts {
            drop(publisher);
            publisher = house.opened();
        }
        if by_file {
            house.write(&format!("{ZONE}*.w5 A 192.0.2.9\n"));
            assert!(reload(&publisher).is_ok());
        } else {
            updated(&publisher, vec![wildcard.clone()]);
        }
        let zone = live(&publisher);
        for owner in ["c.w5.example.", "d.w5.example."] {
            assert!(is_only_guard(&zone, &name(owner)), "{owner} {by_file} {restarts}");
            let again = update(&publisher, "acme.", vec![rrset(owner, Rtype::A, &["192.0.2.6"])]);
            assert!(matches!(again, Err(PublishError::Held { .. })), "{again:?}");
        }
        // With the wildcard the guards go, and what comes after it finds them out again.
        if by_file {
            house.write(ZONE);
            assert!(reload(&publisher).is_ok());
        } else {
            updated(&publisher, vec![rrset("*.w5.example.", Rtype::A, &[])]);
        }
        assert!(live(&publisher).node(name("c.w5.example.").as_ref()).is_none());
        updated(&publisher, vec![wildcard.clone()]);
        assert!(is_only_guard(&live(&publisher), &name("c.w5.example.")), "{by_file} {restarts}");
    }
}

/// Bug class: what a request no longer has beside other data keeps updates from its name.
#[test]
fn what_a_request_takes_from_a_name_that_stays_leaves_nothing() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let owner = "e.w5.example.";
    let both =
        vec![rrset(owner, Rtype::A, &["192.0.2.7"]), rrset(owner, Rtype::MX, &["10 ns1.example."])];
    promote(&publisher, "M-9", both).unwrap();
    promote(&publisher, "M-9", vec![rrset(owner, Rtype::MX, &[])]).unwrap();
    updated(&publisher, vec![rrset(owner, Rtype::TXT, &["token"])]);
    assert_eq!(publisher.zone_status(&apex()).unwrap().promoted, Some(2));
    // And what was taken out is over once the name is there again.
    let (plain, both) = ("f.w5.example.", [Rtype::A, Rtype::MX]);
    let data = |rtype| if rtype == Rtype::A { "192.0.2.7" } else { "10 ns1.example." };
    promote(&publisher, "M-10", both.map(|it| rrset(plain, it, &[data(it)])).to_vec()).unwrap();
    promote(&publisher, "M-10", both.map(|it| rrset(plain, it, &[])).to_vec()).unwrap();
    let token = || vec![rrset(plain, Rtype::TXT, &["token"])];
    let held = update(&publisher, "acme.", token());
    assert!(matches!(held, Err(PublishError::Held { .. })), "{held:?}");
    promote(&publisher, "M-11", vec![rrset(plain, Rtype::A, &["192.0.2.8"])]).unwrap();
    updated(&publisher, token());
}

#[test]
fn checks_hold_for_updates_and_a_decision_against_changes_nothing() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let refused = update(&publisher, "k.", vec![rrset("alias.example.", Rtype::A, &["192.0.2.1"])]);
    assert!(matches!(refused, Err(PublishError::Refused { .. })), "{refused:?}");
    let cause = Cause::Update { key: "k.".to_owned() };
    let against = publisher.publish_decided(&apex(), (cause, "key:k."), |zone| Err(zone.serial()));
    assert!(matches!(against, Err(NotDecided::Against(10))), "{against:?}");
}

#[test]
fn on_a_stand_in_nothing_is_acknowledged() {
    let house = House::new(ZONE);
    let store = Store::open(&house.state()).unwrap();
    let options = Options { is_stand_in: true, ..house.options() };
    let source = ZoneSource::new(apex(), house.file());
    let (publisher, _) = Publisher::open(store, vec![source], options).unwrap();
    let refused = update(&publisher, "acme.", txt(CHALLENGE, &["one"]));
    assert!(matches!(refused, Err(PublishError::NotKept(_))), "{refused:?}");
    assert_eq!(live(&publisher).serial(), 10);
}
