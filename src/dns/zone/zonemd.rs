//! The digest of a whole zone (RFC 8976), and the ZONEMD record that carries it.
//!
//! The digest walks every record, so its cost is that of the zone and not of a change. Whether a digest
//! that came with a zone is right is judged by `check`.

use ring::digest::{Context, SHA384, SHA512};

use super::contents::{Zone, merged};
use super::delta::{ApplyError, Delta};
use super::node::NodeRef;
use crate::wire::{Class, Record, Rtype, rdata};

/// The one scheme: every record in canonical order (RFC 8976 §2.2.2).
const SCHEME_SIMPLE: u8 = 1;
/// The hash that every implementation knows (RFC 8976 §2.2.3).
const HASH_SHA384: u8 = 1;
/// The other one.
const HASH_SHA512: u8 = 2;

impl Zone {
    /// The digest over all records but ZONEMD at the apex and its signatures (RFC 8976 §3.3.1); none of a scheme
    /// or hash that is not known.
    pub fn digest(&self, scheme: u8, hash: u8) -> Option<Box<[u8]>> {
        let mut context = match (scheme, hash) {
            (SCHEME_SIMPLE, HASH_SHA384) => Context::new(&SHA384),
            (SCHEME_SIMPLE, HASH_SHA512) => Context::new(&SHA512),
            _ => return None,
        };
        // In canonical order (RFC 4034 §6.1).
        let nodes = merged(self.nodes(), self.nsec3_nodes());
        nodes.for_each(|node| add_node(&mut context, node));
        Some(context.finish().as_ref().into())
    }

    /// The ZONEMD records at the apex, and the signatures over them.
    pub fn zonemd(&self) -> Vec<Record> {
        let set = self.rrset(self.apex(), Rtype::ZONEMD);
        set.into_iter()
            .flat_map(|set| set.records(self.apex()))
            .map(|record| record.to_record())
            .collect()
    }

    /// The zone with one ZONEMD record that holds for it, in the place of all it had.
    pub fn with_zonemd(&self) -> Result<Self, ApplyError> {
        self.apply(&Delta { removed: self.zonemd(), added: vec![self.fresh_zonemd()] })
    }

    /// The ZONEMD record that holds for the zone.
    pub fn fresh_zonemd(&self) -> Record {
        let mut rdata = self.serial().to_be_bytes().to_vec();
        rdata.extend([SCHEME_SIMPLE, HASH_SHA384]);
        rdata.extend(self.digest(SCHEME_SIMPLE, HASH_SHA384).unwrap_or_default());
        // The record lives as long as the serial that it speaks of.
        let ttl = self.rrset(self.apex(), Rtype::SOA).map_or(0, |soa| soa.ttl());
        let (owner, rtype, class) = (self.apex().to_name(), Rtype::ZONEMD, Class::IN);
        Record { owner, rtype, class, ttl, rdata: rdata.into() }
    }
}

/// Adds the records of a name in canonical form and order, each once (RFC 8976 §3.3.1.1).
fn add_node(context: &mut Context, node: NodeRef<'_>) {
    let owner = node.owner().to_lowercase();
    let mut records: Vec<_> = node
        .records()
        .filter(|record| !(node.is_apex() && is_zonemd(record.rtype, record.rdata)))
        .map(|record| (record.rtype.0, rdata::canonical(record.rtype, record.rdata), record.ttl))
        .collect();
    records.sort();
    records.dedup();
    for (rtype, rdata, ttl) in records {
        context.update(owner.wire());
        context.update(&rtype.to_be_bytes());
        context.update(&Class::IN.0.to_be_bytes());
        context.update(&ttl.to_be_bytes());
        // RDATA of a record in a zone has at most 65,535 octets.
        context.update(&(rdata.len() as u16).to_be_bytes());
        context.update(&rdata);
    }
}

/// Whether a record is ZONEMD or signs it.
fn is_zonemd(rtype: Rtype, rdata: &[u8]) -> bool {
    rtype == Rtype::ZONEMD
        || rtype == Rtype::RRSIG && rdata.starts_with(&Rtype::ZONEMD.0.to_be_bytes())
}
