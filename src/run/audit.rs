//! Commands on the event chain, and the monthly report.

use std::path::Path;

use serde_json::json;

use super::words::now_ms;
use crate::audit::{self, Anchor, AuditError, NewEvent, Notary, Report, Vault};
use crate::control::{Command, Reply};
use crate::store::{Store, StoreError};

/// Does `command` if it is one on the chain; gives it back otherwise.
pub(super) fn command(store: &Store, state_dir: &Path, command: Command) -> Result<Reply, Command> {
    let done = match command {
        Command::AuditExport => export(store),
        Command::AuditVerify { key, anchors } => {
            verify_own(store, state_dir, key.as_deref(), &anchors)
        }
        Command::Report { month } => return Ok(report(store, &month)),
        other => return Err(other),
    };
    Ok(done.unwrap_or_else(|error| Reply::failed(error.to_string())))
}

/// `gapura audit verify`, against the key that lies outside the database unless another is given.
fn verify_own(
    store: &Store,
    state_dir: &Path,
    key: Option<&str>,
    anchors: &[String],
) -> Result<Reply, AuditError> {
    let anchors: Vec<Anchor> = anchors.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let vault = Vault::open(state_dir)?;
    let key = match key {
        Some(key) => key.to_owned(),
        None => Notary::public_key_in(state_dir)?,
    };
    // The anchors in the derived zone files are witnesses too, but they lie on this machine: what
    // they cover counts as anchored only if the same is held outside.
    let mut witnesses = anchors.clone();
    witnesses.extend(served_anchors(state_dir));
    let verify = |anchors: &[Anchor]| {
        store.read(|reader| audit::verify_own(reader, Some(&vault), Some(&key), anchors))
    };
    let mut report = verify(&witnesses)?;
    report.anchored_to = verify(&anchors)?.anchored_to;
    Ok(verified(&report))
}

/// The anchors in the zone files gapura derives beside its database.
fn served_anchors(state_dir: &Path) -> Vec<Anchor> {
    let files = std::fs::read_dir(state_dir.join("promoted")).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let anchors = |text: String| {
        // A quoted string of a master file; no other has white space and this beginning.
        let strings = text.split('"').filter(|string| string.starts_with("v=gapura1 "));
        strings.filter_map(|string| string.parse().ok()).collect::<Vec<Anchor>>()
    };
    texts.flat_map(anchors).collect()
}

/// `gapura audit export`
fn export(store: &Store) -> Result<Reply, AuditError> {
    let lines = store.write::<_, StoreError>(|tx| {
        let event = NewEvent::new(now_ms(), "console", "admin", "exported", "chain:all");
        audit::append(tx, event)?;
        audit::export(tx, 0)
    })?;
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(Reply::done(text, json!({ "lines": lines.len() })))
}

/// `gapura report`: the list as CSV, the counts with it as JSON.
fn report(store: &Store, month: &str) -> Reply {
    let made = || -> anyhow::Result<Reply> {
        let report = crate::report::Report::of(store, month.parse()?, now_ms())?;
        Ok(Reply::done(report.csv()?, serde_json::to_value(&report)?))
    };
    made().unwrap_or_else(|error| Reply::failed(format!("{error:#}")))
}

/// A verifier's report as a reply.
pub fn verified(report: &Report) -> Reply {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| json!({ "sequence": fault.sequence, "what": fault.what }))
        .collect();
    let json = json!({
        "good": report.is_good(), "events": report.events, "head": report.head,
        "first_bad": report.first_bad(), "faults": faults,
        "signed_to": report.signed_to, "anchored_to": report.anchored_to,
    });
    Reply { exit: u8::from(!report.is_good()), text: report.lines().join("\n"), json }
}
