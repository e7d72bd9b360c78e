//! What a worker keeps between queries so that none allocates.

use std::sync::Arc;

use crate::wire::{NameRef, Query};

use super::chain::Chain;
use super::peer::{DropReason, Facts, Identity, Verdict, suffix};
use super::put::Targets;
use super::reply::QNAME_OFFSET;

//------------ Scratch -------------------------------------------------------

/// One worker's memory: made once, used for every query. Not shared between threads.
#[derive(Debug)]
pub struct Scratch {
    /// What the server says about itself.
    pub(crate) identity: Arc<Identity>,
    /// What is known of the last query.
    pub(crate) facts: Facts,
    /// The QNAME as it was sent, then the names of the chain that is followed from there.
    pub(crate) chain: Chain,
    /// Where the hosts are that the answer names.
    pub(crate) targets: Targets,
}

impl Scratch {
    /// Memory for one worker that answers as `identity`.
    pub fn new(identity: Arc<Identity>) -> Self {
        Self { identity, facts: Facts::default(), chain: Chain::new(), targets: Targets::new() }
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
        self.chain.first()
    }

    /// The apex of the zone that answered last, in the sender's case.
    pub fn zone(&self) -> Option<NameRef<'_>> {
        let octets = usize::from(self.facts.apex_octets);
        self.qname().filter(|_| octets > 0).and_then(|qname| suffix(qname.wire(), octets))
    }

    /// Forgets the last query.
    pub(crate) fn clear(&mut self) {
        self.facts = Facts::default();
        self.chain.clear();
    }

    /// Notes what the query says about itself.
    pub(crate) fn note(&mut self, query: &Query<'_>) {
        self.facts.opcode = query.header.opcode();
        self.facts.query_flags = query.header.flags;
        if let Some(question) = &query.question {
            self.facts.qtype = question.rtype;
            self.facts.qclass = question.class;
            self.chain.push(question.name, usize::from(QNAME_OFFSET));
        }
        if let Some(edns) = &query.edns {
            self.facts.edns_size = Some(edns.udp_size);
            self.facts.dnssec_ok = edns.dnssec_ok;
        }
    }

    /// Notes why nothing is sent.
    pub(crate) fn drop_query(&mut self, reason: DropReason) -> Verdict {
        self.facts.dropped = Some(reason);
        Verdict::Drop
    }
}
