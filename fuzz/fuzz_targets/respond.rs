//! Any bytes as a query to the engine with zones loaded: no panic, and every response keeps its
//! limit, repeats the question and decodes.
//!
//! The first octet says how the query comes: transport, and whether the client is limited.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/it/answer/fuzzed.rs"]
mod fuzzed;

thread_local! {
    static SUBJECT: RefCell<fuzzed::Subject> = RefCell::new(fuzzed::Subject::new());
}

fuzz_target!(|bytes: &[u8]| {
    SUBJECT.with(|subject| subject.borrow_mut().check(bytes));
});
