//! Addresses, networks and ranges as the settings of other servers write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

//------------ Net -----------------------------------------------------------

/// A network: no bits are set after its prefix.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Net {
    /// Its first address.
    pub(super) first: IpAddr,
    /// The length of its prefix.
    pub(super) bits: u8,
}

/// All of IPv4 and all of IPv6.
pub(super) const ANYWHERE: [Net; 2] = [
    Net { first: IpAddr::V4(Ipv4Addr::UNSPECIFIED), bits: 0 },
    Net { first: IpAddr::V6(Ipv6Addr::UNSPECIFIED), bits: 0 },
];

impl Net {
    /// The network that an address is in; none if the prefix is longer than an address.
    pub(super) fn new(address: IpAddr, bits: u8) -> Option<Self> {
        let first = match address {
            IpAddr::V4(v4) if bits <= 32 => {
                let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) if bits <= 128 => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
            _ => return None,
        };
        Some(Self { first, bits })
    }

    /// One address.
    pub(super) fn host(address: IpAddr) -> Self {
        Self { first: address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// The address, if it is just one.
    pub(super) fn as_host(self) -> Option<IpAddr> {
        (Self::host(self.first) == self).then_some(self.first)
    }

    /// Whether all of another network is in this one.
    pub(super) fn holds(self, other: Self) -> bool {
        self.first.is_ipv4() == other.first.is_ipv4()
            && self.bits <= other.bits
            && Self::new(other.first, self.bits) == Some(self)
    }

    /// What two networks have in common.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        match (self.holds(other), other.holds(self)) {
            (true, _) => Some(other),
            (_, true) => Some(self),
            _ => None,
        }
    }
}

/// As the settings write it: one address without a prefix.
impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_host() {
            Some(address) => write!(f, "{address}"),
            None => write!(f, "{}/{}", self.first, self.bits),
        }
    }
}

//------------ Reading -------------------------------------------------------

/// An address, a network (`192.0.2.0/24`, `192.0.2/24` as BIND has it, `192.0.2.0&255.255.255.0` as NSD has it)
/// or a range (`192.0.2.1-192.0.2.9`).
pub(super) fn nets(text: &str) -> Option<Vec<Net>> {
    if let Some((first, last)) = text.split_once('-') {
        return range(first.trim().parse().ok()?, last.trim().parse().ok()?);
    }
    if let Some((address, mask)) = text.split_once('&') {
        let mask: IpAddr = mask.trim().parse().ok()?;
        let bits = match mask {
            IpAddr::V4(mask) => mask.to_bits().leading_ones(),
            IpAddr::V6(mask) => mask.to_bits().leading_ones(),
        };
        let bits = u8::try_from(bits).ok()?;
        // A mask with a hole is no prefix.
        let whole = if mask.is_ipv4() { ANYWHERE[0] } else { ANYWHERE[1] };
        let full = match whole.first {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::BROADCAST),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(u128::MAX)),
        };
        let is_prefix = Net::new(full, bits).is_some_and(|it| it.first == mask);
        return Some(vec![Net::new(address.trim().parse().ok()?, bits).filter(|_| is_prefix)?]);
    }
    match text.split_once('/') {
        Some((address, bits)) => Some(vec![Net::new(short(address)?, bits.parse().ok()?)?]),
        None => Some(vec![Net::host(text.parse().ok()?)]),
    }
}

/// An address of which the last parts may be missing, as in `10/8`.
fn short(text: &str) -> Option<IpAddr> {
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let parts = text.split('.').count();
    let zeros = ".0".repeat(4usize.checked_sub(parts)?);
    format!("{text}{zeros}").parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

/// The networks that a range is made of.
fn range(first: IpAddr, last: IpAddr) -> Option<Vec<Net>> {
    let (mut at, end, longest) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            (u128::from(first.to_bits()), u128::from(last.to_bits()), 32)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => (first.to_bits(), last.to_bits(), 128),
        _ => return None,
    };
    if at > end {
        return None;
    }
    let mut found = Vec::new();
    loop {
        // The widest network that begins here and does not end behind the range.
        let mut free = at.trailing_zeros().min(longest);
        let last_of = |free: u32| at | 1u128.checked_shl(free).map_or(u128::MAX, |it| it - 1);
        while free > 0 && last_of(free) > end {
            free -= 1;
        }
        let address = if longest == 32 {
            IpAddr::V4(Ipv4Addr::from_bits(u32::try_from(at).ok()?))
        } else {
            IpAddr::V6(Ipv6Addr::from_bits(at))
        };
        found.push(Net::new(address, u8::try_from(longest - free).ok()?)?);
        match last_of(free).checked_add(1).filter(|next| *next <= end) {
            Some(next) => at = next,
            None => return Some(found),
        }
    }
}

/// An address with a port behind `@`, as NSD and Knot write it.
pub(super) fn with_port(text: &str) -> Option<(IpAddr, Option<u16>)> {
    match text.split_once('@') {
        Some((address, port)) => Some((address.parse().ok()?, Some(port.parse().ok()?))),
        None => Some((text.parse().ok()?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_of_every_style_are_read() {
        let read = |text: &str| {
            let found = nets(text)?;
            Some(found.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("10/8", "10.0.0.0/8"),
            ("192.0.2.77/24", "192.0.2.0/24"),
            ("192.0.2.0&255.255.255.128", "192.0.2.0/25"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("192.0.2.1-192.0.2.6", "192.0.2.1 192.0.2.2/31 192.0.2.4/31 192.0.2.6"),
            ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
            ("2001:db8::-2001:db8::ff", "2001:db8::/120"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "x", "192.0.2.0/33", "192.0.2.0&255.0.255.0", "192.0.2.9-192.0.2.1", "1.2.3.4-::1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        let whole = nets("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").unwrap();
        assert_eq!(whole, [ANYWHERE[1]]);
    }

    #[test]
    fn what_networks_have_in_common() {
        let net = |text: &str| nets(text).unwrap()[0];
        assert_eq!(net("10.0.0.0/8").common(net("10.1.0.0/16")), Some(net("10.1.0.0/16")));
        assert_eq!(net("10.1.2.3").common(net("10.1.0.0/16")), Some(net("10.1.2.3")));
        assert_eq!(net("10.0.0.0/8").common(net("11.0.0.0/8")), None);
        assert_eq!(net("0.0.0.0/0").common(net("::/0")), None);
    }
}
