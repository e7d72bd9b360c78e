//! The verifier: reads an export, trusts nothing in it, names the first bad sequence.
//!
//! What it finds, and by what: a byte edited, an event deleted or two swapped (the chain itself);
//! the tail cut (a later checkpoint or anchor); all rewritten without the key (a signature); all
//! rewritten with a stolen key (an older anchor held outside). On our own chain also: any row of the
//! other tables that differs from what gapura left (`rows`, `tables`). Its limit: events after the last
//! anchor held outside are only chained, and the report says so.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::{GENESIS, PROOF, event_hash, payload_hash};
use super::export::Export;
use super::keys::{Judged, Trusted};
use super::notary::needs_checkpoint_before;
use super::report::{FaultKind, Report};
use super::{Anchor, AuditError, Vault, rows, tables};
use crate::digest::{hex, sha256_hex, unhex};
use crate::queue::Deed;
use crate::store::Reader;
use crate::store::events::{Checkpoint, Event};

/// Longest stretch without a checkpoint that can be honest: one is due every 100 events, and an act
/// of many events may pass that.
const UNSIGNED_MAX: i64 = 1_000;

//------------ verify --------------------------------------------------------

/// Verifies an export, against a public key (hexadecimal) and anchors if they are given.
pub fn verify(export: &Export, key: Option<&str>, anchors: &[Anchor]) -> Report {
    let mut report = Report { keys_from_export: key.is_none(), ..Report::default() };
    follow_chain(export, &mut report);
    for (sequence, what) in &export.unreadable {
        report.fault(*sequence, what);
    }
    if report.events == 0 {
        report.fault(1, "there is no event: nothing was verified");
    }
    let hashes: BTreeMap<i64, &str> =
        export.events.iter().map(|event| (event.sequence, event.hash.as_str())).collect();
    let keys = Trusted::of(export, key, &hashes, &mut report);
    for point in &export.checkpoints {
        if covers(point, "checkpoint", &keys, true, &hashes, &mut report) {
            report.signed_to = report.signed_to.max(Some(point.sequence));
        }
    }
    for Anchor(point) in anchors {
        if covers(point, "anchor", &keys, key.is_some(), &hashes, &mut report) {
            report.anchored_to = report.anchored_to.max(Some(point.sequence));
        }
    }
    let unsigned = report.last - report.signed_to.unwrap_or(report.first - 1);
    if report.events > 0 && unsigned > UNSIGNED_MAX {
        let from = report.signed_to.map_or(report.first, |to| to + 1);
        report.fault(
            from,
            format!("{unsigned} events without a checkpoint: there must be one every 100"),
        );
    }
    check_promotions(export, &mut report);
    check_proofs(export, &mut report);
    check_erasures(export, &mut report);
    report.faults.sort_by_key(|fault| fault.sequence);
    report
}

/// Verifies the chain of a database, personal values included, with the vault's key if it is there. An error: not all
/// of it could be read, which is no fault of what is in it.
pub fn verify_own(
    reader: &Reader<'_>,
    vault: Option<&Vault>,
    key: Option<&str>,
    anchors: &[Anchor],
) -> Result<Report, AuditError> {
    let export = Export::own(reader);
    let mut report = verify(&export, key, anchors);
    report.interrupted.clone_from(&export.interrupted);
    if report.first > 1 {
        report.fault(1, format!("missing: our own chain begins with {}", report.first));
    }
    report.is_own = true;
    tables::check(reader, &export.events, &mut report);
    rows::check(reader, &export.events, &mut report);
    let erased: BTreeSet<(i64, &str)> =
        export.erased.iter().map(|(sequence, field, _)| (*sequence, field.as_str())).collect();
    let kept: BTreeMap<(i64, String), Vec<u8>> = report
        .read("personal", reader.all_personal())
        .into_iter()
        .map(|(sequence, field, sealed)| ((sequence, field), sealed))
        .collect();
    for event in &export.events {
        for (field, commitment) in &event.commitments {
            let Some(sealed) = kept.get(&(event.sequence, field.clone())) else {
                if !erased.contains(&(event.sequence, field.as_str())) {
                    report.note(
                        FaultKind::Value,
                        event.sequence,
                        format!("the value of {field} is gone without an erasure"),
                    );
                }
                continue;
            };
            let opened = vault.map(|vault| vault.open_commitment(field, commitment, sealed));
            if opened.is_some_and(|opened| !matches!(opened, Ok(Some(_)))) {
                report.note(
                    FaultKind::Value,
                    event.sequence,
                    format!("the value of {field} is not the one committed to"),
                );
            }
        }
    }
    report.faults.sort_by_key(|fault| fault.sequence);
    report.interrupted.take().map_or(Ok(report), |why| Err(AuditError::Interrupted(why)))
}

/// Follows sequence, previous hash and own hash from event to event.
fn follow_chain(export: &Export, report: &mut Report) {
    let mut before: Option<(&Event, String)> = None;
    for (event, exported_hash) in export.events.iter().zip(&export.payload_hashes) {
        let computed = payload_hash(&event.payload);
        // A payload may be left out of an export, never replaced.
        let left_out = event.payload.is_empty() && exported_hash.is_some();
        let used = match exported_hash {
            Some(hash) if left_out => unhex(hash).unwrap_or_default(),
            _ => computed.clone(),
        };
        if exported_hash.as_ref().is_some_and(|hash| !left_out && *hash != hex(&computed)) {
            report.fault(event.sequence, "the payload is not the one that was hashed");
        }
        let hash = event_hash(event, &used);
        if hash != event.hash {
            report
                .fault(event.sequence, "the event was changed: its hash does not fit its content");
        }
        match &before {
            None if event.sequence == 1 && event.previous != GENESIS => {
                report.fault(1, "the chain does not begin here");
            }
            None => report.first = event.sequence,
            Some((last, last_hash)) => follow(last, last_hash, event, report),
        }
        if before.is_none() {
            report.first = event.sequence;
        }
        before = Some((event, event.hash.clone()));
    }
    report.events = export.events.len();
    if let Some((last, hash)) = before {
        report.last = export.events.iter().map(|e| e.sequence).max().unwrap_or(last.sequence);
        report.head = hash;
    }
}

/// One step of the chain.
fn follow(last: &Event, last_hash: &str, event: &Event, report: &mut Report) {
    let wanted = last.sequence + 1;
    if event.sequence > wanted {
        let what = format!("missing: after {} comes {}", last.sequence, event.sequence);
        report.fault(wanted, what);
    } else if event.sequence < wanted {
        let what = format!("out of order: it stands after {}", last.sequence);
        report.fault(event.sequence, what);
    } else if event.previous != last_hash {
        report.fault(event.sequence, format!("does not follow from event {}", last.sequence));
    }
}

/// Whether a signed head is genuine and fits the chain; notes a fault if not.
fn covers(
    point: &Checkpoint,
    what: &str,
    keys: &Trusted,
    key_needed: bool,
    hashes: &BTreeMap<i64, &str>,
    report: &mut Report,
) -> bool {
    let sequence = point.sequence;
    let fault = match keys.judge(point) {
        Judged::Forged => Some(format!("the {what}'s signature is not good")),
        Judged::Retired => {
            Some(format!("the {what} is signed by {}, which was replaced before", point.key_id))
        }
        Judged::Unknown if key_needed => {
            Some(format!("the {what} is signed by the unknown key {}", point.key_id))
        }
        Judged::Genuine | Judged::Unknown => None,
    };
    if let Some(fault) = fault {
        report.note(FaultKind::Signature, sequence, fault);
        return false;
    }
    match hashes.get(&sequence) {
        Some(hash) if **hash == point.head => true,
        Some(_) => {
            report.note(
                FaultKind::Signature,
                sequence,
                format!("the {what} signed another head: events up to here were rewritten"),
            );
            false
        }
        None if sequence > report.last => {
            let from = report.last + 1;
            report.fault(from, format!("cut: the {what} covers events up to {sequence}"));
            false
        }
        // Before the first event of a partial export, or in a gap that is reported already.
        None => false,
    }
}

/// Between two events that need a checkpoint before them, and before the first, there is one. Where
/// there is none, it was taken out.
fn check_promotions(export: &Export, report: &mut Report) {
    let signed: BTreeSet<i64> = export.checkpoints.iter().map(|point| point.sequence).collect();
    // What came before a partial export may be signed outside it.
    let mut since = (report.first == 1).then_some(1);
    for event in &export.events {
        if !needs_checkpoint_before(event) {
            continue;
        }
        let sequence = event.sequence;
        if since.is_some_and(|since| signed.range(since..sequence.max(since)).next().is_none()) {
            report.fault(sequence, "no checkpoint was kept from before this promotion");
        }
        since = Some(sequence);
    }
}

/// Each proof that is there is the one its event names. The database of a promotion's event has it;
/// an export of part of the chain may not.
fn check_proofs(export: &Export, report: &mut Report) {
    let named: BTreeMap<i64, &String> = export
        .events
        .iter()
        .filter_map(|event| Some((event.sequence, event.payload.get(PROOF)?)))
        .collect();
    for (sequence, text) in &export.proofs {
        if named.get(sequence).is_some_and(|sha256| **sha256 == sha256_hex(text)) {
            report.proofs += 1;
        } else {
            let what = "the proof of the promotion is not the one this event names";
            report.note(FaultKind::Value, *sequence, what);
        }
    }
}

/// An erasure counts only if an event of the chain says so.
fn check_erasures(export: &Export, report: &mut Report) {
    for (sequence, field, by_event) in &export.erased {
        let said = export.events.iter().any(|event| {
            event.sequence == *by_event
                && event.act == Deed::Erase.as_str()
                && event.payload.get("values").is_some_and(|values| {
                    values.split(' ').any(|value| value == format!("{sequence}:{field}"))
                })
        });
        if said {
            report.erased += 1;
        } else {
            report.note(
                FaultKind::Value,
                *sequence,
                format!("the value of {field} is gone, and no event {by_event} says it was erased"),
            );
        }
    }
}
