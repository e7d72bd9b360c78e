//! The rules of the fleet: `[[remote]]`, and the permissions that each `[[zone]]` gives them.

mod updates;

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use super::OptionError;
use crate::config::{RemoteSettings, Settings, ZoneSettings};
use crate::dns_client::Tls;
use crate::fleet::{Remote, RemoteTls, Rules, ZoneRules};
use crate::serve::Network;
use crate::wire::Name;

/// The port of DNS.
pub(super) const PORT: u16 = 53;
/// The port of DNS over TLS (RFC 7858 §3.1).
const TLS_PORT: u16 = 853;

//------------ Rules ---------------------------------------------------------

/// The rules of the settings.
pub(in crate::run) fn fleet(settings: &Settings) -> Result<Rules, OptionError> {
    let mut compiling = Compiling::default();
    let rules = compiling.rules(settings);
    match compiling.faults.into_iter().next() {
        None => Ok(rules),
        Some((_, fault)) => Err(fault),
    }
}

/// All that is wrong with remotes and rules, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut compiling = Compiling::default();
    drop(compiling.rules(settings));
    compiling.faults
}

/// Rules being compiled from settings.
#[derive(Default)]
struct Compiling {
    /// What is wrong so far, with the keys.
    faults: Vec<(String, OptionError)>,
    /// The remotes by name.
    remotes: HashMap<String, Arc<Remote>>,
}

impl Compiling {
    /// Notes a fault of a key.
    fn fault(&mut self, key: String, message: String) {
        self.faults.push((key, OptionError::Fleet(message)));
    }

    /// Reads everything.
    fn rules(&mut self, settings: &Settings) -> Rules {
        for (at, remote) in settings.remotes.iter().enumerate() {
            let compiled = self.remote(settings, &format!("remote[{at}]"), remote);
            let name = compiled.name.clone();
            if self.remotes.insert(name.clone(), Arc::new(compiled)).is_some() {
                let message = format!("remote \"{name}\" is given twice: give each its own name");
                self.fault(format!("remote[{at}].name"), message);
            }
        }
        let (mut zones, mut named) = (HashMap::new(), HashSet::new());
        for (at, zone) in settings.zones.iter().enumerate() {
            let rules = self.zone(settings, &format!("zone[{at}]"), zone);
            let lists = [&rules.primaries, &rules.transfer, &rules.notify];
            let is_of_use = rules.updates.is_some() || lists.iter().any(|list| !list.is_empty());
            // An invalid name is a finding of its own.
            let Ok(apex) = zone.name.get_ref().parse::<Name>() else { continue };
            named.insert(apex.clone());
            if is_of_use {
                zones.insert(apex, rules);
            }
        }
        Rules::new(zones).of_settings(named, self.remotes.clone())
    }

    //--- Zones

    /// The lists of a zone.
    fn zone(&mut self, settings: &Settings, key: &str, zone: &ZoneSettings) -> ZoneRules {
        ZoneRules {
            primaries: self.list(&format!("{key}.primaries"), &zone.primaries, true),
            transfer: self.list(&format!("{key}.transfer"), &zone.transfer, false),
            notify: self.list(&format!("{key}.notify"), &zone.notify, true),
            updates: updates::rules(self, settings, key, zone),
        }
    }

    /// The remotes that a list names. `contacted` means that we connect to them.
    fn list(&mut self, key: &str, names: &[String], contacted: bool) -> Vec<Arc<Remote>> {
        let mut list: Vec<Arc<Remote>> = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let key = format!("{key}[{at}]");
            match self.remotes.get(name).cloned() {
                None => {
                    let message = format!("there is no [[remote]] named \"{name}\": add one");
                    self.fault(key, message);
                }
                // A remote without any valid address has findings of its own.
                Some(remote)
                    if contacted && remote.addresses.is_empty() && !remote.networks.is_empty() =>
                {
                    let message = format!(
                        "remote \"{name}\" is contacted by gapura but has only networks: add an address to it"
                    );
                    self.fault(key, message);
                }
                Some(remote) if list.contains(&remote) => {}
                Some(remote) => list.push(remote),
            }
        }
        list
    }

    //--- Remotes

    /// A remote.
    fn remote(&mut self, settings: &Settings, key: &str, remote: &RemoteSettings) -> Remote {
        let name = remote.name.get_ref().clone();
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let message = "a [[remote]] needs a name by which zones refer to it".to_owned();
            self.fault(format!("{key}.name"), message);
        }
        let tls = self.tls(key, remote);
        let port = if tls.is_some() { TLS_PORT } else { PORT };
        let (mut addresses, mut networks) = (Vec::new(), Vec::new());
        if remote.addresses.is_empty() {
            let message = format!("remote \"{name}\" has no addresses: give one or more");
            self.fault(format!("{key}.addresses"), message);
        }
        for (at, text) in remote.addresses.iter().enumerate() {
            match address(text, port) {
                Some((contact, network)) => {
                    addresses.extend(contact);
                    networks.push(network);
                }
                None => {
                    let message = format!(
                        "\"{text}\" is not the address of a server: write 192.0.2.53, 192.0.2.53:5353, \
                         2001:db8::53, [2001:db8::53]:5353, or as a permission a network with no bits set \
                         after its prefix, 192.0.2.0/24"
                    );
                    self.fault(format!("{key}.addresses[{at}]"), message);
                }
            }
        }
        let key = self.key(settings, key, remote);
        Remote { name, addresses, networks, key, tls }
    }

    /// The key of a remote.
    fn key(&mut self, settings: &Settings, at: &str, remote: &RemoteSettings) -> Option<Name> {
        let text = remote.key.as_str();
        if text.is_empty() {
            return None;
        }
        self.known_key(settings, format!("{at}.key"), text)
    }

    /// The key of that name.
    fn known_key(&mut self, settings: &Settings, at: String, text: &str) -> Option<Name> {
        let name = text.parse::<Name>().ok();
        let mut keys = settings.keys.iter();
        let is_known = name.is_some() && keys.any(|it| it.name.get_ref().parse().ok() == name);
        if !is_known {
            let message = format!(
                "there is no [[key]] named \"{text}\": add one, `gapura key tsig {text}` makes it"
            );
            self.fault(at, message);
        }
        name
    }

    /// How a remote is reached over TLS.
    fn tls(&mut self, key: &str, remote: &RemoteSettings) -> Option<RemoteTls> {
        let some = |path: &Path| (!path.as_os_str().is_empty()).then(|| path.to_owned());
        let files = [some(&remote.tls_ca), some(&remote.tls_cert), some(&remote.tls_key)];
        if remote.tls.is_empty() {
            for (file, setting) in files.iter().zip(["tls_ca", "tls_cert", "tls_key"]) {
                if file.is_some() {
                    let message =
                        format!("{setting} has no effect without tls, the name in its certificate");
                    self.fault(format!("{key}.{setting}"), message);
                }
            }
            return None;
        }
        if !Tls::is_name(&remote.tls) {
            let message = format!(
                "\"{}\" is not a name that a certificate can have: write the one in the remote's, ns2.example",
                remote.tls
            );
            self.fault(format!("{key}.tls"), message);
        }
        let [ca, cert, private] = files;
        let certificate = match (cert, private) {
            (Some(cert), Some(private)) => Some((cert, private)),
            (None, None) => None,
            (Some(_), None) => {
                self.fault(format!("{key}.tls_cert"), "tls_cert needs its tls_key".to_owned());
                None
            }
            (None, Some(_)) => {
                self.fault(format!("{key}.tls_key"), "tls_key needs its tls_cert".to_owned());
                None
            }
        };
        Some(RemoteTls { name: remote.tls.clone(), ca, certificate })
    }
}

/// Where a remote is reached, if the text is more than a network, and where it may come from.
pub(super) fn address(text: &str, port: u16) -> Option<(Option<SocketAddr>, Network)> {
    if text.contains('/') {
        return text.parse().ok().map(|network| (None, network));
    }
    let contact = match text.parse::<SocketAddr>() {
        Ok(whole) => whole,
        Err(_) => SocketAddr::new(text.parse::<IpAddr>().ok()?, port),
    };
    let ip = contact.ip().to_canonical();
    let is_host = !ip.is_unspecified() && !ip.is_multicast() && contact.port() != 0;
    let network = Network::new(ip, if ip.is_ipv6() { 128 } else { 32 })?;
    is_host.then(|| (Some(SocketAddr::new(ip, contact.port())), network))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::options::told;

    #[test]
    fn remotes_and_lists_become_rules() {
        let settings = toml::from_str(
            "[[key]]\nname = \"armada\"\nsecret = \"c2VjcmV0\"\n\
             [[remote]]\nname = \"ns2\"\naddresses = [\"192.0.2.53\", \"::ffff:192.0.2.54\", \"[2001:db8::1]:5353\", \"198.51.100.0/24\"]\nkey = \"Armada.\"\n\
             [[remote]]\nname = \"xot\"\naddresses = [\"2001:db8::2\"]\ntls = \"ns3.example\"\n\
             [[zone]]\nname = \"a.example.\"\nfile = \"a\"\ntransfer = [\"ns2\", \"ns2\"]\nnotify = [\"xot\"]\n\
             [[zone]]\nname = \"b.example.\"\nfile = \"b\"\n",
        )
        .unwrap();
        assert!(faults(&settings).is_empty(), "{:?}", faults(&settings));
        let rules = fleet(&settings).unwrap();
        assert!(rules.of(&"b.example.".parse().unwrap()).is_none());
        let zone = rules.of(&"A.example.".parse().unwrap()).unwrap();
        assert_eq!((zone.transfer.len(), zone.notify.len()), (1, 1));
        let addresses: Vec<String> =
            zone.transfer[0].addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.0.2.53:53", "192.0.2.54:53", "[2001:db8::1]:5353"]);
        assert_eq!(zone.transfer[0].networks.len(), 4);
        assert_eq!(zone.transfer[0].key, Some("armada.".parse().unwrap()));
        assert_eq!(zone.notify[0].addresses[0].port(), TLS_PORT);
    }

    #[test]
    fn every_fault_is_told_at_its_key() {
        let told = told(
            faults,
            "[[remote]]\nname = \"a\"\naddresses = [\"192.0.2.1:0\", \"0.0.0.0\", \"x\", \"192.0.2.1/24\"]\nkey = \"none.\"\n\
             [[remote]]\nname = \"a\"\naddresses = []\ntls_cert = \"c\"\n\
             [[remote]]\nname = \"\"\naddresses = [\"10.0.0.0/8\"]\ntls = \"n\"\ntls_key = \"k\"\n\
             [[remote]]\nname = \"net\"\naddresses = [\"10.0.0.0/8\"]\ntls = \"bad name!\"\n\
             [[zone]]\nname = \"z.\"\nfile = \"z\"\ntransfer = [\"net\", \"b\"]\nnotify = [\"net\"]\nprimaries = [\"c\"]\n",
        );
        let keys: Vec<&str> = told.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            keys,
            [
                "remote[0].addresses[0]",
                "remote[0].addresses[1]",
                "remote[0].addresses[2]",
                "remote[0].addresses[3]",
                "remote[0].key",
                "remote[1].tls_cert",
                "remote[1].addresses",
                "remote[1].name",
                "remote[2].name",
                "remote[2].tls_key",
                "remote[3].tls",
                "zone[0].primaries[0]",
                "zone[0].transfer[1]",
                "zone[0].notify[0]",
            ],
            "{told:#?}"
        );
    }
}
