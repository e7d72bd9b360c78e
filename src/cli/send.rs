//! Sends a command to the running daemon, or, for some commands, runs it here if the daemon is
//! stopped.

use super::args::Common;
use super::{config_path, print};
use crate::config;
use crate::control::{self, CallError, Command, Reply};
use crate::publish::Floor;

/// Sends a command to the daemon and prints its reply.
pub(super) fn send(common: &Common, command: Command) -> anyhow::Result<u8> {
    Ok(send_to(common, command)?.map_or_else(|exit| exit, |reply| print(common, &reply)))
}

/// Sends a command to the daemon. Without a daemon, commands on people and the event chain run here,
/// on its database. The error is the exit code for settings that cannot be read.
pub(super) fn send_to(common: &Common, command: Command) -> anyhow::Result<Result<Reply, u8>> {
    let path = config_path(common);
    let read = config::load(&path);
    let state_dir = match &read {
        Ok(loaded) => loaded.settings.server.state_dir.clone(),
        Err(_) => config::state_dir_of(&path),
    };
    let called = control::call(&state_dir, &command);
    let reply = match (called, command, read) {
        (Ok(reply), ..) => reply,
        (Err(_), _, Err(findings)) => {
            super::local::print_findings(common, &findings);
            return Ok(Err(super::EXIT_USAGE));
        }
        (
            Err(CallError::NotRunning(_)),
            Command::ZoneSerial { zone, floor: Some(serial), yes },
            Ok(loaded),
        ) => {
            let floor = Floor { serial, is_meant: yes };
            crate::run::raise_floor(&loaded.settings, &zone, floor)?
        }
        #[cfg(feature = "approval")]
        (Err(CallError::NotRunning(_)), Command::Office(command), Ok(loaded)) => {
            crate::run::offline(&loaded.settings, command)?
        }
        (Err(error), ..) => Reply::failed(error.to_string()),
    };
    Ok(Ok(reply))
}
