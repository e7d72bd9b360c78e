//! What must be known of an interface before a program is attached to it.

use std::io;
use std::net::IpAddr;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::ethtool;
use super::netlink::{Attributes, Netlink, number_16, number_32};

/// Questions: an interface or all of them, and all addresses.
const GET_LINK: u16 = 18;
const GET_ADDRESS: u16 = 22;
/// Octets of `struct ifinfomsg` and `struct ifaddrmsg`.
const LINK: usize = 16;
const ADDRESS: usize = 8;
/// Where in these are the kind of hardware, the index and the flags.
const LINK_TYPE: usize = 2;
const LINK_INDEX: usize = 4;
const LINK_FLAGS: usize = 8;
const ADDRESS_INDEX: usize = 4;
/// Attributes of interfaces and of addresses.
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_LINKINFO: u16 = 18;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_PROG_ID: u16 = 4;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
/// Hardware that speaks Ethernet.
const IS_ETHERNET: u16 = 1;
/// The flag of an interface that is up.
const IS_UP: u32 = 1;
/// Octets of the longest name; alternative names may be longer.
const NAME_MAX: usize = libc::IFNAMSIZ - 1;

/// An interface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Interface {
    /// Its name.
    pub(super) name: String,
    /// Its number.
    pub(super) index: u32,
    /// Its MAC address.
    pub(super) mac: [u8; 6],
    /// Octets of its longest packet.
    pub(super) mtu: usize,
    /// Its addresses.
    pub(super) addresses: Vec<IpAddr>,
    /// The queues that bring frames.
    pub(super) queues: u32,
}

impl Interface {
    /// Looks at the interface of a name, or says in words why no program may be attached to it.
    pub(super) fn look_at(name: &str) -> Result<Self, String> {
        if name.len() > NAME_MAX {
            return Err(format!(
                "a name has at most {NAME_MAX} octets (`ip link` shows the short one behind its number)"
            ));
        }
        let netlink = Netlink::open().map_err(|error| cannot_ask(&error))?;
        let (mut found, _) = by_name(&netlink, name)?;
        let carries_vlans = carries_vlans(&netlink, found.index).map_err(|it| cannot_ask(&it))?;
        let any = (AddressFamily::INET, SocketType::DGRAM);
        let socket = socket_with(any.0, any.1, SocketFlags::CLOEXEC, None);
        let socket: OwnedFd = socket.map_err(|error| cannot_ask(&error.into()))?;
        if carries_vlans && ethtool::takes_tags(&socket, &found.name) {
            return Err(format!(
                "it carries VLANs, and takes their tags off before they can be seen \
                 (`ethtool -K {name} rxvlan off` ends that)"
            ));
        }
        found.queues = ethtool::queues(&socket, &found.name);
        found.addresses = addresses(&netlink, found.index).map_err(|it| cannot_ask(&it))?;
        Ok(found)
    }
}

/// Sees whether AF_XDP may be used on the interface of a name, or says in words why not.
pub fn look_at_interface(name: &str) -> Result<(), String> {
    Interface::look_at(name).map(drop)
}

//------------ Watch ---------------------------------------------------------

/// Sees whether an interface is still the one that its program was made for.
#[derive(Debug)]
pub(super) struct Watch {
    /// Asks, where the interface is.
    netlink: Netlink,
    /// Its number.
    index: u32,
    /// Its MAC address.
    mac: [u8; 6],
}

impl Watch {
    /// Watches an interface.
    pub(super) fn new(interface: &Interface) -> io::Result<Self> {
        let Interface { index, mac, .. } = *interface;
        Ok(Self { netlink: Netlink::open()?, index, mac })
    }

    /// Why no query comes over it any more, in words. `None`: nothing is known against it.
    pub(super) fn trouble(&self) -> Option<String> {
        let mut body = [0; LINK];
        body[LINK_INDEX..LINK_INDEX + 4].copy_from_slice(&self.index.to_ne_bytes());
        let mut mac = None;
        let asked = self.netlink.ask(GET_LINK, &body, false, |body| {
            mac = read_link(body).map(|(interface, ..)| interface.mac);
        });
        match (asked, mac) {
            (Err(error), _) if error.raw_os_error() == Some(libc::ENODEV) => {
                Some("it was removed (restart gapura once it is back)".to_owned())
            }
            (Ok(()), Some(mac)) if mac != self.mac => {
                Some("its MAC address was changed (restart gapura)".to_owned())
            }
            _ => None,
        }
    }
}

//------------ Questions -----------------------------------------------------

/// Which program has an interface, in words.
pub(super) fn holder(name: &str) -> String {
    let id = Netlink::open().ok().and_then(|netlink| by_name(&netlink, name).ok()?.1);
    let which = id.map_or_else(
        || format!("`ip link show dev {name}` tells which"),
        |id| format!("number {id}, `bpftool prog show id {id}` tells whose"),
    );
    format!(
        "another program is attached to it ({which}; `ip link set dev {name} xdp off` takes off one \
         that was left behind)"
    )
}

/// Why nothing is known.
fn cannot_ask(error: &io::Error) -> String {
    format!("the system says nothing about it: {error} (the service may need AF_NETLINK)")
}

/// An interface, without addresses and queues, and the program that is attached to it.
fn by_name(netlink: &Netlink, name: &str) -> Result<(Interface, Option<u32>), String> {
    let mut body = vec![0; LINK];
    let length = u16::try_from(4 + name.len() + 1).unwrap_or(u16::MAX);
    body.extend_from_slice(&length.to_ne_bytes());
    body.extend_from_slice(&IFLA_IFNAME.to_ne_bytes());
    body.extend_from_slice(name.as_bytes());
    body.resize((body.len() + 1).next_multiple_of(4), 0);
    let mut found = None;
    netlink.ask(GET_LINK, &body, false, |body| found = read_link(body)).map_err(
        |error| match error.raw_os_error() {
            Some(libc::ENODEV) => "there is no such interface (`ip link` lists them)".to_owned(),
            _ => cannot_ask(&error),
        },
    )?;
    found.ok_or_else(|| "it does not speak Ethernet".to_owned()).and_then(|found| {
        let (interface, other, is_up) = found;
        if is_up { Ok((interface, other)) } else { Err("it is down".to_owned()) }
    })
}

/// An interface, the program on it, and whether it is up, from a message about it; `None` without Ethernet.
fn read_link(body: &[u8]) -> Option<(Interface, Option<u32>, bool)> {
    let attributes = Attributes(body.get(LINK..)?);
    if number_16(body, LINK_TYPE)? != IS_ETHERNET {
        return None;
    }
    let program = attributes.inside(IFLA_XDP).and_then(|xdp| xdp.number(IFLA_XDP_PROG_ID));
    let interface = Interface {
        name: String::from_utf8_lossy(attributes.get(IFLA_IFNAME)?)
            .trim_end_matches('\0')
            .to_owned(),
        index: number_32(body, LINK_INDEX)?,
        mac: attributes.get(IFLA_ADDRESS)?.try_into().ok()?,
        mtu: attributes.number(IFLA_MTU)? as usize,
        addresses: Vec::new(),
        queues: 1,
    };
    let is_up = number_32(body, LINK_FLAGS)? & IS_UP != 0;
    Some((interface, program.filter(|id| *id != 0), is_up))
}

/// Whether interfaces for VLANs stand on this one.
fn carries_vlans(netlink: &Netlink, index: u32) -> io::Result<bool> {
    let mut carries = false;
    netlink.ask(GET_LINK, &[0; LINK], true, |body| {
        let attributes = Attributes(body.get(LINK..).unwrap_or_default());
        let kind = attributes.inside(IFLA_LINKINFO).and_then(|info| info.get(IFLA_INFO_KIND));
        let is_vlan = kind.is_some_and(|kind| kind.starts_with(b"vlan\0") || kind == b"vlan");
        carries |= is_vlan && attributes.number(IFLA_LINK) == Some(index);
    })?;
    Ok(carries)
}

/// The addresses of an interface.
fn addresses(netlink: &Netlink, index: u32) -> io::Result<Vec<IpAddr>> {
    let mut found = Vec::new();
    netlink.ask(GET_ADDRESS, &[0; ADDRESS], true, |body| {
        if number_32(body, ADDRESS_INDEX) == Some(index) {
            let attributes = Attributes(body.get(ADDRESS..).unwrap_or_default());
            // On a link between two points the first is the other end.
            let octets = attributes.get(IFA_LOCAL).or_else(|| attributes.get(IFA_ADDRESS));
            found.extend(octets.and_then(address));
        }
    })?;
    Ok(found)
}

/// An address of either family.
fn address(octets: &[u8]) -> Option<IpAddr> {
    let ipv4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    ipv4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_that_cannot_be_used_are_told() {
        let told = |name: &str| Interface::look_at(name).unwrap_err();
        assert!(told("no-such-if0").contains("no such interface"), "{}", told("no-such-if0"));
        assert!(told("lo").contains("Ethernet"), "{}", told("lo"));
        let long = told("sixteen-octets-0");
        assert!(long.contains("at most 15 octets (`ip link`"), "{long}");
        assert!(!told("").is_empty());
    }

    #[test]
    fn the_addresses_of_an_interface_are_found() {
        let netlink = Netlink::open().unwrap();
        let found = addresses(&netlink, 1).unwrap();
        assert!(found.contains(&IpAddr::from([127, 0, 0, 1])), "{found:?}");
        assert!(addresses(&netlink, u32::MAX).unwrap().is_empty());
    }
}
