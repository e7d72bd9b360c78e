//! Which signatures are due, and a version in which they are made anew: those that end soon, and those by other
//! keys than the plan's.

use std::collections::BinaryHeap;

use super::change::{edits, has_same_chain};
use super::edits::{Edits, Wanted};
use super::name::{Job, Set};
use super::plan::{Plan, SignError};
use super::signer::{Keep, is_by};
use super::times::{Spread, is_due, seconds_left};
use super::whole::{digested, whole};
use crate::dnssec::Rrsig;
use crate::wire::{NameRef, Rtype};
use crate::zone::{Delta, NodeRef, RrsetRef, Zone};

//------------ Due -----------------------------------------------------------

/// What has to be signed anew in a zone, in RRsets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Due {
    /// How many are due.
    pub now: usize,
    /// How many of them have signatures of other keys than the plan's, or not of all of the plan's: while there
    /// are any, a key that goes is still needed and one that comes is not enough.
    pub unfinished: usize,
    /// In how many seconds the next one is due.
    pub next_in_s: Option<u32>,
    /// In how many seconds the first signature ends.
    pub ends_in_s: Option<u32>,
}

/// What of a signed zone is due at a time.
pub fn due(served: &Zone, plan: &Plan, now: u32) -> Due {
    let mut due = Due::default();
    let less = |a: Option<u32>, b: u32| Some(a.map_or(b, |a| a.min(b)));
    for (node, set) in signed_sets(served) {
        let standing = Standing::of(served, plan, node, set, now);
        due.ends_in_s = less(due.ends_in_s, standing.left_s);
        due.unfinished += usize::from(standing.is_unfinished);
        if standing.is_due {
            due.now += 1;
        } else {
            let left = standing.left_s.saturating_sub(plan.refresh_s);
            // At the second itself, `refresh_s` are still left.
            due.next_in_s = less(due.next_in_s, left.saturating_add(1));
        }
    }
    due
}

/// How an RRset is signed.
struct Standing {
    /// Whether it is to be signed anew.
    is_due: bool,
    /// Whether a key that is wanted has not signed, or another one has.
    is_unfinished: bool,
    /// Seconds until the first of its signatures ends.
    left_s: u32,
}

impl Standing {
    /// Looks at the signatures over an RRset.
    fn of(zone: &Zone, plan: &Plan, node: NodeRef<'_>, set: RrsetRef<'_>, now: u32) -> Self {
        let signers = plan.signers(node.is_apex(), set.rtype());
        let mut count = 0;
        let (mut is_due_now, mut is_unfinished, mut left_s) = (false, false, u32::MAX);
        for signature in set.signatures().filter_map(Rrsig::new) {
            count += 1;
            is_unfinished |= !signers.iter().any(|pair| is_by(&signature, pair, zone));
            is_due_now |= is_due(plan, &signature, now);
            left_s = left_s.min(seconds_left(&signature, now));
        }
        // Each of them is by one that is wanted; no key signs twice.
        is_unfinished |= count != signers.len();
        if count == 0 {
            left_s = 0;
        }
        Self { is_due: is_due_now || is_unfinished, is_unfinished, left_s }
    }
}

/// The RRsets of a signed zone that are signed.
fn signed_sets(zone: &Zone) -> impl Iterator<Item = (NodeRef<'_>, RrsetRef<'_>)> {
    zone.nodes().chain(zone.nsec3_nodes()).flat_map(|node| {
        let signed = node.rrsets().filter(move |set| node.is_signed_here(set.rtype()));
        signed.map(move |set| (node, set))
    })
}

//------------ Renewal -------------------------------------------------------

/// The version with at most `max` RRsets signed anew, those first that end first; `None` if none is due. The
/// SOA record of `content` has the serial of the new version.
pub fn renew(
    served: &Zone,
    content: &Zone,
    plan: &Plan,
    now: u32,
    max: usize,
) -> Result<Option<Zone>, SignError> {
    let due = most_urgent(served, plan, now, max);
    if due.is_empty() {
        return Ok(None);
    }
    if !has_same_chain(served, content, plan) {
        return whole(content, plan, Some(served), now, 0).map(Some);
    }
    let job = Job::new(content, plan, now, Spread::Some)?;
    let next = served.apply(&edits(&job, served, &Delta::default())?)?;
    let mut edits = Edits::default();
    for (owner, rtype) in due {
        let is_made_later = owner == served.apex() && rtype == Rtype::ZONEMD;
        if let Some(set) = next.rrset(owner, rtype).filter(|_| !is_made_later) {
            resign(&job, owner, set, &mut edits)?;
        }
    }
    digested(&job, next.apply(&edits.finish())?).map(Some)
}

/// The RRsets that are due, at most `max`, those first whose signatures end first.
fn most_urgent<'a>(
    served: &'a Zone,
    plan: &Plan,
    now: u32,
    max: usize,
) -> Vec<(NameRef<'a>, Rtype)> {
    let (mut places, mut urgent) = (Vec::new(), BinaryHeap::new());
    for (node, set) in signed_sets(served) {
        let standing = Standing::of(served, plan, node, set, now);
        if !standing.is_due || max == 0 {
            continue;
        }
        if urgent.len() < max {
            urgent.push((standing.left_s, places.len()));
            places.push((node.owner(), set.rtype()));
        } else if let Some(mut last) = urgent.peek_mut()
            && standing.left_s < last.0
        {
            *last = (standing.left_s, last.1);
            places[last.1] = (node.owner(), set.rtype());
        }
    }
    places
}

/// Makes the signatures over an RRset anew; those that are good stay.
fn resign(
    job: &Job<'_>,
    owner: NameRef<'_>,
    old: RrsetRef<'_>,
    edits: &mut Edits,
) -> Result<(), SignError> {
    let rdatas = old.rdatas().collect();
    let set = Set { rtype: old.rtype(), ttl: old.ttl(), rdatas };
    let mut wanted: Vec<Wanted> = Vec::new();
    let put = &mut |rtype, ttl, rdata: &[u8]| wanted.push((rtype, ttl, rdata.into()));
    job.sign(owner, &set, Some(old), Keep::Good, put)?;
    edits.replace(owner, old.signature_block().records(owner), wanted);
    Ok(())
}
