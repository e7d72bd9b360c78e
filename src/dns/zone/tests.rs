//! Zones against a plain ordered map, with random records and random edits.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::wire::{Class, Name, NameRef, Record, Rtype, Writer};

mod ahead;
mod figures;
mod response;

/// The apex of all zones here.
const APEX: &str = "zone.example.";

/// A name from text.
fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A record, the TTL given by the type so that no RRset has two.
fn record(owner: &Name, rtype: Rtype, rdata: &[u8]) -> Record {
    let ttl = 300 + u32::from(rtype.0);
    Record { owner: owner.clone(), rtype, class: Class::IN, ttl, rdata: rdata.into() }
}

/// A SOA record with this serial.
fn soa(serial: u32) -> Record {
    let mut rdata = b"\x02ns".to_vec();
    rdata.extend_from_slice(name(APEX).wire());
    rdata.extend_from_slice(b"\x04mail\x05other\x00");
    for number in [serial, 7200, 900, 1_209_600, 60] {
        rdata.extend_from_slice(&number.to_be_bytes());
    }
    record(&name(APEX), Rtype::SOA, &rdata)
}

/// A zone of these records and a SOA record.
fn build<'a>(serial: u32, records: impl IntoIterator<Item = &'a Record>) -> Zone {
    let (zone, faults) = build_with_faults(serial, records);
    assert_eq!(faults, []);
    zone.unwrap()
}

/// The same, with what was wrong.
fn build_with_faults<'a>(
    serial: u32,
    records: impl IntoIterator<Item = &'a Record>,
) -> (Option<Zone>, Vec<BuildFault>) {
    let mut builder = ZoneBuilder::new(&name(APEX));
    records.into_iter().for_each(|record| builder.push(record.as_ref()));
    builder.push(soa(serial).as_ref());
    builder.finish()
}

//------------ Model ---------------------------------------------------------

/// A set of records, in an order that has nothing to do with names.
type Records = BTreeMap<(Name, u16, Vec<u8>), Record>;

/// Puts records in a set.
fn set_of(records: impl IntoIterator<Item = Record>) -> Records {
    let key = |record: &Record| (record.owner.clone(), record.rtype.0, record.rdata.to_vec());
    records.into_iter().map(|record| (key(&record), record)).collect()
}

/// What a zone should say, found by looking at everything.
struct Model {
    /// The types at each name that exists.
    names: BTreeMap<Name, BTreeSet<u16>>,
}

impl Model {
    /// The model of a zone.
    fn new(records: &Records) -> Self {
        let mut names = BTreeMap::<Name, BTreeSet<u16>>::new();
        names.entry(name(APEX)).or_default().insert(Rtype::SOA.0);
        for record in records.values().filter(|record| !is_hashed(record)) {
            names.entry(record.owner.clone()).or_default().insert(record.rtype.0);
            let mut above = record.owner.as_ref().parent();
            while let Some(ancestor) = above.filter(|a| a.is_at_or_below(name(APEX).as_ref())) {
                names.entry(ancestor.to_name()).or_default();
                above = ancestor.parent();
            }
        }
        Self { names }
    }

    /// Whether a type is at a name.
    fn has(&self, name: NameRef<'_>, rtype: Rtype) -> bool {
        self.names.get(&name.to_name()).is_some_and(|types| types.contains(&rtype.0))
    }

    /// A name's ancestors in the zone from the apex down, itself last.
    fn line<'a>(&self, name: NameRef<'a>) -> Vec<NameRef<'a>> {
        let mut line = vec![name];
        while let Some(parent) = line[line.len() - 1].parent() {
            line.push(parent);
        }
        line.retain(|name| name.is_at_or_below(self::name(APEX).as_ref()));
        line.reverse();
        line
    }

    /// The zone cut or DNAME that a name comes to first, from the apex down.
    fn stop(&self, name: NameRef<'_>) -> (Option<Name>, Option<Name>) {
        for here in self.line(name) {
            if here != self::name(APEX).as_ref() && self.has(here, Rtype::NS) {
                return (Some(here.to_name()), None);
            }
            if here != name && self.has(here, Rtype::DNAME) {
                return (None, Some(here.to_name()));
            }
        }
        (None, None)
    }

    /// Whether a zone says the same as the model about a name.
    fn check(&self, zone: &Zone, name: NameRef<'_>) {
        let found = zone.lookup(name);
        let exists = self.names.contains_key(&name.to_name());
        assert_eq!(
            found.exact().map(|node| node.owner().to_name()),
            exists.then(|| name.to_name())
        );
        let line = self.line(name);
        let encloser =
            line.iter().rfind(|name| self.names.contains_key(&name.to_name())).copied().unwrap();
        assert_eq!(found.encloser().owner(), encloser, "closest encloser of {name}");
        let owner = |node: Option<NodeRef<'_>>| node.map(|node| node.owner().to_name());
        assert_eq!((owner(found.cut()), owner(found.dname())), self.stop(name), "above {name}");
        let source = Name::prepend(b"*", encloser).unwrap();
        let source = Some(source).filter(|name| !exists && self.names.contains_key(name));
        assert_eq!(owner(found.wildcard()), source, "source of synthesis for {name}");
        if !exists {
            assert_eq!(found.next_closer(name).parent(), Some(encloser));
        }
        let before = self.names.range(..name.to_name()).rev();
        let mut before = before.filter(|(name, types)| {
            let (cut, dname) = self.stop(name.as_ref());
            !types.is_empty() && dname.is_none() && cut.is_none_or(|cut| cut == **name)
        });
        let before = before.next().map(|(name, _)| name.clone());
        assert_eq!(owner(zone.predecessor(name)), before, "predecessor of {name}");
    }

    /// Whether all nodes of a zone are as they should be.
    fn check_nodes(&self, zone: &Zone) {
        assert!(zone.nodes().map(|node| node.owner().to_name()).eq(self.names.keys().cloned()));
        for node in zone.nodes() {
            let name = node.owner();
            let (cut, dname) = self.stop(name);
            assert_eq!(node.is_apex(), name == self::name(APEX).as_ref());
            assert_eq!(node.is_cut(), cut.as_ref().is_some_and(|cut| cut.as_ref() == name));
            let strictly_below =
                |stop: &Option<Name>| stop.as_ref().is_some_and(|stop| stop.as_ref() != name);
            if strictly_below(&cut) {
                assert!(node.is_below_cut(), "{name} is below a cut");
            }
            if strictly_below(&dname) {
                assert!(node.is_below_dname(), "{name} is below a DNAME");
            }
            let occluded = strictly_below(&cut) || strictly_below(&dname);
            assert_eq!(node.is_below_cut() || node.is_below_dname(), occluded);
            assert_eq!(node.has_dname(), !occluded && self.has(name, Rtype::DNAME));
            let wildcard = Name::prepend(b"*", name).unwrap();
            assert_eq!(node.has_wildcard_child(), self.names.contains_key(&wildcard));
            assert_eq!(node.is_empty_non_terminal(), self.names[&name.to_name()].is_empty());
            let below = zone.below(name).map(|node| node.owner().to_name());
            let expected = self
                .names
                .keys()
                .filter(|other| *other != &name.to_name() && other.as_ref().is_at_or_below(name));
            assert!(below.eq(expected.cloned()), "names below {name}");
        }
    }
}

/// Whether a record belongs to the NSEC3 chain.
fn is_hashed(record: &Record) -> bool {
    record.rtype == Rtype::NSEC3
        || record.rtype == Rtype::RRSIG && record.rdata.starts_with(&Rtype::NSEC3.0.to_be_bytes())
}

//------------ Random data ---------------------------------------------------

/// A name in the zone; few labels to choose from, so that they meet.
fn a_name() -> impl Strategy<Value = Name> {
    let label = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "c", "*", "B", "aa", "ab", "abc", "desa-1", "desa-10"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::sample::select(vec!["a-label-longer-than-a-window-1", "a-label-longer-than-a-window-2"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, b'.', b'z', 255]), 1..4),
    ];
    prop::collection::vec(label, 0..5).prop_map(|labels| {
        let apex = name(APEX);
        labels.iter().fold(apex, |name, label| Name::prepend(label, name.as_ref()).unwrap())
    })
}

/// A record in the zone, no SOA.
fn a_record() -> impl Strategy<Value = Record> {
    let target = name("ns.zone.example.").wire().to_vec();
    let types = prop_oneof![
        4 => (0u8..3).prop_map(|last| (Rtype::A, vec![192, 0, 2, last])),
        1 => Just((Rtype::NS, target.clone())),
        1 => Just((Rtype::DNAME, target)),
        1 => (0u8..2).prop_map(|octet| (Rtype::TXT, vec![1, octet])),
        1 => (0u8..2).prop_map(|octet| (Rtype::RRSIG, vec![0, 1, octet])),
        1 => Just((Rtype::RRSIG, vec![0, 50, 1])),
        1 => Just((Rtype::NSEC3, vec![1, 0, 0, 0, 0, 20, 1])),
    ];
    (a_name(), types).prop_map(|(owner, (rtype, rdata))| record(&owner, rtype, &rdata))
}

/// A set of records.
fn some_records(most: usize) -> impl Strategy<Value = Records> {
    prop::collection::vec(a_record(), 0..most).prop_map(set_of)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn a_built_zone_says_what_the_model_says(
        records in some_records(60),
        others in prop::collection::vec(a_name(), 0..20),
    ) {
        let zone = build(1, records.values());
        let model = Model::new(&records);
        model.check_nodes(&zone);
        model.names.keys().chain(&others).for_each(|name| model.check(&zone, name.as_ref()));
        prop_assert_eq!(zone.record_count(), records.len() + 1);
        prop_assert_eq!(zone.records().count(), zone.record_count());
        let read = set_of(zone.records().map(|record| record.to_record()));
        let mut expected = records;
        expected.extend(set_of([soa(1)]));
        prop_assert_eq!(read, expected);
        let owners: Vec<_> = zone.records().skip(1).map(|record| record.owner).collect();
        prop_assert!(owners.is_sorted());
    }

    #[test]
    fn a_difference_applied_gives_the_other_zone(a in some_records(40), b in some_records(40)) {
        let (old, new) = (build(1, a.values()), build(2, b.values()));
        let delta = old.diff(&new);
        let mut removed = set_of(delta.removed.clone());
        let mut added = set_of(delta.added.clone());
        prop_assert_eq!(removed.len(), delta.removed.len());
        prop_assert_eq!(added.len(), delta.added.len());
        prop_assert!(removed.remove(&set_of([soa(1)]).into_keys().next().unwrap()).is_some());
        prop_assert!(added.remove(&set_of([soa(2)]).into_keys().next().unwrap()).is_some());
        prop_assert!(removed.keys().eq(a.keys().filter(|key| !b.contains_key(*key))));
        prop_assert!(added.keys().eq(b.keys().filter(|key| !a.contains_key(*key))));
        let applied = old.apply(&delta).unwrap();
        prop_assert_eq!(applied.serial(), 2);
        prop_assert_eq!(&applied.diff(&new), &Delta::default());
        prop_assert_eq!(applied.record_count(), new.record_count());
        prop_assert_eq!(applied.rrset_count(), new.rrset_count());
        prop_assert_eq!(applied.name_count(), new.name_count());
        Model::new(&b).check_nodes(&applied);
        Model::new(&a).check_nodes(&old);
    }

    #[test]
    fn a_zone_edited_many_times_is_as_if_built_anew(
        start in some_records(40),
        edits in prop::collection::vec(prop::collection::vec((any::<bool>(), a_record()), 1..5), 1..25),
    ) {
        let mut records = start;
        let mut zone = build(1, records.values());
        for (step, edit) in (2..).zip(edits) {
            let before = zone.clone();
            let model_before = Model::new(&records);
            let mut delta = Delta { removed: vec![soa(step - 1)], added: vec![soa(step)] };
            for (is_added, record) in edit {
                let key = set_of([record.clone()]).into_keys().next().unwrap();
                // Take what is there about half of the time, or nothing would ever go.
                let key = match records.keys().nth(usize::from(record.rdata[0]) % (records.len() + 1)) {
                    Some(other) if !is_added => other.clone(),
                    _ => key,
                };
                let seen = |list: &Vec<Record>| set_of(list.clone()).contains_key(&key);
                if seen(&delta.removed) || seen(&delta.added) {
                    continue;
                }
                match records.remove(&key) {
                    Some(old) => delta.removed.push(old),
                    None => {
                        delta.added.push(record.clone());
                        records.extend(set_of([record]));
                    }
                }
            }
            zone = zone.apply(&delta).unwrap();
            let found = before.diff(&zone);
            prop_assert_eq!(set_of(found.removed), set_of(delta.removed));
            prop_assert_eq!(set_of(found.added), set_of(delta.added));
            let model = Model::new(&records);
            model.check_nodes(&zone);
            model_before.check_nodes(&before);
            model_before.names.keys().for_each(|name| model.check(&zone, name.as_ref()));
            let fresh = build(step, records.values());
            prop_assert!(zone.diff(&fresh).is_empty());
            prop_assert_eq!(zone.record_count(), fresh.record_count());
            prop_assert_eq!(zone.name_count(), fresh.name_count());
        }
    }
}
