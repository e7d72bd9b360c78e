//! The clock of a demonstration while it is being generated: it shows the time that was set.
//!
//! There is one per process, because the publisher takes its clock as a plain function.

use std::sync::atomic::{AtomicI64, Ordering};

/// The time it shows, in epoch milliseconds.
static HAND: AtomicI64 = AtomicI64::new(0);

/// The time it shows, in epoch milliseconds.
pub(super) fn now_ms() -> i64 {
    HAND.load(Ordering::Relaxed)
}

/// Sets it.
pub(super) fn set(ms: i64) {
    HAND.store(ms, Ordering::Relaxed);
}
