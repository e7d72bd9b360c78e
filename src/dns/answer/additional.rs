//! The additional section: glue, the addresses of the hosts that the answer names, and what a service
//! alias leads to (RFC 1034 §4.3.2 step 6, RFC 9460 §4.1, RFC 9471).
//!
//! Only glue is necessary; all else is put while there is room. No record is put twice (RFC 2181 §5).

use crate::wire::{NameRef, Rtype};
use crate::zone::{NodeRef, RrsetRef};

use super::lookup::Lookup;
use super::put::{Owner, Put};
use super::reply::{Reply, Section};

/// Names of hosts looked up for the additional section of one response.
const ADDITIONAL_MAX: usize = 32;
/// SVCB or HTTPS RRsets of one response, the answer among them.
const SERVICES_MAX: usize = 8;

//------------ Hosts ---------------------------------------------------------

impl<'z> Lookup<'z, '_, '_> {
    /// Glue: first what only this server knows, the addresses below this cut; then, while there is room,
    /// what the zone has of the other hosts.
    pub(super) fn put_glue(&mut self, cut: NodeRef<'z>, ns: RrsetRef<'z>) -> bool {
        let in_domain = |host: NameRef<'_>| host.is_at_or_below(cut.owner());
        for (index, host) in ns.targets().enumerate().filter(|(_, host)| in_domain(*host)) {
            if let Some(node) = self.host(host)
                && !self.put_addresses((index, host), node, false)
            {
                return false;
            }
        }
        let others = ns.targets().enumerate().filter(|(_, host)| !in_domain(*host));
        for (index, host) in others.take(ADDITIONAL_MAX) {
            if let Some(node) = self.host(host) {
                // One that does not fit leaves the room to the next.
                self.put_addresses((index, host), node, self.dnssec && !node.is_below_cut());
            }
        }
        true
    }

    /// Where the addresses of a host are: its node, or the wildcard that covers it.
    fn host(&self, host: NameRef<'_>) -> Option<NodeRef<'z>> {
        if !host.is_at_or_below(self.zone.apex()) {
            return None;
        }
        if let Some(node) = self.zone.node(host) {
            return Some(node).filter(|node| !node.is_below_dname());
        }
        let found = self.zone.lookup(host);
        found.wildcard().filter(|_| found.dname().is_none())
    }

    /// What the zone has of the hosts that the answer names, while there is room.
    pub(super) fn put_targets(&mut self, own: NodeRef<'z>, set: RrsetRef<'z>) {
        if matches!(set.rtype(), Rtype::SVCB | Rtype::HTTPS) {
            return self.put_services(own, set);
        }
        for (index, host) in set.targets().enumerate().take(ADDITIONAL_MAX) {
            // Several records may name one host.
            if set.targets().take(index).any(|earlier| earlier == host) {
                continue;
            }
            let Some(node) = self.host(host) else {
                continue;
            };
            let glue = node.is_below_cut();
            if glue && set.rtype() != Rtype::NS {
                continue;
            }
            self.put_addresses((index, host), node, self.dnssec && !glue);
        }
    }

    /// A and AAAA of the host at an index of the targets, as far as they fit; false if they do not.
    /// Their owner is the host, whose data may be at a wildcard.
    fn put_addresses(
        &mut self,
        (index, host): (usize, NameRef<'z>),
        node: NodeRef<'z>,
        signatures: bool,
    ) -> bool {
        let owner = self.targets.owner(index, host).unwrap_or(Owner::Spelled(host));
        let put = Put::new(Section::Additional, owner).signed(signatures);
        put_both(self.reply, node, put)
    }

    //--- Services

    /// What SVCB or HTTPS records lead to: the RRset at the name of each alias, and again from there;
    /// then the addresses of all targets. Rare, and large: it stays out of the way of other answers.
    #[inline(never)]
    fn put_services(&mut self, own: NodeRef<'z>, set: RrsetRef<'z>) {
        let mut services = [None; SERVICES_MAX];
        services[0] = Some(Service { name: None, set });
        let mut count = 1;
        let mut at = 0;
        while let Some(service) = services.get(at).copied().flatten() {
            at += 1;
            let aliases = service.set.service_targets().filter(|(is_alias, _)| *is_alias);
            for (_, target) in aliases.take(ADDITIONAL_MAX) {
                let known = |service: &Service<'_>| service.name == Some(target);
                if self.is_own(target) || services.iter().flatten().any(known) {
                    continue;
                }
                let node = self.host(target).filter(|node| !node.is_below_cut());
                let found = node.and_then(|node| node.rrset(set.rtype()));
                if let (Some(set), Some(place)) = (found, services.get_mut(count)) {
                    let put = Put::new(Section::Additional, Owner::Spelled(target));
                    if self.reply.put_rrset(set, put.signed(self.dnssec), None) {
                        *place = Some(Service { name: Some(target), set });
                        count += 1;
                    }
                }
            }
        }
        self.put_service_addresses(own, &services);
    }

    /// The addresses of the targets of these RRsets, each host once.
    fn put_service_addresses(&mut self, own: NodeRef<'z>, services: &[Option<Service<'z>>]) {
        let (mut done, mut count) = ([None; ADDITIONAL_MAX], 0);
        for (at, service) in services.iter().flatten().enumerate() {
            for (index, (is_alias, target)) in service.set.service_targets().enumerate() {
                let host = match target.is_root() {
                    // RFC 9460 §2.5: no service at all, or the owner itself.
                    true if is_alias => continue,
                    true => service.name,
                    false => Some(target).filter(|target| !self.is_own(*target)),
                };
                let Some(place) = done.get_mut(count) else { return };
                *place = host;
                if done[..count].contains(&host) {
                    continue;
                }
                count += 1;
                let Some(host) = host else {
                    self.put_own_addresses(own);
                    continue;
                };
                if let Some(node) = self.host(host).filter(|node| !node.is_below_cut()) {
                    // Where its name is in the message is known of the answer's targets only.
                    let index = if at == 0 { index } else { usize::MAX };
                    self.put_addresses((index, host), node, self.dnssec);
                }
            }
        }
    }

    /// Whether this is the name that the answer belongs to.
    fn is_own(&self, name: NameRef<'_>) -> bool {
        self.chain.name(self.chain.last()) == name
    }

    /// A and AAAA of the name that the answer belongs to, whose data are at `node`.
    fn put_own_addresses(&mut self, node: NodeRef<'z>) {
        let owner = self.chain.owner(self.chain.last());
        let put = Put::new(Section::Additional, owner).signed(self.dnssec);
        put_both(self.reply, node, put);
    }
}

/// An SVCB or HTTPS RRset that is in the response.
#[derive(Clone, Copy)]
struct Service<'z> {
    /// Its owner; none for the answer's own.
    name: Option<NameRef<'z>>,
    /// The RRset.
    set: RrsetRef<'z>,
}

/// A and AAAA of a node, as far as they fit; false if they do not.
fn put_both<'z>(reply: &mut Reply<'z, '_>, node: NodeRef<'z>, put: Put<'_>) -> bool {
    let mut put_one = |rtype| match node.rrset(rtype) {
        Some(set) => reply.put_rrset(set, put, None),
        None => true,
    };
    put_one(Rtype::A) & put_one(Rtype::AAAA)
}
