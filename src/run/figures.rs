//! Metrics for `/metrics`, collected from the rooms that have them.

use std::time::{Duration, Instant, SystemTime};

use super::backup::last_made;
use super::host::Host;
use super::time::now_ms;
use crate::lock::lock;
use crate::metrics::catalogue as of;
use crate::metrics::{Family, name_server, process, zones};
use crate::publish::ZoneStatus;
use crate::serve::{LogState, XdpReport};

/// How long the sizes of journals are cached: computing them reads every change.
const JOURNALS_TIME: Duration = Duration::from_secs(60);

/// The cached sizes of journals, and when they were computed.
pub(super) type Journals = Option<(Instant, Vec<(String, u64)>)>;

impl Host {
    /// All of them now.
    pub(super) fn figures(&self, started: SystemTime) -> Vec<Family> {
        let status = self.publisher.status();
        let mut families = name_server(&self.running.counters());
        families.push(self.zone_queries(&status));
        families.push(Family::of(&of::LISTENER_RESTARTS).with(&[], self.running.restarts() as f64));
        families.extend(xdp(&self.running.xdp()));
        families.extend(zones(&status, &self.publisher.times(), now_ms()));
        families.push(self.journals(&status));
        families.extend(process(started, &self.state_dir));
        families.push(entries(Family::of(&of::QUERY_LOG_LINES), self.running.query_log()));
        families.push(entries(Family::of(&of::DNSTAP_FRAMES), self.running.dnstap()));
        families.push(self.certificate_ends());
        let count = self.health_of(&status).all_faults().count() as f64;
        families.push(Family::of(&of::FAULTS).with(&[], count));
        families.extend(self.fleet_figures(&status));
        families.push(self.backup());
        families.extend(self.signing_figures());
        families.extend(self.road_3.figures());
        families.extend(self.node.figures(self.road_3.reaches_publisher()));
        families
    }

    /// Queries answered from each zone.
    fn zone_queries(&self, status: &[ZoneStatus]) -> Family {
        let mut family = Family::of(&of::ZONE_QUERIES);
        let (counts, others) = self.running.zone_queries(status.iter().map(|zone| &zone.zone));
        for (zone, count) in status.iter().zip(counts) {
            family.count(&[&zone.zone.to_string()], count);
        }
        family.count(&["other"], others);
        family
    }

    /// Octets of the changes kept for each zone; no samples if the database cannot be read.
    fn journals(&self, status: &[ZoneStatus]) -> Family {
        let mut known = lock(&self.journals);
        if known.as_ref().is_none_or(|(at, _)| at.elapsed() > JOURNALS_TIME) {
            let octets = |zone: &ZoneStatus| {
                let octets = self.publisher.journal_octets(&zone.zone).ok()?;
                Some((zone.zone.to_string(), octets))
            };
            *known = Some((Instant::now(), status.iter().filter_map(octets).collect()));
        }
        let mut family = Family::of(&of::JOURNAL_BYTES);
        for (zone, octets) in known.iter().flat_map(|(_, sizes)| sizes) {
            family.count(&[zone], *octets);
        }
        family
    }

    /// When the last backup was made.
    fn backup(&self) -> Family {
        let made = last_made(&self.state_dir).unwrap_or_default();
        Family::of(&of::BACKUP).with(&[], made as f64)
    }

    /// When certificates end.
    fn certificate_ends(&self) -> Family {
        let mut family = Family::of(&of::CERTIFICATE_EXPIRY);
        for report in self.running.certificates() {
            if let Some(validity) = &report.state.validity {
                family.push(&[report.table()], validity.until as f64);
            }
        }
        family
    }
}

/// Interfaces whose queries come over AF_XDP.
fn xdp(interfaces: &[XdpReport]) -> [Family; 2] {
    let mut attached = Family::of(&of::XDP_ATTACHED);
    let mut frames = Family::of(&of::XDP_FRAMES);
    for it in interfaces {
        let name = it.interface.as_str();
        attached.push(&[name, it.mode.unwrap_or("none")], f64::from(it.mode.is_some()));
        for (result, count) in [
            ("received", it.received),
            ("sent", it.sent),
            ("invalid", it.invalid),
            ("dropped", it.dropped),
        ] {
            frames.count(&[name, result], count);
        }
    }
    [attached, frames]
}

/// Entries of a log of queries, written and lost; zeros without one.
fn entries(mut family: Family, state: Option<LogState>) -> Family {
    let (written, lost) = state.map_or((0, 0), |log| (log.written, log.dropped));
    family.count(&["written"], written);
    family.count(&["lost"], lost);
    family
}
