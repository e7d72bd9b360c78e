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
        if found.exact().is_none() {
            // The next closer name is covered by `prove_wildcards`.
            self.add_nsec3(hashed(zone, found.encloser().owner()));
            return self.add_nsec3(hashed(zone, node.owner()));
        }
        match hashed(zone, name) {
            Some(nsec3) if nsec3.matches => self.add_nsec3(Some(nsec3)),
            // RFC 5155 §7.2.4: an insecure delegation, or an empty non-terminal above one, that is
            // left out by opt-out.
            _ => self.prove_opt_out(zone, name),
        }
    }

    /// Neither the name nor a wildcard for it exists (RFC 4035 §3.1.3.2, RFC 5155 §7.2.2).
    pub(crate) fn prove_nxdomain(&mut self, zone: &'z Zone, name: NameRef<'_>, found: &Found<'z>) {
        let encloser = found.encloser().owner();
        let mut room = [0; NAME_OCTETS_MAX];
        let Some(wildcard) = encloser.wildcard(&mut room) else {
            return;
        };
        if zone.nsec3_params().is_some() {
            self.add_nsec3(hashed(zone, encloser));
            self.add_nsec3(hashed(zone, found.next_closer(name)));
            self.add_nsec3(hashed(zone, wildcard));
        } else {
            self.add_nsec(zone.predecessor(name));
            self.add_nsec(zone.predecessor(wildcard));
        }
    }

    /// The cut has no DS (RFC 4035 §3.1.4, RFC 5155 §7.2.7).
    pub(crate) fn prove_no_ds(&mut self, zone: &'z Zone, cut: NodeRef<'z>) {
        if zone.nsec3_params().is_none() {
            return self.add_nsec(Some(cut));
        }
        match hashed(zone, cut.owner()) {
            Some(nsec3) if nsec3.matches => self.add_nsec3(Some(nsec3)),
            _ => self.prove_opt_out(zone, cut.owner()),
        }
    }

    /// The closest provable encloser and a cover of the next closer name (RFC 5155 §7.2.4).
    fn prove_opt_out(&mut self, zone: &'z Zone, name: NameRef<'_>) {
        let mut closer = name;
        while let Some(encloser) = closer.parent().filter(|up| up.is_at_or_below(zone.apex())) {
            if let Some(nsec3) = hashed(zone, encloser).filter(|nsec3| nsec3.matches) {
                self.add_nsec3(Some(nsec3));
                return self.add_nsec3(hashed(zone, closer));
            }
            closer = encloser;
        }
    }
}

/// The NSEC3 that matches or covers the hash of a name.
fn hashed<'z>(zone: &'z Zone, name: NameRef<'_>) -> Option<Nsec3Ref<'z>> {
    zone.nsec3(&zone.nsec3_params()?.hash(name))
}
