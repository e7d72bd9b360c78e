//! Commands on the event chain, and the monthly report.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::json;

use super::time::now_ms;
use crate::audit::{self, Anchor, AuditError, Export, FaultKind, Notary, Report, Vault};
use crate::control::Reply;
use crate::desk::{LETTERS, PAPERS};
use crate::ledger::House;
use crate::publish::Options;
use crate::queue::Role;
use crate::report::{Month, Terms};
use crate::store::{Store, StoreError};
use crate::words::office;

/// Events of one part of an export.
const EXPORTED_AT_ONCE: usize = 5_000;

/// `gapura audit verify`, with the key that is kept outside the database unless another is given.
pub(super) fn verify_own(
    store: &Store,
    state_dir: &Path,
    key: Option<&str>,
    anchors: &[String],
) -> Result<Reply, AuditError> {
    let anchors: Vec<Anchor> = anchors.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let vault = Vault::open_for(state_dir, store)?;
    let key = match key {
        Some(key) => key.to_owned(),
        None => Notary::public_key_in(state_dir)?,
    };
    // The anchors in the derived zone files are witnesses too, but they are on this machine: events
    // count as anchored only if an anchor that was kept outside covers them.
    let mut witnesses = anchors.clone();
    witnesses.extend(served_anchors(state_dir));
    let mut report = store.read::<_, AuditError>(|reader| {
        let mut report = audit::verify_own(reader, Some(&vault), Some(&key), &witnesses)?;
        let outside = audit::verify(&Export::own(reader), Some(&key), &anchors);
        report.anchored_to = outside.anchored_to;
        Ok(report)
    })?;
    audit::check_letters(store, &state_dir.join(LETTERS), &mut report)?;
    audit::check_papers(store, &vault, &state_dir.join(PAPERS), &mut report)?;
    Ok(verified(&report))
}

/// The same on a database that gapura does not use. A missing database is an error, not a new one.
pub(super) fn verify_unused(
    options: &Options,
    key: Option<&str>,
    anchors: &[String],
) -> Result<Reply, AuditError> {
    let (state_dir, place) = (&options.state_dir, &options.database);
    if place.is_absent()? {
        return Err(StoreError::Corrupt(format!("{place} is missing or empty")).into());
    }
    // Opening a database of an earlier version migrates it, so a copy of it is kept first.
    if let Some(state_dir) = place.state_dir() {
        Store::keep_before_upgrade(state_dir)?;
    }
    let store = place.open()?;
    if store.read::<_, StoreError>(|reader| reader.has_row_log())? {
        audit::open_guarded(state_dir, &store, now_ms())?;
    }
    verify_own(&store, state_dir, key, anchors)
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

/// A part of what `gapura audit export` prints.
pub(super) fn export(store: &Store, after: i64, to: Option<i64>) -> Result<Reply, AuditError> {
    let end = match to {
        Some(to) => to,
        None => store.write::<_, StoreError>(|tx| {
            audit::note_export(tx, now_ms(), ("console", Role::Operator.as_str()), after)
        })?,
    };
    let part = store.read::<_, StoreError>(|reader| {
        audit::export_part(reader, (after, end), EXPORTED_AT_ONCE, to.is_none())
    })?;
    let text: String = part.lines.iter().map(|line| format!("{line}\n")).collect();
    Ok(Reply::done(text, json!({ "lines": part.lines.len(), "to": end, "next": part.next })))
}

/// `gapura audit rotate-key`
pub(super) fn rotate_key(store: &Store, notary: &Notary) -> Result<Reply, AuditError> {
    let key = notary.rotate(store, now_ms(), "console", Role::Operator.as_str())?;
    let text = format!(
        "checkpoints are signed by key {} from now on\npublic key: {}\n\
         keep the public key, or the next anchor, outside this machine\n",
        key.key_id, key.public
    );
    Ok(Reply::done(text, serde_json::to_value(&key).unwrap_or_default()))
}

/// `gapura report`: the list as CSV; the JSON has the whole report, from which other forms are made.
pub(super) fn report(store: &Store, month: Month, terms: Terms<'_>) -> anyhow::Result<Reply> {
    let report = store.read::<_, StoreError>(|reader| {
        crate::report::Report::of(reader, month, now_ms(), terms)
    })?;
    Ok(Reply::done(report.csv()?, serde_json::to_value(&report)?))
}

/// The same as the content of a paper, to be rendered by the caller.
pub(super) fn report_paper(store: &Store, month: Month, terms: Terms<'_>) -> anyhow::Result<Reply> {
    let now = now_ms();
    let (report, signer, chain) = store.read::<_, StoreError>(|reader| {
        let report = crate::report::Report::of(reader, month, now, terms)?;
        let house = House::of(reader)?;
        let head = house.head_now(None, now);
        Ok((report, house.signer(head.as_ref(), Role::Head), reader.chain_head()?))
    })?;
    let coat_of_arms = office().coat_of_arms.as_deref().map(|octets| BASE64.encode(octets));
    let paper = serde_json::to_value(report.printed(signer, chain, now))?;
    Ok(Reply::done("", json!({ "paper": paper, "coat_of_arms": coat_of_arms })))
}

/// A verifier's report as a reply.
pub fn verified(report: &Report) -> Reply {
    let faults: Vec<_> = report
        .faults
        .iter()
        .map(|fault| {
            let mut json = json!({ "sequence": fault.sequence, "what": fault.what });
            if let FaultKind::Row { table, key, .. } = &fault.kind {
                (json["table"], json["row"]) = (table.as_str().into(), key.as_str().into());
            }
            json
        })
        .collect();
    let json = json!({
        "good": report.is_good(), "events": report.events, "head": report.head,
        "first_bad": report.first_bad(), "faults": faults,
        "signed_to": report.signed_to, "anchored_to": report.anchored_to,
        "rows": report.compared.map(|compared| compared.rows), "proofs": report.proofs, "papers": report.papers,
        "unmounted": report.unmounted,
    });
    Reply { exit: u8::from(!report.is_good()), text: report.lines().join("\n"), json }
}
