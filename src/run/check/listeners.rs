//! Listening addresses: used only once, of this machine, and not in use by another program.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;

use super::Check;
use crate::config::Settings;
use crate::control;
use crate::serve;
use crate::service;

/// An address that the settings want listened on.
#[derive(Clone, Debug)]
struct Wanted {
    /// Its key.
    key: String,
    /// The address.
    address: SocketAddr,
    /// Over UDP.
    udp: bool,
    /// Over TCP.
    tcp: bool,
    /// Whether `[::]` takes IPv4 too.
    dual: bool,
}

impl Check<'_> {
    /// Every address is used once, is this machine's, and is free if neither gapura nor who keeps its sockets may have it.
    pub(super) fn listeners(&mut self) {
        let settings = &self.loaded.settings;
        let wanted = wanted(settings);
        for (at, one) in wanted.iter().enumerate() {
            if let Some(other) = wanted[..at].iter().find(|other| one.clashes(other)) {
                let message = format!("{} and {} both want {}", other.key, one.key, one.address);
                self.fault("listen-twice", &one.key, message, "give one another port or address");
            }
        }
        // A service manager that keeps our sockets while we are away looks like another program.
        let may_be_ours = service::may_be_kept()
            || UnixStream::connect(control::socket_path(&settings.server.state_dir)).is_ok();
        for one in &wanted {
            self.is_ours(one);
            if !may_be_ours && is_taken(one) {
                let message = format!("another program listens on {}", one.address);
                let hint = "`ss -lntup` shows which: stop it, or choose another address or port";
                self.fault("listen-taken", &one.key, message, hint);
            }
        }
    }

    /// The interfaces of `server.xdp` are there.
    pub(super) fn xdp(&mut self) {
        for (at, name) in self.loaded.settings.server.xdp.iter().enumerate() {
            if let Err(why) = serve::look_at_interface(name) {
                let message = format!("{name}: {why}");
                self.warn("xdp-interface", &format!("server.xdp[{at}]"), message, "");
            }
        }
    }

    /// The address is one of this machine.
    fn is_ours(&mut self, one: &Wanted) {
        let settings = &self.loaded.settings;
        let is_dns = !matches!(one.key.as_str(), "web.listen" | "metrics.listen");
        if settings.server.freebind && is_dns {
            return;
        }
        let Err(error) = serve::find_address(one.address) else { return };
        if is_dns && error.is_missing_ipv6() {
            let message = format!("{}: this machine has no IPv6", one.address);
            self.warn("listen-address", &one.key, message, "");
        } else {
            let hint = "if it comes up later (keepalived), set server.freebind";
            let hint = if is_dns { hint } else { "" };
            self.fault("listen-address", &one.key, error.to_string(), hint);
        }
    }
}

/// All addresses of the settings.
fn wanted(settings: &Settings) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    let mut add = |key: &str, addresses: &[SocketAddr], (udp, tcp): (bool, bool)| {
        for (at, address) in addresses.iter().enumerate() {
            let is_list =
                key.starts_with("server") || key.starts_with("tls") || key.starts_with("quic");
            let key = if is_list { format!("{key}[{at}]") } else { key.to_owned() };
            wanted.push(Wanted { key, address: *address, udp, tcp, dual: !is_list });
        }
    };
    add("server.listen", &settings.server.listen, (true, true));
    if let Some(tls) = &settings.tls {
        add("tls.listen", &tls.listen, (false, true));
    }
    if let Some(quic) = &settings.quic {
        add("quic.listen", &quic.listen, (true, false));
    }
    if cfg!(feature = "approval") {
        add("web.listen", &[settings.web.listen], (false, true));
    }
    if let Some(metrics) = &settings.metrics {
        add("metrics.listen", &[metrics.listen], (false, true));
    }
    wanted
}

impl Wanted {
    /// Whether both cannot be had.
    fn clashes(&self, other: &Self) -> bool {
        let same_port = self.address.port() == other.address.port() && self.address.port() != 0;
        let same_protocol = self.udp && other.udp || self.tcp && other.tcp;
        same_port && same_protocol && (self.covers(other) || other.covers(self))
    }

    /// Whether listening here takes the other's address too.
    fn covers(&self, other: &Self) -> bool {
        let (ip, theirs) = (self.address.ip(), other.address.ip());
        let same_family = ip.is_ipv4() == theirs.is_ipv4();
        ip == theirs || ip.is_unspecified() && (same_family || ip.is_ipv6() && self.dual)
    }
}

//------------ Ports in use --------------------------------------------------

/// State of a listening TCP socket in the kernel's table.
const LISTENING: &str = "0A";

/// Whether some program listens there now, according to the kernel's tables: a trial bind, however short, could block a
/// gapura that is starting.
fn is_taken(wanted: &Wanted) -> bool {
    if wanted.address.port() == 0 {
        return false;
    }
    let tables =
        [("udp", wanted.udp), ("udp6", wanted.udp), ("tcp", wanted.tcp), ("tcp6", wanted.tcp)];
    tables.into_iter().filter(|(_, wanted)| *wanted).any(|(table, _)| {
        // Where there is no such table, the start itself shows it.
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        let is_tcp = table.starts_with("tcp");
        text.lines().skip(1).any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let (local, state) = (fields.next().and_then(address), fields.nth(1));
            let used = local.map(|address| {
                let key = String::new();
                Wanted { key, address, udp: !is_tcp, tcp: is_tcp, dual: false }
            });
            used.is_some_and(|used| used.clashes(wanted)) && (!is_tcp || state == Some(LISTENING))
        })
    })
}

/// An address of the kernel's table: words of 32 bits in the machine's order, in hexadecimal.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let octets: Vec<u8> = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            IpAddr::from(<[u8; 16]>::try_from(octets).ok()?)
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clashes among the addresses of these settings.
    fn clashes(text: &str) -> usize {
        let wanted = wanted(&toml::from_str(text).unwrap());
        (0..wanted.len()).filter(|at| wanted[..*at].iter().any(|o| wanted[*at].clashes(o))).count()
    }

    #[test]
    fn an_address_is_used_once() {
        let tls = |listen: &str| {
            format!(
                "[server]\nlisten = [\"127.0.0.1:53\"]\n[tls]\nlisten = [{listen}]\ncert = \"c\"\nkey = \"k\"\n"
            )
        };
        for (listen, expected) in [
            ("\"127.0.0.1:53\"", 1),
            ("\"0.0.0.0:53\"", 1),
            ("\"[::]:53\"", 0),
            ("\"127.0.0.2:53\"", 0),
            ("\"127.0.0.1:853\", \"127.0.0.1:853\"", 1),
            ("\"127.0.0.1:0\", \"127.0.0.1:0\"", 0),
        ] {
            assert_eq!(clashes(&tls(listen)), expected, "{listen}");
        }
        // QUIC is UDP, TLS is TCP.
        let both = "[tls]\nlisten = [\"127.0.0.1:853\"]\ncert = \"c\"\nkey = \"k\"\n\
                    [quic]\nlisten = [\"127.0.0.1:853\"]\ncert = \"c\"\nkey = \"k\"\n";
        assert_eq!(clashes(both), 0);
        let metrics = "[server]\nlisten = [\"127.0.0.1:53\"]\n[metrics]\nlisten = \"[::]:53\"\n";
        assert_eq!(clashes(metrics), 1);
    }

    #[test]
    fn what_others_listen_on_is_seen() {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = std::net::TcpListener::bind("[::1]:0").unwrap();
        let wanted = |address, udp: bool| Wanted {
            key: String::new(),
            address,
            udp,
            tcp: !udp,
            dual: false,
        };
        assert!(is_taken(&wanted(udp.local_addr().unwrap(), true)));
        assert!(is_taken(&wanted(tcp.local_addr().unwrap(), false)));
        drop(udp);
        // A test beside this one may take the port at once.
        let is_free = || {
            let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let address = udp.local_addr().unwrap();
            drop(udp);
            !is_taken(&wanted(address, true))
        };
        assert!((0..20).any(|_| is_free()));
        assert_eq!(address("0100007F:14B4"), Some("127.0.0.1:5300".parse().unwrap()));
    }
}
