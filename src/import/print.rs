//! The tables as TOML, with what has no table as comments.

use std::path::PathBuf;

use super::model::{Content, Imported, Key, Note, Remote, Signing, Zone};
use crate::text::append_line;

/// What the caller did with the files that the tables name.
pub trait Printed {
    /// Where the file of a zone is now, with notes on it; `None` if it could not be read.
    fn zone_file(&self, zone: &Zone) -> (Option<PathBuf>, Vec<String>);
    /// Whether a zone passes the lenient rules only.
    fn is_lenient(&self, zone: &Zone) -> bool;
    /// The file that holds a key's secret; `None` if the secret is to be printed.
    fn secret_file(&self, key: &Key) -> Option<PathBuf>;
}

/// What is in no table, as comments.
pub fn notes(imported: &Imported) -> String {
    let mut text = String::new();
    imported.notes.iter().for_each(|note| comment(&note.to_string(), &mut text));
    text
}

/// All tables.
pub fn tables(imported: &Imported, printed: &dyn Printed) -> String {
    let mut text = String::new();
    for key in &imported.keys {
        write_key(key, printed, &mut text);
    }
    for remote in &imported.remotes {
        write_remote(remote, &mut text);
    }
    for signing in &imported.signings {
        write_signing(signing, &mut text);
    }
    for zone in &imported.zones {
        write_zone(zone, printed, &mut text);
    }
    text
}

/// Appends a comment: each line of it is one.
fn comment(said: &str, text: &mut String) {
    for line in said.lines() {
        let plain: String = line.chars().filter(|sign| !sign.is_control()).collect();
        append_line!(text, "# {plain}");
    }
}

/// A key.
fn write_key(key: &Key, printed: &dyn Printed, text: &mut String) {
    append_line!(text, "\n[[key]]\nname = {}", quoted(&key.name.to_string()));
    append_line!(text, "algorithm = \"{}\"", key.algorithm);
    match printed.secret_file(key) {
        Some(path) => append_line!(text, "secret_file = {}", quoted(&path.to_string_lossy())),
        None => append_line!(text, "secret = {}", quoted(&key.secret)),
    }
}

/// Another server.
fn write_remote(remote: &Remote, text: &mut String) {
    append_line!(text, "\n[[remote]]\nname = {}", quoted(&remote.name));
    append_line!(text, "addresses = {}", list(&remote.addresses));
    if let Some(key) = &remote.key {
        append_line!(text, "key = {}", quoted(&key.to_string()));
    }
    let Some(tls) = &remote.tls else { return };
    append_line!(text, "tls = {}", quoted(&tls.name));
    for (name, path) in [("tls_ca", &tls.ca), ("tls_cert", &tls.cert), ("tls_key", &tls.key)] {
        if !path.as_os_str().is_empty() {
            append_line!(text, "{name} = {}", quoted(&path.to_string_lossy()));
        }
    }
}

/// A policy.
fn write_signing(signing: &Signing, text: &mut String) {
    append_line!(text, "\n[[signing]]\nname = {}", quoted(&signing.name));
    if let Some(algorithm) = &signing.algorithm {
        append_line!(text, "algorithm = {}", quoted(algorithm));
    }
    append_line!(text, "keys = \"{}\"", if signing.is_split { "ksk+zsk" } else { "csk" });
    append_line!(text, "denial = \"{}\"", if signing.is_nsec3 { "nsec3" } else { "nsec" });
    for (name, number) in &signing.numbers {
        append_line!(text, "{name} = {number}");
    }
    for (name, switch) in &signing.switches {
        append_line!(text, "{name} = {switch}");
    }
}

/// A zone.
fn write_zone(zone: &Zone, printed: &dyn Printed, text: &mut String) {
    let (file, said) = match zone.content {
        Content::File { .. } => printed.zone_file(zone),
        _ => (None, Vec::new()),
    };
    text.push('\n');
    zone.notes.iter().map(Note::to_string).chain(said).for_each(|it| comment(&it, text));
    let is_lost = matches!(zone.content, Content::File { .. }) && file.is_none();
    let mut table = String::new();
    append_line!(table, "[[zone]]\nname = {}", quoted(&zone.name.to_string()));
    if let Some(file) = &file {
        append_line!(table, "file = {}", quoted(&file.to_string_lossy()));
    }
    if let Content::Primaries { remotes, consume } = &zone.content {
        append_line!(table, "primaries = {}", list(remotes));
        if *consume {
            append_line!(table, "consume = true");
        }
    }
    if printed.is_lenient(zone) {
        append_line!(table, "checks = \"lenient\"");
    }
    rules(zone, &mut table);
    if is_lost || zone.is_for_some {
        // Without its file it would keep gapura from starting; one for some clients would be answered to everybody.
        comment(&table, text);
    } else {
        text.push_str(&table);
    }
}

/// What a zone's table has besides its content.
fn rules(zone: &Zone, table: &mut String) {
    if let Some(serial) = zone.serial {
        append_line!(table, "serial = \"{serial}\"");
    }
    if zone.zonemd {
        append_line!(table, "zonemd = true");
    }
    for (name, remotes) in [("transfer", &zone.transfer), ("notify", &zone.notify)] {
        if !remotes.is_empty() {
            append_line!(table, "{name} = {}", list(remotes));
        }
    }
    if !zone.updates.is_empty() {
        let grants: Vec<String> = zone
            .updates
            .iter()
            .map(|it| {
                let types = if it.types.is_empty() {
                    String::new()
                } else {
                    format!(", types = {}", list(&it.types))
                };
                let key = quoted(&it.key.to_string());
                format!("{{ key = {key}, names = {}{types}, how = \"direct\" }}", list(&it.names))
            })
            .collect();
        append_line!(table, "update = [{}]", grants.join(", "));
    }
    if let Some(catalog) = &zone.catalog {
        append_line!(table, "catalog = {}", quoted(&catalog.to_string()));
    }
    if let Some(signing) = &zone.signing {
        append_line!(table, "# signing = {}", quoted(signing));
    }
}

/// A text as TOML has it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of texts.
fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}
