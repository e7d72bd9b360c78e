//! `gapura key …`: the keys that sign a zone. Keys to import are read here, with the caller's permissions,
//! and sent to the daemon over its socket.

use std::path::PathBuf;

use super::args::{Common, Key};
use super::send::send_to;
use super::{plain, print, put_error};
use crate::control::{Command, GivenKey, KeyAct};
use crate::dnssec::Algorithm;
use crate::keystore::{Given, import};
use crate::wire::Name;
use crate::wire::rdata::base64_text;

/// Keys per import: they are sent to the daemon as one line.
const KEYS_MAX: usize = 12;

/// Every command on keys except `tsig`, which needs no daemon.
pub(super) fn key(common: &Common, key: Key) -> anyhow::Result<u8> {
    let (zone, act) = match key {
        Key::Tsig { .. } => anyhow::bail!("key tsig needs no daemon"),
        Key::List { zone } => (zone, KeyAct::List),
        Key::Ds { zone } => (zone, KeyAct::Ds),
        Key::Roll { zone, role, emergency } => (zone, KeyAct::Roll { role, emergency }),
        Key::DsSeen { zone, tag } => (zone, KeyAct::DsSeen { tag }),
        Key::DsGone { zone, tag } => (zone, KeyAct::DsGone { tag }),
        Key::Confirm { zone } => (zone, KeyAct::Confirm),
        Key::Cancel { zone, role } => (zone, KeyAct::Cancel { role }),
        Key::Import { zone, files, flags, algorithm } => {
            match read(&zone, &files, flags, algorithm)? {
                Ok(keys) => (zone, KeyAct::Import { keys }),
                Err(faults) => {
                    put_error(&plain::plain(&format!("gapura: {faults}\n")));
                    return Ok(1);
                }
            }
        }
    };
    let is_ds = matches!(act, KeyAct::Ds);
    let reply = match send_to(common, Command::Key { zone, act })? {
        Ok(reply) => reply,
        Err(exit) => return Ok(exit),
    };
    let exit = print(common, &reply);
    // Standard output has nothing but the lines for the parent.
    if let Some(note) = reply.json["note"].as_str().filter(|_| is_ds && !common.json) {
        put_error(&plain::plain(&format!("gapura: {note}\n")));
    }
    Ok(exit)
}

/// Reads the keys of an import, or returns the faults of their files, one per line.
fn read(
    zone: &str,
    files: &[PathBuf],
    flags: Option<u16>,
    algorithm: Option<Algorithm>,
) -> anyhow::Result<Result<Vec<GivenKey>, String>> {
    let apex = zone.parse::<Name>();
    let apex = apex.map_err(|error| anyhow::anyhow!("\"{zone}\" is not a domain name: {error}"))?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let given = Given { zone: &apex, flags, algorithm, now };
    let keys = match import(files, &given) {
        Ok(keys) => keys,
        Err(faults) => {
            let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Ok(Err(lines.join("\n")));
        }
    };
    anyhow::ensure!(keys.len() <= KEYS_MAX, "{} keys: import {KEYS_MAX} at a time", keys.len());
    let given = keys.iter().map(|key| GivenKey {
        algorithm: key.pair.dnskey().algorithm.to_string(),
        flags: key.pair.dnskey().flags,
        pkcs8: base64_text(&key.pkcs8),
    });
    Ok(Ok(given.collect()))
}
