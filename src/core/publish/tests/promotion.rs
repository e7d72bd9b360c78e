//! Promotions: masks, clashes, guards under wildcards, checks, confirmation, provenance.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::answer::{Peer, Scratch, Verdict, respond};
use crate::store::{StoreError, Tx};
use crate::testing::FakeServer;

/// The rules that refused a promotion.
fn refused(result: Result<Change, PublishError>) -> Vec<&'static str> {
    match result {
        Err(PublishError::Refused { findings, .. }) => {
            findings.iter().map(|one| one.rule).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_promoted_record_is_live_and_stays() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let change =
        promote(&publisher, "7", vec![rrset("new.example.", Rtype::A, &["198.51.100.7"])]).unwrap();
    assert_eq!((change.from, change.to, change.counts()), (Some(10), 11, (0, 1)));
    // The file is edited; the record is not in it and stays.
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["198.51.100.7"]);
    let status = publisher.zone_status(&apex()).unwrap();
    assert_eq!(status.absent_from_file, ["new.example. A (7)"]);
    // The same record comes into the file: agreed. Then it leaves again: it still stays.
    house.write(&format!("{ZONE}new 300 A 198.51.100.7\n"));
    assert!(reload(&publisher).is_ok());
    assert!(publisher.zone_status(&apex()).unwrap().absent_from_file.is_empty());
    house.write(ZONE);
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["198.51.100.7"]);
    publisher.flush();
    let derived = fs::read_to_string(publisher.derived_file(&apex())).unwrap();
    assert!(derived.contains("new.example. 300 IN A 198.51.100.7 ; request 7"), "{derived}");
    // Other data for it in the file is a clash that names the request.
    house.write(&format!("{ZONE}new A 192.0.2.77\n"));
    let report = reload(&publisher);
    assert_eq!(rules(&report), ["promoted-clash"]);
    assert!(report.findings[0].message.contains("request 7"));
}

#[test]
fn a_change_of_the_operators_record_is_a_mask() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "8", vec![rrset("www.example.", Rtype::A, &["198.51.100.8"])]).unwrap();
    assert_eq!(publisher.zone_status(&apex()).unwrap().masked, ["www.example. A (8)"]);
    // Over restarts and edits elsewhere.
    drop(publisher);
    let publisher = house.opened();
    house.write(&format!("{ZONE}more A 192.0.2.50\n"));
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["198.51.100.8"]);
    // The masked RRset changes to something else: refused.
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert_eq!(rules(&reload(&publisher)), ["promoted-clash"]);
    // The file agrees: the mask is over.
    house.write(&ZONE.replace("192.0.2.10", "198.51.100.8"));
    assert!(reload(&publisher).is_ok());
    assert!(publisher.zone_status(&apex()).unwrap().masked.is_empty());
}

#[test]
fn a_name_taken_out_below_a_wildcard_is_guarded() {
    let text = format!("{ZONE}shop.wild A 192.0.2.30\n");
    let house = House::new(&text);
    let publisher = house.opened();
    promote(&publisher, "9", vec![rrset("shop.wild.example.", Rtype::A, &[])]).unwrap();
    let guarded =
        |publisher: &Publisher| at(&live(publisher), "shop.wild.example.", Rtype::TXT).len();
    assert_eq!(
        (at(&live(&publisher), "shop.wild.example.", Rtype::A).len(), guarded(&publisher)),
        (0, 1)
    );
    drop(publisher);
    let publisher = house.opened();
    assert_eq!(guarded(&publisher), 1, "over a restart");
    // The operator takes it out of the file too; the guard stays.
    house.write(ZONE);
    assert!(reload(&publisher).is_ok());
    assert_eq!(guarded(&publisher), 1);
    // It comes back by request.
    promote(&publisher, "9", vec![rrset("shop.wild.example.", Rtype::A, &["192.0.2.31"])]).unwrap();
    assert_eq!(guarded(&publisher), 0);
    // A promoted name that goes away is guarded too, and one without a wildcard leaves nothing to be seen.
    promote(&publisher, "9", vec![rrset("shop.wild.example.", Rtype::A, &[])]).unwrap();
    assert_eq!(guarded(&publisher), 1);
    promote(&publisher, "10", vec![rrset("plain.example.", Rtype::A, &["192.0.2.40"])]).unwrap();
    promote(&publisher, "11", vec![rrset("plain.example.", Rtype::A, &[])]).unwrap();
    assert!(live(&publisher).node(name("plain.example.").as_ref()).is_none());
    assert_eq!(publisher.zone_status(&apex()).unwrap().promoted, Some(0));
}

#[test]
fn what_an_edit_breaks_refuses_it() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let try_set = |owner: &str, rtype, data: &[&str]| {
        refused(promote(&publisher, "1", vec![rrset(owner, rtype, data)]))
    };
    assert_eq!(try_set("www.example.", Rtype::CNAME, &["ns1"]), ["cname-other-data"]);
    assert_eq!(try_set("alias.example.", Rtype::A, &["192.0.2.1"]), ["cname-other-data"]);
    assert_eq!(try_set("other.org.", Rtype::A, &["192.0.2.1"]), ["out-of-zone"]);
    assert_eq!(try_set("example.", Rtype::NS, &[]), ["no-ns"]);
    assert!(try_set("deep.sub.example.", Rtype::A, &["192.0.2.1"]).contains(&"edit-occluded"));
    assert_eq!(try_set("ns2.example.", Rtype::A, &[]), ["ns-target-no-address"]);
    assert_eq!(try_set("cut.example.", Rtype::NS, &["ns.cut"]), ["glue-missing"]);
    assert_eq!(try_set("example.", Rtype::SOA, &[]), ["edit-type"]);
    let with_glue = vec![
        rrset("cut.example.", Rtype::NS, &["ns.cut"]),
        rrset("ns.cut.example.", Rtype::A, &["192.0.2.60"]),
    ];
    assert_eq!(promote(&publisher, "2", with_glue).unwrap().to, 11, "no serial was wasted");
    house.write(&format!("{ZONE}; touched\n"));
    assert!(reload(&publisher).is_ok(), "a promoted delegation with glue is no clash");
}

#[test]
fn records_that_are_there_already_write_rows_but_no_serial() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let edit = RrsetEdit { ttl: 3600, ..rrset("www.example.", Rtype::A, &["192.0.2.10"]) };
    let mut called = false;
    let cause = Cause::Request { number: "12".to_owned() };
    let change = publisher
        .publish(proposal(
            &Edit { set: vec![edit] },
            cause,
            RowsFn(|_: &Tx<'_>, change: &Change| {
                called = true;
                assert!(!change.is_visible());
                Ok::<_, StoreError>(())
            }),
        ))
        .unwrap()
        .change;
    assert!(called);
    assert_eq!((change.from, change.to), (Some(10), 10));
    assert_eq!(publisher.history(&apex(), 9).unwrap().len(), 1);
    // It was promised: it stays when it leaves the file.
    house.write(&ZONE.replace("www A 192.0.2.10\n", ""));
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "www.example.", Rtype::A), ["192.0.2.10"]);
}

#[test]
fn rows_that_fail_leave_everything_as_it_was_and_burn_the_serial() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let cause = Cause::Request { number: "1".to_owned() };
    let set = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
    let refuse = |_: &Tx<'_>, _: &Change| Err::<(), _>(StoreError::Corrupt("no".to_owned()));
    let edit = Edit { set: set.clone() };
    let failed = publisher.publish(proposal(&edit, cause, RowsFn(refuse)));
    assert!(matches!(failed, Err(NotPublished::Rows(StoreError::Corrupt(why))) if why == "no"));
    assert_eq!(live(&publisher).serial(), 10);
    assert!(at(&live(&publisher), "new.example.", Rtype::A).is_empty());
    assert_eq!(promote(&publisher, "1", set).unwrap().to, 12, "11 was given out");
}

/// A socket that answers from the zones as served, or refuses everything while `blind` is set.
pub(super) fn socket(publisher: &Publisher, blind: &Arc<AtomicBool>) -> FakeServer {
    let (zones, blind) = (publisher.shared(), Arc::clone(blind));
    FakeServer::start(move |query, _| {
        let mut out = vec![0; 65_535];
        let peer = Peer::new("127.0.0.1:1".parse().unwrap(), crate::answer::Transport::Tcp, 0);
        let mut scratch = Scratch::new(Arc::default());
        let verdict = respond(&zones.load(), &mut scratch, query, &peer, &mut out);
        let Verdict::Reply(octets) = verdict else { return None };
        out.truncate(octets);
        if blind.load(Ordering::Relaxed) {
            let question = crate::wire::Query::read(query).unwrap().question.unwrap();
            out.truncate(12 + question.octets());
            out[6..12].fill(0);
            out[3] = 5;
        }
        Some(out)
    })
}

#[test]
fn what_is_not_confirmed_is_taken_back_under_a_higher_serial() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let blind = Arc::new(AtomicBool::new(true));
    let socket = socket(&publisher, &blind);
    publisher.sockets().set(vec![socket.address]);
    let set = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
    let failed = promote(&publisher, "1", set.clone());
    assert!(matches!(failed, Err(PublishError::NotConfirmed { .. })), "{failed:?}");
    assert_eq!(live(&publisher).serial(), 12);
    assert!(at(&live(&publisher), "new.example.", Rtype::A).is_empty());
    assert_eq!(publisher.zone_status(&apex()).unwrap().promoted, Some(0));
    // A file that is not confirmed does not come back by itself.
    house.write(&ZONE.replace("192.0.2.10", "192.0.2.11"));
    assert!(!reload(&publisher).is_ok());
    assert_eq!(
        (live(&publisher).serial(), at(&live(&publisher), "www.example.", Rtype::A)),
        (14, vec!["192.0.2.10".to_owned()])
    );
    blind.store(false, Ordering::Relaxed);
    assert_eq!(reload(&publisher).outcome, Outcome::Held { serial: 14, node: None });
    assert_eq!(promote(&publisher, "1", set).unwrap().to, 15);
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["192.0.2.7"]);
}

/// Rows that note what was written, in the order it was.
struct Noted<'a>(&'a mut Vec<String>);

impl Rows for Noted<'_> {
    type Output = u32;
    type Error = StoreError;

    fn commit(&mut self, tx: &Tx<'_>, change: &Change) -> Result<u32, StoreError> {
        let serial = tx.zone(&change.zone)?.map(|row| row.serial);
        self.0.push(format!("commit {serial:?}"));
        Ok(change.to)
    }

    fn take_back(&mut self, tx: &Tx<'_>, said: &Confirmation) -> Result<(), StoreError> {
        let serial = tx.zone(&apex())?.map(|row| row.serial);
        let found = &said.refuted.as_ref().unwrap().found;
        self.0.push(format!("take back {serial:?}: {found}"));
        Ok(())
    }
}

#[test]
fn the_callers_rows_go_with_the_change_and_with_taking_it_back() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let blind = Arc::new(AtomicBool::new(false));
    let socket = socket(&publisher, &blind);
    publisher.sockets().set(vec![socket.address]);
    let mut noted = Vec::new();
    let mut publish = |address: &str| {
        let edit = Edit { set: vec![rrset("new.example.", Rtype::A, &[address])] };
        let rdatas = edit.set[0].rdatas.clone();
        let expect = vec![Expectation { owner: name("new.example."), rtype: Rtype::A, rdatas }];
        let cause = Cause::Request { number: "1".to_owned() };
        let rows = Noted(&mut noted);
        publisher.publish(EditProposal { expect, ..proposal(&edit, cause, rows) })
    };
    let published = publish("192.0.2.7").unwrap();
    assert_eq!((published.rows, published.change.to), (11, 11));
    assert_eq!(published.said.asked.len(), 4, "the record and the serial, over UDP and TCP");
    blind.store(true, Ordering::Relaxed);
    let failed = publish("192.0.2.8");
    let Err(NotPublished::Door(PublishError::NotConfirmed { said, reverted, .. })) = failed else {
        panic!("{failed:?}")
    };
    assert_eq!((reverted.to, said.asked.len()), (13, 1));
    assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["192.0.2.7"]);
    assert_eq!(noted, ["commit Some(11)", "commit Some(12)", "take back Some(13): REFUSED"]);
}

#[test]
fn an_edit_made_for_another_version_is_refused_and_uses_no_serial() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let edit = Edit { set: vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])] };
    let cause = || Cause::Request { number: "1".to_owned() };
    let made_for = |base| EditProposal { base: Some(base), ..proposal(&edit, cause(), NoRows) };
    let failed = publisher.publish(made_for(9));
    assert!(matches!(failed, Err(NotPublished::Door(PublishError::Moved(_)))), "{failed:?}");
    assert_eq!(publisher.publish(made_for(10)).unwrap().change.to, 11);
}

#[test]
fn the_candidate_hash_moves_with_what_it_names_and_with_nothing_else() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    let edit = |address: &str| Edit { set: vec![rrset("new.example.", Rtype::A, &[address])] };
    let hash = |address: &str| publisher.preview(&apex(), &edit(address)).unwrap().hash();
    let first = hash("192.0.2.7");
    assert_ne!(first, hash("192.0.2.8"));
    promote(&publisher, "2", vec![rrset("far.example.", Rtype::A, &["192.0.2.9"])]).unwrap();
    assert_eq!(first, hash("192.0.2.7"), "a change elsewhere does not move it");
    promote(&publisher, "3", vec![rrset("below.new.example.", Rtype::A, &["192.0.2.9"])]).unwrap();
    assert_ne!(first, hash("192.0.2.7"), "a name below does");
}

#[test]
fn nothing_is_promoted_into_a_zone_signed_elsewhere() {
    let key = "@ DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==\n";
    let house = House::new(&format!("{ZONE}{key}"));
    let (publisher, reports) = house.open();
    if reports[0].is_ok() {
        let set = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
        assert!(matches!(promote(&publisher, "1", set), Err(PublishError::Presigned(_))));
    }
}

#[test]
fn a_guard_of_a_name_that_only_the_wildcard_answered_survives_a_restart() {
    let house = House::new(ZONE);
    let publisher = house.opened();
    promote(&publisher, "1", vec![rrset("a.wild.example.", Rtype::A, &[])]).unwrap();
    let zone = live(&publisher);
    assert_eq!(at(&zone, "a.wild.example.", Rtype::TXT).len(), 1);
    drop(publisher);
    let difference = live(&house.opened()).diff(&zone);
    assert!(difference.is_empty(), "under the same serial: {difference:?}");
}
