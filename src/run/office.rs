//! Commands on people, the event chain and the monthly report, carried out by the daemon or, while it is stopped,
//! directly on its database.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::json;

use super::node::Errand;
use super::time::{now_ms, utc};
use super::{RunError, StateDir, audit, options, people, stand_in, webhooks};
use crate::audit::{AuditError, Notary, open_guarded};
use crate::config::Settings;
use crate::control::{OfficeCommand, Reply};
use crate::desk::Desk;
use crate::people::{OldProof, People};
use crate::publish::Options;
use crate::report::{Month, Terms};
use crate::store::Store;
use crate::text::with_causes;
use crate::words::{office, set_office};

/// What these commands work on.
pub(super) struct Office {
    /// Accounts and tokens.
    pub(super) people: People,
    /// The database, for the event chain.
    pub(super) store: Store,
    /// The directory of the keys that are kept outside the database.
    pub(super) state_dir: PathBuf,
    /// Address of the pages, for links.
    pub(super) web_url: String,
    /// The desk; while the daemon is stopped, the settings it would use.
    pub(super) desk: Result<Desk, Box<Settings>>,
}

impl Office {
    /// Runs a command.
    pub(super) fn command(&self, command: OfficeCommand) -> Reply {
        let (people, store) = (&self.people, &self.store);
        match command {
            OfficeCommand::UserAdd { person, password } => {
                reply(people::add(people, person, &password))
            }
            OfficeCommand::UserList => reply(people::list(people)),
            OfficeCommand::UserDisable { name } => reply(people::disable(people, &name)),
            OfficeCommand::UserEnable { name } => reply(people::enable(people, &name)),
            OfficeCommand::UserRole { name, role } => reply(people::set_role(people, &name, &role)),
            OfficeCommand::UserReset { name } => reply(people::reset(people, &name, &self.web_url)),
            OfficeCommand::TokenCreate { name, token, password, code } => {
                let proof = OldProof { password: &password, code: &code };
                reply(people::create_token(people, &name, token, proof))
            }
            OfficeCommand::TokenList { name } => {
                reply(people::list_tokens(people, name.as_deref()))
            }
            OfficeCommand::TokenRevoke { id } => reply(people::revoke_token(people, &id)),
            OfficeCommand::AuditExport { after, to } => reply(audit::export(store, after, to)),
            OfficeCommand::ClockConfirm => self.confirm_clock(),
            OfficeCommand::AuditRotateKey => reply(self.rotate_key()),
            OfficeCommand::AuditVerify { key, anchors } => {
                let verified = audit::verify_own(store, &self.state_dir, key.as_deref(), &anchors);
                // With its cause: an unreadable table is a finding too.
                reply(verified.map_err(|error| with_causes(&error)))
            }
            OfficeCommand::WebhookList => reply(webhooks::list(&self.desk)),
            OfficeCommand::WebhookTest { name } => webhooks::test(&self.desk, &name),
            OfficeCommand::WebhookRetry { name } => webhooks::retry(&self.desk, &name),
            OfficeCommand::Report { month, paper } => self.report(&month, paper),
        }
    }

    /// `gapura audit rotate-key`. A running daemon signs with the new key from then on.
    fn rotate_key(&self) -> Result<Reply, AuditError> {
        let notary = match &self.desk {
            Ok(desk) => desk.notary(),
            Err(_) => Notary::open(&self.state_dir, &self.store, now_ms())?,
        };
        audit::rotate_key(&self.store, &notary)
    }

    /// `gapura ctl clock`.
    fn confirm_clock(&self) -> Reply {
        let Ok(desk) = &self.desk else {
            return Reply::failed(
                "no daemon is running: start it, and confirm the clock if it is in doubt then",
            );
        };
        let Some(doubt) = desk.clock_doubt() else {
            return Reply::done("the clock is not in doubt", json!({ "doubted": false }));
        };
        let now = utc(doubt.now_ms);
        let done = Reply::done(format!("the clock is trusted: {now}"), json!({ "doubted": false }));
        reply(desk.believe_clock().map(|()| done))
    }

    /// `gapura report`: reads, and changes nothing.
    fn report(&self, month: &str, paper: bool) -> Reply {
        let month: Month = match month.parse() {
            Ok(month) => month,
            Err(error) => return Reply::failed(format!("--month {month}: {error}")),
        };
        let read;
        let (calendar, rules) = match &self.desk {
            Ok(desk) => (desk.calendar(), desk.rules()),
            Err(settings) => {
                read = match options::desk(settings) {
                    Ok(options) => options,
                    Err(error) => return Reply::failed(with_causes(&error)),
                };
                // Settings changed on pages also apply while the daemon is stopped.
                let basis = match read.in_force(&self.store) {
                    Ok(basis) => basis,
                    Err(error) => return Reply::failed(with_causes(&error)),
                };
                set_office(office().with_lines(&basis.identity, basis.calendar.week()));
                (Arc::new(basis.calendar), &read.rules)
            }
        };
        let terms = Terms { calendar: &calendar, rules };
        let made = if paper {
            audit::report_paper(&self.store, month, terms)
        } else {
            audit::report(&self.store, month, terms)
        };
        reply(made.map_err(|error| format!("{error:#}")))
    }
}

/// What a command wants of the node that publishes.
pub(super) fn errand(command: &OfficeCommand) -> Errand {
    match command {
        OfficeCommand::UserList
        | OfficeCommand::TokenList { .. }
        | OfficeCommand::AuditExport { .. }
        | OfficeCommand::AuditVerify { .. }
        | OfficeCommand::WebhookList
        | OfficeCommand::WebhookTest { .. }
        | OfficeCommand::Report { .. } => Errand::Question,
        OfficeCommand::UserAdd { .. }
        | OfficeCommand::UserDisable { .. }
        | OfficeCommand::UserEnable { .. }
        | OfficeCommand::UserRole { .. }
        | OfficeCommand::UserReset { .. }
        | OfficeCommand::TokenCreate { .. }
        | OfficeCommand::TokenRevoke { .. }
        | OfficeCommand::ClockConfirm
        | OfficeCommand::AuditRotateKey
        | OfficeCommand::WebhookRetry { .. } => Errand::Change,
    }
}

/// A result as a reply.
fn reply<E: Display>(result: Result<Reply, E>) -> Reply {
    result.unwrap_or_else(|error| Reply::failed(error.to_string()))
}

/// The reply to a command while the database is not in use. The verifier still runs on it: tampering may be the
/// reason why it is not used.
pub(super) fn closed(command: OfficeCommand, options: &Options, reason: &str) -> Reply {
    let OfficeCommand::AuditVerify { key, anchors } = command else {
        return Reply::failed(reason);
    };
    match audit::verify_unused(options, key.as_deref(), &anchors) {
        Ok(found) => Reply { exit: 1, text: format!("{reason}\n{}", found.text), ..found },
        Err(error) => Reply::failed(format!("{reason}\n{}", with_causes(&error))),
    }
}

/// Runs a command on the database of a stopped daemon, under its lock. A missing database is refused: a new one here
/// would belong to no daemon.
pub fn offline(settings: &Settings, command: OfficeCommand) -> Result<Reply, RunError> {
    let path = &settings.server.state_dir;
    let publish = options::publish(settings)?;
    if publish.database.is_absent()? && stand_in::lost(&publish)?.is_none() {
        return Ok(Reply::failed(format!(
            "there is no database at {}: start `gapura serve` once, or name its settings with --config",
            publish.database
        )));
    }
    let state_dir = StateDir::take(path)?;
    let store = match stand_in::usable(&publish) {
        Ok(store) => store,
        Err(unusable) => {
            let reason = format!("the database is not used: {}", unusable.reason);
            return Ok(closed(command, &publish, &reason));
        }
    };
    let vault = match open_guarded(state_dir.path(), &store, now_ms()) {
        Ok(vault) => vault,
        Err(error) => return Ok(Reply::failed(with_causes(&error))),
    };
    let people = match People::open(store.clone(), vault, options::people(settings)) {
        Ok(people) => people,
        Err(error) => {
            drop(store);
            return Ok(closed(command, &publish, &with_causes(&error)));
        }
    };
    // A report names the office's unit and its titles.
    if let Ok(office) = options::office(settings) {
        set_office(office);
    }
    let office = Office {
        people,
        store,
        state_dir: state_dir.path().to_owned(),
        web_url: super::road_3::site_url(settings, settings.web.listen),
        desk: Err(Box::new(settings.clone())),
    };
    Ok(office.command(command))
}
