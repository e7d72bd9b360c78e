//! Any bytes into `Query::read`: no panic, and what was read lies inside the message.
#![no_main]

use gapura::wire::{Header, Query};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(query) = Query::read(bytes) else {
        assert!(Header::read(bytes).is_none_or(Header::is_response));
        return;
    };
    if let Some(question) = query.question {
        assert!(12 + question.octets() <= bytes.len());
    }
    if let Some(offset) = query.tsig {
        assert!(offset < bytes.len());
    }
    if !query.malformed {
        assert!(query.header.questions <= 1);
    }
});
