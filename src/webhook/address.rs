//! The address of a webhook: the URL from the settings, and the socket address to connect to.
//!
//! The path of a URL is often a secret (that of a chat group), so only scheme and host are ever shown.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use super::verdict::Said;
use crate::dns_client::Tls;
use crate::queue::targets::special;

/// Longest URL, in octets.
const URL_MAX: usize = 2_000;
/// The name of the loopback addresses (RFC 6761 §6.3).
const LOCALHOST: &str = "localhost";
/// Ranges that are never called, even where private addresses are allowed.
const NOBODY: [&str; 3] = ["unspecified", "multicast", "reserved"];

//------------ Address -------------------------------------------------------

/// Scheme, host, port and path of a webhook.
#[derive(Clone, Eq, PartialEq)]
pub struct Address {
    /// Whether to use TLS.
    pub is_tls: bool,
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query; never shown.
    pub path: String,
}

/// Why a URL cannot be that of a webhook.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadAddress {
    /// It is not a URL.
    #[error("is no address as https://host/path, in ASCII and without a blank or a #")]
    NoUrl,
    /// It names a user.
    #[error("holds a user name or a password: the signature says who calls")]
    User,
    /// It is not encrypted.
    #[error("begins with http: over a network only https is allowed")]
    Plain,
    /// It has no host.
    #[error("names no host")]
    Host,
}

impl Address {
    /// Reads a URL. Without TLS only this machine is allowed.
    pub fn read(url: &str) -> Result<Self, BadAddress> {
        let url = url.trim();
        if url.len() > URL_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(BadAddress::NoUrl);
        }
        let (scheme, rest) = url.split_once("://").ok_or(BadAddress::NoUrl)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(BadAddress::NoUrl),
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(BadAddress::User);
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let (host, port) = host_and_port(authority).ok_or(BadAddress::Host)?;
        let port = port.unwrap_or(if is_tls { 443 } else { 80 });
        let address = Self { is_tls, host, port, path };
        if is_tls || address.is_local() { Ok(address) } else { Err(BadAddress::Plain) }
    }

    /// Whether the host is literally this machine.
    pub fn is_local(&self) -> bool {
        self.host.parse::<IpAddr>().map_or(self.host == LOCALHOST, |ip| ip.is_loopback())
    }

    /// The host as a URL and the header `Host` have it.
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.is_tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The socket address to connect to: looked up once, and only if it may be called. `private` also allows addresses
    /// of the office's own network.
    pub fn resolve(&self, private: bool, wait: Duration) -> Result<SocketAddr, Said> {
        let found = match self.host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => look_up(&self.host, wait).ok_or(Said::NoAddress)?,
        };
        let may = |ip: &IpAddr| self.may_be_called(*ip, private);
        let ip = found.iter().copied().find(may);
        match ip {
            Some(ip) => Ok(SocketAddr::new(ip, self.port)),
            None if found.is_empty() => Err(Said::NoAddress),
            None => Err(Said::Private),
        }
    }

    /// Whether an address may be called.
    fn may_be_called(&self, ip: IpAddr, private: bool) -> bool {
        let ip = ip.to_canonical();
        if self.is_local() {
            return ip.is_loopback();
        }
        special(ip).is_none_or(|range| private && !NOBODY.iter().any(|it| range.starts_with(it)))
    }
}

impl fmt::Display for Address {
    /// Without the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

impl fmt::Debug for Address {
    /// Without the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Splits host and port; `None` without a usable host.
fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host.parse::<std::net::Ipv6Addr>().ok()?.to_string(), rest)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, rest) = authority.split_at(end);
            (host.to_ascii_lowercase(), rest)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
        None if port.is_empty() => None,
        None => return None,
    };
    (!host.is_empty() && Tls::is_name(&host)).then_some((host, port))
}

/// The addresses of a name according to the system's resolver, including `/etc/hosts`; `None` on a timeout.
fn look_up(host: &str, wait: Duration) -> Option<Vec<IpAddr>> {
    let (found, asked) = (mpsc::channel(), (host.to_owned(), 0_u16));
    let (tell, told) = found;
    let look = move || {
        let addresses = asked.to_socket_addrs().map(|all| all.map(|it| it.ip()).collect());
        // The receiver is gone after a timeout.
        let _ = tell.send(addresses.unwrap_or_default());
    };
    std::thread::Builder::new().name("webhook-name".to_owned()).spawn(look).ok()?;
    told.recv_timeout(wait).ok()
}
