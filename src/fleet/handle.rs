//! The handle of the fleet, which `run` builds and the sockets call.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

use super::rules::{Remote, Rules};
use crate::publish::Publisher;
use crate::wire::Name;

/// Takes note of a NOTIFY for a secondary zone: from which primary, for which zone, with which serial as a
/// hint. Does not wait.
pub type Heed = Box<dyn Fn(&Arc<Remote>, &Name, Option<u32>) + Send + Sync>;

//------------ Fleet ---------------------------------------------------------

/// The fleet; clones share everything.
#[derive(Clone)]
pub struct Fleet(pub(super) Arc<Inner>);

/// What the clones share.
pub(super) struct Inner {
    /// The zones.
    pub(super) publisher: Publisher,
    /// Who may do what; replaced whole by a reload.
    pub(super) rules: ArcSwap<Rules>,
    /// Who heeds NOTIFY; none: nobody.
    pub(super) heed: OnceLock<Heed>,
}

impl std::fmt::Debug for Fleet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fleet")
    }
}

impl Fleet {
    /// A fleet that works on the zones of this publisher by these rules.
    pub fn new(publisher: Publisher, rules: Rules) -> Self {
        let (rules, heed) = (ArcSwap::from_pointee(rules), OnceLock::new());
        Self(Arc::new(Inner { publisher, rules, heed }))
    }

    /// Puts other rules in force, all at once. What waits for a peer that is still meant goes on waiting.
    pub fn set_rules(&self, rules: Rules) {
        self.0.rules.store(Arc::new(rules));
    }

    /// The rules in force.
    pub fn rules(&self) -> Arc<Rules> {
        self.0.rules.load_full()
    }

    /// Hands NOTIFYs for secondary zones to `heed` from now on. Only the first call counts.
    pub fn heed_notify(&self, heed: Heed) {
        let _second = self.0.heed.set(heed);
    }
}
