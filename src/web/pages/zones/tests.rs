//! What the page says of secondary zones and catalogs, and of signed zones.

use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::dnssec::KeyPair;
use crate::publish::{Options, Publisher, SigningState, ZoneSource};
use crate::rollover::{Act, Command, Facts, KeySet, KeyState, Next, Parent, Policy, Role};
use crate::store::Store;
use crate::words::Lang;

/// What is known of a zone that has no version yet.
fn status_of(source: ZoneSource) -> ZoneStatus {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let opened = Publisher::open(store, vec![source], Options::new(dir.path()));
    opened.unwrap().0.status().remove(0)
}

/// The value under a label.
fn fact<'a>(part: &'a ZonePart, label: &str) -> Option<&'a str> {
    part.facts.iter().find(|(name, _)| name == label).map(|(_, value)| value.as_str())
}

#[test]
fn a_secondary_zone_says_when_it_is_tried_again_and_how_long_it_is_served() {
    let apex = "example.".parse().unwrap();
    let status = status_of(ZoneSource::secondary(apex, vec!["pusat".to_owned()]));
    let refresh = RefreshStatus {
        primary: None,
        next_try_seconds: Some(125),
        expires_seconds: Some(86_400 * 6 + 3_600 * 3 + 59),
        error: Some("192.0.2.1: refused".to_owned()),
        failing_since: None,
        passed_over: None,
    };
    let part = zone_part(Words::of(Lang::Id), &status, Some(&refresh));
    assert_eq!(fact(&part, "Percobaan berikutnya"), Some("2 menit 5 detik lagi"));
    assert_eq!(fact(&part, "Tetap dilayani tanpa kabar selama"), Some("6 hari 3 jam"));
    assert_eq!(fact(&part, "Kesalahan terakhir"), Some("192.0.2.1: refused"));
    assert!(part.refused_what.starts_with("Hasil transfer"), "{}", part.refused_what);
    assert_eq!((fact(&part, "Berkas"), fact(&part, "Dari permohonan")), (None, None));
    let now =
        RefreshStatus { next_try_seconds: None, expires_seconds: None, error: None, ..refresh };
    let part = zone_part(Words::of(Lang::En), &status, Some(&now));
    assert_eq!(fact(&part, "Next try"), Some("A primary server is being asked now"));
    assert_eq!(fact(&part, "Last error"), None);
}

#[test]
fn a_catalog_of_ours_has_no_file() {
    let apex = "catalog.example.".parse().unwrap();
    let mut status = status_of(ZoneSource::secondary(apex, vec!["pusat".to_owned()]));
    (status.primaries, status.file) = (Vec::new(), PathBuf::new());
    let part = zone_part(Words::of(Lang::En), &status, None);
    assert_eq!(fact(&part, "Source"), Some("The settings; gapura makes this catalog zone"));
    assert_eq!((fact(&part, "File"), fact(&part, "Serial in the file")), (None, None));
}

#[test]
fn what_updates_put_up_is_counted_apart() {
    let apex = "example.".parse().unwrap();
    let status = status_of(ZoneSource::new(apex, "/nonexistent"));
    let status = ZoneStatus { promoted: Some(5), by_updates: 2, ..status };
    let part = zone_part(Words::of(Lang::En), &status, None);
    assert_eq!(fact(&part, "From requests"), Some("3"));
    assert_eq!(fact(&part, "From updates (RFC 2136)"), Some("2"));
    assert!(part.refused_what.starts_with("The zone file"), "{}", part.refused_what);
}

//------------ Signing -------------------------------------------------------

/// A zone that was signed a while ago, with the machine's own view of it.
fn signed(policy: Policy, since: u64) -> SigningState {
    let keys = KeySet::needed(&policy).into_iter().map(|need| {
        KeyPair::generate(need.algorithm, need.role.flags()).unwrap().0.dnskey().clone()
    });
    let set = KeySet::begin(keys.collect(), &policy, since).unwrap();
    let policy = Arc::new(policy);
    SigningState {
        wanted: Some(Arc::clone(&policy)),
        current: Some((policy, set)),
        served: None,
        missing: Vec::new(),
        first_end: None,
    }
}

/// The zone one step further, at a time.
fn stepped(mut state: SigningState, facts: &Facts, now: u64) -> SigningState {
    let (policy, keys) = state.current.take().unwrap();
    let mut keys = keys;
    while let Next::Step(step) = keys.next(&policy, facts, now) {
        keys = step.set;
    }
    state.current = Some((policy, keys));
    state
}

#[test]
fn a_signed_zone_says_what_happens_next_and_which_line_goes_to_the_registry() {
    let zone: Name = "cirebonkab.go.id.".parse().unwrap();
    let (begun, t) = (1_800_000_000, Words::of(Lang::Id));
    let facts = Facts { max_zone_ttl: 3_600, ..Facts::default() };
    let state = stepped(signed(Policy::default(), begun), &facts, begun);
    let part =
        |state: &SigningState, now| signing::part(t, (&zone, state), (&facts, &[]), now).unwrap();
    let early = part(&state, begun + 60);
    assert!(early.lines.is_empty() && early.ask.is_empty(), "no DS before caches are ready");
    assert!(
        early.waits[0].contains("sampai") && early.waits[0].contains("lagi"),
        "{:?}",
        early.waits
    );
    assert_eq!(early.keys[0][0], "CSK (menandatangani semuanya)");

    let later = begun + 8_000;
    let state = stepped(state, &facts, later);
    let wanted = part(&state, later);
    let (_, keys) = state.current.as_ref().unwrap();
    let tag = keys.keys()[0].id.tag;
    assert_eq!(wanted.lines, state.ds_lines(&zone));
    assert!(
        wanted.lines[0].starts_with(&format!("cirebonkab.go.id. 86400 IN DS {tag} 13 2 ")),
        "{:?}",
        wanted.lines
    );
    assert!(wanted.ask.contains("PANDI"), "{}", wanted.ask);
    assert!(wanted.waits[0].contains(&tag.to_string()), "{:?}", wanted.waits);
    assert!(
        wanted.waits[0].contains("gapura key ds-seen"),
        "nobody can be asked: {:?}",
        wanted.waits
    );

    // The settings want it unsigned: the signatures stay, and the registry is to be asked.
    let (policy, keys) = state.current.clone().unwrap();
    let keys = keys.command(Command::GoUnsigned, &policy, &facts, later).unwrap();
    let leaving = SigningState { wanted: None, current: Some((policy, keys)), ..state };
    let leaving = part(&leaving, later);
    assert!(
        leaving.lines.is_empty() && leaving.ask.contains("menghapus semua rekaman DS"),
        "{}",
        leaving.ask
    );
    assert!(
        leaving.facts.iter().any(|(_, value)| value.contains("tetap ada sampai rekaman DS hilang"))
    );
}

#[test]
fn every_state_of_keys_has_words_in_both_languages() {
    let parents = [
        Parent::Introducing,
        Parent::Wanted,
        Parent::Secure,
        Parent::Leaving,
        Parent::Expiring,
        Parent::Unsigned,
    ];
    let states = [
        KeyState::Removed,
        KeyState::Presigning,
        KeyState::Published,
        KeyState::Retiring,
        KeyState::Ready,
        KeyState::Active,
    ];
    let mut ids: Vec<String> = parents.map(|it| format!("zones-parent-{}", it.word())).into();
    ids.extend(states.map(|it| format!("zones-key-{}", it.word())));
    ids.extend([Role::Csk, Role::Ksk, Role::Zsk].map(|it| format!("zones-role-{}", it.word())));
    ids.extend(Act::ALL.map(|it| format!("zones-step-{}", it.word())));
    for lang in [Lang::Id, Lang::En] {
        let missing: Vec<&String> = ids.iter().filter(|id| !Words::of(lang).has(id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn every_cause_of_a_change_has_its_words() {
    for t in [Lang::Id, Lang::En].map(Words::of) {
        for kind in crate::publish::Cause::KINDS {
            assert!(t.has(&format!("cause-{kind}")), "{kind}");
        }
    }
}
