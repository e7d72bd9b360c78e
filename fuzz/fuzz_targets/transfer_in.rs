//! Any bytes as the messages of a transfer coming in: no panic, and whatever comes of it is a zone with
//! its SOA record, or a chain of changes.
//!
//! The first octet says whether AXFR or IXFR was asked for; then messages follow, each behind its length.
#![no_main]

use gapura::transfer::{Incoming, Received, Wanted};
use gapura::wire::Rtype;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let wanted = if first & 1 == 0 { Wanted::Whole } else { Wanted::Since(3) };
    let Ok(apex) = "a.test.".parse() else { return };
    let mut incoming = Incoming::new(&apex, 7, wanted);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(after.len());
        let (message, after) = after.split_at(length);
        rest = after;
        match incoming.take(message) {
            Ok(false) => {}
            Ok(true) => break,
            Err(_) => return,
        }
    }
    match incoming.finish() {
        Ok(Received::Whole { zone, .. }) => {
            assert_eq!(zone.records().next().map(|record| record.rtype), Some(Rtype::SOA));
            let outside = |name: gapura::wire::NameRef<'_>| !name.is_at_or_below(apex.as_ref());
            assert!(!zone.records().any(|record| outside(record.owner)));
        }
        Ok(Received::Changes(deltas)) => {
            let mut reached = Some(3);
            for delta in &deltas {
                assert_eq!(delta.removed.first().and_then(|soa| soa.serial()), reached);
                reached = delta.added.first().and_then(|soa| soa.serial());
            }
            assert!(reached.is_some());
        }
        Ok(Received::Current { .. }) | Err(_) => {}
    }
});
