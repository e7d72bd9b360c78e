//! Turns settings into each room's own options. An invalid setting is an error before anything runs.

mod database;
mod fleet;
mod keys;
mod logs;
mod node;
#[cfg(feature = "approval")]
mod office;
#[cfg(feature = "approval")]
mod road_3;
mod signing;
#[cfg(feature = "approval")]
mod webhooks;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::RunError;
use crate::answer::{Access, Identity};
use crate::config::{Loaded, SerialPolicy, Server, Settings, ZoneChecks, ZoneSettings};
use crate::dns_client::reachable;
use crate::master::{Finding, Severity};
use crate::publish::{self, Sources, Strictness, ZoneSource};
use crate::serve::{self, Acl, Network, Proxies, Secured, StreamLimits};
use crate::service::{self, User};
use crate::wire::{Name, NameError};

pub(super) use database::{on_server, place};
pub(super) use fleet::fleet;
pub(super) use keys::keyring;
#[cfg(feature = "approval")]
pub(super) use office::office;
#[cfg(feature = "approval")]
pub use road_3::naming;
#[cfg(feature = "approval")]
pub(super) use road_3::{desk, people, uploads, web};

//------------ OptionError ---------------------------------------------------

/// An invalid setting.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// A network that cannot be parsed.
    #[error("{key}: \"{text}\" is not a network: write it as 192.0.2.0/24 or 2001:db8::/32")]
    Network {
        /// The key.
        key: &'static str,
        /// The text in the settings.
        text: String,
    },
    /// An address of a database that cannot be used.
    #[error("database.url: {reason}")]
    Database {
        /// What is wrong with it, and nothing of it.
        reason: String,
    },
    /// A name or URL of this node.
    #[error("{key}: {reason}")]
    Node {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A zone's name that cannot be parsed.
    #[error("zone name \"{text}\": {source}")]
    ZoneName {
        /// The text in the settings.
        text: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// An agent domain of error reporting that no report could reach.
    #[error("server.report_agent: \"{text}\" {reason}")]
    Agent {
        /// The text in the settings.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A table that cannot be read.
    #[error("{key}: {path}: {reason}", path = path.display())]
    Table {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An unknown rule.
    #[error("zone {zone}: \"{rule}\" in errors is not a rule: docs/dns.md lists them")]
    Rule {
        /// The zone.
        zone: String,
        /// The text in the settings.
        rule: String,
    },
    /// A TSIG key.
    #[error("key {name} {message}")]
    Key {
        /// Its name.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// A secret of cookies.
    #[error("server.cookie_secrets: {0}")]
    CookieSecret(String),
    /// A key that `server.allow_query` names.
    #[error(
        "server.allow_query: there is no [[key]] named \"{0}\": add one, `gapura key tsig {0}` makes it"
    )]
    UnknownKey(String),
    /// A remote, or a rule that names one.
    #[error("{0}")]
    Fleet(String),
    /// A policy of signing, or a zone that names one.
    #[error("{0}")]
    Signing(String),
    /// A webhook.
    #[error("{0}")]
    Webhook(String),
    /// A key of the query log or of dnstap.
    #[error("{key}: {message}")]
    Log {
        /// The key.
        key: String,
        /// What is wrong with it.
        message: String,
    },
    /// A user that does not exist.
    #[error("server.user: {0}")]
    User(String),
    /// A file where a running daemon may not write.
    #[error(
        "{key}: gapura gave up the permission to write {file} when it started: restart it to log there"
    )]
    OutOfReach {
        /// The key.
        key: String,
        /// The file.
        file: String,
    },
    /// A word that is not one of the choices.
    #[error("{key}: \"{text}\" is not one of {choices}")]
    Choice {
        /// The key.
        key: &'static str,
        /// The text in the settings.
        text: String,
        /// The texts that are allowed.
        choices: &'static str,
    },
}

/// All invalid settings, each at its place.
pub fn findings(loaded: &Loaded) -> Vec<Finding> {
    let faults = faults(&loaded.settings);
    faults.iter().map(|(key, error)| finding(loaded, key, error)).collect()
}

/// Judges the settings that a daemon is to start with; the error has all that make no sense.
pub(super) fn sound(loaded: &Loaded) -> Result<(), RunError> {
    let faults = findings(loaded);
    if faults.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = faults.iter().map(Finding::with_hint).collect();
    Err(RunError::Settings(lines.join("\n")))
}

/// An invalid setting, at the place of its key.
pub(super) fn finding(loaded: &Loaded, key: &str, error: &OptionError) -> Finding {
    Finding {
        rule: "settings-value",
        severity: Severity::Error,
        place: loaded.place(key),
        message: error.to_string(),
        hint: None,
    }
}

/// All invalid settings, with their keys.
fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut faults = Vec::new();
    for (at, text) in settings.server.allow_query.iter().enumerate() {
        let wrong = allowed(settings, text).err();
        faults.extend(wrong.map(|error| (format!("server.allow_query[{at}]"), error)));
    }
    for (at, text) in settings.server.proxies.iter().enumerate() {
        let wrong = network("server.proxies", text).err();
        faults.extend(wrong.map(|error| (format!("server.proxies[{at}]"), error)));
    }
    let user = user(&settings.server).err();
    faults.extend(user.map(|error| ("server.user".to_owned(), error)));
    let agent = report_agent(settings).err();
    faults.extend(agent.map(|error| ("server.report_agent".to_owned(), error)));
    for (at, zone) in settings.zones.iter().enumerate() {
        faults.extend(
            source(settings, zone).err().map(|error| (format!("zone[{at}].errors"), error)),
        );
    }
    faults.extend(database::faults(settings));
    faults.extend(node::faults(settings));
    faults.extend(logs::faults(settings));
    faults.extend(keys::faults(settings));
    faults.extend(fleet::faults(settings));
    faults.extend(signing::faults(settings));
    #[cfg(feature = "approval")]
    faults.extend(road_3::faults(settings));
    faults
}

//------------ Zones ---------------------------------------------------------

/// The zones of the settings: those with a table, then those of the directory. A file of the directory that a table
/// names belongs to that table.
pub fn sources(settings: &Settings) -> Result<Sources, OptionError> {
    settings.zones.iter().try_for_each(|zone| source(settings, zone).map(drop))?;
    Ok(readable_sources(settings))
}

/// The same, without zones that have invalid settings.
pub fn readable_sources(settings: &Settings) -> Sources {
    let zones: Vec<ZoneSource> =
        settings.zones.iter().filter_map(|zone| source(settings, zone).ok()).collect();
    let directory = &settings.server.zone_dir;
    if directory.as_os_str().is_empty() {
        return zones.into();
    }
    let mut found = publish::sources_in(directory);
    let files = zones.iter().filter(|source| source.has_file());
    let named: BTreeSet<PathBuf> = files.map(|source| whole(&source.file)).collect();
    found.zones.retain(|source| !named.contains(&whole(&source.file)));
    found.zones.splice(..0, zones);
    found
}

/// A path in a form in which two spellings of it are equal.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// One zone.
fn source(settings: &Settings, zone: &ZoneSettings) -> Result<ZoneSource, OptionError> {
    let text = zone.name.get_ref();
    let apex =
        text.parse().map_err(|source| OptionError::ZoneName { text: text.clone(), source })?;
    // A misspelt rule would leave the zone less strict than its operator believes.
    let unknown = |id: &&String| !crate::check::rules().any(|(known, ..)| known == id.as_str());
    if let Some(rule) = zone.errors.iter().find(unknown) {
        return Err(OptionError::Rule { zone: text.clone(), rule: rule.clone() });
    }
    Ok(ZoneSource {
        apex,
        file: zone.file.clone(),
        primaries: zone.primaries.clone(),
        checks: match zone.checks {
            ZoneChecks::Strict => Strictness::Strict,
            ZoneChecks::Lenient => Strictness::Lenient,
        },
        serial: match zone.serial {
            SerialPolicy::Increment => publish::SerialPolicy::Increment,
            SerialPolicy::Date => publish::SerialPolicy::Date,
            SerialPolicy::Unixtime => publish::SerialPolicy::Unixtime,
        },
        errors: zone.errors.clone(),
        zonemd: zone.zonemd,
        signing: signing::policy(settings, zone),
        by_file: false,
        // An invalid name is a finding of its own.
        catalog: zone.catalog.parse().ok().filter(|_| !zone.catalog.is_empty()),
        consume: zone.consume,
        listing: None,
        text: None,
    })
}

//------------ Name server ---------------------------------------------------

/// The options of the listeners.
pub fn serve(settings: &Settings) -> Result<serve::Options, OptionError> {
    let server = &settings.server;
    let limit = &settings.rate_limit;
    Ok(serve::Options {
        listen: server.listen.clone(),
        freebind: server.freebind,
        udp_workers: server.udp_workers,
        xdp: server.xdp.clone(),
        streams: streams(server),
        tls: settings.tls.as_ref().map(|tls| Secured {
            client_ca: tls.client_ca.clone(),
            ..secured(&tls.listen, &tls.cert, &tls.key)
        }),
        quic: settings.quic.as_ref().map(|quic| secured(&quic.listen, &quic.cert, &quic.key)),
        identity: identity(settings)?,
        cookie_secrets: keys::cookies(settings).map_err(|(_, fault)| fault)?,
        allow_query: allow_query(settings)?,
        keyring: keyring(settings)?,
        rate_limit: (limit.responses_per_second > 0).then_some(serve::RateLimit {
            per_prefix: limit.responses_per_second,
            per_address: limit.responses_per_second,
            slip: limit.slip,
        }),
        proxies: proxies(server)?,
        query_log: logs::query_log(settings)?,
        dnstap: logs::dnstap(settings)?,
        // A name server alone has metrics, but no page that shows queried names.
        samples: cfg!(feature = "approval"),
        ..serve::Options::default()
    })
}

/// The limits of connections.
fn streams(server: &Server) -> StreamLimits {
    let defaults = StreamLimits::default();
    let connections = match server.tcp_connections {
        0 => defaults.connections,
        some => some,
    };
    StreamLimits { connections, per_address: server.tcp_per_address, ..defaults }
}

/// What the server says about itself.
fn identity(settings: &Settings) -> Result<Identity, OptionError> {
    let server = &settings.server;
    let named = (!server.nsid.is_empty()).then(|| server.nsid.clone());
    Ok(Identity {
        udp_size: server.udp_payload,
        nsid: server.nsid.clone().into_bytes(),
        version: (!server.version.is_empty()).then(|| server.version.clone()),
        hostname: named,
        report_agent: report_agent(settings)?,
        ..Identity::default()
    })
}

/// The agent domain of error reporting. It must not be in one of our zones, whose faults would then keep the reports
/// about them away (RFC 9567 section 6.3).
fn report_agent(settings: &Settings) -> Result<Option<Name>, OptionError> {
    let text = &settings.server.report_agent;
    if text.is_empty() {
        return Ok(None);
    }
    let fault = |reason: String| OptionError::Agent { text: text.clone(), reason };
    let agent: Name = text.parse().map_err(|error: NameError| fault(error.to_string()))?;
    if agent.as_ref().is_root() {
        return Err(fault("is the root: name a domain, or leave it empty".to_owned()));
    }
    let zones = settings.zones.iter().filter_map(|zone| zone.name.get_ref().parse::<Name>().ok());
    match zones.into_iter().find(|zone| agent.as_ref().is_at_or_below(zone.as_ref())) {
        Some(zone) => Err(fault(format!(
            "is in our zone {zone}: if that zone breaks, reports about it are lost, so name a domain elsewhere"
        ))),
        None => Ok(Some(agent)),
    }
}

/// The clients that may query.
fn allow_query(settings: &Settings) -> Result<Acl, OptionError> {
    let (mut networks, mut keys) = (Vec::new(), Vec::new());
    for text in &settings.server.allow_query {
        match allowed(settings, text)? {
            Allowed::Network(network) => networks.push(network),
            Allowed::Key(key) => keys.push(key),
        }
    }
    Ok(Acl::only_these(networks, keys))
}

/// Who may query.
enum Allowed {
    /// Clients with an address in this network.
    Network(Network),
    /// Clients that sign with this key.
    Key(Name),
}

/// One entry of `server.allow_query`: a network, or a key as `key:NAME`.
fn allowed(settings: &Settings, text: &str) -> Result<Allowed, OptionError> {
    let Some(key) = text.strip_prefix("key:") else {
        return network("server.allow_query", text).map(Allowed::Network);
    };
    let name: Option<Name> = key.parse().ok();
    let mut known = settings.keys.iter().map(|key| key.name.get_ref().parse().ok());
    match name.filter(|name| known.any(|it| it.as_ref() == Some(name))) {
        Some(name) => Ok(Allowed::Key(name)),
        None => Err(OptionError::UnknownKey(key.to_owned())),
    }
}

/// The user that a daemon started as root becomes; none if it is to stay as it is.
pub(super) fn user(server: &Server) -> Result<Option<User>, OptionError> {
    if server.user.is_empty() {
        return Ok(None);
    }
    service::user(&server.user).map(Some).map_err(OptionError::User)
}

/// The proxies that speak for clients.
fn proxies(server: &Server) -> Result<Proxies, OptionError> {
    let networks = server.proxies.iter().map(|text| network("server.proxies", text));
    Ok(networks.collect::<Result<Vec<Network>, _>>()?.into())
}

/// One network of a list.
fn network(key: &'static str, text: &str) -> Result<Network, OptionError> {
    text.parse().map_err(|_| OptionError::Network { key, text: text.to_owned() })
}

/// An encrypted listener.
fn secured(listen: &[std::net::SocketAddr], cert: &Path, key: &Path) -> Secured {
    let client_ca = PathBuf::new();
    Secured { listen: listen.to_vec(), cert: cert.to_owned(), key: key.to_owned(), client_ca }
}

//------------ Publish -------------------------------------------------------

/// The options of the publisher.
pub fn publish(settings: &Settings) -> Result<publish::Options, OptionError> {
    let options = publish::Options::new(&settings.server.state_dir);
    Ok(publish::Options { database: place(settings)?, node: node::node(settings)?, ..options })
}

//------------ Warnings ------------------------------------------------------

/// What works but is probably a mistake: shown at the start and by `gapura check`.
pub fn warnings(loaded: &Loaded) -> Vec<String> {
    let settings = &loaded.settings;
    let tls = settings.tls.iter().map(|tls| &tls.key);
    let keys = tls.chain(settings.quic.iter().map(|quic| &quic.key));
    let keys = keys.chain(settings.remotes.iter().map(|remote| &remote.tls_key));
    let open = keys.filter(|key| readable_by_all(key)).map(|key| {
        format!(
            "everybody on this machine may read the private key {}: give it mode 0600",
            key.display()
        )
    });
    let mut warnings: Vec<String> = open.collect();
    warnings.dedup();
    if holds_secret(settings) && readable_by_all(&loaded.path) {
        warnings.push(format!(
            "everybody on this machine may read {}, which contains secrets: give it mode 0600 or 0640, or name files \
             for them",
            loaded.path.display()
        ));
    }
    warnings.extend(keys::warnings(settings));
    warnings.extend(unheard(settings).map(|own| {
        format!(
            "server.allow_query does not let {own} query, our own address: changes are confirmed by asking our \
             own sockets, and would all be taken back; name it there"
        )
    }));
    let web = &settings.web;
    if cfg!(feature = "approval") && web.listen.ip().is_loopback() && web.trusted_proxies.is_empty()
    {
        warnings.push(format!(
            "pages listen on {} and web.trusted_proxies is empty: behind a proxy on this machine all visitors \
             would share one address and its limits; name the proxy there",
            web.listen
        ));
    }
    warnings
}

/// The first of our own addresses, from which we query our sockets, that `server.allow_query` does not allow.
fn unheard(settings: &Settings) -> Option<std::net::IpAddr> {
    let acl = allow_query(settings).ok()?;
    let mut own = settings.server.listen.iter().map(|address| reachable(address.ip()));
    own.find(|own| !acl.allows(*own, Name::root().as_ref()))
}

/// Whether a secret stands in the settings themselves: of a key, of calls to other programs (their address may
/// be one), of cookies, or the password for the relay.
fn holds_secret(settings: &Settings) -> bool {
    let keys = settings.keys.iter().map(|key| &key.secret);
    let hooks = settings.webhooks.iter().flat_map(|hook| [&hook.secret, &hook.url]);
    let mut secrets = keys.chain(hooks).chain(&settings.server.cookie_secrets);
    let has_password =
        settings.database.url.0.split('@').next().is_some_and(|it| it.matches(':').count() > 1);
    secrets.any(|secret| !secret.0.is_empty()) || settings.mail.relay.contains('@') || has_password
}

/// Whether a file may be read by everybody on this machine.
fn readable_by_all(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// What a room of these options finds wrong with a text of settings, as `key: message`.
#[cfg(test)]
fn told(faults: fn(&Settings) -> Vec<(String, OptionError)>, text: &str) -> Vec<String> {
    let settings = toml::from_str(text).unwrap();
    faults(&settings).iter().map(|(key, fault)| format!("{key}: {fault}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_list_without_our_own_address_is_warned_of() {
        for (listen, allow, expected) in [
            ("127.0.0.1:53", "", None),
            ("127.0.0.1:53", "\"192.0.2.0/24\"", Some("127.0.0.1")),
            ("0.0.0.0:53", "\"192.0.2.0/24\"", Some("127.0.0.1")),
            ("192.0.2.1:53", "\"192.0.2.0/24\"", None),
            ("[::]:53", "\"127.0.0.1\"", Some("::1")),
        ] {
            let text = format!("[server]\nlisten = [\"{listen}\"]\nallow_query = [{allow}]\n");
            let settings: Settings = toml::from_str(&text).unwrap();
            let expected = expected.map(|own| own.parse().unwrap());
            assert_eq!(unheard(&settings), expected, "{listen} {allow}");
        }
    }

    #[test]
    fn settings_with_secrets_that_everybody_may_read_are_warned_of() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("gapura.toml");
        let key = "[[key]]\nname = \"k\"\nsecret = \"ZHVhIHB1bHVoIGxpbWEgaHVydWYgbWluaW1hbCAz\"\n";
        let hook =
            "[[webhook]]\nname = \"w\"\nurl = \"https://w.example/\"\nsecret = \"cmFoYXNpYQ==\"\n";
        let relay = "[mail]\nrelay = \"smtps://gapura:rahasia@relay.example\"\n";
        for (text, mode, expected) in [
            (key, 0o644, true),
            (hook, 0o644, true),
            (relay, 0o604, true),
            (key, 0o640, false),
            ("[mail]\nrelay = \"smtp://127.0.0.1\"\n", 0o644, false),
        ] {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let loaded = crate::config::load(&path).unwrap();
            let told = warnings(&loaded);
            let found = told.iter().any(|it| it.contains("contains secrets"));
            assert_eq!(found, expected, "{mode:o} {text}: {told:?}");
        }
    }

    #[test]
    fn a_directory_of_zones_stands_beside_the_tables() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        for file in ["a.id.zone", "b.id.zone", "b.id.zone~", "notes.txt"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let text = format!(
            "[server]\nzone_dir = \"{0}\"\n[[zone]]\nname = \"a.id.\"\nfile = \"{0}/./a.id.zone\"\nchecks = \"lenient\"\n",
            root.display()
        );
        let settings = toml::from_str(&text).unwrap();
        let found = sources(&settings).unwrap();
        let found: Vec<_> = found.zones.iter().map(|s| (s.apex.to_string(), s.checks)).collect();
        let (lenient, strict) = (Strictness::Lenient, Strictness::Strict);
        assert_eq!(found, [("a.id.".to_owned(), lenient), ("b.id.".to_owned(), strict)]);
        std::fs::write(root.join("a..b.zone"), "").unwrap();
        let found = sources(&settings).unwrap();
        assert_eq!(found.zones.len(), 2, "the others are zones all the same");
        assert!(found.findings[0].message.contains("a..b.zone"), "{:?}", found.findings);
    }

    #[test]
    fn a_rule_that_is_none_is_not_taken_for_one() {
        let sources_of = |rule: &str| {
            let zone = format!("[[zone]]\nname = \"a.id.\"\nfile = \"a\"\nerrors = [\"{rule}\"]\n");
            sources(&toml::from_str(&zone).unwrap())
        };
        assert!(sources_of("ttl-zero").is_ok());
        assert!(matches!(sources_of("ttl-null"), Err(OptionError::Rule { .. })));
    }

    #[test]
    fn an_agent_that_no_report_would_reach_is_refused() {
        let agent_of = |agent: &str| {
            let text = format!(
                "[server]\nreport_agent = \"{agent}\"\n[[zone]]\nname = \"a.id.\"\nfile = \"a\"\n"
            );
            report_agent(&toml::from_str(&text).unwrap())
        };
        assert_eq!(agent_of("").unwrap(), None);
        assert_eq!(agent_of("errors.b.id").unwrap(), Some("errors.b.id.".parse().unwrap()));
        for wrong in [".", "a..b", "a.id.", "errors.A.ID"] {
            assert!(matches!(agent_of(wrong), Err(OptionError::Agent { .. })), "{wrong}");
        }
    }

    #[cfg(feature = "approval")]
    #[test]
    fn other_hours_for_a_time_are_read_or_told() {
        let mut settings = Settings::default();
        settings.work.overrides = vec!["2027-02-08 2027-03-09 Mon-Fri 08:00-15:00".to_owned()];
        let calendar = road_3::calendar;
        let ramadan = calendar(&settings).unwrap();
        // Monday 8 and Monday 1 February 2027, 15.30 WIB.
        assert!(
            ramadan.worked(1_802_075_400_000, 1_802_075_400_000 + 1) == 0
                && ramadan.worked(1_801_470_600_000, 1_801_470_600_000 + 1) == 1
        );
        for wrong in ["", "2027-02-08", "2027-02-08 2027-03-09 Mon", "x y Mon-Fri 08:00-15:00"] {
            settings.work.overrides = vec![wrong.to_owned()];
            assert!(calendar(&settings).is_err(), "{wrong}");
        }
    }

    #[cfg(feature = "approval")]
    #[test]
    fn an_office_without_a_name_or_with_a_wrong_file_is_told() {
        let faults_of = |text: &str| -> Vec<String> {
            let faults = faults(&toml::from_str(text).unwrap());
            faults.into_iter().map(|(key, error)| format!("{key}|{error}")).collect()
        };
        assert_eq!(faults_of(""), [""; 0]);
        let wrong = "[office]\nname = \"\"\nemail = \"kominfo\"\nwebsite = \"kominfo.go.id\"\n\
             coat_of_arms = \"/dev/null\"\n[[hosting]]\nname = \"A\"\ntarget = \"somewhere\"\n";
        let found = faults_of(wrong);
        let keys: Vec<&str> = found.iter().filter_map(|fault| fault.split('|').next()).collect();
        let expected = [
            "office.name",
            "office.email",
            "office.website",
            "office.coat_of_arms",
            "hosting[0].target",
        ];
        assert_eq!(keys, expected, "{found:?}");
    }
}
