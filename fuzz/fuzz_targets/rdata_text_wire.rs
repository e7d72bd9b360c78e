//! A type and any bytes, as RDATA on the wire and as its text.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/zones/fuzzed.rs"]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::rdata_text_wire(bytes));
