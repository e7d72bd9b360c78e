//! Says aloud that a test was skipped: what a test prints is shown only if it fails, and then a skip would look like
//! a success. Where peers are required (`GAPURA_REQUIRE_PEERS=1`, as `.ci/run` sets it) it is a failure.

use std::io::Write;

/// Notes that this test cannot run here, and why.
#[track_caller]
pub(crate) fn skipped(why: &str) {
    let required = std::env::var_os("GAPURA_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(!required, "{why}, and GAPURA_REQUIRE_PEERS=1");
    left_out(why);
}

/// The same where nobody can be asked to have what is missing.
pub(crate) fn left_out(why: &str) {
    let thread = std::thread::current();
    let line = format!("SKIPPED {}: {why}\n", thread.name().unwrap_or("a test"));
    // Written past the capture of libtest. There is nobody to tell if that fails.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
