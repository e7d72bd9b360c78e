//! What the control socket can have done, on behalf of the operator.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::words::utc;
use super::{log, options};
use crate::config;
use crate::control::{Command, Reply, Session};
use crate::master::{print_record, print_zone};
use crate::publish::{PublishError, Publisher, ReloadReport, ZoneStatus};
use crate::serve::Running;
use crate::wire::{Name, Rcode, Record};
use crate::zone::Delta;

/// Everything commands work on.
pub(super) struct Host {
    /// Where the settings are read again.
    pub(super) settings_path: PathBuf,
    /// The door to live data.
    pub(super) publisher: Publisher,
    /// The listeners.
    pub(super) running: Arc<Running>,
    /// Why the database is not used, if it is not.
    pub(super) stand_in: Option<String>,
    /// Road 3; none while a database stands in.
    #[cfg(feature = "approval")]
    pub(super) office: Option<Office>,
}

/// What commands on people and the queue work on.
#[cfg(feature = "approval")]
pub(super) struct Office {
    /// Accounts and tokens.
    pub(super) people: crate::people::People,
    /// The acting functions, for the report that closes a month.
    pub(super) desk: crate::desk::Desk,
    /// The database, for the event chain.
    pub(super) store: crate::store::Store,
    /// Where keys lie outside the database.
    pub(super) state_dir: PathBuf,
}

impl Host {
    /// Does a command.
    pub(super) fn command(&self, command: Command, session: &Session) -> Reply {
        let who = format!("uid {}", session.uid);
        match command {
            Command::Status => self.status(),
            Command::Stats => self.stats(),
            Command::Reload { zone: Some(zone), force } => self.reload_zone(&zone, force, &who),
            Command::Reload { zone: None, force } => self.reload_all(force, &who),
            Command::ZoneShow { zone, at } => self.with_zone(&zone, |apex| self.show(apex, at)),
            Command::ZoneDiff { zone, from, to } => {
                self.with_zone(&zone, |apex| self.diff(apex, from, to))
            }
            Command::ZoneHistory { zone, limit } => {
                self.with_zone(&zone, |apex| self.history(apex, limit))
            }
            Command::ZoneRollback { zone, to } => {
                self.with_zone(&zone, |apex| self.rollback(apex, to, &who))
            }
            other => self.road_3(other),
        }
    }

    /// Commands on people and the queue.
    #[cfg(feature = "approval")]
    fn road_3(&self, command: Command) -> Reply {
        let Some(office) = &self.office else {
            let reason = self.stand_in.as_deref().unwrap_or_default();
            return Reply::failed(format!("the queue is closed: {reason}"));
        };
        if let Command::Report { month } = &command {
            // What stands in a report is finished; a month that cannot be read is told below.
            if let Err(error) = office.desk.close_month(month) {
                return Reply::failed(error.to_string());
            }
        }
        super::people::command(&office.people, command)
            .or_else(|command| super::audit::command(&office.store, &office.state_dir, command))
            .unwrap_or_else(|_| Reply::failed("this command is not for the daemon"))
    }

    /// A name server alone has neither people nor queue.
    #[cfg(not(feature = "approval"))]
    fn road_3(&self, _: Command) -> Reply {
        Reply::failed("this gapura was built as a name server alone: it has no queue")
    }
}

//------------ Reload --------------------------------------------------------

impl Host {
    /// One zone.
    fn reload_zone(&self, zone: &str, force: bool, who: &str) -> Reply {
        self.with_zone(zone, |apex| {
            let reports = self.publisher.reload(Some(apex), force.then_some(who));
            match reports.is_empty() {
                true => Reply::failed(PublishError::UnknownZone(apex.clone()).to_string()),
                false => reported(&reports, &[]),
            }
        })
    }

    /// Settings and all zones: all of the settings or nothing of them.
    pub(super) fn reload_all(&self, force: bool, who: &str) -> Reply {
        let loaded = match config::load(&self.settings_path) {
            Ok(loaded) => loaded,
            Err(findings) => {
                let text: String = findings.iter().map(|found| format!("{found}\n")).collect();
                let text = format!("settings refused, nothing changed\n{text}");
                return Reply { exit: 1, text, json: json!({ "settings": findings }) };
            }
        };
        let sources = match options::sources(&loaded.settings) {
            Ok(sources) => sources,
            Err(error) => {
                return Reply::failed(format!("settings refused, nothing changed: {error}"));
            }
        };
        let serve = match options::serve(&loaded.settings) {
            Ok(serve) => serve,
            Err(error) => {
                return Reply::failed(format!("settings refused, nothing changed: {error}"));
            }
        };
        #[cfg(feature = "approval")]
        let working_time = match options::calendar(&loaded.settings) {
            Ok(calendar) => calendar,
            Err(error) => {
                return Reply::failed(format!("settings refused, nothing changed: {error}"));
            }
        };
        if let Err(error) = self.running.reload_certificates() {
            return Reply::failed(format!("certificates refused, nothing changed: {error}"));
        }
        self.running.set_identity(serve.identity);
        self.running.set_allow_query(serve.allow_query);
        #[cfg(feature = "approval")]
        if let Some(office) = &self.office {
            let noted = super::queue::note_settings(&office.desk, &self.settings_path);
            if let Err(error) = noted.and_then(|()| office.desk.set_working_time(working_time)) {
                tracing::error!(%error, "the change of the settings is not on record");
            }
        }
        let reports = self.publisher.reload_sources(sources, force.then_some(who));
        let notes = [
            "listeners, limits and the settings of the queue but for [work] take effect at a restart",
        ];
        reported(&reports, &notes)
    }

    /// What SIGHUP does; the result is in the log.
    pub(super) fn reload_by_signal(&self) {
        let reply = self.reload_all(false, "SIGHUP");
        for line in reply.text.lines() {
            if reply.exit == 0 {
                tracing::info!("reload: {line}");
            } else {
                tracing::error!("reload: {line}");
            }
        }
    }
}

/// Reports as a reply; one refusal makes the exit code 1.
fn reported(reports: &[ReloadReport], notes: &[&str]) -> Reply {
    let ok = reports.iter().all(ReloadReport::is_ok);
    let text: String = reports.iter().map(|report| format!("{report}\n")).collect();
    let json = json!({ "zones": reports, "notes": notes });
    Reply { exit: u8::from(!ok), text, json }
}

//------------ Zones ---------------------------------------------------------

impl Host {
    /// Reads a zone's name and does something with it.
    fn with_zone(&self, zone: &str, work: impl FnOnce(&Name) -> Reply) -> Reply {
        match zone.parse::<Name>() {
            Ok(apex) => work(&apex),
            Err(error) => Reply::failed(format!("\"{zone}\" is not a domain name: {error}")),
        }
    }

    /// The live version, or one of the history, as a master file.
    fn show(&self, apex: &Name, at: Option<u32>) -> Reply {
        let zone = match at {
            Some(serial) => match self.publisher.show(apex, serial) {
                Ok(zone) => zone,
                Err(error) => return Reply::failed(error.to_string()),
            },
            None => match self.publisher.zone(apex) {
                Some(zone) => zone,
                None => return Reply::failed(format!("{apex} is not served by this daemon")),
            },
        };
        let text = print_zone(zone.records());
        let json =
            json!({ "zone": apex.to_string(), "serial": zone.serial(), "master_file": text });
        Reply::done(text, json)
    }

    /// Differences between two versions, or between what is live and the file.
    fn diff(&self, apex: &Name, from: Option<u32>, to: Option<u32>) -> Reply {
        let live = || self.publisher.zone(apex).map(|zone| zone.serial());
        let versions = match (from, to) {
            (Some(from), to) => to.or_else(live).map(|to| (from, to)),
            (None, Some(to)) => live().map(|from| (from, to)),
            (None, None) => None,
        };
        if versions.is_none() && (from.is_some() || to.is_some()) {
            return Reply::failed(format!("{apex} is not served by this daemon"));
        }
        let Some((from, to)) = versions else {
            return match self.publisher.diff_file(apex) {
                Ok(diff) => {
                    let mut text = delta_text(&diff.delta);
                    for finding in &diff.findings {
                        // Writing to a String cannot fail.
                        let _ = writeln!(text, "  {finding}");
                    }
                    let json = json!({
                        "serial": diff.serial, "diff": delta_text(&diff.delta),
                        "refused": diff.refused, "findings": diff.findings,
                    });
                    Reply { exit: u8::from(diff.refused), text, json }
                }
                Err(error) => Reply::failed(error.to_string()),
            };
        };
        match self.publisher.diff(apex, from, to) {
            Ok(delta) => {
                let text = delta_text(&delta);
                Reply::done(text.clone(), json!({ "from": from, "to": to, "diff": text }))
            }
            Err(error) => Reply::failed(error.to_string()),
        }
    }

    /// Versions, newest first.
    fn history(&self, apex: &Name, limit: usize) -> Reply {
        let versions = match self.publisher.history(apex, limit) {
            Ok(versions) => versions,
            Err(error) => return Reply::failed(error.to_string()),
        };
        // A zone that left has its history still.
        if versions.is_empty() && self.publisher.zone_status(apex).is_none() {
            return Reply::failed(PublishError::UnknownZone(apex.clone()).to_string());
        }
        let text: String = versions
            .iter()
            .map(|one| {
                format!("{:>10}  {}  {:<12} {}\n", one.to, utc(one.at_ms), one.who, one.cause)
            })
            .collect();
        let json = versions
            .iter()
            .map(|one| {
                json!({
                    "from": one.from, "to": one.to, "at": utc(one.at_ms), "who": one.who,
                    "cause": one.cause, "removed": one.removed, "added": one.added,
                })
            })
            .collect();
        Reply::done(text, json)
    }

    /// Publishes an earlier version again.
    fn rollback(&self, apex: &Name, to: u32, who: &str) -> Reply {
        match self.publisher.rollback(apex, to, who) {
            Ok(change) => {
                let (removed, added) = change.counts();
                let from = change.from.map_or_else(|| "-".to_owned(), |serial| serial.to_string());
                let text =
                    format!("{apex} {from} -> {}  +{added} -{removed} records, as {to}", change.to);
                Reply::done(text, json!({ "from": change.from, "to": change.to, "as": to }))
            }
            Err(PublishError::NoEffect(_)) => {
                let text = format!("{apex} is as it was at {to}: nothing to roll back");
                Reply::done(text, json!({ "as": to }))
            }
            Err(error) => Reply::failed(error.to_string()),
        }
    }
}

//------------ Status --------------------------------------------------------

impl Host {
    /// Zones and listeners.
    fn status(&self) -> Reply {
        let zones = self.publisher.status();
        let listening: Vec<String> = self
            .running
            .addresses()
            .iter()
            .map(|one| format!("{:?} {}", one.transport, one.address).to_lowercase())
            .collect();
        let mut text = format!("gapura {}  {}\n", env!("CARGO_PKG_VERSION"), listening.join(", "));
        if let Some(reason) = &self.stand_in {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  the database is not used, the queue is closed: {reason}");
        }
        for zone in &zones {
            add_zone(&mut text, zone);
        }
        let drift = self.drift();
        for item in drift.iter().filter_map(|item| item["text"].as_str()) {
            let _ = writeln!(text, "not as promised: {item}");
        }
        let json = json!({
            "version": env!("CARGO_PKG_VERSION"), "pid": std::process::id(),
            "listening": listening, "zones": zones, "stand_in": self.stand_in, "drift": drift,
        });
        Reply::done(text, json)
    }

    /// What the live records promise and the zones do not say, or the other way round.
    #[cfg(feature = "approval")]
    fn drift(&self) -> Vec<Value> {
        let Some(office) = &self.office else { return Vec::new() };
        let told = |item: &crate::desk::Drift| {
            let mut told = serde_json::to_value(item).unwrap_or_default();
            told["text"] = item.to_string().into();
            told
        };
        match office.desk.drift() {
            Ok(drift) => drift.iter().map(told).collect(),
            Err(error) => vec![json!({ "text": error.to_string() })],
        }
    }

    /// A name server alone promises nothing.
    #[cfg(not(feature = "approval"))]
    fn drift(&self) -> Vec<Value> {
        Vec::new()
    }

    /// Counters, all transports together and each by itself.
    fn stats(&self) -> Reply {
        let lanes = self.running.counters();
        let mut text = String::new();
        let mut all = Vec::<Value>::new();
        for (lane, totals) in &lanes {
            let queries: u64 = totals.opcodes.iter().sum();
            let responses: u64 = totals.rcodes.iter().sum();
            let rcode = |code: Rcode| totals.rcodes[usize::from(code.0)];
            let transport = format!("{:?}", lane.transport).to_lowercase();
            let family = if lane.ipv6 { "ipv6" } else { "ipv4" };
            // Writing to a String cannot fail.
            let _ = writeln!(
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
        Reply::done(text, json!({ "lanes": all }))
    }

    /// SIGUSR1: log files are opened again.
    pub(super) fn reopen_logs(&self) {
        self.running.reopen_query_log();
        tracing::info!("query log reopened");
    }
}

/// One zone of the status.
fn add_zone(text: &mut String, zone: &ZoneStatus) {
    let serial = zone.serial.map_or_else(|| "not loaded".to_owned(), |serial| serial.to_string());
    let file_serial = zone.file_serial.map_or_else(|| "-".to_owned(), |serial| serial.to_string());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{} serial {serial}, file {} serial {file_serial}, {} records, {} promoted",
        zone.zone,
        zone.file.display(),
        zone.records,
        zone.promoted
    );
    if let Some(change) = &zone.last_change {
        let _ = writeln!(
            text,
            "  last change {} by {}: {}",
            utc(change.at_ms),
            change.who,
            change.cause
        );
    }
    if zone.from_store {
        let _ = writeln!(text, "  served from the database: the file was refused at start");
    }
    if zone.rolled_back {
        let _ = writeln!(text, "  the file was rolled back: it is not loaded until it changes");
    }
    if let Some(refusal) = &zone.refusal {
        let _ = writeln!(text, "  file refused {} ({})", utc(refusal.at_ms), refusal.guard.word());
        for finding in &refusal.findings {
            let _ = writeln!(text, "    {finding}");
        }
    }
    for absent in &zone.absent_from_file {
        let _ = writeln!(text, "  promoted, not in the file: {absent}");
    }
    for masked in &zone.masked {
        let _ = writeln!(text, "  in the file, but not served so: {masked}");
    }
}

/// Records removed and added, a line each.
fn delta_text(delta: &Delta) -> String {
    let lines = |sign: char, records: &[Record]| -> String {
        let line =
            |record: &Record| format!("{sign} {}\n", print_record(record.as_ref()).trim_end());
        records.iter().map(line).collect()
    };
    lines('-', &delta.removed) + &lines('+', &delta.added)
}

/// The level of the log for a command line's wish.
pub fn log_level(quiet: bool, verbose: u8) -> log::Level {
    match (quiet, verbose) {
        (true, _) => log::Level::Quiet,
        (false, 0) => log::Level::Normal,
        (false, 1) => log::Level::Verbose,
        (false, _) => log::Level::Everything,
    }
}
