//! Replays the fuzz corpora in `fuzz/corpus`, so that what a fuzzer once found stays found.

use std::path::Path;

use gapura::wire::Query;

use crate::answer::fuzzed::Subject;

/// Hands every file of a corpus to `check`; returns how many there were.
fn replay(target: &str, mut check: impl FnMut(&[u8])) -> usize {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| check(&std::fs::read(entry.unwrap().path()).unwrap())).count()
}

#[test]
fn messages_are_read() {
    assert!(
        replay("message", |bytes| {
            let _ = Query::read(bytes);
        }) > 10
    );
}

#[test]
fn queries_are_answered() {
    let mut subject = Subject::new();
    assert!(replay("respond", |bytes| subject.check(bytes)) > 10);
}

#[test]
fn options_are_read() {
    let mut subject = Subject::new();
    assert!(replay("edns", |bytes| subject.check_options(bytes)) > 10);
}
