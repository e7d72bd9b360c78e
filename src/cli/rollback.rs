//! `gapura zone rollback`: on a terminal a person sees what would change before it does. Scripts, which have
//! no terminal, are not asked.

use std::io::IsTerminal;

use super::args::Common;
use super::plain::shown;
use super::{print, put_error, settings};
use crate::control::{self, Command, Reply};

/// Rolls a zone back, after a yes where somebody can give one.
pub(super) fn rollback(common: &Common, zone: String, to: u32, yes: bool) -> anyhow::Result<u8> {
    let loaded = match settings(common) {
        Ok(loaded) => loaded,
        Err(exit) => return Ok(exit),
    };
    let state_dir = &loaded.settings.server.state_dir;
    let call = |preview| {
        let command = Command::ZoneRollback { zone: zone.clone(), to, preview };
        control::call(state_dir, &command).unwrap_or_else(|error| Reply::failed(error.to_string()))
    };
    let asks = !yes && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if asks {
        let preview = call(true);
        // Refused, or nothing to roll back: there is nothing to be asked.
        if preview.exit != 0 || preview.json["diff"].is_null() {
            return Ok(print(common, &preview));
        }
        put_error(&format!("{}\n", shown(preview.text.trim_end())));
        if !confirmed(&format!("Publish {zone} as it was at {to}?"))? {
            put_error("nothing changed\n");
            return Ok(1);
        }
    }
    Ok(print(common, &call(false)))
}

/// Asks on the terminal; no is what counts unless it is a clear yes.
fn confirmed(question: &str) -> std::io::Result<bool> {
    put_error(&format!("{} [y/N] ", shown(question)));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
