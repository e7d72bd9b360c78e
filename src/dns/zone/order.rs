//! Canonical order: the runs of a stage, or of the stages of a text that was read in stretches, as one sorted list.
//!
//! ```text
//! stretches, each in order of prefixes ─► parts between the same two prefixes, side by side ─► one list
//! ```
//!
//! Files are mostly in some order already, and what is put together of sorted parts is: sorts are stable and make use
//! of that.

use std::ops::Range;

use super::key::{self, KEY_OCTETS_MAX};
use super::stage::{Runs, owner_of};
use super::trie::{BulkItem, MANY_ITEMS};
use crate::memory;
use crate::threads::{each, processors};
use crate::wire::{Name, NameRef};

/// Parts for each thread, as some take longer than others.
const PARTS_PER_THREAD: usize = 8;
/// Prefixes looked at of each stretch for each part, to cut it into parts of about one size.
const SAMPLES_PER_PART: usize = 8;
/// Items between asking for a name and reading it.
const AHEAD: usize = 16;

/// The runs of one stretch.
pub(super) struct Stretch {
    /// Where each run starts, with what it is sorted by.
    pub(super) items: Vec<BulkItem>,
    /// How far the runs lie behind what the items say.
    pub(super) by: usize,
}

/// Brings items into the order of their prefixes.
pub(super) fn presort(items: &mut [BulkItem]) {
    items.sort_by_key(|item| item.prefix);
}

/// Brings items into canonical order.
pub(super) fn sort(runs: &Runs, items: &mut [BulkItem], apex_octets: usize) {
    presort(items);
    for same in items.chunk_by_mut(|a, b| a.prefix == b.prefix) {
        sort_deeper(runs, same, 16, apex_octets);
    }
}

//------------ Stretches -----------------------------------------------------

/// The items of presorted stretches in canonical order.
pub(super) fn joined(runs: &Runs, stretches: &[Stretch], apex_octets: usize) -> Vec<BulkItem> {
    let count: usize = stretches.iter().map(|it| it.items.len()).sum();
    let threads = if count > MANY_ITEMS { processors() } else { 1 };
    let parts = if threads < 2 { 1 } else { threads * PARTS_PER_THREAD };
    let cuts = cuts(stretches, parts);
    let length = |part: usize| ranges(stretches, &cuts, part).map(|it| it.1.len()).sum();
    let lengths: Vec<usize> = (0..=cuts.len()).map(length).collect();
    memory::joined(threads, &lengths, |part, items: &mut Vec<BulkItem>| {
        for (by, range) in ranges(stretches, &cuts, part) {
            items.extend(range.iter().map(|item| item.moved(by)));
        }
        sort(runs, items, apex_octets);
    })
}

/// Prefixes that cut the items into about so many parts of about one size; what has the same prefix is never cut.
fn cuts(stretches: &[Stretch], parts: usize) -> Vec<[u64; 2]> {
    let count: usize = stretches.iter().map(|it| it.items.len()).sum();
    let step = (count / (parts * SAMPLES_PER_PART)).max(1);
    let samples = stretches.iter().flat_map(|it| it.items.iter().step_by(step));
    let mut samples: Vec<_> = samples.map(|item| item.prefix).collect();
    samples.sort_unstable();
    let mut cuts: Vec<_> =
        (1..parts).filter_map(|part| samples.get(samples.len() * part / parts).copied()).collect();
    cuts.dedup();
    cuts
}

/// The items of each stretch that belong to a part, and how far their runs lie behind what they say.
fn ranges<'a>(
    stretches: &'a [Stretch],
    cuts: &[[u64; 2]],
    part: usize,
) -> impl Iterator<Item = (usize, &'a [BulkItem])> {
    let first = part.checked_sub(1).map(|before| cuts[before]);
    let after = cuts.get(part).copied();
    stretches.iter().map(move |Stretch { items, by }| {
        let start = first.map_or(0, |cut| items.partition_point(|item| item.prefix < cut));
        let end = after.map_or(items.len(), |cut| items.partition_point(|item| item.prefix < cut));
        (*by, &items[start..end])
    })
}

/// Sorts items that are the same before `at`, in the octets of their keys from there.
fn sort_deeper(runs: &Runs, items: &mut [BulkItem], at: usize, apex_octets: usize) {
    // A key that ended before is the same name as all the others.
    if items.len() < 2 || at > KEY_OCTETS_MAX {
        return;
    }
    let window = |item: &BulkItem| {
        key::with(owner_of(runs.from(item.at())), apex_octets, |key| key::window(key, at))
    };
    let mut keyed: Vec<_> = items.iter().map(|item| (window(item), *item)).collect();
    if keyed.iter().all(|(window, _)| *window == [0, 0]) {
        return;
    }
    keyed.sort_by_key(|(window, _)| *window);
    for (to, (_, item)) in items.iter_mut().zip(&keyed) {
        *to = *item;
    }
    let mut start = 0;
    for group in keyed.chunk_by(|a, b| a.0 == b.0) {
        sort_deeper(runs, &mut items[start..start + group.len()], at + 16, apex_octets);
        start += group.len();
    }
}

//------------ Missing -------------------------------------------------------

/// The empty non-terminals of items in canonical order, and the apex if nothing is there.
pub(super) fn missing(runs: &Runs, items: &[BulkItem], apex: NameRef<'_>) -> Vec<Name> {
    let threads = if items.len() > MANY_ITEMS { processors() } else { 1 };
    let parts = if threads < 2 { 1 } else { threads * PARTS_PER_THREAD };
    let most = items.len().div_ceil(parts).max(1);
    let look = |(): &mut (), part: usize| {
        let start = part * most;
        missing_in(runs, items, start..items.len().min(start + most), apex)
    };
    let found = each(threads, items.len().div_ceil(most), || (), look);
    let is_bare = items.first().is_none_or(|item| item.depth() > 0);
    is_bare.then(|| apex.to_name()).into_iter().chain(found.into_iter().flatten()).collect()
}

/// The empty non-terminals between some items and what is before each.
fn missing_in(runs: &Runs, items: &[BulkItem], part: Range<usize>, apex: NameRef<'_>) -> Vec<Name> {
    let mut missing = Vec::new();
    for at in part {
        if let Some(soon) = items.get(at + AHEAD).filter(|item| item.depth() > 1) {
            memory::fetch(runs.from(soon.at()), 64);
        }
        if items[at].depth() < 2 {
            continue;
        }
        let owner = owner_of(runs.from(items[at].at()));
        let last = at.checked_sub(1).map_or(apex, |at| owner_of(runs.from(items[at].at())));
        let mut level = items[at].depth() + apex.label_count() - 1;
        let known = shared_labels(last, owner);
        let mut name = owner.parent();
        while let Some(ancestor) = name.filter(|_| level > known) {
            missing.push(ancestor.to_name());
            name = ancestor.parent();
            level -= 1;
        }
    }
    missing
}

/// How many labels two names share, from the right.
fn shared_labels(a: NameRef<'_>, b: NameRef<'_>) -> usize {
    let (mut a, mut b) = (Some(a), Some(b));
    loop {
        let (Some(left), Some(right)) = (a, b) else { return 0 };
        if left == right {
            return left.label_count();
        }
        let (wide, long) = (left.wire().len(), right.wire().len());
        if wide >= long {
            a = left.parent();
        }
        if long >= wide {
            b = right.parent();
        }
    }
}
