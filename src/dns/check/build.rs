//! From the text of a master file to its zone, by all processors where the text is large.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::master::{self, Input, Parsed, Sinks};
use crate::threads::processors;
use crate::wire::{Name, RecordRef};
use crate::zone::{BuildFault, Zone, ZoneBuilder};

/// Records between two looks whether to go on.
const LOOK_EVERY: usize = 1 << 17;
/// Octets of a text from which on it is read by more than one thread.
const LARGE_OCTETS: usize = 4 << 20;

/// What became of a text.
pub struct Built {
    /// What parsing found.
    pub parsed: Parsed,
    /// The zone, if it has a SOA record.
    pub zone: Option<Zone>,
    /// What building found.
    pub faults: Vec<BuildFault>,
}

/// Reads a text and builds its zone. `goes_on` is asked now and then, with the number of records so far; once it says no,
/// the text is read to its end and no record is kept.
pub fn build(
    input: &Input<'_>,
    apex: &Name,
    options: &master::Options,
    goes_on: &(dyn Fn(usize) -> bool + Sync),
) -> Built {
    let threads = match input.bytes.len() {
        ..LARGE_OCTETS => 1,
        _ => processors(),
    };
    build_by(threads, input, apex, options, goes_on)
}

/// The same by so many threads.
pub(super) fn build_by(
    threads: usize,
    input: &Input<'_>,
    apex: &Name,
    options: &master::Options,
    goes_on: &(dyn Fn(usize) -> bool + Sync),
) -> Built {
    let builders =
        Builders { apex, goes_on, is_over: AtomicBool::default(), seen: AtomicUsize::default() };
    let apart = master::parse_apart(input, apex.as_ref(), options, threads, &builders);
    let (parsed, builder) = match apart {
        Some((parsed, parts)) => {
            (parsed, ZoneBuilder::join(apex, parts.into_iter().map(|it| it.0)))
        }
        None => {
            builders.seen.store(0, Ordering::Relaxed);
            let mut part = builders.open(input.bytes.len());
            let mut push = |record: RecordRef<'_>, _| builders.push(&mut part, record);
            let parsed = master::parse(input, apex.as_ref(), options, &mut push);
            (parsed, part.0)
        }
    };
    let (zone, faults) = builder.finish();
    Built { parsed, zone, faults }
}

/// Builders for the stretches of a text.
struct Builders<'a> {
    /// The apex of the zone.
    apex: &'a Name,
    /// Asked whether to go on.
    goes_on: &'a (dyn Fn(usize) -> bool + Sync),
    /// Whether it said no.
    is_over: AtomicBool,
    /// Records so far, in steps.
    seen: AtomicUsize,
}

impl Sinks for Builders<'_> {
    /// A builder, and the records since the last look.
    type Sink = (ZoneBuilder, usize);

    fn open(&self, octets: usize) -> Self::Sink {
        (ZoneBuilder::with_room(self.apex, octets), 0)
    }

    fn push(&self, (builder, count): &mut Self::Sink, record: RecordRef<'_>) {
        *count += 1;
        if *count == LOOK_EVERY {
            *count = 0;
            let seen = self.seen.fetch_add(LOOK_EVERY, Ordering::Relaxed) + LOOK_EVERY;
            if !self.is_over.load(Ordering::Relaxed) && !(self.goes_on)(seen) {
                self.is_over.store(true, Ordering::Relaxed);
            }
        }
        if !self.is_over.load(Ordering::Relaxed) {
            builder.push(record);
        }
    }

    fn close(&self, (builder, _): &mut Self::Sink) {
        builder.sort();
    }
}
