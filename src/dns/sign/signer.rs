//! The signatures over one RRset: what is kept of older ones, and what is made.

use std::sync::Arc;

use super::name::{Job, Set};
use super::plan::SignError;
use super::strip::is_of_keys;
use super::times::{is_due, span};
use crate::dnssec::{KeyPair, Rrsig};
use crate::wire::{NameRef, Rtype, rdata};
use crate::zone::{RrsetRef, Zone};

/// Which older signatures over the same records are kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Keep {
    /// Those by the signers that are wanted, if they are not due.
    Good,
    /// All, whoever made them and however soon they end: renewing them is another change.
    All,
}

impl Job<'_> {
    /// Gives the signatures over an RRset of the served zone.
    pub(super) fn sign(
        &self,
        owner: NameRef<'_>,
        set: &Set<'_>,
        old: Option<RrsetRef<'_>>,
        keep: Keep,
        put: &mut dyn FnMut(Rtype, u32, &[u8]),
    ) -> Result<(), SignError> {
        let apex = self.content.apex();
        let old = old.filter(|old| is_same(*old, set));
        let kept: Vec<Rrsig<'_>> =
            old.into_iter().flat_map(RrsetRef::signatures).filter_map(Rrsig::new).collect();
        // Who signs the keys is decided at once; a change of it must not wait for the next renewal.
        let is_at_once = owner == apex && is_of_keys(set.rtype);
        if keep == Keep::All && !kept.is_empty() && !is_at_once {
            kept.iter().for_each(|one| put(Rtype::RRSIG, set.ttl, one.rdata));
            return Ok(());
        }
        let octets =
            set.rdatas.iter().map(|rdata| owner.wire().len() + SIGNED_OCTETS + rdata.len());
        if octets.sum::<usize>() + RRSIG_HEAD_OCTETS + apex.wire().len() > SIGNED_MAX {
            return Err(SignError::TooLarge(owner.to_name(), set.rtype));
        }
        let times = span(self.plan, self.spread, owner, set.rtype, self.now);
        for pair in self.plan.signers(owner == apex, set.rtype) {
            let is_good = |one: &&Rrsig<'_>| {
                is_by(one, pair, self.content)
                    && one.ttl == set.ttl
                    && (keep == Keep::All || !is_due(self.plan, one, self.now))
            };
            match kept.iter().find(is_good) {
                Some(good) => put(Rtype::RRSIG, set.ttl, good.rdata),
                None => {
                    let rdatas = set.rdatas.iter().copied();
                    let rdata = pair.rrsig(apex, owner, set.rtype, set.ttl, rdatas, times)?;
                    put(Rtype::RRSIG, set.ttl, &rdata);
                }
            }
        }
        Ok(())
    }

    /// At least as many octets as the signatures over an RRset of the zone's data will take.
    pub(super) fn signature_octets(&self) -> usize {
        let around = RECORD_OCTETS + RRSIG_HEAD_OCTETS + self.content.apex().wire().len();
        let octets =
            |pair: &Arc<KeyPair>| around + pair.dnskey().public.len().max(SIGNATURE_OCTETS);
        self.plan.zone_signers.iter().map(octets).sum()
    }
}

/// Octets of a stored record before its RDATA.
pub(super) const RECORD_OCTETS: usize = 12;
/// Octets of a record as it is signed, besides its owner and RDATA.
const SIGNED_OCTETS: usize = 10;
/// Octets over which a signature is made, at most: validators have no more room for what they verify.
const SIGNED_MAX: usize = 65_535;
/// Octets of an RRSIG before the name of its signer.
const RRSIG_HEAD_OCTETS: usize = 18;
/// Octets of the longest signature that is longer than the public key says: P-384.
const SIGNATURE_OCTETS: usize = 96;

/// Whether the signature says it is of a key of the zone.
pub(super) fn is_by(signature: &Rrsig<'_>, pair: &KeyPair, zone: &Zone) -> bool {
    signature.key_tag == pair.tag()
        && signature.algorithm == pair.dnskey().algorithm.number()
        && signature.signer == zone.apex()
}

/// Whether an RRset that was signed is, in canonical form, the one that is to be.
fn is_same(old: RrsetRef<'_>, new: &Set<'_>) -> bool {
    let rtype = new.rtype;
    let pairs = old.rdatas().zip(&new.rdatas);
    old.ttl() == new.ttl
        && old.count() == new.rdatas.len()
        && pairs.into_iter().all(|(old, new)| {
            old == *new || rdata::canonical(rtype, old) == rdata::canonical(rtype, new)
        })
}
