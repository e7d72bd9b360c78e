//! Proxies that speak for others: what comes from them begins with a PROXY header, and the client is whom it
//! names. What anybody else sends in that form is no message, as ever.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::acl::Network;
use crate::wire::{PROXY_HEAD_OCTETS, ProxyHeader};

/// The networks whose addresses are proxies.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<[Network]>);

impl Default for Proxies {
    /// There are none.
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl From<Vec<Network>> for Proxies {
    fn from(networks: Vec<Network>) -> Self {
        Self(networks.into())
    }
}

impl Proxies {
    /// Whether there are none.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is one.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Who sent a datagram, and the message in it: of a proxy, the client it names and what follows the
    /// header. None if a proxy sent it without one.
    #[inline(never)]
    pub(super) fn unwrap<'m>(
        &self,
        from: SocketAddr,
        datagram: &'m [u8],
    ) -> Option<(SocketAddr, &'m [u8])> {
        if !self.contains(from.ip()) {
            return Some((from, datagram));
        }
        let header = ProxyHeader::read(datagram)?;
        Some((client(header, from), datagram.get(header.octets..)?))
    }
}

/// Whose a message is that came from a proxy. Where the proxy does not say the port its own stands for it:
/// from port 0 comes nothing that could be answered.
fn client(header: ProxyHeader, proxy: SocketAddr) -> SocketAddr {
    match header.client {
        Some(client) if client.port() == 0 => SocketAddr::new(client.ip(), proxy.port()),
        Some(client) => client,
        None => proxy,
    }
}

/// Reads the header that a proxy's connection begins with, and nothing of what follows; whose the
/// connection is.
pub(super) async fn read_header(
    stream: &mut (impl AsyncRead + Unpin),
    proxy: SocketAddr,
) -> io::Result<SocketAddr> {
    let fault = || io::Error::new(io::ErrorKind::InvalidData, "no PROXY header");
    let mut head = [0; PROXY_HEAD_OCTETS];
    stream.read_exact(&mut head).await?;
    let octets = ProxyHeader::length(&head).ok_or_else(fault)?;
    let mut bytes = head.to_vec();
    bytes.resize(octets, 0);
    stream.read_exact(&mut bytes[PROXY_HEAD_OCTETS..]).await?;
    let header = ProxyHeader::read(&bytes).ok_or_else(fault)?;
    Ok(client(header, proxy))
}
