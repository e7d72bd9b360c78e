//! From the records of one name to its node: sorted, without duplicates, one TTL to an RRset.

use super::builder::{BuildFault, BuildFaultKind};
use super::contents::Counts;
use super::encode::{self, Entry};
use super::node::{self, Flags};
use crate::wire::{NameRef, Rtype};

/// Compiles nodes and keeps account of them.
pub(super) struct Compiler<'a> {
    /// The apex of the zone.
    pub(super) apex: NameRef<'a>,
    /// What was wrong.
    pub(super) faults: Vec<BuildFault>,
    /// What was compiled.
    pub(super) counts: Counts,
}

impl<'a> Compiler<'a> {
    /// Nothing compiled yet.
    pub(super) fn new(apex: NameRef<'a>) -> Self {
        Self { apex, faults: Vec::new(), counts: Counts::default() }
    }

    /// Adds what another one compiled of the same zone.
    pub(super) fn append(&mut self, mut other: Self) {
        self.faults.append(&mut other.faults);
        self.counts += other.counts;
    }

    /// Appends the node of a name to `out`, an empty non-terminal if there are no entries. `flags` is
    /// given whether NS and DNAME are there.
    pub(super) fn node(
        &mut self,
        out: &mut Vec<u8>,
        owner: NameRef<'_>,
        entries: &mut Vec<Entry<'_>>,
        flags: impl FnOnce(bool, bool) -> Flags,
    ) -> Flags {
        if entries.len() > 1 {
            self.arrange(owner, entries);
        }
        let has = |rtype| entries.iter().any(|entry| entry.set == rtype && !entry.is_signature);
        let flags = flags(has(Rtype::NS), has(Rtype::DNAME));
        let node_at = out.len();
        node::open(out, flags, owner);
        let mut rrsets = 0;
        for set in entries.chunk_by(|a, b| a.set == b.set) {
            let start = out.len();
            if encode::encode(out, set, owner, self.apex).is_err() {
                out.truncate(start);
                self.fault(owner, set[0].set, BuildFaultKind::TooLarge);
                continue;
            }
            rrsets += 1;
            self.counts.records += set.len();
        }
        node::close(out, node_at);
        self.counts.rrsets += rrsets;
        self.counts.names += usize::from(rrsets > 0);
        flags
    }

    /// Sorts, drops duplicates, and sets the records of an RRset to their lowest TTL (RFC 2181 §5.2).
    fn arrange(&mut self, owner: NameRef<'_>, entries: &mut Vec<Entry<'_>>) {
        entries.sort_by(Entry::order);
        let mut at = 0;
        while at < entries.len() {
            let set = (entries[at].set, entries[at].is_signature);
            let octets =
                entries[at..].iter().take_while(|e| (e.set, e.is_signature) == set).count();
            let group = &mut entries[at..at + octets];
            if !set.1 {
                let ttl = group.iter().map(|entry| entry.ttl).min().unwrap_or(0);
                if group.iter().any(|entry| entry.ttl != ttl) {
                    self.fault(owner, set.0, BuildFaultKind::TtlDiffers);
                }
                group.iter_mut().for_each(|entry| entry.ttl = ttl);
            }
            at += octets;
        }
        let mut duplicates = Vec::new();
        entries.dedup_by(|later, first| {
            let same = later.order(first).is_eq();
            if same {
                duplicates.push(later.rtype());
            }
            same
        });
        for rtype in duplicates {
            self.fault(owner, rtype, BuildFaultKind::Duplicate);
        }
    }

    /// Takes note of a fault.
    pub(super) fn fault(&mut self, owner: NameRef<'_>, rtype: Rtype, kind: BuildFaultKind) {
        self.faults.push(BuildFault { owner: owner.to_name(), rtype, kind });
    }
}
