//! A zone that was signed elsewhere: every RRset has a signature that is valid now (RFC 4035 §2.2).
//!
//! The first signatures, those of the apex among them, are also computed. Computing all of a
//! large zone would cost seconds per load, and a fault of one is mostly a fault of all.

use std::cell::Cell;

use ring::digest;

use super::fault::Faults;
use super::signature::{Key, Rrsig};
use super::{Fault, Rule, Which, records};
use crate::wire::Rtype;
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Signatures that are computed, at some 50 to 100 µs each.
const VERIFIED_MAX: usize = 2000;

/// Looks at all signatures; an unsigned zone has nothing to look at.
pub(super) fn zone(zone: &Zone, now: u32, faults: &mut Faults) {
    if !zone.is_signed() {
        return;
    }
    let apex = zone.apex_node();
    if !has_signed_soa(zone) {
        let message = format!("{} has a DNSKEY but its SOA has no signature", zone.apex());
        faults.push(Fault::at(Rule::SignatureMissing, zone.apex(), Rtype::DNSKEY, message));
        return;
    }
    let keys = apex.rrset(Rtype::DNSKEY).into_iter().flat_map(RrsetRef::rdatas);
    let keys: Vec<Key<'_>> = keys.filter_map(Key::new).collect();
    match_keys(apex, &keys, faults);
    let mut walk =
        Walk { zone, keys, now, budget: Cell::new(VERIFIED_MAX), ending: 0, soonest: None, faults };
    for node in zone.nodes().filter(|node| !node.is_below_cut() && !node.is_below_dname()) {
        walk.node(node);
    }
    for node in zone.nsec3_nodes() {
        walk.node(node);
    }
    walk.tell_ending();
}

/// Whether the SOA has a signature: what makes a zone a signed one.
pub(super) fn has_signed_soa(zone: &Zone) -> bool {
    zone.apex_node().rrset(Rtype::SOA).is_some_and(|soa| soa.signature_count() > 0)
}

//------------ Walk ----------------------------------------------------------

/// What is known while all signatures are checked.
struct Walk<'z, 'f> {
    /// The zone.
    zone: &'z Zone,
    /// Its keys.
    keys: Vec<Key<'z>>,
    /// The time, in seconds since 1970 modulo 2³².
    now: u32,
    /// How many signatures may still be computed.
    budget: Cell<usize>,
    /// How many end within the SOA's refresh time.
    ending: usize,
    /// The one of them that ends first.
    soonest: Option<(NodeRef<'z>, Rrsig<'z>)>,
    /// What was found.
    faults: &'f mut Faults,
}

impl<'z> Walk<'z, '_> {
    /// Looks at the RRsets of one name: not NS and glue at a cut, which are the child's.
    fn node(&mut self, node: NodeRef<'z>) {
        for set in node.rrsets() {
            if !node.is_cut() || matches!(set.rtype(), Rtype::DS | Rtype::NSEC) {
                self.set(node, set);
            }
        }
        for set in node.orphan_signatures() {
            let (owner, covered) = (node.owner(), set.rtype());
            let message = format!("{owner} has a signature over {covered}, which is not there");
            self.faults.push(Fault::at(Rule::SignatureOrphan, owner, covered, message));
        }
    }

    /// Looks at the signatures of one RRset.
    fn set(&mut self, node: NodeRef<'z>, set: RrsetRef<'z>) {
        let (owner, rtype) = (node.owner(), set.rtype());
        if set.signature_count() == 0 {
            let message = format!("{owner} {rtype} has no signature");
            self.faults.push(Fault::at(Rule::SignatureMissing, owner, rtype, message));
            return;
        }
        let (mut is_current, mut first) = (false, None);
        for signature in set.signatures().filter_map(Rrsig::new) {
            first.get_or_insert(signature);
            if let Some((rule, why)) = self.wrong(node, set, &signature) {
                self.tell(node, &signature, rule, format!("{owner} {rtype}: {why}"));
            }
            if signature.is_current(self.now) {
                is_current = true;
                self.note_end(node, signature);
            }
        }
        if let Some(signature) = first.filter(|_| !is_current) {
            let has_ended = signature.seconds_left(self.now) < 0;
            let what = if has_ended { "has expired" } else { "is not valid yet" };
            let message = format!("{owner} {rtype}: the signature {what}");
            self.tell(node, &signature, Rule::SignatureExpired, message);
        }
    }

    /// Why a signature cannot be right, if so.
    fn wrong(
        &self,
        node: NodeRef<'_>,
        set: RrsetRef<'_>,
        signature: &Rrsig<'_>,
    ) -> Option<(Rule, String)> {
        if signature.signer != self.zone.apex() {
            let message = format!("the signer is {}, not this zone", signature.signer);
            return Some((Rule::SignatureKey, message));
        }
        let (tag, algorithm) = (signature.key_tag, signature.algorithm);
        let mut keys =
            self.keys.iter().filter(|key| key.tag == tag && key.algorithm == algorithm).peekable();
        if keys.peek().is_none() {
            let message = format!("there is no DNSKEY with tag {tag} and algorithm {algorithm}");
            return Some((Rule::SignatureKey, message));
        }
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        let verifies = left == 0 || keys.any(|key| key.has_made(signature, node.owner(), set));
        (!verifies).then(|| (Rule::SignatureBogus, "the signature does not verify".to_owned()))
    }

    /// Reports a fault of a signature.
    fn tell(&mut self, node: NodeRef<'_>, signature: &Rrsig<'_>, rule: Rule, message: String) {
        let fault = Fault::at(rule, node.owner(), Rtype::RRSIG, message);
        self.faults.push(fault.which(Which::Rdata(signature.rdata.into())));
    }

    /// Takes note of a signature that ends before secondaries ask again.
    fn note_end(&mut self, node: NodeRef<'z>, signature: Rrsig<'z>) {
        let left = signature.seconds_left(self.now);
        if i64::from(left) >= i64::from(self.zone.soa().refresh) {
            return;
        }
        self.ending += 1;
        if self.soonest.as_ref().is_none_or(|(_, other)| left < other.seconds_left(self.now)) {
            self.soonest = Some((node, signature));
        }
    }

    /// Reports signatures that expire soon, in one finding.
    fn tell_ending(&mut self) {
        let Some((node, signature)) = self.soonest.take() else { return };
        let left = signature.seconds_left(self.now);
        let message = format!("{} signatures end soon, the first in {left} seconds", self.ending);
        self.tell(node, &signature, Rule::SignatureSoon, message);
    }
}

//------------ Keys ----------------------------------------------------------

/// DS, CDS and CDNSKEY at the apex stand for keys of the zone. The delete form, which has algorithm 0,
/// stands for none (RFC 8078 §4).
fn match_keys(apex: NodeRef<'_>, keys: &[Key<'_>], faults: &mut Faults) {
    for set in [Rtype::DS, Rtype::CDS, Rtype::CDNSKEY].iter().filter_map(|t| apex.rrset(*t)) {
        for record in records(apex, set) {
            let rdata = record.rdata;
            let is_fine = match record.rtype {
                Rtype::CDNSKEY => rdata.get(3) == Some(&0) || keys.iter().any(|k| k.rdata == rdata),
                _ => rdata.get(2) == Some(&0) || keys.iter().any(|k| is_digest(rdata, apex, k)),
            };
            if !is_fine {
                let message =
                    format!("{} {} matches no DNSKEY of the zone", record.owner, record.rtype);
                faults.push(Fault::of(record, Rule::KeyMismatch, message));
            }
        }
    }
}

/// Whether DS RDATA is the digest of a key (RFC 4034 §5.1.4). One of an unknown kind counts if tag and
/// algorithm are right.
fn is_digest(ds: &[u8], apex: NodeRef<'_>, key: &Key<'_>) -> bool {
    let [high, low, algorithm, kind, expected @ ..] = ds else { return false };
    if u16::from_be_bytes([*high, *low]) != key.tag || *algorithm != key.algorithm {
        return false;
    }
    let hash = match kind {
        1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        2 => &digest::SHA256,
        4 => &digest::SHA384,
        _ => return true,
    };
    let mut context = digest::Context::new(hash);
    context.update(&apex.owner().wire().to_ascii_lowercase());
    context.update(key.rdata);
    context.finish().as_ref() == expected
}
