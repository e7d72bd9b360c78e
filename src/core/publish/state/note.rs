//! A reload's report as one line of the daemon's log, with its details as fields.

use super::{Outcome, ReloadReport};

/// Findings that a line has; `gapura ctl status` has them all.
const FINDINGS_MAX: usize = 20;

impl ReloadReport {
    /// Writes the line.
    pub(crate) fn note(&self) {
        let mut findings: Vec<String> = self
            .findings
            .iter()
            .take(FINDINGS_MAX)
            .map(crate::master::Finding::with_hint)
            .collect();
        let more = self.findings.len().saturating_sub(FINDINGS_MAX);
        if more > 0 {
            findings.push(format!("and {more} more: gapura ctl status"));
        }
        let findings = (!findings.is_empty()).then(|| findings.join("\n"));
        let (zone, file, ms) = (&self.zone, self.file.display(), self.ms);
        let headline = self.headline();
        match self.outcome {
            Outcome::Live { from, to, removed, added } => tracing::info!(
                event = "zone_live", %zone, %file, from, serial = to, removed, added, ms, findings,
                "{headline}"
            ),
            Outcome::Refused { serial, guard } => {
                let errors = self.errors();
                tracing::error!(
                    event = "zone_refused", %zone, %file, serial, guard = guard.word(), errors,
                    findings, "{headline}"
                );
            }
            Outcome::Removed => tracing::info!(event = "zone_removed", %zone, %file, "{headline}"),
            Outcome::Unchanged { serial } | Outcome::Held { serial, .. } => {
                tracing::info!(event = "zone_unchanged", %zone, %file, serial, findings, "{headline}");
            }
            Outcome::Secondary { serial } => {
                tracing::info!(event = "zone_unchanged", %zone, serial, findings, "{headline}");
            }
        }
    }
}
