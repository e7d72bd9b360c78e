//! Addresses of a target, asked of the system's recursive servers with a deadline.
//!
//! The resolver of the C library knows none: with slow name servers behind a target its threads would
//! pile up. What `/etc/hosts` says is not asked for: a target must resolve for everybody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use super::left;
use crate::dns_client::{Client, Transport};
use crate::wire::{Name, Rtype};

/// Where the system names its recursive servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Recursive servers asked.
const SERVERS_MAX: usize = 3;
/// For one question to one server.
const TRY: Duration = Duration::from_millis(1_500);
/// Addresses of one target that are looked at.
const ADDRESSES_MAX: usize = 8;

/// The addresses of a name, of both families; empty if it has none or nobody answered in time.
pub(super) fn addresses(name: &Name, deadline: Instant) -> Vec<IpAddr> {
    let servers = servers(&std::fs::read_to_string(RESOLV_CONF).unwrap_or_default());
    addresses_by(&servers, name, deadline)
}

/// The same, asked of these servers.
pub(super) fn addresses_by(servers: &[SocketAddr], name: &Name, deadline: Instant) -> Vec<IpAddr> {
    let client = Client::recursive();
    let mut found = Vec::new();
    for rtype in [Rtype::A, Rtype::AAAA] {
        for server in servers.iter().take(SERVERS_MAX) {
            if Instant::now() >= deadline {
                break;
            }
            let wait = left(deadline).min(TRY);
            let Ok(reply) = client.ask(*server, Transport::Udp, name, rtype, &[wait]) else {
                continue;
            };
            // A response that was cut still names some; the first server that answers counts.
            let Ok(response) = reply.read() else { continue };
            let of_type = response.answer.iter().filter(|record| record.rtype == rtype);
            found.extend(of_type.filter_map(|record| address(&record.rdata)));
            break;
        }
    }
    found.truncate(ADDRESSES_MAX);
    found
}

/// The address in A or AAAA RDATA.
fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(rdata).map(|octets| Ipv4Addr::from(octets).into());
    let v6 = || <[u8; 16]>::try_from(rdata).map(|octets| Ipv6Addr::from(octets).into());
    v4.or_else(|_| v6()).ok()
}

/// The servers a `resolv.conf` names; without one, the loopback address (resolv.conf(5)).
fn servers(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = named.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    let mut servers: Vec<_> = addresses.map(|address| SocketAddr::new(address, 53)).collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, 53).into());
    }
    servers
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
    }
}
