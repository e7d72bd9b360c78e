//! Any bytes as the text of a zone, through parser, checks, rendering and printer.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/zones/fuzzed.rs"]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::zone_text(bytes));
