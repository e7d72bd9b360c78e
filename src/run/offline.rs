//! Commands on people and the event chain when no daemon runs: on its database, under its lock.

use super::{RunError, StateDir, options};
use crate::config::Settings;
use crate::control::{Command, Reply};
use crate::people::People;
use crate::store::Store;

/// Does `command` on the database of a stopped daemon; gives it back if it needs a running one.
pub fn offline(settings: &Settings, command: Command) -> Result<Result<Reply, Command>, RunError> {
    if !is_possible(&command) {
        return Ok(Err(command));
    }
    let state_dir = StateDir::take(&settings.server.state_dir)?;
    let store = Store::open(state_dir.path())?;
    let people = People::new(store.clone(), options::people(settings));
    Ok(super::people::command(&people, command)
        .or_else(|command| super::audit::command(&store, state_dir.path(), command)))
}

/// Whether a command works without a daemon.
fn is_possible(command: &Command) -> bool {
    matches!(
        command,
        Command::UserAdd { .. }
            | Command::UserList
            | Command::UserDisable { .. }
            | Command::TokenCreate { .. }
            | Command::TokenList { .. }
            | Command::TokenRevoke { .. }
            | Command::AuditExport
            | Command::AuditVerify { .. }
            | Command::Report { .. }
    )
}
