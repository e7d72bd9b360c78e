//! Whether the daemon does all of its work: one place for `/readyz`, `ctl status` and its exit code.

use super::fleet::{away, late};
use super::host::Host;
use super::time::now_ms;
use crate::fleet::RefreshStatus;
use crate::lock::lock;
use crate::master::Finding;
use crate::publish::{ZoneStatus, unanswered};

/// What `/readyz` of the metrics listener and `ctl status` say.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Why names are not answered: a load balancer should send queries to another server.
    missing: Option<String>,
    /// What is wrong with zones, though others are answered.
    zones: Vec<String>,
    /// What does not work besides zones, with what to do.
    pub(super) faults: Vec<String>,
    /// What will become a fault if nothing is done.
    pub(super) warnings: Vec<String>,
}

impl Host {
    /// Looks at queue, disk and listeners; `zones` is how these are.
    pub(super) fn health_of(&self, zones: &[ZoneStatus]) -> Health {
        let (faults, warnings) = self.signing_troubles();
        Health {
            missing: unanswered(zones),
            zones: self.zone_faults(zones),
            faults: self.faults(faults),
            warnings: self.warnings((zones, &self.refreshes(zones)), warnings),
        }
    }

    /// What is wrong with zones.
    fn zone_faults(&self, zones: &[ZoneStatus]) -> Vec<String> {
        let mut faults = Vec::new();
        for zone in zones {
            faults.extend(zone_fault(zone));
            // A fault that arose while the zone was served, such as expired signatures.
            let errors = zone.warnings.iter().filter(|finding| finding.is_error());
            faults.extend(errors.map(|finding| finding.message.clone()));
        }
        let findings = self.publisher.findings().into_iter().filter(Finding::is_error);
        faults.extend(findings.map(|finding| finding.message));
        faults
    }

    /// What will soon stop working; `signing` are the warnings about signed zones.
    fn warnings(
        &self,
        (zones, refreshes): (&[ZoneStatus], &[Option<RefreshStatus>]),
        signing: Vec<String>,
    ) -> Vec<String> {
        let mut warnings = self.road_3.warnings();
        warnings.extend(self.node.warnings());
        warnings.extend(self.running.soon());
        warnings.extend(late(zones, now_ms()));
        warnings.extend(signing);
        warnings.extend(away(zones, refreshes));
        warnings
    }

    /// Faults other than those of zones; `signing` are those of signed zones.
    fn faults(&self, signing: Vec<String>) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(self.road_3.closed().map(|why| format!("the queue is closed: {why}")));
        let stand_in = self.stand_in.iter().filter(|_| self.road_3.closed().is_none());
        faults.extend(stand_in.map(|why| format!("the database is not used: {why}")));
        faults.extend(self.road_3.obstacle().or_else(|| self.node.unwritten()));
        faults.extend(signing);
        faults.extend(self.node.faults());
        faults.extend(self.publisher.unkept());
        faults.extend(self.running.faults());
        faults.extend(lock(&self.off).iter().cloned());
        faults
    }

    /// Records a component that could not be started, for as long as the daemon runs.
    pub(super) fn note_off(&self, what: &str) {
        tracing::error!(what, "zones are answered without it: fix this and restart");
        lock(&self.off).push(what.to_owned());
    }
}

/// The fault of a zone, if it has one.
fn zone_fault(zone: &ZoneStatus) -> Option<String> {
    let name = &zone.zone;
    if zone.expired {
        return Some(format!("{name} has expired, no primary answered for too long: SERVFAIL"));
    }
    let what = if zone.is_secondary() { "transfer" } else { "file" };
    match (&zone.refusal, zone.serial) {
        (Some(refusal), Some(serial)) => {
            let guard = refusal.guard.word();
            Some(format!("{name} {what} refused ({guard}), still serving {serial}"))
        }
        (Some(refusal), None) => {
            Some(format!("{name} {what} refused ({}), not served: SERVFAIL", refusal.guard.word()))
        }
        (None, None) if zone.is_secondary() => {
            Some(format!("{name} has not been transferred yet: SERVFAIL"))
        }
        (None, None) => Some(format!("{name} is not loaded: SERVFAIL")),
        (None, Some(_)) => None,
    }
}

impl Health {
    /// Everything that needs fixing, zones first.
    pub(super) fn all_faults(&self) -> impl Iterator<Item = &String> {
        self.zones.iter().chain(&self.faults)
    }

    /// Whether names are answered and nothing needs fixing.
    pub(super) fn is_well(&self) -> bool {
        self.missing.is_none() && self.all_faults().next().is_none()
    }

    /// The body of the answer, or of 503.
    pub(super) fn answer(&self) -> Result<String, String> {
        let line = |line: &String| line.replace('\n', " ") + "\n";
        let faults: String = self.all_faults().chain(&self.warnings).map(line).collect();
        match &self.missing {
            None => Ok(format!("ready\n{faults}")),
            Some(missing) => Err(line(missing) + &faults),
        }
    }
}
