//! A sample of the names that are asked for, for statistics: name, zone and response code, and nothing of
//! the client.
//!
//! ```text
//! worker: every N-th query ─► lane ─► whoever collects, each second
//! ```
//!
//! Up to [`PER_SECOND`] queries a second, a worker notes each one; above that, one in N, and each stands for the
//! queries since the one before, so that the weights add up to all of them. A worker allocates nothing and
//! never waits; while nobody collects, what does not fit adds to the weight of what comes later.

use std::sync::{Arc, Weak};

use crate::answer::Scratch;
use crate::wire::{NAME_OCTETS_MAX, NameRef, Rcode};

use super::counters::{Lane as Labels, Totals};
use super::lane::{LaneEnd, Lanes, Room};
use super::responder::Shared;

/// Queries that one worker notes within a second.
const PER_SECOND: u32 = 500;
/// Octets of an entry before its name.
const HEAD_OCTETS: usize = 8;
/// Octets an entry may have.
const OCTETS_MAX: usize = HEAD_OCTETS + NAME_OCTETS_MAX;
/// How much a lane holds.
const ROOM: Room = Room { block: 16 << 10, waiting: 256 << 10 };

//------------ Sample --------------------------------------------------------

/// One query of the sample.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// How many queries it stands for.
    pub weight: u32,
    /// The response code.
    pub rcode: Rcode,
    /// The name asked for, in the sender's case.
    pub name: NameRef<'a>,
    /// The apex of the zone that answered; none if no zone of ours did.
    pub zone: Option<NameRef<'a>>,
    /// Whether a wildcard answered.
    pub wildcard: bool,
}

impl<'a> Sample<'a> {
    /// Takes an entry off the front of a block.
    fn read(block: &mut &'a [u8]) -> Option<Self> {
        let (head, rest) = block.split_first_chunk::<HEAD_OCTETS>()?;
        let [w0, w1, w2, w3, rcode, wildcard, apex, length] = *head;
        let (name, rest) = rest.split_at_checked(usize::from(length))?;
        *block = rest;
        let (owner, _) = NameRef::from_wire(name).ok()?;
        let start = name.len().checked_sub(usize::from(apex)).filter(|_| apex > 0);
        let zone = start.and_then(|start| NameRef::from_wire(&name[start..]).ok());
        Some(Self {
            weight: u32::from_le_bytes([w0, w1, w2, w3]),
            rcode: Rcode(u16::from(rcode)),
            name: owner,
            zone: zone.map(|(zone, _)| zone),
            wildcard: wildcard != 0,
        })
    }
}

//------------ Samples -------------------------------------------------------

/// The lanes of all workers, which join at start.
#[derive(Debug)]
pub(super) struct Samples(Lanes);

impl Default for Samples {
    fn default() -> Self {
        Self(Lanes::new(ROOM))
    }
}

impl Samples {
    /// A lane for one worker.
    pub(super) fn join(&self) -> Sampler {
        Sampler { lane: self.0.join(), every: 1, skipped: 0, taken: 0, seen: 0, second: 0 }
    }

    /// Hands over all that waits.
    fn collect(&self, mut sink: impl FnMut(&Sample<'_>)) {
        let mut blocks = Vec::new();
        self.0.take(&mut blocks);
        for block in &blocks {
            let mut left = block.as_slice();
            while let Some(sample) = Sample::read(&mut left) {
                sink(&sample);
            }
        }
    }
}

//------------ Sampler -------------------------------------------------------

/// A worker's end of its lane.
#[derive(Debug)]
pub(super) struct Sampler {
    /// Its lane.
    lane: LaneEnd,
    /// One query in this many is noted.
    every: u32,
    /// Queries since the last one noted.
    skipped: u32,
    /// Queries noted in this second.
    taken: u32,
    /// Queries of this second.
    seen: u32,
    /// The second, since 1970.
    second: u64,
}

impl Sampler {
    /// Counts a query that was answered in this second, and notes it if it belongs to the sample.
    #[inline]
    pub(super) fn count(&mut self, second: u64, scratch: &Scratch) {
        if second != self.second {
            self.every = (self.seen / PER_SECOND).max(1);
            (self.second, self.seen, self.taken) = (second, 0, 0);
        }
        self.seen = self.seen.saturating_add(1);
        self.skipped = self.skipped.saturating_add(1);
        if self.skipped >= self.every {
            self.note(scratch);
        }
    }

    /// Notes a query, if there is room.
    fn note(&mut self, scratch: &Scratch) {
        let Some(name) = scratch.qname() else { return };
        let Some(block) = self.lane.room_for(OCTETS_MAX) else { return };
        let (facts, name) = (scratch.facts(), name.wire());
        block.extend_from_slice(&self.skipped.to_le_bytes());
        // No code of ours is above 255, and a name has at most 255 octets.
        let (rcode, wildcard) = (facts.rcode.0 as u8, u8::from(facts.wildcard));
        block.extend_from_slice(&[rcode, wildcard, facts.apex_octets, name.len() as u8]);
        block.extend_from_slice(name);
        self.skipped = 0;
        self.taken += 1;
        if self.taken >= PER_SECOND {
            // More than the second before had.
            (self.every, self.taken) = (self.every.saturating_mul(2), 0);
        }
    }

    /// Hands the gathered entries over.
    pub(super) fn hand_over(&mut self) {
        self.lane.hand_over();
    }
}

//------------ Tap -----------------------------------------------------------

/// What may be read of the workers for statistics. It keeps no socket open: once the server has stopped,
/// there is nothing.
#[derive(Clone, Debug, Default)]
pub struct Tap(Weak<Shared>);

impl Tap {
    /// Of these workers.
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// What they have counted since the start, by transport and address family.
    pub fn counters(&self) -> Vec<(Labels, Totals)> {
        self.0.upgrade().map(|shared| shared.counters.totals()).unwrap_or_default()
    }

    /// Hands over the sample since the last call.
    pub fn samples(&self, sink: impl FnMut(&Sample<'_>)) {
        if let Some(samples) = self.0.upgrade().as_ref().and_then(|shared| shared.samples.as_ref())
        {
            samples.collect(sink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Identity, Peer, Transport};
    use crate::zone::ZoneSet;

    /// A worker's memory after a query for a name that is in no zone.
    fn asked(name: &str) -> Scratch {
        let name: crate::wire::Name = name.parse().unwrap();
        let query = [b"\0\x01\0\0\0\x01\0\0\0\0\0\0", name.wire(), b"\0\x01\0\x01"].concat();
        let mut scratch = Scratch::new(Arc::new(Identity::default()));
        let peer = Peer::new(([127, 0, 0, 1], 5353).into(), Transport::Udp, 0);
        let _ =
            crate::answer::respond(&ZoneSet::default(), &mut scratch, &query, &peer, &mut [0; 512]);
        scratch
    }

    /// Name and weight of all that waits.
    fn collected(samples: &Samples) -> Vec<(String, u32)> {
        let mut all = Vec::new();
        samples.collect(|it| {
            assert_eq!((it.rcode, it.zone.is_none()), (Rcode::REFUSED, true));
            all.push((it.name.to_string(), it.weight));
        });
        all
    }

    #[test]
    fn few_queries_are_all_noted() {
        let samples = Samples::default();
        let mut worker = samples.join();
        for name in ["a.example.", "b.example.", "a.example."] {
            worker.count(1, &asked(name));
        }
        assert!(collected(&samples).is_empty(), "not handed over yet");
        worker.hand_over();
        let names = collected(&samples);
        assert_eq!(
            names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["a.example.", "b.example.", "a.example."]
        );
        assert!(names.iter().all(|(_, weight)| *weight == 1));
        assert!(collected(&samples).is_empty(), "handed over once");
    }

    #[test]
    fn of_many_a_bounded_part_is_noted_and_its_weights_add_up_to_all() {
        const QUERIES: u32 = 200_000;
        let samples = Samples::default();
        let (mut worker, scratch) = (samples.join(), asked("www.example."));
        let capacity = worker.lane.capacity();
        let (mut entries, mut weight) = (0, 0);
        for second in 1..=3 {
            let before = entries;
            for at in 0..QUERIES {
                worker.count(second, &scratch);
                if at % 64 == 0 {
                    worker.hand_over();
                }
                if at % 20_000 == 0 {
                    for (_, one) in collected(&samples) {
                        (entries, weight) = (entries + 1, weight + one);
                    }
                }
            }
            assert!(entries - before < 12 * PER_SECOND, "{entries} of {QUERIES}");
        }
        worker.hand_over();
        weight += collected(&samples).iter().map(|(_, one)| one).sum::<u32>();
        assert_eq!(weight + worker.skipped, 3 * QUERIES);
        assert_eq!(worker.lane.capacity(), capacity, "a worker allocates nothing");
    }

    #[test]
    fn while_nobody_collects_memory_is_bounded_and_no_query_lost_from_the_sum() {
        let samples = Samples::default();
        let (mut worker, scratch) =
            (samples.join(), asked(&format!("{}example.", "abcdefgh.".repeat(20))));
        for at in 0..10_000_u32 {
            // Each in a second of its own: all would be noted.
            worker.count(u64::from(at), &scratch);
            worker.hand_over();
        }
        assert!(worker.lane.waiting() <= ROOM.waiting);
        let held: u32 = collected(&samples).iter().map(|(_, weight)| weight).sum();
        worker.count(0, &scratch);
        worker.hand_over();
        let rest: u32 = collected(&samples).iter().map(|(_, weight)| weight).sum();
        assert_eq!(held + rest + worker.skipped, 10_001);
    }
}
