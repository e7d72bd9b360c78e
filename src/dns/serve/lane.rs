//! Lanes: how a worker passes on what it noted without waiting.
//!
//! ```text
//! worker: entry ─► its own block ─(try_lock, swap; once per batch)─► lane ─► whoever collects
//! ```
//!
//! A worker allocates nothing and takes no lock that is held. An entry that finds no room is the worker's loss
//! to count: nothing here grows without a limit.

use std::sync::{Arc, Mutex};

use crate::lock::lock;

/// How much a lane holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Octets a worker gathers before it must be rid of them.
    pub(super) block: usize,
    /// Octets that may wait for the collector, for each worker.
    pub(super) waiting: usize,
}

//------------ Lanes ---------------------------------------------------------

/// The lanes of all workers, which join at their start.
#[derive(Debug)]
pub(super) struct Lanes {
    /// How much each holds.
    room: Room,
    /// One of each worker.
    lanes: Mutex<Vec<Arc<Lane>>>,
}

/// Where one worker's entries wait.
#[derive(Debug)]
struct Lane {
    /// Whole entries.
    waiting: Mutex<Vec<u8>>,
}

impl Lanes {
    /// No lane yet.
    pub(super) fn new(room: Room) -> Self {
        Self { room, lanes: Mutex::default() }
    }

    /// A lane for one worker.
    pub(super) fn join(&self) -> LaneEnd {
        let empty = || Vec::with_capacity(self.room.block);
        let lane = Arc::new(Lane { waiting: Mutex::new(empty()) });
        lock(&self.lanes).push(lane.clone());
        LaneEnd { room: self.room, lane, block: empty() }
    }

    /// Swaps what waits in each lane for an empty block. `blocks` has one of each worker and is used again and
    /// again: its owner empties them by [`Lanes::clear`].
    pub(super) fn take(&self, blocks: &mut Vec<Vec<u8>>) {
        let lanes = lock(&self.lanes).clone();
        blocks.resize_with(lanes.len(), || Vec::with_capacity(self.room.block));
        for (lane, block) in lanes.iter().zip(blocks) {
            std::mem::swap(&mut *lock(&lane.waiting), block);
        }
    }

    /// Keeps the collector from the lanes as long as what is returned lives.
    #[cfg(test)]
    pub(super) fn hold(&self) -> impl Drop + '_ {
        lock(&self.lanes)
    }

    /// Empties blocks; after a storm they are given back to the size that workers use.
    pub(super) fn clear(&self, blocks: &mut [Vec<u8>]) {
        for block in blocks {
            block.clear();
            block.shrink_to(self.room.block);
            block.reserve(self.room.block);
        }
    }
}

//------------ LaneEnd -------------------------------------------------------

/// A worker's end of its lane.
#[derive(Debug)]
pub(super) struct LaneEnd {
    /// How much it holds.
    room: Room,
    /// The other end.
    lane: Arc<Lane>,
    /// Entries not handed over yet.
    block: Vec<u8>,
}

impl LaneEnd {
    /// Where to put an entry of at most so many octets, if there is room. Blocks are handed over to make some.
    #[inline]
    pub(super) fn room_for(&mut self, octets: usize) -> Option<&mut Vec<u8>> {
        if self.block.len() + octets > self.room.block {
            self.hand_over();
        }
        (self.block.len() + octets <= self.room.block).then_some(&mut self.block)
    }

    /// Hands the gathered entries over, unless the lane is being emptied at this moment or holds too much.
    pub(super) fn hand_over(&mut self) {
        if self.block.is_empty() {
            return;
        }
        let Ok(mut waiting) = self.lane.waiting.try_lock() else { return };
        if waiting.is_empty() {
            std::mem::swap(&mut *waiting, &mut self.block);
        } else if waiting.len() + self.block.len() <= self.room.waiting {
            waiting.extend_from_slice(&self.block);
            self.block.clear();
        }
    }

    /// Hands over what is left, at the worker's end: now it may wait.
    pub(super) fn finish(&mut self) {
        lock(&self.lane.waiting).append(&mut self.block);
    }

    /// Octets that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        lock(&self.lane.waiting).len()
    }

    /// Octets the block has room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.block.capacity()
    }
}
