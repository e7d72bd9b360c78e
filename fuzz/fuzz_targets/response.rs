//! Any bytes into `Response::read`: no panic, and every record that was read is valid for its type.
#![no_main]

use gapura::wire::{Response, rdata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(response) = Response::read(bytes) else { return };
    let sections = [&response.answer, &response.authority, &response.additional];
    for record in sections.into_iter().flatten() {
        assert!(record.rdata.len() <= rdata::RDATA_OCTETS_MAX);
        let _text = rdata::to_text(record.rtype, &record.rdata);
    }
});
