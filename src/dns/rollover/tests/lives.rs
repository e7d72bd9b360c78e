//! Whole lives of zones, drawn by lot: at no moment a resolver that cannot validate.

use std::collections::BTreeMap;

use super::world::{Lie, World};

/// A year, in seconds.
const YEAR: u64 = 365 * 86_400;

/// Lives a life of ten years; what happened in it, and the first fault.
fn live(seed: u64, lie: Lie) -> (BTreeMap<String, u64>, Result<(), String>) {
    let mut world = World::new(seed, lie);
    let end = world.now + 10 * YEAR;
    let fault = world.live(end);
    (world.told, fault)
}

/// Thousands of years by hand: `GAPURA_LIVES=1000 cargo test --release --lib no_resolver_is`.
#[test]
fn no_resolver_is_ever_left_behind() {
    let lives = std::env::var("GAPURA_LIVES").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let mut all: BTreeMap<String, u64> = BTreeMap::new();
    for seed in 1..=lives {
        let (told, fault) = live(seed, Lie::None);
        if let Err(fault) = fault {
            panic!("life {seed}: {fault}");
        }
        told.into_iter().for_each(|(what, times)| *all.entry(what).or_default() += times);
    }
    // Whatever the machine can do was done.
    for what in [
        "Entry publishing",
        "Entry ds-exchange",
        "Entry ds-expiring",
        "Entry publishing in an emergency",
        "Zone publishing",
        "Zone switching",
        "Zone draining",
        "Zone doubling in an emergency",
        "Zone doubled in an emergency",
        "Algorithm pre-signing",
        "Algorithm pre-signed",
        "Algorithm publishing",
        "Algorithm ds-exchange",
        "Algorithm ds-expiring",
        "Algorithm withdrawing",
        "Cancel",
        "GoUnsigned",
        "Import",
        "the zone is unsigned",
        "the DS is gone from the parent",
        "the parent's DS changed back",
        "keys removed long ago are forgotten",
        "the clock is set",
    ] {
        assert!(all.contains_key(what), "never seen: {what}\n{all:#?}");
    }
}

#[test]
fn resolvers_notice_a_wait_that_is_too_short() {
    for lie in [
        Lie::Propagation,
        Lie::ZoneTtl,
        Lie::KeyTtl,
        Lie::DsTtl,
        Lie::OneServer,
        Lie::Signed,
        Lie::Clock,
    ] {
        let mut faults = (1..=60).filter_map(|seed| live(seed, lie).1.err());
        let noticed = faults.find(|fault| fault.starts_with("no "));
        assert!(noticed.is_some(), "no resolver noticed: {lie:?}");
    }
}
