//! Where a name may point: address ranges, and suffixes below which a stranger can claim a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The shipped suffixes below which a stranger can claim a name.
const HIJACKABLE: &str = include_str!("data/hijackable.txt");

//------------ Prefix --------------------------------------------------------

/// An address range, `192.0.2.0/24`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Prefix {
    /// The address, with the bits below the length cleared.
    address: IpAddr,
    /// Its length in bits.
    length: u8,
}

impl Prefix {
    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                u32::from(own) == u32::from(other) & mask
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                u128::from(own) == u128::from(other) & mask
            }
            _ => false,
        }
    }
}

impl Prefix {
    /// Its length in bits.
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether it is one of IPv4.
    pub fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Prefix {
    type Err = BadPrefix;

    fn from_str(text: &str) -> Result<Self, BadPrefix> {
        let bad = || BadPrefix(text.to_owned());
        let (address, length) = match text.trim().split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| bad())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(longest), str::parse).map_err(|_| bad())?;
        let prefix = Self { address, length };
        // An address with bits below its length is a slip of the pen, not a range.
        if length > longest || !prefix.contains(address) { Err(bad()) } else { Ok(prefix) }
    }
}

/// The text is no address range.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} is not an address range such as 192.0.2.0/24")]
pub struct BadPrefix(String);

//------------ Targets -------------------------------------------------------

/// The rules about targets that the owner may change.
#[derive(Clone, Debug)]
pub struct Targets {
    /// `targets.allow`: special ranges that are fine here.
    pub allow: Vec<Prefix>,
    /// The suffixes of `targets.hijackable_file`, without a leading dot, in lower case.
    pub hijackable: Vec<String>,
    /// `targets.hijackable`: `true` for `"refuse"`, `false` for `"reason"`.
    pub refuse_hijackable: bool,
    /// Prefixes in Indonesia; `None` leaves the line "not checked".
    pub indonesia: Option<Vec<Prefix>>,
}

impl Default for Targets {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            hijackable: suffixes(HIJACKABLE),
            refuse_hijackable: true,
            indonesia: None,
        }
    }
}

/// Names for special use (RFC 6761, 6762, 7686, 8375, 9476, IANA registry; `internal` by ICANN), names
/// that networks use inside, and public ones that resolve to loopback or to an address in the name.
const SPECIAL_NAMES: [&str; 23] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "arpa",
    "onion",
    "alt",
    "test",
    "invalid",
    "nip.io",
    "sslip.io",
    "xip.io",
    "traefik.me",
    "localtest.me",
    "lvh.me",
    "vcap.me",
    "rbndr.us",
];

/// The special name at or below which a target lies, if it does.
pub fn special_name(target: &str) -> Option<&'static str> {
    let target = target.trim().trim_end_matches('.').to_lowercase();
    SPECIAL_NAMES.into_iter().find(|name| is_at_or_below(&target, name))
}

/// Whether a name, in lower case and without its final dot, is a suffix or lies below it.
fn is_at_or_below(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Reads a file of suffixes: one a line, `#` begins a comment.
pub fn suffixes(text: &str) -> Vec<String> {
    let line =
        |line: &str| line.split('#').next().unwrap_or("").trim().trim_matches('.').to_lowercase();
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Reads a file of prefixes: one a line, `#` begins a comment.
pub fn prefixes(text: &str) -> Result<Vec<Prefix>, BadPrefix> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    lines.filter(|line| !line.is_empty()).map(str::parse).collect()
}

impl Targets {
    /// Why nobody may point at an address, by the name of its range; `None` when it is public or
    /// allowed.
    pub fn special(&self, address: IpAddr) -> Option<&'static str> {
        if self.allow.iter().any(|prefix| prefix.contains(address)) {
            return None;
        }
        special(address)
    }

    /// The suffix below which a stranger could claim this target.
    pub fn claimable_suffix(&self, target: &str) -> Option<&str> {
        let target = target.trim().trim_end_matches('.').to_lowercase();
        let below = |suffix: &&String| is_at_or_below(&target, suffix);
        self.hijackable.iter().find(below).map(String::as_str)
    }

    /// Whether an address lies in Indonesia; `None` without the file.
    pub fn is_domestic(&self, address: IpAddr) -> Option<bool> {
        let allowed = self.allow.iter().any(|prefix| prefix.contains(address));
        let list = self.indonesia.as_ref()?;
        Some(allowed || list.iter().any(|prefix| prefix.contains(address)))
    }
}

/// The name of the special range in which an address lies, whatever is allowed.
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

/// The special ranges of IPv4 (IANA registry).
fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(address);
    let ranges: [(u32, u32, &str); 19] = [
        (0x0000_0000, 8, "unspecified 0.0.0.0/8"),
        (0x0a00_0000, 8, "private 10.0.0.0/8"),
        (0x6440_0000, 10, "CGNAT 100.64.0.0/10"),
        (0x7f00_0000, 8, "loopback 127.0.0.0/8"),
        (0xa9fe_0000, 16, "link-local 169.254.0.0/16"),
        (0xac10_0000, 12, "private 172.16.0.0/12"),
        (0xc000_0000, 24, "protocol assignments 192.0.0.0/24"),
        (0xc000_0200, 24, "documentation 192.0.2.0/24"),
        (0xc01f_c400, 24, "AS112 192.31.196.0/24"),
        (0xc034_c100, 24, "AMT 192.52.193.0/24"),
        (0xc058_6300, 24, "6to4 relay 192.88.99.0/24"),
        (0xa83f_8110, 32, "host services 168.63.129.16"),
        (0xc0af_3000, 24, "AS112 192.175.48.0/24"),
        (0xc0a8_0000, 16, "private 192.168.0.0/16"),
        (0xc612_0000, 15, "benchmarking 198.18.0.0/15"),
        (0xc633_6400, 24, "documentation 198.51.100.0/24"),
        (0xcb00_7100, 24, "documentation 203.0.113.0/24"),
        (0xe000_0000, 4, "multicast 224.0.0.0/4"),
        (0xf000_0000, 4, "reserved 240.0.0.0/4"),
    ];
    let hit =
        ranges.iter().find(|(base, length, _)| bits >> (32 - length) == base >> (32 - length));
    hit.map(|(_, _, name)| *name)
}

/// The special ranges of IPv6: all but 2000::/3, and some within.
fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let s = address.segments();

    match s {
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("unspecified ::"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("loopback ::1"),
        [0, 0, 0, 0, 0, 0xffff, ..] => Some("IPv4-mapped ::ffff:0:0/96"),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some("NAT64 64:ff9b::/96"),
        [0x64, 0xff9b, 1, ..] => Some("NAT64 64:ff9b:1::/48"),
        [a, ..] if a & 0xfe00 == 0xfc00 => Some("unique local fc00::/7"),
        [a, ..] if a & 0xffc0 == 0xfe80 => Some("link-local fe80::/10"),
        [a, ..] if a & 0xff00 == 0xff00 => Some("multicast ff00::/8"),
        [a, ..] if a & 0xe000 != 0x2000 => Some("outside 2000::/3"),
        [0x2001, 0xdb8, ..] => Some("documentation 2001:db8::/32"),
        [0x3fff, b, ..] if b & 0xf000 == 0 => Some("documentation 3fff::/20"),
        [0x2001, b, ..] if b < 0x0200 => Some("protocol assignments 2001::/23"),
        [0x2002, ..] => Some("6to4 2002::/16"),
        [0x2620, 0x4f, 0x8000, ..] => Some("AS112 2620:4f:8000::/48"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_range_is_refused() {
        let targets = Targets::default();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.1.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.10",
            "192.168.1.1",
            "168.63.129.16",
            "192.175.48.1",
            "2620:4f:8000::1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:808:808::1",
            "3fff::1",
            "4000::1",
            "100::1",
        ] {
            assert!(targets.special(address.parse().unwrap()).is_some(), "{address}");
        }
        for address in
            ["8.8.8.8", "103.10.20.30", "172.32.0.1", "100.128.0.1", "2001:4860::8", "2400:cb00::1"]
        {
            assert_eq!(targets.special(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn allowed_ranges_are_exceptions() {
        let allow = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let targets = Targets { allow, ..Targets::default() };
        assert_eq!(targets.special("192.0.2.10".parse().unwrap()), None);
        assert_eq!(targets.special("2001:db8::5".parse().unwrap()), None);
        assert!(targets.special("198.51.100.7".parse().unwrap()).is_some());
        for bad in ["192.0.2.1/24", "x/8", "10.0.0.0/33", "::1/200"] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
        assert!("0.0.0.0/0".parse::<Prefix>().unwrap().contains("9.9.9.9".parse().unwrap()));
    }

    #[test]
    fn names_for_special_use_are_no_targets() {
        for name in [
            "localhost.",
            "App.LocalHost",
            "printer.local.",
            "metadata.google.internal.",
            "nas.home.arpa",
            "10.2.0.192.in-addr.arpa.",
            "facebookcorewwwi.onion",
            "a.test.",
            "b.invalid",
            "10.0.0.1.nip.io",
        ] {
            assert!(special_name(name).is_some(), "{name}");
        }
        for name in ["contoh.id.", "www.example.com.", "mylocal.id", "latest.go.id", "local.go.id"]
        {
            assert_eq!(special_name(name), None, "{name}");
        }
    }

    #[test]
    fn claimable_suffixes_match_at_label_boundaries() {
        let targets = Targets::default();
        assert_eq!(targets.claimable_suffix("x.github.io."), Some("github.io"));
        assert_eq!(targets.claimable_suffix("A.B.Pages.Dev"), Some("pages.dev"));
        assert_eq!(targets.claimable_suffix("notgithub.io"), None);
        for name in ["c.storage.googleapis.com.", "x.githubpreview.dev", "a.hf.space", "b.deno.dev"]
        {
            assert!(targets.claimable_suffix(name).is_some(), "{name}");
        }
        assert_eq!(targets.claimable_suffix("github.io.example.id"), None);
    }
}
