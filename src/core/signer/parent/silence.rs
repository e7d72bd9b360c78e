//! Who did not answer, remembered for a while: whoever has many zones to look after need not wait again for the
//! same servers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// Addresses remembered.
const ADDRESSES_MAX: usize = 1_000;

/// Addresses that did not answer.
#[derive(Debug)]
pub(super) struct Silence {
    /// How long one is remembered.
    kept: Duration,
    /// Since when.
    since: Mutex<HashMap<SocketAddr, Instant>>,
}

impl Silence {
    /// A memory of this length.
    pub(super) fn new(kept: Duration) -> Self {
        Self { kept, since: Mutex::default() }
    }

    /// Whether an address did not answer a while ago, and was not asked since.
    pub(super) fn has(&self, address: SocketAddr) -> bool {
        lock(&self.since).get(&address).is_some_and(|since| since.elapsed() < self.kept)
    }

    /// It did not answer.
    pub(super) fn note(&self, address: SocketAddr) {
        let mut all = lock(&self.since);
        if all.len() >= ADDRESSES_MAX {
            all.retain(|_, since| since.elapsed() < self.kept);
        }
        if all.len() < ADDRESSES_MAX {
            all.insert(address, Instant::now());
        }
    }

    /// It is to be asked again.
    pub(super) fn forget(&self, address: SocketAddr) {
        lock(&self.since).remove(&address);
    }
}
