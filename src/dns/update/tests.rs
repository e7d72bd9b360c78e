//! UPDATE messages as octets against a small zone: RFC 2136 section by section.

use super::*;
use crate::wire::{Class, Name, Rcode, Record, Rtype, rdata};
use crate::zone::{RrsetRef, Zone, ZoneBuilder};

mod form;
mod grants;
mod steps;

/// The apex.
const APEX: &str = "example.";
/// The zone, a record a line: owner, type, data.
const ZONE: &str = "\
@ SOA ns1 hostmaster 10 7200 900 1209600 300
@ NS ns1
@ NS ns2
@ TXT \"apex\"
ns1 A 192.0.2.1
ns2 A 192.0.2.2
www A 192.0.2.10
www A 192.0.2.11
www TXT \"www\"
alias CNAME www
a.ent A 192.0.2.20
*.wild A 192.0.2.99
hidden TXT \"own\"
";

/// A name below the apex, `@` for that; one with a final dot as it is.
fn name(text: &str) -> Name {
    match text {
        "@" => APEX.parse().unwrap(),
        _ if text.ends_with('.') => text.parse().unwrap(),
        _ => format!("{text}.{APEX}").parse().unwrap(),
    }
}

/// RDATA from text.
fn data(rtype: Rtype, text: &str) -> Box<[u8]> {
    rdata::parse(rtype, text.as_bytes(), name("@").as_ref()).unwrap().into()
}

/// The zone.
fn zone() -> Zone {
    let mut builder = ZoneBuilder::new(&name("@"));
    for line in ZONE.lines() {
        let [owner, rtype, text] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!() };
        let rtype: Rtype = rtype.parse().unwrap();
        let rdata = data(rtype, text);
        let record = Record { owner: name(owner), rtype, class: Class::IN, ttl: 300, rdata };
        builder.push(record.as_ref());
    }
    let (zone, faults) = builder.finish();
    assert_eq!(faults, []);
    zone.unwrap()
}

/// What is hidden from clients here: `hidden TXT "own"`.
fn is_own(set: RrsetRef<'_>) -> bool {
    set.first() == b"\x03own"
}

/// A message in the making.
#[derive(Clone, Default)]
struct Message {
    /// The zone section.
    zone: Vec<u8>,
    /// Prerequisites and updates.
    sections: [Vec<u8>; 3],
    /// How many of each.
    counts: [u16; 4],
}

/// Octets of a record.
fn record(owner: &str, (class, rtype): (Class, Rtype), ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let mut out = name(owner).wire().to_vec();
    out.extend_from_slice(&rtype.0.to_be_bytes());
    out.extend_from_slice(&class.0.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    out.extend_from_slice(&u16::try_from(rdata.len()).unwrap().to_be_bytes());
    out.extend_from_slice(rdata);
    out
}

impl Message {
    /// An update of the zone.
    fn new() -> Self {
        let mut zone = name("@").wire().to_vec();
        zone.extend_from_slice(&[0, 6, 0, 1]);
        Self { zone, counts: [1, 0, 0, 0], ..Self::default() }
    }

    /// With a record in the section after the zone's.
    fn with(mut self, section: usize, record: &[u8]) -> Self {
        self.sections[section].extend_from_slice(record);
        self.counts[section + 1] += 1;
        self
    }

    /// With a prerequisite.
    fn needs(self, owner: &str, class: Class, rtype: Rtype, text: &str) -> Self {
        let rdata = if text.is_empty() { Box::default() } else { data(rtype, text) };
        self.with(0, &record(owner, (class, rtype), 0, &rdata))
    }

    /// With a record to add.
    fn add(self, owner: &str, ttl: u32, rtype: Rtype, text: &str) -> Self {
        self.with(1, &record(owner, (Class::IN, rtype), ttl, &data(rtype, text)))
    }

    /// With a record to delete.
    fn delete(self, owner: &str, rtype: Rtype, text: &str) -> Self {
        self.with(1, &record(owner, (Class::NONE, rtype), 0, &data(rtype, text)))
    }

    /// With an RRset to delete, or all.
    fn clear(self, owner: &str, rtype: Rtype) -> Self {
        self.with(1, &record(owner, (Class::ANY, rtype), 0, &[]))
    }

    /// The octets.
    fn octets(&self) -> Vec<u8> {
        let mut out = vec![0x12, 0x34, 0x28, 0];
        self.counts.iter().for_each(|count| out.extend_from_slice(&count.to_be_bytes()));
        out.extend_from_slice(&self.zone);
        self.sections.iter().for_each(|section| out.extend_from_slice(section));
        out
    }

    /// What it says.
    fn read(&self) -> Result<Update, UpdateFault> {
        Update::read(&self.octets())
    }

    /// What comes of it on the zone, a line each RRset; or the response code.
    fn applied(&self) -> Result<Vec<String>, Rcode> {
        let zone = zone();
        let update = self.read().map_err(|fault| fault.rcode())?;
        let changed = update.apply(&View { zone: &zone, hides: is_own });
        let changed = changed.map_err(|unmet| unmet.rcode)?;
        Ok(changed.iter().map(line).collect())
    }
}

/// An RRset in a line.
fn line(set: &Rrset) -> String {
    let mut texts: Vec<String> =
        set.rdatas.iter().map(|data| rdata::to_text(set.rtype, data)).collect();
    texts.sort();
    let owner = set.owner.to_string();
    format!("{} {} {} {}", owner, set.ttl, set.rtype, texts.join(" ")).trim_end().to_owned()
}
