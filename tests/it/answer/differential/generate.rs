//! Zones and queries: many corners in few names.
//!
//! Labels come from a small alphabet, so that names meet: wildcards beside what they cover, empty
//! non-terminals, cuts with glue above, below and beside, DNAMEs, CNAME chains in and out of the
//! zone. What both peers refuse to load (CNAME beside other data, data below a DNAME) is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use gapura::wire::{Class, Name, Record, Rtype};

use super::random::Random;

const LABELS: &[&str] = &["a", "b", "c", "ent", "*", "x", "www", "ns1", "sub", "mail"];

//------------ ZoneText ------------------------------------------------------

/// A generated zone: the same records as text for the peers and as wire form for us.
pub(crate) struct GeneratedZone {
    /// The apex.
    pub(crate) apex: Name,
    /// As a master file.
    pub(crate) text: String,
    /// As records.
    pub(crate) records: Vec<Record>,
    /// Owner names and names that RDATA mentions: what queries start from.
    pub(crate) names: Vec<Name>,
}

/// A record's RDATA in both forms.
type Rdata = (String, Vec<u8>);

/// The zone of this seed.
pub(crate) fn zone(apex: &str, seed: u64) -> GeneratedZone {
    let mut random = Random::new(seed);
    let apex: Name = apex.parse().unwrap();
    let names = owner_names(&apex, &mut random);
    let mut sets: BTreeMap<Name, BTreeMap<u16, Vec<Rdata>>> = BTreeMap::new();
    let top = sets.entry(apex.clone()).or_default();
    top.insert(Rtype::SOA.0, vec![soa(&apex, &mut random)]);
    let hosts: Vec<Name> = (0..2).map(|_| target(&apex, &names, &mut random)).collect();
    top.insert(Rtype::NS.0, hosts.iter().map(named).collect());
    for name in names.iter().filter(|name| **name != apex) {
        let types = sets.entry(name.clone()).or_default();
        fill(types, name, &apex, &names, &mut random);
    }
    if random.chance(30) {
        let types = sets.entry(apex.clone()).or_default();
        types.entry(Rtype::MX.0).or_default().push(mx(&target(&apex, &names, &mut random)));
        types.entry(Rtype::TXT.0).or_default().push(txt(random.below(400)));
    }
    drop_below_dnames(&mut sets);
    write_out(apex, sets, names, &mut random)
}

/// A handful of names below the apex, wildcards and deep ones among them.
fn owner_names(apex: &Name, random: &mut Random) -> Vec<Name> {
    let mut names = BTreeSet::from([apex.clone()]);
    for _ in 0..random.below(22) + 4 {
        let mut name = apex.clone();
        if random.chance(60) {
            let known: Vec<_> = names.iter().cloned().collect();
            name = random.pick(&known).clone();
        }
        for _ in 0..random.below(3) + 1 {
            name = Name::prepend(random.pick(LABELS).as_bytes(), name.as_ref()).unwrap();
        }
        names.insert(name);
    }
    names.into_iter().collect()
}

/// Gives a name its data: a plain host, an alias, a cut, a DNAME.
fn fill(
    types: &mut BTreeMap<u16, Vec<Rdata>>,
    name: &Name,
    apex: &Name,
    names: &[Name],
    random: &mut Random,
) {
    let wild = name.as_ref().is_wildcard();
    match random.below(100) {
        0..20 => {
            types.insert(Rtype::CNAME.0, vec![named(&target(apex, names, random))]);
        }
        20..26 if !wild => {
            types.insert(Rtype::DNAME.0, vec![named(&target(apex, names, random))]);
            if random.chance(50) {
                types.insert(Rtype::A.0, vec![a(random)]);
            }
        }
        26..40 if !wild => cut(types, name, apex, names, random),
        _ => host(types, apex, names, random),
    }
}

/// A zone cut with servers inside, beside and outside.
fn cut(
    types: &mut BTreeMap<u16, Vec<Rdata>>,
    name: &Name,
    apex: &Name,
    names: &[Name],
    random: &mut Random,
) {
    let mut servers = BTreeSet::new();
    for _ in 0..random.below(3) + 1 {
        servers.insert(match random.below(3) {
            0 => Name::prepend(b"ns1", name.as_ref()).unwrap(),
            _ => target(apex, names, random),
        });
    }
    types.insert(Rtype::NS.0, servers.iter().map(named).collect());
    if random.chance(40) {
        let digest: Vec<u8> = (0..32).map(|_| random.below(256) as u8).collect();
        let hex: String = digest.iter().map(|b| format!("{b:02X}")).collect();
        let wire = [&[0x12, 0x34, 13, 2][..], &digest].concat();
        types.insert(Rtype::DS.0, vec![(format!("4660 13 2 {hex}"), wire)]);
    }
    if random.chance(20) {
        types.insert(Rtype::A.0, vec![a(random)]);
    }
}

/// One to three RRsets of ordinary types.
fn host(types: &mut BTreeMap<u16, Vec<Rdata>>, apex: &Name, names: &[Name], random: &mut Random) {
    for _ in 0..random.below(3) + 1 {
        let count = random.below(3) + 1;
        let rtype = *random.pick(&[1u16, 1, 1, 28, 28, 15, 16, 33, 12, 257, 65280]);
        let set = types.entry(rtype).or_default();
        for _ in 0..count {
            let rdata = match rtype {
                1 => a(random),
                28 => aaaa(random),
                15 => mx(&target(apex, names, random)),
                33 => srv(&target(apex, names, random)),
                12 => named(&target(apex, names, random)),
                16 => {
                    let octets_max = if random.chance(10) { 1500 } else { 60 };
                    txt(random.below(octets_max))
                }
                257 => ("0 issue \"ca.test\"".to_owned(), b"\x00\x05issueca.test".to_vec()),
                _ => (r"\# 3 010203".to_owned(), vec![1, 2, 3]),
            };
            if !set.contains(&rdata) {
                set.push(rdata);
            }
        }
    }
}

/// Both peers refuse names below a DNAME.
fn drop_below_dnames(sets: &mut BTreeMap<Name, BTreeMap<u16, Vec<Rdata>>>) {
    let dnames: Vec<Name> = sets
        .iter()
        .filter(|(_, types)| types.contains_key(&Rtype::DNAME.0))
        .map(|(name, _)| name.clone())
        .collect();
    sets.retain(|name, _| {
        !dnames.iter().any(|top| name != top && name.as_ref().is_at_or_below(top.as_ref()))
    });
}

/// Both forms of the zone.
fn write_out(
    apex: Name,
    sets: BTreeMap<Name, BTreeMap<u16, Vec<Rdata>>>,
    names: Vec<Name>,
    random: &mut Random,
) -> GeneratedZone {
    let mut text = String::new();
    let mut records = Vec::new();
    // The SOA first, as a master file should have it.
    for soa in [true, false] {
        for (owner, types) in &sets {
            for (rtype, set) in types.iter().filter(|(t, _)| (**t == Rtype::SOA.0) == soa) {
                let (ttl, rtype) = (60 * (1 + random.below(5) as u32), Rtype(*rtype));
                for (rdata_text, rdata) in set {
                    writeln!(text, "{owner} {ttl} IN {rtype} {rdata_text}").unwrap();
                    records.push(Record {
                        owner: owner.clone(),
                        rtype,
                        class: Class::IN,
                        ttl,
                        rdata: rdata.clone().into(),
                    });
                }
            }
        }
    }
    GeneratedZone { apex, text, records, names }
}

//--- RDATA

/// A name that RDATA mentions: known, near a known one, or elsewhere.
fn target(apex: &Name, names: &[Name], random: &mut Random) -> Name {
    match random.below(10) {
        0 => "elsewhere.test.".parse().unwrap(),
        1..4 => {
            let near = random.pick(names);
            Name::prepend(random.pick(LABELS).as_bytes(), near.as_ref())
                .unwrap_or_else(|_| apex.clone())
        }
        _ => random.pick(names).clone(),
    }
}

fn named(name: &Name) -> Rdata {
    (name.to_string(), name.wire().to_vec())
}

fn mx(name: &Name) -> Rdata {
    (format!("10 {name}"), [&[0, 10], name.wire()].concat())
}

fn srv(name: &Name) -> Rdata {
    (format!("1 2 443 {name}"), [&[0, 1, 0, 2, 1, 187], name.wire()].concat())
}

fn a(random: &mut Random) -> Rdata {
    let octet = random.below(256) as u8;
    (format!("192.0.2.{octet}"), vec![192, 0, 2, octet])
}

fn aaaa(random: &mut Random) -> Rdata {
    let octet = random.below(256) as u8;
    let mut wire = vec![0x20, 0x01, 0x0d, 0xb8];
    wire.extend([0; 11]);
    wire.push(octet);
    (format!("2001:db8::{octet:x}"), wire)
}

fn txt(octets: usize) -> Rdata {
    let (mut text, mut wire) = (String::new(), Vec::new());
    let mut left = octets;
    loop {
        let part = left.min(255);
        write!(text, "\"{}\" ", "t".repeat(part)).unwrap();
        wire.push(part as u8);
        wire.extend(std::iter::repeat_n(b't', part));
        left -= part;
        if left == 0 {
            return (text, wire);
        }
    }
}

fn soa(apex: &Name, random: &mut Random) -> Rdata {
    let minimum = 30 * random.below(20) as u32;
    let mname = Name::prepend(b"ns1", apex.as_ref()).unwrap();
    let rname = Name::prepend(b"hostmaster", apex.as_ref()).unwrap();
    let mut wire = [mname.wire(), rname.wire()].concat();
    for number in [1, 7200, 900, 1_209_600, minimum] {
        wire.extend(u32::to_be_bytes(number));
    }
    (format!("{mname} {rname} 1 7200 900 1209600 {minimum}"), wire)
}

//------------ Query ---------------------------------------------------------

/// The bytes of a query near this zone.
pub(crate) fn query(zone: &GeneratedZone, random: &mut Random, signed: bool) -> Vec<u8> {
    let name = query_name(zone, random);
    let rtype: u16 = match random.below(20) {
        0..7 => 1,
        7 | 8 => 28,
        9 => 16,
        10 => 5,
        11 => 2,
        12 => 43,
        13 => 15,
        14 => 33,
        15 => 39,
        16 => 6,
        17 => *random.pick(&[47, 46, 48, 50, 51]),
        18 => *random.pick(&[12, 257, 65280, 64]),
        _ => *random.pick(&[65535, 99, 255, 13]),
    };
    let class: u16 = if random.chance(2) { *random.pick(&[2, 4, 254, 255]) } else { 1 };
    let mut flags = 0u16;
    flags |= if random.chance(50) { 0x0100 } else { 0 };
    flags |= if random.chance(10) { 0x0010 } else { 0 };
    flags |= if random.chance(10) { 0x0020 } else { 0 };
    let edns = signed || random.chance(60);
    let mut bytes = Vec::new();
    for word in [random.bits() as u16, flags, 1, 0, 0, u16::from(edns)] {
        bytes.extend(word.to_be_bytes());
    }
    let mut wire = name.wire().to_vec();
    if random.chance(15) {
        wire.iter_mut().filter(|_| random.chance(40)).for_each(u8::make_ascii_uppercase);
    }
    bytes.extend(wire);
    bytes.extend(rtype.to_be_bytes());
    bytes.extend(class.to_be_bytes());
    if edns {
        let size: u16 = *random.pick(&[512, 1232, 1232, 1232, 4096, 0]);
        let dnssec_ok = random.chance(if signed { 85 } else { 40 });
        bytes.extend([0, 0, 41]);
        bytes.extend(size.to_be_bytes());
        bytes.extend([0, 0, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 0]);
    }
    bytes
}

/// A name of the zone, one near it, or one that RDATA mentions.
pub(crate) fn query_name(zone: &GeneratedZone, random: &mut Random) -> Name {
    let known = if random.chance(70) {
        zone.records[random.below(zone.records.len())].owner.clone()
    } else {
        random.pick(&zone.names).clone()
    };
    let mut name = known;
    match random.below(10) {
        0..4 => {}
        4..7 => {
            for _ in 0..random.below(2) + 1 {
                let label: &[u8] =
                    if random.chance(70) { random.pick(LABELS).as_bytes() } else { b"q\x00\xffz" };
                name = Name::prepend(label, name.as_ref()).unwrap_or(name);
            }
        }
        7 | 8 => {
            if let Some(parent) = name.as_ref().parent() {
                name = parent.to_name();
            }
        }
        _ => {
            if let Some(parent) = name.as_ref().parent() {
                name = Name::prepend(random.pick(LABELS).as_bytes(), parent).unwrap_or(name);
            }
        }
    }
    if random.chance(2) {
        // As long as names get, so that a DNAME can make it too long.
        while let Ok(longer) = Name::prepend(b"0123456789012345678901234", name.as_ref()) {
            name = longer;
        }
    }
    name
}
