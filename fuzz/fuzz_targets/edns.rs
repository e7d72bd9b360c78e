//! Any bytes as the options of an OPT record in an otherwise good query: no panic, FORMERR for what is
//! not well formed and for nothing else.
//!
//! The first octets say how the query comes, as in `respond`, and the TTL field of OPT.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/answer/fuzzed.rs"]
mod fuzzed;

thread_local! {
    static SUBJECT: RefCell<fuzzed::Subject> = RefCell::new(fuzzed::Subject::new());
}

fuzz_target!(|bytes: &[u8]| {
    SUBJECT.with(|subject| subject.borrow_mut().check_options(bytes));
});
