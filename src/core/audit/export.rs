//! The chain as JSON lines that can be verified without gapura's database.
//!
//! One line per event, in order. Lines with the one member `checkpoint`, `key`, `proof` or `erased` are
//! between them, each after the event it is about. Reading is lenient about
//! the frame (lines, an array, an object with `items`), never about the content.

use serde_json::{Value, json};

use super::AuditError;
use super::chain::{NewEvent, PROOF, append, payload_hash};
use super::report::{is_passing, unread};
use crate::digest::hex;
use crate::queue::Deed;
use crate::store::events::{AuditKey, Checkpoint, Event};
use crate::store::{Reader, StoreError, Tx};

/// What an export holds.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// Events in the order found.
    pub events: Vec<Event>,
    /// Payload hashes as exported, by position; the payload itself may have been left out.
    pub(super) payload_hashes: Vec<Option<String>>,
    /// Signed heads.
    pub checkpoints: Vec<Checkpoint>,
    /// Public keys, the oldest first.
    pub keys: Vec<AuditKey>,
    /// Erased values: sequence, field, the event that says so.
    pub erased: Vec<(i64, String, i64)>,
    /// Proofs of promotions: the event that names each, and its text.
    pub(super) proofs: Vec<(i64, String)>,
    /// Lines that cannot be read: the sequence after the last event before them, and why. Of our own
    /// database, tables.
    pub(super) unreadable: Vec<(i64, String)>,
    /// Why not all of our own database could be read, though nothing is wrong with it.
    pub(super) interrupted: Option<String>,
}

/// The lines of an export or the items of its frame, with their place.
fn items(text: &str) -> Vec<(usize, Result<Value, serde_json::Error>)> {
    let whole = serde_json::from_str::<Value>(text).ok();
    let framed = whole.and_then(|value| match value {
        Value::Array(items) => Some(items),
        Value::Object(mut object) => match object.remove("items") {
            Some(Value::Array(items)) => Some(items),
            _ => None,
        },
        _ => None,
    });
    if let Some(items) = framed {
        return items.into_iter().map(Ok).enumerate().collect();
    }
    // Lines; of a frame that is damaged somewhere, the lines between its first and last.
    let frame = |line: &str| line.is_empty() || line.ends_with('[') || line.starts_with(']');
    text.lines()
        .map(|line| line.trim().trim_end_matches(','))
        .enumerate()
        .filter(|(_, line)| !frame(line))
        .map(|(index, line)| (index, serde_json::from_str(line)))
        .collect()
}

/// One event as exported.
pub fn export_line(event: &Event) -> Value {
    let mut line = serde_json::to_value(event).unwrap_or_default();
    line["payload_hash"] = hex(&payload_hash(&event.payload)).into();
    line
}

/// A part of the chain in export form.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// JSON lines without line ends.
    pub lines: Vec<String>,
    /// The last event in it, if more follow.
    pub next: Option<i64>,
}

/// The part of the chain after a sequence and up to another, of so many events at most. Keys come before
/// the first event of an export, `after` 0 or not; checkpoints, proofs and erasures are in the part of
/// the event they are about.
pub fn export_part(
    reader: &Reader<'_>,
    (after, to): (i64, i64),
    most: usize,
    with_keys: bool,
) -> Result<Part, StoreError> {
    let mut part = Part::default();
    if with_keys {
        let keys = reader.audit_keys()?;
        part.lines.extend(keys.iter().map(|key| json!({ "key": key }).to_string()));
    }
    let mut events = reader.events_after(after, most)?;
    let is_full = events.len() == most;
    events.retain(|event| event.sequence <= to);
    let last = events.last().map_or(to, |event| event.sequence);
    part.next = (is_full && last < to).then_some(last);
    // A checkpoint beyond the last event is a sign of a cut tail: it is exported all the same.
    let is_end = reader.chain_head()?.is_none_or(|(head, _)| head <= to);
    let upto = part.next.unwrap_or(if is_end { i64::MAX } else { to });
    let mut checkpoints = reader.checkpoints(after, upto)?.into_iter().peekable();
    let line = |point: Checkpoint| json!({ "checkpoint": point }).to_string();
    for event in &events {
        part.lines.push(export_line(event).to_string());
        if let Some(text) = proof_of(reader, event)? {
            let proof = json!({ "sequence": event.sequence, "text": text });
            part.lines.push(json!({ "proof": proof }).to_string());
        }
        while let Some(point) = checkpoints.next_if(|point| point.sequence <= event.sequence) {
            part.lines.push(line(point));
        }
    }
    part.lines.extend(checkpoints.map(line));
    let erased = reader.erased(after, upto)?.into_iter();
    // One that came while the export ran is about to be said by an event behind it.
    let erased = erased.filter(|(.., by_event)| is_end || *by_event <= to);
    part.lines.extend(erased.map(|(sequence, field, by_event)| {
        json!({ "erased": { "sequence": sequence, "field": field, "by_event": by_event } })
            .to_string()
    }));
    Ok(part)
}

/// The proof that the event of a promotion's end names.
fn proof_of(reader: &Reader<'_>, event: &Event) -> Result<Option<String>, StoreError> {
    match event.payload.get("promotion").filter(|_| event.payload.contains_key(PROOF)) {
        Some(id) => Ok(reader.promotion(id)?.and_then(|row| row.proof)),
        None => Ok(None),
    }
}

/// Notes that a person in a role exports the chain; returns its last event, which says so.
pub fn note_export(
    tx: &Tx<'_>,
    now_ms: i64,
    (person, role): (&str, &str),
    after: i64,
) -> Result<i64, StoreError> {
    let event = NewEvent::new(now_ms, person, role, Deed::Exported, "chain:all");
    Ok(append(tx, event.with("after", after))?.sequence)
}

impl Export {
    /// Reads the chain of this database. A table that cannot be read was dropped or changed: the
    /// verifier says so of it.
    pub fn own(reader: &Reader<'_>) -> Self {
        let mut own = Self::default();
        own.events = own.rows("event", reader.events_after(0, usize::MAX));
        own.payload_hashes = vec![None; own.events.len()];
        let proofs: Result<Vec<_>, StoreError> = own
            .events
            .iter()
            .filter_map(|event| {
                let proof = proof_of(reader, event).transpose()?;
                Some(proof.map(|text| (event.sequence, text)))
            })
            .collect();
        own.proofs = own.rows("promotion", proofs);
        own.checkpoints = own.rows("checkpoint", reader.checkpoints(i64::MIN, i64::MAX));
        own.keys = own.rows("audit_key", reader.audit_keys());
        own.erased = own.rows("erased", reader.erased(i64::MIN, i64::MAX));
        own
    }

    /// The rows of a table; none, with a word on it, if they cannot be read.
    fn rows<T: Default>(&mut self, table: &str, read: Result<T, StoreError>) -> T {
        read.unwrap_or_else(|error| {
            let what = unread(table, &error);
            if is_passing(&error) {
                self.interrupted.get_or_insert(what);
            } else {
                self.unreadable.push((1, what));
            }
            T::default()
        })
    }

    /// Reads an export. A line that cannot be read does not hide the others: it was tampered with,
    /// and the verifier is to name its place. A text without one event is no export.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let mut export = Self::default();
        let mut first = None;
        for (index, item) in items(text) {
            let taken = item.and_then(|item| export.take(item));
            if let Err(error) = taken {
                let (line, reason) = (index + 1, error.to_string());
                let next = export.events.last().map_or(1, |event| event.sequence + 1);
                export.unreadable.push((next, format!("line {line} cannot be read: {reason}")));
                first.get_or_insert(AuditError::Export { line, reason });
            }
        }
        match first {
            Some(error) if export.events.is_empty() => Err(error),
            _ => Ok(export),
        }
    }

    /// Takes one line in.
    fn take(&mut self, mut item: Value) -> Result<(), serde_json::Error> {
        if let Some(point) = item.get_mut("checkpoint") {
            self.checkpoints.push(serde_json::from_value(point.take())?);
        } else if let Some(key) = item.get_mut("key") {
            let key = serde_json::from_value(key.take())?;
            // Each part of an export begins with the keys.
            if !self.keys.contains(&key) {
                self.keys.push(key);
            }
        } else if let Some(proof) = item.get("proof") {
            let text = proof["text"].as_str().unwrap_or("").to_owned();
            self.proofs.push((proof["sequence"].as_i64().unwrap_or(0), text));
        } else if let Some(erased) = item.get("erased") {
            let number = |name: &str| erased[name].as_i64().unwrap_or(0);
            let field = erased["field"].as_str().unwrap_or("").to_owned();
            self.erased.push((number("sequence"), field, number("by_event")));
        } else {
            let hash = item.get("payload_hash").and_then(Value::as_str).map(str::to_owned);
            self.events.push(serde_json::from_value(item)?);
            self.payload_hashes.push(hash);
        }
        Ok(())
    }
}
