//! The places of faults: reads the file once more and keeps only the records that are looked for.

use std::collections::HashMap;

use super::{Level, Which, ZoneFault};
use crate::master::{Finding, Place};
use crate::wire::{RecordRef, Rtype};

/// Collects the places of faults while the file is read again.
pub struct Locator<'a> {
    /// The faults, in the order they were found.
    faults: &'a [ZoneFault],
    /// Indices of the faults by owner, in lower case.
    wanted: HashMap<Box<[u8]>, Vec<usize>>,
    /// What is known of each fault.
    marks: Vec<Mark>,
    /// The owner of the record at hand, in lower case.
    key: Vec<u8>,
}

/// What is known of one fault so far.
#[derive(Default)]
struct Mark {
    /// Records of the owner and type seen before the place was found.
    seen: Vec<(u32, Box<[u8]>)>,
    /// Where it is.
    place: Option<usize>,
    /// Where its first record is, in case the faulty one is not found.
    first: Option<usize>,
}

impl<'a> Locator<'a> {
    /// A locator for these faults.
    pub fn new(faults: &'a [ZoneFault]) -> Self {
        let mut wanted: HashMap<Box<[u8]>, Vec<usize>> = HashMap::new();
        for (index, fault) in faults.iter().enumerate() {
            let key = fault.owner.wire().to_ascii_lowercase().into();
            wanted.entry(key).or_default().push(index);
        }
        let marks = faults.iter().map(|_| Mark::default()).collect();
        Self { faults, wanted, marks, key: Vec::new() }
    }

    /// Takes note of a record; `place` returns a number for its place, if it is one that is looked for.
    pub fn see(&mut self, record: RecordRef<'_>, mut place: impl FnMut() -> usize) {
        self.key.clear();
        self.key.extend(record.owner.wire().iter().map(u8::to_ascii_lowercase));
        let Some(indices) = self.wanted.get(self.key.as_slice()) else { return };
        for &index in indices {
            let (fault, mark) = (&self.faults[index], &mut self.marks[index]);
            if fault.rtype.is_some_and(|rtype| !is_of(rtype, record)) || mark.place.is_some() {
                continue;
            }
            let hit = match &fault.which {
                Which::First => true,
                Which::Second => !mark.seen.is_empty(),
                Which::Repeated => mark.seen.iter().any(|(_, rdata)| **rdata == *record.rdata),
                Which::Rdata(rdata) => **rdata == *record.rdata,
                Which::OtherTtl => mark.seen.first().is_some_and(|(ttl, _)| *ttl != record.ttl),
            };
            if hit {
                mark.place = Some(place());
                mark.seen = Vec::new();
            } else {
                if mark.first.is_none() {
                    mark.first = Some(place());
                }
                if !matches!(fault.which, Which::First | Which::Rdata(_)) {
                    mark.seen.push((record.ttl, record.rdata.into()));
                }
            }
        }
    }

    /// The findings, in the order of their places. `whole` is the place of a fault that no record has.
    pub fn findings(
        self,
        level: &Level,
        place_of: impl Fn(usize) -> Place,
        whole: &Place,
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self
            .faults
            .iter()
            .zip(self.marks)
            .map(|(fault, mark)| {
                let place = mark.place.or(mark.first).map_or_else(|| whole.clone(), &place_of);
                fault.finding(level, Some(place))
            })
            .collect();
        findings.sort_by_key(order);
        findings
    }
}

/// Whether a record belongs to a type: a signature belongs to what it covers, too.
fn is_of(rtype: Rtype, record: RecordRef<'_>) -> bool {
    let covered = || record.rdata.get(..2).map(|two| Rtype(u16::from_be_bytes([two[0], two[1]])));
    record.rtype == rtype || record.rtype == Rtype::RRSIG && covered() == Some(rtype)
}

/// Findings are in the order of the file; those of an include where it is included.
pub(super) fn order(finding: &Finding) -> Vec<u32> {
    let Some(place) = &finding.place else { return Vec::new() };
    let way = place.includes.iter().map(|(_, line)| *line);
    way.chain([place.line, place.column]).collect()
}
