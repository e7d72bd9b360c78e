//! The self-check: looks at what is about to be served with the public keys alone, as a validator will.
//!
//! Of each name that changed, every new signature is computed and its times are looked at, and the chain is
//! closed around it. A version without one before it is looked at whole. Where more than 10,000 names changed, the
//! chain is looked at of all, the signatures are computed of so many: the apex, and the others evenly spread.

use super::chain::{self, Hash, params};
use super::parallel;
use super::plan::{Plan, chain_ttl};
use super::times::seconds_left;
use crate::dnssec::{Denial, Dnskey, Rrsig, key_tag, verify};
use crate::wire::{Name, NameRef, Rtype, rdata};
use crate::zone::{NodePair, NodeRef, Nsec3Params, RrsetRef, Zone, hash_of, hashed_name};

/// Names whose signatures are all computed: some 24,000 signatures at 60 µs each. Computing those of a million names
/// takes four times as long as making them.
const NAMES_MAX: usize = 10_000;
/// Names that one thread looks at in one go.
const PART_NAMES: usize = 64;

//------------ Unsound -------------------------------------------------------

/// What a validator would not believe, or what must not be served.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unsound {
    /// A signature that must be there is not.
    #[error("{0} {1} lacks a signature of the key with tag {2}")]
    Missing(Name, Rtype, u16),
    /// A signature is where none may be.
    #[error("{0} {1} has a signature and must have none")]
    Needless(Name, Rtype),
    /// A signature does not verify with any key.
    #[error("{0} {1}: the signature of the key with tag {2} does not verify")]
    Bogus(Name, Rtype, u16),
    /// A signature ends too soon, has ended or begins in the future.
    #[error("{0} {1}: the signature is not valid long enough from now on")]
    Times(Name, Rtype),
    /// The chain does not lead from the name to the next, or lists other types than there are.
    #[error("{0} {1} does not lead to the next name or lists other types than there are")]
    Chain(Name, Rtype),
    /// The DNSKEY records at the apex are not those to be published.
    #[error("the DNSKEY records of {0} are not those to be published")]
    Keys(Name),
}

/// Checks a version that is about to be served; of what was there before only what differs.
pub fn verify_change(
    before: Option<&Zone>,
    after: &Zone,
    plan: &Plan,
    now: u32,
) -> Result<(), Unsound> {
    let check = Check::new(after, plan, now);
    check.published()?;
    let all = |node| (None, Some(node));
    let names: Vec<NodePair<'_>> = match before {
        Some(before) => before.changed_nodes(after),
        None => after.nodes().map(all).collect(),
    };
    let hashed: Vec<NodePair<'_>> = match before {
        Some(before) => before.changed_nsec3_nodes(after),
        None => after.nsec3_nodes().map(all).collect(),
    };
    let hashed_from = names.len();
    let pairs: Vec<NodePair<'_>> = [names, hashed].concat();
    let step = pairs.len().div_ceil(NAMES_MAX).max(1);
    let threads = if pairs.len() > PART_NAMES { parallel::threads(0) } else { 1 };
    let parts = parallel::run(threads, pairs.len().div_ceil(PART_NAMES), |part| {
        let start = part * PART_NAMES;
        let mut here = pairs.iter().enumerate().skip(start).take(PART_NAMES);
        here.try_for_each(|(at, (old, new))| {
            let name = new.or(*old).map_or_else(|| after.apex(), NodeRef::owner);
            if at < hashed_from {
                check.link(*old, *new, name)?
            } else {
                check.hashed(*new, name)?
            }
            let is_computed = |new: &NodeRef<'_>| at.is_multiple_of(step) || new.is_apex();
            new.filter(is_computed).map_or(Ok(()), |new| check.node(*old, new))
        })
    });
    parts.into_iter().collect()
}

//------------ Check ---------------------------------------------------------

/// What a version is checked with.
struct Check<'a> {
    /// The version.
    zone: &'a Zone,
    /// How it is to be signed.
    plan: &'a Plan,
    /// The time.
    now: u32,
    /// RDATA of the keys that can have signed: those published, and the plan's signers.
    keys: Vec<Box<[u8]>>,
    /// How names are hashed.
    params: Nsec3Params,
}

impl<'a> Check<'a> {
    /// A check of a version.
    fn new(zone: &'a Zone, plan: &'a Plan, now: u32) -> Self {
        let published = zone.rrset(zone.apex(), Rtype::DNSKEY).into_iter();
        let mut keys: Vec<Box<[u8]>> =
            published.flat_map(RrsetRef::rdatas).map(Into::into).collect();
        let signers = plan.key_signers.iter().chain(&plan.zone_signers);
        keys.extend(signers.map(|pair| pair.dnskey().rdata()));
        keys.sort_unstable();
        keys.dedup();
        Self { zone, plan, now, keys, params: params() }
    }

    /// The keys to be published are.
    fn published(&self) -> Result<(), Unsound> {
        let set = self.zone.rrset(self.zone.apex(), Rtype::DNSKEY);
        let has = |key: &Dnskey| {
            let rdata = key.rdata();
            set.into_iter().flat_map(RrsetRef::rdatas).any(|published| *published == *rdata)
        };
        let is_whole = self.plan.keys.iter().all(has);
        if is_whole { Ok(()) } else { Err(Unsound::Keys(self.zone.apex().to_name())) }
    }

    /// The signatures of a name, where they are new.
    fn node(&self, old: Option<NodeRef<'_>>, new: NodeRef<'_>) -> Result<(), Unsound> {
        if let Some(orphan) = new.orphan_signatures().next() {
            return Err(Unsound::Needless(new.owner().to_name(), orphan.rtype()));
        }
        for set in new.rrsets() {
            let old = old.and_then(|old| old.rrset(set.rtype()));
            if !new.is_signed_here(set.rtype()) {
                if set.signature_count() > 0 {
                    return Err(Unsound::Needless(new.owner().to_name(), set.rtype()));
                }
            } else if old.is_none_or(|old| old != set) {
                self.set(new, old, set)?;
            }
        }
        Ok(())
    }

    /// The signatures over an RRset that is new or signed anew.
    fn set(
        &self,
        node: NodeRef<'_>,
        old: Option<RrsetRef<'_>>,
        set: RrsetRef<'_>,
    ) -> Result<(), Unsound> {
        let (owner, rtype) = (node.owner(), set.rtype());
        let is_old =
            |one: &[u8]| old.into_iter().flat_map(RrsetRef::signatures).any(|rdata| rdata == one);
        let mut was_kept = false;
        let mut made_by = Vec::new();
        for signature in set.signatures().filter_map(Rrsig::new) {
            let (tag, algorithm) = (signature.key_tag, signature.algorithm);
            let is_good = signature.ttl == set.ttl() && self.is_made(&signature, owner, set);
            if !is_good {
                return Err(Unsound::Bogus(owner.to_name(), rtype, tag));
            }
            let left = seconds_left(&signature, self.now);
            let is_kept = is_old(signature.rdata);
            let least = if is_kept { 1 } else { self.plan.refresh_s };
            if !signature.span.contains(self.now) || left < least {
                return Err(Unsound::Times(owner.to_name(), rtype));
            }
            was_kept |= is_kept;
            made_by.push((tag, algorithm));
        }
        let lacks = |wanted: &(u16, u8)| !made_by.contains(wanted);
        let signers = self.plan.signers(node.is_apex(), rtype).iter();
        let mut wanted = signers.map(|pair| (pair.tag(), pair.dnskey().algorithm.number()));
        // While keys change, an RRset that stays may wait for the new one's signature.
        match wanted.find(|one| lacks(one) && !was_kept) {
            Some((tag, _)) => Err(Unsound::Missing(owner.to_name(), rtype, tag)),
            None => Ok(()),
        }
    }

    /// Whether one of the keys made a signature.
    fn is_made(&self, signature: &Rrsig<'_>, owner: NameRef<'_>, set: RrsetRef<'_>) -> bool {
        let Some(data) = signature.signed_data(owner, set.rdatas()) else { return false };
        let can_have = |key: &[u8]| {
            key.get(3) == Some(&signature.algorithm) && key_tag(key) == signature.key_tag
        };
        let mut keys = self.keys.iter().filter(|key| can_have(key));
        signature.signer == self.zone.apex()
            && keys.any(|key| verify(key, signature.signature, &data))
    }
}

//------------ Chains --------------------------------------------------------

impl Check<'_> {
    /// The chain around a name that changed, or is gone.
    fn link(
        &self,
        old: Option<NodeRef<'_>>,
        node: Option<NodeRef<'_>>,
        name: NameRef<'_>,
    ) -> Result<(), Unsound> {
        match self.plan.denial {
            Denial::Nsec => {
                let linked = node.filter(|node| node.is_in_nsec_chain());
                if let Some(node) = linked {
                    self.nsec(node)?;
                } else if let Some(node) = node
                    && node.rrset(Rtype::NSEC).is_some()
                {
                    return Err(Unsound::Chain(node.owner().to_name(), Rtype::NSEC));
                }
                // A name that never was in the chain leaves the one before it alone.
                let was_linked = old.is_some_and(|old| old.rrset(Rtype::NSEC).is_some());
                if linked.is_none() && !was_linked {
                    return Ok(());
                }
                self.zone.predecessor(name).map_or(Ok(()), |before| self.nsec(before))
            }
            Denial::Nsec3 => {
                let hash = self.params.hash(name);
                let found = self.zone.nsec3(&hash).filter(|found| found.matches);
                let is_right = match (node.filter(|node| node.is_in_nsec3_chain()), found) {
                    (Some(node), Some(found)) => {
                        let bitmap = found.rrset.first().get(26..).unwrap_or_default();
                        rdata::types(bitmap).eq(node.listed_types())
                    }
                    (None, None) => true,
                    _ => false,
                };
                let fault = || Unsound::Chain(name.to_name(), Rtype::NSEC3);
                if !is_right {
                    return Err(fault());
                }
                let owner = hashed_name(&hash, self.zone.apex()).ok_or_else(fault)?;
                self.hashed_link(owner.as_ref())
            }
        }
    }

    /// A link of NSEC.
    fn nsec(&self, node: NodeRef<'_>) -> Result<(), Unsound> {
        let next = self.zone.nodes_after(node.owner()).find(|node| node.is_in_nsec_chain());
        let next = next.map_or_else(|| self.zone.apex(), NodeRef::owner);
        let is_right = node.rrset(Rtype::NSEC).is_some_and(|set| {
            let said = NameRef::from_wire(set.first());
            let leads = said.is_ok_and(|(said, used)| {
                said == next && rdata::types(&set.first()[used..]).eq(node.listed_types())
            });
            leads && set.count() == 1 && set.ttl() == chain_ttl(self.zone.soa())
        });
        if is_right { Ok(()) } else { Err(Unsound::Chain(node.owner().to_name(), Rtype::NSEC)) }
    }

    /// The chain around a hashed name that changed, or is gone.
    fn hashed(&self, node: Option<NodeRef<'_>>, owner: NameRef<'_>) -> Result<(), Unsound> {
        match self.plan.denial {
            Denial::Nsec3 => self.hashed_link(owner),
            Denial::Nsec if node.is_none() => Ok(()),
            Denial::Nsec => Err(Unsound::Chain(owner.to_name(), Rtype::NSEC3)),
        }
    }

    /// The links of NSEC3 at a hashed name and before it; it may be gone.
    fn hashed_link(&self, owner: NameRef<'_>) -> Result<(), Unsound> {
        let fault = || Unsound::Chain(owner.to_name(), Rtype::NSEC3);
        let hash = hash_of(owner).ok_or_else(fault)?;
        let mut here = vec![hash];
        here.push(chain::less_one(&hash));
        for hash in here {
            let found = self.zone.nsec3(&hash).ok_or_else(fault)?;
            let next = self.next_hash(found.node.owner()).ok_or_else(fault)?;
            let rdata = found.rrset.first();
            let leads = chain::is_ours(rdata) && rdata.get(6..26) == Some(&next[..]);
            if !leads || found.rrset.ttl() != chain_ttl(self.zone.soa()) {
                return Err(Unsound::Chain(found.node.owner().to_name(), Rtype::NSEC3));
            }
        }
        Ok(())
    }

    /// The hash after a hashed name, round the ring.
    fn next_hash(&self, owner: NameRef<'_>) -> Option<Hash> {
        let mut later = self.zone.nsec3_nodes_after(owner).chain(self.zone.nsec3_nodes());
        hash_of(later.next()?.owner())
    }
}
