//! Proofs of what does not exist, from the NSEC or NSEC3 chain of a signed zone.
//!
//! RFC 4035 §3.1.3 and RFC 5155 §7.2. Nothing is signed here: the records were signed with the zone.
//! A broken chain yields fewer records, never a panic; the check at load reports it.

use crate::wire::{NAME_OCTETS_MAX, NameRef, Rtype};
use crate::zone::{Found, NodeRef, Nsec3Ref, RrsetRef, Zone};

use super::chain::{CHAIN_MAX, Chain};

/// Records of proof in one response: one for each wildcard passed, and at most three for the end.
const PROOFS_MAX: usize = CHAIN_MAX + 1 + 3;

//------------ Proofs --------------------------------------------------------

/// The NSEC or NSEC3 RRsets that one response needs, each once.
#[derive(Debug)]
pub(crate) struct Proofs<'z> {
    /// The RRsets with their owners.
    sets: [Option<(NameRef<'z>, RrsetRef<'z>)>; PROOFS_MAX],
    /// How many there are.
    count: usize,
}

impl<'z> Proofs<'z> {
    /// None.
    pub(crate) fn new() -> Self {
        Self { sets: [const { None }; PROOFS_MAX], count: 0 }
    }

    /// The RRsets in the order in which they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (NameRef<'z>, RrsetRef<'z>)> {
        self.sets[..self.count].iter().flatten().copied()
    }

    /// Adds an RRset that is not there yet.
    fn add(&mut self, owner: NameRef<'z>, set: RrsetRef<'z>) {
        let known = self.iter().any(|(name, _)| name.wire().as_ptr() == owner.wire().as_ptr());
        if !known && let Some(place) = self.sets.get_mut(self.count) {
            *place = Some((owner, set));
            self.count += 1;
        }
    }

    /// Adds the NSEC of a node.
    fn add_nsec(&mut self, node: Option<NodeRef<'z>>) {
        if let Some(node) = node
            && let Some(nsec) = node.rrset(Rtype::NSEC)
        {
            self.add(node.owner(), nsec);
        }
    }

    /// Adds an NSEC3.
    fn add_nsec3(&mut self, found: Option<Nsec3Ref<'z>>) {
        if let Some(found) = found {
            self.add(found.node.owner(), found.rrset);
        }
    }

    //--- What there is to prove

    /// For each name that was answered from a wildcard (bit n: the name n of the chain): no closer name
    /// exists (RFC 4035 §3.1.3.3, RFC 5155 §7.2.6).
    pub(crate) fn prove_wildcards(&mut self, zone: &'z Zone, chain: &Chain, wildcards: u32) {
        for index in (0..=chain.last()).filter(|index| wildcards >> index & 1 == 1) {
            let name = chain.name(index);
            if zone.nsec3_params().is_some() {
                let closer = zone.lookup(name).next_closer(name);
                self.add_nsec3(hashed(zone, closer));
            } else {
                self.add_nsec(zone.predecessor(name));
            }
        }
    }

    /// The name exists, or a wildcard covers it, and the type does not. `node` is where the type
    /// was looked for.
    pub(crate) fn prove_nodata(
        &mut self,
        zone: &'z Zone,
        name: NameRef<'_>,
        found: &Found<'z>,
        node: NodeRef<'z>,
    ) {
        if zone.nsec3_params().is_none() {
            // An empty non-terminal has no NSEC of its own: the one before it covers it.
            let nsec = if node.is_empty_non_terminal() {
                zone.predecessor(node.owner())
            } else {
                Some(node)
            };
            return self.add_nsec(nsec);
        }
        if found.exact().is_some() {
            // RFC 5155 §7.2.4: an insecure delegation, or an empty non-terminal above one, may be left
            // out by opt-out.
            return self.prove_exists(zone, name);
        }
        // RFC 5155 §7.2.5; `prove_wildcards` covers the next closer name.
        self.prove_exists(zone, found.encloser().owner());
        self.add_nsec3(hashed(zone, node.owner()).filter(|nsec3| nsec3.matches));
    }

    /// Neither the name nor a wildcard for it exists (RFC 4035 §3.1.3.2, RFC 5155 §7.2.2).
    pub(crate) fn prove_nxdomain(&mut self, zone: &'z Zone, name: NameRef<'_>, found: &Found<'z>) {
        let mut room = [0; NAME_OCTETS_MAX];
        if zone.nsec3_params().is_none() {
            self.add_nsec(zone.predecessor(name));
            if let Some(wildcard) = found.encloser().owner().wildcard(&mut room) {
                self.add_nsec(zone.predecessor(wildcard));
            }
            return;
        }
        let encloser = self.prove_closest_encloser(zone, found.next_closer(name));
        if let Some(wildcard) = encloser.and_then(|encloser| encloser.wildcard(&mut room)) {
            self.add_nsec3(hashed(zone, wildcard));
        }
    }

    /// The cut has no DS (RFC 4035 §3.1.4, RFC 5155 §7.2.7).
    pub(crate) fn prove_no_ds(&mut self, zone: &'z Zone, cut: NodeRef<'z>) {
        if zone.nsec3_params().is_none() {
            return self.add_nsec(Some(cut));
        }
        self.prove_exists(zone, cut.owner());
    }

    /// The NSEC3 of a name that exists; where opt-out leaves the name out, the closest encloser proof
    /// for it (RFC 5155 §7.2.4).
    fn prove_exists(&mut self, zone: &'z Zone, name: NameRef<'_>) {
        match hashed(zone, name) {
            Some(nsec3) if nsec3.matches => self.add_nsec3(Some(nsec3)),
            _ => {
                self.prove_closest_encloser(zone, name);
            }
        }
    }

    /// The closest *provable* encloser of a name that is in no NSEC3, and a cover of the next closer name
    /// (RFC 5155 §7.2.1). An empty non-terminal above insecure delegations exists, but with opt-out it
    /// need not be in the chain (RFC 5155 §7.1), and then the encloser is further up.
    fn prove_closest_encloser<'q>(
        &mut self,
        zone: &'z Zone,
        name: NameRef<'q>,
    ) -> Option<NameRef<'q>> {
        let mut closer = name;
        while let Some(encloser) = closer.parent().filter(|up| up.is_at_or_below(zone.apex())) {
            if let Some(nsec3) = hashed(zone, encloser).filter(|nsec3| nsec3.matches) {
                self.add_nsec3(Some(nsec3));
                self.add_nsec3(hashed(zone, closer));
                return Some(encloser);
            }
            closer = encloser;
        }
        None
    }
}

/// The NSEC3 that matches or covers the hash of a name.
fn hashed<'z>(zone: &'z Zone, name: NameRef<'_>) -> Option<Nsec3Ref<'z>> {
    zone.nsec3(&zone.nsec3_params()?.hash(name))
}
