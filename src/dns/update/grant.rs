//! Which key may change which records of a zone, and how.
//!
//! Every record of an update must be covered by one grant of its key, by name and type; else nothing of it
//! is done. A prerequisite must be about a name that the key may write something at, so that nobody
//! explores a zone by asking for prerequisites; that of the apex's SOA is free, by which clients tell
//! whether the zone has moved.

use std::fmt;

use super::apply::is_essential;
use super::message::{Instruction, Update};
use super::pattern::{Pattern, PatternFault};
use super::view::View;
use crate::wire::{Name, NameRef, Rtype};

//------------ Grants --------------------------------------------------------

/// Who may change a zone by UPDATE.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grants {
    /// The apex.
    zone: Name,
    /// The grants, in the order of the settings.
    list: Vec<Grant>,
}

/// What one key may.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grant {
    /// The key.
    key: Name,
    /// The names.
    names: Vec<Pattern>,
    /// The types; empty: those that say nothing about other names or about the zone itself.
    types: Vec<Rtype>,
    /// What becomes of the update.
    how: How,
}

/// What becomes of an update.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum How {
    /// It is performed.
    Direct,
    /// It becomes a request.
    Propose,
}

/// What a key may not; the requester's own words, so they may be told to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Denied {
    /// The name.
    pub owner: Name,
    /// The type; none: the name as a whole.
    pub rtype: Option<Rtype>,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, rtype } = self;
        match rtype {
            Some(rtype) => write!(f, "no grant of this key covers {owner} {rtype}"),
            None => write!(f, "no grant of this key covers {owner}"),
        }
    }
}

impl Grants {
    /// The grants of a zone.
    pub fn new(zone: Name, list: Vec<Grant>) -> Self {
        Self { zone, list }
    }

    /// Whether a key may anything here.
    pub fn has(&self, key: &Name) -> bool {
        self.list.iter().any(|grant| grant.key == *key)
    }

    /// Whether a key may have an update of the zone as it is done, and how: performed only if grants that
    /// say so cover all of it.
    pub fn judge(&self, key: &Name, update: &Update, view: &View<'_>) -> Result<How, Denied> {
        let mine: Vec<&Grant> = self.list.iter().filter(|grant| grant.key == *key).collect();
        for prerequisite in &update.prerequisites {
            let owner = prerequisite.owner();
            let is_zone = *owner == self.zone && prerequisite.rtype() == Some(Rtype::SOA);
            if !is_zone && !mine.iter().any(|grant| grant.names_cover(owner, &self.zone)) {
                return Err(Denied { owner: owner.clone(), rtype: None });
            }
        }
        let mut how = How::Direct;
        for instruction in &update.instructions {
            how = how.max(self.covered(&mine, instruction, view)?);
        }
        Ok(how)
    }

    /// How an instruction is covered.
    fn covered(
        &self,
        mine: &[&Grant],
        instruction: &Instruction,
        view: &View<'_>,
    ) -> Result<How, Denied> {
        let owner = instruction.owner();
        let by_name: Vec<&&Grant> =
            mine.iter().filter(|grant| grant.names_cover(owner, &self.zone)).collect();
        let best = |rtype: Option<Rtype>| {
            let covers = |grant: &&&&Grant| rtype.is_none_or(|rtype| grant.types_cover(rtype));
            let found = by_name.iter().filter(covers).map(|grant| grant.how).min();
            found.ok_or_else(|| Denied { owner: owner.clone(), rtype })
        };
        if instruction.rtype().is_some() {
            return best(instruction.rtype());
        }
        // All RRsets of a name go: each of them has to be covered, but for those that stay anyway.
        let is_apex = *owner == self.zone;
        let goes = |rtype: &Rtype| !(is_apex && is_essential(*rtype));
        let types = view.rrsets(owner).map(|set| set.rtype()).filter(goes);
        let mut how = best(None)?;
        for rtype in types {
            how = how.max(best(Some(rtype))?);
        }
        Ok(how)
    }
}

//------------ Grant ---------------------------------------------------------

impl Grant {
    /// Reads a grant; returns every fault at once.
    pub fn read(
        zone: NameRef<'_>,
        key: Name,
        (names, types): (&[String], &[String]),
        how: How,
    ) -> Result<Self, Vec<GrantFault>> {
        let mut faults = Vec::new();
        let mut grant = Self { key, names: Vec::new(), types: Vec::new(), how };
        if names.is_empty() {
            faults.push(GrantFault::NoNames);
        }
        for text in names {
            match Pattern::read(text, zone) {
                Ok(pattern) => grant.names.push(pattern),
                Err(fault) => faults.push(GrantFault::Pattern(text.clone(), fault)),
            }
        }
        for text in types {
            match text.parse::<Rtype>() {
                Ok(rtype) if is_own(rtype) => faults.push(GrantFault::OwnType(rtype)),
                Ok(rtype) => grant.types.push(rtype),
                Err(_) => faults.push(GrantFault::Type(text.clone())),
            }
        }
        if faults.is_empty() { Ok(grant) } else { Err(faults) }
    }

    /// Whether a name is one of the grant's.
    fn names_cover(&self, name: &Name, zone: &Name) -> bool {
        self.names.iter().any(|pattern| pattern.matches(name.as_ref(), zone.as_ref()))
    }

    /// Whether a type is one of the grant's.
    fn types_cover(&self, rtype: Rtype) -> bool {
        if self.types.is_empty() { !is_far_reaching(rtype) } else { self.types.contains(&rtype) }
    }
}

/// Types that the server makes or numbers itself; nobody is granted them.
fn is_own(rtype: Rtype) -> bool {
    let own =
        [Rtype::SOA, Rtype::RRSIG, Rtype::NSEC, Rtype::NSEC3, Rtype::NSEC3PARAM, Rtype::ZONEMD];
    rtype.is_meta() || own.contains(&rtype)
}

/// Types that decide about more than their own name, delegations and keys; they are granted by name only.
fn is_far_reaching(rtype: Rtype) -> bool {
    let far = [
        Rtype::NS,
        Rtype::DNAME,
        Rtype::DS,
        Rtype::DNSKEY,
        Rtype::CDS,
        Rtype::CDNSKEY,
        Rtype::CSYNC,
        Rtype::KEY,
        Rtype::SIG,
        Rtype::NXT,
        Rtype::DLV,
        Rtype::TA,
    ];
    is_own(rtype) || far.contains(&rtype)
}

//------------ GrantFault ----------------------------------------------------

/// Why a grant makes no sense.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum GrantFault {
    /// It is for no name.
    #[error("names is empty: \"@\" is the apex, \"*\" every name below it")]
    NoNames,
    /// A pattern that cannot be read.
    #[error("names: \"{0}\": {1}")]
    Pattern(String, PatternFault),
    /// A word that is no type.
    #[error("types: \"{0}\" is no record type: write A, TXT … or TYPEnnn")]
    Type(String),
    /// A type that is not for updates.
    #[error(
        "types: {0} cannot be granted: gapura keeps the serial, the file has the SOA record, and signatures come with the zone"
    )]
    OwnType(Rtype),
}
