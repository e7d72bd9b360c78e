//! The audit trail: every event of the chain, its state, and its export. Read-only.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::parts::{act_words, fact_words, role_words, state_words};
use crate::audit::{self, AuditError, Event};
use crate::people::{PeopleError, Role};
use crate::store::StoreError;
use crate::web::failure::Failure;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// Events of one page.
const ROWS: i64 = 100;

/// What is asked for in the URL.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The last event of the page.
    #[serde(default)]
    sampai: Option<i64>,
    /// Whether the chain is to be verified.
    #[serde(default)]
    periksa: Option<String>,
}

/// One event.
struct Row {
    /// Its place in the chain.
    sequence: i64,
    /// What was done.
    what: String,
    /// When.
    when: String,
    /// From which state to which.
    moved: String,
    /// On what.
    subject: String,
    /// Its page, or empty.
    place: String,
    /// Facts without personal data.
    facts: Vec<String>,
    /// By whom.
    who: String,
    /// In which role.
    role: String,
    /// The first digits of its hash.
    hash: String,
}

/// The page.
#[derive(Template)]
#[template(path = "audit.html", config = "src/web/askama.toml")]
struct AuditPage {
    /// Frame.
    shell: Shell,
    /// What the verifier says, if it was asked.
    good: Option<bool>,
    /// Its report.
    report: Vec<String>,
    /// Events, the newest first.
    rows: Vec<Row>,
    /// The last event of the page before; 0: none.
    older: i64,
}

/// `GET /jejak`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    let t = visitor.t;
    let wanted = asked.sampai;
    let (events, names) = state
        .work(move |state| {
            let events = state.store().read::<_, StoreError>(|reader| {
                let head = reader.chain_head()?.map_or(0, |(sequence, _)| sequence);
                let last = wanted.unwrap_or(head).clamp(0, head);
                let mut events = reader.events_after((last - ROWS).max(0), 100)?;
                events.retain(|event| event.sequence <= last);
                Ok(events)
            })?;
            let people = state.people().list()?;
            let names = people.into_iter().map(|person| (person.id, person.full_name));
            Ok::<_, PeopleError>((events, names.collect::<BTreeMap<_, _>>()))
        })
        .await??;
    let (mut good, mut report) = (None, Vec::new());
    if asked.periksa.is_some() {
        let verified = state
            .work(|state| {
                state
                    .store()
                    .read::<_, AuditError>(|reader| audit::verify_own(reader, None, None, &[]))
            })
            .await?
            .map_err(Failure::internal)?;
        good = Some(verified.is_good());
        report = verified.lines();
    }
    let older = events.first().map_or(0, |event| event.sequence - 1);
    let rows = events.iter().rev().map(|event| row(t, event, &names)).collect();
    let shell = Shell::new(&visitor, t.s("nav-audit")).wide();
    page(&AuditPage { shell, good, report, rows, older })
}

/// `POST /jejak/ekspor`: the chain as lines of JSON, for `gapura audit verify`. An event itself.
pub(super) async fn export(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let account = sent.visitor.need(&Role::OFFICERS)?.account.clone();
    let lines = state
        .work(move |state| {
            let now = state.people().now_ms();
            audit::export_as(state.store(), now, &account.id, account.role.as_str())
        })
        .await?
        .map_err(Failure::internal)?;
    let mut text = lines.join("\n");
    text.push('\n');
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"jejak-audit.jsonl\""),
    ];
    Ok((headers, text).into_response())
}

/// An event in words.
fn row(t: Words, event: &Event, names: &BTreeMap<String, String>) -> Row {
    let state = |word: &Option<String>| word.as_deref().map(|word| state_words(t, word));
    let moved = match (state(&event.before), state(&event.after)) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(after)) => after,
        (Some(before), None) => before,
        (None, None) => String::new(),
    };
    let (kind, id) = event.subject.split_once(':').unwrap_or(("", event.subject.as_str()));
    let (subject, place) = match kind {
        "request" => (id.to_owned(), format!("/tinjau/{id}")),
        "person" => (names.get(id).cloned().unwrap_or_else(|| id.to_owned()), String::new()),
        "record" => (id.trim_end_matches('.').to_owned(), String::new()),
        "notice" => (t.a("audit-notice", "id", id), String::new()),
        _ => (event.subject.clone(), String::new()),
    };
    let facts = event.payload.iter().filter_map(|(key, value)| {
        // A fact that is a person is shown by name.
        fact_words(t, key, names.get(value).unwrap_or(value))
    });
    let person = names.get(&event.person);
    let role = role_words(t, &event.role);
    Row {
        sequence: event.sequence,
        what: act_words(t, &event.act),
        when: t.date_time(event.at_ms),
        moved,
        subject,
        place,
        facts: facts.take(6).collect(),
        who: person.unwrap_or(&role).clone(),
        role: if person.is_some() { role } else { String::new() },
        hash: event.hash.chars().take(12).collect(),
    }
}
