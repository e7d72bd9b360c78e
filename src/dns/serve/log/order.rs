//! The order of entries: those of all workers by time, though each hands its own over when it comes to it.
//!
//! What was collected in one round is written in the next one, together with what came since from before it: a
//! worker that was late by less than a round is still in its place. An entry waits for one round and never longer,
//! whatever the clock does. An operation that takes its time, a transfer for one, stands where it ended.

use std::mem;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::serve::lane::Lanes;

//------------ Rounds --------------------------------------------------------

/// The entries of two rounds, one block of each worker. A block begins with its oldest entry, and an entry with
/// its time.
#[derive(Debug, Default)]
pub(in crate::serve) struct Rounds {
    /// Those of the round before.
    held: Vec<Vec<u8>>,
    /// Octets of each block of them that are written already.
    written: Vec<usize>,
    /// Those of this round.
    fresh: Vec<Vec<u8>>,
    /// When this round began, microseconds since 1970.
    began: u64,
    /// Up to which time entries of this round are written with those of the one before.
    until: u64,
}

impl Rounds {
    /// Begins a round with what waits in the lanes; returns how many octets. The last one holds nothing back.
    pub(super) fn begin(&mut self, lanes: &Lanes, is_last: bool) -> usize {
        mem::swap(&mut self.held, &mut self.fresh);
        lanes.clear(&mut self.fresh);
        // Looked at first: what comes in between is of this round.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        lanes.take(&mut self.fresh);
        let before = mem::replace(&mut self.began, now.as_micros() as u64);
        self.until = if is_last { u64::MAX } else { before };
        self.fresh.iter().map(Vec::len).sum()
    }

    /// Calls `make` with entries by time: it takes the first entry off a block and returns how many octets that
    /// was, or none at the end.
    pub(in crate::serve) fn each(&mut self, mut make: impl FnMut(&[u8]) -> Option<usize>) {
        let held = self.held.iter().enumerate().map(|(lane, block)| {
            let written = self.written.get(lane).copied().unwrap_or_default();
            Left { lane, is_held: true, block: block.get(written..).unwrap_or_default() }
        });
        let fresh = self.fresh.iter().enumerate();
        let fresh = fresh.map(|(lane, block)| Left { lane, is_held: false, block });
        let mut left: Vec<Left<'_>> = held.chain(fresh).filter(|it| !it.block.is_empty()).collect();
        let mut held_left = left.iter().filter(|it| it.is_held).count();
        let mut written: Vec<usize> = self.fresh.iter().map(Vec::len).collect();
        while let Some((at, until)) = earliest(&left) {
            // One after the other as long as no other block has an earlier one.
            let it = &mut left[at];
            let until = if held_left == 0 { until.min(self.until) } else { until };
            if it.time() > until {
                break;
            }
            while !it.block.is_empty() && it.time() <= until {
                let used = make(it.block);
                it.block = used.and_then(|used| it.block.get(used..)).unwrap_or_default();
            }
            if it.block.is_empty() {
                held_left -= usize::from(it.is_held);
                left.retain(|it| !it.block.is_empty());
            }
        }
        for it in left {
            written[it.lane] -= it.block.len();
        }
        self.written = written;
    }

    /// Rounds over these blocks, of one worker each.
    #[cfg(test)]
    pub(super) fn of(held: Vec<Vec<u8>>, fresh: Vec<Vec<u8>>, until: u64) -> Self {
        Self { held, fresh, until, ..Self::default() }
    }
}

/// What is left of a block.
struct Left<'b> {
    /// The worker it is of.
    lane: usize,
    /// Whether it is of the round before.
    is_held: bool,
    /// Entries not written yet.
    block: &'b [u8],
}

impl Left<'_> {
    /// The time of its first entry.
    fn time(&self) -> u64 {
        self.block.first_chunk().map_or(0, |time| u64::from_le_bytes(*time))
    }
}

/// The block with the earliest entry, and the time of the earliest one of the others.
fn earliest(left: &[Left<'_>]) -> Option<(usize, u64)> {
    let mut first = (0, left.first()?.time());
    let mut next = u64::MAX;
    for (at, it) in left.iter().enumerate().skip(1) {
        let time = it.time();
        if time < first.1 {
            next = first.1;
            first = (at, time);
        } else {
            next = next.min(time);
        }
    }
    Some((first.0, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of entries that are nothing but times.
    fn block(times: &[u64]) -> Vec<u8> {
        times.iter().flat_map(|time| time.to_le_bytes()).collect()
    }

    /// The times that a round writes.
    fn written(rounds: &mut Rounds) -> Vec<u64> {
        let mut times = Vec::new();
        rounds.each(|block| {
            times.push(u64::from_le_bytes(*block.first_chunk()?));
            Some(8)
        });
        times
    }

    #[test]
    fn a_worker_that_is_late_by_a_round_is_still_in_its_place() {
        // The second worker hands over what it had from before the round, and more.
        let held = vec![block(&[10, 30, 50]), block(&[])];
        let mut rounds = Rounds::of(held, vec![block(&[70]), block(&[20, 40, 60, 80])], 55);
        assert_eq!(written(&mut rounds), [10, 20, 30, 40, 50]);
        // The next round has what is left of this one.
        mem::swap(&mut rounds.held, &mut rounds.fresh);
        rounds.fresh = vec![block(&[90]), block(&[75])];
        rounds.until = 85;
        assert_eq!(written(&mut rounds), [60, 70, 75, 80]);
    }

    #[test]
    fn an_entry_waits_for_one_round_whatever_the_clock_does() {
        // The clock was set back by much after these were noted.
        let mut rounds = Rounds::of(vec![block(&[1_000, 1_001])], vec![block(&[7, 8])], 5);
        assert_eq!(written(&mut rounds), [7, 8, 1_000, 1_001]);
        let mut last = Rounds::of(vec![block(&[3])], vec![block(&[900])], u64::MAX);
        assert_eq!(written(&mut last), [3, 900]);
        // An entry that cannot be read ends its block.
        let mut broken = Rounds::of(vec![vec![1, 2, 3]], vec![block(&[9])], u64::MAX);
        assert_eq!(written(&mut broken), [9]);
    }
}
