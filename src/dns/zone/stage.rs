//! The records of a zone under construction, in the order they come, and their names in canonical order.

use super::encode::Entry;
use super::key;
use super::order::{self, Stretch};
use super::trie::BulkItem;
use crate::memory;
use crate::wire::{NameRef, RecordRef, Rtype};

//------------ Depth ---------------------------------------------------------

/// How far a name is below the apex, read off in one walk over its labels.
#[derive(Clone, Copy)]
pub(super) struct Depth {
    /// Labels below the apex.
    pub(super) labels: u8,
    /// Whether one of them is `*`.
    pub(super) has_wildcard: bool,
}

impl Depth {
    /// The depth of a name, or `None` if it is not at or below the apex.
    pub(super) fn of(name: NameRef<'_>, apex: NameRef<'_>) -> Option<Self> {
        let (wire, apex) = (name.wire(), apex.wire());
        let above = wire.len().checked_sub(apex.len())?;
        let mut depth = Self { labels: 0, has_wildcard: false };
        let mut at = 0;
        while at < above {
            depth.has_wildcard |= wire[at..at + 2] == *b"\x01*";
            depth.labels += 1;
            at += 1 + usize::from(wire[at]);
        }
        let is_below = at == above && wire[above..].eq_ignore_ascii_case(apex);
        is_below.then_some(depth)
    }
}

//------------ Stage ---------------------------------------------------------

/// Records in the order they came, in runs of one owner; one or more stages behind each other.
///
/// ```text
/// run     octets of records u32 · length of owner u8 · owner · records
/// record  type u16 · TTL u32 · length of RDATA u16 · RDATA                     all little-endian
/// ```
pub(super) struct Stage {
    /// The runs.
    pub(super) runs: Runs,
    /// Where each run starts, with what it is sorted by.
    pub(super) items: Vec<BulkItem>,
    /// Those of stages that were put behind each other, until they are sorted.
    stretches: Vec<Stretch>,
}

/// The runs of stages, which are added to the last one.
pub(super) struct Runs(Vec<Vec<u8>>);

/// The bits of a run's place that say where it is in its stage; those above say in which.
const IN_STAGE_BITS: u32 = 40;

impl Runs {
    /// The octets from a run's place on.
    #[inline]
    pub(super) fn from(&self, at: usize) -> &[u8] {
        &self.0[at >> IN_STAGE_BITS][at & ((1 << IN_STAGE_BITS) - 1)..]
    }

    /// The last stage, and the place of its first octet.
    fn last(&mut self) -> (&mut Vec<u8>, usize) {
        if self.0.is_empty() {
            self.0.push(Vec::new());
        }
        let last = self.0.len() - 1;
        (&mut self.0[last], last << IN_STAGE_BITS)
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self { runs: Runs(Vec::new()), items: Vec::new(), stretches: Vec::new() }
    }
}

/// Octets of a run before its owner.
pub(super) const RUN_HEAD_OCTETS: usize = 5;
/// Octets of a record before its RDATA.
const RECORD_HEAD_OCTETS: usize = 8;

impl Stage {
    /// A stage with room for what a text of so many octets says, and for that many runs.
    pub(super) fn with_room(octets: usize) -> Self {
        // A record with a short owner takes about 20 octets of text, and twice as much here.
        let (runs, items) = (vec![memory::roomy(octets * 2)], memory::roomy(octets / 20));
        Self { runs: Runs(runs), items, stretches: Vec::new() }
    }

    /// Adds a record. Returns whether it begins a run.
    pub(super) fn push(&mut self, record: RecordRef<'_>, depth: Depth, apex: NameRef<'_>) -> bool {
        let last = self.items.last().map(|item| item.at());
        let at = last.filter(|at| owner_of(self.runs.from(*at)).wire() == record.owner.wire());
        let start = at.unwrap_or_else(|| self.begin(record.owner, depth.labels, apex));
        let octets = record.rdata.len().min(usize::from(u16::MAX));
        let mut head = [0; RECORD_HEAD_OCTETS];
        head[..2].copy_from_slice(&record.rtype.0.to_le_bytes());
        head[2..6].copy_from_slice(&record.ttl.to_le_bytes());
        head[6..].copy_from_slice(&(octets as u16).to_le_bytes());
        let (bytes, first) = self.runs.last();
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&record.rdata[..octets]);
        let records_at = start - first + RUN_HEAD_OCTETS + record.owner.wire().len();
        let octets = (bytes.len() - records_at) as u32;
        bytes[start - first..][..4].copy_from_slice(&octets.to_le_bytes());
        at.is_none()
    }

    /// Begins a run without records. Returns where it starts.
    fn begin(&mut self, owner: NameRef<'_>, depth: u8, apex: NameRef<'_>) -> usize {
        let (bytes, first) = self.runs.last();
        let at = first + bytes.len();
        bytes.extend_from_slice(&[0, 0, 0, 0, owner.wire().len() as u8]);
        bytes.extend_from_slice(owner.wire());
        let prefix = key::with(owner, apex.wire().len(), |key| key::window(key, 0));
        self.items.push(BulkItem::new(prefix, depth, at));
        at
    }

    /// Adds the runs of a stage that come behind these. It is sorted before anything else is done.
    pub(super) fn append(&mut self, mut other: Self) {
        other.presort();
        let by = self.runs.0.len() << IN_STAGE_BITS;
        self.stretches.push(Stretch { items: other.items, by });
        self.runs.0.append(&mut other.runs.0);
    }

    /// Brings the runs into the order of the first octets of their keys.
    pub(super) fn presort(&mut self) {
        order::presort(&mut self.items);
    }

    /// Brings the runs into canonical order.
    pub(super) fn sort(&mut self, apex: NameRef<'_>) {
        let apex_octets = apex.wire().len();
        let stretches = std::mem::take(&mut self.stretches);
        if stretches.is_empty() {
            order::sort(&self.runs, &mut self.items, apex_octets);
        } else {
            self.items = order::joined(&self.runs, &stretches, apex_octets);
        }
    }

    /// Adds the empty non-terminals, and the apex, to sorted runs; sorts again if there were any.
    pub(super) fn add_missing(&mut self, apex: NameRef<'_>) {
        let missing = order::missing(&self.runs, &self.items, apex);
        if !missing.is_empty() {
            for name in missing {
                let depth = name.as_ref().label_count() - apex.label_count();
                self.begin(name.as_ref(), depth as u8, apex);
            }
            self.sort(apex);
        }
    }
}

//--- Runs

/// The owner of the run that octets begin with.
pub(super) fn owner_of(run: &[u8]) -> NameRef<'_> {
    NameRef::from_checked(&run[RUN_HEAD_OCTETS..][..usize::from(run[4])])
}

/// Octets that the records of the run take that octets begin with.
pub(super) fn record_octets(run: &[u8]) -> usize {
    u32::from_le_bytes([run[0], run[1], run[2], run[3]]) as usize
}

/// The records of the run that octets begin with.
pub(super) fn records_of(run: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let start = RUN_HEAD_OCTETS + usize::from(run[4]);
    let mut rest = &run[start..start + record_octets(run)];
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<RECORD_HEAD_OCTETS>()?;
        let rtype = Rtype(u16::from_le_bytes([head[0], head[1]]));
        let ttl = u32::from_le_bytes([head[2], head[3], head[4], head[5]]);
        let (rdata, after) = after.split_at(usize::from(u16::from_le_bytes([head[6], head[7]])));
        rest = after;
        Some(Entry::new(rtype, ttl, rdata))
    })
}
