//! For how long a secondary's version may still be served.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Seconds that whoever counts the time brings down, and the versions of a zone share.
#[derive(Clone, Debug, Default)]
pub struct TimeLeft(Arc<AtomicU32>);

impl TimeLeft {
    /// This many seconds are left now.
    pub fn set(&self, seconds: u32) {
        self.0.store(seconds, Ordering::Relaxed);
    }

    /// How many seconds are left.
    pub fn seconds(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}
