//! Tells the parent that CDS and CDNSKEY records changed: NOTIFY to whoever it names in DSYNC records
//! (RFC 9859 §3, §4).
//!
//! A hint, and no more: the parent looks at the records as it always does, only sooner. A parent that publishes
//! no DSYNC is told nothing.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::above::Resolvers;
use super::reach::is_meant;
use super::sight::Sight;
use crate::dns_client::{Asked, Client, Reply, silence};
use crate::wire::{Name, Rcode, Record, Rtype};

/// The label below which a parent publishes where it is told (RFC 9859 §3).
const LABEL: &[u8] = b"_dsync";
/// The scheme of NOTIFY (RFC 9859 §2).
const SCHEME_NOTIFY: u8 = 1;
/// Receivers that are told.
const RECEIVERS_MAX: usize = 8;

/// Where a parent wants to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Receiver {
    /// The host.
    pub(super) host: Name,
    /// The port.
    pub(super) port: u16,
}

impl Receiver {
    /// What the RDATA of a DSYNC record names for NOTIFY about CDS; none if it is about something else.
    fn read(rdata: &[u8]) -> Option<Self> {
        let (head, host) = rdata.split_first_chunk::<5>()?;
        let [type_high, type_low, scheme, port_high, port_low] = *head;
        let rtype = Rtype(u16::from_be_bytes([type_high, type_low]));
        let port = u16::from_be_bytes([port_high, port_low]);
        let host = Name::from_wire(host).ok()?.0;
        // A target of "." is nobody.
        let is_meant = rtype == Rtype::CDS && scheme == SCHEME_NOTIFY && !host.as_ref().is_root();
        (is_meant && port != 0).then_some(Self { host, port })
    }
}

/// Where a parent wants to be told of CDS records of a zone: at a name made for the zone, or at one for all.
pub(super) fn receivers(
    resolvers: &Resolvers<'_>,
    apex: &Name,
    parent: &Name,
) -> Result<Vec<Receiver>, String> {
    for name in places(apex, parent) {
        let reply = resolvers.resolve(&name, Rtype::DSYNC)?;
        let response = reply.read().map_err(|error| error.to_string())?;
        let all = response.answer.iter().filter(|record| record.rtype == Rtype::DSYNC);
        let found = all.filter_map(|record: &Record| Receiver::read(&record.rdata));
        let found: Vec<Receiver> = found.take(RECEIVERS_MAX).collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The names at which DSYNC records are looked for (RFC 9859 §4.1), the parent zone being known.
fn places(apex: &Name, parent: &Name) -> Vec<Name> {
    let labels = apex.as_ref().labels();
    let own = apex.as_ref().label_count().saturating_sub(parent.as_ref().label_count());
    let below: Vec<&[u8]> = labels.take(own).collect();
    let Ok(all) = Name::prepend(LABEL, parent.as_ref()) else { return Vec::new() };
    let add = |name: Option<Name>, label: &&[u8]| Name::prepend(label, name?.as_ref()).ok();
    let one = below.iter().rev().fold(Some(all.clone()), add);
    one.into_iter().chain([all]).collect()
}

/// Where a receiver is told, or why nowhere: of its addresses those that are meant for us.
pub(super) fn addresses(
    receiver: &Receiver,
    found: &[(Name, Vec<IpAddr>)],
    seen: Option<&Sight>,
) -> Result<Vec<SocketAddr>, String> {
    let all = found.iter().find(|(host, _)| *host == receiver.host);
    let all = all.map(|(_, addresses)| addresses.as_slice()).unwrap_or_default();
    let meant = all.iter().filter(|ip| is_meant(**ip, seen));
    let meant: Vec<SocketAddr> = meant.map(|ip| SocketAddr::new(*ip, receiver.port)).collect();
    match all.first() {
        None => Err("it has no address".to_owned()),
        Some(ip) if meant.is_empty() => {
            Err(format!("{ip} is a local address, and no server of the parent was heard at such"))
        }
        Some(_) => Ok(meant),
    }
}

/// Tells all these addresses at once. Returns what each answered.
pub(super) fn tell(
    addresses: &BTreeSet<SocketAddr>,
    apex: &Name,
    rounds: &[Duration],
) -> HashMap<SocketAddr, io::Result<Reply>> {
    let told =
        |server: &SocketAddr| Asked { server: *server, name: apex.clone(), rtype: Rtype::CDS };
    let told: Vec<Asked> = addresses.iter().map(told).collect();
    let replies = Client::notifier().ask_all(&told, rounds);
    told.into_iter().map(|told| told.server).zip(replies).collect()
}

/// What a receiver says, of what its addresses answered: that it heard, if any of them did.
pub(super) fn answer(
    addresses: &[SocketAddr],
    answers: &HashMap<SocketAddr, io::Result<Reply>>,
) -> Result<Rcode, String> {
    let mut said = Err("it did not answer a moment ago".to_owned());
    for answer in addresses.iter().filter_map(|address| answers.get(address)) {
        let new = match answer.as_ref().map(Reply::read) {
            Ok(Ok(response)) => Ok(response.rcode),
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(silence(error)),
        };
        if new == Ok(Rcode::NOERROR) || said.is_err() {
            said = new;
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rdata;

    #[test]
    fn a_parent_is_asked_at_the_name_for_the_zone_and_then_at_the_one_for_all() {
        let names = |apex: &str, parent: &str| {
            let all = places(&apex.parse().unwrap(), &parent.parse().unwrap());
            all.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(names("contoh.go.id.", "go.id."), ["contoh._dsync.go.id.", "_dsync.go.id."]);
        assert_eq!(names("a.b.go.id.", "go.id.")[0], "a.b._dsync.go.id.");
        assert_eq!(names("id.", "."), ["id._dsync.", "_dsync."]);
        // No room for a label more.
        let long = format!("{}.go.id.", vec!["x".repeat(60); 4].join("."));
        assert_eq!(names(&long, "go.id."), ["_dsync.go.id."]);
    }

    #[test]
    fn records_about_something_else_name_no_receiver() {
        let read = |text: &str| {
            let rdata = rdata::parse(Rtype::DSYNC, text.as_bytes(), Name::root().as_ref());
            Receiver::read(&rdata.unwrap())
        };
        let found = read("CDS NOTIFY 5300 cds.nic.id.").unwrap();
        assert_eq!((found.host.to_string(), found.port), ("cds.nic.id.".to_owned(), 5300));
        for other in ["CSYNC NOTIFY 53 a.", "CDS 2 53 a.", "CDS NOTIFY 0 a.", "CDS NOTIFY 53 ."] {
            assert_eq!(read(other), None, "{other}");
        }
        assert_eq!(Receiver::read(&[0, 59, 1, 0]), None);
    }
}
