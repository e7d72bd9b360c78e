//! Signs a zone from one end to the other, on as many threads as there are.

use super::chain::{self, Hash};
use super::name::{Job, Set};
use super::parallel;
use super::plan::{Plan, SignError};
use super::signer::{Keep, RECORD_OCTETS};
use super::times::Spread;
use crate::dnssec::Denial;
use crate::wire::{NameRef, Record, Rtype};
use crate::zone::{Delta, Maker, NodeRef, Outline, RrsetRef, Sheet, Tree, Zone};

/// Octets of the head of a stored RRset.
const SET_OCTETS: usize = 12;
/// Octets that a window of a type bitmap has at most; the usual types are in the first two.
const WINDOW_OCTETS: usize = 34;
/// Octets that the bitmap of a name without rare types has at most.
const BITMAP_OCTETS: usize = 2 * WINDOW_OCTETS;

/// Signs the content. What is still good of `reuse`, another signed version, is kept: signatures by the same
/// keys over the same records. `threads` 0 uses all cores.
pub fn whole(
    content: &Zone,
    plan: &Plan,
    reuse: Option<&Zone>,
    now: u32,
    threads: usize,
) -> Result<Zone, SignError> {
    // Even where most is kept: another key or chain has all of it signed anew.
    let job = Job::new(content, plan, now, Spread::All)?;
    let threads = parallel::threads(threads);
    let outline = Outline::of_names(content);
    let names =
        made(&outline, threads, || Names { job: &job, outline: &outline, reuse, failed: None })?;
    drop(outline);
    let hashed = match plan.denial {
        Denial::Nsec => None,
        Denial::Nsec3 => Some(hashed(&job, reuse, threads)?),
    };
    digested(&job, Zone::of_trees(content, names, hashed)?)
}

/// The NSEC3 chain.
fn hashed(job: &Job<'_>, reuse: Option<&Zone>, threads: usize) -> Result<Tree, SignError> {
    let params = chain::params();
    let nodes = job.content.nodes().filter(|node| node.is_in_nsec3_chain());
    let mut links: Vec<(Hash, NodeRef<'_>)> =
        nodes.map(|node| (params.hash(node.owner()), node)).collect();
    links.sort_unstable_by_key(|(hash, _)| *hash);
    let outline = Outline::of_hashes(job.content.apex(), links.iter().map(|(hash, _)| *hash))?;
    made(&outline, threads, || Hashed {
        job,
        outline: &outline,
        links: &links,
        reuse,
        failed: None,
    })
}

/// The zone with its ZONEMD, if it is to have one: made last, over everything else, and signed.
pub(super) fn digested(job: &Job<'_>, zone: Zone) -> Result<Zone, SignError> {
    if !job.plan.zonemd {
        return Ok(zone);
    }
    let record = zone.fresh_zonemd();
    let set = Set { rtype: Rtype::ZONEMD, ttl: record.ttl, rdatas: vec![&record.rdata] };
    let mut added = vec![record.clone()];
    job.sign(zone.apex(), &set, None, Keep::Good, &mut |rtype, ttl, rdata| {
        added.push(Record { rtype, ttl, rdata: rdata.into(), ..record.clone() });
    })?;
    Ok(zone.apply(&Delta { removed: zone.zonemd(), added })?)
}

//------------ Makers --------------------------------------------------------

/// A maker that can fail.
trait Fallible: Maker {
    /// Why it failed, if it did.
    fn failed(self) -> Option<SignError>;
}

/// Makes all of an outline.
fn made<M: Fallible>(
    outline: &Outline<'_>,
    threads: usize,
    maker: impl Fn() -> M + Sync,
) -> Result<Tree, SignError> {
    let parts = parallel::run(threads, outline.parts(), |part| {
        let mut maker = maker();
        let made = outline.part(part, &mut maker);
        maker.failed().map_or(Ok(made), Err)
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut maker = maker();
    let tree = outline.join(parts, &mut maker)?;
    maker.failed().map_or(Ok(tree), Err)
}

/// Makes the names of a signed zone.
struct Names<'a> {
    /// What is signed.
    job: &'a Job<'a>,
    /// The names.
    outline: &'a Outline<'a>,
    /// A version of which signatures are kept.
    reuse: Option<&'a Zone>,
    /// Why a name could not be signed.
    failed: Option<SignError>,
}

impl<'a> Names<'a> {
    /// The name after a place in the chain of NSEC.
    fn next(&self, at: usize) -> NameRef<'a> {
        let after = (at + 1..self.outline.len()).filter_map(|at| self.outline.node(at));
        let next = after.into_iter().find(|node| node.is_in_nsec_chain());
        next.map_or_else(|| self.job.content.apex(), NodeRef::owner)
    }
}

impl Maker for Names<'_> {
    fn octets(&self, at: usize) -> usize {
        let Some(node) = self.outline.node(at) else { return 0 };
        let signatures = self.job.signature_octets();
        let of_set = |set: RrsetRef<'_>| {
            let rare = if set.rtype().0 < 512 { 0 } else { WINDOW_OCTETS };
            SET_OCTETS + set.block().octets().len() + signatures + rare
        };
        let chain = SET_OCTETS + RECORD_OCTETS + BITMAP_OCTETS + signatures;
        let own = if node.is_apex() { self.job.own_octets() } else { 0 };
        node.rrsets().map(of_set).sum::<usize>() + chain + 2 * node.owner().wire().len() + own
    }

    fn records(&mut self, at: usize, sheet: &mut Sheet) {
        let Some(node) = self.outline.node(at).filter(|_| self.failed.is_none()) else { return };
        let is_linked = self.job.plan.denial == Denial::Nsec && node.is_in_nsec_chain();
        let next = is_linked.then(|| self.next(at));
        let old = self.reuse.and_then(|reuse| reuse.node(node.owner()));
        let put = &mut |rtype, ttl, rdata: &[u8]| sheet.push(rtype, ttl, rdata);
        self.failed = self.job.name(node, next, old, Keep::Good, put).err();
    }
}

impl Fallible for Names<'_> {
    fn failed(self) -> Option<SignError> {
        self.failed
    }
}

/// Makes the NSEC3 records of a signed zone.
struct Hashed<'a> {
    /// What is signed.
    job: &'a Job<'a>,
    /// The hashed names.
    outline: &'a Outline<'a>,
    /// The hash of each, and what has it.
    links: &'a [(Hash, NodeRef<'a>)],
    /// A version of which signatures are kept.
    reuse: Option<&'a Zone>,
    /// Why one could not be signed.
    failed: Option<SignError>,
}

impl Maker for Hashed<'_> {
    fn octets(&self, at: usize) -> usize {
        let hashes = 2 * self.outline.owner(at).wire().len();
        SET_OCTETS + RECORD_OCTETS + BITMAP_OCTETS + hashes + self.job.signature_octets()
    }

    fn records(&mut self, at: usize, sheet: &mut Sheet) {
        let Some((_, node)) = self.links.get(at).filter(|_| self.failed.is_none()) else { return };
        let next = self.links[(at + 1) % self.links.len()].0;
        let rdata = chain::nsec3(&next, &self.job.types(*node, &self.job.sets(*node)));
        let set = Set { rtype: Rtype::NSEC3, ttl: self.job.chain_ttl(), rdatas: vec![&rdata] };
        sheet.push(set.rtype, set.ttl, &rdata);
        let owner = self.outline.owner(at);
        let old = self.reuse.and_then(|reuse| reuse.rrset(owner, Rtype::NSEC3));
        let put = &mut |rtype, ttl, rdata: &[u8]| sheet.push(rtype, ttl, rdata);
        self.failed = self.job.sign(owner, &set, old, Keep::Good, put).err();
    }
}

impl Fallible for Hashed<'_> {
    fn failed(self) -> Option<SignError> {
        self.failed
    }
}
