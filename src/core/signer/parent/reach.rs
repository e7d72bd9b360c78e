//! How near one has to be to an address to reach it. Whoever publishes where he wants to be told shall not have this
//! machine send datagrams to what only it can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::sight::Sight;

/// From where an address is reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Reach {
    /// From everywhere.
    World,
    /// From within a network (RFC 1918, RFC 6598, RFC 4193).
    Network,
    /// From the same link (RFC 3927, RFC 4291 §2.5.6).
    Link,
    /// From the same machine.
    Machine,
    /// It is of no one host.
    Nobody,
}

impl Reach {
    /// Of an address.
    fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    /// Of an IPv4 address.
    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            [0 | 224.., ..] => Self::Nobody,
            [127, ..] => Self::Machine,
            [169, 254, ..] => Self::Link,
            [100, 64..=127, ..] => Self::Network,
            _ if ip.is_private() => Self::Network,
            _ => Self::World,
        }
    }

    /// Of an IPv6 address.
    fn of_v6(ip: Ipv6Addr) -> Self {
        match ip {
            _ if ip.is_unspecified() || ip.is_multicast() => Self::Nobody,
            _ if ip.is_loopback() => Self::Machine,
            _ if ip.is_unicast_link_local() => Self::Link,
            _ if ip.is_unique_local() => Self::Network,
            _ => Self::World,
        }
    }
}

/// Whether a receiver that the parent names may be at this address: everywhere in the world, and as near as a server
/// of the parent itself, which was heard there.
pub(super) fn is_meant(ip: IpAddr, seen: Option<&Sight>) -> bool {
    let near = match Reach::of(ip) {
        Reach::World => return true,
        Reach::Nobody => return false,
        near => near,
    };
    let servers = seen.into_iter().flat_map(|sight| &sight.servers);
    let mut heard = servers.flat_map(|server| &server.heard);
    heard.any(|(address, heard)| {
        // A parent that is served here has its addresses here.
        let is_so_near = address.is_none_or(|address| Reach::of(address.ip()) == near);
        is_so_near && heard.records().is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Heard, ParentServer};
    use super::*;

    #[test]
    fn only_who_is_near_itself_names_what_is_near() {
        let seen = |heard: &[(Option<&str>, Heard)]| {
            let heard = heard
                .iter()
                .map(|(address, heard)| (address.map(|text| text.parse().unwrap()), heard.clone()));
            let server = ParentServer { name: "ns".to_owned(), heard: heard.collect() };
            Sight { parent: None, servers: vec![server], why: None }
        };
        let all = [
            "192.0.2.1",
            "2001:db8::1",
            "10.1.2.3",
            "100.127.0.1",
            "fd00::1",
            "127.0.0.53",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.1.1",
            "fe80::1",
            "0.0.0.0",
            "::",
            "224.0.0.251",
            "ff02::fb",
            "255.255.255.255",
        ];
        let meant = |seen: Option<&Sight>| -> Vec<&str> {
            let is_meant = |text: &&str| is_meant(text.parse().unwrap(), seen);
            all.into_iter().filter(is_meant).collect()
        };
        assert_eq!(meant(None), all[..2]);
        let silent = || Heard::Silent("x".to_owned());
        let far = seen(&[(Some("192.0.2.53:53"), Heard::None), (Some("127.0.0.1:53"), silent())]);
        assert_eq!(meant(Some(&far)), all[..2], "nobody answered there");
        assert_eq!(meant(Some(&seen(&[(Some("10.9.9.9:53"), Heard::None)]))), all[..5]);
        let machine = meant(Some(&seen(&[(Some("127.0.0.1:5300"), Heard::None)])));
        assert_eq!(machine, [&all[..2], &all[5..8]].concat());
        assert_eq!(meant(Some(&seen(&[(None, Heard::None)]))), all[..10]);
    }
}
