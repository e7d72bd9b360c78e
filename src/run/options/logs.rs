//! The logs of queries: `[query_log]` and `[dnstap]`.

use super::OptionError;
use crate::config::{
    DnstapMessages, DnstapSettings, LoggedClient, QueryLogFormat, QueryLogging, Settings,
};
use crate::serve::{
    ClientDetail, DnstapOptions, DnstapTarget, Filter, Keep, LineFormat, Network, QueryLogOptions,
};
use crate::wire::{Name, Rcode};

/// Octets of a mebibyte.
pub(super) const MIB: u64 = 1 << 20;
/// Days a log is kept at most: client addresses are personal data.
const DAYS_MAX: u32 = 30;

/// The query log.
pub(super) fn query_log(settings: &Settings) -> Result<Option<QueryLogOptions>, OptionError> {
    let Some(log) = &settings.query_log else { return Ok(None) };
    Ok(Some(QueryLogOptions {
        file: log.file.clone(),
        keep: keep("query_log", log.rotate_mib, log.total_mib, log.days)?,
        format: match log.format {
            QueryLogFormat::Json => LineFormat::Json,
            QueryLogFormat::Text => LineFormat::Text,
        },
        client: detail(log.client),
        filter: filter(&FilterSettings::from(log))?,
    }))
}

/// dnstap.
pub(super) fn dnstap(settings: &Settings) -> Result<Option<DnstapOptions>, OptionError> {
    let Some(tap) = &settings.dnstap else { return Ok(None) };
    let target = match (tap.socket.as_os_str().is_empty(), tap.file.as_os_str().is_empty()) {
        (false, true) => DnstapTarget::Socket(tap.socket.clone()),
        (true, false) => DnstapTarget::File(tap.file.clone()),
        (true, true) => {
            return Err(fault("dnstap", "needs socket or file: where a reader listens, or a file"));
        }
        (false, false) => {
            return Err(fault("dnstap", "has socket and file: leave one of them out"));
        }
    };
    let identity = if tap.identity.is_empty() { &settings.server.nsid } else { &tap.identity };
    Ok(Some(DnstapOptions {
        target,
        keep: keep("dnstap", tap.rotate_mib, tap.total_mib, tap.days)?,
        identity: identity.clone(),
        queries: tap.messages != DnstapMessages::Responses,
        responses: tap.messages != DnstapMessages::Queries,
        client: detail(tap.client),
        filter: filter(&FilterSettings::from(tap))?,
    }))
}

/// Invalid settings of both, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let of = |error: OptionError| match &error {
        OptionError::Log { key, .. } => Some((key.clone(), error)),
        _ => None,
    };
    let faults = [query_log(settings).err(), dnstap(settings).err()];
    faults.into_iter().flatten().filter_map(of).collect()
}

/// The keys that say which queries are logged, of either table.
struct FilterSettings<'a> {
    /// The table.
    table: &'static str,
    /// One query in this many.
    sample: u32,
    /// At most this many.
    per_second: u32,
    /// Names.
    names: &'a [String],
    /// Response codes.
    rcodes: &'a [String],
    /// Networks.
    clients: &'a [String],
}

impl<'a> From<&'a QueryLogging> for FilterSettings<'a> {
    fn from(log: &'a QueryLogging) -> Self {
        let QueryLogging { sample, per_second, names, rcodes, clients, .. } = log;
        let (sample, per_second) = (*sample, *per_second);
        Self { table: "query_log", sample, per_second, names, rcodes, clients }
    }
}

impl<'a> From<&'a DnstapSettings> for FilterSettings<'a> {
    fn from(tap: &'a DnstapSettings) -> Self {
        let DnstapSettings { sample, per_second, names, rcodes, clients, .. } = tap;
        let (sample, per_second) = (*sample, *per_second);
        Self { table: "dnstap", sample, per_second, names, rcodes, clients }
    }
}

/// Which queries are logged.
fn filter(of: &FilterSettings<'_>) -> Result<Filter, OptionError> {
    Ok(Filter {
        sample: of.sample.max(1),
        per_second: of.per_second,
        zones: all(of.table, "names", of.names, |text| text.parse::<Name>().ok(), "a domain name")?,
        rcodes: all(
            of.table,
            "rcodes",
            of.rcodes,
            |text| text.parse::<Rcode>().ok(),
            "a response code: write NXDOMAIN, SERVFAIL and the like",
        )?,
        clients: all(
            of.table,
            "clients",
            of.clients,
            |text| text.parse::<Network>().ok(),
            "a network: write it as 192.0.2.0/24 or 2001:db8::/32",
        )?,
    })
}

/// The values of a list, or the first that is none.
fn all<T>(
    table: &str,
    key: &str,
    texts: &[String],
    parse: impl Fn(&str) -> Option<T>,
    what: &str,
) -> Result<Vec<T>, OptionError> {
    let value = |(at, text): (usize, &String)| {
        let key = format!("{table}.{key}[{at}]");
        parse(text).ok_or_else(|| fault(&key, &format!("\"{text}\" is not {what}")))
    };
    texts.iter().enumerate().map(value).collect()
}

/// How much of a log is kept.
fn keep(table: &str, rotate: u64, total: u64, days: u32) -> Result<Keep, OptionError> {
    if !(1..=DAYS_MAX).contains(&days) {
        let text =
            format!("{days} is not between 1 and {DAYS_MAX}: client addresses are personal data");
        return Err(fault(&format!("{table}.days"), &text));
    }
    Ok(Keep {
        rotate_octets: rotate.max(1).saturating_mul(MIB),
        total_octets: total.max(1).saturating_mul(MIB),
        days,
    })
}

/// How much of a client's address is written.
fn detail(client: LoggedClient) -> ClientDetail {
    match client {
        LoggedClient::Address => ClientDetail::Address,
        LoggedClient::Prefix => ClientDetail::Prefix,
    }
}

/// What is wrong with a key.
fn fault(key: &str, message: &str) -> OptionError {
    OptionError::Log { key: key.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys that are faulty in these settings.
    fn faulty(text: &str) -> Vec<String> {
        let settings: Settings = toml::from_str(text).unwrap();
        faults(&settings).into_iter().map(|(key, _)| key).collect()
    }

    #[test]
    fn what_a_log_cannot_be_is_told_with_its_key() {
        for (text, key) in [
            ("[dnstap]\n", "dnstap"),
            ("[dnstap]\nsocket = \"a\"\nfile = \"b\"\n", "dnstap"),
            ("[dnstap]\nfile = \"b\"\ndays = 31\n", "dnstap.days"),
            ("[query_log]\nfile = \"b\"\ndays = 0\n", "query_log.days"),
            ("[query_log]\nfile = \"b\"\nnames = [\"a.id\", \"a..b\"]\n", "query_log.names[1]"),
            ("[query_log]\nfile = \"b\"\nrcodes = [\"NOPE\"]\n", "query_log.rcodes[0]"),
            ("[dnstap]\nfile = \"b\"\nclients = [\"192.0.2.0/40\"]\n", "dnstap.clients[0]"),
        ] {
            assert_eq!(faulty(text), [key], "{text}");
        }
    }

    #[test]
    fn a_filter_is_taken_over_and_a_server_calls_itself_by_its_nsid() {
        let text = "[server]\nnsid = \"ns1\"\n[dnstap]\nsocket = \"a\"\nsample = 7\nper_second = 9\n\
                    names = [\"a.id\"]\nrcodes = [\"nxdomain\"]\nclients = [\"192.0.2.0/24\"]\n\
                    messages = \"responses\"\nclient = \"prefix\"\n";
        let options = dnstap(&toml::from_str(text).unwrap()).unwrap().unwrap();
        let filter = options.filter;
        assert_eq!((filter.sample, filter.per_second), (7, 9));
        assert_eq!(filter.zones, ["a.id.".parse().unwrap()]);
        assert_eq!(filter.rcodes, [Rcode::NXDOMAIN]);
        assert_eq!(filter.clients.len(), 1);
        assert_eq!((options.queries, options.responses), (false, true));
        assert_eq!((options.identity.as_str(), options.client), ("ns1", ClientDetail::Prefix));
    }
}
