//! The metrics of zones.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::publish::{Publisher, ZoneStatus};

/// Collects what the publisher knows of each zone.
pub struct Zones {
    /// The source of the facts.
    publisher: Publisher,
}

impl Zones {
    /// A collector over all zones of a publisher.
    pub fn new(publisher: Publisher) -> Self {
        Self { publisher }
    }
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Zones")
    }
}

impl Collector for Zones {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let zones = self.publisher.status();
        let mut gauge = |name: &str, help: &str, value: &dyn Fn(&ZoneStatus) -> Option<i64>| {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for zone in &zones {
                if let Some(value) = value(zone) {
                    let labels = [("zone", zone.zone.to_string())];
                    ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
                }
            }
            Ok::<(), fmt::Error>(())
        };
        gauge("gapura_zone_serial", "Serial served", &|zone| zone.serial.map(i64::from))?;
        gauge("gapura_zone_file_serial", "Serial of the file", &|z| z.file_serial.map(i64::from))?;
        gauge("gapura_zone_records", "Records served", &|zone| i64::try_from(zone.records).ok())?;
        gauge("gapura_zone_names", "Names served", &|zone| i64::try_from(zone.names).ok())?;
        gauge("gapura_zone_promoted_records", "Promoted RRsets and masks", &|zone| {
            i64::try_from(zone.promoted).ok()
        })?;
        gauge("gapura_zone_changed_timestamp_seconds", "Time of the last change", &|zone| {
            zone.last_change.as_ref().map(|change| change.at_ms / 1000)
        })?;
        gauge("gapura_zone_reload_failed", "Whether the file on disk is refused", &|zone| {
            Some(i64::from(zone.refusal.is_some()))
        })?;
        gauge("gapura_zone_stale", "Whether the zone is served from the database", &|zone| {
            Some(i64::from(zone.from_store))
        })?;
        let left = "How long a secondary zone is still served without a refresh";
        gauge("gapura_zone_expire_seconds", left, &|zone| zone.expire_seconds.map(i64::from))?;
        let end = "End of the first signature of a signed zone";
        gauge("gapura_signature_expiry_timestamp_seconds", end, &|zone| zone.signatures_end)?;
        secondaries(&mut encoder, &zones)?;
        counted(&mut encoder, &zones, "gapura_reload", "Reloads by result", |zone| &zone.reloads)?;
        counted(&mut encoder, &zones, "gapura_changes", "Changes by cause", |zone| &zone.changes)
    }
}

/// The serial of each secondary that answers with one.
fn secondaries(encoder: &mut DescriptorEncoder<'_>, zones: &[ZoneStatus]) -> fmt::Result {
    let (name, help) = ("gapura_secondary_serial", "Serial that a secondary answered last");
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for zone in zones {
        for secondary in &zone.secondaries {
            let Some(serial) = secondary.serial else { continue };
            let labels = [("zone", zone.zone.to_string()), ("peer", secondary.name.clone())];
            ConstGauge::new(i64::from(serial)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

/// A counter per zone and word.
fn counted(
    encoder: &mut DescriptorEncoder<'_>,
    zones: &[ZoneStatus],
    name: &str,
    help: &str,
    counts: impl Fn(&ZoneStatus) -> &std::collections::BTreeMap<&'static str, u64>,
) -> fmt::Result {
    let word = if name == "gapura_reload" { "result" } else { "cause" };
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for zone in zones {
        for (label, count) in counts(zone) {
            let labels = [("zone", zone.zone.to_string()), (word, (*label).to_owned())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
