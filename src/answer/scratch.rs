//! What a worker keeps between queries so that none allocates.

use std::sync::Arc;

use crate::wire::NameRef;

use super::chain::{Chain, NAME_OCTETS};
use super::peer::{Facts, Identity, suffix};
use super::put::Targets;

//------------ Scratch -------------------------------------------------------

/// One worker's memory: made once, used for every query. Not shared between threads.
#[derive(Debug)]
pub struct Scratch {
    /// What the server says of itself.
    pub(crate) identity: Arc<Identity>,
    /// What is known of the last query.
    pub(crate) facts: Facts,
    /// The QNAME as it was sent.
    pub(crate) qname: [u8; NAME_OCTETS],
    /// Octets of it; 0 if there was no question.
    pub(crate) qname_octets: u8,
    /// The names of the chain that is being followed.
    pub(crate) chain: Chain,
    /// Where the hosts stand that the answer names.
    pub(crate) targets: Targets,
}

impl Scratch {
    /// Memory for one worker that answers as `identity`.
    pub fn new(identity: Arc<Identity>) -> Self {
        Self {
            identity,
            facts: Facts::default(),
            qname: [0; NAME_OCTETS],
            qname_octets: 0,
            chain: Chain::new(),
            targets: Targets::new(),
        }
    }

    /// Answers as `identity` from now on (a reload of the settings, a rolled cookie secret).
    pub fn set_identity(&mut self, identity: Arc<Identity>) {
        self.identity = identity;
    }

    /// Facts of the last query and its response.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The last QNAME in the sender's case; `None` if there was no question.
    pub fn qname(&self) -> Option<NameRef<'_>> {
        suffix(&self.qname[..usize::from(self.qname_octets)], usize::from(self.qname_octets))
    }

    /// The apex of the zone that answered last, in the sender's case.
    pub fn zone(&self) -> Option<NameRef<'_>> {
        let octets = usize::from(self.facts.apex_octets);
        (octets > 0).then(|| suffix(&self.qname[..usize::from(self.qname_octets)], octets))?
    }

    /// Forgets the last query.
    pub(crate) fn clear(&mut self) {
        self.facts = Facts::default();
        self.qname_octets = 0;
    }

    /// Keeps the QNAME.
    pub(crate) fn keep_qname(&mut self, name: NameRef<'_>) {
        let wire = name.wire();
        self.qname[..wire.len()].copy_from_slice(wire);
        self.qname_octets = wire.len() as u8;
    }
}
