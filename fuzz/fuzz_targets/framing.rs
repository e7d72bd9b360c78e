//! Any bytes as what comes in over TCP, whole and in pieces: the same responses, each to its query.
//!
//! The first octet says how long the pieces are.
#![no_main]

use gapura::serve::Framing;
use gapura::zone::ZoneSet;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static FRAMING: Framing = Framing::new(ZoneSet::new()).expect("a runtime");
}

fuzz_target!(|bytes: &[u8]| FRAMING.with(|framing| framing.check(bytes)));
