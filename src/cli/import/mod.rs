//! `gapura import …`: moves zones in from another server. Prints tables for the settings, copies zone files and,
//! on request, writes secrets into files. It never overwrites a file and changes nothing else.

mod axfr;
mod machine;
mod secrets;
mod text;
mod zone_file;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{Common, Import, ImportFile};
use super::{config_path, plain, put, put_error};
use crate::import::{self, Content, Imported, Key, Note, Printed, Program, Zone};
use crate::text::append_line;
use crate::wire::Name;
use machine::Machine;
use zone_file::{Brought, ZoneFiles};

/// Runs the command.
pub(super) fn import(common: &Common, import: &Import) -> anyhow::Result<u8> {
    match import {
        Import::Named(file) => settings(common, Program::Named, file),
        Import::Nsd(file) => settings(common, Program::Nsd, file),
        Import::Knot(file) => settings(common, Program::Knot, file),
        Import::Axfr(axfr) => axfr::axfr(common, axfr),
    }
}

/// The default directory for zone files.
const ZONES: &str = "zones";

/// The settings of another server.
fn settings(common: &Common, program: Program, args: &ImportFile) -> anyhow::Result<u8> {
    let machine = Machine::new(args.root.as_deref());
    let path = std::path::absolute(&args.file)?;
    let named = machine.named(&path);
    let mut imported = match import::read(program, &named, &machine) {
        Ok(imported) => imported,
        Err(fault) => {
            put_error(&plain::plain(&format!("gapura: {fault}\n")));
            return Ok(1);
        }
    };
    let base = settings_dir(common)?;
    let zone_files = ZoneFiles::new(&zones_dir(args.zones.as_deref(), &base), &base, &machine)?;
    let mut done = Done::default();
    for zone in &imported.zones {
        if let Content::File { path, base } = &zone.content {
            let brought = zone_files.bring(&zone.name, path, base);
            done.zones.insert(zone.name.clone(), brought);
        }
    }
    if let Some(directory) = &args.keys {
        done.secrets = secrets::write(&imported.keys, directory, &base)?;
    }
    let tls = imported.remotes.iter().filter(|it| it.tls.is_some()).count();
    if let (true, Some(first)) = (tls > 0, imported.zones.first()) {
        let text = "certificates and keys for TLS stay where they are: make sure that gapura can read them";
        imported.notes.push(Note { place: first.place.clone(), text: text.to_owned() });
    }
    let told = told(program, &named, &imported, &done);
    print(common, &imported, &done, &told);
    done.zones.values().flat_map(|it| &it.findings).for_each(|finding| {
        put_error(&plain::shown(&(finding.with_hint() + "\n")));
    });
    if imported.zones.is_empty() {
        let text = format!("gapura: {} has no zone that gapura can serve\n", named.display());
        put_error(&plain::plain(&text));
        return Ok(1);
    }
    let is_missing = imported.zones.iter().any(|it| it.is_for_some);
    Ok(u8::from(is_missing || done.zones.values().any(|it| it.is_problem)))
}

/// The directory of our settings file.
fn settings_dir(common: &Common) -> anyhow::Result<PathBuf> {
    let path = std::path::absolute(config_path(common))?;
    Ok(path.parent().map(Path::to_owned).unwrap_or_default())
}

/// The directory of zone files.
fn zones_dir(given: Option<&Path>, base: &Path) -> PathBuf {
    given.map_or_else(|| base.join(ZONES), Path::to_owned)
}

//------------ Done ----------------------------------------------------------

/// What was done with the files that the tables name.
#[derive(Default)]
struct Done {
    /// The zone files.
    zones: BTreeMap<Name, Brought>,
    /// The files of secrets, by key.
    secrets: BTreeMap<Name, PathBuf>,
}

impl Printed for Done {
    fn zone_file(&self, zone: &Zone) -> (Option<PathBuf>, Vec<String>) {
        let brought = self.zones.get(&zone.name);
        brought.map_or((None, Vec::new()), |it| (it.file.clone(), it.said.clone()))
    }

    fn is_lenient(&self, zone: &Zone) -> bool {
        self.zones.get(&zone.name).is_some_and(|it| it.is_lenient)
    }

    fn secret_file(&self, key: &Key) -> Option<PathBuf> {
        self.secrets.get(&key.name).cloned()
    }
}

/// The comments above the tables.
fn told(program: Program, path: &Path, imported: &Imported, done: &Done) -> String {
    let mut text = String::new();
    let count =
        |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    append_line!(
        text,
        "# gapura import {} {}: {}, {}, {}",
        program.as_str(),
        path.display(),
        count(imported.zones.len(), "zone"),
        count(imported.remotes.len(), "remote"),
        count(imported.keys.len(), "key")
    );
    text.push_str("# Put these tables into the settings file, then: gapura check; gapura ctl reload (docs/moving.md)\n");
    if !imported.keys.is_empty() && done.secrets.is_empty() {
        text.push_str("# They contain secrets: nobody else may read the file.\n");
    }
    let notes = import::notes(imported);
    if !notes.is_empty() {
        text.push_str("#\n# Not in any table:\n");
        text.push_str(&notes);
    }
    text
}

/// Prints tables and notes, as text or as JSON.
fn print(common: &Common, imported: &Imported, done: &Done, told: &str) {
    let tables = import::tables(imported, done);
    if !common.json {
        put(&plain::plain(&(told.to_owned() + &tables)));
        return;
    }
    let zones = imported.zones.iter().map(|zone| {
        let brought = done.zones.get(&zone.name);
        serde_json::json!({
            "zone": zone.name.to_string(),
            "file": brought.and_then(|it| it.file.clone()),
            "notes": zone.notes.iter().map(ToString::to_string)
                .chain(brought.into_iter().flat_map(|it| it.said.iter().cloned()))
                .collect::<Vec<_>>(),
        })
    });
    let json = serde_json::json!({
        "zones": zones.collect::<Vec<_>>(),
        "remotes": imported.remotes.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        "keys": imported.keys.iter().map(|it| it.name.to_string()).collect::<Vec<_>>(),
        "notes": imported.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "settings": tables,
    });
    put(&(plain::json(&json.to_string()).into_owned() + "\n"));
}
