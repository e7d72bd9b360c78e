//! A fault in the meaning of a zone, and how strictly it is judged.

use std::collections::HashMap;

use super::ZoneRule;
use crate::master::{Finding, Place, Severity};
use crate::wire::{Name, NameRef, RecordRef, Rtype};
use crate::zone::{BuildFault, BuildFaultKind};

//------------ ZoneFault -----------------------------------------------------

/// A rule that is broken at a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ZoneFault {
    /// The rule.
    pub rule: ZoneRule,
    /// The owner name.
    pub owner: Name,
    /// The type of the records at fault; none when the whole name is.
    pub rtype: Option<Rtype>,
    /// Which of its records is at fault.
    pub which: Which,
    /// What is wrong, one sentence without a final dot.
    pub message: String,
    /// How many more faults of the rule there are that were not kept.
    pub more: usize,
}

/// Which record of an owner and type is at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Which {
    /// The first.
    First,
    /// The second, a record too many.
    Second,
    /// The first that repeats an earlier one.
    Repeated,
    /// The first whose TTL is another than the first's.
    OtherTtl,
    /// The one with this RDATA.
    Rdata(Box<[u8]>),
}

impl ZoneFault {
    /// A fault of the records of a type at a name.
    pub(super) fn at(rule: ZoneRule, owner: NameRef<'_>, rtype: Rtype, message: String) -> Self {
        let (owner, rtype) = (owner.to_name(), Some(rtype));
        Self { rule, owner, rtype, which: Which::First, message, more: 0 }
    }

    /// A fault of one record.
    pub(super) fn of(record: RecordRef<'_>, rule: ZoneRule, message: String) -> Self {
        Self::at(rule, record.owner, record.rtype, message).which(Which::Rdata(record.rdata.into()))
    }

    /// The same fault, at another of the records.
    pub(super) fn which(mut self, which: Which) -> Self {
        self.which = which;
        self
    }

    /// How bad the fault is under a level.
    pub fn severity(&self, level: &Level) -> Severity {
        self.rule.severity(level.strict, level.raises(self.rule))
    }

    /// The finding, once its place is known.
    pub fn finding(&self, level: &Level, place: Option<Place>) -> Finding {
        Finding {
            rule: self.rule.id(),
            severity: self.severity(level),
            place,
            message: match self.more {
                0 => self.message.clone(),
                more => format!("{} (and {more} more such findings)", self.message),
            },
            hint: Some(self.rule.hint().to_owned()),
        }
    }
}

impl From<&BuildFault> for ZoneFault {
    fn from(fault: &BuildFault) -> Self {
        let (rule, which) = match fault.kind {
            BuildFaultKind::Duplicate => (ZoneRule::Duplicate, Which::Repeated),
            BuildFaultKind::TtlDiffers => (ZoneRule::TtlDiffers, Which::OtherTtl),
            BuildFaultKind::OutOfZone => (ZoneRule::OutOfZone, Which::First),
            BuildFaultKind::WrongClass => (ZoneRule::WrongClass, Which::First),
            BuildFaultKind::MetaType => (ZoneRule::MetaType, Which::First),
            BuildFaultKind::NoSoa => (ZoneRule::NoSoa, Which::First),
            BuildFaultKind::TwoSoas => (ZoneRule::TwoSoas, Which::Second),
            BuildFaultKind::SoaBelowApex => (ZoneRule::SoaBelowApex, Which::First),
            BuildFaultKind::TooLarge => (ZoneRule::RrsetTooLarge, Which::First),
        };
        let message = format!("{} {}: {}", fault.owner, fault.rtype, fault.kind);
        Self::at(rule, fault.owner.as_ref(), fault.rtype, message).which(which)
    }
}

//------------ Faults --------------------------------------------------------

/// Faults of one rule that are kept; the others are counted.
const KEPT_PER_RULE: usize = 200;

/// Collects faults: as many of each rule as a person will read, and the number of the others.
#[derive(Default)]
pub(super) struct Faults {
    /// The faults, in the order of the checks.
    kept: Vec<ZoneFault>,
    /// How many there are of each rule, and which of the kept ones was the last.
    by_rule: HashMap<ZoneRule, (usize, usize)>,
}

impl Faults {
    /// Adds a fault.
    pub(super) fn push(&mut self, fault: ZoneFault) {
        let (count, last) = self.by_rule.entry(fault.rule).or_default();
        *count += 1;
        if *count <= KEPT_PER_RULE {
            *last = self.kept.len();
            self.kept.push(fault);
        } else {
            self.kept[*last].more += 1;
        }
    }

    /// Adds the faults that come behind these.
    pub(super) fn append(&mut self, other: Self) {
        for fault in other.kept {
            let (rule, more) = (fault.rule, fault.more);
            self.push(ZoneFault { more: 0, ..fault });
            if let Some((count, last)) = self.by_rule.get_mut(&rule).filter(|_| more > 0) {
                *count += more;
                self.kept[*last].more += more;
            }
        }
    }

    /// The faults that were kept.
    pub(super) fn into_vec(self) -> Vec<ZoneFault> {
        self.kept
    }
}

//------------ Level ---------------------------------------------------------

/// How strictly a zone is judged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Level {
    /// Whether what some servers forgive is an error.
    pub strict: bool,
    /// Ids of rules whose warnings are errors.
    pub errors: Vec<String>,
}

impl Default for Level {
    fn default() -> Self {
        Self { strict: true, errors: Vec::new() }
    }
}

impl Level {
    /// Whether warnings of a rule are errors.
    fn raises(&self, rule: ZoneRule) -> bool {
        self.errors.iter().any(|id| id == rule.id())
    }
}
