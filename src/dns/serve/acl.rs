//! Access lists: the most specific rule decides.
//!
//! Rules match by *labels* of the name and by *bits* of the address, never by text, so that
//! `xexample.org` is not below `example.org` and 192.0.2.1 is not in 192.0.2.16/28. A rule of a child
//! name beats any rule of its parent; among rules of one name the longest prefix wins. A list holds on
//! every transport.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::answer::Access;
use crate::wire::{Name, NameRef};

//------------ Acl -----------------------------------------------------------

/// A list of rules and what holds where none matches.
#[derive(Clone, Debug)]
pub struct Acl {
    /// Rules, the most specific first: by labels of the name, then by bits of the prefix.
    rules: Vec<AclRule>,
    /// What holds where no rule matches.
    otherwise: bool,
    /// Keys whose good signature is enough, wherever the message comes from.
    keys: BTreeSet<Name>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct AclRule {
    /// The name it holds for, with all below; the root for any.
    pub name: Name,
    /// The addresses it holds for.
    pub network: Network,
    /// Whether they may.
    pub allow: bool,
}

impl Acl {
    /// Every client is allowed.
    pub fn everybody() -> Self {
        Self::new(Vec::new(), true)
    }

    /// Only these networks are allowed; every client if there are none.
    pub fn only(networks: impl IntoIterator<Item = Network>) -> Self {
        Self::only_these(networks, [])
    }

    /// Only these networks, and whoever has one of these keys, are allowed; every client if there are neither.
    pub fn only_these(
        networks: impl IntoIterator<Item = Network>,
        keys: impl IntoIterator<Item = Name>,
    ) -> Self {
        let rule = |network| AclRule { name: Name::root(), network, allow: true };
        let rules: Vec<_> = networks.into_iter().map(rule).collect();
        let keys: BTreeSet<Name> = keys.into_iter().collect();
        let otherwise = rules.is_empty() && keys.is_empty();
        Self { keys, ..Self::new(rules, otherwise) }
    }

    /// These rules, in any order.
    pub fn new(mut rules: Vec<AclRule>, otherwise: bool) -> Self {
        // Of two rules for the same name and network the one that refuses comes first.
        rules.sort_by_key(|rule| {
            let labels = rule.name.as_ref().label_count();
            (std::cmp::Reverse((labels, rule.network.bits)), rule.allow)
        });
        Self { rules, otherwise, keys: BTreeSet::new() }
    }

    /// Whether a good signature by this key is enough.
    pub fn allows_key(&self, key: &Name) -> bool {
        self.keys.contains(key)
    }
}

impl Access for Acl {
    fn allows(&self, client: IpAddr, name: NameRef<'_>) -> bool {
        let matches = |rule: &&AclRule| {
            rule.network.contains(client) && name.is_at_or_below(rule.name.as_ref())
        };
        self.rules.iter().find(matches).map_or(self.otherwise, |rule| rule.allow)
    }
}

//------------ Network -------------------------------------------------------

/// An address prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    /// The address, bits outside the prefix zero; IPv4 in the upper 32 bits.
    address: u128,
    /// Length of the prefix.
    bits: u8,
    /// Whether it is of IPv6.
    ipv6: bool,
}

impl Network {
    /// A prefix; bits of the address outside it are ignored. `None` if it is longer than an address.
    pub fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let address = address.to_canonical();
        let longest = if address.is_ipv6() { 128 } else { 32 };
        (bits <= longest).then(|| Self {
            address: left_bits(address) & mask(bits),
            bits,
            ipv6: address.is_ipv6(),
        })
    }

    /// Whether an address is in it. An IPv4 address mapped into IPv6 is the IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv6() == self.ipv6 && left_bits(address) & mask(self.bits) == self.address
    }
}

/// The bits of an address, the first of them highest.
fn left_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The highest `bits` bits.
fn mask(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

impl FromStr for Network {
    type Err = NotANetwork;

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a single address. Bits set outside the prefix are a
    /// mistake, and refused.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let longest = if address.is_ipv6() { 128 } else { 32 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => {
                bits.parse().map_err(|_| NotANetwork)?
            }
            Some(_) => return Err(NotANetwork),
            None => longest,
        };
        let network = Self::new(address, bits).ok_or(NotANetwork)?;
        if left_bits(address.to_canonical()) == network.address {
            Ok(network)
        } else {
            Err(NotANetwork)
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ipv6 {
            write!(f, "{}/{}", std::net::Ipv6Addr::from_bits(self.address), self.bits)
        } else {
            let v4 = std::net::Ipv4Addr::from_bits((self.address >> 96) as u32);
            write!(f, "{v4}/{}", self.bits)
        }
    }
}

/// The text is no network.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "not a network: write 192.0.2.0/24, 2001:db8::/32 or one address, with no bits set after the prefix"
)]
pub struct NotANetwork;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, network: &str, allow: bool) -> AclRule {
        AclRule { name: name.parse().unwrap(), network: network.parse().unwrap(), allow }
    }

    /// Checks whether a client may query a name.
    #[track_caller]
    fn check(acl: &Acl, client: &str, name: &str, allowed: bool) {
        let name: Name = name.parse().unwrap();
        let client = client.parse().unwrap();
        assert_eq!(acl.allows(client, name.as_ref()), allowed, "{client} {name}");
    }

    #[test]
    fn networks_are_bits_not_text() {
        let network: Network = "192.0.2.16/28".parse().unwrap();
        for (address, inside) in [
            ("192.0.2.16", true),
            ("192.0.2.31", true),
            ("192.0.2.32", false),
            ("192.0.2.1", false),
            ("::ffff:192.0.2.17", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains([1, 2, 3, 4].into()));
        assert!(!"::/0".parse::<Network>().unwrap().contains([1, 2, 3, 4].into()));
        for wrong in ["192.0.2.1/24", "192.0.2.0/33", "::/129", "192.0.2.0/+8", "192.0.2/24", ""] {
            assert_eq!(wrong.parse::<Network>(), Err(NotANetwork), "{wrong}");
        }
        assert_eq!("2001:db8::/32".parse::<Network>().unwrap().to_string(), "2001:db8::/32");
        assert_eq!("192.0.2.9".parse::<Network>().unwrap().to_string(), "192.0.2.9/32");
    }

    #[test]
    fn no_rule_means_everybody() {
        check(&Acl::everybody(), "1.2.3.4", "example.", true);
        check(&Acl::only([]), "1.2.3.4", "example.", true);
        let keyed = Acl::only_these([], ["Armada.".parse().unwrap()]);
        check(&keyed, "1.2.3.4", "example.", false);
        assert!(keyed.allows_key(&"armada.".parse().unwrap()));
        assert!(!keyed.allows_key(&"other.".parse().unwrap()));
        let some = Acl::only(["192.0.2.0/24".parse().unwrap()]);
        check(&some, "192.0.2.4", "example.", true);
        check(&some, "1.2.3.4", "example.", false);
    }

    #[test]
    fn the_longest_prefix_decides() {
        let acl = Acl::new(
            vec![
                rule(".", "192.0.2.0/24", true),
                rule(".", "192.0.2.128/25", false),
                rule(".", "192.0.2.200/32", true),
            ],
            false,
        );
        for (client, allowed) in [
            ("192.0.2.1", true),
            ("192.0.2.129", false),
            ("192.0.2.200", true),
            ("192.0.3.1", false),
        ] {
            check(&acl, client, "example.", allowed);
        }
    }

    #[test]
    fn a_child_beats_its_parent_whatever_the_prefixes() {
        let acl = Acl::new(
            vec![
                rule("example.org.", "192.0.2.1/32", true),
                rule("sub.example.org.", "0.0.0.0/0", false),
            ],
            false,
        );
        check(&acl, "192.0.2.1", "www.example.org.", true);
        check(&acl, "192.0.2.1", "SUB.example.org.", false);
        check(&acl, "192.0.2.1", "a.sub.example.org.", false);
        check(&acl, "192.0.2.1", "xsub.example.org.", true);
        check(&acl, "192.0.2.1", "xexample.org.", false);
        check(&acl, "192.0.2.1", ".", false);
    }
}
