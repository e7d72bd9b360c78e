//! What each name of the signed zone owns, and what of it is signed. The one rule that `whole`, `change` and
//! `renew` make names by.

use super::chain;
use super::plan::{Plan, SignError, chain_ttl};
use super::signer::{Keep, RECORD_OCTETS};
use super::strip::is_made;
use super::times::Spread;
use crate::dnssec::{Denial, Dnskey};
use crate::wire::{NameRef, Rtype};
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Octets of a signature at the apex with all around it: of RSA with 4,096 bits.
const OWN_SIGNATURE_OCTETS: usize = 1024;
/// The TTL of NSEC3PARAM: nobody caches what only servers of the zone read (RFC 5155 §4).
const NSEC3PARAM_TTL: u32 = 0;

//------------ Set -----------------------------------------------------------

/// An RRset without its signatures.
#[derive(Debug)]
pub(super) struct Set<'a> {
    /// The type.
    pub(super) rtype: Rtype,
    /// The TTL.
    pub(super) ttl: u32,
    /// The RDATA of each record.
    pub(super) rdatas: Vec<&'a [u8]>,
}

/// An RRset of the apex that is ours, with what the content has of the type.
struct OwnSet {
    /// The type.
    rtype: Rtype,
    /// The TTL.
    ttl: u32,
    /// The RDATA of each record.
    rdatas: Vec<Box<[u8]>>,
}

//------------ Job -----------------------------------------------------------

/// One version that is being signed.
pub(super) struct Job<'a> {
    /// What is signed.
    pub(super) content: &'a Zone,
    /// With what.
    pub(super) plan: &'a Plan,
    /// The time, in seconds since 1970 modulo 2³².
    pub(super) now: u32,
    /// How far signatures are spread.
    pub(super) spread: Spread,
    /// The RRsets of the apex that are not the content's alone.
    own: Vec<OwnSet>,
}

impl<'a> Job<'a> {
    /// A version to be signed now.
    pub(super) fn new(
        content: &'a Zone,
        plan: &'a Plan,
        now: u32,
        spread: Spread,
    ) -> Result<Self, SignError> {
        plan.check()?;
        let keys = plan.keys.iter().map(Dnskey::rdata).collect();
        let mut own = vec![
            own_set(content, Rtype::DNSKEY, keys, plan.dnskey_ttl),
            own_set(content, Rtype::CDS, plan.cds.clone(), plan.dnskey_ttl),
            own_set(content, Rtype::CDNSKEY, plan.cdnskeys.clone(), plan.dnskey_ttl),
        ];
        own.retain(|set| !set.rdatas.is_empty());
        if plan.denial == Denial::Nsec3 {
            let rdatas = vec![chain::NSEC3PARAM.as_slice().into()];
            own.push(OwnSet { rtype: Rtype::NSEC3PARAM, ttl: NSEC3PARAM_TTL, rdatas });
        }
        Ok(Self { content, plan, now, spread, own })
    }

    /// The TTL of NSEC and NSEC3.
    pub(super) fn chain_ttl(&self) -> u32 {
        chain_ttl(self.content.soa())
    }

    /// At least as many octets as the RRsets that are ours take at the apex.
    pub(super) fn own_octets(&self) -> usize {
        let signers = self.plan.key_signers.len().max(self.plan.zone_signers.len());
        let of_set = |set: &OwnSet| {
            set.rdatas.iter().map(|rdata| RECORD_OCTETS + rdata.len()).sum::<usize>()
                + signers * OWN_SIGNATURE_OCTETS
        };
        self.own.iter().map(of_set).sum()
    }

    /// The RRsets of a name of the content as they are served, NSEC and ZONEMD aside.
    pub(super) fn sets<'s>(&'s self, node: NodeRef<'s>) -> Vec<Set<'s>> {
        let own: &[OwnSet] = if node.is_apex() { &self.own } else { &[] };
        let is_given = |set: &RrsetRef<'s>| {
            let rtype = set.rtype();
            !is_made(node.is_apex(), rtype) && !own.iter().any(|own| own.rtype == rtype)
        };
        let given = node.rrsets().filter(is_given).map(|set| Set {
            rtype: set.rtype(),
            ttl: set.ttl(),
            rdatas: set.rdatas().collect(),
        });
        let own = own.iter().map(|set| Set {
            rtype: set.rtype,
            ttl: set.ttl,
            rdatas: set.rdatas.iter().map(|rdata| &**rdata).collect(),
        });
        given.chain(own).collect()
    }

    /// The types that the NSEC or NSEC3 of a name lists (RFC 4034 §4.1.2, 5155 §7.1): at a cut only what the
    /// parent is sure of.
    pub(super) fn types(&self, node: NodeRef<'_>, sets: &[Set<'_>]) -> Vec<u16> {
        let is_listed = |rtype: Rtype| !node.is_cut() || matches!(rtype, Rtype::NS | Rtype::DS);
        let listed = sets.iter().map(|set| set.rtype).filter(|rtype| is_listed(*rtype));
        let mut types: Vec<u16> = listed.map(|rtype| rtype.0).collect();
        if node.is_apex() && self.plan.zonemd {
            types.push(Rtype::ZONEMD.0);
        }
        let has_signature = sets.iter().any(|set| node.is_signed_here(set.rtype));
        match self.plan.denial {
            Denial::Nsec => types.extend([Rtype::NSEC.0, Rtype::RRSIG.0]),
            Denial::Nsec3 if has_signature => types.push(Rtype::RRSIG.0),
            Denial::Nsec3 => {}
        }
        types.sort_unstable();
        types
    }

    /// Gives all records of a name of the content as it is served: with its signatures and, if it is in a chain
    /// of NSEC, the record that names `next`. What is good of `old` is kept.
    pub(super) fn name(
        &self,
        node: NodeRef<'_>,
        next: Option<NameRef<'_>>,
        old: Option<NodeRef<'_>>,
        keep: Keep,
        put: &mut dyn FnMut(Rtype, u32, &[u8]),
    ) -> Result<(), SignError> {
        let sets = self.sets(node);
        let old_of = |rtype| old.and_then(|old| old.rrset(rtype));
        for set in &sets {
            set.rdatas.iter().for_each(|rdata| put(set.rtype, set.ttl, rdata));
            if node.is_signed_here(set.rtype) {
                self.sign(node.owner(), set, old_of(set.rtype), keep, put)?;
            }
        }
        if let Some(next) = next {
            let rdata = chain::nsec(next, &self.types(node, &sets));
            let set = Set { rtype: Rtype::NSEC, ttl: self.chain_ttl(), rdatas: vec![&rdata] };
            put(set.rtype, set.ttl, &rdata);
            self.sign(node.owner(), &set, old_of(Rtype::NSEC), keep, put)?;
        }
        Ok(())
    }
}

/// An RRset of the apex: what the content has, which may be another signer's (RFC 8901), and ours.
fn own_set(content: &Zone, rtype: Rtype, ours: Vec<Box<[u8]>>, ttl: u32) -> OwnSet {
    let given = content.apex_node().rrset(rtype);
    let mut rdatas: Vec<Box<[u8]>> =
        given.into_iter().flat_map(RrsetRef::rdatas).map(Into::into).collect();
    rdatas.extend(ours);
    rdatas.sort_unstable();
    rdatas.dedup();
    OwnSet { rtype, ttl: given.map_or(ttl, RrsetRef::ttl), rdatas }
}
