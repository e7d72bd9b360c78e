//! The chain from outside: what an honest database says, and what each way to tamper with it leaves.

use std::collections::BTreeMap;

use super::*;
use crate::queue::{Deed, Role};
use crate::store::people::PersonRow;
use crate::store::{Store, StoreError};

/// When the tests begin.
const START: i64 = 1_795_500_000_000;

/// A database with its keys, and a clock that is turned by hand.
struct House {
    store: Store,
    vault: Vault,
    notary: Notary,
    dir: tempfile::TempDir,
}

impl House {
    /// An empty one.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let vault = Vault::open(dir.path()).unwrap();
        let notary = Notary::open(dir.path(), &store, START).unwrap();
        Self { store, vault, notary, dir }
    }

    /// One with a request of three events, a sealed value, a promotion and a checkpoint.
    fn lived_in() -> Self {
        let house = Self::new();
        house.append("submit", Some("submitted"), &[("email", "desa@example.id")]);
        house.append("dispose", Some("assigned"), &[]);
        house.append("approve", Some("verified"), &[]);
        house.checkpoint();
        house.append("promote", Some("live"), &[]);
        house.checkpoint();
        house
    }

    /// Appends an event about request 1 with sealed values.
    fn append(&self, act: &str, after: Option<&str>, values: &[(&str, &str)]) -> Event {
        let sealed: Vec<Sealed> =
            values.iter().map(|(field, value)| self.vault.commit(field, value).unwrap()).collect();
        let event = NewEvent {
            revision: 1,
            after: after.map(str::to_owned),
            ..NewEvent::new(START, "p-1", "kasi", act.parse().unwrap(), "request:GPR-1")
        };
        let event = event.with("kind", "new");
        self.store.write::<_, StoreError>(|tx| append_sealed(tx, event, &sealed)).unwrap()
    }

    /// Signs the head.
    fn checkpoint(&self) -> Option<Checkpoint> {
        self.store.write::<_, StoreError>(|tx| self.notary.checkpoint(tx, START)).unwrap()
    }

    /// The export as text.
    fn text(&self) -> String {
        let all = (0, i64::MAX);
        let part = self.store.read::<_, StoreError>(|r| export_part(r, all, usize::MAX, true));
        part.unwrap().lines.join("\n")
    }

    /// The verdict on the export, against the public key.
    fn verify(&self) -> Report {
        let key = self.notary.public_key();
        verify(&Export::parse(&self.text()).unwrap(), Some(&key), &[])
    }

    /// The verdict on the database itself.
    fn verify_own(&self) -> Report {
        let key = self.notary.public_key();
        let own = |reader: &crate::store::Reader<'_>| {
            Ok::<_, StoreError>(verify_own(reader, Some(&self.vault), Some(&key), &[]).unwrap())
        };
        // There is no row of request 1: the faults of the tables are theirs to find.
        let mut report = self.store.read(own).unwrap();
        report.faults.retain(|fault| !fault.what.contains("request:GPR-1 is gone"));
        report
    }
}

/// A report without a fault.
#[track_caller]
fn good(report: &Report) {
    assert!(report.is_good(), "{:?}", report.faults);
}

/// A report whose first fault is at this event and says this.
#[track_caller]
fn bad(report: &Report, sequence: i64, what: &str) {
    let first = report.faults.first().unwrap_or_else(|| panic!("nothing was found: {what}"));
    assert_eq!(first.sequence, sequence, "{:?}", report.faults);
    let said = report.faults.iter().any(|fault| fault.what.contains(what));
    assert!(said, "{what}: {:?}", report.faults);
}

//------------ The chain -----------------------------------------------------

#[test]
fn an_event_follows_from_the_one_before_and_its_hash_is_known() {
    let house = House::new();
    let first = house.append("submit", Some("submitted"), &[]);
    let second = house.append("dispose", None, &[]);
    assert_eq!((first.sequence, first.previous.as_str()), (1, "0".repeat(64).as_str()));
    assert_eq!((second.sequence, &second.previous), (2, &first.hash));
    // Whoever verifies an export with other tools gets the same: the form never changes.
    assert_eq!(first.hash, "be05cbf4f93e0beff8349d8ee881f74c4b815698afa96cc54cecdf14108be73e");
    house.checkpoint();
    good(&house.verify());
    good(&house.verify_own());
}

#[test]
fn an_export_verifies_after_the_trip_and_says_what_it_covers() {
    let house = House::lived_in();
    let text = house.text();
    let export = Export::parse(&text).unwrap();
    assert_eq!((export.events.len(), export.checkpoints.len(), export.keys.len()), (4, 2, 1));
    let report = house.verify();
    good(&report);
    assert_eq!((report.first, report.last, report.signed_to), (1, 4, Some(4)));
    assert_eq!(report.head, export.events[3].hash);
    // The same lines in a frame, and without the payloads that are not for everybody.
    let framed = format!("{{\"items\": [{}]}}", text.replace('\n', ","));
    let key = house.notary.public_key();
    good(&verify(&Export::parse(&framed).unwrap(), Some(&key), &[]));
    let bare = text.replace("\"payload\":{\"kind\":\"new\"}", "\"payload\":{}");
    assert_ne!(bare, text);
    good(&verify(&Export::parse(&bare).unwrap(), Some(&key), &[]));
    assert!(matches!(Export::parse("not an export"), Err(AuditError::Export { line: 1, .. })));
}

#[test]
fn each_column_that_is_changed_is_found_at_its_event() {
    let columns = [
        ("at_ms = at_ms + 1", "its hash does not fit"),
        ("person = 'p-2'", "its hash does not fit"),
        ("role = 'kabid'", "its hash does not fit"),
        ("act = 'reject'", "its hash does not fit"),
        ("subject = 'request:GPR-2'", "its hash does not fit"),
        ("revision = 2", "its hash does not fit"),
        ("state_before = ''", "its hash does not fit"),
        ("state_after = 'rejected'", "its hash does not fit"),
        ("state_after = NULL", "its hash does not fit"),
        ("payload = '{\"kind\":\"remove\"}'", "its hash does not fit"),
        ("payload = '{}'", "its hash does not fit"),
        ("payload = 'x'", "its hash does not fit"),
        ("commitments = '{\"email\":\"00\"}'", "its hash does not fit"),
        ("previous = '00'", "does not follow from event 1"),
        ("hash = '00'", "its hash does not fit"),
    ];
    for (change, what) in columns {
        let house = House::lived_in();
        house.store.tamper(&format!("UPDATE event SET {change} WHERE sequence = 2"));
        bad(&house.verify(), 2, what);
        bad(&house.verify_own(), 2, what);
    }
}

#[test]
fn events_that_are_deleted_swapped_or_cut_are_found() {
    let found = |sql: &str| {
        let house = House::lived_in();
        house.store.tamper(&format!("PRAGMA foreign_keys = OFF; {sql}"));
        house.verify()
    };
    bad(&found("DELETE FROM event WHERE sequence = 2"), 2, "missing: after 1 comes 3");
    let swap = "UPDATE event SET sequence = -2 WHERE sequence = 2; \
        UPDATE event SET sequence = 2 WHERE sequence = 3; \
        UPDATE event SET sequence = 3 WHERE sequence = -2;";
    bad(&found(swap), 2, "its hash does not fit");
    bad(&found("DELETE FROM event WHERE sequence = 4"), 4, "cut: the checkpoint covers");
    bad(&found("DELETE FROM event"), 1, "there is no event");
    let renumbered = "DELETE FROM event WHERE sequence = 1; \
        UPDATE event SET sequence = sequence - 1;";
    bad(&found(renumbered), 1, "the chain does not begin here");
}

#[test]
fn a_chain_that_is_rewritten_from_the_start_does_not_fit_its_signatures() {
    let house = House::lived_in();
    // Somebody with the database, not with the key, writes another history with right hashes.
    let other = House::new();
    for act in ["submit", "dispose", "reject", "promote"] {
        other.append(act, None, &[]);
    }
    let points = house.text();
    let forged: Vec<String> = other
        .text()
        .lines()
        .filter(|line| !line.contains("\"key\":{"))
        .chain(
            points
                .lines()
                .filter(|line| !line.contains("\"sequence\":") || line.contains("checkpoint")),
        )
        .map(str::to_owned)
        .collect();
    let key = house.notary.public_key();
    let report = verify(&Export::parse(&forged.join("\n")).unwrap(), Some(&key), &[]);
    bad(&report, 3, "signed another head");
    // Signed with a key of their own: unknown against ours.
    other.checkpoint();
    let report = verify(&Export::parse(&other.text()).unwrap(), Some(&key), &[]);
    assert!(report.faults.iter().any(|fault| fault.what.contains("unknown key")));
}

//------------ Checkpoints ---------------------------------------------------

#[test]
fn checkpoints_are_due_after_a_hundred_events_or_an_hour_with_news() {
    let house = House::new();
    let due = |now: i64| {
        house
            .store
            .write::<_, StoreError>(|tx| {
                house.notary.checkpoint_if_due(tx, now)?;
                Ok(tx.last_checkpoint()?.map(|point| point.sequence))
            })
            .unwrap()
    };
    assert_eq!(due(START + 3_600_000), None, "no news");
    house.append("submit", None, &[]);
    assert_eq!(due(START + 3_599_999), None);
    assert_eq!(due(START + 3_600_000), Some(1));
    for _ in 0..99 {
        house.append("check", None, &[]);
    }
    assert_eq!(due(START + 3_600_001), Some(1));
    house.append("check", None, &[]);
    assert_eq!(due(START + 3_600_001), Some(101));
    // One signed while the clock ran ahead does not make the next ones wait for that time.
    house.append("check", None, &[]);
    assert_eq!(due(START + 400_000_000_000), Some(102));
    house.append("check", None, &[]);
    assert_eq!(due(START + 7_200_002), Some(103));
    good(&house.verify());
}

#[test]
fn a_checkpoint_that_is_changed_or_forged_is_found() {
    for (change, what) in [
        ("head = replace(head, substr(head, 1, 1), 'g')", "signature is not good"),
        ("at_ms = at_ms + 1", "signature is not good"),
        ("signature = 'AAAA'", "signature is not good"),
        ("key_id = '0123456789abcdef'", "unknown key"),
    ] {
        let house = House::lived_in();
        house.store.tamper(&format!("UPDATE checkpoint SET {change} WHERE sequence = 3"));
        bad(&house.verify(), 3, what);
    }
}

#[test]
fn a_checkpoint_from_before_a_promotion_cannot_be_taken_out() {
    let house = House::lived_in();
    house.store.tamper("DELETE FROM checkpoint WHERE sequence = 3");
    bad(&house.verify(), 4, "no checkpoint was kept from before this promotion");
    // An attempt that a rule turned back needs none.
    let house = House::new();
    let attempt = NewEvent::new(START, "p-1", "kasi", Deed::Promote, "request:GPR-1");
    let attempt = attempt.with("turned_back", "stale");
    house.store.write::<_, StoreError>(|tx| append(tx, attempt)).unwrap();
    good(&house.verify());
}

#[test]
fn an_anchor_held_outside_finds_what_a_stolen_key_rewrote() {
    let house = House::lived_in();
    let anchor = Anchor(house.checkpoint().unwrap());
    let text = anchor.to_string();
    assert!(text.len() <= 255, "{} octets", text.len());
    assert_eq!(format!("\"{text}\"").parse::<Anchor>().unwrap(), anchor, "as dig prints it");
    for odd in ["", "v=gapura2 n=1", "v=gapura1", "v=gapura1 n=x h=0", "v=gapura1 n"] {
        assert!(odd.parse::<Anchor>().is_err(), "{odd}");
    }
    let key = house.notary.public_key();
    let report =
        verify(&Export::parse(&house.text()).unwrap(), Some(&key), std::slice::from_ref(&anchor));
    assert_eq!((report.is_good(), report.anchored_to), (true, Some(4)));
    // The same key signs another history: every signature is good, the anchor is not.
    let thief = House::new();
    for file in ["audit.key", "personal.key"] {
        std::fs::copy(house.dir.path().join(file), thief.dir.path().join(file)).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(house.dir.path().join("audit.key"), dir.path().join("audit.key")).unwrap();
    let store = Store::open(dir.path()).unwrap();
    let notary = Notary::open(dir.path(), &store, START).unwrap();
    let thief = House { store, notary, dir, ..thief };
    for act in ["submit", "dispose", "reject", "close"] {
        thief.append(act, None, &[]);
    }
    thief.checkpoint();
    let export = Export::parse(&thief.text()).unwrap();
    good(&verify(&export, Some(&key), &[]));
    bad(&verify(&export, Some(&key), &[anchor]), 4, "the anchor signed another head");
}

//------------ Keys ----------------------------------------------------------

#[test]
fn a_new_key_is_on_record_and_old_and_new_verify_the_whole_chain() {
    let house = House::lived_in();
    let old = house.notary.public_key();
    let row = house.notary.rotate(&house.store, START + 1, "console", "admin").unwrap();
    assert_eq!(row.public, house.notary.public_key());
    assert_ne!(row.public, old);
    let rotated = house.store.read::<_, StoreError>(|reader| reader.events_after(4, 9)).unwrap();
    assert_eq!(rotated.len(), 1);
    let event = &rotated[0];
    assert_eq!((event.act.as_str(), event.person.as_str()), ("audit_key_rotated", "console"));
    assert_eq!(event.after.as_ref(), Some(&row.key_id));
    // The new key speaks for what the old one signed, from the first moment on.
    good(&house.verify());
    good(&house.verify_own());
    house.append("close", Some("closed"), &[]);
    house.checkpoint();
    let newest = house.notary.rotate(&house.store, START + 2, "console", "admin").unwrap();
    house.append("check", None, &[]);
    house.checkpoint();
    let export = Export::parse(&house.text()).unwrap();
    for key in [Some(old.as_str()), Some(&row.public), Some(&newest.public), None] {
        let report = verify(&export, key, &[]);
        good(&report);
        assert_eq!(report.signed_to, Some(8));
    }
    // After a restart the newest key signs.
    let again = Notary::open(house.dir.path(), &house.store, START).unwrap();
    assert_eq!(again.public_key(), newest.public);
    good(&house.verify_own());
}

#[test]
fn a_key_that_only_says_it_came_before_ours_signs_nothing() {
    let house = House::lived_in();
    // A stranger writes another history, signs its heads, and signs our key's row as a successor.
    let stranger = House::new();
    for act in ["submit", "dispose", "approve"] {
        stranger.append(act, None, &[]);
    }
    stranger.checkpoint();
    stranger.append("promote", None, &[]);
    stranger.checkpoint();
    let ours = house.store.read::<_, StoreError>(|reader| reader.audit_keys()).unwrap();
    let row = stranger.notary.vouch(&ours[0]);
    stranger.store.write::<_, StoreError>(|tx| tx.put_audit_key(&row)).unwrap();
    let export = Export::parse(&stranger.text()).unwrap();
    let report = verify(&export, Some(&house.notary.public_key()), &[]);
    assert_eq!(report.signed_to, None);
    bad(&report, 3, "unknown key");
}

#[test]
fn a_key_that_was_replaced_signs_no_more() {
    let house = House::lived_in();
    let old = house.dir.path().join("old.key");
    std::fs::copy(house.dir.path().join("audit.key"), &old).unwrap();
    house.notary.rotate(&house.store, START, "console", "admin").unwrap();
    house.append("close", Some("closed"), &[]);
    house.checkpoint();
    good(&house.verify());
    // Whoever kept the old key appends an event and signs it.
    let event = house.append("promote", Some("live"), &[]);
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(&old, dir.path().join("audit.key")).unwrap();
    let thief = Store::open(dir.path()).unwrap();
    let notary = Notary::open(dir.path(), &thief, START).unwrap();
    let point = thief.write::<_, StoreError>(|tx| {
        let events = house.store.read::<_, StoreError>(|reader| reader.events_after(0, 99))?;
        events.iter().try_for_each(|event| tx.put_event(event))?;
        notary.checkpoint(tx, START)
    });
    let point = point.unwrap().unwrap();
    house.store.write::<_, StoreError>(|tx| tx.put_checkpoint(&point)).unwrap();
    bad(&house.verify(), event.sequence, "which was replaced before");
}

#[test]
fn a_crash_during_a_rotation_leaves_one_key_in_force() {
    let house = House::lived_in();
    let key = house.notary.public_key();
    let next = house.dir.path().join("audit.key-next");
    let other = House::new();
    // The next key was written, its row was not: the old one stays.
    std::fs::copy(other.dir.path().join("audit.key"), &next).unwrap();
    let reopened = Notary::open(house.dir.path(), &house.store, START).unwrap();
    assert_eq!((reopened.public_key(), next.exists()), (key, false));
    // The row was committed, the file not yet renamed: the new one signs.
    let row = house.notary.rotate(&house.store, START, "console", "admin").unwrap();
    let path = house.dir.path().join("audit.key");
    std::fs::rename(&path, &next).unwrap();
    std::fs::copy(other.dir.path().join("audit.key"), &path).unwrap();
    let reopened = Notary::open(house.dir.path(), &house.store, START).unwrap();
    assert_eq!((reopened.public_key(), next.exists()), (row.public, false));
    // A key file from elsewhere is refused with both ids.
    std::fs::copy(other.dir.path().join("audit.key"), &path).unwrap();
    let refused = Notary::open(house.dir.path(), &house.store, START).err().unwrap();
    assert!(matches!(refused, AuditError::OtherKey { .. }), "{refused}");
}

#[test]
fn rotations_at_once_come_one_after_the_other() {
    let house = House::lived_in();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                house.notary.rotate(&house.store, START, "console", "admin").unwrap();
                house.append("check", None, &[]);
                house.checkpoint();
            });
        }
    });
    good(&house.verify());
    let again = Notary::open(house.dir.path(), &house.store, START).unwrap();
    assert_eq!(again.public_key(), house.notary.public_key());
}

//------------ Personal values -----------------------------------------------

#[test]
fn a_sealed_value_opens_with_its_key_in_its_place_only() {
    let house = House::new();
    let sealed = house.vault.commit("email", "desa@example.id").unwrap();
    let open = |vault: &Vault, field: &str, commitment: &str, blob: &[u8]| {
        vault.open_commitment(field, commitment, blob)
    };
    let value = open(&house.vault, "email", &sealed.commitment, &sealed.blob).unwrap();
    assert_eq!(value.as_deref(), Some("desa@example.id"));
    assert!(open(&house.vault, "name", &sealed.commitment, &sealed.blob).is_err(), "other field");
    let other = house.vault.commit("email", "desa@example.id").unwrap();
    assert_ne!(other.commitment, sealed.commitment, "a salt of its own");
    assert_eq!(open(&house.vault, "email", &other.commitment, &sealed.blob).unwrap(), None);
    assert!(open(&House::new().vault, "email", &sealed.commitment, &sealed.blob).is_err());
    let mut damaged = sealed.blob.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert!(open(&house.vault, "email", &sealed.commitment, &damaged).is_err());
    assert!(house.vault.unseal("x", &[1, 2, 3]).is_err());
}

#[test]
fn a_value_is_erased_by_an_event_or_it_is_missing() {
    let house = House::lived_in();
    // Lawfully: an event names the value, and the commitment stays.
    let erase = NewEvent::new(START, "p-1", "admin", Deed::Erase, "request:GPR-1");
    let erase = erase.with("values", "1:email").with("ground", "withdrawn");
    house
        .store
        .write::<_, StoreError>(|tx| {
            let event = append(tx, erase)?;
            tx.erase_personal(1, "email", event.sequence)?;
            house.notary.checkpoint(tx, START)
        })
        .unwrap();
    let report = house.verify_own();
    good(&report);
    assert_eq!(report.erased, 1);
    good(&house.verify());
    // The same row without the event that says so.
    house.store.tamper("UPDATE erased SET by_event = 4");
    bad(&house.verify(), 1, "no event 4 says it was erased");

    let house = House::lived_in();
    house.store.tamper("DELETE FROM personal");
    bad(&house.verify_own(), 1, "the value of email is gone without an erasure");
    let house = House::lived_in();
    let other = house.vault.commit("email", "lain@example.id").unwrap();
    let hex = crate::digest::hex(&other.blob);
    house.store.tamper(&format!("UPDATE personal SET sealed = x'{hex}'"));
    bad(&house.verify_own(), 1, "the value of email is not the one committed to");
}

//------------ The tables beside it ------------------------------------------

#[test]
fn a_row_that_no_event_left_so_is_found() {
    let house = House::new();
    let person = |role| PersonRow::of_role("9", role, 0);
    let added = NewEvent::new(START, "console", "admin", Deed::AccountAdded, "person:p-9");
    house
        .store
        .write::<_, StoreError>(|tx| {
            tx.put_person(&person(Role::Verifier))?;
            append(tx, added.with("role", "kasi"))
        })
        .unwrap();
    good(&house.verify_own());
    house.store.tamper("UPDATE person SET role = 'admin'");
    bad(&house.verify_own(), 1, "person:p-9");
    house.store.tamper("DELETE FROM person");
    bad(&house.verify_own(), 1, "person:p-9 is gone");
    let house = House::lived_in();
    house.store.write::<_, StoreError>(|tx| tx.put_person(&person(Role::Operator))).unwrap();
    bad(&house.verify_own(), 5, "no event accounts for person:p-9");
}

#[test]
fn the_payload_is_hashed_by_keys_and_values_with_their_lengths() {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let hash = |pairs: &[(&str, &str)]| chain::payload_hash(&map(pairs));
    assert_ne!(hash(&[("ab", "c")]), hash(&[("a", "bc")]));
    assert_ne!(hash(&[("a", "b"), ("c", "d")]), hash(&[("a", "bcd")]));
    assert_eq!(hash(&[("a", "1"), ("b", "2")]), hash(&[("b", "2"), ("a", "1")]));
}

#[test]
fn a_pipe_in_the_place_of_a_key_is_no_key_and_nobody_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    crate::testing::make_pipe(&dir.path().join("personal.key"));
    assert!(matches!(Vault::inspect(dir.path()), Err(AuditError::KeyFile { .. })));
    assert!(matches!(Vault::open(dir.path()), Err(AuditError::KeyFile { .. })));
}

#[test]
fn a_database_that_cannot_be_used_at_present_is_no_sign_of_tampering() {
    let house = House::lived_in();
    let full = StoreError::injected(std::io::ErrorKind::StorageFull.into());
    let mut report = house.verify_own();
    report.read::<Vec<i64>>("event", Err(full));
    good(&report);
    assert!(report.interrupted.is_some_and(|why| why.contains("event")));
}
