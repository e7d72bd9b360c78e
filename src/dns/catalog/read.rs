//! Reads a catalog zone. One fault that makes it broken, and nothing of it counts (RFC 9432 §5.1).

use std::collections::BTreeMap;
use std::fmt;

use crate::wire::{Name, NameRef, Rtype};
use crate::zone::{NodeRef, Zone};

/// The version of the schema (RFC 9432 §4.2.1).
const VERSION: &[u8] = b"\x012";

//------------ Member --------------------------------------------------------

/// A zone that a catalog lists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Member {
    /// Its name.
    pub zone: Name,
    /// Its unique label, in lower case: with another one it is to be begun anew (RFC 9432 §5.4).
    pub label: Box<[u8]>,
    /// The catalog that may take it over (`coo`, RFC 9432 §4.3.1).
    pub new_owner: Option<Name>,
}

/// The members of a catalog zone in canonical order, or all that is wrong with it.
pub fn members(catalog: &Zone) -> Result<Vec<Member>, Vec<CatalogFault>> {
    let mut faults = Vec::new();
    faults.extend(version(catalog).err());
    let mut members: BTreeMap<Name, Member> = BTreeMap::new();
    for node in catalog.nodes() {
        let Some(label) = label_of(catalog, node.owner()) else { continue };
        let zone = match only_target(node) {
            Ok(Some(zone)) => zone,
            Ok(None) => continue,
            Err(()) => {
                faults.push(CatalogFault::ManyTargets(node.owner().to_name()));
                continue;
            }
        };
        let new_owner = match Name::prepend(b"coo", node.owner()) {
            // Too long a name is in no zone.
            Err(_) => None,
            Ok(owner) => match catalog.node(owner.as_ref()).map_or(Ok(None), only_target) {
                Ok(new_owner) => new_owner,
                Err(()) => {
                    faults.push(CatalogFault::ManyTargets(owner));
                    None
                }
            },
        };
        let member = Member { zone: zone.clone(), label, new_owner };
        if members.insert(zone.clone(), member).is_some() {
            faults.push(CatalogFault::MemberTwice(zone));
        }
    }
    if faults.is_empty() { Ok(members.into_values().collect()) } else { Err(faults) }
}

/// Whether the one version there is is the one we know.
fn version(catalog: &Zone) -> Result<(), CatalogFault> {
    let owner = Name::prepend(b"version", catalog.apex()).map_err(|_| CatalogFault::NoVersion)?;
    let set = catalog.rrset(owner.as_ref(), Rtype::TXT).ok_or(CatalogFault::NoVersion)?;
    match (set.count(), set.first()) {
        (1, VERSION) => Ok(()),
        (1, other) => {
            let text = String::from_utf8_lossy(other.get(1..).unwrap_or_default()).into_owned();
            Err(CatalogFault::UnknownVersion(text))
        }
        (_, _) => Err(CatalogFault::ManyVersions),
    }
}

/// The unique label, if a name is a member's node: `LABEL.zones` below the apex.
fn label_of(catalog: &Zone, owner: NameRef<'_>) -> Option<Box<[u8]>> {
    let zones = owner.parent()?;
    let is_node =
        zones.parent()? == catalog.apex() && zones.labels().next()?.eq_ignore_ascii_case(b"zones");
    let label = owner.labels().next()?;
    is_node.then(|| label.to_ascii_lowercase().into())
}

/// The target of the one PTR record at a name, if there is any; an error if there are more.
fn only_target(node: NodeRef<'_>) -> Result<Option<Name>, ()> {
    let Some(set) = node.rrset(Rtype::PTR) else { return Ok(None) };
    if set.count() != 1 {
        return Err(());
    }
    // RDATA in a zone was read before.
    Ok(Name::from_wire(set.first()).ok().map(|(target, _)| target))
}

//------------ CatalogFault --------------------------------------------------

/// Why a catalog zone is broken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CatalogFault {
    /// It does not say its version.
    NoVersion,
    /// It says more than one version.
    ManyVersions,
    /// It has a version that is not known.
    UnknownVersion(String),
    /// A name that may lead to one zone leads to several.
    ManyTargets(Name),
    /// Two labels lead to one zone.
    MemberTwice(Name),
}

impl fmt::Display for CatalogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVersion => write!(f, "there is no TXT record at \"version\""),
            Self::ManyVersions => write!(f, "there is more than one TXT record at \"version\""),
            Self::UnknownVersion(version) => {
                write!(f, "its version is \"{}\" and not \"2\"", version.escape_debug())
            }
            Self::ManyTargets(owner) => write!(f, "{owner} has more than one PTR record"),
            Self::MemberTwice(zone) => write!(f, "{zone} is listed twice"),
        }
    }
}
