//! Signs what a change touches, and nothing else: the names of its delta, what became or ceased to be occluded by
//! them, and the links of the chain on either side.
//!
//! Every name that is touched is made anew by the rule of `name.rs` and compared with what is served, so the
//! delta to the next version has only what differs. Signatures over RRsets that stay are kept, even if they
//! end soon: renewing them is another change.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::chain::{self, Hash, params};
use super::edits::{Edits, Wanted};
use super::name::{Job, Set};
use super::plan::{Plan, SignError, chain_ttl};
use super::signer::Keep;
use super::strip::is_made;
use super::times::Spread;
use super::whole::{digested, whole};
use crate::dnssec::Denial;
use crate::wire::{Name, NameRef, RecordRef, Rtype};
use crate::zone::{ApplyError, Delta, NodeRef, Zone, hash_of, hashed_name};

/// Of so many records of the content one may change; with more, everything is looked at anew, on all cores.
const SHARE_MAX: usize = 4;
/// Records that may change in any zone.
const ALWAYS_SMALL: usize = 1000;

/// The signed version of `content`, made from `served`, the signed version of what was before; `delta` leads from
/// there to `content`. What the plan says of keys holds at once, for signatures over other RRsets as they are
/// made.
pub fn change(
    served: &Zone,
    content: &Zone,
    delta: &Delta,
    plan: &Plan,
    now: u32,
) -> Result<Zone, SignError> {
    let changed = delta.removed.len() + delta.added.len();
    let is_small = changed <= ALWAYS_SMALL.max(content.record_count() / SHARE_MAX);
    if !is_small || !has_same_chain(served, content, plan) {
        return whole(content, plan, Some(served), now, 0);
    }
    let job = Job::new(content, plan, now, Spread::Some)?;
    let next = served.apply(&edits(&job, served, delta)?)?;
    digested(&job, next)
}

/// Whether the links of the chain that nothing touches can stay as they are.
pub(super) fn has_same_chain(served: &Zone, content: &Zone, plan: &Plan) -> bool {
    let nsec = served.apex_node().rrset(Rtype::NSEC).is_some();
    let nsec3 = served.nsec3(&params().hash(served.apex()));
    let nsec3 = nsec3.is_some_and(|it| it.matches && it.rrset.rdatas().all(chain::is_ours));
    let is_as_planned = match plan.denial {
        Denial::Nsec => nsec && served.nsec3_params().is_none(),
        Denial::Nsec3 => nsec3 && !nsec && served.nsec3_params() == Some(&params()),
    };
    is_as_planned && served.is_signed() && chain_ttl(served.soa()) == chain_ttl(content.soa())
}

/// From what is served to the next version, ZONEMD aside.
pub(super) fn edits(job: &Job<'_>, served: &Zone, delta: &Delta) -> Result<Delta, SignError> {
    let mut touched = touched(served, job.content, delta);
    let mut edits = Edits::default();
    match job.plan.denial {
        Denial::Nsec => add_predecessors(&mut touched, served, job.content),
        Denial::Nsec3 => hashed(job, served, &touched, &mut edits)?,
    }
    for name in &touched {
        let (old, new) = (served.node(name.as_ref()), job.content.node(name.as_ref()));
        let mut wanted = Vec::new();
        if let Some(node) = new {
            let is_linked = job.plan.denial == Denial::Nsec && node.is_in_nsec_chain();
            let next = is_linked.then(|| next(job.content, name.as_ref()));
            let put = &mut |rtype, ttl, rdata: &[u8]| wanted.push((rtype, ttl, rdata.into()));
            job.name(node, next, old, Keep::All, put)?;
        }
        let records = old.into_iter().flat_map(NodeRef::records);
        let owner = new.map_or(name.as_ref(), NodeRef::owner);
        edits.replace(owner, records.filter(|record| !is_digest(job, record)), wanted);
    }
    Ok(edits.finish())
}

/// Whether a record is the ZONEMD, or signs it, that is made when everything else is.
fn is_digest(job: &Job<'_>, record: &RecordRef<'_>) -> bool {
    let covers = record.rdata.starts_with(&Rtype::ZONEMD.0.to_be_bytes());
    let is_zonemd = record.rtype == Rtype::ZONEMD || record.rtype == Rtype::RRSIG && covers;
    job.plan.zonemd && is_zonemd && record.owner == job.content.apex()
}

//------------ What is touched -----------------------------------------------

/// The names that may own other records than before: those of the delta, the apex, empty non-terminals that come
/// or go, and all below a cut or DNAME that does.
fn touched(served: &Zone, content: &Zone, delta: &Delta) -> BTreeSet<Name> {
    let records = delta.removed.iter().chain(&delta.added);
    let is_given = |rtype, owner: NameRef<'_>| !is_made(owner == content.apex(), rtype);
    let owners = records.filter(|record| is_given(record.rtype, record.owner.as_ref()));
    let owners: BTreeSet<&Name> = owners.map(|record| &record.owner).collect();
    let mut touched = BTreeSet::from([content.apex().to_name()]);
    for owner in owners {
        let (old, new) = (served.node(owner.as_ref()), content.node(owner.as_ref()));
        let opens =
            |node: Option<NodeRef<'_>>| node.is_some_and(|it| it.is_cut() || it.has_dname());
        if opens(old) != opens(new) {
            let below = served.below(owner.as_ref()).chain(content.below(owner.as_ref()));
            touched.extend(below.map(|node| node.owner().to_name()));
        }
        let mut above = owner.as_ref().parent();
        while let Some(name) = above
            && served.node(name).is_some() != content.node(name).is_some()
        {
            touched.insert(name.to_name());
            above = name.parent();
        }
        touched.insert(owner.clone());
    }
    touched
}

/// Adds the names whose NSEC leads to another name than before.
fn add_predecessors(touched: &mut BTreeSet<Name>, served: &Zone, content: &Zone) {
    let is_new_in_chain = |name: &&Name| {
        let was = served.node(name.as_ref()).is_some_and(|node| node.rrset(Rtype::NSEC).is_some());
        was != content.node(name.as_ref()).is_some_and(NodeRef::is_in_nsec_chain)
    };
    let before = touched.iter().filter(is_new_in_chain);
    let before = before.filter_map(|name| content.predecessor(name.as_ref()));
    let before: Vec<Name> = before.map(|node| node.owner().to_name()).collect();
    touched.extend(before);
}

/// The name after another in the chain of NSEC.
fn next<'a>(content: &'a Zone, name: NameRef<'_>) -> NameRef<'a> {
    content
        .nodes_after(name)
        .find(|node| node.is_in_nsec_chain())
        .map_or_else(|| content.apex(), NodeRef::owner)
}

//------------ NSEC3 ---------------------------------------------------------

/// The chain of hashes, with what comes and goes.
struct Chain<'a> {
    /// The version that has the chain so far.
    served: &'a Zone,
    /// The hashes that go.
    gone: BTreeSet<Hash>,
    /// The hashes that come.
    come: BTreeSet<Hash>,
}

impl Chain<'_> {
    /// The hash before another that is in the chain to be, which is a ring.
    fn before(&self, hash: &Hash) -> Option<Hash> {
        let come = self.come.range(..*hash).next_back().or_else(|| self.come.last());
        let mut at = *hash;
        let stays = loop {
            let found = self.served.nsec3(&chain::less_one(&at))?;
            at = hash_of(found.node.owner())?;
            if at == *hash || !self.gone.contains(&at) {
                break (at != *hash && !self.gone.contains(&at)).then_some(at);
            }
        };
        // Behind the hash it is a way once around to it.
        let way = |other: &Hash| (other < hash, *other);
        stays.into_iter().chain(come.copied()).max_by_key(way)
    }

    /// The hash after another that is in the chain to be.
    fn after(&self, hash: &Hash) -> Option<Hash> {
        let later = (Bound::Excluded(*hash), Bound::Unbounded);
        let come = self.come.range(later).next();
        let come = come.or_else(|| self.come.first());
        let owner = hashed_name(hash, self.served.apex())?;
        let later = self.served.nsec3_nodes_after(owner.as_ref()).chain(self.served.nsec3_nodes());
        let stays = later
            .filter_map(|node| hash_of(node.owner()))
            .find(|other| other == hash || !self.gone.contains(other));
        let way = |other: &Hash| (other <= hash, *other);
        stays.into_iter().chain(come.copied()).min_by_key(way)
    }
}

/// Brings the NSEC3 records of the names that are touched, and those before them in the ring, up to date.
fn hashed(
    job: &Job<'_>,
    served: &Zone,
    touched: &BTreeSet<Name>,
    edits: &mut Edits,
) -> Result<(), SignError> {
    let params = params();
    let mut chain = Chain { served, gone: BTreeSet::new(), come: BTreeSet::new() };
    let mut links: BTreeSet<(Hash, Option<&Name>)> = BTreeSet::new();
    for name in touched {
        let hash = params.hash(name.as_ref());
        let was = served.nsec3(&hash).is_some_and(|found| found.matches);
        let is = job.content.node(name.as_ref()).is_some_and(NodeRef::is_in_nsec3_chain);
        match (was, is) {
            (true, false) => drop(chain.gone.insert(hash)),
            (false, true) => drop(chain.come.insert(hash)),
            _ => {}
        }
        if was || is {
            links.insert((hash, Some(name)));
        }
    }
    let known: BTreeSet<Hash> = links.iter().map(|(hash, _)| *hash).collect();
    let before = chain.gone.iter().chain(&chain.come).filter_map(|hash| chain.before(hash));
    let before: Vec<Hash> = before.filter(|hash| !known.contains(hash)).collect();
    links.extend(before.into_iter().map(|hash| (hash, None)));
    for (hash, name) in links {
        link(job, &chain, &hash, name.map(Name::as_ref), edits)?;
    }
    Ok(())
}

/// Brings one NSEC3 record up to date: that of a name, or one whose next hash is another now.
fn link(
    job: &Job<'_>,
    chain: &Chain<'_>,
    hash: &Hash,
    name: Option<NameRef<'_>>,
    edits: &mut Edits,
) -> Result<(), SignError> {
    let Some(owner) = hashed_name(hash, job.content.apex()) else {
        return Err(ApplyError::NoRoomForHashes(job.content.apex().to_name()).into());
    };
    let old = chain.served.nsec3(hash).filter(|found| found.matches);
    let node = name.and_then(|name| job.content.node(name)).filter(|node| node.is_in_nsec3_chain());
    let next = chain.after(hash).unwrap_or(*hash);
    let rdata = match (name, node) {
        (Some(_), Some(node)) => Some(chain::nsec3(&next, &job.types(node, &job.sets(node)))),
        (Some(_), None) => None,
        (None, _) => old.and_then(|found| chain::with_next(found.rrset.first(), &next)),
    };
    let mut wanted: Vec<Wanted> = Vec::new();
    if let Some(rdata) = &rdata {
        let set = Set { rtype: Rtype::NSEC3, ttl: job.chain_ttl(), rdatas: vec![rdata] };
        wanted.push((set.rtype, set.ttl, rdata.as_slice().into()));
        let put = &mut |rtype, ttl, rdata: &[u8]| wanted.push((rtype, ttl, rdata.into()));
        job.sign(owner.as_ref(), &set, old.map(|found| found.rrset), Keep::All, put)?;
    }
    let records = old.into_iter().flat_map(|found| found.node.records());
    edits.replace(owner.as_ref(), records, wanted);
    Ok(())
}
