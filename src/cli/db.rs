//! `gapura db`: backups, and moving the database. `run` does the work, in this process.

use std::io::IsTerminal;
use std::path::Path;

use super::args::{Common, Db};
use super::{config_path, print, print_report};
use crate::config;
use crate::run::{self, Restore, Target};
use crate::wire::Name;

/// `gapura db …`
pub(super) fn db(common: &Common, db: Db) -> anyhow::Result<u8> {
    match db {
        Db::Backup { file, force } => backup(common, &file, force),
        Db::Check { file } => Ok(print(common, &run::check_backup(&file))),
        Db::Move { to } => {
            let loaded = match super::settings(common) {
                Ok(loaded) => loaded,
                Err(exit) => return Ok(exit),
            };
            let to = (to != "file").then_some(to.as_str());
            Ok(print(common, &run::move_database(&loaded.settings, to)))
        }
        Db::Restore {
            file,
            serial_floor: floors,
            no_ask: is_alone,
            #[cfg(feature = "approval")]
            erasures,
        } => {
            let loaded = match super::settings(common) {
                Ok(loaded) => loaded,
                Err(exit) => return Ok(exit),
            };
            let what = Restore {
                file,
                floors,
                is_alone,
                #[cfg(feature = "approval")]
                erasures,
            };
            Ok(print(common, &run::restore(&loaded.settings, &what)))
        }
    }
}

/// `gapura db backup`: works even if the settings have a fault.
fn backup(common: &Common, file: &Path, force: bool) -> anyhow::Result<u8> {
    let path = config_path(common);
    let loaded = config::load(&path).ok();
    let state_dir = match &loaded {
        Some(loaded) => loaded.settings.server.state_dir.clone(),
        None => config::state_dir_of(&path),
    };
    if file != Path::new("-") {
        let made = run::backup(&state_dir, loaded.as_ref(), Target::File { path: file, force });
        // An incomplete one was still made.
        let is_made = made.json.get("error").is_none();
        return Ok(if is_made { print_report(common, &made) } else { print(common, &made) });
    }
    anyhow::ensure!(
        !std::io::stdout().is_terminal(),
        "refusing to print a backup, which contains secret keys, to a terminal: name a file, or pipe it into a program \
         (gapura db backup - | age -r KEY > FILE)"
    );
    let mut out = std::io::stdout().lock();
    let made = run::backup(&state_dir, loaded.as_ref(), Target::Stream(&mut out));
    drop(out);
    super::put_error(&super::plain::plain(&super::with_newline(&made.text)));
    Ok(made.exit)
}

/// Reads `ZONE=SERIAL`.
pub(super) fn floor(text: &str) -> Result<(Name, u32), String> {
    let (zone, serial) = text.split_once('=').ok_or("write it as ZONE=SERIAL")?;
    let zone = zone.parse().map_err(|error| format!("{zone} is not a domain name: {error}"))?;
    let serial = serial.parse().map_err(|_| format!("{serial} is not a serial"))?;
    Ok((zone, serial))
}
