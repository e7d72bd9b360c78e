//! The state on disk, the names of keys, the sense of policies.

use super::super::{
    Arrangement, Cds, KeyId, KeySet, Parent, Policy, PolicyFault, Refusal, Role, StateError,
};
use super::{dnskey, first_keys, policy};
use crate::dnssec::Algorithm;

#[test]
fn a_zone_begins_with_the_keys_of_its_policy() {
    for (arrangement, roles) in
        [(Arrangement::Csk, vec![Role::Csk]), (Arrangement::KskZsk, vec![Role::Ksk, Role::Zsk])]
    {
        let policy = policy(arrangement);
        let set = KeySet::begin(first_keys(&policy), &policy, 100).unwrap();
        let found: Vec<Role> = set.keys().iter().map(|key| key.role).collect();
        let ids: Vec<KeyId> = set.keys().iter().map(|key| key.id).collect();
        assert_eq!((found, set.parent()), (roles, (Parent::Introducing, 100)));
        assert_eq!(set.published(), ids);
        assert_eq!(set.key_signers(), ids[..1]);
        assert_eq!(set.zone_signers(), ids[ids.len() - 1..]);
        assert_eq!(set.cds(&policy), Cds::None);
        assert_eq!(set.ds_wanted(), ids[..1]);
    }
}

#[test]
fn imported_keys_must_fit_together() {
    let policy = policy(Arrangement::Csk);
    let begin = |keys| KeySet::begin(keys, &policy, 0);
    let zsk = dnskey(Role::Zsk, Algorithm::Ed25519, 1);
    let ksk = dnskey(Role::Ksk, Algorithm::Ed25519, 2);
    let other = dnskey(Role::Ksk, Algorithm::EcdsaP256Sha256, 3);
    assert_eq!(begin(vec![zsk.clone()]), Err(Refusal::NoEntryKey));
    let two = begin(vec![zsk.clone(), other]);
    assert_eq!(two, Err(Refusal::TwoAlgorithms(Algorithm::EcdsaP256Sha256)));
    assert_eq!(begin(vec![ksk.clone(), ksk.clone()]), Err(Refusal::SameTag(ksk.tag())));
    let set = begin(vec![zsk.clone(), ksk.clone()]).unwrap();
    assert_eq!(set.key_signers(), [KeyId::of(&ksk)]);
    assert_eq!(set.zone_signers(), [KeyId::of(&zsk)]);
}

#[test]
fn what_is_kept_reads_back_and_what_is_damaged_is_refused() {
    let policy = policy(Arrangement::KskZsk);
    let set = KeySet::begin(first_keys(&policy), &policy, 100).unwrap();
    let text = set.write().unwrap();
    assert_eq!(KeySet::read(&text).unwrap(), set);
    let later = text.replacen("\"version\":1", "\"version\":1,\"from_the_future\":{\"a\":1}", 1);
    assert_eq!(KeySet::read(&later).unwrap(), set);
    let newer = text.replacen("\"version\":1", "\"version\":2", 1);
    assert!(matches!(KeySet::read(&newer), Err(StateError::Newer(2))));
    // The ZSK of another zone in its track.
    let stranger = KeyId::of(&dnskey(Role::Zsk, Algorithm::EcdsaP256Sha256, 9)).to_string();
    let id = set.zone_signers()[0].to_string();
    let at = text.rfind(&id).unwrap();
    let other = format!("{}{stranger}{}", &text[..at], &text[at + id.len()..]);
    assert!(matches!(KeySet::read(&other), Err(StateError::NoKey(_))), "{other}");
    let other = text.replacen(&id, &stranger, 1);
    assert!(matches!(KeySet::read(&other), Err(StateError::OtherKey(_))), "{other}");
    assert!(matches!(KeySet::read(&text[1..]), Err(StateError::Text(_))));
}

#[test]
fn a_state_of_before_there_were_rolls_opens() {
    let key = dnskey(Role::Csk, Algorithm::EcdsaP256Sha256, 1);
    let (id, rdata) = (KeyId::of(&key), crate::digest::hex(&key.rdata()));
    let text = format!(
        "{{\"version\":1,\"keys\":[{{\"id\":\"{id}\",\"role\":\"csk\",\"rdata\":\"{rdata}\",\"since\":5}}],\
         \"entry\":{{\"keys\":[\"{id}\"],\"since\":5}},\"zone\":{{\"keys\":[\"{id}\"],\"since\":5}},\
         \"parent\":\"secure\",\"parent_since\":9}}"
    );
    let set = KeySet::read(&text).unwrap();
    assert_eq!((set.published(), set.parent()), (vec![id], (Parent::Secure, 9)));
}

#[test]
fn a_key_has_one_name() {
    let id = KeyId::of(&dnskey(Role::Zsk, Algorithm::Ed25519, 1));
    let text = id.to_string();
    assert_eq!(text.parse::<KeyId>().unwrap(), id);
    assert_eq!(text.split('+').map(str::len).collect::<Vec<_>>(), [2, 5, 64]);
    for wrong in
        ["", "15", "15+1", &text[1..], &text.replacen("15+", "15+0", 1), &format!("{text}0")]
    {
        assert!(wrong.parse::<KeyId>().is_err(), "{wrong}");
    }
}

#[test]
fn a_policy_without_sense_is_told_with_its_numbers() {
    let day = 86_400;
    assert_eq!(Policy::default().check(day), []);
    assert_eq!(Policy::default().check(0), []);
    let late = Policy::default().check(7 * day);
    assert_eq!(
        late,
        [PolicyFault::TooLate { refresh_s: 7 * day, ttl: 7 * day, propagation_s: 3_600 }]
    );
    assert!(late[0].to_string().contains("604800 s"), "{}", late[0]);
    let policy = Policy { refresh_s: 14 * day, ..Policy::default() };
    assert!(matches!(policy.check(0)[..], [PolicyFault::Refresh { .. }]));
    let policy = Policy { lifetime_s: u32::MAX, ..Policy::default() };
    assert!(matches!(policy.check(0)[..], [PolicyFault::Lifetime { .. }]));
    let often = Policy { zsk_s: 14_400, ksk_s: 14_400, ..Policy::default() };
    let faults = often.check(0);
    assert!(
        matches!(faults[..], [PolicyFault::TooOften { setting: "ksk_days", .. }]),
        "{faults:?}"
    );
    let both = Policy { arrangement: Arrangement::KskZsk, ..often };
    assert_eq!(both.check(0).len(), 2);
    let bare = Policy { zsk_s: 14_401, ksk_s: 0, ..both };
    assert_eq!(bare.check(0), []);
}
