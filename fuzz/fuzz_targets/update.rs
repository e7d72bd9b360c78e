//! Any bytes as an UPDATE message: no panic, and what comes of it applies to the zone as a change that is
//! none the second time.
#![no_main]

use std::sync::LazyLock;

use gapura::update::{Rrset, Update, View};
use gapura::wire::{Class, Name, Record, Rtype, rdata};
use gapura::zone::{Delta, Zone, ZoneBuilder};
use libfuzzer_sys::fuzz_target;

/// The zone, a record a line: owner, type, data.
const ZONE: &str = "\
example. SOA ns1 hostmaster 10 7200 900 1209600 300
example. NS ns1
example. NS ns2
ns1.example. A 192.0.2.1
ns2.example. A 192.0.2.2
www.example. A 192.0.2.10
www.example. TXT \"www\"
alias.example. CNAME www
a.ent.example. A 192.0.2.20
*.wild.example. A 192.0.2.99
";

static BEFORE: LazyLock<Zone> = LazyLock::new(|| {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = ZoneBuilder::new(&apex);
    for line in ZONE.lines() {
        let mut words = line.splitn(3, ' ');
        let owner: Name = words.next().unwrap().parse().unwrap();
        let rtype: Rtype = words.next().unwrap().parse().unwrap();
        let data = rdata::parse(rtype, words.next().unwrap().as_bytes(), apex.as_ref()).unwrap();
        let record = Record { owner, rtype, class: Class::IN, ttl: 300, rdata: data.into() };
        builder.push(record.as_ref());
    }
    builder.finish().0.unwrap()
});

/// The records of an RRset.
fn records(set: &Rrset) -> impl Iterator<Item = Record> + '_ {
    set.rdatas.iter().map(|rdata| Record {
        owner: set.owner.clone(),
        rtype: set.rtype,
        class: Class::IN,
        ttl: set.ttl,
        rdata: rdata.clone(),
    })
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut update) = Update::read(bytes) else { return };
    let before = &*BEFORE;
    if update.zone.as_ref() != before.apex() {
        return;
    }
    let Ok(changed) = update.apply(&View { zone: before, hides: |_| false }) else { return };
    let mut delta = Delta::default();
    for set in &changed {
        let old = before.rrset(set.owner.as_ref(), set.rtype);
        delta.removed.extend(
            old.into_iter()
                .flat_map(|old| old.records(set.owner.as_ref()).map(|record| record.to_record())),
        );
        delta.added.extend(records(set));
    }
    // An RRset may be larger than a message; nothing else can be wrong.
    let Ok(after) = before.apply(&delta) else { return };
    update.prerequisites.clear();
    let again = update.apply(&View { zone: &after, hides: |_| false }).unwrap();
    let is_soa = |set: &Rrset| set.rtype == Rtype::SOA;
    // An instruction that follows on another one may do something else the second time.
    if update.instructions.len() == 1 {
        assert!(again.iter().all(is_soa), "{again:?}");
    }
});
