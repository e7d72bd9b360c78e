//! `gapura zone rollback`: on a terminal it shows what would change and asks first. Scripts, which have no
//! terminal, are not asked.

use std::io::IsTerminal;

use super::args::Common;
use super::plain::shown;
use super::send::send_to;
use super::{print, put_error};
use crate::control::Command;

/// Rolls a zone back, after confirmation on a terminal.
pub(super) fn rollback(common: &Common, zone: String, to: u32, yes: bool) -> anyhow::Result<u8> {
    let call = |preview, live| {
        let command = Command::ZoneRollback { zone: zone.clone(), to, preview, live };
        send_to(common, command)
    };
    let asks = !yes && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let mut live = None;
    if asks {
        let preview = match call(true, None)? {
            Ok(preview) => preview,
            Err(exit) => return Ok(exit),
        };
        // Refused, or nothing to roll back: no question to ask.
        if preview.exit != 0 || preview.json["diff"].is_null() {
            return Ok(print(common, &preview));
        }
        put_error(&format!("{}\n", shown(preview.text.trim_end())));
        if !confirmed(&format!("Publish {zone} as it was at {to}?"))? {
            put_error("nothing changed\n");
            return Ok(1);
        }
        live = preview.json["from"].as_u64().and_then(|serial| u32::try_from(serial).ok());
    }
    Ok(call(false, live)?.map_or_else(|exit| exit, |reply| print(common, &reply)))
}

/// Asks on the terminal; anything but a clear yes is no.
fn confirmed(question: &str) -> std::io::Result<bool> {
    put_error(&format!("{} [y/N] ", shown(question)));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
