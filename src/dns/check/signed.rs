//! A zone that was signed elsewhere: every RRset has a signature that is valid now (RFC 4035 §2.2).
//!
//! The first signatures, those of the apex among them, are also computed. Computing all of a
//! large zone would cost seconds per load, and a fault of one is mostly a fault of all.

use std::cell::Cell;

use super::fault::Faults;
use super::key::Key;
use super::{Which, ZoneFault, ZoneRule, records};
use crate::dnssec::{CDNSKEY_DELETE, CDS_DELETE, Rrsig, key_digest};
use crate::wire::{RecordRef, Rtype};
use crate::zone::{NodeRef, RrsetRef, Zone};

/// Signatures that are computed, at some 50 to 100 µs each.
const VERIFIED_MAX: usize = 2000;

/// Looks at all signatures; an unsigned zone has nothing to look at.
pub(super) fn zone(zone: &Zone, now: u32, faults: &mut Faults) {
    let apex = zone.apex_node();
    let has_keys = apex.rrset(Rtype::DNSKEY).is_some();
    if !zone.is_signed() && !has_keys {
        return;
    }
    if !zone.is_signed() {
        let message = format!("{} has a DNSKEY but its SOA has no signature", zone.apex());
        faults.push(ZoneFault::at(ZoneRule::SignatureMissing, zone.apex(), Rtype::DNSKEY, message));
        return;
    }
    let keys = apex.rrset(Rtype::DNSKEY).into_iter().flat_map(RrsetRef::rdatas);
    let keys: Vec<Key<'_>> = keys.filter_map(Key::new).collect();
    match_keys(apex, &keys, faults);
    tell_sizes(apex, &keys, faults);
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

//------------ Walk ----------------------------------------------------------

/// What a signature is worth.
enum Verdict {
    /// A key of the zone made it.
    Good,
    /// Its key is not published.
    NoKey(String),
    /// It is at fault.
    Wrong(ZoneRule, String),
}

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
            if node.is_signed_here(set.rtype()) {
                self.set(node, set);
            }
        }
        for set in node.orphan_signatures() {
            let (owner, covered) = (node.owner(), set.rtype());
            let message = format!("{owner} has a signature over {covered}, which is not there");
            self.faults.push(ZoneFault::at(ZoneRule::SignatureOrphan, owner, covered, message));
        }
    }

    /// Looks at the signatures of one RRset.
    fn set(&mut self, node: NodeRef<'z>, set: RrsetRef<'z>) {
        let (owner, rtype) = (node.owner(), set.rtype());
        if set.signature_count() == 0 {
            let message = format!("{owner} {rtype} has no signature");
            self.faults.push(ZoneFault::at(ZoneRule::SignatureMissing, owner, rtype, message));
            return;
        }
        let (mut is_current, mut ended) = (false, None);
        let mut strangers = Vec::new();
        for signature in set.signatures().filter_map(Rrsig::new) {
            match self.judge(node, set, &signature) {
                Verdict::Good if signature.span.contains(self.now) => {
                    is_current = true;
                    self.note_end(node, signature);
                }
                Verdict::Good => drop(ended.get_or_insert(signature)),
                Verdict::NoKey(why) => strangers.push((signature, why)),
                Verdict::Wrong(rule, why) => {
                    self.tell(node, &signature, rule, format!("{owner} {rtype}: {why}"));
                }
            }
        }
        // In a roll of algorithms signatures come before their key is published and go after it (RFC
        // 6781 §4.1.4): one good signature by a published key is enough (RFC 6840 §5.4, §5.11).
        if is_current {
            return;
        }
        if let Some(signature) = ended {
            let has_ended = signature.span.seconds_left(self.now) < 0;
            let what = if has_ended { "has expired" } else { "is not valid yet" };
            let message = format!("{owner} {rtype}: the signature {what}");
            return self.tell(node, &signature, ZoneRule::SignatureExpired, message);
        }
        for (signature, why) in strangers {
            self.tell(node, &signature, ZoneRule::SignatureKey, format!("{owner} {rtype}: {why}"));
        }
    }

    /// What a signature is worth, its time apart.
    fn judge(&self, node: NodeRef<'_>, set: RrsetRef<'_>, signature: &Rrsig<'_>) -> Verdict {
        if signature.signer != self.zone.apex() {
            let why = format!("the signer is {}, not this zone", signature.signer);
            return Verdict::Wrong(ZoneRule::SignatureKey, why);
        }
        let (tag, algorithm) = (signature.key_tag, signature.algorithm);
        let mut keys =
            self.keys.iter().filter(|key| key.tag == tag && key.algorithm == algorithm).peekable();
        if keys.peek().is_none() {
            let why = format!("there is no DNSKEY with tag {tag} and algorithm {algorithm}");
            return Verdict::NoKey(why);
        }
        let left = self.budget.get();
        self.budget.set(left.saturating_sub(1));
        if left == 0 || keys.any(|key| key.has_made(signature, node.owner(), set)) {
            return Verdict::Good;
        }
        Verdict::Wrong(ZoneRule::SignatureBogus, "the signature does not verify".to_owned())
    }

    /// Reports a fault of a signature.
    fn tell(&mut self, node: NodeRef<'_>, signature: &Rrsig<'_>, rule: ZoneRule, message: String) {
        let fault = ZoneFault::at(rule, node.owner(), Rtype::RRSIG, message);
        self.faults.push(fault.which(Which::Rdata(signature.rdata.into())));
    }

    /// Takes note of a signature that ends before secondaries ask again.
    fn note_end(&mut self, node: NodeRef<'z>, signature: Rrsig<'z>) {
        let left = signature.span.seconds_left(self.now);
        if i64::from(left) >= i64::from(self.zone.soa().refresh) {
            return;
        }
        self.ending += 1;
        if self.soonest.as_ref().is_none_or(|(_, other)| left < other.span.seconds_left(self.now)) {
            self.soonest = Some((node, signature));
        }
    }

    /// Reports signatures that expire soon, in one finding.
    fn tell_ending(&mut self) {
        let Some((node, signature)) = self.soonest.take() else { return };
        let left = signature.span.seconds_left(self.now);
        let message = format!("{} signatures end soon, the first in {left} seconds", self.ending);
        self.tell(node, &signature, ZoneRule::SignatureSoon, message);
    }
}

//------------ Keys ----------------------------------------------------------

/// RSA keys of a size that is not computed here, each said once.
fn tell_sizes(apex: NodeRef<'_>, keys: &[Key<'_>], faults: &mut Faults) {
    for key in keys {
        if let Some(bits) = key.unverifiable_bits() {
            let (owner, tag) = (apex.owner(), key.tag);
            let message = format!(
                "{owner} DNSKEY with tag {tag} is an RSA key of {bits} bits: its signatures are not verified"
            );
            let fault = ZoneFault::at(ZoneRule::KeySize, owner, Rtype::DNSKEY, message);
            faults.push(fault.which(Which::Rdata(key.rdata.into())));
        }
    }
}

/// DS, CDS and CDNSKEY at the apex stand for keys of the zone. The delete form, which has algorithm 0,
/// stands for none (RFC 8078 §4).
fn match_keys(apex: NodeRef<'_>, keys: &[Key<'_>], faults: &mut Faults) {
    for set in [Rtype::DS, Rtype::CDS, Rtype::CDNSKEY].iter().filter_map(|t| apex.rrset(*t)) {
        for record in records(apex, set).filter(|record| !is_delete(record)) {
            let rdata = record.rdata;
            let is_fine = match record.rtype {
                Rtype::CDNSKEY => keys.iter().any(|key| key.rdata == rdata),
                _ => keys.iter().any(|key| is_digest(rdata, apex, key)),
            };
            if !is_fine {
                let message =
                    format!("{} {} matches no DNSKEY of the zone", record.owner, record.rtype);
                faults.push(ZoneFault::of(record, ZoneRule::KeyMismatch, message));
            }
        }
    }
}

/// CDS and CDNSKEY at the apex say the same (RFC 7344 §4), and the delete form is whole and alone (RFC
/// 8078 §4). In a zone without signatures, too.
pub(super) fn signals(zone: &Zone, faults: &mut Faults) {
    let apex = zone.apex_node();
    let all = |rtype| apex.rrset(rtype).into_iter().flat_map(move |set| records(apex, set));
    let (cds, cdnskey) = (|| all(Rtype::CDS), || all(Rtype::CDNSKEY));
    for record in cds().chain(cdnskey()).filter(is_delete) {
        let (owner, rtype) = (record.owner, record.rtype);
        let (form, whole): (_, &[u8]) = match rtype {
            Rtype::CDS => ("0 0 0 00", &CDS_DELETE),
            _ => ("0 3 0 AA==", &CDNSKEY_DELETE),
        };
        if record.rdata != whole {
            let message = format!("{owner} {rtype} has algorithm 0 and is not \"{form}\"");
            faults.push(ZoneFault::of(record, ZoneRule::CdsDelete, message));
        } else if cds().chain(cdnskey()).any(|other| !is_delete(&other)) {
            let message =
                format!("{owner} {rtype} \"{form}\" stands beside records that name keys");
            faults.push(ZoneFault::of(record, ZoneRule::CdsDelete, message));
        }
    }
    if cds().next().is_none() || cdnskey().next().is_none() {
        return;
    }
    let stands_for = |cds: &RecordRef<'_>, cdnskey: &RecordRef<'_>| {
        let key = Key::new(cdnskey.rdata);
        is_delete(cds) && is_delete(cdnskey) || key.is_some_and(|k| is_digest(cds.rdata, apex, &k))
    };
    let lone_digests = cds().filter(|one| !cdnskey().any(|other| stands_for(one, &other)));
    let lone_keys = cdnskey().filter(|one| !cds().any(|other| stands_for(&other, one)));
    for record in lone_digests.chain(lone_keys) {
        let (rtype, other) = match record.rtype {
            Rtype::CDS => (Rtype::CDS, Rtype::CDNSKEY),
            rtype => (rtype, Rtype::CDS),
        };
        let message = format!("{} {rtype} has no {other} that says the same", record.owner);
        faults.push(ZoneFault::of(record, ZoneRule::CdsDiffers, message));
    }
}

/// Whether a DS, CDS or CDNSKEY has algorithm 0, which only the delete form has.
fn is_delete(record: &RecordRef<'_>) -> bool {
    let at = if record.rtype == Rtype::CDNSKEY { 3 } else { 2 };
    record.rdata.get(at) == Some(&0)
}

/// Whether DS RDATA is the digest of a key (RFC 4034 §5.1.4). One of an unknown kind counts if tag and
/// algorithm are right.
fn is_digest(ds: &[u8], apex: NodeRef<'_>, key: &Key<'_>) -> bool {
    let [high, low, algorithm, kind, expected @ ..] = ds else { return false };
    if u16::from_be_bytes([*high, *low]) != key.tag || *algorithm != key.algorithm {
        return false;
    }
    let digest = key_digest(apex.owner(), key.rdata, *kind);
    digest.is_none_or(|digest| *digest == *expected)
}
