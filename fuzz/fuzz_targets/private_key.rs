//! Any bytes as the file of a key: PEM, the format of BIND and ldns, DNSKEY records; and as DER and RDATA.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/zones/fuzzed.rs"]
mod fuzzed;

fuzz_target!(|bytes: &[u8]| fuzzed::private_key(bytes));
