//! Which queries are wanted: by time, name, zone, client, type, response code and transport.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::serve::Network;
use crate::serve::query_log::read::Line;
use crate::wire::rdata::ttl_from_text;
use crate::wire::{Name, Rcode, Rtype};

/// Options that select queries. Several values of one option are alternatives; a query must match every
/// option.
#[derive(clap::Args, Clone, Debug, Default)]
pub(in crate::cli) struct WantedArgs {
    /// From this time on: 90s, 15m, 2h, 7d (ago), or a time such as 2026-11-24T03:45:00Z or
    /// 2026-11-24 (UTC)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Names at or below this one
    #[arg(long, value_name = "NAME")]
    name: Vec<Name>,
    /// Answered by this zone
    #[arg(long, value_name = "ZONE")]
    zone: Vec<Name>,
    /// From this address or network, such as 192.0.2.0/24
    #[arg(long, value_name = "NETWORK")]
    client: Vec<Network>,
    /// Of this type
    #[arg(long = "type", value_name = "TYPE")]
    rtype: Vec<Rtype>,
    /// Answered with this response code, such as NXDOMAIN
    #[arg(long, value_name = "RCODE")]
    rcode: Vec<Rcode>,
    /// Over this transport
    #[arg(long, value_parser = ["udp", "tcp", "tls", "quic"])]
    transport: Vec<String>,
}

impl WantedArgs {
    /// Whether a start is given.
    pub(super) fn has_beginning(&self) -> bool {
        self.since.is_some()
    }
}

/// Which queries are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The other options.
    args: WantedArgs,
    /// When it begins.
    since: Option<SystemTime>,
    /// The same as lines have it.
    since_text: String,
    /// Where it ends, as lines have it; empty: nowhere.
    until_text: String,
    /// Types as lines have them.
    types: Vec<String>,
    /// Response codes as lines have them.
    rcodes: Vec<String>,
}

impl Wanted {
    /// By these options.
    pub(super) fn new(args: &WantedArgs) -> anyhow::Result<Self> {
        let now = OffsetDateTime::now_utc();
        let moment = |text: &Option<String>, option: &str| {
            let moment = text.as_deref().map(|text| moment(text, now)).transpose();
            moment.with_context(|| format!("--{option}"))
        };
        let since = moment(&args.since, "since")?;
        let until = moment(&args.until, "until")?;
        let text = |moment: Option<OffsetDateTime>| moment.map_or_else(String::new, text_of);
        Ok(Self {
            args: args.clone(),
            since: since.map(SystemTime::from),
            since_text: text(since),
            until_text: text(until),
            types: args.rtype.iter().map(ToString::to_string).collect(),
            rcodes: args.rcode.iter().map(ToString::to_string).collect(),
        })
    }

    /// When what is wanted begins.
    pub(super) fn since(&self) -> Option<SystemTime> {
        self.since
    }

    /// Whether a query is wanted.
    pub(super) fn passes(&self, line: &Line<'_>) -> bool {
        let time = line.time();
        let text = |key: &str| line.text(key).unwrap_or_default();
        let one_of =
            |list: &[String], key: &str| list.is_empty() || list.iter().any(|one| one == text(key));
        time >= self.since_text.as_str()
            && (self.until_text.is_empty() || time < self.until_text.as_str())
            && one_of(&self.types, "qtype")
            && one_of(&self.rcodes, "rcode")
            && one_of(&self.args.transport, "transport")
            && (self.args.client.is_empty() || self.is_from(text("client")))
            && (self.args.name.is_empty() || is_of(&self.args.name, text("qname"), true))
            && (self.args.zone.is_empty() || is_of(&self.args.zone, text("zone"), false))
    }

    /// Whether one of the networks has the client.
    fn is_from(&self, client: &str) -> bool {
        let client = client.parse::<IpAddr>();
        client.is_ok_and(|client| self.args.client.iter().any(|network| network.contains(client)))
    }
}

/// Whether a name is one of these, or `below` one of these.
fn is_of(list: &[Name], name: &str, below: bool) -> bool {
    let Ok(name) = name.parse::<Name>() else { return false };
    let name = name.as_ref();
    list.iter()
        .map(Name::as_ref)
        .any(|one| if below { name.is_at_or_below(one) } else { name == one })
}

/// A moment as lines have it.
fn text_of(moment: OffsetDateTime) -> String {
    let format = time::macros::format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
    );
    moment.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}

/// The moment that a text means: so long before now, a time with its zone, or the start of a day.
fn moment(text: &str, now: OffsetDateTime) -> anyhow::Result<OffsetDateTime> {
    if let Some(ago) = ago(text) {
        return now.checked_sub(ago.try_into()?).context("that is too long ago");
    }
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(moment);
    }
    let day = time::macros::format_description!("[year]-[month]-[day]");
    if let Ok(day) = time::Date::parse(text, &day) {
        return Ok(day.midnight().assume_utc());
    }
    bail!("\"{text}\" is not a time: write 15m, 2h or 7d, 2026-11-24T03:45:00Z or 2026-11-24")
}

/// A length of time with its unit, written as a TTL; a number alone may be a year.
fn ago(text: &str) -> Option<Duration> {
    let has_unit = text.ends_with(|sign: char| sign.is_ascii_alphabetic());
    let seconds = ttl_from_text(text.as_bytes()).filter(|_| has_unit)?;
    Some(Duration::from_secs(u64::from(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        let now = OffsetDateTime::parse("2026-11-24T12:00:00Z", &Rfc3339).unwrap();
        let read = |text: &str| moment(text, now).map(text_of);
        for (text, meant) in [
            ("90s", "2026-11-24T11:58:30.000000Z"),
            ("2h", "2026-11-24T10:00:00.000000Z"),
            ("7d", "2026-11-17T12:00:00.000000Z"),
            ("2026-11-24T03:45:00+07:00", "2026-11-23T20:45:00.000000Z"),
            ("2026-11-01", "2026-11-01T00:00:00.000000Z"),
        ] {
            assert_eq!(read(text).unwrap(), meant, "{text}");
        }
        for text in ["", "m", "-5m", "yesterday", "2026-13-01", "5000000000d"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_option_has_to_hold() {
        let line = "v=1 time=2026-11-24T03:45:41.000001Z client=192.0.2.77 port=1 transport=udp id=1 \
                    qname=www.Desa.example. qtype=AAAA class=IN zone=example. rcode=NOERROR";
        let line = Line::read(line).unwrap();
        let passes = |change: &dyn Fn(&mut WantedArgs)| {
            let mut args = WantedArgs::default();
            change(&mut args);
            Wanted::new(&args).unwrap().passes(&line)
        };
        let names = |text: &str| vec![text.parse::<Name>().unwrap()];
        assert!(passes(&|_| ()));
        assert!(passes(&|it| it.name = names("desa.EXAMPLE")));
        assert!(!passes(&|it| it.name = names("esa.example")));
        assert!(passes(&|it| it.zone = names("example")));
        assert!(!passes(&|it| it.zone = names("desa.example")));
        assert!(passes(&|it| it.client = vec!["192.0.2.0/24".parse().unwrap()]));
        assert!(!passes(&|it| it.client = vec!["2001:db8::/32".parse().unwrap()]));
        assert!(passes(&|it| it.rtype = vec![Rtype::A, Rtype::AAAA]));
        assert!(!passes(&|it| it.rcode = vec![Rcode::NXDOMAIN]));
        assert!(!passes(&|it| it.transport = vec!["tcp".to_owned()]));
        assert!(passes(&|it| it.since = Some("2026-11-24".to_owned())));
        assert!(!passes(&|it| it.until = Some("2026-11-24T03:45:41Z".to_owned())));
    }
}
