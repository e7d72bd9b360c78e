//! Primaries and secondaries in commands, status and metrics.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::host::Host;
use super::time::utc;
use crate::control::Reply;
use crate::fleet::RefreshStatus;
use crate::metrics::{Family, catalogue as of};
use crate::publish::{PublishError, Secondary, ZoneStatus};
use crate::text::{append, append_line};
use crate::wire::{Name, Rcode};

/// How long a secondary may be behind before a warning, in milliseconds.
const BEHIND_MAX_MS: i64 = 600_000;

impl Host {
    /// `gapura zone notify`: notifies the secondaries of a zone now.
    pub(super) fn notify(&self, apex: &Name) -> Reply {
        let Some(zone) = self.publisher.zone_status(apex) else {
            return Reply::failed(PublishError::UnknownZone(apex.clone()).to_string());
        };
        let Some(serial) = zone.serial else {
            return Reply::failed(PublishError::NotLoaded(apex.clone()).to_string());
        };
        let all = self.fleet.tell(apex);
        if all.is_empty() {
            return Reply::failed(format!(
                "nobody is told of {apex}: name remotes in notify of its [[zone]], or let its name servers have \
                 it by transfer"
            ));
        }
        let (mut text, mut list) = (format!("{apex} {serial}\n"), Vec::new());
        let mut is_well = true;
        for told in all {
            is_well &= told.result == Some(Ok(Rcode::NOERROR));
            let result = match &told.result {
                Some(Ok(rcode)) => rcode.to_string(),
                Some(Err(why)) => why.clone(),
                None => "no answer yet".to_owned(),
            };
            append_line!(text, "  {} {}  {result}", told.secondary.name, told.secondary.address);
            list.push(json!({
                "name": told.secondary.name, "address": told.secondary.address, "result": result,
            }));
        }
        let json = json!({ "zone": apex.to_string(), "serial": serial, "told": list });
        Reply { exit: u8::from(!is_well), text, json }
    }

    /// `gapura zone retransfer`: transfers the whole zone again from a primary, whatever its serial.
    pub(super) fn retransfer(&self, apex: &Name) -> Reply {
        let Some(zone) = self.publisher.zone_status(apex) else {
            return Reply::failed(PublishError::UnknownZone(apex.clone()).to_string());
        };
        if !zone.is_secondary() {
            return Reply::failed(PublishError::Primary(apex.clone()).to_string());
        }
        match self.fleet.retransfer(apex) {
            Some(Ok(text)) => {
                let serial = self.publisher.zone_status(apex).and_then(|zone| zone.serial);
                Reply::done(
                    text.clone(),
                    json!({ "zone": apex.to_string(), "serial": serial, "result": text }),
                )
            }
            Some(Err(why)) => Reply::failed(format!("{apex} was not transferred: {why}")),
            None => Reply::failed(format!(
                "{apex} is still being transferred: `gapura ctl status` shows the result"
            )),
        }
    }

    /// The refresh status of each of these zones; `None` for a zone that is not secondary.
    pub(super) fn refreshes(&self, zones: &[ZoneStatus]) -> Vec<Option<RefreshStatus>> {
        zones.iter().map(|zone| self.fleet.refresh_status(&zone.zone)).collect()
    }

    /// NOTIFYs and transfers, outgoing and incoming. Common label values are present from the start.
    pub(super) fn fleet_figures(&self, zones: &[ZoneStatus]) -> [Family; 3] {
        let mut notified = Family::of(&of::NOTIFY);
        let mut sent = Family::of(&of::TRANSFER);
        let mut came = Family::of(&of::TRANSFER_IN);
        let secondaries = zones.iter().flat_map(|zone| &zone.secondaries);
        let peers: BTreeSet<&str> = secondaries.map(|one| one.name.as_str()).collect();
        let (notifies, transfers) = (self.fleet.notifies(), self.fleet.transfers());
        let mut notifies: BTreeMap<_, u64> =
            notifies.iter().map(|(p, r, n)| ((&**p, *r), *n)).collect();
        let mut transfers: BTreeMap<_, u64> =
            transfers.iter().map(|(p, k, r, n)| ((&**p, *k, *r), *n)).collect();
        for peer in peers {
            for result in ["answered", "refused", "unanswered"] {
                notifies.entry((peer, result)).or_default();
            }
            for (kind, result) in EACH_TRANSFER {
                transfers.entry((peer, kind, result)).or_default();
            }
        }
        for ((peer, result), count) in notifies {
            notified.count(&[peer, result], count);
        }
        for ((peer, kind, result), count) in transfers {
            sent.count(&[peer, kind, result], count);
        }
        let counts = self.fleet.transfers_in();
        let mut counts: BTreeMap<(&Name, &str, &str), u64> =
            counts.iter().map(|(zone, kind, result, n)| ((zone, *kind, *result), *n)).collect();
        for zone in zones.iter().filter(|zone| zone.is_secondary()) {
            for kind in ["axfr", "ixfr"] {
                for result in ["published", "unchanged", "refused", "broken"] {
                    counts.entry((&zone.zone, kind, result)).or_default();
                }
            }
        }
        for ((zone, kind, result), count) in counts {
            came.count(&[&zone.to_string(), kind, result], count);
        }
        [notified, sent, came]
    }
}

/// Kinds and results of transfers that are sent.
const EACH_TRANSFER: [(&str, &str); 4] =
    [("axfr", "whole"), ("axfr", "broken"), ("ixfr", "whole"), ("ixfr", "broken")];

/// Secondaries that have been behind for long: one line per secondary, for all its zones.
pub(super) fn late(zones: &[ZoneStatus], now_ms: i64) -> Vec<String> {
    let mut late: BTreeMap<&str, Vec<(i64, &ZoneStatus, &Secondary)>> = BTreeMap::new();
    for zone in zones {
        for one in &zone.secondaries {
            let Some(since) = one.behind_since else { continue };
            if now_ms.saturating_sub(since) > BEHIND_MAX_MS {
                late.entry(&one.name).or_default().push((since, zone, one));
            }
        }
    }
    let line = |(name, all): (&str, Vec<(i64, &ZoneStatus, &Secondary)>)| {
        let (since, zone, one) = all.iter().min_by_key(|(since, ..)| *since)?;
        let what = match all.len() {
            1 => format!("{} {}", zone.zone, zone.serial.unwrap_or_default()),
            many => format!("{many} zones, {} among them,", zone.zone),
        };
        Some(format!("secondary {name} lacks {what} since {}: {}", utc(*since), reason(one)))
    };
    late.into_iter().filter_map(line).collect()
}

/// The refresh status of a secondary zone, in one line.
pub(super) fn refresh_line(status: &RefreshStatus) -> String {
    let mut text = match &status.primary {
        Some(primary) => format!("primary {primary}"),
        None => "no primary has answered yet".to_owned(),
    };
    match status.next_try_seconds {
        Some(seconds) => append!(text, ", next try in {seconds} s"),
        None => text.push_str(", querying now"),
    }
    if let Some(seconds) = status.expires_seconds {
        append!(text, ", expires in {seconds} s");
    }
    if let Some(error) = &status.error {
        append!(text, "; last try: {error}");
    }
    if let Some(why) = &status.passed_over {
        append!(text, "; passed over: {why}");
    }
    text
}

/// Zones whose last refresh failed at every primary, one line per list of primaries.
pub(super) fn away(zones: &[ZoneStatus], refreshes: &[Option<RefreshStatus>]) -> Vec<String> {
    let secondary = zones.iter().zip(refreshes).filter(|(zone, _)| zone.is_secondary());
    without_primary(secondary.filter_map(|(zone, refresh)| {
        let refresh = refresh.as_ref()?;
        Some((zone, refresh.failing_since?, refresh.error.clone().unwrap_or_default()))
    }))
}

/// Zones whose refreshes fail, with since when and why, grouped by list of primaries: one primary that is down affects
/// many zones.
fn without_primary<'a>(
    failing: impl Iterator<Item = (&'a ZoneStatus, i64, String)>,
) -> Vec<String> {
    let mut away: BTreeMap<&[String], Vec<(i64, &ZoneStatus, String)>> = BTreeMap::new();
    for (zone, since, why) in failing {
        away.entry(&zone.primaries).or_default().push((since, zone, why));
    }
    let line = |all: Vec<(i64, &ZoneStatus, String)>| {
        let (since, zone, why) = all.iter().min_by_key(|(since, ..)| *since)?;
        let what = match all.len() {
            1 => zone.zone.to_string(),
            many => format!("{many} zones, {} among them,", zone.zone),
        };
        Some(format!("no primary of {what} could be used since {}: {why}", utc(*since)))
    };
    away.into_values().filter_map(line).collect()
}

/// Why a secondary is behind.
fn reason(one: &Secondary) -> String {
    match (&one.error, one.serial) {
        (Some(error), _) => error.clone(),
        (None, Some(serial)) => format!("it still serves {serial}"),
        (None, None) => "it has not answered yet".to_owned(),
    }
}

/// A secondary of a zone in one line.
pub(super) fn secondary_line(one: &Secondary) -> String {
    let serial = one.serial.map_or_else(|| "-".to_owned(), |serial| serial.to_string());
    let mut line = format!("{} {} serial {serial}", one.name, one.address);
    if let Some(seen) = one.seen {
        append!(line, ", seen {}", utc(seen));
    }
    if let Some(since) = one.behind_since {
        append!(line, ", behind since {}", utc(since));
    }
    if let Some(error) = &one.error {
        append!(line, ": {error}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::{Options, Publisher, ZoneSource};
    use crate::store::Store;

    #[test]
    fn who_stays_behind_for_ten_minutes_is_one_warning_for_all_its_zones() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("zone");
        std::fs::write(&file, "$TTL 60\n@ SOA ns h 7 1 1 1 1\n@ NS ns\nns A 192.0.2.1\n").unwrap();
        let sources = ["a.", "b."].map(|apex| ZoneSource::new(apex.parse().unwrap(), &file));
        let store = Store::open(directory.path()).unwrap();
        let options = Options::new(directory.path());
        let (publisher, _) = Publisher::open(store, sources.to_vec(), options).unwrap();
        let mut zones = publisher.status();
        let secondary = |since| Secondary {
            name: "ns2".to_owned(),
            address: "192.0.2.53:53".to_owned(),
            serial: Some(6),
            seen: None,
            behind: true,
            behind_since: Some(since),
            error: None,
        };
        zones[0].secondaries = vec![secondary(1_000)];
        assert!(late(&zones, 600_000).is_empty(), "not for long yet");
        let one = "secondary ns2 lacks a. 7 since 1970-01-01T00:00:01Z: it still serves 6";
        assert_eq!(late(&zones, 700_000), [one]);
        zones[1].secondaries = vec![secondary(2_000)];
        let all = late(&zones, 700_000);
        assert!(all.len() == 1 && all[0].contains("2 zones, a. among them,"), "{all:?}");
    }

    #[test]
    fn primaries_that_are_away_are_one_warning_for_all_their_zones() {
        let directory = tempfile::tempdir().unwrap();
        let source = |apex: &str, primary: &str| {
            ZoneSource::secondary(apex.parse().unwrap(), vec![primary.to_owned()])
        };
        let sources = vec![source("a.", "ns1"), source("b.", "ns1"), source("c.", "ns2")];
        let store = Store::open(directory.path()).unwrap();
        let options = Options::new(directory.path());
        let (publisher, _) = Publisher::open(store, sources, options).unwrap();
        let zones = publisher.status();
        assert!(without_primary(std::iter::empty()).is_empty());
        let failing = zones.iter().zip([2_000, 1_000, 3_000]);
        let failing = failing.map(|(zone, since)| (zone, since, format!("{} hangs", zone.zone)));
        let expected = [
            "no primary of 2 zones, b. among them, could be used since 1970-01-01T00:00:01Z: b. hangs",
            "no primary of c. could be used since 1970-01-01T00:00:03Z: c. hangs",
        ];
        assert_eq!(without_primary(failing), expected);
    }
}
