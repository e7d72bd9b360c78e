//! `gapura import axfr`: one zone by transfer, written as a zone file.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use super::machine::Machine;
use super::zone_file::{Brought, ZoneFiles};
use super::{settings_dir, zones_dir};
use crate::cli::args::{Common, ImportAxfr};
use crate::cli::{plain, put, put_error};
use crate::dns_client::Tls;
use crate::files;
use crate::fleet;
use crate::import::quoted;
use crate::master::print_zone;
use crate::transfer::Received;
use crate::tsig::{Algorithm, Key, secret_octets};
use crate::wire::Name;

/// Octets that a file with a secret may have.
const SECRET_OCTETS_MAX: usize = 4096;

/// Runs the command.
pub(super) fn axfr(common: &Common, args: &ImportAxfr) -> anyhow::Result<u8> {
    let origin = &args.origin;
    let zone: Name =
        origin.parse().with_context(|| format!("\"{origin}\" is not a domain name"))?;
    let zone = zone.as_ref().to_lowercase();
    let key = args.key.as_deref().map(key).transpose()?;
    let none = Path::new("");
    let ca = args.tls_ca.as_deref().unwrap_or(none);
    let tls = args.tls.as_deref().map(|name| Tls::load(name, ca, none, none)).transpose()?;
    let addresses = addresses(&args.server, if tls.is_some() { 853 } else { 53 })?;
    let received = transfer(&zone, &addresses, key.as_ref(), tls.as_ref());
    let received = match received {
        Ok(received) => received,
        Err(why) => {
            put_error(&plain::plain(&format!("gapura: cannot transfer {zone}: {why}\n")));
            return Ok(1);
        }
    };
    let Received::Whole { zone: content, .. } = received else {
        anyhow::bail!("{} did not send the whole zone", args.server);
    };
    let (base, machine) = (settings_dir(common)?, Machine::new(None));
    let zone_files = ZoneFiles::new(&zones_dir(args.zones.as_deref(), &base), &base, &machine)?;
    let mut brought = Brought::default();
    if content.is_signed() {
        let text = "the zone is signed: gapura serves these signatures until they end. To sign it here, import its \
                    keys (docs/signing.md, Keys from elsewhere)";
        brought.said.push(text.to_owned());
    }
    let text = print_zone(content.records());
    let brought = zone_files.put(&zone, text.into_bytes(), brought);
    print(common, &zone, content.serial(), &brought);
    Ok(u8::from(brought.is_problem))
}

/// Tries each address in turn; the error has the reason for each.
fn transfer(
    zone: &Name,
    addresses: &[SocketAddr],
    key: Option<&Arc<Key>>,
    tls: Option<&Tls>,
) -> Result<Received, String> {
    let mut reasons = Vec::new();
    for address in addresses {
        match fleet::fetch(zone, *address, key.cloned(), tls.cloned()) {
            Ok(received) => return Ok(received),
            Err(why) => reasons.push(format!("{address}: {why}")),
        }
    }
    Err(reasons.join("; "))
}

/// The addresses of a server that is given by an address or a name.
fn addresses(server: &str, port: u16) -> anyhow::Result<Vec<SocketAddr>> {
    if let Ok(address) = server.parse::<SocketAddr>() {
        return Ok(vec![address]);
    }
    if let Ok(address) = server.parse() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let has_port = server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let found = if has_port { server.to_socket_addrs() } else { (server, port).to_socket_addrs() };
    let found: Vec<SocketAddr> =
        found.with_context(|| format!("cannot find an address for {server}"))?.collect();
    anyhow::ensure!(!found.is_empty(), "cannot find an address for {server}");
    Ok(found)
}

/// The key of `NAME:ALGORITHM:FILE`.
fn key(text: &str) -> anyhow::Result<Arc<Key>> {
    let mut parts = text.splitn(3, ':');
    let (Some(name), Some(algorithm), Some(file)) = (parts.next(), parts.next(), parts.next())
    else {
        anyhow::bail!("--key is NAME:ALGORITHM:FILE, such as armada.:hmac-sha256:armada.key");
    };
    let name: Name = name.parse().with_context(|| format!("\"{name}\" is not a domain name"))?;
    let algorithm: Algorithm =
        algorithm.parse().with_context(|| format!("--key: algorithm \"{algorithm}\""))?;
    let octets = files::read_secret(Path::new(file), SECRET_OCTETS_MAX)
        .map_err(|why| anyhow::anyhow!("--key: {file} {why}"))?;
    let secret = secret_octets(&octets).with_context(|| format!("--key: {file} is not base64"))?;
    Ok(Arc::new(Key::new(&name, algorithm, &secret)))
}

/// Prints the table of the zone, with notes and findings.
fn print(common: &Common, zone: &Name, serial: u32, brought: &Brought) {
    let mut text = String::new();
    for line in &brought.said {
        text += &format!("# {line}\n");
    }
    if let Some(file) = &brought.file {
        text += &format!(
            "[[zone]]\nname = {}\nfile = {}\n",
            quoted(&zone.to_string()),
            quoted(&file.to_string_lossy())
        );
        if brought.is_lenient {
            text += "checks = \"lenient\"\n";
        }
    }
    if common.json {
        let json = serde_json::json!({
            "zone": zone.to_string(), "serial": serial, "file": brought.file, "notes": brought.said,
            "settings": text,
        });
        put(&(plain::json(&json.to_string()).into_owned() + "\n"));
    } else {
        put(&plain::plain(&text));
    }
    for finding in &brought.findings {
        put_error(&plain::shown(&(finding.with_hint() + "\n")));
    }
}
