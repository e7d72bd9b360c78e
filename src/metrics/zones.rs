//! The metrics of zones: the status of each, and how long changes take.

use super::catalogue::{self as of, Described};
use super::family::{Family, Spread};
use crate::publish::{Durations, TIME_BOUNDS, Times, ZoneStatus};

/// Causes of changes for which each zone has a sample from the start. The others appear with their first change, because
/// there may be many zones.
const CAUSES: [&str; 5] = ["file", "request", "update", "rollback", "transfer"];
/// The same of results of reloads.
const RESULTS: [&str; 3] = ["live", "unchanged", "refused"];

/// The families that are gauges of a zone, with their values.
type Gauge = (&'static Described, fn(&ZoneStatus) -> Option<f64>);

/// Gauges of each zone.
const GAUGES: [Gauge; 11] = [
    (&of::ZONE_SERIAL, |zone| zone.serial.map(f64::from)),
    (&of::ZONE_FILE_SERIAL, |zone| zone.file_serial.map(f64::from)),
    (&of::ZONE_RECORDS, |zone| Some(zone.records as f64)),
    (&of::ZONE_NAMES, |zone| Some(zone.names as f64)),
    (&of::ZONE_PROMOTED, |zone| zone.promoted.map(|count| count as f64)),
    (&of::ZONE_CHANGED, |zone| zone.last_change.as_ref().map(|change| change.at_ms as f64 / 1e3)),
    (&of::ZONE_LOADED, |zone| Some(f64::from(zone.is_served()))),
    (&of::ZONE_RELOAD_FAILED, |zone| Some(f64::from(zone.refusal.is_some()))),
    (&of::ZONE_STALE, |zone| Some(f64::from(zone.from_store))),
    (&of::ZONE_EXPIRE, |zone| zone.expire_seconds.map(f64::from)),
    (&of::SIGNATURE_EXPIRY, |zone| zone.signatures_end.map(|end| end as f64)),
];

/// The families of zones, at a time in milliseconds since 1970.
pub fn zones(zones: &[ZoneStatus], times: &Times, now_ms: i64) -> Vec<Family> {
    let names: Vec<String> = zones.iter().map(|zone| zone.zone.to_string()).collect();
    let named = || names.iter().map(String::as_str).zip(zones);
    let mut families: Vec<Family> = GAUGES
        .iter()
        .map(|(described, value)| {
            let mut family = Family::of(described);
            for (name, zone) in named() {
                value(zone).into_iter().for_each(|value| family.push(&[name], value));
            }
            family
        })
        .collect();
    let mut serials = Family::of(&of::SECONDARY_SERIAL);
    let mut behind = Family::of(&of::SECONDARY_BEHIND);
    let (mut reloads, mut changes) = (Family::of(&of::RELOAD), Family::of(&of::CHANGES));
    for (name, zone) in named() {
        for one in &zone.secondaries {
            let serial = one.serial.map(f64::from);
            serial.into_iter().for_each(|serial| serials.push(&[name, &one.name], serial));
            let since = one.behind_since.map_or(0.0, |since| (now_ms - since).max(0) as f64 / 1e3);
            behind.push(&[name, &one.name], since);
        }
        add_reloads(&mut reloads, name, zone);
        for cause in CAUSES.iter().filter(|cause| !zone.changes.contains_key(**cause)) {
            changes.count(&[name, cause], 0);
        }
        for (cause, count) in &zone.changes {
            changes.count(&[name, cause], *count);
        }
    }
    families.extend([serials, behind, reloads, changes]);
    let mut reload = Family::of(&of::RELOAD_SECONDS);
    reload.spread(&[], spread(&times.reload));
    let mut publish = Family::of(&of::PUBLISH_SECONDS);
    for (stage, durations) in &times.stages {
        publish.spread(&[stage], spread(durations));
    }
    families.extend([reload, publish]);
    families
}

/// Adds the results of reloads of a zone's file; refused ones with their guard.
fn add_reloads(family: &mut Family, name: &str, zone: &ZoneStatus) {
    for result in RESULTS.iter().filter(|result| !zone.reloads.contains_key(&(**result, ""))) {
        family.count(&[name, result, ""], 0);
    }
    for ((result, guard), count) in &zone.reloads {
        family.count(&[name, result, guard], *count);
    }
}

/// How long something took, as a histogram.
fn spread(durations: &Durations) -> Spread {
    let counts = durations.counts.to_vec();
    Spread { bounds: &TIME_BOUNDS, counts, sum: durations.sum }
}
