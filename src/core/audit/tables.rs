//! The tables beside the chain: what is shown and acted on must match the events.
//!
//! An act changes a row and appends its event in one transaction. So the last event that moved a
//! request, a live record or an account says what its row must hold; a row that differs was changed
//! by somebody else. Rows without such an event are those that came with the zone file.

use std::collections::BTreeMap;

use super::report::{FaultKind, Report};
use crate::store::Reader;
use crate::store::events::Event;
use crate::store::row_log::RowChange;

/// Account events that say which role a person has from then on.
const ROLE_EVENTS: [&str; 3] = ["account_added", "account_made", "role_changed"];

/// Notes every row that differs from what the last event about it left.
pub(super) fn check(reader: &Reader<'_>, events: &[Event], report: &mut Report) {
    let left = last_words(events);
    let last = events.last().map_or(0, |event| event.sequence);
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for (number, state, revision) in report.read("request", reader.request_states()) {
        let holds = format!("{state}, revision {revision}");
        rows.insert(format!("request:{number}"), Row { holds, needs_event: true });
    }
    for (name, state, imported) in report.read("live_record", reader.live_states()) {
        rows.insert(format!("record:{name}"), Row { holds: state, needs_event: !imported });
    }
    for (id, role) in report.read("person", reader.person_roles()) {
        rows.insert(format!("person:{id}"), Row { holds: role, needs_event: true });
    }
    for (subject, row) in &rows {
        match left.get(subject.as_str()) {
            Some((_, said)) if *said == row.holds => {}
            Some((sequence, said)) => report.note(
                row_kind(subject, RowChange::Altered),
                *sequence,
                format!("{subject} is {:?}, but this event left it {said:?}", row.holds),
            ),
            None if row.needs_event => report.note(
                row_kind(subject, RowChange::Inserted),
                last + 1,
                format!("no event accounts for {subject}"),
            ),
            None => {}
        }
    }
    for (subject, (sequence, said)) in left {
        if !rows.contains_key(subject) && said != "free" {
            let what = format!("{subject} is gone, but this event left it as {said:?}");
            report.note(row_kind(subject, RowChange::Deleted), sequence, what);
        }
    }
}

/// The fault of the row of a subject.
fn row_kind(subject: &str, change: RowChange) -> FaultKind {
    let (table, key) = match subject.split_once(':') {
        Some(("record", name)) => ("live_record", name),
        Some(named) => named,
        None => ("", subject),
    };
    FaultKind::Row { table: table.to_owned(), key: key.to_owned(), change }
}

/// What a row holds.
struct Row {
    /// In the words of its events.
    holds: String,
    /// Whether it can only have come by an event.
    needs_event: bool,
}

/// For each subject with a row: the last event that changed it, and what that event left.
fn last_words(events: &[Event]) -> BTreeMap<&str, (i64, String)> {
    let mut left = BTreeMap::new();
    for event in events {
        let said = match (event.subject.split(':').next(), &event.after) {
            (Some("request"), Some(state)) => format!("{state}, revision {}", event.revision),
            (Some("record"), Some(state)) => state.clone(),
            (Some("person"), _) if ROLE_EVENTS.contains(&event.act.as_str()) => {
                let role = event.payload.get("to").or_else(|| event.payload.get("role"));
                role.cloned().unwrap_or_default()
            }
            _ => continue,
        };
        left.insert(event.subject.as_str(), (event.sequence, said));
    }
    left
}
