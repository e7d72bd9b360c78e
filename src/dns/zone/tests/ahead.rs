//! Sets of zones against a plain map, and what is found ahead against what is found afterwards.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{a_name, build, name, soa, some_records};
use crate::wire::{Name, NameRef};
use crate::zone::{AHEAD_MAX, Entry, Zone, ZoneBuilder, ZoneSet, look_ahead};

/// A zone with a SOA record and nothing else.
fn empty(apex: &Name) -> Zone {
    let mut builder = ZoneBuilder::new(apex);
    let soa = crate::wire::Record { owner: apex.clone(), ..soa(1) };
    builder.push(soa.as_ref());
    builder.finish().0.unwrap()
}

/// An apex: few labels, so that some are below others.
fn an_apex() -> impl Strategy<Value = Name> {
    proptest::collection::vec(prop::sample::select(vec!["a", "B", "cc", "d-d"]), 0..5)
        .prop_map(|labels| name(&format!("{}.", labels.join("."))))
}

/// What is found ahead of names is what is found afterwards, or nothing.
fn check_ahead<'n>(zones: &ZoneSet, names: impl Iterator<Item = NameRef<'n>> + Clone) {
    let near = look_ahead(zones, names.clone().map(Some));
    for (name, near) in names.zip(near) {
        let Some((zone, node)) = near.and_then(|near| near.of(name)) else { continue };
        let entry = zones.find(name).and_then(Entry::zone).unwrap();
        assert!(zone.is_same(entry), "{name}");
        let found = zone.lookup(name);
        assert_eq!(found.exact().unwrap().owner().wire(), node.owner().wire());
        let ahead = zone.at(node);
        let owners = |found: &crate::zone::Found<'_>| {
            let owner =
                |node: Option<crate::zone::NodeRef<'_>>| node.map(|it| it.owner().to_name());
            [owner(Some(found.encloser())), owner(found.cut()), owner(found.dname())]
        };
        assert_eq!(owners(&ahead), owners(&found), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_set_finds_what_a_map_finds(
        edits in proptest::collection::vec((any::<bool>(), an_apex()), 1..60),
        asked in proptest::collection::vec(an_apex(), AHEAD_MAX),
    ) {
        let (mut set, mut map) = (ZoneSet::new(), BTreeMap::new());
        for (add, apex) in edits {
            if add {
                set = set.with(empty(&apex));
                map.insert(apex.clone(), ());
            } else {
                set = set.without(&apex);
                map.remove(&apex);
            }
            prop_assert_eq!(set.len(), map.len());
            prop_assert_eq!(set.get(apex.as_ref()).is_some(), map.contains_key(&apex));
        }
        prop_assert_eq!(set.iter().count(), map.len());
        for name in &asked {
            let longest = std::iter::successors(Some(name.clone()), |it| {
                it.as_ref().parent().map(NameRef::to_name)
            }).find(|it| map.contains_key(it));
            let found = set.find(name.as_ref()).map(|entry| entry.apex().to_name());
            prop_assert_eq!(found, longest);
        }
        check_ahead(&set, asked.iter().map(Name::as_ref));
    }

    #[test]
    fn what_is_found_ahead_is_what_is_found(
        records in some_records(60),
        asked in proptest::collection::vec(a_name(), AHEAD_MAX / 2),
    ) {
        let zone = build(1, records.values());
        let zones: ZoneSet = [zone.clone()].into_iter().collect();
        check_ahead(&zones, asked.iter().map(Name::as_ref));
        let owners: Vec<Name> = zone.nodes().map(|node| node.owner().to_name()).collect();
        check_ahead(&zones, owners.iter().take(AHEAD_MAX).map(Name::as_ref));
        let near = look_ahead(&zones, owners.iter().map(|name| Some(name.as_ref())));
        let found = owners.iter().zip(near).filter(|(name, near)| {
            near.is_some_and(|near| near.of(name.as_ref()).is_some())
        });
        // Long names are left to the look-up, and one whose hash another has.
        let short = owners.iter().take(AHEAD_MAX).filter(|name| name.wire().len() <= 64);
        prop_assert!(found.count() + 1 >= short.count());
    }
}

#[test]
fn of_two_zones_with_one_apex_the_second_is_served() {
    let apex = name("a.");
    let second = empty(&apex);
    let set =
        ZoneSet::new().edit(&[], vec![Entry::Loaded(empty(&apex)), Entry::Loaded(second.clone())]);
    assert_eq!(set.len(), 1);
    assert!(set.get(apex.as_ref()).and_then(Entry::zone).unwrap().is_same(&second));
    let gone = set.edit(std::slice::from_ref(&apex), vec![Entry::NotLoaded(apex.clone())]);
    assert!(gone.get(apex.as_ref()).unwrap().zone().is_none());
    assert!(gone.without(&apex).is_empty());
}
