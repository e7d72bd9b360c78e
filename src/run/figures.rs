//! Figures for `/metrics` that are the daemon's as a whole: process, connections, query log, certificates, queue.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::host::Host;
use crate::answer::Transport;
use crate::metrics::{Family, process};
use crate::serve::LogState;

impl Host {
    /// All of them now.
    pub(super) fn figures(&self, started: SystemTime) -> Vec<Family> {
        let mut families = process(started);
        families.push(self.connections());
        families.push(entries(
            "gapura_query_log_lines",
            "Lines of the query log, by what became of them",
            self.running.query_log(),
        ));
        families.push(entries(
            "gapura_dnstap_frames",
            "Messages for dnstap, by what became of them",
            self.running.dnstap(),
        ));
        families.push(self.certificate_ends());
        let help = "What ctl status says should be mended, without its warnings";
        let count = self.health().faults.len() as f64;
        families.push(Family::gauge("gapura_faults", help).with(Vec::new(), count));
        families.push(self.notifies());
        families.push(self.transfers());
        families.push(self.transfers_in());
        families.extend(self.signing_figures());
        families.extend(self.road_3.figures());
        families
    }

    /// Connections open now.
    fn connections(&self) -> Family {
        let mut open = BTreeMap::from([("tcp", 0_u64)]);
        for (lane, totals) in self.running.counters() {
            let transport = match lane.transport {
                Transport::Tcp => "tcp",
                Transport::Tls => "tls",
                Transport::Udp | Transport::Quic => continue,
            };
            let closed: u64 = totals.closed.iter().sum();
            *open.entry(transport).or_default() += totals.connections.saturating_sub(closed);
        }
        let family = Family::gauge("gapura_connections", "Connections open");
        open.into_iter().fold(family, |family, (transport, count)| {
            family.with(vec![("transport", transport.to_owned())], count as f64)
        })
    }

    /// When certificates end.
    fn certificate_ends(&self) -> Family {
        let help = "When the certificate of a table of the settings ends";
        let family = Family::gauge("gapura_certificate_expiry_timestamp_seconds", help);
        self.running.certificates().iter().fold(family, |family, report| {
            match report.state.validity {
                Some(validity) => {
                    family.with(vec![("table", report.table().to_owned())], validity.until as f64)
                }
                None => family,
            }
        })
    }
}

/// Entries of a log of queries, written and lost.
fn entries(name: &'static str, help: &'static str, state: Option<LogState>) -> Family {
    let family = Family::counter(name, help);
    let Some(log) = state else { return family };
    let label = |result: &str| vec![("result", result.to_owned())];
    family.with(label("written"), log.written as f64).with(label("lost"), log.dropped as f64)
}
