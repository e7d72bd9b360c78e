//! Commands on settings and zones that come over the control socket.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::json;

use super::daemon::Events;
use super::differences::delta_text;
use super::figures::Journals;
use super::node::{Errand, Node};
use super::road_3::Road3;
use super::time::utc;
use crate::config::Settings;
use crate::control::{Command, KeyAct, OfficeCommand, Reply, Session};
use crate::fleet::Fleet;
use crate::master::print_zone;
use crate::publish::{By, Floor, PublishError, Publisher};
use crate::serve::Running;
use crate::service::Notifier;
use crate::signer::Signer;
use crate::text::append_line;
use crate::wire::{Name, Rtype};

/// How long to wait for a log file to be reopened.
const REOPEN_WAIT: std::time::Duration = std::time::Duration::from_secs(2);

/// What commands work on.
pub(super) struct Host {
    /// The settings file, for a reload.
    pub(super) settings_path: PathBuf,
    /// The settings in force: those of the start with the changes of later reloads.
    pub(super) in_force: Mutex<Settings>,
    /// Held by a running reload.
    pub(super) reloading: Mutex<()>,
    /// The only writer of live zones.
    pub(super) publisher: Publisher,
    /// The other name servers.
    pub(super) fleet: Fleet,
    /// The clockwork of signed zones.
    pub(super) signer: Signer,
    /// The listeners.
    pub(super) running: Running,
    /// The privileges of this process, in words.
    pub(super) rights: Vec<String>,
    /// The service manager.
    pub(super) notifier: Notifier,
    /// This program and its arguments, for a successor.
    pub(super) program: Option<(PathBuf, Vec<OsString>)>,
    /// Where commands send what ends the daemon.
    pub(super) events: Events,
    /// The successor that was started from here.
    pub(super) successor: Mutex<Option<u32>>,
    /// Why a stand-in is used in place of the database, if one is.
    pub(super) stand_in: Option<String>,
    /// Whether this node publishes, or which one it follows.
    pub(super) node: Node,
    /// The queue and its people.
    pub(super) road_3: Road3,
    /// Components that could not be started.
    pub(super) off: Mutex<Vec<String>>,
    /// The state directory.
    pub(super) state_dir: PathBuf,
    /// The sizes of journals, for metrics.
    pub(super) journals: Mutex<Journals>,
}

impl Host {
    /// Runs a command.
    pub(super) fn command(&self, command: Command, session: &Session) -> Reply {
        let who = format!("uid {}", session.uid);
        if let Some(why) = errand(&command).and_then(|errand| self.elsewhere(errand)) {
            return Reply::failed(why);
        }
        match command {
            Command::Status => self.status(),
            Command::Stats => self.stats(),
            Command::Reopen => self.reopen(),
            Command::Stop => self.events.stop(),
            Command::Succeed => self.begin_succession(),
            Command::HandOver => self.hand_over_to(session),
            Command::Reload { zone: Some(zone), force } => self.reload_zone(&zone, force, &who),
            Command::Reload { zone: None, force } => self.reload_all(force, &who),
            Command::ZoneShow { zone, at } => self.with_zone(&zone, |apex| self.show(apex, at)),
            Command::ZoneDiff { zone, from, to, proofs } => {
                self.with_zone(&zone, |apex| self.diff(apex, (from, to), proofs))
            }
            Command::ZoneHistory { zone, limit, proofs } => {
                self.with_zone(&zone, |apex| self.history(apex, limit, proofs))
            }
            Command::ZoneRollback { zone, to, preview: true, .. } => {
                self.with_zone(&zone, |apex| self.preview_rollback(apex, to))
            }
            Command::ZoneRollback { zone, to, preview: false, live } => {
                self.with_zone(&zone, |apex| self.rollback(apex, to, live, &who))
            }
            Command::ZoneAdopt { zone, name, rtype } => {
                self.with_zone(&zone, |apex| self.adopt(apex, &name, rtype.as_deref(), &who))
            }
            Command::ZoneSerial { zone, floor: None, .. } => {
                self.with_zone(&zone, |apex| self.serials(apex))
            }
            Command::ZoneSerial { zone, floor: Some(serial), yes } => {
                let floor = Floor { serial, is_meant: yes };
                self.with_zone(&zone, |apex| self.raise_floor(apex, floor, &who))
            }
            Command::ZoneNotify { zone } => self.with_zone(&zone, |apex| self.notify(apex)),
            Command::ZoneRetransfer { zone } => self.with_zone(&zone, |apex| self.retransfer(apex)),
            Command::Key { zone, act } => self.keys(&zone, act, &who),
            Command::Office(OfficeCommand::ClockConfirm) => {
                let reply = self.road_3.command(OfficeCommand::ClockConfirm);
                // Zones that were not signed because of the clock are signed now.
                self.signer.clock_is_right();
                reply
            }
            Command::Office(command) => self.road_3.command(command),
        }
    }

    /// Why a command is not for this node: another one publishes, or may, while the database is away.
    fn elsewhere(&self, errand: Errand) -> Option<String> {
        let elsewhere = self.node.elsewhere(errand)?;
        Some(match (&self.stand_in, errand) {
            (Some(why), Errand::Change) => {
                format!("the database is not used, so nothing is changed here: {why}")
            }
            (Some(why), Errand::Question) => format!("the database is not used: {why}"),
            (None, _) => elsewhere,
        })
    }
}

/// What a command wants that only the node that publishes can do; none: any node can.
fn errand(command: &Command) -> Option<Errand> {
    match command {
        Command::Status
        | Command::Stats
        | Command::Reopen
        | Command::Stop
        | Command::Succeed
        | Command::HandOver
        | Command::Reload { zone: None, force: false }
        | Command::ZoneShow { .. }
        | Command::ZoneHistory { .. }
        | Command::ZoneRollback { preview: true, .. }
        | Command::ZoneSerial { floor: None, .. }
        | Command::ZoneNotify { .. }
        // Road 3 says so itself.
        | Command::Office(_) => None,
        // The file that counts is there.
        Command::ZoneDiff { from, to, .. } => from.or(*to).is_none().then_some(Errand::Question),
        Command::Key { act: KeyAct::List | KeyAct::Ds, .. } => Some(Errand::Question),
        Command::Reload { .. }
        | Command::ZoneRollback { .. }
        | Command::ZoneAdopt { .. }
        | Command::ZoneSerial { .. }
        | Command::ZoneRetransfer { .. }
        | Command::Key { .. } => Some(Errand::Change),
    }
}

//------------ Logs ----------------------------------------------------------

impl Host {
    /// Opens the log files again (SIGUSR1).
    pub(super) fn reopen_logs(&self) {
        self.running.reopen_logs();
        tracing::info!(event = "logs_reopened", "logs of queries reopened");
    }

    /// Opens the log files again and lists them; the exit code is 1 if one could not be opened.
    fn reopen(&self) -> Reply {
        self.reopen_logs();
        let opened = self.running.wait_for_logs(REOPEN_WAIT);
        let mut text = String::new();
        for (log, fault) in &opened {
            match fault {
                None => append_line!(text, "{log}: reopened"),
                Some(fault) => append_line!(text, "{log}: {fault}"),
            }
        }
        if opened.is_empty() {
            text.push_str("neither a query log nor dnstap is configured\n");
        }
        let is_well = opened.iter().all(|(_, fault)| fault.is_none());
        let logs: serde_json::Map<_, _> =
            opened.into_iter().map(|(log, fault)| (log.replace(' ', "_"), json!(fault))).collect();
        Reply { exit: u8::from(!is_well), text, json: json!({ "reopened": logs }) }
    }
}

//------------ Zones ---------------------------------------------------------

impl Host {
    /// Runs `work` on the zone of that name.
    pub(super) fn with_zone(&self, zone: &str, work: impl FnOnce(&Name) -> Reply) -> Reply {
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

    /// Differences between two versions, or between the live version and the file; with `proofs` also those of
    /// signatures and denial records.
    fn diff(&self, apex: &Name, (from, to): (Option<u32>, Option<u32>), proofs: bool) -> Reply {
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
                    let mut text = delta_text(&diff.delta, proofs);
                    let diff_text = text.clone();
                    for finding in &diff.findings {
                        append_line!(text, "  {finding}");
                    }
                    let json = json!({
                        "serial": diff.serial, "diff": diff_text,
                        "refused": diff.refused, "findings": diff.findings,
                    });
                    Reply { exit: u8::from(diff.refused), text, json }
                }
                Err(error) => Reply::failed(error.to_string()),
            };
        };
        match self.publisher.diff(apex, from, to) {
            Ok(delta) => {
                let text = delta_text(&delta, proofs);
                Reply::done(text.clone(), json!({ "from": from, "to": to, "diff": text }))
            }
            Err(error) => Reply::failed(error.to_string()),
        }
    }

    /// Versions, newest first; with `proofs` also those that only renewed signatures.
    fn history(&self, apex: &Name, limit: usize, proofs: bool) -> Reply {
        let versions = if proofs {
            self.publisher.history(apex, limit)
        } else {
            self.publisher.history_of_content(apex, limit)
        };
        let versions = match versions {
            Ok(versions) => versions,
            Err(error) => return Reply::failed(error.to_string()),
        };
        // A removed zone still has its history.
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

    /// What a rollback would change.
    fn preview_rollback(&self, apex: &Name, to: u32) -> Reply {
        match self.publisher.preview_rollback(apex, to) {
            Ok(change) => {
                let text = delta_text(&change.delta, false);
                Reply::done(
                    text.clone(),
                    json!({ "from": change.from, "to": change.to, "as": to, "diff": text }),
                )
            }
            Err(error) => nothing_to_roll_back(apex, to, &error),
        }
    }

    /// Publishes an earlier version again.
    fn rollback(&self, apex: &Name, to: u32, live: Option<u32>, who: &str) -> Reply {
        match self.publisher.rollback_of(apex, live, to, who) {
            Ok(change) => {
                let (removed, added) = change.counts();
                let from = change.from.map_or_else(|| "-".to_owned(), |serial| serial.to_string());
                let text =
                    format!("{apex} {from} -> {}  +{added} -{removed} records, as {to}", change.to);
                Reply::done(text, json!({ "from": change.from, "to": change.to, "as": to }))
            }
            Err(error) => nothing_to_roll_back(apex, to, &error),
        }
    }

    /// Drops the records that updates put at a name in favour of the file, then reloads the file.
    fn adopt(&self, apex: &Name, name: &str, rtype: Option<&str>, who: &str) -> Reply {
        let owner = match owner_in(apex, name) {
            Ok(owner) => owner,
            Err(why) => return Reply::failed(why),
        };
        let Ok(rtype) = rtype.map(str::parse::<Rtype>).transpose() else {
            return Reply::failed(format!(
                "\"{}\" is not a record type",
                rtype.unwrap_or_default()
            ));
        };
        match self.publisher.adopt(apex, (&owner, rtype), who) {
            Ok(change) => {
                let (removed, added) = change.counts();
                let from = change.from.unwrap_or_default();
                let mut text = format!(
                    "{apex} {from} -> {}  +{added} -{removed} records: the file applies at {owner} again",
                    change.to
                );
                // A version that conflicted with these records may go live now.
                for report in self.publisher.reload(Some(apex), &By::person(who)) {
                    append_line!(text, "\n{report}");
                }
                Reply::done(text.trim_end(), json!({ "from": change.from, "to": change.to }))
            }
            Err(PublishError::NoEffect(_)) => {
                Reply::failed(format!("no update has added records at {owner} in {apex}"))
            }
            Err(error) => Reply::failed(error.to_string()),
        }
    }

    /// The serials of a zone.
    fn serials(&self, apex: &Name) -> Reply {
        let newest = match self.publisher.newest_serial(apex) {
            Ok(newest) => newest,
            Err(error) => return Reply::failed(error.to_string()),
        };
        let status = self.publisher.zone_status(apex);
        let (live, file) = status.map_or((None, None), |zone| (zone.serial, zone.file_serial));
        let shown = |serial: Option<u32>| serial.map_or_else(|| "-".to_owned(), |s| s.to_string());
        let text = format!(
            "{apex} serial {}, file {}, highest ever published {newest}",
            shown(live),
            shown(file)
        );
        Reply::done(text, json!({ "serial": live, "file_serial": file, "newest": newest }))
    }

    /// Raises the serial above one that was used before.
    fn raise_floor(&self, apex: &Name, floor: Floor, who: &str) -> Reply {
        let raised = self.publisher.raise_floor(apex, floor, who);
        let floor = floor.serial;
        match raised {
            Ok(Some(change)) if change.is_visible() => {
                let from = change.from.unwrap_or_default();
                let text = format!("{apex} {from} -> {}  above {floor}", change.to);
                Reply::done(text, json!({ "from": from, "to": change.to, "floor": floor }))
            }
            Ok(Some(change)) => {
                let text = format!(
                    "{apex} is signed elsewhere and keeps its serial {}: its next file needs one above {floor}",
                    change.to
                );
                Reply::done(text, json!({ "to": change.to, "floor": floor }))
            }
            Ok(None) => {
                let text = format!(
                    "{apex}: {floor} is not ahead of the newest serial (RFC 1982), so every next one is \
                     above it already; nothing was done"
                );
                Reply::done(text, json!({ "floor": floor }))
            }
            Err(error) => Reply::failed(error.to_string()),
        }
    }
}

/// A name as people write it: at or below the apex, or relative to it; `@` is the apex.
fn owner_in(apex: &Name, text: &str) -> Result<Name, String> {
    if text == "@" {
        return Ok(apex.clone());
    }
    let name = text.parse::<Name>();
    let name = name.map_err(|error| format!("\"{text}\" is not a domain name: {error}"))?;
    if name.as_ref().is_at_or_below(apex.as_ref()) {
        return Ok(name);
    }
    if text.ends_with('.') {
        return Err(format!(
            "{name} is not in {apex}: write it relative to the apex, without a final dot"
        ));
    }
    let whole = format!("{text}.{apex}");
    whole.parse().map_err(|error| format!("\"{whole}\" is not a domain name: {error}"))
}

/// The reply of a rollback that changes nothing.
fn nothing_to_roll_back(apex: &Name, to: u32, error: &PublishError) -> Reply {
    if !matches!(error, PublishError::NoEffect(_)) {
        return Reply::failed(error.to_string());
    }
    let text = format!("{apex} is as it was at {to}: nothing to roll back");
    Reply::done(text, json!({ "as": to }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_in_its_zone_however_it_is_written() {
        let apex: Name = "example.".parse().unwrap();
        let read = |text: &str| owner_in(&apex, text).map(|name| name.to_string());
        let whole = Ok("_acme-challenge.www.example.".to_owned());
        for text in
            ["_acme-challenge.www", "_acme-challenge.www.example", "_acme-challenge.www.example."]
        {
            assert_eq!(read(text), whole, "{text}");
        }
        assert_eq!(
            (read("@"), read("example")),
            (Ok("example.".to_owned()), Ok("example.".to_owned()))
        );
        assert_eq!(read("badexample").unwrap(), "badexample.example.");
        assert!(read("www.").unwrap_err().contains("is not in example."));
        assert!(read("a..b").unwrap_err().contains("not a domain name"));
    }
}
