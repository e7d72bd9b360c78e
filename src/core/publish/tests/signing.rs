//! Zones that gapura signs: each change of any cause is one serial with its signatures, and restarts, lost
//! databases and wrong clocks neither lose keys nor serve what does not validate.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::check;
use crate::dnssec::{Algorithm, Denial, KSK, KeyPair};
use crate::keystore::Keystore;
use crate::rollover::{Arrangement, Command, Facts, KeySet, Policy, Refusal};
use crate::sign::is_proof;
use crate::text::with_causes;
use crate::zone::Delta;

/// What the clock of these tests is ahead of the system's, in milliseconds, by thread.
static AHEAD_MS: AtomicI64 = AtomicI64::new(0);

/// The clock of a test that sets it.
fn clock() -> i64 {
    now_ms() + AHEAD_MS.load(Ordering::SeqCst)
}

impl House {
    /// The one zone, signed by a policy or not at all.
    fn signed_by(&self, policy: Option<Policy>) -> ZoneSource {
        ZoneSource { signing: policy.map(Arc::new), ..ZoneSource::new(apex(), self.file()) }
    }

    /// Opens the publisher on a source.
    fn opened_on(&self, source: ZoneSource, options: Options) -> Publisher {
        let store = Store::open(&self.state()).unwrap();
        let (publisher, reports) = Publisher::open(store, vec![source], options).unwrap();
        assert!(reports.iter().all(ReloadReport::is_ok), "{}", reports[0]);
        publisher
    }

    /// Opens the publisher on the one zone, and signs it if it is not.
    fn signed(&self, policy: &Policy) -> Publisher {
        let publisher = self.opened_on(self.signed_by(Some(policy.clone())), self.options());
        publisher.begin_signing(&apex(), "gapura").unwrap();
        publisher
    }
}

/// Both kinds of denial.
fn policies() -> [Policy; 2] {
    let nsec3 = Policy { denial: Denial::Nsec3, ..Policy::default() };
    [Policy::default(), nsec3]
}

/// What is served validates as a whole, and its content has no proofs.
#[track_caller]
fn validates(publisher: &Publisher) {
    let zone = live(publisher);
    assert!(zone.is_signed());
    let seconds = u32::try_from(now_ms() / 1000).unwrap();
    let faults = check::zone(&zone, &[], seconds);
    assert!(faults.is_empty(), "{faults:#?}");
    let content = publisher.content(&apex()).unwrap();
    assert!(!content.is_signed());
    assert_eq!(content.serial(), zone.serial());
    assert!(content.records().all(|record| !is_proof(record.rtype)));
}

/// The newest change leads from `before` to what is live, signatures and all. Returns how many were made.
#[track_caller]
fn one_change(publisher: &Publisher, before: &Zone) -> usize {
    let zone = live(publisher);
    let history = publisher.history(&apex(), 1).unwrap().remove(0);
    assert_eq!((history.from, history.to), (Some(before.serial()), zone.serial()));
    let delta = publisher.diff(&apex(), before.serial(), zone.serial()).unwrap();
    assert_eq!(delta, before.diff(&zone));
    delta.added.iter().filter(|record| record.rtype == Rtype::RRSIG).count()
}

#[test]
fn each_change_of_any_cause_is_one_serial_with_its_signatures() {
    for policy in policies() {
        let house = House::new(ZONE);
        let publisher = house.signed(&policy);
        validates(&publisher);
        assert_eq!(live(&publisher).serial(), 11, "the file's content first, then signed");
        assert!(publisher.begin_signing(&apex(), "gapura").unwrap().is_none());
        assert!(matches!(reload(&publisher).outcome, Outcome::Unchanged { .. }));

        let before = live(&publisher);
        let set = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
        promote(&publisher, "1", set).unwrap();
        validates(&publisher);
        let made = one_change(&publisher, &before);
        assert!((4..=6).contains(&made), "{made} signatures for one name, {:?}", policy.denial);

        let before = live(&publisher);
        house.write(&(ZONE.to_owned() + "plus A 192.0.2.8\n"));
        assert!(reload(&publisher).is_ok());
        validates(&publisher);
        one_change(&publisher, &before);

        let before = live(&publisher);
        promote(&publisher, "2", vec![rrset("a.wild.example.", Rtype::A, &[])]).unwrap();
        validates(&publisher);
        one_change(&publisher, &before);

        let before = live(&publisher);
        publisher.rollback(&apex(), 11, "budi").unwrap();
        assert_eq!(at(&live(&publisher), "plus.example.", Rtype::A), [""; 0]);
        assert_eq!(at(&live(&publisher), "new.example.", Rtype::A), ["192.0.2.7"]);
        validates(&publisher);
        one_change(&publisher, &before);
    }
}

#[test]
fn a_restart_serves_the_very_same_signatures() {
    for policy in policies() {
        let house = House::new(ZONE);
        let publisher = house.signed(&policy);
        promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
        let (zone, content) = (live(&publisher), publisher.content(&apex()).unwrap());
        house.close(publisher);
        let publisher = house.opened_on(house.signed_by(Some(policy)), house.options());
        assert!(live(&publisher).diff(&zone).is_empty());
        assert!(publisher.content(&apex()).unwrap().diff(&content).is_empty());
        validates(&publisher);
        assert!(publisher.begin_signing(&apex(), "gapura").unwrap().is_none(), "once is enough");
        // An edit while the daemon was off.
        house.close(publisher);
        house.write(&(ZONE.to_owned() + "off A 192.0.2.9\n"));
        let publisher = house.opened_on(house.signed_by(Some(Policy::default())), house.options());
        assert_eq!(at(&live(&publisher), "off.example.", Rtype::A), ["192.0.2.9"]);
        validates(&publisher);
    }
}

#[test]
fn a_lost_database_forgets_no_key() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    let (zone, keys) = (live(&publisher), at(&live(&publisher), "example.", Rtype::DNSKEY));
    house.close(publisher);
    // One that stands in serves what was served, and signs what changes.
    let options = Options { is_stand_in: true, ..house.options() };
    let sources = vec![house.signed_by(Some(Policy::default()))];
    let store = Store::in_memory().unwrap();
    Publisher::take_in_derived(&store, &sources, &options).unwrap();
    let (publisher, _) = Publisher::open(store, sources, options).unwrap();
    assert!(live(&publisher).diff(&zone).is_empty());
    house.write(&(ZONE.to_owned() + "plus A 192.0.2.8\n"));
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "plus.example.", Rtype::A), ["192.0.2.8"]);
    validates(&publisher);
    house.close(publisher);
    // An empty one begins with the same keys.
    for file in fs::read_dir(house.state()).unwrap().map(|entry| entry.unwrap().path()) {
        if file.file_name().unwrap().to_str().unwrap().starts_with("gapura.db") {
            fs::remove_file(file).unwrap();
        }
    }
    let publisher = house.signed(&Policy::default());
    assert_eq!(at(&live(&publisher), "example.", Rtype::DNSKEY), keys);
    validates(&publisher);
}

#[test]
fn a_zone_without_its_private_key_is_served_as_it_was() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let zone = live(&publisher);
    house.close(publisher);
    let keys = house.state().join("keys").join("example");
    let aside = house.directory.path().join("aside");
    fs::rename(&keys, &aside).unwrap();
    house.write(&(ZONE.to_owned() + "plus A 192.0.2.8\n"));
    let store = Store::open(&house.state()).unwrap();
    let sources = vec![house.signed_by(Some(Policy::default()))];
    let (publisher, reports) = Publisher::open(store, sources, house.options()).unwrap();
    assert_eq!(refused_by(&reports[0]), Guard::Signing);
    assert!(live(&publisher).diff(&zone).is_empty());
    let set = vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
    let refused = promote(&publisher, "1", set).unwrap_err();
    assert!(matches!(refused, PublishError::KeyMissing { .. }), "{refused}");
    assert!(!publisher.signing(&apex()).unwrap().missing.is_empty());
    // Put back, it signs again.
    fs::rename(&aside, &keys).unwrap();
    assert_eq!(publisher.look_for_keys(&apex()).unwrap(), [""; 0]);
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "plus.example.", Rtype::A), ["192.0.2.8"]);
    validates(&publisher);
}

#[test]
fn an_imported_key_that_cannot_be_used_is_not_replaced_by_a_new_one() {
    let house = House::new(ZONE);
    let source = house.signed_by(Some(Policy::default()));
    let publisher = house.opened_on(source, house.options());
    let store = Keystore::new(&house.state());
    let (pair, private) = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap();
    store.store(&apex(), &pair, &private).unwrap();
    let path = store.path(&apex(), pair.dnskey());
    let allow = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    allow(0o644);
    let refused = with_causes(&publisher.begin_signing(&apex(), "gapura").unwrap_err());
    assert!(refused.contains("0600") && refused.contains(path.to_str().unwrap()), "{refused}");
    assert!(!live(&publisher).is_signed());
    assert_eq!(fs::read_dir(store.directory(&apex())).unwrap().count(), 1);
    allow(0o600);
    publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
    validates(&publisher);
    let keys = live(&publisher);
    let keys = keys.rrset(keys.apex(), Rtype::DNSKEY).unwrap();
    assert_eq!(keys.rdatas().collect::<Vec<_>>(), [&*pair.dnskey().rdata()]);
}

#[test]
fn a_clock_before_the_newest_signature_signs_nothing() {
    let house = House::new(ZONE);
    let source = house.signed_by(Some(Policy::default()));
    let publisher = house.opened_on(source, Options { now_ms: clock, ..house.options() });
    publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
    let zone = live(&publisher);
    AHEAD_MS.store(-3_600_000, Ordering::SeqCst);
    let set = || vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])];
    let refused = promote(&publisher, "1", set()).unwrap_err();
    assert!(matches!(refused, PublishError::Clock { .. }), "{refused}");
    assert!(live(&publisher).diff(&zone).is_empty());
    AHEAD_MS.store(0, Ordering::SeqCst);
    promote(&publisher, "1", set()).unwrap();
    validates(&publisher);
    // Signed by a clock that was ahead: nobody believes that yet, and somebody must hear of it.
    let warned = |rule| {
        let status = publisher.status().remove(0);
        status.warnings.iter().any(|finding| finding.rule == rule && finding.is_error())
    };
    AHEAD_MS.store(7 * 3_600_000, Ordering::SeqCst);
    promote(&publisher, "2", vec![rrset("late.example.", Rtype::A, &["192.0.2.8"])]).unwrap();
    assert!(!warned("signature-future"));
    AHEAD_MS.store(0, Ordering::SeqCst);
    assert!(warned("signature-future"));
}

/// The keys that the copy beside their files tells of.
fn copied_keys(house: &House) -> KeySet {
    let text = fs::read_to_string(house.state().join("keys/example/keyset.json")).unwrap();
    let row: serde_json::Value = serde_json::from_str(&text).unwrap();
    KeySet::read(row["key_set"].as_str().unwrap()).unwrap()
}

/// Asks for a roll, which makes another state of the keys.
fn ask_for_a_roll(publisher: &Publisher) {
    let later = u64::try_from(now_ms() / 1000).unwrap() + 5;
    let rolled = publisher.change_keys(&apex(), ("csk", "budi"), |keys, policy| {
        keys.command(Command::Roll(None), policy, &Facts::default(), later)
    });
    rolled.unwrap().unwrap();
}

#[test]
fn a_first_signing_that_fails_leaves_no_key_behind() {
    // Validators have no room for this, so that it cannot be signed.
    let many: String =
        (0..2_400).map(|n| format!("many A 10.0.{}.{}\n", n / 250, n % 250)).collect();
    let house = House::new(&(ZONE.to_owned() + &many));
    let policy = Policy { arrangement: Arrangement::KskZsk, ..Policy::default() };
    let publisher = house.opened_on(house.signed_by(Some(policy)), house.options());
    assert!(publisher.begin_signing(&apex(), "gapura").is_err());
    let store = Keystore::new(&house.state());
    assert_eq!(store.list(&apex()).unwrap(), []);
    house.write(ZONE);
    assert!(publisher.reload(Some(&apex()), &forced("budi"))[0].is_ok());
    publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
    assert_eq!(store.list(&apex()).unwrap().len(), 2);
    validates(&publisher);
}

#[test]
fn a_copy_of_the_keys_that_could_not_be_written_is_written_when_it_can() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let copy = house.state().join("keys/example/keyset.json");
    let old = fs::read(&copy).unwrap();
    // A directory in its place fails as a full disk does.
    fs::remove_file(&copy).unwrap();
    fs::create_dir(&copy).unwrap();
    ask_for_a_roll(&publisher);
    let unkept = publisher.unkept().concat();
    assert!(unkept.contains("keyset.json") && !unkept.contains("cannot be signed"), "{unkept}");
    fs::remove_dir(&copy).unwrap();
    publisher.flush();
    assert_eq!(publisher.unkept(), [""; 0]);
    let keys = |publisher: &Publisher| publisher.signing(&apex()).unwrap().current.unwrap().1;
    assert_eq!(copied_keys(&house), keys(&publisher));
    // One that is older than the database is found at a start.
    house.close(publisher);
    fs::write(&copy, old).unwrap();
    let publisher = house.signed(&Policy::default());
    publisher.flush();
    assert_eq!(copied_keys(&house), keys(&publisher));
    assert_eq!(publisher.findings(), []);
}

#[test]
fn a_database_that_was_put_back_does_not_bring_old_keys_back() {
    let house = House::new(ZONE);
    let backup = house.directory.path().join("backup");
    let publisher = house.signed(&Policy::default());
    house.close(publisher);
    let databases = || {
        let files = fs::read_dir(house.state()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("gapura.db"))
    };
    fs::create_dir(&backup).unwrap();
    for file in databases() {
        fs::copy(&file, backup.join(file.file_name().unwrap())).unwrap();
    }
    // Something happens to the keys that the copy of the database does not know of; the clock was set back by then.
    let publisher = house.signed(&Policy::default());
    ask_for_a_roll(&publisher);
    let back = publisher.change_keys(&apex(), ("times", "gapura"), |keys, policy| {
        Ok::<_, Refusal>(keys.wait_again(policy, keys.touched() - 3_600))
    });
    back.unwrap().unwrap();
    let keys = |publisher: &Publisher| publisher.signing(&apex()).unwrap().current.unwrap().1;
    let newest = keys(&publisher);
    house.close(publisher);
    databases().for_each(|file| fs::remove_file(file).unwrap());
    for file in fs::read_dir(&backup).unwrap().map(|entry| entry.unwrap().path()) {
        fs::copy(&file, house.state().join(file.file_name().unwrap())).unwrap();
    }
    let publisher = house.signed(&Policy::default());
    assert_eq!(keys(&publisher), newest);
    assert!(publisher.findings().iter().any(|finding| finding.rule == "keys-restored"));
    promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    validates(&publisher);
}

#[test]
fn a_zone_that_is_signed_anew_has_newer_keys_than_all_that_are_kept() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let later = u64::try_from(now_ms() / 1000).unwrap() + 5;
    let unsigned = publisher.change_keys(&apex(), ("unsigned", "budi"), |keys, policy| {
        keys.command(Command::GoUnsigned, policy, &Facts::default(), later)
    });
    unsigned.unwrap().unwrap();
    publisher.flush();
    let old = copied_keys(&house);
    assert!(old.is_unsigned() && old.generation() > 0);
    publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
    let keys = publisher.signing(&apex()).unwrap().current.unwrap().1;
    assert!(keys.touched() < old.touched() && keys.generation() > old.generation());
    house.close(publisher);
    let publisher = house.signed(&Policy::default());
    assert_eq!(publisher.signing(&apex()).unwrap().current.unwrap().1, keys);
    assert_eq!(publisher.findings(), []);
}

#[test]
fn an_unsigned_file_does_not_replace_a_signed_version_without_keys() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let zone = live(&publisher);
    house.close(publisher);
    // Keys and database are lost: what is left is the copy that was served.
    fs::remove_dir_all(house.state().join("keys")).unwrap();
    let (publisher, reports) = stand_in(&house);
    assert!(reports.iter().any(|report| rules(report).contains(&"signatures-lost")));
    assert!(live(&publisher).diff(&zone).is_empty());
    let done = publisher.reload(Some(&apex()), &forced("budi")).remove(0);
    assert!(done.is_ok(), "somebody says that no parent has a DS: {done}");
    assert!(!live(&publisher).is_signed());
}

#[test]
fn proofs_that_are_left_in_an_unsigned_file_are_not_content() {
    let stray = "stray NSEC www.example. A\nx.gone NSEC www.example. A\n";
    for policy in policies() {
        let house = House::new(&(ZONE.to_owned() + stray));
        let publisher = house.signed(&policy);
        validates(&publisher);
        house.write(&(ZONE.to_owned() + stray + "plus A 192.0.2.8\n"));
        assert!(reload(&publisher).is_ok());
        validates(&publisher);
        let zone = live(&publisher);
        house.close(publisher);
        let publisher = house.opened_on(house.signed_by(Some(policy)), house.options());
        assert!(live(&publisher).diff(&zone).is_empty());
    }
}

#[test]
fn what_cannot_be_validated_is_not_signed() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let zone = live(&publisher);
    // More octets than a validator has room for, although it fits into a message.
    let many: String =
        (0..2_400).map(|n| format!("many A 10.0.{}.{}\n", n / 250, n % 250)).collect();
    house.write(&(ZONE.to_owned() + &many));
    assert_eq!(refused_by(&reload(&publisher)), Guard::Signing);
    // Undefined where it is unsigned, and no answer under it validates where it is signed.
    house.write(&(ZONE.to_owned() + "*.w NS ns1\n"));
    assert_eq!(refused_by(&reload(&publisher)), Guard::Check);
    assert!(live(&publisher).diff(&zone).is_empty());
}

#[test]
fn a_damaged_signed_version_is_signed_anew() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    {
        // As a damaged copy would be read: one link of the chain is gone.
        let slot = publisher.0.slot(&apex()).unwrap();
        let mut state = crate::lock::lock(&slot.state);
        let signed = state.signed.take().unwrap();
        let www = name("www.example.");
        let node = signed.node(www.as_ref()).unwrap();
        let removed = node.records().map(|record| record.to_record());
        let removed = removed.filter(|record| is_proof(record.rtype)).collect();
        state.signed = Some(signed.apply(&Delta { removed, added: Vec::new() }).unwrap());
    }
    promote(&publisher, "1", vec![rrset("x.www.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
    validates(&publisher);
    assert_eq!(at(&live(&publisher), "x.www.example.", Rtype::A), ["192.0.2.7"]);
}

#[test]
fn zonemd_holds_for_the_signed_zone() {
    for policy in policies() {
        let house = House::new(ZONE);
        let source = ZoneSource { zonemd: true, ..house.signed_by(Some(policy)) };
        let publisher = house.opened_on(source, house.options());
        publisher.begin_signing(&apex(), "gapura").unwrap().unwrap();
        let holds = |publisher: &Publisher| {
            let zone = live(publisher);
            validates(publisher);
            assert_eq!(zone.zonemd()[0].rdata[6..], *zone.digest(1, 1).unwrap());
            assert_eq!(zone.zonemd()[0].rdata[..4], zone.serial().to_be_bytes());
        };
        holds(&publisher);
        promote(&publisher, "1", vec![rrset("new.example.", Rtype::A, &["192.0.2.7"])]).unwrap();
        holds(&publisher);
        house.write(&(ZONE.to_owned() + "plus A 192.0.2.8\n"));
        assert!(reload(&publisher).is_ok());
        holds(&publisher);
    }
}

#[test]
fn keys_of_other_signers_stay_in_the_zone() {
    let other = "@ DNSKEY 256 3 13 \
        oJMRESz5E4gYzS/q6XDrvU1qMPYIjCWzJaOau8XNEZeqCYKD5ar0IRd8KqXXFJkqmVfRvMGPmM1x8fGAa2XhSA==\n";
    let house = House::new(&(ZONE.to_owned() + other));
    let publisher = house.signed(&Policy::default());
    assert_eq!(at(&live(&publisher), "example.", Rtype::DNSKEY).len(), 2);
    validates(&publisher);
    house.write(ZONE);
    assert!(reload(&publisher).is_ok());
    assert_eq!(at(&live(&publisher), "example.", Rtype::DNSKEY).len(), 1);
    validates(&publisher);
}

#[test]
fn no_update_makes_a_key_of_the_zone_its_content() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let update = |rtype, data: &str| {
        let set = vec![rrset("example.", rtype, &[data])];
        let cause = Cause::Update { key: "acme.".to_owned() };
        publisher
            .publish_decided(&apex(), (cause, "key:acme."), |_| Ok::<_, Infallible>(Edit { set }))
    };
    let own = at(&live(&publisher), "example.", Rtype::DNSKEY).remove(0);
    for (rtype, data) in [(Rtype::DNSKEY, &*own), (Rtype::CDNSKEY, &own), (Rtype::CDS, "0 0 0 00")]
    {
        let refused = update(rtype, data);
        assert!(
            matches!(&refused, Err(NotDecided::Door(PublishError::OfSigning { .. }))),
            "{rtype}: {refused:?}"
        );
    }
    let other = "256 3 13 \
        oJMRESz5E4gYzS/q6XDrvU1qMPYIjCWzJaOau8XNEZeqCYKD5ar0IRd8KqXXFJkqmVfRvMGPmM1x8fGAa2XhSA==";
    update(Rtype::DNSKEY, other).unwrap().unwrap();
    assert_eq!(at(&live(&publisher), "example.", Rtype::DNSKEY).len(), 2);
    validates(&publisher);
}

#[test]
fn a_step_of_a_roll_signs_what_follows_from_it() {
    let house = House::new(ZONE);
    let publisher = house.signed(&Policy::default());
    let same = publisher
        .change_keys(&apex(), ("nothing", "budi"), |keys, _| Ok::<_, Infallible>(keys.clone()));
    assert!(same.unwrap().is_none());
    // Another policy is a change of its own, and the chain with it.
    house.close(publisher);
    let nsec3 = Policy { denial: Denial::Nsec3, ..Policy::default() };
    let publisher = house.opened_on(house.signed_by(Some(nsec3)), house.options());
    let before = live(&publisher);
    let changed = publisher
        .change_keys(&apex(), ("policy", "gapura"), |keys, _| Ok::<_, Infallible>(keys.clone()));
    changed.unwrap().unwrap();
    validates(&publisher);
    one_change(&publisher, &before);
    let types: BTreeSet<Rtype> = live(&publisher).records().map(|it| it.rtype).collect();
    assert!(types.contains(&Rtype::NSEC3) && !types.contains(&Rtype::NSEC));
}
