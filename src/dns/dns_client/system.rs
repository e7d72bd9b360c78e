//! The recursive servers that this machine's settings name, and the addresses they say.
//!
//! The resolver of the C library knows no deadline: with slow name servers behind a name its threads would
//! pile up. What `/etc/hosts` says is not asked for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where the system names its recursive servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Recursive servers asked.
const SERVERS_MAX: usize = 3;

/// The recursive servers of this machine, the first ones of `/etc/resolv.conf`.
pub fn recursive_servers() -> Vec<SocketAddr> {
    servers(&std::fs::read_to_string(RESOLV_CONF).unwrap_or_default())
}

/// The servers a `resolv.conf` names; without one, the loopback address (resolv.conf(5)).
fn servers(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = named.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    let mut servers: Vec<_> = addresses.map(|address| SocketAddr::new(address, 53)).collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, 53).into());
    }
    servers.truncate(SERVERS_MAX);
    servers
}

/// The address in A or AAAA RDATA.
pub fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(rdata).map(|octets| Ipv4Addr::from(octets).into());
    let v6 = || <[u8; 16]>::try_from(rdata).map(|octets| Ipv6Addr::from(octets).into());
    v4.or_else(|_| v6()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_names_its_servers() {
        let text = "# nameserver 192.0.2.9\nsearch x.id\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nnameserver fe80::1%eth0\n";
        let found: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.1:53", "[2001:db8::1]:53"]);
        assert_eq!(servers("")[0].to_string(), "127.0.0.1:53");
        let many = "nameserver 192.0.2.1\n".repeat(9);
        assert_eq!(servers(&many).len(), SERVERS_MAX);
    }
}
