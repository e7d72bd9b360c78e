//! `gapura check`: what a start needs besides good zone files, checked by the daemon's own code, all faults at once.
//! Nothing is changed, created or bound.

mod fleet;
mod keys;
mod listeners;
mod pages;
mod state;

pub use keys::{signed_elsewhere, signer};
pub use pages::{OnPage, on_pages};

use std::path::Path;

use super::options;
use crate::config::Loaded;
use crate::master::{Finding, Severity};
use crate::publish::{ZoneSource, manifest_faults};
use crate::serve;
use crate::text::with_causes;

/// Everything that can be wrong besides the zones' own files.
pub fn check(loaded: &Loaded, sources: &[ZoneSource]) -> Vec<Finding> {
    let mut check = Check { loaded, findings: Vec::new() };
    check.options();
    check.listeners();
    check.xdp();
    check.certificates();
    check.fleet();
    check.query_log();
    check.state();
    check.signing_keys(sources);
    check.manifests(sources);
    for message in options::warnings(loaded) {
        check.warn("settings-risk", "", message, "");
    }
    check.findings
}

/// Further faults of settings that could only be read in part, so that one run reports as much as possible. A finding
/// that may only come from the unreadable part is left for the next run.
pub fn besides(loaded: &Loaded, faults: &[Finding]) -> Vec<Finding> {
    let line = |finding: &Finding| finding.place.as_ref().map(|place| place.line);
    let lines: Vec<u32> = faults.iter().filter_map(line).collect();
    // A missing table shifts the index of those behind it in the list.
    let lists: Vec<&str> = lines
        .iter()
        .filter_map(|line| loaded.table_at(*line))
        .filter(|table| table.starts_with("[["))
        .collect();
    let mut found = options::findings(loaded);
    found.retain(|finding| {
        let line = line(finding);
        let is_in_list =
            line.and_then(|it| loaded.table_at(it)).is_some_and(|it| lists.contains(&it));
        let is_known = line.is_some_and(|it| lines.contains(&it));
        !is_in_list && !is_known && !finding.message.contains("there is no [[")
    });
    found
}

/// A check under way.
struct Check<'a> {
    /// The settings.
    loaded: &'a Loaded,
    /// What is wrong so far.
    findings: Vec<Finding>,
}

impl Check<'_> {
    /// Notes a fault of a setting, by its key; the hint may be empty.
    fn fault(&mut self, rule: &'static str, key: &str, message: String, hint: &str) {
        self.note(rule, Severity::Error, key, message, hint);
    }

    /// Notes what works but is probably a mistake.
    fn warn(&mut self, rule: &'static str, key: &str, message: String, hint: &str) {
        self.note(rule, Severity::Warning, key, message, hint);
    }

    /// Notes either.
    fn note(
        &mut self,
        rule: &'static str,
        severity: Severity,
        key: &str,
        message: String,
        hint: &str,
    ) {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        let place = self.loaded.place(key);
        self.findings.push(Finding { rule, severity, place, message, hint });
    }

    /// Settings that read and make no sense.
    fn options(&mut self) {
        self.findings.extend(options::findings(self.loaded));
    }

    /// Certificates: there, fitting their key, valid now and for some time.
    fn certificates(&mut self) {
        let settings = &self.loaded.settings;
        let tls = settings.tls.iter().map(|tls| ("tls.cert", &tls.cert, &tls.key));
        if let Some(ca) = settings.tls.as_ref().map(|tls| &tls.client_ca)
            && !ca.as_os_str().is_empty()
            && let Err(why) = serve::look_at_client_ca(ca)
        {
            let hint = "name a PEM file with the authorities that sign certificates of clients";
            let message = format!("cannot use {}: {why}", ca.display());
            self.fault("certificate", "tls.client_ca", message, hint);
        }
        let quic = settings.quic.iter().map(|quic| ("quic.cert", &quic.cert, &quic.key));
        for (key, cert, private) in tls.chain(quic) {
            self.pair(key, cert, private);
        }
    }

    /// A certificate and its key.
    fn pair(&mut self, key: &str, cert: &Path, private: &Path) {
        let validity = match serve::certificate_validity(cert, private) {
            Err(error) => return self.fault("certificate", key, with_causes(&error), ""),
            Ok(validity) => validity,
        };
        let now = super::time::now_ms() / 1000;
        let Some(trouble) = validity.and_then(|validity| validity.trouble(now)) else { return };
        let message = format!("{}: {trouble}", cert.display());
        let hint = "replace it: a running gapura picks up the new one automatically";
        if trouble.is_refused() {
            self.fault("certificate-time", key, message, hint);
        } else {
            self.warn("certificate-time", key, message, hint);
        }
    }

    /// The query log and dnstap can be written.
    fn query_log(&mut self) {
        let settings = &self.loaded.settings;
        let log = settings.query_log.as_ref().map(|log| ("query_log.file", log.file.clone()));
        let tap = settings.dnstap.as_ref().map(|tap| ("dnstap.file", tap.file.clone()));
        let state_dir = settings.server.state_dir.clone();
        for (key, file) in log.into_iter().chain(tap) {
            // The state directory is made at the start; dnstap may go to a socket.
            let is_to_be_made = file.parent() == Some(state_dir.as_path()) && !state_dir.exists();
            if is_to_be_made || file.as_os_str().is_empty() {
                continue;
            }
            if let Err(why) = serve::query_log::inspect(&file) {
                let hint = "zones are answered without this log until this is fixed";
                self.fault("query-log", key, why, hint);
            }
        }
    }

    /// Lists of files that change together.
    fn manifests(&mut self, sources: &[ZoneSource]) {
        self.findings.extend(manifest_faults(sources));
    }
}
