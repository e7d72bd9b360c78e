//! `gapura ctl status` and `gapura ctl stats`: zones, listeners and counters as text and JSON.

use serde_json::{Value, json};

use super::fleet::{refresh_line, secondary_line};
use super::host::Host;
use super::reload::{certificate_json, waits};
use super::signing::Signed;
use super::time::utc;
use crate::control::Reply;
use crate::fleet::RefreshStatus;
use crate::publish::ZoneStatus;
use crate::serve::LogState;
use crate::text::append_line;
use crate::wire::Rcode;

/// Names with faulty targets listed in one line of text; JSON has them all.
const TARGETS_MAX: usize = 40;

impl Host {
    /// Zones, listeners and faults; the exit code is 1 if there are faults.
    pub(super) fn status(&self) -> Reply {
        let zones = self.publisher.status();
        let refreshes = self.refreshes(&zones);
        let signed: Vec<Option<Signed>> =
            zones.iter().map(|zone| self.signed(&zone.zone).ok()).collect();
        let all = || zones.iter().zip(refreshes.iter().map(Option::as_ref)).zip(&signed);
        let listening: Vec<String> = self
            .running
            .addresses()
            .iter()
            .map(|one| format!("{:?} {}", one.transport, one.address).to_lowercase())
            .collect();
        let mut text = format!("gapura {}  {}\n", env!("CARGO_PKG_VERSION"), listening.join(", "));
        for line in &self.rights {
            append_line!(text, "  {line}");
        }
        self.node.line().iter().for_each(|line| append_line!(text, "  {line}"));
        let health = self.health_of(&zones);
        for line in health.faults.iter().chain(&health.warnings) {
            append_line!(text, "  {line}");
        }
        let waiting = self.waiting();
        if !waiting.is_empty() {
            append_line!(text, "  {}", waits(&waiting));
        }
        let clock_doubt = self.road_3.clock_doubt();
        if let Some(doubt) = &clock_doubt {
            append_line!(text, "  {doubt}");
        }
        let findings = self.publisher.findings();
        for finding in &findings {
            append_line!(text, "  {}", finding.with_hint());
        }
        for ((zone, refresh), signed) in all() {
            add_zone(&mut text, zone);
            if let Some(refresh) = refresh {
                append_line!(text, "  {}", refresh_line(refresh));
            }
            add_signing(&mut text, zone, signed.as_ref());
        }
        let drift = self.road_3.drift();
        for item in drift.iter().filter_map(|item| item["text"].as_str()) {
            append_line!(text, "not as approved: {item}");
        }
        let targets = self.road_3.targets();
        for item in targets.iter().filter_map(|item| item["text"].as_str()).take(TARGETS_MAX) {
            append_line!(text, "target: {item}");
        }
        let zones_json: Vec<Value> = all()
            .map(|((zone, refresh), signed)| self.zone_json(zone, refresh, signed.as_ref()))
            .collect();
        let json = json!({
            "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(),
            "listening": listening, "rights": self.rights, "zones": zones_json, "findings": findings, "stand_in": self.stand_in,
            "node": self.node.json(),
            "queue_closed": self.road_3.closed(), "clock_doubt": clock_doubt, "drift": drift,
            "targets": targets,
            "webhooks": self.road_3.webhooks(),
            "faults": health.faults, "warnings": health.warnings, "waiting": waiting, "query_log": log_json(self.running.query_log()), "dnstap": log_json(self.running.dnstap()),
            "certificates":
                self.running.certificates().iter().map(certificate_json).collect::<Vec<_>>(),
        });
        Reply { exit: u8::from(!health.is_well()), text, json }
    }

    /// A zone, with the status of its refresh and its signing.
    fn zone_json(
        &self,
        zone: &ZoneStatus,
        refresh: Option<&RefreshStatus>,
        signed: Option<&Signed>,
    ) -> Value {
        let mut json = json!(zone);
        if zone.followed {
            json["file"] = Value::Null;
        }
        if let Some(refresh) = refresh {
            json["refresh"] = json!(refresh);
        }
        if let Some(signed) = signed {
            json["signing"] = signed.json();
        }
        let alarms = self.signer.alarms(&zone.zone);
        if !alarms.is_empty() {
            json["alarms"] = json!(alarms);
        }
        json
    }

    /// Counters per transport and address family.
    pub(super) fn stats(&self) -> Reply {
        let lanes = self.running.counters();
        let mut text = String::new();
        let mut all = Vec::<Value>::new();
        for (lane, totals) in &lanes {
            let queries: u64 = totals.opcodes.iter().sum();
            let responses: u64 = totals.rcodes.iter().sum();
            let rcode = |code: Rcode| totals.rcodes[usize::from(code.0)];
            let transport = format!("{:?}", lane.transport).to_lowercase();
            let family = if lane.ipv6 { "ipv6" } else { "ipv4" };
            append_line!(
                text,
                "{transport} {family}  queries {queries}, responses {responses}, truncated {}, dropped {}, limited {}",
                totals.truncated,
                totals.dropped.iter().sum::<u64>(),
                totals.limited.iter().sum::<u64>(),
            );
            all.push(json!({
                "transport": transport, "family": family, "queries": queries,
                "responses": responses, "truncated": totals.truncated,
                "nxdomain": rcode(Rcode::NXDOMAIN), "servfail": rcode(Rcode::SERVFAIL),
                "refused": rcode(Rcode::REFUSED), "panics": totals.panics,
            }));
        }
        if let Some(log) = self.running.query_log() {
            append_line!(text, "query log  written {}, lost {}", log.written, log.dropped);
        }
        if let Some(log) = self.running.dnstap() {
            append_line!(text, "dnstap  sent {}, lost {}", log.written, log.dropped);
        }
        let connections = self.running.connections();
        append_line!(text, "connections  {connections} open");
        let [log, dnstap] = [self.running.query_log(), self.running.dnstap()].map(log_json);
        let json = json!({
            "lanes": all, "query_log": log, "dnstap": dnstap, "connections": connections,
        });
        Reply::done(text, json)
    }
}

/// The state of a log of queries.
fn log_json(state: Option<LogState>) -> Value {
    state.map_or(
        Value::Null,
        |log| json!({ "written": log.written, "lost": log.dropped, "losing": log.losing }),
    )
}

/// The signing status of a zone, and what its keys wait for.
fn add_signing(text: &mut String, zone: &ZoneStatus, signed: Option<&Signed>) {
    if let Some(signed) = signed {
        append_line!(text, "  {}", signed.headline());
        for line in signed.wait_lines() {
            append_line!(text, "    {line}");
        }
    } else if let Some(end) = zone.signatures_end {
        let end = utc(end.saturating_mul(1000));
        append_line!(text, "  signed elsewhere, first signature ends {end}");
    }
}

/// One zone of the status.
fn add_zone(text: &mut String, zone: &ZoneStatus) {
    let serial = zone.serial.map_or_else(|| "not loaded".to_owned(), |serial| serial.to_string());
    let file_serial = zone.file_serial.map_or_else(|| "-".to_owned(), |serial| serial.to_string());
    if zone.is_made() {
        append_line!(
            text,
            "{} serial {serial}, generated from {}, {} records",
            zone.zone,
            zone.place(),
            zone.records
        );
    } else if zone.followed && !zone.is_secondary() {
        let (zone, place, records) = (&zone.zone, zone.place(), zone.records);
        append_line!(text, "{zone} serial {serial}, {place}, {records} records");
    } else if let (false, Some(promoted)) = (zone.is_secondary(), zone.promoted) {
        append_line!(
            text,
            "{} serial {serial}, file {} serial {file_serial}, {} records, {} promoted{}",
            zone.zone,
            zone.file.display(),
            zone.records,
            promoted - zone.by_updates,
            match zone.by_updates {
                0 => String::new(),
                count => format!(", {count} by updates"),
            }
        );
    } else {
        append_line!(
            text,
            "{} serial {serial}, secondary of {}, {} records",
            zone.zone,
            zone.primaries.join(", "),
            zone.records
        );
    }
    if zone.expired {
        append_line!(
            text,
            "  expired: no primary answered for longer than the SOA's EXPIRE; SERVFAIL"
        );
    }
    if let Some(change) = &zone.last_change {
        append_line!(
            text,
            "  last change {} by {}: {}",
            utc(change.at_ms),
            change.who,
            change.cause
        );
    }
    for finding in &zone.warnings {
        append_line!(text, "  {}", finding.with_hint());
    }
    if zone.from_store {
        append_line!(text, "  served from the database: the file was refused at start");
    }
    if zone.rolled_back {
        append_line!(text, "  the file was rolled back: it is not loaded until it changes");
    }
    if let Some(refusal) = &zone.refusal {
        let what = if zone.is_secondary() { "transfer" } else { "file" };
        append_line!(text, "  {what} refused {} ({})", utc(refusal.at_ms), refusal.guard.word());
        for finding in &refusal.findings {
            append_line!(text, "    {}", finding.with_hint());
        }
    }
    for secondary in &zone.secondaries {
        append_line!(text, "  secondary {}", secondary_line(secondary));
    }
    for absent in &zone.absent_from_file {
        append_line!(text, "  promoted, not in the file: {absent}");
    }
    for masked in &zone.masked {
        append_line!(text, "  in the file, but masked: {masked}");
    }
}
