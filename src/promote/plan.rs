//! What a promotion must show, and what takes it back: written with the commit, so that recovery
//! after a crash knows as much as the process that died.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{hex, unhex};
use crate::publish::{Candidate, Edit, Expectation, Observation, RrsetEdit};
use crate::queue::{NameDelta, ParsedRecord};
use crate::store::StoreError;
use crate::wire::{Name, Rtype, rdata};

//------------ Plan ----------------------------------------------------------

/// The plan of one promotion.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Plan {
    /// The zone's apex.
    pub zone: String,
    /// The serial that carries it.
    pub serial: u32,
    /// What must be answered.
    pub expected: Vec<Rrset>,
    /// What was served before, to be put back if the read-back fails.
    pub inverse: Vec<Rrset>,
    /// The answer before.
    pub before: Option<Observation>,
    /// Whether all records stood there already.
    pub already: bool,
}

/// One RRset, or its absence.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rrset {
    /// The owner.
    pub owner: String,
    /// The type's mnemonic.
    pub rtype: String,
    /// Seconds.
    pub ttl: u32,
    /// RDATA in hexadecimal; none means NXDOMAIN or NODATA.
    pub rdatas: Vec<String>,
}

impl Plan {
    /// The plan of an edit and its candidate. The serial is known once the change is numbered.
    pub(super) fn new(edit: &Edit, candidate: &Candidate, before: Observation) -> Self {
        let mut added: BTreeMap<(Name, Rtype), Rrset> = BTreeMap::new();
        for record in &candidate.delta.added {
            let key = (record.owner.clone(), record.rtype);
            let set = added.entry(key).or_insert_with(|| Rrset::empty(&record.owner, record.rtype));
            set.ttl = record.ttl;
            set.rdatas.push(hex(&record.rdata));
        }
        let expected = edit.set.iter().map(|set| {
            // Where an RRset is taken out under a wildcard, a TXT record takes its place.
            let guard = added.get(&(set.owner.clone(), set.rtype));
            match guard.filter(|_| set.rdatas.is_empty()) {
                Some(guard) => guard.clone(),
                None => Rrset::of(set),
            }
        });
        let existing = |set: &RrsetEdit| {
            let around = candidate.surroundings.iter().find(|around| around.owner == set.owner);
            let mut before = Rrset::empty(&set.owner, set.rtype);
            for record in around.into_iter().flat_map(|around| &around.existing) {
                if record.rtype == set.rtype {
                    before.ttl = record.ttl;
                    before.rdatas.push(hex(&record.rdata));
                }
            }
            before
        };
        Self {
            zone: candidate.zone.to_string(),
            serial: 0,
            expected: expected.collect(),
            inverse: edit.set.iter().map(existing).collect(),
            before: Some(before),
            already: candidate.delta.is_empty(),
        }
    }

    /// The edit that takes the promotion back.
    pub(super) fn inverse_edit(&self) -> Result<Edit, StoreError> {
        let set = self.inverse.iter().map(Rrset::to_edit).collect::<Option<_>>();
        Ok(Edit { set: set.ok_or_else(|| self.corrupt())? })
    }

    /// The types that the promotion set, and the records of these types that were served before it.
    pub(super) fn before(&self) -> Result<(Vec<Rtype>, Vec<ParsedRecord>), StoreError> {
        let (mut types, mut records) = (Vec::new(), Vec::new());
        for RrsetEdit { rtype, ttl, rdatas, .. } in self.inverse_edit()?.set {
            types.push(rtype);
            records.extend(rdatas.iter().map(|rdata| ParsedRecord::served(rtype, ttl, rdata)));
        }
        Ok((types, records))
    }

    /// What our own sockets must answer.
    pub(super) fn expectations(&self) -> Result<Vec<Expectation>, StoreError> {
        let expected = self.expected.iter().map(Rrset::to_expectation);
        expected.collect::<Option<_>>().ok_or_else(|| self.corrupt())
    }

    /// That the row of this plan was tampered with.
    pub(super) fn corrupt(&self) -> StoreError {
        StoreError::Corrupt(format!("a promotion's plan for the zone {}", self.zone))
    }

    /// Records that came, as master file text.
    pub fn added_lines(&self) -> Vec<String> {
        self.expected.iter().flat_map(Rrset::lines).collect()
    }

    /// The records of the name before and after, as its owner reads them.
    pub fn changed(&self) -> NameDelta {
        let name = self.inverse.first().map(|set| set.owner.trim_end_matches('.').to_owned());
        let lines = |sets: &[Rrset]| sets.iter().flat_map(Rrset::owners_lines).collect();
        NameDelta {
            name: name.unwrap_or_default(),
            was: lines(&self.inverse),
            now_is: lines(&self.expected),
        }
    }

    /// Records that stood there before, as master file text.
    pub fn removed_lines(&self) -> Vec<String> {
        self.inverse.iter().flat_map(Rrset::lines).collect()
    }
}

impl Rrset {
    /// As master file text, a line each record.
    fn lines(&self) -> Vec<String> {
        let Ok(rtype) = self.rtype.parse::<Rtype>() else { return Vec::new() };
        let bytes = self.bytes().unwrap_or_default();
        let line = |data: &Vec<u8>| {
            let text = rdata::to_text(rtype, data);
            format!("{} {} IN {} {text}", self.owner, self.ttl, self.rtype)
        };
        bytes.iter().map(line).collect()
    }

    /// As the owner of the name reads it, a line each record.
    fn owners_lines(&self) -> Vec<String> {
        let Some(RrsetEdit { rtype, ttl, rdatas, .. }) = self.to_edit() else { return Vec::new() };
        let line = |data: &[u8]| ParsedRecord::served(rtype, ttl, data).in_words();
        rdatas.iter().map(|data| line(data)).collect()
    }

    /// An RRset of an edit.
    fn of(set: &RrsetEdit) -> Self {
        let rdatas = set.rdatas.iter().map(|rdata| hex(rdata)).collect();
        Self { ttl: set.ttl, rdatas, ..Self::empty(&set.owner, set.rtype) }
    }

    /// The absence of an RRset.
    fn empty(owner: &Name, rtype: Rtype) -> Self {
        Self { owner: owner.to_string(), rtype: rtype.to_string(), ttl: 0, rdatas: Vec::new() }
    }

    /// As an edit; none if it was tampered with.
    fn to_edit(&self) -> Option<RrsetEdit> {
        Some(RrsetEdit {
            owner: self.owner.parse().ok()?,
            rtype: self.rtype.parse().ok()?,
            ttl: self.ttl,
            rdatas: self.bytes()?.into_iter().map(Vec::into_boxed_slice).collect(),
        })
    }

    /// As what must be answered; none if it was tampered with.
    fn to_expectation(&self) -> Option<Expectation> {
        let RrsetEdit { owner, rtype, rdatas, .. } = self.to_edit()?;
        Some(Expectation { owner, rtype, rdatas })
    }

    /// The RDATA as bytes.
    pub(super) fn bytes(&self) -> Option<Vec<Vec<u8>>> {
        self.rdatas.iter().map(|text| unhex(text)).collect()
    }
}
