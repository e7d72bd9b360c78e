//! From settings to each room's own options. What a setting cannot mean is told before anything runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::answer::Identity;
use crate::config::{QueryLogging, SerialPolicy, Server, Settings, ZoneChecks, ZoneSettings};
use crate::publish::{self, Strictness, ZoneSource};
use crate::serve::{
    self, Acl, ClientDetail, Filter, Network, QueryLogOptions, Secured, StreamLimits,
};
use crate::wire::NameError;

/// Octets of a mebibyte.
const MIB: u64 = 1 << 20;
/// Days a query log is kept at most: client addresses are personal data.
const QUERY_LOG_DAYS: u32 = 30;

//------------ OptionError ---------------------------------------------------

/// A setting that cannot be meant.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// A network that does not read.
    #[error("{key}: \"{text}\" is not a network: write it as 192.0.2.0/24 or 2001:db8::/32")]
    Network {
        /// The key.
        key: &'static str,
        /// What stands there.
        text: String,
    },
    /// A zone's name that does not read.
    #[error("zone name \"{text}\": {source}")]
    ZoneName {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        source: NameError,
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
    /// A rule that there is not.
    #[error("zone {zone}: \"{rule}\" in errors is no rule: `gapura zone check` names them")]
    Rule {
        /// The zone.
        zone: String,
        /// What stands there.
        rule: String,
    },
    /// A word that is not one of the choices.
    #[error("{key}: \"{text}\" is not one of {choices}")]
    Choice {
        /// The key.
        key: &'static str,
        /// What stands there.
        text: String,
        /// What may stand there.
        choices: &'static str,
    },
}

//------------ Zones ---------------------------------------------------------

/// The zones of the settings: those with a table of their own, then those of the directory. A file of
/// the directory that a table names is that table's.
pub fn sources(settings: &Settings) -> Result<Vec<ZoneSource>, OptionError> {
    let mut sources: Vec<ZoneSource> =
        settings.zones.iter().map(source).collect::<Result<_, _>>()?;
    let directory = &settings.server.zone_dir;
    if directory.as_os_str().is_empty() {
        return Ok(sources);
    }
    let found = publish::sources_in(directory).map_err(|error| OptionError::Table {
        key: "server.zone_dir",
        path: directory.clone(),
        reason: error.to_string(),
    })?;
    let named: BTreeSet<PathBuf> = sources.iter().map(|source| whole(&source.file)).collect();
    sources.extend(found.into_iter().filter(|source| !named.contains(&whole(&source.file))));
    Ok(sources)
}

/// A path by which two spellings of it can be compared.
fn whole(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// One zone.
fn source(zone: &ZoneSettings) -> Result<ZoneSource, OptionError> {
    let text = zone.name.get_ref();
    let apex =
        text.parse().map_err(|source| OptionError::ZoneName { text: text.clone(), source })?;
    // A slip here would leave a zone less strict than its operator believes.
    let unknown = |id: &&String| !crate::check::rules().any(|(known, ..)| known == id.as_str());
    if let Some(rule) = zone.errors.iter().find(unknown) {
        return Err(OptionError::Rule { zone: text.clone(), rule: rule.clone() });
    }
    Ok(ZoneSource {
        apex,
        file: zone.file.clone(),
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
    })
}

//------------ Name server ---------------------------------------------------

/// What the listeners are told.
pub fn serve(settings: &Settings) -> Result<serve::Options, OptionError> {
    let server = &settings.server;
    let limit = &settings.rate_limit;
    Ok(serve::Options {
        listen: server.listen.clone(),
        udp_workers: server.udp_workers,
        streams: streams(server),
        tls: settings.tls.as_ref().map(|tls| secured(&tls.listen, &tls.cert, &tls.key)),
        quic: settings.quic.as_ref().map(|quic| secured(&quic.listen, &quic.cert, &quic.key)),
        identity: identity(server),
        allow_query: allow_query(server)?,
        rate_limit: (limit.responses_per_second > 0).then_some(serve::RateLimit {
            per_prefix: limit.responses_per_second,
            per_address: limit.responses_per_second,
            slip: limit.slip,
        }),
        query_log: settings.query_log.as_ref().map(query_log).transpose()?,
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

/// What the server says of itself.
fn identity(server: &Server) -> Identity {
    let named = (!server.nsid.is_empty()).then(|| server.nsid.clone());
    Identity {
        udp_size: server.udp_payload,
        nsid: server.nsid.clone().into_bytes(),
        version: (!server.version.is_empty()).then(|| server.version.clone()),
        hostname: named,
        ..Identity::default()
    }
}

/// Who may ask.
fn allow_query(server: &Server) -> Result<Acl, OptionError> {
    if server.allow_query.is_empty() {
        return Ok(Acl::everybody());
    }
    let networks: Result<Vec<Network>, OptionError> =
        server.allow_query.iter().map(|text| network("server.allow_query", text)).collect();
    Ok(Acl::only(networks?))
}

/// One network of a list.
fn network(key: &'static str, text: &str) -> Result<Network, OptionError> {
    text.parse().map_err(|_| OptionError::Network { key, text: text.to_owned() })
}

/// An encrypted listener.
fn secured(listen: &[std::net::SocketAddr], cert: &Path, key: &Path) -> Secured {
    Secured { listen: listen.to_vec(), cert: cert.to_owned(), key: key.to_owned() }
}

/// The query log.
fn query_log(log: &QueryLogging) -> Result<QueryLogOptions, OptionError> {
    let client = match log.client.as_str() {
        "address" => ClientDetail::Address,
        "prefix" => ClientDetail::Prefix,
        other => {
            return Err(OptionError::Choice {
                key: "query_log.client",
                text: other.to_owned(),
                choices: "\"address\", \"prefix\"",
            });
        }
    };
    Ok(QueryLogOptions {
        file: log.file.clone(),
        rotate_octets: log.rotate_mib.max(1).saturating_mul(MIB),
        total_octets: log.total_mib.max(1).saturating_mul(MIB),
        keep_days: QUERY_LOG_DAYS,
        client,
        filter: Filter { sample: log.sample.max(1), ..Filter::default() },
    })
}

//------------ Publish -------------------------------------------------------

/// What the publisher is told.
pub fn publish(settings: &Settings) -> publish::Options {
    publish::Options::new(&settings.server.state_dir)
}

//------------ People --------------------------------------------------------

/// What accounts are told.
#[cfg(feature = "approval")]
pub fn people(settings: &Settings) -> crate::people::Options {
    use crate::people::TotpRule;
    let clock: crate::people::Clock = std::sync::Arc::new(super::words::now_ms);
    crate::people::Options {
        totp: match settings.people.totp {
            crate::config::Policy::Required => TotpRule::Required,
            crate::config::Policy::Optional => TotpRule::Optional,
        },
        decide_tokens: settings.tokens.decide,
        ..crate::people::Options::new(clock)
    }
}

//------------ Web -----------------------------------------------------------

/// What the pages are told; `url` is how people reach them.
#[cfg(feature = "approval")]
pub fn web(settings: &Settings, url: &str) -> crate::web::Options {
    let zone = settings.zones.first().map(|zone| zone.name.get_ref().as_str()).unwrap_or(".");
    crate::web::Options {
        url: url.to_owned(),
        trusted_proxies: settings.web.trusted_proxies.clone(),
        public_submit: settings.public.submit,
        submit_per_hour: settings.public.submit_per_hour,
        register_public: settings.register.public,
        zone: format!("{}.", zone.trim_end_matches('.')),
    }
}

//------------ Desk ----------------------------------------------------------

/// What the desk is told.
#[cfg(feature = "approval")]
pub fn desk(settings: &Settings) -> Result<crate::desk::Options, OptionError> {
    use crate::queue::{Bind, Rules};
    use std::sync::Arc;
    let clock: crate::desk::Clock = Arc::new(super::words::now_ms);
    let state_dir = settings.server.state_dir.clone();
    Ok(crate::desk::Options {
        rules: Rules {
            correction_days: i64::from(settings.correction.days),
            bind: if settings.approval.bind == "serial" { Bind::Serial } else { Bind::Candidate },
            camat: settings.approval.camat,
            ..Rules::default()
        },
        calendar: calendar(settings)?,
        naming: naming(settings)?,
        targets: targets(settings)?,
        probe: settings.probe.enabled,
        promote_with_approval: settings.approval.promote == "with_approval",
        audit_daily: settings.audit.daily,
        ..crate::desk::Options::new(state_dir, clock)
    })
}

/// Working hours, other hours for a time, and the holidays of the file if there is one.
#[cfg(feature = "approval")]
pub(super) fn calendar(settings: &Settings) -> Result<crate::queue::Calendar, OptionError> {
    use crate::queue::{Calendar, Hours};
    let hours = Hours::parse(&settings.work.hours).map_err(|error| OptionError::Choice {
        key: "work.hours",
        text: error.to_string(),
        choices: "hours as in \"Mon-Fri 08:00-16:00\"",
    })?;
    let mut calendar = Calendar::new(hours);
    for text in &settings.work.overrides {
        let wrong = || OptionError::Choice {
            key: "work.overrides",
            text: text.clone(),
            choices: "FIRST LAST HOURS, as in \"2027-02-08 2027-03-09 Mon-Fri 08:00-15:00\"",
        };
        let mut parts = text.trim().splitn(3, char::is_whitespace);
        let (first, last) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let hours = Hours::parse(parts.next().unwrap_or_default()).map_err(|_| wrong())?;
        calendar.add_override(first, last, hours).map_err(|_| wrong())?;
    }
    let path = &settings.work.holidays;
    if path.as_os_str().is_empty() {
        return Ok(calendar);
    }
    let text = table("work.holidays", path)?;
    for line in text.lines().skip(1).filter(|line| !line.trim().is_empty()) {
        let mut cells = line.splitn(3, ',').map(|cell| cell.trim().trim_matches('"'));
        let mut cell = || cells.next().unwrap_or_default();
        let (date, name, source) = (cell(), cell(), cell());
        calendar.add_holiday(date, name, source).map_err(|error| OptionError::Table {
            key: "work.holidays",
            path: path.clone(),
            reason: format!("{error}: a line is date,name,source"),
        })?;
    }
    Ok(calendar)
}

/// Naming rules with the lists of the settings in the place of those shipped.
#[cfg(feature = "approval")]
fn naming(settings: &Settings) -> Result<crate::queue::Naming, OptionError> {
    use crate::queue::Naming;
    use crate::queue::regions::{Regions, parse_offices};
    let mut naming = Naming {
        min_length: settings.naming.min_length,
        ormas: settings.naming.ormas,
        ..Naming::default()
    };
    let bad = |key, path: &Path, reason: String| OptionError::Table {
        key,
        path: path.to_owned(),
        reason,
    };
    let (regions, offices) = (&settings.naming.regions, &settings.naming.offices);
    if !regions.as_os_str().is_empty() {
        let text = table("naming.regions", regions)?;
        naming.regions = Regions::parse(&text)
            .map_err(|error| bad("naming.regions", regions, error.to_string()))?;
    }
    if !offices.as_os_str().is_empty() {
        let text = table("naming.offices", offices)?;
        naming.offices = parse_offices(&text)
            .map_err(|error| bad("naming.offices", offices, error.to_string()))?;
    }
    Ok(naming)
}

/// Rules about targets.
#[cfg(feature = "approval")]
fn targets(settings: &Settings) -> Result<crate::queue::Targets, OptionError> {
    let prefix = |text: &String| {
        text.parse().map_err(|_| OptionError::Network { key: "targets.allow", text: text.clone() })
    };
    Ok(crate::queue::Targets {
        allow: settings.targets.allow.iter().map(prefix).collect::<Result<_, _>>()?,
        refuse_hijackable: settings.targets.hijackable == "refuse",
        ..crate::queue::Targets::default()
    })
}

/// The text of a table that the settings name.
#[cfg(feature = "approval")]
fn table(key: &'static str, path: &Path) -> Result<String, OptionError> {
    std::fs::read_to_string(path).map_err(|error| OptionError::Table {
        key,
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let found: Vec<_> = found.iter().map(|s| (s.apex.to_string(), s.checks)).collect();
        let (lenient, strict) = (Strictness::Lenient, Strictness::Strict);
        assert_eq!(found, [("a.id.".to_owned(), lenient), ("b.id.".to_owned(), strict)]);
        std::fs::write(root.join("a..b.zone"), "").unwrap();
        let error = sources(&settings).unwrap_err().to_string();
        assert!(error.contains("a..b.zone"), "{error}");
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

    #[cfg(feature = "approval")]
    #[test]
    fn other_hours_for_a_time_are_read_or_told() {
        let mut settings = Settings::default();
        settings.work.overrides = vec!["2027-02-08 2027-03-09 Mon-Fri 08:00-15:00".to_owned()];
        let ramadan = calendar(&settings).unwrap();
        // Monday 8 and Monday 1 February 2027, 15.30 WIB.
        assert!(!ramadan.is_open(1_802_075_400_000) && ramadan.is_open(1_801_470_600_000));
        for wrong in ["", "2027-02-08", "2027-02-08 2027-03-09 Mon", "x y Mon-Fri 08:00-15:00"] {
            settings.work.overrides = vec![wrong.to_owned()];
            assert!(calendar(&settings).is_err(), "{wrong}");
        }
    }
}
