//! Rules about name servers: they exist, have addresses, and have glue where no other server knows their addresses.

use std::collections::HashSet;
use std::sync::OnceLock;

use super::fault::Faults;
use super::{ZoneFault, ZoneRule, records};
use crate::wire::{Name, NameRef, Rtype};
use crate::zone::{NodeRef, RrsetRef, Zone};

//------------ Hosts ---------------------------------------------------------

/// The hosts that NS records name: addresses below a cut that are of use. They are looked for at the first question,
/// which a zone without a cut does not have.
pub(super) struct Hosts<'a> {
    /// Looks for them.
    look: &'a (dyn Fn() -> HashSet<Name> + Sync),
    /// What was found.
    found: OnceLock<HashSet<Name>>,
}

impl<'a> Hosts<'a> {
    /// None looked for yet.
    pub(super) fn new(look: &'a (dyn Fn() -> HashSet<Name> + Sync)) -> Self {
        Self { look, found: OnceLock::new() }
    }

    /// Whether some NS record names this host.
    pub(super) fn contains(&self, name: NameRef<'_>) -> bool {
        let found = self.found.get_or_init(self.look);
        !found.is_empty() && found.contains(&name.to_name())
    }
}

/// The hosts that the NS records of these names name.
pub(super) fn hosts<'a>(nodes: impl Iterator<Item = NodeRef<'a>>) -> HashSet<Name> {
    let sets = nodes
        .filter(|node| node.is_apex() || node.is_cut())
        .filter_map(|node| node.rrset(Rtype::NS));
    sets.flat_map(RrsetRef::targets).map(NameRef::to_name).collect()
}

//------------ Rules ---------------------------------------------------------

/// The hosts of an NS RRset.
pub(super) fn rrset(zone: &Zone, node: NodeRef<'_>, set: RrsetRef<'_>, faults: &mut Faults) {
    if set.rtype() != Rtype::NS || !(node.is_apex() || node.is_cut()) {
        return;
    }
    let owner = node.owner();
    for record in records(node, set) {
        let Ok((host, _)) = NameRef::from_wire(record.rdata) else { continue };
        if !host.is_at_or_below(zone.apex()) {
            continue;
        }
        let mut tell = |rule, message: String| faults.push(ZoneFault::of(record, rule, message));
        let found = zone.lookup(host);
        let target = found.exact().or_else(|| found.wildcard());
        if let Some(cut) = found.cut() {
            // Below a cut: glue is needed where the host is below the delegation that names it, and
            // for the servers of the zone itself.
            let in_domain = node.is_apex() || cut.owner() == owner;
            if in_domain && !found.exact().is_some_and(has_address) {
                let message = if node.is_apex() {
                    let cut = cut.owner();
                    format!(
                        "the name server {host} of the apex {owner} is below the delegation of {cut} and has no glue"
                    )
                } else {
                    format!("{owner} is delegated to {host}, which has no glue")
                };
                tell(ZoneRule::GlueMissing, message);
            }
        } else if found.dname().is_some() {
            let message = format!("the name server {host} of {owner} is redirected by a DNAME");
            tell(ZoneRule::NsTargetCname, message);
        } else if target.is_some_and(|node| node.rrset(Rtype::CNAME).is_some()) {
            tell(ZoneRule::NsTargetCname, format!("the name server {host} of {owner} is a CNAME"));
        } else if !target.is_some_and(has_address) {
            let message = format!("the name server {host} of {owner} has no address");
            tell(ZoneRule::NsTargetNoAddress, message);
        }
    }
}

/// Whether a name has an address.
fn has_address(node: NodeRef<'_>) -> bool {
    node.rrset(Rtype::A).is_some() || node.rrset(Rtype::AAAA).is_some()
}
